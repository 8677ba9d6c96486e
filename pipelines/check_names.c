/* What the names of expressions are: roots, and one member after another, down to the outputs of steps. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/credentials.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define CANDIDATES_MOST 128

enum context_kind {
	CONTEXT_INPUTS,
	CONTEXT_ENV,
	CONTEXT_SECRETS,
	CONTEXT_DEVICES,
	CONTEXT_DEVICE_LIST,
	CONTEXT_STEPS,
	CONTEXT_STEP, /* object: a plan_step */
	CONTEXT_MATRIX_STEP,
	CONTEXT_LANES,
	CONTEXT_MATRIX,
	CONTEXT_ROWS, /* object: struct name_row[], ended by a NULL name */
	CONTEXT_GROUPS, /* results.suites and results.devices: object: "suites" or "devices" */
	CONTEXT_UNKNOWN /* members may be anything */
};

struct name_row {
	const char *name;
	enum type type;
	bool is_past; /* needs the history */
};

struct name_context {
	enum context_kind kind;
	const void *object;
	const char *what; /* for messages: "results" */
	struct name_context *next;
};

static const struct name_row device_rows[] = {{"device_id", TYPE_TEXT, false}, {"udid", TYPE_TEXT, false},
        {"s_device", TYPE_TEXT, false}, {"name", TYPE_TEXT, false}, {"manufacturer", TYPE_TEXT, false},
        {"os", TYPE_TEXT, false}, {"os_major", TYPE_INT, false}, {"platform", TYPE_TEXT, false},
        {"tags", TYPE_TEXTS, false}, {NULL, TYPE_ANY, false}};
static const struct name_row run_rows[] = {
        {"id", TYPE_TEXT, false}, {"key", TYPE_TEXT, false}, {"name", TYPE_TEXT, false}, {NULL, TYPE_ANY, false}};
static const struct name_row lane_rows[] = {{"name", TYPE_TEXT, false}, {"outcome", TYPE_TEXT, false},
        {"matrix", TYPE_MAP, false}, {"steps", TYPE_MAP, false}, {NULL, TYPE_ANY, false}};
static const struct name_row baseline_rows[] = {{"run_id", TYPE_TEXT, false}, {"tests", TYPE_INT, false},
        {"passed", TYPE_INT, false}, {"failed", TYPE_INT, false}, {"flaky", TYPE_INT, false},
        {"pass_rate", TYPE_REAL, false}, {"seconds", TYPE_REAL, false}, {NULL, TYPE_ANY, false}};
static const struct name_row group_rows[] = {{"name", TYPE_TEXT, false}, {"tests", TYPE_INT, false},
        {"passed", TYPE_INT, false}, {"failed", TYPE_INT, false}, {"errors", TYPE_INT, false},
        {"skipped", TYPE_INT, false}, {"flaky", TYPE_INT, false}, {"quarantined", TYPE_INT, false},
        {"executed", TYPE_INT, false}, {"pass_rate", TYPE_REAL, false}, {"missing", TYPE_INT, false},
        {"infra", TYPE_INT, false}, {"seconds", TYPE_REAL, false}, {"new_failures", TYPE_INT, true},
        {"fixed", TYPE_INT, true}, {NULL, TYPE_ANY, false}};
static const struct name_row results_rows[] = {{"suites", TYPE_MAP, false}, {"devices", TYPE_MAP, false},
        {"worst_suite", TYPE_MAP, false}, {"worst_device", TYPE_MAP, false}, {"tests", TYPE_INT, false},
        {"passed", TYPE_INT, false}, {"failed", TYPE_INT, false}, {"errors", TYPE_INT, false},
        {"skipped", TYPE_INT, false}, {"flaky", TYPE_INT, false}, {"quarantined", TYPE_INT, false},
        {"executed", TYPE_INT, false}, {"pass_rate", TYPE_REAL, false}, {"missing", TYPE_INT, false},
        {"infra", TYPE_INT, false}, {"seconds", TYPE_REAL, false}, {"verdict", TYPE_TEXT, false},
        {"summary", TYPE_TEXT, false}, {"new_failures", TYPE_INT, true}, {"fixed", TYPE_INT, true},
        {"baseline", TYPE_MAP, true}, {NULL, TYPE_ANY, false}};

