/* Look first, as create_version does; then find the version that came with it, whose token uploads need. */
#include "runner/api/answer.h"
#include "runner/api/handle.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/common.h"
#include "runner/steps/machines.h"
#include "runner/steps/version.h"

enum phase { PHASE_LOOK, PHASE_CREATE, PHASE_SETTLE, PHASE_FIND, PHASE_VERSION };

struct state {
	enum phase phase;
	json_t *before; /* ids of applications of that name, before ours; NULL: not looked yet */
	char *app_id;
	enum platform platform;
	bool is_reused, was_resent;
	struct settling settling;
};

static int begin(struct step *step, struct gr_error *err)
{
	struct state *state = gr_alloc(1, sizeof(*state));
	const json_t *before = json_object_get(step->memory, "before");
	const char *platform =
	        with_text(step, "platform") != NULL ? with_text(step, "platform") : step->context->platform;

	step->state = state;
	state->platform = platform != NULL ? platform_parse(platform) : PLATFORM_UNKNOWN;
	state->app_id = gr_strdup(memory_text(step, "app_id"));
	state->is_reused = json_is_true(json_object_get(step->memory, "reused"));
	if (json_is_array(before)) {
		state->before = json_deep_copy(before);
		state->phase = PHASE_FIND;
		state->was_resent = json_is_true(json_object_get(step->memory, "resent"));
	}
	if (state->platform == PLATFORM_UNKNOWN && !with_flag(step, "reuse"))
		return gr_fail(err, GR_CONFIG, 0, "the platform of application '%s' is not known: add `platform:`",
		        with_text(step, "name"));
	return 0;
}

static void release(struct step *step)
{
	struct state *state = step->state;

	if (state == NULL)
		return;
	json_decref(state->before);
	gr_free(state->app_id);
	gr_free(state);
	step->state = NULL;
}

static const char *version_name(const struct step *step)
{
	return with_text(step, "version") != NULL ? with_text(step, "version") : "1";
}

/* The application is known now; which of its versions is ours? */
static int look_at_version(struct state *state, struct action *action)
{
	state->phase = PHASE_VERSION;
	step_learn(action, "app_id", json_string(state->app_id));
	step_learn(action, "reused", json_boolean(state->is_reused));
	return step_call(action, OP_GET_APPLICATION_INFO, json_pack("{s:s}", "app_id", state->app_id));
}

static int create(struct step *step, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	json_t *arguments = NULL;

	if (state->platform == PLATFORM_UNKNOWN)
		return gr_fail(err, GR_CONFIG, 0,
		        "there is no application '%s', and its platform is not known: add `platform:`",
		        with_text(step, "name"));
	arguments = json_object();
	set_text(arguments, "application_name", with_text(step, "name"));
	set_text(arguments, "version_name", version_name(step));
	set_text(arguments, "platform_type", platform_name(state->platform));
	state->phase = PHASE_CREATE;
	step_learn(action, "before", json_incref(state->before));
	step_learn(action, "resent", json_boolean(state->was_resent));
	return step_call(action, OP_CREATE_APPLICATION, arguments);
}

/* Ids of the applications of that name. */
static int read_ids(const struct step *step, const struct event *event, json_t **ret_ids, struct gr_error *err)
{
	GR_AUTO_JSON json_t *applications = NULL;
	json_t *item = NULL;
	size_t i = 0;

	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "list the applications");
	if (answer_list(event->body, ANSWER_ROWS, &applications, err) != 0)
		return gr_context(err, "list of applications");
	*ret_ids = json_array();
	json_array_foreach (applications, i, item) {
		GR_AUTO_FREE char *name = answer_text(item, "name|application_name");
		GR_AUTO_FREE char *id = answer_text(item, "app_id|id");

		if (id != NULL && text_equal(name, with_text(step, "name")))
			(void)json_array_append_new(*ret_ids, json_string(id));
	}
	return 0;
}

