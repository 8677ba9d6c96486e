/* What a user's own test command did, as tests of the run. */
#ifndef GRIDLANE_STEPS_APPIUM_JUDGE_H
#define GRIDLANE_STEPS_APPIUM_JUDGE_H

#include "runner/results/model.h"
#include "runner/steps/step.h"

/* `event` is the end of the command, `result` that of its device with times alone. */
void appium_judge(const struct step *step, const struct event *event, struct device_run *result);

#endif
