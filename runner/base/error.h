/* One failure, said once, at its cause: what, 'quoted name', why. Callers may add context across a boundary.
 * A function that can fail returns 0, or -failure after filling `err`; success leaves `err` untouched. */
#ifndef GRIDLANE_BASE_ERROR_H
#define GRIDLANE_BASE_ERROR_H

enum gr_failure {
	GR_NONE = 0,
#define FAILURE(id, name, exit_status, words) GR_##id,
#include "runner/base/error.def"
#undef FAILURE
	GR_FAILURE_COUNT
};

struct gr_error { /* on the caller's stack, = {0}; nothing in it is allocated */
	enum gr_failure failure;
	unsigned line, column; /* 1-based, in the pipeline file; 0: not from it */
	char text[512]; /* outermost context first, no newline, no secret */
};

/* Fill `err` (which may be NULL) and return -failure. errnum, when not 0, adds strerror's words at the end. */
int gr_fail(struct gr_error *err, enum gr_failure failure, int errnum, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* Put "context: " before what err says; returns -err->failure. */
int gr_context(struct gr_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The row of a failure. `failure` outside the table gives INTERNAL's row. */
const char *failure_name(enum gr_failure failure); /* "timeout.queue" */
const char *failure_words(enum gr_failure failure); /* one sentence without a full stop */
int failure_exit_status(enum gr_failure failure);
/* The failure of that report type ("timeout.queue"), or GR_NONE. */
enum gr_failure failure_from_name(const char *name);

#endif
