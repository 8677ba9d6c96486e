/* Installs and their logs. */
#ifndef GRIDLANE_SANDBOX_INSTALLS_H
#define GRIDLANE_SANDBOX_INSTALLS_H

#include "runner/base/buffer.h"
#include "sandbox/state.h"

/* The log of an asynchronous install as it stands now. */
void install_log(const struct install *install, double now, struct buffer *out);
/* Why it fails. */
const char *install_reason(const struct install *install);

#endif
