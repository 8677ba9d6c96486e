/* `steps:` and `finally:`: every list of steps, those of a matrix included. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

const struct key step_keys[] = {{"id", NULL}, {"name", NULL}, {"uses", NULL}, {"with", NULL}, {"if", NULL},
        {"when", NULL}, {"on_failure", NULL}, {"best_effort", NULL}, {"timeout", NULL}, {"retry", NULL}, {"poll", NULL},
        {"on_lost_start", NULL}, {"matrix", NULL}, {"steps", NULL}, {"rerun", NULL}, {"split", NULL}, {NULL, NULL}};
static const char *const when_words[] = {"success", "failure", "always", "cancelled", NULL};
static const char *const on_failure_words[] = {"stop", "continue", NULL};

/* Steps of one list; more is a mistake. */
#define STEPS_MOST 1000

/* What a list of steps hands down to each of them. */
struct listing {
	struct check *check;
	const struct step_defaults *defaults;
	const struct node *nodes;
	struct step_list *list;
	const struct frame *frame;
	int64_t limit_ms; /* the time that stands around the list */
	const char *limit_name; /* "the `timeout` of the run" */
	bool is_tried; /* in a matrix that is best_effort */
	const char *name; /* "`steps`" */
};

static void check_list(const struct listing *listing);

unsigned step_roots(const struct check *check)
{
	return ROOTS_STEP | (check->is_finally ? ROOT_RESULTS : 0);
}

static bool has_id(const struct node *nodes, const char *id)
{
	for (size_t i = 0; i < nodes->count; i++) {
		if (node_is(node_member(nodes->items[i], "id"), id))
			return true;
	}
	return false;
}

static const struct plan_step *find_step(const struct step_list *list, const char *id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (text_equal(list->items[i].id, id))
			return &list->items[i];
	}
	return NULL;
}

/* Steps of the list whose id was made from the same word: where counting begins, so that a long list stays quick. */
static unsigned count_made(const struct step_list *list, const char *base)
{
	unsigned count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += !list->items[i].id_is_given && text_has_prefix(list->items[i].id, base);
	return count;
}

/* KIND, KIND-2, ...: no other step of the list has it, nor is given it further down. */
static char *make_id(const struct listing *listing, const char *base)
{
	unsigned number = count_made(listing->list, base) + 1;
	char *id = number == 1 ? gr_strdup(base) : gr_printf("%s-%u", base, number);

	while (find_step(listing->list, id) != NULL || has_id(listing->nodes, id)) {
		gr_free(id);
		id = gr_printf("%s-%u", base, ++number);
	}
	return id;
}

static void read_id(const struct listing *listing, const struct node *node, struct plan_step *step)
{
	const struct node *id = node_member(node, "id");
	const struct plan_step *other;

	if (id == NULL || !check_name(listing->check, id, "`id`")) {
		step->id = make_id(listing, step->kind != NULL   ? step->kind->name
		                            : step->axes != NULL ? "matrix"
		                                                 : "step");
		return;
	}
	other = find_step(listing->list, id->text);
	if (other != NULL)
		check_fail(
		        listing->check, id, NULL, "the id '%s' is taken by the step in line %u", id->text, other->line);
	step->id = gr_strdup(id->text);
	step->id_is_given = true;
}

/* Step kinds that a file may name: `names` has room for them and a NULL. */
static void list_kinds(const char **names)
{
	for (const struct kind *kind = step_kinds; kind->name != NULL; kind++)
		if ((kind->flags & KIND_IMPLICIT) == 0)
			*names++ = kind->name;
	*names = NULL;
}

static void read_kind(const struct listing *listing, const struct node *uses, struct plan_step *step)
{
	const char *names[KINDS_MOST];
	const struct kind *kind;

	if (uses->kind != NODE_SCALAR || uses->template != NULL) {
		check_fail(listing->check, uses, NULL, "`uses` must be the name of a step kind, such as install");
		return;
	}
	kind = kind_find(uses->text);
	if (kind == NULL || (kind->flags & KIND_IMPLICIT) != 0) {
		list_kinds(names);
		check_unknown(listing->check, uses, "step kind", names);
		return;
	}
	if (kind->ops == NULL) {
		GR_AUTO_FREE char *what = gr_printf("`uses: %s`", kind->name);

		check_later(listing->check, uses, what);
	}
	step->kind = kind;
}

static void read_when(struct check *check, const struct node *node, struct plan_step *step)
{
	const struct node *when = node_member(node, "when"), *on_failure = node_member(node, "on_failure");
	const struct node *condition = node_member(node, "if");
	int choice = when != NULL ? read_choice(check, when, "`when`", when_words) : -1;

	step->when = check->is_finally ? WHEN_ALWAYS : WHEN_SUCCESS;
	if (choice >= 0)
		step->when = (enum plan_when)choice;
	if (on_failure != NULL)
		step->may_continue = read_choice(check, on_failure, "`on_failure`", on_failure_words) == 1;
	(void)read_bool(check, node_member(node, "best_effort"), "`best_effort`", &step->best_effort);
	if (condition != NULL)
		step->condition = check_condition(check, condition, step_roots(check), "`if`");
}

