#include "script.h"

#define STEP_VERSION "{'version_id': '481', 'app_id': '223', 'name': 'V1'}"
#define WITH "{'file': 'out/shop.apk', 'version': " STEP_VERSION "}"
#define BUILDS(items) "{'success': true, 'data': {'version_name': 'V1', 'app_build_list': [" items "]}}"
#define NAME "shop.apk [gr:0123456789ab]"
#define UPLOADED "{'status': 1, 'msg': 'ok', 'statuscode': '200', 'app_build_id': '272'}"

static void answer_upload(struct script *script, const char *body)
{
	json_t *json = quoted(body);
	struct event event = {.kind = EVENT_ANSWER, .body = json, .file_sha256 = "abc123", .file_bytes = 12345};

	script_send(script, event);
	json_decref(json);
}

static void it_uploads_with_handles_and_the_runs_marker(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "upload_build", WITH);
	expect_call(&s, OP_GET_BUILD_VERSION_INFO, "{'version_id': '481'}");
	answer(&s, "{'success': true, 'data': {'app_build_list': '[]'}}");
	expect_call(&s, OP_APP_BUILD_UPLOAD,
	        "{'application_token': 'gridlane-secret:app/223', 'version_token': 'gridlane-secret:version/223/481', "
	        "'upload_file': "
	        "'out/shop.apk', 'build_name': '" NAME "'}");
	answer_upload(&s, UPLOADED);
	expect_done(&s, OUTCOME_PASSED,
	        "{'app_build_id': '272', 'sha256': 'abc123', 'bytes': 12345, 'direct': false, 'adopted': false, "
	        "'version_id': '481', "
	        "'app_id': '223', 'platform': 'android', 'version_token': 'gridlane-secret:version/223/481', 'name': "
	        "'" NAME "'}");
	script_close(&s);
}

static void a_given_name_is_kept_as_it_is(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "upload_build",
	        "{'file': 'a.ipa', 'version': " STEP_VERSION ", 'name': 'Mine', 'bundle_identifier': 'com.x'}");
	answer(&s, BUILDS(""));
	expect_call(&s, OP_APP_BUILD_UPLOAD, "{'build_name': 'Mine', 'bundle_identifier': 'com.x'}");
	script_close(&s);
}

static void a_bare_version_is_a_name_first_then_an_id(void **state)
{
	struct script s;
	const char *info =
	        "{'success': true, 'data': {'versions': [{'version_id': '481', 'version_name': '1'}, {'version_id': 1, "
	        "'version_name': 'x'}, {'version_id': 3, 'version_name': 'twice'}, {'version_id': 4, 'version_name': "
	        "'twice'}]}}";

	(void)state;
	script_start(&s, "upload_build", "{'file': 'a.apk', 'version': 1}");
	expect_call(&s, OP_GET_APPLICATION_INFO, "{'app_id': '223'}");
	answer(&s, info);
	expect_call(&s, OP_GET_BUILD_VERSION_INFO, "{'version_id': '481'}");
	script_close(&s);
	script_start(&s, "upload_build", "{'file': 'a.apk', 'version': 481}");
	answer(&s, info);
	expect_call(&s, OP_GET_BUILD_VERSION_INFO, "{'version_id': '481'}");
	script_close(&s);
	script_start(&s, "upload_build", "{'file': 'a.apk', 'version': {'id': 1}}");
	answer(&s, info);
	expect_call(&s, OP_GET_BUILD_VERSION_INFO, "{'version_id': '1'}");
	script_close(&s);
	script_start(&s, "upload_build", "{'file': 'a.apk', 'version': {'name': '481'}}");
	answer(&s, info);
	expect_failure(&s, GR_CONFIG, "'481'; it has '1', 'x'");
	script_close(&s);
	script_start(&s, "upload_build", "{'file': 'a.apk', 'version': 'twice'}");
	answer(&s, info);
	expect_failure(&s, GR_CONFIG, "3 and 4");
	script_close(&s);
}

