#include "runner/api/answer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/app_run.h"

int app_run_ask(const struct app_run *run, const char *number, struct action *action)
{
	const char *app_id = run->target.app_id != NULL ? run->target.app_id : context_app_id(run->step);
	json_t *arguments = json_object();

	set_taken(arguments, "application_token", application_handle(run->step, app_id));
	set_text(arguments, "build_number", number);
	action->is_poll = true;
	return step_call(action, OP_EXECUTION_DETAILS, arguments);
}

int app_run_list(const struct app_run *run, struct action *action)
{
	const char *app_id = run->target.app_id != NULL ? run->target.app_id : context_app_id(run->step);
	json_t *arguments = json_object();

	set_taken(arguments, "application_token", application_handle(run->step, app_id));
	return step_call(action, OP_BUILD_LIST, arguments);
}

static bool has_id(const struct execution_device *device, const struct device *ours)
{
	return device->device_id != NULL &&
	       (text_equal(device->device_id, ours->device_id) || text_equal(device->device_id, ours->s_device) ||
	               text_equal(device->device_id, ours->udid));
}

const struct execution_device *execution_device_of(
        const struct execution *execution, const struct device *ours, bool is_known)
{
	const struct execution_device *named = NULL;
	size_t names = 0;

	for (size_t i = 0; i < execution->device_count; i++)
		if (has_id(&execution->devices[i], ours))
			return &execution->devices[i];
	for (size_t i = 0; i < execution->device_count; i++) {
		const struct execution_device *device = &execution->devices[i];

		/* An id that is not ours is another device, unless the run is proven: then ids may be of another kind.
		 */
		if (ours->name == NULL || !text_equal(device->device_name, ours->name) ||
		        (device->device_id != NULL && !is_known))
			continue;
		named = device;
		names++;
	}
	return names == 1 ? named : NULL;
}

const struct execution_device *app_run_device(
        const struct app_run *run, const struct execution *execution, bool is_known)
{
	return execution_device_of(execution, &run->target.device, is_known);
}

/* Test cases were selected by name, and none of those that the answer lists is among them. */
static bool has_other_cases(const struct app_run *run, const struct execution_device *device)
{
	const json_t *selected = json_object_get(run->step->with, "testcases");

	if (!json_is_object(selected) || device->case_count == 0)
		return false;
	for (size_t i = 0; i < device->case_count; i++)
		if (device->cases[i].name != NULL && json_object_get(selected, device->cases[i].name) != NULL)
			return false;
	return true;
}

/* Names in the device's list that the selection does not have; with a selection of ids, names beyond their number. */
static bool has_further_cases(const json_t *selected, const struct execution_device *device)
{
	GR_AUTO_JSON json_t *names = json_object();

	for (size_t i = 0; i < device->case_count; i++) {
		const char *name = device->cases[i].name;

		if (name == NULL)
			continue;
		if (json_is_object(selected) && json_object_get(selected, name) == NULL)
			return true;
		(void)json_object_set_new(names, name, json_true());
	}
	return json_is_array(selected) && json_object_size(names) > json_array_size(selected);
}

bool app_run_is_doubtful(const struct app_run *run, const struct execution *execution)
{
	const struct execution_device *device = app_run_device(run, execution, true);
	const json_t *selected = json_object_get(run->step->with, "testcases");
	bool is_selection = json_object_size(selected) > 0 || json_array_size(selected) > 0;

	return device != NULL && is_selection && has_further_cases(selected, device);
}

bool app_run_is_elsewhere(const struct app_run *run, const struct execution *execution)
{
	return run->build_id != NULL && execution->build_id != NULL && !text_equal(execution->build_id, run->build_id);
}

bool app_run_has_other_app(const struct app_run *run, const struct execution *execution)
{
	const struct execution_device *device = app_run_device(run, execution, false);
	const char *bundle = with_text(run->step, "bundle_identifier");

	if (bundle == NULL)
		bundle = run->target.bundle_id;
	return device != NULL && bundle != NULL && device->bundle_id != NULL && !text_equal(bundle, device->bundle_id);
}

enum app_fit app_run_fit_device(const struct app_run *run, const struct execution *execution)
{
	const struct execution_device *device = app_run_device(run, execution, false);

	if (execution->device_count == 0)
		return FIT_OPEN;
	if (device == NULL || execution->device_count > 1)
		return FIT_OTHERS;
	return has_other_cases(run, device) ? FIT_OTHERS : FIT_OURS;
}

enum app_fit app_run_fit(const struct app_run *run, const struct execution *execution)
{
	return app_run_has_other_app(run, execution) ? FIT_OTHERS : app_run_fit_device(run, execution);
}
