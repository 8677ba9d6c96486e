#include "runner/api/model.h"

#include <stdint.h>
#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define DEVICES_KEYS "build_devices|devices"
#define TRIM_CASES 10000 /* 12 MiB of an answer's tree */

/* ---- words and numbers ---- */

struct word {
	const char *text;
	int value;
};

static const struct word completion_words[] = {
        {"processing", COMPLETION_PROCESSING},
        {"in progress", COMPLETION_PROCESSING},
        {"inprogress", COMPLETION_PROCESSING},
        {"running", COMPLETION_PROCESSING},
        {"started", COMPLETION_PROCESSING},
        {"queued", COMPLETION_QUEUED},
        {"queue", COMPLETION_QUEUED},
        {"in queue", COMPLETION_QUEUED},
        {"waiting", COMPLETION_QUEUED},
        {"pending", COMPLETION_QUEUED},
        {"completed", COMPLETION_DONE},
        {"complete", COMPLETION_DONE},
        {"done", COMPLETION_DONE},
        {"finished", COMPLETION_DONE},
        {"stopped", COMPLETION_STOPPED},
        {"stop", COMPLETION_STOPPED},
        {"aborted", COMPLETION_STOPPED},
        {"cancelled", COMPLETION_STOPPED},
        {"canceled", COMPLETION_STOPPED},
        {"terminated", COMPLETION_STOPPED},
};

static const struct word case_words[] = {
        {"not started", CASE_NOT_STARTED},
        {"notstarted", CASE_NOT_STARTED},
        {"pending", CASE_NOT_STARTED},
        {"queued", CASE_NOT_STARTED},
        {"waiting", CASE_NOT_STARTED},
        {"started", CASE_STARTED},
        {"running", CASE_STARTED},
        {"in progress", CASE_STARTED},
        {"inprogress", CASE_STARTED},
        {"processing", CASE_STARTED},
        {"pass", CASE_PASSED},
        {"passed", CASE_PASSED},
        {"success", CASE_PASSED},
        {"successful", CASE_PASSED},
        {"fail", CASE_FAILED},
        {"failed", CASE_FAILED},
        {"failure", CASE_FAILED},
        {"error", CASE_FAILED},
        {"stop", CASE_STOPPED},
        {"stopped", CASE_STOPPED},
        {"aborted", CASE_STOPPED},
        {"cancelled", CASE_STOPPED},
        {"canceled", CASE_STOPPED},
        {"terminated", CASE_STOPPED},
        {"skip", CASE_SKIPPED},
        {"skipped", CASE_SKIPPED},
};

/* Whole words alone, with - and _ for a blank: "not completed" is not "completed". */
static int word_value(const struct word *words, size_t count, const char *text, int otherwise)
{
	GR_AUTO_FREE char *plain = gr_strdup(text + strspn(text, " \t\r\n"));
	size_t bytes = strlen(plain);

	while (bytes && strchr(" \t\r\n.", plain[bytes - 1]))
		plain[--bytes] = '\0';
	for (char *at = plain; *at; at++)
		if (*at == '-' || *at == '_')
			*at = ' ';
	for (size_t i = 0; i < count; i++)
		if (text_equal_nocase(plain, words[i].text))
			return words[i].value;
	return otherwise;
}

/* As received; true and false too, though they answer another question than "which of the four". */
static char *raw_text(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_boolean(value))
		return gr_strdup(json_is_true(value) ? "true" : "false");
	return answer_text(object, key);
}

static enum completion completion_decode(const json_t *object, const char *key, const char *raw)
{
	int64_t number;

	if (!raw || json_is_boolean(json_object_get(object, key)))
		return COMPLETION_UNKNOWN;
	if (answer_int(object, key, &number))
		return number >= COMPLETION_PROCESSING && number <= COMPLETION_STOPPED ? (enum completion)number
		                                                                       : COMPLETION_UNKNOWN;
	return (enum completion)word_value(completion_words, GR_COUNT(completion_words), raw, COMPLETION_UNKNOWN);
}

/* Reference: Execution Details. Every number beyond 4 means skipped; what is no number means nothing we know. */
static enum case_state case_decode(const json_t *row, const char *raw)
{
	int64_t number;

	if (!raw || json_is_boolean(json_object_get(row, "test_status")))
		return CASE_UNKNOWN;
	if (answer_int(row, "test_status", &number))
		return number >= CASE_NOT_STARTED && number <= CASE_STOPPED ? (enum case_state)number : CASE_SKIPPED;
	return (enum case_state)word_value(case_words, GR_COUNT(case_words), raw, CASE_UNKNOWN);
}