struct root {
	const char *name;
	unsigned flag;
	enum type type;
	enum context_kind kind;
	const struct name_row *rows;
	const char *where; /* where it may stand, for messages */
};
static const struct root roots[] = {
        {"inputs", ROOT_INPUTS, TYPE_MAP, CONTEXT_INPUTS, NULL, "outside of `inputs`"},
        {"env", ROOT_ENV, TYPE_MAP, CONTEXT_ENV, NULL, "elsewhere"},
        {"name", ROOT_NAME, TYPE_TEXT, CONTEXT_UNKNOWN, NULL, "after `name`"},
        {"secrets", ROOT_SECRETS, TYPE_MAP, CONTEXT_SECRETS, NULL, "in `server`, `app` and steps"},
        {"app", ROOT_APP, TYPE_MAP, CONTEXT_ROWS, NULL, "in steps, `finally` and `gate`"},
        {"devices", ROOT_DEVICES, TYPE_MAP, CONTEXT_DEVICES, NULL, "in steps, `finally` and `gate`"},
        {"steps", ROOT_STEPS, TYPE_MAP, CONTEXT_STEPS, NULL, "in steps, `finally` and `gate`"},
        {"matrix", ROOT_MATRIX, TYPE_MAP, CONTEXT_MATRIX, NULL, "in the steps of a matrix"},
        {"run", ROOT_RUN, TYPE_MAP, CONTEXT_ROWS, run_rows, "in steps, `finally`, `gate` and `artifacts`"},
        {"results", ROOT_RESULTS, TYPE_MAP, CONTEXT_ROWS, results_rows, "in `finally` and `gate`"},
        {"answer", ROOT_ANSWER, TYPE_ANY, CONTEXT_UNKNOWN, NULL, "in `until`"},
        {"outputs", ROOT_ANSWER | ROOT_OUTPUTS, TYPE_ANY, CONTEXT_UNKNOWN, NULL, "in `until` and `unless`"},
};
const char *const early_names[] = {"inputs", "env", "name", NULL};

static struct name_context *context_new(
        struct check *check, enum context_kind kind, const void *object, const char *what)
{
	struct name_context *context = gr_alloc(1, sizeof(*context));

	*context = (struct name_context){.kind = kind, .object = object, .what = what, .next = check->contexts};
	check->contexts = context;
	return context;
}

void names_release(struct check *check)
{
	while (check->contexts != NULL) {
		struct name_context *next = check->contexts->next;

		gr_free(check->contexts);
		check->contexts = next;
	}
}

/* What a name can be, and nothing else: with the nearest one said. */
static int fail_name(struct gr_error *err, const char *what, const char *name, const char *const *candidates)
{
	const char *near = text_suggest(name, candidates);

	if (near != NULL)
		return gr_fail(err, GR_CONFIG, 0, "%s '%s'; did you mean '%s'?", what, name, near);
	return gr_fail(err, GR_CONFIG, 0, "%s '%s'", what, name);
}

static const struct root *root_find(const char *name)
{
	for (size_t i = 0; i < GR_COUNT(roots); i++) {
		if (strcmp(roots[i].name, name) == 0)
			return &roots[i];
	}
	return NULL;
}

static int root_unknown(const char *name, struct gr_error *err)
{
	const char *names[GR_COUNT(roots) + 1] = {0};

	for (size_t i = 0; i < GR_COUNT(roots); i++)
		names[i] = roots[i].name;
	if (text_suggest(name, names) == NULL)
		return gr_fail(err, GR_CONFIG, 0, "unknown name '%s'; text stands in quotes: '%s'", name, name);
	return fail_name(err, "unknown name", name, names);
}

void names_use_app(struct check *check)
{
	check->uses_app = true;
	if (!check->is_finally && check->top_index < check->app_use)
		check->app_use = check->top_index;
}

/* The outputs of the implicit step that looks the application up are the members of `app`. */
static int use_app(struct check *check, struct gr_error *err)
{
	if (!check->plan->has_app)
		return gr_fail(err, GR_CONFIG, 0, "'app' is not known: the pipeline has no `app:`");
	names_use_app(check);
	return 0;
}

static bool has_axes(const struct frame *frame)
{
	for (; frame != NULL; frame = frame->outer) {
		if (frame->axis_count > 0)
			return true;
	}
	return false;
}

