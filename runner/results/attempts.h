/* Reruns: what a further start of the same tests changes in a device run. Pure. */
#ifndef GRIDLANE_RESULTS_ATTEMPTS_H
#define GRIDLANE_RESULTS_ATTEMPTS_H

#include "runner/results/model.h"

/* What a further start is for. */
enum repeat_flags {
	REPEAT_FAILED = 1 << 0,
	REPEAT_NOT_RUN = 1 << 1 /* tests without a result: they are no failures */
};

/* Is the test one of those that are repeated? */
bool test_case_is_repeated(const struct test_case *test, unsigned flags);
/* Of a run that is over: what there is to repeat. 0 as well when there is trouble in it that no repeating mends. */
unsigned device_run_repeats(const struct device_run *run);

struct repeat {
	unsigned flags;
	bool is_whole;
	int64_t tests; /* to be repeated */
};
/* `again` is the result of a further start: outcomes of repeated tests that it brought become the last ones, those
 * before become attempts. What it did not bring is said by a warning, and what had been known stands. Of other tests
 * that ran again nothing is taken; those that now failed are said by a warning. */
void device_run_take(struct device_run *run, const struct device_run *again, const struct repeat *repeat);

#endif
