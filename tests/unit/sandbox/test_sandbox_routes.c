/* The table of operations, what it lets in, and what it refuses. */
#include "tests/unit/sandbox/client.h"

#include "sandbox/routes.h"

static void it_agrees_with_the_list_of_operations(void **state)
{
	FILE *file = fopen(TESTS_DATA "/api-operations.txt", "r");
	char line[1024];
	size_t i = 0;

	(void)state;
	assert_non_null(file);
	for (; fgets(line, sizeof(line), file) != NULL; i++) {
		char id[80], path[120], name[80];
		int used = 0, step = 0;
		const char *rest = NULL;

		assert_true(i < route_count());
		assert_int_equal(sscanf(line, "%79s | %119s |%n", id, path, &used), 2);
		assert_string_equal(route_at(i)->id, id);
		assert_string_equal(route_at(i)->path, path);
		for (rest = line + used; sscanf(rest, " %79[^*@ \n]%n", name, &step) == 1;
		        rest += strcspn(rest, " \n")) {
			if (strstr(route_at(i)->parameters, name) == NULL)
				fail_msg("%s has no parameter %s", id, name);
			rest += step;
		}
	}
	assert_int_equal(fclose(file), 0);
	assert_int_equal(i, route_count());
}

static void it_finds_paths_part_by_part(void **state)
{
	static const struct {
		const char *path, *id;
	} rows[] = {{"/api/user/list", "user_list"}, {"/api/user/list/", "user_list"}, {"/api/user/list//", NULL},
	        {"/api/user/lis", NULL}, {"/api/user/update/3/", "update_user"}, {"/api/user/update/3", "update_user"},
	        {"/api/user/update//", NULL}, {"/api/user/update/", NULL}, {"/api/user/update/3/4", NULL}, {"", NULL},
	        {"/", NULL}, {"/api/user/groupdevices/7/", "group_devices"}, {"/ci/insights", NULL},
	        {"/ci/Insights", "insights_data"}};
	size_t i;

	(void)state;
	for (i = 0; i < GR_COUNT(rows); i++) {
		GR_AUTO_JSON json_t *found = json_object();
		const struct route *route = route_find(rows[i].path, found);

		if (rows[i].id == NULL)
			assert_null(route);
		else
			assert_string_equal(route != NULL ? route->id : "(none)", rows[i].id);
	}
}

static void it_refuses_in_the_words_of_each_family(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, FROZEN);
	post(&world, "/api/user/list", "user_token", "wrong");
	assert_true(json_is_false(dig(&world, "success")));
	assert_string_equal(dig_text(&world, "message"), "Invalid user token.");
	assert_int_equal(world.status, 200);
	post(&world, "/ci/build_list", "user_token", "wrong");
	assert_int_equal(json_integer_value(dig(&world, "status")), 0);
	assert_string_equal(dig_text(&world, "msg"), "Invalid user token.");
	post(&world, "/api/user/builds", TOKEN(&world));
	assert_true(json_is_false(dig(&world, "status")));
	assert_string_equal(dig_text(&world, "message"), "The device_id field is required.");
	post(&world, "/ci/app_build_run", TOKEN(&world));
	assert_true(json_is_false(dig(&world, "status")));
	assert_non_null(dig(&world, "msg"));
	post(&world, "/api/set-pin-api", TOKEN(&world));
	assert_true(json_is_integer(dig(&world, "success")));
	assert_refused(&world, "device_id");
	post(&world, "/api/user/list", "x", "y");
	assert_refused(&world, "User token is required.");
	world_close(&world);
}

static void it_refuses_with_http_statuses_when_asked_to(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, "errors: http", FROZEN);
	post(&world, "/api/user/list", "user_token", "wrong");
	assert_int_equal(world.status, 401);
	post(&world, "/api/user/builds", TOKEN(&world));
	assert_int_equal(world.status, 422);
	post(&world, "/api/user/builds", TOKEN(&world), "device_id", "999");
	assert_int_equal(world.status, 404);
	post(&world, "/api/user/list", TOKEN(&world));
	assert_int_equal(world.status, 200);
	world_close(&world);
}

