#include "native_script.h"

static void it_starts_on_android_with_the_build(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "native_test", WITH(""));
	expect_call(&s, OP_RUN_NATIVE_TEST_ANDROID,
	        "{'build_name': 'shop [gr:0123456789ab]', 'app_build_id': '272', 'device_id': '3', 'file': "
	        "'out/shop-androidTest.apk'}");
	assert_true(json_is_true(json_object_get(s.action.learned, "intent")));
	script_close(&s);
	script_start(&s, "native_test", WITH(", 'name': 'Nightly'"));
	expect_call(&s, OP_RUN_NATIVE_TEST_ANDROID, "{'build_name': 'Nightly'}");
	script_close(&s);
}

static void it_starts_on_ios_with_application_and_version(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "native_test", WITH_IOS);
	expect_call(&s, OP_RUN_NATIVE_TEST_IOS,
	        "{'app_id': '223', 'version_id': '481', 'device_id': '4', 'file': 'ui.zip'}");
	/* iOS answers only a URL. */
	answer(&s, "{'success': true, 'url': 'https://cloud.example/apps/native-test/73'}");
	expect_call(&s, OP_GET_NATIVE_TEST_RESULTS, "{'native_test_build_id': '73'}");
	script_close(&s);

	script_start(&s, "native_test", WITH_IOS);
	answer(&s, "{'success': true, 'data': [{'url': 'https://cloud.example/apps/native-test/73'}]}");
	expect_call(&s, OP_GET_NATIVE_TEST_RESULTS, "{'native_test_build_id': '73'}");
	script_close(&s);

	script_start(
	        &s, "native_test", "{'build': 272, 'device': {'device_id': '4', 'platform': 'ios'}, 'file': 'ui.zip'}");
	expect_call(&s, OP_GET_BUILD_INFO, "{'app_build_id': '272'}");
	answer(&s, "{'success': true, 'data': {'app_id': 9, 'version_id': 8}}");
	expect_call(&s, OP_RUN_NATIVE_TEST_IOS, "{'app_id': '9', 'version_id': '8'}");
	script_close(&s);
}

/* As long as poll.queue allows; nothing was started. */
static void a_busy_device_is_waited_for(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "native_test", WITH(""));
	for (int i = 0; i < 3; i++) {
		expect_call(&s, OP_RUN_NATIVE_TEST_ANDROID, "{'device_id': '3'}");
		refuse_call(&s, "{'success': false, 'message': 'Device is busy'}");
		expect_wait(&s, 1800, 30000);
		assert_true(json_is_false(json_object_get(s.step.memory, "intent")));
		let_time_come(&s);
	}
	answer(&s, "{'success': true, 'native_test_build_id': '71'}");
	expect_call(&s, OP_GET_NATIVE_TEST_RESULTS, "{'native_test_build_id': '71'}");
	script_close(&s);

	script_start(&s, "native_test", WITH(""));
	for (int i = 0; i < 500 && s.result == 0; i++) {
		refuse_call(&s, "{'success': false, 'message': 'Device is busy'}");
		if (s.result == 0)
			let_time_come(&s);
	}
	expect_failure(&s, GR_QUEUE, "stayed busy");
	script_close(&s);
}

/* app_id is "the specific build or version of the application", says the reference: the build's id, then. */
static void a_server_that_wants_the_build_on_ios_gets_it_so(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "native_test", WITH_IOS);
	expect_call(&s, OP_RUN_NATIVE_TEST_IOS, "{'app_id': '223'}");
	refuse_call(&s, "{'success': false, 'message': 'App not found'}");
	expect_call(&s, OP_RUN_NATIVE_TEST_IOS, "{'app_id': '272', 'version_id': '481'}");
	assert_true(json_is_true(json_object_get(s.action.learned, "intent")));
	answer(&s, "{'success': true, 'url': 'https://cloud.example/apps/native-test/73'}");
	expect_call(&s, OP_GET_NATIVE_TEST_RESULTS, "{'native_test_build_id': '73'}");
	script_close(&s);

	script_start(&s, "native_test", WITH_IOS);
	for (int i = 0; i < 2; i++)
		refuse_call(&s, "{'success': false, 'message': 'App not found'}");
	expect_failure(&s, GR_SERVER, "App not found");
	script_close(&s);

	script_start(&s, "native_test", WITH_IOS);
	refuse_call(&s, "{'success': false, 'message': 'Device is offline'}");
	expect_failure(&s, GR_SERVER, "Device is offline");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_starts_on_android_with_the_build),
	        cmocka_unit_test(it_starts_on_ios_with_application_and_version),
	        cmocka_unit_test(a_busy_device_is_waited_for),
	        cmocka_unit_test(a_server_that_wants_the_build_on_ios_gets_it_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
