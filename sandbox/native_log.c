/* What the test runners of the two platforms print: the instrumentation protocol of Android (`am instrument -r`), what
 * it prints for people, the lines of XCTest, those of xcodebuild for tests side by side, and those of Swift Testing. */
#include <string.h>

#include "runner/base/memory.h"
#include "sandbox/native.h"

/* The nth test of a suite that gives numbers only: those that fail come last. */
struct native_case {
	char *name;
	const char *class_name, *reason, *outcome;
	double seconds;
};

static const char *default_class(const struct native_run *run)
{
	return run->ios ? "ShopUITests" : "org.example.shop.ShopTest";
}

static size_t case_count(const struct native_run *run)
{
	const json_t *tests = json_object_get(run->suite, "tests");

	return json_is_array(tests) ? json_array_size(tests) : (size_t)member_number(run->suite, "all", 0);
}

static void case_at(const struct native_run *run, size_t index, struct native_case *ret_case)
{
	const json_t *row = json_array_get(json_object_get(run->suite, "tests"), index);
	size_t count = case_count(run), passed = (size_t)member_number(run->suite, "passed", 0);

	ret_case->seconds = (run->ends - run->starts) / (double)(count > 0 ? count : 1);
	ret_case->class_name = *member_text(row, "class") != '\0' ? member_text(row, "class") : default_class(run);
	ret_case->name = *member_text(row, "name") != '\0' ? gr_strdup(member_text(row, "name"))
	                                                   : gr_printf("test%02zu", index + 1);
	ret_case->outcome = *member_text(row, "outcome") != '\0' ? member_text(row, "outcome") : "pass";
	if (row == NULL && index >= passed)
		ret_case->outcome = "fail";
	ret_case->reason = *member_text(row, "reason") != '\0' ? member_text(row, "reason") : "expected 1, found 0";
}

static void instrumentation_head(
        struct buffer *out, const struct native_case *test, size_t number, size_t count, int code)
{
	buffer_printf(out,
	        "INSTRUMENTATION_STATUS: class=%s\nINSTRUMENTATION_STATUS: current=%zu\nINSTRUMENTATION_STATUS: "
	        "id=AndroidJUnitRunner\n"
	        "INSTRUMENTATION_STATUS: numtests=%zu\n",
	        test->class_name, number, count);
	if (code == -2)
		buffer_printf(out,
		        "INSTRUMENTATION_STATUS: stack=java.lang.AssertionError: %s\n\tat %s.%s(ShopTest.java:%zu)\n",
		        test->reason, test->class_name, test->name, 10 + number);
	buffer_printf(out, "INSTRUMENTATION_STATUS: test=%s\nINSTRUMENTATION_STATUS_CODE: %d\n", test->name, code);
}

static void instrumentation_log(const struct native_run *run, double now, struct buffer *out)
{
	size_t count = case_count(run), i;
	double time = run->starts;

	for (i = 0; i < count && time <= now; i++) {
		struct native_case test = {0};
		bool fails = false;

		case_at(run, i, &test);
		fails = strcmp(test.outcome, "fail") == 0;
		instrumentation_head(out, &test, i + 1, count, 1);
		time += test.seconds;
		if (time <= now + 1e-9 || now >= run->ends)
			instrumentation_head(
			        out, &test, i + 1, count, fails ? -2 : (strcmp(test.outcome, "skipped") == 0 ? -3 : 0));
		gr_free(test.name);
	}
	if (now < run->ends)
		return;
	buffer_printf(out, "INSTRUMENTATION_RESULT: stream=\n\nTime: %.3f\n\n", run->ends - run->starts);
	if (member_number(run->suite, "failed", 0) > 0)
		buffer_printf(out, "FAILURES!!!\nTests run: %zu,  Failures: %zu\n\n\n", count,
		        (size_t)member_number(run->suite, "failed", 0));
	else
		buffer_printf(out, "OK (%zu tests)\n\n\n", count);
	buffer_add_text(out, "INSTRUMENTATION_CODE: -1\n");
}

static void xctest_case(struct buffer *out, const struct native_case *test)
{
	if (strcmp(test->outcome, "fail") == 0)
		buffer_printf(out, "/build/ShopUITests.swift:42: error: -[%s %s] : XCTAssertEqual failed: %s\n",
		        test->class_name, test->name, test->reason);
	buffer_printf(out, "Test Case '-[%s %s]' %s (%.3f seconds).\n", test->class_name, test->name,
	        strcmp(test->outcome, "fail") == 0 ? "failed"
	                                           : (strcmp(test->outcome, "skipped") == 0 ? "skipped" : "passed"),
	        test->seconds);
}

