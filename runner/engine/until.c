/* `until:` of a call: the same operation again, at the pace of `poll:`, until the condition holds for its answer. */
#include "runner/engine/run.h"

#include "runner/base/clock.h"
#include "runner/base/memory.h"

int until_allows(const struct task *task, struct gr_error *err)
{
	const char *name = json_string_value(json_object_get(task->step.with, "operation"));
	const struct operation *operation = task->plan->until && name ? operation_find(name) : NULL;

	if (!operation || (operation->repeat != CLASS_START && operation->repeat != CLASS_MARKED))
		return 0;
	return gr_fail(err, GR_CONFIG, 0,
	        "`until` would send '%s' again and again, and each time it makes something new; it was not sent",
	        operation->id);
}

static void on_due(void *context)
{
	struct event event = {.kind = EVENT_START};

	task_send(context, &event);
}

static int evaluate(struct task *task, const json_t *outputs, bool *ret_holds, struct gr_error *err)
{
	GR_AUTO_JSON json_t *scope = scope_new(task->engine, task->lane);

	(void)json_object_set(scope, "outputs", (json_t *)(uintptr_t)outputs);
	(void)json_object_set(scope, "answer", json_object_get(outputs, "answer"));
	return expression_is_true(task->plan->until, scope, ret_holds, err);
}

static void wait_again(struct task *task)
{
	const struct poll_policy *poll = &task->context.poll;

	if (task->until_every_ms < poll->every_low_ms)
		task->until_every_ms = poll->every_low_ms;
	task->wait.on_due = on_due;
	task->wait.context = task;
	loop_timer_set(task->engine->loop, &task->wait, loop_now(task->engine->loop) + task->until_every_ms);
	task->until_every_ms += task->until_every_ms / 4;
	if (task->until_every_ms > poll->every_high_ms)
		task->until_every_ms = poll->every_high_ms;
}

int until_check(struct task *task, const json_t *outputs, bool *ret_holds, struct gr_error *err)
{
	int64_t limit = task->context.poll.timeout_ms;
	char span[CLOCK_TEXT_BYTES];
	int r;

	*ret_holds = true;
	if (!task->plan->until)
		return 0;
	r = evaluate(task, outputs, ret_holds, err);
	if (r < 0 || *ret_holds)
		return r < 0 ? gr_context(err, "until") : 0;
	if (limit != CLOCK_NEVER && limit > 0 && loop_now(task->engine->loop) - task->started_ms >= limit)
		return gr_fail(err, GR_DEADLINE, 0, "until: did not hold within poll.timeout (%s)",
		        clock_format_span(task->plan->poll.timeout_ms, span));
	wait_again(task);
	return 0;
}
