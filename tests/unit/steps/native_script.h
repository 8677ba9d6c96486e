/* A native run on device 3, for the tests of its parts. */
#ifndef GRIDLANE_TESTS_STEPS_NATIVE_SCRIPT_H
#define GRIDLANE_TESTS_STEPS_NATIVE_SCRIPT_H

#include "script.h"

#define BUILD "{'app_build_id': '272', 'app_id': '223', 'version_id': '481'}"
#define ANDROID "{'device_id': '3', 'udid': 'R58', 'name': 'Galaxy S21', 'platform': 'android'}"
#define WITH(more) "{'build': " BUILD ", 'device': " ANDROID ", 'file': 'out/shop-androidTest.apk'" more "}"
#define WITH_IOS "{'build': " BUILD ", 'device': {'device_id': '4', 'platform': 'ios'}, 'file': 'ui.zip'}"
#define STARTED "{'success': true, 'native_test_build_id': 71, 'url': 'https://cloud.example/apps/native-test/71'}"
#define ROW(more, status, text, all, passed, failed)                                                                   \
	"{'success': true, 'data': [{'device_id': 3, 'device_name': 'Galaxy S21', " more "'status': '" status          \
	"', 'status_text': '" text "', 'all_testcase': " all ", 'passed_testcase': " passed                            \
	", 'failed_testcase': " failed "}]}"
#define RESULT(...) ROW("", __VA_ARGS__)
#define LOGGED(...) ROW("'log_path': 'https://cloud.example/l.txt', ", __VA_ARGS__)
#define TESTED(name, code)                                                                                             \
	"INSTRUMENTATION_STATUS: class=a.B\nINSTRUMENTATION_STATUS: test=" name "\nINSTRUMENTATION_STATUS_CODE: "      \
	"1\nINSTRUMENTATION_STATUS: class=a.B\nINSTRUMENTATION_STATUS: test=" name                                     \
	"\nINSTRUMENTATION_STATUS_CODE: " code "\n"

static UNUSED void run_to_first_poll(struct script *script, const char *with)
{
	script_start(script, "native_test", with);
	expect_call(script, OP_RUN_NATIVE_TEST_ANDROID, "{}");
	answer(script, STARTED);
	expect_call(script, OP_GET_NATIVE_TEST_RESULTS, "{'native_test_build_id': '71'}");
}

/* The same answer until the step ends. */
static UNUSED void answer_on(struct script *script, const char *body)
{
	for (int i = 0; i < 500 && script->action.kind != ACTION_DONE; i++) {
		answer(script, body);
		if (script->action.kind == ACTION_WAIT)
			let_time_come(script);
	}
}

static UNUSED void fetch_log_with(struct script *script, const char *with, const char *body, const char *log)
{
	run_to_first_poll(script, with);
	for (int i = 0; i < 500 && script->action.kind != ACTION_FETCH; i++) {
		answer(script, body);
		if (script->action.kind == ACTION_WAIT)
			let_time_come(script);
	}
	assert_int_equal(script->action.kind, ACTION_FETCH);
	assert_true(script->action.fetch_may_fail);
	assert_string_equal(script->action.url, "https://cloud.example/l.txt");
	script_send(script, (struct event){.kind = EVENT_FETCHED, .status = 200, .text = log, .bytes = strlen(log)});
}

static UNUSED void fetch_log(struct script *script, const char *body, const char *log)
{
	fetch_log_with(script, WITH(""), body, log);
}

#endif
