#include "script.h"

#define DEVICE(id, name, os, tags, busy)                                                                               \
	"{'device_id': " id ", 'device_name': '" name "', 'platform_version': '" os "', 'tags': '" tags                \
	"', 'device_type': '2', 's_device': 'S" id "', 'is_connected': '1', 'is_reserved': " busy                      \
	", 'reserved_device_user_email': 'a@b.c'}"
#define LIST(items) "{'success': true, 'data': [" items "]}"
#define S21 DEVICE("1", "Galaxy S21", "14", "regression,slow", "0")
#define S22 DEVICE("2", "Galaxy S22", "12", "", "0")
#define S23 DEVICE("3", "Galaxy S23", "14.1", "", "'0'")
#define PIXEL DEVICE("4", "Pixel 8", "15", "regression", "0")
#define BUSY DEVICE("5", "Galaxy S25", "15", "", "'1'")
#define IPHONE                                                                                                         \
	"{'device_id': 9, 'device_name': 'Galaxy S99', 'platform_version': '18', 'device_type': '1', 'is_connected': " \
	"'1'}"
#define GALAXY "'any_of': [{'name': 'Galaxy S2*', 'os': '>=13'}, {'tag': 'regression'}]"
#define WITH(more) "{" GALAXY more "}"

static void expect_devices(const struct script *script, const char *ids)
{
	json_t *wanted = quoted(ids), *devices = json_object_get(script->action.outputs, "devices"), *device = NULL;
	size_t i = 0;

	expect_done(script, OUTCOME_PASSED, "{}");
	assert_int_equal(json_array_size(devices), json_array_size(wanted));
	json_array_foreach (devices, i, device)
		assert_string_equal(json_string_value(json_object_get(device, "device_id")),
		        json_string_value(json_array_get(wanted, i)));
	json_decref(wanted);
}

static void it_takes_free_devices_in_order_of_preference(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "select_devices", WITH(", 'count': 3"));
	expect_call(&s, OP_GET_DEVICE_LIST, "{}");
	answer(&s, LIST(PIXEL ", " S22 ", " BUSY ", " IPHONE ", " S23 ", " S21));
	expect_devices(&s, "['3', '1', '4']");
	assert_int_equal(json_array_size(json_object_get(s.step.memory, "devices")), 3);
	script_restart(&s);
	expect_devices(&s, "['3', '1', '4']");
	script_close(&s);
}

static void one_is_taken_when_nothing_is_said(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "select_devices", WITH(""));
	answer(&s, LIST(S21 ", " S23));
	expect_devices(&s, "['1']");
	script_close(&s);
}

static void every_condition_of_an_entry_must_hold(void **state)
{
	struct script s;

	(void)state;
	script_start(
	        &s, "select_devices", "{'any_of': [{'tag': 'slow', 'id': '1', 'platform': 'android'}], 'count': 1}");
	answer(&s, LIST(PIXEL ", " S21));
	expect_devices(&s, "['1']");
	script_close(&s);
	script_start(&s, "select_devices",
	        "{'any_of': [{'tag': 'slo'}, {'udid': 'x'}, {'manufacturer': 'Sam*'}, {'platform': 'ios'}]}");
	answer(&s, LIST(PIXEL ", " S21 ", " IPHONE));
	expect_failure(&s, GR_NO_DEVICE, "matches");
	script_close(&s);
}

static void devices_of_others_can_be_left_out(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "select_devices", WITH(", 'except': ['1']"));
	answer(&s, LIST(S21 ", " S23));
	expect_devices(&s, "['3']");
	script_close(&s);
}

static void it_waits_for_busy_ones_until_the_limit(void **state)
{
	struct script s;
	int64_t began = 0;

	(void)state;
	script_start(&s, "select_devices", WITH(", 'count': 2, 'wait_ms': 60000"));
	began = s.now_ms;
	answer(&s, LIST(S21 ", " BUSY));
	expect_wait(&s, 1800, 2200);
	let_time_come(&s);
	expect_call(&s, OP_GET_DEVICE_LIST, "{}");
	answer(&s, LIST(S21 ", " S23));
	expect_devices(&s, "['1', '3']");
	script_close(&s);

	script_start(&s, "select_devices", WITH(", 'count': 2, 'wait_ms': 60000"));
	began = s.now_ms;
	for (int i = 0; i < 100 && s.result == 0; i++) {
		answer(&s, LIST(S21 ", " BUSY));
		if (s.result == 0)
			let_time_come(&s);
	}
	expect_failure(&s, GR_NO_DEVICE, "Galaxy S25 (device 5) is reserved by a@b.c");
	assert_in_range(s.now_ms - began, 60000, 61000);
	script_close(&s);
}