static int take_look(struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	int failure = read_ids(step, event, &state->before, err);
	size_t count = 0;

	if (failure != 0)
		return failure;
	count = json_array_size(state->before);
	if (!with_flag(step, "reuse") || count == 0)
		return create(step, action, err);
	if (count > 1)
		return gr_fail(err, GR_CONFIG, 0,
		        "%zu applications are named '%s' (the first ids are %s and %s): which one to reuse is not "
		        "clear",
		        count, with_text(step, "name"), json_string_value(json_array_get(state->before, 0)),
		        json_string_value(json_array_get(state->before, 1)));
	state->is_reused = true;
	state->app_id = gr_strdup(json_string_value(json_array_get(state->before, 0)));
	return look_at_version(state, action);
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

	if (event->outcome == CALL_DONE)
		state->app_id = answer_text(answer_holder(event->body, "app_id|id"), "app_id|id");
	if (state->app_id != NULL)
		return look_at_version(state, action);
	if (event->outcome != CALL_DONE && event->outcome != CALL_LOST) {
		step_learn(action, "before", json_null()); /* a definite no: a resumed step begins anew */
		return answer_fail(event, GR_SERVER, err, "create application '%s'", with_text(step, "name"));
	}
	state->settling = (struct settling){.is_long = event->may_still_work};
	(void)settle(step, event, action); /* the first look is always there */
	return 0;
}

static int take_find(struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	GR_AUTO_JSON json_t *ids = NULL;
	GR_AUTO_JSON json_t *added = NULL;
	const char *name = with_text(step, "name");
	int failure = read_ids(step, event, &ids, err);

	if (failure != 0)
		return gr_context(err, "application '%s' was perhaps created", name);
	added = texts_added(ids, state->before);
	if (json_array_size(added) > 1)
		return gr_fail(err, GR_SERVER, 0,
		        "%zu applications named '%s' appeared at once: which is ours is not clear; remove the others",
		        json_array_size(added), name);
	if (json_array_size(added) == 1) {
		state->app_id = gr_strdup(json_string_value(json_array_get(added, 0)));
		return look_at_version(state, action);
	}
	if (settle(step, event, action))
		return 0;
	if (state->was_resent)
		return gr_fail(err, GR_NETWORK, 0,
		        "application '%s' was sent twice without an answer, and is not there", name);
	state->was_resent = true;
	return create(step, action, err);
}

static int take_version(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	const struct state *state = step->state;
	GR_AUTO_JSON json_t *versions = NULL;
	GR_AUTO_JSON json_t *ids = NULL;
	const char *version_id = NULL;
	enum platform platform = state->platform;
	json_t *outputs = NULL;

	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "list the versions of application %s", state->app_id);
	if (version_list(event->body, &versions, err) != 0)
		return gr_context(err, "application %s", state->app_id);
	ids = version_ids(versions, version_name(step));
	/* Several of that name: none is chosen. The application is usable all the same. */
	if (json_array_size(ids) == 1)
		version_id = json_string_value(json_array_get(ids, 0));
	if (platform == PLATFORM_UNKNOWN)
		platform = version_platform(versions);
	outputs = json_object();
	set_text(outputs, "app_id", state->app_id);
	set_text(outputs, "name", with_text(step, "name"));
	set_text(outputs, "platform", platform != PLATFORM_UNKNOWN ? platform_name(platform) : NULL);
	set_taken(outputs, "application_token", handle_application(state->app_id));
	set_text(outputs, "version_id", version_id);
	set_taken(outputs, "version_token", version_id != NULL ? handle_version(state->app_id, version_id) : NULL);
	(void)json_object_set_new(outputs, "reused", json_boolean(state->is_reused));
	return step_done(action, OUTCOME_PASSED, outputs);
}

static int look(const struct step *step, struct action *action)
{
	struct state *state = step->state;

	if (state->app_id != NULL)
		return look_at_version(state, action);
	return step_call(action, OP_GET_APPLICATIONS_LIST, json_object());
}

/* Sent by a process that was ended before the answer came: the server may be at it still. */
static int start(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;

	if (state->phase != PHASE_FIND || state->app_id != NULL)
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
	case PHASE_VERSION:
		return take_version(step, event, ret_action, err);
	}
	return gr_fail(err, GR_INTERNAL, 0, "create_application is in no phase");
}

const struct step_ops create_application_ops = {begin, next, release};
