/* XCTest: "Test Case '-[Suite test]' passed (0.1 seconds)." as one process prints it, and
 * "Test case 'Suite.test()' passed on 'iPhone 15 - Clone 1' (0.1 seconds)" as xcodebuild does for several. What failed
 * stands in lines of its own before: "File.swift:42: error: -[Suite test] : words". Swift Testing's lines may stand
 * between them. */
#include <ctype.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/native_log_apple.h"

/* The last place of one of `bytes` of marks before any '(': a name may be "Shop.CartTests.testAdd()". */
static const char *find_split(struct native_log_line name)
{
	const char *found = NULL;

	for (size_t i = 0; i < name.bytes && name.text[i] != '('; i++)
		if (name.text[i] == '.' || name.text[i] == '/')
			found = name.text + i;
	return found;
}

/* "-[Shop.CartTests testAdd]", "Shop.CartTests.testAdd()", "CartTests/testAdd()", or "adds()" of no class: class
 * (or NULL) and name, the caller's. */
static bool take_name(struct native_log_line name, char **ret_class, char **ret_name)
{
	const char *split = NULL;

	if (native_log_skip(&name, "-[")) {
		if (name.bytes == 0 || name.text[name.bytes - 1] != ']')
			return false;
		name.bytes--;
		split = memchr(name.text, ' ', name.bytes);
	} else {
		split = find_split(name);
	}
	if (split == NULL && name.bytes > 2 && name.text[name.bytes - 1] == ')') {
		*ret_class = NULL;
		*ret_name = apple_name(name.text, name.bytes);
		return true;
	}
	if (split == NULL || split == name.text || split + 1 == name.text + name.bytes)
		return false;
	*ret_class = native_log_copy(name.text, (size_t)(split - name.text));
	*ret_name = apple_name(split + 1, name.bytes - (size_t)(split + 1 - name.text));
	return true;
}

/* ---- failures ---- */

/* "/src/CartTests.swift:42: error: -[Shop.CartTests testAdd] : XCTAssertTrue failed" */
static void take_failure(struct apple_reader *reader, struct native_log_line line)
{
	const char *mark = apple_find(line, ": error: "), *colon = NULL;
	struct native_log_line rest, place = {line.text, 0};
	char *class_name = NULL, *name = NULL;

	if (mark == NULL)
		return;
	place.bytes = (size_t)(mark - line.text);
	rest = apple_after(line, mark + strlen(": error: "));
	colon = apple_find(rest, " : ");
	if (colon != NULL &&
	        take_name((struct native_log_line){rest.text, (size_t)(colon - rest.text)}, &class_name, &name))
		apple_fail(reader, class_name, name, apple_after(rest, colon + strlen(" : ")), place);
}

/* "/src/CartTests.swift:50: -[Shop.CartTests testPad] : Test skipped - only on iPad" */
static void take_skip(struct apple_reader *reader, struct native_log_line line)
{
	const char *mark = apple_find(line, " : Test skipped");
	struct native_log_line name = {line.text, (size_t)(mark - line.text)};
	struct native_log_line words = apple_after(line, mark + strlen(" : Test skipped"));
	struct native_log_line place = {line.text, 0};
	char *class_name = NULL, *test_name = NULL;
	const char *colon = NULL;

	while ((colon = apple_find(name, ": ")) != NULL)
		name = apple_after(name, colon + strlen(": "));
	if (!native_log_skip(&words, " - "))
		(void)native_log_skip(&words, ": ");
	if (take_name(name, &class_name, &test_name))
		apple_fail(reader, class_name, test_name, words, place);
}

/* What comes after a failure belongs to it (a comparison of several lines), but not what others log meanwhile: a step
 * of a test of the user interface ("    t =     0.00s Tap …") or a line that begins with a time. */
static bool is_of_others(struct native_log_line line)
{
	size_t blanks = 0;

	while (blanks < line.bytes && line.text[blanks] == ' ')
		blanks++;
	line = apple_after(line, line.text + blanks);
	return native_log_skip(&line, "t = ") || native_log_skip(&line, "Test Suite '") ||
	       native_log_skip(&line, "Test suite '") ||
	       (line.bytes > 5 && isdigit((unsigned char)line.text[0]) && line.text[4] == '-');
}

/* ---- tests ---- */

static bool is_this(const struct test_case *test, const char *class_name, const char *name)
{
	return text_equal(test->class_name, class_name) && text_equal(test->name, name);
}

