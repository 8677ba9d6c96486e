#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reporters/statement.h"
#include "tests/unit/reporters/sample.h"

#define SHOP "1111111111111111111111111111111111111111111111111111111111111111"
#define OTHER "2222222222222222222222222222222222222222222222222222222222222222"

static void add_upload(struct results *results, const char *step, const char *build, const char *sha256)
{
	struct step_result *added = results_add_step(results, "main", step);

	added->kind = gr_strdup("upload_build");
	added->outcome = OUTCOME_PASSED;
	added->outputs = json_pack("{s:s, s:s?, s:s}", "app_build_id", build, "sha256", sha256, "file", "out/shop.apk");
}

/* A green run that tested the build 7. */
static void fill_green(struct results *results)
{
	struct step_result *step;
	struct device_run *run;

	*results = (struct results){.run_id = gr_strdup("r1"), .pipeline = gr_strdup("shop"), .has_test_steps = true};
	add_upload(results, "build", "7", SHOP);
	step = results_add_step(results, "main", "regression");
	step->kind = gr_strdup("app_build_run");
	step->outcome = OUTCOME_PASSED;
	step->runs_tests = true;
	step->outputs = json_pack("{s:s}", "app_build_id", "7");
	run = sample_run(results, "Pixel 7", "main");
	(void)sample_case(run, "logs in", STATUS_PASSED, NULL);
	results_judge(results);
	assert_int_equal(results->verdict, VERDICT_PASSED);
}

static int make(const struct results *results, json_t **ret_statement, struct gr_error *err)
{
	struct folder folder;
	struct report_context context = {0};
	int r;

	folder_make(&folder);
	folder_write(&folder, "junit.xml", "abc");
	context.directory = folder.handle;
	r = statement_make(results, &context, ret_statement, err);
	folder_remove(&folder);
	return r;
}

static int check(const json_t *statement, const char *digest, bool refuses_warnings, bool takes_sandbox)
{
	const char *const digests[] = {digest, NULL};
	const struct statement_demand demand = {digests, refuses_warnings, takes_sandbox};
	GR_AUTO_BUFFER struct buffer payload = {0};
	GR_AUTO_FREE char *text = json_dumps(statement, 0);
	GR_AUTO_JSON json_t *back = NULL;
	struct gr_error err = {0};

	buffer_add_text(&payload, text);
	return statement_check(&payload, &demand, &back, &err);
}

static const char *result_of(const json_t *statement)
{
	return json_string_value(json_object_get(json_object_get(statement, "predicate"), "result"));
}

static void it_vouches_for_the_build_that_passed(void **state)
{
	struct results results;
	GR_AUTO_JSON json_t *statement = NULL;
	const json_t *predicate, *configuration;
	struct gr_error err = {0};

	(void)state;
	fill_green(&results);
	assert_int_equal(make(&results, &statement, &err), 0);
	assert_string_equal(result_of(statement), "PASSED");
	assert_int_equal(check(statement, SHOP, true, false), 0);
	assert_int_equal(check(statement, OTHER, false, true), -GR_GATE);
	predicate = json_object_get(statement, "predicate");
	assert_string_equal(json_string_value(json_array_get(json_object_get(predicate, "passedTests"), 0)),
	        "Pixel_7-Android_14.com.example.LoginTest.logs in");
	configuration = json_array_get(json_object_get(predicate, "configuration"), 1);
	assert_string_equal(json_string_value(json_object_get(configuration, "name")), "junit.xml");
	assert_string_equal(json_string_value(json_object_get(json_object_get(configuration, "digest"), "sha256")),
	        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	results_release(&results);
}

static void it_says_no_pass_of_a_build_that_was_not_tested(void **state)
{
	struct results results;
	GR_AUTO_JSON json_t *statement = NULL;
	struct gr_error err = {0};

	(void)state;
	fill_green(&results);
	add_upload(&results, "second", "8", OTHER);
	assert_int_equal(make(&results, &statement, &err), 0);
	assert_int_equal(json_array_size(json_object_get(statement, "subject")), 1);
	assert_int_equal(check(statement, OTHER, false, false), -GR_GATE);
	results_release(&results);
}

/* The second build's only test was one that may fail. */
static void it_says_no_pass_of_a_build_that_was_only_tried(void **state)
{
	static const enum outcome outcomes[] = {OUTCOME_FAILED, OUTCOME_ERROR, OUTCOME_PASSED};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(outcomes); i++) {
		struct results results;
		GR_AUTO_JSON json_t *statement = NULL;
		struct gr_error err = {0};
		struct step_result *step;

		fill_green(&results);
		add_upload(&results, "second", "8", OTHER);
		step = results_add_step(&results, "main", "tried");
		step->kind = gr_strdup("app_build_run");
		step->outcome = outcomes[i];
		step->is_best_effort = true;
		step->outputs = json_pack("{s:s}", "app_build_id", "8");
		assert_int_equal(make(&results, &statement, &err), 0);
		assert_int_equal(check(statement, SHOP, false, true), 0);
		assert_int_equal(check(statement, OTHER, false, true), outcomes[i] == OUTCOME_PASSED ? 0 : -GR_GATE);
		results_release(&results);
	}
}

