/* `gate:`: rules over the results, each a condition. */
#include "pipelines/check.h"
#include "runner/base/memory.h"

#define RULES_MOST 100

static void check_rule(struct check *check, const struct node *node)
{
	struct plan *plan = check->plan;
	struct expression *expression = check_condition(check, node, step_roots(check), "a gate rule");

	plan->gate = gr_grow(plan->gate, plan->gate_count, sizeof(*plan->gate));
	plan->gate[plan->gate_count++] = (struct plan_gate_rule){
	        .text = gr_strdup(node->kind == NODE_SCALAR ? node->text : ""),
	        .expression = expression,
	        .line = node->line,
	        .column = node->column,
	};
}

void check_gate(struct check *check, const struct node *node)
{
	if (node == NULL)
		return;
	if (node->kind != NODE_LIST || node->count == 0 || node->count > RULES_MOST) {
		check_fail(check, node, "- results.pass_rate >= 0.98", "`gate` must be a list of 1 to %d conditions",
		        RULES_MOST);
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		check_rule(check, node->items[i]);
}
