/* An Espresso or XCUITest run. Its answers count tests but do not name them; its log does. Without a log that can be
 * read the result has one case, named after the file, with the counts in its words. A start whose answer got lost
 * cannot be looked up: it is never sent again. */
#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/busy.h"
#include "runner/steps/machines.h"
#include "runner/steps/native_judge.h"
#include "runner/steps/native_seen.h"
#include "runner/steps/outcome.h"
#include "runner/steps/polling.h"
#include "runner/steps/target.h"

enum phase { PHASE_TARGET, PHASE_BUSY, PHASE_START, PHASE_PAUSE, PHASE_POLL, PHASE_LOG };

/* Of a log: thousands of tests with their stacks are some MiB. */
#define LOG_MOST_BYTES (64LL << 20)

struct state {
	enum phase phase;
	struct target target;
	struct polling polling;
	char *id, *url, *file_sha256; /* file_sha256: of the tests as they were sent */
	bool has_started;
	struct busy busy;
	bool is_by_build; /* iOS: the server wants the build's id as app_id */
	unsigned polls, over_polls;
	int64_t over_ms; /* since when the server says that the run is over */
	bool is_present, was_present;
	struct native_result last; /* the last good answer */
	size_t at; /* our device in it, if present */
	struct device_run *result; /* complete but for its cases: the log is asked for */
};

static bool is_ios(const struct step *step)
{
	return text_has_suffix_nocase(with_text(step, "file"), ".zip");
}

static const char *base_name(const struct step *step)
{
	const char *path = with_text(step, "file") != NULL ? with_text(step, "file") : memory_text(step, "file");
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;

	return slash != NULL ? slash + 1 : path != NULL ? path : "native test"; /* of an older journal */
}

static int check_platform(const struct step *step, const struct state *state, struct gr_error *err)
{
	enum platform is = state->target.device.platform, needed = is_ios(step) ? PLATFORM_IOS : PLATFORM_ANDROID;

	if (is == PLATFORM_UNKNOWN || is == needed)
		return 0;
	return gr_fail(err, GR_CONFIG, 0, "'%s' holds tests for %s, and device %s is %s", base_name(step),
	        platform_name(needed), state->target.device.device_id, platform_name(is));
}

/* What an earlier process saw stands until a poll says more. */
static void recall(const struct step *step, struct state *state)
{
	native_from_json(json_object_get(step->memory, "native"), &state->last);
	state->is_present = state->last.count > 0;
}

static int begin(struct step *step, struct gr_error *err)
{
	struct state *state = gr_alloc(1, sizeof(*state));
	int failure = 0;

	step->state = state;
	state->id = gr_strdup(memory_text(step, "native_test_build_id"));
	state->url = gr_strdup(memory_text(step, "url"));
	state->file_sha256 = gr_strdup(memory_text(step, "file_sha256"));
	recall(step, state);
	failure = target_begin(&state->target, step, is_ios(step) ? TARGET_VERSION : 0, err);
	return failure != 0 ? failure : check_platform(step, state, err);
}

static void release(struct step *step)
{
	struct state *state = step->state;

	if (state == NULL)
		return;
	target_release(&state->target);
	native_result_release(&state->last);
	if (state->result != NULL)
		device_run_release(state->result);
	gr_free(state->result);
	gr_free(state->id);
	gr_free(state->url);
	gr_free(state->file_sha256);
	gr_free(state);
	step->state = NULL;
}

static const struct native_device *our_device(const struct state *state)
{
	return state->is_present ? &state->last.devices[state->at] : NULL;
}

/* ---- the result ---- */

static struct device_run *make_result(const struct step *step, const struct event *event)
{
	const struct state *state = step->state;
	const struct native_device *native = our_device(state);
	struct device_run *result = result_new(step, RUN_NATIVE, &state->target.device);

	result->native_id = gr_strdup(state->id);
	result->url = gr_strdup(state->url);
	result->polls = state->polls;
	if (state->has_started)
		polling_fill(&state->polling, event, result);
	if (native == NULL)
		return result;
	result->reported[COUNT_PASSED] = native->passed;
	result->reported[COUNT_FAILED] = native->failed;
	result->log_url = gr_strdup(native->log_path);
	result->recording_url = gr_strdup(native->recording_path);
	if (result->device.os == NULL)
		result->device.os = gr_strdup(native->os_version);
	if (result->device.name == NULL)
		result->device.name = gr_strdup(native->device_name);
	return result;
}

