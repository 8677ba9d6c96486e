/* A matrix: one lane an element (a cell of the product of its axes), lanes side by side, steps of a lane in order. */
#include "runner/engine/run.h"

#include <string.h>

#include "runner/base/memory.h"

#define LANES_MOST 10000 /* a mistake in a matrix must not become 10,000 device runs unnoticed; more is refused */

static int evaluate_axes(struct task *task, json_t **ret_axes, struct gr_error *err)
{
	GR_AUTO_JSON json_t *scope = scope_new(task->engine, task->lane);
	GR_AUTO_JSON json_t *axes = json_array();

	for (size_t i = 0; i < task->plan->axis_count; i++) {
		json_t *values = NULL;
		int r = node_evaluate(task->plan->axis_values[i], scope, &values, err);

		if (r < 0)
			return gr_context(err, "matrix '%s'", task->plan->axes[i]);
		(void)json_array_append_new(axes, values);
		if (!json_is_array(values) || json_array_size(values) == 0)
			return gr_fail(err, GR_CONFIG, 0, "matrix '%s' needs a list with at least one element",
			        task->plan->axes[i]);
	}
	*ret_axes = gr_take(&axes);
	return 0;
}

/* What a value is called in a lane's name. Of a device that was given no name its id, not all that is known of it. */
static char *value_name(const json_t *value)
{
	static const char *const keys[] = {"name", "device_id", "udid"};

	for (size_t i = 0; i < GR_COUNT(keys); i++) {
		const char *name = json_string_value(json_object_get(value, keys[i]));

		if (name && *name)
			return gr_strdup(name);
	}
	return value_text(value);
}

static struct lane *make_lane(struct task *task, const json_t *axes, size_t number)
{
	GR_AUTO_JSON json_t *values = json_object();
	bool is_top = task->lane == task->engine->main; /* lanes of other lanes are told apart by theirs */
	GR_AUTO_FREE char *name =
	        gr_printf("%s%s%s/%zu", is_top ? "" : task->lane->name, is_top ? "" : " ", task->plan->id, number);
	struct lane *lane;
	size_t rest = number;

	for (size_t i = task->plan->axis_count; i-- > 0;) { /* the last axis turns fastest */
		const json_t *axis = json_array_get(axes, i);
		json_t *value = json_array_get(axis, rest % json_array_size(axis));

		rest /= json_array_size(axis);
		(void)json_object_set(values, task->plan->axes[i], value);
	}
	for (size_t i = 0; i < task->plan->axis_count; i++) {
		GR_AUTO_FREE char *part = value_name(json_object_get(values, task->plan->axes[i]));
		char *longer = gr_printf("%s %s", name, part);

		gr_free(name);
		name = longer;
	}
	lane = lane_new(task->engine, task, name);
	lane->is_finally = task->lane->is_finally;
	if (task->lane->matrix) { /* a matrix inside a lane sees the outer values too */
		lane->matrix = json_copy(task->lane->matrix);
		(void)json_object_update(lane->matrix, values);
	} else {
		lane->matrix = json_incref(values);
	}
	lane->steps = task->plan->steps;
	lane->count = task->plan->step_count;
	return lane;
}

/* The lane's own steps: what it saw of those before it is not its result. */
static json_t *own_steps(const struct lane *lane)
{
	json_t *own = json_object(), *outputs;
	const char *id;

	json_object_foreach (lane->done, id, outputs)
		if (!json_object_get(lane->parent->lane->done, id))
			(void)json_object_set(own, id, outputs);
	return own;
}

static json_t *outputs_of(const struct task *task)
{
	json_t *lanes = json_array();
	int passed = 0, failed = 0;

	for (size_t i = 0; i < task->lane_count; i++) {
		const struct lane *lane = task->lanes[i];

		(void)json_array_append_new(
		        lanes, json_pack("{s:s, s:s, s:O?, s:o}", "name", lane->name, "outcome",
		                       outcome_name(lane->outcome), "matrix", lane->matrix, "steps", own_steps(lane)));
		if (lane->outcome == OUTCOME_PASSED)
			passed++;
		else
			failed++;
	}
	return json_pack("{s:o, s:i, s:i}", "lanes", lanes, "passed", passed, "failed", failed);
}