/* ---- one device ---- */

struct decoding {
	struct execution *execution;
	bool is_taken; /* of the answer's test cases nothing is to stay */
};

/* Once in a row: most tests have the module and the status of the one before. */
static const char *keep(struct execution *execution, char *text, const char *before)
{
	const char *kept = text && before && strcmp(text, before) == 0 ? before : pool_text(&execution->texts, text);

	gr_free(text);
	return kept;
}

/* Data of a test, and reasons, come as texts, and as what such a text would hold. The caller's. */
static char *words_text(const json_t *row, const char *keys)
{
	const json_t *value = answer_member(row, keys);

	if (json_object_size(value) == 0 && json_array_size(value) == 0)
		return answer_text(row, keys);
	return json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
}

static void case_read(struct execution *execution, const json_t *row, const struct execution_case *before,
        struct execution_case *ret_case)
{
	*ret_case = (struct execution_case){
	        .name = keep(execution, answer_text(row, "test_case_name|testcase_name"), before->name),
	        .module_id = keep(execution, answer_text(row, "build_module_id"), before->module_id),
	        .data = keep(
	                execution, words_text(row, "parameterised_test_data|parameterized_test_data"), before->data),
	        .reason = keep(execution, words_text(row, "failed_reason"), before->reason),
	        .raw_status = keep(execution, raw_text(row, "test_status"), before->raw_status),
	};
	ret_case->state = case_decode(row, ret_case->raw_status);
}

/* malloc keeps what is let go in small pieces, until it is asked to look for whole pages. */
static void let_go(json_t *cases, size_t index)
{
	(void)json_array_set_new(cases, index, json_null());
	if ((index + 1) % TRIM_CASES == 0)
		gr_trim();
}

static int cases_decode(
        const struct decoding *decoding, const json_t *row, struct execution_device *device, struct gr_error *err)
{
	static const struct execution_case none = {0};
	const struct execution_case *before = &none;
	GR_AUTO_JSON json_t *cases = NULL;
	const json_t *one;
	size_t i;
	int rc = answer_list(row, "test_cases|testcases", &cases, err);

	if (rc < 0)
		return rc;
	device->cases = gr_alloc(json_array_size(cases), sizeof(*device->cases));
	json_array_foreach (cases, i, one) {
		if (!json_is_object(one))
			return gr_fail(err, GR_PROTOCOL, 0, "entry %zu of test_cases is no test case", i + 1);
		case_read(decoding->execution, one, before, &device->cases[device->case_count]);
		before = &device->cases[device->case_count++];
		if (decoding->is_taken)
			let_go(cases, i);
	}
	return 0;
}

static void counts_decode(const json_t *row, int64_t counts[static COUNT_KINDS])
{
	static const char *const keys[COUNT_KINDS] = {
	        [COUNT_NOT_STARTED] = "no_of_not_started",
	        [COUNT_STARTED] = "no_of_started",
	        [COUNT_PASSED] = "no_of_pass",
	        [COUNT_FAILED] = "no_of_fail",
	        [COUNT_STOPPED] = "no_of_stopped",
	        [COUNT_SKIPPED] = "no_of_skipped",
	};

	for (size_t i = 0; i < COUNT_KINDS; i++)
		if (!answer_int(row, keys[i], &counts[i]) || counts[i] < 0)
			counts[i] = -1;
}

/* The info block: an object, or a text or list that holds one. Its absence is no error, and so is its being odd. */
static void info_decode(const json_t *row, struct execution_device *device)
{
	GR_AUTO_JSON json_t *list = NULL;
	struct gr_error ignored = {0};
	const json_t *info;

	if (answer_list(row, "info", &list, &ignored) < 0)
		return;
	info = json_array_get(list, 0);
	device->app_version = answer_text(info, "app_version");
	device->app_build_number = answer_text(info, "app_build_number");
	device->bundle_id = answer_text(info, "bundle_id");
	if (!device->device_name)
		device->device_name = answer_text(info, "device_name");
}

static void device_decode(const json_t *top, const json_t *row, struct execution_device *device)
{
	const char *key = "is_completed";

	device->build_test_id = answer_text(row, "build_test_id");
	device->device_id = answer_text(row, "device_id");
	device->device_name = answer_text(row, "device_name");
	device->raw_completed = raw_text(row, key);
	device->completed = completion_decode(row, key, device->raw_completed);
	if (!device->raw_completed) {
		device->raw_completed = raw_text(top, key);
		device->completed = completion_decode(top, key, device->raw_completed);
	}
	counts_decode(row, device->counts);
	info_decode(row, device);
}

