/* A scriptless run: started once, found again if its answer got lost, polled under a proven number until it is over,
 * and judged from what the polls showed. What is learned on the way is on the disk before the next request, so a
 * resumed step goes on where it was. */
#include "runner/api/answer.h"
#include "runner/base/buffer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/app_state.h"
#include "runner/steps/machines.h"

static void recall(struct step *step, struct app_state *state)
{
	struct app_run *run = &state->run;
	const char *source = memory_text(step, "source");
	static const char *const sources[] = {"build_version", "build_id", "build_url", "adopted"};

	snapshot_from_json(&run->before, json_object_get(step->memory, "before"));
	run->build_id = gr_strdup(memory_text(step, "build_id"));
	run->build_version = gr_strdup(memory_text(step, "build_version"));
	run->number = gr_strdup(memory_text(step, "number"));
	for (size_t i = 0; i < GR_COUNT(sources); i++)
		if (text_equal(sources[i], source))
			run->source = sources[i];
	run->is_unseen = json_is_true(json_object_get(step->memory, "unseen"));
	state->was_resent = json_is_true(json_object_get(step->memory, "resent"));
	watch_recall(&state->watch, step->memory);
	/* Where it is, should it be stopped before it goes on. */
	state->phase = PHASE_SEARCH;
	if (run->build_id != NULL || run->build_version != NULL)
		state->phase = PHASE_PROOF;
	if (run->number != NULL)
		state->phase = PHASE_POLL;
	if (run->target.app_id == NULL)
		run->target.app_id = gr_strdup(memory_text(step, "app_id"));
	if (run->target.bundle_id == NULL)
		run->target.bundle_id = gr_strdup(memory_text(step, "bundle_id"));
	if (run->target.version_id == NULL)
		run->target.version_id = gr_strdup(memory_text(step, "version_id"));
	if (run->target.module_id == NULL)
		run->target.module_id = gr_strdup(memory_text(step, "module_id"));
}

static int recall_device(struct step *step, struct app_state *state, struct gr_error *err)
{
	const json_t *device = json_object_get(step->memory, "device");

	if (!json_is_object(device))
		return 0;
	device_release(&state->run.target.device);
	return device_from_json(device, &state->run.target.device, err);
}

static int begin(struct step *step, struct gr_error *err)
{
	struct app_state *state = gr_alloc(1, sizeof(*state));
	int failure = 0;

	step->state = state;
	state->run.step = step;
	watch_begin(&state->watch, &state->run);
	failure = target_begin(
	        &state->run.target, step, TARGET_S_DEVICE | TARGET_PLATFORM | TARGET_VERSION | TARGET_MODULE, err);
	if (failure == 0 && json_is_true(json_object_get(step->memory, "intent"))) {
		recall(step, state);
		failure = recall_device(step, state, err);
	}
	if (failure != 0 || state->run.target.app_id != NULL || state->run.target.version_id == NULL)
		return failure;
	return context_needs_app(step, err);
}

static void release(struct step *step)
{
	struct app_state *state = step->state;

	if (state == NULL)
		return;
	proof_release(&state->proof);
	search_release(&state->search);
	watch_release(&state->watch);
	snapshot_release(&state->run.before);
	target_release(&state->run.target);
	gr_free(state->run.build_id);
	gr_free(state->run.build_version);
	gr_free(state->run.number);
	gr_free(state);
	step->state = NULL;
}

/* ---- finding the run ---- */

/* The number is proven: from here on it is polled, and nothing is started again. */
static void learn_number(struct app_state *state, const struct event *event, struct action *action)
{
	state->polling.change_ms = state->polling.good_ms = event->now_ms;
	action->start_lock = START_LOCK_GIVE;
	step_learn(action, "number", json_string(state->run.number));
	step_learn(action, "source", json_string(state->run.source));
	step_learn(action, "unseen", json_boolean(state->run.is_unseen));
	/* What was there before has served its turn, and 1,000 lanes would each keep up to 500 numbers. */
	step_learn(action, "before", json_null());
	snapshot_from_json(&state->run.before, NULL);
}

static int prove(const struct step *step, const struct event *event, struct action *action)
{
	struct app_state *state = step->state;
	struct gr_error why = {0};

	state->phase = PHASE_PROOF;
	if (proof_begin(&state->proof, &state->run, event, action, &why) != 0)
		return app_end_with(step, event, action, &why);
	return 0;
}

static int take_proof(const struct step *step, const struct event *event, struct action *action)
{
	struct app_state *state = step->state;
	enum search_end end = SEARCH_GOES_ON;
	struct gr_error why = {0};

	if (proof_next(&state->proof, event, action, &end, &why) != 0)
		return app_end_with(step, event, action, &why);
	if (end == SEARCH_GOES_ON)
		return 0;
	if (end == SEARCH_ABSENT) {
		state->phase = PHASE_SEARCH;
		return search_begin(&state->search, &state->run, false, event, action);
	}
	learn_number(state, event, action);
	if (!state->proof.is_poll)
		return app_poll_now(step, action);
	state->phase = PHASE_POLL;
	return app_take_poll(step, event, action);
}

