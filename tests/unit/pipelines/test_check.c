#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>

#include "runner/base/file.h"
#include "tests/unit/pipelines/tree.h"

/* Files of pipelines are named from the root of the repository. */
static int go_to_root(void **state)
{
	(void)state;
	return chdir(PROJECT_SOURCE);
}

static char *read_expected(const char *pipeline)
{
	GR_AUTO_FREE char *path = gr_printf("%.*s.expect", (int)(strlen(pipeline) - strlen(".yml")), pipeline);
	struct buffer text = {0};
	struct gr_error err = {0};

	if (file_read(path, 1 << 20, GR_CONFIG, &text, &err) != 0)
		fail_msg("%s", err.text);
	return buffer_take(&text);
}

static void check_bad(const char *path)
{
	GR_AUTO_FREE char *wanted = read_expected(path);
	GR_AUTO_FREE char *got = NULL;
	struct diagnostics diagnostics = {0};
	struct gr_error err = {0};
	struct plan *plan = NULL;

	assert_int_equal(plan_load(path, NULL, &plan, &diagnostics, &err), -GR_CONFIG);
	assert_null(plan);
	got = findings_text(&diagnostics);
	diagnostics_release(&diagnostics);
	if (strcmp(got, wanted) != 0)
		fail_msg("%s\n--- gave\n%s--- wanted\n%s", path, got, wanted);
}

static void it_says_of_every_bad_file_what_is_expected(void **state)
{
	glob_t files = {0};

	(void)state;
	assert_int_equal(glob(TESTS_DATA "/pipelines/bad/*.yml", 0, NULL, &files), 0);
	assert_true(files.gl_pathc >= 30);
	for (size_t i = 0; i < files.gl_pathc; i++)
		check_bad(files.gl_pathv[i]);
	globfree(&files);
}

static void check_good(const char *path)
{
	struct diagnostics diagnostics = {0};
	struct gr_error err = {0};
	struct plan *plan = NULL;
	int result = plan_load(path, NULL, &plan, &diagnostics, &err);
	GR_AUTO_FREE char *got = findings_text(&diagnostics);

	diagnostics_release(&diagnostics);
	if (result != 0)
		fail_msg("%s: %s\n%s", path, err.text, got);
	assert_string_equal(got, "");
	plan_free(plan);
}

static void it_takes_every_good_file_and_every_example(void **state)
{
	glob_t files = {0};

	(void)state;
	assert_int_equal(glob(TESTS_DATA "/pipelines/good/*.yml", 0, NULL, &files), 0);
	assert_int_equal(glob("pipelines/examples/*.yml", GLOB_APPEND, NULL, &files), 0);
	assert_true(files.gl_pathc >= 11);
	for (size_t i = 0; i < files.gl_pathc; i++)
		check_good(files.gl_pathv[i]);
	globfree(&files);
}

static void it_finds_exactly_the_five_mistakes(void **state)
{
	struct diagnostics diagnostics = {0};
	struct gr_error err = {0};
	struct plan *plan = NULL;

	(void)state;
	assert_int_equal(
	        plan_load(TESTS_DATA "/pipelines/bad/five-mistakes.yml", NULL, &plan, &diagnostics, &err), -GR_CONFIG);
	assert_int_equal(diagnostics.count, 5);
	assert_int_equal(diagnostics.errors, 5);
	assert_non_null(strstr(err.text, "has 5 errors"));
	for (size_t i = 0; i < diagnostics.count; i++) {
		assert_true(diagnostics.items[i].line > 0 && diagnostics.items[i].column > 0);
		assert_true(diagnostics.items[i].length > 0);
	}
	diagnostics_release(&diagnostics);
}

#define RUN "steps: [{ uses: run, with: { command: [ls] } }]\n"

/* Load text and compare the findings. */
static void expect(const char *text, const struct plan_options *options, const char *wanted)
{
	GR_AUTO_FREE char *got = NULL;
	struct plan *plan = NULL;
	int result = load_text(text, options, &plan, &got);

	plan_free(plan);
	if (strcmp(got, wanted) != 0)
		fail_msg("%s\n--- gave\n%s--- wanted\n%s", text, got, wanted);
	assert_int_equal(result, wanted[0] == '\0' || strstr(wanted, "warning: ") != NULL ? 0 : -GR_CONFIG);
}

