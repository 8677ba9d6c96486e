#include "runner/steps/target.h"

#include <string.h>

#include "runner/api/answer.h"
#include "runner/api/handle.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/common.h"

static int read_device(struct target *target, const json_t *device, struct gr_error *err)
{
	const char *id = json_string_value(json_object_get(device, "id"));

	if (device == NULL)
		return 0;
	if (json_object_get(device, "device_id") == NULL) {
		target->device.device_id = gr_strdup(id);
		return 0;
	}
	return device_from_json(device, &target->device, err);
}

/* The build as text is its id; as an object it is what an upload gave, or { id: }. */
static void read_build(struct target *target, const json_t *build)
{
	const char *id = json_string_value(build);

	if (id == NULL)
		id = json_string_value(json_object_get(build, "app_build_id"));
	if (id == NULL)
		id = json_string_value(json_object_get(build, "id"));
	target->app_build_id = gr_strdup(id);
	target->app_id = gr_strdup(json_string_value(json_object_get(build, "app_id")));
	target->version_id = gr_strdup(json_string_value(json_object_get(build, "version_id")));
}

int target_begin(struct target *target, const struct step *step, unsigned needs, struct gr_error *err)
{
	const char *module = with_text(step, "module");

	target->step = step;
	target->needs = needs;
	read_build(target, json_object_get(step->with, "build"));
	if (module != NULL && module[0] != '\0' && strspn(module, "0123456789") == strlen(module))
		target->module_id = gr_strdup(module);
	return read_device(target, json_object_get(step->with, "device"), err);
}

static bool ask(struct target *target, enum target_question question, struct action *action, json_t *arguments)
{
	static const enum operation_id operations[] = {
	        [QUESTION_DEVICE] = OP_GET_DEVICE_LIST,
	        [QUESTION_DETAILS] = OP_GET_DEVICE_DETAILS,
	        [QUESTION_BUILD] = OP_GET_BUILD_INFO,
	        [QUESTION_MODULE] = OP_GET_BUILD_VERSION_INFO,
	};

	target->asked = question;
	(void)step_call(action, operations[question], arguments);
	return true;
}

static bool lacks_device(const struct target *target)
{
	bool s_device = (target->needs & TARGET_S_DEVICE) != 0 && target->device.s_device == NULL;
	bool platform = (target->needs & TARGET_PLATFORM) != 0 &&
	                step_platform(target->step, &target->device) == PLATFORM_UNKNOWN;

	return !target->device_was_asked && (s_device || platform);
}

/* The list does not have it; the details of one device do. */
static bool ask_details(struct target *target, struct action *action)
{
	json_t *arguments = json_pack("{s:s}", "device_id", target->device.device_id);

	set_argument(arguments, "udid", target->device.udid); /* the reference calls both required */
	return ask(target, QUESTION_DETAILS, action, arguments);
}

bool target_ask(struct target *target, struct action *action)
{
	if (lacks_device(target))
		return ask(target, QUESTION_DEVICE, action, json_object());
	if ((target->needs & TARGET_S_DEVICE) != 0 && target->device.s_device == NULL && !target->details_were_asked)
		return ask_details(target, action);
	if ((target->needs & (TARGET_VERSION | TARGET_MODULE)) != 0 && target->version_id == NULL &&
	        !target->build_was_asked)
		return ask(target, QUESTION_BUILD, action, json_pack("{s:s}", "app_build_id", target->app_build_id));
	if ((target->needs & TARGET_MODULE) != 0 && target->module_id == NULL)
		return ask(target, QUESTION_MODULE, action, json_pack("{s:s}", "version_id", target->version_id));
	return false;
}

static int take_device(struct target *target, const struct event *event, struct gr_error *err)
{
	struct device_list list = {0};
	bool found = false;
	int failure = 0;

	target->device_was_asked = true;
	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "list the devices");
	failure = device_list_decode(event->body, &list, err);
	if (failure != 0)
		return failure;
	for (size_t i = 0; i < list.count && !found; i++) {
		if (!text_equal(list.devices[i].device_id, target->device.device_id))
			continue;
		device_release(&target->device);
		target->device = list.devices[i];
		list.devices[i] = (struct device){0};
		found = true;
	}
	device_list_release(&list);
	if (!found)
		return gr_fail(
		        err, GR_CONFIG, 0, "the account has no device with the id '%s'", target->device.device_id);
	return 0;
}