static int send_start(const struct step *step, const struct event *event, struct action *action);

static int take_search(const struct step *step, const struct event *event, struct action *action)
{
	struct app_state *state = step->state;
	enum search_end end = SEARCH_GOES_ON;
	struct gr_error why = {0};
	const json_t *number = NULL;
	size_t i = 0;

	if (search_next(&state->search, event, action, &end, &why) != 0)
		return app_end_with(step, event, action, &why);
	switch (end) {
	case SEARCH_GOES_ON:
		return 0;
	case SEARCH_FOUND:
		learn_number(state, event, action);
		action->progress = gr_printf("adopted build %s%s", state->run.number,
		        state->run.build_id == NULL && state->run.build_version == NULL ? " after a lost answer" : "");
		return app_poll_now(step, action);
	case SEARCH_ABSENT:
		break;
	}
	(void)gr_fail(&why, GR_UNKNOWN_START, 0, "the answer to the start got lost %s, and no new build is ours",
	        state->was_resent ? "twice" : "(on_lost_start: never_resend)");
	if (state->was_resent || !step->context->resend_lost_start)
		return app_end_with(step, event, action, &why);
	state->was_resent = true;
	json_array_foreach (state->search.found, i, number)
		snapshot_add(&state->run.before, json_string_value(number));
	action->progress = gr_printf("neither the list of builds nor the device shows a run; starting it once more");
	return send_start(step, event, action);
}

/* ---- starting ---- */

static void set_list(json_t *arguments, const char *key, const json_t *list)
{
	GR_AUTO_BUFFER struct buffer joined = {0};
	json_t *item = NULL;
	const char *name = NULL;
	size_t i = 0;

	json_array_foreach (list, i, item)
		buffer_printf(&joined, "%s%s", joined.bytes > 0 ? "," : "", json_string_value(item));
	json_object_foreach ((json_t *)(uintptr_t)list, name, item)
		buffer_printf(&joined, "%s%s", joined.bytes > 0 ? "," : "", json_string_value(item));
	if (joined.bytes > 0)
		set_text(arguments, key, buffer_text(&joined));
}

static json_t *start_arguments(const struct step *step)
{
	const struct app_state *state = step->state;
	json_t *arguments = target_arguments(&state->run.target);

	set_text(arguments, "version_module_id", state->run.target.module_id);
	set_argument(arguments, "bundle_identifier", with_text(step, "bundle_identifier"));
	set_argument(arguments, "test_website_url", with_text(step, "website_url"));
	if (with_flag(step, "tg_connect"))
		set_text(arguments, "is_launch_with_tgconnect", "1");
	if (with_flag(step, "resign"))
		set_text(arguments, "is_resign_ios_ipa", "1");
	set_list(arguments, "selected_testcase_id", json_object_get(step->with, "testcases"));
	set_list(arguments, "tags", json_object_get(step->with, "tags"));
	return arguments;
}

static void begin_clock(struct app_state *state, const struct event *event)
{
	polling_begin(&state->polling, event);
	state->has_started = true;
	state->run.start_ms = event->now_ms;
}

static void learn_text(struct action *action, const char *key, const char *text)
{
	if (text != NULL)
		step_learn(action, key, json_string(text));
}

/* The intent goes to the disk with this action, before the request leaves. */
static int send_start(const struct step *step, const struct event *event, struct action *action)
{
	struct app_state *state = step->state;
	const struct target *target = &state->run.target;

	state->phase = PHASE_START;
	begin_clock(state, event);
	step_learn(action, "intent", json_true());
	step_learn(action, "resent", json_boolean(state->was_resent));
	step_learn(action, "device_was_at_work", json_false());
	step_keep(action, "before", snapshot_to_json(&state->run.before));
	step_learn(action, "start_wall_ms", json_integer(event->wall_ms));
	step_learn(action, "device", device_to_json(&target->device));
	/* What was looked up: a resumed step may have to send the start once more. */
	learn_text(action, "app_id", target->app_id);
	learn_text(action, "version_id", target->version_id);
	learn_text(action, "module_id", target->module_id);
	learn_text(action, "bundle_id", target->bundle_id);
	return step_call(action, OP_APP_BUILD_RUN, start_arguments(step));
}

static int take_snapshot(
        const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct app_state *state = step->state;
	struct build_list list = {0};
	const json_t *number = NULL;
	size_t i = 0;
	int failure = 0;

	if (event->outcome != CALL_DONE)
		failure = answer_fail(event, GR_SERVER, err, "list the builds");
	else
		failure = build_list_decode(event->body, &list, err);
	if (failure != 0)
		return gr_context(err,
		        "nothing was started, because a lost answer could not be told from a new run without the list");
	snapshot_take(&state->run.before, &list);
	json_array_foreach (json_object_get(step->memory, "earlier"), i, number)
		snapshot_add(&state->run.before, json_string_value(number)); /* the list may lag behind them */
	build_list_release(&list);
	return send_start(step, event, action);
}

