#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/base/clock.h"
#include "tests/unit/pipelines/tree.h"

static int go_to_root(void **state)
{
	(void)state;
	return chdir(PROJECT_SOURCE);
}

static struct plan *load_file(const char *file, const struct plan_options *options)
{
	struct diagnostics diagnostics = {0};
	struct gr_error err = {0};
	struct plan *plan = NULL;

	if (plan_load(file, options, &plan, &diagnostics, &err) != 0)
		fail_msg("%s", err.text);
	diagnostics_release(&diagnostics);
	return plan;
}

static struct plan *load(const char *text)
{
	GR_AUTO_FREE char *findings = NULL;
	struct plan *plan = NULL;

	if (load_text(text, NULL, &plan, &findings) != 0)
		fail_msg("%s", findings);
	return plan;
}

static struct plan *load_everything(void)
{
	return load_file(TESTS_DATA "/pipelines/good/everything.yml", NULL);
}

static void it_puts_implicit_steps_before_their_first_use(void **state)
{
	static const char *const ids[] = {"app", "version", "build", "devices.phones", "phones", "call", "run",
	        "devices.spare", "reserve_device"};
	struct plan *plan = load_everything();

	(void)state;
	assert_int_equal(plan->step_count, GR_COUNT(ids));
	for (size_t i = 0; i < GR_COUNT(ids); i++)
		assert_string_equal(plan->steps[i].id, ids[i]);
	assert_string_equal(plan->steps[0].kind->name, "application");
	assert_string_equal(plan->steps[3].kind->name, "select_devices");
	assert_ptr_equal(plan->steps[3].devices, &plan->devices[0]);
	assert_null(plan->steps[3].with);
	assert_ptr_equal(plan->steps[7].devices, &plan->devices[1]);
	plan_free(plan);
}

static void it_looks_the_application_up_after_a_step_that_creates_it(void **state)
{
	struct plan *plan = load_file(TESTS_DATA "/pipelines/good/creates-its-app.yml", NULL);

	(void)state;
	assert_int_equal(plan->step_count, 3);
	assert_string_equal(plan->steps[0].kind->name, "create_application");
	assert_string_equal(plan->steps[1].kind->name, "application");
	assert_string_equal(plan->steps[1].id, "app.lookup"); /* "app" is a step of the user */
	plan_free(plan);
}

static void it_adds_no_step_that_nobody_needs(void **state)
{
	struct plan *plan = load("version: 1\napp: { name: A }\ndevices: { d: { any_of: [{ tag: x }] } }\n"
	                         "steps: [{ uses: run, with: { command: [ls] } }]\n");

	(void)state;
	assert_int_equal(plan->step_count, 1);
	plan_free(plan);
	plan = load_file(TESTS_DATA "/pipelines/good/direct.yml", NULL);
	assert_int_equal(plan->step_count, 2);
	plan_free(plan);
}

static void it_has_the_defaults_of_the_language(void **state)
{
	struct plan *plan = load_file(TESTS_DATA "/pipelines/good/least.yml", NULL);
	const struct plan_step *step = &plan->steps[0];

	(void)state;
	assert_string_equal(plan->name, "least"); /* the file's */
	assert_int_equal(plan->timeout_ms, 60 * 60000);
	assert_int_equal(plan->cleanup_reserve_ms, 30000);
	assert_int_equal(plan->server.max_connections, 8);
	assert_false(plan->has_app);
	assert_string_equal(step->id, "run");
	assert_false(step->id_is_given);
	assert_int_equal(step->when, WHEN_SUCCESS);
	assert_true(step->timeout_ms == CLOCK_NEVER);
	assert_int_equal(step->retry.max, 6);
	assert_int_equal(step->retry.backoff_low_ms, 500);
	assert_int_equal(step->retry.backoff_high_ms, 30000);
	assert_int_equal(step->retry.budget_ms, 600000);
	assert_int_equal(step->poll.every_low_ms, 2000);
	assert_int_equal(step->poll.every_high_ms, 30000);
	assert_int_equal(step->poll.queue_ms, 20 * 60000);
	assert_int_equal(step->poll.stall_ms, 10 * 60000);
	assert_true(step->poll.timeout_ms == CLOCK_NEVER);
	assert_true(step->resend_lost_start);
	plan_free(plan);
}