static void nothing_matching_is_said_at_once(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "select_devices", WITH(", 'wait_ms': 60000"));
	answer(&s, LIST(S22 ", " IPHONE));
	expect_failure(&s, GR_NO_DEVICE,
	        "of the account's 2 devices matches any_of (name Galaxy S2*, os >=13; tag regression) on android");
	script_close(&s);
}

#define RESERVED(id) "{'success': true, 'device_reservation_id': '" id "', 'ReservationStatus': 'Accepted'}"

static void it_reserves_each_device_and_registers_it(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "select_devices", WITH(", 'count': 2, 'reserve_ms': 3600000"));
	s.context.user_id = "77";
	s.wall_ms = 1767225600000; /* 2026-01-01 00:00:00 */
	script_begin(&s);
	answer(&s, LIST(S21 ", " S23));
	expect_call(&s, OP_RESERVE_DEVICE,
	        "{'user_id': '77', 'device_id': '1', 'start_date_time': '2026-01-01 00:00:00', 'end_date_time': "
	        "'2026-01-01 "
	        "01:00:00', 'timezone': 'UTC', 'comments': 'gridlane [gr:0123456789ab]'}");
	answer(&s, RESERVED("2696"));
	expect_call(&s, OP_RESERVE_DEVICE, "{'device_id': '3'}");
	assert_string_equal(json_string_value(json_object_get(s.action.acquired, "key")), "reservation/2696");
	assert_string_equal(json_string_value(json_object_get(s.action.acquired, "what")),
	        "reservation 2696 of Galaxy S21 (device 1)");
	assert_string_equal(
	        json_string_value(json_object_get(s.action.acquired, "operation")), "release_reserve_device");
	answer(&s, RESERVED("2697"));
	assert_string_equal(json_string_value(json_object_get(s.action.acquired, "key")), "reservation/2697");
	expect_devices(&s, "['1', '3']");
	script_close(&s);
}

static void the_only_user_is_looked_up(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "select_devices", WITH(", 'reserve_ms': 60000"));
	answer(&s, LIST(S21));
	expect_call(&s, OP_USER_LIST, "{}");
	answer(&s, "{'success': true, 'data': {'user_id': 5, 'email': 'x'}}");
	expect_call(&s, OP_RESERVE_DEVICE, "{'user_id': '5'}");
	script_close(&s);
	script_start(&s, "select_devices", WITH(", 'reserve_ms': 60000"));
	answer(&s, LIST(S21));
	answer(&s, "{'success': true, 'data': [{'user_id': 5}, {'user_id': 6}]}");
	expect_failure(&s, GR_CONFIG, "TESTGRID_USER_ID");
	script_close(&s);
}

static void an_unknown_user_is_told_before_any_wait(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "select_devices", WITH(", 'count': 1, 'reserve_ms': 60000, 'wait_ms': 600000"));
	answer(&s, LIST(BUSY));
	expect_call(&s, OP_USER_LIST, "{}");
	answer(&s, "{'success': true, 'data': [{'user_id': 1}, {'user_id': 2}]}");
	expect_failure(&s, GR_CONFIG, "TESTGRID_USER_ID");
	script_close(&s);
}

static void open_reserving(struct script *script, const char *more)
{
	char *with = gr_printf("{" GALAXY ", 'reserve_ms': 60000, 'wait_ms': 60000%s}", more);

	script_open(script, "select_devices", with);
	gr_free(with);
	script->context.user_id = "77";
	script_begin(script);
}

static void a_refused_reservation_goes_on_to_the_next_device(void **state)
{
	struct script s;

	(void)state;
	open_reserving(&s, "");
	answer(&s, LIST(S21 ", " S23));
	refuse_call(&s, "{'success': false, 'message': 'taken'}");
	expect_call(&s, OP_RESERVE_DEVICE, "{'device_id': '3'}");
	refuse_call(&s, "{'success': false, 'message': 'taken'}");
	expect_wait(&s, 1800, 2200);
	let_time_come(&s);
	expect_call(&s, OP_GET_DEVICE_LIST, "{}");
	script_close(&s);
}

