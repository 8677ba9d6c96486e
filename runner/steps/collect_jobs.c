#include "runner/steps/collect_jobs.h"

#include <string.h>

#include "runner/api/answer.h"
#include "runner/api/model.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/common.h"

/* Test cases that are asked for one by one: each is a request, and most runs have fewer. */
#define CASES_MOST 200
/* Files that one answer names. */
#define FILES_MOST 100

static bool is_wanted(const struct step *step, const char *what)
{
	const json_t *list = json_object_get(step->with, "what");
	const json_t *item = NULL;
	size_t i = 0;

	json_array_foreach (list, i, item)
		if (text_equal(json_string_value(item), what))
			return true;
	return false;
}

/* Does the name fit the patterns of `files`? */
static bool fits(const struct step *step, const char *name)
{
	const json_t *list = json_object_get(step->with, "files");
	const json_t *item = NULL;
	size_t i = 0;

	json_array_foreach (list, i, item)
		if (text_match_glob(json_string_value(item), name))
			return true;
	return json_array_size(list) == 0;
}

static void add_missing(const struct step *step, json_t *jobs, const char *name, const char *why)
{
	if (fits(step, name))
		(void)json_array_append_new(jobs, json_pack("{s:s, s:s}", "name", name, "missing", why));
}

static bool is_text_name(const char *name)
{
	static const char *const endings[] = {
	        ".txt", ".log", ".json", ".xml", ".html", ".csv", ".har", ".md", ".yml", ".yaml"};

	for (size_t i = 0; i < GR_COUNT(endings); i++)
		if (text_has_suffix_nocase(name, endings[i]))
			return true;
	return false;
}

/* Some answers write a URL as HTML does, "?a=1&amp;b=2": the caller's. */
static char *plain_url(const char *url)
{
	struct buffer out = {0};
	const char *mark = NULL;

	for (; (mark = strstr(url, "&amp;")) != NULL; url = mark + strlen("&amp;")) {
		buffer_add(&out, url, (size_t)(mark - url));
		buffer_add_char(&out, '&');
	}
	buffer_add_text(&out, url);
	return buffer_take(&out);
}

static void add_fetch(const struct step *step, json_t *jobs, const char *name, const char *url)
{
	GR_AUTO_FREE char *plain = url != NULL ? plain_url(url) : NULL;

	if (plain != NULL && *plain != '\0' && fits(step, name))
		(void)json_array_append_new(
		        jobs, json_pack("{s:s, s:s, s:b}", "name", name, "url", plain, "text", is_text_name(name)));
}

/* Takes the arguments over. `name` may be NULL: the answer is only looked into. */
static void add_call(
        const struct step *step, json_t *jobs, const char *name, enum operation_id operation, json_t *arguments)
{
	if (name == NULL || fits(step, name))
		(void)json_array_append_new(jobs,
		        json_pack("{s:s?, s:i, s:O}", "name", name, "call", (int)operation, "arguments", arguments));
	json_decref(arguments);
}

static const char *run_text(const struct step *step, const char *key)
{
	return json_string_value(json_object_get(json_object_get(step->with, "run"), key));
}

/* ---- scriptless runs ---- */

static const char no_app[] = "the pipeline has no `app:`, whose token this needs";

/* {application_token, build_test_id, test_case_name}; NULL when the application is not known. */
static json_t *run_arguments(const struct step *step, const char *test_case)
{
	json_t *arguments = NULL;

	if (context_app_id(step) == NULL)
		return NULL;
	arguments = json_object();
	set_taken(arguments, "application_token", application_handle(step, context_app_id(step)));
	set_text(arguments, "build_test_id", run_text(step, "build_test_id"));
	set_argument(arguments, "test_case_name", test_case);
	return arguments;
}

static void add_run_call(const struct step *step, json_t *jobs, const char *name, enum operation_id operation)
{
	json_t *arguments = run_arguments(step, NULL);

	if (arguments != NULL)
		add_call(step, jobs, name, operation, arguments);
	else
		add_missing(step, jobs, name, no_app);
}

static bool wants_cases(const struct step *step)
{
	return is_wanted(step, "insights") || is_wanted(step, "testcases") || is_wanted(step, "recordings");
}

static void add_scriptless(const struct step *step, json_t *jobs)
{
	json_t *arguments = NULL;

	if (run_text(step, "build_test_id") == NULL)
		return;
	if (is_wanted(step, "network"))
		add_run_call(step, jobs, "network.json", OP_NETWORK_LOGS);
	if (is_wanted(step, "transactions"))
		add_run_call(step, jobs, "transactions.json", OP_TRANSACTION_ANALYSIS);
	if (!wants_cases(step))
		return;
	if (context_app_id(step) == NULL || run_text(step, "build_number") == NULL) {
		add_missing(step, jobs, "testcases",
		        context_app_id(step) == NULL ? no_app : "the run's number is not known, so its tests are not");
		return;
	}
	arguments = json_object(); /* names the test cases */
	set_taken(arguments, "application_token", application_handle(step, context_app_id(step)));
	set_text(arguments, "build_number", run_text(step, "build_number"));
	add_call(step, jobs, NULL, OP_EXECUTION_DETAILS, arguments);
}

