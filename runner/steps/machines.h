/* The state machines of this room, one a file; kind.c puts them into the table. */
#ifndef GRIDLANE_STEPS_MACHINES_H
#define GRIDLANE_STEPS_MACHINES_H

#include "runner/steps/step.h"

extern const struct step_ops application_ops, select_devices_ops, create_application_ops, create_version_ops,
        upload_build_ops, install_ops, app_build_run_ops, native_test_ops, reserve_device_ops, release_device_ops,
        run_ops, call_ops, collect_ops, appium_ops;

/* remains.c calls these: what a step whose process was killed had learned, as EVENT_STOP would have it. Fields and
 * context are not known. */
int app_build_run_remains(struct step *step, const struct event *event, struct action *ret_action);
int native_test_remains(struct step *step, const struct event *event, struct action *ret_action);

#endif
