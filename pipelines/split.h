/* Spreading tests over lanes, so that the lanes end together: the longest first, each to the lane that is the least
 * busy so far (LPT: at most a third over the best there is, with many tests next to nothing). */
#ifndef GRIDLANE_PIPELINES_SPLIT_H
#define GRIDLANE_PIPELINES_SPLIT_H

#include <jansson.h>
#include <stddef.h>

size_t split_count(const json_t *tests); /* tests, in either form */

/* tests: {NAME: ID} or [ID]; seconds: {NAME: ms} of earlier runs, or NULL: then all count the same, as do lists. A test
 * without a time counts as the mean of the others. The same input gives the same parts. A new reference:
 * {parts: [tests, of the same form, in their order], ms: [of each part], whole_ms, longest_ms, unknown: tests without a
 * time, assumed_ms: what each of them counts as}; all ms are 0 when no time is known. */
json_t *split_spread(const json_t *tests, const json_t *seconds, size_t lanes);

#endif
