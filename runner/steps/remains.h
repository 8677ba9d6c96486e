/* What is known of a test run whose process was killed, from the memory of its step: the run's number or id, the
 * device, and each test that was seen, for reports that are written before (or without) going on. */
#ifndef GRIDLANE_STEPS_REMAINS_H
#define GRIDLANE_STEPS_REMAINS_H

#include <jansson.h>

#include "runner/results/model.h"

/* kind: the step's. NULL: such a step runs no tests, or had started none. Else the caller's (device_run_release(), then
 * gr_free()). */
struct device_run *remains_of(const char *kind, const char *lane, const char *step, const json_t *memory);

#endif
