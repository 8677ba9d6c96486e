#include "runner/commands/online.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/memory.h"
#include "runner/base/redact_json.h"
#include "runner/base/text.h"
#include "runner/engine/single.h"
#include "runner/net/loop.h"
#include "runner/net/transfer.h"

static void on_trace(void *user, const char *line)
{
	const struct online *online = user;
	GR_AUTO_FREE char *clean = redactor_text(online->redactor, line);

	fprintf(stderr, "%s\n", clean);
}

int online_init(struct online *online, const struct arguments *arguments, struct gr_error *err)
{
	const char *scenario = argument_value(arguments, OPT_SANDBOX);
	const struct sandbox_options options = {
	        .scenario_file = scenario && *scenario ? scenario : NULL, .log_file = getenv("GRIDLANE_SANDBOX_LOG")};

	*online = (struct online){.arguments = arguments, .redactor = redactor_new()};
	if (scenario && sandbox_fork(&options, &online->sandbox, err) < 0)
		return gr_context(err, "sandbox");
	online->has_sandbox = scenario != NULL;
	loop_signals_block();
	online->options = (struct engine_options){
	        .redactor = online->redactor,
	        .server_url = online->has_sandbox ? online->sandbox.url : NULL,
	        .server_token = online->has_sandbox ? online->sandbox.token : NULL,
	        .time_scale = 1,
	        .urlencoded = argument_is_given(arguments, OPT_URLENCODED),
	        .trace = argument_is_given(arguments, OPT_TRACE),
	        .on_trace = on_trace,
	        .user = online,
	};
	return transfer_init(err);
}

void online_release(struct online *online)
{
	if (online->has_sandbox)
		sandbox_end(&online->sandbox);
	redactor_free(online->redactor);
	transfer_finish();
}

int online_call(struct online *online, enum operation_id operation, const json_t *arguments, json_t **ret_answer,
        struct gr_error *err)
{
	return single_call(&online->options, operation, arguments, ret_answer, err);
}

void online_print(const struct online *online, const json_t *value, bool is_raw_text)
{
	bool is_text = is_raw_text && json_is_string(value);
	GR_AUTO_FREE char *clean = is_text ? redactor_text(online->redactor, json_string_value(value))
	                                   : redactor_dump(online->redactor, value, JSON_INDENT(2) | JSON_ENCODE_ANY);
	GR_AUTO_BUFFER struct buffer harmless = {0};

	if (!is_text)
		text_escape_json(&harmless, clean ? clean : "null");
	else if (isatty(STDOUT_FILENO)) /* else it is for a program, which asked for these bytes */
		text_clean(&harmless, clean, strlen(clean), SIZE_MAX);
	else
		buffer_add_text(&harmless, clean);
	printf("%s\n", buffer_text(&harmless));
}
