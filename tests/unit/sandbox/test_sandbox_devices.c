/* Devices and native runs in the states a scenario can put them in. */
#include "tests/unit/sandbox/client.h"

static void it_shows_flags_and_reservations_as_they_are(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, FROZEN);
	post(&world, "/api/get-user-devices", TOKEN(&world));
	assert_int_equal(json_array_size(dig(&world, "data")), 9);
	assert_string_equal(dig_text(&world, "data.4.is_offline"), "1");
	assert_string_equal(dig_text(&world, "data.4.is_connected"), "0");
	assert_string_equal(dig_text(&world, "data.5.is_reserved"), "1");
	assert_string_equal(dig_text(&world, "data.5.reserved_device_user_email"), "other@example.com");
	assert_string_equal(dig_text(&world, "data.6.device_type"), "1");
	assert_string_equal(dig_text(&world, "data.6.tags"), "iOSRegression");
	world_close(&world);
}

static void it_filters_devices(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, FROZEN);
	post(&world, "/api/get-devices-info", TOKEN(&world), "device_type", "Android", "platform_version", "15");
	assert_int_equal(json_array_size(dig(&world, "devices")), 2);
	post(&world, "/api/get-devices-info", TOKEN(&world), "device_id", "42");
	assert_string_equal(dig_text(&world, "devices.device_status"), "Offline");
	assert_int_equal(json_integer_value(dig(&world, "devices.device_id")), 42);
	post(&world, "/api/get-devices-info", TOKEN(&world), "device_id", "43");
	assert_string_equal(dig_text(&world, "devices.device_status"), "Reserved");
	post(&world, "/api/get-devices-info", TOKEN(&world), "device_id", "999");
	assert_int_equal(json_array_size(dig(&world, "devices")), 0);
	world_close(&world);
}

static void it_loses_devices_for_a_while(void **state)
{
	static const char yaml[] =
	        "devices:\n- {id: 1, name: Gone, platform: android, os: 14, offline_from: 0}\n"
	        "- {id: 2, name: Back, platform: android, os: 14, offline_from: 0, offline_until: 0.000001}\n";
	struct world world;

	(void)state;
	world_open(&world, yaml, FAST);
	post(&world, "/api/get-user-devices", TOKEN(&world));
	assert_string_equal(dig_text(&world, "data.0.is_offline"), "1");
	assert_string_equal(dig_text(&world, "data.1.is_offline"), "0");
	post(&world, "/devicecloud/api/restartDevice", TOKEN(&world), "device_id", "1");
	assert_refused(&world, "offline");
	world_close(&world);
}

static void it_gives_capabilities_of_a_free_device_only(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, FROZEN);
	post(&world, "/api/cap-builder", TOKEN(&world), "device_type", "android", "device_name", "Pixel 8",
	        "os_version", "15");
	assert_true(json_is_true(dig(&world, "status")));
	assert_string_equal(dig_text(&world, "data.device_id"), "41");
	assert_string_equal(dig_text(&world, "data.user_token"), world.token);
	post(&world, "/api/cap-builder", TOKEN(&world), "device_type", "android", "device_name", "Pixel 6");
	assert_refused(&world, "No device");
	post(&world, "/api/cap-builder", TOKEN(&world), "device_type", "ios", "device_tag", "iOSRegression");
	assert_string_equal(dig_text(&world, "data.device_id"), "31");
	post(&world, "/api/user/builds", TOKEN(&world), "device_id", "31");
	assert_string_equal(dig_text(&world, "data.0.build_number"), "3032");
	post(&world, "/api/user/logs/3032/", TOKEN(&world));
	get(&world, strstr(dig_text(&world, "data.0.src"), "/device-cloud/"));
	assert_int_equal(world.status, 200);
	world_close(&world);
}

static void it_gives_up_on_an_install_that_never_ends(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	world_open(&world, "devices: [{id: 1, name: Stuck, platform: android, os: 14, install: never}]", FAST);
	world_sign_in(&world);
	id = world_upload(&world);
	post(&world, "/api/build/app-install", TOKENS(&world), "process_type", "oaa", "s_device", "SB1", "app_build_id",
	        id);
	assert_refused(&world, "timed out");
	post(&world, "/ci/app_build_install", TOKENS(&world), "process_type", "oaa", "s_device", "SB1", "app_build_id",
	        id);
	get(&world, strstr(dig_text(&world, "response_url"), "/device-cloud/"));
	assert_null(strstr(world.raw.data, "Success"));
	world_close(&world);
}

