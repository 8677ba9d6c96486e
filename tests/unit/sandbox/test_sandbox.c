/* The main job from the token to the last log, as a client sees it. */
#include "tests/unit/sandbox/client.h"

static void it_gives_a_token_for_email_and_password(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, FROZEN);
	post(&world, "/api/get-usertoken", "email", "tester@example.com", "password", "sandbox");
	assert_accepted(&world);
	assert_string_equal(dig_text(&world, "user_token"), sandbox_token(world.sandbox));
	assert_string_equal(dig_text(&world, "teams"), "[]");
	assert_true(json_is_integer(dig(&world, "user_id")));
	post(&world, "/api/get-usertoken", "email", "tester@example.com", "password", "wrong");
	assert_refused(&world, "Invalid email or password");
	world_close(&world);
}

static void it_reads_urlencoded_bodies_as_well(void **state)
{
	struct world world;
	struct buffer request = {0}, body = {0};

	(void)state;
	world_open(&world, NULL, FROZEN);
	buffer_printf(&body, "timezone=Asia%%2FKolkata&user_token=%s", world.token);
	buffer_printf(&request,
	        "POST /api/user/reservedevicelist HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n"
	        "Content-Type: application/x-www-form-urlencoded\r\n\r\n%s",
	        body.bytes, body.data);
	client_send(&world, &request, 20000);
	assert_accepted(&world);
	assert_int_equal(json_array_size(dig(&world, "data")), 0);
	buffer_release(&request);
	buffer_release(&body);
	world_close(&world);
}

static void it_takes_paths_with_and_without_the_last_slash(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, FROZEN);
	post(&world, "/api/user/applications/223", TOKEN(&world));
	assert_accepted(&world);
	assert_string_equal(dig_text(&world, "data.versions.0.version_id"), "481");
	post(&world, "/api/user/applications/", TOKEN(&world));
	assert_accepted(&world);
	assert_int_equal(json_array_size(dig(&world, "data")), 3);
	post(&world, "/api/user/applications/223/x/", TOKEN(&world));
	assert_int_equal(world.status, 404);
	get(&world, "/api/user/applications");
	assert_int_equal(world.status, 405);
	world_close(&world);
}

static void it_hashes_uploads_and_lists_them(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL, *log = NULL, *path = NULL;
	char expected[65];

	(void)state;
	world_open(&world, NULL, FROZEN);
	world_sign_in(&world);
	id = world_upload(&world);
	assert_string_equal(dig_text(&world, "app_build_version"), "1");
	assert_string_equal(dig_text(&world, "statuscode"), "200");
	path = gr_printf("/api/user/buildinfo/%s/", id);
	post(&world, path, TOKEN(&world));
	assert_string_equal(dig_text(&world, "data.build_name"), "nightly");
	assert_string_equal(dig_text(&world, "data.platform_type"), "android");
	post(&world, "/api/user/build/481/", TOKEN(&world));
	assert_non_null(strstr(dig_text(&world, "data.app_build_list"), "\"build_name\":\"nightly\""));
	log = world_log(&world);
	file_sha256_memory("PK", 2, expected);
	assert_non_null(strstr(log, expected));
	assert_non_null(strstr(log, "\"bytes\":2"));
	world_close(&world);
}

static void it_waits_with_the_answer_of_a_synchronous_install(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	world_open(&world, "install_seconds: 30", 1000); /* 30 ms */
	world_sign_in(&world);
	id = world_upload(&world);
	post(&world, "/api/build/app-install", TOKENS(&world), "process_type", "oaa", "s_device", "SB27",
	        "app_build_id", id);
	assert_accepted(&world);
	get(&world, "/sandbox/state");
	assert_true(json_real_value(dig(&world, "now")) >= 30);
	assert_true(json_is_true(dig(&world, "installs.0.is_over")));
	post(&world, "/api/user/installed-app/27/", TOKEN(&world));
	assert_string_equal(dig_text(&world, "data.0.name"), "nightly");
	world_close(&world);
}

static void it_lets_the_log_of_an_install_grow(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL, *url = NULL;

	(void)state;
	world_open(&world, NULL, FROZEN);
	world_sign_in(&world);
	id = world_upload(&world);
	post(&world, "/ci/app_build_install", TOKENS(&world), "process_type", "oaa", "s_device", "SB27", "app_build_id",
	        id);
	assert_accepted(&world);
	url = gr_strdup(dig_text(&world, "response_url"));
	get(&world, strstr(url, "/device-cloud/"));
	assert_int_equal(world.status, 200);
	assert_null(strstr(world.raw.data, "Success"));
	world_close(&world);

	gr_free(gr_take(&id));
	gr_free(gr_take(&url));
	world_open(&world, NULL, FAST);
	world_sign_in(&world);
	id = world_upload(&world);
	post(&world, "/api/app-install", TOKEN(&world), "device_id", "27", "app_build_id", id);
	assert_true(json_is_true(dig(&world, "status")));
	url = gr_strdup(dig_text(&world, "response_url"));
	get(&world, strstr(url, "/device-cloud/"));
	assert_non_null(strstr(world.raw.data, "Success\n"));
	get(&world, "/device-cloud/apps/uploadlogs/none.txt");
	assert_int_equal(world.status, 404);
	world_close(&world);
}