static void the_servers_reason_for_a_refusal_is_named(void **state)
{
	struct script s;

	(void)state;
	open_reserving(&s, "");
	answer(&s, LIST(S21));
	refuse_call(&s, "{'success': false, 'message': 'already reserved for this time slot'}");
	expect_wait(&s, 1800, 2200);
	expect_text(s.action.progress, "waiting for 1 of 1 devices");
	expect_text(s.action.progress, "was refused: already reserved for this time slot");
	for (int i = 0; i < 100 && s.result == 0; i++) {
		let_time_come(&s);
		answer(&s, LIST(S21));
		if (s.result == 0)
			refuse_call(&s, "{'success': false, 'message': 'already reserved for this time slot'}");
	}
	expect_failure(&s, GR_NO_DEVICE, "0 of 1 devices were to be had");
	expect_failure(&s, GR_NO_DEVICE,
	        "Galaxy S21 (device 1) is free, and its reservation was refused: already reserved for this time slot");
	script_close(&s);
}

static void a_reservation_that_is_not_granted_is_given_back(void **state)
{
	struct script s;

	(void)state;
	open_reserving(&s, "");
	answer(&s, LIST(S21 ", " S23));
	answer(&s, "{'success': true, 'device_reservation_id': 8, 'ReservationStatus': 'Pending'}");
	expect_call(&s, OP_RESERVE_DEVICE, "{'device_id': '3'}");
	assert_string_equal(
	        json_string_value(json_object_get(s.action.acquired, "operation")), "cancel_reserve_device");
	assert_true(json_is_true(json_object_get(s.action.acquired, "at_once")));
	expect_text(s.action.warning, "not granted");
	/* Nobody grants it within this wait: it is not asked for again, and nothing is left to wait for. */
	answer(&s, "{'success': true, 'device_reservation_id': 9, 'ReservationStatus': 'Pending'}");
	expect_call(&s, OP_GET_DEVICE_LIST, "{}");
	assert_string_equal(json_string_value(json_object_get(s.action.acquired, "key")), "reservation/9");
	answer(&s, LIST(S21 ", " DEVICE("3", "Galaxy S23", "14.1", "", "'1'")));
	expect_failure(&s, GR_NO_DEVICE, "Galaxy S21 (device 1) is free, and its reservation was not granted");
	expect_failure(&s, GR_NO_DEVICE, "(device 3) is reserved by a@b.c, and its reservation was not granted");
	script_close(&s);
}

static void a_lost_reservation_is_looked_for_by_its_marker(void **state)
{
	struct script s;

	(void)state;
	open_reserving(&s, "");
	answer(&s, LIST(S21 ", " S23));
	lose_answer(&s);
	expect_call(&s, OP_RESERVE_DEVICE_LIST, "{'timezone': 'UTC'}");
	answer(&s, LIST("{'device_reservation_id': 7, 'device_id': 1, 'comments': 'mine'}, {'device_reservation_id': "
	                "8, 'device_id': '1', "
	                "'comments': 'gridlane [gr:0123456789ab]'}, {'device_reservation_id': 9, 'device_id': '3', "
	                "'comments': 'gridlane "
	                "[gr:0123456789ab]'}"));
	assert_string_equal(json_string_value(json_object_get(s.action.acquired, "key")), "reservation/8");
	expect_devices(&s, "['1']");
	script_close(&s);

	open_reserving(&s, "");
	answer(&s, LIST(S21 ", " S23));
	lose_answer(&s);
	answer(&s, LIST(""));
	expect_call(&s, OP_RESERVE_DEVICE, "{'device_id': '3'}");
	lose_answer(&s);
	send_answer(&s, CALL_FAILED, NULL);
	expect_failure(&s, GR_NETWORK, "perhaps reserved");
	script_close(&s);
}

static void a_device_that_is_not_free_any_more_may_be_ours(void **state)
{
	struct script s;

	(void)state;
	for (int is_refused = 0; is_refused < 2; is_refused++) {
		open_reserving(&s, "");
		answer(&s, LIST(S21));
		if (is_refused) {
			refuse_call(&s, "{'success': false, 'message': 'taken'}");
		} else {
			lose_answer(&s);
			answer(&s, LIST("")); /* it lags */
		}
		let_time_come(&s);
		answer(&s, LIST(DEVICE("1", "Galaxy S21", "14", "", "'1'")));
		expect_call(&s, OP_RESERVE_DEVICE_LIST, "{}");
		answer(&s, LIST("")); /* still; asked once in a round */
		expect_call(&s, OP_GET_DEVICE_LIST, "{}");
		answer(&s, LIST(DEVICE("1", "Galaxy S21", "14", "", "'1'")));
		let_time_come(&s);
		answer(&s, LIST(DEVICE("1", "Galaxy S21", "14", "", "'1'")));
		answer(&s, LIST("{'device_reservation_id': 9, 'device_id': '1', 'comments': 'x [gr:0123456789ab]'}"));
		assert_string_equal(json_string_value(json_object_get(s.action.acquired, "key")), "reservation/9");
		expect_devices(&s, "['1']");
		script_close(&s);
	}
}

