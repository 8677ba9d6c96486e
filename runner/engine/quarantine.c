/* Quarantined failures: marked as results come in, so that a lane goes on after a step in which nothing else failed. */
#include "runner/engine/run.h"

#include "runner/base/memory.h"
#include "runner/steps/outcome.h"

void quarantine_take(struct task *task, struct device_run *run)
{
	const struct engine *engine = task->engine;

	task->quarantined = quarantine_mark(&engine->plan->quarantine, engine->results.started_wall_ms, run);
	if (task->quarantined > 0 && run->failure == GR_FAILED)
		result_settle(run);
	task->settled = result_outcome(run);
}

static int64_t number(const json_t *outputs, const char *key)
{
	return json_integer_value(json_object_get(outputs, key));
}

/* The outputs may be counts of the server's own, which know nothing of a quarantine. */
void quarantine_outputs(struct task *task, struct action *action)
{
	int64_t known = number(action->outputs, "quarantined"), fewer = (int64_t)task->quarantined - known;
	int64_t failed = number(action->outputs, "failed"), passed = number(action->outputs, "passed");

	if (task->quarantined == 0)
		return;
	if (action->outcome == OUTCOME_FAILED)
		action->outcome = task->settled;
	fewer = fewer > failed ? failed : fewer;
	failed -= fewer;
	(void)json_object_set_new(action->outputs, "quarantined", json_integer(known + fewer));
	(void)json_object_set_new(action->outputs, "failed", json_integer(failed));
	(void)json_object_set_new(action->outputs, "executed", json_integer(passed + failed));
	(void)json_object_set_new(action->outputs, "pass_rate",
	        json_real(passed + failed > 0 ? (double)passed / (double)(passed + failed) : 0.0));
}

/* Did every run that was to be there come to its end? Only then a test that is missing is one that there is not. */
static bool has_seen_all(const struct engine *engine)
{
	const struct results *results = &engine->results;

	if (engine->stop || engine->broken.failure || results->run_count == 0 ||
	        engine->main->outcome == OUTCOME_ERROR || engine->main->outcome == OUTCOME_CANCELLED)
		return false;
	for (size_t i = 0; i < results->run_count; i++)
		if (!results->runs[i].is_complete)
			return false;
	for (size_t i = 0; i < results->step_count; i++)
		if (results->steps[i].runs_tests && results->steps[i].outcome != OUTCOME_PASSED &&
		        results->steps[i].outcome != OUTCOME_FAILED)
			return false;
	return true;
}

static void warn(struct engine *engine, const struct quarantine_entry *entry, const char *words)
{
	engine_warn(engine, GR_CONFIG, NULL, NULL, "%s:%u: '%s'%s%s: %s (owner %s)", engine->plan->quarantine.file,
	        entry->line, entry->test, entry->device ? " on " : "", entry->device ? entry->device : "", words,
	        entry->owner);
}

void quarantine_end(struct engine *engine)
{
	const struct quarantine *quarantine = &engine->plan->quarantine;

	for (size_t i = 0; i < quarantine->count; i++) {
		const struct quarantine_entry *entry = &quarantine->entries[i];
		GR_AUTO_FREE char *words =
		        gr_printf("its quarantine ended with %s, so its failures count again", entry->until);

		if (quarantine_entry_is_over(entry, engine->results.started_wall_ms))
			warn(engine, entry, words);
		else if (has_seen_all(engine) && !quarantine_entry_is_used(entry, &engine->results))
			warn(engine, entry, "quarantined, and no test of this run is called so");
	}
}
