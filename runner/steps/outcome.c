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

void result_outputs(const struct device_run *result, json_t *outputs)
{
	static const char *const names[] = {[STATUS_PASSED] = "passed",
	        [STATUS_FAILED] = "failed",
	        [STATUS_SKIPPED] = "skipped",
	        [STATUS_ERROR] = "errors"};
	int64_t counts[GR_COUNT(names)] = {0}, executed = 0, flaky = 0, quarantined = 0;

	for (size_t i = 0; i < result->case_count; i++) {
		counts[result->cases[i].status]++;
		flaky += test_case_is_flaky(&result->cases[i]);
		quarantined += test_case_is_quarantined(&result->cases[i]);
	}
	counts[STATUS_FAILED] -= quarantined;
	for (size_t i = 0; i < GR_COUNT(names); i++)
		(void)json_object_set_new(outputs, names[i], json_integer(counts[i]));
	executed = counts[STATUS_PASSED] + counts[STATUS_FAILED];
	(void)json_object_set_new(outputs, "tests", json_integer((json_int_t)result->case_count));
	(void)json_object_set_new(outputs, "executed", json_integer(executed));
	(void)json_object_set_new(
	        outputs, "pass_rate", json_real(executed > 0 ? (double)counts[STATUS_PASSED] / (double)executed : 0.0));
	(void)json_object_set_new(outputs, "quarantined", json_integer(quarantined));
	(void)json_object_set_new(outputs, "flaky", json_integer(flaky));
	(void)json_object_set_new(outputs, "rerun_outputs", json_array());
	(void)json_object_set_new(outputs, "reruns", json_integer((json_int_t)result->rerun_count));
	set_text(outputs, "device_id", result->device.device_id);
	(void)json_object_set_new(outputs, "completed", json_boolean(result->is_complete));
}
