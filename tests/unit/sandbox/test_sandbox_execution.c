/* Runs as their state shows over time, and the switches for what the reference leaves open. */
#include "tests/unit/sandbox/client.h"

/* A world with one module of the built-in, on Galaxy S23, started. */
static void run_open(struct world *world, const char *yaml, double time_scale, const char *module)
{
	GR_AUTO_FREE char *id = NULL;

	world_open(world, yaml, time_scale);
	world_sign_in(world);
	id = world_upload(world);
	world_run(world, module, "SB27", id);
	assert_accepted(world);
}

static void it_queues_first(void **state)
{
	struct world world;

	(void)state;
	run_open(&world, NULL, FROZEN, "12");
	world_details(&world, "6");
	assert_int_equal(json_integer_value(dig(&world, "build_devices.0.is_completed")), 2);
	assert_string_equal(dig_text(&world, "is_build_completed_in_all_devices"), "0");
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_not_started"), "8");
	world_close(&world);
}

static void it_works_on_one_test_after_the_other(void **state)
{
	struct world world;

	(void)state;
	run_open(&world,
	        "queue_seconds: 0\nmodules:\n- id: 12\n  name: M\n  platform: android\n  tests:\n  - {name: A, "
	        "seconds: 0}\n"
	        "  - {name: B, seconds: 1000000000}\n  - {name: C}\n",
	        1, "12");
	world_details(&world, "6");
	assert_int_equal(json_integer_value(dig(&world, "build_devices.0.is_completed")), 1);
	assert_string_equal(dig_text(&world, "build_devices.0.test_cases.0.test_status"), "2");
	assert_string_equal(dig_text(&world, "build_devices.0.test_cases.1.test_status"), "1");
	assert_string_equal(dig_text(&world, "build_devices.0.test_cases.2.test_status"), "0");
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_started"), "1");
	post(&world, "/api/get-user-devices", TOKEN(&world));
	assert_string_equal(dig_text(&world, "data.1.is_run_build"), "1");
	world_close(&world);
}

static void it_queues_a_second_run_behind_the_first_on_the_same_device(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	run_open(&world, "queue_seconds: 0", 1, "13");
	id = world_upload(&world);
	world_run(&world, "12", "SB27", id);
	world_details(&world, "7");
	assert_int_equal(json_integer_value(dig(&world, "build_devices.0.is_completed")), 2);
	world_close(&world);

	gr_free(gr_take(&id));
	run_open(&world, "queue_seconds: 0\nbusy_device: refuse", 1, "13");
	id = world_upload(&world);
	world_run(&world, "12", "SB27", id);
	assert_refused(&world, "busy");
	world_close(&world);
}

static void it_shows_failures_skips_and_reasons(void **state)
{
	struct world world;

	(void)state;
	run_open(&world, NULL, FAST, "14");
	world_details(&world, "6");
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_fail"), "2");
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_skipped"), "1");
	assert_string_equal(dig_text(&world, "build_devices.0.test_cases.1.failed_reason"),
	        "Element 'Sign in' was not found in 30 s");
	world_close(&world);
}

static void it_stops_runs(void **state)
{
	struct world world;

	(void)state;
	run_open(&world, NULL, FAST, "15");
	world_details(&world, "6");
	assert_int_equal(json_integer_value(dig(&world, "build_devices.0.is_completed")), 4);
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_pass"), "3");
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_stopped"), "1");
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_not_started"), "4");
	world_close(&world);
}

static void it_has_empty_and_odd_runs(void **state)
{
	struct world world;

	(void)state;
	run_open(&world, NULL, FAST, "16");
	world_details(&world, "6");
	assert_int_equal(json_array_size(dig(&world, "build_devices.0.test_cases")), 0);
	assert_int_equal(json_integer_value(dig(&world, "build_devices.0.is_completed")), 3);
	world_close(&world);

	run_open(&world, NULL, FAST, "17");
	world_details(&world, "6");
	assert_string_equal(dig_text(&world, "build_devices.0.test_cases.1.test_status"), "17");
	assert_string_equal(dig_text(&world, "build_devices.0.test_cases.2.test_status"), "maybe");
	assert_string_equal(dig_text(&world, "build_devices.0.test_cases.3.test_status"), "0");
	world_close(&world);
}

