#include "native_script.h"

static void tests_of_the_other_platform_are_refused(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "native_test", "{'build': " BUILD ", 'device': " ANDROID ", 'file': 'ui.zip'}");
	expect_failure(&s, GR_CONFIG, "tests for ios");
	script_close(&s);
}

static void it_passes_when_all_counted_tests_passed(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, RESULT("1", "Running", "10", "'4'", "'0'"));
	expect_wait(&s, 1800, 2200);
	assert_int_equal(s.action.progress_done, 4);
	let_time_come(&s);
	answer_on(&s, RESULT("2", "Passed", "10", "'10'", "'0'"));
	expect_done(&s, OUTCOME_PASSED,
	        "{'native_test_build_id': '71', 'tests': 10, 'passed': 10, 'failed': 0, 'pass_rate': 1.0, 'completed': "
	        "true}");
	assert_int_equal(s.action.device_run->case_count, 1);
	assert_int_equal(s.action.device_run->kind, RUN_NATIVE);
	assert_string_equal(s.action.device_run->native_id, "71");
	assert_int_equal(s.action.device_run->polls, 3); /* once more: where are log and recording? */
	expect_case(&s, "shop-androidTest.apk", STATUS_PASSED, GR_NONE);
	expect_text(s.action.device_run->cases[0].reason, "10 of 10 tests passed");
	script_close(&s);
}

static void completed_is_judged_by_its_counts(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("9", "Completed", "5", "5", "0"));
	expect_done(&s, OUTCOME_PASSED, "{'passed': 5}");
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("9", "Completed", "5", "3", "2"));
	expect_done(&s, OUTCOME_FAILED, "{'failed': 2}");
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("9", "Completed", "5", "3", "0"));
	expect_problem(&s, GR_NOT_RUN, "3 of 5");
	script_close(&s);
}

static void passed_with_failed_tests_is_failed_and_inconsistent(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("2", "Passed", "5", "4", "1"));
	expect_problem(&s, GR_FAILED, "says passed, and counts failed");
	assert_int_equal(s.action.outcome, OUTCOME_FAILED);
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("2", "Passed", "5", "4", "0"));
	expect_problem(&s, GR_INCONSISTENT, "4 of 5");
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("2", "Passed", "4", "5", "0"));
	expect_problem(&s, GR_INCONSISTENT, "5 of 4");
	script_close(&s);
}

static void no_tests_is_not_a_pass_unless_allowed(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("2", "Passed", "0", "0", "0"));
	expect_problem(&s, GR_NOT_RUN, "0 of 0");
	script_close(&s);
	run_to_first_poll(&s, WITH(", 'allow_empty': true"));
	answer_on(&s, RESULT("2", "Passed", "0", "0", "0"));
	expect_done(&s, OUTCOME_PASSED, "{'tests': 0}");
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, "{'success': true, 'data': [{'device_id': 3, 'status': '2', 'status_text': 'Passed'}]}");
	expect_problem(&s, GR_NOT_RUN, "not proven");
	script_close(&s);
}

static void failed_before_any_test_is_failed(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("3", "Failed", "0", "0", "0"));
	expect_problem(&s, GR_FAILED, "before any test");
	expect_case(&s, "shop-androidTest.apk", STATUS_FAILED, GR_FAILED);
	assert_int_equal(s.action.outcome, OUTCOME_FAILED);
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("3", "Failed", "5", "3", "0"));
	expect_problem(&s, GR_FAILED, "how many of its tests did is not known");
	assert_int_equal(s.action.outcome, OUTCOME_FAILED);
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("3", "Failed", "4", "4", "0"));
	expect_problem(&s, GR_FAILED, "says failed, and counts only passed");
	script_close(&s);
}

static void stopped_is_an_error(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("4", "Stopped", "4", "2", "0"));
	expect_problem(&s, GR_STOPPED, "stopped before its end");
	assert_false(s.action.device_run->is_complete);
	script_close(&s);
}

static void an_unknown_status_is_waited_out_and_named(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("77", "Gronk", "4", "2", "0"));
	expect_problem(&s, GR_UNKNOWN, "Gronk");
	script_close(&s);
}

static void a_missing_device_is_a_problem(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, "{'success': true, 'data': [{'device_id': 99, 'status': '2', 'status_text': 'Passed', "
	              "'all_testcase': 1, "
	              "'passed_testcase': 1, 'failed_testcase': 0}]}");
	expect_problem(&s, GR_DEVICE, "missing");
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, "{'success': true, 'data': []}");
	expect_problem(&s, GR_QUEUE, "still queued");
	script_close(&s);
}

