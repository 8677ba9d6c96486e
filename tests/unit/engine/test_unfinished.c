#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runner/base/memory.h"
#include "runner/engine/unfinished.h"
#include "runner/results/attempts.h"
#include "runner/steps/remains.h"

#define DEVICE "{'device_id': '27', 'name': 'Galaxy S23', 'platform': 'android'}"
#define CASE(name, state) "['" name "', null, null, '" #state "', null, 0, " #state ", false, 1000]"
#define FIRST                                                                                                          \
	"{'intent': true, 'number': '7', 'device': " DEVICE                                                            \
	", 'case/7/0': " CASE("Pays", 3) ", 'case/7/1': " CASE("Ships", 3) "}"
#define SECOND                                                                                                         \
	"{'rerun': {'round': 1, 'failed': 1, 'not_run': 0, 'flags': 1, 'tests': 2}, 'intent': true, 'number': '8', "   \
	"'device': " DEVICE ", 'case/8/0': " CASE("Pays", 2) "}"

struct fixture {
	struct replay replay;
	struct replay_step step;
	struct step_result named;
};

static json_t *parse(const char *text)
{
	GR_AUTO_FREE char *copy = gr_strdup(text);
	json_t *json;

	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json = json_loads(copy, 0, NULL);
	assert_non_null(json);
	return json;
}

/* A step in its first further start, of which one test was seen with its end. */
static void begin(struct fixture *f)
{
	GR_AUTO_JSON json_t *first = parse(FIRST);
	struct device_run *known = remains_of("app_build_run", "main", "tests", first);
	char lane[] = "main", step[] = "tests", kind[] = "app_build_run";

	*f = (struct fixture){0};
	assert_non_null(known);
	f->step = (struct replay_step){.lane = gr_strdup(lane), .step = gr_strdup(step), .memory = parse(SECOND)};
	f->step.known = *known;
	f->step.has_known = true;
	gr_free(known);
	f->named.lane = f->step.lane;
	f->named.step = f->step.step;
	f->named.kind = gr_strdup(kind);
	f->replay.results.steps = &f->named;
	f->replay.results.step_count = 1;
}

static void end(struct fixture *f, struct device_run *run)
{
	if (run)
		device_run_release(run);
	gr_free(run);
	device_run_release(&f->step.known);
	json_decref(f->step.memory);
	gr_free(f->step.lane);
	gr_free(f->step.step);
	gr_free(f->named.kind);
}

static void what_polls_showed_of_a_rerun_is_put_over_the_result_before(void **state)
{
	struct device_run *run;
	struct fixture f;

	(void)state;
	begin(&f);
	run = unfinished_run(&f.replay, &f.step);
	assert_non_null(run);
	assert_int_equal(run->case_count, 2);
	assert_int_equal(run->cases[0].status, STATUS_PASSED);
	assert_int_equal(run->cases[0].attempts[0].status, STATUS_FAILED);
	assert_int_equal(run->cases[1].status, STATUS_FAILED);
	assert_int_equal(run->rerun_count, 1);
	assert_string_equal(run->reruns[0].build_number, "8");
	assert_int_equal(f.step.known.rerun_count, 0);
	end(&f, run);
}

static void a_rerun_whose_result_was_told_is_not_put_over_it_again(void **state)
{
	struct device_run *run;
	struct fixture f;

	(void)state;
	begin(&f);
	run = unfinished_run(&f.replay, &f.step);
	f.replay.results.runs = run;
	f.replay.results.run_count = 1;
	assert_null(unfinished_run(&f.replay, &f.step));
	end(&f, run);
}

static void a_step_that_has_ended_is_not_unfinished(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.step.has_ended = true;
	assert_null(unfinished_run(&f.replay, &f.step));
	end(&f, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_polls_showed_of_a_rerun_is_put_over_the_result_before),
	        cmocka_unit_test(a_rerun_whose_result_was_told_is_not_put_over_it_again),
	        cmocka_unit_test(a_step_that_has_ended_is_not_unfinished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