static void it_has_runs_that_never_start_or_never_end(void **state)
{
	struct world world;

	(void)state;
	run_open(
	        &world, "modules: [{id: 12, name: M, platform: android, suite: smoke, run: never_starts}]", FAST, "12");
	world_details(&world, "6");
	assert_int_equal(json_integer_value(dig(&world, "build_devices.0.is_completed")), 2);
	world_close(&world);

	run_open(&world, "modules: [{id: 12, name: M, platform: android, suite: smoke, run: never_ends}]", FAST, "12");
	world_details(&world, "6");
	assert_int_equal(json_integer_value(dig(&world, "build_devices.0.is_completed")), 1);
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_pass"), "7");
	world_close(&world);
}

static void it_runs_the_tests_that_are_asked_for(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL;

	(void)state;
	world_open(&world, NULL, FAST);
	world_sign_in(&world);
	id = world_upload(&world);
#define RUN_WITH(...)                                                                                                  \
	post(&world, "/ci/app_build_run", TOKENS(&world), "version_module_id", "12", "s_device", "SB27",               \
	        "process_type", "oaa", "app_build_id", id, __VA_ARGS__)
	RUN_WITH("tags", "cart, account");
	world_details(&world, "6");
	assert_int_equal(json_array_size(dig(&world, "build_devices.0.test_cases")), 5);
	RUN_WITH("selected_testcase_id", "203,201");
	world_details(&world, "7");
	assert_string_equal(dig_text(&world, "build_devices.0.test_cases.1.test_case_name"), "Searches for a product");
	assert_int_equal(json_array_size(dig(&world, "build_devices.0.test_cases")), 2);
	RUN_WITH("selected_testcase_id", "203,999");
	assert_refused(&world, "Test case not found");
	RUN_WITH("tags", "nothing");
	assert_refused(&world, "No test case");
	RUN_WITH("process_type", "oia");
	assert_refused(&world, "process type");
	world_close(&world);
}

static void it_overrides_by_device_and_flakes_by_seed(void **state)
{
	struct world world;
	GR_AUTO_FREE char *id = NULL, *first = NULL;

	(void)state;
	world_open(&world,
	        "overrides: [{device: 'Pixel*', module: 12, test: Launches, outcome: fail, reason: 'No camera'}]",
	        FAST);
	world_sign_in(&world);
	id = world_upload(&world);
	world_run(&world, "12", "SB41", id);
	world_details(&world, "6");
	assert_string_equal(dig_text(&world, "build_devices.0.test_cases.0.failed_reason"), "No camera");
	world_run(&world, "12", "SB27", id);
	world_details(&world, "7");
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_fail"), "0");
	world_close(&world);

	run_open(&world, "seed: 7\nsuites: {smoke: [{name: 'T {n}', repeat: 50, flaky: 0.5}]}", FAST, "12");
	world_details(&world, "6");
	first = gr_strdup(dig_text(&world, "build_devices.0.no_of_fail"));
	assert_string_not_equal(first, "0");
	assert_string_not_equal(first, "50");
	world_close(&world);
	run_open(&world, "seed: 7\nsuites: {smoke: [{name: 'T {n}', repeat: 50, flaky: 0.5}]}", FAST, "12");
	world_details(&world, "6");
	assert_string_equal(dig_text(&world, "build_devices.0.no_of_fail"), first);
	world_close(&world);
}

static void it_numbers_builds_as_the_switch_says(void **state)
{
	struct world world;

	(void)state;
	run_open(&world, "build_number_is: build_id", FAST, "12");
	assert_int_equal(json_integer_value(dig(&world, "build_version")), 6);
	world_details(&world, "6");
	assert_refused(&world, "Build not found");
	world_details(&world, "3506");
	assert_string_equal(dig_text(&world, "build_number"), "3506");
	world_close(&world);
}