static void limits_and_refusals_end_it(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("1", "Running", "4", "2", "0"));
	expect_problem(&s, GR_STALL, "native test 71 (https://cloud.example/apps/native-test/71) keeps running");
	expect_case(&s, "shop-androidTest.apk", STATUS_ERROR, GR_STALL);
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	refuse_auth(&s);
	expect_problem(&s, GR_AUTH, "ask for native test 71");
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 500 && s.action.kind != ACTION_DONE; i++) {
		refuse_call(&s, "{'success': false, 'message': 'nope'}");
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
	}
	expect_problem(&s, GR_SERVER, "nope");
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 200 && s.action.kind != ACTION_DONE; i++) {
		send_answer(&s, CALL_FAILED, NULL);
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
	}
	expect_problem(&s, GR_NETWORK, "connection reset");
	script_close(&s);
}

static void a_lost_start_is_never_sent_again(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "native_test", WITH(""));
	lose_answer(&s);
	expect_problem(&s, GR_UNKNOWN_START, "not sent again");
	script_close(&s);
	script_start(&s, "native_test", WITH(""));
	answer(&s, "{'success': true}");
	expect_problem(&s, GR_UNKNOWN_START, "no native_test_build_id");
	script_close(&s);
	script_start(&s, "native_test", WITH(""));
	script_restart(&s);
	expect_problem(&s, GR_UNKNOWN_START, "not sent again");
	script_close(&s);
}

static void a_refused_start_is_an_error(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "native_test", WITH(""));
	refuse_call(&s, "{'success': false, 'message': 'bad apk'}");
	expect_failure(&s, GR_SERVER, "bad apk");
	script_close(&s);
	script_start(&s, "native_test", WITH(""));
	send_answer(&s, CALL_NOT_SENT, NULL);
	expect_failure(&s, GR_NETWORK, "connection reset");
	script_close(&s);
}

static void a_resumed_run_is_polled(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	script_restart(&s);
	expect_call(&s, OP_GET_NATIVE_TEST_RESULTS, "{'native_test_build_id': '71'}");
	answer_on(&s, RESULT("2", "Passed", "1", "1", "0"));
	expect_done(&s, OUTCOME_PASSED, "{'url': 'https://cloud.example/apps/native-test/71'}");
	script_close(&s);
}

static void it_says_what_goes_on_when_it_is_stopped(void **state)
{
	struct script s;

	(void)state;
	script_start(
	        &s, "native_test", "{'build': 272, 'device': {'device_id': '4', 'platform': 'ios'}, 'file': 'ui.zip'}");
	stop_script(&s, GR_CANCELLED);
	expect_problem(&s, GR_CANCELLED, "no run was started");
	assert_int_equal(s.action.outcome, OUTCOME_CANCELLED);
	script_close(&s);
	script_start(&s, "native_test", WITH(""));
	stop_script(&s, GR_DEADLINE);
	expect_problem(&s, GR_DEADLINE, "a run may go on");
	assert_int_equal(s.action.outcome, OUTCOME_ERROR);
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	stop_script(&s, GR_CANCELLED);
	expect_problem(&s, GR_CANCELLED, "native test 71");
	script_close(&s);
}

/* ---- with a log ---- */

static void each_test_of_the_log_is_a_case(void **state)
{
	struct script s;

	(void)state;
	fetch_log(&s, LOGGED("2", "Passed", "2", "2", "0"), TESTED("one", "0") TESTED("two", "0"));
	expect_done(&s, OUTCOME_PASSED, "{'tests': 2, 'passed': 2, 'log_url': 'https://cloud.example/l.txt'}");
	assert_int_equal(s.action.device_run->case_count, 2);
	assert_int_equal(s.action.device_run->problem_count, 0);
	expect_case(&s, "two", STATUS_PASSED, GR_NONE);
	script_close(&s);
	fetch_log(&s, LOGGED("3", "Failed", "2", "1", "1"), TESTED("one", "0") TESTED("two", "-2"));
	expect_done(&s, OUTCOME_FAILED, "{'failed': 1}");
	assert_int_equal(s.action.device_run->problem_count, 0);
	expect_case(&s, "two", STATUS_FAILED, GR_FAILED);
	script_close(&s);
}

