#include "native_script.h"
#include "runner/steps/native_judge.h"

/* The status comes first, the counts ten seconds later. */
static void counts_may_settle_after_the_status(void **state)
{
	(void)state;
	for (size_t n = 0; n < 2; n++) {
		struct script s;
		int64_t began = 0;

		run_to_first_poll(&s, WITH(""));
		began = s.now_ms;
		for (int i = 0; i < 4; i++) {
			answer(&s,
			        n == 0 ? RESULT("2", "Passed", "3", "0", "0") : RESULT("3", "Failed", "0", "0", "0"));
			let_time_come(&s);
		}
		answer(&s, n == 0 ? RESULT("2", "Passed", "3", "3", "0") : RESULT("3", "Failed", "3", "1", "2"));
		expect_done(&s, n == 0 ? OUTCOME_PASSED : OUTCOME_FAILED,
		        n == 0 ? "{'tests': 3, 'passed': 3}" : "{'tests': 3, 'failed': 2}");
		assert_true(s.now_ms - began < 20000);
		script_close(&s);
	}
}

static void contradictory_counts_are_looked_at_for_a_while(void **state)
{
	struct script s;
	int64_t began = 0;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	began = s.now_ms;
	answer_on(&s, RESULT("2", "Passed", "3", "0", "0"));
	expect_problem(&s, GR_INCONSISTENT, "0 of 3");
	assert_in_range(s.now_ms - began, 20000, 30000);
	script_close(&s);
}

/* A queue that answers with a no until there is something to tell. */
static void no_result_yet_is_a_queue(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 30; i++) {
		answer(&s, "{'success': false, 'message': 'No result found.'}");
		expect_wait(&s, 1, 20000);
		let_time_come(&s);
	}
	answer_on(&s, RESULT("2", "Passed", "3", "3", "0"));
	expect_done(&s, OUTCOME_PASSED, "{'passed': 3}");
	assert_true(s.action.device_run->queued_ms > MINUTES);
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, "{'success': false, 'message': 'No result found.'}");
	expect_problem(&s, GR_QUEUE, "poll.queue");
	script_close(&s);
}

static void a_result_that_goes_away_is_no_queue(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, RESULT("1", "Running", "3", "1", "0"));
	let_time_come(&s);
	answer_on(&s, "{'success': false, 'message': 'No result found.'}");
	expect_problem(&s, GR_STALL, "poll.stall");
	script_close(&s);
}

static void a_number_that_means_failed_beside_other_words_is_inconsistent(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("3", "Passed", "3", "3", "0"));
	expect_problem(&s, GR_INCONSISTENT, "means failed, and its words do not: status 3 (Passed)");
	assert_int_equal(s.action.outcome, OUTCOME_ERROR);
	assert_int_equal(s.action.device_run->cases[0].status, STATUS_ERROR);
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("3", "Completed", "3", "2", "1"));
	expect_problem(&s, GR_FAILED, "means failed, and its words do not");
	assert_int_equal(s.action.outcome, OUTCOME_FAILED);
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("5", "Passed", "3", "3", "0")); /* no other number is documented */
	expect_done(&s, OUTCOME_PASSED, "{'passed': 3}");
	script_close(&s);
}

static void tests_without_names_are_counted_as_the_server_counts_them(void **state)
{
	struct script s;
	struct totals totals;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("3", "Failed", "5", "4", "1"));
	expect_done(&s, OUTCOME_FAILED, "{'tests': 5, 'passed': 4, 'failed': 1, 'executed': 5, 'pass_rate': 0.8}");
	totals = device_run_totals(s.action.device_run);
	assert_int_equal(totals.tests, 5);
	assert_int_equal(totals.passed, 4);
	assert_int_equal(totals.failed, 1);
	assert_int_equal(totals.errors, 0);
	script_close(&s);
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, RESULT("3", "Failed", "5", "5", "0")); /* counts that do not tell of the failure */
	assert_int_equal(device_run_totals(s.action.device_run).tests, 1);
	assert_int_equal(device_run_totals(s.action.device_run).failed, 1);
	script_close(&s);
}

