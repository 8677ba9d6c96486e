/* What commands share that talk to the server without a pipeline: settings from the environment, or the sandbox inside.
 */
#ifndef GRIDLANE_COMMANDS_ONLINE_H
#define GRIDLANE_COMMANDS_ONLINE_H

#include <jansson.h>

#include "runner/api/operation.h"
#include "runner/commands/command.h"
#include "runner/engine/engine.h"
#include "sandbox/sandbox.h"

struct online {
	const struct arguments *arguments;
	struct redactor *redactor;
	struct engine_options options;
	struct sandbox_process sandbox;
	bool has_sandbox;
};
int online_init(struct online *online, const struct arguments *arguments, struct gr_error *err);
void online_release(struct online *online);
/* See single_call(). */
int online_call(struct online *online, enum operation_id operation, const json_t *arguments, json_t **ret_answer,
        struct gr_error *err);
/* Print JSON through the redactor. */
void online_print(const struct online *online, const json_t *value, bool is_raw_text);

#endif
