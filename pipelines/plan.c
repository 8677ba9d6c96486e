/* The plan itself: the steps that nobody wrote, and giving everything back. */
#include "pipelines/plan.h"

#include <string.h>

#include "pipelines/check.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

static void steps_free(struct plan_step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		plan_step_release(&steps[i]);
	gr_free(steps);
}

/* Recursion is bounded by the depth of the file. */
void plan_step_release(struct plan_step *step)
{
	for (size_t i = 0; i < step->axis_count; i++)
		gr_free(step->axes[i]);
	gr_free(step->axes);
	gr_free(step->axis_values);
	gr_free(step->id);
	gr_free(step->name);
	gr_free(step->collect_for);
	json_decref(step->split_tests);
	gr_free(step->needs);
	expression_free(step->condition);
	expression_free(step->until);
	expression_free(step->rerun.unless);
	steps_free(step->steps, step->step_count);
}

static void inputs_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->input_count; i++) {
		gr_free(plan->inputs[i].name);
		json_decref(plan->inputs[i].value);
	}
	gr_free(plan->inputs);
	for (size_t i = 0; i < plan->secret_count; i++) {
		gr_free(plan->secrets[i].name);
		gr_free(plan->secrets[i].environment);
		gr_free(plan->secrets[i].file);
	}
	gr_free(plan->secrets);
}

static void devices_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->devices_count; i++) {
		gr_free(plan->devices[i].name);
		gr_free(plan->devices[i].any_of);
	}
	gr_free(plan->devices);
	for (size_t i = 0; plan->server.download_hosts != NULL && plan->server.download_hosts[i] != NULL; i++)
		gr_free(plan->server.download_hosts[i]);
	gr_free(plan->server.download_hosts);
}

static void ends_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->gate_count; i++) {
		gr_free(plan->gate[i].text);
		expression_free(plan->gate[i].expression);
	}
	gr_free(plan->gate);
	gr_free(plan->history.branch);
	for (size_t i = 0; i < plan->report_count; i++) {
		gr_free(plan->reports[i].format);
		gr_free(plan->reports[i].target);
	}
	gr_free(plan->reports);
	gr_free(plan->webhooks);
}

void plan_free(struct plan *plan)
{
	if (plan == NULL)
		return;
	inputs_free(plan);
	devices_free(plan);
	steps_free(plan->steps, plan->step_count);
	steps_free(plan->finally, plan->finally_count);
	ends_free(plan);
	quarantine_release(&plan->quarantine);
	node_free(plan->root);
	json_decref(plan->early);
	gr_free(plan->file);
	gr_free(plan->source);
	gr_free(plan->name);
	gr_free(plan->app_platform);
	gr_free(plan->working_directory);
	gr_free(plan);
}

static struct plan_step implicit_step(const char *kind, const struct step_defaults *defaults)
{
	return (struct plan_step){
	        .kind = kind_find(kind),
	        .when = WHEN_SUCCESS,
	        .timeout_ms = CLOCK_NEVER,
	        .retry = defaults->retry,
	        .poll = defaults->poll,
	        .resend_lost_start = defaults->resend_lost_start,
	        .line = 1,
	        .column = 1,
	};
}

static void insert_step(struct plan *plan, size_t index, struct plan_step step)
{
	plan->steps = gr_resize(plan->steps, plan->step_count + 1, sizeof(*plan->steps));
	memmove(plan->steps + index + 1, plan->steps + index, (plan->step_count - index) * sizeof(*plan->steps));
	plan->steps[index] = step;
	plan->step_count++;
}

static bool is_taken(const struct plan *plan, const char *id)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		if (strcmp(plan->steps[i].id, id) == 0)
			return true;
	}
	return false;
}

/* Devices are chosen right before the first step that names them and is done (the engine passes over steps that are
 * left out): not sooner than needed, so that they are held no longer. */
