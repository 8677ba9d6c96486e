/* Logs as test runners of the two platforms print them, shortened. */
#include "tests/unit/steps/script.h"

#include "runner/base/buffer.h"
#include "runner/steps/native_log.h"

struct expected {
	const char *class_name, *name;
	enum case_status status;
	int64_t time_ms;
	const char *reason; /* a part of it, or NULL: none */
};

static void expect_log(const char *text, const struct expected *expected, size_t count)
{
	struct native_log log;

	assert_true(native_log_parse(text, strlen(text), &log));
	assert_int_equal(log.case_count, count);
	for (size_t i = 0; i < count; i++) {
		const struct test_case *test = &log.cases[i];

		assert_string_equal(test->class_name, expected[i].class_name);
		assert_string_equal(test->name, expected[i].name);
		assert_string_equal(case_status_name(test->status), case_status_name(expected[i].status));
		assert_int_equal(test->time_ms, expected[i].time_ms);
		if (expected[i].reason == NULL)
			assert_null(test->reason);
		else
			expect_text(test->reason, expected[i].reason);
	}
	native_log_release(&log);
}

#define EXPECT_LOG(text, ...)                                                                                          \
	do {                                                                                                           \
		const struct expected expected[] = {__VA_ARGS__};                                                      \
		expect_log(text, expected, GR_COUNT(expected));                                                        \
	} while (0)

#define RAW_HEAD(class_name, current, total, test)                                                                     \
	"INSTRUMENTATION_STATUS: class=" class_name "\nINSTRUMENTATION_STATUS: current=" current                       \
	"\nINSTRUMENTATION_STATUS: id=AndroidJUnitRunner\nINSTRUMENTATION_STATUS: numtests=" total                     \
	"\nINSTRUMENTATION_STATUS: stream=\n" class_name ":\nINSTRUMENTATION_STATUS: test=" test "\n"
#define RAW_CODE(code) "INSTRUMENTATION_STATUS_CODE: " code "\n"

/* ---- raw instrumentation ---- */

static void it_reads_raw_blocks(void **unused)
{
	(void)unused;
	EXPECT_LOG(RAW_HEAD("org.example.CartTest", "1", "2", "addsOne") RAW_CODE("1") RAW_HEAD("org.example.CartTest",
	                   "1", "2", "addsOne") RAW_CODE("0") RAW_HEAD("org.example.PayTest", "2", "2", "pays")
	                   RAW_CODE("1") RAW_HEAD("org.example.PayTest", "2", "2", "pays")
	                           RAW_CODE("0") "INSTRUMENTATION_RESULT: stream=\n\nTime: 3.021\n\nOK (2 tests)\n\n\n"
	                                         "INSTRUMENTATION_CODE: -1\n",
	        {"org.example.CartTest", "addsOne", STATUS_PASSED, TIME_UNKNOWN, NULL},
	        {"org.example.PayTest", "pays", STATUS_PASSED, TIME_UNKNOWN, NULL});
}

static void it_keeps_the_stack_of_a_raw_failure(void **unused)
{
	struct native_log log;
	const char *text = RAW_HEAD("org.example.PayTest", "1", "1", "pays") RAW_CODE("1") RAW_HEAD(
	        "org.example.PayTest", "1", "1",
	        "pays") "INSTRUMENTATION_STATUS: stack=androidx.test.espresso.NoMatchingViewException: No views found\n"
	                "\n"
	                "View Hierarchy:\n"
	                "+>DecorView{id=-1}\n"
	                "\tat org.example.PayTest.pays(PayTest.kt:31)\n"
	                "INSTRUMENTATION_STATUS: stream=\nError in "
	                "pays(org.example.PayTest):\nandroidx.test...\n" RAW_CODE(
	                        "-2") "INSTRUMENTATION_RESULT: stream=\n\nTime: 1.2\nThere was 1 failure:\n1) "
	                              "pays(org.example.PayTest)\n"
	                              "androidx...\n\nFAILURES!!!\nTests run: 1,  Failures: "
	                              "1\n\n\nINSTRUMENTATION_CODE: -1\n";

	(void)unused;
	assert_true(native_log_parse(text, strlen(text), &log));
	assert_int_equal(log.case_count, 1);
	assert_int_equal(log.cases[0].status, STATUS_FAILED);
	assert_string_equal(log.cases[0].reason, "androidx.test.espresso.NoMatchingViewException: No views "
	                                         "found\n\nView Hierarchy:\n+>DecorView{id=-1}\n"
	                                         "\tat org.example.PayTest.pays(PayTest.kt:31)");
	assert_null(log.trouble);
	native_log_release(&log);
}

