/* One operation outside a pipeline. */
#ifndef GRIDLANE_ENGINE_SINGLE_H
#define GRIDLANE_ENGINE_SINGLE_H

#include <jansson.h>

#include "runner/api/operation.h"
#include "runner/base/error.h"
#include "runner/engine/engine.h"

/* Call an operation with the server and token of the environment (or of options->server_url and server_token).
 * arguments: an object by parameter name, borrowed. *ret_answer is the parsed answer, also of a refusal, or NULL; a new
 * reference. 0 when the answer says success (or, where the reference documents no answer, says nothing); -failure
 * otherwise. */
int single_call(const struct engine_options *options, enum operation_id operation, const json_t *arguments,
        json_t **ret_answer, struct gr_error *err);

#endif