static void more_failures_in_the_log_than_counted_fail_it(void **state)
{
	struct script s;

	(void)state;
	fetch_log(&s, LOGGED("2", "Passed", "2", "2", "0"), TESTED("one", "0") TESTED("two", "-2"));
	expect_problem(&s, GR_FAILED, "has 1 test that did not pass, and the server counts 0 failed");
	assert_int_equal(s.action.outcome, OUTCOME_FAILED);
	script_close(&s);
}

static void fewer_failures_in_the_log_than_counted_fail_it(void **state)
{
	struct script s;

	(void)state;
	fetch_log(&s, LOGGED("3", "Failed", "2", "1", "1"), TESTED("one", "0") TESTED("two", "0"));
	expect_problem(&s, GR_FAILED, "counts 1 failed test, and the run's log has 0");
	expect_case(&s, "shop-androidTest.apk", STATUS_FAILED, GR_FAILED);
	script_close(&s);
}

static void counted_tests_that_the_log_does_not_name_are_errors(void **state)
{
	struct script s;

	(void)state;
	fetch_log(&s, LOGGED("2", "Passed", "3", "3", "0"), TESTED("one", "0"));
	expect_case(&s, "2 tests not in the log", STATUS_ERROR, GR_NOT_RUN);
	assert_int_equal(s.action.outcome, OUTCOME_ERROR);
	script_close(&s);
	fetch_log(&s, LOGGED("3", "Failed", "3", "2", "1"), TESTED("one", "0"));
	expect_case(&s, "1 failed test not in the log", STATUS_FAILED, GR_FAILED);
	expect_case(&s, "1 test not in the log", STATUS_ERROR, GR_NOT_RUN);
	assert_int_equal(s.action.outcome, OUTCOME_FAILED);
	script_close(&s);
}

static void more_tests_in_the_log_than_counted_are_inconsistent(void **state)
{
	struct script s;

	(void)state;
	fetch_log(&s, LOGGED("2", "Passed", "1", "1", "0"), TESTED("one", "0") TESTED("two", "0"));
	expect_problem(&s, GR_INCONSISTENT, "names 2 tests, and the server counts 1");
	script_close(&s);
	/* Skipped ones may be counted or not. */
	fetch_log(&s, LOGGED("2", "Passed", "1", "1", "0"), TESTED("one", "0") TESTED("two", "-3"));
	expect_done(&s, OUTCOME_PASSED, "{}");
	script_close(&s);
}

static void tests_that_the_log_says_were_skipped_are_not_missing(void **state)
{
	struct script s;

	(void)state;
	fetch_log(
	        &s, LOGGED("2", "Passed", "3", "2", "0"), TESTED("one", "0") TESTED("two", "0") TESTED("three", "-3"));
	expect_done(&s, OUTCOME_PASSED, "{'tests': 3, 'passed': 2}");
	assert_int_equal(s.action.device_run->problem_count, 0);
	script_close(&s);
	fetch_log(&s, LOGGED("2", "Passed", "2", "2", "0"), TESTED("one", "-3") TESTED("two", "-4"));
	expect_problem(&s, GR_NOT_RUN, "every test was skipped");
	assert_int_equal(s.action.outcome, OUTCOME_ERROR);
	script_close(&s);
	fetch_log(
	        &s, LOGGED("2", "Passed", "3", "1", "0"), TESTED("one", "0") TESTED("two", "0") TESTED("three", "-3"));
	expect_problem(&s, GR_INCONSISTENT, "not proven");
	assert_int_equal(s.action.outcome, OUTCOME_ERROR);
	script_close(&s);
}

static void a_crash_that_no_test_has_is_a_problem(void **state)
{
	struct script s;

	(void)state;
	fetch_log(&s, LOGGED("2", "Passed", "1", "1", "0"),
	        TESTED("one", "0") "INSTRUMENTATION_RESULT: shortMsg=Process crashed.\n");
	expect_problem(&s, GR_STOPPED, "Process crashed.");
	script_close(&s);
	fetch_log(&s, LOGGED("3", "Failed", "0", "0", "0"), "INSTRUMENTATION_RESULT: shortMsg=Process crashed.\n");
	expect_problem(&s, GR_FAILED, "names no test and says: Process crashed.");
	assert_null(s.action.warning);
	script_close(&s);
}

