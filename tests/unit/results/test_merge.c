#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "runner/base/memory.h"
#include "runner/results/merge.h"

/* A run of one passed test with one lane, one step and one file. */
static struct results part_of(const char *run_id, enum verdict verdict, int exit_status, const char *commit)
{
	struct results part = {.run_id = gr_strdup(run_id),
	        .pipeline = gr_strdup("nightly"),
	        .verdict = verdict,
	        .exit_status = exit_status,
	        .cause = verdict == VERDICT_PASSED ? NULL : gr_strdup("something"),
	        .started_wall_ms = 1000,
	        .elapsed_ms = 500,
	        .environment = json_pack("{s:s*}", "commit", commit)};
	struct test_case *test;

	part.lanes = gr_grow(NULL, 0, sizeof(*part.lanes));
	part.lanes[part.lane_count++] = (struct lane_result){.name = gr_strdup("main")};
	(void)results_add_step(&part, "main", "tests");
	part.runs = gr_grow(NULL, 0, sizeof(*part.runs));
	part.runs[part.run_count++] = (struct device_run){.lane = gr_strdup("main"), .is_complete = true};
	test = device_run_add_case(&part.runs[0]);
	test->name = gr_strdup("launches");
	part.artifacts = gr_grow(NULL, 0, sizeof(*part.artifacts));
	part.artifacts[part.artifact_count++] =
	        (struct artifact){.path = gr_strdup("artifacts/a.log"), .lane = gr_strdup("main")};
	return part;
}

static void add(struct results *all, const char *name, struct results part)
{
	GR_AUTO_FREE char *path = gr_printf("merged-parts/%s", name);

	merge_add(all, &part, name, path);
}

static void it_is_green_when_all_parts_are(void **state)
{
	struct results all;

	(void)state;
	merge_init(&all, "gridlane");
	add(&all, "a", part_of("1", VERDICT_PASSED, 0, "abc"));
	add(&all, "b", part_of("2", VERDICT_PASSED, 0, "abc"));
	results_judge(&all);
	assert_int_equal(all.verdict, VERDICT_PASSED);
	assert_int_equal(all.exit_status, 0);
	assert_int_equal(all.part_count, 2);
	assert_int_equal(results_totals(&all).tests, 2);
	assert_string_equal(all.lanes[1].name, "b/main");
	assert_string_equal(all.runs[1].lane, "b/main");
	assert_string_equal(all.steps[1].lane, "b/main");
	assert_string_equal(all.artifacts[1].path, "merged-parts/b/artifacts/a.log");
	results_judge(&all); /* and stays so */
	assert_int_equal(all.verdict, VERDICT_PASSED);
	results_release(&all);
}

static void it_has_the_worst_verdict_of_its_parts(void **state)
{
	static const struct {
		enum verdict verdicts[2];
		int statuses[2];
		enum verdict wanted;
		int status;
	} rows[] = {
	        {{VERDICT_FAILED, VERDICT_INFRASTRUCTURE}, {1, 3}, VERDICT_FAILED, 1},
	        {{VERDICT_INFRASTRUCTURE, VERDICT_TIMEOUT}, {3, 4}, VERDICT_TIMEOUT, 4},
	        {{VERDICT_PASSED, VERDICT_INFRASTRUCTURE}, {0, 3}, VERDICT_INFRASTRUCTURE, 3},
	        {{VERDICT_FAILED, VERDICT_CANCELLED}, {1, 143}, VERDICT_CANCELLED, 143},
	        {{VERDICT_USAGE, VERDICT_FAILED}, {2, 1}, VERDICT_USAGE, 2},
	};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(rows); i++) {
		struct results all;

		merge_init(&all, "gridlane");
		add(&all, "a", part_of("1", rows[i].verdicts[0], rows[i].statuses[0], NULL));
		add(&all, "b", part_of("2", rows[i].verdicts[1], rows[i].statuses[1], NULL));
		results_judge(&all);
		assert_int_equal(all.verdict, rows[i].wanted);
		assert_int_equal(all.exit_status, rows[i].status);
		assert_non_null(strstr(all.cause, "part '"));
		results_release(&all);
	}
}

