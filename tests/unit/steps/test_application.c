#include "script.h"

#define LIST(items) "{'success': true, 'data': [" items "]}"
#define APP(id, name)                                                                                                  \
	"{'app_id': " id ", 'name': '" name "', 'application_token': 'gridlane-secret:app/x', 'cm_version_id': '1'}"

static void it_finds_the_application_by_its_exact_name(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "application", "{'name': 'Shop'}");
	expect_call(&s, OP_GET_APPLICATIONS_LIST, "{}");
	answer(&s, LIST(APP("'5'", "shop") ", " APP("223", "Shop")));
	expect_done(&s, OUTCOME_PASSED,
	        "{'app_id': '223', 'name': 'Shop', 'platform': 'android', 'application_token': "
	        "'gridlane-secret:app/223'}");
	script_close(&s);
}

static void it_finds_the_application_by_its_id(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "application", "{'id': 223}");
	s.context.platform = NULL;
	script_begin(&s);
	answer(&s, LIST(APP("5", "Other") ", " APP("'223'", "Shop")));
	expect_done(&s, OUTCOME_PASSED, "{'app_id': '223', 'name': 'Shop', 'platform': null}");
	script_close(&s);
	script_start(&s, "application", "{'name': 'Shop'}");
	answer(&s, "{'success': true, 'response': [{'id': 5, 'application_name': 'Shop'}]}");
	expect_done(&s, OUTCOME_PASSED, "{'app_id': '5', 'name': 'Shop'}");
	script_close(&s);
	script_start(&s, "application", "{'id': '9'}");
	answer(&s, LIST(APP("5", "Other")));
	expect_failure(&s, GR_CONFIG, "'9'");
	script_close(&s);
}

static void a_token_is_used_even_if_the_list_does_not_show_it(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "application", "{'token': 'gridlane-secret:secret/app'}");
	answer(&s, LIST(APP("5", "Other")));
	expect_done(&s, OUTCOME_PASSED, "{'app_id': null, 'application_token': 'gridlane-secret:secret/app'}");
	script_close(&s);
}

static void several_of_one_name_are_not_guessed_between(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "application", "{'name': 'Shop'}");
	answer(&s, LIST(APP("5", "Shop") ", " APP("223", "Shop")));
	expect_failure(&s, GR_CONFIG, "5, 223");
	script_close(&s);
}

static void a_missing_one_lists_the_nearest_names(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "application", "{'name': 'Shop'}");
	answer(&s, LIST(APP("1", "a") ", " APP("2", "bbbbbbbbb") ", " APP("3", "Shops") ", " APP("4", "d") ", " APP(
	                   "5", "e") ", " APP("6", "f")));
	expect_failure(&s, GR_CONFIG, "it has 'Shops', ");
	expect_text(s.err.text, "and others");
	script_close(&s);
	script_start(&s, "application", "{'name': 'Shop'}");
	answer(&s, LIST(""));
	expect_failure(&s, GR_CONFIG, "none");
	script_close(&s);
}

static void it_says_why_it_cannot_look(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "application", "{'name': 'Shop'}");
	refuse_auth(&s);
	expect_failure(&s, GR_AUTH, "401");
	script_close(&s);
	script_start(&s, "application", "{'name': 'Shop'}");
	send_answer(&s, CALL_FAILED, NULL);
	expect_failure(&s, GR_NETWORK, "list the applications");
	script_close(&s);
	script_start(&s, "application", "{'name': 'Shop'}");
	answer(&s, "{'success': true, 'data': 'gibberish'}");
	expect_failure(&s, GR_PROTOCOL, "list of applications");
	script_close(&s);
	script_start(&s, "application", "{}");
	expect_failure(&s, GR_CONFIG, "a name, an id or a token");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_finds_the_application_by_its_exact_name),
	        cmocka_unit_test(it_finds_the_application_by_its_id),
	        cmocka_unit_test(a_token_is_used_even_if_the_list_does_not_show_it),
	        cmocka_unit_test(several_of_one_name_are_not_guessed_between),
	        cmocka_unit_test(a_missing_one_lists_the_nearest_names),
	        cmocka_unit_test(it_says_why_it_cannot_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
