/* When to ask whether a run is over: where its end is likely, by how long earlier runs took, instead of in equal steps.
 * The times are those for which the expected time from the end to the look that sees it is least at a given number of
 * looks. */
#ifndef GRIDLANE_STEPS_SCHEDULE_H
#define GRIDLANE_STEPS_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

/* An earlier run: it ended in the `lag_ms` before `ms` after its begin. Lists of them are latest first: a run counts
 * half as much as one SCHEDULE_HALF runs later, because suites grow. */
struct schedule_run {
	int64_t ms, lag_ms;
};
#define SCHEDULE_HALF 15
double schedule_weight(size_t age);
/* Fewer runs than this say nothing. */
#define SCHEDULE_RUNS_LEAST 5

struct schedule_wish {
	int64_t least_gap_ms, most_gap_ms; /* between two looks; at least 1 */
	double looks; /* how many may be expected in all */
};

/* Ascending times after a run's begin, the caller's (gr_free), and how many; NULL and 0 when there are too few runs.
 * After the last one a run takes longer than any before: then it is looked after as if nothing were known. */
int64_t *schedule_plan(
        const struct schedule_run *runs, size_t count, const struct schedule_wish *wish, size_t *ret_count);

/* Looks that waits of low, then a quarter more each time up to high, take for such runs on average (by weight). */
double schedule_looks_of_pace(const struct schedule_run *runs, size_t count, int64_t low_ms, int64_t high_ms);

#endif