static int hand_over(const struct step *step, struct device_run *result, enum outcome outcome, struct action *action)
{
	const struct state *state = step->state;
	json_t *outputs = json_object();

	set_text(outputs, "app_build_id", state->target.app_build_id);
	set_text(outputs, "file", with_text(step, "file"));
	set_text(outputs, "sha256", state->file_sha256);
	set_text(outputs, "native_test_build_id", state->id);
	set_text(outputs, "url", state->url);
	set_text(outputs, "log_url", result->log_url);
	set_text(outputs, "recording_url", result->recording_url);
	result_outputs(result, outputs);
	native_put_counts(our_device(state), outputs);
	action->device_run = result;
	return step_done(action, outcome, outputs);
}

/* All is known that will be; `log` may be NULL, and without cases. */
static int conclude(const struct step *step, struct native_log *log, struct action *action)
{
	struct state *state = step->state;
	const struct native_device *native = our_device(state);
	struct device_run *result = state->result;
	bool has_cases = log != NULL && log->case_count > 0;

	state->result = NULL;
	if (native != NULL && has_cases)
		native_judge_log(step, base_name(step), native, log, result);
	else if (native != NULL)
		native_judge(step, base_name(step), native, result);
	if (native != NULL)
		native_judge_others(step, &state->last, native, result);
	if (log != NULL && !has_cases && log->trouble != NULL)
		device_run_add_problem(result, GR_STOPPED, "the run's log names no test and says: %s", log->trouble);
	result_settle(result);
	return hand_over(step, result, result_outcome(result), action);
}

static void begin_verdict(const struct step *step, const struct event *event)
{
	struct state *state = step->state;
	const struct native_device *native = our_device(state);
	GR_AUTO_FREE char *words = device_words(&state->target.device);

	state->result = make_result(step, event);
	if (native == NULL)
		device_run_add_problem(state->result, GR_DEVICE,
		        "%s is missing from the answer: nothing proves that it ran the tests", words);
	state->result->is_complete =
	        native != NULL && native->state != NATIVE_STOPPED && native->state != NATIVE_UNKNOWN;
	state->result->lag_most_ms = state->over_ms - state->polling.not_over_ms;
}

static int finish(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;
	const struct native_device *native = our_device(state);

	begin_verdict(step, event);
	if (native == NULL || native->log_path == NULL)
		return conclude(step, NULL, action);
	state->phase = PHASE_LOG;
	action->kind = ACTION_FETCH;
	action->url = gr_strdup(native->log_path);
	action->fetch_most_bytes = LOG_MOST_BYTES;
	action->fetch_may_fail = true;
	action->fetch_late_until_ms = event->now_ms + settle_ms(&step->context->poll, LATE_FILE_MS);
	return 0;
}

static int take_log(const struct step *step, const struct event *event, struct action *action)
{
	const struct state *state = step->state;
	struct native_log log = {0};
	bool is_there = event->error.failure == GR_NONE && event->status >= 200 && event->status < 300;
	bool has_cases = is_there && native_log_parse(event->text, event->bytes, &log);

	if (!is_there || (!has_cases && log.trouble == NULL))
		action->warning = native_log_warning(state->id, event, is_there);
	(void)conclude(step, is_there ? &log : NULL, action);
	native_log_release(&log);
	return 0;
}

static char *say_whereabouts(const struct step *step)
{
	const struct state *state = step->state;

	if (!state->has_started && !json_is_true(json_object_get(step->memory, "intent")))
		return gr_printf("no run was started");
	if (state->id == NULL)
		return gr_printf("a start was sent and its outcome is not known: a run may go on on the server");
	return gr_printf("native test %s (%s) keeps running on the server, as the API has no operation that stops it",
	        state->id, state->url != NULL ? state->url : "no URL");
}

static int cut_short(const struct step *step, const struct event *event, struct action *action, enum outcome outcome,
        const struct gr_error *why)
{
	const struct state *state = step->state;
	const struct native_device *native = our_device(state);
	GR_AUTO_FREE char *whereabouts = say_whereabouts(step);
	struct device_run *result;

	if (state->over_polls > 0 && native_is_proven(step, &state->last, native)) { /* only looked at once more */
		begin_verdict(step, event);
		return conclude(step, NULL, action);
	}
	result = make_result(step, event);
	device_run_add_problem(result, why->failure, "%s; %s", why->text, whereabouts);
	if (native != NULL)
		native_judge_cut(step, base_name(step), native, why->failure, result);
	result->failure = why->failure;
	return hand_over(step, result, outcome, action);
}

static int stop(const struct step *step, const struct event *event, struct action *action)
{
	const struct state *state = step->state;
	struct gr_error why = event->error;

	if (state->result != NULL)
		return conclude(step, NULL, action); /* the verdict is known without its log */
	if (why.failure == GR_NONE)
		why.failure = GR_CANCELLED;
	if (why.text[0] == '\0')
		(void)gr_fail(&why, why.failure, 0, "%s", failure_words(why.failure));
	return cut_short(step, event, action, why.failure == GR_CANCELLED ? OUTCOME_CANCELLED : OUTCOME_ERROR, &why);
}