static void it_reads_inputs_of_the_command_line(void **state)
{
	static const char *const good[] = {
	        "s=a=b", "n=-3", "r=0.5", "b=true", "c=x", "f=pipelines/examples/smoke.yml", NULL};
	static const char *const bad[] = {"n=three", "r=", "b=yes", "c=z", "f=none.apk", NULL};
	static const char *const strange[] = {"ss=1", "s", "n=1", "n=2", "=x", NULL};
	static const char text[] =
	        "version: 1\ninputs:\n  s: { type: string }\n  n: { type: int }\n  r: { type: number }\n"
	        "  b: { type: boolean }\n  c: { type: choice, choices: [x, y] }\n  f: { type: file }\n" RUN;
	struct plan_options options = {.inputs = good};
	GR_AUTO_FREE char *findings = NULL;
	struct plan *plan = NULL;

	(void)state;
	assert_int_equal(load_text(text, &options, &plan, &findings), 0);
	assert_string_equal(json_string_value(plan->inputs[0].value), "a=b");
	assert_int_equal(json_integer_value(plan->inputs[1].value), -3);
	assert_true(json_real_value(plan->inputs[2].value) > 0.4);
	assert_true(json_is_true(plan->inputs[3].value));
	assert_int_equal(plan->inputs[5].type, TYPE_FILE);
	plan_free(plan);
	options.inputs = bad;
	expect(text, &options,
	        "4:6: the input 'n' must be a whole number, not 'three' (given with --input)\n"
	        "5:6: the input 'r' must be a number, not '' (given with --input)\n"
	        "6:6: the input 'b' must be true or false, not 'yes' (given with --input)\n"
	        "7:6: the input 'c' must be one of its choices, not 'z'\n8:6: no file matches 'none.apk'\n");
	options.inputs = strange;
	expect(text, &options,
	        "0:0: --input: 'n' is given twice\n0:0: --input: 's' has no value; write s=VALUE\n"
	        "0:0: --input: the pipeline has no input ''\n0:0: --input: the pipeline has no input 'ss'\n");
}

static void it_warns_only_where_inputs_are_optional(void **state)
{
	static const char text[] =
	        "version: 1\ninputs:\n  apk: { type: file, required: true }\n  t: { type: string, required: true }\n"
	        "name: \"x-${{ inputs.t }}\"\ntimeout: \"${{ inputs.t }}\"\napp: { name: \"${{ inputs.t }}\" }\n"
	        "steps:\n  - uses: upload_build\n    with: { file: \"${{ inputs.apk }}\", direct: true, platform: "
	        "\"${{ "
	        "inputs.t }}\" }\n";
	static const struct plan_options optional = {.inputs_are_optional = true};

	(void)state;
	expect(text, &optional,
	        "3:8: warning: the input 'apk' is required and was not given\n4:6: warning: the input 't' is required "
	        "and was not given\n");
	expect("version: 1\ninputs: { t: { type: string, required: true } }\n" RUN, NULL,
	        "2:14: the input 't' is required and was not given\n");
}

static void it_keeps_files_inside_the_working_directory(void **state)
{
	static const char *const outside[] = {"f=/etc/hostname", NULL};
	struct plan_options options = {.inputs = outside};
	static const char text[] = "version: 1\ninputs: { f: { type: file } }\n" RUN;
	static const char here[] = "version: 1\nworking_directory: pipelines/examples\ninputs: { f: { type: file, "
	                           "default: files/shop.apk } }\n" RUN;

	(void)state;
	expect(text, &options, "2:14: the file '/etc/hostname' lies outside of the working directory\n");
	options.allow_outside = true;
	expect(text, &options, "");
	expect(here, NULL, "");
	expect("version: 1\nworking_directory: /etc\n" RUN, NULL,
	        "2:20: '/etc' lies outside of the folder that gridlane was started in\n");
	expect("version: 1\nworking_directory: no-such\n" RUN, NULL, "2:20: there is no folder 'no-such'\n");
}