static void it_needs_a_version_unless_direct(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "upload_build", "{'file': 'a.apk'}");
	expect_failure(&s, GR_CONFIG, "'version'");
	script_close(&s);
	script_open(&s, "upload_build", "{'file': 'a.apk', 'version': 'x'}");
	s.context.app = NULL;
	script_begin(&s);
	expect_failure(&s, GR_CONFIG, "app:");
	script_close(&s);
}

static void a_direct_upload_needs_no_application(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "upload_build", "{'file': 'a.ipa', 'direct': true}");
	s.context.app = NULL;
	script_begin(&s);
	expect_call(&s, OP_APP_UPLOAD_DIRECT, "{'platform': '1', 'upload_file': 'a.ipa'}");
	answer_upload(&s, "{'status': true, 'app_build_id': 273}");
	expect_done(&s, OUTCOME_PASSED,
	        "{'app_build_id': '273', 'direct': true, 'version_id': null, 'version_token': null, 'platform': "
	        "'ios'}");
	script_close(&s);
}

/* The reference's table has numbers for it, its sample words. */
static void a_server_that_wants_the_platform_in_words_gets_it_so(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "upload_build", "{'file': 'a.apk', 'direct': true}");
	expect_call(&s, OP_APP_UPLOAD_DIRECT, "{'platform': '2'}");
	refuse_call(&s, "{'success': false, 'message': 'The selected platform is invalid.'}");
	expect_call(&s, OP_APP_UPLOAD_DIRECT, "{'platform': 'Android', 'upload_file': 'a.apk'}");
	answer_upload(&s, "{'status': true, 'app_build_id': 273}");
	expect_done(&s, OUTCOME_PASSED, "{'app_build_id': '273', 'platform': 'android'}");
	script_close(&s);

	script_start(&s, "upload_build", "{'file': 'a.apk', 'direct': true}");
	for (int i = 0; i < 2; i++)
		refuse_call(&s, "{'success': false, 'message': 'The selected platform is invalid.'}");
	expect_failure(&s, GR_SERVER, "The selected platform is invalid.");
	script_close(&s);
}

static void a_lost_direct_upload_is_not_sent_again(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "upload_build", "{'file': 'a.apk', 'direct': true}");
	expect_call(&s, OP_APP_UPLOAD_DIRECT, "{'platform': '2'}");
	lose_answer(&s);
	expect_failure(&s, GR_UNKNOWN_CALL, "may or may not have arrived");
	script_close(&s);
	script_start(&s, "upload_build", "{'file': 'a.apk', 'direct': true}");
	script_restart(&s);
	expect_failure(&s, GR_UNKNOWN_CALL, "may or may not have arrived");
	script_close(&s);
}

static void a_lost_upload_is_found_by_its_name_and_adopted(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "upload_build", WITH);
	/* An earlier run of the same job left one of the same name: it is not ours. */
	answer(&s, BUILDS("{'id': 200, 'title': '" NAME "'}"));
	lose_answer(&s);
	expect_wait(&s, 2000, 2000);
	let_time_come(&s);
	expect_call(&s, OP_GET_BUILD_VERSION_INFO, "{'version_id': '481'}");
	answer(&s, BUILDS("{'id': 200, 'title': '" NAME "'}, {'id': 201, 'title': 'other'}"));
	let_time_come(&s);
	answer(&s, BUILDS("{'id': 200, 'title': '" NAME "'}, {'id': 202, 'title': '" NAME "'}"));
	expect_done(&s, OUTCOME_PASSED, "{'app_build_id': '202', 'adopted': true, 'sha256': null, 'bytes': null}");
	script_close(&s);
}

static void an_absent_upload_is_sent_once_more_and_no_third_time(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "upload_build", WITH);
	answer(&s, BUILDS(""));
	for (int i = 0; i < 2; i++) {
		expect_call(&s, OP_APP_BUILD_UPLOAD, "{}");
		lose_answer(&s);
		for (int look = 0; look < 3; look++) {
			let_time_come(&s);
			answer(&s, BUILDS(""));
		}
	}
	expect_failure(&s, GR_NETWORK, "twice");
	script_close(&s);
}

