/* `split:`: the tests of a step are spread over the lanes of its matrix. */
#include <string.h>

#include "pipelines/check.h"
#include "pipelines/split.h"
#include "pipelines/worst.h"
#include "runner/base/memory.h"

#define LANES_MOST 10000

const struct key split_keys[] = {{"lanes", NULL}, {"by", NULL}, {NULL, NULL}};
static const char *const by_words[] = {"time", "count", NULL};

/* Two names of one test would put it into two lanes. */
static void check_once(struct check *check, const struct node *node, const json_t *tests)
{
	GR_AUTO_JSON json_t *seen = json_object();
	json_t *object = (json_t *)(uintptr_t)tests, *id;
	const char *name;
	size_t i;

	json_array_foreach (tests, i, id) {
		if (json_object_get(seen, json_string_value(id)) != NULL)
			check_fail(check, node, NULL, "the test case %s is there twice", json_string_value(id));
		(void)json_object_set_new(seen, json_string_value(id), json_true());
	}
	json_object_foreach (object, name, id) {
		const json_t *other = json_object_get(seen, json_string_value(id));

		if (other != NULL)
			check_fail(check, node, NULL, "'%s' and '%s' are both the test case %s",
			        json_string_value(other), name, json_string_value(id));
		(void)json_object_set_new(seen, json_string_value(id), json_string(name));
	}
}

/* The tests, converted; NULL when they are not known (a finding, or a missing input). */
static json_t *read_tests(struct check *check, const struct plan_step *step, const struct node *split)
{
	const struct node *node = node_member(step->with, "testcases");
	const struct field *field = kind_field(step->kind, "testcases");
	json_t *value = NULL, *tests = NULL;

	if (node == NULL) {
		check_fail(check, split, "testcases: { NAME: ID, ... }",
		        "`split` needs `testcases` in `with`: a test has to have an id to be started alone");
		return NULL;
	}
	if (!node_is_static(node, early_names)) {
		check_fail(check, node, NULL,
		        "`testcases` of a step with `split` must be known before the run: every lane reckons with the "
		        "same list");
		return NULL;
	}
	/* What is wrong with them was said where fields are checked. */
	if (node_evaluate(node, check->early, &value, NULL) == 0)
		(void)field_convert(field, value, &tests, NULL);
	json_decref(value);
	return tests;
}

static bool has_matrix(struct check *check, const struct node *split)
{
	const struct frame *frame = check->frame;

	if (frame != NULL && frame->axis_count == 1)
		return true;
	check_fail(check, split, "matrix: { device: \"${{ devices.phones }}\" }",
	        frame != NULL && frame->axis_count > 1
	                ? "`split` needs a matrix of one list, whose lanes share the tests"
	                : "`split` belongs to a step of a matrix, whose lanes share the tests");
	return false;
}

void check_split(struct check *check, const struct node *node, struct plan_step *step)
{
	const struct node *by = node_member(node, "by");
	int64_t lanes = 0;

	if (node == NULL || !check_keys(check, node, "`split`", split_keys))
		return;
	if (step->kind == NULL || kind_field(step->kind, "testcases") == NULL) {
		check_fail(check, node, NULL, "`split` means nothing for '%s', which selects no test cases",
		        step->kind != NULL ? step->kind->name : "matrix");
		return;
	}
	step->is_split = true;
	(void)read_int(check, node_member(node, "lanes"), "`lanes`", (struct bounds){1, LANES_MOST}, &lanes);
	step->split_lanes = (size_t)lanes;
	step->split_by_count = by != NULL && read_choice(check, by, "`by`", by_words) == 1;
	if (!has_matrix(check, node))
		return;
	step->split_tests = read_tests(check, step, node);
	check_once(check, node, step->split_tests);
	if (json_is_array(step->split_tests) && !step->split_by_count)
		check_fail(check, node, "testcases: { NAME: ID, ... }, or by: count",
		        "`split` by time needs the tests' names, by which their seconds are recorded");
}

void check_split_lanes(struct check *check, const struct node *matrix, const struct plan_step *step)
{
	size_t lanes = lanes_of_step(check->plan, step);

	for (size_t i = 0; i < step->step_count && lanes > 0; i++) {
		const struct plan_step *inner = &step->steps[i];

		if (!inner->is_split)
			continue;
		if (inner->split_lanes != 0 && inner->split_lanes != lanes)
			check_fail(check, matrix, NULL, "the matrix has %zu lanes, and `split` of '%s' wants %zu",
			        lanes, inner->id, inner->split_lanes);
		else if (inner->split_tests != NULL && split_count(inner->split_tests) < lanes)
			check_fail(check, matrix, NULL,
			        "'%s' has %zu test cases for %zu lanes: a lane would have nothing to do", inner->id,
			        split_count(inner->split_tests), lanes);
	}
}
