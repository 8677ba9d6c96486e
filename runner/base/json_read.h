/* JSON that others wrote: looked through before any memory is asked for. A limit of bytes alone is no protection: as a
 * tree, 64 MiB of "{}," take 5 GB. */
#ifndef GRIDLANE_BASE_JSON_READ_H
#define GRIDLANE_BASE_JSON_READ_H

#include <jansson.h>

#include "runner/base/buffer.h"

struct json_limits {
	size_t bytes, containers, values, string_bytes;
};

/* One pass, 64 levels at most. What is wrong ("is nested deeper than 64 levels"), or NULL. */
const char *json_scan(const char *text, size_t bytes, const struct json_limits *limits);
/* Where the object or list ends that a text begins with; `bytes` if it does not begin with one, or that does not end.
 */
size_t json_end(const char *text, size_t bytes);
/* What gridlane writes itself (results.json, a manifest), read from a folder or a bundle that anybody may have made. A
 * new reference, or NULL and what is wrong ("is not JSON"). */
json_t *json_read_own(const struct buffer *text, const char **ret_why);

#endif
