/* `matrix:`: named lists, one lane for each combination of their values. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/memory.h"

/* Lanes of one run (security design 3.3). */
#define LANES_MOST 10000

enum type check_type_of(const struct node *item)
{
	GR_AUTO_JSON json_t *value = NULL;

	if (node_has_template(item) || node_evaluate(item, NULL, &value, NULL) != 0)
		return TYPE_ANY;
	if (json_is_string(value))
		return TYPE_TEXT;
	if (json_is_integer(value))
		return TYPE_INT;
	if (json_is_real(value))
		return TYPE_REAL;
	return json_is_boolean(value) ? TYPE_BOOL : TYPE_ANY;
}

/* The values are written down: their common type. */
static void check_written(struct check *check, const struct node *node, struct typed *ret)
{
	if (node->count == 0)
		check_fail(check, node, NULL, "a matrix needs at least one value, or it has no lanes");
	for (size_t i = 0; i < node->count; i++) {
		enum type type = check_type_of(node->items[i]);

		(void)check_templates(check, node->items[i], step_roots(check), false);
		if (i == 0)
			ret->type = type;
		else if (ret->type != type)
			ret->type = TYPE_ANY;
	}
}

static void check_computed(struct check *check, const struct node *node, struct typed *ret)
{
	struct typed list = {0};

	if (!check_expression(check, node->template, step_roots(check), node, &list))
		return;
	switch (list.type) {
	case TYPE_ANY:
	case TYPE_LIST:
	case TYPE_TEXTS:
	case TYPE_DEVICES:
		*ret = names_element(check, list);
		return;
	case TYPE_NULL:
	case TYPE_BOOL:
	case TYPE_INT:
	case TYPE_REAL:
	case TYPE_TEXT:
	case TYPE_MAP:
	case TYPE_DURATION:
	case TYPE_RANGE:
	case TYPE_SIZE:
	case TYPE_FILE:
	case TYPE_CHOICE:
	case TYPE_SECRET:
	case TYPE_VERSION:
	case TYPE_BUILD:
	case TYPE_DEVICE:
	case TYPE_MODULE:
	case TYPE_TESTCASES:
	case TYPE_OPERATION:
	case TYPE_CONDITION:
	case TYPE_STEP:
		check_fail(check, node, NULL, "the values of a matrix must be a list, not %s", type_name(list.type));
	}
}

static struct typed check_axis(struct check *check, const struct node *name, const struct node *node)
{
	struct typed axis = {.type = TYPE_ANY};

	(void)check_name(check, name, "the name of a matrix value");
	if (node->kind == NODE_LIST)
		check_written(check, node, &axis);
	else if (node->template != NULL)
		check_computed(check, node, &axis);
	else
		check_fail(check, node, NULL,
		        "the values of '%s' must be a list, such as ${{ devices.phones }} or [a, b]", name->text);
	return axis;
}

/* Lists written down multiply; what is computed counts as one. */
static void check_lanes(struct check *check, const struct node *matrix, const struct plan_step *step)
{
	size_t lanes = 1;

	for (size_t i = 0; i < step->axis_count; i++) {
		size_t count = step->axis_values[i]->kind == NODE_LIST ? step->axis_values[i]->count : 1;

		if (count == 0)
			return;
		if (lanes > LANES_MOST / count) {
			check_fail(check, matrix, NULL, "the matrix has more than %d lanes", LANES_MOST);
			return;
		}
		lanes *= count;
	}
}

static bool is_option(const struct node *key)
{
	return strcmp(key->text, "max_parallel") == 0 || strcmp(key->text, "fail_fast") == 0;
}

static void read_options(struct check *check, const struct node *node, struct plan_step *step)
{
	int64_t lanes = 0;

	(void)read_bool(check, node_member(node, "fail_fast"), "`fail_fast`", &step->fail_fast);
	(void)read_int(
	        check, node_member(node, "max_parallel"), "`max_parallel`", (struct bounds){1, LANES_MOST}, &lanes);
	step->max_parallel = (unsigned)lanes;
}

void check_matrix(struct check *check, const struct node *node, struct plan_step *step, struct typed **ret_types)
{
	if (node->kind != NODE_MAP) {
		check_fail(check, node, NULL, "`matrix` must be a map such as { device: \"${{ devices.phones }}\" }");
		return;
	}
	step->axes = gr_alloc(node->count + 1, sizeof(char *));
	step->axis_values = gr_alloc(node->count + 1, sizeof(struct node *));
	*ret_types = gr_alloc(node->count + 1, sizeof(**ret_types));
	for (size_t i = 0; i < node->count; i++) {
		struct typed axis;

		if (is_option(node->keys[i]))
			continue;
		axis = check_axis(check, node->keys[i], node->items[i]);
		step->axes[step->axis_count] = gr_strdup(node->keys[i]->text);
		step->axis_values[step->axis_count] = node->items[i];
		(*ret_types)[step->axis_count] = axis;
		step->axis_count++;
	}
	if (step->axis_count == 0)
		check_fail(check, node, NULL, "the matrix names no values; write device: \"${{ devices.phones }}\"");
	read_options(check, node, step);
	check_lanes(check, node, step);
}
