/* Inside reporters: failures that give one and the same reason, so that forty of them read as one cause. Reasons are
 * held beside each other by their first line, without its numbers; a few are no crowd, and one without a reason has no
 * like. */
#ifndef GRIDLANE_REPORTERS_ALIKE_H
#define GRIDLANE_REPORTERS_ALIKE_H

#include <jansson.h>
#include <stdbool.h>

#include "runner/results/model.h"

struct alike {
	json_t *counts; /* {what they have in common: how many} */
	json_t *said; /* {the same: true}, of those that alike_is_first() was asked for */
};

/* Those that failed and those without a result, each among its own; quarantined ones have no part in it. */
void alike_init(struct alike *alike, const struct results *results);
/* How many others are like it. */
size_t alike_others(const struct alike *alike, const struct test_case *test);
/* Is none like it known yet? The first that asks is the one. */
bool alike_is_first(struct alike *alike, const struct test_case *test);
/* The same tests are gone through again. */
void alike_again(struct alike *alike);
void alike_release(struct alike *alike);

#endif
