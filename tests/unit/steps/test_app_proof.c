#include "app_script.h"

#include "runner/base/text.h"

static void build_id_is_the_number_when_its_url_says_so(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	refuse_call(&s, "{'status': 0, 'msg': 'no such build'}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '3506'}");
	answer(&s, DETAILS("3506", OURS, "1", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{'build_number': '3506'}");
	assert_string_equal(s.action.device_run->number_source, "build_id");
	script_close(&s);
}

static void a_number_that_was_there_before_is_never_polled(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, "{'status': 1, 'build_list': [{'build_number': 6}, {'build_number': '3505'}]}");
	answer(&s, "{'status': true, 'build_id': '3506', 'build_version': '6'}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '3506'}");
	script_close(&s);

	script_start(&s, "app_build_run", WITH(""));
	answer(&s, "{'status': 1, 'build_list': [{'build_number': 6}, {'build_number': '3506'}]}");
	answer(&s, "{'status': true, 'build_id': '3506', 'build_version': '6'}");
	for (int i = 0; i < 500 && s.action.kind != ACTION_DONE; i++) {
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
		else if (s.action.operation == OP_GET_DEVICE_LIST)
			answer(&s, DEVICE_IDLE);
		else
			answer(&s, "{'status': 1, 'build_list': [{'build_number': 6}, {'build_number': '3506'}]}");
		assert_false(s.action.kind == ACTION_CALL && s.action.operation == OP_EXECUTION_DETAILS);
	}
	expect_problem(&s, GR_UNKNOWN_START, "build_id 3506 and build_version 6");
	assert_null(s.action.device_run->build_number);
	assert_int_equal(s.action.outcome, OUTCOME_ERROR);
	script_close(&s);
}

static void without_a_url_the_list_and_the_device_prove_the_number(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, "{'status': 1, 'build_number': '770', 'build_devices': [{'device_id': '26', 'test_cases': [], "
	           "'is_completed': 2}]}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '3506'}");
	refuse_call(&s, "{'status': 0}");
	expect_call(&s, OP_BUILD_LIST, "{}");
	answer(&s, LIST_BEFORE); /* it lags */
	expect_wait(&s, 1800, 2200);
	let_time_come(&s);
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
	answer(&s, "{'status': 1, 'build_number': '770', 'build_devices': [{'device_id': '26', 'test_cases': [], "
	           "'is_completed': 2}]}");
	refuse_call(&s, "{'status': 0}");
	answer(&s, "{'status': 1, 'build_list': [{'build_number': '769'}, {'build_number': 770}]}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
	assert_string_equal(json_string_value(json_object_get(s.action.learned, "number")), "770");
	script_close(&s);
}

static void a_number_on_another_device_is_never_proven(void **state)
{
	struct script s;
	const char *other =
	        "{'status': 1, 'build_number': '770', 'build_devices': [{'device_id': '99', 'test_cases': [" PASS(
	                "a") "], 'is_completed': 3}]}";

	(void)state;
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 1000 && s.action.kind != ACTION_DONE; i++) {
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
		else if (s.action.operation == OP_BUILD_LIST)
			answer(&s, "{'status': 1, 'build_list': [{'build_number': '769'}, {'build_number': 770}]}");
		else if (s.action.operation == OP_GET_DEVICE_LIST)
			answer(&s, DEVICE_IDLE);
		else if (text_equal(json_string_value(json_object_get(s.action.arguments, "build_number")), "770"))
			answer(&s, other);
		else
			refuse_call(&s, "{'status': 0}");
		assert_false(s.action.kind == ACTION_CALL && s.action.operation == OP_APP_BUILD_RUN);
	}
	expect_problem(&s, GR_UNKNOWN_START, "no new build is proven");
	script_close(&s);
}

static void a_url_of_another_build_needs_the_list_three_times(void **state)
{
	struct script s;
	const char *elsewhere = DETAILS("770", "https://cloud.example/build/apps/11", "0", "1", "");

	(void)state;
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 3; i++) {
		expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
		answer(&s, elsewhere);
		refuse_call(&s, "{'status': 0}");
		answer(&s, "{'status': 1, 'build_list': [{'build_number': '769'}, {'build_number': 770}]}");
		if (i < 2)
			let_time_come(&s);
	}
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
	assert_string_equal(json_string_value(json_object_get(s.step.memory, "number")), "770");
	script_close(&s);
}

