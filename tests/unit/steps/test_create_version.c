#include "script.h"

#define INFO(versions) "{'success': true, 'data': {'app_id': '223', 'versions': [" versions "]}}"
#define VERSION(id, name) "{'version_id': " id ", 'version_name': '" name "', 'platform_type': 'android'}"

static void it_creates_a_version_with_the_known_platform(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_version", "{'name': 'V1', 'description': 'first'}");
	expect_call(&s, OP_GET_APPLICATION_INFO, "{'app_id': '223'}");
	answer(&s, INFO(VERSION("'7'", "old")));
	expect_call(&s, OP_CREATE_VERSION,
	        "{'app_id': '223', 'version_name': 'V1', 'version_description': 'first', 'version_platform': "
	        "'android'}");
	answer(&s, "{'success': true, 'data': {'version_id': 198, 'version_name': 'V1'}}");
	expect_done(&s, OUTCOME_PASSED,
	        "{'version_id': '198', 'name': 'V1', 'app_id': '223', 'version_token': "
	        "'gridlane-secret:version/223/198', 'reused': "
	        "false, 'platform': 'android'}");
	script_close(&s);
}

static void it_reuses_the_one_of_that_name_only_when_asked(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_version", "{'name': 'V1', 'reuse': true}");
	answer(&s, INFO(VERSION("'7'", "V1") ", " VERSION("8", "V2")));
	expect_done(&s, OUTCOME_PASSED, "{'version_id': '7', 'reused': true}");
	script_close(&s);
	script_start(&s, "create_version", "{'name': 'V1'}");
	answer(&s, INFO(VERSION("'7'", "V1")));
	expect_call(&s, OP_CREATE_VERSION, "{}");
	script_close(&s);
	script_start(&s, "create_version", "{'name': 'V1', 'reuse': true}");
	answer(&s, INFO(VERSION("'7'", "V1") ", " VERSION("8", "V1")));
	expect_failure(&s, GR_CONFIG, "7 and 8");
	script_close(&s);
}

static void its_platform_comes_from_its_field_the_application_or_the_others(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_version", "{'name': 'V1', 'platform': 'ios'}");
	answer(&s, INFO(""));
	expect_call(&s, OP_CREATE_VERSION, "{'version_platform': 'ios'}");
	script_close(&s);
	script_open(&s, "create_version", "{'name': 'V1'}");
	s.context.platform = NULL;
	script_begin(&s);
	answer(&s, INFO(VERSION("7", "old")));
	expect_call(&s, OP_CREATE_VERSION, "{'version_platform': 'android'}");
	script_close(&s);
	script_open(&s, "create_version", "{'name': 'V1'}");
	s.context.platform = NULL;
	script_begin(&s);
	answer(&s, INFO(""));
	expect_failure(&s, GR_CONFIG, "platform");
	script_close(&s);
}

static void a_lost_answer_is_looked_up_before_anything_is_sent_again(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_version", "{'name': 'V1'}");
	answer(&s, INFO(VERSION("7", "V1")));
	lose_answer(&s);
	expect_wait(&s, 2000, 2000);
	let_time_come(&s);
	expect_call(&s, OP_GET_APPLICATION_INFO, "{}");
	answer(&s, INFO(VERSION("7", "V1") ", " VERSION("9", "V1")));
	expect_done(&s, OUTCOME_PASSED, "{'version_id': '9', 'reused': false}");
	script_close(&s);
}

static void an_absent_version_is_sent_once_more_and_no_third_time(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_version", "{'name': 'V1'}");
	answer(&s, INFO(""));
	for (int i = 0; i < 2; i++) {
		expect_call(&s, OP_CREATE_VERSION, "{}");
		lose_answer(&s);
		for (int look = 0; look < 3; look++) { /* the list may lag */
			let_time_come(&s);
			answer(&s, INFO(""));
		}
	}
	expect_failure(&s, GR_NETWORK, "twice");
	script_close(&s);
}

static void two_new_ones_are_not_guessed_between(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_version", "{'name': 'V1'}");
	answer(&s, INFO(""));
	lose_answer(&s);
	let_time_come(&s);
	answer(&s, INFO(VERSION("8", "V1") ", " VERSION("9", "V1")));
	expect_failure(&s, GR_SERVER, "not clear");
	script_close(&s);
}

static void a_success_without_an_id_is_looked_up(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_version", "{'name': 'V1'}");
	answer(&s, INFO(""));
	answer(&s, "{'success': true, 'message': 'Version created.'}");
	let_time_come(&s);
	answer(&s, INFO(VERSION("9", "V1")));
	expect_done(&s, OUTCOME_PASSED, "{'version_id': '9'}");
	script_close(&s);
}

static void a_resumed_creation_is_looked_up_first(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_version", "{'name': 'V1'}");
	answer(&s, INFO(VERSION("7", "V1")));
	script_restart(&s);
	expect_wait(&s, 2000, 2000);
	let_time_come(&s);
	expect_call(&s, OP_GET_APPLICATION_INFO, "{}");
	answer(&s, INFO(VERSION("7", "V1") ", " VERSION("'9'", "V1")));
	expect_done(&s, OUTCOME_PASSED, "{'version_id': '9'}");
	script_close(&s);
}

static void failures_say_what_and_why(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_version", "{'name': 'V1'}");
	refuse_call(&s, "{'success': false, 'message': 'no such application'}");
	expect_failure(&s, GR_SERVER, "no such application");
	script_close(&s);
	script_start(&s, "create_version", "{'name': 'V1'}");
	answer(&s, INFO(""));
	refuse_call(&s, "{'success': false, 'message': 'name is taken'}");
	expect_failure(&s, GR_SERVER, "create version 'V1'");
	script_close(&s);
	script_start(&s, "create_version", "{'name': 'V1'}");
	answer(&s, "{'success': true}");
	expect_failure(&s, GR_PROTOCOL, "data");
	script_close(&s);
	script_open(&s, "create_version", "{'name': 'V1'}");
	s.context.app = NULL;
	script_begin(&s);
	expect_failure(&s, GR_CONFIG, "app:");
	script_close(&s);
}

static void it_stops_when_told(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_version", "{'name': 'V1'}");
	stop_script(&s, GR_CANCELLED);
	expect_done(&s, OUTCOME_CANCELLED, "{}");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_creates_a_version_with_the_known_platform),
	        cmocka_unit_test(it_reuses_the_one_of_that_name_only_when_asked),
	        cmocka_unit_test(its_platform_comes_from_its_field_the_application_or_the_others),
	        cmocka_unit_test(a_lost_answer_is_looked_up_before_anything_is_sent_again),
	        cmocka_unit_test(an_absent_version_is_sent_once_more_and_no_third_time),
	        cmocka_unit_test(two_new_ones_are_not_guessed_between),
	        cmocka_unit_test(a_success_without_an_id_is_looked_up),
	        cmocka_unit_test(a_resumed_creation_is_looked_up_first),
	        cmocka_unit_test(failures_say_what_and_why),
	        cmocka_unit_test(it_stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
