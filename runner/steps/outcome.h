/* From a finished device run to the step's outcome and outputs, shared by the kinds that run tests. */
#ifndef GRIDLANE_STEPS_OUTCOME_H
#define GRIDLANE_STEPS_OUTCOME_H

#include "runner/api/model.h"
#include "runner/steps/step.h"

/* A result with lane, step and device filled, all times unknown; the caller's (action->device_run). */
struct device_run *result_new(const struct step *step, enum run_kind kind, const struct device *device);
/* Set result->failure from its cases and problems: failed tests first, then problems, then cases without a result. */
void result_settle(struct device_run *result);
enum outcome result_outcome(const struct device_run *result);
/* Add tests, executed, passed, failed, skipped, errors, pass_rate, completed. */
void result_outputs(const struct device_run *result, json_t *outputs);

#endif
