#include "app_script.h"

static void it_passes_when_every_test_passed(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	assert_true(s.action.is_poll);
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a") ", " CASE("b", "1")));
	expect_wait(&s, 1800, 2200);
	assert_int_equal(s.action.progress_done, 1);
	assert_int_equal(s.action.progress_total, 2);
	let_time_come(&s);
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
	answer(&s, DETAILS("770", OURS, "'1'", "'3'", PASS("a") ", " CASE("b", "2")));
	expect_done(&s, OUTCOME_PASSED,
	        "{'build_number': '770', 'build_id': '3506', 'build_url': '" OURS
	        "', 'tests': 2, 'passed': 2, 'failed': 0, 'pass_rate': 1.0, 'completed': true, 'build_test_id': '900', "
	        "'adopted': "
	        "false}");
	assert_string_equal(s.action.device_run->number_source, "build_version");
	assert_string_equal(s.action.device_run->build_number, "770");
	assert_string_equal(s.action.device_run->device.platform, "android");
	assert_int_equal(s.action.device_run->polls, 2);
	assert_true(s.action.device_run->is_complete);
	assert_int_equal(s.action.device_run->failure, GR_NONE);
	assert_int_equal(s.action.device_run->problem_count, 0);
	assert_int_equal(s.action.device_run->queued_ms, 0);
	assert_in_range(s.action.device_run->lag_most_ms, 1900, 2300);
	assert_int_equal(s.action.device_run->elapsed_ms,
	        s.action.device_run->ended_wall_ms - s.action.device_run->started_wall_ms);
	script_close(&s);
}

static void it_fails_with_the_failed_test(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "1", "3",
	                   PASS("a") ", {'test_case_name': 'b', 'test_status': 3, 'failed_reason': 'no button'}"));
	expect_done(&s, OUTCOME_FAILED, "{'passed': 1, 'failed': 1, 'pass_rate': 0.5}");
	expect_case(&s, "b", STATUS_FAILED, GR_FAILED);
	assert_string_equal(s.action.device_run->cases[1].reason, "no button");
	assert_int_equal(s.action.device_run->failure, GR_FAILED);
	script_close(&s);
}

static void it_never_calls_unknown_stopped_or_unrun_tests_passed_or_skipped(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_until_settled(&s, DETAILS("770", OURS, "1", "3",
	                                 PASS("a") ", " CASE("b", "4") ", " CASE("c", "0") ", " CASE(
	                                         "d", "1") ", " CASE("e", "5") ", {'test_case_name': 'f'}"));
	expect_done(&s, OUTCOME_ERROR, "{'passed': 1, 'skipped': 1, 'errors': 4}");
	expect_case(&s, "b", STATUS_ERROR, GR_STOPPED);
	expect_case(&s, "c", STATUS_ERROR, GR_NOT_RUN);
	expect_case(&s, "d", STATUS_ERROR, GR_NOT_RUN);
	expect_case(&s, "e", STATUS_SKIPPED, GR_NONE);
	expect_case(&s, "f", STATUS_ERROR, GR_UNKNOWN);
	script_close(&s);
}

static void an_empty_run_is_an_error_unless_allowed(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_until_settled(&s, DETAILS("770", OURS, "1", "3", ""));
	expect_problem(&s, GR_NOT_RUN, "no test");
	script_close(&s);
	run_to_first_poll(&s, WITH(", 'allow_empty': true"));
	answer_until_settled(&s, DETAILS("770", OURS, "1", "3", ""));
	expect_done(&s, OUTCOME_PASSED, "{'tests': 0}");
	script_close(&s);
}

static void a_run_that_skipped_everything_did_not_run(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "1", "3", CASE("a", "7") ", " CASE("b", "5")));
	expect_problem(&s, GR_NOT_RUN, "skipped every test");
	script_close(&s);
}

