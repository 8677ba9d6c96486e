/* The server without a thread, for fork.c. */
#ifndef GRIDLANE_SANDBOX_SERVER_H
#define GRIDLANE_SANDBOX_SERVER_H

#include "sandbox/sandbox.h"

/* Listen; serve nothing yet. */
int sandbox_open(const struct sandbox_options *options, struct sandbox **ret_sandbox, struct gr_error *err);
/* Serve until stop_fd can be read or its other end is closed. */
void sandbox_serve(struct sandbox *sandbox, int stop_fd);
void sandbox_close(struct sandbox *sandbox);

#endif
