/* Any operation of the API. One good answer ends it; the engine repeats it while `until` does not hold. */
#include "runner/api/operation.h"
#include "runner/api/request.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/common.h"
#include "runner/steps/machines.h"

/* What stands beside `operation`, `until` and `save` are the operation's parameters. */
static json_t *make_arguments(const struct step *step)
{
	json_t *arguments = json_object(), *value = NULL;
	const char *name = NULL;

	json_object_foreach (step->with, name, value)
		if (kind_field(step->kind, name) == NULL && !json_is_null(value))
			(void)json_object_set(arguments, name, value);
	return arguments;
}

static const struct operation *operation_of(const struct step *step)
{
	const char *name = with_text(step, "operation");

	return name != NULL ? operation_find(name) : NULL;
}

/* What an expression names need not be there: no device was chosen, a step was left out. */
static int check_values(const struct step *step, struct gr_error *err)
{
	json_t *value = NULL;
	const char *name = NULL;

	json_object_foreach (step->with, name, value) {
		const struct parameter *parameter = operation_parameter(operation_of(step), name);

		if (json_is_null(value) && parameter != NULL && (parameter->flags & PARAMETER_REQUIRED))
			return gr_fail(err, GR_NOT_RUN, 0,
			        "'%s' has no value: what it names was not chosen or made in this run, so %s was not "
			        "sent",
			        name, with_text(step, "operation"));
	}
	return 0;
}

static int begin(struct step *step, struct gr_error *err)
{
	GR_AUTO_JSON json_t *arguments = NULL;
	struct request *request = NULL;
	int failure = 0;

	if (operation_of(step) == NULL)
		return gr_fail(err, GR_CONFIG, 0, "the API has no operation '%s'",
		        with_text(step, "operation") != NULL ? with_text(step, "operation") : "");
	failure = check_values(step, err);
	if (failure != 0)
		return failure;
	arguments = make_arguments(step);
	failure = request_new(operation_of(step), arguments, &request, err); /* before a token is looked up for it */
	if (failure == 0)
		request_free(request);
	return failure;
}

static void release(struct step *step)
{
	(void)step;
}

static int send(const struct step *step, struct action *action)
{
	const struct operation *operation = operation_of(step);

	return step_call(
	        action, (enum operation_id)(operation - operation_get((enum operation_id)0)), make_arguments(step));
}

/* The API has no way to look up what an operation of any kind did: it is said, and not sent again. */
static int say_lost(const struct step *step, struct action *action, struct gr_error *err, const char *why)
{
	step_learn(action, "unknown", json_true());
	return gr_fail(err, GR_UNKNOWN_CALL, 0,
	        "%s was sent, but no usable answer came: it may or may not have been done (%s); it is not sent again",
	        with_text(step, "operation"), why);
}

/* Sent by an earlier process of this run, without an answer that says what came of it. */
static bool was_lost(const struct step *step)
{
	return memory_text(step, "lost") != NULL || json_is_true(json_object_get(step->memory, "unknown"));
}

static int take_answer(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	GR_AUTO_JSON json_t *answer = event->body != NULL ? json_deep_copy(event->body) : json_null();
	json_t *outputs = NULL;

	if (event->outcome == CALL_LOST)
		return say_lost(step, action, err, event->error.text);
	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "call %s", with_text(step, "operation"));
	outputs = json_is_object(answer) ? json_copy(answer) : json_object();
	(void)json_object_set(outputs, "answer", answer);
	if (with_text(step, "save") != NULL)
		action->save = json_pack("[{s:s, s:O}]", "name", with_text(step, "save"), "json", answer);
	return step_done(action, OUTCOME_PASSED, outputs);
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	if (event->kind == EVENT_STOP)
		return step_stop(event, ret_action);
	if (event->kind == EVENT_START && was_lost(step))
		return say_lost(step, ret_action, err, "gridlane was ended before it came");
	if (event->kind != EVENT_ANSWER)
		return send(step, ret_action);
	return take_answer(step, event, ret_action, err);
}

const struct step_ops call_ops = {begin, next, release};
