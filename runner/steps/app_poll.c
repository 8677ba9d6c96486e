/* Polls of a scriptless run, and the result they come to. */
#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/app_state.h"
#include "runner/steps/outcome.h"

/* ---- the result ---- */

static struct device_run *make_result(const struct step *step, const struct event *event, enum gr_failure cut)
{
	const struct app_state *state = step->state;
	const struct app_run *run = &state->run;
	struct device_run *result = result_new(step, RUN_SCRIPTLESS, &run->target.device);

	result->build_number = gr_strdup(run->number);
	result->number_source = gr_strdup(run->number != NULL ? run->source : NULL);
	result->is_adopted = text_equal(run->source, "adopted");
	result->build_id = gr_strdup(run->build_id != NULL ? run->build_id : state->watch.build_id);
	result->url = gr_strdup(state->watch.url);
	result->polls = state->watch.polls;
	if (state->has_started)
		polling_fill(&state->polling, event, result);
	watch_judge(&state->watch, cut, result);
	return result;
}

static json_t *make_outputs(const struct app_state *state, const struct device_run *result)
{
	json_t *outputs = json_object();

	set_text(outputs, "app_build_id", state->run.target.app_build_id);
	set_text(outputs, "build_number", result->build_number);
	set_text(outputs, "build_id", result->build_id);
	set_text(outputs, "build_url", result->url);
	set_text(outputs, "build_test_id", state->watch.build_test_id);
	(void)json_object_set_new(outputs, "adopted", json_boolean(result->is_adopted));
	result_outputs(result, outputs);
	return outputs;
}

static int hand_over(
        const struct app_state *state, struct device_run *result, enum outcome outcome, struct action *action)
{
	action->device_run = result;
	return step_done(action, outcome, make_outputs(state, result));
}

/* Over: the server said so, and it is believed. */
static int finish(const struct step *step, const struct event *event, struct action *action)
{
	const struct app_state *state = step->state;
	struct device_run *result = make_result(step, event, GR_NONE);

	result->is_complete = state->watch.is_present && state->watch.completed != COMPLETION_STOPPED &&
	                      (state->watch.completed == COMPLETION_DONE || state->watch.raw_completed == NULL);
	result->lag_most_ms = event->now_ms - state->polling.not_over_ms;
	result_settle(result);
	return hand_over(state, result, result_outcome(result), action);
}

/* What is on the server now, for the problem's text; the caller's. */
static char *say_whereabouts(const struct step *step)
{
	const struct app_state *state = step->state;
	const struct app_run *run = &state->run;
	GR_AUTO_BUFFER struct buffer words = {0};

	if (state->phase == PHASE_TARGET || state->phase == PHASE_SNAPSHOT || state->phase == PHASE_BUSY)
		return gr_printf("no run was started");
	if (state->phase == PHASE_START || state->phase == PHASE_SEARCH)
		return gr_printf("a start was sent and its outcome is not known: a run may go on on the server");
	buffer_printf(&words, "build %s", run->number != NULL ? run->number : "(number not proven)");
	if (run->number == NULL)
		buffer_printf(&words, " of build_id %s and build_version %s",
		        run->build_id != NULL ? run->build_id : "(none)",
		        run->build_version != NULL ? run->build_version : "(none)");
	if (state->watch.url != NULL)
		buffer_printf(&words, " (%s)", state->watch.url);
	buffer_add_text(&words, " keeps running on the server, as the API has no operation that stops it");
	return buffer_take(&words);
}

/* Ended before its end: the result as far as known. */
static int cut_short(const struct step *step, const struct event *event, struct action *action, enum outcome outcome,
        const struct gr_error *why)
{
	const struct app_state *state = step->state;
	struct device_run *result = make_result(step, event, why->failure);
	GR_AUTO_FREE char *whereabouts = say_whereabouts(step);

	device_run_add_problem(result, why->failure, "%s; %s", why->text, whereabouts);
	result->failure = why->failure;
	return hand_over(state, result, outcome, action);
}

int app_end_with(const struct step *step, const struct event *event, struct action *action, const struct gr_error *why)
{
	struct action kept = {.learned = action->learned, .kept = action->kept};

	action->learned = action->kept = NULL;
	action_release(action);
	*action = kept;
	return cut_short(step, event, action, OUTCOME_ERROR, why);
}

int app_stop(const struct step *step, const struct event *event, struct action *action)
{
	struct gr_error why = event->error;

	if (why.failure == GR_NONE)
		why.failure = GR_CANCELLED;
	if (why.text[0] == '\0')
		(void)gr_fail(&why, why.failure, 0, "%s", failure_words(why.failure));
	return cut_short(step, event, action, why.failure == GR_CANCELLED ? OUTCOME_CANCELLED : OUTCOME_ERROR, &why);
}

/* ---- polling ---- */

int app_poll_now(const struct step *step, struct action *action)
{
	struct app_state *state = step->state;

	state->phase = PHASE_POLL;
	return app_run_ask(&state->run, state->run.number, action);
}

static int pause_poll(const struct step *step, const struct event *event, struct action *action)
{
	struct app_state *state = step->state;
	struct gr_error why = {0};

	if (polling_wait(&state->polling, &step->context->poll, event, action, &why) != 0) {
		if (why.failure == GR_STALL && state->watch.all_completed == 1)
			(void)gr_context(&why, "the server says completed for the build, but not for the device");
		return app_end_with(step, event, action, &why);
	}
	state->phase = PHASE_PAUSE;
	return 0;
}

