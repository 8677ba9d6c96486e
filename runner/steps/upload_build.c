/* Upload an .apk or .ipa. Before a normal upload its version's builds are listed: should the answer get lost, a build
 * of our name that was not there before is ours. A direct upload has no list to look in, so it is sent once, unless it
 * was refused for its platform: the reference writes that in two ways. */
#include <string.h>

#include "runner/api/answer.h"
#include "runner/api/handle.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/common.h"
#include "runner/steps/machines.h"
#include "runner/steps/version.h"

enum phase { PHASE_VERSION, PHASE_BEFORE, PHASE_UPLOAD, PHASE_SETTLE, PHASE_FIND };

struct state {
	enum phase phase;
	bool is_direct, was_resent;
	bool is_in_words; /* the server takes no number for the platform */
	char *name;
	char *app_id, *version_id;
	json_t *before; /* ids of builds of that name, before ours */
	struct settling settling;
};

static char *make_name(const struct step *step)
{
	const char *path = with_text(step, "file"), *slash = strrchr(path, '/');
	GR_AUTO_FREE char *marker = run_marker(step);

	if (with_text(step, "name") != NULL)
		return gr_strdup(with_text(step, "name"));
	return gr_printf("%s %s", slash != NULL ? slash + 1 : path, marker);
}

static enum platform upload_platform(const struct step *step)
{
	if (with_text(step, "platform") != NULL)
		return platform_parse(with_text(step, "platform"));
	return text_has_suffix_nocase(with_text(step, "file"), ".ipa") ? PLATFORM_IOS : PLATFORM_ANDROID;
}

static int begin_version(const struct step *step, struct state *state, struct gr_error *err)
{
	const json_t *version = json_object_get(step->with, "version");

	if (version == NULL || json_is_null(version))
		return gr_fail(err, GR_CONFIG, 0,
		        "'version' says where the build belongs; it is needed unless `direct: true`");
	state->app_id = gr_strdup(json_string_value(json_object_get(version, "app_id")));
	state->version_id = gr_strdup(json_string_value(json_object_get(version, "version_id")));
	if (state->app_id != NULL)
		return 0;
	state->app_id = gr_strdup(context_app_id(step));
	return context_needs_app(step, err);
}

static int begin(struct step *step, struct gr_error *err)
{
	struct state *state = gr_alloc(1, sizeof(*state));
	const json_t *before = json_object_get(step->memory, "before");

	step->state = state;
	state->is_direct = with_flag(step, "direct");
	state->name = make_name(step);
	state->was_resent = json_is_true(json_object_get(step->memory, "resent"));
	if (state->is_direct)
		return 0;
	if (json_is_array(before)) {
		state->before = json_deep_copy(before);
		state->settling.is_long = !json_is_false(json_object_get(step->memory, "may_still_work"));
		state->app_id = gr_strdup(memory_text(step, "app_id"));
		state->version_id = gr_strdup(memory_text(step, "version_id"));
		return 0;
	}
	return begin_version(step, state, err);
}

static void release(struct step *step)
{
	struct state *state = step->state;

	if (state == NULL)
		return;
	gr_free(state->name);
	gr_free(state->app_id);
	gr_free(state->version_id);
	json_decref(state->before);
	gr_free(state);
	step->state = NULL;
}

static int list_builds(struct state *state, enum phase phase, struct action *action)
{
	state->phase = phase;
	return step_call(action, OP_GET_BUILD_VERSION_INFO, json_pack("{s:s}", "version_id", state->version_id));
}

