/* Native runs (Espresso, XCUITest) and their logs. */
#ifndef GRIDLANE_SANDBOX_NATIVE_H
#define GRIDLANE_SANDBOX_NATIVE_H

#include "runner/base/buffer.h"
#include "sandbox/state.h"

struct native_run *native_of_id(const struct state *state, const char *id);
/* What log_path serves now: nothing before the start, then one test after the other. */
void native_log(const struct native_run *run, double now, struct buffer *out);

#endif
