/* `gridlane plan`: what would be done, lane by lane. */
#include <string.h>

#include "pipelines/plan.h"
#include "pipelines/print_split.h"
#include "pipelines/term.h"
#include "pipelines/worst.h"
#include "runner/base/buffer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

/* Bytes of one word of the file that is shown. */
#define SHOWN_BYTES 200

static const char *const when_words[] = {[WHEN_SUCCESS] = "success",
        [WHEN_FAILURE] = "failure",
        [WHEN_ALWAYS] = "always",
        [WHEN_CANCELLED] = "cancelled"};

static void add_harmless(struct buffer *out, const char *text)
{
	text_neutralise(out, text, strlen(text), SHOWN_BYTES);
}

static const char *kind_word(const struct plan_step *step)
{
	return step->kind != NULL ? step->kind->name : "matrix";
}

/* What the step does, in words. */
static char *step_words(const struct plan *plan, const struct plan_step *step)
{
	const struct node *operation = node_member(step->with, "operation");
	size_t lanes = lanes_of_step(plan, step);

	if (step->kind == NULL && lanes > 0)
		return gr_printf("%zu lane%s%s", lanes, lanes == 1 ? "" : "s",
		        lanes > 1 && step->max_parallel == 1 ? ", one after the other" : "");
	if (step->kind == NULL)
		return gr_strdup("lanes: as many as there are values");
	if (operation != NULL && operation->kind == NODE_SCALAR && (step->kind->flags & KIND_OPEN) != 0)
		return gr_printf("operation %s", operation->text);
	return gr_strdup(step->name != NULL ? step->name : step->kind->summary);
}

static void add_limit(struct buffer *out, int64_t ms)
{
	char text[32];

	if (ms != CLOCK_NEVER)
		buffer_printf(out, "  [at most %s]", number_format_duration(ms, text));
}

/* The step's conditions, as written. */
static void add_conditions(struct buffer *out, const struct plan_step *step, enum plan_when usual)
{
	if (step->when != usual)
		buffer_printf(out, "  when: %s", when_words[step->when]);
	if (step->condition != NULL) {
		buffer_add_text(out, "  if: ");
		add_harmless(out, step->condition->text);
	}
	if (step->best_effort)
		buffer_add_text(out, "  best effort");
	if (step->may_continue)
		buffer_add_text(out, "  goes on after a failure");
}

/* Each further start may take as long as the first. */
static void add_rerun(struct buffer *out, const struct plan_rerun *rerun)
{
	unsigned starts = rerun->failed_most + rerun->not_run_most;

	if (starts == 0)
		return;
	buffer_printf(out, "  up to %u further start%s", starts, starts == 1 ? "" : "s");
	if (rerun->failed_most == 0)
		buffer_add_text(out, " for tests that did not run");
	else
		buffer_printf(out, " for %s tests", rerun->failed_only ? "failed" : "all");
	if (rerun->unless != NULL) {
		buffer_add_text(out, ", unless ");
		add_harmless(out, rerun->unless->text);
	}
}

struct page {
	const struct plan *plan;
	const json_t *seconds; /* of tests, or NULL */
	struct buffer *out;
	size_t lanes; /* of the matrix that the list is in; 0: none, or not known */
};

static void add_split(const struct page *page, const struct plan_step *step, unsigned depth)
{
	if (!step->is_split)
		return;
	buffer_printf(page->out, "%*s", (int)(depth * 2 + 2), "");
	print_split(step, page->lanes, page->seconds, page->out);
	buffer_add_char(page->out, '\n');
}

static void add_text_list(const struct page *page, const struct plan_step *steps, size_t count, unsigned depth)
{
	const struct plan *plan = page->plan;
	struct buffer *out = page->out;

	for (size_t i = 0; i < count; i++) {
		const struct plan_step *step = &steps[i];
		const struct page inner = {plan, page->seconds, out, lanes_of_step(plan, step)};
		GR_AUTO_FREE char *words = step_words(plan, step);

		buffer_printf(out, "%*s%-*s %-18s ", (int)(depth * 2), "", depth < 10 ? (int)(24 - depth * 2) : 4,
		        step->id, kind_word(step));
		add_harmless(out, words);
		add_conditions(out, step, depth > 0 && steps == plan->finally ? WHEN_ALWAYS : WHEN_SUCCESS);
		add_rerun(out, &step->rerun);
		add_limit(out, worst_of_step(plan, step));
		buffer_add_char(out, '\n');
		add_split(page, step, depth);
		add_text_list(&inner, step->steps, step->step_count, depth + 1); /* as deep as the file */
	}
}

