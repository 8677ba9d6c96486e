#include "tests/unit/net/transfer_probe.h"

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
	assert_non_null(strstr(buffer_text(&probe->server->requests[0]), "Accept-Encoding: identity\r\n"));
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

static void it_posts_json_with_further_headers(void **state)
{
	static const char *const headers[] = {"webhook-id: 7", "webhook-timestamp: 8", NULL};
	static const char *const broken[] = {"a: b\r\nc: d", NULL};
	struct probe *probe = *state;
	struct transfer_request request = request_of(TRANSFER_POST | TRANSFER_ONCE);
	GR_AUTO_BUFFER struct buffer json = {0};
	struct gr_error err = {0};
	const char *sent;

	SERVE(probe, SAY(ANSWER, OK_ANSWER));
	buffer_add_text(&json, "{\"a\":1}");
	request.json = &json;
	request.headers = headers;
	assert_int_equal(exchange(probe, &request)->status, 200);
	sent = buffer_text(&probe->server->requests[0]);
	assert_non_null(
	        strstr(sent, "\r\nContent-Type: application/json\r\nwebhook-id: 7\r\nwebhook-timestamp: 8\r\n"));
	assert_non_null(strstr(sent, "\r\n\r\n{\"a\":1}"));
	assert_null(strstr(sent, "user_token"));
	assert_null(strstr(sent, "Expect:"));
	request.headers = broken;
	assert_int_equal(start(probe, &request, &err), -GR_INTERNAL);
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
	struct transfer_request request = request_of(TRANSFER_POST | TRANSFER_ONCE);
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
		request.flags |= TRANSFER_QUICK;
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

	request.answer_ms = 2000; /* the head must have come by then, on a slow machine too */
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
	request.on_done = on_crowd_done;
	request.context = crowd;
	assert_int_equal(transfer_start(crowd->probe->loop, &crowd->probe->settings, &request, &transfer, &err), 0);
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

static void it_knows_that_nothing_has_left_before_the_loop_turns(void **state)
{
	struct probe *probe = *state;
	struct transfer_request request = request_of(TRANSFER_POST);
	struct gr_error err = {0};

	SERVE(probe, DO(HANG));
	assert_int_equal(start(probe, &request, &err), 0);
	assert_int_equal(transfer_sent(probe->transfer), SENT_NOTHING);
	transfer_cancel(probe->transfer);
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
	request.on_done = on_done_cancel;
	request.context = probe;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(transfer_start(probe->loop, &probe->settings, &request, &both[i], &err), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TRANSFER_TEST(it_gets),
	        TRANSFER_TEST(it_posts_forms),
	        TRANSFER_TEST(it_posts_encoded_forms),
	        TRANSFER_TEST(it_posts_json_with_further_headers),
	        TRANSFER_TEST(it_follows_no_redirect),
	        TRANSFER_TEST(it_sends_a_start_once_although_libcurl_would_send_it_twice),
	        TRANSFER_TEST(it_knows_that_nothing_was_sent_without_a_connection),
	        TRANSFER_TEST(it_knows_that_only_a_part_was_sent),
	        TRANSFER_TEST(it_knows_that_nothing_was_sent_before_tls_stands),
	        TRANSFER_TEST(it_takes_a_hundred_for_no_answer),
	        TRANSFER_TEST(it_waits_for_the_answer_only_so_long),
	        TRANSFER_TEST(it_waits_for_the_rest_of_an_answer_only_so_long),
	        TRANSFER_TEST(it_reads_both_forms_of_retry_after),
	        TRANSFER_TEST(it_runs_a_hundred_transfers_over_four_connections),
	        TRANSFER_TEST(it_cancels_running_and_waiting_transfers),
	        TRANSFER_TEST(it_knows_that_nothing_has_left_before_the_loop_turns),
	        TRANSFER_TEST(it_cancels_inside_of_the_call_backs_of_others),
	        TRANSFER_TEST(it_leaves_nothing_behind_when_the_loop_goes),
	        TRANSFER_TEST(it_sends_quick_ones_past_those_that_wait),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
