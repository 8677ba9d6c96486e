/* What a server answers, to the model: every decoder reads it. */
#include <string.h>

#include "runner/api/answer.h"
#include "runner/api/model.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "tests/fuzz/fuzz.h"

/* What a step keeps of a device is that device when it comes back. */
static void check_device(const struct device *device)
{
	GR_AUTO_JSON json_t *json = device_to_json(device);
	struct device again = {0};

	if (device_from_json(json, &again, NULL) != 0)
		return; /* without an id */
	FUZZ_MUST(text_equal(again.device_id, device->device_id) && text_equal(again.name, device->name));
	device_release(&again);
}

static void decode_lists(const json_t *answer)
{
	struct gr_error err = {0};
	struct device_list devices = {0};
	struct build_list builds = {0};

	if (device_list_decode(answer, &devices, &err) == 0) {
		for (size_t i = 0; i < devices.count; i++)
			check_device(&devices.devices[i]);
		device_list_release(&devices);
	}
	if (build_list_decode(answer, &builds, &err) == 0) {
		(void)build_list_has(&builds, "1");
		build_list_release(&builds);
	}
}

static void decode_results(const json_t *answer)
{
	struct gr_error err = {0};
	struct execution execution = {0};
	struct native_result native = {0};

	if (execution_decode(answer, &execution, &err) == 0)
		execution_release(&execution);
	if (native_result_decode(answer, &native, &err) == 0)
		native_result_release(&native);
}

static void read_members(const json_t *answer)
{
	struct gr_error err = {0};
	json_t *list = NULL;
	char words[256];
	int64_t number;

	(void)answer_says(answer);
	FUZZ_MUST(strlen(answer_message(answer, words)) < sizeof(words));
	FUZZ_MUST(text_is_utf8(words, strlen(words)));
	(void)answer_is_about_auth(answer);
	(void)answer_int(answer, "id|app_build_id", &number);
	(void)answer_flag(answer, "success|status");
	gr_free(answer_text(answer, "name|message"));
	if (answer_list(answer, "data|devices", &list, &err) == 0)
		json_decref(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct gr_error err = {0};
	GR_AUTO_JSON json_t *answer = NULL;
	GR_AUTO_FREE char *body = gr_alloc(bytes + 1, 1); /* of its own, so that a byte too far is seen */

	if (bytes > 0)
		memcpy(body, data, bytes);
	if (answer_parse(body, bytes, &answer, &err) != 0) {
		FUZZ_MUST(answer == NULL && text_is_utf8(err.text, strlen(err.text)));
		return 0;
	}
	read_members(answer);
	decode_lists(answer);
	decode_results(answer);
	return 0;
}
