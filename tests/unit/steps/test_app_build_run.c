#include "script.h"

#define BUILD "{'app_build_id': '272', 'app_id': '223', 'version_id': '481'}"
#define DEVICE                                                                                                         \
	"{'device_id': '26', 'udid': 'R58', 's_device': 'S26', 'name': 'Galaxy S23', 'os': '14', 'platform': "         \
	"'android'}"
#define WITH(more) "{'build': " BUILD ", 'device': " DEVICE ", 'module': 12" more "}"
#define LIST_BEFORE "{'status': 1, 'build_list': [{'build_number': '768'}, {'build_number': 769}]}"
#define STARTED "{'status': true, 'msg': 'ok', 'build_id': 3506, 'build_version': 770}"
#define PASS(name) "{'test_case_name': '" name "', 'test_status': '2', 'build_module_id': '5'}"
#define CASE(name, status) "{'test_case_name': '" name "', 'test_status': " status ", 'build_module_id': 5}"
#define DETAILS(number, url, all, completed, cases)                                                                    \
	"{'status': 1, 'is_build_completed_in_all_devices': " all ", 'build_number': '" number "', 'build_url': '" url \
	"', 'build_devices': [{'device_id': '26', 'device_name': 'Galaxy S23', 'build_test_id': '900', 'test_cases': " \
	"[" cases "], 'is_completed': " completed "}]}"
#define OURS "https://cloud.example/build/apps/3506"
#define QUEUED(number, url)                                                                                            \
	"{'status': 1, 'is_build_completed_in_all_devices': '0', 'build_number': '" number "', 'build_url': '" url     \
	"', 'build_devices': []}"

/* Started, answered, and the number proven by its URL; the poll's answer follows. */
static void run_to_first_poll(struct script *script, const char *with)
{
	script_start(script, "app_build_run", with);
	expect_call(script, OP_BUILD_LIST, "{'application_token': 'gridlane-secret:app/223'}");
	answer(script, LIST_BEFORE);
	expect_call(script, OP_APP_BUILD_RUN, "{}");
	answer(script, STARTED);
	expect_call(script, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
}

static void it_sends_the_start_with_handles_and_the_snapshot_before_it(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run",
	        WITH(", 'tags': ['smoke', 'cart'], 'testcases': [7, '8'], 'tg_connect': true, 'resign': true, "
	             "'bundle_identifier': "
	             "'com.x', 'website_url': 'https://x.example'"));
	expect_call(&s, OP_BUILD_LIST, "{}");
	assert_null(json_object_get(s.action.arguments, "last_minutes"));
	answer(&s, LIST_BEFORE);
	expect_call(&s, OP_APP_BUILD_RUN,
	        "{'application_token': 'gridlane-secret:app/223', 'version_token': 'gridlane-secret:version/223/481', "
	        "'version_module_id': '12', 's_device': 'S26', 'process_type': 'oaa', 'app_build_id': '272', 'tags': "
	        "'smoke,cart', "
	        "'selected_testcase_id': '7,8', 'is_launch_with_tgconnect': '1', 'is_resign_ios_ipa': '1', "
	        "'bundle_identifier': "
	        "'com.x', 'test_website_url': 'https://x.example'}");
	assert_true(json_is_true(json_object_get(s.action.learned, "intent")));
	assert_int_equal(json_array_size(json_object_get(json_object_get(s.action.learned, "before"), "numbers")), 2);
	script_close(&s);
}

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
	for (int i = 0; i < 2; i++) {
		answer(&s, DETAILS("770", OURS, "1", "3",
		                   PASS("a") ", " CASE("b", "4") ", " CASE("c", "0") ", " CASE("d", "1") ", " CASE(
		                           "e", "5") ", {'test_case_name': "
		                                     "'f'}"));
		if (i == 0) /* tests without an end: asked once more */
			let_time_come(&s);
	}
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
	answer(&s, DETAILS("770", OURS, "1", "3", ""));
	expect_problem(&s, GR_NOT_RUN, "no test");
	script_close(&s);
	run_to_first_poll(&s, WITH(", 'allow_empty': true"));
	answer(&s, DETAILS("770", OURS, "1", "3", ""));
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