static void note_progress(struct app_state *state, struct action *action)
{
	size_t ended = watch_ended(&state->watch), failed = watch_failed(&state->watch);

	action->progress_done = (int64_t)ended;
	action->progress_total = (int64_t)state->watch.count;
	if (state->watch.is_queued)
		action->progress = gr_printf("build %s is queued", state->run.number);
	else
		action->progress = gr_printf(
		        "build %s: %zu/%zu tests, %zu failed", state->run.number, ended, state->watch.count, failed);
}

static int take_good(
        const struct step *step, const struct event *event, struct execution *execution, struct action *action)
{
	struct app_state *state = step->state;
	bool is_changed;

	state->watch.now_ms = event->now_ms;
	is_changed = watch_take(&state->watch, execution);
	execution_release(execution); /* 100,000 tests need not be there once more while the result is made */
	polling_take(&state->polling, event, is_changed, state->watch.is_queued);
	if (is_changed)
		note_progress(state, action);
	watch_tell(&state->watch, action);
	if (watch_is_over(&state->watch))
		return finish(step, event, action);
	/* A first "completed" that a second answer has to confirm is not a "not yet". */
	if (state->watch.over_polls == 0)
		state->polling.not_over_ms = event->now_ms;
	return pause_poll(step, event, action);
}

/* A definite answer that helps nothing. */
static int take_bad(const struct step *step, const struct event *event, struct action *action, struct gr_error *why)
{
	struct app_state *state = step->state;

	if (!polling_survives(&state->polling, &step->context->poll, event, action, why))
		return app_end_with(step, event, action, why);
	return pause_poll(step, event, action);
}

static int read_answer(
        const struct step *step, const struct event *event, struct execution *ret_execution, struct gr_error *err)
{
	struct app_state *state = step->state;
	int failure = 0;

	if (state->proof.is_poll) {
		state->proof.is_poll = false;
		*ret_execution = state->proof.poll;
		state->proof.poll = (struct execution){0};
		return 0;
	}
	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "ask for build %s", state->run.number);
	failure = event_take_execution(event, ret_execution, err);
	if (failure != 0)
		return gr_context(err, "build %s", state->run.number);
	if (ret_execution->build_number == NULL || text_equal(ret_execution->build_number, state->run.number))
		return 0;
	return gr_fail(err, GR_PROTOCOL, 0, "asked for build %s, the answer is about build %s", state->run.number,
	        ret_execution->build_number);
}

/* Only the list says that the number is ours: nothing is believed before our device is there. 0 to go on. */
static int check_unseen(
        const struct step *step, const struct execution *execution, struct action *action, struct gr_error *err)
{
	struct app_run *run = &((struct app_state *)step->state)->run;
	GR_AUTO_FREE char *words = device_words(&run->target.device);

	switch (app_run_fit_device(run, execution)) {
	case FIT_OPEN:
		break;
	case FIT_OURS:
		run->is_unseen = false;
		step_learn(action, "unseen", json_false());
		break;
	case FIT_OTHERS:
		(void)gr_fail(err, GR_UNKNOWN_START, 0,
		        "build %s is new since the start and has a number of its answer, but does not run on %s as "
		        "this run does: which number is this run's is not proven",
		        run->number, words);
		gr_free(run->number);
		run->number = NULL;
		return -GR_UNKNOWN_START;
	}
	return 0;
}

/* What was not there yet when the run was adopted may show that it is somebody else's. */
static int check_adopted(const struct step *step, const struct execution *execution, struct gr_error *err)
{
	const struct app_run *run = &((const struct app_state *)step->state)->run;

	if (!text_equal(run->source, "adopted") || execution->device_count != 1 ||
	        app_run_device(run, execution, true) == NULL)
		return 0;
	if (app_run_fit(run, execution) != FIT_OTHERS && !app_run_is_doubtful(run, execution))
		return 0;
	return gr_fail(err, GR_UNKNOWN_START, 0,
	        "build %s was adopted after a lost answer, and shows an app or tests that are not this run's: whether "
	        "the "
	        "start arrived is not known",
	        run->number);
}

/* The list has the run, and nothing else is told of it yet: it is queued. */
static int wait_unseen(const struct step *step, const struct event *event, struct action *action)
{
	struct app_state *state = step->state;

	if (!state->polling.was_queued)
		action->progress =
		        gr_printf("build %s is listed, and nothing else is told of it yet", state->run.number);
	polling_take(&state->polling, event, false, true);
	return pause_poll(step, event, action);
}

int app_take_poll(const struct step *step, const struct event *event, struct action *action)
{
	const struct app_state *state = step->state;
	struct execution execution = {0};
	struct gr_error why = {0};
	int result = 0;

	if (state->run.is_unseen && event->outcome == CALL_REFUSED && !answer_lacks_auth(event))
		return wait_unseen(step, event, action);
	if (read_answer(step, event, &execution, &why) == 0 &&
	        ((state->run.is_unseen && check_unseen(step, &execution, action, &why) != 0) ||
	                check_adopted(step, &execution, &why) != 0)) {
		result = app_end_with(step, event, action, &why);
	} else if (why.failure == GR_NONE) {
		event_drop_body(event);
		result = take_good(step, event, &execution, action);
	} else if (event->outcome == CALL_DONE || event->outcome == CALL_REFUSED || why.failure == GR_DEADLINE) {
		result = take_bad(step, event, action, &why);
	} else {
		result = pause_poll(step, event, action); /* an outage; poll.stall bounds it */
	}
	execution_release(&execution);
	return result;
}
