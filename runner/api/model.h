/* What answers mean: the parts of TestGrid that steps reason about, decoded. Texts are owned by their structs and NULL
 * when the server did not say; ids are kept as text. */
#ifndef GRIDLANE_API_MODEL_H
#define GRIDLANE_API_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/base/error.h"
#include "runner/base/pool.h"

enum platform { PLATFORM_UNKNOWN, PLATFORM_IOS, PLATFORM_ANDROID, PLATFORM_WEB };
/* "android", "Android", "2"; "ios", "1"; "web", "3" (reference: device_type); NULL and others are unknown. */
enum platform platform_parse(const char *text);
const char *platform_name(enum platform platform); /* "android"; "unknown" */
const char *platform_process_type(enum platform platform); /* "oaa" "oia" "ow" (reference: App Build Run), or NULL */
/* App Upload Direct: the reference's table has "1" and "2", its sample "iOS or Android". NULL for a website. */
const char *platform_direct_code(enum platform platform);
const char *platform_direct_word(enum platform platform);

/* A device of get_device_list, get_all_devices_with_filter, group_devices or get_device_details. */
enum device_state { /* in order of how final they are; the first that holds is the reason */
	DEVICE_FREE,
	DEVICE_UNAUTHORISED,
	DEVICE_OFFLINE,
	DEVICE_DISCONNECTED,
	DEVICE_REBOOTING,
	DEVICE_CLEANING,
	DEVICE_PREPARING,
	DEVICE_RESERVED,
	DEVICE_RUNS_BUILD,
	DEVICE_IN_GENERATOR,
	DEVICE_LOCAL_EXECUTION,
	DEVICE_IN_USE, /* by hand in the device cloud */
	DEVICE_VIRTUAL_USB,
	DEVICE_UNKNOWN /* a device_status that is neither "Available" nor a known word */
};

struct device {
	char *device_id, *udid, *s_device, *name, *manufacturer, *os_version, *tags;
	char *reserved_by; /* e-mail, or NULL */
	char *appium_url;
	enum platform platform;
	enum device_state state;
	bool is_at_work; /* does, or did until just now, something: whatever is the reason that `state` names */
};

struct device_list {
	struct device *devices;
	size_t count;
};

/* Reads a list under `data`; an object or list under `devices`; lists by platform under either ({"android":[...]}). */
int device_list_decode(const json_t *answer, struct device_list *ret_list, struct gr_error *err);
void device_list_release(struct device_list *list);
void device_release(struct device *device);
const char *device_state_words(enum device_state state); /* "offline", "reserved", ... */
/* The fields users see in expressions: device_id udid s_device name manufacturer os os_major platform tags (a list). */
json_t *device_to_json(const struct device *device);
/* The same fields, or the API's own; GR_CONFIG without a device_id and a udid. The state is DEVICE_UNKNOWN unless
 * `json` has the flags. */
int device_from_json(const json_t *json, struct device *ret_device, struct gr_error *err);

/* The numbers of build_list. "No builds" in any shape is an empty list. is_unsaid: it is empty because the answer says
 * success and has no list at all; that alone proves nothing. */
struct build_list {
	char **numbers;
	size_t count;
	bool is_unsaid;
};
int build_list_decode(const json_t *answer, struct build_list *ret_list, struct gr_error *err);
void build_list_release(struct build_list *list);
bool build_list_has(const struct build_list *list, const char *number);

/* execution_details (reference: Execution Details). */
enum completion {
	COMPLETION_UNKNOWN = 0,
	COMPLETION_PROCESSING = 1,
	COMPLETION_QUEUED = 2,
	COMPLETION_DONE = 3,
	COMPLETION_STOPPED = 4
};
enum case_state {
	CASE_NOT_STARTED = 0,
	CASE_STARTED = 1,
	CASE_PASSED = 2,
	CASE_FAILED = 3,
	CASE_STOPPED = 4,
	CASE_SKIPPED = 5,
	CASE_UNKNOWN = 6
};

struct execution_case { /* its texts are the execution's */
	const char *name;
	const char *module_id; /* build_module_id */
	const char *data; /* parameterised_test_data */
	const char *reason; /* failed_reason */
	const char *raw_status; /* as received */
	enum case_state state;
};

enum { COUNT_NOT_STARTED, COUNT_STARTED, COUNT_PASSED, COUNT_FAILED, COUNT_STOPPED, COUNT_SKIPPED, COUNT_KINDS };

struct execution_device {
	char *build_test_id, *device_id, *device_name;
	char *app_version, *app_build_number, *bundle_id; /* of `info` */
	int64_t counts[COUNT_KINDS]; /* no_of_*; -1 where the answer has none */
	char *raw_completed;
	enum completion completed; /* is_completed of the device; the answer's own when the device has none */
	struct execution_case *cases;
	size_t case_count;
};

struct execution {
	char *build_number, *build_url, *build_id; /* build_id: last path segment of build_url */
	int all_completed; /* is_build_completed_in_all_devices: 1 yes, 0 no, -1 not said */
	struct execution_device *devices;
	size_t device_count;
	struct pool texts; /* of the cases */
};
int execution_decode(const json_t *answer, struct execution *ret_execution, struct gr_error *err);
/* The same, and the test cases are let go as they are read: 100,000 of them are 120 MiB in an answer, 10 in here.
 * Of an answer that somebody else holds, too, nothing is let go. */
int execution_take(json_t *answer, struct execution *ret_execution, struct gr_error *err);
void execution_release(struct execution *execution);

/* get_native_test_results. Statuses are undocumented: the text rules, then the number as in test_status, then counts.
 */
enum native_state {
	NATIVE_UNKNOWN,
	NATIVE_WAITING,
	NATIVE_RUNNING,
	NATIVE_PASSED,
	NATIVE_FAILED,
	NATIVE_STOPPED,
	NATIVE_COMPLETED /* done, the counts decide */
};
struct native_device {
	char *device_id, *device_name, *udid, *os_version, *platform;
	char *log_path, *recording_path;
	char *status, *status_text; /* as received */
	enum native_state state;
	bool contradicts; /* the words say passed or completed, the number (3, the only one documented) failed */
	int64_t all, passed, failed; /* -1: not said */
};
struct native_result {
	struct native_device *devices;
	size_t count;
};
int native_result_decode(const json_t *answer, struct native_result *ret_result, struct gr_error *err);
void native_result_release(struct native_result *result);

/* The last path segment of a URL or path, without query ("https://h/apps/native-test/73" gives "73"), the caller's;
 * NULL when there is none. */
char *url_last_segment(const char *url);
/* Some answers write a URL as HTML does, "?a=1&amp;b=2", or with blanks: as it is meant. The caller's, or NULL. */
char *url_plain(const char *url);
char *answer_url(const json_t *object, const char *names); /* answer_text(), plain */

#endif
