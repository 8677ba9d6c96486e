/* `rerun:` of a step that runs tests, and its defaults. */
#include "pipelines/check.h"
#include "runner/base/text.h"

/* Further starts of one step; more would hide what is broken. */
#define RERUNS_MOST 10

const struct key rerun_keys[] = {
        {"failed_only", NULL}, {"max", NULL}, {"unless", NULL}, {"not_run", NULL}, {NULL, NULL}};

static struct expression *read_unless(struct check *check, const struct node *node, const struct kind *kind)
{
	const struct kind *before = check->outputs_of;
	struct expression *unless;

	check->outputs_of = kind;
	unless = check_condition(check, node, step_roots(check) | ROOT_OUTPUTS, "`unless`");
	check->outputs_of = before;
	return unless;
}

void check_rerun(struct check *check, const struct node *node, const struct kind *kind, struct plan_rerun *ret)
{
	const struct node *unless = node_member(node, "unless");
	int64_t max = 1, not_run = 0;

	*ret = (struct plan_rerun){0};
	if (node == NULL || !check_keys(check, node, "`rerun`", rerun_keys))
		return;
	ret->failed_only = true;
	(void)read_bool(check, node_member(node, "failed_only"), "`failed_only`", &ret->failed_only);
	(void)read_int(check, node_member(node, "max"), "`max` of `rerun`", (struct bounds){0, RERUNS_MOST}, &max);
	(void)read_int(check, node_member(node, "not_run"), "`not_run`", (struct bounds){0, RERUNS_MOST}, &not_run);
	ret->failed_most = (unsigned)max;
	ret->not_run_most = (unsigned)not_run;
	if (max == 0 && not_run == 0)
		check_fail(check, node, NULL, "`rerun` with `max: 0` starts nothing again; leave it out");
	if (unless != NULL)
		ret->unless = read_unless(check, unless, kind);
}

/* `rerun: { max: 0 }`: the defaults are not for this step. */
static bool switches_off(const struct node *node)
{
	return node != NULL && node->count == 1 && node_is(node_member(node, "max"), "0");
}

void check_step_rerun(struct check *check, const struct node *node, const struct node *usual, struct plan_step *step)
{
	bool is_native = step->kind != NULL && text_equal(step->kind->name, "native_test");

	if (step->kind == NULL) {
		if (node != NULL && step->axes != NULL)
			check_fail(check, node, NULL, "`rerun` belongs to those steps of the matrix that run tests");
		return;
	}
	if ((step->kind->flags & KIND_RUNS_TESTS) == 0 || (step->kind->flags & KIND_POLLS) == 0) {
		if (node != NULL)
			check_fail(check, node, NULL,
			        "`rerun` means nothing for '%s', which starts no run on the server", step->kind->name);
		return;
	}
	if (usual != NULL && switches_off(node))
		return;
	check_rerun(check, node != NULL ? node : usual, step->kind, &step->rerun);
	if (!is_native || !step->rerun.failed_only)
		return;
	if (node != NULL)
		check_fail(check, node, "write failed_only: false to have all of them started again",
		        "the server lets nobody select tests of a native run, so failed ones alone cannot be started");
	expression_free(step->rerun.unless); /* the defaults are for steps that can do it */
	step->rerun = (struct plan_rerun){0};
}
