/* What is known of a test run that its process was killed over. */
#ifndef GRIDLANE_ENGINE_UNFINISHED_H
#define GRIDLANE_ENGINE_UNFINISHED_H

#include "runner/engine/journal.h"

/* Of a step that did not come to its end: the run as far as polls had shown it; of a further start, what they had shown
 * over the result of the starts before it. NULL: nothing was started, or the results say it already. Else the caller's
 * (device_run_release(), then gr_free()). */
struct device_run *unfinished_run(const struct replay *replay, const struct replay_step *step);

#endif
