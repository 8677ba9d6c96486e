#include "app_script.h"

static void a_lost_start_is_found_and_adopted(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	expect_wait(&s, 2000, 2000);
	let_time_come(&s);
	expect_call(&s, OP_BUILD_LIST, "{}");
	answer(&s, LIST_ONE_NEW);
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '771'}");
	answer(&s, DETAILS("771", "https://cloud.example/build/apps/3507", "0", "1", CASE("a", "1")));
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '771'}");
	assert_string_equal(json_string_value(json_object_get(s.step.memory, "source")), "adopted");
	expect_text(s.action.progress, "adopted build 771");
	answer(&s, DETAILS("771", "https://cloud.example/build/apps/3507", "1", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{'build_number': '771', 'adopted': true, 'build_id': '3507'}");
	assert_true(s.action.device_run->is_adopted);
	assert_string_equal(s.action.device_run->number_source, "adopted");
	assert_true(s.action.device_run->lag_most_ms < 10000);
	script_close(&s);
}

static void a_success_without_a_number_is_a_lost_answer(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	answer(&s, "{'status': true, 'msg': 'ok'}");
	expect_wait(&s, 2000, 2000);
	script_close(&s);
}

static void two_new_builds_on_the_device_are_never_guessed_between(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	let_time_come(&s);
	answer(&s, "{'status': 1, 'build_list': [{'build_number': 771}, {'build_number': '772'}]}");
	answer(&s, DETAILS("771", "https://cloud.example/build/apps/3507", "0", "1", ""));
	answer(&s, DETAILS("772", "https://cloud.example/build/apps/3508", "0", "1", ""));
	expect_problem(&s, GR_UNKNOWN_START, "771, 772");
	script_close(&s);
}

/* The list lags: the round before this one is not in the snapshot, and appears when this one's answer is looked for. */
static void a_build_of_an_earlier_round_is_not_this_ones(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "app_build_run", WITH(""));
	script_remember(&s, "{'earlier': ['771']}");
	script_begin(&s);
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	let_time_come(&s);
	answer(&s, "{'status': 1, 'build_list': [{'build_number': 771}, {'build_number': '772'}]}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '772'}");
	answer(&s, DETAILS("772", "https://cloud.example/build/apps/3508", "0", "1", CASE("a", "1")));
	expect_text(s.action.progress, "adopted build 772");
	script_close(&s);
}

static void a_new_build_of_others_is_not_ours(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "app_build_run", WITH(", 'testcases': {'a': 1}, 'bundle_identifier': 'com.shop'"));
	s.context.resend_lost_start = false;
	script_begin(&s);
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	for (int i = 0; i < 6; i++) {
		let_time_come(&s);
		answer(&s, "{'status': 1, 'build_list': [{'build_number': 771}, {'build_number': '772'}, "
		           "{'build_number': 773}, "
		           "{'build_number': '12'}]}");
		answer(&s, "{'status': 1, 'build_number': 771, 'build_devices': [{'device_id': '99', 'device_name': "
		           "'Galaxy S23', "
		           "'is_completed': 1}]}");
		answer(&s, DETAILS("772", OURS, "0", "1", CASE("zzz", "1")));
		expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '773'}");
		answer(&s, "{'status': 1, 'build_number': 773, 'build_devices': [{'device_id': '26', 'info': "
		           "{'bundle_id': 'com.other'}, "
		           "'is_completed': 1}]}");
		look_at_device(&s, DEVICE_IDLE);
	}
	expect_problem(&s, GR_UNKNOWN_START, "never_resend");
	script_close(&s);
}

static void a_start_that_never_arrived_is_sent_once_more_and_no_third_time(void **state)
{
	struct script s;
	int64_t lost = 0;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	lost = s.now_ms;
	lose_whole_window(&s, 6);
	assert_in_range(s.now_ms - lost, 90000, 91000);
	expect_call(&s, OP_APP_BUILD_RUN, "{}");
	assert_true(json_is_true(json_object_get(s.step.memory, "resent")));
	lose_answer(&s);
	lose_whole_window(&s, 6);
	expect_problem(&s, GR_UNKNOWN_START, "twice");
	script_close(&s);
}

