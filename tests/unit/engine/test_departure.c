/* Calls whose intent is in the journal, and which have not left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/api/request.h"
#include "runner/base/memory.h"
#include "runner/engine/call_private.h"

struct bench {
	struct engine engine;
	struct engine_options options;
	struct event_reader reader;
	unsigned waits, undone, handed_over;
	enum call_outcome outcome;
};

static int on_event(void *state, const struct run_event *event, struct gr_error *err)
{
	struct bench *bench = state;

	(void)err;
	bench->undone += event->kind == STEP_ANSWER && json_is_true(json_object_get(event->detail, "undone"));
	return 0;
}

/* The disk fails: nothing that was prepared may leave. */
static int on_settle(void *state, struct gr_error *err)
{
	struct bench *bench = state;

	bench->waits++;
	return gr_fail(err, GR_DISK, 0, "no");
}

static void on_done(void *context, const struct call_result *result)
{
	struct bench *bench = context;

	bench->outcome = result->outcome;
	bench->handed_over++;
}

static void begin(struct bench *bench)
{
	*bench = (struct bench){0};
	bench->reader = (struct event_reader){.event = on_event, .settle = on_settle, .state = bench};
	bench->options = (struct engine_options){.readers = &bench->reader, .reader_count = 1};
	bench->engine.options = &bench->options;
	assert_int_equal(loop_new(1, &bench->engine.loop, NULL), 0);
}

static struct call *prepare(struct bench *bench)
{
	struct call *call = gr_alloc(1, sizeof(*call));
	struct request *request = NULL;

	*call = (struct call){.engine = &bench->engine,
	        .operation = operation_get(OP_RESTART_DEVICE_API),
	        .order = {.operation = OP_RESTART_DEVICE_API,
	                .arguments = json_pack("{s:s}", "device_id", "1"),
	                .on_done = on_done,
	                .context = bench}};
	assert_int_equal(request_new(call->operation, call->order.arguments, &request, NULL), 0);
	departure_add(call, request);
	return call;
}

static void end(struct bench *bench)
{
	assert_null(bench->engine.prepared.first);
	loop_timer_clear(bench->engine.loop, &bench->engine.prepared.timer);
	loop_free(bench->engine.loop);
	results_release(&bench->engine.results);
	json_decref(bench->engine.started);
}

static void one_wait_is_for_all_and_none_leaves_when_it_fails(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	for (int i = 0; i < 3; i++)
		(void)prepare(&bench);
	assert_int_equal(loop_run(bench.engine.loop, NULL), 0);
	assert_int_equal(bench.waits, 1);
	assert_int_equal(bench.engine.requests, 0);
	assert_int_equal(bench.handed_over, 3);
	assert_int_equal(bench.outcome, CALL_NOT_SENT);
	end(&bench);
}

static void one_that_is_told_to_stop_before_it_left_did_nothing(void **state)
{
	const struct gr_error why = {.failure = GR_CANCELLED, .text = "told to stop"};
	struct call *calls[3];
	struct bench bench;

	(void)state;
	begin(&bench);
	for (int i = 0; i < 3; i++)
		calls[i] = prepare(&bench);
	assert_null(call_committed(calls[2]));
	assert_true(call_conclude(calls[2], &why));
	assert_int_equal(bench.outcome, CALL_NOT_SENT);
	assert_int_equal(bench.undone, 1); /* whoever reads the journal need not look for it */
	call_cancel(calls[0]);
	assert_ptr_equal(bench.engine.prepared.first, calls[1]);
	assert_ptr_equal(bench.engine.prepared.last, calls[1]);
	assert_int_equal(bench.handed_over, 1);
	call_cancel(calls[1]);
	end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_wait_is_for_all_and_none_leaves_when_it_fails),
	        cmocka_unit_test(one_that_is_told_to_stop_before_it_left_did_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
