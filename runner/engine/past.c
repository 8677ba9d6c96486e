/* What earlier runs say to a step: how long they took, as the times at which their end is looked for; and how long its
 * tests took, as the part of them that a lane has. */
#include "runner/engine/run.h"

#include "pipelines/split.h"

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/engine/journal.h"
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
	for (size_t i = 0; i < RUNS_MOST && count < RUNS_MOST; i++)
		json_object_foreach ((json_t *)(uintptr_t)devices, key, list) {
			count = add_runs(list, i, runs, count);
			if (count == RUNS_MOST) /* of 1,000 devices, in each of 1,000 lanes */
				break;
		}
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

/* ---- tests that are spread over lanes ---- */

static json_t *make_parts(const struct task *matrix, const struct plan_step *step)
{
	const json_t *seconds = json_object_get(matrix->engine->options->past, "seconds");
	json_t *spread = split_spread(step->split_tests, step->split_by_count ? NULL : seconds, matrix->lane_count);
	json_t *parts = json_incref(json_object_get(spread, "parts"));

	json_decref(spread);
	return parts;
}

static int check_lanes(const struct task *matrix, const struct plan_step *step, struct gr_error *err)
{
	if (step->split_lanes && step->split_lanes != matrix->lane_count)
		return gr_fail(err, GR_CONFIG, 0, "the matrix has %zu lanes, and `split` of '%s' wants %zu",
		        matrix->lane_count, step->id, step->split_lanes);
	if (split_count(step->split_tests) < matrix->lane_count)
		return gr_fail(err, GR_CONFIG, 0,
		        "'%s' has %zu test cases for %zu lanes: a lane would have nothing to do", step->id,
		        split_count(step->split_tests), matrix->lane_count);
	return 0;
}

static void say_learned(const struct task *task)
{
	struct run_event event = {
	        .kind = STEP_LEARNED, .lane = task->lane->name, .step = task->plan->id, .detail = task->step.memory};

	engine_emit(task->engine, &event);
}

static bool was_skipped(const struct lane *lane, const struct plan_step *step)
{
	const json_t *seen = json_object_get(lane->done, step->id);

	return text_equal(json_string_value(json_object_get(seen, "outcome")), outcome_name(OUTCOME_SKIPPED));
}

void past_split_end(struct task *matrix)
{
	for (size_t i = 0; i < matrix->plan->step_count; i++) {
		const struct plan_step *step = &matrix->plan->steps[i];
		size_t skipped = 0;

		for (size_t k = 0; step->is_split && k < matrix->lane_count; k++)
			skipped += was_skipped(matrix->lanes[k], step);
		if (skipped == 0 || skipped == matrix->lane_count || step->is_tried)
			continue;
		for (size_t k = 0; k < matrix->lane_count; k++)
			if (was_skipped(matrix->lanes[k], step))
				engine_problem(matrix->engine, GR_NOT_RUN, matrix->lanes[k]->name, step->id,
				        "the lane skipped its part of the tests of '%s', which other lanes did not do "
				        "for it",
				        step->id);
	}
}

int past_split(struct task *matrix, struct gr_error *err)
{
	const struct replay_step *known =
	        replay_find(matrix->engine->options->replay, matrix->lane->name, matrix->plan->id);
	json_t *split = known ? json_object_get(known->memory, "split") : NULL;
	GR_AUTO_JSON json_t *made = NULL;
	int r = 0;

	for (size_t i = 0; i < matrix->plan->step_count && !split && r == 0; i++) {
		const struct plan_step *step = &matrix->plan->steps[i];

		if (!step->is_split)
			continue;
		r = check_lanes(matrix, step, err);
		if (!made)
			made = json_object();
		if (r == 0)
			(void)json_object_set_new(made, step->id, make_parts(matrix, step));
	}
	if (r < 0 || !(split || made))
		return r;
	(void)json_object_set(matrix->step.memory, "split", split ? split : made);
	if (!split)
		say_learned(matrix);
	return 0;
}

int past_take_part(struct task *task, struct gr_error *err)
{
	const struct task *matrix = task->lane->parent;
	const json_t *parts;
	size_t number = 0;

	if (!task->plan->is_split)
		return 0;
	while (number < matrix->lane_count && matrix->lanes[number] != task->lane)
		number++;
	parts = json_object_get(json_object_get(matrix->step.memory, "split"), task->plan->id);
	if (json_array_size(parts) != matrix->lane_count)
		return gr_fail(err, GR_CONFIG, 0, "the tests of '%s' were spread over %zu lanes, and now there are %zu",
		        task->plan->id, json_array_size(parts), matrix->lane_count);
	(void)json_object_set(task->step.with, "testcases", json_array_get(parts, number));
	task->part = gr_printf("%zu/%zu", number + 1, matrix->lane_count);
	return 0;
}
