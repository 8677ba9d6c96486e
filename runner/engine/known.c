#include "runner/engine/known.h"

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/engine/unfinished.h"

const struct replay_step *known_find(const struct lane *lane, const struct plan_step *plan)
{
	if (!plan->kind || lane->is_anew)
		return NULL;
	return replay_find(lane->engine->options->replay, lane->name, plan->id);
}

static bool is_settled(const struct replay_step *known)
{
	return known && replay_is_settled(known);
}

static void repeat_results(const struct engine *engine, const char *lane, const char *step)
{
	const struct results *results = &engine->options->replay->results;

	for (size_t i = 0; i < results->run_count; i++) {
		const struct device_run *run = &results->runs[i];
		struct run_event event = {.kind = RUN_DEVICE_RESULT,
		        .lane = lane,
		        .step = step,
		        .device_run = run,
		        .failure = run->failure};

		if (text_equal(run->lane, lane) && text_equal(run->step, step))
			engine_emit((struct engine *)(uintptr_t)engine, &event);
	}
}

bool known_finish(struct task *task, const struct replay_step *known)
{
	if (!is_settled(known))
		return false;
	repeat_results(task->engine, task->lane->name, task->plan->id);
	task->started_ms -= known->elapsed_ms; /* what it took then */
	task->outputs = json_incref(known->outputs);
	if (known->failure)
		(void)gr_fail(&task->error, known->failure, 0, "%s",
		        known->text ? known->text : failure_words(known->failure));
	task_finish(task, known->outcome);
	return true;
}

void known_remember(struct task *task, const struct replay_step *known)
{
	if (!known)
		return;
	task->context.since_start_ms = replay_since_start(known);
	(void)json_object_update(task->step.memory, known->memory);
	(void)broken_note(task->engine, task->lane->name, task->plan->id, known->memory);
	if (known->open_operation)
		(void)json_object_set_new(task->step.memory, "lost", json_string(known->open_operation));
}

bool known_close(const struct lane *lane, const struct plan_step *plan)
{
	const struct replay_step *known = known_find(lane, plan);
	struct run_event event = {.kind = STEP_ENDED, .lane = lane->name, .step = plan->id};

	if (!is_settled(known))
		return false;
	event.outcome = known->outcome;
	event.failure = known->failure;
	event.text = known->text;
	event.done = known->elapsed_ms;
	event.detail = known->outputs;
	engine_emit(lane->engine, &event);
	return true;
}

static bool has_result(const struct results *results, const struct replay_step *step)
{
	for (size_t i = 0; i < results->run_count; i++)
		if (text_equal(results->runs[i].lane, step->lane) && text_equal(results->runs[i].step, step->step))
			return true;
	return false;
}

static void add_remains(struct engine *engine, const struct replay_step *step)
{
	struct device_run *run = unfinished_run(engine->options->replay, step);
	struct run_event event = {.kind = RUN_DEVICE_RESULT, .lane = step->lane, .step = step->step, .device_run = run};

	if (!run)
		return;
	event.failure = run->failure;
	engine_emit(engine, &event);
	device_run_release(run);
	gr_free(run);
}

void known_complete(struct engine *engine)
{
	const struct replay *replay = engine->options->replay;

	for (size_t i = 0; replay && i < replay->step_count; i++) {
		const struct replay_step *step = &replay->steps[i];

		if (has_result(&engine->results, step))
			continue;
		add_remains(engine, step);
		if (!has_result(&engine->results, step))
			repeat_results(engine, step->lane, step->step);
	}
}
