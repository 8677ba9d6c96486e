/* A user's own test command against a device: takes a device and its capabilities, runs the command with them, reads
 * the JUnit files that it wrote, fetches the sessions' logs and recordings, and gives the device back. */
#include <string.h>

#include "runner/api/answer.h"
#include "runner/api/model.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/appium_judge.h"
#include "runner/steps/common.h"
#include "runner/steps/machines.h"
#include "runner/steps/outcome.h"
#include "runner/steps/version.h"

#define SESSIONS_MOST 20 /* of one command: each is two more requests */
#define USER_TOKEN_HANDLE "gridlane-secret:user"

enum phase { PHASE_DEVICE, PHASE_PAUSE, PHASE_COMMAND, PHASE_SESSIONS, PHASE_SESSION, PHASE_RECORDING, PHASE_RELEASE };

struct state {
	enum phase phase;
	struct device device;
	json_t *capabilities;
	bool is_taken; /* by the capabilities builder: to be given back */
	struct pace pace; /* of asking for a free device */
	int64_t wait_end_ms;
	bool asks_project; /* the sessions' list is asked for by the project's name */
	int64_t start_ms, start_wall_ms;
	struct device_run *result; /* the command is over */
	json_t *outputs;
	json_t *sessions; /* build numbers */
	json_t *recordings; /* URLs: those of the session at hand that are still to be fetched */
	size_t at;
	json_t *save; /* of the next action */
};

static int begin(struct step *step, struct gr_error *err)
{
	struct state *state = gr_alloc(1, sizeof(*state));
	json_t *device = json_object_get(step->with, "device");

	step->state = state;
	if (json_array_size(json_object_get(step->with, "command")) == 0)
		return gr_fail(err, GR_CONFIG, 0, "'command' must name a program");
	if (json_is_object(device))
		state->device.device_id = answer_text(device, "device_id|id");
	else if (with_text(step, "platform") == NULL && step->context->platform == NULL)
		return gr_fail(err, GR_CONFIG, 0, "appium needs `device:`, or `platform:` to take any free one");
	return 0;
}

static void release(struct step *step)
{
	struct state *state = step->state;

	if (state == NULL)
		return;
	device_release(&state->device);
	json_decref(state->capabilities);
	if (state->result != NULL)
		device_run_release(state->result);
	gr_free(state->result);
	json_decref(state->outputs);
	json_decref(state->sessions);
	json_decref(state->recordings);
	json_decref(state->save);
	gr_free(state);
	step->state = NULL;
}

/* ---- the device ---- */

static char *project_of(const struct step *step)
{
	const char *project = with_text(step, "project");

	return project != NULL ? gr_strdup(project)
	                       : gr_printf("%s %s", step->context->pipeline, step->context->run_id);
}

static int ask_device(const struct step *step, struct action *action)
{
	static const char *const wishes[] = {"device_name", "os_version", "device_tag", "manufactured_by"};
	struct state *state = step->state;
	const char *platform = with_text(step, "platform");
	json_t *arguments = NULL;

	state->phase = PHASE_DEVICE;
	arguments = json_object();
	set_argument(arguments, "device_id", state->device.device_id);
	if (state->device.device_id != NULL) {
		set_argument(arguments, "udid", state->device.udid); /* the reference calls both required */
		return step_call(action, OP_GET_DEVICE_DETAILS, arguments);
	}
	set_text(arguments, "device_type", platform != NULL ? platform : step->context->platform);
	for (size_t i = 0; i < GR_COUNT(wishes); i++)
		set_argument(arguments, wishes[i], with_text(step, wishes[i]));
	set_taken(arguments, "project_name", project_of(step));
	return step_call(action, OP_GET_FIRST_AVAILABLE_DEVICE_CAPABILITIES_BUILDER, arguments);
}