/* ---- the whole ---- */

static int devices_decode(const struct decoding *decoding, const json_t *top, struct gr_error *err)
{
	struct execution *execution = decoding->execution;
	GR_AUTO_JSON json_t *rows = NULL;
	const json_t *row;
	size_t i;
	int rc = answer_list(top, DEVICES_KEYS, &rows, err);

	json_array_foreach (rows, i, row) {
		struct execution_device *device;

		if (!json_is_object(row))
			return gr_fail(err, GR_PROTOCOL, 0, "entry %zu of build_devices is no device", i + 1);
		execution->devices = gr_grow(execution->devices, execution->device_count, sizeof(*execution->devices));
		device = &execution->devices[execution->device_count++];
		*device = (struct execution_device){0};
		device_decode(top, row, device);
		rc = cases_decode(decoding, row, device, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int all_completed_decode(const json_t *top)
{
	const char *key = "is_build_completed_in_all_devices";
	GR_AUTO_FREE char *text = answer_text(top, key);
	int64_t number;

	if (answer_int(top, key, &number))
		return number == 0 || number == 1 ? (int)number : -1;
	if (answer_flag(top, key))
		return 1;
	return text && (text_equal_nocase(text, "false") || text_equal_nocase(text, "no")) ? 0 : -1;
}

static bool is_execution(const json_t *object)
{
	return answer_member(object, DEVICES_KEYS) || json_object_get(object, "build_devices") ||
	       json_object_get(object, "build_number") || json_object_get(object, "is_build_completed_in_all_devices");
}

/* The object that holds the execution: the answer, or, where one inside holds it, both in one. A new reference. */
static int top_find(const json_t *answer, json_t **ret_top, struct gr_error *err)
{
	GR_AUTO_JSON json_t *list = NULL;
	const json_t *inner = answer_holder(answer, DEVICES_KEYS);
	int rc = 0;

	if (inner == answer || json_object_get(answer, "build_devices")) {
		*ret_top = json_incref((json_t *)(uintptr_t)answer);
		return 0;
	}
	if (!inner)
		rc = answer_list(answer, ANSWER_ROWS, &list, err);
	if (rc < 0)
		return rc;
	if (json_array_size(list) == 1)
		inner = json_array_get(list, 0);
	if (!is_execution(answer) && !is_execution(inner))
		return gr_fail(err, GR_PROTOCOL, 0, "the answer holds no execution details");
	*ret_top = json_copy((json_t *)(uintptr_t)answer);
	if (json_is_object(inner))
		(void)json_object_update(*ret_top, (json_t *)(uintptr_t)inner);
	return 0;
}

static int decode(const json_t *answer, bool is_taken, struct execution *ret_execution, struct gr_error *err)
{
	GR_AUTO_JSON json_t *top = NULL;
	struct execution execution = {0};
	const struct decoding decoding = {&execution, is_taken};
	int rc = top_find(answer, &top, err);

	if (rc < 0)
		return rc;
	execution.build_number = answer_text(top, "build_number");
	execution.build_url = answer_text(top, "build_url");
	execution.build_id = url_last_segment(execution.build_url);
	execution.all_completed = all_completed_decode(top);
	rc = devices_decode(&decoding, top, err);
	if (rc < 0) {
		execution_release(&execution);
		return rc;
	}
	*ret_execution = execution;
	return 0;
}

int execution_decode(const json_t *answer, struct execution *ret_execution, struct gr_error *err)
{
	return decode(answer, false, ret_execution, err);
}

int execution_take(json_t *answer, struct execution *ret_execution, struct gr_error *err)
{
	bool is_ours_alone = answer->refcount == 1; /* an answer may be several lanes' (shared_read.c) */

	return decode(answer, is_ours_alone, ret_execution, err);
}

static void execution_device_release(struct execution_device *device)
{
	gr_free(device->cases);
	gr_free(device->build_test_id);
	gr_free(device->device_id);
	gr_free(device->device_name);
	gr_free(device->app_version);
	gr_free(device->app_build_number);
	gr_free(device->bundle_id);
	gr_free(device->raw_completed);
}

void execution_release(struct execution *execution)
{
	if (!execution)
		return;
	for (size_t i = 0; i < execution->device_count; i++)
		execution_device_release(&execution->devices[i]);
	gr_free(execution->devices);
	pool_release(&execution->texts);
	gr_free(execution->build_number);
	gr_free(execution->build_url);
	gr_free(execution->build_id);
	*execution = (struct execution){0};
}