static void it_lists_builds_as_one_object_or_a_list(void **state)
{
	struct world world;
	GR_AUTO_FREE char *web = NULL;

	(void)state;
	world_open(&world, NULL, FROZEN);
	world_sign_in(&world);
	post(&world, "/api/user/build/483/", TOKEN(&world));
	web = gr_strdup(dig_text(&world, "data.application_token"));
	post(&world, "/ci/build_list", TOKEN(&world), "application_token", web);
	assert_string_equal(dig_text(&world, "build_list.build_number"), "1");
	post(&world, "/ci/build_list", TOKEN(&world), "application_token", world.application);
	assert_int_equal(json_array_size(dig(&world, "build_list")), 5);
	post(&world, "/ci/build_list", TOKEN(&world), "application_token", world.application, "last_minutes", "60");
	assert_true(json_is_array(dig(&world, "build_list")));
	assert_int_equal(json_array_size(dig(&world, "build_list")), 0);
	post(&world, "/ci/build_list", TOKEN(&world), "application_token", world.application, "build_number", "3");
	assert_string_equal(dig_text(&world, "build_list.build_number"), "3");
	world_close(&world);
}

static void it_says_nothing_in_each_shape(void **state)
{
	static const char *const words[] = {"list", "object", "text", "absent"};
	struct world world;
	size_t i;

	(void)state;
	for (i = 0; i < GR_COUNT(words); i++) {
		GR_AUTO_FREE char *yaml = gr_printf("empty: %s", words[i]);
		const json_t *list = NULL;

		world_open(&world, yaml, FROZEN);
		world_sign_in(&world);
		post(&world, "/ci/build_list", TOKEN(&world), "application_token", world.application, "last_minutes",
		        "1");
		assert_accepted(&world);
		list = dig(&world, "build_list");
		assert_int_equal(i == 0, json_is_array(list));
		assert_int_equal(i == 1, json_is_object(list));
		assert_int_equal(i == 2, json_is_string(list));
		assert_int_equal(i == 3, list == NULL);
		world_close(&world);
	}
	world_open(&world, "empty: refused", FROZEN);
	world_sign_in(&world);
	post(&world, "/ci/build_list", TOKEN(&world), "application_token", world.application, "last_minutes", "1");
	assert_refused(&world, "No builds");
	world_close(&world);
}

static void it_bends_types_and_shapes(void **state)
{
	struct world world;

	(void)state;
	run_open(&world, "types: numbers\nexecution_top: data\ncompleted_flag: absent\nsingle: list", FAST, "12");
	world_details(&world, "6");
	assert_null(dig(&world, "data.is_build_completed_in_all_devices"));
	assert_int_equal(json_integer_value(dig(&world, "data.build_devices.0.no_of_pass")), 8);
	assert_int_equal(json_integer_value(dig(&world, "data.build_number")), 6);
	world_close(&world);

	run_open(&world,
	        "types: text\ncompleted_flag: early\nnested_lists: list\ndevices_shape: "
	        "by_platform\ntokens_in_answers: false",
	        FAST, "12");
	assert_string_equal(dig_text(&world, "build_id"), "3506");
	post(&world, "/api/user/build/481/", TOKEN(&world));
	assert_null(dig(&world, "data.user_token"));
	assert_string_equal(dig_text(&world, "data.version_module_list.0.module_name"), "Smoke");
	post(&world, "/api/get-user-devices", TOKEN(&world));
	assert_int_equal(json_array_size(dig(&world, "data.ios")), 2);
	world_close(&world);

	run_open(&world, "types: mixed\ndevices_shape: devices\nnative_status: number", FAST, "12");
	post(&world, "/api/get-user-devices", TOKEN(&world));
	assert_int_equal(json_array_size(dig(&world, "devices")), 9);
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
	        cmocka_unit_test(it_queues_first),
	        cmocka_unit_test(it_works_on_one_test_after_the_other),
	        cmocka_unit_test(it_queues_a_second_run_behind_the_first_on_the_same_device),
	        cmocka_unit_test(it_shows_failures_skips_and_reasons),
	        cmocka_unit_test(it_stops_runs),
	        cmocka_unit_test(it_has_empty_and_odd_runs),
	        cmocka_unit_test(it_has_runs_that_never_start_or_never_end),
	        cmocka_unit_test(it_runs_the_tests_that_are_asked_for),
	        cmocka_unit_test(it_overrides_by_device_and_flakes_by_seed),
	        cmocka_unit_test(it_numbers_builds_as_the_switch_says),
	        cmocka_unit_test(it_lists_builds_as_one_object_or_a_list),
	        cmocka_unit_test(it_says_nothing_in_each_shape),
	        cmocka_unit_test(it_bends_types_and_shapes),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