static void it_merges_policies_with_the_defaults_of_the_file(void **state)
{
	struct plan *plan = load_everything();
	const struct plan_step *build = &plan->steps[2], *regression = &plan->steps[4].steps[2];

	(void)state;
	assert_int_equal(build->retry.max, 1);
	assert_int_equal(build->retry.backoff_low_ms, 250);
	assert_int_equal(build->retry.budget_ms, 300000);
	assert_int_equal(build->timeout_ms, 15 * 60000);
	assert_int_equal(regression->poll.every_low_ms, 2000);
	assert_int_equal(regression->poll.queue_ms, 600000);
	assert_int_equal(regression->poll.timeout_ms, 30 * 60000);
	assert_false(regression->resend_lost_start);
	assert_true(regression->may_continue);
	assert_int_equal(plan->steps[3].poll.queue_ms, 600000); /* implicit ones too */
	plan_free(plan);
}

/* After tests, and after installations that have a log. */
static void it_collects_after_what_leaves_something(void **state)
{
	static const char *const ids[] = {
	        "app", "devices.phone", "slow", "slow.collect", "quick", "tests", "tests.collect"};
	struct plan *plan = load_file(TESTS_DATA "/pipelines/good/collects.yml", NULL);

	(void)state;
	assert_int_equal(plan->step_count, GR_COUNT(ids));
	for (size_t i = 0; i < GR_COUNT(ids); i++)
		assert_string_equal(plan->steps[i].id, ids[i]);
	assert_string_equal(plan->steps[3].collect_kind->name, "install");
	assert_non_null(plan->collect_files);
	plan_free(plan);
}

static void it_describes_a_matrix(void **state)
{
	struct plan *plan = load_everything();
	const struct plan_step *matrix = &plan->steps[4];

	(void)state;
	assert_null(matrix->kind);
	assert_int_equal(matrix->axis_count, 2);
	assert_string_equal(matrix->axes[0], "device");
	assert_string_equal(matrix->axes[1], "theme");
	assert_int_equal(matrix->axis_values[1]->count, 2);
	assert_int_equal(matrix->max_parallel, 3);
	assert_true(matrix->fail_fast);
	assert_int_equal(matrix->step_count, 4);
	assert_string_equal(matrix->steps[0].id, "install");
	assert_string_equal(matrix->steps[1].id, "install-2");
	assert_non_null(matrix->steps[1].condition);
	assert_int_equal(matrix->steps[3].when, WHEN_FAILURE);
	plan_free(plan);
}

static void it_keeps_what_the_engine_evaluates_as_nodes(void **state)
{
	GR_AUTO_JSON json_t *scope =
	        json_pack("{s:{s:s}, s:{s:i}}", "env", "TESTGRID_URL", "https://x", "inputs", "count", 2);
	GR_AUTO_JSON json_t *url = NULL;
	GR_AUTO_JSON json_t *count = NULL;
	GR_AUTO_JSON json_t *os = NULL;
	GR_AUTO_JSON json_t *id = NULL;
	struct plan *plan = load_everything();

	(void)state;
	assert_int_equal(node_evaluate(plan->server.url, scope, &url, NULL), 0);
	assert_string_equal(json_string_value(url), "https://x");
	assert_int_equal(node_evaluate(plan->devices[0].count, scope, &count, NULL), 0);
	assert_int_equal(json_integer_value(count), 2);
	assert_int_equal(plan->devices[0].reserve_ms, 60 * 60000);
	assert_int_equal(plan->devices[0].any_of_count, 3);
	/* 14.10 and 26 are what was written, not the numbers 14.1 and 26 */
	assert_int_equal(node_evaluate(plan->devices[0].any_of[2].os, scope, &os, NULL), 0);
	assert_string_equal(json_string_value(os), "14.10");
	assert_int_equal(node_evaluate(plan->devices[0].any_of[2].id, scope, &id, NULL), 0);
	assert_string_equal(json_string_value(id), "26");
	plan_free(plan);
}

