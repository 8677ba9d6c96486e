/* Inside reporters: formats that talk to a CI system through the log of its job. */
#ifndef GRIDLANE_REPORTERS_PRINTED_H
#define GRIDLANE_REPORTERS_PRINTED_H

#include "reporters/reporter.h"
#include "runner/base/buffer.h"

#define PRINTED_TARGET "-" /* to the log, after the console's last line */

/* To the log when that is wanted, into the target otherwise. */
int report_put(
        const struct report_context *context, const char *target, const struct buffer *text, struct gr_error *err);

/* Each failed test (but quarantined ones) and each test without a result, each problem that is no warning, and last the
 * tests whose like came before: for formats that say one line of each, and not of all. */
struct trouble {
	const struct results *results;
	const struct device_run *run; /* or NULL */
	const struct test_case *test; /* or NULL: a problem */
	const struct problem *problem;
	size_t others; /* that come last */
};
struct trouble_list {
	struct trouble *items;
	size_t count;
};
void trouble_list_init(struct trouble_list *list, const struct results *results);
/* Each quarantined failure. */
void trouble_list_quarantined(struct trouble_list *list, const struct results *results);
void trouble_list_release(struct trouble_list *list);
/* "pays by card on Pixel 7 (and 39 more alike)"; then why, in one line. Clean, redacted. Append to out. */
void trouble_title(struct redactor *redactor, struct buffer *out, const struct trouble *trouble);
void trouble_reason(struct redactor *redactor, struct buffer *out, const struct trouble *trouble, size_t most_bytes);

#endif