/* The worst of the lanes, in whatever order they stand: a definite failure, then what is not
 * proven, then what was cancelled (by `fail_fast`, because of another lane). */
static enum outcome worst(const struct task *task)
{
	enum outcome outcome = OUTCOME_PASSED;

	for (size_t i = 0; i < task->lane_count; i++) {
		enum outcome one = task->lanes[i]->outcome;

		if (one == OUTCOME_NOT_RUN)
			one = OUTCOME_ERROR;
		if (one == OUTCOME_FAILED || outcome == OUTCOME_PASSED ||
		        (one == OUTCOME_ERROR && outcome == OUTCOME_CANCELLED))
			outcome = one;
	}
	return outcome;
}

static bool may_start(const struct task *task)
{
	if (task->lanes_next >= task->lane_count || task->stop.failure)
		return false;
	return task->plan->max_parallel == 0 || task->lanes_running < task->plan->max_parallel;
}

static void begin_lanes(struct task *task)
{
	while (may_start(task)) {
		task->lanes_running++;
		lane_begin(task->lanes[task->lanes_next++]);
	}
}

/* Lanes that never began are said, so that no device goes missing in silence. */
static void close_unstarted(struct task *task)
{
	while (task->lanes_next < task->lane_count) {
		struct lane *lane = task->lanes[task->lanes_next++];
		struct run_event event = {
		        .kind = LANE_ENDED, .lane = lane->name, .outcome = OUTCOME_NOT_RUN, .detail = lane->matrix};

		lane->is_ended = true;
		lane->outcome = OUTCOME_NOT_RUN;
		engine_emit(task->engine, &event);
		engine_problem(task->engine, task->engine->stop ? task->engine->stop : GR_NOT_RUN, lane->name,
		        task->plan->id, "lane '%s' was never started", lane->name);
	}
}

/* Of lanes that ended on trouble the steps say which. */
static enum gr_failure failure_of_lanes(enum outcome outcome)
{
	if (outcome == OUTCOME_FAILED)
		return GR_FAILED;
	return outcome == OUTCOME_CANCELLED ? GR_CANCELLED : GR_NONE;
}

static void settle(struct task *task)
{
	if (task->lanes_running > 0)
		return;
	if (task->lanes_next < task->lane_count)
		close_unstarted(task);
	past_split_end(task);
	json_decref(task->outputs);
	task->outputs = outputs_of(task);
	if (worst(task) != OUTCOME_PASSED && !task->error.failure)
		(void)gr_fail(&task->error, failure_of_lanes(worst(task)), 0, "a lane did not pass");
	task_finish(task, worst(task));
}

static void on_lane_end(struct lane *lane)
{
	struct task *task = lane->parent;

	task->lanes_running--;
	if (task->plan->fail_fast && lane->outcome != OUTCOME_PASSED && !task->stop.failure) {
		(void)gr_fail(&task->stop, GR_CANCELLED, 0, "fail_fast: lane '%s' did not pass", lane->name);
		for (size_t i = 0; i < task->lane_count; i++)
			lane_stop(task->lanes[i], GR_CANCELLED, task->stop.text);
	}
	begin_lanes(task);
	settle(task);
}

int matrix_start(struct task *task, struct gr_error *err)
{
	GR_AUTO_JSON json_t *axes = NULL;
	size_t cells = 1;
	int r = evaluate_axes(task, &axes, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < task->plan->axis_count; i++) {
		cells *= json_array_size(json_array_get(axes, i));
		if (cells > LANES_MOST)
			return gr_fail(err, GR_CONFIG, 0, "the matrix has more than %d lanes", LANES_MOST);
	}
	task->lanes = gr_alloc(cells, sizeof(struct lane *));
	for (size_t i = 0; i < cells; i++) {
		task->lanes[task->lane_count++] = make_lane(task, axes, i);
		task->lanes[i]->on_end = on_lane_end;
	}
	r = past_split(task, err);
	if (r == 0)
		begin_lanes(task);
	return r;
}

void matrix_stop(struct task *task, enum gr_failure failure, const char *why)
{
	for (size_t i = 0; i < task->lane_count; i++)
		if (i < task->lanes_next)
			lane_stop(task->lanes[i], failure, why);
	settle(task);
}
