#include "script.h"

static void it_sends_its_further_fields_as_parameters(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "call",
	        "{'operation': 'uninstall_app', 'device_id': '26', 'bundle_id': 'com.x', 'until': 'answer.success'}");
	expect_call(&s, OP_UNINSTALL_APP, "{'device_id': '26', 'bundle_id': 'com.x'}");
	assert_int_equal(json_object_size(s.action.arguments), 2);
	script_close(&s);
}

static void its_answer_is_its_output(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "call", "{'operation': 'get_device_list'}");
	answer(&s, "{'success': true, 'message': 'ok', 'data': [1]}");
	expect_done(&s, OUTCOME_PASSED, "{'message': 'ok', 'data': [1], 'answer': {'message': 'ok'}}");
	script_close(&s);
	script_start(&s, "call", "{'operation': 'get_device_list'}");
	answer(&s, "[1, 2]");
	expect_done(&s, OUTCOME_PASSED, "{'answer': [1, 2]}");
	script_close(&s);
	script_start(&s, "call", "{'operation': 'get_device_list'}");
	answer(&s, NULL);
	expect_done(&s, OUTCOME_PASSED, "{'answer': null}");
	script_close(&s);
}

static void a_value_that_was_not_made_is_named(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "call", "{'operation': 'uninstall_app', 'device_id': null, 'bundle_id': 'com.x'}");
	expect_failure(&s, GR_NOT_RUN, "'device_id' has no value");
	script_close(&s);
	script_start(&s, "call", "{'operation': 'uninstall_app', 'bundle_id': 'com.x'}");
	expect_failure(&s, GR_CONFIG, "is missing");
	script_close(&s);
}

static void an_until_can_repeat_it(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "call", "{'operation': 'get_device_list', 'until': 'answer.done'}");
	answer(&s, "{'success': true}");
	expect_done(&s, OUTCOME_PASSED, "{}");
	script_send(&s, (struct event){.kind = EVENT_TIME});
	expect_call(&s, OP_GET_DEVICE_LIST, "{}");
	script_close(&s);
}

static void a_refusal_carries_the_servers_words(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "call", "{'operation': 'uninstall_app', 'device_id': '26', 'bundle_id': 'com.x'}");
	refuse_call(&s, "{'success': false, 'message': 'App is not there'}");
	expect_failure(&s, GR_SERVER, "App is not there");
	script_close(&s);
	script_start(&s, "call", "{'operation': 'get_device_list'}");
	refuse_auth(&s);
	expect_failure(&s, GR_AUTH, "get_device_list");
	script_close(&s);
}

static void a_lost_answer_is_unknown_and_never_sent_again(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "call", "{'operation': 'create_team', 'team_name': 'a', 'team_description': 'b'}");
	lose_answer(&s);
	expect_failure(&s, GR_UNKNOWN_CALL, "may or may not have been done");
	script_restart(&s); /* nor is it sent by a later process */
	expect_failure(&s, GR_UNKNOWN_CALL, "not sent again");
	script_close(&s);
}

static void unknown_operations_and_parameters_are_refused(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "call", "{'operation': 'uninstall_app', 'device_id': '26', 'bundle': 'com.x'}");
	expect_failure(&s, GR_CONFIG, "bundle");
	script_close(&s);
	script_start(&s, "call", "{'operation': 'assign_team_admin', 'team_id': '1', 'status': 7}");
	expect_failure(&s, GR_CONFIG, "parameter 'status' is '7'");
	script_close(&s);
}

static void it_stops_when_told(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "call", "{'operation': 'get_device_list'}");
	stop_script(&s, GR_CANCELLED);
	expect_done(&s, OUTCOME_CANCELLED, "{}");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_sends_its_further_fields_as_parameters),
	        cmocka_unit_test(its_answer_is_its_output),
	        cmocka_unit_test(a_value_that_was_not_made_is_named),
	        cmocka_unit_test(an_until_can_repeat_it),
	        cmocka_unit_test(a_refusal_carries_the_servers_words),
	        cmocka_unit_test(a_lost_answer_is_unknown_and_never_sent_again),
	        cmocka_unit_test(unknown_operations_and_parameters_are_refused),
	        cmocka_unit_test(it_stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
