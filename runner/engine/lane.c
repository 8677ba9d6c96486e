/* A lane: steps in their order. The main lane, one lane an element of a matrix, and `finally`. */
#include "runner/engine/run.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/engine/known.h"

static void emit(struct lane *lane, enum run_event_kind kind)
{
	struct run_event event = {.kind = kind, .lane = lane->name, .outcome = lane->outcome, .detail = lane->matrix};

	engine_emit(lane->engine, &event);
}

/* A step that did not run is said as well: skipped by its own `if`/`when`, or not run because of what came before. */
static void emit_skip(
        struct lane *lane, const struct plan_step *plan, enum outcome outcome, enum gr_failure failure, const char *why)
{
	struct run_event event = {.kind = STEP_ENDED,
	        .lane = lane->name,
	        .step = plan->id,
	        .outcome = outcome,
	        .failure = failure,
	        .text = why};
	json_t *seen = json_pack("{s:s}", "outcome", outcome_name(outcome));

	struct step_result *result = results_add_step(&lane->engine->results, lane->name, plan->id);

	(void)json_object_set_new(lane->done, plan->id, seen);
	gr_free(result->kind);
	result->kind = gr_strdup(plan->kind ? plan->kind->name : "matrix");
	result->runs_tests = plan->kind && (plan->kind->flags & KIND_RUNS_TESTS);
	result->is_best_effort = plan->is_tried;
	result->may_continue = plan->may_continue;
	engine_emit(lane->engine, &event);
}

/* Whether what says nothing else is left out from here on. */
static bool has_stopped(const struct lane *lane)
{
	return lane->has_failed || lane->is_stopped || lane->engine->stop != GR_NONE;
}

static bool is_red(const struct lane *lane)
{
	return lane->has_failed || (lane->outcome != OUTCOME_NOT_RUN && lane->outcome != OUTCOME_PASSED);
}

/* Whether anything has failed so far, also where `on_failure: continue` let the lane go on. */
static bool has_failed(const struct lane *lane)
{
	const struct engine *engine = lane->engine;

	return is_red(lane) || lane->is_stopped || (lane->is_finally && is_red(engine->main)) ||
	       engine->stop != GR_NONE;
}

/* Why its matrix stopped the lane: its time was over, or `fail_fast`. NULL: it did not. */
static const struct gr_error *stop_of(const struct lane *lane)
{
	return lane->is_stopped && lane->parent && lane->parent->stop.failure ? &lane->parent->stop : NULL;
}

/* Does `when:` let the step run? Otherwise *ret_why says why not; *ret_is_wish: by the step's own words, not because of
 * a failure. */
static bool when_allows(const struct lane *lane, const struct plan_step *plan, const char **ret_why, bool *ret_is_wish)
{
	*ret_is_wish = true;
	switch (plan->when) {
	case WHEN_ALWAYS:
		return true;
	case WHEN_CANCELLED:
		*ret_why = "when: cancelled, and the run was not cancelled";
		return lane->engine->stop == GR_CANCELLED;
	case WHEN_FAILURE:
		*ret_why = "when: failure, and nothing has failed";
		return has_failed(lane) && lane->engine->stop != GR_CANCELLED;
	case WHEN_SUCCESS:
		*ret_is_wish = lane->is_finally;
		*ret_why = lane->engine->stop == GR_CANCELLED  ? "the run was cancelled"
		           : lane->engine->stop == GR_DEADLINE ? "the run's time was over"
		           : lane->engine->stop == GR_NETWORK  ? "the server was out of reach"
		           : stop_of(lane)                     ? stop_of(lane)->text
		                                               : "an earlier step did not pass";
		return lane->is_finally ? !has_failed(lane) : !has_stopped(lane);
	}
	return false;
}

static bool condition_allows(struct lane *lane, const struct plan_step *plan, struct gr_error *err)
{
	GR_AUTO_JSON json_t *scope = NULL;
	bool is_true = false;

	if (!plan->condition)
		return true;
	scope = scope_new(lane->engine, lane);
	if (expression_is_true(plan->condition, scope, &is_true, err) < 0)
		(void)gr_context(err, "%s:%u:%u: `if`", lane->engine->plan->file, err->line, err->column);
	return is_true;
}

/* What a step's outcome means for its lane. */
static void take_outcome(struct lane *lane, const struct plan_step *plan, enum outcome outcome)
{
	if (outcome == OUTCOME_PASSED || outcome == OUTCOME_SKIPPED || plan->best_effort)
		return;
	if (lane->outcome == OUTCOME_NOT_RUN || lane->outcome == OUTCOME_FAILED)
		lane->outcome = outcome;
	if (!plan->may_continue)
		lane->has_failed = true;
}

/* Groups that no step asked for. */
static void close_selections(struct lane *lane)
{
	for (size_t i = 0; i < lane->count; i++) {
		const struct plan_step *plan = &lane->steps[i];

		if (plan->devices && !json_object_get(lane->done, plan->id) && !known_close(lane, plan))
			emit_skip(lane, plan, OUTCOME_SKIPPED, GR_NONE, "no step that was done needs these devices");
	}
}

static void end(struct lane *lane)
{
	lane->is_ended = true;
	close_selections(lane);
	if (lane->outcome == OUTCOME_NOT_RUN)
		lane->outcome = lane->is_stopped ? OUTCOME_CANCELLED : OUTCOME_PASSED;
	emit(lane, LANE_ENDED);
	lane->on_end(lane);
}

