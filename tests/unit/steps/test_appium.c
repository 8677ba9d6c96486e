#include "script.h"

#define CAPABILITIES                                                                                                   \
	"{'status': true, 'data': {'device_id': '31', 'appium_url': 'https://cloud.example/wd', 'platform_name': "     \
	"'ios', 'device_name': 'iPhone', 'udid': 'U', 'platform_version': '18', 'user_token': 'the-real-token'}}"

static void send_exit(struct script *script, int status, const char *cases, const char *trouble)
{
	json_t *json = cases != NULL ? quoted(cases) : NULL;
	struct event event = {.kind = EVENT_EXIT, .exit_status = status, .cases = json};

	if (trouble != NULL)
		(void)gr_fail(&event.error, GR_COMMAND, 0, "%s", trouble);
	pass_time(script, 61 * SECONDS);
	script_send(script, event);
	json_decref(json);
}

static void to_command(struct script *script, const char *with)
{
	script_start(script, "appium", with);
	expect_call(script, OP_GET_FIRST_AVAILABLE_DEVICE_CAPABILITIES_BUILDER,
	        "{'device_type': 'ios', 'project_name': 'shop 20260101T000000Z-1a2b3c'}");
	answer(script, CAPABILITIES);
	assert_int_equal(script->action.kind, ACTION_SPAWN);
}

#define WITH(more) "{'platform': 'ios', 'command': ['./suite', 'x']" more "}"

static void it_hands_the_device_over_and_keeps_the_token(void **state)
{
	struct script s;

	(void)state;
	to_command(&s, WITH(", 'junit': 'out/*.xml', 'env': {'A': 'b'}"));
	assert_string_equal(json_string_value(json_object_get(s.action.acquired, "operation")), "release_device");
	assert_string_equal(s.action.junit, "out/*.xml");
	assert_string_equal(
	        json_string_value(json_object_get(s.action.environment, "APPIUM_URL")), "https://cloud.example/wd");
	assert_string_equal(json_string_value(json_object_get(s.action.environment, "A")), "b");
	assert_string_equal(json_string_value(json_object_get(s.action.document, "udid")), "U");
	assert_null(json_object_get(s.action.document, "user_token"));
	script_close(&s);
	to_command(&s, WITH(", 'token': true"));
	assert_string_equal(
	        json_string_value(json_object_get(s.action.document, "user_token")), "gridlane-secret:user");
	script_close(&s);
}

static void its_junit_becomes_the_runs_and_the_device_is_given_back(void **state)
{
	struct script s;

	(void)state;
	to_command(&s, WITH(", 'junit': 'o'"));
	send_exit(&s, 0, "[{'name': 'a', 'class_name': 'C', 'status': 'passed', 'time_ms': 5}]", NULL);
	expect_call(&s, OP_ALL_AUTOMATION_BUILD_RESULTS, "{'device_id': '31', 'last_minutes': '3'}");
	answer(&s, "{'status': true, 'data': {'build_number': '9'}}");
	expect_call(&s, OP_AUTOMATION_BUILD_RESULTS_AND_LOGS, "{'build_number': '9'}");
	answer(&s, "{'status': true, 'data': [{'src': 'https://cloud.example/v.mp4'}]}");
	assert_int_equal(s.action.kind, ACTION_FETCH);
	assert_string_equal(s.action.save_as, "session-9.mp4");
	script_send(&s, (struct event){.kind = EVENT_FETCHED, .status = 200});
	expect_call(&s, OP_RELEASE_DEVICE, "{'device_id': '31'}");
	answer(&s, "{'success': true}");
	assert_string_equal(s.action.released, "device/31");
	expect_done(&s, OUTCOME_PASSED, "{'exit_status': 0, 'passed': 1, 'build_numbers': ['9']}");
	expect_case(&s, "a", STATUS_PASSED, GR_NONE);
	script_close(&s);
}

static void a_refused_release_stays_registered_and_fails_no_test(void **state)
{
	struct script s;

	(void)state;
	to_command(&s, WITH(", 'logs': false"));
	send_exit(&s, 0, NULL, NULL);
	expect_call(&s, OP_RELEASE_DEVICE, "{}");
	refuse_call(&s, "{'success': false}");
	assert_null(s.action.released);
	expect_done(&s, OUTCOME_PASSED, "{}");
	expect_case(&s, "./suite", STATUS_PASSED, GR_NONE);
	script_close(&s);
}