static void a_missing_device_is_a_problem_after_a_while(void **state)
{
	struct script s;
	const char *other =
	        "{'status': 1, 'is_build_completed_in_all_devices': 1, 'build_number': '770', 'build_url': '" OURS
	        "', 'build_devices': [{'device_id': '99', 'device_name': 'Other', 'test_cases': [" PASS(
	                "a") "], 'is_completed': 3}]}";

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_until_settled(&s, other);
	expect_problem(&s, GR_DEVICE, "missing from the answer");
	assert_int_equal(s.action.device_run->case_count, 0);
	script_close(&s);
}

static void a_stopped_device_is_not_a_pass(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "1", "4", PASS("a")));
	expect_problem(&s, GR_STOPPED, "stopped on Galaxy S23");
	assert_false(s.action.device_run->is_complete);
	script_close(&s);
}

#define TWO_ROWS(id, cases)                                                                                            \
	"{'status': 1, 'is_build_completed_in_all_devices': 1, 'build_number': '770', 'build_url': '" OURS             \
	"', 'build_devices': [{'device_id': '26', 'device_name': 'Galaxy S23', 'test_cases': [" PASS(                  \
	        "a") "], 'is_completed': 3}, {'device_id': '" id "', 'device_name': 'Other', 'test_cases': [" cases    \
	             "], 'is_completed': 3}]}"

/* Our device a second time, or another one: what failed there is not green here. */
static void further_rows_of_the_build_must_have_passed(void **state)
{
	static const char *const bad[] = {TWO_ROWS("26", CASE("a", "3")), TWO_ROWS("99", CASE("z", "3")),
	        TWO_ROWS("99", CASE("z", "0")), TWO_ROWS("99", "")};
	struct script s;

	(void)state;
	for (size_t n = 0; n < GR_COUNT(bad); n++) {
		run_to_first_poll(&s, WITH(""));
		answer_until_settled(&s, bad[n]);
		expect_problem(&s, GR_INCONSISTENT, "1 further row of devices");
		assert_int_equal(s.action.outcome, OUTCOME_ERROR);
		script_close(&s);
	}
	run_to_first_poll(&s, WITH(""));
	answer(&s, TWO_ROWS("99", PASS("z") ", " CASE("y", "5")));
	expect_done(&s, OUTCOME_PASSED, "{'passed': 1}");
	assert_true(s.action.device_run->problems[0].is_warning);
	script_close(&s);
}

static void signals_that_disagree_need_a_second_poll(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "3", PASS("a")));
	expect_wait(&s, 0, 2200);
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "0", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{'passed': 1}");
	script_close(&s);

	/* The build says completed, the device says processing: never believed, until the stall limit. */
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 200 && s.action.kind != ACTION_DONE; i++) {
		answer(&s, DETAILS("770", OURS, "1", "1", PASS("a")));
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
	}
	expect_problem(&s, GR_STALL, "completed for the build, but not for the device: nothing changed");
	script_close(&s);
}

static void one_signal_alone_counts_when_it_is_said_twice(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
#define ONE_SIGNAL                                                                                                     \
	"{'status': 1, 'build_number': 770, 'build_url': '" OURS                                                       \
	"', 'build_devices': {'device_id': 26, 'test_cases': [" PASS("a") "], 'is_completed': 3}}"
	answer(&s, ONE_SIGNAL);
	let_time_come(&s);
	answer(&s, ONE_SIGNAL);
	expect_done(&s, OUTCOME_PASSED, "{'passed': 1}");
	script_close(&s);
}

static void a_test_that_vanished_or_changed_its_end_is_inconsistent(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a") ", " PASS("b") ", " CASE("c", "0")));
	let_time_come(&s);
	answer_until_settled(&s, DETAILS("770", OURS, "1", "3", CASE("b", "3") ", " PASS("c")));
	assert_int_equal(s.action.kind, ACTION_DONE);
	assert_int_equal(s.action.outcome, OUTCOME_ERROR);
	expect_case(&s, "a", STATUS_ERROR, GR_INCONSISTENT);
	expect_case(&s, "b", STATUS_ERROR, GR_INCONSISTENT);
	expect_case(&s, "c", STATUS_PASSED, GR_NONE);
	script_close(&s);
}