static void add_selection(
        struct check *check, size_t index, const struct plan_devices *devices, const struct step_defaults *defaults)
{
	struct plan_step step = implicit_step("select_devices", defaults);

	step.id = gr_printf("devices.%s", devices->name);
	step.devices = devices;
	step.line = devices->line;
	step.column = devices->column;
	insert_step(check->plan, index, step);
}

/* The application is looked up right before it is needed, so that a step may create it. */
static void add_application(struct check *check, size_t index, const struct step_defaults *defaults)
{
	struct plan_step step = implicit_step("application", defaults);
	const struct node *app = node_member(check->plan->root, "app");

	step.id = gr_strdup(is_taken(check->plan, "app") ? "app.lookup" : "app"); /* no id of a user has a dot */
	step.line = app->line;
	step.column = app->column;
	insert_step(check->plan, index, step);
}

/* ---- artifacts.collect: after each step that runs tests, in its own lane ---- */

/* A synchronous installation has no log. */
static bool has_install_log(const struct plan *plan, const struct plan_step *step)
{
	const struct node *mode = node_member(step->with, "mode");

	if (step->kind == NULL || strcmp(step->kind->name, "install") != 0 || mode == NULL ||
	        (mode->kind == NODE_SCALAR && text_equal(mode->text, "sync")))
		return false;
	for (size_t i = 0; i < plan->collect->count; i++)
		if (text_equal(plan->collect->items[i]->text, "logs"))
			return true;
	return false;
}

static struct plan_step collect_step(
        const struct plan *plan, const struct plan_step *test, const struct step_defaults *defaults)
{
	struct plan_step step = implicit_step("collect", defaults);

	step.id = gr_printf("%s.collect", test->id); /* no id of a user has a dot */
	step.collect_for = gr_strdup(test->id);
	step.collect_device = node_member(test->with, "device");
	step.collect_kind = test->kind;
	step.when = WHEN_ALWAYS;
	step.best_effort = !plan->collect_required;
	step.is_tried = step.best_effort || test->is_tried;
	step.line = test->line;
	step.column = test->column;
	return step;
}

/* Recursion is bounded by the depth of the file. */
static void add_collects(
        const struct plan *plan, struct plan_step **steps, size_t *count, const struct step_defaults *defaults)
{
	struct plan_step *list = gr_alloc(2 * *count + 1, sizeof(*list));
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		struct plan_step *step = &(*steps)[i];

		add_collects(plan, &step->steps, &step->step_count, defaults);
		list[kept++] = *step;
		if ((step->kind != NULL && (step->kind->flags & KIND_RUNS_TESTS) != 0) || has_install_log(plan, step))
			list[kept++] = collect_step(plan, step, defaults);
	}
	gr_free(*steps);
	*steps = list;
	*count = kept;
}

void plan_add_implicit(struct check *check, const struct step_defaults *defaults)
{
	struct plan *plan = check->plan;
	bool needs_app = check->uses_app && plan->has_app;
	size_t app_at = check->app_use < plan->step_count ? check->app_use : 0;

	for (size_t at = plan->step_count; at-- > 0;) {
		for (size_t i = plan->devices_count; i-- > 0;) { /* in the order of the file */
			if (check->first_use[i] == at)
				add_selection(check, at, &plan->devices[i], defaults);
		}
		if (needs_app && app_at == at)
			add_application(check, at, defaults);
	}
	if (plan->collect != NULL) {
		add_collects(plan, &plan->steps, &plan->step_count, defaults);
		add_collects(plan, &plan->finally, &plan->finally_count, defaults);
	}
}

static bool has_split(const struct plan_step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (steps[i].is_split || has_split(steps[i].steps, steps[i].step_count)) /* as deep as the file */
			return true;
	return false;
}

bool plan_has_split(const struct plan *plan)
{
	return has_split(plan->steps, plan->step_count) || has_split(plan->finally, plan->finally_count);
}
