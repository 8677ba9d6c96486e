/* The test runs that steps of this run have started (struct event: starts): {PLACE: {open, numbers, app_id, device,
 * build_id, build_version}}. The engine keeps it, from what steps learn; one step looks at what the others have. */
#ifndef GRIDLANE_STEPS_STARTS_H
#define GRIDLANE_STEPS_STARTS_H

#include "runner/steps/app_run.h"

#define STARTS_OPEN "open" /* true: the last start was perhaps done, and its number is not proven */
#define STARTS_NUMBERS "numbers" /* object of the build numbers that are proven, or adopted */

/* The caller's. */
char *starts_place(const char *lane, const char *step);

/* Is this build number proven to be of another start than the one that the step looks for? starts may be NULL. */
bool starts_have(const json_t *starts, const struct app_run *run, const char *number);
/* May the build be one that another step has started and does not know the number of? */
bool starts_want(
        const json_t *starts, const struct app_run *run, const struct execution *execution, const char *number);

#endif
