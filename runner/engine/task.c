/* A step under way: hands events to its state machine and does what it answers. */
#include "runner/engine/run.h"

#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/engine/known.h"

#define START_GRACE_MS 2000 /* a start on the wire when a signal comes gets this long for its answer */

static void emit(struct task *task, struct run_event *event)
{
	event->lane = task->lane->name;
	event->step = task->plan->id;
	engine_emit(task->engine, event);
}

static void fill_context(struct task *task)
{
	struct engine *engine = task->engine;
	const struct poll_policy *poll = &task->plan->poll;

	task->context = (struct step_context){
	        .run_id = engine->options->run_id,
	        .run_key = engine->options->run_key,
	        .pipeline = engine->plan->name,
	        .lane = task->lane->name,
	        .step = task->plan->id,
	        .server_url = engine->base_url,
	        .user_id = engine->user_id,
	        .user_email = engine->email,
	        .own_build_id = engine->own_build_id,
	        .app = engine->app,
	        .platform = engine->plan->app_platform,
	        .resend_lost_start = task->plan->resend_lost_start,
	        .build_url = json_string_value(json_object_get(engine->options->environment, "build_url")),
	        .poll = {.every_low_ms = engine_scaled(engine, poll->every_low_ms),
	                .every_high_ms = engine_scaled(engine, poll->every_high_ms),
	                .queue_ms = engine_scaled(engine, poll->queue_ms),
	                .stall_ms = engine_scaled(engine, poll->stall_ms),
	                .timeout_ms = engine_scaled(engine, poll->timeout_ms),
	                .time_scale = engine->options->time_scale},
	};
}

/* ---- the end ---- */

static void drop_work(struct task *task)
{
	loop_timer_clear(task->engine->loop, &task->wait);
	loop_timer_clear(task->engine->loop, &task->limit);
	loop_timer_clear(task->engine->loop, &task->stop_by);
	call_cancel(task->call);
	task->call = NULL;
	start_lock_give(task->engine, &task->has_start_lock);
	download_cancel(task->download);
	task->download = NULL;
}

static void emit_end(struct task *task)
{
	struct run_event event = {.kind = STEP_ENDED,
	        .outcome = task->outcome,
	        .failure = task->outcome == OUTCOME_PASSED ? GR_NONE : task->error.failure,
	        .text = task->outcome == OUTCOME_PASSED || !task->error.text[0] ? NULL : task->error.text,
	        .done = loop_now(task->engine->loop) - task->started_ms,
	        .total = task->requests,
	        .is_repeatable = task->is_repeatable && task->outcome == OUTCOME_PASSED,
	        .detail = task->outputs};

	emit(task, &event);
}

/* What expressions see at steps.ID. */
static void publish(struct task *task)
{
	json_t *seen = json_is_object(task->outputs) ? json_copy(task->outputs) : json_object();

	(void)json_object_set_new(seen, "outcome", json_string(outcome_name(task->outcome)));
	(void)json_object_set_new(task->lane->done, task->plan->id, seen);
	if (!task->plan->kind || task->outcome != OUTCOME_PASSED)
		return;
	if (strcmp(task->plan->kind->name, "application") == 0) {
		json_decref(task->engine->app);
		task->engine->app = json_incref(task->outputs);
	}
	if (strcmp(task->plan->kind->name, "upload_build") == 0 && !task->engine->own_build_id)
		task->engine->own_build_id = /* kept for good: contexts of steps point to it */
		        gr_strdup(json_string_value(json_object_get(task->outputs, "app_build_id")));
	if (strcmp(task->plan->kind->name, "select_devices") == 0 && !replace_is(task->lane, task->plan))
		(void)json_object_set(
		        task->engine->devices, task->plan->devices->name, json_object_get(task->outputs, "devices"));
}

void task_finish(struct task *task, enum outcome outcome)
{
	drop_work(task);
	command_stop(task->command); /* it does not outlive its step */
	task->command = NULL;
	task->outcome = outcome;
	if (task->stop.failure && outcome != OUTCOME_PASSED && !task->error.failure)
		task->error = task->stop;
	publish(task);
	emit_end(task);
	lane_task_ended(task->lane);
}

static enum outcome outcome_of_failure(enum gr_failure failure)
{
	if (failure == GR_FAILED || failure == GR_COMMAND || failure == GR_GATE)
		return OUTCOME_FAILED;
	if (failure == GR_CANCELLED)
		return OUTCOME_CANCELLED;
	return OUTCOME_ERROR;
}