static int upload(const struct step *step, struct action *action)
{
	struct state *state = step->state;
	json_t *arguments = json_object();

	state->phase = PHASE_UPLOAD;
	state->settling = (struct settling){0};
	set_text(arguments, "upload_file", with_text(step, "file"));
	if (state->is_direct) {
		set_text(arguments, "platform",
		        state->is_in_words ? platform_direct_word(upload_platform(step))
		                           : platform_direct_code(upload_platform(step)));
		step_learn(action, "sent", json_true());
		return step_call(action, OP_APP_UPLOAD_DIRECT, arguments);
	}
	set_taken(arguments, "application_token", application_handle(step, state->app_id));
	set_taken(arguments, "version_token", handle_version(state->app_id, state->version_id));
	set_argument(arguments, "bundle_identifier", with_text(step, "bundle_identifier"));
	set_text(arguments, "build_name", state->name);
	step_learn(action, "before", json_incref(state->before));
	step_learn(action, "app_id", json_string(state->app_id));
	step_learn(action, "version_id", json_string(state->version_id));
	step_learn(action, "resent", json_boolean(state->was_resent));
	step_learn(action, "may_still_work", json_null());
	return step_call(action, OP_APP_BUILD_UPLOAD, arguments);
}

static int start(const struct step *step, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;

	if (state->is_direct && json_is_true(json_object_get(step->memory, "sent")))
		return gr_fail(err, GR_UNKNOWN_CALL, 0,
		        "the direct upload of '%s' was cut off: it may or may not have arrived, and the API has no "
		        "list to look in",
		        with_text(step, "file"));
	if (state->is_direct)
		return upload(step, action);
	if (state->before != NULL)
		return list_builds(state, PHASE_FIND, action);
	if (state->version_id != NULL)
		return list_builds(state, PHASE_BEFORE, action);
	return step_call(action, OP_GET_APPLICATION_INFO, json_pack("{s:s}", "app_id", state->app_id));
}

static int take_version(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	GR_AUTO_JSON json_t *versions = NULL;
	int failure = 0;

	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "list the versions of application %s", state->app_id);
	failure = version_list(event->body, &versions, err);
	if (failure == 0)
		failure = version_pick(versions, json_object_get(step->with, "version"), &state->version_id, err);
	return failure != 0 ? failure : list_builds(state, PHASE_BEFORE, action);
}

/* The shape of the list's items is not documented: any member that equals our name makes the item ours. */
static bool is_named(const json_t *build, const char *name)
{
	const char *key = NULL;
	json_t *value = NULL;

	json_object_foreach ((json_t *)(uintptr_t)build, key, value)
		if (text_equal(json_string_value(value), name))
			return true;
	return false;
}

/* Ids of the version's builds of our name. */
static int read_builds(const struct state *state, const struct event *event, json_t **ret_ids, struct gr_error *err)
{
	GR_AUTO_JSON json_t *builds = NULL;
	const json_t *item = NULL;
	size_t i = 0;

	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "list the builds of version %s", state->version_id);
	if (answer_list(answer_holder(event->body, "app_build_list"), "app_build_list", &builds, err) != 0)
		return gr_context(err, "builds of version %s", state->version_id);
	*ret_ids = json_array();
	json_array_foreach (builds, i, item) {
		GR_AUTO_FREE char *id = answer_text(item, "app_build_id|id|build_id");

		if (id != NULL && is_named(item, state->name))
			(void)json_array_append_new(*ret_ids, json_string(id));
	}
	return 0;
}

static int finish(
        const struct step *step, const struct event *event, const char *id, bool is_adopted, struct action *action)
{
	const struct state *state = step->state;
	json_t *outputs = json_object();

	set_text(outputs, "app_build_id", id);
	set_text(outputs, "name", state->is_direct ? NULL : state->name);
	set_text(outputs, "file", with_text(step, "file"));
	set_text(outputs, "sha256", is_adopted ? NULL : event->file_sha256);
	(void)json_object_set_new(outputs, "bytes", is_adopted ? json_null() : json_integer(event->file_bytes));
	(void)json_object_set_new(outputs, "direct", json_boolean(state->is_direct));
	(void)json_object_set_new(outputs, "adopted", json_boolean(is_adopted));
	set_text(outputs, "platform", platform_name(upload_platform(step)));
	set_text(outputs, "app_id", state->app_id);
	set_text(outputs, "version_id", state->version_id);
	set_taken(outputs, "application_token", state->is_direct ? NULL : application_handle(step, state->app_id));
	set_taken(outputs, "version_token", state->is_direct ? NULL : handle_version(state->app_id, state->version_id));
	return step_done(action, OUTCOME_PASSED, outputs);
}