static void it_is_not_green_without_an_expected_part(void **state)
{
	struct results all;

	(void)state;
	merge_init(&all, "gridlane");
	add(&all, "a", part_of("1", VERDICT_PASSED, 0, NULL));
	merge_add_missing(&all, "b", "nothing is there");
	results_judge(&all);
	assert_int_equal(all.verdict, VERDICT_INFRASTRUCTURE);
	assert_string_equal(all.cause, "part 'b' is missing: nothing is there");
	results_release(&all);
	merge_init(&all, "gridlane");
	merge_add_missing(&all, "a", "nothing is there");
	results_judge(&all);
	assert_int_equal(all.exit_status, 3);
	results_release(&all);
}

static void it_counts_a_run_once_and_refuses_another_commit(void **state)
{
	struct results all;

	(void)state;
	merge_init(&all, "gridlane");
	add(&all, "a", part_of("1", VERDICT_PASSED, 0, "abc"));
	add(&all, "again", part_of("1", VERDICT_PASSED, 0, "abc"));
	results_judge(&all);
	assert_int_equal(all.verdict, VERDICT_PASSED);
	assert_int_equal(all.part_count, 1);
	assert_int_equal(all.problem_count, 1);
	assert_true(all.problems[0].is_warning);
	add(&all, "old", part_of("0", VERDICT_PASSED, 0, "def"));
	results_judge(&all);
	assert_int_equal(all.verdict, VERDICT_INFRASTRUCTURE);
	assert_non_null(strstr(all.cause, "left over from another build"));
	results_release(&all);
}

/* A part that does not say its commit hides nothing of the others. */
static void it_compares_the_commits_that_are_known(void **state)
{
	struct results all;

	(void)state;
	merge_init(&all, "gridlane");
	add(&all, "by hand", part_of("1", VERDICT_PASSED, 0, NULL));
	add(&all, "new", part_of("2", VERDICT_PASSED, 0, "abc"));
	results_judge(&all);
	assert_int_equal(all.verdict, VERDICT_PASSED);
	add(&all, "old", part_of("3", VERDICT_PASSED, 0, "def"));
	results_judge(&all);
	assert_int_equal(all.verdict, VERDICT_INFRASTRUCTURE);
	assert_non_null(strstr(all.cause, "left over from another build"));
	results_release(&all);
}

static void it_believes_no_part_that_contradicts_itself(void **state)
{
	struct results all;

	(void)state;
	merge_init(&all, "gridlane");
	add(&all, "a", part_of("1", VERDICT_PASSED, 3, NULL));
	results_judge(&all);
	assert_int_equal(all.exit_status, 3);
	assert_string_equal(all.cause, "part 'a' says 'passed' with exit status 3");
	results_release(&all);
}

/* Names are those of the part, so that no two lanes, resources or rules are taken for one. */
static void it_says_of_everything_which_part_it_is_of(void **state)
{
	struct results all, part = part_of("1", VERDICT_FAILED, 1, NULL);

	(void)state;
	(void)results_add_problem(&part, GR_NETWORK, "main", "tests", "no answer");
	(void)results_add_problem(&part, GR_GATE, NULL, NULL, "the gate");
	part.held = gr_grow(NULL, 0, sizeof(*part.held));
	part.held[part.held_count++] = (struct held){.key = gr_strdup("device/27")};
	part.rules = gr_grow(NULL, 0, sizeof(*part.rules));
	part.rules[part.rule_count++] = (struct gate_rule){.text = gr_strdup("results.failed == 0")};
	merge_init(&all, "gridlane");
	add(&all, "a", part);
	assert_true(merge_has(&all, "a") && merge_has_run(&all, "1"));
	assert_false(merge_has(&all, "b") || merge_has_run(&all, "2") || merge_has_run(&all, NULL));
	assert_string_equal(all.problems[0].message, "part 'a': no answer");
	assert_string_equal(all.problems[0].lane, "a/main");
	assert_string_equal(all.problems[1].message, "part 'a': the gate");
	assert_string_equal(all.problems[1].lane, "a");
	assert_string_equal(all.held[0].key, "a/device/27");
	assert_string_equal(all.rules[0].text, "[a] results.failed == 0");
	results_judge(&all);
	assert_int_equal(all.exit_status, 1);
	results_release(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_is_green_when_all_parts_are),
	        cmocka_unit_test(it_has_the_worst_verdict_of_its_parts),
	        cmocka_unit_test(it_is_not_green_without_an_expected_part),
	        cmocka_unit_test(it_counts_a_run_once_and_refuses_another_commit),
	        cmocka_unit_test(it_compares_the_commits_that_are_known),
	        cmocka_unit_test(it_believes_no_part_that_contradicts_itself),
	        cmocka_unit_test(it_says_of_everything_which_part_it_is_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
