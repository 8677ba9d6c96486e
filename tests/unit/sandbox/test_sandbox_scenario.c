/* Reading scenarios: YAML into checked JSON. */
#include "tests/unit/sandbox/client.h"

#include "sandbox/scenario.h"

/* The error's text for that YAML, "" when it is fine. */
static const char *check(const char *yaml, struct gr_error *err)
{
	GR_AUTO_JSON json_t *json = NULL;

	memset(err, 0, sizeof(*err));
	if (scenario_parse(yaml, strlen(yaml), "s.yml", &json, err) == 0)
		(void)scenario_check(json, "s.yml", err);
	return err->text;
}

static void it_reads_scalars_as_what_they_are(void **state)
{
	static const char yaml[] = "a: 1\nb: 1.5\nc: true\nd: yes\ne: '1'\nf: ~\ng: [x, {h: -3}]\n";
	GR_AUTO_JSON json_t *json = NULL;
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(scenario_parse(yaml, strlen(yaml), "s.yml", &json, &err), 0);
	assert_int_equal(json_integer_value(json_object_get(json, "a")), 1);
	assert_true(json_is_real(json_object_get(json, "b")));
	assert_true(json_is_true(json_object_get(json, "c")));
	assert_string_equal(json_string_value(json_object_get(json, "d")), "yes");
	assert_string_equal(json_string_value(json_object_get(json, "e")), "1");
	assert_true(json_is_null(json_object_get(json, "f")));
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(json, "g"), 1), "h")), -3);
}

static void it_refuses_yaml_it_does_not_read(void **state)
{
	struct gr_error err;

	(void)state;
	assert_string_equal(check("a: [", &err)[0] != '\0' ? "error" : "", "error");
	assert_non_null(strstr(check("a: 1\na: 2", &err), "s.yml:2:4: the key is there twice"));
	assert_non_null(strstr(check("a: &x 1\nb: *x", &err), "aliases"));
	assert_non_null(strstr(check("- 1", &err), "mapping"));
	assert_non_null(strstr(check("a: 1\n---\nb: 1", &err), "second document"));
	assert_non_null(strstr(check("{[a]: 1}", &err), "key that is no text"));
	assert_non_null(strstr(check("a: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", &err), "nested too deeply"));
	assert_non_null(strstr(check("a: \"x\\0y\"", &err), "NUL"));
	assert_string_equal(check("", &err), "");
}

static void it_refuses_what_it_does_not_know(void **state)
{
	struct gr_error err;

	(void)state;
	assert_non_null(strstr(check("typos: 1", &err), "the key 'typos' is not known"));
	assert_non_null(strstr(check("errors: maybe", &err), "answer|http"));
	assert_non_null(strstr(check("errors: htt", &err), "answer|http"));
	assert_non_null(strstr(check("time_scale: fast", &err), "'time_scale' must be a number"));
	assert_non_null(strstr(check("time_scale: -1", &err), "'time_scale' must be a number"));
	assert_non_null(strstr(check("users: 3", &err), "list of mappings"));
	assert_non_null(strstr(check("users: [3]", &err), "entry 1"));
	assert_non_null(strstr(check("suites: {a: [{outcome: great}]}", &err), "'outcome' is one of"));
	assert_non_null(strstr(check("modules: [{tests: [{nam: x}]}]", &err), "'nam' of modules.tests"));
	assert_non_null(strstr(check("devices: [{flags: {is_lost: 1}}]", &err), "'is_lost' of devices.flags"));
	assert_non_null(strstr(check("faults: [{kind: sneeze}]", &err), "'sneeze'"));
	assert_non_null(strstr(check("faults: [{kind: hang, operation: nothing}]", &err), "'nothing'"));
	assert_non_null(strstr(check("faults: [{kind: status, status: 42}]", &err), "200 to 599"));
	assert_non_null(strstr(check("faults: [{kind: redirect}]", &err), "url"));
	assert_non_null(strstr(check("token: 3", &err), "'token' must be text"));
	assert_non_null(strstr(check("devices: [{id: [1]}]", &err), "must be text or a number"));
	assert_non_null(strstr(check("timezones: {Mars: far}", &err), "must be a number"));
	assert_non_null(strstr(check("tokens_in_answers: maybe", &err), "'tokens_in_answers' must be true or false"));
	assert_non_null(strstr(check("echo_token: raw", &err), "a list of encodings"));
	assert_non_null(strstr(check("echo_token: [raw, rot13]", &err), "a list of encodings"));
	assert_non_null(strstr(check("suites: [1]", &err), "'suites' must be a mapping"));
	assert_non_null(strstr(check("devices: [{flags: []}]", &err), "must be a mapping"));
	assert_string_equal(check("tokens_in_answers: true\necho_token: [raw, base64]", &err), "");
	assert_non_null(strstr(check("faults: [{kind: shrink, operation: user_list}]", &err), "execution_details"));
	assert_non_null(strstr(check("faults: [{kind: hang, call: 0}]", &err), "from 1"));
	assert_string_equal(check("faults: [{kind: hang, operation: file_recording}]", &err), "");
	assert_string_equal(check("faults: [{kind: release_fails, operation: release_device}]", &err), "");
	assert_string_equal(check("faults: [{kind: shrink}]", &err), "");
	assert_string_equal(check("timezones: {Mars/Olympus: -40}", &err), "");
}

static void it_puts_the_file_over_the_built_in(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, "token: fixed-token\ndevices: [{id: 9, name: Only, platform: ios, os: 17.2}]", FROZEN);
	assert_string_equal(world.token, "fixed-token");
	post(&world, "/api/get-user-devices", TOKEN(&world));
	assert_int_equal(json_array_size(dig(&world, "data")), 1);
	assert_string_equal(dig_text(&world, "data.0.platform_version"), "17.2");
	post(&world, "/api/user/applications", TOKEN(&world));
	assert_int_equal(json_array_size(dig(&world, "data")), 3);
	world_close(&world);
}

static void it_refuses_parts_that_do_not_fit_together(void **state)
{
	static const char *const texts[][2] = {
	        {"modules: [{id: 1, name: M, platform: android, suite: none}]", "no suite 'none'"},
	        {"modules: [{id: 1, name: M, platform: android, application: None}]", "no application 'None'"},
	        {"devices: [{id: 1, name: D}]", "platform"},
	        {"devices: [{id: 1, platform: ios}, {id: 1, platform: ios}]", "two devices"},
	        {"applications: [{id: 1, platform: ios}, {id: 1, platform: ios}]", "two applications"},
	        {"users: []", "one user"},
	        {"time_scale: 0", "time_scale"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < GR_COUNT(texts); i++) {
		char path[] = "/tmp/gridlane-scenario-XXXXXX";
		int fd = mkstemp(path);
		struct sandbox_options options = {.scenario_file = path};
		struct sandbox *sandbox = NULL;
		struct gr_error err = {0};

		assert_int_equal(file_write_all(fd, texts[i][0], strlen(texts[i][0])), 0);
		(void)close(fd);
		assert_int_equal(sandbox_start(&options, &sandbox, &err), -GR_CONFIG);
		assert_non_null(strstr(err.text, texts[i][1]));
		(void)unlink(path);
	}
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
	        cmocka_unit_test(it_reads_scalars_as_what_they_are),
	        cmocka_unit_test(it_refuses_yaml_it_does_not_read),
	        cmocka_unit_test(it_refuses_what_it_does_not_know),
	        cmocka_unit_test(it_puts_the_file_over_the_built_in),
	        cmocka_unit_test(it_refuses_parts_that_do_not_fit_together),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