/* All that the server says, but the token, and the same names whichever operation said it. */
static void keep_capabilities(const struct step *step, const json_t *data)
{
	static const char *const names[][2] = {{"appium_url", "appium_url|appiumURL"},
	        {"platform_name", "platform_name|platformName"}, {"platform_version", "platform_version"},
	        {"device_name", "device_name|deviceName"}, {"automation_name", "automation_name|automationName"},
	        {"udid", "udid|UDID"}};
	struct state *state = step->state;

	state->capabilities = json_deep_copy(data);
	(void)json_object_del(state->capabilities, "user_token");
	for (size_t i = 0; i < GR_COUNT(names); i++) {
		char *text = answer_text(data, names[i][1]);

		if (text != NULL)
			set_taken(state->capabilities, names[i][0], text);
	}
	set_taken(state->capabilities, "project_name", project_of(step));
	if (with_flag(step, "token"))
		set_text(state->capabilities, "user_token", USER_TOKEN_HANDLE);
}

static void keep_device(struct state *state)
{
	gr_free(state->device.device_id);
	state->device.device_id = answer_text(state->capabilities, "device_id");
	state->device.name = answer_text(state->capabilities, "device_name");
	state->device.os_version = answer_text(state->capabilities, "platform_version");
	state->device.udid = answer_text(state->capabilities, "udid");
	state->device.platform =
	        platform_parse(json_string_value(json_object_get(state->capabilities, "platform_name")));
}

static void acquire(const struct state *state, struct action *action)
{
	GR_AUTO_FREE char *words = device_words(&state->device);

	action->acquired = json_object();
	set_taken(action->acquired, "key", gr_printf("device/%s", state->device.device_id));
	set_text(action->acquired, "what", words);
	set_text(action->acquired, "operation", "release_device");
	(void)json_object_set_new(
	        action->acquired, "arguments", json_pack("{s:s}", "device_id", state->device.device_id));
}

/* ---- the command ---- */

static json_t *make_environment(const struct step *step)
{
	static const char *const names[][2] = {{"APPIUM_URL", "appium_url"}, {"DEVICE_NAME", "device_name"},
	        {"DEVICE_UDID", "udid"}, {"PLATFORM_NAME", "platform_name"}, {"PLATFORM_VERSION", "platform_version"}};
	const struct state *state = step->state;
	json_t *environment = json_object();

	for (size_t i = 0; i < GR_COUNT(names); i++)
		set_argument(
		        environment, names[i][0], json_string_value(json_object_get(state->capabilities, names[i][1])));
	(void)json_object_update(environment, json_object_get(step->with, "env")); /* the user's words win */
	return environment;
}

static int spawn(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;

	state->phase = PHASE_COMMAND;
	state->start_ms = event->now_ms;
	state->start_wall_ms = event->wall_ms;
	action->kind = ACTION_SPAWN;
	action->command = json_incref(json_object_get(step->with, "command"));
	action->environment = make_environment(step);
	action->document = json_incref(state->capabilities);
	action->junit = gr_strdup(with_text(step, "junit"));
	action->cwd = gr_strdup(with_text(step, "cwd"));
	return 0;
}

static int64_t wait_ms(const struct step *step)
{
	double scale = step->context->poll.time_scale;
	int64_t wait = with_int(step, "wait", 0);

	return scale > 1 ? (int64_t)((double)wait / scale) : wait;
}

/* A refusal means that none is free: again later, as long as `wait` allows. */
static bool wait_for_device(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;
	int64_t next_ms = event->now_ms + pace_next(&state->pace, &step->context->poll, event->random);

	if (event->outcome != CALL_REFUSED || answer_lacks_auth(event) || state->device.device_id != NULL ||
	        event->now_ms >= state->wait_end_ms)
		return false;
	state->phase = PHASE_PAUSE;
	action->progress = gr_printf("waiting for a device: %s", event->error.text);
	return step_wait(action, next_ms < state->wait_end_ms ? next_ms : state->wait_end_ms) == 0;
}