static void add_text_ends(const struct page *page)
{
	const struct plan *plan = page->plan;
	struct buffer *out = page->out;

	if (plan->finally_count > 0) {
		buffer_add_text(out, "\nfinally, after every end of the run\n");
		add_text_list(page, plan->finally, plan->finally_count, 1);
	}
	if (plan->gate_count > 0)
		buffer_add_text(out, "\ngate, every rule of which must hold\n");
	for (size_t i = 0; i < plan->gate_count; i++) {
		buffer_add_text(out, "  ");
		add_harmless(out, plan->gate[i].text);
		buffer_add_text(out, plan->gate[i].is_implied ? "  (implied: no rule speaks of failures)\n" : "\n");
	}
	if (plan->report_count > 0)
		buffer_add_text(out, "\nreports\n");
	for (size_t i = 0; i < plan->report_count; i++) {
		buffer_printf(out, "  %-24s ", plan->reports[i].format);
		add_harmless(out, plan->reports[i].target);
		buffer_add_char(out, '\n');
	}
}

static void print_text(const struct plan *plan, const struct plan_view *view, struct buffer *out)
{
	const struct page page = {plan, view->seconds, out, 0};
	char whole[32], reserve[32];

	add_harmless(out, plan->name);
	buffer_printf(out, ": at most %s, ", number_format_duration(worst_of_plan(plan), whole));
	buffer_printf(out, "of which %s are kept for giving back and reporting\n\nsteps, in order\n",
	        number_format_duration(plan->cleanup_reserve_ms, reserve));
	add_text_list(&page, plan->steps, plan->step_count, 1);
	add_text_ends(&page);
}

static void set_time(json_t *object, const char *key, int64_t ms)
{
	(void)json_object_set_new(object, key, ms == CLOCK_NEVER ? json_null() : json_integer(ms));
}

static json_t *list_to_json(const struct page *page, const struct plan_step *steps, size_t count);

static json_t *step_to_json(const struct page *page, const struct plan_step *step)
{
	const struct plan *plan = page->plan;
	json_t *object = json_object();
	size_t lanes = lanes_of_step(plan, step);
	const struct page inner = {plan, page->seconds, NULL, lanes};

	(void)json_object_set_new(object, "id", json_string(step->id));
	(void)json_object_set_new(object, "uses", json_string(kind_word(step)));
	if (step->name != NULL)
		(void)json_object_set_new(object, "name", json_string(step->name));
	(void)json_object_set_new(object, "line", json_integer(step->line));
	(void)json_object_set_new(
	        object, "implicit", json_boolean(step->kind != NULL && (step->kind->flags & KIND_IMPLICIT) != 0));
	(void)json_object_set_new(object, "when", json_string(when_words[step->when]));
	if (step->condition != NULL)
		(void)json_object_set_new(object, "if", json_string(step->condition->text));
	(void)json_object_set_new(object, "best_effort", json_boolean(step->best_effort));
	(void)json_object_set_new(object, "continues_after_failure", json_boolean(step->may_continue));
	set_time(object, "worst_ms", worst_of_step(plan, step));
	if (step->rerun.failed_most + step->rerun.not_run_most > 0)
		(void)json_object_set_new(object, "rerun",
		        json_pack("{s:i, s:i, s:b, s:s*}", "max", (int)step->rerun.failed_most, "not_run",
		                (int)step->rerun.not_run_most, "failed_only", step->rerun.failed_only, "unless",
		                step->rerun.unless != NULL ? step->rerun.unless->text : NULL));
	if (step->is_split)
		(void)json_object_set_new(object, "split", print_split_json(step, page->lanes, page->seconds));
	if (step->kind != NULL)
		return object;
	(void)json_object_set_new(object, "lanes", lanes > 0 ? json_integer((json_int_t)lanes) : json_null());
	(void)json_object_set_new(object, "max_parallel", json_integer(step->max_parallel));
	(void)json_object_set_new(object, "fail_fast", json_boolean(step->fail_fast));
	(void)json_object_set_new(object, "steps", list_to_json(&inner, step->steps, step->step_count));
	return object;
}

static json_t *list_to_json(const struct page *page, const struct plan_step *steps, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, step_to_json(page, &steps[i]));
	return list;
}