static void a_resumed_choice_keeps_what_it_holds(void **state)
{
	struct script s;

	(void)state;
	open_reserving(&s, ", 'count': 2");
	answer(&s, LIST(S21 ", " S23));
	answer(&s, RESERVED("1"));
	expect_call(&s, OP_RESERVE_DEVICE, "{'device_id': '3'}");
	script_restart(&s);
	/* The second one was sent and not answered: it is looked for. */
	expect_call(&s, OP_RESERVE_DEVICE_LIST, "{}");
	answer(&s, LIST("{'device_reservation_id': 9, 'device_id': '3', 'comments': 'gridlane [gr:0123456789ab]'}"));
	assert_string_equal(json_string_value(json_object_get(s.action.acquired, "key")), "reservation/9");
	expect_devices(&s, "['1', '3']");
	script_close(&s);

	open_reserving(&s, ", 'count': 2");
	answer(&s, LIST(S21 ", " S23));
	answer(&s, RESERVED("1"));
	script_restart(&s);
	answer(&s, LIST(""));
	expect_call(&s, OP_GET_DEVICE_LIST, "{}");
	answer(&s, LIST(S21 ", " PIXEL));
	expect_call(&s, OP_RESERVE_DEVICE, "{'device_id': '4'}");
	script_close(&s);
}

static void a_held_device_is_registered_before_anything_can_fail(void **state)
{
	struct script s;

	(void)state;
	open_reserving(&s, ", 'count': 2, 'wait_ms': 0");
	answer(&s, LIST(S21 ", " S23));
	answer(&s, RESERVED("1"));
	expect_call(&s, OP_RESERVE_DEVICE, "{'device_id': '3'}");
	answer(&s, "{'success': true, 'device_reservation_id': 8, 'ReservationStatus': 'Rejected'}");
	expect_call(&s, OP_GET_DEVICE_LIST, "{}");
	assert_non_null(s.action.acquired);
	answer(&s, LIST(BUSY));
	expect_failure(&s, GR_NO_DEVICE, "1 of 2");
	script_close(&s);
}

static void a_stop_warns_of_an_unanswered_reservation(void **state)
{
	struct script s;

	(void)state;
	open_reserving(&s, "");
	answer(&s, LIST(S21));
	stop_script(&s, GR_CANCELLED);
	expect_done(&s, OUTCOME_CANCELLED, "{}");
	expect_text(s.action.warning, "may hold the device");
	script_close(&s);
	open_reserving(&s, "");
	stop_script(&s, GR_DEADLINE);
	expect_done(&s, OUTCOME_ERROR, "{}");
	assert_null(s.action.warning);
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_takes_free_devices_in_order_of_preference),
	        cmocka_unit_test(one_is_taken_when_nothing_is_said),
	        cmocka_unit_test(every_condition_of_an_entry_must_hold),
	        cmocka_unit_test(devices_of_others_can_be_left_out),
	        cmocka_unit_test(it_waits_for_busy_ones_until_the_limit),
	        cmocka_unit_test(nothing_matching_is_said_at_once),
	        cmocka_unit_test(it_reserves_each_device_and_registers_it),
	        cmocka_unit_test(the_only_user_is_looked_up),
	        cmocka_unit_test(an_unknown_user_is_told_before_any_wait),
	        cmocka_unit_test(a_refused_reservation_goes_on_to_the_next_device),
	        cmocka_unit_test(the_servers_reason_for_a_refusal_is_named),
	        cmocka_unit_test(a_reservation_that_is_not_granted_is_given_back),
	        cmocka_unit_test(a_lost_reservation_is_looked_for_by_its_marker),
	        cmocka_unit_test(a_device_that_is_not_free_any_more_may_be_ours),
	        cmocka_unit_test(a_resumed_choice_keeps_what_it_holds),
	        cmocka_unit_test(a_held_device_is_registered_before_anything_can_fail),
	        cmocka_unit_test(a_stop_warns_of_an_unanswered_reservation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