/* A time that does not fit into the one around it. */
static void check_fits(
        struct check *check, const struct node *node, const char *what, int64_t ms, const struct listing *around)
{
	char text[32];

	if (node != NULL && around->limit_ms != CLOCK_NEVER && ms != CLOCK_NEVER && ms > around->limit_ms)
		check_fail(check, node, NULL, "%s is longer than %s (%s), so it can never be used up", what,
		        around->limit_name, number_format_duration(around->limit_ms, text));
}

static void read_times(const struct listing *listing, const struct node *node, struct plan_step *step)
{
	struct check *check = listing->check;
	const struct node *timeout = node_member(node, "timeout"), *poll = node_member(node, "poll");
	struct listing inner = *listing;

	step->timeout_ms = CLOCK_NEVER;
	step->retry = listing->defaults->retry;
	step->poll = listing->defaults->poll;
	step->resend_lost_start = listing->defaults->resend_lost_start;
	if (read_duration(check, timeout, "`timeout`", &step->timeout_ms)) {
		if (step->timeout_ms <= 0)
			check_fail(check, timeout, NULL, "`timeout` must be longer than 0");
		check_fits(check, timeout, "`timeout`", step->timeout_ms, listing);
		inner.limit_ms = step->timeout_ms;
		inner.limit_name = "the `timeout` of the step";
	}
	check_retry(check, node_member(node, "retry"), &step->retry);
	check_poll(check, poll, &step->poll);
	if (node_member(poll, "timeout") != NULL)
		check_fits(check, node_member(poll, "timeout"), "`timeout` of `poll`", step->poll.timeout_ms, &inner);
	(void)read_lost_start(check, node_member(node, "on_lost_start"), &step->resend_lost_start);
}

/* Keys that would be read and mean nothing for this kind are errors. */
static void check_meaning(struct check *check, const struct node *node, const struct plan_step *step)
{
	const struct node *poll = node_member(node, "poll"), *retry = node_member(node, "retry"),
	                  *lost = node_member(node, "on_lost_start");
	unsigned flags = step->kind != NULL ? step->kind->flags : 0;
	const char *name = step->kind != NULL ? step->kind->name : "matrix";

	if (step->kind == NULL && step->axes == NULL)
		return;
	if (poll != NULL && (flags & KIND_POLLS) == 0)
		check_fail(check, poll, NULL, "`poll` means nothing for '%s', which waits for nothing", name);
	else if (poll != NULL && (flags & KIND_OPEN) != 0 && step->until == NULL)
		check_fail(check, poll, NULL, "`poll` means nothing for '%s' without `until`", name);
	if (retry != NULL && (step->kind == NULL || (flags & KIND_LOCAL) != 0))
		check_fail(check, retry, NULL, "`retry` means nothing for '%s', which sends no request", name);
	if (lost != NULL && (flags & KIND_RUNS_TESTS) == 0)
		check_fail(check, lost, NULL, "`on_lost_start` means nothing for '%s', which starts no test run", name);
}

static void check_inner(
        const struct listing *listing, const struct node *node, struct plan_step *step, const struct frame *frame)
{
	struct step_list list = {0};
	struct frame lane = *frame;
	struct listing inner = *listing;

	inner.name = "`steps`";
	lane.list = &list;
	lane.nodes = node_member(node, "steps");
	inner.nodes = lane.nodes;
	inner.list = &list;
	inner.frame = &lane;
	inner.is_tried = step->is_tried;
	if (step->timeout_ms != CLOCK_NEVER) {
		inner.limit_ms = step->timeout_ms;
		inner.limit_name = "the `timeout` of the matrix";
	}
	check_list(&inner);
	step->steps = list.items;
	step->step_count = list.count;
}

static void check_matrix_step(const struct listing *listing, const struct node *node, struct plan_step *step)
{
	struct frame frame = {.outer = listing->frame};
	struct typed *types = NULL;

	check_matrix(listing->check, node_member(node, "matrix"), step, &types);
	frame.axes = step->axes;
	frame.axis_types = types;
	frame.axis_count = step->axis_count;
	if (node_member(node, "steps") == NULL)
		check_fail(listing->check, node, NULL, "a `matrix` needs `steps` of its own, which each lane does");
	else
		check_inner(listing, node, step, &frame);
	check_split_lanes(listing->check, node_member(node, "matrix"), step);
	gr_free(types);
}

/* What the step is: one of `uses` and `matrix` with `steps`. */
static void check_form(const struct listing *listing, const struct node *node)
{
	struct check *check = listing->check;
	const struct node *uses = node_member(node, "uses"), *matrix = node_member(node, "matrix"),
	                  *steps = node_member(node, "steps"), *with = node_member(node, "with");

	if (uses == NULL && matrix == NULL && steps == NULL)
		check_fail(check, node, "write for example: uses: install",
		        "the step does nothing: it needs `uses`, or `matrix` and `steps`");
	else if (uses != NULL && (matrix != NULL || steps != NULL))
		check_fail(check, uses, NULL,
		        "a step has either `uses` or `matrix` and `steps`; put this one into the `steps` of the "
		        "matrix");
	else if (steps != NULL && matrix == NULL)
		check_fail(check, steps, NULL, "`steps` inside a step need a `matrix`");
	if (with != NULL && uses == NULL)
		check_fail(check, with, NULL, "`with` belongs to `uses`");
}

