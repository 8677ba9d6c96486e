/* The switch `types`: the same answers with numbers and flags as text, text and flags as numbers, or a mixture. */
#ifndef GRIDLANE_SANDBOX_TYPES_H
#define GRIDLANE_SANDBOX_TYPES_H

#include "sandbox/state.h"

void types_bend(struct state *state, json_t *answer);

#endif
