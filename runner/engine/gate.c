/* The gate: every rule is evaluated and said with its values; results_judge() makes the verdict. */
#include "runner/engine/run.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/results/index.h"

/* What earlier runs say, asked once and only when a rule compares with them. */
struct past {
	json_t *known; /* NULL: nothing, and `why` says why */
	struct gr_error why;
};

static bool compares(const struct plan *plan)
{
	for (size_t i = 0; i < plan->gate_count; i++)
		if (plan->gate[i].past)
			return true;
	return false;
}

static void set_changes(json_t *groups, const json_t *known)
{
	static const char *const keys[] = {"new_failures", "fixed"};
	const char *name;
	json_t *group;

	json_object_foreach (groups, name, group)
		for (size_t i = 0; i < GR_COUNT(keys); i++) {
			const json_t *count = json_object_get(json_object_get(known, name), keys[i]);

			(void)json_object_set_new(group, keys[i], json_integer(json_integer_value(count)));
		}
}

static void past_init(struct past *past, struct engine *engine, json_t *scope)
{
	static const char *const keys[] = {"new_failures", "fixed", "baseline"};
	const struct engine_options *options = engine->options;

	*past = (struct past){0};
	if (!compares(engine->plan))
		return;
	if (options->look_back)
		past->known = options->look_back(options->user, &engine->results, &past->why);
	else
		(void)gr_fail(&past->why, GR_DISK, 0, "there is no history");
	for (size_t i = 0; past->known && i < GR_COUNT(keys); i++)
		(void)json_object_set(
		        json_object_get(scope, "results"), keys[i], json_object_get(past->known, keys[i]));
	if (!past->known)
		return;
	set_changes(
	        json_object_get(json_object_get(scope, "results"), "suites"), json_object_get(past->known, "suites"));
	set_changes(
	        json_object_get(json_object_get(scope, "results"), "devices"), json_object_get(past->known, "devices"));
}

/* Whose runs were looked for, the caller's: `history.branch` is compared with, and each run is kept under its own. */
static char *whose_runs(const struct engine *engine, const struct past *past)
{
	const char *branch = json_string_value(json_object_get(past->known, "branch"));
	const char *own = json_string_value(json_object_get(engine->results.environment, "branch"));

	if (!branch || !branch[0])
		return gr_strdup("of this pipeline without a branch");
	if (text_equal(own, branch))
		return gr_printf("of this pipeline on branch '%s'", branch);
	if (!own)
		return gr_printf(
		        "of this pipeline on branch '%s', and this run is kept without one, as none is known", branch);
	return gr_printf("of this pipeline on branch '%s', and this run is kept under its own, '%s'", branch, own);
}

/* Why the rule has nothing to compare with, the caller's; NULL when it has. */
static char *what_lacks(const struct engine *engine, const struct past *past, unsigned needs, const char *on_missing)
{
	GR_AUTO_FREE char *whose = NULL;

	if (!needs)
		return NULL;
	if (!past->known)
		return gr_printf("no baseline: %s (on_no_baseline: %s)", past->why.text, on_missing);
	whose = whose_runs(engine, past);
	if ((needs & PAST_TESTS) && json_integer_value(json_object_get(past->known, "known_tests")) == 0)
		return gr_printf("no baseline: the history knows no test %s (on_no_baseline: %s)", whose, on_missing);
	if ((needs & PAST_BASELINE) && !json_is_object(json_object_get(past->known, "baseline")))
		return gr_printf(
		        "no baseline: the history knows no green run %s (on_no_baseline: %s)", whose, on_missing);
	return NULL;
}

/* Failed tests of steps whose failures change no verdict do not count in a rule that nobody wrote. */
static bool counts_failures(const struct results *results)
{
	bool counts = false;
	struct step_index index;

	step_index_init(&index, results);
	for (size_t i = 0; i < results->run_count && !counts; i++) {
		const struct device_run *run = &results->runs[i];
		struct totals totals = device_run_totals(run);

		counts = totals.failed > 0 && !step_index_is_best_effort(&index, run->lane, run->step);
	}
	step_index_release(&index);
	return counts;
}

static void explain_implied(struct engine *engine, struct gate_rule *rule)
{
	bool is_best_effort = !rule->holds && !counts_failures(&engine->results);
	GR_AUTO_FREE char *values = rule->values;

	rule->values = gr_printf("%s%s; implied, as no other rule answers for failures", values,
	        is_best_effort ? ", all in best_effort steps" : "");
	rule->holds = rule->holds || is_best_effort;
}

/* What has no value is what people have to know then. */
static char *explain_error(const struct expression *expression, const json_t *scope, const struct gr_error *err)
{
	GR_AUTO_FREE char *values = expression_explain(expression, scope);

	return values && values[0] ? gr_printf("%s: %s", values, err->text) : gr_strdup(err->text);
}