static int root_member(struct check *check, const char *name, struct typed *ret, struct gr_error *err)
{
	const struct root *root = root_find(name);

	if (root == NULL)
		return root_unknown(name, err);
	if ((check->roots & root->flag) == 0 || (root->flag == ROOT_MATRIX && !has_axes(check->frame)))
		return gr_fail(err, GR_CONFIG, 0, "'%s' cannot be used here: it is known only %s", name, root->where);
	if (root->flag == ROOT_APP && use_app(check, err) != 0)
		return -GR_CONFIG;
	ret->type = root->type;
	ret->context = NULL;
	if (root->kind != CONTEXT_UNKNOWN)
		ret->context = context_new(check, root->kind, root->rows, root->name);
	if ((root->flag & ROOT_OUTPUTS) != 0 && (check->roots & ROOT_OUTPUTS) != 0)
		ret->context = context_new(check, CONTEXT_STEP, check->outputs_of, root->name);
	if (root->flag == ROOT_APP) {
		const struct kind *kind = kind_find("application");

		ret->context = kind != NULL ? context_new(check, CONTEXT_STEP, kind, "app") : NULL;
	}
	return 0;
}

static int input_member(const struct check *check, const char *name, struct typed *ret, struct gr_error *err)
{
	const char *names[CANDIDATES_MOST] = {0};

	for (size_t i = 0; i < check->plan->input_count; i++) {
		if (strcmp(check->plan->inputs[i].name, name) == 0) {
			ret->type = check->plan->inputs[i].type;
			return 0;
		}
		if (i < CANDIDATES_MOST - 1)
			names[i] = check->plan->inputs[i].name;
	}
	return fail_name(err, "there is no input", name, names);
}

static int secret_member(const struct check *check, const char *name, struct typed *ret, struct gr_error *err)
{
	const char *names[CANDIDATES_MOST] = {0};

	for (size_t i = 0; i < check->plan->secret_count; i++) {
		if (strcmp(check->plan->secrets[i].name, name) == 0) {
			ret->type = TYPE_SECRET;
			return 0;
		}
		if (i < CANDIDATES_MOST - 1)
			names[i] = check->plan->secrets[i].name;
	}
	return fail_name(err, "there is no secret", name, names);
}

bool names_is_secret(const char *variable)
{
	return variable_is_secret(variable, strlen(variable));
}

/* Variables that look like secrets are kept out of `env`, so that none of them ends in a text. */
static int env_member(const char *name, struct typed *ret, struct gr_error *err)
{
	if (names_is_secret(name))
		return gr_fail(err, GR_CONFIG, 0,
		        "'%s' looks like a secret, and those are not in `env`; name it under `secrets:` { env: %s }",
		        name, name);
	ret->type = TYPE_TEXT;
	return 0;
}

static int device_group_member(struct check *check, const char *name, struct typed *ret, struct gr_error *err)
{
	const char *names[CANDIDATES_MOST] = {0};

	for (size_t i = 0; i < check->plan->devices_count; i++) {
		const struct plan_devices *devices = &check->plan->devices[i];

		if (strcmp(devices->name, name) == 0) {
			if (!check->is_finally && check->top_index < check->first_use[i])
				check->first_use[i] = check->top_index;
			note_need(check, devices);
			if (check->is_finally && check->first_use[i] == SIZE_MAX)
				return gr_fail(err, GR_CONFIG, 0,
				        "no step uses the devices '%s', so there are none yet when this is reached",
				        name);
			ret->type = TYPE_DEVICES;
			ret->context = context_new(check, CONTEXT_DEVICE_LIST, devices, name);
			return 0;
		}
		if (i < CANDIDATES_MOST - 1)
			names[i] = devices->name;
	}
	return fail_name(err, "there are no devices named", name, names);
}

static const struct plan_step *step_find(const struct step_list *list, const char *name)
{
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		if (strcmp(list->items[i].id, name) == 0)
			return &list->items[i];
	}
	return NULL;
}

/* The line of the step of that id in a list of the file, nested ones only when `is_nested`; 0: not there. */
static unsigned later_line(const struct node *nodes, const char *name, bool is_nested)
{
	for (size_t i = 0; nodes != NULL && nodes->kind == NODE_LIST && i < nodes->count; i++) {
		const struct node *inner = node_member(nodes->items[i], "steps");

		if (!is_nested && node_is(node_member(nodes->items[i], "id"), name))
			return nodes->items[i]->line;
		if (is_nested && inner != NULL && later_line(inner, name, false) != 0)
			return later_line(inner, name, false);
	}
	return 0;
}

