/* Put a build on a device. mode: sync waits for the server's answer; async and direct read the log that the server
 * names until it says how it went. A log that says nothing is not a success. */
#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/busy.h"
#include "runner/steps/machines.h"
#include "runner/steps/target.h"

enum {
	ANSWER_MS = 900 * 1000, /* a large .ipa that is signed again takes its time */
	LOG_MOST_BYTES = 1024 * 1024 /* more than any installer writes */
};
enum phase { PHASE_TARGET, PHASE_BUSY, PHASE_INSTALL, PHASE_PAUSE, PHASE_LOG };
enum log_verdict { LOG_SILENT, LOG_SUCCESS, LOG_FAILURE };

struct state {
	enum phase phase;
	struct target target;
	struct pace pace;
	struct busy busy;
	int64_t start_ms, change_ms;
	char *log_url;
	char *log; /* as last seen */
};

static bool is_direct(const struct step *step)
{
	return text_equal(with_text(step, "mode"), "direct");
}

static bool is_async(const struct step *step)
{
	return text_equal(with_text(step, "mode"), "async");
}

static int begin(struct step *step, struct gr_error *err)
{
	struct state *state = gr_alloc(1, sizeof(*state));
	unsigned needs = is_direct(step) ? 0 : TARGET_S_DEVICE | TARGET_PLATFORM | TARGET_VERSION;
	int failure = 0;

	step->state = state;
	state->log_url = gr_strdup(memory_text(step, "log_url"));
	failure = target_begin(&state->target, step, needs, err);
	if (failure != 0 || is_direct(step) || state->target.app_id != NULL)
		return failure;
	return context_needs_app(step, err);
}

static void release(struct step *step)
{
	struct state *state = step->state;

	if (state == NULL)
		return;
	target_release(&state->target);
	gr_free(state->log_url);
	gr_free(state->log);
	gr_free(state);
	step->state = NULL;
}

static int install_direct(const struct step *step, struct action *action)
{
	const struct state *state = step->state;
	json_t *arguments = json_object();

	set_text(arguments, "app_build_id", state->target.app_build_id);
	set_text(arguments, "device_id", state->target.device.device_id);
	if (with_flag(step, "resign"))
		set_text(arguments, "is_resign", "1");
	return step_call(action, OP_APP_INSTALL_DIRECT, arguments);
}

static int install(const struct step *step, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	json_t *arguments = NULL;

	state->phase = PHASE_INSTALL;
	if (is_direct(step))
		return install_direct(step, action);
	if (step_platform(step, &state->target.device) == PLATFORM_UNKNOWN)
		return gr_fail(err, GR_CONFIG, 0, "the platform of device %s is not known: add `platform:` to app:",
		        state->target.device.device_id);
	arguments = target_arguments(&state->target);
	if (with_flag(step, "resign"))
		set_text(arguments, "is_resign", "1");
	if (is_async(step))
		return step_call(action, OP_APP_BUILD_INSTALL, arguments);
	if (with_flag(step, "disable_secure_flag"))
		set_text(arguments, "disable_secure_flag", "1");
	action->answer_ms = ANSWER_MS;
	return step_call(action, OP_APP_BUILD_INSTALL_SYNCHRONOUS, arguments);
}

static int prepare(const struct step *step, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;

	state->phase = PHASE_TARGET;
	return target_ask(&state->target, action) ? 0 : install(step, action, err);
}

static int finish(const struct step *step, const struct event *event, struct action *action)
{
	const struct state *state = step->state;
	json_t *outputs = json_object();

	set_text(outputs, "app_build_id", state->target.app_build_id);
	(void)json_object_set_new(outputs, "seconds", json_real((double)(event->now_ms - state->start_ms) / 1000.0));
	set_text(outputs, "mode", is_direct(step) ? "direct" : is_async(step) ? "async" : "sync");
	set_text(outputs, "device_id", state->target.device.device_id);
	set_text(outputs, "log_url", state->log_url);
	return step_done(action, OUTCOME_PASSED, outputs);
}

