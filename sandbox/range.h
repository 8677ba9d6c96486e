/* Files that go on where they were cut: ETag, and Range under If-Range. */
#ifndef GRIDLANE_SANDBOX_RANGE_H
#define GRIDLANE_SANDBOX_RANGE_H

#include "sandbox/exchange.h"

/* Give a whole file its ETag, and leave of it what the request asks for. */
void range_apply(const struct exchange *exchange, struct reply *reply);

#endif