static void without_a_usable_log_there_is_one_case_and_a_warning(void **state)
{
	struct script s;

	(void)state;
	fetch_log(&s, LOGGED("2", "Passed", "2", "2", "0"), "OK (2 tests)");
	expect_done(&s, OUTCOME_PASSED, "{'tests': 2}");
	expect_case(&s, "shop-androidTest.apk", STATUS_PASSED, GR_NONE);
	expect_text(s.action.warning, "names no test");
	script_close(&s);
}

static void log_and_recording_may_be_named_one_look_later(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, RESULT("2", "Passed", "1", "1", "0"));
	let_time_come(&s);
	answer(&s, ROW("'log_path': '/l.txt', 'device_recording_path': '/r.mp4', ", "2", "Passed", "1", "1", "0"));
	assert_int_equal(s.action.kind, ACTION_FETCH);
	assert_string_equal(s.action.url, "/l.txt");
	script_send(&s, (struct event){.kind = EVENT_FETCHED, .status = 200, .text = TESTED("a", "0"), .bytes = 1});
	expect_done(&s, OUTCOME_PASSED, "{'recording_url': '/r.mp4', 'log_url': '/l.txt'}");
	script_close(&s);
	/* Both are there: no second look. */
	run_to_first_poll(&s, WITH(""));
	answer(&s, ROW("'log_path': '/l.txt', 'device_recording_path': '/r.mp4', ", "2", "Passed", "1", "1", "0"));
	assert_int_equal(s.action.kind, ACTION_FETCH);
	script_close(&s);
}

static void what_comes_in_the_second_look_loses_no_verdict(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, RESULT("2", "Passed", "1", "1", "0"));
	for (int i = 0; i < 200 && s.action.kind != ACTION_DONE; i++) {
		let_time_come(&s);
		send_answer(&s, CALL_FAILED, NULL);
	}
	expect_done(&s, OUTCOME_PASSED, "{'tests': 1}");
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer(&s, RESULT("3", "Failed", "2", "1", "1"));
	stop_script(&s, GR_DEADLINE);
	expect_done(&s, OUTCOME_FAILED, "{'failed': 1}");
	script_close(&s);
}

static void a_stop_while_the_log_comes_loses_no_verdict(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, LOGGED("3", "Failed", "2", "1", "1"));
	let_time_come(&s);
	answer(&s, LOGGED("3", "Failed", "2", "1", "1"));
	assert_int_equal(s.action.kind, ACTION_FETCH);
	stop_script(&s, GR_CANCELLED);
	expect_done(&s, OUTCOME_FAILED, "{'failed': 1}");
	expect_case(&s, "shop-androidTest.apk", STATUS_FAILED, GR_FAILED);
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(tests_of_the_other_platform_are_refused),
	        cmocka_unit_test(it_passes_when_all_counted_tests_passed),
	        cmocka_unit_test(completed_is_judged_by_its_counts),
	        cmocka_unit_test(passed_with_failed_tests_is_failed_and_inconsistent),
	        cmocka_unit_test(no_tests_is_not_a_pass_unless_allowed),
	        cmocka_unit_test(failed_before_any_test_is_failed),
	        cmocka_unit_test(stopped_is_an_error),
	        cmocka_unit_test(an_unknown_status_is_waited_out_and_named),
	        cmocka_unit_test(a_missing_device_is_a_problem),
	        cmocka_unit_test(limits_and_refusals_end_it),
	        cmocka_unit_test(a_lost_start_is_never_sent_again),
	        cmocka_unit_test(a_refused_start_is_an_error),
	        cmocka_unit_test(a_resumed_run_is_polled),
	        cmocka_unit_test(it_says_what_goes_on_when_it_is_stopped),
	        cmocka_unit_test(each_test_of_the_log_is_a_case),
	        cmocka_unit_test(more_failures_in_the_log_than_counted_fail_it),
	        cmocka_unit_test(fewer_failures_in_the_log_than_counted_fail_it),
	        cmocka_unit_test(counted_tests_that_the_log_does_not_name_are_errors),
	        cmocka_unit_test(more_tests_in_the_log_than_counted_are_inconsistent),
	        cmocka_unit_test(tests_that_the_log_says_were_skipped_are_not_missing),
	        cmocka_unit_test(a_crash_that_no_test_has_is_a_problem),
	        cmocka_unit_test(without_a_usable_log_there_is_one_case_and_a_warning),
	        cmocka_unit_test(log_and_recording_may_be_named_one_look_later),
	        cmocka_unit_test(what_comes_in_the_second_look_loses_no_verdict),
	        cmocka_unit_test(a_stop_while_the_log_comes_loses_no_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