static bool settle(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;

	if (!settle_again(step, &state->settling, event, action))
		return false;
	state->phase = PHASE_SETTLE;
	action->progress = gr_printf("the answer to the upload got lost; looking for '%s'", state->name);
	return true;
}

static int take_upload(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	const char *file = with_text(step, "file");
	GR_AUTO_FREE char *id = NULL;

	if (event->outcome == CALL_DONE)
		id = answer_text(answer_holder(event->body, "app_build_id"), "app_build_id");
	if (id != NULL)
		return finish(step, event, id, false, action);
	if (state->is_direct && !state->is_in_words && answer_refuses(event, "platform")) {
		state->is_in_words = true;
		return upload(step, action);
	}
	if (event->outcome != CALL_DONE && event->outcome != CALL_LOST) {
		/* a definite no: a resumed step sends it */
		step_learn(action, state->is_direct ? "sent" : "before", json_null());
		return answer_fail(event, GR_SERVER, err, "upload '%s'", file);
	}
	state->settling.is_long = event->may_still_work;
	if (!state->is_direct) {
		step_learn(action, "may_still_work", json_boolean(event->may_still_work));
		(void)settle(step, event, action); /* the first look is always there */
		return 0;
	}
	return gr_fail(err, GR_UNKNOWN_CALL, 0,
	        "'%s' was sent, but no usable answer came: the upload may or may not have arrived, and a direct upload "
	        "cannot be looked up (%s)",
	        file, event->error.text[0] != '\0' ? event->error.text : "the answer has no app_build_id");
}

static int take_before(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	int failure = read_builds(state, event, &state->before, err);

	return failure != 0 ? failure : upload(step, action);
}

static int take_find(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	GR_AUTO_JSON json_t *ids = NULL;
	GR_AUTO_JSON json_t *added = NULL;
	int failure = read_builds(state, event, &ids, err);

	if (failure != 0)
		return gr_context(err, "'%s' was perhaps uploaded", state->name);
	added = texts_added(ids, state->before);
	if (json_array_size(added) == 1) {
		const char *id = json_string_value(json_array_get(added, 0));

		action->progress = gr_printf("adopted build %s after a lost answer", id);
		return finish(step, event, id, true, action);
	}
	if (json_array_size(added) > 1)
		return gr_fail(err, GR_SERVER, 0, "%zu builds named '%s' appeared at once: which is ours is not clear",
		        json_array_size(added), state->name);
	if (settle(step, event, action))
		return 0;
	if (state->was_resent)
		return gr_fail(
		        err, GR_NETWORK, 0, "'%s' was sent twice without an answer, and is not there", state->name);
	state->was_resent = true;
	return upload(step, action);
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	struct state *state = step->state;

	if (event->kind == EVENT_STOP)
		return step_stop(event, ret_action);
	if (event->kind == EVENT_START)
		return start(step, ret_action, err);
	switch (state->phase) {
	case PHASE_VERSION:
		return take_version(step, event, ret_action, err);
	case PHASE_BEFORE:
		return take_before(step, event, ret_action, err);
	case PHASE_UPLOAD:
		return take_upload(step, event, ret_action, err);
	case PHASE_SETTLE:
		return list_builds(state, PHASE_FIND, ret_action);
	case PHASE_FIND:
		return take_find(step, event, ret_action, err);
	}
	return gr_fail(err, GR_INTERNAL, 0, "upload_build is in no phase");
}

const struct step_ops upload_build_ops = {begin, next, release};
