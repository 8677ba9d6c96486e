/* What is fetched by GET: logs, recordings and the other files that answers name. */
#ifndef GRIDLANE_SANDBOX_FILES_H
#define GRIDLANE_SANDBOX_FILES_H

#include <stdbool.h>

#include "runner/base/buffer.h"
#include "sandbox/call.h"

/* The file's pseudo-operation ("file_install_log"), for the log and for faults; NULL: no such path. */
const struct route *file_route_find(const char *path, json_t *parameters);
/* Is there a pseudo-operation of that id? */
bool file_route_is_known(const char *id);
/* One file is named in its query, by these parameters. */
bool route_takes_query(const struct route *route, const char *name);
/* The file as it is now; false: there is none of that name. */
bool files_fill(struct call *call, struct buffer *body, const char **ret_type);
/* What /sandbox/state says, a new reference. */
json_t *files_state(const struct state *state);

#endif
