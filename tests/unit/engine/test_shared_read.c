/* Reads that wait for a connection: who may join whom, and what becomes of those who joined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/base/memory.h"
#include "runner/engine/call_private.h"
#include "runner/net/transfer_private.h"

static void on_due(void *context)
{
	(void)context;
}

struct bench {
	struct engine engine;
	struct call calls[4];
	struct transfer transfers[4]; /* as many, of which only the place matters */
};

static void begin(struct bench *bench)
{
	*bench = (struct bench){0};
	assert_int_equal(loop_new(1, &bench->engine.loop, NULL), 0);
	for (size_t i = 0; i < GR_COUNT(bench->calls); i++)
		bench->calls[i] = (struct call){.engine = &bench->engine,
		        .operation = operation_get(OP_BUILD_LIST),
		        .timer = {.on_due = on_due},
		        .order = {.operation = OP_BUILD_LIST, .arguments = json_pack("{s:s}", "app_id", "1")}};
}

static void end(struct bench *bench)
{
	for (size_t i = 0; i < GR_COUNT(bench->calls); i++) {
		shared_read_leave(&bench->calls[i]);
		loop_timer_clear(bench->engine.loop, &bench->calls[i].timer);
		json_decref(bench->calls[i].order.arguments);
	}
	assert_null(bench->engine.offers);
	loop_free(bench->engine.loop);
}

/* It asks by itself: nobody else's request is its own. */
static void ask(struct bench *bench, size_t index)
{
	assert_false(shared_read_join(&bench->calls[index]));
	bench->transfers[index].place = PLACE_QUEUED;
	bench->calls[index].transfer = &bench->transfers[index];
	shared_read_offer(&bench->calls[index]);
}

static void the_same_question_joins_a_request_that_waits(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	ask(&bench, 0);
	assert_true(shared_read_join(&bench.calls[1]));
	assert_true(shared_read_join(&bench.calls[2]));
	assert_ptr_equal(shared_read_next(&bench.calls[0]), &bench.calls[1]);
	assert_ptr_equal(shared_read_next(&bench.calls[0]), &bench.calls[2]);
	assert_null(shared_read_next(&bench.calls[0]));
	end(&bench);
}

static void nothing_joins_a_request_that_has_left(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	ask(&bench, 0);
	bench.transfers[0].place = PLACE_ACTIVE;
	assert_false(shared_read_join(&bench.calls[1]));
	bench.transfers[0].place = PLACE_QUEUED;
	assert_false(shared_read_join(&bench.calls[2])); /* nor later: it is offered no more */
	end(&bench);
}

static void another_question_or_another_urgency_is_its_own_request(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	ask(&bench, 0);
	(void)json_object_set_new(bench.calls[1].order.arguments, "app_id", json_string("2"));
	ask(&bench, 1);
	bench.calls[2].order.is_timely = true;
	ask(&bench, 2);
	assert_true(shared_read_join(&bench.calls[3]));
	assert_ptr_equal(bench.calls[3].asker, &bench.calls[0]);
	end(&bench);
}

static void one_that_goes_leaves_the_others_joined(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	ask(&bench, 0);
	for (size_t i = 1; i < GR_COUNT(bench.calls); i++)
		assert_true(shared_read_join(&bench.calls[i]));
	shared_read_leave(&bench.calls[3]); /* the last, and then one that joins after it */
	assert_true(shared_read_join(&bench.calls[3]));
	shared_read_leave(&bench.calls[2]);
	assert_int_equal(bench.calls[1].timer.place, 0); /* nothing happens to those who stay */
	assert_ptr_equal(shared_read_next(&bench.calls[0]), &bench.calls[1]);
	assert_ptr_equal(shared_read_next(&bench.calls[0]), &bench.calls[3]);
	assert_null(shared_read_next(&bench.calls[0]));
	end(&bench);
}

static void when_the_asker_goes_the_others_ask_anew(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	ask(&bench, 0);
	assert_true(shared_read_join(&bench.calls[1]));
	assert_true(shared_read_join(&bench.calls[2]));
	shared_read_leave(&bench.calls[0]);
	assert_int_not_equal(bench.calls[1].timer.place, 0);
	assert_int_not_equal(bench.calls[2].timer.place, 0);
	ask(&bench, 1);
	assert_true(shared_read_join(&bench.calls[2]));
	assert_ptr_equal(bench.calls[2].asker, &bench.calls[1]);
	end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_same_question_joins_a_request_that_waits),
	        cmocka_unit_test(nothing_joins_a_request_that_has_left),
	        cmocka_unit_test(another_question_or_another_urgency_is_its_own_request),
	        cmocka_unit_test(one_that_goes_leaves_the_others_joined),
	        cmocka_unit_test(when_the_asker_goes_the_others_ask_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