static void a_missing_device_is_a_problem_after_two_polls(void **state)
{
	struct script s;
	const char *other =
	        "{'status': 1, 'is_build_completed_in_all_devices': 1, 'build_number': '770', 'build_url': '" OURS
	        "', 'build_devices': [{'device_id': '99', 'device_name': 'Other', 'test_cases': [" PASS(
	                "a") "], 'is_completed': 3}]}";

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, other);
	let_time_come(&s);
	answer(&s, other);
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
	expect_problem(&s, GR_STALL, "nothing changed");
	script_close(&s);
}

static void one_signal_alone_is_enough(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, "{'status': 1, 'build_number': 770, 'build_url': '" OURS
	           "', 'build_devices': {'device_id': 26, 'test_cases': [" PASS("a") "], 'is_completed': 3}}");
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
	answer(&s, DETAILS("770", OURS, "1", "3", CASE("b", "3") ", " PASS("c")));
	assert_int_equal(s.action.kind, ACTION_DONE);
	assert_int_equal(s.action.outcome, OUTCOME_ERROR);
	expect_case(&s, "a", STATUS_ERROR, GR_INCONSISTENT);
	expect_case(&s, "b", STATUS_ERROR, GR_INCONSISTENT);
	expect_case(&s, "c", STATUS_PASSED, GR_NONE);
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
	answer(&s, COUNTED("'1'", "1", PASS("a") ", " PASS("b")));
	expect_problem(&s, GR_INCONSISTENT, "counts 2 tests with 1 failed");
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer(&s, COUNTED("5", "0", PASS("a")));
	expect_problem(&s, GR_INCONSISTENT, "counts 5 tests");
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer(&s, COUNTED("1", "'0'", PASS("a") ", " PASS("b")));
	expect_done(&s, OUTCOME_PASSED, "{'passed': 2}");
	assert_int_equal(s.action.device_run->problem_count, 1);
	assert_true(s.action.device_run->problems[0].is_warning);
	script_close(&s);
}

static void every_selected_test_must_appear(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(", 'testcases': {'a': 7, 'b': 8}"));
	answer(&s, DETAILS("770", OURS, "1", "3", PASS("a")));
	expect_case(&s, "b", STATUS_ERROR, GR_NOT_RUN);
	assert_int_equal(s.action.outcome, OUTCOME_ERROR);
	script_close(&s);
	run_to_first_poll(&s, WITH(", 'testcases': [7, 8]"));
	answer(&s, DETAILS("770", OURS, "1", "3", PASS("a")));
	expect_problem(&s, GR_NOT_RUN, "2 test cases were selected");
	script_close(&s);
}

/* ---- which number ---- */

static void build_id_is_the_number_when_its_url_says_so(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	refuse_call(&s, "{'status': 0, 'msg': 'no such build'}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '3506'}");
	answer(&s, DETAILS("3506", OURS, "1", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{'build_number': '3506'}");
	assert_string_equal(s.action.device_run->number_source, "build_id");
	script_close(&s);
}

static void a_number_that_was_there_before_is_never_polled(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, "{'status': 1, 'build_list': [{'build_number': 6}, {'build_number': '3505'}]}");
	answer(&s, "{'status': true, 'build_id': '3506', 'build_version': '6'}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '3506'}");
	script_close(&s);

	script_start(&s, "app_build_run", WITH(""));
	answer(&s, "{'status': 1, 'build_list': [{'build_number': 6}, {'build_number': '3506'}]}");
	answer(&s, "{'status': true, 'build_id': '3506', 'build_version': '6'}");
	expect_problem(&s, GR_UNKNOWN_START, "build_id 3506 and build_version 6");
	assert_null(s.action.device_run->build_number);
	assert_int_equal(s.action.outcome, OUTCOME_ERROR);
	script_close(&s);
}

static void without_a_url_the_list_and_the_device_prove_the_number(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, "{'status': 1, 'build_number': '770', 'build_devices': [{'device_id': '26', 'test_cases': [], "
	           "'is_completed': 2}]}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '3506'}");
	refuse_call(&s, "{'status': 0}");
	expect_call(&s, OP_BUILD_LIST, "{}");
	answer(&s, LIST_BEFORE); /* it lags */
	expect_wait(&s, 1800, 2200);
	let_time_come(&s);
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
	answer(&s, "{'status': 1, 'build_number': '770', 'build_devices': [{'device_id': '26', 'test_cases': [], "
	           "'is_completed': 2}]}");
	refuse_call(&s, "{'status': 0}");
	answer(&s, "{'status': 1, 'build_list': [{'build_number': '769'}, {'build_number': 770}]}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
	assert_string_equal(json_string_value(json_object_get(s.action.learned, "number")), "770");
	script_close(&s);
}

static void a_number_on_another_device_is_never_proven(void **state)
{
	struct script s;
	const char *other =
	        "{'status': 1, 'build_number': '770', 'build_devices': [{'device_id': '99', 'test_cases': [" PASS(
	                "a") "], 'is_completed': 3}]}";

	(void)state;
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 100 && s.action.kind != ACTION_DONE; i++) {
		answer(&s, other);
		refuse_call(&s, "{'status': 0}");
		answer(&s, "{'status': 1, 'build_list': [{'build_number': '769'}, {'build_number': 770}]}");
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
	}
	expect_problem(&s, GR_UNKNOWN_START, "neither is proven");
	script_close(&s);
}

