#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/results/attempts.h"

static struct test_case *add(struct device_run *run, const char *name, enum case_status status, enum gr_failure failure)
{
	struct test_case *test = device_run_add_case(run);

	test->name = gr_strdup(name);
	test->status = status;
	test->failure = failure;
	test->reason = gr_printf("%s of %s", case_status_name(status), name);
	return test;
}

static const struct repeat failed = {.flags = REPEAT_FAILED, .tests = 2};

static void it_takes_the_counts_with_the_case_that_stands_for_them(void **state)
{
	struct device_run run = {.is_complete = true, .counted = {3, 1, 2, 0}},
	                  again = {.is_complete = true, .counted = {3, 3, 0, 0}};

	(void)state;
	add(&run, "ui.zip", STATUS_FAILED, GR_FAILED);
	add(&again, "ui.zip", STATUS_PASSED, GR_NONE);
	device_run_take(&run, &again, &failed);
	assert_int_equal(device_run_totals(&run).passed, 3);
	assert_int_equal(device_run_totals(&run).failed, 0);
	assert_int_equal(device_run_totals(&run).flaky, 1);
	device_run_release(&run);
	device_run_release(&again);
}

/* The one that failed may be among those that are not there any more. */
static void fewer_counted_tests_mend_nothing(void **state)
{
	struct device_run run = {.is_complete = true, .counted = {50, 48, 2, 0}},
	                  again = {.is_complete = true, .counted = {10, 10, 0, 0}};

	(void)state;
	add(&run, "ui.zip", STATUS_FAILED, GR_FAILED);
	add(&again, "ui.zip", STATUS_PASSED, GR_NONE);
	device_run_take(&run, &again, &failed);
	assert_int_equal(run.cases[0].status, STATUS_FAILED);
	assert_int_equal(device_run_totals(&run).tests, 50);
	assert_int_equal(device_run_totals(&run).failed, 2);
	assert_non_null(strstr(run.problems[0].message, "brought no result"));
	assert_true(run.problems[0].is_warning);
	device_run_release(&run);
	device_run_release(&again);
}

static void it_takes_the_outcomes_of_repeated_tests_alone(void **state)
{
	struct device_run run = {.is_complete = true, .elapsed_ms = 10, .polls = 2},
	                  again = {.is_complete = true, .build_number = gr_strdup("7"), .elapsed_ms = 5, .polls = 3};

	(void)state;
	add(&run, "steady", STATUS_PASSED, GR_NONE);
	add(&run, "flaky", STATUS_FAILED, GR_FAILED);
	add(&run, "broken", STATUS_FAILED, GR_FAILED);
	add(&run, "never", STATUS_ERROR, GR_NOT_RUN);
	add(&again, "broken", STATUS_FAILED, GR_FAILED);
	add(&again, "flaky", STATUS_PASSED, GR_NONE);
	add(&again, "steady", STATUS_FAILED, GR_FAILED);
	add(&again, "never", STATUS_PASSED, GR_NONE);
	device_run_take(&run, &again, &failed);
	assert_int_equal(run.case_count, 4);
	assert_int_equal(run.cases[0].status, STATUS_PASSED); /* its outcome stands ... */
	assert_int_equal(run.cases[0].attempt_count, 0);
	assert_int_equal(run.problem_count, 1); /* ... and what it did in the rerun is told */
	assert_true(run.problems[0].is_warning);
	assert_non_null(strstr(run.problems[0].message, "'steady'"));
	assert_int_equal(run.cases[1].status, STATUS_PASSED);
	assert_int_equal(run.cases[1].attempt_count, 1);
	assert_string_equal(run.cases[1].attempts[0].reason, "failed of flaky");
	assert_true(test_case_is_flaky(&run.cases[1]));
	assert_int_equal(run.cases[1].rerun, 1);
	assert_int_equal(run.cases[1].attempts[0].rerun, 0);
	assert_int_equal(run.cases[0].rerun, 0);
	assert_int_equal(run.cases[2].status, STATUS_FAILED);
	assert_int_equal(run.cases[2].attempt_count, 1);
	assert_false(test_case_is_flaky(&run.cases[2]));
	assert_int_equal(run.cases[3].status, STATUS_ERROR); /* not asked for */
	assert_int_equal(run.rerun_count, 1);
	assert_string_equal(run.reruns[0].build_number, "7");
	assert_int_equal(run.elapsed_ms, 15);
	assert_int_equal(run.polls, 5);
	device_run_release(&run);
	device_run_release(&again);
}