static void it_reads_skipped_and_assumed_tests_as_skipped(void **unused)
{
	(void)unused;
	EXPECT_LOG(RAW_HEAD("a.B", "1", "2", "ignored") RAW_CODE("1") RAW_HEAD("a.B", "1", "2", "ignored")
	                   RAW_CODE("-3") RAW_HEAD("a.B", "2", "2", "assumed") RAW_CODE("1") RAW_HEAD("a.B", "2", "2",
	                           "assumed") "INSTRUMENTATION_STATUS: stack=org.junit.AssumptionViolatedException: no "
	                                      "camera\n" RAW_CODE("-4"),
	        {"a.B", "ignored", STATUS_SKIPPED, TIME_UNKNOWN, NULL},
	        {"a.B", "assumed", STATUS_SKIPPED, TIME_UNKNOWN, "no camera"});
}

static void it_blames_a_crash_on_the_test_under_way(void **unused)
{
	struct native_log log;
	const char *text = RAW_HEAD("a.B", "1", "3", "good") RAW_CODE("1") RAW_HEAD("a.B", "1", "3", "good")
	        RAW_CODE("0") RAW_HEAD("a.B", "2", "3", "crashes")
	                RAW_CODE("1") "INSTRUMENTATION_RESULT: shortMsg=Process crashed.\n"
	                              "INSTRUMENTATION_CODE: 0\n";

	(void)unused;
	assert_true(native_log_parse(text, strlen(text), &log));
	assert_int_equal(log.case_count, 2);
	assert_int_equal(log.cases[1].status, STATUS_FAILED);
	expect_text(log.cases[1].reason, "Process crashed.");
	assert_string_equal(log.trouble, "Process crashed.");
	native_log_release(&log);
}

static void it_takes_an_unended_test_as_an_error(void **unused)
{
	(void)unused;
	EXPECT_LOG(RAW_HEAD("a.B", "1", "3", "hangs") RAW_CODE("1"),
	        {"a.B", "hangs", STATUS_ERROR, TIME_UNKNOWN, "never ended"});
}

static void it_passes_over_blocks_that_an_app_sends_itself(void **unused)
{
	(void)unused;
	EXPECT_LOG(RAW_HEAD("a.B", "1", "1", "works")
	                   RAW_CODE("1") "INSTRUMENTATION_STATUS: screenshot=/sdcard/1.png\n" RAW_CODE(
	                           "0") "INSTRUMENTATION_STATUS: class=a.B\nINSTRUMENTATION_STATUS: "
	                                "test=other\n" RAW_CODE("0") RAW_HEAD("a.B", "1", "1", "works") RAW_CODE("-1"),
	        {"a.B", "works", STATUS_FAILED, TIME_UNKNOWN, NULL});
}

static void it_reads_tests_that_run_side_by_side(void **unused)
{
	(void)unused;
	EXPECT_LOG(RAW_HEAD("a.B", "1", "3", "one") RAW_CODE("1") RAW_HEAD("a.B", "2", "3", "two") RAW_CODE("1")
	                   RAW_HEAD("a.C", "3", "3", "one") RAW_CODE("1") RAW_HEAD("a.B", "1", "3", "one") RAW_CODE("0")
	                           RAW_HEAD("a.C", "3", "3", "one") "INSTRUMENTATION_STATUS: stack=no\n" RAW_CODE("-2")
	                                   RAW_HEAD("a.B", "2", "3", "two") RAW_CODE("0"),
	        {"a.B", "one", STATUS_PASSED, TIME_UNKNOWN, NULL}, {"a.B", "two", STATUS_PASSED, TIME_UNKNOWN, NULL},
	        {"a.C", "one", STATUS_FAILED, TIME_UNKNOWN, "no"});
}