static void add_case(const struct step *step, json_t *jobs, const char *test)
{
	GR_AUTO_FREE char *insights = gr_printf("insights-%.50s.json", test);
	GR_AUTO_FREE char *details = gr_printf("testcase-%.50s.json", test);

	if (is_wanted(step, "insights"))
		add_call(step, jobs, insights, OP_INSIGHTS_DATA, run_arguments(step, test));
	if (is_wanted(step, "testcases"))
		add_call(step, jobs, details, OP_TEST_CASE_DETAILS, run_arguments(step, test));
	else if (is_wanted(step, "recordings"))
		add_call(step, jobs, NULL, OP_TEST_CASE_DETAILS, run_arguments(step, test));
}

static void add_cases(const struct step *step, json_t *jobs, const json_t *answer)
{
	struct execution execution = {0};
	GR_AUTO_JSON json_t *seen = json_object(); /* a case may be there once a row of its data */
	struct gr_error ignored = {0};

	if (execution_decode(answer, &execution, &ignored) != 0) {
		add_missing(step, jobs, "testcases", ignored.text);
		return;
	}
	for (size_t i = 0; i < execution.device_count; i++) {
		const struct execution_device *device = &execution.devices[i];

		for (size_t c = 0; c < device->case_count; c++) {
			const char *name = device->cases[c].name;

			if (!text_equal(device->build_test_id, run_text(step, "build_test_id")) || name == NULL ||
			        json_object_get(seen, name) != NULL)
				continue;
			if (json_object_size(seen) == CASES_MOST) {
				add_missing(step, jobs, "testcases", "only the first 200 test cases are asked for");
				break;
			}
			(void)json_object_set_new(seen, name, json_true());
			add_case(step, jobs, name);
		}
	}
	execution_release(&execution);
}

static void add_recordings_of(const struct step *step, json_t *jobs, const char *name, const json_t *object)
{
	const char *key = NULL;
	json_t *value = NULL;

	json_object_foreach ((json_t *)(uintptr_t)object, key, value)
		if (json_is_string(value) && text_contains_nocase(json_string_value(value), "://") &&
		        (text_contains_nocase(key, "video") || text_contains_nocase(key, "recording")))
			add_fetch(step, jobs, name, json_string_value(value));
}

/* The reference shows no answer for a test case: a member whose name says that it is a recording is one, at the top, or
 * in the objects and lists right below it. */
static void add_case_recordings(const struct step *step, json_t *jobs, const json_t *job, const json_t *answer)
{
	const char *test = json_string_value(json_object_get(json_object_get(job, "arguments"), "test_case_name"));
	GR_AUTO_FREE char *name = gr_printf("recording-%.50s.mp4", test != NULL ? test : "test");
	const json_t *row = NULL;
	const char *key = NULL;
	json_t *value = NULL;
	size_t i = 0;

	if (!is_wanted(step, "recordings"))
		return;
	add_recordings_of(step, jobs, name, answer);
	json_object_foreach ((json_t *)(uintptr_t)answer, key, value) {
		if (json_is_object(value))
			add_recordings_of(step, jobs, name, value);
		json_array_foreach (value, i, row)
			if (i < FILES_MOST)
				add_recordings_of(step, jobs, name, row);
	}
}

/* ---- devices and sessions ---- */

static const char *device_id(const struct step *step)
{
	const char *id = json_string_value(json_object_get(json_object_get(step->with, "device"), "device_id"));

	return id != NULL ? id : run_text(step, "device_id");
}

static void add_device(const struct step *step, json_t *jobs)
{
	if (device_id(step) == NULL) {
		if (is_wanted(step, "device_logs"))
			add_missing(step, jobs, "device.log", "the device is not known: give `device:`");
		if (is_wanted(step, "downloads"))
			add_missing(step, jobs, "downloads", "the device is not known: give `device:`");
		return;
	}
	if (is_wanted(step, "device_logs"))
		add_call(step, jobs, NULL, OP_DEVICE_LOGS, json_pack("{s:s}", "device_id", device_id(step)));
	if (is_wanted(step, "downloads"))
		add_call(step, jobs, NULL, OP_GET_BROWSER_DOWNLOADED_FILES,
		        json_pack("{s:s}", "device_id", device_id(step)));
}

