/* What the readers of XCTest's and of Swift Testing's lines share: one log may have both, and what failed stands in
 * lines of its own, before the test's end is told. */
#ifndef GRIDLANE_STEPS_NATIVE_LOG_APPLE_H
#define GRIDLANE_STEPS_NATIVE_LOG_APPLE_H

#include "runner/base/buffer.h"
#include "runner/steps/native_log.h"

struct apple_failure {
	char *class_name; /* NULL: the line does not say */
	char *name;
	struct buffer words;
	char *place; /* "CartTests.swift:42", or NULL */
};

struct swift_test; /* started and not ended */

struct apple_reader {
	struct native_log *log;
	size_t open; /* XCTest's test under way: an index plus 1 */
	struct apple_failure *pending; /* of tests that have not ended yet */
	size_t pending_count;
	size_t telling; /* the pending failure whose words may go on: an index plus 1 */
	size_t told; /* lines that went on */
	bool takes_plain; /* lines without a mark go on with it as well */
	struct swift_test *swift;
	size_t swift_count;
	size_t swift_lost; /* of them, those whose process went away */
	size_t swift_starts;
};

/* ---- failures ---- */

/* The names are taken over; `place` may be empty. */
void apple_fail(struct apple_reader *reader, char *class_name, char *name, struct native_log_line words,
        struct native_log_line place);
/* A line that belongs to the failure told last, if there is one and it has room. */
void apple_tell(struct apple_reader *reader, struct native_log_line line);
/* All that was said about this test, in its order; the caller's, or NULL. */
char *apple_reason(struct apple_reader *reader, const struct test_case *test);
void apple_drop_failures(struct apple_reader *reader);

/* ---- names and lines ---- */

const char *apple_find(struct native_log_line line, const char *word);
struct native_log_line apple_after(struct native_log_line line, const char *at);
/* "testAdd()" without its parentheses: the caller's. */
char *apple_name(const char *text, size_t bytes);
/* "12.5 seconds" in milliseconds, or TIME_UNKNOWN. */
int64_t apple_time(struct native_log_line line);

/* ---- Swift Testing ---- */

/* true: the line is one of Swift Testing's. */
bool swift_take(struct apple_reader *reader, struct native_log_line line);
/* The process went away: what was under way did not end, unless it is run again. */
void swift_crash(struct apple_reader *reader);
/* The log is over: what was under way never ended. */
void swift_finish(struct apple_reader *reader);

#endif