static void it_implies_a_rule_when_none_speaks_of_failures(void **state)
{
#define GATE(rules)                                                                                                    \
	"version: 1\nname: x\nsteps:\n  - { uses: run, with: { command: [a] } }\n"                                     \
	"gate: [ " rules " ]\n"
	static const struct {
		const char *text;
		size_t rules;
	} samples[] = {
	        {GATE("results.executed > 0"), 2},
	        {GATE("results.passed >= 1, results.missing == 0"), 3},
	        {GATE("results.baseline.failed == 0"), 2},
	        {GATE("results.failed <= 2"), 1},
	        {GATE("results.executed > 0, 'results.pass_rate >= 0.5 && results.flaky == 0'"), 2},
	        {GATE("results.new_failures == 0"), 1},
	        {GATE("results.worst_device.pass_rate > 0.5"), 1},
	        {GATE("'results.devices[\"Pixel 7\"].failed == 0'"), 1},
	};
#undef GATE

	(void)state;
	for (size_t i = 0; i < GR_COUNT(samples); i++) {
		struct plan *plan = load(samples[i].text);
		const struct plan_gate_rule *last = &plan->gate[plan->gate_count - 1];

		assert_int_equal(plan->gate_count, samples[i].rules);
		assert_int_equal(last->is_implied, strcmp(last->text, "results.failed == 0") == 0);
		plan_free(plan);
	}
}

static void it_looks_no_application_up_for_espresso(void **state)
{
#define NATIVE(app, file)                                                                                              \
	"version: 1\nname: x\n" app                                                                                    \
	"inputs: { f: { type: file, default: pipelines/examples/files/shop-androidTest.apk } }\nsteps:\n"              \
	"  - uses: native_test\n    with: { build: '1', device: { device_id: '2' }, file: '" file "' }\n"
#define ANDROID "app: { name: Shop, platform: android }\n"
	static const struct {
		const char *text;
		size_t steps; /* `app`, if it is looked up, and ours */
	} samples[] = {
	        {NATIVE("", "pipelines/examples/files/shop-*.apk"), 1},
	        {NATIVE("app: { name: Shop }\n", "pipelines/examples/files/${{ env.X ?? \"shop\" }}-androidTest.apk"),
	                1},
	        {NATIVE(ANDROID, "${{ inputs.f }}"), 1},
	        {NATIVE("app: { name: Shop }\n", "${{ inputs.f }}"), 2},
	        {NATIVE("app: { name: Shop }\n", "pipelines/examples/files/shop-uitests.zip"), 2},
	};
#undef NATIVE
#undef ANDROID

	(void)state;
	for (size_t i = 0; i < GR_COUNT(samples); i++) {
		struct plan *plan = load(samples[i].text);

		assert_int_equal(plan->step_count, samples[i].steps);
		plan_free(plan);
	}
}

static void it_has_the_ends_of_the_run(void **state)
{
	struct plan *plan = load_everything();

	(void)state;
	assert_string_equal(plan->name, "shop-beta");
	assert_int_equal(plan->finally_count, 2);
	assert_int_equal(plan->finally[0].when, WHEN_ALWAYS);
	assert_true(plan->finally[0].best_effort);
	assert_int_equal(plan->finally[1].when, WHEN_FAILURE);
	assert_int_equal(plan->gate_count, 3);
	assert_string_equal(plan->gate[0].text, "results.pass_rate >= inputs.rate");
	assert_int_equal(plan->report_count, 7);
	assert_string_equal(plan->reports[1].format, "junit-files");
	assert_string_equal(plan->reports[1].target, "strict");
	assert_string_equal(plan->reports[2].format, "summary");
	assert_string_equal(plan->reports[2].target, "out/summary.md");
	assert_int_equal(plan->webhook_count, 2);
	assert_int_equal(plan->webhooks[0].when, WHEN_ALWAYS);
	assert_int_equal(plan->webhooks[0].timeout_ms, 30000);
	assert_null(plan->webhooks[0].secret);
	assert_false(plan->webhooks[0].is_summary);
	assert_int_equal(plan->webhooks[1].when, WHEN_FAILURE);
	assert_int_equal(plan->webhooks[1].timeout_ms, 60000);
	assert_non_null(plan->webhooks[1].secret);
	assert_true(plan->webhooks[1].is_summary);
	assert_non_null(plan->bundle);
	assert_int_equal(plan->secret_count, 2);
	assert_string_equal(plan->secrets[0].environment, "TESTGRID_TOKEN");
	assert_string_equal(plan->secrets[1].file, "/run/secrets/pin");
	assert_string_equal(plan->app_platform, "android");
	assert_string_equal(plan->server.download_hosts[0], "files.example.com");
	assert_null(plan->server.download_hosts[1]);
	plan_free(plan);
}

