#include "script.h"

#define DEVICE "{'device_id': '26', 'name': 'Galaxy S23', 'platform': 'android'}"
#define MADE "{'success': true, 'device_reservation_id': '2696', 'ReservationStatus': 'Accepted'}"
#define LISTED(id)                                                                                                     \
	"{'success': true, 'data': [{'device_reservation_id': " id                                                     \
	", 'device_id': '26', 'comments': 'gridlane [gr:0123456789ab]'}]}"
#define NOTHING "{'success': true, 'data': []}"

static void open_step(struct script *script, const char *more)
{
	char *with = gr_printf("{'device': " DEVICE ", 'for': '10m'%s}", more);

	script_open(script, "reserve_device", with);
	gr_free(with);
	script->context.user_id = "77";
	script_begin(script);
}

static void it_reserves_and_registers_what_it_holds(void **state)
{
	struct script s;

	(void)state;
	open_step(&s, ", 'comment': 'nightly'");
	expect_call(&s, OP_RESERVE_DEVICE,
	        "{'user_id': '77', 'device_id': '26', 'start_date_time': '2026-01-01 00:00:00', 'end_date_time': "
	        "'2026-01-01 "
	        "00:10:00', 'timezone': 'UTC', 'comments': 'nightly [gr:0123456789ab]'}");
	answer(&s, MADE);
	expect_done(&s, OUTCOME_PASSED,
	        "{'device_reservation_id': '2696', 'device_id': '26', 'start': '2026-01-01 00:00:00', 'end': "
	        "'2026-01-01 00:10:00'}");
	assert_string_equal(json_string_value(json_object_get(s.action.acquired, "key")), "reservation/2696");
	script_close(&s);
}

static void the_user_is_looked_up_when_not_known(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "reserve_device", "{'device': {'id': 26}, 'for': '10m'}");
	expect_call(&s, OP_USER_LIST, "{}");
	answer(&s, "{'success': true, 'data': [{'user_id': '5'}]}");
	expect_call(&s, OP_RESERVE_DEVICE, "{'user_id': '5', 'device_id': '26'}");
	script_close(&s);
	script_start(&s, "reserve_device", "{'device': {'id': 26}, 'for': '10m'}");
	refuse_call(&s, "{'success': false, 'message': 'not allowed'}");
	expect_failure(&s, GR_SERVER, "TESTGRID_USER_ID");
	script_close(&s);
}

static void a_refusal_is_no_device(void **state)
{
	struct script s;

	(void)state;
	open_step(&s, "");
	refuse_call(&s, "{'success': false, 'message': 'slot is taken'}");
	expect_failure(&s, GR_NO_DEVICE, "slot is taken");
	script_close(&s);
	open_step(&s, "");
	refuse_auth(&s);
	expect_failure(&s, GR_AUTH, "reserve Galaxy S23");
	script_close(&s);
}

/* Wherever it stands, and whatever it is called: only a word that grants makes the device ours. */
static void only_a_word_that_grants_is_believed(void **state)
{
	static const char *const not_granted[] = {"{'device_reservation_id': 8, 'ReservationStatus': 'Not accepted'}",
	        "{'device_reservation_id': 8, 'ReservationStatus': 'Unapproved'}",
	        "{'data': {'device_reservation_id': 8, 'ReservationStatus': 'Pending'}}",
	        "{'data': [{'device_reservation_id': 8, 'reservation_status': 'waiting for approval'}]}",
	        "{'device_reservation_id': 8, 'ReservationStatus': 0}"};
	static const char *const granted[] = {"{'device_reservation_id': 8, 'ReservationStatus': ' ACCEPTED.'}",
	        "{'data': {'reservation_id': 8, 'ReservationStatus': 'Confirmed'}}",
	        "{'response': {'device_reservation_id': '8'}}", "{'device_reservation_id': 8, 'ReservationStatus': 1}"};
	struct script s;

	(void)state;
	for (size_t i = 0; i < GR_COUNT(not_granted); i++) {
		open_step(&s, "");
		answer(&s, not_granted[i]);
		expect_wait(&s, 0, 0);
		assert_true(json_is_true(json_object_get(s.action.acquired, "at_once")));
		script_close(&s);
	}
	for (size_t i = 0; i < GR_COUNT(granted); i++) {
		open_step(&s, "");
		answer(&s, granted[i]);
		expect_done(&s, OUTCOME_PASSED, "{'device_reservation_id': '8'}");
		script_close(&s);
	}
}