/* The build's bundle id is not what the device says: an .ipa that was signed again, say. */
static void another_app_needs_the_list_three_times(void **state)
{
	struct script s;
	const char *other =
	        "{'status': 1, 'build_number': '770', 'build_devices': [{'device_id': '26', 'test_cases': [], "
	        "'info': {'bundle_id': 'com.other'}, 'is_completed': 2}]}";

	(void)state;
	run_to_first_poll(&s, WITH(", 'bundle_identifier': 'com.shop'"));
	for (int i = 0; i < 3; i++) {
		answer(&s, other);
		refuse_call(&s, "{'status': 0}");
		answer(&s, "{'status': 1, 'build_list': [{'build_number': '769'}, {'build_number': 770}]}");
		if (i < 2)
			let_time_come(&s);
	}
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
	assert_string_equal(json_string_value(json_object_get(s.step.memory, "number")), "770");
	script_close(&s);
}

/* The list before the start was not there: only the one build that there is can be ours without a URL that says so. */
static void without_a_list_of_before_only_a_lone_build_is_proven(void **state)
{
	struct script s;
	const char *no_url =
	        "{'status': 1, 'build_number': '770', 'build_devices': [{'device_id': '26', 'test_cases': [], "
	        "'is_completed': 2}]}";

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, "{'status': 1, 'msg': 'List of builds'}");
	answer(&s, STARTED);
	answer(&s, no_url);
	refuse_call(&s, "{'status': 0}");
	answer(&s, "{'status': 1, 'build_list': [{'build_number': 7}, {'build_number': 770}]}");
	let_time_come(&s);
	answer(&s, no_url);
	refuse_call(&s, "{'status': 0}");
	answer(&s, "{'status': 1, 'build_list': {'build_number': 770}}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
	assert_string_equal(json_string_value(json_object_get(s.step.memory, "number")), "770");
	script_close(&s);
}

/* Started, and listed as build_id; its details are refused as long as it is queued. */
static void run_to_listed_alone(struct script *s)
{
	run_to_first_poll(s, WITH(""));
	for (int i = 0; i < 3; i++) {
		refuse_call(s, "{'status': 0, 'msg': 'Invalid build number'}");
		expect_call(s, OP_EXECUTION_DETAILS, "{'build_number': '3506'}");
		refuse_call(s, "{'status': 0, 'msg': 'Invalid build number'}");
		answer(s, "{'status': 1, 'build_list': [{'build_number': '769'}, {'build_number': 3506}]}");
		if (i < 2)
			let_time_come(s);
	}
	expect_call(s, OP_EXECUTION_DETAILS, "{'build_number': '3506'}");
	assert_true(json_is_true(json_object_get(s->step.memory, "unseen")));
}