static void it_forgets_the_first_of_too_many_that_never_end(void **unused)
{
	struct buffer text = {0};
	struct native_log log;

	(void)unused;
	for (int i = 0; i < 100; i++)
		buffer_printf(&text,
		        "INSTRUMENTATION_STATUS: class=a.B\nINSTRUMENTATION_STATUS: test=t%d\n" RAW_CODE("1"), i);
	buffer_add_text(&text, RAW_HEAD("a.B", "1", "100", "t99") RAW_CODE("0"));
	assert_true(native_log_parse(buffer_text(&text), text.bytes, &log));
	assert_int_equal(log.case_count, 100);
	assert_int_equal(log.cases[0].status, STATUS_ERROR);
	assert_int_equal(log.cases[99].status, STATUS_PASSED);
	native_log_release(&log);
	buffer_release(&text);
}

static void it_reads_crlf_and_a_missing_beginning(void **unused)
{
	(void)unused;
	EXPECT_LOG("numtests=2\r\nINSTRUMENTATION_STATUS: class=a.B\r\nINSTRUMENTATION_STATUS: test=one\r\n"
	           "INSTRUMENTATION_STATUS_CODE: 0\r\n",
	        {"a.B", "one", STATUS_PASSED, TIME_UNKNOWN, NULL});
}

/* ---- instrumentation for people ---- */

static void it_counts_the_dots_of_each_class(void **unused)
{
	(void)unused;
	EXPECT_LOG("\norg.example.CartTest:..\norg.example.PayTest:.\n\nTime: 4.513\n\nOK (3 tests)\n\n",
	        {"org.example.CartTest", "(passed test 1, not named in the log)", STATUS_PASSED, TIME_UNKNOWN, NULL},
	        {"org.example.CartTest", "(passed test 2, not named in the log)", STATUS_PASSED, TIME_UNKNOWN, NULL},
	        {"org.example.PayTest", "(passed test 1, not named in the log)", STATUS_PASSED, TIME_UNKNOWN, NULL});
}

static void a_summary_that_counts_failures_is_trouble_where_none_is_shown(void **unused)
{
	static const char text[] = "FAILURES!!!\nTests run: 5,  Failures: 1\n";
	static const char shown[] = "a.B:\nError in c(a.B):\njava.lang.AssertionError\n\nTime: 1\n\nFAILURES!!!\n"
	                            "Tests run: 1,  Failures: 1\n";
	struct native_log log;

	(void)unused;
	assert_false(native_log_parse(text, sizeof(text) - 1, &log));
	assert_string_equal(log.trouble, "Tests run: 5,  Failures: 1");
	native_log_release(&log);
	assert_true(native_log_parse(shown, sizeof(shown) - 1, &log));
	assert_null(log.trouble);
	native_log_release(&log);
}

static void it_names_failures_of_the_form_for_people_once(void **unused)
{
	(void)unused;
	EXPECT_LOG("\norg.example.CartTest:.\n"
	           "Error in removes(org.example.CartTest):\n"
	           "java.lang.AssertionError: expected:<1> but was:<0>\n"
	           "\n"
	           "\tat org.junit.Assert.fail(Assert.java:89)\n"
	           ".\n"
	           "org.example.PayTest:.\n"
	           "\n"
	           "Time: 7.1\n"
	           "There was 1 failure:\n"
	           "1) removes(org.example.CartTest)\n"
	           "java.lang.AssertionError: expected:<1> but was:<0>\n"
	           "\tat org.junit.Assert.fail(Assert.java:89)\n"
	           "\n"
	           "FAILURES!!!\n"
	           "Tests run: 4,  Failures: 1\n",
	        {"org.example.CartTest", "(passed test 1, not named in the log)", STATUS_PASSED, TIME_UNKNOWN, NULL},
	        {"org.example.CartTest", "removes", STATUS_FAILED, TIME_UNKNOWN, "was:<0>\n\n\tat org.junit"},
	        {"org.example.CartTest", "(passed test 2, not named in the log)", STATUS_PASSED, TIME_UNKNOWN, NULL},
	        {"org.example.PayTest", "(passed test 1, not named in the log)", STATUS_PASSED, TIME_UNKNOWN, NULL});
}

