/* A device as Get Device List shows it now. */
#ifndef GRIDLANE_SANDBOX_DEVICES_H
#define GRIDLANE_SANDBOX_DEVICES_H

#include "sandbox/state.h"

/* A new reference. */
json_t *device_row(const struct state *state, const json_t *device);

#endif
