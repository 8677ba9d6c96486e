/* What goes wrong on purpose, as a client meets it. */
#include "tests/unit/sandbox/client.h"

static void list_builds(struct world *world)
{
	post(world, "/ci/build_list", TOKEN(world), "application_token", world->application);
}

static void it_answers_with_the_status_and_headers_asked_for(void **state)
{
	struct world world;

	(void)state;
	world_open(&world,
	        "faults: [{operation: user_list, call: 2, kind: status, status: 429, headers: {Retry-After: 7}, body: "
	        "'slow down'}]",
	        FROZEN);
	post(&world, "/api/user/list", TOKEN(&world));
	assert_accepted(&world);
	post(&world, "/api/user/list", TOKEN(&world));
	assert_int_equal(world.status, 429);
	assert_non_null(strstr(world.raw.data, "Retry-After: 7\r\n"));
	assert_non_null(strstr(world.raw.data, "slow down"));
	post(&world, "/api/user/list", TOKEN(&world));
	assert_accepted(&world);
	world_close(&world);
}

static void it_does_no_work_before_an_early_reset_and_all_of_it_before_a_late_one(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL, *log = NULL;

	(void)state;
	world_open(&world,
	        "faults:\n- {operation: app_build_run, call: 1, kind: reset_before}\n- {operation: app_build_run, "
	        "call: 2, kind: reset_after}\n",
	        FROZEN);
	world_sign_in(&world);
	id = world_upload(&world);
	world_run(&world, "12", "SB27", id);
	assert_int_equal(world.raw.bytes, 0);
	get(&world, "/sandbox/state");
	assert_int_equal(json_integer_value(dig(&world, "runs_started")), 0);
	world_run(&world, "12", "SB27", id);
	assert_int_equal(world.raw.bytes, 0);
	get(&world, "/sandbox/state");
	assert_int_equal(json_integer_value(dig(&world, "runs_started")), 1);
	assert_string_equal(dig_text(&world, "runs.0.build_number"), "6");
	log = world_log(&world);
	assert_non_null(strstr(log, "\"fault\":\"reset_after\",\"status\":0"));
	world_close(&world);
}

static void it_hangs_until_the_sandbox_ends(void **state)
{
	struct world world;
	const char *const fields[] = {"user_token", "x", NULL};

	(void)state;
	world_open(&world, "faults: [{operation: user_list, kind: hang}]", FROZEN);
	post_for(&world, 50, "/api/user/list", fields);
	assert_int_equal(world.raw.bytes, 0);
	post(&world, "/api/user/teamlist/", TOKEN(&world)); /* others are served meanwhile */
	assert_accepted(&world);
	world_close(&world); /* does not wait for the one that hangs */
}

static void it_cuts_bodies_off(void **state)
{
	struct world world;
	const char *length = NULL;

	(void)state;
	world_open(&world, "faults: [{operation: user_list, kind: cut_body}]", FROZEN);
	post(&world, "/api/user/list", TOKEN(&world));
	length = strstr(world.raw.data, "Content-Length: ");
	assert_int_equal(world.status, 200);
	assert_non_null(length);
	assert_null(world.json);
	assert_true(strlen(strstr(world.raw.data, "\r\n\r\n")) > 10);
	world_close(&world);
}

static void it_sends_what_is_not_json(void **state)
{
	struct world world;

	(void)state;
	world_open(&world,
	        "faults:\n- {operation: user_list, call: 1, kind: garbage}\n- {operation: user_list, call: 2, kind: "
	        "html}\n"
	        "- {operation: user_list, call: 3, kind: empty}\n",
	        FROZEN);
	post(&world, "/api/user/list", TOKEN(&world));
	assert_int_equal(world.status, 200);
	assert_null(world.json);
	post(&world, "/api/user/list", TOKEN(&world));
	assert_int_equal(world.status, 200);
	assert_non_null(strstr(world.raw.data, "text/html"));
	assert_non_null(strstr(world.raw.data, "<html>"));
	post(&world, "/api/user/list", TOKEN(&world));
	assert_int_equal(world.status, 200);
	assert_non_null(strstr(world.raw.data, "Content-Length: 0\r\n"));
	world_close(&world);
}

static void it_drips_and_comes_late_but_whole(void **state)
{
	struct world world;

	(void)state;
	world_open(&world,
	        "faults:\n- {operation: user_list, call: 1, kind: slow, bytes: 64, seconds: 5}\n"
	        "- {operation: user_list, call: 2, kind: late, seconds: 40}\n",
	        2000);
	post(&world, "/api/user/list", TOKEN(&world));
	assert_accepted(&world);
	get(&world, "/sandbox/state");
	assert_true(json_real_value(dig(&world, "now")) >= 20); /* at least four pieces */
	post(&world, "/api/user/list", TOKEN(&world));
	assert_accepted(&world);
	get(&world, "/sandbox/state");
	assert_true(json_real_value(dig(&world, "now")) >= 60);
	world_close(&world);
}

