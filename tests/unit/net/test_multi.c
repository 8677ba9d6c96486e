#include "tests/unit/net/transfer_probe.h"

struct order {
	unsigned done[8]; /* numbers of the transfers, as they ended */
	size_t count;
};
struct one {
	struct order *order;
	unsigned number;
	struct loop *stops; /* with its end; or NULL */
};

static void note_done(void *context, struct transfer_result *result)
{
	const struct one *one = context;

	assert_int_equal(result->curl_code, 0);
	one->order->done[one->order->count++] = one->number;
	if (one->stops)
		loop_stop(one->stops);
}

static void start_numbered(struct probe *probe, struct one *one, struct transfer_request request)
{
	GR_AUTO_FREE char *url = gr_printf("http://127.0.0.1:%u/path", probe->server->port);
	struct transfer *transfer;
	struct gr_error err = {0};

	request.url = url;
	request.on_done = note_done;
	request.context = one;
	assert_int_equal(transfer_start(probe->loop, &probe->settings, &request, &transfer, &err), 0);
}

static void it_sends_what_has_a_time_before_what_has_none(void **state)
{
	struct probe *probe = *state;
	const struct act *const scripts[] = {answer, answer, answer, answer, NULL};
	struct order order = {0};
	struct one ones[4];
	struct gr_error err = {0};

	loop_free(probe->loop);
	assert_int_equal(loop_new(1, &probe->loop, &err), 0);
	serve(probe, scripts);
	for (unsigned i = 0; i < 4; i++) {
		ones[i] = (struct one){.order = &order, .number = i};
		start_numbered(probe, &ones[i],
		        request_of(TRANSFER_POST | TRANSFER_ONCE | (i == 3 ? (unsigned)TRANSFER_TIMELY : 0)));
	}
	run(probe);
	assert_int_equal(order.count, 4);
	assert_int_equal(order.done[0], 0);
	assert_int_equal(order.done[1], 3);
	assert_int_equal(order.done[2], 1);
}

static void it_never_gives_all_connections_to_files(void **state)
{
	struct probe *probe = *state;
	const struct act hang[] = {{REQUEST, NULL, NULL, NULL}, {HANG, NULL, NULL, NULL}};
	const struct act *const scripts[] = {hang, answer, NULL};
	const struct transfer_field fields[] = {{"build", probe->path, true}};
	struct transfer_request request = request_of(TRANSFER_POST | TRANSFER_ONCE);
	struct order order = {0};
	struct one one = {.order = &order, .number = 7};
	struct gr_error err = {0};

	loop_free(probe->loop);
	assert_int_equal(loop_new(3, &probe->loop, &err), 0); /* one for files, two for the rest */
	serve(probe, scripts);
	write_file(probe->path, "0123456789", 10);
	request.fields = fields;
	request.field_count = 1;
	request.answer_ms = 1000;
	assert_int_equal(start(probe, &request, &err), 0);
	assert_int_equal(start(probe, &request, &err), 0);
	one.stops = probe->loop;
	start_numbered(probe, &one, request_of(TRANSFER_POST | TRANSFER_ONCE));
	run(probe);
	assert_int_equal(order.count, 1);
	assert_int_equal(probe->done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TRANSFER_TEST(it_sends_what_has_a_time_before_what_has_none),
	        TRANSFER_TEST(it_never_gives_all_connections_to_files),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