static void it_reads_older_runners(void **unused)
{
	(void)unused;
	EXPECT_LOG("\norg.example.OldTest:.\nFailure in testSum:\njunit.framework.AssertionFailedError: no\n"
	           "\tat org.example.OldTest.testSum(OldTest.java:9)\n\n"
	           "Test results for InstrumentationTestRunner=..F\nTime: 0.4\n\nFAILURES!!!\n"
	           "Tests run: 2,  Failures: 1,  Errors: 0\n",
	        {"org.example.OldTest", "(passed test 1, not named in the log)", STATUS_PASSED, TIME_UNKNOWN, NULL},
	        {"org.example.OldTest", "testSum", STATUS_FAILED, TIME_UNKNOWN, "AssertionFailedError: no"});
}

static void it_reads_one_run_after_another(void **unused)
{
	(void)unused;
	EXPECT_LOG(
	        "\norg.example.CartTest:.\nError in pays[1 (one)](org.example.CartTest):\njava.lang.Error: no\n"
	        "\nTime: 1\nThere was 1 failure:\n1) pays[1 (one)](org.example.CartTest)\njava.lang.Error: no\n\n"
	        "FAILURES!!!\nTests run: 2,  Failures: 1\n\n\norg.example.CartTest:..\n\nTime: 2,5\n\nOK (2 tests)\n",
	        {"org.example.CartTest", "(passed test 1, not named in the log)", STATUS_PASSED, TIME_UNKNOWN, NULL},
	        {"org.example.CartTest", "pays[1 (one)]", STATUS_FAILED, TIME_UNKNOWN, "java.lang.Error: no"},
	        {"org.example.CartTest", "(passed test 1, not named in the log)", STATUS_PASSED, TIME_UNKNOWN, NULL},
	        {"org.example.CartTest", "(passed test 2, not named in the log)", STATUS_PASSED, TIME_UNKNOWN, NULL});
}

/* ---- XCTest ---- */

static void it_reads_xctest_lines(void **unused)
{
	(void)unused;
	EXPECT_LOG(
	        "Test Suite 'All tests' started at 2026-01-01 10:00:00.000.\n"
	        "Test Suite 'CartTests' started at 2026-01-01 10:00:00.001.\n"
	        "Test Case '-[ShopUITests.CartTests testAdd]' started.\n"
	        "    t =     0.00s Start Test at 2026-01-01 10:00:00.002\n"
	        "Test Case '-[ShopUITests.CartTests testAdd]' passed (12.345 seconds).\n"
	        "Test Case '-[ShopUITests.CartTests testPay]' started.\n"
	        "/src/CartTests.swift:42: error: -[ShopUITests.CartTests testPay] : XCTAssertEqual failed: (\"1\") is "
	        "not equal to (\"2\")\n"
	        "/src/CartTests.swift:43: error: -[ShopUITests.CartTests testPay] : failed - no receipt\n"
	        "Test Case '-[ShopUITests.CartTests testPay]' failed (0.5 seconds).\n"
	        "/src/CartTests.swift:50: -[ShopUITests.CartTests testPad] : Test skipped - iPad only\n"
	        "Test Case '-[ShopUITests.CartTests testPad]' skipped (0.001 seconds).\n"
	        "\t Executed 3 tests, with 1 test skipped and 2 failures (0 unexpected) in 12.9 (13.0) seconds\n",
	        {"ShopUITests.CartTests", "testAdd", STATUS_PASSED, 12345, NULL},
	        {"ShopUITests.CartTests", "testPay", STATUS_FAILED, 500,
	                "(\"2\")\n/src/CartTests.swift:42\nfailed - no receipt\n/src/CartTests.swift:43"},
	        {"ShopUITests.CartTests", "testPad", STATUS_SKIPPED, 1, "iPad only"});
}