/* true: it looked at the failed tests, and so answers for them. */
static bool judge_rule(struct engine *engine, const struct plan_gate_rule *plan, const struct past *past, json_t *scope)
{
	bool may_lack = engine->plan->history.may_lack_baseline;
	struct gate_rule rule = {.text = plan->text, .line = plan->line};
	struct run_event event = {.kind = RUN_GATE_RULE, .rule = &rule};
	struct gr_error err = {0};

	rule.values = what_lacks(engine, past, plan->past, may_lack ? "pass" : "fail");
	if (rule.values) {
		rule.lacks_baseline = true;
		rule.holds = may_lack;
	} else if (expression_is_true(plan->expression, scope, &rule.holds, &err) < 0) {
		rule.holds = false; /* what cannot be evaluated does not hold */
		rule.values = explain_error(plan->expression, scope, &err);
	} else {
		rule.values = expression_explain(plan->expression, scope);
	}
	if (plan->is_implied)
		explain_implied(engine, &rule);
	engine_emit(engine, &event);
	gr_free(rule.values);
	return plan->has_failures && !rule.lacks_baseline;
}

/* A rule that holds only because there is nothing to compare with says nothing of the failed tests: when no other one
 * does, they count. */
static void judge_failures(struct engine *engine, const struct past *past, json_t *scope)
{
	char text[] = "results.failed == 0";
	struct plan_gate_rule rule = {.text = text, .is_implied = true, .line = engine->plan->gate[0].line};
	struct gr_error err = {0};

	if (expression_compile(text, rule.line, 1, &rule.expression, &err) == 0)
		(void)judge_rule(engine, &rule, past, scope);
	else
		engine_problem(engine, GR_INTERNAL, NULL, NULL, "%s", err.text);
	expression_free(rule.expression);
}

/* ---- commands ---- */

static bool ends_with(const char *from, const char *to, const char *end)
{
	size_t bytes = strlen(end);

	return (size_t)(to - from) >= bytes && memcmp(to - bytes, end, bytes) == 0;
}

/* "steps.ID", and not the beginning of a longer name; "steps['ID']". */
static bool names_step(const char *rule, const char *id)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	for (const char *at = strstr(rule, id); at != NULL; at = strstr(at + 1, id)) {
		const char *next = at + strlen(id);

		if ((*next == '\0' || strchr(name, *next) == NULL) &&
		        (ends_with(rule, at, "steps.") || ends_with(rule, at, "steps['") ||
		                ends_with(rule, at, "steps[\"")))
			return true;
	}
	return false;
}

static bool is_named(const struct plan *plan, const char *id)
{
	for (size_t i = 0; i < plan->gate_count; i++)
		if (names_step(plan->gate[i].text, id))
			return true;
	return false;
}

/* A command that failed where `on_failure: continue` let its lane go on is the gate's to judge; where no rule speaks
 * of it, it counts. */
static void judge_command(struct engine *engine, const struct step_result *step)
{
	GR_AUTO_FREE char *text = gr_printf("steps.%s.outcome == 'passed'", step->step);
	GR_AUTO_FREE char *values = gr_printf("steps.%s.outcome = '%s' in lane '%s'; implied, as no rule speaks of it",
	        step->step, outcome_name(step->outcome), step->lane ? step->lane : "?");
	struct gate_rule rule = {.text = text, .values = values, .line = engine->plan->gate[0].line};
	struct run_event event = {.kind = RUN_GATE_RULE, .rule = &rule};

	engine_emit(engine, &event);
}

static void judge_commands(struct engine *engine)
{
	const struct results *results = &engine->results;

	for (size_t i = 0; i < results->step_count; i++) {
		const struct step_result *step = &results->steps[i];

		if (step_is_trouble(step) && step->failure == GR_COMMAND && step->may_continue &&
		        !is_named(engine->plan, step->step))
			judge_command(engine, step);
	}
}

void gate_judge(struct engine *engine)
{
	GR_AUTO_JSON json_t *scope = NULL;
	bool is_answered = false;
	struct past past;

	if (engine->plan->gate_count == 0)
		return;
	scope = scope_new(engine, NULL);
	(void)json_object_set(scope, "steps", engine->main->done);
	past_init(&past, engine, scope);
	for (size_t i = 0; i < engine->plan->gate_count; i++)
		is_answered = judge_rule(engine, &engine->plan->gate[i], &past, scope) || is_answered;
	if (!is_answered && engine->plan->history.may_lack_baseline) /* else the rule that lacks one fails */
		judge_failures(engine, &past, scope);
	judge_commands(engine);
	json_decref(past.known);
}
