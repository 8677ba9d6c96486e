#include "runner/net/transfer.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "runner/base/clock.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "tests/unit/net/scripted_server.h"

struct probe {
	struct loop *loop;
	struct scripted_server *server;
	struct transfer_settings settings;
	struct transfer *transfer, *victim;
	struct transfer_result result; /* body: ours */
	unsigned done;
	char path[64];
	struct buffer trace;
};

static int set_up(void **state)
{
	struct probe *probe = gr_alloc(1, sizeof(*probe));
	struct gr_error err = {0};
	int fd;

	assert_int_equal(loop_new(4, &probe->loop, &err), 0);
	(void)snprintf(probe->path, sizeof(probe->path), "/tmp/gridlane-test-XXXXXX");
	fd = mkstemp(probe->path);
	assert_true(fd >= 0);
	(void)close(fd);
	*state = probe;
	return 0;
}

static int tear_down(void **state)
{
	struct probe *probe = *state;

	loop_free(probe->loop);
	if (probe->server)
		server_stop(probe->server);
	buffer_release(&probe->result.body);
	buffer_release(&probe->trace);
	(void)unlink(probe->path);
	gr_free(probe);
	return 0;
}

static void on_done(void *context, struct transfer_result *result)
{
	struct probe *probe = context;

	buffer_release(&probe->result.body);
	probe->result = *result;
	result->body = (struct buffer){0};
	probe->transfer = NULL;
	probe->done++;
}

static const struct transfer_field token_field[] = {
        {"user_token", "sekret", false}, {"name", "a b&c=\"d\"\r\n", false}};

static struct transfer_request request_of(unsigned flags)
{
	struct transfer_request request = {
	        .flags = flags, .answer_ms = 20000, .body_most_bytes = 1 << 20, .sink_fd = -1};

	if (flags & TRANSFER_POST) {
		request.fields = token_field;
		request.field_count = GR_COUNT(token_field);
	}
	return request;
}

static int start(struct probe *probe, const struct transfer_request *wanted, struct gr_error *err)
{
	struct transfer_request request = *wanted;
	GR_AUTO_FREE char *url =
	        gr_printf("http://127.0.0.1:%u/path?query=sekret", probe->server ? probe->server->port : 1);

	if (!request.url)
		request.url = url;
	return transfer_start(probe->loop, &probe->settings, &request, on_done, probe, &probe->transfer, err);
}

static void run(struct probe *probe)
{
	struct gr_error err = {0};

	if (loop_run(probe->loop, &err) < 0)
		fail_msg("%s", err.text);
	assert_null(strstr(probe->result.error.text, "sekret"));
}