static void it_keeps_a_failure_of_several_lines(void **unused)
{
	struct native_log log;
	const char *text =
	        "Test Case '-[Shop.CartTests testLayout]' started.\n"
	        "/src/CartTests.swift:9: error: -[Shop.CartTests testLayout] : failed - it looks different: \n"
	        "  - 12 points\n"
	        "  + 14 points\n"
	        "\n"
	        "    t =     3.10s Tear Down\n"
	        "a line of the app\n"
	        "Test Case '-[Shop.CartTests testLayout]' failed (3.2 seconds).\n";

	(void)unused;
	assert_true(native_log_parse(text, strlen(text), &log));
	assert_int_equal(log.case_count, 1);
	assert_string_equal(log.cases[0].reason,
	        "failed - it looks different: \n  - 12 points\n  + 14 points\n/src/CartTests.swift:9");
	native_log_release(&log);
}

static void it_reads_what_xcodebuild_prints_for_parallel_tests(void **unused)
{
	(void)unused;
	EXPECT_LOG(
	        "Test suite 'CartTests' started on 'Clone 1 of iPhone 15 - ShopUITests-Runner (4711)'\n"
	        "Test case 'CartTests.testAdd()' passed on 'Clone 1 of iPhone 15 - ShopUITests-Runner (4711)' (1.250 "
	        "seconds)\n"
	        "/src/CartTests.swift:7: error: -[ShopUITests.CartTests testPay] : XCTAssertTrue failed\n"
	        "Test case 'CartTests.testPay()' failed on 'Clone 1 of iPhone 15 - ShopUITests-Runner (4711)' (3.000 "
	        "seconds)\n",
	        {"CartTests", "testAdd", STATUS_PASSED, 1250, NULL},
	        {"CartTests", "testPay", STATUS_FAILED, 3000, "XCTAssertTrue failed"});
}

static void it_reads_lines_with_something_before_them(void **unused)
{
	(void)unused;
	EXPECT_LOG("[09:59:44]: Test Case 'CartTests.testAdd' started at 2026-01-01 10:00:00.000\r\n"
	           "[09:59:45]: Test Case 'CartTests.testAdd' passed (0.25 seconds)\r\n",
	        {"CartTests", "testAdd", STATUS_PASSED, 250, NULL});
}

static void it_blames_a_restart_on_the_test_under_way(void **unused)
{
	(void)unused;
	EXPECT_LOG("Test Case '-[A.B testCrash]' started.\n\n"
	           "Restarting after unexpected exit, crash, or test timeout in B.testCrash(); summary will include "
	           "totals "
	           "from previous launches.\n\n"
	           "Test Case '-[A.B testNext]' started.\nTest Case '-[A.B testNext]' passed (1 seconds).\n",
	        {"A.B", "testCrash", STATUS_FAILED, TIME_UNKNOWN, "crashed"},
	        {"A.B", "testNext", STATUS_PASSED, 1000, NULL});
}

static void it_keeps_repeated_tries_as_attempts_of_one_case(void **unused)
{
	struct native_log log;
	const char *text = "Test Case '-[A.B testFlaky]' started (Iteration 1 of 3).\n"
	                   "x.swift:1: error: -[A.B testFlaky] : not yet\n"
	                   "Test Case '-[A.B testFlaky]' failed (0.1 seconds).\n"
	                   "Test Case '-[A.B testFlaky]' started (Iteration 2 of 3).\n"
	                   "Test Case '-[A.B testFlaky]' passed (0.2 seconds).\n";

	(void)unused;
	assert_true(native_log_parse(text, strlen(text), &log));
	assert_int_equal(log.case_count, 1);
	assert_int_equal(log.cases[0].status, STATUS_PASSED);
	assert_int_equal(log.cases[0].time_ms, 200);
	assert_int_equal(log.cases[0].attempt_count, 1);
	assert_int_equal(log.cases[0].attempts[0].status, STATUS_FAILED);
	assert_int_equal(log.cases[0].attempts[0].time_ms, 100);
	expect_text(log.cases[0].attempts[0].reason, "not yet");
	native_log_release(&log);
}

/* ---- neither ---- */