static void fail(struct task *task, const struct gr_error *err)
{
	task->error = *err;
	task_finish(task, outcome_of_failure(err->failure));
}

/* ---- what comes along with any action ---- */

static void note_learned(struct task *task, json_t *learned)
{
	struct run_event event = {.kind = STEP_LEARNED, .detail = learned};

	if (!learned)
		return;
	task->is_repeatable = false;
	(void)json_object_update(task->step.memory, learned);
	emit(task, &event);
}

/* One record: a process killed between two would have forgotten half. */
static void note_memory(struct task *task, struct action *action)
{
	struct run_event event = {.kind = STEP_LEARNED};

	if (!action->kept) {
		note_learned(task, action->learned);
		return;
	}
	task->is_repeatable = false;
	event.is_repeatable = action->kind == ACTION_WAIT && !action->learned;
	(void)json_object_update(task->step.memory, action->learned);
	(void)json_object_update_missing(action->kept, action->learned);
	event.detail = action->kept;
	emit(task, &event);
}

static void note_result(struct task *task, struct device_run *run)
{
	struct run_event event = {
	        .kind = RUN_DEVICE_RESULT, .device_run = run, .failure = run ? run->failure : GR_NONE};

	if (!run)
		return;
	task->has_result = true;
	task->is_repeatable = false;
	quarantine_take(task, run);
	rerun_take(task, run);
	event.failure = run->failure;
	gr_free(run->lane);
	gr_free(run->step);
	run->lane = gr_strdup(task->lane->name);
	run->step = gr_strdup(task->plan->id);
	gr_free(run->part);
	run->part = gr_strdup(task->part);
	emit(task, &event);
	if (run->failure && !task->error.failure)
		(void)gr_fail(&task->error, run->failure, 0, "%s",
		        run->problem_count ? run->problems[0].message : failure_words(run->failure));
}

static void note_progress(struct task *task, const struct action *action)
{
	struct run_event event = {.kind = STEP_PROGRESS,
	        .text = action->progress,
	        .done = action->progress_done,
	        .total = action->progress_total};

	if (action->progress && !text_equal(action->progress, task->said)) { /* a change of state, not every poll */
		gr_free(task->said);
		task->said = gr_strdup(action->progress);
		emit(task, &event);
	}
	if (action->warning) {
		struct run_event warning = {
		        .kind = RUN_PROBLEM, .failure = GR_SERVER, .text = action->warning, .done = 1};

		emit(task, &warning);
	}
}

static void note_all(struct task *task, struct action *action)
{
	/* The ledger before the memory: a process killed between the two finds the step still asking, and asks again.
	 */
	if (action->acquired || action->released || action->save)
		task->is_repeatable = false;
	if (action->acquired)
		resources_add(task->engine, task->lane->name, task->plan->id, action->acquired);
	note_memory(task, action);
	if (action->released)
		resources_mark_released(task->engine, action->released);
	note_result(task, action->device_run);
	if (!task->plan->until) /* else only the answer for which it holds */
		artifact_save(task, action->save);
	note_progress(task, action);
}

/* ---- actions ---- */

static void on_answer(void *context, const struct call_result *result)
{
	struct task *task = context;
	struct event event = {.kind = EVENT_ANSWER,
	        .outcome = result->outcome,
	        .may_still_work = result->may_still_work,
	        .body = result->body,
	        .body_owner = result->body_owner,
	        .error = result->error,
	        .file_sha256 = result->file_sha256,
	        .file_bytes = result->file_bytes};

	task->call = NULL;
	task->requests += result->attempts;
	loop_timer_clear(task->engine->loop, &task->stop_by);
	task_send(task, &event);
	if (task->stop.failure && task->lane->task == task) /* the answer was worth the wait; now stop */
		task_force(task);
}

static void on_wait_over(void *context)
{
	struct event event = {.kind = EVENT_TIME};

	task_send(context, &event);
}

static void start_call(struct task *task, struct action *action, bool is_timely)
{
	struct call_order order = {.operation = action->operation,
	        .arguments = gr_take(&action->arguments),
	        .policy = &task->plan->retry,
	        .answer_ms = action->answer_ms,
	        .deadline_ms = task->deadline_ms,
	        .start_lock = action->start_lock == START_LOCK_TAKE ? &task->has_start_lock : NULL,
	        .lane = task->lane->name,
	        .step = task->plan->id,
	        .is_timely = is_timely,
	        .is_hashed = true,
	        .on_done = on_answer,
	        .context = task};

	if (!order.arguments)
		order.arguments = json_object();
	task->is_repeatable = task->is_repeatable && operation_get(action->operation)->repeat == CLASS_READ;
	task->call = call_start(task->engine, &order);
}