static void a_url_of_another_build_needs_the_list_three_times(void **state)
{
	struct script s;
	const char *elsewhere = DETAILS("770", "https://cloud.example/build/apps/11", "0", "1", "");

	(void)state;
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 3; i++) {
		expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
		answer(&s, elsewhere);
		refuse_call(&s, "{'status': 0}");
		answer(&s, "{'status': 1, 'build_list': [{'build_number': '769'}, {'build_number': 770}]}");
		if (i < 2)
			let_time_come(&s);
	}
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
	assert_string_equal(json_string_value(json_object_get(s.step.memory, "number")), "770");
	script_close(&s);
}

static void an_answer_about_another_build_is_not_believed(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", ""));
	for (int i = 0; i < 4; i++) {
		let_time_come(&s);
		answer(&s, DETAILS("769", OURS, "1", "3", PASS("a")));
	}
	expect_problem(&s, GR_PROTOCOL, "the answer is about build 769");
	script_close(&s);
}

/* ---- limits ---- */

static void it_ends_when_queued_too_long(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 500 && s.action.kind != ACTION_DONE; i++) {
		answer(&s, QUEUED("770", OURS));
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
	}
	expect_problem(&s, GR_QUEUE, "still queued after");
	expect_problem(&s, GR_QUEUE, "build 770 (" OURS ") keeps running");
	script_close(&s);
}

static void it_notes_how_long_it_was_queued(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, QUEUED("770", OURS));
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "1", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{}");
	assert_in_range(s.action.device_run->queued_ms, 2000, 2500);
	script_close(&s);
}

static void it_ends_when_nothing_changes(void **state)
{
	struct script s;
	int64_t began = 0;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	began = s.now_ms;
	for (int i = 0; i < 500 && s.action.kind != ACTION_DONE; i++) {
		answer(&s, DETAILS("770", OURS, "0", "1", PASS("a") ", " CASE("b", "1") ", " CASE("c", "0")));
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
	}
	expect_problem(&s, GR_STALL, "poll.stall");
	assert_in_range(s.now_ms - began, 10 * MINUTES, 11 * MINUTES);
	expect_case(&s, "a", STATUS_PASSED, GR_NONE);
	expect_case(&s, "b", STATUS_ERROR, GR_STALL);
	expect_case(&s, "c", STATUS_ERROR, GR_STALL);
	script_close(&s);
}

static void it_ends_at_its_own_time_limit(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "app_build_run", WITH(""));
	s.context.poll.timeout_ms = 5 * SECONDS;
	script_begin(&s);
	answer(&s, LIST_BEFORE);
	answer(&s, STARTED);
	for (int i = 0; i < 20 && s.action.kind != ACTION_DONE; i++) {
		answer(&s, DETAILS("770", OURS, "0", "1", CASE("b", "1")));
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
	}
	expect_problem(&s, GR_DEADLINE, "poll.timeout");
	script_close(&s);
}

static void it_lives_through_an_outage_and_gives_up_at_the_stall_limit(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a")));
	for (int i = 0; i < 5; i++) {
		let_time_come(&s);
		send_answer(&s, CALL_FAILED, NULL);
	}
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a") ", " CASE("b", "1")));
	for (int i = 0; i < 500 && s.action.kind != ACTION_DONE; i++) {
		let_time_come(&s);
		send_answer(&s, CALL_FAILED, NULL);
	}
	expect_problem(&s, GR_NETWORK, "connection reset");
	script_close(&s);
}

