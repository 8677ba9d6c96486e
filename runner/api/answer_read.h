/* The short way from a body to its tree: for JSON as servers write it, at half of what jansson's own reader costs;
 * texts that come again and again (statuses, ids) are one value. */
#ifndef GRIDLANE_API_ANSWER_READ_H
#define GRIDLANE_API_ANSWER_READ_H

#include <jansson.h>

/* The tree that json_loadb with JSON_REJECT_DUPLICATES would make, or NULL where this cannot tell: the JSON is wrong,
 * or has something rare in it (numbers with a point, surrogates, more than 64 levels). Ask json_loadb then. Never
 * change a text of the tree in place: others may be the same value. */
json_t *answer_read(const char *body, size_t bytes);

#endif
