#include "runner/steps/native_seen.h"

#include "runner/base/memory.h"

void native_note_progress(const struct native_device *native, const char *id, struct action *action)
{
	if (native->all > 0 && native->passed >= 0 && native->failed >= 0) {
		action->progress_done = native->passed + native->failed;
		action->progress_total = native->all;
	}
	action->progress =
	        gr_printf("native test %s: %s", id, native->status_text != NULL ? native->status_text : "running");
}

json_t *native_to_json(const struct native_device *native)
{
	return json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:i, s:I, s:I, s:I}", "device_name", native->device_name,
	        "os", native->os_version, "status", native->status, "text", native->status_text, "log",
	        native->log_path, "recording", native->recording_path, "state", (int)native->state, "all",
	        (json_int_t)native->all, "passed", (json_int_t)native->passed, "failed", (json_int_t)native->failed);
}

static char *text_of(const json_t *json, const char *key)
{
	return gr_strdup(json_string_value(json_object_get(json, key)));
}

static int64_t count_of(const json_t *json, const char *key)
{
	const json_t *count = json_object_get(json, key);

	return json_is_integer(count) ? json_integer_value(count) : -1;
}

void native_from_json(const json_t *json, struct native_result *ret_result)
{
	int64_t state = count_of(json, "state");
	struct native_device *native;

	*ret_result = (struct native_result){0};
	if (!json_is_object(json))
		return;
	ret_result->devices = gr_alloc(1, sizeof(*ret_result->devices));
	ret_result->count = 1;
	native = ret_result->devices;
	native->device_name = text_of(json, "device_name");
	native->os_version = text_of(json, "os");
	native->status = text_of(json, "status");
	native->status_text = text_of(json, "text");
	native->log_path = text_of(json, "log");
	native->recording_path = text_of(json, "recording");
	native->state =
	        state >= NATIVE_UNKNOWN && state <= NATIVE_COMPLETED ? (enum native_state)state : NATIVE_UNKNOWN;
	native->all = count_of(json, "all");
	native->passed = count_of(json, "passed");
	native->failed = count_of(json, "failed");
}