static int prepare(const struct step *step, struct action *action, struct gr_error *err)
{
	struct app_state *state = step->state;
	struct target *target = &state->run.target;
	int failure = 0;

	if (target_ask(target, action))
		return 0;
	if (step_platform(step, &target->device) == PLATFORM_UNKNOWN)
		return gr_fail(err, GR_CONFIG, 0,
		        "the platform of device %s is not known: add `platform:` to app:", target->device.device_id);
	if (target->app_id == NULL) {
		failure = context_needs_app(step, err);
		if (failure != 0)
			return failure;
	}
	state->phase = PHASE_SNAPSHOT;
	action->start_lock = START_LOCK_TAKE;
	return app_run_list(&state->run, action);
}

static int wait_busy(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct app_state *state = step->state;

	state->phase = PHASE_BUSY;
	state->has_started = false;
	action->start_lock = START_LOCK_GIVE;
	step_learn(action, "intent", json_false());
	return busy_wait(&state->busy, step, event, &state->run.target.device, action, err);
}

static int take_numbers(const struct step *step, const struct event *event, struct action *action)
{
	struct app_state *state = step->state;

	begin_clock(state, event);
	action->start_lock = START_LOCK_GIVE;
	step_learn(action, "start_wall_ms", json_integer(event->wall_ms));
	if (state->run.build_id != NULL)
		step_learn(action, "build_id", json_string(state->run.build_id));
	if (state->run.build_version != NULL)
		step_learn(action, "build_version", json_string(state->run.build_version));
	action->progress = gr_printf("started: build_id %s, build_version %s",
	        state->run.build_id != NULL ? state->run.build_id : "(none)",
	        state->run.build_version != NULL ? state->run.build_version : "(none)");
	return prove(step, event, action);
}

static int take_start(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct app_state *state = step->state;
	struct app_run *run = &state->run;
	GR_AUTO_FREE char *words = device_words(&run->target.device);

	if (event->outcome == CALL_DONE) {
		const json_t *answer = answer_holder(event->body, "build_id|build_version");

		run->build_id = answer_text(answer, "build_id");
		run->build_version = answer_text(answer, "build_version");
	}
	if (run->build_id != NULL || run->build_version != NULL)
		return take_numbers(step, event, action);
	if (answer_says_busy(event))
		return wait_busy(step, event, action, err);
	if (event->outcome == CALL_REFUSED || event->outcome == CALL_NOT_SENT) {
		step_learn(action, "intent", json_false()); /* a definite no: a resumed step has nothing to look for */
		return answer_fail(event, GR_SERVER, err, "start the run on %s", words);
	}
	state->phase = PHASE_SEARCH;
	step_learn(action, "may_still_work", json_boolean(event->may_still_work));
	return search_begin(&state->search, run, event->may_still_work, event, action);
}

static int resume(const struct step *step, const struct event *event, struct action *action)
{
	struct app_state *state = step->state;
	int64_t started = memory_int(step, "start_wall_ms", event->wall_ms);
	const json_t *is_long = json_object_get(step->memory, "may_still_work");

	polling_resume(&state->polling, event, started, step->context->since_start_ms);
	state->has_started = true;
	state->run.start_ms = state->polling.start_ms;
	if (state->run.number != NULL)
		return app_poll_now(step, action);
	if (state->run.build_id != NULL || state->run.build_version != NULL)
		return prove(step, event, action);
	state->phase = PHASE_SEARCH;
	return search_begin(&state->search, &state->run, !json_is_false(is_long), event, action);
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	struct app_state *state = step->state;
	int failure = 0;

	if (event->kind == EVENT_STOP)
		return app_stop(step, event, ret_action);
	if (event->kind == EVENT_START && json_is_true(json_object_get(step->memory, "intent")))
		return resume(step, event, ret_action);
	if (event->kind == EVENT_START)
		return prepare(step, ret_action, err);
	switch (state->phase) {
	case PHASE_TARGET:
		failure = target_take(&state->run.target, event, err);
		return failure != 0 ? failure : prepare(step, ret_action, err);
	case PHASE_BUSY:
		return prepare(step, ret_action, err);
	case PHASE_SNAPSHOT:
		return take_snapshot(step, event, ret_action, err);
	case PHASE_START:
		return take_start(step, event, ret_action, err);
	case PHASE_PROOF:
		return take_proof(step, event, ret_action);
	case PHASE_SEARCH:
		return take_search(step, event, ret_action);
	case PHASE_PAUSE:
		return app_poll_now(step, ret_action);
	case PHASE_POLL:
		return app_take_poll(step, event, ret_action);
	}
	return gr_fail(err, GR_INTERNAL, 0, "app_build_run is in no phase");
}

int app_build_run_remains(struct step *step, const struct event *event, struct action *ret_action)
{
	struct app_state *state = gr_alloc(1, sizeof(*state));
	int failure = 0;

	step->state = state;
	state->run.step = step;
	watch_begin(&state->watch, &state->run);
	recall(step, state);
	failure = recall_device(step, state, NULL);
	if (failure == 0)
		failure = app_stop(step, event, ret_action);
	release(step);
	return failure;
}

const struct step_ops app_build_run_ops = {begin, next, release};