/* What `artifacts.collect` put after a test step is there for what that step left on the server. */
static bool collect_is_due(const struct lane *lane, const struct plan_step *plan)
{
	const json_t *test = json_object_get(lane->done, plan->collect_for);
	const char *outcome = json_string_value(json_object_get(test, "outcome"));

	if (!outcome || lane->engine->stop || lane->engine->is_late || lane->is_stopped)
		return false;
	if (strcmp(outcome, outcome_name(OUTCOME_SKIPPED)) == 0 || strcmp(outcome, outcome_name(OUTCOME_NOT_RUN)) == 0)
		return false;
	return !lane->engine->plan->collect_after_failure_only || strcmp(outcome, outcome_name(OUTCOME_PASSED)) != 0;
}

/* The selection that the step is still without, of the first `count` groups that it names: made when a step that needs
 * it is about to be done, so that nothing is waited for, or held, for steps that are left out. NULL: none, or the run
 * has been stopped and takes no more. */
static const struct plan_step *missing_selection(const struct lane *lane, const struct plan_step *plan, size_t count)
{
	for (size_t i = 0; i < count && !lane->engine->stop; i++)
		for (size_t j = 0; j < lane->count; j++)
			if (lane->steps[j].devices == plan->needs[i] && !json_object_get(lane->done, lane->steps[j].id))
				return &lane->steps[j];
	return NULL;
}

/* Not started: its condition is wrong, or its `when` or `if` says no. */
static bool is_left_out(struct lane *lane, const struct plan_step *plan)
{
	const struct gr_error *stop = stop_of(lane);
	struct gr_error err = {0};
	const char *why = NULL;
	bool is_wish = true;

	if (plan->collect_for && !collect_is_due(lane, plan))
		return true;
	if (!when_allows(lane, plan, &why, &is_wish)) {
		if (!is_wish && known_close(lane, plan))
			return true;
		if (is_wish)
			emit_skip(lane, plan, OUTCOME_SKIPPED, GR_NONE, why);
		else
			emit_skip(lane, plan, OUTCOME_NOT_RUN, stop ? stop->failure : GR_NONE, why);
		return true;
	}
	if (missing_selection(lane, plan, plan->early_needs))
		return false;
	if (condition_allows(lane, plan, &err))
		return false;
	if (err.failure) {
		emit_skip(lane, plan, OUTCOME_ERROR, err.failure, err.text);
		take_outcome(lane, plan, OUTCOME_ERROR);
	} else {
		emit_skip(lane, plan, OUTCOME_SKIPPED, GR_NONE, "its `if` is false");
	}
	return true;
}

static void turn(void *context)
{
	struct lane *lane = context;

	const struct plan_step *due = replace_due(lane);

	task_free(lane->task);
	lane->task = NULL;
	if (due) {
		(void)task_start(lane, due);
		return;
	}
	while (lane->next < lane->count) {
		const struct plan_step *plan = &lane->steps[lane->next++];

		if (plan->devices || is_left_out(lane, plan))
			continue;
		due = missing_selection(lane, plan, plan->need_count);
		lane->next -= due != NULL;
		(void)task_start(lane, due ? due : plan);
		return;
	}
	end(lane);
}

static void go_on(struct lane *lane)
{
	lane->turn.on_due = turn;
	lane->turn.context = lane;
	loop_timer_set(lane->engine->loop, &lane->turn, loop_now(lane->engine->loop));
}

void lane_task_ended(struct lane *lane)
{
	const struct task *task = lane->task;

	if (replace_is(lane, task->plan)) {
		replace_end(lane, task);
		go_on(lane);
		return;
	}
	if (replace_begin(lane)) {
		go_on(lane);
		return;
	}
	take_outcome(lane, task->plan, task->outcome);
	go_on(lane);
}

struct lane *lane_new(struct engine *engine, struct task *parent, const char *name)
{
	struct lane *lane = gr_alloc(1, sizeof(*lane));

	lane->engine = engine;
	lane->parent = parent;
	lane->name = gr_strdup(name);
	lane->outcome = OUTCOME_NOT_RUN;
	/* what came before in the lanes above is seen below, not the other way round */
	lane->done = parent ? json_copy(parent->lane->done) : json_object();
	return lane;
}

void lane_begin(struct lane *lane)
{
	emit(lane, LANE_STARTED);
	replace_recall(lane);
	go_on(lane);
}

void lane_stop(struct lane *lane, enum gr_failure failure, const char *why)
{
	if (lane->is_ended)
		return;
	lane->is_stopped = true;
	if (lane->task && lane->task->outcome == OUTCOME_NOT_RUN)
		task_stop(lane->task, failure, why);
}

void lane_close(struct lane *lane)
{
	while (!lane->is_ended && lane->next < lane->count) {
		const struct plan_step *plan = &lane->steps[lane->next++];

		if (!plan->devices && !known_close(lane, plan))
			emit_skip(lane, plan, OUTCOME_NOT_RUN, GR_NONE, "the run ended before it");
	}
	if (lane->is_ended)
		return;
	close_selections(lane);
	lane->is_ended = true;
	if (lane->outcome == OUTCOME_NOT_RUN)
		lane->outcome = OUTCOME_CANCELLED;
	emit(lane, LANE_ENDED);
}

void lane_free(struct lane *lane)
{
	if (!lane)
		return;
	loop_timer_clear(lane->engine->loop, &lane->turn);
	task_free(lane->task);
	json_decref(lane->matrix);
	json_decref(lane->done);
	replace_free(lane);
	gr_free(lane->name);
	gr_free(lane);
}