static void xctest_log(const struct native_run *run, double now, struct buffer *out)
{
	size_t count = case_count(run), i;
	double time = run->starts;

	buffer_printf(out, "Test Suite '%s' started at 2026-01-01 00:00:00.000\n", default_class(run));
	for (i = 0; i < count && time <= now; i++) {
		struct native_case test = {0};

		case_at(run, i, &test);
		buffer_printf(out, "Test Case '-[%s %s]' started.\n", test.class_name, test.name);
		time += test.seconds;
		if (time <= now + 1e-9 || now >= run->ends)
			xctest_case(out, &test);
		gr_free(test.name);
	}
	if (now < run->ends)
		return;
	buffer_printf(out, "Test Suite '%s' %s at 2026-01-01 00:00:10.000.\n", default_class(run),
	        member_number(run->suite, "failed", 0) > 0 ? "failed" : "passed");
	buffer_printf(out, "\t Executed %zu tests, with %zu failures (0 unexpected) in %.3f (%.3f) seconds\n", count,
	        (size_t)member_number(run->suite, "failed", 0), run->ends - run->starts, run->ends - run->starts);
}

/* ---- forms that a scenario asks for by name ---- */

static bool has_failed(const struct native_case *test)
{
	return strcmp(test->outcome, "fail") == 0;
}

static const char *end_words(const struct native_case *test)
{
	if (has_failed(test))
		return "failed";
	return strcmp(test->outcome, "skipped") == 0 ? "skipped" : "passed";
}

/* `am instrument` without -r: a dot for a test that passed, nothing for one that was skipped. */
static void people_case(struct buffer *out, const struct native_case *test)
{
	if (has_failed(test))
		buffer_printf(out, "\nError in %s(%s):\njava.lang.AssertionError: %s\n\tat %s.%s(ShopTest.java:11)\n",
		        test->name, test->class_name, test->reason, test->class_name, test->name);
	else if (strcmp(test->outcome, "pass") == 0)
		buffer_add_char(out, '.');
}

static void people_end(struct buffer *out, const struct native_run *run, size_t count)
{
	size_t failed = (size_t)member_number(run->suite, "failed", 0);

	buffer_printf(out, "\n\nTime: %.3f\n", run->ends - run->starts);
	if (failed > 0)
		buffer_printf(out, "There were %zu failures:\n\nFAILURES!!!\nTests run: %zu,  Failures: %zu\n\n",
		        failed, count, failed);
	else
		buffer_printf(out, "\nOK (%zu tests)\n\n", count);
}

/* xcodebuild with tests side by side: ends alone, and no word of what failed. */
static void parallel_case(struct buffer *out, const struct native_case *test)
{
	buffer_printf(out, "Test case '%s.%s()' %s on 'Clone 1 of iPhone - ShopUITests-Runner (4711)' (%.3f seconds)\n",
	        test->class_name, test->name, end_words(test), test->seconds);
}

static void swift_case(struct buffer *out, const struct native_case *test)
{
	if (strcmp(test->outcome, "skipped") == 0) {
		buffer_printf(out, "➜ Test %s() skipped: \"%s\"\n", test->name, test->reason);
		return;
	}
	buffer_printf(out, "◇ Test %s() started.\n", test->name);
	if (has_failed(test))
		buffer_printf(out, "✘ Test %s() recorded an issue at ShopTests.swift:42:5: Expectation failed: %s\n",
		        test->name, test->reason);
	buffer_printf(out, "%s Test %s() %s after %.3f seconds%s.\n", has_failed(test) ? "✘" : "✔", test->name,
	        end_words(test), test->seconds, has_failed(test) ? " with 1 issue" : "");
}

static const struct form {
	const char *name;
	void (*add_case)(struct buffer *out, const struct native_case *test);
} forms[] = {{"people", people_case}, {"parallel", parallel_case}, {"swift", swift_case}};

static void form_log(const struct native_run *run, const struct form *form, double now, struct buffer *out)
{
	const char *class_name = "";
	size_t count = case_count(run), i;
	double time = run->starts;

	for (i = 0; i < count; i++) {
		struct native_case test = {0};

		case_at(run, i, &test);
		time += test.seconds;
		if (form->add_case == people_case && strcmp(class_name, test.class_name) != 0)
			buffer_printf(out, "\n%s:", test.class_name);
		class_name = test.class_name;
		if (time <= now + 1e-9 || now >= run->ends)
			form->add_case(out, &test);
		gr_free(test.name);
	}
	if (form->add_case == people_case && now >= run->ends)
		people_end(out, run, count);
}

void native_log(const struct native_run *run, double now, struct buffer *out)
{
	const char *kind = member_text(run->suite, "log");

	if (now < run->starts)
		return;
	for (size_t i = 0; i < GR_COUNT(forms); i++)
		if (strcmp(kind, forms[i].name) == 0) {
			form_log(run, &forms[i], now, out);
			return;
		}
	if (strcmp(kind, "instrumentation") == 0)
		instrumentation_log(run, now, out);
	else if (strcmp(kind, "xctest") == 0)
		xctest_log(run, now, out);
	else if (now >= run->ends)
		buffer_add_text(out, kind); /* a literal text of the scenario */
}