static int fetch_log(struct state *state, struct action *action)
{
	state->phase = PHASE_LOG;
	action->kind = ACTION_FETCH;
	action->url = gr_strdup(state->log_url);
	action->fetch_most_bytes = LOG_MOST_BYTES;
	return 0;
}

/* The answer is to say whether it was installed: a flag is not believed against its own words, and silence not at all.
 */
static int take_words(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	const struct state *state = step->state;
	GR_AUTO_FREE char *device = device_words(&state->target.device);
	char words[256];
	bool is_bad, is_good;

	(void)answer_message(event->body, words);
	is_bad = text_contains_nocase(words, "fail") || text_contains_nocase(words, "unsuccess") ||
	         text_contains_nocase(words, "not installed") || text_contains_nocase(words, "unable") ||
	         text_contains_nocase(words, "could not");
	is_good = answer_says(event->body) == ANSWER_SUCCESS || text_contains_nocase(words, "success") ||
	          text_contains_nocase(words, "installed");
	if (is_good && !is_bad)
		return finish(step, event, action);
	return gr_fail(err, GR_INSTALL, 0, "the server does not say that build %s was installed on %s: %s",
	        state->target.app_build_id, device, words[0] != '\0' ? words : "(no words)");
}

static int take_install(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	GR_AUTO_FREE char *words = device_words(&state->target.device);

	if (answer_says_busy(event)) {
		state->phase = PHASE_BUSY;
		return busy_wait(&state->busy, step, event, &state->target.device, action, err);
	}
	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_INSTALL, err, "install build %s on %s", state->target.app_build_id, words);
	if (!is_direct(step) && !is_async(step))
		return take_words(step, event, action, err);
	state->log_url = answer_url(answer_holder(event->body, "response_url"), "response_url");
	if (state->log_url == NULL)
		return gr_fail(err, GR_INSTALL, 0,
		        "the installation on %s was started, but the answer names no log: how it went cannot be known",
		        words);
	state->change_ms = event->now_ms;
	step_learn(action, "log_url", json_string(state->log_url));
	return fetch_log(state, action);
}

static bool line_has(const char *line, size_t bytes, const char *word)
{
	GR_AUTO_FREE char *copy = gr_strndup(line, bytes);

	return text_contains_nocase(copy, word);
}

/* The last line that is not blank. */
static const char *last_line(const char *text, size_t *ret_bytes)
{
	size_t end = strlen(text), start = 0;

	while (end > 0 && strchr(" \t\r\n", text[end - 1]) != NULL)
		end--;
	start = end;
	while (start > 0 && text[start - 1] != '\n')
		start--;
	*ret_bytes = end - start;
	return text + start;
}

static bool says_success(const char *text, size_t bytes)
{
	return line_has(text, bytes, "success") && !line_has(text, bytes, "unsuccess");
}

/* "App installed.", "Installation complete": as the last line only, and of this app alone. */
static bool says_installed(const char *text, size_t bytes)
{
	static const char *const others[] = {"not ", "uninstall", "already", "n't", "incomplete", "previous", "%"};

	for (size_t i = 0; i < GR_COUNT(others); i++)
		if (line_has(text, bytes, others[i]))
			return false;
	return line_has(text, bytes, "installed") || line_has(text, bytes, "installation complete") ||
	       line_has(text, bytes, "install complete");
}

/* A failure anywhere counts. A success counts in the last line, or anywhere once the log has come to rest: an installer
 * may say "pushed successfully" on its way. Other words for it count at rest only. */
static enum log_verdict read_log(const char *text, const char *before)
{
	static const char *const failures[] = {"fail", "error", "exception", "unsuccess"};
	size_t bytes = 0;
	const char *last = last_line(text, &bytes);

	for (size_t i = 0; i < GR_COUNT(failures); i++)
		if (text_contains_nocase(text, failures[i]))
			return LOG_FAILURE;
	if (says_success(last, bytes))
		return LOG_SUCCESS;
	if (text_equal(text, before) && (says_installed(last, bytes) || says_success(text, strlen(text))))
		return LOG_SUCCESS;
	return LOG_SILENT;
}