static void it_refuses_wrong_tokens_ids_files_and_devices(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	world_open(&world, NULL, FROZEN);
	world_sign_in(&world);
	id = world_upload(&world);
	post(&world, "/ci/upload_app_build", TOKENS(&world), "upload_file@app.exe", "MZ", "build_name", "n");
	assert_refused(&world, "file type");
	post(&world, "/ci/upload_app_build", TOKENS(&world), "upload_file@app.ipa", "PK", "build_name", "n");
	assert_refused(&world, "platform");
	post(&world, "/ci/upload_app_build", TOKENS(&world), "upload_file", "not a file", "build_name", "n");
	assert_refused(&world, "upload_file");
	post(&world, "/ci/build_list", TOKEN(&world), "application_token", "nope");
	assert_refused(&world, "application token");
	post(&world, "/ci/upload_app_build", TOKEN(&world), "application_token", world.application, "version_token",
	        "nope", "upload_file@a.apk", "PK", "build_name", "n");
	assert_refused(&world, "version token");
	post(&world, "/api/user/buildinfo/999/", TOKEN(&world));
	assert_refused(&world, "not found");
	world_run(&world, "12", "SB0", id);
	assert_refused(&world, "Device not found");
	world_run(&world, "12", "SB42", id);
	assert_refused(&world, "offline");
	world_run(&world, "12", "SB43", id);
	assert_refused(&world, "reserved");
	world_run(&world, "12", "SB31", id);
	assert_refused(&world, "platform");
	world_run(&world, "99", "SB27", id);
	assert_refused(&world, "module");
	world_run(&world, "12", "SB27", "999");
	assert_refused(&world, "build not found");
	world_run(&world, "21", "SB27", id);
	assert_refused(&world, "module");
	get(&world, "/sandbox/state");
	assert_int_equal(json_integer_value(dig(&world, "runs_started")), 0);
	world_close(&world);
}

static void it_records_what_the_reference_does_not_allow(void **state)
{
	struct world world;
	GR_AUTO_FREE char *log = NULL;

	(void)state;
	world_open(&world, NULL, FROZEN);
	post(&world, "/api/user/list?page=1", TOKEN(&world), "limit", "3");
	assert_accepted(&world);
	post(&world, "/api/user/nothing", TOKEN(&world));
	assert_int_equal(world.status, 404);
	log = world_log(&world);
	assert_non_null(strstr(log, "unknown parameter 'limit'"));
	assert_non_null(strstr(log, "'page' is in the query"));
	assert_non_null(strstr(log, "no operation has this path"));
	get(&world, "/sandbox/state");
	assert_int_equal(json_array_size(dig(&world, "violations")), 3);
	world_close(&world);
}

/* Say that the operation at a path (id in the place of "{}") accepts these fields. */
static void accepts_for(struct world *world, const char *format, const char *id, const char *const *fields)
{
	struct buffer path = {0};
	const char *place = strstr(format, "{}");

	if (place == NULL)
		buffer_add_text(&path, format);
	else
		buffer_printf(&path, "%.*s%s%s", (int)(place - format), format, id, place + 2);
	post_for(world, 20000, path.data, fields);
	assert_accepted(world);
	buffer_release(&path);
}
#define ACCEPTS(world, path, id, ...)                                                                                  \
	accepts_for(world, path, id, (const char *const[]){"user_token", (world)->token, __VA_ARGS__, NULL, NULL})
#define NOTHING NULL, NULL

