/* Fetch what a run left on the server: logs, recordings, network logs, insights and so on. What cannot be had is listed
 * with its reason and fails nothing, unless it is required. */
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/collect_jobs.h"
#include "runner/steps/common.h"
#include "runner/steps/machines.h"

struct state {
	json_t *jobs;
	size_t at; /* the job under way */
	int64_t missing, late_until_ms;
	bool is_closed; /* nothing is added any more */
	char *first; /* why the first missing one is */
	json_t *save; /* of the next action */
};

static int begin(struct step *step, struct gr_error *err)
{
	struct state *state = gr_alloc(1, sizeof(*state));
	const json_t *jobs = json_object_get(step->memory, "jobs");

	(void)err;
	step->state = state;
	state->jobs = json_is_array(jobs) ? json_deep_copy(jobs) : NULL;
	state->at = (size_t)memory_int(step, "at", 0);
	state->missing = memory_int(step, "missing", 0);
	state->first = gr_strdup(memory_text(step, "first"));
	return 0;
}

static void release(struct step *step)
{
	struct state *state = step->state;

	if (state == NULL)
		return;
	json_decref(state->jobs);
	json_decref(state->save);
	gr_free(state->first);
	gr_free(state);
	step->state = NULL;
}

static const json_t *job_now(const struct state *state)
{
	return json_array_get(state->jobs, state->at);
}

static const char *job_name(const json_t *job)
{
	const char *name = json_string_value(json_object_get(job, "name"));

	return name != NULL ? name
	                    : operation_get((enum operation_id)json_integer_value(json_object_get(job, "call")))->id;
}

/* Takes the entry over, which tells of the same start as the job. */
static void put(struct state *state, const json_t *job, json_t *entry)
{
	if (json_object_get(job, "rerun") != NULL)
		(void)json_object_set(entry, "rerun", json_object_get(job, "rerun"));
	if (state->save == NULL)
		state->save = json_array();
	(void)json_array_append_new(state->save, entry);
}

static void miss(struct state *state, const json_t *job, const char *why)
{
	put(state, job, json_pack("{s:s, s:s}", "name", job_name(job), "missing", why));
	if (state->missing++ == 0)
		state->first = gr_printf("%s: %s", job_name(job), why);
}

static int finish(const struct step *step, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;

	action->save = gr_take(&state->save);
	if (state->missing > 0 && with_flag(step, "required"))
		return gr_fail(err, GR_SERVER, 0, "%lld of %zu things could not be had; the first: %s",
		        (long long)state->missing, json_array_size(state->jobs), state->first);
	return step_done(
	        action, OUTCOME_PASSED, json_pack("{s:[], s:I}", "files", "missing", (json_int_t)state->missing));
}

static int ask(struct state *state, const json_t *job, struct action *action)
{
	const char *url = json_string_value(json_object_get(job, "url"));

	if (url == NULL)
		return step_call(action, (enum operation_id)json_integer_value(json_object_get(job, "call")),
		        json_incref(json_object_get(job, "arguments")));
	action->progress =
	        gr_printf("fetching %s (%zu of %zu)", job_name(job), state->at + 1, json_array_size(state->jobs));
	action->kind = ACTION_FETCH;
	action->url = gr_strdup(url);
	action->save_as = gr_strdup(job_name(job));
	action->save_is_text = json_is_true(json_object_get(job, "text"));
	action->save_rerun = (unsigned)json_integer_value(json_object_get(job, "rerun"));
	action->fetch_may_fail = true;
	action->fetch_late_until_ms = state->late_until_ms;
	return 0;
}

static const json_t *next_job(const struct step *step)
{
	struct state *state = step->state;

	if (job_now(state) == NULL && !state->is_closed) {
		state->is_closed = true;
		collect_jobs_close(step, state->jobs);
	}
	return job_now(state);
}

static int go_on(const struct step *step, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	const json_t *job = next_job(step);

	for (; job != NULL && json_object_get(job, "missing") != NULL; job = next_job(step)) {
		miss(state, job, json_string_value(json_object_get(job, "missing")));
		state->at++;
	}
	if (job == NULL)
		return finish(step, action, err);
	action->save = gr_take(&state->save);
	action->fetch_most_bytes = with_int(step, "max_size", 0);
	return ask(state, job, action);
}

/* The job under way is done: a resumed run goes on behind it. */
static int pass(const struct step *step, struct action *action, size_t jobs_before, struct gr_error *err)
{
	struct state *state = step->state;

	state->at++;
	if (json_array_size(state->jobs) != jobs_before)
		step_learn(action, "jobs", json_deep_copy(state->jobs));
	step_learn(action, "at", json_integer((json_int_t)state->at));
	if (state->missing > 0)
		step_learn(action, "missing", json_integer((json_int_t)state->missing));
	if (state->first != NULL)
		step_learn(action, "first", json_string(state->first));
	return go_on(step, action, err);
}

static void take_answer(const struct step *step, const struct event *event)
{
	struct state *state = step->state;
	GR_AUTO_JSON json_t *job = json_incref(json_array_get(state->jobs, state->at));
	const char *name = json_string_value(json_object_get(job, "name"));

	if (event->outcome != CALL_DONE) {
		(void)json_object_set_new(job, "failed", json_true());
		miss(state, job, event->error.text[0] != '\0' ? event->error.text : "the server gave no usable answer");
		return;
	}
	if (name != NULL)
		put(state, job, json_pack("{s:s, s:O}", "name", name, "json", (json_t *)(uintptr_t)event->body));
	collect_jobs_extend(step, state->jobs, job, event->body);
}

static void take_file(const struct step *step, const struct event *event)
{
	struct state *state = step->state;

	if (event->error.failure != GR_NONE)
		miss(state, job_now(state), event->error.text);
}

/* What was not come to is listed as well. What is not required takes no verdict, when the step's own time is over. */
static int stop(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;

	for (; job_now(state) != NULL; state->at++)
		miss(state, job_now(state),
		        event->is_own_limit ? "the step's timeout was over before it was fetched"
		                            : "the run was stopped before it was fetched");
	if (event->is_own_limit && !with_flag(step, "required"))
		return finish(step, action, err);
	action->save = gr_take(&state->save);
	return step_stop(event, action);
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	struct state *state = step->state;
	size_t jobs_before = json_array_size(state->jobs);

	if (event->kind == EVENT_STOP)
		return stop(step, event, ret_action, err);
	if (event->kind == EVENT_START) {
		state->late_until_ms = event->now_ms + settle_ms(&step->context->poll, LATE_FILE_MS);
		if (state->jobs == NULL) {
			state->jobs = collect_jobs_new(step);
			step_learn(ret_action, "jobs", json_deep_copy(state->jobs));
		}
		return go_on(step, ret_action, err);
	}
	if (event->kind == EVENT_ANSWER)
		take_answer(step, event);
	else
		take_file(step, event);
	return pass(step, ret_action, jobs_before, err);
}

const struct step_ops collect_ops = {begin, next, release};