static void an_upload_that_the_server_may_be_at_is_looked_for_longer(void **state)
{
	struct script s;
	int64_t began = 0;

	(void)state;
	script_start(&s, "upload_build", WITH);
	answer(&s, BUILDS(""));
	lose_answer_slowly(&s);
	for (int process = 0; process < 2; process++) { /* another one looks as long */
		began = s.now_ms;
		for (int look = 0; look < 6; look++) {
			let_time_come(&s);
			expect_call(&s, OP_GET_BUILD_VERSION_INFO, "{}");
			if (look < 5)
				answer(&s, BUILDS(""));
		}
		assert_in_range(s.now_ms - began, 137000, 138000);
		if (process == 0) {
			script_restart(&s);
			answer(&s, BUILDS(""));
		}
	}
	answer(&s, BUILDS(""));
	expect_call(&s, OP_APP_BUILD_UPLOAD, "{}");
	script_close(&s);
}

static void what_cannot_be_told_apart_or_looked_up_is_an_error(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "upload_build", WITH);
	answer(&s, BUILDS(""));
	lose_answer(&s);
	let_time_come(&s);
	answer(&s, BUILDS("{'id': 1, 'n': '" NAME "'}, {'id': 2, 'n': '" NAME "'}"));
	expect_failure(&s, GR_SERVER, "not clear");
	script_close(&s);
	script_start(&s, "upload_build", WITH);
	answer(&s, BUILDS(""));
	lose_answer(&s);
	let_time_come(&s);
	send_answer(&s, CALL_FAILED, NULL);
	expect_failure(&s, GR_NETWORK, "perhaps uploaded");
	script_close(&s);
}

static void a_resumed_upload_is_looked_for_first(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "upload_build", "{'file': 'out/shop.apk', 'version': 'V1'}");
	answer(&s, "{'success': true, 'data': {'versions': [{'version_id': '481', 'version_name': 'V1'}]}}");
	answer(&s, BUILDS(""));
	script_restart(&s);
	expect_call(&s, OP_GET_BUILD_VERSION_INFO, "{'version_id': '481'}");
	answer(&s, BUILDS("{'app_build_id': '272', 'build_name': '" NAME "'}"));
	expect_done(&s, OUTCOME_PASSED, "{'app_build_id': '272', 'adopted': true, 'app_id': '223'}");
	script_close(&s);
}

static void a_refusal_carries_the_servers_words(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "upload_build", WITH);
	answer(&s, BUILDS(""));
	refuse_call(&s, "{'status': 0, 'msg': 'Not an app'}");
	expect_failure(&s, GR_SERVER, "Not an app");
	script_close(&s);
	script_start(&s, "upload_build", WITH);
	answer(&s, BUILDS(""));
	send_answer(&s, CALL_NOT_SENT, NULL);
	expect_failure(&s, GR_NETWORK, "upload 'out/shop.apk'");
	script_close(&s);
}

static void it_stops_when_told(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "upload_build", WITH);
	answer(&s, BUILDS(""));
	stop_script(&s, GR_CANCELLED);
	expect_done(&s, OUTCOME_CANCELLED, "{}");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_uploads_with_handles_and_the_runs_marker),
	        cmocka_unit_test(a_given_name_is_kept_as_it_is),
	        cmocka_unit_test(a_bare_version_is_a_name_first_then_an_id),
	        cmocka_unit_test(it_needs_a_version_unless_direct),
	        cmocka_unit_test(a_direct_upload_needs_no_application),
	        cmocka_unit_test(a_server_that_wants_the_platform_in_words_gets_it_so),
	        cmocka_unit_test(a_lost_direct_upload_is_not_sent_again),
	        cmocka_unit_test(a_lost_upload_is_found_by_its_name_and_adopted),
	        cmocka_unit_test(an_absent_upload_is_sent_once_more_and_no_third_time),
	        cmocka_unit_test(an_upload_that_the_server_may_be_at_is_looked_for_longer),
	        cmocka_unit_test(what_cannot_be_told_apart_or_looked_up_is_an_error),
	        cmocka_unit_test(a_resumed_upload_is_looked_for_first),
	        cmocka_unit_test(a_refusal_carries_the_servers_words),
	        cmocka_unit_test(it_stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