static void it_finds_no_test_in_other_texts(void **unused)
{
	static const char *const texts[] = {"", "\n", "OK (5 tests)\n", "no such file", "<html>Test Case</html>",
	        "Test Case '", "Test Case '-[A b", "Test Case '-[A b]' exploded.",
	        "Test Case '-[Ab]' passed (1 seconds)", "INSTRUMENTATION_STATUS_CODE: 0\n",
	        "INSTRUMENTATION_STATUS: class=a.B\nINSTRUMENTATION_STATUS_CODE: 0\n",
	        "INSTRUMENTATION_FAILED: org.example.test/androidx.test.runner.AndroidJUnitRunner\n", "https://x.y:...",
	        "java.lang.Exception: no\n"};
	struct native_log log;

	(void)unused;
	for (size_t i = 0; i < GR_COUNT(texts); i++) {
		if (native_log_parse(texts[i], strlen(texts[i]), &log))
			fail_msg("a test was found in: %s", texts[i]);
		native_log_release(&log);
	}
}

static void it_survives_every_cut_of_a_log(void **unused)
{
	static const char text[] = RAW_HEAD("a.B", "1", "1", "t") RAW_CODE("1")
	        RAW_HEAD("a.B", "1", "1", "t") "INSTRUMENTATION_STATUS: stack=x\n" RAW_CODE(
	                "-2") "Error in a(b.C):\nTest Case '-[A.B t]' started (Iteration 2 of 3).\nf:1: error: -[A.B "
	                      "t] : x\nTest "
	                      "Case '-[A.B t]' failed (0.1 seconds).\n";
	struct native_log log;

	(void)unused;
	for (size_t from = 0; from < sizeof(text); from++)
		for (size_t to = from; to < sizeof(text); to += 7) {
			char *copy = gr_strndup(text + from, to - from); /* of its own, so that reading over is seen */

			(void)native_log_parse(copy, strlen(copy), &log);
			native_log_release(&log);
			gr_free(copy);
		}
}

static void it_stops_at_the_most_cases(void **unused)
{
	struct native_log log;
	char *text = gr_alloc(NATIVE_LOG_MOST_CASES + 20, 1);

	(void)unused;
	memcpy(text, "a.B:", 4);
	memset(text + 4, '.', NATIVE_LOG_MOST_CASES + 10);
	assert_true(native_log_parse(text, strlen(text), &log));
	assert_int_equal(log.case_count, NATIVE_LOG_MOST_CASES);
	assert_true(log.is_full);
	native_log_release(&log);
	gr_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reads_raw_blocks),
	        cmocka_unit_test(it_keeps_the_stack_of_a_raw_failure),
	        cmocka_unit_test(it_reads_skipped_and_assumed_tests_as_skipped),
	        cmocka_unit_test(it_blames_a_crash_on_the_test_under_way),
	        cmocka_unit_test(it_takes_an_unended_test_as_an_error),
	        cmocka_unit_test(it_passes_over_blocks_that_an_app_sends_itself),
	        cmocka_unit_test(it_reads_tests_that_run_side_by_side),
	        cmocka_unit_test(it_forgets_the_first_of_too_many_that_never_end),
	        cmocka_unit_test(it_reads_crlf_and_a_missing_beginning),
	        cmocka_unit_test(it_counts_the_dots_of_each_class),
	        cmocka_unit_test(a_summary_that_counts_failures_is_trouble_where_none_is_shown),
	        cmocka_unit_test(it_names_failures_of_the_form_for_people_once),
	        cmocka_unit_test(it_reads_older_runners),
	        cmocka_unit_test(it_reads_one_run_after_another),
	        cmocka_unit_test(it_reads_xctest_lines),
	        cmocka_unit_test(it_keeps_a_failure_of_several_lines),
	        cmocka_unit_test(it_reads_what_xcodebuild_prints_for_parallel_tests),
	        cmocka_unit_test(it_reads_lines_with_something_before_them),
	        cmocka_unit_test(it_blames_a_restart_on_the_test_under_way),
	        cmocka_unit_test(it_keeps_repeated_tries_as_attempts_of_one_case),
	        cmocka_unit_test(it_finds_no_test_in_other_texts),
	        cmocka_unit_test(it_survives_every_cut_of_a_log),
	        cmocka_unit_test(it_stops_at_the_most_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
