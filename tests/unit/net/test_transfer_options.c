#include "tests/unit/net/transfer_probe.h"

/* ---- files ---- */

static const struct transfer_result *send_file_with(struct probe *probe, const char *path, unsigned flags)
{
	const struct transfer_field fields[] = {{"user_token", "sekret", false}, {"build", path, true}};
	struct transfer_request request = request_of(TRANSFER_POST | TRANSFER_ONCE | flags);

	request.fields = fields;
	request.field_count = 2;
	return exchange(probe, &request);
}

static const struct transfer_result *send_file(struct probe *probe, const char *path)
{
	return send_file_with(probe, path, TRANSFER_HASHED);
}

static void it_hashes_only_when_asked(void **state)
{
	struct probe *probe = *state;

	write_file(probe->path, "0123456789", 100);
	SERVE(probe, SAY(ANSWER, OK_ANSWER));
	assert_int_equal(send_file_with(probe, probe->path, 0)->curl_code, 0);
	assert_non_null(
	        strstr(buffer_text(&probe->server->requests[0]), "\r\nContent-Type: application/octet-stream\r\n"));
	assert_string_equal(probe->result.file_sha256, "");
	assert_int_equal(probe->result.file_bytes, 1000);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TRANSFER_TEST(it_sends_files_and_hashes_what_it_sends),
	        TRANSFER_TEST(it_hashes_only_when_asked),
	        TRANSFER_TEST(it_sends_empty_files),
	        TRANSFER_TEST(it_hashes_anew_when_a_file_must_start_again),
	        TRANSFER_TEST(it_follows_no_redirect_with_a_file),
	        TRANSFER_TEST(it_learns_of_a_no_without_sending_the_file),
	        TRANSFER_TEST(it_refuses_files_that_change_while_they_are_sent),
	        TRANSFER_TEST(it_sends_regular_files_only),
	        TRANSFER_TEST(it_refuses_plain_http_and_odd_urls),
	        TRANSFER_TEST(it_reads_certificates_before_anything_leaves),
	        TRANSFER_TEST(it_refuses_downloads_from_names_that_stand_for_this_machine),
	        TRANSFER_TEST(it_goes_through_a_proxy_and_says_when_that_refuses),
	        TRANSFER_TEST(it_traces_without_query_and_bodies),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
