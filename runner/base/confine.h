/* What this process gives up for good once it needs it no more. Best effort: an old kernel, or a sandbox around us that
 * forbids asking, changes nothing else. */
#ifndef GRIDLANE_BASE_CONFINE_H
#define GRIDLANE_BASE_CONFINE_H

#include <stdbool.h>

/* No program is ever started by this process or its threads again, none looked into, nothing mounted, loaded into the
 * kernel or done behind its back (io_uring): such calls fail with EPERM. false: not supported here (also in builds
 * with sanitizers, whose leak check is a tracer), with errno. Files, sockets, threads and signals stay as they are. */
bool confine_to_itself(void);

#endif