static int take_device(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	const json_t *data = answer_member(event->body, "data");
	bool is_given = state->device.device_id != NULL;

	if (wait_for_device(step, event, action))
		return 0;

	if (event->outcome == CALL_LOST)
		return gr_fail(err, GR_NO_DEVICE, 0,
		        "a device was asked for, and no usable answer came (%s): one may be held by this account",
		        event->error.text);
	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_NO_DEVICE, err, "take a device for Appium");
	if (!json_is_object(data))
		return gr_fail(err, GR_PROTOCOL, 0, "the answer has no capabilities of a device");
	keep_capabilities(step, data);
	keep_device(state);
	if (state->device.device_id == NULL)
		return gr_fail(err, GR_PROTOCOL, 0, "the capabilities name no device_id");
	state->is_taken = !is_given;
	if (state->is_taken)
		acquire(state, action);
	return spawn(step, event, action);
}

/* ---- what came of it ---- */

static int conclude(const struct step *step, struct action *action)
{
	struct state *state = step->state;
	struct device_run *result = state->result;
	json_t *outputs = state->outputs;

	state->result = NULL;
	state->outputs = NULL;
	result_outputs(result, outputs);
	action->device_run = result;
	action->save = gr_take(&state->save);
	return step_done(action, result_outcome(result), outputs);
}

static int give_back(const struct step *step, struct action *action)
{
	struct state *state = step->state;

	if (!state->is_taken)
		return conclude(step, action);
	state->phase = PHASE_RELEASE;
	action->save = gr_take(&state->save);
	return step_call(action, OP_RELEASE_DEVICE, json_pack("{s:s}", "device_id", state->device.device_id));
}

/* Those of the time since the command began, and of our project: unless the command's own capabilities said otherwise.
 */
static int ask_sessions(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;
	int64_t minutes = (event->now_ms - state->start_ms) / 60000 + 2;
	json_t *arguments = json_pack("{s:s}", "device_id", state->device.device_id);

	state->phase = PHASE_SESSIONS;
	set_taken(arguments, "last_minutes", gr_printf("%lld", (long long)minutes));
	if (state->asks_project)
		set_taken(arguments, "project_name", project_of(step));
	return step_call(action, OP_ALL_AUTOMATION_BUILD_RESULTS, arguments);
}

static int take_exit(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;

	state->outputs = event->outputs != NULL ? json_deep_copy(event->outputs) : json_object();
	(void)json_object_set_new(state->outputs, "exit_status", json_integer(event->exit_status));
	state->result = result_new(step, RUN_NATIVE, &state->device);
	state->result->started_wall_ms = state->start_wall_ms;
	state->result->ended_wall_ms = event->wall_ms;
	state->result->elapsed_ms = event->now_ms - state->start_ms;
	state->result->is_complete = true;
	appium_judge(step, event, state->result);
	state->asks_project = state->is_taken;
	return with_flag(step, "logs") ? ask_sessions(step, event, action) : give_back(step, action);
}

/* ---- sessions ---- */

/* Takes the entry over. */
static void put(struct state *state, json_t *entry)
{
	if (state->save == NULL)
		state->save = json_array();
	(void)json_array_append_new(state->save, entry);
}

static void miss(struct state *state, const char *name, const struct event *event)
{
	put(state, json_pack("{s:s, s:s}", "name", name, "missing",
	                   event->error.text[0] != '\0' ? event->error.text : "the server gave no usable answer"));
}

static const char *session_now(const struct state *state)
{
	return json_string_value(json_array_get(state->sessions, state->at));
}

static int next_session(const struct step *step, struct action *action)
{
	struct state *state = step->state;

	if (session_now(state) == NULL)
		return give_back(step, action);
	state->phase = PHASE_SESSION;
	action->save = gr_take(&state->save);
	return step_call(
	        action, OP_AUTOMATION_BUILD_RESULTS_AND_LOGS, json_pack("{s:s}", "build_number", session_now(state)));
}

