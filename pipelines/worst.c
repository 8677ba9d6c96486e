#include "pipelines/worst.h"

#include <string.h>

#include "pipelines/node.h"
#include "pipelines/term.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"

static int64_t add_times(int64_t a, int64_t b)
{
	return a >= CLOCK_NEVER - b ? CLOCK_NEVER : a + b;
}

/* How many devices a group takes; 0: not known. `count` may use inputs, which are known. */
static size_t count_devices(const struct plan *plan, const struct plan_devices *devices)
{
	GR_AUTO_JSON json_t *scope = NULL;
	GR_AUTO_JSON json_t *value = NULL;
	json_t *inputs = json_object();

	for (size_t i = 0; i < plan->input_count; i++)
		(void)json_object_set(inputs, plan->inputs[i].name, plan->inputs[i].value);
	scope = json_pack("{s:o}", "inputs", inputs);
	if (devices->count == NULL)
		return 1;
	if (node_evaluate(devices->count, scope, &value, NULL) != 0 || !json_is_integer(value))
		return 0;
	return (size_t)json_integer_value(value);
}

/* The values of an axis that is a list, or exactly ${{ devices.NAME }}; 0: not known. */
static size_t count_values(const struct plan *plan, const struct node *node)
{
	const struct term *term;

	if (node->kind == NODE_LIST)
		return node->count;
	term = node->template != NULL ? node->template->root : NULL;
	if (term == NULL || term->kind != TERM_MEMBER || term->items[0]->kind != TERM_NAME ||
	        strcmp(term->items[0]->name, "devices") != 0)
		return 0;
	for (size_t i = 0; i < plan->devices_count; i++) {
		if (strcmp(plan->devices[i].name, term->name) == 0)
			return count_devices(plan, &plan->devices[i]);
	}
	return 0;
}

size_t lanes_of_step(const struct plan *plan, const struct plan_step *step)
{
	size_t lanes = step->axis_count > 0 ? 1 : 0;

	for (size_t i = 0; i < step->axis_count; i++)
		lanes *= count_values(plan, step->axis_values[i]);
	return lanes;
}

static int64_t worst_of_matrix(const struct plan *plan, const struct plan_step *step)
{
	int64_t lane = worst_of_list(plan, step->steps, step->step_count), all = 0;
	size_t lanes = lanes_of_step(plan, step);
	size_t rounds = step->max_parallel == 0 ? 1 : (lanes + step->max_parallel - 1) / step->max_parallel;

	if (lane == CLOCK_NEVER || (lanes == 0 && step->max_parallel != 0))
		return CLOCK_NEVER;
	for (size_t i = 0; i < rounds && all != CLOCK_NEVER; i++)
		all = add_times(all, lane);
	return all;
}

/* poll.timeout is that of one start. */
static int64_t worst_of_starts(const struct plan_step *step)
{
	unsigned starts = 1 + step->rerun.failed_most + step->rerun.not_run_most;
	int64_t all = 0;

	for (unsigned i = 0; i < starts && all != CLOCK_NEVER; i++)
		all = add_times(all, step->poll.timeout_ms);
	return all;
}

/* Without a `timeout` of its own. */
static int64_t worst_by_kind(const struct plan *plan, const struct plan_step *step)
{
	if (step->kind == NULL)
		return worst_of_matrix(plan, step);
	if (step->devices != NULL)
		return add_times(step->devices->wait_ms, step->retry.budget_ms);
	if ((step->kind->flags & KIND_IMPLICIT) != 0)
		return step->retry.budget_ms;
	if ((step->kind->flags & KIND_POLLS) != 0)
		return worst_of_starts(step);
	return CLOCK_NEVER;
}

int64_t worst_of_step(const struct plan *plan, const struct plan_step *step)
{
	int64_t by_kind = worst_by_kind(plan, step);

	return by_kind < step->timeout_ms ? by_kind : step->timeout_ms;
}

/* Recursion is bounded by the depth of the file. */
int64_t worst_of_list(const struct plan *plan, const struct plan_step *steps, size_t count)
{
	int64_t all = 0;

	for (size_t i = 0; i < count && all != CLOCK_NEVER; i++)
		all = add_times(all, worst_of_step(plan, &steps[i]));
	return all;
}

int64_t worst_of_plan(const struct plan *plan)
{
	int64_t steps = worst_of_list(plan, plan->steps, plan->step_count);
	int64_t all = steps == CLOCK_NEVER ? CLOCK_NEVER : add_times(steps, plan->cleanup_reserve_ms);

	return all < plan->timeout_ms ? all : plan->timeout_ms;
}