static void it_survives_three_refusals_of_a_poll_and_no_fourth(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a")));
	for (int i = 0; i < 3; i++) {
		let_time_come(&s);
		refuse_call(&s, "{'status': 0, 'msg': 'try later'}");
		expect_wait(&s, 0, 20000);
	}
	let_time_come(&s);
	refuse_call(&s, "{'status': 0, 'msg': 'try later'}");
	expect_problem(&s, GR_SERVER, "try later");
	script_close(&s);
}

static void a_refused_token_ends_it_at_once(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a")));
	let_time_come(&s);
	refuse_auth(&s);
	expect_problem(&s, GR_AUTH, "build 770");
	script_close(&s);
}

static void polls_slow_down_and_speed_up_again_when_something_moves(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 12; i++) {
		answer(&s, DETAILS("770", OURS, "0", "1", CASE("b", "1")));
		if (i < 11)
			let_time_come(&s);
	}
	expect_wait(&s, 13500, 16500);
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "0", "1", CASE("b", "2") ", " CASE("c", "1")));
	expect_wait(&s, 1800, 2200);
	script_close(&s);
}

/* ---- before and at the start ---- */

static void nothing_starts_without_a_snapshot(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	send_answer(&s, CALL_FAILED, NULL);
	expect_failure(&s, GR_NETWORK, "nothing was started");
	assert_null(json_object_get(s.step.memory, "intent"));
	script_close(&s);
}

static void a_refused_start_is_the_servers_word(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	refuse_call(&s, "{'status': false, 'msg': 'Module has no test case'}");
	expect_failure(&s, GR_SERVER, "Module has no test case");
	script_close(&s);
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	send_answer(&s, CALL_NOT_SENT, NULL);
	expect_failure(&s, GR_NETWORK, "connection reset");
	script_close(&s);
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	refuse_auth(&s);
	expect_failure(&s, GR_AUTH, "start the run");
	script_close(&s);
}

static void a_busy_device_is_waited_for(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	refuse_call(&s, "{'status': false, 'msg': 'Device is busy'}");
	expect_wait(&s, 1800, 2200);
	assert_true(json_is_false(json_object_get(s.step.memory, "intent")));
	let_time_come(&s);
	expect_call(&s, OP_BUILD_LIST, "{}");
	answer(&s, LIST_BEFORE);
	expect_call(&s, OP_APP_BUILD_RUN, "{}");
	for (int i = 0; i < 500 && s.result == 0; i++) {
		refuse_call(&s, "{'status': false, 'msg': 'Device is busy'}");
		if (s.result == 0) {
			let_time_come(&s);
			answer(&s, LIST_BEFORE);
		}
	}
	expect_failure(&s, GR_QUEUE, "stayed busy");
	script_close(&s);
}

static void a_module_name_and_a_bare_build_and_device_are_looked_up(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", "{'build': 272, 'device': {'id': 26}, 'module': 'Checkout'}");
	expect_call(&s, OP_GET_DEVICE_LIST, "{}");
	answer(&s, "{'success': true, 'data': [{'device_id': '3', 's_device': 'X'}, {'device_id': 26, 's_device': "
	           "'S26', 'device_type': "
	           "'2', 'device_name': 'Galaxy S23'}]}");
	expect_call(&s, OP_GET_BUILD_INFO, "{'app_build_id': '272'}");
	answer(&s, "{'success': true, 'data': {'app_build_id': '272', 'app_id': '223', 'version_id': 481, 'bundle_id': "
	           "'com.x'}}");
	expect_call(&s, OP_GET_BUILD_VERSION_INFO, "{'version_id': '481'}");
	answer(&s, "{'success': true, 'data': {'version_module_list': [{'module_id': 12, 'module_name': 'Checkout'}, "
	           "{'module_id': 13, "
	           "'module_name': 'Cart'}]}}");
	expect_call(&s, OP_BUILD_LIST, "{}");
	answer(&s, LIST_BEFORE);
	expect_call(&s, OP_APP_BUILD_RUN,
	        "{'version_module_id': '12', 's_device': 'S26', 'version_token': "
	        "'gridlane-secret:version/223/481'}");
	script_close(&s);
}

static void an_unknown_module_names_the_ones_there_are(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", "{'build': " BUILD ", 'device': " DEVICE ", 'module': 'Nope'}");
	answer(&s, "{'success': true, 'data': {'version_module_list': [{'id': 12, 'name': 'Checkout'}]}}");
	expect_failure(&s, GR_CONFIG, "'Checkout'");
	script_close(&s);
}