static void print_json(const struct plan *plan, const struct plan_view *view, struct buffer *out)
{
	const struct page page = {plan, view->seconds, out, 0};
	GR_AUTO_JSON json_t *object = json_object();
	json_t *gate = json_array(), *reports = json_object();
	char *text;

	(void)json_object_set_new(object, "name", json_string(plan->name));
	(void)json_object_set_new(object, "file", json_string(plan->file));
	(void)json_object_set_new(object, "fingerprint", json_string(plan->fingerprint));
	set_time(object, "timeout_ms", plan->timeout_ms);
	set_time(object, "cleanup_reserve_ms", plan->cleanup_reserve_ms);
	set_time(object, "worst_ms", worst_of_plan(plan));
	(void)json_object_set_new(object, "steps", list_to_json(&page, plan->steps, plan->step_count));
	(void)json_object_set_new(object, "finally", list_to_json(&page, plan->finally, plan->finally_count));
	for (size_t i = 0; i < plan->gate_count; i++)
		(void)json_array_append_new(gate, json_string(plan->gate[i].text));
	(void)json_object_set_new(object, "gate", gate);
	for (size_t i = 0; i < plan->report_count; i++)
		(void)json_object_set_new(reports, plan->reports[i].format, json_string(plan->reports[i].target));
	(void)json_object_set_new(object, "reports", reports);
	text = json_dumps(object, JSON_INDENT(2));
	buffer_add_text(out, text != NULL ? text : "{}");
	buffer_add_char(out, '\n');
	gr_free(text);
}

/* Mermaid's labels stand in quotes; quotes and angle brackets inside are entities. */
static void add_label(struct buffer *out, const char *text)
{
	GR_AUTO_BUFFER struct buffer harmless = {0};

	add_harmless(&harmless, text);
	for (const char *c = buffer_text(&harmless); *c != '\0'; c++) {
		if (strchr("\"<>#&", *c) != NULL)
			buffer_printf(out, "#%u;", (unsigned)(unsigned char)*c);
		else
			buffer_add_char(out, *c);
	}
}

struct drawing {
	const struct plan *plan;
	struct buffer *out;
	unsigned number; /* of the last node */
};

static unsigned draw_list(struct drawing *drawing, const struct plan_step *steps, size_t count, unsigned before);

static unsigned draw_step(struct drawing *drawing, const struct plan_step *step, unsigned before)
{
	struct buffer *out = drawing->out;
	unsigned own = ++drawing->number, last = own;
	GR_AUTO_FREE char *words = step_words(drawing->plan, step);

	buffer_printf(out, "\tn%u[\"", own);
	add_label(out, step->id);
	buffer_add_text(out, "<br/>");
	add_label(out, step->kind != NULL ? step->kind->name : words);
	buffer_add_text(out, "\"]\n");
	if (before != 0)
		buffer_printf(out, "\tn%u --> n%u\n", before, own);
	if (step->step_count > 0) {
		buffer_printf(out, "\tsubgraph s%u[\"each lane\"]\n", own);
		last = draw_list(drawing, step->steps, step->step_count, 0);
		buffer_add_text(out, "\tend\n");
		buffer_printf(out, "\tn%u --> s%u\n", own, own);
	}
	return step->step_count > 0 ? own : last;
}

static unsigned draw_list(struct drawing *drawing, const struct plan_step *steps, size_t count, unsigned before)
{
	for (size_t i = 0; i < count; i++)
		before = draw_step(drawing, &steps[i], before);
	return before;
}

static void print_mermaid(const struct plan *plan, struct buffer *out)
{
	struct drawing drawing = {.plan = plan, .out = out};
	unsigned last;

	buffer_add_text(out, "flowchart TD\n");
	last = draw_list(&drawing, plan->steps, plan->step_count, 0);
	if (plan->finally_count > 0) {
		buffer_add_text(out, "\tsubgraph finally\n");
		(void)draw_list(&drawing, plan->finally, plan->finally_count, 0);
		buffer_add_text(out, "\tend\n");
		if (last != 0)
			buffer_printf(out, "\tn%u -.-> finally\n", last);
	}
}

int plan_print(const struct plan *plan, const struct plan_view *view, struct buffer *out, struct gr_error *err)
{
	const char *format = view->format;

	if (strcmp(format, "text") == 0)
		print_text(plan, view, out);
	else if (strcmp(format, "json") == 0)
		print_json(plan, view, out);
	else if (strcmp(format, "mermaid") == 0)
		print_mermaid(plan, out);
	else
		return gr_fail(err, GR_USAGE, 0, "unknown format '%s': text, json and mermaid are known", format);
	return 0;
}
