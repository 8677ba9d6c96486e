/* Logs of Swift Testing, alone and among lines of XCTest, as xcodebuild prints them. */
#include "tests/unit/steps/script.h"

#include "runner/steps/native_log.h"

static void parse(struct native_log *log, const char *text, size_t count)
{
	assert_true(native_log_parse(text, strlen(text), log));
	assert_int_equal(log->case_count, count);
}

static void expect_test(
        const struct native_log *log, size_t index, const char *name, enum case_status status, int64_t ms)
{
	const struct test_case *test = &log->cases[index];

	assert_string_equal(test->name, name);
	assert_string_equal(case_status_name(test->status), case_status_name(status));
	assert_int_equal(test->time_ms, ms);
}

static void it_reads_tests_with_their_times_and_failures(void **unused)
{
	struct native_log log;

	(void)unused;
	parse(&log,
	        "◇ Test run started.\n"
	        "↳ Testing Library Version: 102 (arm64-apple-ios13.0-simulator)\n"
	        "◇ Suite \"The cart\" started.\n"
	        "◇ Test adds() started.\n"
	        "◇ Test \"Pays, and \"gets\" a receipt\" started.\n"
	        "✔ Test adds() passed after 0.020 seconds.\n"
	        "✘ Test \"Pays, and \"gets\" a receipt\" recorded an issue at PayTests.swift:12:5: Expectation failed: "
	        "(receipts → 0) == 1\n"
	        "↳ a receipt is missing\n"
	        "✘ Test \"Pays, and \"gets\" a receipt\" failed after 1.5 seconds with 1 issue.\n"
	        "↳ // what the test is for\n"
	        "✘ Suite \"The cart\" failed after 1.600 seconds with 1 issue.\n"
	        "✘ Test run with 2 tests failed after 1.600 seconds with 1 issue.\n",
	        2);
	expect_test(&log, 0, "adds", STATUS_PASSED, 20);
	assert_null(log.cases[0].reason);
	assert_null(log.cases[0].class_name);
	expect_test(&log, 1, "Pays, and \"gets\" a receipt", STATUS_FAILED, 1500);
	assert_string_equal(log.cases[1].reason,
	        "Expectation failed: (receipts → 0) == 1\na receipt is missing\nPayTests.swift:12:5");
	native_log_release(&log);
}

static void it_reads_arguments_and_the_marks_of_a_mac(void **unused)
{
	struct native_log log;

	(void)unused;
	parse(&log,
	        "\xf4\x80\x9f\x88  Test prices(of:) started.\n"
	        "\xf4\x80\x9f\x88  Passing 1 argument of → \"tea\" to prices(of:)\n"
	        "\xf4\x80\x9f\x88  Test case passing 1 argument of → \"pot\" to prices(of:) started.\n"
	        "\xf4\x80\xa2\x84  Test prices(of:) recorded an issue with 1 argument of → \"tea\" at "
	        "Prices.swift:3:9: Caught error: notFound\n"
	        "\x1b[91m\xf4\x80\xa2\x84 \x1b[0m Test prices(of:) with 2 test cases failed after 0.1 seconds with 1 "
	        "issue.\n"
	        "\xf4\x80\x99\x9f  Test iPad() skipped: \"only on iPad\"\n"
	        "\xf4\x80\x99\x9f  Test later() skipped.\n"
	        "\xe2\x80\x8b\xf4\x81\x81\x9b  Test known() recorded a known issue at Prices.swift:9:1: Issue "
	        "recorded\n"
	        "\xf4\x81\x81\x9b  Test known() passed after 0.001 seconds with 1 known issue.\n",
	        4);
	expect_test(&log, 0, "prices(of:)", STATUS_FAILED, 100);
	assert_string_equal(log.cases[0].reason, "Caught error: notFound\n1 argument of → \"tea\"\nPrices.swift:3:9");
	expect_test(&log, 1, "iPad", STATUS_SKIPPED, TIME_UNKNOWN);
	assert_string_equal(log.cases[1].reason, "only on iPad");
	expect_test(&log, 2, "later", STATUS_SKIPPED, TIME_UNKNOWN);
	expect_test(&log, 3, "known", STATUS_PASSED, 1);
	assert_null(log.cases[3].reason);
	native_log_release(&log);
}

static void it_reads_both_kinds_in_one_log(void **unused)
{
	struct native_log log;

	(void)unused;
	parse(&log,
	        "Test Case '-[Shop.OldTests testSum]' started.\n"
	        "Test Case '-[Shop.OldTests testSum]' passed (0.5 seconds).\n"
	        "\t Executed 1 test, with 0 failures (0 unexpected) in 0.5 (0.6) seconds\n"
	        "◇ Test new() started.\n"
	        "✘ Test new() recorded an issue at New.swift:1:1: Issue recorded\n"
	        "✘ Test new() failed after 0.002 seconds with 1 issue.\n",
	        2);
	expect_test(&log, 0, "testSum", STATUS_PASSED, 500);
	expect_test(&log, 1, "new", STATUS_FAILED, 2);
	native_log_release(&log);
}