static void tests_that_are_all_skipped_prove_nothing(void **state)
{
	struct script s;

	(void)state;
	to_command(&s, WITH(", 'logs': false, 'junit': 'o'"));
	send_exit(&s, 0, "[{'name': 'a', 'status': 'skipped'}]", NULL);
	answer(&s, "{'success': true}");
	expect_done(&s, OUTCOME_ERROR, "{'skipped': 1}");
	expect_problem(&s, GR_NOT_RUN, "skipped every test");
	script_close(&s);
	to_command(&s, WITH(", 'logs': false, 'junit': 'o', 'allow_empty': true"));
	send_exit(&s, 0, "[{'name': 'a', 'status': 'skipped'}]", NULL);
	answer(&s, "{'success': true}");
	expect_done(&s, OUTCOME_PASSED, "{}");
	script_close(&s);
}

static void a_command_that_fails_fails_the_run(void **state)
{
	struct script s;

	(void)state;
	to_command(&s, WITH(", 'logs': false, 'junit': 'o'"));
	send_exit(&s, 3, "[{'name': 'a', 'status': 'passed'}]", NULL);
	answer(&s, "{'success': true}");
	expect_done(&s, OUTCOME_FAILED, "{'exit_status': 3}");
	expect_case(&s, "./suite", STATUS_FAILED, GR_FAILED);
	expect_problem(&s, GR_FAILED, "no test of it failed"); /* no gate may take it for one failed test */
	script_close(&s);
	to_command(&s, WITH(", 'logs': false, 'junit': 'o'"));
	send_exit(&s, 1, "[{'name': 'a', 'status': 'failed'}]", NULL);
	answer(&s, "{'success': true}");
	expect_done(&s, OUTCOME_FAILED, "{'exit_status': 1}");
	assert_int_equal(s.action.device_run->problem_count, 0);
	script_close(&s);
}

static void no_junit_where_there_should_be_some_proves_nothing(void **state)
{
	struct script s;

	(void)state;
	to_command(&s, WITH(", 'logs': false, 'junit': 'o'"));
	send_exit(&s, 0, "[]", NULL);
	answer(&s, "{'success': true}");
	expect_problem(&s, GR_NOT_RUN, "no test case");
	script_close(&s);
	to_command(&s, WITH(", 'logs': false, 'junit': 'o'"));
	send_exit(&s, 0, NULL, "'o' is no JUnit file");
	answer(&s, "{'success': true}");
	expect_problem(&s, GR_COMMAND, "no JUnit file");
	script_close(&s);
}

static void a_device_that_is_given_is_not_given_back(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "appium", "{'device': {'device_id': '5'}, 'command': ['x'], 'logs': false}");
	expect_call(&s, OP_GET_DEVICE_DETAILS, "{'device_id': '5'}");
	answer(&s,
	        "{'status': 1, 'data': {'device_id': '5', 'appiumURL': 'https://cloud.example/5', 'deviceName': 'N'}}");
	assert_null(s.action.acquired);
	assert_string_equal(
	        json_string_value(json_object_get(s.action.document, "appium_url")), "https://cloud.example/5");
	send_exit(&s, 0, NULL, NULL);
	expect_done(&s, OUTCOME_PASSED, "{'device_id': '5'}");
	script_close(&s);
	script_start(&s, "appium", "{'device': {'id': '5'}, 'command': ['x']}"); /* not any free one */
	expect_call(&s, OP_GET_DEVICE_DETAILS, "{'device_id': '5'}");
	script_close(&s);
}

