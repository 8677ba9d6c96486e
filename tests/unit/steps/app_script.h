/* A scriptless run on device 26 of application 223, for the tests of its parts. */
#ifndef GRIDLANE_TESTS_STEPS_APP_SCRIPT_H
#define GRIDLANE_TESTS_STEPS_APP_SCRIPT_H

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
static UNUSED void run_to_first_poll(struct script *script, const char *with)
{
	script_start(script, "app_build_run", with);
	expect_call(script, OP_BUILD_LIST, "{'application_token': 'gridlane-secret:app/223'}");
	answer(script, LIST_BEFORE);
	expect_call(script, OP_APP_BUILD_RUN, "{}");
	answer(script, STARTED);
	expect_call(script, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
}

/* An answer that says "completed" and contradicts itself: it is looked at again for 20 s, and then judged. */
static UNUSED void answer_until_settled(struct script *s, const char *body)
{
	int64_t began = s->now_ms;

	answer(s, body);
	while (s->action.kind == ACTION_WAIT && s->now_ms - began < MINUTES) {
		let_time_come(s);
		answer(s, body);
	}
	assert_int_equal(s->action.kind, ACTION_DONE);
	assert_in_range(s->now_ms - began, 20000, 30000);
}

#define LIST_ONE_NEW "{'status': 1, 'build_list': [{'build_number': 769}, {'build_number': '771'}]}"

#define DEVICE_IDLE "{'success': true, 'data': [{'device_id': '26', 'is_run_build': '0', 'is_reserved': '1'}]}"
#define DEVICE_AT_WORK "{'success': true, 'data': [{'device_id': '26', 'is_run_build': '1', 'is_reserved': '1'}]}"

/* The device after a look at the list that showed nothing. */
static UNUSED void look_at_device(struct script *s, const char *device)
{
	expect_call(s, OP_GET_DEVICE_LIST, "{}");
	answer(s, device);
}

/* Looks after a lost answer that show nothing new. */
static UNUSED void lose_whole_window(struct script *s, int looks)
{
	for (int i = 0; i < looks; i++) {
		let_time_come(s);
		expect_call(s, OP_BUILD_LIST, "{}");
		answer(s, LIST_BEFORE);
		look_at_device(s, DEVICE_IDLE);
	}
}

#endif
