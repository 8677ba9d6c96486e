#include "runner/steps/outcome.h"

#include "runner/base/memory.h"
#include "runner/steps/common.h"

struct device_run *result_new(const struct step *step, enum run_kind kind, const struct device *device)
{
	struct device_run *result = gr_alloc(1, sizeof(*result));
	enum platform platform = PLATFORM_UNKNOWN;

	result->lane = gr_strdup(step->context->lane);
	result->step = gr_strdup(step->context->step);
	result->kind = kind;
	result->device.device_id = gr_strdup(device->device_id);
	result->device.name = gr_strdup(device->name);
	result->device.os = gr_strdup(device->os_version);
	result->device.udid = gr_strdup(device->udid);
	platform = device->platform != PLATFORM_UNKNOWN ? device->platform : step_platform(step, device);
	if (platform != PLATFORM_UNKNOWN)
		result->device.platform = gr_strdup(platform_name(platform));
	for (size_t i = 0; i < GR_COUNT(result->reported); i++)
		result->reported[i] = -1;
	result->started_wall_ms = result->ended_wall_ms = TIME_UNKNOWN;
	result->elapsed_ms = result->queued_ms = result->lag_most_ms = TIME_UNKNOWN;
	return result;
}

void result_settle(struct device_run *result)
{
	enum gr_failure failure = GR_NONE;

	for (size_t i = result->case_count; i-- > 0;)
		if (result->cases[i].status == STATUS_ERROR)
			failure = result->cases[i].failure;
	for (size_t i = result->problem_count; i-- > 0;)
		if (!result->problems[i].is_warning)
			failure = result->problems[i].failure;
	for (size_t i = 0; i < result->case_count; i++)
		if (test_case_has_failed(&result->cases[i]))
			failure = GR_FAILED;
	result->failure = failure;
}

enum outcome result_outcome(const struct device_run *result)
{
	if (result->failure == GR_NONE)
		return OUTCOME_PASSED;
	return result->failure == GR_FAILED ? OUTCOME_FAILED : OUTCOME_ERROR;
}

static void set_count(json_t *outputs, const char *name, int64_t count)
{
	(void)json_object_set_new(outputs, name, json_integer(count));
}

void result_outputs(const struct device_run *result, json_t *outputs)
{
	struct totals totals = device_run_totals(result);

	set_count(outputs, "tests", totals.tests);
	set_count(outputs, "passed", totals.passed);
	set_count(outputs, "failed", totals.failed);
	set_count(outputs, "skipped", totals.skipped);
	set_count(outputs, "errors", totals.errors);
	set_count(outputs, "executed", totals.executed);
	(void)json_object_set_new(outputs, "pass_rate",
	        json_real(totals.executed > 0 ? (double)totals.passed / (double)totals.executed : 0.0));
	set_count(outputs, "quarantined", totals.quarantined);
	set_count(outputs, "flaky", totals.flaky);
	(void)json_object_set_new(outputs, "rerun_outputs", json_array());
	set_count(outputs, "reruns", (int64_t)result->rerun_count);
	set_text(outputs, "device_id", result->device.device_id);
	(void)json_object_set_new(outputs, "completed", json_boolean(result->is_complete));
}