/* ---- polling ---- */

static int poll_now(struct state *state, struct action *action)
{
	state->phase = PHASE_POLL;
	action->is_poll = true;
	return step_call(action, OP_GET_NATIVE_TEST_RESULTS, json_pack("{s:s}", "native_test_build_id", state->id));
}

static int pause_poll(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;
	struct gr_error why = {0};
	const struct native_device *native = our_device(state);

	state->phase = PHASE_PAUSE;
	if (polling_wait(&state->polling, &step->context->poll, event, action, &why) == 0)
		return 0;
	if (why.failure == GR_STALL && native != NULL && native->state == NATIVE_UNKNOWN)
		native_fail_unknown(native, &why);
	return cut_short(step, event, action, OUTCOME_ERROR, &why);
}

/* Take the answer over; true when our device shows something new. */
static bool keep_answer(struct state *state, struct native_result *result)
{
	bool was_present = state->is_present, is_changed = false;
	size_t at = 0;

	while (at < result->count && !native_is_ours(&result->devices[at], &state->target.device, result->count))
		at++;
	state->is_present = at < result->count;
	is_changed = state->is_present != was_present ||
	             (was_present && !native_is_same(&state->last.devices[state->at], &result->devices[at]));
	native_result_release(&state->last);
	state->last = *result;
	*result = (struct native_result){0};
	state->at = at;
	return is_changed || state->polls == 0;
}

static int take_good(
        const struct step *step, const struct event *event, struct native_result *result, struct action *action)
{
	struct state *state = step->state;
	bool is_changed = keep_answer(state, result);
	const struct native_device *native = our_device(state);
	bool says_over = native != NULL ? native_is_over(native) : native_are_over(&state->last);

	state->polls++;
	polling_take(&state->polling, event, is_changed,
	        native != NULL ? native->state == NATIVE_WAITING : !state->was_present);
	state->was_present = state->was_present || native != NULL;
	if (is_changed && native != NULL) {
		native_note_progress(native, state->id, action);
		step_learn(action, "native", native_to_json(native));
	}
	state->over_polls = says_over ? state->over_polls + 1 : 0;
	if (state->over_polls == 1)
		state->over_ms = event->now_ms;
	if (native_is_settled(step, &state->last, native, state->over_polls, event->now_ms - state->over_ms))
		return finish(step, event, action);
	if (!says_over)
		state->polling.not_over_ms = event->now_ms;
	return pause_poll(step, event, action);
}

static int take_poll(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;
	struct native_result result = {0};
	struct gr_error why = {0};

	if (event->outcome != CALL_DONE)
		(void)answer_fail(event, GR_SERVER, &why, "ask for native test %s", state->id);
	else if (native_result_decode(event->body, &result, &why) == 0)
		return take_good(step, event, &result, action);
	if (event->outcome != CALL_DONE && event->outcome != CALL_REFUSED && why.failure != GR_DEADLINE)
		return pause_poll(step, event, action); /* an outage; poll.stall bounds it */
	if (!polling_survives(&state->polling, &step->context->poll, event, action, &why))
		return cut_short(step, event, action, OUTCOME_ERROR, &why);
	return pause_poll(step, event, action);
}

/* ---- starting ---- */

static json_t *start_arguments(const struct step *step)
{
	const struct state *state = step->state;
	GR_AUTO_FREE char *marker = run_marker(step);
	json_t *arguments = json_object();

	if (with_text(step, "name") != NULL)
		set_text(arguments, "build_name", with_text(step, "name"));
	else
		set_taken(arguments, "build_name", gr_printf("%s %s", step->context->pipeline, marker));
	set_text(arguments, "device_id", state->target.device.device_id);
	set_text(arguments, "file", with_text(step, "file"));
	if (!is_ios(step)) {
		set_text(arguments, "app_build_id", state->target.app_build_id);
		return arguments;
	}
	set_text(arguments, "app_id",
	        state->is_by_build             ? state->target.app_build_id
	        : state->target.app_id != NULL ? state->target.app_id
	                                       : context_app_id(step));
	set_text(arguments, "version_id", state->target.version_id);
	return arguments;
}

static int prepare(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;

	if (target_ask(&state->target, action))
		return 0;
	if (is_ios(step) && state->target.app_id == NULL && context_app_id(step) == NULL)
		return context_needs_app(step, err);
	state->phase = PHASE_START;
	state->has_started = true;
	polling_begin(&state->polling, event);
	step_learn(action, "intent", json_true());
	step_learn(action, "file", json_string(base_name(step)));
	step_learn(action, "device", device_to_json(&state->target.device));
	step_learn(action, "start_wall_ms", json_integer(event->wall_ms));
	return step_call(
	        action, is_ios(step) ? OP_RUN_NATIVE_TEST_IOS : OP_RUN_NATIVE_TEST_ANDROID, start_arguments(step));
}