static void it_refuses_a_link_that_leads_outside(void **state)
{
	char folder[] = "/tmp/gridlane-test-XXXXXX";
	static const char text[] = "version: 1\ninputs: { f: { type: file, default: link.apk } }\n" RUN;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(symlink("/etc/hostname", "link.apk"), 0);
	expect(text, NULL, "2:37: the file 'link.apk' lies outside of the working directory\n");
	assert_int_equal(unlink("link.apk"), 0);
	assert_int_equal(chdir(PROJECT_SOURCE), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void it_takes_defaults_from_the_environment(void **state)
{
	static const char text[] =
	        "version: 1\ninputs:\n  n: { type: int, default: \"${{ env.GRIDLANE_TEST_N ?? 4 }}\" }\n"
	        "  s: { default: \"a ${{ env.GRIDLANE_TEST_S }}\" }\n" RUN;
	GR_AUTO_FREE char *findings = NULL;
	struct plan *plan = NULL;

	(void)state;
	assert_int_equal(setenv("GRIDLANE_TEST_N", "17", 1), 0);
	assert_int_equal(setenv("GRIDLANE_TEST_S", "b", 1), 0);
	assert_int_equal(load_text(text, NULL, &plan, &findings), 0);
	assert_int_equal(json_integer_value(plan->inputs[0].value), 17);
	assert_string_equal(json_string_value(plan->inputs[1].value), "a b");
	plan_free(plan);
	assert_int_equal(setenv("GRIDLANE_TEST_N", "many", 1), 0);
	assert_int_equal(unsetenv("GRIDLANE_TEST_S"), 0);
	expect(text, NULL,
	        "3:28: the default of the input 'n' must be a whole number\n"
	        "4:28: 'GRIDLANE_TEST_S' is not set; null cannot stand inside text; ?? gives it a fallback\n");
	assert_int_equal(unsetenv("GRIDLANE_TEST_N"), 0);
}

static void it_repeats_a_finding_of_an_anchor_once(void **state)
{
	(void)state;
	expect("version: 1\nx-a: &a { command: [\"${{ nope.x }}\"] }\nsteps:\n  - { uses: run, with: *a }\n  - { uses: "
	       "run, with: *a }\n",
	        NULL, "2:26: unknown name 'nope'; text stands in quotes: 'nope'\n");
}

static void it_checks_values_that_inputs_decide(void **state)
{
	static const char *const inputs[] = {"mode=asinc", "t=2h", NULL};
	struct plan_options options = {.inputs = inputs};

	(void)state;
	expect("version: 1\ninputs: { mode: {}, t: {} }\napp: { name: A }\nsteps:\n"
	       "  - { uses: install, timeout: \"${{ inputs.t }}\", with: { build: 1, device: { id: 2 }, mode: \"${{ "
	       "inputs.mode }}\" } }\n",
	        &options,
	        "5:31: `timeout` is longer than the `timeout` of the run (1h), so it can never be used up\n"
	        "5:93: 'mode' must be one of sync|async|direct, not 'asinc'\n");
}

static void it_warns_of_devices_that_nobody_uses(void **state)
{
	(void)state;
	expect("version: 1\ndevices: { d: { any_of: [{ tag: x }] } }\n" RUN, NULL,
	        "2:12: warning: no step uses the devices 'd', so none are taken\n");
	expect("version: 1\nnmae: x\ndevices: { d: { any_of: [{ tag: x }] } }\n" RUN, NULL,
	        "2:1: unknown key in a pipeline: 'nmae'\n");
}

static void it_keeps_variables_that_look_like_secrets_out_of_texts(void **state)
{
	GR_AUTO_FREE char *findings = NULL;
	struct plan *plan = NULL;

	(void)state;
	assert_int_equal(setenv("GRIDLANE_TEST_TOKEN", "tiger-in-the-tank", 1), 0);
	assert_int_equal(load_text("version: 1\nname: \"${{ toJSON(env) }}\"\n" RUN, NULL, &plan, &findings), 0);
	assert_null(strstr(plan->name, "tiger-in-the-tank"));
	assert_int_equal(unsetenv("GRIDLANE_TEST_TOKEN"), 0);
	plan_free(plan);
}

static void it_says_that_a_file_cannot_be_read(void **state)
{
	struct diagnostics diagnostics = {0};
	struct gr_error err = {0};
	struct plan *plan = NULL;

	(void)state;
	assert_int_equal(plan_load("/no/such.yml", NULL, &plan, &diagnostics, &err), -GR_CONFIG);
	assert_int_equal(diagnostics.errors, 1);
	assert_int_equal(diagnostics.items[0].line, 0);
	assert_non_null(strstr(err.text, "/no/such.yml"));
	diagnostics_release(&diagnostics);
}

/* The findings of a pipeline whose list of quarantined tests is that text; its own places come first. */
static void expect_of_quarantine(const char *list, const char *wanted)
{
	char folder[] = "/tmp/gridlane-test-XXXXXX";
	FILE *file;

	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	file = fopen("known.yml", "w");
	assert_non_null(file);
	assert_true(fputs(list, file) >= 0);
	assert_int_equal(fclose(file), 0);
	expect("version: 1\nquarantine: known.yml\n" RUN, NULL, wanted);
	assert_int_equal(unlink("known.yml"), 0);
	assert_int_equal(chdir(PROJECT_SOURCE), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void it_checks_the_file_of_quarantined_tests(void **state)
{
	GR_AUTO_FREE char *words = gr_alloc(1002, 1);
	GR_AUTO_FREE char *longer = NULL;

	(void)state;
	memset(words, 'x', 1001);
	longer = gr_printf("- { test: \"%s\", reason: r, owner: o, until: 2999-01-01 }\n", words);
	expect_of_quarantine("", "");
	expect_of_quarantine("- { test: Pays, reason: r, owner: o, until: 2999-01-01 }\n"
	                     "- { test: Pays, device: Phone, reason: r, owner: o, until: 2999-01-01 }\n",
	        "");
	expect_of_quarantine("- { test: Pays, reason: r, owner: o, until: 2999-01-01 }\n"
	                     "- { test: Pays, reason: again, owner: o, until: 2999-01-02 }\n",
	        "2:3: 'Pays' is quarantined in line 1 already\n");
	expect_of_quarantine("- { test: Pays, reason: r, owner: o, until: 2001-01-01 }\n",
	        "1:45: warning: the quarantine of 'Pays' ended with 2001-01-01, so its failures count again\n");
	expect_of_quarantine("- { test: Pays, owner: ' ', until: tomorrow, why: x }\n",
	        "1:3: a quarantined test needs 'reason'\n"
	        "1:24: 'owner' must be a text that is not empty, without ${{ }}\n"
	        "1:36: 'until' must be a day (YYYY-MM-DD), not 'tomorrow'\n"
	        "1:46: unknown key in a quarantined test: 'why'\n");
	expect_of_quarantine("- { test: Pays, reason: r, owner: o, until: 2999-02-30 }\n",
	        "1:45: 'until' must be a day (YYYY-MM-DD), not '2999-02-30'\n");
	expect_of_quarantine(longer, "1:11: 'test' is longer than 1000 bytes\n");
	expect_of_quarantine("test: Pays\n", "1:1: a quarantine is a list of at most 1000 tests\n");
	expect_of_quarantine("- [\n", "2:1: this is not valid YAML: did not find expected node content\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_says_of_every_bad_file_what_is_expected),
	        cmocka_unit_test(it_takes_every_good_file_and_every_example),
	        cmocka_unit_test(it_finds_exactly_the_five_mistakes),
	        cmocka_unit_test(it_reads_inputs_of_the_command_line),
	        cmocka_unit_test(it_warns_only_where_inputs_are_optional),
	        cmocka_unit_test(it_keeps_files_inside_the_working_directory),
	        cmocka_unit_test(it_refuses_a_link_that_leads_outside),
	        cmocka_unit_test(it_takes_defaults_from_the_environment),
	        cmocka_unit_test(it_repeats_a_finding_of_an_anchor_once),
	        cmocka_unit_test(it_checks_values_that_inputs_decide),
	        cmocka_unit_test(it_warns_of_devices_that_nobody_uses),
	        cmocka_unit_test(it_keeps_variables_that_look_like_secrets_out_of_texts),
	        cmocka_unit_test(it_says_that_a_file_cannot_be_read),
	        cmocka_unit_test(it_checks_the_file_of_quarantined_tests),
	};

	gr_memory_init();
	return cmocka_run_group_tests(tests, go_to_root, NULL);
}