/* An `appium` step has fetched its sessions itself, unless it was told not to. */
static bool has_session(const struct step *step, const char *number)
{
	const json_t *files = json_object_get(json_object_get(step->with, "run"), "files");
	GR_AUTO_FREE char *ending = gr_printf("/session-%.40s.json", number);
	const json_t *path = NULL;
	size_t i = 0;

	json_array_foreach (files, i, path)
		if (json_is_string(path) && text_has_suffix_nocase(json_string_value(path), ending))
			return true;
	return false;
}

static void add_sessions(const struct step *step, json_t *jobs)
{
	const json_t *builds = json_object_get(json_object_get(step->with, "run"), "build_numbers");
	const json_t *number = NULL;
	size_t i = 0;

	json_array_foreach (builds, i, number) {
		GR_AUTO_FREE char *name = gr_printf("session-%.40s.json", json_string_value(number));

		if (!json_is_string(number) || has_session(step, json_string_value(number)))
			continue;
		if (is_wanted(step, "logs") || is_wanted(step, "recordings"))
			add_call(step, jobs, is_wanted(step, "logs") ? name : NULL,
			        OP_AUTOMATION_BUILD_RESULTS_AND_LOGS, json_pack("{s:O}", "build_number", number));
	}
}

static void add_session_recordings(const struct step *step, json_t *jobs, const json_t *job, const json_t *answer)
{
	GR_AUTO_JSON json_t *rows = NULL;
	const char *number = json_string_value(json_object_get(json_object_get(job, "arguments"), "build_number"));
	GR_AUTO_FREE char *name = gr_printf("session-%.40s.mp4", number != NULL ? number : "");
	const json_t *row = NULL;
	struct gr_error ignored = {0};
	size_t i = 0;

	if (!is_wanted(step, "recordings") || answer_list(answer, "data", &rows, &ignored) != 0)
		return;
	json_array_foreach (rows, i, row)
		if (i < FILES_MOST)
			add_fetch(step, jobs, name, json_string_value(json_object_get(row, "src")));
}

static void add_downloads(const struct step *step, json_t *jobs, const json_t *answer)
{
	GR_AUTO_JSON json_t *rows = NULL;
	const json_t *row = NULL;
	struct gr_error err = {0};
	size_t i = 0;

	if (answer_list(answer, "data", &rows, &err) != 0)
		add_missing(step, jobs, "downloads", err.text);
	json_array_foreach (rows, i, row) {
		GR_AUTO_FREE char *name = answer_text(row, "name");
		GR_AUTO_FREE char *url = answer_text(row, "download_url");
		GR_AUTO_FREE char *file = gr_printf("download-%.60s", name != NULL ? name : "file");

		if (i < FILES_MOST)
			add_fetch(step, jobs, file, url);
		else if (i == FILES_MOST)
			add_missing(step, jobs, "downloads", "only the first 100 files are fetched");
	}
}

/* ---- all ---- */

/* A file that the step's outputs name, and must name when it is `expected`. */
static void add_named(const struct step *step, json_t *jobs, const char *name, const char *url, bool expected)
{
	if (url != NULL && *url != '\0')
		add_fetch(step, jobs, name, url);
	else if (expected)
		add_missing(step, jobs, name, "the server names none for this run");
}

json_t *collect_jobs_new(const struct step *step)
{
	json_t *jobs = json_array();
	bool is_native = run_text(step, "native_test_build_id") != NULL;
	const char *log = is_native ? "native-test.log" : "install.log";

	if (is_wanted(step, "logs"))
		add_named(step, jobs, log, run_text(step, "log_url"), is_native);
	if (is_wanted(step, "recordings"))
		add_named(step, jobs, "recording.mp4", run_text(step, "recording_url"), is_native);
	add_scriptless(step, jobs);
	add_device(step, jobs);
	add_sessions(step, jobs);
	return jobs;
}

void collect_jobs_extend(const struct step *step, json_t *jobs, const json_t *job, const json_t *answer)
{
	GR_AUTO_FREE char *url = NULL;

	switch (json_integer_value(json_object_get(job, "call"))) {
	case OP_EXECUTION_DETAILS:
		add_cases(step, jobs, answer);
		break;
	case OP_TEST_CASE_DETAILS:
		add_case_recordings(step, jobs, job, answer);
		break;
	case OP_DEVICE_LOGS:
		url = answer_text(answer, "log_file_url");
		if (url != NULL)
			add_fetch(step, jobs, "device.log", url);
		else
			add_missing(step, jobs, "device.log", "the server names no log of the device");
		break;
	case OP_AUTOMATION_BUILD_RESULTS_AND_LOGS:
		add_session_recordings(step, jobs, job, answer);
		break;
	case OP_GET_BROWSER_DOWNLOADED_FILES:
		add_downloads(step, jobs, answer);
		break;
	default:
		break;
	}
}
