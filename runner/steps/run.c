/* A local command. */
#include "runner/base/memory.h"
#include "runner/steps/common.h"
#include "runner/steps/machines.h"

static int begin(struct step *step, struct gr_error *err)
{
	if (json_array_size(json_object_get(step->with, "command")) == 0)
		return gr_fail(err, GR_CONFIG, 0, "'command' must name a program");
	return 0;
}

static void release(struct step *step)
{
	(void)step;
}

static int spawn(const struct step *step, struct action *action)
{
	json_t *environment = json_object_get(step->with, "env");

	action->kind = ACTION_SPAWN;
	action->command = json_incref(json_object_get(step->with, "command"));
	action->environment = json_is_object(environment) ? json_incref(environment) : NULL;
	action->cwd = gr_strdup(with_text(step, "cwd"));
	return 0;
}

static int take_exit(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	const char *program = json_string_value(json_array_get(json_object_get(step->with, "command"), 0));
	json_t *outputs;

	if (event->error.failure != GR_NONE)
		return gr_fail(err, event->error.failure, 0, "command '%s': %s", program, event->error.text);
	outputs = event->outputs != NULL ? json_deep_copy(event->outputs) : json_object();
	(void)json_object_set_new(outputs, "exit_status", json_integer(event->exit_status));
	if (event->exit_status == 0)
		return step_done(action, OUTCOME_PASSED, outputs);
	action->outputs = outputs;
	if (event->exit_status > 128)
		return gr_fail(err, GR_COMMAND, 0, "command '%s' was ended by signal %d (exit status %d)", program,
		        event->exit_status - 128, event->exit_status);
	return gr_fail(err, GR_COMMAND, 0, "command '%s' ended with exit status %d", program, event->exit_status);
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	if (event->kind == EVENT_STOP)
		return step_stop(event, ret_action);
	if (event->kind == EVENT_START)
		return spawn(step, ret_action);
	return take_exit(step, event, ret_action, err);
}

const struct step_ops run_ops = {begin, next, release};
