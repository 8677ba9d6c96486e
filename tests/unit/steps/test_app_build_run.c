#include "app_script.h"

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
	assert_int_equal(json_array_size(json_object_get(json_object_get(s.action.kept, "before"), "spans")), 1);
	script_close(&s);
}

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

static void a_web_run_is_one_on_a_phone_too(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "app_build_run", WITH(", 'website_url': 'https://x.example'"));
	s.context.platform = "web";
	script_begin(&s);
	answer(&s, LIST_BEFORE);
	expect_call(&s, OP_APP_BUILD_RUN, "{'process_type': 'ow', 'test_website_url': 'https://x.example'}");
	stop_script(&s, GR_CANCELLED);
	assert_string_equal(s.action.device_run->device.platform, "android");
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

static void a_wall_clock_that_was_set_meanwhile_changes_nothing(void **state)
{
	for (int hours = -1; hours <= 1; hours += 2) {
		struct script s;

		(void)state;
		run_to_first_poll(&s, WITH(""));
		s.context.poll.timeout_ms = 30 * MINUTES;
		answer(&s, DETAILS("770", OURS, "0", "1", CASE("a", "1")));
		s.wall_ms += hours * 60 * MINUTES;
		script_restart(&s);
		answer(&s, DETAILS("770", OURS, "0", "1", CASE("a", "1")));
		let_time_come(&s);
		answer(&s, DETAILS("770", OURS, "1", "3", PASS("a")));
		expect_done(&s, OUTCOME_PASSED, "{}");
		assert_in_range(s.action.device_run->elapsed_ms, 60000, 80000);
		script_close(&s);
	}
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
	lose_whole_window(&s, 6);
	expect_problem(&s, GR_UNKNOWN_START, "twice");
	script_close(&s);
}

static void a_resumed_start_is_sent_again_with_what_was_looked_up(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", "{'build': 272, 'device': {'id': 26}, 'module': 'Checkout'}");
	answer(&s, "{'success': true, 'data': [{'device_id': 26, 's_device': 'S26', 'device_type': '2'}]}");
	answer(&s, "{'success': true, 'data': {'app_id': '7', 'version_id': 8}}");
	answer(&s,
	        "{'success': true, 'data': {'version_module_list': [{'module_id': 12, 'module_name': 'Checkout'}]}}");
	answer(&s, LIST_BEFORE);
	expect_call(&s, OP_APP_BUILD_RUN, "{'version_module_id': '12'}");
	script_restart(&s);
	lose_whole_window(&s, 7);
	expect_call(&s, OP_APP_BUILD_RUN,
	        "{'version_module_id': '12', 's_device': 'S26', 'process_type': 'oaa', 'app_build_id': '272', "
	        "'application_token': 'gridlane-secret:app/7', 'version_token': 'gridlane-secret:version/7/8'}");
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

static void a_rehearsal_shortens_the_settling_times(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "app_build_run", WITH(""));
	s.context.poll.time_scale = 20;
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
	        cmocka_unit_test(nothing_starts_without_a_snapshot),
	        cmocka_unit_test(a_refused_start_is_the_servers_word),
	        cmocka_unit_test(a_busy_device_is_waited_for),
	        cmocka_unit_test(a_module_name_and_a_bare_build_and_device_are_looked_up),
	        cmocka_unit_test(a_web_run_is_one_on_a_phone_too),
	        cmocka_unit_test(an_unknown_module_names_the_ones_there_are),
	        cmocka_unit_test(it_needs_an_application),
	        cmocka_unit_test(a_resumed_run_with_a_number_is_polled),
	        cmocka_unit_test(a_wall_clock_that_was_set_meanwhile_changes_nothing),
	        cmocka_unit_test(a_resumed_run_with_unproven_numbers_proves_them),
	        cmocka_unit_test(a_resumed_intent_is_looked_for_and_not_sent),
	        cmocka_unit_test(a_resumed_start_is_sent_again_with_what_was_looked_up),
	        cmocka_unit_test(a_resumed_bare_device_is_still_known),
	        cmocka_unit_test(it_says_what_goes_on_when_it_is_stopped),
	        cmocka_unit_test(a_rehearsal_shortens_the_settling_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
