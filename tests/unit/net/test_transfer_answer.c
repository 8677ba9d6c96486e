#include "tests/unit/net/transfer_probe.h"

/* ---- answers that are none ---- */

static void it_takes_cut_bodies_for_errors(void **state)
{
	struct probe *probe = *state;

	{
		SERVE(probe, SAY(ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"));
		assert_int_equal(do_once(probe, 0)->curl_code, CURLE_PARTIAL_FILE);
		assert_int_equal(probe->result.error.failure, GR_NETWORK);
		assert_int_equal(probe->result.status, 200);
	}
	{
		SERVE(probe, SAY(ANSWER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a"));
		assert_int_not_equal(do_once(probe, 0)->curl_code, 0);
	}
	{
		SERVE(probe, SAY(ANSWER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"));
		assert_int_not_equal(do_once(probe, 0)->curl_code, 0);
	}
	{
		SERVE(probe, SAY(ANSWER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"));
		assert_int_equal(do_once(probe, 0)->curl_code, 0);
		assert_true(probe->result.is_framed);
	}
	{
		SERVE(probe, SAY(ANSWER, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}"));
		assert_int_equal(do_once(probe, 0)->curl_code, 0);
		assert_false(probe->result.is_framed);
	}
}

/* Nobody asked for it, and some servers do it all the same. */
static void it_undoes_an_encoding(void **state)
{
	struct probe *probe = *state;

	SERVE(probe, SAY(ANSWER, "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 18\r\n\r\n"
	                         "\170\234\253\126\112\124\262\122\252\300\002\224\152\001\234\301\013\174"));
	assert_int_equal(do_once(probe, TRANSFER_POST | TRANSFER_ONCE)->curl_code, 0);
	assert_true(text_has_prefix(buffer_text(&probe->result.body), "{\"a\":\"x"));
	assert_true(text_has_suffix_nocase(buffer_text(&probe->result.body), "x\"}"));
	assert_non_null(strstr(buffer_text(&probe->server->requests[0]), "Accept-Encoding: identity\r\n"));
}

/* Logs in a store of files are often kept so. What cannot be undone is taken as it comes, when that is asked for. */
static void it_undoes_an_encoding_of_a_download(void **state)
{
	struct probe *probe = *state;

	{
		SERVE(probe, SAY(ANSWER, "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nETag: "
		                         "\"v1\"\r\nContent-Length: 18\r\n\r\n"
		                         "\170\234\253\126\112\124\262\122\252\300\002\224\152\001\234\301\013\174"));
		assert_int_equal(do_once(probe, 0)->curl_code, 0);
		assert_true(text_has_prefix(buffer_text(&probe->result.body), "{\"a\":\"x"));
		assert_string_equal(probe->result.validator, ""); /* no later part of it could be asked for */
	}
	{
		SERVE(probe,
		        SAY(ANSWER, "HTTP/1.1 200 OK\r\nContent-Encoding: aws-chunked\r\nContent-Length: 2\r\n\r\nab"),
		        DO(AGAIN));
		assert_int_not_equal(do_once(probe, 0)->curl_code, 0);
		assert_true(probe->result.is_undecodable);
		assert_int_equal(do_once(probe, TRANSFER_RAW)->curl_code, 0);
		assert_string_equal(buffer_text(&probe->result.body), "ab");
	}
}

static void it_takes_what_is_not_http_for_an_error(void **state)
{
	struct probe *probe = *state;

	{
		SERVE(probe, SAY(ANSWER, "{\"success\":true}"));
		assert_int_not_equal(do_once(probe, 0)->curl_code, 0);
		assert_int_equal(probe->result.error.failure, GR_PROTOCOL);
	}
	{
		SERVE(probe, SAY(ANSWER, "HTTP/1.1 2"));
		assert_int_not_equal(do_once(probe, 0)->curl_code, 0);
	}
}

static void it_limits_bodies(void **state)
{
	struct probe *probe = *state;
	struct transfer_request request = request_of(0);

	request.body_most_bytes = 4;
	{
		SERVE(probe, SAY(ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n1234"));
		assert_int_equal(exchange(probe, &request)->curl_code, 0);
	}
	{
		SERVE(probe, SAY(ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345"));
		assert_int_not_equal(exchange(probe, &request)->curl_code, 0);
		assert_int_equal(probe->result.error.failure, GR_PROTOCOL);
		assert_non_null(strstr(probe->result.error.text, "longer than its limit"));
	}
	{
		SERVE(probe,
		        SAY(ANSWER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n"));
		assert_int_not_equal(exchange(probe, &request)->curl_code, 0);
		assert_int_equal(probe->result.error.failure, GR_PROTOCOL);
		assert_true(probe->result.body.bytes <= 4);
	}
}

static void it_limits_headers(void **state)
{
	struct probe *probe = *state;
	GR_AUTO_BUFFER struct buffer text = {0};

	buffer_add_text(&text, "HTTP/1.1 200 OK\r\n");
	for (unsigned i = 0; i < 101; i++)
		buffer_printf(&text, "X-%u: y\r\n", i);
	buffer_add_text(&text, "Content-Length: 0\r\n\r\n");
	{
		SERVE(probe, SAY(ANSWER, buffer_text(&text)));
		assert_int_not_equal(do_once(probe, 0)->curl_code, 0);
		assert_int_equal(probe->result.error.failure, GR_PROTOCOL);
	}
}

/* ---- downloads ---- */

static void expect_file(struct probe *probe, const char *text)
{
	GR_AUTO_BUFFER struct buffer data = {0};
	struct gr_error err = {0};

	assert_int_equal(file_read(probe->path, 1 << 20, GR_DISK, &data, &err), 0);
	assert_string_equal(buffer_text(&data), text);
}

static const struct transfer_result *download(struct probe *probe, int64_t offset, const char *validator)
{
	struct transfer_request request = request_of(0);
	GR_AUTO_CLOSE int fd = open(probe->path, O_RDWR | O_CLOEXEC);

	request.sink_fd = fd;
	request.sink_offset = offset;
	request.validator = validator;
	return exchange(probe, &request);
}

static void it_stores_downloads_and_keeps_error_pages_out_of_them(void **state)
{
	struct probe *probe = *state;

	SERVE(probe, SAY(ANSWER, "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nnone"),
	        SAY(ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
	write_file(probe->path, "old and longer", 1);
	assert_int_equal(download(probe, 0, NULL)->status, 404);
	assert_string_equal(buffer_text(&probe->result.body), "none");
	expect_file(probe, "old and longer");
	assert_int_equal(download(probe, 0, NULL)->status, 200);
	assert_int_equal(probe->result.body.bytes, 0);
	expect_file(probe, "hello");
}

static void it_goes_on_with_a_download(void **state)
{
	struct probe *probe = *state;
	const char *request;

	SERVE(probe, SAY(ANSWER, "HTTP/1.1 206 Part\r\nETag: \"v1\"\r\nContent-Range: bytes 3-9/10\r\n"
	                         "Content-Length: 7\r\n\r\n3456789"));
	write_file(probe->path, "012", 1);
	assert_int_equal(download(probe, 3, "\"v1\"")->curl_code, 0);
	assert_int_equal(probe->result.error.failure, GR_NONE);
	assert_int_equal(probe->result.sink_start, 3);
	expect_file(probe, "0123456789");
	request = buffer_text(&probe->server->requests[0]);
	assert_non_null(strstr(request, "\r\nRange: bytes=3-\r\n"));
	assert_non_null(strstr(request, "\r\nIf-Range: \"v1\"\r\n"));
}

static void it_begins_a_download_anew_when_the_server_does(void **state)
{
	struct probe *probe = *state;

	SERVE(probe, SAY(ANSWER, "HTTP/1.1 200 OK\r\nETag: \"v2\"\r\nContent-Length: 3\r\n\r\nnew"), DO(AGAIN));
	write_file(probe->path, "old and longer", 1);
	assert_int_equal(download(probe, 5, "\"v1\"")->curl_code, 0);
	assert_int_equal(probe->result.sink_start, 0);
	assert_string_equal(probe->result.validator, "\"v2\"");
	expect_file(probe, "new");
	(void)download(probe, 3, NULL); /* without a validator nothing can be gone on with */
	assert_null(strstr(buffer_text(&probe->server->requests[1]), "Range"));
}

static void it_refuses_parts_that_do_not_fit(void **state)
{
	static const char *const answers[] = {
	        "HTTP/1.1 206 P\r\nContent-Range: bytes 2-9/10\r\nContent-Length: 8\r\n\r\n23456789",
	        "HTTP/1.1 206 P\r\nContent-Range: bytes 3-8/10\r\nContent-Length: 6\r\n\r\n345678",
	        "HTTP/1.1 206 P\r\nETag: \"v2\"\r\nContent-Range: bytes 3-9/10\r\nContent-Length: 7\r\n\r\n3456789",
	        "HTTP/1.1 206 P\r\nContent-Length: 7\r\n\r\n3456789",
	        "HTTP/1.1 206 P\r\nContent-Range: bytes 3-9/10\r\nContent-Length: 6\r\n\r\n345678",
	        "HTTP/1.1 206 P\r\nContent-Range: bytes 3-9/10\r\nContent-Length: 0\r\n\r\n",
	};
	struct probe *probe = *state;

	for (size_t i = 0; i < GR_COUNT(answers); i++) {
		SERVE(probe, SAY(ANSWER, answers[i]));
		write_file(probe->path, "012", 1);
		assert_int_equal(download(probe, 3, "\"v1\"")->error.failure, GR_PROTOCOL);
		assert_string_equal(probe->result.validator, "");
	}
	{
		SERVE(probe, SAY(ANSWER, answers[1]));
		assert_int_equal(download(probe, 0, NULL)->error.failure, GR_PROTOCOL); /* not asked for at all */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TRANSFER_TEST(it_takes_cut_bodies_for_errors),
	        TRANSFER_TEST(it_undoes_an_encoding),
	        TRANSFER_TEST(it_undoes_an_encoding_of_a_download),
	        TRANSFER_TEST(it_takes_what_is_not_http_for_an_error),
	        TRANSFER_TEST(it_limits_bodies),
	        TRANSFER_TEST(it_limits_headers),
	        TRANSFER_TEST(it_stores_downloads_and_keeps_error_pages_out_of_them),
	        TRANSFER_TEST(it_goes_on_with_a_download),
	        TRANSFER_TEST(it_begins_a_download_anew_when_the_server_does),
	        TRANSFER_TEST(it_refuses_parts_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