static int finish_from_action(struct task *task, struct action *action, struct gr_error *err)
{
	bool holds = true;
	int r = action->outcome == OUTCOME_PASSED ? until_check(task, action->outputs, &holds, err) : 0;

	if (r < 0 || !holds)
		return r;
	quarantine_outputs(task, action);
	rerun_outputs(task, action);
	if (rerun_begin(task, action, &r, err))
		return r;
	if (task->plan->until)
		artifact_save(task, action->save);
	json_decref(task->outputs);
	task->outputs = gr_take(&action->outputs);
	if (task->files && json_is_object(task->outputs)) /* an answer may have `files` of its own */
		(void)json_object_set(
		        task->outputs, task->plan->kind->flags & KIND_OPEN ? "saved" : "files", task->files);
	if (action->outcome == OUTCOME_PASSED)
		task->error = (struct gr_error){0};
	else if (!task->error.failure && task->stop.failure)
		task->error = task->stop; /* a step that was stopped need not say why */
	else if (!task->error.failure)
		(void)gr_fail(&task->error, action->outcome == OUTCOME_FAILED ? GR_FAILED : GR_UNKNOWN, 0, "%s",
		        failure_words(action->outcome == OUTCOME_FAILED ? GR_FAILED : GR_UNKNOWN));
	task_finish(task, action->outcome);
	return 0;
}

/* 0: done or under way. */
static int perform(struct task *task, const struct event *event, struct action *action, struct gr_error *err)
{
	task->is_repeatable = task->is_repeatable && action->kind != ACTION_FETCH && action->kind != ACTION_SPAWN;
	if (action->kind == ACTION_FETCH || action->kind == ACTION_SPAWN) /* a call sees to it itself */
		engine_settle(task->engine);
	switch (action->kind) {
	case ACTION_CALL:
		start_call(task, action, event->kind == EVENT_TIME);
		return 0;
	case ACTION_FETCH:
		return download_start(task, action, err);
	case ACTION_WAIT:
		task->wait.on_due = on_wait_over;
		task->wait.context = task;
		loop_timer_set(task->engine->loop, &task->wait, action->until_ms);
		return 0;
	case ACTION_SPAWN:
		return command_start(task, action, err);
	case ACTION_DONE:
		return finish_from_action(task, action, err);
	}
	return gr_fail(err, GR_INTERNAL, 0, "step kind '%s' asked for nothing", task->plan->kind->name);
}

void task_send(struct task *task, struct event *event)
{
	struct action action = {0};
	struct gr_error err = {0};
	int r;

	event->now_ms = loop_now(task->engine->loop);
	event->wall_ms = clock_wall_ms() + task->engine->server_skew_ms;
	event->random = engine_random();
	event->starts = task->engine->starts;
	engine_settle_soon(task->engine);
	r = task->plan->kind->ops->next(&task->step, event, &action, &err);
	note_all(task, &action);
	if (r != 0 && !task->outputs)
		task->outputs = gr_take(&action.outputs);
	if (action.start_lock == START_LOCK_GIVE)
		start_lock_give(task->engine, &task->has_start_lock);
	if (r == 0 && task->stop.failure && action.kind != ACTION_DONE) {
		/* told to stop while a start was on the wire: its answer has been learned, nothing more begins */
		action_release(&action);
		return;
	}
	if (r == 0)
		r = perform(task, event, &action, &err);
	action_release(&action);
	if (r != 0)
		fail(task, &err);
}

/* ---- stopping ---- */

/* A request that leaves a trace is on the wire, and nobody waits for its answer: who goes on later must know. */
static void note_lost(struct task *task)
{
	const char *operation = call_committed(task->call);
	GR_AUTO_JSON json_t *learned = operation ? json_pack("{s:s}", "lost", operation) : NULL;

	note_learned(task, learned);
}

void task_force(struct task *task)
{
	struct event event = {.kind = EVENT_STOP, .error = task->stop, .is_own_limit = task->is_over_limit};

	if (task->outcome != OUTCOME_NOT_RUN || call_conclude(task->call, &task->stop))
		return; /* with the call's end on_answer() comes here again, if the step has not ended */
	note_lost(task);
	drop_work(task);
	if (task->lanes) {
		matrix_stop(task, task->stop.failure, task->stop.text);
		return;
	}
	if (task->is_begun)
		task_send(task, &event);
	if (task->lane->task == task && task->outcome == OUTCOME_NOT_RUN)
		fail(task, &task->stop);
}