static void what_was_seen_before_a_kill_is_not_forgotten(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a") ", " PASS("a") ", " PASS("b") ", " CASE("c", "0")));
	script_restart(&s);
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a") ", " PASS("b") ", " CASE("c", "1")));
	script_restart(&s);
	answer_until_settled(&s, DETAILS("770", OURS, "1", "3", PASS("a") ", " CASE("b", "3") ", " PASS("c")));
	assert_int_equal(s.action.kind, ACTION_DONE);
	assert_int_equal(s.action.device_run->case_count, 4);
	assert_int_equal(s.action.device_run->cases[0].status, STATUS_PASSED);
	assert_int_equal(s.action.device_run->cases[1].failure, GR_INCONSISTENT); /* the second a */
	expect_case(&s, "b", STATUS_ERROR, GR_INCONSISTENT);
	expect_case(&s, "c", STATUS_PASSED, GR_NONE);
	script_close(&s);
}

/* The journal takes secrets out of names: what comes back is not a test that vanished. */
static void a_name_that_held_a_secret_is_not_missed_after_a_kill(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("logs in with ***") ", " CASE("c", "1")));
	script_restart(&s);
	answer(&s, DETAILS("770", OURS, "1", "3", PASS("logs in with hunter2") ", " PASS("c")));
	expect_done(&s, OUTCOME_PASSED, "{'passed': 2, 'tests': 2}");
	script_close(&s);
}

static void the_same_test_listed_twice_counts_twice(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a") ", " CASE("a", "1") ", " CASE("a", "1")));
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "1", "3", PASS("a") ", " PASS("a") ", " CASE("a", "3")));
	expect_done(&s, OUTCOME_FAILED, "{'tests': 3, 'passed': 2, 'failed': 1}");
	script_close(&s);
}

#define COUNTED(pass, fail, cases)                                                                                     \
	"{'status': 1, 'is_build_completed_in_all_devices': 1, 'build_number': '770', 'build_url': '" OURS             \
	"', 'build_devices': [{'device_id': '26', 'no_of_pass': " pass ", 'no_of_fail': " fail                         \
	", 'no_of_skipped': 0, 'test_cases': [" cases "], 'is_completed': 3}]}"

static void counts_that_hide_tests_or_failures_are_inconsistent(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_until_settled(&s, COUNTED("'1'", "1", PASS("a") ", " PASS("b")));
	expect_problem(&s, GR_INCONSISTENT, "counts 2 tests with 1 failed");
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_until_settled(&s, COUNTED("5", "0", PASS("a")));
	expect_problem(&s, GR_INCONSISTENT, "counts 5 tests");
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer(&s, COUNTED("1", "'0'", PASS("a") ", " PASS("b")));
	expect_done(&s, OUTCOME_PASSED, "{'passed': 2}");
	assert_int_equal(s.action.device_run->problem_count, 1);
	assert_true(s.action.device_run->problems[0].is_warning);
	script_close(&s);
}

/* "Completed" comes first, what it means a few seconds later: judged by what it comes to. */
static void results_may_settle_after_the_end(void **state)
{
	static const char *const early[] = {DETAILS("770", OURS, "1", "3", PASS("a") ", " CASE("b", "1")),
	        DETAILS("770", OURS, "1", "3", PASS("a")), DETAILS("770", OURS, "1", "3", ""),
	        COUNTED("2", "0", PASS("b"))};

	(void)state;
	for (size_t n = 0; n < GR_COUNT(early); n++) {
		struct script s;
		int64_t began = 0;

		run_to_first_poll(&s, WITH(", 'testcases': {'a': 7, 'b': 8}"));
		began = s.now_ms;
		for (int i = 0; i < 4; i++) {
			answer(&s, early[n]);
			let_time_come(&s);
		}
		answer(&s, DETAILS("770", OURS, "1", "3", PASS("a") ", " PASS("b")));
		expect_done(&s, OUTCOME_PASSED, "{'passed': 2}");
		assert_true(s.now_ms - began < 20000); /* and not longer than that */
		script_close(&s);
	}
}