static void it_says_of_all_builds_that_their_run_failed(void **state)
{
	struct results results;
	GR_AUTO_JSON json_t *statement = NULL;
	struct gr_error err = {0};

	(void)state;
	fill_green(&results);
	add_upload(&results, "second", "8", OTHER);
	(void)sample_case(&results.runs[0], "pays", STATUS_FAILED, "no");
	results_judge(&results);
	assert_int_equal(make(&results, &statement, &err), 0);
	assert_int_equal(json_array_size(json_object_get(statement, "subject")), 2);
	assert_string_equal(result_of(statement), "FAILED");
	assert_int_equal(check(statement, SHOP, false, true), -GR_GATE);
	results_release(&results);
}

static void it_warns_of_flaky_tests(void **state)
{
	struct results results;
	GR_AUTO_JSON json_t *statement = NULL;
	const json_t *warned;
	struct gr_error err = {0};

	(void)state;
	fill_green(&results);
	sample_attempts(sample_case(&results.runs[0], "scrolls", STATUS_PASSED, NULL), 1, "first try");
	results_judge(&results);
	assert_int_equal(make(&results, &statement, &err), 0);
	assert_string_equal(result_of(statement), "WARNED");
	warned = json_object_get(json_object_get(statement, "predicate"), "warnedTests");
	assert_int_equal(json_array_size(warned), 1);
	assert_int_equal(check(statement, SHOP, false, false), 0);
	assert_int_equal(check(statement, SHOP, true, false), -GR_GATE);
	results_release(&results);
}

static void it_does_not_pass_a_build_off_as_tested_that_saw_the_sandbox_alone(void **state)
{
	struct results results;
	GR_AUTO_JSON json_t *statement = NULL;
	struct gr_error err = {0};

	(void)state;
	fill_green(&results);
	results.is_sandbox = true;
	assert_int_equal(make(&results, &statement, &err), 0);
	assert_string_equal(result_of(statement), "WARNED");
	assert_int_equal(check(statement, SHOP, false, false), -GR_GATE);
	assert_int_equal(check(statement, SHOP, false, true), 0);
	assert_int_equal(check(statement, SHOP, true, true), 0);
	results_release(&results);
}

static void it_refuses_flaky_tests_in_a_rehearsal_too(void **state)
{
	struct results results;
	GR_AUTO_JSON json_t *statement = NULL;
	struct gr_error err = {0};

	(void)state;
	fill_green(&results);
	results.is_sandbox = true;
	sample_attempts(sample_case(&results.runs[0], "scrolls", STATUS_PASSED, NULL), 1, "first try");
	results_judge(&results);
	assert_int_equal(make(&results, &statement, &err), 0);
	assert_int_equal(check(statement, SHOP, false, true), 0);
	assert_int_equal(check(statement, SHOP, true, true), -GR_GATE);
	results_release(&results);
}

static void it_needs_a_build_whose_digest_is_known(void **state)
{
	struct results results;
	json_t *statement = NULL;
	struct gr_error err = {0};

	(void)state;
	fill_green(&results);
	(void)json_object_set_new(results.steps[0].outputs, "sha256", json_null());
	assert_int_equal(make(&results, &statement, &err), -GR_CONFIG);
	assert_null(statement);
	results_release(&results);
}

static void it_refuses_statements_about_something_else(void **state)
{
	static const char *const keys[] = {"_type", "predicateType"};
	struct results results;
	struct gr_error err = {0};

	(void)state;
	fill_green(&results);
	for (size_t i = 0; i < GR_COUNT(keys); i++) {
		GR_AUTO_JSON json_t *statement = NULL;

		assert_int_equal(make(&results, &statement, &err), 0);
		(void)json_object_set_new(statement, keys[i], json_string("https://slsa.dev/provenance/v1"));
		assert_int_equal(check(statement, SHOP, false, true), -GR_GATE);
	}
	results_release(&results);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_vouches_for_the_build_that_passed),
	        cmocka_unit_test(it_says_no_pass_of_a_build_that_was_not_tested),
	        cmocka_unit_test(it_says_no_pass_of_a_build_that_was_only_tried),
	        cmocka_unit_test(it_says_of_all_builds_that_their_run_failed),
	        cmocka_unit_test(it_warns_of_flaky_tests),
	        cmocka_unit_test(it_does_not_pass_a_build_off_as_tested_that_saw_the_sandbox_alone),
	        cmocka_unit_test(it_refuses_flaky_tests_in_a_rehearsal_too),
	        cmocka_unit_test(it_needs_a_build_whose_digest_is_known),
	        cmocka_unit_test(it_refuses_statements_about_something_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