/* Another try of the test that has just ended: what it was becomes an attempt. */
static bool repeat_test(struct apple_reader *reader, const char *class_name, const char *name)
{
	struct test_case *test = NULL;

	if (reader->log->case_count == 0)
		return false;
	test = &reader->log->cases[reader->log->case_count - 1];
	if (!is_this(test, class_name, name))
		return false;
	test->attempts = gr_grow(test->attempts, test->attempt_count, sizeof(*test->attempts));
	test->attempts[test->attempt_count++] = (struct attempt){.status = test->status,
	        .failure = test->failure,
	        .reason = gr_take(&test->reason),
	        .time_ms = test->time_ms};
	test->time_ms = TIME_UNKNOWN;
	return true;
}

static void start_test(struct apple_reader *reader, char *class_name, char *name, struct native_log_line rest)
{
	bool is_again = apple_find(rest, "(Iteration ") != NULL && apple_find(rest, "(Iteration 1 ") == NULL;

	if (is_again && repeat_test(reader, class_name, name)) {
		gr_free(class_name);
		gr_free(name);
	} else if (native_log_add(reader->log, class_name, name) == NULL) {
		return;
	}
	reader->open = reader->log->case_count;
	native_log_end(&reader->log->cases[reader->open - 1], STATUS_ERROR, gr_strdup("started, and never ended"));
}

/* "(0.123 seconds)" */
static int64_t take_time(struct native_log_line rest)
{
	const char *open = memrchr(rest.text, '(', rest.bytes);

	return open != NULL ? apple_time(apple_after(rest, open + 1)) : TIME_UNKNOWN;
}

static void end_test(
        struct apple_reader *reader, char *class_name, char *name, enum case_status status, int64_t time_ms)
{
	struct test_case *test = reader->open > 0 ? &reader->log->cases[reader->open - 1] : NULL;

	if (test != NULL && is_this(test, class_name, name)) {
		gr_free(class_name);
		gr_free(name);
		reader->open = 0;
	} else {
		test = native_log_add(reader->log, class_name, name);
	}
	if (test == NULL)
		return;
	test->time_ms = time_ms;
	native_log_end(test, status, status == STATUS_PASSED ? NULL : apple_reason(reader, test));
}

static bool take_test(struct apple_reader *reader, struct native_log_line line)
{
	const char *quote = memchr(line.text, '\'', line.bytes);
	struct native_log_line rest;
	char *class_name = NULL, *name = NULL;

	if (quote == NULL ||
	        !take_name((struct native_log_line){line.text, (size_t)(quote - line.text)}, &class_name, &name))
		return false;
	rest = apple_after(line, quote + 1);
	if (native_log_skip(&rest, " started"))
		start_test(reader, class_name, name, rest);
	else if (native_log_skip(&rest, " passed"))
		end_test(reader, class_name, name, STATUS_PASSED, take_time(rest));
	else if (native_log_skip(&rest, " failed"))
		end_test(reader, class_name, name, STATUS_FAILED, take_time(rest));
	else if (native_log_skip(&rest, " skipped"))
		end_test(reader, class_name, name, STATUS_SKIPPED, take_time(rest));
	else {
		gr_free(class_name);
		gr_free(name);
		return false;
	}
	return true;
}

/* The process went away, and another goes on with the tests that are left: the one under way failed by it. */
static void take_crash(struct apple_reader *reader)
{
	struct test_case *open = reader->open > 0 ? &reader->log->cases[reader->open - 1] : NULL;

	if (open != NULL)
		native_log_end(open, STATUS_FAILED,
		        gr_strdup(
		                "the test did not end: the app or the test runner crashed, or the test took too long"));
	reader->open = 0;
}

static void take_line(struct apple_reader *reader, struct native_log_line line)
{
	const char *mark = apple_find(line, "Test Case '");

	if (mark == NULL)
		mark = apple_find(line, "Test case '");
	if (mark != NULL && take_test(reader, apple_after(line, mark + strlen("Test Case '")))) {
		reader->telling = 0;
	} else if (apple_find(line, "Restarting after unexpected exit") != NULL) {
		take_crash(reader);
		swift_crash(reader);
	} else if (apple_find(line, ": error: ") != NULL) {
		take_failure(reader, line);
	} else if (apple_find(line, " : Test skipped") != NULL) {
		take_skip(reader, line);
	} else if (!swift_take(reader, line) && reader->takes_plain) {
		if (is_of_others(line))
			reader->telling = 0;
		apple_tell(reader, line);
	}
}

void native_log_xctest(const char *text, size_t bytes, struct native_log *log)
{
	struct apple_reader reader = {.log = log};
	const char *at = text, *end = text + bytes;
	struct native_log_line line;

	while (!log->is_full && native_log_next(&at, end, &line))
		take_line(&reader, line);
	swift_finish(&reader);
	apple_drop_failures(&reader);
}
