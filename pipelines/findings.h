/* Collecting diagnostics while a pipeline is loaded and checked: all findings, in the order of their places. */
#ifndef GRIDLANE_PIPELINES_FINDINGS_H
#define GRIDLANE_PIPELINES_FINDINGS_H

#include <stdarg.h>

#include "pipelines/plan.h"

struct place {
	unsigned line, column; /* 1-based; line 0: not in the file (the command line) */
	unsigned length; /* 0: the word that stands there */
};

/* One more finding. hint may be NULL; both texts are copied. A finding that is there already, at the same place with
 * the same words, is not added again (an alias repeats what its anchor says). */
void findings_add(struct diagnostics *diagnostics, struct place place, const char *hint, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
void findings_warn(struct diagnostics *diagnostics, struct place place, const char *hint, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* What `err` says, at its place or, when it has none, at `place`. */
void findings_add_error(struct diagnostics *diagnostics, struct place place, const struct gr_error *err);
/* By place, errors before warnings. Fills in the lengths that are still 0. */
void findings_sort(struct diagnostics *diagnostics);
/* The file that a finding is in, and its text. */
const char *findings_file(const struct diagnostics *diagnostics, const struct diagnostic *finding);
const char *findings_source(const struct diagnostics *diagnostics, const struct diagnostic *finding);
/* Line `line` (1-based) of the source; *ret_bytes without its line break; NULL when there is no such line. */
const char *source_line(const char *source, unsigned line, size_t *ret_bytes);
/* Byte offset of 1-based column `column` (in characters) of a line, at most `bytes`. */
size_t source_column_offset(const char *line, size_t bytes, unsigned column);

#endif