static void it_waits_for_a_free_device_as_long_as_it_may(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "appium", WITH(", 'wait': '60s'"));
	refuse_call(&s, "{'status': false, 'msg': 'No device is available.'}");
	assert_int_equal(s.action.kind, ACTION_WAIT);
	expect_text(s.action.progress, "waiting for a device");
	let_time_come(&s);
	expect_call(&s, OP_GET_FIRST_AVAILABLE_DEVICE_CAPABILITIES_BUILDER, "{'device_type': 'ios'}");
	answer(&s, CAPABILITIES);
	assert_int_equal(s.action.kind, ACTION_SPAWN);
	script_close(&s);
	script_start(&s, "appium", WITH(", 'wait': '60s'"));
	for (int i = 0; i < 100 && s.action.kind != ACTION_DONE && s.result == 0; i++) {
		refuse_call(&s, "{'status': false, 'msg': 'No device is available.'}");
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
	}
	expect_failure(&s, GR_NO_DEVICE, "take a device for Appium");
	script_close(&s);
}

static void sessions_of_another_project_are_found_as_well(void **state)
{
	struct script s;

	(void)state;
	to_command(&s, WITH(""));
	send_exit(&s, 0, NULL, NULL);
	expect_call(&s, OP_ALL_AUTOMATION_BUILD_RESULTS, "{'project_name': 'shop 20260101T000000Z-1a2b3c'}");
	answer(&s, "{'status': true, 'data': []}");
	expect_call(&s, OP_ALL_AUTOMATION_BUILD_RESULTS, "{'device_id': '31', 'last_minutes': '3'}");
	assert_null(json_object_get(s.action.arguments, "project_name"));
	answer(&s, "{'status': true, 'data': []}");
	expect_call(&s, OP_RELEASE_DEVICE, "{}");
	script_close(&s);
}

static void each_session_is_fetched_once_with_all_its_recordings(void **state)
{
	struct script s;

	(void)state;
	to_command(&s, WITH(""));
	send_exit(&s, 0, NULL, NULL);
	answer(&s, "{'status': true, 'data': [{'build_number': '9', 'project_name': 'undefined'}, "
	           "{'build_number': 9, 'project_name': 'shop'}]}");
	expect_call(&s, OP_AUTOMATION_BUILD_RESULTS_AND_LOGS, "{'build_number': '9'}");
	answer(&s, "{'status': true, 'data': [{'src': '/v.php?a=1&amp;b=2'}, {'src': ''}, {'src': '/w.mp4'}]}");
	assert_int_equal(s.action.kind, ACTION_FETCH);
	assert_string_equal(s.action.url, "/v.php?a=1&b=2");
	script_send(&s, (struct event){.kind = EVENT_FETCHED, .status = 200});
	assert_int_equal(s.action.kind, ACTION_FETCH);
	assert_string_equal(s.action.url, "/w.mp4");
	script_send(&s, (struct event){.kind = EVENT_FETCHED, .status = 200});
	expect_call(&s, OP_RELEASE_DEVICE, "{}");
	script_close(&s);
}

static void a_lost_answer_may_hold_a_device(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "appium", WITH(""));
	lose_answer(&s);
	expect_failure(&s, GR_NO_DEVICE, "may be held");
	script_close(&s);
}

static void a_stop_after_the_command_loses_no_result(void **state)
{
	struct script s;

	(void)state;
	to_command(&s, WITH(""));
	stop_script(&s, GR_CANCELLED);
	assert_int_equal(s.action.kind, ACTION_DONE);
	script_close(&s);
	to_command(&s, WITH(""));
	send_exit(&s, 1, NULL, NULL);
	stop_script(&s, GR_CANCELLED);
	expect_done(&s, OUTCOME_FAILED, "{'exit_status': 1}");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_hands_the_device_over_and_keeps_the_token),
	        cmocka_unit_test(its_junit_becomes_the_runs_and_the_device_is_given_back),
	        cmocka_unit_test(a_refused_release_stays_registered_and_fails_no_test),
	        cmocka_unit_test(tests_that_are_all_skipped_prove_nothing),
	        cmocka_unit_test(a_command_that_fails_fails_the_run),
	        cmocka_unit_test(no_junit_where_there_should_be_some_proves_nothing),
	        cmocka_unit_test(a_device_that_is_given_is_not_given_back),
	        cmocka_unit_test(it_waits_for_a_free_device_as_long_as_it_may),
	        cmocka_unit_test(sessions_of_another_project_are_found_as_well),
	        cmocka_unit_test(each_session_is_fetched_once_with_all_its_recordings),
	        cmocka_unit_test(a_lost_answer_may_hold_a_device),
	        cmocka_unit_test(a_stop_after_the_command_loses_no_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