static void it_needs_an_application(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "app_build_run",
	        "{'build': {'app_build_id': '272', 'version_id': '481'}, 'device': " DEVICE ", 'module': 12}");
	s.context.app = NULL;
	script_begin(&s);
	expect_failure(&s, GR_CONFIG, "app:");
	script_close(&s);
}

/* ---- lost answers ---- */

#define LIST_ONE_NEW "{'status': 1, 'build_list': [{'build_number': 769}, {'build_number': '771'}]}"

static void a_lost_start_is_found_and_adopted(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	expect_wait(&s, 2000, 2000);
	let_time_come(&s);
	expect_call(&s, OP_BUILD_LIST, "{}");
	answer(&s, LIST_ONE_NEW);
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '771'}");
	answer(&s, DETAILS("771", "https://cloud.example/build/apps/3507", "0", "1", CASE("a", "1")));
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '771'}");
	assert_string_equal(json_string_value(json_object_get(s.step.memory, "source")), "adopted");
	expect_text(s.action.progress, "adopted build 771");
	answer(&s, DETAILS("771", "https://cloud.example/build/apps/3507", "1", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{'build_number': '771', 'adopted': true, 'build_id': '3507'}");
	assert_true(s.action.device_run->is_adopted);
	assert_string_equal(s.action.device_run->number_source, "adopted");
	assert_true(s.action.device_run->lag_most_ms < 10000);
	script_close(&s);
}

static void a_success_without_a_number_is_a_lost_answer(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	answer(&s, "{'status': true, 'msg': 'ok'}");
	expect_wait(&s, 2000, 2000);
	script_close(&s);
}

static void two_new_builds_on_the_device_are_never_guessed_between(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	let_time_come(&s);
	answer(&s, "{'status': 1, 'build_list': [{'build_number': 771}, {'build_number': '772'}]}");
	answer(&s, DETAILS("771", "https://cloud.example/build/apps/3507", "0", "1", ""));
	answer(&s, DETAILS("772", "https://cloud.example/build/apps/3508", "0", "1", ""));
	expect_problem(&s, GR_UNKNOWN_START, "771, 772");
	script_close(&s);
}

static void a_new_build_of_others_is_not_ours(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "app_build_run", WITH(", 'testcases': {'a': 1}, 'bundle_identifier': 'com.shop'"));
	s.context.resend_lost_start = false;
	script_begin(&s);
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	for (int i = 0; i < 4; i++) {
		let_time_come(&s);
		answer(&s, "{'status': 1, 'build_list': [{'build_number': 771}, {'build_number': '772'}, "
		           "{'build_number': 773}, "
		           "{'build_number': '12'}]}");
		answer(&s, "{'status': 1, 'build_number': 771, 'build_devices': [{'device_id': '99', 'device_name': "
		           "'Galaxy S23', "
		           "'is_completed': 1}]}");
		answer(&s, DETAILS("772", OURS, "0", "1", CASE("zzz", "1")));
		expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '773'}");
		answer(&s, "{'status': 1, 'build_number': 773, 'build_devices': [{'device_id': '26', 'info': "
		           "{'bundle_id': 'com.other'}, "
		           "'is_completed': 1}]}");
	}
	expect_problem(&s, GR_UNKNOWN_START, "never_resend");
	script_close(&s);
}

static void lose_whole_window(struct script *s, int looks)
{
	for (int i = 0; i < looks; i++) {
		let_time_come(s);
		expect_call(s, OP_BUILD_LIST, "{}");
		answer(s, LIST_BEFORE);
	}
}

static void a_start_that_never_arrived_is_sent_once_more_and_no_third_time(void **state)
{
	struct script s;
	int64_t lost = 0;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	lost = s.now_ms;
	lose_whole_window(&s, 4);
	assert_in_range(s.now_ms - lost, 20000, 21000);
	expect_call(&s, OP_APP_BUILD_RUN, "{}");
	assert_true(json_is_true(json_object_get(s.step.memory, "resent")));
	lose_answer(&s);
	lose_whole_window(&s, 4);
	expect_problem(&s, GR_UNKNOWN_START, "twice");
	script_close(&s);
}

static void a_start_that_timed_out_is_looked_for_longer(void **state)
{
	struct script s;
	int64_t lost = 0;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer_slowly(&s);
	lost = s.now_ms;
	lose_whole_window(&s, 7);
	assert_in_range(s.now_ms - lost, 120000, 121000);
	expect_call(&s, OP_APP_BUILD_RUN, "{}");
	script_close(&s);
}