static void on_stop_by(void *context)
{
	task_force(context);
}

void task_stop(struct task *task, enum gr_failure failure, const char *why)
{
	if (task->stop.failure)
		return;
	(void)gr_fail(&task->stop, failure, 0, "%s", why);
	if (call_committed(task->call)) {
		task->stop_by.on_due = on_stop_by;
		task->stop_by.context = task;
		loop_timer_set(task->engine->loop, &task->stop_by, loop_now(task->engine->loop) + START_GRACE_MS);
		return;
	}
	task_force(task);
}

static void on_limit(void *context)
{
	struct task *task = context;
	char span[CLOCK_TEXT_BYTES];
	GR_AUTO_FREE char *why =
	        gr_printf("the step's timeout of %s is over", clock_format_span(task->plan->timeout_ms, span));

	task->is_over_limit = !task->stop.failure;
	task_stop(task, GR_DEADLINE, why);
}

/* ---- the beginning ---- */

static void set_limit(struct task *task)
{
	task->deadline_ms = CLOCK_NEVER;
	if (task->plan->timeout_ms == CLOCK_NEVER || task->plan->timeout_ms <= 0)
		return;
	task->deadline_ms = task->started_ms + engine_scaled(task->engine, task->plan->timeout_ms);
	task->limit.on_due = on_limit;
	task->limit.context = task;
	loop_timer_set(task->engine->loop, &task->limit, task->deadline_ms);
}

static int begin(struct task *task, const struct replay_step *known, struct gr_error *err)
{
	int r;

	if (!task->plan->kind)
		return matrix_start(task, err);
	r = scope_fields(task->engine, task->lane, task->plan, &task->step.with, err);
	if (r < 0 && err->line)
		return gr_context(err, "%s:%u:%u", task->engine->plan->file, err->line, err->column);
	r = r < 0 ? r : until_allows(task, err);
	r = r < 0 ? r : past_take_part(task, err);
	if (r < 0)
		return r;
	past_fill(task);
	if (known)
		rerun_recall(task, known);
	r = task->plan->kind->ops->begin(&task->step, err);
	task->is_begun = r == 0;
	return r;
}

struct task *task_start(struct lane *lane, const struct plan_step *plan)
{
	struct task *task = gr_alloc(1, sizeof(*task));
	GR_AUTO_JSON json_t *facts = json_pack("{s:s?, s:b, s:b, s:b}", "name", plan->name, "runs_tests",
	        plan->kind && (plan->kind->flags & KIND_RUNS_TESTS), "best_effort", plan->is_tried, "may_continue",
	        plan->may_continue);
	struct run_event started = {
	        .kind = STEP_STARTED, .text = plan->kind ? plan->kind->name : "matrix", .detail = facts};
	struct event first = {.kind = EVENT_START};
	const struct replay_step *known = known_find(lane, plan);
	struct gr_error err = {0};

	task->engine = lane->engine;
	task->lane = lane;
	task->plan = plan;
	task->outcome = OUTCOME_NOT_RUN;
	task->is_repeatable = plan->kind && !(plan->kind->flags & KIND_LOCAL);
	task->started_ms = loop_now(lane->engine->loop);
	task->started_wall_ms = clock_wall_ms();
	task->step = (struct step){.kind = plan->kind, .context = &task->context, .memory = json_object()};
	lane->task = task;
	fill_context(task);
	set_limit(task);
	emit(task, &started);
	if (known)
		artifact_repeat(task);
	if (known_finish(task, known))
		return task;
	known_remember(task, known);
	if (begin(task, known, &err) < 0)
		fail(task, &err);
	else if (plan->kind)
		task_send(task, &first);
	return task;
}

void task_free(struct task *task)
{
	if (!task)
		return;
	drop_work(task);
	command_stop(task->command);
	if (task->plan->kind && task->plan->kind->ops && task->step.with)
		task->plan->kind->ops->release(&task->step);
	for (size_t i = 0; i < task->lane_count; i++)
		lane_free(task->lanes[i]);
	gr_free(task->lanes);
	gr_free(task->said);
	gr_free(task->looks);
	rerun_free(task);
	gr_free(task->part);
	json_decref(task->step.with);
	json_decref(task->step.memory);
	json_decref(task->outputs);
	json_decref(task->files);
	gr_free(task);
}
