/* `gridlane plan --step`: all that is known of a step before it is done. */
#include <string.h>

#include "pipelines/plan.h"
#include "pipelines/term.h"
#include "pipelines/worst.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

#define SHOWN_BYTES 200
#define NAME_COLUMNS 22
#define NAMES_MOST 200

static void add_row(struct buffer *out, const char *name, const char *text)
{
	buffer_printf(out, "    %-*s ", NAME_COLUMNS, name);
	text_neutralise(out, text, strlen(text), SHOWN_BYTES);
	buffer_add_char(out, '\n');
}

/* A value as written; what is deeper is only named. */
static void add_value(struct buffer *out, const char *name, const struct node *value)
{
	switch (value->kind) {
	case NODE_SCALAR:
		add_row(out, name, value->text);
		return;
	case NODE_LIST:
		add_row(out, name, "(a list)");
		return;
	case NODE_MAP:
		add_row(out, name, "(a map)");
		return;
	}
}

static void add_fields(struct buffer *out, const struct plan_step *step)
{
	if (step->with == NULL || step->with->count == 0)
		return;
	buffer_add_text(out, "  with\n");
	for (size_t i = 0; i < step->with->count; i++)
		add_value(out, step->with->keys[i]->text, step->with->items[i]);
}

static void add_outputs(struct buffer *out, const struct plan_step *step)
{
	const struct field *output = step->kind != NULL ? step->kind->outputs : NULL;

	if (output == NULL || output->name == NULL)
		return;
	buffer_printf(out, "  outputs, as ${{ steps.%s.NAME }}\n", step->id);
	for (; output->name != NULL; output++)
		add_row(out, output->name, output->help);
}

static void add_lanes(struct buffer *out, const struct plan_step *step)
{
	if (step->step_count == 0)
		return;
	buffer_add_text(out, "  steps of each lane\n");
	for (size_t i = 0; i < step->step_count; i++)
		add_row(out, step->steps[i].id, step->steps[i].kind != NULL ? step->steps[i].kind->name : "matrix");
}

static void add_step(struct buffer *out, const struct plan *plan, const struct plan_step *step)
{
	int64_t worst_ms = worst_of_step(plan, step);
	char span[32];

	buffer_printf(out, "%s: %s", step->id, step->kind != NULL ? step->kind->name : "matrix");
	if (step->line > 0)
		buffer_printf(out, ", line %u", step->line);
	buffer_printf(out, "\n  %s\n", step->kind != NULL ? step->kind->summary : "One lane for each value.");
	if (step->condition != NULL) {
		buffer_add_text(out, "  if ");
		text_neutralise(out, step->condition->text, strlen(step->condition->text), SHOWN_BYTES);
		buffer_add_char(out, '\n');
	}
	if (worst_ms != CLOCK_NEVER)
		buffer_printf(out, "  at most %s\n", number_format_duration(worst_ms, span));
	add_fields(out, step);
	add_outputs(out, step);
	add_lanes(out, step);
}

struct search {
	const struct plan *plan;
	const char *id;
	struct buffer *out;
	size_t found;
	const char *names[NAMES_MOST + 1]; /* for what may have been meant */
	size_t name_count;
};

/* An id is unique in its list, not in the file: all of them. As deep as the file. */
static void search_list(struct search *search, const struct plan_step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (search->name_count < NAMES_MOST)
			search->names[search->name_count++] = steps[i].id;
		if (text_equal(steps[i].id, search->id)) {
			if (search->found++ > 0)
				buffer_add_char(search->out, '\n');
			add_step(search->out, search->plan, &steps[i]);
		}
		search_list(search, steps[i].steps, steps[i].step_count);
	}
}

int plan_print_step(const struct plan *plan, const char *id, struct buffer *out, struct gr_error *err)
{
	struct search search = {.plan = plan, .id = id, .out = out};
	const char *near;

	search_list(&search, plan->steps, plan->step_count);
	search_list(&search, plan->finally, plan->finally_count);
	if (search.found > 0)
		return 0;
	near = text_suggest(id, search.names);
	return gr_fail(err, GR_USAGE, 0, "the pipeline has no step '%s'%s%s%s; `gridlane plan %s` shows them", id,
	        near != NULL ? " (did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?)" : "",
	        plan->file);
}