static void tests_that_count_for_nothing_are_skipped_where_allowed(void **state)
{
	struct script s;
	struct totals totals;

	(void)state;
	run_to_first_poll(&s, WITH(", 'allow_skipped': true"));
	answer(&s, RESULT("2", "Passed", "3", "2", "0"));
	expect_wait(&s, 1, 60000); /* the counts may lag: one answer is not enough */
	answer_on(&s, RESULT("2", "Passed", "3", "2", "0"));
	expect_done(&s, OUTCOME_PASSED, "{'tests': 3, 'passed': 2, 'skipped': 1}");
	totals = device_run_totals(s.action.device_run);
	assert_int_equal(totals.skipped, 1);
	assert_int_equal(totals.errors, 0);
	script_close(&s);
	run_to_first_poll(&s, WITH(", 'allow_skipped': true"));
	answer_on(&s, RESULT("3", "Failed", "3", "1", "1"));
	expect_done(&s, OUTCOME_FAILED, "{'passed': 1, 'failed': 1, 'skipped': 1, 'errors': 0}");
	script_close(&s);
	run_to_first_poll(&s, WITH(", 'allow_skipped': true"));
	answer_on(&s, RESULT("2", "Passed", "3", "0", "0")); /* nothing ran */
	expect_problem(&s, GR_INCONSISTENT, "0 of 3");
	script_close(&s);
}

static void skipped_tests_that_the_log_does_not_name_are_told(void **state)
{
	struct script s;

	(void)state;
	fetch_log_with(&s, WITH(", 'allow_skipped': true"), LOGGED("2", "Passed", "3", "1", "0"),
	        TESTED("one", "0") TESTED("two", "-3"));
	expect_case(&s, "1 skipped test not in the log", STATUS_SKIPPED, GR_NONE);
	expect_done(&s, OUTCOME_PASSED, "{}");
	script_close(&s);
	fetch_log_with(&s, WITH(", 'allow_skipped': true"), LOGGED("2", "Passed", "3", "2", "0"),
	        TESTED("one", "0") TESTED("two", "0") TESTED("three", "0"));
	expect_problem(&s, GR_INCONSISTENT, "has 3 tests that passed, and the server counts 2");
	script_close(&s);
}

#define TWO_ROWS(id, status, text, passed, failed)                                                                     \
	"{'success': true, 'data': [{'device_id': 3, 'status': '2', 'status_text': 'Passed', 'all_testcase': 3, "      \
	"'passed_testcase': 3, 'failed_testcase': 0}, {'device_id': '" id "', 'status': '" status                      \
	"', 'status_text': '" text "', 'all_testcase': 3, 'passed_testcase': " passed ", 'failed_testcase': " failed   \
	"}]}"

static void further_rows_must_have_passed(void **state)
{
	static const char *const bad[] = {TWO_ROWS("3", "3", "Failed", "0", "3"),
	        TWO_ROWS("9", "3", "Failed", "1", "2"), TWO_ROWS("9", "1", "Running", "1", "0"),
	        TWO_ROWS("9", "2", "Passed", "0", "0")};
	struct script s;

	(void)state;
	for (size_t n = 0; n < GR_COUNT(bad); n++) {
		int64_t began = 0;

		run_to_first_poll(&s, WITH(""));
		began = s.now_ms;
		answer_on(&s, bad[n]);
		expect_problem(&s, GR_INCONSISTENT, "1 further row");
		assert_in_range(s.now_ms - began, 20000, 30000);
		script_close(&s);
	}
	run_to_first_poll(&s, WITH(""));
	answer_on(&s, TWO_ROWS("9", "2", "Passed", "3", "0"));
	expect_done(&s, OUTCOME_PASSED, "{'passed': 3}");
	assert_true(s.action.device_run->problems[0].is_warning);
	script_close(&s);
}

static void assert_words(struct native_device native, const char *words)
{
	GR_AUTO_FREE char *said = native_words(&native);

	assert_string_equal(said, words);
}

static void counts_that_are_not_given_are_not_made_up(void **state)
{
	char status[] = "3", text[] = "Failed";

	(void)state;
	assert_words((struct native_device){.status = status, .status_text = text, .all = 5, .passed = 4, .failed = 1},
	        "status 3 (Failed): 4 of 5 tests passed, 1 failed");
	assert_words(
	        (struct native_device){.status = status, .status_text = text, .all = -1, .passed = -1, .failed = -1},
	        "status 3 (Failed), and no number of tests");
	assert_words((struct native_device){.all = 5, .passed = -1, .failed = -1},
	        "status none (no words): an unknown number of 5 tests passed, an unknown number failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(counts_that_are_not_given_are_not_made_up),
	        cmocka_unit_test(counts_may_settle_after_the_status),
	        cmocka_unit_test(contradictory_counts_are_looked_at_for_a_while),
	        cmocka_unit_test(no_result_yet_is_a_queue),
	        cmocka_unit_test(further_rows_must_have_passed),
	        cmocka_unit_test(a_result_that_goes_away_is_no_queue),
	        cmocka_unit_test(a_number_that_means_failed_beside_other_words_is_inconsistent),
	        cmocka_unit_test(tests_without_names_are_counted_as_the_server_counts_them),
	        cmocka_unit_test(tests_that_count_for_nothing_are_skipped_where_allowed),
	        cmocka_unit_test(skipped_tests_that_the_log_does_not_name_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
