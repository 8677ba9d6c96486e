/* `results` of expressions: counts of the whole run, of each suite (a step that runs tests) and of each device. */
#include "runner/engine/run.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"

/* What the run looks like so far; the final verdict is results_judge()'s, after the releases. */
static enum verdict verdict_so_far(const struct engine *engine, const struct totals *totals)
{
	if (engine->stop == GR_CANCELLED)
		return VERDICT_CANCELLED;
	if (totals->failed)
		return VERDICT_FAILED;
	if (engine->stop == GR_DEADLINE)
		return VERDICT_TIMEOUT;
	if (totals->problems || totals->errors || engine->main->outcome == OUTCOME_ERROR)
		return VERDICT_INFRASTRUCTURE;
	return engine->main->outcome == OUTCOME_FAILED ? VERDICT_FAILED : VERDICT_PASSED;
}

/* ---- counts ---- */

static void add(json_t *counts, const char *key, int64_t number)
{
	json_int_t before = json_integer_value(json_object_get(counts, key));

	(void)json_object_set_new(counts, key, json_integer(before + (json_int_t)number));
}

static int64_t count_not_run(const struct device_run *run)
{
	int64_t count = 0;

	for (size_t i = 0; i < run->case_count; i++)
		count += run->cases[i].status == STATUS_ERROR && run->cases[i].failure == GR_NOT_RUN;
	return count;
}

static void add_run(json_t *counts, const struct device_run *run)
{
	struct totals totals = device_run_totals(run);

	add(counts, "tests", totals.tests);
	add(counts, "passed", totals.passed);
	add(counts, "failed", totals.failed);
	add(counts, "errors", totals.errors);
	add(counts, "skipped", totals.skipped);
	add(counts, "flaky", totals.flaky);
	add(counts, "quarantined", totals.quarantined);
	add(counts, "executed", totals.executed);
	add(counts, "missing", !run->is_complete + count_not_run(run));
	add(counts, "infra", totals.problems + totals.errors);
	add(counts, "elapsed_ms", run->elapsed_ms > 0 ? run->elapsed_ms : 0);
}

static json_t *counts_new(void)
{
	static const char *const keys[] = {"tests", "passed", "failed", "errors", "skipped", "flaky", "quarantined",
	        "executed", "missing", "infra", "elapsed_ms"};
	json_t *counts = json_object();

	for (size_t i = 0; i < GR_COUNT(keys); i++)
		add(counts, keys[i], 0);
	return counts;
}

/* What follows from the counts. */
static void finish(json_t *counts, int64_t elapsed_ms)
{
	json_int_t passed = json_integer_value(json_object_get(counts, "passed"));
	json_int_t executed = json_integer_value(json_object_get(counts, "executed"));

	(void)json_object_set_new(
	        counts, "pass_rate", json_real(executed > 0 ? (double)passed / (double)executed : 0.0));
	(void)json_object_set_new(counts, "seconds", json_real((double)elapsed_ms / 1000.0));
	(void)json_object_del(counts, "elapsed_ms");
}

/* ---- groups ---- */

static json_t *group_of(json_t *groups, const char *name)
{
	json_t *group = json_object_get(groups, name);

	if (group)
		return group;
	group = counts_new();
	(void)json_object_set_new(group, "name", json_string(name));
	(void)json_object_set_new(groups, name, group);
	return group;
}

static bool is_worse(const json_t *a, const json_t *b)
{
	double left = json_real_value(json_object_get(a, "pass_rate")), right;

	if (!b)
		return true;
	right = json_real_value(json_object_get(b, "pass_rate"));
	if (left < right || left > right)
		return left < right;
	return json_integer_value(json_object_get(a, "failed")) > json_integer_value(json_object_get(b, "failed"));
}

/* The one with the lowest pass rate; null when there is none. */
static json_t *finish_groups(json_t *groups)
{
	json_t *group, *worst = NULL;
	const char *name;

	json_object_foreach (groups, name, group) {
		finish(group, json_integer_value(json_object_get(group, "elapsed_ms")));
		if (is_worse(group, worst))
			worst = group;
	}
	return worst ? json_incref(worst) : json_null();
}

static const char *device_of(const struct device_run *run)
{
	const char *name = run->device.name ? run->device.name : run->device.device_id;

	return name && text_is_utf8(name, strlen(name)) ? name : "?";
}

json_t *scope_results(const struct engine *engine)
{
	const struct results *results = &engine->results;
	struct totals totals = results_totals(results);
	const char *verdict = verdict_name(verdict_so_far(engine, &totals));
	json_t *all = counts_new(), *suites = json_object(), *devices = json_object();
	GR_AUTO_FREE char *summary = gr_printf("%s: %lld tests, %lld passed, %lld failed, %lld errors, %lld skipped",
	        verdict, (long long)totals.tests, (long long)totals.passed, (long long)totals.failed,
	        (long long)totals.errors, (long long)totals.skipped);

	for (size_t i = 0; i < results->run_count; i++) {
		const struct device_run *run = &results->runs[i];

		add_run(all, run);
		add_run(group_of(suites, run->step ? run->step : "?"), run);
		add_run(group_of(devices, device_of(run)), run);
	}
	add(all, "missing", results_runs_lacking(results));
	add(all, "infra", totals.problems + totals.errors - json_integer_value(json_object_get(all, "infra")));
	finish(all, loop_now(engine->loop) - engine->started_ms);
	(void)json_object_set_new(all, "worst_suite", finish_groups(suites));
	(void)json_object_set_new(all, "worst_device", finish_groups(devices));
	(void)json_object_set_new(all, "suites", suites);
	(void)json_object_set_new(all, "devices", devices);
	(void)json_object_set_new(all, "verdict", json_string(verdict));
	(void)json_object_set_new(all, "summary", json_string(summary));
	return all;
}