/* The list lags by more than the window; the device says what the list does not. */
static void a_device_at_work_is_no_proof_of_absence(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	for (int i = 0; i < 9; i++) {
		let_time_come(&s);
		answer(&s, LIST_BEFORE);
		look_at_device(&s, i == 1 ? DEVICE_AT_WORK : DEVICE_IDLE);
	}
	expect_problem(&s, GR_UNKNOWN_START, "was at work");
	assert_true(json_is_true(json_object_get(s.step.memory, "device_was_at_work")));
	script_close(&s);
}

static void a_run_that_is_listed_late_is_adopted(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	for (int i = 0; i < 7; i++) {
		let_time_come(&s);
		answer(&s, LIST_BEFORE);
		look_at_device(&s, DEVICE_AT_WORK);
	}
	let_time_come(&s);
	answer(&s, LIST_ONE_NEW);
	answer(&s, DETAILS("771", OURS, "0", "1", CASE("a", "1")));
	expect_text(s.action.progress, "adopted build 771");
	script_close(&s);
}

static void a_device_that_is_not_seen_proves_nothing(void **state)
{
	static const char *const blind[] = {NULL, "{'success': true, 'data': []}",
	        "{'success': true, 'data': [{'device_id': '26', 'device_status': 'Martian'}]}"};

	(void)state;
	for (size_t n = 0; n < GR_COUNT(blind); n++) {
		struct script s;

		script_start(&s, "app_build_run", WITH(""));
		answer(&s, LIST_BEFORE);
		lose_answer(&s);
		for (int i = 0; i < 6; i++) {
			let_time_come(&s);
			answer(&s, LIST_BEFORE);
			expect_call(&s, OP_GET_DEVICE_LIST, "{}");
			send_answer(&s, blind[n] != NULL ? CALL_DONE : CALL_FAILED, blind[n]);
		}
		expect_problem(&s, GR_UNKNOWN_START, "could not be looked at");
		script_close(&s);
	}
}

/* Killed and resumed while the device was at work: idle looks of the new process do not undo it. */
static void what_the_device_did_is_not_forgotten(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	let_time_come(&s);
	answer(&s, LIST_BEFORE);
	look_at_device(&s, DEVICE_AT_WORK);
	script_restart(&s);
	lose_whole_window(&s, 9);
	expect_problem(&s, GR_UNKNOWN_START, "was at work");
	script_close(&s);
}

static void a_start_that_timed_out_is_looked_for_longer(void **state)
{
	struct script s;
	int64_t lost = 0;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer_slowly(&s);
	lost = s.now_ms;
	lose_whole_window(&s, 7);
	assert_in_range(s.now_ms - lost, 120000, 121000);
	expect_call(&s, OP_APP_BUILD_RUN, "{}");
	script_close(&s);
}

static void without_good_looks_nothing_is_sent_again(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	lose_whole_window(&s, 2);
	for (int i = 0; i < 4; i++) {
		let_time_come(&s);
		send_answer(&s, CALL_FAILED, NULL);
	}
	expect_problem(&s, GR_UNKNOWN_START, "2 times");
	script_close(&s);
}

/* More tests than were selected: not ours, perhaps; but not proven absent either. */
static void a_run_with_tests_that_were_not_selected_is_in_doubt(void **state)
{
	static const char *const selections[] = {"{'a': 7}", "[7]"};

	(void)state;
	for (size_t n = 0; n < GR_COUNT(selections); n++) {
		GR_AUTO_FREE char *with = gr_printf(WITH(", 'testcases': %s"), selections[n]);
		struct script s;

		script_start(&s, "app_build_run", with);
		answer(&s, LIST_BEFORE);
		lose_answer(&s);
		for (int i = 0; i < 6; i++) {
			let_time_come(&s);
			answer(&s, LIST_ONE_NEW);
			answer(&s, DETAILS("771", OURS, "0", "1", CASE("a", "1") ", " CASE("zzz", "0")));
			look_at_device(&s, DEVICE_IDLE);
		}
		expect_problem(&s, GR_UNKNOWN_START, "771");
		script_close(&s);
	}
}

