/* The gate: every rule is evaluated and said with its values; results_judge() makes the verdict. */
#include "runner/engine/run.h"

#include "runner/base/memory.h"

void gate_judge(struct engine *engine)
{
	GR_AUTO_JSON json_t *scope = NULL;

	if (engine->plan->gate_count == 0)
		return;
	scope = scope_new(engine, NULL);
	(void)json_object_set(scope, "steps", engine->main->done);
	for (size_t i = 0; i < engine->plan->gate_count; i++) {
		const struct plan_gate_rule *plan = &engine->plan->gate[i];
		struct gate_rule rule = {.text = plan->text, .line = plan->line};
		struct run_event event = {.kind = RUN_GATE_RULE, .rule = &rule};
		struct gr_error err = {0};

		if (expression_is_true(plan->expression, scope, &rule.holds, &err) < 0) {
			rule.holds = false; /* what cannot be evaluated does not hold */
			rule.values = gr_strdup(err.text);
		} else {
			rule.values = expression_explain(plan->expression, scope);
		}
		engine_emit(engine, &event);
		gr_free(rule.values);
	}
}