static void one_that_is_not_granted_is_taken_back(void **state)
{
	struct script s;

	(void)state;
	open_step(&s, "");
	answer(&s, "{'success': true, 'device_reservation_id': '8', 'ReservationStatus': 'Pending'}");
	expect_wait(&s, 0, 0);
	assert_string_equal(
	        json_string_value(json_object_get(s.action.acquired, "operation")), "cancel_reserve_device");
	assert_true(json_is_true(json_object_get(s.action.acquired, "at_once")));
	let_time_come(&s);
	expect_failure(&s, GR_NO_DEVICE, "not granted");
	script_close(&s);
}

static void a_lost_answer_is_looked_up_then_sent_once_more(void **state)
{
	struct script s;
	int64_t began = 0;

	(void)state;
	open_step(&s, "");
	lose_answer(&s);
	expect_call(&s, OP_RESERVE_DEVICE_LIST, "{'timezone': 'UTC'}");
	answer(&s, LISTED("2700"));
	expect_done(&s, OUTCOME_PASSED, "{'device_reservation_id': '2700'}");
	assert_string_equal(json_string_value(json_object_get(s.action.acquired, "key")), "reservation/2700");
	script_close(&s);

	open_step(&s, "");
	began = s.now_ms;
	for (int i = 0; i < 2; i++) {
		expect_call(&s, OP_RESERVE_DEVICE, "{}");
		lose_answer(&s);
		for (int looks = 0; looks < 6; looks++) {
			answer(&s, NOTHING);
			let_time_come(&s); /* a list may lag: for a minute it is not sent again */
			expect_call(&s, OP_RESERVE_DEVICE_LIST, "{}");
		}
		assert_in_range(s.now_ms - began, 60000, 61000);
		began = s.now_ms;
		answer(&s, NOTHING);
	}
	expect_failure(&s, GR_NETWORK, "twice");
	script_close(&s);

	open_step(&s, "");
	lose_answer(&s);
	send_answer(&s, CALL_FAILED, NULL);
	expect_failure(&s, GR_NETWORK, "perhaps reserved");
	script_close(&s);
}

static void a_resumed_reservation_is_looked_up_first(void **state)
{
	struct script s;

	(void)state;
	open_step(&s, "");
	script_restart(&s);
	expect_call(&s, OP_RESERVE_DEVICE_LIST, "{}");
	answer(&s, LISTED("'2701'"));
	expect_done(&s, OUTCOME_PASSED, "{'device_reservation_id': '2701', 'end': '2026-01-01 00:10:00'}");
	script_close(&s);
}

static void it_must_be_for_some_time(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "reserve_device", "{'device': {'id': 26}, 'for': 0}");
	expect_failure(&s, GR_CONFIG, "'for'");
	script_close(&s);
}

static void a_stop_warns_of_an_unanswered_reservation(void **state)
{
	struct script s;

	(void)state;
	open_step(&s, "");
	stop_script(&s, GR_CANCELLED);
	expect_done(&s, OUTCOME_CANCELLED, "{}");
	expect_text(s.action.warning, "may hold");
	script_close(&s);
}

/* ---- release_device ---- */

static void a_reservation_is_released_by_its_id(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "release_device", "{'reservation': 2696}");
	expect_call(&s, OP_RELEASE_RESERVE_DEVICE, "{'device_reservation_id': '2696'}");
	answer(&s, "{'success': true}");
	expect_done(&s, OUTCOME_PASSED, "{'device_reservation_id': '2696'}");
	assert_string_equal(s.action.released, "reservation/2696");
	script_close(&s);
}

