#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/results/model.h"

static void it_releases_nothing_and_half_of_something(void **state)
{
	struct results results = {0};
	struct device_run run = {.lane = gr_strdup("l")};

	(void)state;
	results_release(NULL);
	device_run_release(NULL);
	test_case_release(NULL);
	problem_release(NULL);
	results_release(&results);
	device_run_release(&run);
	assert_null(run.lane);
	device_run_release(&run);
}

static void it_grows_lists_past_every_size(void **state)
{
	struct device_run run = {0};
	struct results results = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		device_run_add_case(&run)->name = gr_printf("%d", i);
		device_run_add_problem(&run, GR_STOPPED, "number %d", i);
		(void)results_add_problem(&results, GR_DISK, "lane", NULL, "number %d", i);
	}
	assert_int_equal(run.case_count, 100);
	assert_string_equal(run.cases[99].name, "99");
	assert_int_equal(run.cases[99].time_ms, TIME_UNKNOWN);
	assert_string_equal(run.problems[64].message, "number 64");
	assert_string_equal(results.problems[99].message, "number 99");
	assert_string_equal(results.problems[99].lane, "lane");
	assert_null(results.problems[99].step);
	device_run_release(&run);
	results_release(&results);
}

static void it_tells_steps_apart_by_lane_and_name(void **state)
{
	struct results results = {0};

	(void)state;
	results_add_step(&results, "a", "x")->requests = 1;
	results_add_step(&results, "b", "x")->requests = 2;
	results_add_step(&results, NULL, "x")->requests = 3;
	assert_int_equal(results.step_count, 3);
	assert_int_equal(results_add_step(&results, "a", "x")->requests, 1);
	assert_int_equal(results_add_step(&results, NULL, "x")->requests, 3);
	assert_int_equal(results.step_count, 3);
	results_release(&results);
}

static void add(struct device_run *run, enum case_status status, size_t attempts)
{
	struct test_case *test = device_run_add_case(run);

	test->status = status;
	test->attempts = gr_alloc(attempts, sizeof(*test->attempts));
	for (size_t i = 0; i < attempts; i++)
		test->attempts[i].status = STATUS_FAILED;
	test->attempt_count = attempts;
}

static void it_counts_each_case_once(void **state)
{
	struct results results = {0};
	struct totals totals;
	struct device_run *run;

	(void)state;
	results.runs = gr_grow(NULL, 0, sizeof(*results.runs));
	run = &results.runs[0];
	*run = (struct device_run){.is_complete = true};
	results.runs[1] = (struct device_run){0};
	results.run_count = 2;
	add(run, STATUS_PASSED, 0);
	add(run, STATUS_PASSED, 2); /* flaky */
	add(run, STATUS_FAILED, 1);
	add(run, STATUS_SKIPPED, 0);
	add(&results.runs[1], STATUS_ERROR, 0);
	device_run_add_problem(run, GR_STOPPED, "x");
	run->problems[0].is_warning = true;
	device_run_add_problem(&results.runs[1], GR_STOPPED, "x");
	(void)results_add_problem(&results, GR_DISK, NULL, NULL, "x");
	totals = results_totals(&results);
	assert_int_equal(totals.tests, 5);
	assert_int_equal(totals.passed, 2);
	assert_int_equal(totals.flaky, 1);
	assert_int_equal(totals.failed, 1);
	assert_int_equal(totals.skipped, 1);
	assert_int_equal(totals.errors, 1);
	assert_int_equal(totals.executed, 3);
	assert_int_equal(totals.device_runs, 2);
	assert_int_equal(totals.device_runs_complete, 1);
	assert_int_equal(totals.problems, 2);
	results_release(&results);
}

static void it_counts_the_tests_that_one_case_stands_for(void **state)
{
	struct device_run run = {.counted = {7, 4, 1, 1}};
	struct totals totals;

	(void)state;
	add(&run, STATUS_FAILED, 0);
	totals = device_run_totals(&run);
	assert_int_equal(totals.tests, 7);
	assert_int_equal(totals.passed, 4);
	assert_int_equal(totals.failed, 1);
	assert_int_equal(totals.skipped, 1);
	assert_int_equal(totals.errors, 1);
	assert_int_equal(totals.executed, 5);
	run.cases[0].quarantine = gr_strdup("known");
	run.cases[0].quarantine_owner = gr_strdup("me");
	run.cases[0].quarantine_until = gr_strdup("9999-12-31");
	totals = device_run_totals(&run);
	assert_int_equal(totals.failed, 0);
	assert_int_equal(totals.quarantined, 1);
	run.counted = (struct counted){5, 6, 0, 0}; /* no counts of anything */
	assert_int_equal(device_run_totals(&run).tests, 1);
	run.counted = (struct counted){INT64_MAX, INT64_MAX, 0, 0};
	assert_int_equal(device_run_totals(&run).tests, 1);
	device_run_release(&run);
}

static void it_has_a_word_for_every_verdict_status_and_outcome(void **state)
{
	(void)state;
	assert_string_equal(verdict_name(VERDICT_PASSED), "passed");
	assert_string_equal(verdict_name(VERDICT_CANCELLED), "cancelled");
	assert_string_equal(verdict_name((enum verdict)99), "infrastructure"); /* never "passed" by mistake */
	assert_string_equal(case_status_name(STATUS_ERROR), "error");
	assert_string_equal(case_status_name((enum case_status)99), "error");
	assert_string_equal(outcome_name(OUTCOME_NOT_RUN), "not_run");
	assert_string_equal(outcome_name((enum outcome)99), "error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_releases_nothing_and_half_of_something),
	        cmocka_unit_test(it_grows_lists_past_every_size),
	        cmocka_unit_test(it_tells_steps_apart_by_lane_and_name),
	        cmocka_unit_test(it_counts_each_case_once),
	        cmocka_unit_test(it_counts_the_tests_that_one_case_stands_for),
	        cmocka_unit_test(it_has_a_word_for_every_verdict_status_and_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