static const struct transfer_result *exchange(struct probe *probe, const struct transfer_request *request)
{
	struct gr_error err = {0};
	unsigned before = probe->done;

	if (start(probe, request, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(probe->done, before); /* never inside of the start */
	run(probe);
	assert_int_equal(probe->done, before + 1);
	return &probe->result;
}

static const struct transfer_result *do_once(struct probe *probe, unsigned flags)
{
	struct transfer_request request = request_of(flags);

	return exchange(probe, &request);
}

static void serve(struct probe *probe, const struct act *const *scripts)
{
	if (probe->server)
		server_stop(probe->server);
	probe->server = server_start(scripts);
}

#define SERVE(probe, ...)                                                                                              \
	const struct act script_[] = {__VA_ARGS__, {END, NULL, NULL, NULL}};                                           \
	const struct act *const scripts_[] = {script_, NULL};                                                          \
	serve(probe, scripts_)
#define DO(kind)                                                                                                       \
	{                                                                                                              \
		kind, NULL, NULL, NULL                                                                                 \
	}
#define SAY(kind, text)                                                                                                \
	{                                                                                                              \
		kind, text, NULL, NULL                                                                                 \
	}
#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

/* ---- requests ---- */

static void it_gets(void **state)
{
	struct probe *probe = *state;
	const struct transfer_result *result;

	SERVE(probe, SAY(ANSWER, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"v1\"\r\n"
	                         "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 7\r\n\r\n{\"a\":1}"));
	result = do_once(probe, 0);
	assert_int_equal(result->curl_code, 0);
	assert_int_equal(result->error.failure, GR_NONE);
	assert_int_equal(result->status, 200);
	assert_int_equal(result->sent, SENT_ALL);
	assert_string_equal(buffer_text(&result->body), "{\"a\":1}");
	assert_string_equal(result->content_type, "application/json");
	assert_string_equal(result->validator, "\"v1\"");
	assert_int_equal(result->server_date_ms, 784111777000);
	assert_int_equal(result->retry_after_ms, -1);
	assert_int_equal(result->bytes_received, 7);
	assert_true(result->is_framed);
	assert_true(text_has_prefix(buffer_text(&probe->server->requests[0]), "GET /path?query=sekret HTTP/1.1\r\n"));
	assert_non_null(strstr(buffer_text(&probe->server->requests[0]), "User-Agent: gridlane/"));
	assert_null(strstr(buffer_text(&probe->server->requests[0]), "Accept-Encoding"));
}

static void it_posts_forms(void **state)
{
	struct probe *probe = *state;
	const char *request;

	SERVE(probe, SAY(ANSWER, OK_ANSWER));
	assert_int_equal(do_once(probe, TRANSFER_POST | TRANSFER_ONCE)->status, 200);
	assert_int_equal(probe->result.sent, SENT_ALL);
	assert_true(probe->result.bytes_sent > 0);
	request = buffer_text(&probe->server->requests[0]);
	assert_true(text_has_prefix(request, "POST "));
	assert_non_null(strstr(request, "Content-Type: multipart/form-data; boundary="));
	assert_non_null(strstr(request, "name=\"user_token\"\r\n\r\nsekret\r\n"));
	assert_non_null(strstr(request, "\r\n\r\na b&c=\"d\"\r\n\r\n--"));
	assert_null(strstr(request, "Expect"));
}

static void it_posts_encoded_forms(void **state)
{
	struct probe *probe = *state;

	SERVE(probe, SAY(ANSWER, OK_ANSWER));
	assert_int_equal(do_once(probe, TRANSFER_POST | TRANSFER_URLENCODED | TRANSFER_ONCE)->status, 200);
	assert_int_equal(probe->result.sent, SENT_ALL);
	assert_int_equal(probe->result.bytes_sent, 48);
	assert_true(text_has_suffix_nocase(
	        buffer_text(&probe->server->requests[0]), "\r\n\r\nuser_token=sekret&name=a%20b%26c%3D%22d%22%0D%0A"));
}

static void it_follows_no_redirect(void **state)
{
	struct probe *probe = *state;

	SERVE(probe, SAY(ANSWER, "HTTP/1.1 307 Over There\r\nLocation: /elsewhere\r\nContent-Length: 2\r\n\r\nno"),
	        DO(AGAIN));
	assert_int_equal(do_once(probe, TRANSFER_POST)->status, 307);
	assert_string_equal(probe->result.location, "/elsewhere");
	assert_int_equal(probe->result.curl_code, 0);
	assert_int_equal(do_once(probe, 0)->status, 307);
	assert_int_equal(server_requests(probe->server), 2);
}

/* ---- what was sent? ---- */

static const struct act keep_then_drop[] = {
        {ANSWER, OK_ANSWER, NULL, NULL}, {REQUEST, NULL, NULL, NULL}, {END, NULL, NULL, NULL}};
static const struct act drop[] = {{REQUEST, NULL, NULL, NULL}, {END, NULL, NULL, NULL}};
static const struct act answer[] = {{ANSWER, OK_ANSWER, NULL, NULL}, {END, NULL, NULL, NULL}};

static void it_sends_a_start_once_although_libcurl_would_send_it_twice(void **state)
{
	struct probe *probe = *state;
	const struct act *const trap[] = {keep_then_drop, answer, NULL};
	const struct act *const once[] = {keep_then_drop, drop, answer, NULL};

	serve(probe, trap);
	assert_int_equal(do_once(probe, TRANSFER_POST)->status, 200);
	assert_int_equal(do_once(probe, TRANSFER_POST)->status, 200);
	assert_int_equal(server_requests(probe->server), 3); /* the trap: two posts made three requests */

	serve(probe, once);
	assert_int_equal(do_once(probe, TRANSFER_POST)->status, 200);
	assert_int_equal(do_once(probe, TRANSFER_POST | TRANSFER_ONCE)->curl_code, CURLE_GOT_NOTHING);
	assert_int_equal(probe->result.sent, SENT_ALL);
	assert_int_equal(probe->result.status, 0);
	assert_int_equal(probe->result.error.failure, GR_NETWORK);
	assert_int_equal(server_requests(probe->server), 2);
	assert_int_equal(probe->server->connection_count, 2);
}

static void it_knows_that_nothing_was_sent_without_a_connection(void **state)
{
	struct probe *probe = *state;
	const struct act *const scripts[] = {answer, NULL};
	struct transfer_request request = request_of(TRANSFER_POST | TRANSFER_ONCE);
	GR_AUTO_FREE char *url = NULL;

	serve(probe, scripts);
	url = gr_printf("http://127.0.0.1:%u/", probe->server->port);
	server_stop(probe->server);
	probe->server = NULL;
	request.url = url;
	assert_int_equal(exchange(probe, &request)->curl_code, CURLE_COULDNT_CONNECT);
	assert_int_equal(probe->result.sent, SENT_NOTHING);
	assert_int_equal(probe->result.error.failure, GR_NETWORK);
	assert_non_null(strstr(probe->result.error.text, "no connection: Connection refused"));
}

static void it_knows_that_only_a_part_was_sent(void **state)
{
	struct probe *probe = *state;
	const struct transfer_field field = {"file", probe->path, true};
	struct transfer_request request = request_of(TRANSFER_POST | TRANSFER_ONCE);

	assert_int_equal(truncate(probe->path, 64 << 20), 0);
	request.fields = &field;
	request.field_count = 1;
	SERVE(probe, DO(HEAD), SAY(SEND, "HTTP/1.1 100 Continue\r\n\r\n"), DO(RESET));
	assert_int_not_equal(exchange(probe, &request)->curl_code, 0);
	assert_int_equal(probe->result.sent, SENT_PART);
	assert_int_equal(probe->result.status, 0);
	assert_string_equal(probe->result.file_sha256, "");
}

static void it_knows_that_nothing_was_sent_before_tls_stands(void **state)
{
	struct probe *probe = *state;
	struct transfer_request request = request_of(TRANSFER_POST | TRANSFER_ONCE | TRANSFER_QUICK);
	GR_AUTO_FREE char *url = NULL;

	{
		SERVE(probe, SAY(SEND, "HTTP/1.1 400 Plain\r\n\r\n"), DO(HANG));
		url = gr_printf("https://127.0.0.1:%u/", probe->server->port);
		request.url = url;
		assert_int_equal(exchange(probe, &request)->curl_code, CURLE_SSL_CONNECT_ERROR);
		assert_int_equal(probe->result.sent, SENT_NOTHING);
		assert_non_null(strstr(probe->result.error.text, "no TLS connection ("));
	}
	gr_free(url);
	{
		SERVE(probe, DO(HANG));
		url = gr_printf("https://127.0.0.1:%u/", probe->server->port);
		request.url = url;
		assert_int_equal(exchange(probe, &request)->curl_code, CURLE_OPERATION_TIMEDOUT);
		assert_int_equal(probe->result.sent, SENT_NOTHING);
		assert_true(probe->result.is_timeout);
		assert_non_null(strstr(probe->result.error.text, "no connection in time"));
		assert_in_range(probe->result.elapsed_ms, 1400, 60000);
	}
}

static void it_takes_a_hundred_for_no_answer(void **state)
{
	struct probe *probe = *state;

	SERVE(probe, DO(REQUEST), SAY(SEND, "HTTP/1.1 100 Continue\r\n\r\n"));
	assert_int_equal(do_once(probe, TRANSFER_POST | TRANSFER_ONCE)->curl_code, CURLE_GOT_NOTHING);
	assert_int_equal(probe->result.status, 0);
	assert_int_equal(probe->result.sent, SENT_ALL);
}

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

/* ---- time ---- */

static void it_waits_for_the_answer_only_so_long(void **state)
{
	struct probe *probe = *state;
	static const unsigned flags[] = {0, TRANSFER_POST, TRANSFER_POST | TRANSFER_URLENCODED | TRANSFER_ONCE};
	struct transfer_request request;

	SERVE(probe, DO(REQUEST), DO(HANG));
	for (size_t i = 0; i < GR_COUNT(flags); i++) {
		request = request_of(flags[i]);
		request.answer_ms = 30;
		assert_int_equal(exchange(probe, &request)->curl_code, CURLE_OPERATION_TIMEDOUT);
		assert_true(probe->result.is_timeout);
		assert_int_equal(probe->result.sent, SENT_ALL);
		assert_int_equal(probe->result.error.failure, GR_NETWORK);
		assert_non_null(strstr(probe->result.error.text, "no answer for 30ms"));
		assert_true(probe->result.elapsed_ms >= 30);
	}
}

static void it_waits_for_the_rest_of_an_answer_only_so_long(void **state)
{
	struct probe *probe = *state;
	struct transfer_request request = request_of(TRANSFER_POST);

	request.answer_ms = 50;
	SERVE(probe, SAY(ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"), DO(HANG));
	assert_int_equal(exchange(probe, &request)->curl_code, CURLE_OPERATION_TIMEDOUT);
	assert_true(probe->result.is_timeout);
	assert_non_null(strstr(probe->result.error.text, "stood still"));
}

static int64_t retry_after(struct probe *probe, const char *headers)
{
	GR_AUTO_FREE char *text = gr_printf("HTTP/1.1 429 Slow\r\n%s\r\nContent-Length: 0\r\n\r\n", headers);

	SERVE(probe, SAY(ANSWER, text));
	assert_int_equal(do_once(probe, 0)->status, 429);
	return probe->result.retry_after_ms;
}

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static void it_reads_both_forms_of_retry_after(void **state)
{
	struct probe *probe = *state;

	assert_int_equal(retry_after(probe, "Retry-After: 0"), 0);
	assert_int_equal(retry_after(probe, "Retry-After: 120"), 120000);
	assert_int_equal(retry_after(probe, "Retry-After: 86400"), 86400000);
	assert_int_equal(retry_after(probe, DATE "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT"), 30000);
	assert_int_equal(retry_after(probe, "X: y"), -1);
	assert_int_equal(retry_after(probe, "Retry-After: 86401"), -1);
	assert_int_equal(retry_after(probe, "Retry-After: -1"), -1);
	assert_int_equal(retry_after(probe, "Retry-After: soon"), -1);
	assert_int_equal(retry_after(probe, "Retry-After: 1.5"), -1);
	assert_int_equal(retry_after(probe, DATE "Retry-After: Sun, 06 Nov 1994 08:49:36 GMT"), -1);
	assert_int_equal(retry_after(probe, DATE "Retry-After: Tue, 08 Nov 1994 08:49:36 GMT"), -1);
	assert_int_equal(retry_after(probe, "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT"), -1);
}

/* ---- files ---- */

static void write_file(const char *path, const char *text, size_t times)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	while (times--)
		assert_int_equal(fputs(text, file) >= 0, 1);
	assert_int_equal(fclose(file), 0);
}

static const struct transfer_result *send_file(struct probe *probe, const char *path)
{
	const struct transfer_field fields[] = {{"user_token", "sekret", false}, {"build", path, true}};
	struct transfer_request request = request_of(TRANSFER_POST | TRANSFER_ONCE);

	request.fields = fields;
	request.field_count = 2;
	return exchange(probe, &request);
}

static void it_sends_files_and_hashes_what_it_sends(void **state)
{
	struct probe *probe = *state;
	GR_AUTO_FREE char *odd = gr_printf("%s \"odd\"\xC3\xA4.apk", probe->path);
	struct gr_error err = {0};
	char sha256[65];
	int64_t bytes;

	write_file(odd, "0123456789", 20000);
	assert_int_equal(file_sha256(odd, GR_CONFIG, sha256, &bytes, &err), 0);
	SERVE(probe, SAY(ANSWER, OK_ANSWER));
	assert_int_equal(send_file(probe, odd)->curl_code, 0);
	(void)unlink(odd);
	assert_string_equal(probe->result.file_sha256, sha256);
	assert_int_equal(probe->result.file_bytes, 200000);
	assert_non_null(strstr(buffer_text(&probe->server->requests[0]), "__odd___.apk\"\r\n"));
	assert_null(strstr(buffer_text(&probe->server->requests[0]), "/tmp/"));
	assert_non_null(strstr(buffer_text(&probe->server->requests[0]), "890123456789\r\n--"));
}

static void it_sends_empty_files(void **state)
{
	struct probe *probe = *state;

	SERVE(probe, SAY(ANSWER, OK_ANSWER));
	assert_int_equal(send_file(probe, probe->path)->curl_code, 0);
	assert_string_equal(
	        probe->result.file_sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(probe->result.sent, SENT_ALL);
}

static void it_hashes_anew_when_a_file_must_start_again(void **state)
{
	struct probe *probe = *state;
	const struct act no[] = {{HEAD, NULL, NULL, NULL},
	        {SEND, "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", NULL, NULL}, {END, NULL, NULL, NULL}};
	const struct act *const scripts[] = {no, answer, NULL};
	struct gr_error err = {0};
	char sha256[65];

	write_file(probe->path, "0123456789", 300000);
	assert_int_equal(file_sha256(probe->path, GR_CONFIG, sha256, NULL, &err), 0);
	serve(probe, scripts);
	assert_int_equal(send_file(probe, probe->path)->curl_code, 0);
	assert_int_equal(probe->result.status, 200);
	assert_string_equal(probe->result.file_sha256, sha256);
	assert_int_equal(server_requests(probe->server), 1); /* the other one never had its body */
}

static void it_follows_no_redirect_with_a_file(void **state)
{
	struct probe *probe = *state;

	SERVE(probe, SAY(ANSWER, "HTTP/1.1 307 Over There\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"),
	        DO(AGAIN));
	write_file(probe->path, "0123456789", 10);
	assert_int_equal(send_file(probe, probe->path)->status, 307);
	assert_int_equal(server_requests(probe->server), 1);
}

static void it_learns_of_a_no_without_sending_the_file(void **state)
{
	struct probe *probe = *state;

	SERVE(probe, DO(HEAD), SAY(SEND, "HTTP/1.1 413 Big\r\nContent-Length: 2\r\n\r\n{}"), DO(HANG));
	write_file(probe->path, "0123456789", 300000);
	assert_int_equal(send_file(probe, probe->path)->status, 413);
	assert_int_equal(probe->result.curl_code, 0);
	assert_int_equal(probe->result.bytes_sent, 0);
	assert_int_equal(probe->result.sent, SENT_PART);
}

static void grow(void *context)
{
	write_file(context, "0123456789", 3000000);
}

static void shrink(void *context)
{
	assert_int_equal(truncate(context, 10), 0);
}

static void touch(void *context)
{
	int fd = open(context, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	(void)close(fd);
}

static void it_refuses_files_that_change_while_they_are_sent(void **state)
{
	static void (*const changes[])(void *) = {grow, shrink, touch};
	struct probe *probe = *state;

	for (size_t i = 0; i < GR_COUNT(changes); i++) {
		SERVE(probe, DO(HEAD), {RUN, NULL, changes[i], probe->path}, SAY(SEND, "HTTP/1.1 100 Continue\r\n\r\n"),
		        SAY(ANSWER, OK_ANSWER));
		write_file(probe->path, "0123456789", 2000000);
		assert_int_not_equal(send_file(probe, probe->path)->curl_code, 0);
		assert_int_equal(probe->result.error.failure, GR_CONFIG);
		assert_non_null(strstr(probe->result.error.text, "changed while it was being sent"));
		assert_int_equal(probe->result.sent, SENT_PART);
		assert_int_equal(server_requests(probe->server), 0);
		assert_string_equal(probe->result.file_sha256, "");
	}
}

static void it_sends_regular_files_only(void **state)
{
	struct probe *probe = *state;
	const char *const paths[] = {"/dev/null", "/tmp", "/no/such/file"};
	struct gr_error err = {0};

	for (size_t i = 0; i < GR_COUNT(paths); i++) {
		const struct transfer_field field = {"build", paths[i], true};
		struct transfer_request request = request_of(TRANSFER_POST);

		request.fields = &field;
		request.field_count = 1;
		assert_int_equal(start(probe, &request, &err), -GR_CONFIG);
		assert_non_null(strstr(err.text, paths[i]));
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

/* ---- many, and ends ---- */

struct crowd {
	struct probe *probe;
	unsigned done, good, to_start;
};

static void start_one(struct crowd *crowd);

static void on_crowd_done(void *context, struct transfer_result *result)
{
	struct crowd *crowd = context;

	crowd->done++;
	crowd->good += result->curl_code == 0 && result->status == 200 && result->body.bytes == 2;
	if (crowd->to_start)
		start_one(crowd);
}

static void start_one(struct crowd *crowd)
{
	struct transfer_request request = request_of(crowd->to_start % 3 ? TRANSFER_POST : 0);
	GR_AUTO_FREE char *url = gr_printf("http://127.0.0.1:%u/", crowd->probe->server->port);
	struct transfer *transfer;
	struct gr_error err = {0};

	crowd->to_start--;
	if (crowd->to_start % 10 == 0)
		request.flags |= TRANSFER_ONCE;
	request.url = url;
	assert_int_equal(transfer_start(crowd->probe->loop, &crowd->probe->settings, &request, on_crowd_done, crowd,
	                         &transfer, &err),
	        0);
}

static void it_runs_a_hundred_transfers_over_four_connections(void **state)
{
	struct probe *probe = *state;
	struct crowd crowd = {.probe = probe, .to_start = 100};

	SERVE(probe, SAY(ANSWER, OK_ANSWER), DO(AGAIN));
	while (crowd.to_start > 50) /* the others are started by those that end */
		start_one(&crowd);
	run(probe);
	assert_int_equal(crowd.done, 100);
	assert_int_equal(crowd.good, 100);
	assert_int_equal(server_requests(probe->server), 100);
	assert_true(probe->server->connection_count <= 4 + 10 * 2);
}

static void cancel_all(void *context)
{
	struct probe *probe = context;

	transfer_cancel(probe->transfer);
	transfer_cancel(probe->victim);
	transfer_cancel(NULL);
}

static void it_cancels_running_and_waiting_transfers(void **state)
{
	struct probe *probe = *state;
	struct transfer_request request = request_of(TRANSFER_POST);
	struct timer timer = {.on_due = cancel_all, .context = probe};
	struct gr_error err = {0};
	struct transfer *others[5];

	SERVE(probe, DO(REQUEST), DO(HANG));
	for (size_t i = 0; i < 5; i++) { /* one more than may run */
		assert_int_equal(start(probe, &request, &err), 0);
		others[i] = probe->transfer;
	}
	transfer_cancel(others[1]);
	transfer_cancel(others[2]);
	transfer_cancel(others[3]);
	probe->transfer = others[0];
	probe->victim = others[4];
	loop_timer_set(probe->loop, &timer, loop_now(probe->loop) + 20);
	run(probe);
	assert_int_equal(probe->done, 0);
}

static void on_done_cancel(void *context, struct transfer_result *result)
{
	struct probe *probe = context;
	struct transfer *victim = probe->victim;

	(void)result;
	probe->done++;
	transfer_cancel(probe->transfer);
	probe->victim = NULL;
	if (victim)
		transfer_cancel(probe->done == 1 ? victim : NULL);
}

static void it_cancels_inside_of_the_call_backs_of_others(void **state)
{
	struct probe *probe = *state;
	struct transfer_request request = request_of(0);
	GR_AUTO_FREE char *url = NULL;
	struct transfer *both[2];
	struct gr_error err = {0};

	SERVE(probe, SAY(ANSWER, OK_ANSWER), DO(AGAIN));
	url = gr_printf("http://127.0.0.1:%u/", probe->server->port);
	request.url = url;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
		        transfer_start(probe->loop, &probe->settings, &request, on_done_cancel, probe, &both[i], &err),
		        0);
	/* Whichever ends first cancels the other one, and itself without effect. */
	probe->transfer = both[0];
	probe->victim = both[1];
	run(probe);
	assert_int_equal(probe->done, 1);
}

static void it_leaves_nothing_behind_when_the_loop_goes(void **state)
{
	struct probe *probe = *state;
	struct transfer_request request = request_of(TRANSFER_POST);
	struct gr_error err = {0};

	SERVE(probe, DO(HANG));
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(start(probe, &request, &err), 0);
	loop_free(probe->loop);
	probe->loop = NULL;
	assert_int_equal(probe->done, 0);
}

static void it_sends_quick_ones_past_those_that_wait(void **state)
{
	struct probe *probe = *state;
	const struct act hang[] = {{REQUEST, NULL, NULL, NULL}, {HANG, NULL, NULL, NULL}};
	const struct act *const scripts[] = {hang, hang, hang, hang, answer, NULL};
	struct transfer_request request = request_of(TRANSFER_POST | TRANSFER_ONCE);
	struct timer timer = {.on_due = cancel_all, .context = probe};
	struct transfer *slow[5];
	struct gr_error err = {0};

	serve(probe, scripts);
	request.answer_ms = 300;
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(start(probe, &request, &err), 0);
		slow[i] = probe->transfer;
	}
	loop_timer_set(probe->loop, &timer, loop_now(probe->loop));
	probe->transfer = NULL;
	probe->victim = slow[4];
	request = request_of(TRANSFER_POST | TRANSFER_ONCE | TRANSFER_QUICK);
	assert_int_equal(start(probe, &request, &err), 0);
	probe->transfer = NULL;
	run(probe);
	assert_int_equal(probe->done, 5);
	assert_int_equal(probe->server->connection_count, 5);
}

/* ---- settings ---- */

static int refuse(struct probe *probe, const char *url, struct gr_error *err)
{
	struct transfer_request request = request_of(0);
	int r;

	request.url = url;
	r = start(probe, &request, err);
	assert_null(strstr(err->text, "sekret"));
	return r;
}

static void it_refuses_plain_http_and_odd_urls(void **state)
{
	struct probe *probe = *state;
	struct gr_error err = {0};

	assert_int_equal(refuse(probe, "http://192.0.2.1/?sekret", &err), -GR_CONFIG);
	assert_int_equal(refuse(probe, "https://u:sekret@192.0.2.1/", &err), -GR_CONFIG);
	assert_int_equal(refuse(probe, "ftp://192.0.2.1/", &err), -GR_CONFIG);
	assert_int_equal(refuse(probe, "file:///etc/passwd", &err), -GR_CONFIG);
	assert_int_equal(refuse(probe, "nonsense://", &err), -GR_CONFIG);
}

static void it_reads_certificates_before_anything_leaves(void **state)
{
	struct probe *probe = *state;
	struct gr_error err = {0};

	probe->settings.ca_file = "/no/such/ca.pem";
	assert_int_equal(refuse(probe, "https://192.0.2.1/", &err), -GR_CONFIG);
	assert_string_equal(err.text, "cannot read the CA file '/no/such/ca.pem': No such file or directory");
	probe->settings.ca_file = NULL;
	probe->settings.base_url = "https://192.0.2.1";
	probe->settings.client_cert = probe->path;
	probe->settings.client_key = probe->path;
	assert_int_equal(chmod(probe->path, 0644), 0);
	assert_int_equal(refuse(probe, "https://192.0.2.1/", &err), -GR_CONFIG);
	assert_non_null(strstr(err.text, "chmod 600"));
}

static void it_refuses_downloads_from_names_that_stand_for_this_machine(void **state)
{
	struct probe *probe = *state;
	struct transfer_request request = request_of(0);
	GR_AUTO_FREE char *url = NULL;

	SERVE(probe, SAY(ANSWER, OK_ANSWER), DO(AGAIN));
	url = gr_printf("http://any.localhost:%u/?sekret", probe->server->port); /* libcurl itself resolves these */
	request.url = url;
	probe->settings.insecure_http = true;
	assert_int_equal(exchange(probe, &request)->curl_code, CURLE_COULDNT_CONNECT);
	assert_int_equal(probe->result.error.failure, GR_PROTOCOL);
	assert_non_null(strstr(probe->result.error.text, "stands for an address of this machine"));
	assert_int_equal(probe->server->connection_count, 0);
	probe->settings.base_url = "http://127.0.0.1:1"; /* unless the server is such a one itself */
	assert_int_equal(exchange(probe, &request)->status, 200);
	probe->settings.base_url = NULL;
	request.flags = TRANSFER_POST; /* to the server that the pipeline names */
	assert_int_equal(exchange(probe, &request)->status, 200);
}

static void it_goes_through_a_proxy_and_says_when_that_refuses(void **state)
{
	struct probe *probe = *state;
	struct transfer_request request = request_of(TRANSFER_POST | TRANSFER_ONCE);
	GR_AUTO_FREE char *proxy = NULL;

	SERVE(probe,
	        SAY(ANSWER, "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"));
	proxy = gr_printf("http://u:sekret@127.0.0.1:%u", probe->server->port);
	probe->settings.proxy = proxy;
	request.url = "https://192.0.2.1/x";
	assert_int_not_equal(exchange(probe, &request)->curl_code, 0);
	assert_int_equal(probe->result.sent, SENT_NOTHING);
	assert_int_equal(probe->result.status, 0);
	assert_non_null(strstr(probe->result.error.text, "the proxy answers HTTP 407"));
	assert_true(text_has_prefix(buffer_text(&probe->server->requests[0]), "CONNECT 192.0.2.1:443 "));
	assert_null(strstr(buffer_text(&probe->server->requests[0]), "user_token"));
}

static void note_line(void *context, const char *line)
{
	buffer_add_text(context, line);
}

static void it_traces_without_query_and_bodies(void **state)
{
	struct probe *probe = *state;

	probe->settings.trace = true;
	probe->settings.on_trace = note_line;
	probe->settings.trace_context = &probe->trace;
	SERVE(probe, SAY(ANSWER, OK_ANSWER));
	(void)do_once(probe, TRANSFER_POST);
	assert_true(text_has_prefix(buffer_text(&probe->trace), "POST http://127.0.0.1:"));
	assert_non_null(strstr(buffer_text(&probe->trace), "/path: HTTP 200 in "));
	assert_null(strstr(buffer_text(&probe->trace), "sekret"));
}

static int group_set_up(void **state)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
	        "GRIDLANE_CA_BUNDLE", "SSL_CERT_FILE"};
	struct gr_error err = {0};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(names); i++)
		(void)unsetenv(names[i]);
	(void)setenv("SSLKEYLOGFILE", "/tmp/never", 1);
	assert_int_equal(transfer_init(&err), 0);
	assert_null(getenv("SSLKEYLOGFILE"));
	return text_has_prefix(transfer_library_version(), "libcurl/") ? 0 : -1;
}

static int group_tear_down(void **state)
{
	(void)state;
	transfer_finish();
	return 0;
}

#define TRANSFER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TRANSFER_TEST(it_gets),
	        TRANSFER_TEST(it_posts_forms),
	        TRANSFER_TEST(it_posts_encoded_forms),
	        TRANSFER_TEST(it_follows_no_redirect),
	        TRANSFER_TEST(it_sends_a_start_once_although_libcurl_would_send_it_twice),
	        TRANSFER_TEST(it_knows_that_nothing_was_sent_without_a_connection),
	        TRANSFER_TEST(it_knows_that_only_a_part_was_sent),
	        TRANSFER_TEST(it_knows_that_nothing_was_sent_before_tls_stands),
	        TRANSFER_TEST(it_takes_a_hundred_for_no_answer),
	        TRANSFER_TEST(it_takes_cut_bodies_for_errors),
	        TRANSFER_TEST(it_takes_what_is_not_http_for_an_error),
	        TRANSFER_TEST(it_limits_bodies),
	        TRANSFER_TEST(it_limits_headers),
	        TRANSFER_TEST(it_waits_for_the_answer_only_so_long),
	        TRANSFER_TEST(it_waits_for_the_rest_of_an_answer_only_so_long),
	        TRANSFER_TEST(it_reads_both_forms_of_retry_after),
	        TRANSFER_TEST(it_sends_files_and_hashes_what_it_sends),
	        TRANSFER_TEST(it_sends_empty_files),
	        TRANSFER_TEST(it_hashes_anew_when_a_file_must_start_again),
	        TRANSFER_TEST(it_follows_no_redirect_with_a_file),
	        TRANSFER_TEST(it_learns_of_a_no_without_sending_the_file),
	        TRANSFER_TEST(it_refuses_files_that_change_while_they_are_sent),
	        TRANSFER_TEST(it_sends_regular_files_only),
	        TRANSFER_TEST(it_stores_downloads_and_keeps_error_pages_out_of_them),
	        TRANSFER_TEST(it_goes_on_with_a_download),
	        TRANSFER_TEST(it_begins_a_download_anew_when_the_server_does),
	        TRANSFER_TEST(it_refuses_parts_that_do_not_fit),
	        TRANSFER_TEST(it_runs_a_hundred_transfers_over_four_connections),
	        TRANSFER_TEST(it_cancels_running_and_waiting_transfers),
	        TRANSFER_TEST(it_cancels_inside_of_the_call_backs_of_others),
	        TRANSFER_TEST(it_leaves_nothing_behind_when_the_loop_goes),
	        TRANSFER_TEST(it_sends_quick_ones_past_those_that_wait),
	        TRANSFER_TEST(it_refuses_plain_http_and_odd_urls),
	        TRANSFER_TEST(it_reads_certificates_before_anything_leaves),
	        TRANSFER_TEST(it_refuses_downloads_from_names_that_stand_for_this_machine),
	        TRANSFER_TEST(it_goes_through_a_proxy_and_says_when_that_refuses),
	        TRANSFER_TEST(it_traces_without_query_and_bodies),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