static void accepts_users(struct world *world)
{
	GR_AUTO_FREE char *test = NULL;

	post(world, "/api/get-usertoken", "email", "tester@example.com", "password", "sandbox");
	assert_accepted(world);
	ACCEPTS(world, "/api/user/list", "", NOTHING);
	ACCEPTS(world, "/api/authentication-log", "", NOTHING);
	ACCEPTS(world, "/api/user/create", "", "firstname", "A", "lastname", "B", "email", "a@example.com", "password",
	        "secret");
	test = gr_strdup(dig_text(world, "user_id"));
	ACCEPTS(world, "/api/user/update/{}/", test, "firstname", "C");
	ACCEPTS(world, "/api/user/adddevice/{}/", test, "device_id", "27");
	ACCEPTS(world, "/api/user/removedevice/{}/", test, "device_id", "27");
	ACCEPTS(world, "/api/user/delete/{}/", test, NOTHING);
}

static void accepts_teams(struct world *world)
{
	GR_AUTO_FREE char *team = NULL, *group = NULL;

	ACCEPTS(world, "/api/user/createteam/", "", "team_name", "QA", "team_description", "d");
	team = gr_printf("%d", (int)json_integer_value(dig(world, "team_id")));
	ACCEPTS(world, "/api/user/updateteam/", "", "team_id", team, "team_name", "QA 2", "status", "1");
	ACCEPTS(world, "/api/user/assignteamadmin/", "", "team_id", team, "user_id", "2", "status", "1");
	ACCEPTS(world, "/api/user/assignteamuser/", "", "team_id", team, "user_id", "2", "status", "1");
	ACCEPTS(world, "/api/user/createdevicegroup/", "", "group_name", "G");
	group = gr_printf("%d", (int)json_integer_value(dig(world, "group_id")));
	ACCEPTS(world, "/api/user/updatedevicegroup/", "", "group_id", group, "group_name", "G 2");
	ACCEPTS(world, "/api/user/assigndevicetogroup/", "", "group_id", group, "device_id", "27", "status", "1");
	ACCEPTS(world, "/api/user/assigndevicegrouptoteam/", "", "team_id", team, "group_id", group, "status", "1");
	ACCEPTS(world, "/api/user/groupdevices/{}", group, NOTHING);
	assert_string_equal(dig_text(world, "data.0.device_id"), "27");
	ACCEPTS(world, "/api/user/devicegroups/", "", NOTHING);
	assert_string_equal(dig_text(world, "data.0.teams.0.team_name"), "QA 2");
	ACCEPTS(world, "/api/user/teamlist/", "", NOTHING);
	ACCEPTS(world, "/api/user/deletedevicegroup/", "", "group_id", group);
	ACCEPTS(world, "/api/user/deleteteam/", "", "team_id", team);
}

static void accepts_builds(struct world *world, const char *id)
{

	ACCEPTS(world, "/api/user/applications", "", NOTHING);
	ACCEPTS(world, "/api/create-application", "", "version_name", "1", "application_name", "New", "platform_type",
	        "ios");
	assert_string_equal(dig_text(world, "response.application_platform_type"), "iOS");
	ACCEPTS(world, "/api/user/version/223/", "", "version_name", "2", "version_platform", "android");
	ACCEPTS(world, "/api/user/applications/223/", "", NOTHING);
	ACCEPTS(world, "/api/user/buildinfo/{}/", id, NOTHING);
	ACCEPTS(world, "/api/app-upload", "", "platform", "2", "upload_file@a.apk", "PK");
	ACCEPTS(world, "/api/build/app-install", "", "application_token", world->application, "version_token",
	        world->version, "process_type", "oaa", "s_device", "SB27", "app_build_id", id);
	ACCEPTS(world, "/ci/app_build_install", "", "application_token", world->application, "version_token",
	        world->version, "process_type", "oaa", "s_device", "SB27", "app_build_id", id);
	ACCEPTS(world, "/api/app-install", "", "app_build_id", id, "device_id", "27");
}

