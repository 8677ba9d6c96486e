/* Holding devices and giving them back; windows are on the real clock. */
#include "tests/unit/sandbox/client.h"

#include "runner/base/clock.h"

/* Reserve device 27 from `from_s` to `to_s` seconds from now, in UTC shifted by `offset_s`. */
static void reserve(struct world *world, int64_t from_s, int64_t to_s, const char *zone, int64_t offset_s)
{
	char from[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES];
	int64_t now = clock_wall_ms() + offset_s * 1000;

	(void)clock_format_api(now + from_s * 1000, from);
	(void)clock_format_api(now + to_s * 1000, to);
	post(world, "/api/user/reservedevice/1/", TOKEN(world), "device_id", "27", "start_date_time", from,
	        "end_date_time", to, "timezone", zone, "comments", "key abc");
}

static void it_reserves_and_releases(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	world_open(&world, NULL, FAST);
	reserve(&world, -5, 3600, "UTC", 0);
	assert_accepted(&world);
	assert_string_equal(dig_text(&world, "ReservationStatus"), "Accepted");
	id = gr_strdup(dig_text(&world, "device_reservation_id"));
	assert_string_equal(id, "2696");
	post(&world, "/api/get-user-devices", TOKEN(&world));
	assert_string_equal(dig_text(&world, "data.1.is_reserved"), "1");
	assert_string_equal(dig_text(&world, "data.1.reserved_device_user_email"), "tester@example.com");
	reserve(&world, 60, 120, "UTC", 0);
	assert_refused(&world, "already reserved");
	post(&world, "/api/user/reservedevicelist", TOKEN(&world), "timezone", "UTC");
	assert_string_equal(dig_text(&world, "data.0.comments"), "key abc");
	post(&world, "/api/user/cancelreservedevice", TOKEN(&world), "device_reservation_id", id);
	assert_refused(&world, "started");
	post(&world, "/api/user/releasereservedevice", TOKEN(&world), "device_reservation_id", id);
	assert_accepted(&world);
	post(&world, "/api/user/releasereservedevice", TOKEN(&world), "device_reservation_id", id);
	assert_refused(&world, "not found");
	get(&world, "/sandbox/state");
	assert_int_equal(json_array_size(dig(&world, "reservations")), 0);
	world_close(&world);
}

static void it_cancels_only_what_has_not_begun(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, FROZEN);
	reserve(&world, 600, 1200, "Asia/Kolkata", 330 * 60);
	assert_accepted(&world);
	post(&world, "/api/get-user-devices", TOKEN(&world));
	assert_string_equal(dig_text(&world, "data.1.is_reserved"), "0");
	post(&world, "/api/user/releasereservedevice", TOKEN(&world), "device_reservation_id", "2696");
	assert_refused(&world, "not started");
	post(&world, "/api/user/cancelreservedevice", TOKEN(&world), "device_reservation_id", "2696");
	assert_accepted(&world);
	world_close(&world);
}

static void it_can_take_every_reservation_for_one_that_has_not_begun(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, "reservation_begins: later", FROZEN);
	reserve(&world, -5, 600, "UTC", 0);
	post(&world, "/api/user/releasereservedevice", TOKEN(&world), "device_reservation_id", "2696");
	assert_refused(&world, "not started");
	post(&world, "/api/user/cancelreservedevice", TOKEN(&world), "device_reservation_id", "2696");
	assert_accepted(&world);
	world_close(&world);
}

static void it_lists_a_new_reservation_late(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, "faults: [{operation: reserve_device, call: 1, kind: list_delay, seconds: 1000}]", FROZEN);
	reserve(&world, -5, 600, "UTC", 0);
	assert_accepted(&world);
	post(&world, "/api/user/reservedevicelist", TOKEN(&world), "timezone", "UTC");
	assert_int_equal(json_array_size(dig(&world, "data")), 0);
	post(&world, "/api/user/releasereservedevice", TOKEN(&world), "device_reservation_id", "2696");
	assert_accepted(&world);
	world_close(&world);
}

static void it_gives_the_device_back_by_its_own_id_too(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, FROZEN);
	reserve(&world, -5, 600, "UTC", 0);
	post(&world, "/api/user/releasedevice/27/", TOKEN(&world));
	assert_accepted(&world);
	get(&world, "/sandbox/state");
	assert_int_equal(json_array_size(dig(&world, "reservations")), 0);
	post(&world, "/api/user/releasedevice/43/", TOKEN(&world));
	assert_refused(&world, "another user");
	world_close(&world);
}

static void it_keeps_others_out(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL, *other = NULL;

	(void)state;
	world_open(&world, NULL, FROZEN);
	world_sign_in(&world);
	id = world_upload(&world);
	reserve(&world, -5, 600, "UTC", 0);
	world_run(&world, "12", "SB27", id);
	assert_accepted(&world);
	post(&world, "/api/get-usertoken", "email", "other@example.com", "password", "sandbox-too");
	other = gr_strdup(dig_text(&world, "user_token"));
	post(&world, "/api/user/releasereservedevice", "user_token", other, "device_reservation_id", "2696");
	assert_refused(&world, "not found");
	post(&world, "/api/user/uninstall-app/27/", "user_token", other, "bundle_id", "x");
	assert_refused(&world, "reserved");
	world_close(&world);
}

static void it_refuses_times_it_cannot_read(void **state)
{
	static const char *const times[] = {"", "tomorrow", "2030-13-01 00:00:00", "2030-01-01T00:00:00",
	        "2030-01-01 24:00:00", "2030-01-01 00:00:0x", "2030-01-01 00:00:00 "};
	struct world world;
	size_t i;

	(void)state;
	world_open(&world, NULL, FROZEN);
	for (i = 0; i < GR_COUNT(times); i++) {
		post(&world, "/api/user/reservedevice/1/", TOKEN(&world), "device_id", "27", "start_date_time",
		        times[i], "end_date_time", "2040-01-01 00:00:00", "timezone", "UTC", "comments", "c");
		assert_refused(&world, "");
	}
	reserve(&world, 600, 500, "UTC", 0);
	assert_refused(&world, "Invalid reservation time");
	reserve(&world, -600, -500, "UTC", 0);
	assert_refused(&world, "future");
	reserve(&world, 0, 600, "Mars/Olympus", 0);
	assert_refused(&world, "Invalid reservation time");
	world_close(&world);
}

static void it_does_not_hold_what_is_not_accepted(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, "reservation_status: Pending", FROZEN);
	reserve(&world, -5, 600, "UTC", 0);
	assert_string_equal(dig_text(&world, "ReservationStatus"), "Pending");
	post(&world, "/api/get-user-devices", TOKEN(&world));
	assert_string_equal(dig_text(&world, "data.1.is_reserved"), "0");
	world_close(&world);
}

static int set_up(void **state)
{
	(void)state;
	gr_memory_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reserves_and_releases),
	        cmocka_unit_test(it_cancels_only_what_has_not_begun),
	        cmocka_unit_test(it_can_take_every_reservation_for_one_that_has_not_begun),
	        cmocka_unit_test(it_lists_a_new_reservation_late),
	        cmocka_unit_test(it_gives_the_device_back_by_its_own_id_too),
	        cmocka_unit_test(it_keeps_others_out),
	        cmocka_unit_test(it_refuses_times_it_cannot_read),
	        cmocka_unit_test(it_does_not_hold_what_is_not_accepted),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
