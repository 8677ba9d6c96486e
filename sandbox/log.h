/* The request log: one JSON object a line, written before the answer leaves. */
#ifndef GRIDLANE_SANDBOX_LOG_H
#define GRIDLANE_SANDBOX_LOG_H

#include "sandbox/call.h"

/* status: the HTTP status that will be sent, 0 for none. fd -1: nothing is written. 0 or -errno. */
int log_call(int fd, int64_t number, const struct call *call, int status);

#endif