static int take_details(struct target *target, const struct event *event, struct gr_error *err)
{
	struct device_list list = {0};
	int failure = 0;

	target->details_were_asked = true;
	if (event->outcome != CALL_DONE)
		return answer_fail(
		        event, GR_SERVER, err, "ask for the s_device of device %s", target->device.device_id);
	failure = device_list_decode(event->body, &list, err);
	if (failure != 0)
		return failure;
	if (list.count == 1 && text_equal(list.devices[0].device_id, target->device.device_id))
		target->device.s_device = gr_strdup(list.devices[0].s_device);
	device_list_release(&list);
	if (target->device.s_device == NULL)
		return gr_fail(err, GR_PROTOCOL, 0,
		        "neither the server's list nor its details give the s_device of device %s",
		        target->device.device_id);
	return 0;
}

static int take_build(struct target *target, const struct event *event, struct gr_error *err)
{
	const json_t *data = NULL;

	target->build_was_asked = true;
	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "look build %s up", target->app_build_id);
	data = answer_holder(event->body, "version_id|app_id|bundle_id");
	target->version_id = answer_text(data, "version_id");
	if (target->app_id == NULL)
		target->app_id = answer_text(data, "app_id");
	target->bundle_id = answer_text(data, "bundle_id");
	if (target->version_id == NULL)
		return gr_fail(err, GR_CONFIG, 0,
		        "build %s belongs to no version (a direct upload?): upload it with `version:` first",
		        target->app_build_id);
	return 0;
}

/* The ids of all modules of that name; *ret_names lists what there is, for the error. */
static size_t find_modules(const json_t *list, const char *name, char **ret_id, struct buffer *ret_names)
{
	const json_t *item = NULL;
	size_t i = 0, found = 0;

	json_array_foreach (list, i, item) {
		GR_AUTO_FREE char *id = answer_text(item, "id|module_id|version_module_id");
		GR_AUTO_FREE char *called = answer_text(item, "name|module_name|version_module_name");

		if (called != NULL && i < 10)
			buffer_printf(ret_names, "%s'%s'", ret_names->bytes > 0 ? ", " : "", called);
		if (id == NULL || !text_equal(called, name))
			continue;
		if (found++ == 0)
			*ret_id = gr_take(&id);
	}
	return found;
}

static int take_module(struct target *target, const struct event *event, struct gr_error *err)
{
	GR_AUTO_JSON json_t *list = NULL;
	GR_AUTO_FREE char *id = NULL;
	GR_AUTO_BUFFER struct buffer names = {0};
	const char *name = with_text(target->step, "module");
	size_t found = 0;
	int failure = 0;

	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "list the modules of version %s", target->version_id);
	failure = answer_list(answer_holder(event->body, "version_module_list"), "version_module_list", &list, err);
	if (failure != 0)
		return gr_context(err, "modules of version %s", target->version_id);
	found = find_modules(list, name, &id, &names);
	if (found == 0)
		return gr_fail(err, GR_CONFIG, 0, "version %s has no module '%s'; it has %s", target->version_id, name,
		        names.bytes > 0 ? buffer_text(&names) : "none");
	if (found > 1)
		return gr_fail(err, GR_CONFIG, 0, "version %s has %zu modules named '%s': give the module's id instead",
		        target->version_id, found, name);
	target->module_id = gr_take(&id);
	return 0;
}

int target_take(struct target *target, const struct event *event, struct gr_error *err)
{
	enum target_question asked = target->asked;

	target->asked = QUESTION_NONE;
	switch (asked) {
	case QUESTION_NONE:
		break;
	case QUESTION_DEVICE:
		return take_device(target, event, err);
	case QUESTION_DETAILS:
		return take_details(target, event, err);
	case QUESTION_BUILD:
		return take_build(target, event, err);
	case QUESTION_MODULE:
		return take_module(target, event, err);
	}
	return gr_fail(err, GR_INTERNAL, 0, "an answer came that nobody asked for");
}

void target_release(struct target *target)
{
	device_release(&target->device);
	gr_free(target->app_build_id);
	gr_free(target->app_id);
	gr_free(target->version_id);
	gr_free(target->bundle_id);
	gr_free(target->module_id);
	*target = (struct target){0};
}

json_t *target_arguments(const struct target *target)
{
	const char *app_id = target->app_id != NULL ? target->app_id : context_app_id(target->step);
	json_t *arguments = json_object();

	set_taken(arguments, "application_token", application_handle(target->step, app_id));
	set_taken(arguments, "version_token", handle_version(app_id, target->version_id));
	set_argument(arguments, "process_type", platform_process_type(step_platform(target->step, &target->device)));
	set_argument(arguments, "s_device", target->device.s_device);
	set_argument(arguments, "app_build_id", target->app_build_id);
	return arguments;
}