static void a_rehearsal_settles_as_fast_as_its_time_passes(void **state)
{
	struct script s;
	int64_t began = 0;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	s.context.poll.time_scale = 10;
	began = s.now_ms;
	answer(&s, DETAILS("770", OURS, "1", "3", CASE("b", "1")));
	for (int i = 0; i < 2 && s.action.kind == ACTION_WAIT; i++) {
		let_time_come(&s);
		answer(&s, DETAILS("770", OURS, "1", "3", CASE("b", "1")));
	}
	expect_case(&s, "b", STATUS_ERROR, GR_NOT_RUN);
	assert_true(s.now_ms - began < 6000);
	script_close(&s);
}

#define WITH_DATUM(name, data)                                                                                         \
	"{'test_case_name': '" name "', 'test_status': '2', 'build_module_id': '5', 'parameterised_test_data': '" data \
	"'}"

static void every_selected_test_must_appear(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(", 'testcases': {'a': 7, 'b': 8}"));
	answer_until_settled(&s, DETAILS("770", OURS, "1", "3", PASS("a")));
	expect_case(&s, "b", STATUS_ERROR, GR_NOT_RUN);
	assert_int_equal(s.action.outcome, OUTCOME_ERROR);
	script_close(&s);
	run_to_first_poll(&s, WITH(", 'testcases': [7, 8]"));
	answer_until_settled(&s, DETAILS("770", OURS, "1", "3", PASS("a")));
	expect_problem(&s, GR_NOT_RUN, "2 test cases were selected");
	script_close(&s);
	run_to_first_poll(&s, WITH(", 'testcases': [7, 8]")); /* one of them, with two data */
	answer_until_settled(&s, DETAILS("770", OURS, "1", "3", WITH_DATUM("a", "x") ", " WITH_DATUM("a", "y")));
	expect_problem(&s, GR_NOT_RUN, "2 test cases were selected, and the server lists 1");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_passes_when_every_test_passed),
	        cmocka_unit_test(it_fails_with_the_failed_test),
	        cmocka_unit_test(it_never_calls_unknown_stopped_or_unrun_tests_passed_or_skipped),
	        cmocka_unit_test(an_empty_run_is_an_error_unless_allowed),
	        cmocka_unit_test(a_run_that_skipped_everything_did_not_run),
	        cmocka_unit_test(a_missing_device_is_a_problem_after_a_while),
	        cmocka_unit_test(a_stopped_device_is_not_a_pass),
	        cmocka_unit_test(further_rows_of_the_build_must_have_passed),
	        cmocka_unit_test(signals_that_disagree_need_a_second_poll),
	        cmocka_unit_test(one_signal_alone_counts_when_it_is_said_twice),
	        cmocka_unit_test(a_test_that_vanished_or_changed_its_end_is_inconsistent),
	        cmocka_unit_test(what_was_seen_before_a_kill_is_not_forgotten),
	        cmocka_unit_test(a_name_that_held_a_secret_is_not_missed_after_a_kill),
	        cmocka_unit_test(the_same_test_listed_twice_counts_twice),
	        cmocka_unit_test(counts_that_hide_tests_or_failures_are_inconsistent),
	        cmocka_unit_test(results_may_settle_after_the_end),
	        cmocka_unit_test(a_rehearsal_settles_as_fast_as_its_time_passes),
	        cmocka_unit_test(every_selected_test_must_appear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
