/* Tests that are known to be bad: their failures are shown, and do not fail the run. Each entry has an owner and ends
 * on a day, from which on the test counts again. */
#ifndef GRIDLANE_RESULTS_QUARANTINE_H
#define GRIDLANE_RESULTS_QUARANTINE_H

#include "runner/results/model.h"

struct quarantine_entry {
	char *test, *device; /* patterns as of a shell; device NULL: every device */
	char *reason, *owner;
	char *until; /* "2026-12-31": the last day, in UTC */
	int64_t ends_ms; /* its end, milliseconds since 1970 */
	unsigned line;
};

struct quarantine {
	char *file;
	struct quarantine_entry *entries;
	size_t count;
};
void quarantine_release(struct quarantine *quarantine);

bool quarantine_entry_is_over(const struct quarantine_entry *entry, int64_t wall_ms);
/* The pattern is matched with the test's name, with CLASS.NAME, and with both followed by " [DATA]". */
bool quarantine_entry_fits(
        const struct quarantine_entry *entry, const struct device_run *run, const struct test_case *test);
/* Mark the failures that are quarantined at that time; returns how many. */
size_t quarantine_mark(const struct quarantine *quarantine, int64_t wall_ms, struct device_run *run);
/* Does an entry fit any test of the run, whatever became of it? */
bool quarantine_entry_is_used(const struct quarantine_entry *entry, const struct results *results);

#endif
