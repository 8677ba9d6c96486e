/* What a step acts on: a device, and a build with its application and version. Fields may say only an id; the rest is
 * then asked for: while target_ask() fills an action, hand its answer to target_take(). */
#ifndef GRIDLANE_STEPS_TARGET_H
#define GRIDLANE_STEPS_TARGET_H

#include "runner/api/model.h"
#include "runner/steps/step.h"

enum target_needs {
	TARGET_S_DEVICE = 1 << 0, /* the device's s_device */
	TARGET_PLATFORM = 1 << 1, /* the device's platform */
	TARGET_VERSION = 1 << 2, /* the build's version */
	TARGET_MODULE = 1 << 3 /* the id of `module` */
};

enum target_question { QUESTION_NONE, QUESTION_DEVICE, QUESTION_DETAILS, QUESTION_BUILD, QUESTION_MODULE };

struct target {
	const struct step *step;
	unsigned needs;
	enum target_question asked;
	bool device_was_asked, details_were_asked, build_was_asked;
	struct device device;
	char *app_build_id, *app_id, *version_id, *bundle_id;
	char *module_id;
};

/* From `device`, `build` and `module` of the step's fields. */
int target_begin(struct target *target, const struct step *step, unsigned needs, struct gr_error *err);
/* true: the action asks for something that is still missing; false: all that can be known is. */
bool target_ask(struct target *target, struct action *action);
int target_take(struct target *target, const struct event *event, struct gr_error *err);
void target_release(struct target *target);
/* {application_token, version_token, process_type, s_device, app_build_id}, the arguments that installs and runs share.
 */
json_t *target_arguments(const struct target *target);

#endif
