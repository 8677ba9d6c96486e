/* gridlane plan: what would be called, lane by lane, with the worst-case duration. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pipelines/plan.h"
#include "runner/base/memory.h"
#include "runner/commands/session.h"

/* How long tests took, when lanes are to end together and a history is there. What keeps it from being read is said,
 * and the plan is made without it. */
static json_t *read_seconds(const struct arguments *arguments, const struct plan *plan)
{
	struct gr_error err = {0};
	GR_AUTO_FREE char *place = plan_has_split(plan) ? history_place(arguments, false, &err) : NULL;
	struct redactor *redactor;
	struct history *history = NULL;
	json_t *seconds = NULL;

	if (!place || (!history_is_server(place) && access(place, F_OK) != 0))
		return NULL;
	redactor = redactor_new();
	history_learn_secrets(place, redactor);
	if (history_open(place, &history, &err) < 0 ||
	        history_seconds(history, plan->name, HISTORY_TIMES_MOST, &seconds, &err) < 0) {
		GR_AUTO_FREE char *clean = redactor_text(redactor, err.text);

		fprintf(stderr, "gridlane: without recorded times: %s\n", clean);
	}
	history_close(history);
	redactor_free(redactor);
	return seconds;
}

static int print(const struct arguments *arguments, const struct plan *plan, struct buffer *text, struct gr_error *err)
{
	const char *format = argument_value(arguments, OPT_FORMAT), *step = argument_value(arguments, OPT_STEP);

	if (step == NULL) {
		GR_AUTO_JSON json_t *seconds = read_seconds(arguments, plan);
		const struct plan_view view = {.format = format ? format : "text", .seconds = seconds};

		return plan_print(plan, &view, text, err);
	}
	if (format != NULL && strcmp(format, "text") != 0)
		return gr_fail(err, GR_USAGE, 0, "--step goes with --format text alone");
	return plan_print_step(plan, step, text, err);
}

int command_plan(const struct arguments *arguments)
{
	const struct plan_options options = {
	        .inputs = arguments->values[OPT_INPUT],
	        .inputs_are_optional = true,
	        .allow_outside = argument_is_given(arguments, OPT_ALLOW_OUTSIDE),
	};
	struct diagnostics diagnostics = {0};
	GR_AUTO_BUFFER struct buffer text = {0};
	struct plan *plan = NULL;
	struct gr_error err = {0};
	int r = plan_load(arguments->words[0], &options, &plan, &diagnostics, &err);

	if (diagnostics.count)
		diagnostics_print_text(&diagnostics, &text);
	(void)fputs(buffer_text(&text), stderr);
	buffer_clear(&text);
	if (r == 0)
		r = print(arguments, plan, &text, &err);
	(void)fputs(buffer_text(&text), stdout);
	if (r < 0 && diagnostics.errors == 0)
		(void)complain(&err);
	diagnostics_release(&diagnostics);
	plan_free(plan);
	return r < 0 ? failure_exit_status((enum gr_failure) - r) : 0;
}