static void accepts_devices(struct world *world)
{

	ACCEPTS(world, "/api/device/app-auto-launch", "", "device_id", "27", "bundle_id", "org.example.shop");
	ACCEPTS(world, "/api/device/install/biometric-bypass", "", "device_id", "27", "apk_ipa_file@a.apk", "PK",
	        "biometric_status", "pass");
	ACCEPTS(world, "/api/device/install/image-injection", "", "device_id", "27", "apk_ipa_file@a.apk", "PK",
	        "image@a.png", "x");
	ACCEPTS(world, "/api/get-user-devices", "", NOTHING);
	ACCEPTS(world, "/api/get-devices-info", "", "device_id", "27");
	assert_string_equal(dig_text(world, "devices.device_status"), "Available");
	ACCEPTS(world, "/api/user/device-logs/27/", "", NOTHING);
	ACCEPTS(world, "/api/cap-builder", "", "device_type", "android", "order_by", "rand");
	ACCEPTS(world, "/api/user/logs/{}/", "3031", NOTHING);
	ACCEPTS(world, "/api/user/builds", "", "device_id", "27");
}

static void accepts_reservations(struct world *world)
{
	GR_AUTO_FREE char *test = NULL;

	ACCEPTS(world, "/api/user/reservedevice/1/", "", "device_id", "27", "start_date_time", "2030-01-01 00:00:00",
	        "end_date_time", "2030-01-01 01:00:00", "timezone", "UTC", "comments", "c");
	gr_free(gr_take(&test));
	test = gr_strdup(dig_text(world, "device_reservation_id"));
	ACCEPTS(world, "/api/user/reservedevicelist", "", "timezone", "UTC");
	ACCEPTS(world, "/api/user/cancelreservedevice", "", "device_reservation_id", test);
	ACCEPTS(world, "/api/user/reservedevice/1/", "", "device_id", "27", "start_date_time", "2020-01-01 00:00:00",
	        "end_date_time", "2090-01-01 01:00:00", "timezone", "UTC", "comments", "c");
	gr_free(gr_take(&test));
	test = gr_strdup(dig_text(world, "device_reservation_id"));
	ACCEPTS(world, "/api/user/releasereservedevice", "", "device_reservation_id", test);
	ACCEPTS(world, "/api/user/releasedevice/27/", "", NOTHING);
}

static void accepts_actions(struct world *world)
{

	ACCEPTS(world, "/api/user/adb-file-upload/27", "", "file@a.png", "x");
	ACCEPTS(world, "/api/execute-shell-adb-native/27", "", "command", "pull /a TGFileName=b");
	ACCEPTS(world, "/api/execute-shell-adb-native/27", "", "command", "pm clear");
	ACCEPTS(world, "/api/execute-shell-adb/27", "", "command", "pm list");
	ACCEPTS(world, "/api/user/installed-app/27/", "", NOTHING);
	ACCEPTS(world, "/api/user/uninstall-app/27/", "", "bundle_id", "org.example.shop");
	ACCEPTS(world, "/devicecloud/api/restartDevice", "", "device_id", "27");
	ACCEPTS(world, "/devicecloud/api/GetAppiumCapabilities", "", "udid", "SANDBOX27");
	assert_int_equal(json_integer_value(dig(world, "data.is_connected")), 1);
	ACCEPTS(world, "/api/image-integration", "", "image@a.gif", "x");
	ACCEPTS(world, "/api/user/clean-device/27", "", NOTHING);
	ACCEPTS(world, "/api/free-system-port/27", "", NOTHING);
	ACCEPTS(world, "/api/user/downloads/101", "", NOTHING);
	ACCEPTS(world, "/api/set-pin-api", "", "device_id", "27", "pin", "1234");
	ACCEPTS(world, "/api/unlock-device-api", "", "device_id", "27", "pin", "1234");
	ACCEPTS(world, "/api/change-pin-api", "", "device_id", "27", "old_pin", "1234", "new_pin", "5678");
	ACCEPTS(world, "/api/remove-pin-api", "", "device_id", "27", "pin", "5678");
}