static bool is_top(const struct listing *listing)
{
	return listing->frame->outer == NULL && !listing->check->is_finally;
}

static void check_step(const struct listing *listing, const struct node *node)
{
	struct check *check = listing->check;
	struct plan_step step = {.line = node->line, .column = node->column};
	const struct node *uses = node_member(node, "uses");

	if (!check_keys(check, node, "a step", step_keys))
		return;
	check_form(listing, node);
	if (uses != NULL)
		read_kind(listing, uses, &step);
	(void)read_text(check, node_member(node, "name"), "`name`", &step.name);
	read_when(check, node, &step);
	step.early_needs = is_top(listing) ? check->need_count : 0;
	step.is_tried = step.best_effort || listing->is_tried;
	read_times(listing, node, &step);
	if (step.kind != NULL)
		check_fields(check, &step, node);
	else if (uses == NULL && node_member(node, "matrix") != NULL)
		check_matrix_step(listing, node, &step);
	check_step_rerun(check, node_member(node, "rerun"), listing->defaults->rerun, &step);
	check_split(check, node_member(node, "split"), &step);
	check_meaning(check, node, &step);
	read_id(listing, node, &step);
	listing->list->items = gr_grow(listing->list->items, listing->list->count, sizeof(step));
	listing->list->items[listing->list->count++] = step;
}

void note_need(struct check *check, const struct plan_devices *devices)
{
	for (size_t i = 0; i < check->need_count; i++)
		if (check->needs[i] == devices)
			return;
	if (check->is_finally)
		return; /* what `steps` chose is all there is */
	check->needs = gr_grow(check->needs, check->need_count, sizeof(const struct plan_devices *));
	check->needs[check->need_count++] = devices;
}

/* What the step that was checked last, and its lanes, need of `devices`. */
static void take_needs(struct check *check, struct step_list *list, size_t index)
{
	if (index < list->count) {
		list->items[index].needs = check->needs;
		list->items[index].need_count = check->need_count;
	} else {
		gr_free(check->needs); /* a mistake: there is no such step */
	}
	check->needs = NULL;
	check->need_count = 0;
}

static void check_list(const struct listing *listing)
{
	struct check *check = listing->check;
	const struct frame *before = check->frame;

	if (listing->nodes->kind != NODE_LIST || listing->nodes->count == 0 || listing->nodes->count > STEPS_MOST) {
		check_fail(check, listing->nodes, NULL,
		        "%s must be a list of 1 to %d steps, each of which begins with '-'", listing->name, STEPS_MOST);
		return;
	}
	for (size_t i = 0; i < listing->nodes->count; i++) {
		size_t index = listing->list->count;

		check->frame = listing->frame;
		if (is_top(listing))
			check->top_index = index;
		check->step_line = listing->nodes->items[i]->line;
		check_step(listing, listing->nodes->items[i]);
		if (is_top(listing))
			take_needs(check, listing->list, index);
	}
	check->frame = before;
}

/* A top-level list; the gate sees its steps afterwards. */
static void check_top(struct check *check, const struct node *nodes, const struct step_defaults *defaults,
        const struct frame *outer, struct step_list *list)
{
	const struct frame frame = {.outer = outer, .list = list, .nodes = nodes};
	const struct listing listing = {
	        .check = check,
	        .defaults = defaults,
	        .nodes = nodes,
	        .list = list,
	        .frame = &frame,
	        .limit_ms = check->plan->timeout_ms,
	        .limit_name = "the `timeout` of the run",
	        .name = check->is_finally ? "`finally`" : "`steps`",
	};

	check_list(&listing);
}

void check_steps(struct check *check, const struct node *steps, const struct node *finally)
{
	struct plan *plan = check->plan;
	struct step_defaults defaults;
	struct step_list main = {0}, last = {0};
	struct frame frame = {.list = &main, .nodes = steps};

	check_defaults(check, node_member(plan->root, "defaults"), &defaults);
	if (steps == NULL)
		check_fail(check, plan->root, "add: steps: [ ... ]", "the pipeline has no `steps`");
	else
		check_top(check, steps, &defaults, NULL, &main);
	check->is_finally = true;
	if (finally != NULL)
		check_top(check, finally, &defaults, &frame, &last);
	plan->finally = last.items;
	plan->finally_count = last.count;
	check->frame = &frame;
	check->step_line = 0;
	check_gate(check, node_member(plan->root, "gate"));
	check->frame = NULL;
	check->is_finally = false;
	plan->has_subject = check_subjects(steps) || check_subjects(finally);
	plan->steps = main.items;
	plan->step_count = main.count;
	plan_add_implicit(check, &defaults);
}
