/* Look first: what versions there are is needed to reuse one, and to find ours again if the answer gets lost. */
#include "runner/api/answer.h"
#include "runner/api/handle.h"
#include "runner/base/memory.h"
#include "runner/steps/common.h"
#include "runner/steps/machines.h"
#include "runner/steps/version.h"

enum phase { PHASE_LOOK, PHASE_CREATE, PHASE_SETTLE, PHASE_FIND };

struct state {
	enum phase phase;
	json_t *before; /* ids of versions of that name, before ours; NULL: not looked yet */
	enum platform platform;
	bool was_resent;
	struct settling settling;
};

static int begin(struct step *step, struct gr_error *err)
{
	struct state *state = gr_alloc(1, sizeof(*state));
	const json_t *before = json_object_get(step->memory, "before");

	step->state = state;
	state->platform = platform_parse(with_text(step, "platform") != NULL ? with_text(step, "platform") : "");
	if (state->platform == PLATFORM_UNKNOWN)
		state->platform = step_platform(step, NULL);
	/* A creation that was sent and not answered: look for it before anything else. */
	if (json_is_array(before)) {
		state->before = json_deep_copy(before);
		state->phase = PHASE_FIND;
		state->was_resent = json_is_true(json_object_get(step->memory, "resent"));
	}
	return context_needs_app(step, err);
}

static void release(struct step *step)
{
	struct state *state = step->state;

	if (state != NULL)
		json_decref(state->before);
	gr_free(state);
	step->state = NULL;
}

static int look(const struct step *step, struct action *action)
{
	return step_call(action, OP_GET_APPLICATION_INFO, json_pack("{s:s}", "app_id", context_app_id(step)));
}

static int finish(const struct step *step, const char *version_id, bool is_reused, struct action *action)
{
	const struct state *state = step->state;
	const char *app_id = context_app_id(step);
	json_t *outputs = json_object();

	set_text(outputs, "version_id", version_id);
	set_text(outputs, "name", with_text(step, "name"));
	set_text(outputs, "app_id", app_id);
	set_text(outputs, "platform", state->platform != PLATFORM_UNKNOWN ? platform_name(state->platform) : NULL);
	set_taken(outputs, "version_token", handle_version(app_id, version_id));
	(void)json_object_set_new(outputs, "reused", json_boolean(is_reused));
	return step_done(action, OUTCOME_PASSED, outputs);
}

static int create(struct step *step, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	json_t *arguments = NULL;

	if (state->platform == PLATFORM_UNKNOWN)
		return gr_fail(err, GR_CONFIG, 0,
		        "the platform of version '%s' is not known: add `platform:` here or to app:",
		        with_text(step, "name"));
	arguments = json_object();
	set_text(arguments, "app_id", context_app_id(step));
	set_text(arguments, "version_name", with_text(step, "name"));
	set_argument(arguments, "version_description", with_text(step, "description"));
	set_text(arguments, "version_platform", platform_name(state->platform));
	state->phase = PHASE_CREATE;
	step_learn(action, "before", json_incref(state->before));
	step_learn(action, "resent", json_boolean(state->was_resent));
	return step_call(action, OP_CREATE_VERSION, arguments);
}

static int read_versions(
        const struct step *step, const struct event *event, json_t **ret_versions, struct gr_error *err)
{
	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "list the versions of application %s", context_app_id(step));
	return version_list(event->body, ret_versions, err);
}

static int take_look(struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	GR_AUTO_JSON json_t *versions = NULL;
	const char *name = with_text(step, "name");
	int failure = read_versions(step, event, &versions, err);

	if (failure != 0)
		return failure;
	state->before = version_ids(versions, name);
	if (state->platform == PLATFORM_UNKNOWN)
		state->platform = version_platform(versions);
	if (!with_flag(step, "reuse") || json_array_size(state->before) == 0)
		return create(step, action, err);
	if (json_array_size(state->before) > 1)
		return gr_fail(err, GR_CONFIG, 0,
		        "%zu versions are named '%s' (the first ids are %s and %s): which one to reuse is not clear",
		        json_array_size(state->before), name, json_string_value(json_array_get(state->before, 0)),
		        json_string_value(json_array_get(state->before, 1)));
	return finish(step, json_string_value(json_array_get(state->before, 0)), true, action);
}

static bool settle(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;

	state->phase = PHASE_SETTLE;
	return settle_again(step, &state->settling, event, action);
}

static int take_create(struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	GR_AUTO_FREE char *id = NULL;

	if (event->outcome == CALL_DONE)
		id = answer_text(answer_holder(event->body, "version_id|id"), "version_id|id");
	if (id != NULL)
		return finish(step, id, false, action);
	if (event->outcome != CALL_DONE && event->outcome != CALL_LOST) {
		step_learn(action, "before", json_null()); /* a definite no: a resumed step begins anew */
		return answer_fail(event, GR_SERVER, err, "create version '%s'", with_text(step, "name"));
	}
	/* Done or lost, but which one? The list knows. It may lag a little behind. */
	state->settling = (struct settling){.is_long = event->may_still_work};
	(void)settle(step, event, action); /* the first look is always there */
	return 0;
}

static int take_find(struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	GR_AUTO_JSON json_t *versions = NULL;
	GR_AUTO_JSON json_t *ids = NULL;
	GR_AUTO_JSON json_t *added = NULL;
	const char *name = with_text(step, "name");
	int failure = read_versions(step, event, &versions, err);

	if (failure != 0)
		return gr_context(err, "version '%s' was perhaps created", name);
	ids = version_ids(versions, name);
	added = texts_added(ids, state->before);
	if (state->platform == PLATFORM_UNKNOWN)
		state->platform = version_platform(versions);
	if (json_array_size(added) == 1)
		return finish(step, json_string_value(json_array_get(added, 0)), false, action);
	if (json_array_size(added) > 1)
		return gr_fail(err, GR_SERVER, 0,
		        "%zu versions named '%s' appeared at once: which is ours is not clear; remove the others",
		        json_array_size(added), name);
	if (settle(step, event, action))
		return 0;
	if (state->was_resent)
		return gr_fail(
		        err, GR_NETWORK, 0, "version '%s' was sent twice without an answer, and is not there", name);
	state->was_resent = true;
	return create(step, action, err);
}

/* Sent by a process that was ended before the answer came: the server may be at it still. */
static int start(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;

	if (state->phase != PHASE_FIND)
		return look(step, action);
	(void)settle(step, event, action);
	return 0;
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	struct state *state = step->state;

	if (event->kind == EVENT_STOP)
		return step_stop(event, ret_action);
	if (event->kind == EVENT_START)
		return start(step, event, ret_action);
	switch (state->phase) {
	case PHASE_LOOK:
		return take_look(step, event, ret_action, err);
	case PHASE_CREATE:
		return take_create(step, event, ret_action, err);
	case PHASE_SETTLE:
		state->phase = PHASE_FIND;
		return look(step, ret_action);
	case PHASE_FIND:
		return take_find(step, event, ret_action, err);
	}
	return gr_fail(err, GR_INTERNAL, 0, "create_version is in no phase");
}

const struct step_ops create_version_ops = {begin, next, release};
