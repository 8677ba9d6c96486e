/* What polls have shown of a native run outlives the process, as the cases of other runs do (app_seen.c): status and
 * counts are learned whenever they change. */
#ifndef GRIDLANE_STEPS_NATIVE_SEEN_H
#define GRIDLANE_STEPS_NATIVE_SEEN_H

#include "runner/api/model.h"
#include "runner/steps/step.h"

void native_note_progress(const struct native_device *native, const char *id, struct action *action);
json_t *native_to_json(const struct native_device *native);
/* One device, or none when nothing was learned. */
void native_from_json(const json_t *json, struct native_result *ret_result);

#endif
