/* The logs of native tests: the server only counts tests, the log names them. Two forms of Android's instrumentation
 * (the INSTRUMENTATION_STATUS blocks of `am instrument -r`, and what it prints for people without -r) and the lines of
 * XCTest. A log is whatever an app and a server wrote: nothing in it is believed beyond what a test case is called and
 * how it ended, and the server's counts are held against it. */
#ifndef GRIDLANE_STEPS_NATIVE_LOG_H
#define GRIDLANE_STEPS_NATIVE_LOG_H

#include "runner/results/model.h"

/* A log of more tests than an answer may have is no log. */
#define NATIVE_LOG_MOST_CASES 100000
/* Bytes kept of one failure's text: what reports show. */
#define NATIVE_LOG_REASON_BYTES (64 << 10)

struct native_log {
	struct test_case *cases; /* started and never ended: STATUS_ERROR, GR_STOPPED; ended by a crash: failed */
	size_t case_count;
	char *trouble; /* what the runner says kept it from its end ("Process crashed."), or NULL */
	bool is_full; /* more than NATIVE_LOG_MOST_CASES: what followed was not read */
};

/* false: the log names no test. `ret_log` is to be released in either case. */
bool native_log_parse(const char *text, size_t bytes, struct native_log *ret_log);
void native_log_release(struct native_log *log);

/* ---- for the parsers of the two platforms ---- */

struct native_log_line { /* without its line break; not NUL-terminated */
	const char *text;
	size_t bytes;
};
/* The next line of `*at` up to `end`; false at the end. */
bool native_log_next(const char **at, const char *end, struct native_log_line *ret_line);
/* What follows `prefix`, or false. */
bool native_log_skip(struct native_log_line *line, const char *prefix);
/* Copies (the caller's) of at most 4 KiB, the longest a name may be. */
char *native_log_copy(const char *text, size_t bytes);
/* Add a case that passed in an unknown time; NULL when the log is full. Takes the names over. */
struct test_case *native_log_add(struct native_log *log, char *class_name, char *name);
/* Set how it ended. `reason` (may be NULL) is taken over. */
void native_log_end(struct test_case *test, enum case_status status, char *reason);

void native_log_instrumentation(const char *text, size_t bytes, struct native_log *log);
void native_log_xctest(const char *text, size_t bytes, struct native_log *log);

#endif