static void it_writes_the_log_of_a_native_suite_as_told(void **state)
{
	static const char yaml[] = "native:\n- match: '*own*'\n  all: 1\n  failed: 1\n  log: \"line one\\nline "
	                           "two\\n\"\n  recording: false\n  status: 9\n"
	                           "- match: '*'\n  all: 3\n  passed: 1\n  failed: 1\n  log: instrumentation\n  "
	                           "tests:\n  - {class: a.B, name: works}\n"
	                           "  - {class: a.B, name: breaks, outcome: fail, reason: so}\n  - {class: a.C, name: "
	                           "waits, outcome: skipped}\n";
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	world_open(&world, yaml, FAST);
	world_sign_in(&world);
	id = world_upload(&world);
	post(&world, "/api/run-native-test", TOKEN(&world), "build_name", "my own", "app_build_id", id, "device_id",
	        "27", "file@t.apk", "PK");
	post(&world, "/api/get-native-test-result", TOKEN(&world), "native_test_build_id", "71");
	assert_string_equal(dig_text(&world, "data.0.status"), "9");
	assert_string_equal(dig_text(&world, "data.0.device_recording_path"), "");
	get(&world, strstr(dig_text(&world, "data.0.log_path"), "/process/"));
	assert_non_null(strstr(world.raw.data, "\r\n\r\nline one\nline two\n"));
	post(&world, "/api/run-native-test", TOKEN(&world), "build_name", "n", "app_build_id", id, "device_id", "27",
	        "file@t.apk", "PK");
	post(&world, "/api/get-native-test-result", TOKEN(&world), "native_test_build_id", "72");
	assert_string_equal(dig_text(&world, "data.0.all_testcase"), "3");
	get(&world, strstr(dig_text(&world, "data.0.log_path"), "/process/"));
	assert_non_null(strstr(world.raw.data, "INSTRUMENTATION_STATUS: stack=java.lang.AssertionError: so\n"));
	assert_non_null(strstr(world.raw.data, "test=waits\nINSTRUMENTATION_STATUS_CODE: -3\n"));
	world_close(&world);
}

static void it_has_a_web_build_to_run(void **state)
{
	struct world world;
	GR_AUTO_FREE char *app = NULL, *version = NULL;

	(void)state;
	world_open(&world, NULL, FAST);
	post(&world, "/api/user/buildinfo/301/", TOKEN(&world));
	assert_string_equal(dig_text(&world, "data.version_id"), "483");
	assert_string_equal(dig_text(&world, "data.platform_type"), "web");
	post(&world, "/api/user/build/483/", TOKEN(&world));
	app = gr_strdup(dig_text(&world, "data.application_token"));
	version = gr_strdup(dig_text(&world, "data.version_token"));
#define WEB(build)                                                                                                     \
	post(&world, "/ci/app_build_run", TOKEN(&world), "application_token", app, "version_token", version,           \
	        "version_module_id", "31", "s_device", "SB101", "process_type", "ow", "app_build_id", build,           \
	        "test_website_url", "https://shop.example.com")
	WEB("301");
	assert_int_equal(json_integer_value(dig(&world, "build_version")), 2);
	WEB(""); /* a website needs no upload */
	assert_accepted(&world);
	post(&world, "/ci/execution_detail", TOKEN(&world), "application_token", app, "build_number", "2");
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_pass"), "3");
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
	        cmocka_unit_test(it_shows_flags_and_reservations_as_they_are),
	        cmocka_unit_test(it_filters_devices),
	        cmocka_unit_test(it_loses_devices_for_a_while),
	        cmocka_unit_test(it_gives_capabilities_of_a_free_device_only),
	        cmocka_unit_test(it_gives_up_on_an_install_that_never_ends),
	        cmocka_unit_test(it_writes_the_log_of_a_native_suite_as_told),
	        cmocka_unit_test(it_has_a_web_build_to_run),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