static void it_keeps_what_a_rerun_brought_no_result_for(void **state)
{
	struct device_run run = {.is_complete = true}, again = {0};

	(void)state;
	add(&run, "a", STATUS_FAILED, GR_FAILED);
	add(&run, "b", STATUS_FAILED, GR_FAILED);
	add(&again, "a", STATUS_ERROR, GR_STOPPED);
	device_run_add_problem(&again, GR_CANCELLED, "a signal came");
	device_run_take(&run, &again, &failed);
	assert_int_equal(run.cases[0].status, STATUS_FAILED);
	assert_int_equal(run.cases[0].attempt_count, 0);
	assert_string_equal(run.cases[0].reason, "failed of a");
	assert_int_equal(run.cases[1].status, STATUS_FAILED);
	assert_true(run.is_complete);
	assert_int_equal(run.problem_count, 2);
	assert_false(run.problems[0].is_warning); /* what cut it short is trouble */
	assert_string_equal(run.problems[0].message, "rerun 1: a signal came");
	assert_true(run.problems[1].is_warning);
	assert_non_null(strstr(run.problems[1].message, "no result for 2 of 2 tests, first 'a'"));
	device_run_release(&run);
	device_run_release(&again);
}

static void it_tells_tests_of_one_name_apart_by_their_order(void **state)
{
	struct device_run run = {.is_complete = true}, again = {.is_complete = true};

	(void)state;
	add(&run, "twice", STATUS_PASSED, GR_NONE);
	add(&run, "twice", STATUS_FAILED, GR_FAILED);
	add(&again, "twice", STATUS_FAILED, GR_FAILED);
	add(&again, "twice", STATUS_PASSED, GR_NONE);
	device_run_take(&run, &again, &failed);
	assert_int_equal(run.case_count, 2);
	assert_int_equal(run.cases[0].attempt_count, 0);
	assert_int_equal(run.cases[1].status, STATUS_PASSED);
	assert_int_equal(run.cases[1].attempt_count, 1);
	device_run_release(&run);
	device_run_release(&again);
}

static void it_mends_a_run_whose_missing_tests_have_run(void **state)
{
	const struct repeat not_run = {.flags = REPEAT_NOT_RUN, .tests = 1};
	struct device_run run = {0}, again = {.is_complete = true};

	(void)state;
	add(&run, "a", STATUS_PASSED, GR_NONE);
	add(&run, "b", STATUS_ERROR, GR_NOT_RUN);
	device_run_add_problem(&run, GR_STOPPED, "stopped");
	add(&again, "b", STATUS_PASSED, GR_NONE);
	add(&again, "unheard of", STATUS_FAILED, GR_FAILED);
	assert_int_equal(device_run_repeats(&run), REPEAT_NOT_RUN);
	device_run_take(&run, &again, &not_run);
	assert_true(run.is_complete);
	assert_true(run.problems[0].is_warning);
	assert_int_equal(run.cases[1].status, STATUS_PASSED);
	assert_int_equal(run.cases[1].attempt_count, 1);
	assert_false(test_case_is_flaky(&run.cases[1])); /* it had never failed */
	assert_int_equal(run.case_count, 3); /* and nothing is hidden */
	assert_int_equal(run.cases[2].status, STATUS_FAILED);
	device_run_release(&run);
	device_run_release(&again);
}

static void it_does_not_mend_a_run_while_a_test_is_missing(void **state)
{
	const struct repeat not_run = {.flags = REPEAT_NOT_RUN, .tests = 1};
	struct device_run run = {0}, again = {.is_complete = true};

	(void)state;
	add(&run, "b", STATUS_ERROR, GR_STOPPED);
	device_run_add_problem(&run, GR_STOPPED, "stopped");
	device_run_take(&run, &again, &not_run);
	assert_false(run.is_complete);
	assert_false(run.problems[0].is_warning);
	device_run_release(&run);
	device_run_release(&again);
}

static void it_repeats_nothing_of_a_run_that_is_doubtful(void **state)
{
	struct device_run run = {.is_complete = true};

	(void)state;
	add(&run, "a", STATUS_FAILED, GR_FAILED);
	assert_int_equal(device_run_repeats(&run), REPEAT_FAILED);
	add(&run, "b", STATUS_ERROR, GR_STOPPED);
	assert_int_equal(device_run_repeats(&run), REPEAT_FAILED | REPEAT_NOT_RUN);
	add(&run, "c", STATUS_ERROR, GR_INCONSISTENT);
	assert_int_equal(device_run_repeats(&run), 0);
	device_run_release(&run);
	run = (struct device_run){.is_complete = true};
	add(&run, "a", STATUS_FAILED, GR_FAILED);
	device_run_add_problem(&run, GR_DEVICE, "gone");
	assert_int_equal(device_run_repeats(&run), 0);
	device_run_release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_takes_the_counts_with_the_case_that_stands_for_them),
	        cmocka_unit_test(fewer_counted_tests_mend_nothing),
	        cmocka_unit_test(it_takes_the_outcomes_of_repeated_tests_alone),
	        cmocka_unit_test(it_keeps_what_a_rerun_brought_no_result_for),
	        cmocka_unit_test(it_tells_tests_of_one_name_apart_by_their_order),
	        cmocka_unit_test(it_mends_a_run_whose_missing_tests_have_run),
	        cmocka_unit_test(it_does_not_mend_a_run_while_a_test_is_missing),
	        cmocka_unit_test(it_repeats_nothing_of_a_run_that_is_doubtful),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