/* A step of that id stands in a list of the file, but is not among the steps before this one. */
static int fail_order(
        const struct check *check, const struct frame *frame, const char *name, unsigned line, struct gr_error *err)
{
	if (line == check->step_line)
		return gr_fail(err, GR_CONFIG, 0, "the step '%s' is this one; its outputs are known after it", name);
	if (frame != check->frame && line <= check->frame->nodes->line)
		return gr_fail(err, GR_CONFIG, 0,
		        "the step '%s' (line %u) is around this one; its outputs are known after it", name, line);
	return gr_fail(err, GR_CONFIG, 0, "the step '%s' comes later (line %u); only steps before this one are known",
	        name, line);
}

static int step_unknown(const struct check *check, const char *name, struct gr_error *err)
{
	const char *names[CANDIDATES_MOST] = {0};
	size_t count = 0;

	for (const struct frame *frame = check->frame; frame != NULL; frame = frame->outer) {
		unsigned line = later_line(frame->nodes, name, false);

		if (line != 0)
			return fail_order(check, frame, name, line, err);
		line = later_line(frame->nodes, name, true);
		if (line != 0)
			return gr_fail(err, GR_CONFIG, 0,
			        "the step '%s' (line %u) is inside a matrix; it is known only in its own lane", name,
			        line);
		for (size_t i = 0; i < frame->list->count && count < CANDIDATES_MOST - 1; i++)
			names[count++] = frame->list->items[i].id;
	}
	return fail_name(err, "there is no step", name, names);
}

static int steps_member(struct check *check, const char *name, struct typed *ret, struct gr_error *err)
{
	const struct plan_step *step = NULL;

	for (const struct frame *frame = check->frame; frame != NULL && step == NULL; frame = frame->outer)
		step = step_find(frame->list, name);
	if (step == NULL)
		return step_unknown(check, name, err);
	ret->type = TYPE_STEP;
	if (step->kind != NULL)
		ret->context = context_new(check, CONTEXT_STEP, step->kind, "step");
	else if (step->steps != NULL || step->axis_count > 0)
		ret->context = context_new(check, CONTEXT_MATRIX_STEP, NULL, step->id);
	return 0;
}

static int output_member(const struct kind *kind, const char *name, struct typed *ret, struct gr_error *err)
{
	const char *names[CANDIDATES_MOST] = {"outcome"};
	const struct field *output = kind_output(kind, name);
	GR_AUTO_FREE char *what = gr_printf("'%s' has no output", kind->name);

	if (strcmp(name, "outcome") == 0) {
		ret->type = TYPE_TEXT;
		return 0;
	}
	if (output != NULL) {
		ret->type = output->type;
		return 0;
	}
	for (size_t i = 0; i < CANDIDATES_MOST - 2 && kind->outputs[i].name != NULL; i++)
		names[i + 1] = kind->outputs[i].name;
	return fail_name(err, what, name, names);
}

static int matrix_step_member(struct check *check, const char *name, struct typed *ret, struct gr_error *err)
{
	static const char *const names[] = {"lanes", "passed", "failed", "outcome", NULL};

	if (strcmp(name, "lanes") == 0) {
		ret->type = TYPE_LIST;
		ret->context = context_new(check, CONTEXT_LANES, NULL, "lanes");
		return 0;
	}
	if (strcmp(name, "passed") == 0 || strcmp(name, "failed") == 0 || strcmp(name, "outcome") == 0) {
		ret->type = name[0] == 'o' ? TYPE_TEXT : TYPE_INT;
		return 0;
	}
	return fail_name(err, "a matrix has lanes, passed, failed and outcome, but no", name, names);
}

static int axis_member(const struct check *check, const char *name, struct typed *ret, struct gr_error *err)
{
	const char *names[CANDIDATES_MOST] = {0};
	size_t count = 0;

	for (const struct frame *frame = check->frame; frame != NULL; frame = frame->outer) {
		for (size_t i = 0; i < frame->axis_count; i++) {
			if (strcmp(frame->axes[i], name) == 0) {
				*ret = frame->axis_types[i];
				return 0;
			}
			if (count < CANDIDATES_MOST - 1)
				names[count++] = frame->axes[i];
		}
	}
	return fail_name(err, "the matrix has no value", name, names);
}