static void it_redirects(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, "faults: [{operation: user_list, kind: redirect, url: 'http://127.0.0.1:9/x'}]", FROZEN);
	post(&world, "/api/user/list", TOKEN(&world));
	assert_int_equal(world.status, 307);
	assert_non_null(strstr(world.raw.data, "Location: http://127.0.0.1:9/x\r\n"));
	world_close(&world);
}

static void it_starts_a_foreign_build_beside_ours(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	world_open(&world, "faults: [{operation: app_build_run, kind: foreign_build}]", FROZEN);
	world_sign_in(&world);
	id = world_upload(&world);
	world_run(&world, "12", "SB27", id);
	assert_int_equal(json_integer_value(dig(&world, "build_version")), 7);
	list_builds(&world);
	assert_string_equal(dig_text(&world, "build_list.1.build_number"), "6");
	world_details(&world, "6");
	assert_string_not_equal(dig_text(&world, "build_devices.0.device_name"), "Galaxy S23");
	get(&world, "/sandbox/state");
	assert_int_equal(json_integer_value(dig(&world, "runs_started")), 1);
	world_close(&world);
}

static void it_lists_a_new_build_late(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	world_open(&world, "faults: [{operation: app_build_run, call: 1, kind: list_delay, seconds: 1000}]", FROZEN);
	world_sign_in(&world);
	id = world_upload(&world);
	world_run(&world, "12", "SB27", id);
	list_builds(&world);
	assert_string_equal(dig_text(&world, "build_list.0.build_number"), "5");
	world_run(&world, "12", "SB40", id);
	list_builds(&world);
	assert_string_equal(dig_text(&world, "build_list.0.build_number"), "7");
	assert_string_equal(dig_text(&world, "build_list.1.build_number"), "5");
	world_close(&world);
}

static void it_loses_tests_and_devices_from_later_answers(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	world_open(&world,
	        "faults:\n- {operation: execution_details, from: 2, kind: shrink, count: 3}\n"
	        "- {operation: execution_details, from: 3, kind: device_vanishes}\n"
	        "- {operation: get_device_list, kind: device_vanishes, device: Pixel 7}\n",
	        FAST);
	world_sign_in(&world);
	id = world_upload(&world);
	world_run(&world, "12", "SB27", id);
	world_details(&world, "6");
	assert_int_equal(json_array_size(dig(&world, "build_devices.0.test_cases")), 8);
	world_details(&world, "6");
	assert_int_equal(json_array_size(dig(&world, "build_devices.0.test_cases")), 5);
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_pass"), "5");
	world_details(&world, "6");
	assert_int_equal(json_array_size(dig(&world, "build_devices")), 0);
	post(&world, "/api/get-user-devices", TOKEN(&world));
	assert_int_equal(json_array_size(dig(&world, "data")), 8);
	assert_null(strstr(world.raw.data, "Pixel 7"));
	world_close(&world);
}

static void it_fails_releases(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, "faults: [{operation: release_device, until: 1, kind: release_fails}]", FROZEN);
	post(&world, "/api/user/releasedevice/27/", TOKEN(&world));
	assert_refused(&world, "could not be released");
	post(&world, "/api/user/releasedevice/27/", TOKEN(&world));
	assert_accepted(&world);
	world_close(&world);
}

static void it_spoils_files_too(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, "faults: [{operation: file_device_log, call: 1, kind: cut_body}]", FROZEN);
	get(&world, "/device-cloud/DeviceLogs/SANDBOX27/DeviceLog.txt");
	assert_null(strstr(world.raw.data, "log opened"));
	get(&world, "/device-cloud/DeviceLogs/SANDBOX27/DeviceLog.txt");
	assert_non_null(strstr(world.raw.data, "log opened"));
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
	        cmocka_unit_test(it_answers_with_the_status_and_headers_asked_for),
	        cmocka_unit_test(it_does_no_work_before_an_early_reset_and_all_of_it_before_a_late_one),
	        cmocka_unit_test(it_hangs_until_the_sandbox_ends),
	        cmocka_unit_test(it_cuts_bodies_off),
	        cmocka_unit_test(it_sends_what_is_not_json),
	        cmocka_unit_test(it_drips_and_comes_late_but_whole),
	        cmocka_unit_test(it_redirects),
	        cmocka_unit_test(it_starts_a_foreign_build_beside_ours),
	        cmocka_unit_test(it_lists_a_new_build_late),
	        cmocka_unit_test(it_loses_tests_and_devices_from_later_answers),
	        cmocka_unit_test(it_fails_releases),
	        cmocka_unit_test(it_spoils_files_too),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