static void a_refused_release_counts_when_the_list_has_it_no_more(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "release_device", "{'reservation': 2696}");
	refuse_call(&s, "{'success': false, 'message': 'not found'}");
	expect_call(&s, OP_CANCEL_RESERVE_DEVICE, "{'device_reservation_id': '2696'}");
	refuse_call(&s, "{'success': false, 'message': 'not found'}");
	expect_call(&s, OP_RESERVE_DEVICE_LIST, "{}");
	answer(&s, NOTHING);
	expect_done(&s, OUTCOME_PASSED, "{}");
	assert_string_equal(s.action.released, "reservation/2696");
	script_close(&s);
	script_start(&s, "release_device", "{'reservation': 2696}");
	refuse_call(&s, "{'success': false, 'message': 'not now'}");
	refuse_call(&s, "{'success': false, 'message': 'nor so'}");
	answer(&s, LISTED("2696"));
	expect_failure(&s, GR_RELEASE, "not now");
	expect_failure(&s, GR_RELEASE, "nor so");
	script_close(&s);
	script_start(&s, "release_device", "{'reservation': 2696}");
	send_answer(&s, CALL_FAILED, NULL);
	send_answer(&s, CALL_FAILED, NULL);
	expect_failure(&s, GR_RELEASE, "connection reset");
	script_close(&s);
	script_start(&s, "release_device", "{'reservation': 2696}");
	refuse_auth(&s);
	expect_failure(&s, GR_AUTH, "2696");
	script_close(&s);
}

static void a_reservation_that_has_not_begun_is_cancelled(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "release_device", "{'reservation': 2696}");
	refuse_call(&s, "{'success': false, 'message': 'has not begun'}");
	expect_call(&s, OP_CANCEL_RESERVE_DEVICE, "{'device_reservation_id': '2696'}");
	answer(&s, "{'success': true}");
	expect_done(&s, OUTCOME_PASSED, "{'device_reservation_id': '2696'}");
	assert_string_equal(s.action.released, "reservation/2696");
	script_close(&s);
}

static void a_device_is_released_by_this_runs_reservation_of_it(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "release_device", "{'device': " DEVICE "}");
	expect_call(&s, OP_RESERVE_DEVICE_LIST, "{}");
	answer(&s, LISTED("2702"));
	expect_call(&s, OP_RELEASE_RESERVE_DEVICE, "{'device_reservation_id': '2702'}");
	answer(&s, "{'success': true}");
	expect_done(&s, OUTCOME_PASSED, "{'device_reservation_id': '2702'}");
	script_close(&s);
	script_start(&s, "release_device", "{'device': " DEVICE "}");
	answer(&s, NOTHING);
	expect_call(&s, OP_RELEASE_DEVICE, "{'device_id': '26'}");
	answer(&s, "{'success': true}");
	expect_done(&s, OUTCOME_PASSED, "{'device_reservation_id': null}");
	assert_null(s.action.released);
	script_close(&s);
	script_start(&s, "release_device", "{'device': " DEVICE "}");
	answer(&s, NOTHING);
	refuse_call(&s, "{'success': false, 'message': 'no'}");
	expect_failure(&s, GR_RELEASE, "release Galaxy S23");
	script_close(&s);
	script_start(&s, "release_device", "{}");
	expect_failure(&s, GR_CONFIG, "`reservation:`");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reserves_and_registers_what_it_holds),
	        cmocka_unit_test(the_user_is_looked_up_when_not_known),
	        cmocka_unit_test(a_refusal_is_no_device),
	        cmocka_unit_test(only_a_word_that_grants_is_believed),
	        cmocka_unit_test(one_that_is_not_granted_is_taken_back),
	        cmocka_unit_test(a_lost_answer_is_looked_up_then_sent_once_more),
	        cmocka_unit_test(a_resumed_reservation_is_looked_up_first),
	        cmocka_unit_test(it_must_be_for_some_time),
	        cmocka_unit_test(a_stop_warns_of_an_unanswered_reservation),
	        cmocka_unit_test(a_reservation_is_released_by_its_id),
	        cmocka_unit_test(a_refused_release_counts_when_the_list_has_it_no_more),
	        cmocka_unit_test(a_reservation_that_has_not_begun_is_cancelled),
	        cmocka_unit_test(a_device_is_released_by_this_runs_reservation_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