static void *group_context(struct check *check, const char *name)
{
	if (text_has_prefix(name, "worst_"))
		return context_new(check, CONTEXT_ROWS, group_rows, "a suite or device");
	return context_new(check, CONTEXT_GROUPS, text_equal(name, "suites") ? "suites" : "devices", "results");
}

/* A suite is a step that runs tests; which devices there will be is not known yet. */
static int member_of_groups(
        struct check *check, const char *groups, const char *name, struct typed *ret, struct gr_error *err)
{
	const char *names[CANDIDATES_MOST] = {0};

	ret->type = TYPE_MAP;
	ret->context = context_new(check, CONTEXT_ROWS, group_rows, "a suite or device");
	if (text_equal(groups, "devices") ||
	        check_suites(node_member(check->plan->root, "steps"), name, names, CANDIDATES_MOST - 1) ||
	        check_suites(node_member(check->plan->root, "finally"), name, names, CANDIDATES_MOST - 1))
		return 0;
	return fail_name(err, "no step that runs tests is called", name, names);
}

static int row_member(struct check *check, const struct name_context *context, const char *name, struct typed *ret,
        struct gr_error *err)
{
	const struct name_row *rows = context->object;
	const char *names[CANDIDATES_MOST] = {0};
	GR_AUTO_FREE char *what = gr_printf("'%s' has no", context->what);

	for (size_t i = 0; i < CANDIDATES_MOST - 1 && rows[i].name != NULL; i++) {
		names[i] = rows[i].name;
		if (strcmp(rows[i].name, name) != 0)
			continue;
		if (rows[i].is_past && check->rule == NULL)
			return gr_fail(err, GR_CONFIG, 0, "'%s.%s' compares with earlier runs, which only `gate` does",
			        context->what, name);
		if (rows[i].is_past)
			check->rule->past |=
			        rows == results_rows && rows[i].type == TYPE_MAP ? PAST_BASELINE : PAST_TESTS;
		if (rows[i].is_past && rows[i].type == TYPE_MAP)
			ret->context = context_new(check, CONTEXT_ROWS, baseline_rows, "results.baseline");
		else if (rows == results_rows && rows[i].type == TYPE_MAP)
			ret->context = group_context(check, name);
		ret->type = rows[i].type;
		return 0;
	}
	return fail_name(err, what, name, names);
}

int names_member(void *user, void *parent, const char *name, struct typed *ret, struct gr_error *err)
{
	struct check *check = user;
	const struct name_context *context = parent;

	if (context == NULL)
		return root_member(check, name, ret, err);
	*ret = (struct typed){.type = TYPE_ANY};
	if (context->object != baseline_rows)
		check_gate_reads(check, name);
	switch (context->kind) {
	case CONTEXT_INPUTS:
		return input_member(check, name, ret, err);
	case CONTEXT_ENV:
		return env_member(name, ret, err);
	case CONTEXT_SECRETS:
		return secret_member(check, name, ret, err);
	case CONTEXT_DEVICES:
		return device_group_member(check, name, ret, err);
	case CONTEXT_DEVICE_LIST:
		ret->type = TYPE_DEVICE;
		ret->context = context_new(check, CONTEXT_ROWS, device_rows, "device");
		return 0;
	case CONTEXT_STEPS:
		return steps_member(check, name, ret, err);
	case CONTEXT_STEP:
		return output_member(context->object, name, ret, err);
	case CONTEXT_MATRIX_STEP:
		return matrix_step_member(check, name, ret, err);
	case CONTEXT_LANES:
		ret->type = TYPE_MAP;
		ret->context = context_new(check, CONTEXT_ROWS, lane_rows, "lane");
		return 0;
	case CONTEXT_MATRIX:
		return axis_member(check, name, ret, err);
	case CONTEXT_ROWS:
		return row_member(check, context, name, ret, err);
	case CONTEXT_GROUPS:
		return member_of_groups(check, context->object, name, ret, err);
	case CONTEXT_UNKNOWN:
		return 0;
	}
	return 0;
}

struct typed names_element(struct check *check, struct typed list)
{
	struct typed element = {.type = list.type == TYPE_TEXTS ? TYPE_TEXT : TYPE_ANY};

	if (list.context != NULL)
		(void)names_member(check, list.context, "[]", &element, NULL);
	return element;
}

const struct kind *names_step_kind(const void *context)
{
	const struct name_context *step = context;

	return step != NULL && step->kind == CONTEXT_STEP ? step->object : NULL;
}
