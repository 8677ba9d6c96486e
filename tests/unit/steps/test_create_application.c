#include "script.h"

#define LIST(items) "{'success': true, 'data': [" items "]}"
#define APP(id, name) "{'app_id': " id ", 'name': '" name "'}"
#define INFO                                                                                                           \
	"{'success': true, 'data': {'app_id': '9', 'versions': [{'version_id': 44, 'version_name': '1', "              \
	"'platform_type': 'ios'}]}}"

static void it_creates_an_application_and_finds_its_version(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_application", "{'name': 'New', 'platform': 'ios'}");
	expect_call(&s, OP_GET_APPLICATIONS_LIST, "{}");
	answer(&s, LIST(APP("5", "Other")));
	expect_call(
	        &s, OP_CREATE_APPLICATION, "{'application_name': 'New', 'version_name': '1', 'platform_type': 'ios'}");
	answer(&s, "{'success': true, 'response': {'app_id': '9', 'application_name': 'New'}}");
	expect_call(&s, OP_GET_APPLICATION_INFO, "{'app_id': '9'}");
	answer(&s, INFO);
	expect_done(&s, OUTCOME_PASSED,
	        "{'app_id': '9', 'name': 'New', 'platform': 'ios', 'application_token': 'gridlane-secret:app/9', "
	        "'version_id': '44', "
	        "'version_token': 'gridlane-secret:version/9/44', 'reused': false}");
	script_close(&s);
}

static void it_reuses_the_one_of_that_name_when_asked(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_application", "{'name': 'New', 'reuse': true, 'version': '2'}");
	answer(&s, LIST(APP("9", "New")));
	expect_call(&s, OP_GET_APPLICATION_INFO, "{'app_id': '9'}");
	answer(&s, INFO);
	expect_done(&s, OUTCOME_PASSED, "{'app_id': '9', 'version_id': null, 'version_token': null, 'reused': true}");
	script_close(&s);
	script_start(&s, "create_application", "{'name': 'New', 'reuse': true}");
	answer(&s, LIST(APP("9", "New") ", " APP("10", "New")));
	expect_failure(&s, GR_CONFIG, "9 and 10");
	script_close(&s);
}

static void it_needs_a_platform_to_create_one(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "create_application", "{'name': 'New'}");
	s.context.platform = NULL;
	script_begin(&s);
	expect_failure(&s, GR_CONFIG, "platform");
	script_close(&s);
	script_open(&s, "create_application", "{'name': 'New', 'reuse': true}");
	s.context.platform = NULL;
	script_begin(&s);
	answer(&s, LIST(""));
	expect_failure(&s, GR_CONFIG, "platform");
	script_close(&s);
}

static void a_lost_answer_is_looked_up_then_sent_once_more(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_application", "{'name': 'New'}");
	answer(&s, LIST(""));
	lose_answer(&s);
	let_time_come(&s);
	expect_call(&s, OP_GET_APPLICATIONS_LIST, "{}");
	answer(&s, LIST(APP("'9'", "New")));
	expect_call(&s, OP_GET_APPLICATION_INFO, "{'app_id': '9'}");
	script_close(&s);

	script_start(&s, "create_application", "{'name': 'New'}");
	answer(&s, LIST(""));
	for (int i = 0; i < 2; i++) {
		expect_call(&s, OP_CREATE_APPLICATION, "{}");
		lose_answer(&s);
		for (int look = 0; look < 3; look++) { /* the list may lag */
			let_time_come(&s);
			answer(&s, LIST(""));
		}
	}
	expect_failure(&s, GR_NETWORK, "twice");
	script_close(&s);

	script_start(&s, "create_application", "{'name': 'New'}");
	answer(&s, LIST(""));
	lose_answer(&s);
	let_time_come(&s);
	answer(&s, LIST(APP("8", "New") ", " APP("9", "New")));
	expect_failure(&s, GR_SERVER, "not clear");
	script_close(&s);
}

static void a_resumed_creation_is_not_sent_again(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_application", "{'name': 'New'}");
	answer(&s, LIST(APP("5", "New")));
	script_restart(&s);
	expect_wait(&s, 2000, 2000);
	let_time_come(&s);
	expect_call(&s, OP_GET_APPLICATIONS_LIST, "{}");
	answer(&s, LIST(APP("5", "New") ", " APP("9", "New")));
	expect_call(&s, OP_GET_APPLICATION_INFO, "{'app_id': '9'}");
	script_restart(&s);
	expect_call(&s, OP_GET_APPLICATION_INFO, "{'app_id': '9'}");
	answer(&s, INFO);
	expect_done(&s, OUTCOME_PASSED, "{'app_id': '9', 'reused': false}");
	script_close(&s);
}

static void a_refusal_carries_the_servers_words(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "create_application", "{'name': 'New'}");
	answer(&s, LIST(""));
	refuse_call(&s, "{'success': false, 'message': 'limit reached'}");
	expect_failure(&s, GR_SERVER, "limit reached");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_creates_an_application_and_finds_its_version),
	        cmocka_unit_test(it_reuses_the_one_of_that_name_when_asked),
	        cmocka_unit_test(it_needs_a_platform_to_create_one),
	        cmocka_unit_test(a_lost_answer_is_looked_up_then_sent_once_more),
	        cmocka_unit_test(a_resumed_creation_is_not_sent_again),
	        cmocka_unit_test(a_refusal_carries_the_servers_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
