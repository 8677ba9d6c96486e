/* What this process gives up for good once it needs it no more. Best effort: an old kernel, or a sandbox around us that
 * forbids asking, changes nothing else. */
#ifndef GRIDLANE_BASE_CONFINE_H
#define GRIDLANE_BASE_CONFINE_H

#include <stdbool.h>

/* No program is ever started by this process or its threads again, none looked into, nothing mounted, loaded into the
 * kernel or done behind its back (io_uring): such calls fail with EPERM. false: not supported here (also in builds
 * with sanitizers, whose leak check is a tracer), with errno. Files, sockets, threads and signals stay as they are. */
bool confine_to_itself(void);

/* Where this process may still look and write. Paths that are not there are passed over; a folder stands for all below
 * it. */
struct confine_places {
	const char *const *reads; /* ended by NULL */
	const char *const *writes; /* likewise; they may be read, too */
	const unsigned *ports; /* TCP ports of other hosts, ended by 0; NULL: all of them */
};
/* Landlock, as much of it as the kernel knows: no other file is opened from here on, and no other port called; both
 * fail with EACCES. What is open stays open. Holds for this thread, and for threads and processes that it starts
 * later. false: not supported here, with errno; then nothing has changed. */
bool confine_to_places(const struct confine_places *places);

#endif
