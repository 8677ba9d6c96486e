/* `gate:`: rules over the results, each a condition. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/memory.h"

#define RULES_MOST 100

/* A quarter of nightly runs, and enough of a busy branch to tell a flaky test from a broken one. */
#define KEEP_DEFAULT_MS ((int64_t)90 * 24 * 60 * 60 * 1000)
#define KEEP_RUNS_DEFAULT 500
#define KEEP_RUNS_MOST 1000000

const struct key history_keys[] = {
        {"branch", NULL}, {"on_no_baseline", NULL}, {"keep", NULL}, {"keep_runs", NULL}, {NULL, NULL}};

static void add_rule(struct plan *plan, const struct plan_gate_rule *rule)
{
	plan->gate = gr_grow(plan->gate, plan->gate_count, sizeof(*plan->gate));
	plan->gate[plan->gate_count++] = *rule;
}

/* true: the rule decides about failed tests. */
static bool check_rule(struct check *check, const struct node *node)
{
	struct plan_gate_rule rule = {
	        .text = gr_strdup(node->kind == NODE_SCALAR ? node->text : ""),
	        .line = node->line,
	        .column = node->column,
	};

	check->rule = &rule;
	rule.expression = check_condition(check, node, step_roots(check), "a gate rule");
	check->rule = NULL;
	add_rule(check->plan, &rule);
	return rule.has_failures;
}

void check_gate_reads(struct check *check, const char *name)
{
	static const char *const names[] = {"failed", "pass_rate", "new_failures"};

	for (size_t i = 0; check->rule != NULL && i < GR_COUNT(names); i++)
		check->rule->has_failures = check->rule->has_failures || strcmp(name, names[i]) == 0;
}

/* A gate that holds answers for failed tests, so one that never looks at them gets the rule that does. */
static void imply_rule(struct check *check, const struct node *gate)
{
	struct plan_gate_rule rule = {
	        .text = gr_strdup("results.failed == 0"),
	        .has_failures = true,
	        .is_implied = true,
	        .line = gate->line,
	        .column = gate->column,
	};
	struct gr_error err = {0};

	if (expression_compile(rule.text, rule.line, rule.column, &rule.expression, &err) != 0)
		findings_add_error(check->findings, node_place(gate), &err);
	add_rule(check->plan, &rule);
}

void check_gate(struct check *check, const struct node *node)
{
	bool has_failures = false;

	if (node == NULL)
		return;
	if (node->kind != NODE_LIST || node->count == 0 || node->count > RULES_MOST) {
		check_fail(check, node, "- results.pass_rate >= 0.98", "`gate` must be a list of 1 to %d conditions",
		        RULES_MOST);
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		has_failures = check_rule(check, node->items[i]) || has_failures;
	if (!has_failures)
		imply_rule(check, node);
}

void check_history(struct check *check, const struct node *node)
{
	static const char *const words[] = {"fail", "pass", NULL};
	struct plan_history *history = &check->plan->history;
	const struct node *missing = node_member(node, "on_no_baseline"), *keep = node_member(node, "keep");

	history->keep_ms = KEEP_DEFAULT_MS;
	history->keep_runs = KEEP_RUNS_DEFAULT;
	if (node == NULL || !check_keys(check, node, "`history`", history_keys))
		return;
	(void)read_text(check, node_member(node, "branch"), "`branch`", &history->branch);
	if (missing != NULL)
		history->may_lack_baseline = read_choice(check, missing, "`on_no_baseline`", words) == 1;
	if (read_duration(check, keep, "`keep`", &history->keep_ms) && history->keep_ms <= 0)
		check_fail(check, keep, NULL, "`keep` must be longer than 0");
	(void)read_int(check, node_member(node, "keep_runs"), "`keep_runs`", (struct bounds){1, KEEP_RUNS_MOST},
	        &history->keep_runs);
}