static void it_compiles_until_into_the_plan(void **state)
{
	struct plan *plan = load_everything();
	GR_AUTO_JSON json_t *scope = json_loads("{\"answer\": {\"status\": 1}}", 0, NULL);
	bool is_true = false;

	(void)state;
	assert_non_null(plan->steps[5].until);
	assert_int_equal(expression_is_true(plan->steps[5].until, scope, &is_true, NULL), 0);
	assert_true(is_true);
	plan_free(plan);
}

static void it_finds_the_file_of_a_pattern(void **state)
{
	struct plan *plan =
	        load("version: 1\nworking_directory: pipelines/examples\napp: { name: A }\n"
	             "inputs: { f: { type: file, default: \"files/shop.a?k\" }, end: { default: ipa } }\nsteps:\n"
	             "  - { uses: upload_build, with: { file: \"files/*Test.apk\", version: 1 } }\n"
	             "  - { uses: upload_build, with: { file: \"f*/*.${{ inputs.end }}\", version: 1 } }\n");
	GR_AUTO_JSON json_t *one = NULL;
	GR_AUTO_JSON json_t *two = NULL;

	(void)state;
	assert_string_equal(json_string_value(plan->inputs[0].value), "files/shop.apk");
	assert_int_equal(node_evaluate(node_member(plan->steps[1].with, "file"), NULL, &one, NULL), 0);
	assert_string_equal(json_string_value(one), "files/shop-androidTest.apk");
	assert_int_equal(node_evaluate(node_member(plan->steps[2].with, "file"), NULL, &two, NULL), 0);
	assert_string_equal(json_string_value(two), "files/shop.ipa");
	plan_free(plan);
}

static void it_fingerprints_the_file_and_the_inputs(void **state)
{
	static const char *const alpha[] = {"stage=alpha", NULL};
	static const struct plan_options options = {.inputs = alpha};
	struct plan *one = load_everything(), *two = load_everything();
	struct plan *other = load_file(TESTS_DATA "/pipelines/good/everything.yml", &options);

	(void)state;
	assert_int_equal(strlen(one->fingerprint), 64);
	assert_string_equal(one->fingerprint, two->fingerprint);
	assert_string_not_equal(one->fingerprint, other->fingerprint);
	plan_free(one);
	plan_free(two);
	plan_free(other);
}

static void it_keeps_half_of_a_short_run_for_work(void **state)
{
	struct plan *plan = load("version: 1\ntimeout: 10s\nsteps: [{ uses: run, with: { command: [ls] } }]\n");

	(void)state;
	assert_int_equal(plan->cleanup_reserve_ms, 5000);
	plan_free(plan);
}

static char *print(const struct plan *plan, const char *format)
{
	struct buffer out = {0};

	assert_int_equal(plan_print(plan, &(struct plan_view){.format = format}, &out, NULL), 0);
	return buffer_take(&out);
}