static int take_sessions(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;
	GR_AUTO_JSON json_t *rows = NULL;
	const json_t *row = NULL;
	struct gr_error ignored = {0};
	size_t i = 0;

	state->sessions = json_array();
	if (event->outcome != CALL_DONE || answer_list(event->body, "data", &rows, &ignored) != 0)
		miss(state, "sessions", event);
	else if (json_array_size(rows) == 0 && state->asks_project) {
		json_decref(state->sessions);
		state->sessions = NULL;
		state->asks_project = false; /* the command named another project: what ran on the device meanwhile */
		return ask_sessions(step, event, action);
	}
	json_array_foreach (rows, i, row) {
		GR_AUTO_FREE char *number = answer_text(row, "build_number");

		/* the list may name a number once a session: its answer has them all */
		if (number != NULL && i < SESSIONS_MOST && !texts_has(state->sessions, number))
			(void)json_array_append_new(state->sessions, json_string(number));
	}
	(void)json_object_set(state->outputs, "build_numbers", state->sessions);
	return next_session(step, action);
}

static int next_recording(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;

	if (json_array_size(state->recordings) == 0) {
		state->at++;
		return next_session(step, action);
	}
	state->phase = PHASE_RECORDING;
	action->save = gr_take(&state->save);
	action->kind = ACTION_FETCH;
	action->url = gr_strdup(json_string_value(json_array_get(state->recordings, 0)));
	action->save_as = gr_printf("session-%s.mp4", session_now(state));
	action->fetch_may_fail = true;
	action->fetch_late_until_ms = event->now_ms + settle_ms(&step->context->poll, LATE_FILE_MS);
	(void)json_array_remove(state->recordings, 0);
	return 0;
}

static int take_session(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;
	GR_AUTO_FREE char *name = gr_printf("session-%s.json", session_now(state));
	GR_AUTO_JSON json_t *rows = NULL;
	const json_t *row = NULL;
	struct gr_error ignored = {0};
	size_t i = 0;

	json_decref(state->recordings);
	state->recordings = json_array();
	if (event->outcome == CALL_DONE)
		put(state, json_pack("{s:s, s:O}", "name", name, "json", event->body));
	else
		miss(state, name, event);
	if (event->outcome == CALL_DONE)
		(void)answer_list(event->body, "data", &rows, &ignored);
	json_array_foreach (rows, i, row) {
		GR_AUTO_FREE char *url = answer_url(row, "src");

		if (url != NULL && i < SESSIONS_MOST)
			(void)json_array_append_new(state->recordings, json_string(url));
	}
	return next_recording(step, event, action);
}

static int take_recording(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;
	GR_AUTO_FREE char *name = gr_printf("session-%s.mp4", session_now(state));

	if (event->error.failure != GR_NONE)
		miss(state, name, event);
	return next_recording(step, event, action);
}

static int take_release(const struct step *step, const struct event *event, struct action *action)
{
	const struct state *state = step->state;

	/* Otherwise it stays registered, and is tried again at the end of the run. */
	if (event->outcome == CALL_DONE)
		action->released = gr_printf("device/%s", state->device.device_id);
	return conclude(step, action);
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	struct state *state = step->state;

	if (event->kind == EVENT_STOP)
		return state->result != NULL ? conclude(step, ret_action) : step_stop(event, ret_action);
	if (event->kind == EVENT_START) {
		state->wait_end_ms = event->now_ms + wait_ms(step);
		return ask_device(step, ret_action);
	}
	switch (state->phase) {
	case PHASE_PAUSE:
		return ask_device(step, ret_action);
	case PHASE_DEVICE:
		return take_device(step, event, ret_action, err);
	case PHASE_COMMAND:
		return take_exit(step, event, ret_action);
	case PHASE_SESSIONS:
		return take_sessions(step, event, ret_action);
	case PHASE_SESSION:
		return take_session(step, event, ret_action);
	case PHASE_RECORDING:
		return take_recording(step, event, ret_action);
	case PHASE_RELEASE:
		return take_release(step, event, ret_action);
	}
	return gr_fail(err, GR_INTERNAL, 0, "appium is in no phase");
}

const struct step_ops appium_ops = {begin, next, release};