static int say_lost(const struct step *step, const struct event *event, struct action *action, const char *why_lost)
{
	struct gr_error why = {0};

	(void)gr_fail(&why, GR_UNKNOWN_START, 0,
	        "the answer to the start of '%s' got lost (%s); the API cannot look native tests up, so it was not "
	        "sent again",
	        base_name(step), why_lost);
	return cut_short(step, event, action, OUTCOME_ERROR, &why);
}

static int take_start(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	GR_AUTO_FREE char *words = device_words(&state->target.device);

	if (answer_says_busy(event)) {
		state->phase = PHASE_BUSY;
		state->has_started = false;
		step_learn(action, "intent", json_false());
		return busy_wait(&state->busy, step, event, &state->target.device, action, err);
	}
	/* "The specific build or version of the application", says the reference of app_id, and an application's id is
	 * what other operations mean by it. Refused for it: nothing was started. */
	if (is_ios(step) && !state->is_by_build && !answer_lacks_auth(event) &&
	        (answer_refuses(event, "app") || answer_refuses(event, "build"))) {
		state->is_by_build = true;
		return prepare(step, event, action, err);
	}
	if (event->outcome == CALL_REFUSED || event->outcome == CALL_NOT_SENT) {
		step_learn(action, "intent", json_false()); /* a definite no: a resumed step may start it */
		return answer_fail(event, GR_SERVER, err, "start '%s' on %s", base_name(step), words);
	}
	if (event->outcome != CALL_DONE)
		return say_lost(step, event, action, event->error.text);
	state->url = answer_url(answer_holder(event->body, "url"), "url");
	state->id = answer_text(answer_holder(event->body, "native_test_build_id"), "native_test_build_id");
	if (state->id == NULL && state->url != NULL)
		state->id = url_last_segment(state->url);
	if (state->id == NULL)
		return say_lost(step, event, action, "the answer names no native_test_build_id");
	polling_begin(&state->polling, event);
	state->file_sha256 = gr_strdup(event->file_sha256);
	step_learn(action, "file_sha256", event->file_sha256 != NULL ? json_string(event->file_sha256) : json_null());
	step_learn(action, "native_test_build_id", json_string(state->id));
	step_learn(action, "url", state->url != NULL ? json_string(state->url) : json_null());
	step_learn(action, "start_wall_ms", json_integer(event->wall_ms));
	action->progress = gr_printf("started native test %s", state->id);
	return poll_now(state, action);
}

static int start(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;

	if (!json_is_true(json_object_get(step->memory, "intent")))
		return prepare(step, event, action, err);
	polling_resume(&state->polling, event, memory_int(step, "start_wall_ms", event->wall_ms),
	        step->context->since_start_ms);
	state->has_started = true;
	if (state->id == NULL)
		return say_lost(step, event, action, "gridlane was ended before it came");
	return poll_now(state, action);
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	struct state *state = step->state;
	int failure = 0;

	if (event->kind == EVENT_STOP)
		return stop(step, event, ret_action);
	if (event->kind == EVENT_START)
		return start(step, event, ret_action, err);
	switch (state->phase) {
	case PHASE_TARGET:
		failure = target_take(&state->target, event, err);
		return failure != 0 ? failure : prepare(step, event, ret_action, err);
	case PHASE_BUSY:
		return prepare(step, event, ret_action, err);
	case PHASE_START:
		return take_start(step, event, ret_action, err);
	case PHASE_PAUSE:
		return poll_now(state, ret_action);
	case PHASE_POLL:
		return take_poll(step, event, ret_action);
	case PHASE_LOG:
		return take_log(step, event, ret_action);
	}
	return gr_fail(err, GR_INTERNAL, 0, "native_test is in no phase");
}

int native_test_remains(struct step *step, const struct event *event, struct action *ret_action)
{
	struct state *state = gr_alloc(1, sizeof(*state));
	int failure = 0;

	step->state = state;
	state->id = gr_strdup(memory_text(step, "native_test_build_id"));
	state->url = gr_strdup(memory_text(step, "url"));
	recall(step, state);
	if (json_is_object(json_object_get(step->memory, "device")))
		failure = device_from_json(json_object_get(step->memory, "device"), &state->target.device, NULL);
	if (failure == 0)
		failure = stop(step, event, ret_action);
	release(step);
	return failure;
}

const struct step_ops native_test_ops = {begin, next, release};
