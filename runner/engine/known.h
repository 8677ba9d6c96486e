/* What an earlier process of this run knew, taken over by this one. Not for other rooms. */
#ifndef GRIDLANE_ENGINE_KNOWN_H
#define GRIDLANE_ENGINE_KNOWN_H

#include "runner/engine/journal.h"
#include "runner/engine/run.h"

/* What is known of a step, or NULL. */
const struct replay_step *known_find(const struct lane *lane, const struct plan_step *plan);
/* A step that came to a definite end is not done again: its results and outputs are taken as they were. known: NULL is
 * fine. false: it has to be done. */
bool known_finish(struct task *task, const struct replay_step *known);
/* A step that was under way goes on from what it had learned. A request that left a trace on the server and whose
 * answer is not known is told to the step as `lost`: it looks for the trace before it sends anything. */
void known_remember(struct task *task, const struct replay_step *known);
/* The lane ends before this step: it keeps the end that it had. false: it had none. */
bool known_close(const struct lane *lane, const struct plan_step *plan);
/* The run ends: results of steps that this process did not come to again. */
void known_complete(struct engine *engine);

#endif
