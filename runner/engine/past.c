/* What earlier runs say to a step: how long they took, as the times at which their end is looked for. */
#include "runner/engine/run.h"

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/steps/schedule.h"

/* Runs that are reckoned with; of older ones next to nothing is left by weight. */
#define RUNS_MOST 60
/* No look is later than this part of `poll.stall` after the one before: a run that stands still is still noticed. */
#define STALL_PART 4

static size_t add_runs(const json_t *list, size_t from, struct schedule_run *runs, size_t count)
{
	const json_t *pair = json_array_get(list, from);

	if (!pair || count == RUNS_MOST)
		return count;
	runs[count] = (struct schedule_run){
	        json_integer_value(json_array_get(pair, 0)), json_integer_value(json_array_get(pair, 1))};
	return count + 1;
}

/* Those of this device; when they are too few, those of all devices, the latest of each first. */
static size_t find_runs(const struct task *task, const json_t *devices, struct schedule_run *runs)
{
	const json_t *device = json_object_get(task->step.with, "device"), *list;
	const char *name = json_string_value(json_object_get(device, "name")), *key;
	const json_t *own;
	size_t count = 0;

	if (!name)
		name = json_string_value(json_object_get(device, "device_id"));
	own = name ? json_object_get(devices, name) : NULL;
	for (size_t i = 0; i < json_array_size(own); i++)
		count = add_runs(own, i, runs, count);
	if (count >= SCHEDULE_RUNS_LEAST)
		return count;
	count = 0;
	for (size_t i = 0; i < RUNS_MOST; i++)
		json_object_foreach ((json_t *)(uintptr_t)devices, key, list)
			count = add_runs(list, i, runs, count);
	return count;
}

void past_fill(struct task *task)
{
	const json_t *durations = json_object_get(task->engine->options->past, "durations");
	const json_t *devices = json_object_get(durations, task->plan->id);
	struct poll_policy *poll = &task->context.poll;
	struct schedule_run runs[RUNS_MOST];
	struct schedule_wish wish = {.least_gap_ms = poll->every_low_ms, .most_gap_ms = poll->every_high_ms};
	size_t count;

	if (!devices || !(task->plan->kind->flags & KIND_RUNS_TESTS) || !(task->plan->kind->flags & KIND_POLLS))
		return;
	count = find_runs(task, devices, runs);
	if (poll->stall_ms != CLOCK_NEVER && poll->stall_ms / STALL_PART > wish.most_gap_ms)
		wish.most_gap_ms = poll->stall_ms / STALL_PART;
	/* As many looks as would be taken without a history. */
	wish.looks = schedule_looks_of_pace(runs, count, poll->every_low_ms, poll->every_high_ms);
	task->looks = schedule_plan(runs, count, &wish, &poll->look_count);
	poll->looks_ms = task->looks;
}