static void it_prints_the_worst_case(void **state)
{
	struct plan *plan = load("version: 1\nname: times\ntimeout: 60m\ncleanup_reserve: 1m\nsteps:\n"
	                         "  - { uses: run, timeout: 5m, with: { command: [ls] } }\n"
	                         "  - matrix: { n: [1, 2, 3], max_parallel: 2 }\n"
	                         "    steps: [{ uses: run, timeout: 3m, with: { command: [ls] } }]\n");
	GR_AUTO_FREE char *text = print(plan, "text");

	(void)state;
	/* 5m, two rounds of 3m, and what is kept back */
	assert_non_null(strstr(text, "times: at most 12m, of which 1m are kept"));
	assert_non_null(strstr(text, "3 lanes  [at most 6m]"));
	plan_free(plan);
}

static void it_prints_no_more_than_the_timeout(void **state)
{
	struct plan *plan = load_file("pipelines/examples/smoke.yml", NULL);
	GR_AUTO_FREE char *text = print(plan, "text");

	(void)state;
	assert_non_null(strstr(text, "shop-smoke: at most 30m"));
	assert_non_null(strstr(text, "\n  phones                 matrix             2 lanes\n    install"));
	plan_free(plan);
}

static void it_prints_json_that_reads_back(void **state)
{
	struct plan *plan = load_everything();
	GR_AUTO_FREE char *text = print(plan, "json");
	GR_AUTO_JSON json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const json_t *steps = json_object_get(json, "steps");

	(void)state;
	assert_int_equal(json_array_size(steps), 9);
	assert_true(json_is_true(json_object_get(json_array_get(steps, 0), "implicit")));
	assert_true(json_is_false(json_object_get(json_array_get(steps, 1), "implicit")));
	assert_int_equal(json_integer_value(json_object_get(json_array_get(steps, 4), "lanes")), 4);
	assert_int_equal(json_array_size(json_object_get(json, "gate")), 3);
	plan_free(plan);
}

static void it_prints_mermaid_without_loose_quotes(void **state)
{
	struct plan *plan = load_everything();
	GR_AUTO_FREE char *text = print(plan, "mermaid");

	(void)state;
	assert_true(strncmp(text, "flowchart TD\n", 13) == 0);
	assert_non_null(strstr(text, "n5[\"phones<br/>4 lanes\"]"));
	assert_non_null(strstr(text, "subgraph finally"));
	plan_free(plan);
}

static void it_refuses_an_unknown_format(void **state)
{
	struct plan *plan = load_file(TESTS_DATA "/pipelines/good/least.yml", NULL);
	struct buffer out = {0};
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(plan_print(plan, &(struct plan_view){.format = "dot"}, &out, &err), -GR_USAGE);
	buffer_release(&out);
	plan_free(plan);
	plan_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_puts_implicit_steps_before_their_first_use),
	        cmocka_unit_test(it_looks_the_application_up_after_a_step_that_creates_it),
	        cmocka_unit_test(it_adds_no_step_that_nobody_needs),
	        cmocka_unit_test(it_has_the_defaults_of_the_language),
	        cmocka_unit_test(it_merges_policies_with_the_defaults_of_the_file),
	        cmocka_unit_test(it_collects_after_what_leaves_something),
	        cmocka_unit_test(it_describes_a_matrix),
	        cmocka_unit_test(it_keeps_what_the_engine_evaluates_as_nodes),
	        cmocka_unit_test(it_implies_a_rule_when_none_speaks_of_failures),
	        cmocka_unit_test(it_looks_no_application_up_for_espresso),
	        cmocka_unit_test(it_has_the_ends_of_the_run),
	        cmocka_unit_test(it_compiles_until_into_the_plan),
	        cmocka_unit_test(it_finds_the_file_of_a_pattern),
	        cmocka_unit_test(it_fingerprints_the_file_and_the_inputs),
	        cmocka_unit_test(it_keeps_half_of_a_short_run_for_work),
	        cmocka_unit_test(it_prints_the_worst_case),
	        cmocka_unit_test(it_prints_no_more_than_the_timeout),
	        cmocka_unit_test(it_prints_json_that_reads_back),
	        cmocka_unit_test(it_prints_mermaid_without_loose_quotes),
	        cmocka_unit_test(it_refuses_an_unknown_format),
	};

	gr_memory_init();
	return cmocka_run_group_tests(tests, go_to_root, NULL);
}
