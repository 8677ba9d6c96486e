#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/starts.h"

char *starts_place(const char *lane, const char *step)
{
	return gr_printf("%s\n%s", lane, step);
}

/* Build numbers count from one for each application. */
static bool is_of_app(const json_t *start, const struct app_run *run)
{
	const char *general = context_app_id(run->step);
	const char *ours = run->target.app_id != NULL ? run->target.app_id : general;
	const char *theirs = json_string_value(json_object_get(start, "app_id"));

	if (theirs == NULL)
		theirs = general;
	return ours == NULL || theirs == NULL || text_equal(ours, theirs);
}

bool starts_have(const json_t *starts, const struct app_run *run, const char *number)
{
	const char *place = NULL;
	json_t *start = NULL;

	json_object_foreach ((json_t *)(uintptr_t)starts, place, start)
		if (json_object_get(json_object_get(start, STARTS_NUMBERS), number) != NULL && is_of_app(start, run))
			return true;
	return false;
}

static bool has_text(const json_t *start, const char *key, const char *text)
{
	return text != NULL && text_equal(json_string_value(json_object_get(start, key)), text);
}

static bool fits_device(const json_t *start, const struct execution *execution)
{
	struct device device = {0};
	bool fits = true; /* a device that is not known may be any */

	if (device_from_json(json_object_get(start, "device"), &device, NULL) == 0)
		fits = execution->device_count == 0 || execution_device_of(execution, &device, false) != NULL;
	device_release(&device);
	return fits;
}

/* The answer to its start named the number, though not which of two it is; or there was no answer yet. */
static bool fits_answer(const json_t *start, const struct execution *execution, const char *number)
{
	if (json_object_get(start, "build_id") == NULL && json_object_get(start, "build_version") == NULL)
		return true;
	return has_text(start, "build_id", number) || has_text(start, "build_version", number) ||
	       has_text(start, "build_id", execution->build_id);
}

bool starts_want(const json_t *starts, const struct app_run *run, const struct execution *execution, const char *number)
{
	const struct step_context *context = run->step->context;
	GR_AUTO_FREE char *own = starts_place(context->lane, context->step);
	const char *place = NULL;
	json_t *start = NULL;

	json_object_foreach ((json_t *)(uintptr_t)starts, place, start)
		if (!text_equal(place, own) && json_is_true(json_object_get(start, STARTS_OPEN)) &&
		        is_of_app(start, run) && fits_device(start, execution) && fits_answer(start, execution, number))
			return true;
	return false;
}