static void a_queue_that_hides_the_run_is_waited_for(void **state)
{
	struct script s;

	(void)state;
	run_to_listed_alone(&s);
	for (int i = 0; i < 20; i++) {
		refuse_call(&s, "{'status': 0, 'msg': 'Invalid build number'}");
		expect_wait(&s, 1, 20000);
		if (i == 10)
			script_restart(&s);
		else
			let_time_come(&s);
		expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '3506'}");
	}
	answer(&s, DETAILS("3506", "https://cloud.example/build/apps/x", "1", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{'build_number': '3506'}");
	script_close(&s);

	run_to_listed_alone(&s);
	for (int i = 0; i < 500 && s.action.kind != ACTION_DONE; i++) {
		refuse_call(&s, "{'status': 0, 'msg': 'Invalid build number'}");
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
	}
	expect_problem(&s, GR_QUEUE, "poll.queue");
	script_close(&s);
}

/* The number was somebody else's after all. */
static void a_run_proven_by_the_list_alone_must_show_our_device(void **state)
{
	struct script s;

	(void)state;
	run_to_listed_alone(&s);
	answer(&s, "{'status': 1, 'is_build_completed_in_all_devices': 1, 'build_number': '3506', 'build_devices': "
	           "[{'device_id': '99', 'device_name': 'Galaxy S23', 'test_cases': [" PASS(
	                   "a") "], 'is_completed': 3}]}");
	expect_problem(&s, GR_UNKNOWN_START, "is not proven");
	expect_problem(&s, GR_UNKNOWN_START, "(number not proven)");
	assert_null(s.action.device_run->build_number);
	assert_int_equal(s.action.device_run->case_count, 0);
	script_close(&s);
}

/* Neither number of the start's answer is in the list: the only build that is new and on our device is the run. */
static void a_start_without_a_number_of_the_list_is_looked_for(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	answer(&s, "{'status': true, 'data': [{'build_version': 6}]}");
	for (int i = 0; i < 200; i++) {
		expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '6'}");
		refuse_call(&s, "{'status': 0, 'msg': 'Invalid build number'}");
		answer(&s, LIST_ONE_NEW);
		if (s.action.progress != NULL)
			break;
		let_time_come(&s);
	}
	expect_text(s.action.progress, "names no build number");
	let_time_come(&s);
	expect_call(&s, OP_BUILD_LIST, "{}");
	answer(&s, LIST_ONE_NEW);
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '771'}");
	answer(&s, DETAILS("771", "https://cloud.example/build/apps/3506", "0", "1", ""));
	expect_text(s.action.progress, "adopted build 771");
	assert_null(strstr(s.action.progress, "lost"));
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '771'}");
	answer(&s, DETAILS("771", "https://cloud.example/build/apps/3506", "1", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{'build_number': '771'}");
	script_close(&s);
}

/* The list has numbers of its own: the one whose URL has our build_id is the run, at once. */
static void a_third_number_is_proven_by_its_url(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 2; i++) {
		refuse_call(&s, "{'status': 0, 'msg': 'Invalid build number'}");
		expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '3506'}");
		refuse_call(&s, "{'status': 0, 'msg': 'Invalid build number'}");
		expect_call(&s, OP_BUILD_LIST, "{}");
		answer(&s, i == 0 ? "{'build_list': [{'build_number': 772}, {'build_number': 769}]}"
		                  : "{'build_list': [{'build_number': 773}, {'build_number': 772}]}");
		if (i == 0) { /* somebody else's; it is not asked about again */
			expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '772'}");
			answer(&s, DETAILS("772", "https://cloud.example/build/apps/9", "0", "1", ""));
			expect_wait(&s, 1800, 2200);
			let_time_come(&s);
		}
	}
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '773'}");
	answer(&s, DETAILS("773", OURS, "1", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{'build_number': '773'}");
	assert_string_equal(s.action.device_run->number_source, "build_url");
	script_close(&s);
}

/* It is new and on our device, but its URL has another id than the start's answer: never adopted, never started again.
 */
static void a_new_build_with_another_id_is_not_adopted(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 500 && s.action.kind != ACTION_DONE; i++) {
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
		else if (s.action.operation == OP_BUILD_LIST)
			answer(&s, LIST_ONE_NEW);
		else if (s.action.operation == OP_GET_DEVICE_LIST)
			answer(&s, DEVICE_IDLE);
		else if (text_equal(json_string_value(json_object_get(s.action.arguments, "build_number")), "771"))
			answer(&s, DETAILS("771", "https://cloud.example/build/apps/9", "0", "1", ""));
		else
			refuse_call(&s, "{'status': 0, 'msg': 'Invalid build number'}");
		assert_false(s.action.kind == ACTION_CALL && s.action.operation == OP_APP_BUILD_RUN);
	}
	expect_problem(&s, GR_UNKNOWN_START, "771");
	script_close(&s);
}

static void an_answer_about_another_build_is_not_believed(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", ""));
	for (int i = 0; i < 500 && s.action.kind == ACTION_WAIT; i++) {
		let_time_come(&s);
		answer(&s, DETAILS("769", OURS, "1", "3", PASS("a")));
	}
	expect_problem(&s, GR_PROTOCOL, "the answer is about build 769");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(build_id_is_the_number_when_its_url_says_so),
	        cmocka_unit_test(a_number_that_was_there_before_is_never_polled),
	        cmocka_unit_test(without_a_url_the_list_and_the_device_prove_the_number),
	        cmocka_unit_test(a_number_on_another_device_is_never_proven),
	        cmocka_unit_test(a_url_of_another_build_needs_the_list_three_times),
	        cmocka_unit_test(another_app_needs_the_list_three_times),
	        cmocka_unit_test(without_a_list_of_before_only_a_lone_build_is_proven),
	        cmocka_unit_test(a_queue_that_hides_the_run_is_waited_for),
	        cmocka_unit_test(a_run_proven_by_the_list_alone_must_show_our_device),
	        cmocka_unit_test(a_start_without_a_number_of_the_list_is_looked_for),
	        cmocka_unit_test(a_third_number_is_proven_by_its_url),
	        cmocka_unit_test(a_new_build_with_another_id_is_not_adopted),
	        cmocka_unit_test(an_answer_about_another_build_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