static void without_good_looks_nothing_is_sent_again(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	lose_whole_window(&s, 2);
	for (int i = 0; i < 2; i++) {
		let_time_come(&s);
		send_answer(&s, CALL_FAILED, NULL);
	}
	expect_problem(&s, GR_UNKNOWN_START, "2 times");
	script_close(&s);
}

static void a_queued_new_build_keeps_the_question_open(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	for (int i = 0; i < 4; i++) {
		let_time_come(&s);
		answer(&s, LIST_ONE_NEW);
		answer(&s, QUEUED("771", OURS));
	}
	expect_problem(&s, GR_UNKNOWN_START, "771");
	script_close(&s);
}

/* ---- resume ---- */

static void a_resumed_run_with_a_number_is_polled(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", CASE("a", "1")));
	script_restart(&s);
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
	answer(&s, DETAILS("770", OURS, "1", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{'build_number': '770', 'build_id': '3506'}");
	assert_in_range(s.action.device_run->elapsed_ms, 60000, 62000);
	script_close(&s);
}

static void a_resumed_run_with_unproven_numbers_proves_them(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	script_restart(&s);
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
	answer(&s, DETAILS("770", OURS, "1", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{}");
	script_close(&s);

	/* The snapshot is remembered too. */
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, "{'status': 1, 'build_list': [{'build_number': 6}]}");
	answer(&s, "{'status': true, 'build_id': '3506', 'build_version': '6'}");
	script_restart(&s);
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '3506'}");
	script_close(&s);
}

static void a_resumed_intent_is_looked_for_and_not_sent(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	expect_call(&s, OP_APP_BUILD_RUN, "{}");
	script_restart(&s);
	expect_wait(&s, 2000, 2000);
	let_time_come(&s);
	answer(&s, LIST_ONE_NEW);
	answer(&s, DETAILS("771", OURS, "0", "1", CASE("a", "1")));
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '771'}");
	script_close(&s);

	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	script_restart(&s);
	lose_whole_window(&s, 7);
	expect_call(&s, OP_APP_BUILD_RUN, "{}");
	lose_answer(&s);
	script_restart(&s);
	lose_whole_window(&s, 4);
	expect_problem(&s, GR_UNKNOWN_START, "twice");
	script_close(&s);
}

static void a_resumed_bare_device_is_still_known(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", "{'build': " BUILD ", 'device': {'id': 26}, 'module': 12}");
	answer(&s, "{'success': true, 'data': [{'device_id': 26, 's_device': 'S26', 'device_type': '2', 'device_name': "
	           "'Galaxy S23'}]}");
	answer(&s, LIST_BEFORE);
	answer(&s, STARTED);
	script_restart(&s);
	answer(&s, DETAILS("770", OURS, "1", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{}");
	assert_string_equal(s.action.device_run->device.name, "Galaxy S23");
	script_close(&s);
}

/* ---- being stopped ---- */

static void it_says_what_goes_on_when_it_is_stopped(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	stop_script(&s, GR_CANCELLED);
	expect_done(&s, OUTCOME_CANCELLED, "{'build_number': null}");
	expect_problem(&s, GR_CANCELLED, "no run was started");
	script_close(&s);

	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	stop_script(&s, GR_CANCELLED);
	expect_problem(&s, GR_CANCELLED, "a run may go on");
	script_close(&s);

	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	stop_script(&s, GR_DEADLINE);
	expect_problem(&s, GR_DEADLINE, "a run may go on");
	assert_int_equal(s.action.outcome, OUTCOME_ERROR);
	script_close(&s);

	run_to_first_poll(&s, WITH(""));
	stop_script(&s, GR_CANCELLED);
	expect_problem(&s, GR_CANCELLED, "build_id 3506 and build_version 770 keeps running");
	script_close(&s);

	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a") ", " CASE("b", "1")));
	stop_script(&s, GR_CANCELLED);
	expect_problem(&s, GR_CANCELLED, "build 770 (" OURS ") keeps running");
	expect_case(&s, "a", STATUS_PASSED, GR_NONE);
	expect_case(&s, "b", STATUS_ERROR, GR_CANCELLED);
	assert_false(s.action.device_run->is_complete);
	script_close(&s);

	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a")));
	s.step.kind->ops->release(&s.step);
	assert_int_equal(s.step.kind->ops->begin(&s.step, &s.err), 0);
	stop_script(&s, GR_CANCELLED);
	expect_problem(&s, GR_CANCELLED, "build 770");
	script_close(&s);
}

static void a_sandbox_pace_shortens_the_settling_times(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "app_build_run", WITH(""));
	s.context.poll.every_low_ms = 10;
	s.context.poll.every_high_ms = 50;
	script_begin(&s);
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	expect_wait(&s, 100, 100);
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_sends_the_start_with_handles_and_the_snapshot_before_it),
	        cmocka_unit_test(it_passes_when_every_test_passed),
	        cmocka_unit_test(it_fails_with_the_failed_test),
	        cmocka_unit_test(it_never_calls_unknown_stopped_or_unrun_tests_passed_or_skipped),
	        cmocka_unit_test(an_empty_run_is_an_error_unless_allowed),
	        cmocka_unit_test(a_run_that_skipped_everything_did_not_run),
	        cmocka_unit_test(a_missing_device_is_a_problem_after_two_polls),
	        cmocka_unit_test(a_stopped_device_is_not_a_pass),
	        cmocka_unit_test(signals_that_disagree_need_a_second_poll),
	        cmocka_unit_test(one_signal_alone_is_enough),
	        cmocka_unit_test(a_test_that_vanished_or_changed_its_end_is_inconsistent),
	        cmocka_unit_test(the_same_test_listed_twice_counts_twice),
	        cmocka_unit_test(counts_that_hide_tests_or_failures_are_inconsistent),
	        cmocka_unit_test(every_selected_test_must_appear),
	        cmocka_unit_test(build_id_is_the_number_when_its_url_says_so),
	        cmocka_unit_test(a_number_that_was_there_before_is_never_polled),
	        cmocka_unit_test(without_a_url_the_list_and_the_device_prove_the_number),
	        cmocka_unit_test(a_number_on_another_device_is_never_proven),
	        cmocka_unit_test(a_url_of_another_build_needs_the_list_three_times),
	        cmocka_unit_test(an_answer_about_another_build_is_not_believed),
	        cmocka_unit_test(it_ends_when_queued_too_long),
	        cmocka_unit_test(it_notes_how_long_it_was_queued),
	        cmocka_unit_test(it_ends_when_nothing_changes),
	        cmocka_unit_test(it_ends_at_its_own_time_limit),
	        cmocka_unit_test(it_lives_through_an_outage_and_gives_up_at_the_stall_limit),
	        cmocka_unit_test(it_survives_three_refusals_of_a_poll_and_no_fourth),
	        cmocka_unit_test(a_refused_token_ends_it_at_once),
	        cmocka_unit_test(polls_slow_down_and_speed_up_again_when_something_moves),
	        cmocka_unit_test(nothing_starts_without_a_snapshot),
	        cmocka_unit_test(a_refused_start_is_the_servers_word),
	        cmocka_unit_test(a_busy_device_is_waited_for),
	        cmocka_unit_test(a_module_name_and_a_bare_build_and_device_are_looked_up),
	        cmocka_unit_test(an_unknown_module_names_the_ones_there_are),
	        cmocka_unit_test(it_needs_an_application),
	        cmocka_unit_test(a_lost_start_is_found_and_adopted),
	        cmocka_unit_test(a_success_without_a_number_is_a_lost_answer),
	        cmocka_unit_test(two_new_builds_on_the_device_are_never_guessed_between),
	        cmocka_unit_test(a_new_build_of_others_is_not_ours),
	        cmocka_unit_test(a_start_that_never_arrived_is_sent_once_more_and_no_third_time),
	        cmocka_unit_test(a_start_that_timed_out_is_looked_for_longer),
	        cmocka_unit_test(without_good_looks_nothing_is_sent_again),
	        cmocka_unit_test(a_queued_new_build_keeps_the_question_open),
	        cmocka_unit_test(a_resumed_run_with_a_number_is_polled),
	        cmocka_unit_test(a_resumed_run_with_unproven_numbers_proves_them),
	        cmocka_unit_test(a_resumed_intent_is_looked_for_and_not_sent),
	        cmocka_unit_test(a_resumed_bare_device_is_still_known),
	        cmocka_unit_test(it_says_what_goes_on_when_it_is_stopped),
	        cmocka_unit_test(a_sandbox_pace_shortens_the_settling_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