static void accepts_runs(struct world *world, const char *id)
{
	GR_AUTO_FREE char *test = NULL;

	ACCEPTS(world, "/api/run-native-test", "", "build_name", "n", "app_build_id", id, "device_id", "27",
	        "file@t.apk", "PK");
	ACCEPTS(world, "/api/run-native-test-ios", "", "build_name", "n", "app_id", "224", "device_id", "29",
	        "file@t.zip", "PK", "version_id", "482");
	ACCEPTS(world, "/api/get-native-test-result", "", "native_test_build_id", "71");
	world_run(world, "12", "SB27", id);
	assert_accepted(world);
	world_details(world, "6");
	assert_accepted(world);
	gr_free(gr_take(&test));
	test = gr_strdup(dig_text(world, "build_devices.0.build_test_id"));
	ACCEPTS(world, "/ci/testcase_detail", "", "application_token", world->application, "build_test_id", test,
	        "test_case_name", "Launches");
	ACCEPTS(world, "/ci/build_list", "", "application_token", world->application);
	ACCEPTS(world, "/ci/update_variable_value", "", "version_token", world->version, "test_case_name", "Launches",
	        "var_name", "a", "var_value", "b");
	ACCEPTS(world, "/ci/networklog", "", "application_token", world->application, "build_test_id", test);
	ACCEPTS(world, "/ci/Insights", "", "application_token", world->application, "build_test_id", test,
	        "test_case_name", "Launches");
	ACCEPTS(world, "/ci/transaction_analysis", "", "application_token", world->application, "build_test_id", test);
	ACCEPTS(world, "/ci/execution_detail_by_tags", "", "application_token", world->application, "tags", "smoke");
	ACCEPTS(world, "/api/get-device-analytics", "", "pageLimit", "2");
	assert_int_equal(json_array_size(dig(world, "data")), 2);
	ACCEPTS(world, "/api/tg-connect/27", "", "active", "1");
}

static void accepts_utilities(struct world *world)
{
	GR_AUTO_FREE char *path = NULL;

	post(world, "/ci/json_upload", "json_content", "{\"a\":1}");
	assert_accepted(world);
	post(world, "/ci/csv_to_json", "csv_content", "a,b\n1,\"x, \"\"y\"\"\"\n");
	assert_accepted(world);
	path = gr_strdup(strstr(dig_text(world, "data"), "/s/"));
	get(world, path);
	assert_string_equal(dig_text(world, "0.b"), "x, \"y\"");
}

/* Every operation once, with all that it requires: each says yes, and none of it is a violation. */
static void it_serves_every_operation(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;
	size_t i;

	(void)state;
	world_open(&world, NULL, FAST);
	world_sign_in(&world);
	id = world_upload(&world);
	accepts_users(&world);
	accepts_teams(&world);
	accepts_builds(&world, id);
	accepts_devices(&world);
	accepts_reservations(&world);
	accepts_actions(&world);
	accepts_runs(&world, id);
	accepts_utilities(&world);
	ACCEPTS(&world, "/api/user/removebuilds/{}/", id, NOTHING);
	get(&world, "/sandbox/state");
	assert_int_equal(json_array_size(dig(&world, "violations")), 0);
	for (i = 0; i < route_count(); i++)
		if (json_object_get(dig(&world, "calls"), route_at(i)->id) == NULL)
			fail_msg("%s was not called", route_at(i)->id);
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
	        cmocka_unit_test(it_agrees_with_the_list_of_operations),
	        cmocka_unit_test(it_finds_paths_part_by_part),
	        cmocka_unit_test(it_refuses_in_the_words_of_each_family),
	        cmocka_unit_test(it_refuses_with_http_statuses_when_asked_to),
	        cmocka_unit_test(it_refuses_wrong_tokens_ids_files_and_devices),
	        cmocka_unit_test(it_records_what_the_reference_does_not_allow),
	        cmocka_unit_test(it_serves_every_operation),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