static void it_fails_installs_that_the_scenario_fails(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	world_open(&world,
	        "devices: [{id: 1, name: Full, platform: android, os: '14', install: fail, reason: NO_SPACE}]", FAST);
	world_sign_in(&world);
	id = world_upload(&world);
	post(&world, "/api/build/app-install", TOKENS(&world), "process_type", "oaa", "s_device", "SB1", "app_build_id",
	        id);
	assert_refused(&world, "NO_SPACE");
	world_close(&world);
}

static void it_runs_a_module_to_its_end(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	world_open(&world, NULL, FAST);
	world_sign_in(&world);
	id = world_upload(&world);
	world_run(&world, "12", "SB27", id);
	assert_true(json_is_true(dig(&world, "status")));
	assert_int_equal(json_integer_value(dig(&world, "build_id")), 3506);
	assert_int_equal(json_integer_value(dig(&world, "build_version")), 6);
	world_details(&world, "6");
	assert_string_equal(dig_text(&world, "is_build_completed_in_all_devices"), "1");
	assert_non_null(strstr(dig_text(&world, "build_url"), "/build/apps/3506"));
	assert_string_equal(dig_text(&world, "build_devices.0.device_name"), "Galaxy S23");
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_pass"), "8");
	assert_int_equal(json_integer_value(dig(&world, "build_devices.0.is_completed")), 3);
	assert_string_equal(dig_text(&world, "build_devices.0.test_cases.7.test_status"), "2");
	assert_int_equal(json_array_size(dig(&world, "build_devices.0.test_cases")), 8);
	world_close(&world);
}

static void it_reports_an_ios_native_run_by_its_url_alone(void **state)
{
	struct world world;
	GR_AUTO_FREE char *path = NULL;

	(void)state;
	world_open(&world, NULL, FAST);
	post(&world, "/api/run-native-test-ios", TOKEN(&world), "build_name", "n", "app_id", "224", "device_id", "29",
	        "file@ui.zip", "PK", "version_id", "482");
	assert_accepted(&world);
	assert_null(dig(&world, "native_test_build_id"));
	assert_non_null(strstr(dig_text(&world, "url"), "/apps/native-test/71"));
	post(&world, "/api/get-native-test-result", TOKEN(&world), "native_test_build_id", "71");
	assert_string_equal(dig_text(&world, "data.0.status"), "2");
	assert_string_equal(dig_text(&world, "data.0.passed_testcase"), "4");
	assert_string_equal(dig_text(&world, "data.0.device_plateform"), "iOS");
	path = gr_strdup(strstr(dig_text(&world, "data.0.log_path"), "/process/"));
	get(&world, path);
	assert_non_null(strstr(world.raw.data, "Test Case '-[ShopUITests test01]' passed"));
	assert_non_null(strstr(world.raw.data, "Executed 4 tests, with 0 failures"));
	world_close(&world);
}

static void it_reports_a_failing_android_native_run(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL, *log = NULL, *recording = NULL;

	(void)state;
	world_open(&world, NULL, FAST);
	world_sign_in(&world);
	id = world_upload(&world);
	post(&world, "/api/run-native-test", TOKEN(&world), "build_name", "n", "app_build_id", id, "device_id", "27",
	        "file@fail.apk", "PK");
	assert_string_equal(dig_text(&world, "native_test_build_id"), "71");
	post(&world, "/api/get-native-test-result", TOKEN(&world), "native_test_build_id", "71");
	assert_string_equal(dig_text(&world, "data.0.status"), "3");
	assert_string_equal(dig_text(&world, "data.0.status_text"), "Failed");
	assert_string_equal(dig_text(&world, "data.0.failed_testcase"), "1");
	log = gr_strdup(strstr(dig_text(&world, "data.0.log_path"), "/process/"));
	recording = gr_strdup(strstr(dig_text(&world, "data.0.device_recording_path"), "/process/"));
	get(&world, log);
	assert_non_null(strstr(world.raw.data, "INSTRUMENTATION_STATUS_CODE: -2"));
	assert_non_null(strstr(world.raw.data, "INSTRUMENTATION_CODE: -1"));
	get(&world, recording);
	assert_int_equal(world.status, 200);
	assert_true(world.raw.bytes > 65536);
	world_close(&world);
}

