/* XCTest: "Test Case '-[Suite test]' passed (0.1 seconds)." as one process prints it, and
 * "Test case 'Suite.test()' passed on 'iPhone 15 - Clone 1' (0.1 seconds)" as xcodebuild does for several. What failed
 * stands in lines of its own before: "File.swift:42: error: -[Suite test] : words". */
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/steps/native_log.h"

#define PENDING_MOST 1000 /* failures whose test has not ended yet; more belong to tests that never will */

struct failure {
	char *class_name, *name, *words;
};

struct reader {
	struct native_log *log;
	size_t open; /* started and not ended: an index plus 1 */
	struct failure *pending;
	size_t pending_count;
};

static char *copy_without_parentheses(const char *text, size_t bytes)
{
	if (bytes > 2 && memcmp(text + bytes - 2, "()", 2) == 0)
		bytes -= 2;
	return native_log_copy(text, bytes);
}

/* The last place of one of `bytes` of marks before any '(': a name may be "Shop.CartTests.testAdd()". */
static const char *find_split(struct native_log_line name)
{
	const char *found = NULL;

	for (size_t i = 0; i < name.bytes && name.text[i] != '('; i++)
		if (name.text[i] == '.' || name.text[i] == '/')
			found = name.text + i;
	return found;
}

/* "-[Shop.CartTests testAdd]", "Shop.CartTests.testAdd()" or "CartTests/testAdd()": class and name, the caller's. */
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
	if (split == NULL || split == name.text || split + 1 == name.text + name.bytes)
		return false;
	*ret_class = native_log_copy(name.text, (size_t)(split - name.text));
	*ret_name = copy_without_parentheses(split + 1, name.bytes - (size_t)(split + 1 - name.text));
	return true;
}

/* The module before the class is told in one form and left out in the other. */
static bool is_same_class(const char *a, const char *b)
{
	const char *last_a = strrchr(a, '.'), *last_b = strrchr(b, '.');

	return text_equal(last_a != NULL ? last_a + 1 : a, last_b != NULL ? last_b + 1 : b);
}

static const char *find(struct native_log_line line, const char *word)
{
	return memmem(line.text, line.bytes, word, strlen(word));
}

static struct native_log_line after(struct native_log_line line, const char *at)
{
	return (struct native_log_line){at, line.bytes - (size_t)(at - line.text)};
}

/* ---- failures ---- */

static void drop_failure(struct reader *reader, size_t index)
{
	struct failure *failure = &reader->pending[index];

	gr_free(failure->class_name);
	gr_free(failure->name);
	gr_free(failure->words);
	memmove(failure, failure + 1, (reader->pending_count - index - 1) * sizeof(*failure));
	reader->pending_count--;
}

/* "/src/CartTests.swift:42: error: -[Shop.CartTests testAdd] : XCTAssertTrue failed" */
static void take_failure(struct reader *reader, struct native_log_line line)
{
	const char *mark = find(line, ": error: "), *colon = NULL;
	struct native_log_line rest, place = {line.text, 0};
	struct failure failure = {NULL, NULL, NULL};

	if (mark == NULL || reader->pending_count >= PENDING_MOST)
		return;
	place.bytes = (size_t)(mark - line.text);
	rest = after(line, mark + strlen(": error: "));
	colon = find(rest, " : ");
	if (colon == NULL || !take_name((struct native_log_line){rest.text, (size_t)(colon - rest.text)},
	                             &failure.class_name, &failure.name))
		return;
	rest = after(rest, colon + 3);
	failure.words = gr_printf("%.*s\n%.*s",
	        (int)(rest.bytes < NATIVE_LOG_REASON_BYTES ? rest.bytes : NATIVE_LOG_REASON_BYTES), rest.text,
	        (int)(place.bytes < 1024 ? place.bytes : 1024), place.text);
	reader->pending = gr_grow(reader->pending, reader->pending_count, sizeof(*reader->pending));
	reader->pending[reader->pending_count++] = failure;
}

/* All that was said about this test, in its order. */
static char *collect_reason(struct reader *reader, const struct test_case *test)
{
	struct buffer words = {0};

	for (size_t i = 0; i < reader->pending_count;) {
		const struct failure *failure = &reader->pending[i];

		if (!text_equal(failure->name, test->name) || !is_same_class(failure->class_name, test->class_name)) {
			i++;
			continue;
		}
		if (words.bytes < NATIVE_LOG_REASON_BYTES)
			buffer_printf(&words, "%s%s", words.bytes > 0 ? "\n" : "", failure->words);
		drop_failure(reader, i);
	}
	return words.bytes > 0 ? buffer_take(&words) : NULL;
}

/* ---- tests ---- */

static bool is_this(const struct test_case *test, const char *class_name, const char *name)
{
	return text_equal(test->class_name, class_name) && text_equal(test->name, name);
}

/* Another try of the test that has just ended: what it was becomes an attempt. */
static bool repeat_test(struct reader *reader, const char *class_name, const char *name)
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

static void start_test(struct reader *reader, char *class_name, char *name, struct native_log_line rest)
{
	bool is_again = find(rest, "(Iteration ") != NULL && find(rest, "(Iteration 1 ") == NULL;

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
	GR_AUTO_FREE char *text = NULL;
	double seconds = 0;

	if (open == NULL)
		return TIME_UNKNOWN;
	rest = after(rest, open + 1);
	for (size_t i = 0; i < rest.bytes; i++)
		if (rest.text[i] == ' ') {
			text = native_log_copy(rest.text, i);
			break;
		}
	if (text == NULL || !number_parse_real(text, &seconds) || seconds < 0 || seconds > 1e9)
		return TIME_UNKNOWN;
	return (int64_t)(seconds * 1000 + 0.5);
}

static void end_test(struct reader *reader, char *class_name, char *name, enum case_status status, int64_t time_ms)
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
	native_log_end(test, status, status == STATUS_PASSED ? NULL : collect_reason(reader, test));
}

static bool take_test(struct reader *reader, struct native_log_line line)
{
	const char *quote = memchr(line.text, '\'', line.bytes);
	struct native_log_line rest;
	char *class_name = NULL, *name = NULL;

	if (quote == NULL ||
	        !take_name((struct native_log_line){line.text, (size_t)(quote - line.text)}, &class_name, &name))
		return false;
	rest = after(line, quote + 1);
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
static void take_crash(struct reader *reader)
{
	struct test_case *open = reader->open > 0 ? &reader->log->cases[reader->open - 1] : NULL;

	if (open != NULL)
		native_log_end(open, STATUS_FAILED,
		        gr_strdup(
		                "the test did not end: the app or the test runner crashed, or the test took too long"));
	reader->open = 0;
}

static void take_line(struct reader *reader, struct native_log_line line)
{
	const char *mark = find(line, "Test Case '");

	if (mark == NULL)
		mark = find(line, "Test case '");
	if (mark != NULL && take_test(reader, after(line, mark + strlen("Test Case '"))))
		return;
	if (find(line, "Restarting after unexpected exit") != NULL)
		take_crash(reader);
	else
		take_failure(reader, line);
}

void native_log_xctest(const char *text, size_t bytes, struct native_log *log)
{
	struct reader reader = {.log = log};
	const char *at = text, *end = text + bytes;
	struct native_log_line line;

	while (native_log_next(&at, end, &line))
		take_line(&reader, line);
	while (reader.pending_count > 0)
		drop_failure(&reader, reader.pending_count - 1);
	gr_free(reader.pending);
}
