/* A lane whose device was lost before anything was started on it takes another one of its group and begins anew.
 * Whether the device is lost is for the list of devices to say (select_devices, `lost`), not for the words of a
 * refusal. */
#include "runner/engine/run.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/engine/journal.h"

#define REPLACEMENTS_MOST 3 /* of one lane: what goes on failing then is not the devices' fault */

struct replacement {
	struct plan_step plan; /* the group's own selection, under another id */
	char *id, *axis;
	json_t *lost;
	unsigned count;
	bool is_under_way;
	/* the trouble that began it, kept should there be no other device */
	enum outcome outcome;
	bool stops_lane;
};

static bool is_in_group(const json_t *devices, const json_t *device)
{
	const char *id = json_string_value(json_object_get(device, "device_id"));
	const json_t *item;
	size_t i;

	json_array_foreach (devices, i, item)
		if (id && text_equal(json_string_value(json_object_get(item, "device_id")), id))
			return true;
	return false;
}

/* The selection that gave this lane the device at one of its axes, or NULL. */
static const struct plan_step *selection_of(const struct lane *lane, const char **ret_axis)
{
	const struct engine *engine = lane->engine;
	const struct plan_step *matrix = lane->parent->plan;

	for (size_t i = 0; i < matrix->axis_count; i++)
		for (size_t j = 0; j < engine->plan->step_count; j++) {
			const struct plan_step *plan = &engine->plan->steps[j];

			if (!plan->devices || !is_in_group(json_object_get(engine->devices, plan->devices->name),
			                              json_object_get(lane->matrix, matrix->axes[i])))
				continue;
			*ret_axis = matrix->axes[i];
			return plan;
		}
	return NULL;
}

/* Trouble that a lost device makes, before any run was started: a start that was sent has a result, whatever became of
 * it. */
static bool may_be_the_device(const struct lane *lane)
{
	const struct task *task = lane->task;

	if (!lane->parent || !lane->matrix || !task->plan->kind || task->has_result || task->outcome != OUTCOME_ERROR)
		return false;
	if (lane->engine->stop || task->stop.failure || lane->is_stopped || task->plan->best_effort)
		return false;
	if (strcmp(task->plan->kind->name, "install") != 0 && !(task->plan->kind->flags & KIND_RUNS_TESTS))
		return false;
	return task->error.failure == GR_INSTALL || task->error.failure == GR_SERVER ||
	       task->error.failure == GR_DEVICE;
}

/* What select_devices is asked beside the group's own fields: one device, none of those that this run has had. */
void replace_fields(const struct lane *lane, json_t *with)
{
	const struct replacement *replacement = lane->replacement;
	json_t *except = json_array();
	const json_t *devices, *item;
	size_t i;

	devices = json_object_get(lane->engine->devices, replacement->plan.devices->name);
	json_array_foreach (devices, i, item)
		(void)json_array_append(except, json_object_get(item, "device_id"));
	(void)json_object_set_new(with, "except", except);
	(void)json_object_set_new(with, "count", json_integer(1));
	(void)json_object_set(with, "lost", json_object_get(replacement->lost, "device_id"));
}

bool replace_is(const struct lane *lane, const struct plan_step *plan)
{
	return lane->replacement && plan == &lane->replacement->plan;
}

static struct replacement *prepare(struct lane *lane, const struct plan_step *selection, const char *axis)
{
	struct replacement *replacement = lane->replacement;

	if (!replacement)
		replacement = lane->replacement = gr_alloc(1, sizeof(*replacement));
	gr_free(replacement->id);
	gr_free(replacement->axis);
	json_decref(replacement->lost);
	replacement->id = gr_printf("%s" REPLACE_MARK "%u", selection->id, ++replacement->count);
	replacement->axis = gr_strdup(axis);
	replacement->lost = json_incref(json_object_get(lane->matrix, axis));
	replacement->plan = *selection;
	replacement->plan.id = replacement->id;
	/* without another device it is the first trouble that counts */
	replacement->plan.best_effort = replacement->plan.is_tried = true;
	return replacement;
}

bool replace_begin(struct lane *lane)
{
	const char *axis = NULL;
	const struct plan_step *selection = may_be_the_device(lane) ? selection_of(lane, &axis) : NULL;
	struct replacement *replacement = lane->replacement;

	if (!selection || (replacement && replacement->count >= REPLACEMENTS_MOST))
		return false;
	replacement = prepare(lane, selection, axis);
	replacement->outcome = lane->task->outcome;
	replacement->stops_lane = !lane->task->plan->may_continue;
	replacement->is_under_way = true;
	return true;
}

const struct plan_step *replace_due(struct lane *lane)
{
	if (!lane->replacement || !lane->replacement->is_under_way)
		return NULL;
	lane->replacement->is_under_way = false;
	return &lane->replacement->plan;
}

static const char *lost_name(const struct lane *lane)
{
	return json_string_value(json_object_get(lane->replacement->lost, "name"));
}

static void say_taken(const struct lane *lane, const json_t *taken)
{
	engine_warn(lane->engine, GR_DEVICE, lane->name, NULL,
	        "device '%s' was lost before its run was started; '%s' takes its place", lost_name(lane),
	        json_string_value(json_object_get(taken, "name")));
}

static void say_none(const struct lane *lane, const struct task *task)
{
	engine_warn(lane->engine, GR_DEVICE, lane->name, NULL, "no other device takes the place of '%s': %s",
	        lost_name(lane), task->error.text);
}

static void take(struct lane *lane, json_t *taken)
{
	struct replacement *replacement = lane->replacement;
	json_t *matrix = json_copy(lane->matrix);

	(void)json_array_append(json_object_get(lane->engine->devices, replacement->plan.devices->name), taken);
	(void)json_object_set(matrix, replacement->axis, taken);
	json_decref(lane->matrix);
	lane->matrix = matrix;
	json_decref(lane->done);
	lane->done = json_copy(lane->parent->lane->done);
	lane->next = 0;
	say_taken(lane, taken);
}

void replace_recall(struct lane *lane)
{
	const char *axis = NULL;
	const struct plan_step *selection = lane->parent && lane->matrix ? selection_of(lane, &axis) : NULL;

	while (selection) {
		unsigned count = lane->replacement ? lane->replacement->count : 0;
		GR_AUTO_FREE char *id = gr_printf("%s" REPLACE_MARK "%u", selection->id, count + 1);
		const struct replay_step *known = replay_find(lane->engine->options->replay, lane->name, id);
		json_t *taken = known ? json_array_get(json_object_get(known->outputs, "devices"), 0) : NULL;

		if (!taken || !replay_is_settled(known))
			return;
		(void)prepare(lane, selection, axis);
		take(lane, taken);
		selection = selection_of(lane, &axis);
	}
}

/* The selection has ended: begin the lane anew with the new device, or let the first trouble stand. */
void replace_end(struct lane *lane, const struct task *task)
{
	struct replacement *replacement = lane->replacement;
	json_t *taken = json_array_get(json_object_get(task->outputs, "devices"), 0);

	if (task->outcome != OUTCOME_PASSED || !taken) {
		lane->outcome = replacement->outcome;
		lane->has_failed = lane->has_failed || replacement->stops_lane;
		say_none(lane, task);
		return;
	}
	lane->is_anew = true;
	take(lane, taken);
}

void replace_free(struct lane *lane)
{
	if (!lane->replacement)
		return;
	gr_free(lane->replacement->id);
	gr_free(lane->replacement->axis);
	json_decref(lane->replacement->lost);
	gr_free(lane->replacement);
}