static void it_keeps_a_native_run_without_a_recording_until_it_is_over(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	world_open(&world, NULL, FROZEN);
	world_sign_in(&world);
	id = world_upload(&world);
	post(&world, "/api/run-native-test", TOKEN(&world), "build_name", "n", "app_build_id", id, "device_id", "27",
	        "file@a.apk", "PK");
	post(&world, "/api/get-native-test-result", TOKEN(&world), "native_test_build_id", "71");
	assert_string_equal(dig_text(&world, "data.0.status"), "0");
	assert_string_equal(dig_text(&world, "data.0.device_recording_path"), "");
	get(&world, "/process/test_result/native_test/71/SANDBOX27/Recording.mp4");
	assert_int_equal(world.status, 404);
	world_close(&world);
}

static void it_gives_what_a_run_leaves_behind(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL, *test = NULL, *video = NULL;

	(void)state;
	world_open(&world, NULL, FAST);
	world_sign_in(&world);
	id = world_upload(&world);
	world_run(&world, "14", "SB27", id);
	world_details(&world, "6");
	test = gr_strdup(dig_text(&world, "build_devices.0.build_test_id"));
	post(&world, "/ci/testcase_detail", TOKEN(&world), "application_token", world.application, "build_test_id",
	        test, "test_case_name", "Signs in");
	assert_string_equal(dig_text(&world, "data.test_status"), "3");
	video = gr_strdup(strstr(dig_text(&world, "data.video_url"), "/process/"));
	get(&world, video);
	assert_int_equal(world.status, 200);
	post(&world, "/ci/networklog", TOKEN(&world), "application_token", world.application, "build_test_id", test);
	assert_int_equal(json_array_size(dig(&world, "data")), 6);
	post(&world, "/ci/Insights", TOKEN(&world), "application_token", world.application, "build_test_id", test,
	        "test_case_name", "Launches");
	assert_int_equal(json_array_size(dig(&world, "insight_data")), 2);
	post(&world, "/ci/transaction_analysis", TOKEN(&world), "application_token", world.application, "build_test_id",
	        test);
	assert_true(json_is_array(dig(&world, "detailed_analysis_data")));
	post(&world, "/api/user/device-logs/27/", TOKEN(&world));
	get(&world, strstr(dig_text(&world, "log_file_url"), "/device-cloud/"));
	assert_int_equal(world.status, 200);
	world_close(&world);
}

static void it_refuses_a_scenario_it_cannot_read(void **state)
{
	struct sandbox_options options = {.scenario_file = "/nonexistent/scenario.yml"};
	struct sandbox *sandbox = NULL;
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(sandbox_start(&options, &sandbox, &err), -GR_CONFIG);
	assert_null(sandbox);
	assert_non_null(strstr(err.text, "/nonexistent/scenario.yml"));
}

static void it_refuses_a_port_that_is_taken(void **state)
{
	struct world world;
	struct sandbox_options options = {0};
	struct sandbox *sandbox = NULL;
	struct gr_error err = {0};

	(void)state;
	world_open(&world, NULL, FROZEN);
	options.port = world.port;
	assert_int_equal(sandbox_start(&options, &sandbox, &err), -GR_NETWORK);
	world_close(&world);
	sandbox_stop(NULL);
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
	        cmocka_unit_test(it_gives_a_token_for_email_and_password),
	        cmocka_unit_test(it_reads_urlencoded_bodies_as_well),
	        cmocka_unit_test(it_takes_paths_with_and_without_the_last_slash),
	        cmocka_unit_test(it_hashes_uploads_and_lists_them),
	        cmocka_unit_test(it_waits_with_the_answer_of_a_synchronous_install),
	        cmocka_unit_test(it_lets_the_log_of_an_install_grow),
	        cmocka_unit_test(it_fails_installs_that_the_scenario_fails),
	        cmocka_unit_test(it_runs_a_module_to_its_end),
	        cmocka_unit_test(it_reports_an_ios_native_run_by_its_url_alone),
	        cmocka_unit_test(it_reports_a_failing_android_native_run),
	        cmocka_unit_test(it_keeps_a_native_run_without_a_recording_until_it_is_over),
	        cmocka_unit_test(it_gives_what_a_run_leaves_behind),
	        cmocka_unit_test(it_refuses_a_scenario_it_cannot_read),
	        cmocka_unit_test(it_refuses_a_port_that_is_taken),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
