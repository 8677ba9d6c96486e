/* How long a plan can take at most, by its own limits. */
#ifndef GRIDLANE_PIPELINES_WORST_H
#define GRIDLANE_PIPELINES_WORST_H

#include "pipelines/plan.h"

/* Milliseconds; CLOCK_NEVER when nothing but the run's own timeout limits it. */
int64_t worst_of_step(const struct plan *plan, const struct plan_step *step);
int64_t worst_of_list(const struct plan *plan, const struct plan_step *steps, size_t count);
/* Never more than the run's timeout. */
int64_t worst_of_plan(const struct plan *plan);
/* Lanes of a matrix as far as they are known: 0 when not. */
size_t lanes_of_step(const struct plan *plan, const struct plan_step *step);

#endif
