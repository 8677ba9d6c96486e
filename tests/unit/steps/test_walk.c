/* Every kind, led through thousands of random walks of good, bad and absurd events: whatever comes, a step neither
 * breaks nor starts anything a third time, and it passes only with a whole and passing result. Seeds are fixed, so a
 * walk that fails can be taken again. */
#include "script.h"

enum { WALKS = 300, STEPS_MOST = 60 };

static uint64_t shake(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static const char *const bodies[] = {
        "{'status': 1, 'build_list': [{'build_number': 768}, {'build_number': '770'}]}",
        "{'status': 1, 'build_list': [{'build_number': 768}]}",
        "{'status': 1, 'build_list': [{'build_number': 771}, {'build_number': 772}]}",
        "{'status': true, 'build_id': 3506, 'build_version': 770}",
        "{'status': true, 'build_id': '3506'}",
        "{'status': 1, 'is_build_completed_in_all_devices': 1, 'build_number': 770, 'build_url': "
        "'https://c.example/apps/3506', "
        "'build_devices': [{'device_id': 26, 'is_completed': 3, 'test_cases': [{'test_case_name': 'a', 'test_status': "
        "2}]}]}",
        "{'status': 1, 'is_build_completed_in_all_devices': '0', 'build_number': 770, 'build_url': "
        "'https://c.example/apps/3506', "
        "'build_devices': [{'device_id': 26, 'is_completed': 1, 'test_cases': [{'test_case_name': 'a', 'test_status': "
        "1}, "
        "{'test_case_name': 'b', 'test_status': 0}]}]}",
        "{'status': 1, 'is_build_completed_in_all_devices': 1, 'build_number': 770, 'build_url': "
        "'https://c.example/apps/3506', "
        "'build_devices': [{'device_id': 26, 'is_completed': 4, 'test_cases': [{'test_case_name': 'a', 'test_status': "
        "3}]}]}",
        "{'status': 1, 'build_devices': []}",
        "{'success': true, 'data': [{'device_id': 26, 's_device': 'S26', 'device_type': 2, 'is_connected': 1, "
        "'status': 2, 'status_text': "
        "'Passed', 'all_testcase': 2, 'passed_testcase': 2, 'failed_testcase': 0}, {'device_id': 27, 'device_name': "
        "'Other', 'device_type': 2, 'is_connected': 1}]}",
        "{'success': true, 'data': [{'device_id': 26, 'status': 3, 'status_text': 'Failed'}, {'app_id': 5, 'name': "
        "'Shop'}]}",
        "{'success': true, 'native_test_build_id': 71, 'url': 'https://c.example/native-test/71'}",
        "{'success': true, 'data': {'app_id': 223, 'version_id': 481, 'versions': [{'version_id': 481, 'version_name': "
        "'V1'}], "
        "'app_build_list': '[{\\'id\\': 5}]', 'version_module_list': [{'id': 12, 'name': 'Checkout'}], 'user_id': 5}}",
        "{'success': true, 'response': {'app_id': 9}, 'app_build_id': 272, 'device_reservation_id': 8, "
        "'ReservationStatus': 'Accepted', "
        "'response_url': 'https://c.example/log.txt'}",
        "{'success': true, 'device_reservation_id': 9, 'ReservationStatus': 'Pending'}",
        "{'success': true}",
        "{'success': false, 'message': 'Device is busy'}",
        "{'success': false, 'message': 'no'}",
        "{'data': 5, 'build_list': 'x', 'build_devices': 7, 'status': {}, 'build_id': {}}",
        "[]",
        "{}",
        "{'success': true, 'data': [{'device_id': 26, 'status': 2, 'status_text': 'Passed', 'all_testcase': 2, "
        "'passed_testcase': 2, 'failed_testcase': 0}]}",
};

static const char *const logs[] = {"", "Success", "pushing", "Failure [INSTALL_FAILED_X]", "success\nmore"};

static const struct {
	const char *kind, *with;
} walks[] = {
        {"application", "{'name': 'Shop'}"},
        {"select_devices",
                "{'any_of': [{'id': 26}, {'name': '*'}], 'count': 2, 'reserve_ms': 60000, 'wait_ms': 60000}"},
        {"select_devices", "{'any_of': [{'id': '26'}], 'wait_ms': 60000}"},
        {"create_application", "{'name': 'Shop', 'reuse': true}"},
        {"create_application", "{'name': 'Shop'}"},
        {"create_version", "{'name': 'V1'}"},
        {"create_version", "{'name': 'V1', 'reuse': true}"},
        {"upload_build", "{'file': 'a.apk', 'version': 'V1'}"},
        {"upload_build", "{'file': 'a.apk', 'direct': true}"},
        {"install", "{'build': 272, 'device': {'id': 26}}"},
        {"install", "{'build': 272, 'device': {'id': 26}, 'mode': 'async'}"},
        {"install", "{'build': 272, 'device': {'id': 26}, 'mode': 'direct'}"},
        {"app_build_run", "{'build': 272, 'device': {'id': 26}, 'module': 'Checkout'}"},
        {"app_build_run", "{'build': {'app_build_id': '272', 'app_id': '223', 'version_id': '481'}, 'device': "
                          "{'device_id': '26', 's_device': "
                          "'S26', 'platform': 'android'}, 'module': 12, 'testcases': {'a': 1}}"},
        {"native_test", "{'build': 272, 'device': {'id': 26}, 'file': 'a.apk'}"},
        {"native_test", "{'build': 272, 'device': {'id': 26}, 'file': 'a.zip'}"},
        {"reserve_device", "{'device': {'id': 26}, 'for': '1h'}"},
        {"release_device", "{'device': {'id': 26}}"},
        {"release_device", "{'reservation': 8}"},
        {"run", "{'command': ['true']}"},
        {"call", "{'operation': 'get_device_list'}"},
};

/* A good answer of each operation (an index into bodies), so that walks come far. */
static const struct {
	enum operation_id operation;
	size_t body;
} good[] = {{OP_BUILD_LIST, 1}, {OP_APP_BUILD_RUN, 3}, {OP_EXECUTION_DETAILS, 5}, {OP_GET_DEVICE_LIST, 9},
        {OP_GET_NATIVE_TEST_RESULTS, 21}, {OP_RUN_NATIVE_TEST_ANDROID, 11}, {OP_RUN_NATIVE_TEST_IOS, 11},
        {OP_GET_APPLICATION_INFO, 12}, {OP_GET_BUILD_INFO, 12}, {OP_GET_BUILD_VERSION_INFO, 12},
        {OP_CREATE_VERSION, 12}, {OP_CREATE_APPLICATION, 13}, {OP_APP_BUILD_UPLOAD, 13}, {OP_APP_UPLOAD_DIRECT, 13},
        {OP_RESERVE_DEVICE, 13}, {OP_GET_APPLICATIONS_LIST, 10}, {OP_USER_LIST, 12}};

static const char *good_body(enum operation_id operation)
{
	for (size_t i = 0; i < GR_COUNT(good); i++)
		if (good[i].operation == operation)
			return bodies[good[i].body];
	return "{'success': true, 'response_url': 'https://c.example/log.txt'}";
}

static void send_any_answer(struct script *script, uint64_t *seed)
{
	static const enum call_outcome outcomes[] = {
	        CALL_DONE, CALL_DONE, CALL_DONE, CALL_DONE, CALL_REFUSED, CALL_LOST, CALL_FAILED, CALL_NOT_SENT};
	enum call_outcome outcome = outcomes[shake(seed) % GR_COUNT(outcomes)];

	if (shake(seed) % 4 != 0) {
		answer(script, good_body(script->action.operation));
		return;
	}
	send_answer(script, outcome, outcome <= CALL_REFUSED ? bodies[shake(seed) % GR_COUNT(bodies)] : NULL);
}

static void send_any_event(struct script *script, uint64_t *seed)
{
	const char *text = logs[shake(seed) % GR_COUNT(logs)];

	switch (script->action.kind) {
	case ACTION_CALL:
		send_any_answer(script, seed);
		return;
	case ACTION_FETCH:
		pass_time(script, 100);
		script_send(script, (struct event){.kind = EVENT_FETCHED,
		                            .status = shake(seed) % 4 == 0 ? 404 : 200,
		                            .text = text,
		                            .bytes = strlen(text)});
		return;
	case ACTION_WAIT:
		let_time_come(script);
		return;
	case ACTION_SPAWN:
		script_send(script, (struct event){.kind = EVENT_EXIT, .exit_status = (int)(shake(seed) % 3)});
		return;
	case ACTION_DONE:
		return;
	}
}

/* A pass needs a whole run in which every test passed. */
static void check_end(const struct script *script)
{
	const struct device_run *run = script->action.device_run;

	if (script->result != 0 || script->action.kind != ACTION_DONE || script->action.outcome != OUTCOME_PASSED)
		return;
	if ((script->step.kind->flags & KIND_RUNS_TESTS) == 0)
		return;
	assert_non_null(run);
	assert_true(run->is_complete);
	assert_int_equal(run->failure, GR_NONE);
	assert_true(run->case_count > 0);
	assert_true(run->kind == RUN_NATIVE || run->build_number != NULL);
	for (size_t i = 0; i < run->case_count; i++)
		assert_int_equal(run->cases[i].status, STATUS_PASSED);
}

static bool starts_something(const struct action *action)
{
	static const enum operation_id starts[] = {OP_APP_BUILD_RUN, OP_RUN_NATIVE_TEST_ANDROID, OP_RUN_NATIVE_TEST_IOS,
	        OP_CREATE_APPLICATION, OP_CREATE_VERSION, OP_APP_BUILD_UPLOAD, OP_APP_UPLOAD_DIRECT};

	for (size_t i = 0; i < GR_COUNT(starts); i++)
		if (action->kind == ACTION_CALL && action->operation == starts[i])
			return true;
	return false;
}

static void take_a_step(struct script *script, uint64_t *seed)
{
	if (shake(seed) % 40 == 0)
		script_restart(script);
	else if (shake(seed) % 40 == 0)
		stop_script(script, shake(seed) % 2 == 0 ? GR_CANCELLED : GR_DEADLINE);
	else
		send_any_event(script, seed);
}

static bool is_going_on(const struct script *script)
{
	return script->result == 0 && script->action.kind != ACTION_DONE;
}

/* true: the step passed. */
static bool walk(const char *kind, const char *with, uint64_t seed)
{
	struct script s;
	unsigned starts = 0;
	bool has_passed = false;

	script_open(&s, kind, with);
	s.context.user_id = shake(&seed) % 2 == 0 ? "77" : NULL;
	s.context.poll.stall_ms = shake(&seed) % 2 == 0 ? CLOCK_NEVER : MINUTES;
	script_begin(&s);
	for (int i = 0; i < STEPS_MOST && is_going_on(&s); i++) {
		starts += starts_something(&s.action);
		take_a_step(&s, &seed);
		/* A refusal for a busy device is a definite no: it starts nothing. */
		if (json_is_false(json_object_get(s.step.memory, "intent")))
			starts = 0;
	}
	assert_true(starts <= 2);
	check_end(&s);
	has_passed = s.result == 0 && s.action.kind == ACTION_DONE && s.action.outcome == OUTCOME_PASSED;
	script_close(&s);
	return has_passed;
}

static void whatever_comes_no_step_breaks_or_lies(void **state)
{
	(void)state;
	for (size_t at = 0; at < GR_COUNT(walks); at++) {
		size_t passed = 0;

		for (uint64_t i = 1; i <= WALKS; i++)
			passed += walk(walks[at].kind, walks[at].with, i * 0x9E3779B97F4A7C15ULL + at);
		/* Walks that never reach the end would prove nothing, nor would walks that always do. */
		if (passed == 0 || passed == WALKS)
			fail_msg("%zu of %d walks of %s %s passed", passed, WALKS, walks[at].kind, walks[at].with);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(whatever_comes_no_step_breaks_or_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