static void an_adopted_run_that_turns_out_to_be_anothers_is_not_believed(void **state)
{
	static const char *const others[] = {DETAILS("771", OURS, "1", "3", PASS("a") ", " PASS("zzz")),
	        "{'status': 1, 'is_build_completed_in_all_devices': 1, 'build_number': 771, 'build_devices': "
	        "[{'device_id': "
	        "'26', 'info': {'bundle_id': 'com.other'}, 'test_cases': [" PASS("a") "], 'is_completed': 3}]}"};

	(void)state;
	for (size_t n = 0; n < GR_COUNT(others); n++) {
		struct script s;

		script_start(&s, "app_build_run", WITH(", 'testcases': {'a': 7}, 'bundle_identifier': 'com.shop'"));
		answer(&s, LIST_BEFORE);
		lose_answer(&s);
		let_time_come(&s);
		answer(&s, LIST_ONE_NEW);
		answer(&s, DETAILS("771", OURS, "0", "1", "")); /* no tests yet */
		expect_text(s.action.progress, "adopted build 771");
		answer(&s, others[n]);
		expect_problem(&s, GR_UNKNOWN_START, "not this run's");
		script_close(&s);
	}
}

#define LIST_UNSAID "{'status': 1, 'msg': 'List of builds'}"

/* A server that gives no list where there is none: neither may an old build be taken for a new one, nor its silence for
 * the proof that nothing was started. */
static void without_a_list_of_before_nothing_is_adopted(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_UNSAID);
	expect_call(&s, OP_APP_BUILD_RUN, "{}");
	lose_answer(&s);
	let_time_come(&s);
	answer(&s, "{'status': 1, 'build_list': [{'build_number': 771}]}");
	answer(&s, DETAILS("771", "https://cloud.example/build/apps/3507", "1", "3", PASS("a")));
	expect_problem(&s, GR_UNKNOWN_START, "771");
	script_close(&s);
}

static void an_answer_without_a_list_proves_no_absence(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	for (int i = 0; i < 6; i++) {
		let_time_come(&s);
		answer(&s, LIST_UNSAID);
	}
	expect_problem(&s, GR_UNKNOWN_START, "0 times");
	script_close(&s);
}

static void a_queued_new_build_keeps_the_question_open(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	lose_answer(&s);
	for (int i = 0; i < 6; i++) {
		let_time_come(&s);
		answer(&s, LIST_ONE_NEW);
		answer(&s, QUEUED("771", OURS));
		look_at_device(&s, DEVICE_IDLE);
	}
	expect_problem(&s, GR_UNKNOWN_START, "771");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_lost_start_is_found_and_adopted),
	        cmocka_unit_test(a_success_without_a_number_is_a_lost_answer),
	        cmocka_unit_test(two_new_builds_on_the_device_are_never_guessed_between),
	        cmocka_unit_test(a_build_of_an_earlier_round_is_not_this_ones),
	        cmocka_unit_test(a_new_build_of_others_is_not_ours),
	        cmocka_unit_test(a_start_that_never_arrived_is_sent_once_more_and_no_third_time),
	        cmocka_unit_test(a_device_at_work_is_no_proof_of_absence),
	        cmocka_unit_test(a_run_that_is_listed_late_is_adopted),
	        cmocka_unit_test(a_device_that_is_not_seen_proves_nothing),
	        cmocka_unit_test(what_the_device_did_is_not_forgotten),
	        cmocka_unit_test(a_start_that_timed_out_is_looked_for_longer),
	        cmocka_unit_test(without_good_looks_nothing_is_sent_again),
	        cmocka_unit_test(a_run_with_tests_that_were_not_selected_is_in_doubt),
	        cmocka_unit_test(an_adopted_run_that_turns_out_to_be_anothers_is_not_believed),
	        cmocka_unit_test(without_a_list_of_before_nothing_is_adopted),
	        cmocka_unit_test(an_answer_without_a_list_proves_no_absence),
	        cmocka_unit_test(a_queued_new_build_keeps_the_question_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
