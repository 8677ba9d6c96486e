/* What `gridlane plan` says of a step whose tests are spread over lanes. */
#ifndef GRIDLANE_PIPELINES_PRINT_SPLIT_H
#define GRIDLANE_PIPELINES_PRINT_SPLIT_H

#include "pipelines/plan.h"

/* lanes: of its matrix, 0 when not known. Nothing for a step without `split`. */
void print_split(const struct plan_step *step, size_t lanes, const json_t *seconds, struct buffer *out);
/* {lanes, by, tests, unknown, assumed_ms, parts, ms, whole_ms, longest_ms, saving_ms}, a new reference; null when lanes
 * or tests are not known. */
json_t *print_split_json(const struct plan_step *step, size_t lanes, const json_t *seconds);

#endif