/* What the log of a failed installation says is wanted, whatever is collected: it becomes a file of the step. Text that
 * is not UTF-8 cannot be kept so; its last line is in the error all the same. */
static void keep_log(struct action *action, const char *text)
{
	json_t *entry = text != NULL ? json_pack("{s:s, s:s}", "name", "install.log", "text", text) : NULL;

	if (entry == NULL)
		return;
	action->save = json_array();
	(void)json_array_append_new(action->save, entry);
}

/* Nothing said yet: again later, unless a limit is reached. */
static int pause_log(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	const struct poll_policy *poll = &step->context->poll;
	GR_AUTO_FREE char *words = device_words(&state->target.device);
	bool is_late = limit_passed(state->start_ms, poll->timeout_ms, event->now_ms);
	bool is_stalled = limit_passed(state->change_ms, poll->stall_ms, event->now_ms);

	if (is_late || is_stalled)
		keep_log(action, state->log);
	if (is_late)
		return gr_fail(
		        err, GR_DEADLINE, 0, "the installation on %s took longer than poll.timeout allows", words);
	if (is_stalled)
		return gr_fail(err, GR_INSTALL, 0,
		        "how the installation on %s went is unknown: its log says neither success nor failure%s%s",
		        words, event->error.text[0] != '\0' ? "; last look: " : "", event->error.text);
	state->phase = PHASE_PAUSE;
	return step_wait(action, event->now_ms + pace_next(&state->pace, poll, event->random));
}

static int take_log(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	GR_AUTO_FREE char *words = device_words(&state->target.device);
	bool is_text = event->status >= 200 && event->status < 300 && event->text != NULL && event->text[0] != '\0';
	size_t bytes = 0;
	const char *last = NULL;

	/* The URL itself was refused: no later look can be better. */
	if (event->status == 0 && (event->error.failure == GR_PROTOCOL || event->error.failure == GR_CONFIG))
		return gr_fail(err, GR_INSTALL, 0, "the log of the installation on %s cannot be read: %s", words,
		        event->error.text);
	if (!is_text)
		return pause_log(step, event, action, err);
	switch (read_log(event->text, state->log)) {
	case LOG_SUCCESS:
		return finish(step, event, action);
	case LOG_FAILURE:
		keep_log(action, event->text);
		last = last_line(event->text, &bytes);
		return gr_fail(err, GR_INSTALL, 0, "the installation on %s failed; its log ends with '%.*s'", words,
		        (int)text_whole_words(last, bytes, 200), last);
	case LOG_SILENT:
		break;
	}
	if (!text_equal(event->text, state->log)) {
		gr_free(state->log);
		state->log = gr_strdup(event->text);
		state->change_ms = event->now_ms;
		pace_restart(&state->pace);
	}
	return pause_log(step, event, action, err);
}

static int take_target(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	int failure = target_take(&state->target, event, err);

	return failure != 0 ? failure : prepare(step, action, err);
}

static int start(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;

	state->start_ms = state->change_ms = event->now_ms;
	return state->log_url != NULL ? fetch_log(state, action) : prepare(step, action, err);
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	struct state *state = step->state;

	if (event->kind == EVENT_STOP)
		return step_stop(event, ret_action);
	if (event->kind == EVENT_START)
		return start(step, event, ret_action, err);
	switch (state->phase) {
	case PHASE_TARGET:
		return take_target(step, event, ret_action, err);
	case PHASE_BUSY:
		return install(step, ret_action, err);
	case PHASE_INSTALL:
		return take_install(step, event, ret_action, err);
	case PHASE_PAUSE:
		return fetch_log(state, ret_action);
	case PHASE_LOG:
		return take_log(step, event, ret_action, err);
	}
	return gr_fail(err, GR_INTERNAL, 0, "install is in no phase");
}

const struct step_ops install_ops = {begin, next, release};