/* On clones, xcodebuild tells the ends itself, and the issues come as Swift Testing tells them. */
static void it_gives_a_clones_test_its_issue(void **unused)
{
	struct native_log log;

	(void)unused;
	parse(&log,
	        "Test suite 'CartTests' started on 'Clone 1 of iPhone 16 - Shop (4711)'\n"
	        "Test case 'plain()' passed on 'Clone 1 of iPhone 16 - Shop (4711)' (0.000 seconds)\n"
	        "✘ Test adds() recorded an issue at CartTests.swift:30:9: Expectation failed: 1 == 2\n"
	        "Test case 'CartTests/adds()' failed on 'Clone 1 of iPhone 16 - Shop (4711)' (0.002 seconds)\n",
	        2);
	expect_test(&log, 0, "plain", STATUS_PASSED, 0);
	assert_null(log.cases[0].class_name);
	expect_test(&log, 1, "adds", STATUS_FAILED, 2);
	assert_string_equal(log.cases[1].class_name, "CartTests");
	assert_string_equal(log.cases[1].reason, "Expectation failed: 1 == 2\nCartTests.swift:30:9");
	native_log_release(&log);
}

static void it_takes_a_crash_for_a_try_when_the_test_runs_again(void **unused)
{
	struct native_log log;
	const char *restart =
	        "Restarting after unexpected exit, crash, or test timeout; summary will include totals from "
	        "previous launches.\n";
	char *text = gr_printf("◇ Test crashes() started.\n◇ Test good() started.\n%s"
	                       "◇ Test good() started.\n✔ Test good() passed after 1 seconds.\n"
	                       "◇ Test crashes() started.\n%s◇ Test hangs() started.\n",
	        restart, restart);

	(void)unused;
	parse(&log, text, 3);
	expect_test(&log, 0, "good", STATUS_PASSED, 1000);
	assert_int_equal(log.cases[0].attempt_count, 1);
	expect_test(&log, 1, "crashes", STATUS_FAILED, TIME_UNKNOWN);
	expect_text(log.cases[1].reason, "crashed");
	assert_int_equal(log.cases[1].attempt_count, 1);
	expect_test(&log, 2, "hangs", STATUS_ERROR, TIME_UNKNOWN);
	native_log_release(&log);
	gr_free(text);
}

static void it_tells_two_tests_of_one_name_apart(void **unused)
{
	struct native_log log;

	(void)unused;
	parse(&log,
	        "◇ Test a() started.\n◇ Test a() started.\n✔ Test a() passed after 1 seconds.\n"
	        "✘ Test a() failed after 2 seconds with 1 issue.\n",
	        2);
	expect_test(&log, 0, "a", STATUS_PASSED, 1000);
	expect_test(&log, 1, "a", STATUS_FAILED, 2000);
	native_log_release(&log);
}

static void it_finds_no_test_in_words_of_others(void **unused)
{
	static const char *const texts[] = {"Test adds() passed after 1 seconds.",
	        "- Test adds() passed after 1 seconds.", "✔ Test", "✔ Test ", "✔ Test \"", "✔ Test adds()",
	        "✔ Test adds passed after 1 seconds.", "✔ Test run with 3 tests passed after 1 seconds.",
	        "✘ Test adds() recorded an issue", "◇ Suite X started.", "\x1b[mTest a() started.",
	        "mTest a() started."};
	struct native_log log;

	(void)unused;
	for (size_t i = 0; i < GR_COUNT(texts); i++) {
		char *copy = gr_strdup(texts[i]); /* of its own, so that reading over is seen */

		if (native_log_parse(copy, strlen(copy), &log))
			fail_msg("a test was found in: %s", copy);
		native_log_release(&log);
		gr_free(copy);
	}
}

static void it_survives_every_cut_of_a_log(void **unused)
{
	static const char text[] =
	        "◇ Test a(b:) started.\n✘ Test a(b:) recorded an issue with 1 argument b → {\n"
	        "} at A.swift:1:2: no\n↳ more\n✘ Test a(b:) with 2 test cases failed after 0.1 seconds "
	        "with 1 issue.\nA.swift:1: -[A.B t] : Test skipped - no\nTest Case '-[A.B t]' skipped (0.1 "
	        "seconds).\n";
	struct native_log log;

	(void)unused;
	for (size_t from = 0; from < sizeof(text); from++)
		for (size_t to = from; to < sizeof(text); to += 5) {
			char *copy = gr_strndup(text + from, to - from);

			(void)native_log_parse(copy, strlen(copy), &log);
			native_log_release(&log);
			gr_free(copy);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reads_tests_with_their_times_and_failures),
	        cmocka_unit_test(it_reads_arguments_and_the_marks_of_a_mac),
	        cmocka_unit_test(it_reads_both_kinds_in_one_log),
	        cmocka_unit_test(it_gives_a_clones_test_its_issue),
	        cmocka_unit_test(it_takes_a_crash_for_a_try_when_the_test_runs_again),
	        cmocka_unit_test(it_tells_two_tests_of_one_name_apart),
	        cmocka_unit_test(it_finds_no_test_in_words_of_others),
	        cmocka_unit_test(it_survives_every_cut_of_a_log),
	};

	return cmocka_run_group_tests_name("steps.native_log_swift", tests, NULL, NULL);
}
