#include "runner/steps/collect_jobs.h"

#include <string.h>

#include "runner/api/answer.h"
#include "runner/api/model.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/common.h"

/* Test cases that are asked for one by one: each is a request, and most runs have fewer. */
#define CASES_MOST 200
/* Files that one answer names. */
#define FILES_MOST 100
/* Objects and lists of an answer that are looked through. */
#define PARTS_MOST 10000

/* The start that is asked about. */
struct asking {
	const struct step *step;
	json_t *jobs;
	const json_t *run; /* its outputs */
	unsigned rerun; /* from 1; 0: the first start */
};

static bool is_wanted(const struct asking *asking, const char *what)
{
	const json_t *list = json_object_get(asking->step->with, "what");
	const json_t *item = NULL;
	size_t i = 0;

	json_array_foreach (list, i, item)
		if (text_equal(json_string_value(item), what))
			return true;
	return false;
}

/* Does the name fit the patterns of `files`? */
static bool fits(const struct asking *asking, const char *name)
{
	const json_t *list = json_object_get(asking->step->with, "files");
	const json_t *item = NULL;
	size_t i = 0;

	json_array_foreach (list, i, item)
		if (text_match_glob(json_string_value(item), name))
			return true;
	return json_array_size(list) == 0;
}

/* Takes the job over. Files of a further start say so: "network-rerun-1.json" beside "network.json"; by their last part
 * alone, which readers keep them by. */
static void add_job(const struct asking *asking, const char *name, json_t *job)
{
	const char *dot = name != NULL ? strrchr(name, '.') : NULL;
	int stem = dot != NULL ? (int)(dot - name) : name != NULL ? (int)strlen(name) : 0;
	GR_AUTO_FREE char *own = NULL;

	if (name != NULL && asking->rerun > 0)
		own = gr_printf("%.*s-rerun-%u%s", stem, name, asking->rerun, name + stem);
	if (name != NULL)
		(void)json_object_set_new(job, "name", json_string(own != NULL ? own : name));
	if (asking->rerun > 0)
		(void)json_object_set_new(job, "rerun", json_integer((json_int_t)asking->rerun));
	(void)json_array_append_new(asking->jobs, job);
}

static void add_missing(const struct asking *asking, const char *name, const char *why)
{
	if (fits(asking, name))
		add_job(asking, name, json_pack("{s:s}", "missing", why));
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

static void add_fetch(const struct asking *asking, const char *name, const char *url)
{
	GR_AUTO_FREE char *plain = url_plain(url);

	if (plain != NULL && *plain != '\0' && fits(asking, name))
		add_job(asking, name, json_pack("{s:s, s:b}", "url", plain, "text", is_text_name(name)));
}

/* Takes the arguments over. `name` may be NULL: the answer is only looked into. */
static void add_call(const struct asking *asking, const char *name, enum operation_id operation, json_t *arguments)
{
	if (name == NULL || fits(asking, name))
		add_job(asking, name, json_pack("{s:i, s:O}", "call", (int)operation, "arguments", arguments));
	json_decref(arguments);
}

static const char *run_text(const struct asking *asking, const char *key)
{
	return json_string_value(json_object_get(asking->run, key));
}

/* ---- scriptless runs ---- */

static const char no_app[] = "the pipeline has no `app:`, whose token this needs";

/* {application_token, build_test_id, test_case_name}; NULL when the application is not known. */
static json_t *run_arguments(const struct asking *asking, const char *test_case)
{
	json_t *arguments = NULL;

	if (context_app_id(asking->step) == NULL)
		return NULL;
	arguments = json_object();
	set_taken(arguments, "application_token", application_handle(asking->step, context_app_id(asking->step)));
	set_text(arguments, "build_test_id", run_text(asking, "build_test_id"));
	set_argument(arguments, "test_case_name", test_case);
	return arguments;
}

static void add_run_call(const struct asking *asking, const char *name, enum operation_id operation)
{
	json_t *arguments = run_arguments(asking, NULL);

	if (arguments != NULL)
		add_call(asking, name, operation, arguments);
	else
		add_missing(asking, name, no_app);
}

static bool wants_cases(const struct asking *asking)
{
	return is_wanted(asking, "insights") || is_wanted(asking, "testcases") || is_wanted(asking, "recordings");
}

static void add_scriptless(const struct asking *asking)
{
	json_t *arguments = NULL;

	if (run_text(asking, "build_test_id") == NULL)
		return;
	if (is_wanted(asking, "network"))
		add_run_call(asking, "network.json", OP_NETWORK_LOGS);
	if (is_wanted(asking, "transactions"))
		add_run_call(asking, "transactions.json", OP_TRANSACTION_ANALYSIS);
	if (!wants_cases(asking))
		return;
	if (context_app_id(asking->step) == NULL || run_text(asking, "build_number") == NULL) {
		add_missing(asking, "testcases",
		        context_app_id(asking->step) == NULL ? no_app
		                                             : "the run's number is not known, so its tests are not");
		return;
	}
	arguments = json_object(); /* names the test cases */
	set_taken(arguments, "application_token", application_handle(asking->step, context_app_id(asking->step)));
	set_text(arguments, "build_number", run_text(asking, "build_number"));
	add_call(asking, NULL, OP_EXECUTION_DETAILS, arguments);
}

static void add_case(const struct asking *asking, const char *test)
{
	GR_AUTO_FREE char *insights = gr_printf("insights-%s.json", test);
	GR_AUTO_FREE char *details = gr_printf("testcase-%s.json", test);

	if (is_wanted(asking, "insights"))
		add_call(asking, insights, OP_INSIGHTS_DATA, run_arguments(asking, test));
	if (is_wanted(asking, "testcases"))
		add_call(asking, details, OP_TEST_CASE_DETAILS, run_arguments(asking, test));
	else if (is_wanted(asking, "recordings"))
		add_call(asking, NULL, OP_TEST_CASE_DETAILS, run_arguments(asking, test));
}

static void add_cases(const struct asking *asking, const json_t *answer)
{
	struct execution execution = {0};
	GR_AUTO_JSON json_t *seen = json_object(); /* a case may be there once a row of its data */
	struct gr_error ignored = {0};

	if (execution_decode(answer, &execution, &ignored) != 0) {
		add_missing(asking, "testcases", ignored.text);
		return;
	}
	for (size_t i = 0; i < execution.device_count; i++) {
		const struct execution_device *device = &execution.devices[i];

		for (size_t c = 0; c < device->case_count; c++) {
			const char *name = device->cases[c].name;

			if (!text_equal(device->build_test_id, run_text(asking, "build_test_id")) || name == NULL ||
			        json_object_get(seen, name) != NULL)
				continue;
			if (json_object_size(seen) == CASES_MOST) {
				add_missing(asking, "testcases", "only the first 200 test cases are asked for");
				break;
			}
			(void)json_object_set_new(seen, name, json_true());
			add_case(asking, name);
		}
	}
	execution_release(&execution);
}

static bool has_url(const json_t *jobs, size_t first, const char *url)
{
	for (size_t i = first; i < json_array_size(jobs); i++)
		if (text_equal(json_string_value(json_object_get(json_array_get(jobs, i), "url")), url))
			return true;
	return false;
}

static bool is_recording(const char *key, const char *text)
{
	return text != NULL && (text[0] == '/' || strstr(text, "://") != NULL) &&
	       (text_contains_nocase(key, "video") || text_contains_nocase(key, "recording"));
}

/* What of the members of an object, or of the entries of a list, may hold something itself. */
static void add_parts(json_t *parts, const json_t *json)
{
	const json_t *row = NULL;
	const char *key = NULL;
	json_t *value = NULL;
	size_t i = 0;

	json_object_foreach ((json_t *)(uintptr_t)json, key, value)
		if (json_is_object(value) || json_is_array(value))
			(void)json_array_append(parts, value);
	json_array_foreach (json, i, row)
		if (i < FILES_MOST && json_is_object(row))
			(void)json_array_append(parts, (json_t *)(uintptr_t)row);
}

/* All that are in the answer, each once. */
static void add_recordings_of(const struct asking *asking, const char *name, const json_t *answer)
{
	GR_AUTO_JSON json_t *parts = json_array();
	const size_t first = json_array_size(asking->jobs);
	const char *key = NULL;
	json_t *value = NULL;

	(void)json_array_append(parts, (json_t *)(uintptr_t)answer);
	for (size_t i = 0; i < json_array_size(parts) && i < PARTS_MOST; i++) {
		add_parts(parts, json_array_get(parts, i));
		json_object_foreach (json_array_get(parts, i), key, value) {
			GR_AUTO_FREE char *url = url_plain(json_string_value(value));

			if (is_recording(key, url) && !has_url(asking->jobs, first, url))
				add_fetch(asking, name, json_string_value(value));
		}
	}
}

/* The reference shows no answer for a test case: a member whose name says that it is a recording is one. */
static void add_case_recordings(const struct asking *asking, const json_t *job, const json_t *answer)
{
	const char *test = json_string_value(json_object_get(json_object_get(job, "arguments"), "test_case_name"));
	GR_AUTO_FREE char *name = gr_printf("recording-%s.mp4", test != NULL ? test : "test");

	if (is_wanted(asking, "recordings"))
		add_recordings_of(asking, name, answer);
}

/* ---- devices and sessions ---- */

static const char *device_id(const struct asking *asking)
{
	const json_t *device = json_object_get(asking->step->with, "device");
	const char *id = json_string_value(json_object_get(device, "device_id"));

	if (id == NULL)
		id = json_string_value(json_object_get(device, "id"));
	return id != NULL ? id : run_text(asking, "device_id");
}

static void add_device(const struct asking *asking)
{
	if (device_id(asking) == NULL) {
		if (is_wanted(asking, "device_logs"))
			add_missing(asking, "device.log", "the device is not known: give `device:`");
		if (is_wanted(asking, "downloads"))
			add_missing(asking, "downloads", "the device is not known: give `device:`");
		return;
	}
	if (is_wanted(asking, "device_logs"))
		add_call(asking, NULL, OP_DEVICE_LOGS, json_pack("{s:s}", "device_id", device_id(asking)));
	if (is_wanted(asking, "downloads"))
		add_call(asking, NULL, OP_GET_BROWSER_DOWNLOADED_FILES,
		        json_pack("{s:s}", "device_id", device_id(asking)));
}

/* An `appium` step has fetched its sessions itself, unless it was told not to. */
static bool has_session(const struct asking *asking, const char *number)
{
	const json_t *files = json_object_get(json_object_get(asking->step->with, "run"), "files");
	GR_AUTO_FREE char *ending = gr_printf("/session-%s.json", number);
	const json_t *path = NULL;
	size_t i = 0;

	json_array_foreach (files, i, path)
		if (json_is_string(path) && text_has_suffix_nocase(json_string_value(path), ending))
			return true;
	return false;
}

static void add_sessions(const struct asking *asking)
{
	const json_t *builds = json_object_get(asking->run, "build_numbers");
	const json_t *number = NULL;
	size_t i = 0;

	json_array_foreach (builds, i, number) {
		GR_AUTO_FREE char *name = gr_printf("session-%s.json", json_string_value(number));

		if (!json_is_string(number) || has_session(asking, json_string_value(number)))
			continue;
		if (is_wanted(asking, "logs") || is_wanted(asking, "recordings"))
			add_call(asking, is_wanted(asking, "logs") ? name : NULL, OP_AUTOMATION_BUILD_RESULTS_AND_LOGS,
			        json_pack("{s:O}", "build_number", number));
	}
}

static void add_session_recordings(const struct asking *asking, const json_t *job, const json_t *answer)
{
	GR_AUTO_JSON json_t *rows = NULL;
	const char *number = json_string_value(json_object_get(json_object_get(job, "arguments"), "build_number"));
	GR_AUTO_FREE char *name = gr_printf("session-%s.mp4", number != NULL ? number : "");
	const json_t *row = NULL;
	struct gr_error ignored = {0};
	size_t i = 0;

	if (!is_wanted(asking, "recordings") || answer_list(answer, "data", &rows, &ignored) != 0)
		return;
	json_array_foreach (rows, i, row)
		if (i < FILES_MOST)
			add_fetch(asking, name, json_string_value(json_object_get(row, "src")));
}

static void add_downloads(const struct asking *asking, const json_t *answer)
{
	GR_AUTO_JSON json_t *rows = NULL;
	const json_t *row = NULL;
	struct gr_error err = {0};
	size_t i = 0;

	if (answer_list(answer, "data", &rows, &err) != 0)
		add_missing(asking, "downloads", err.text);
	json_array_foreach (rows, i, row) {
		GR_AUTO_FREE char *name = answer_text(row, "name");
		GR_AUTO_FREE char *url = answer_text(row, "download_url");
		GR_AUTO_FREE char *file = gr_printf("download-%s", name != NULL ? name : "file");

		if (i < FILES_MOST)
			add_fetch(asking, file, url);
		else if (i == FILES_MOST)
			add_missing(asking, "downloads", "only the first 100 files are fetched");
	}
}

/* ---- all ---- */

/* A file that the step's outputs name, and must name when it is `expected`. */
static void add_named(const struct asking *asking, const char *name, const char *url, bool expected)
{
	if (url != NULL && *url != '\0')
		add_fetch(asking, name, url);
	else if (expected)
		add_missing(asking, name, "the server names none for this run");
}

static void add_start(const struct asking *asking)
{
	bool is_native = run_text(asking, "native_test_build_id") != NULL;
	const char *log = is_native ? "native-test.log" : "install.log";

	if (is_wanted(asking, "logs"))
		add_named(asking, log, run_text(asking, "log_url"), is_native);
	if (is_wanted(asking, "recordings"))
		add_named(asking, "recording.mp4", run_text(asking, "recording_url"), is_native);
	add_scriptless(asking);
	if (asking->rerun == 0) /* the device is the same for all of them */
		add_device(asking);
	add_sessions(asking);
}

static const json_t *further_starts(const struct step *step)
{
	return json_object_get(json_object_get(step->with, "run"), "rerun_outputs");
}

json_t *collect_jobs_new(const struct step *step)
{
	struct asking asking = {.step = step, .jobs = json_array(), .run = json_object_get(step->with, "run")};

	add_start(&asking);
	while (asking.rerun < json_array_size(further_starts(step))) {
		asking.run = json_array_get(further_starts(step), asking.rerun++);
		add_start(&asking);
	}
	return asking.jobs;
}

void collect_jobs_extend(const struct step *step, json_t *jobs, const json_t *job, const json_t *answer)
{
	unsigned rerun = (unsigned)json_integer_value(json_object_get(job, "rerun"));
	const struct asking start = {.step = step,
	        .jobs = jobs,
	        .run = rerun > 0 ? json_array_get(further_starts(step), rerun - 1) : json_object_get(step->with, "run"),
	        .rerun = rerun};
	const struct asking *asking = &start;
	GR_AUTO_FREE char *url = NULL;

	switch (json_integer_value(json_object_get(job, "call"))) {
	case OP_EXECUTION_DETAILS:
		add_cases(asking, answer);
		break;
	case OP_TEST_CASE_DETAILS:
		add_case_recordings(asking, job, answer);
		break;
	case OP_DEVICE_LOGS:
		url = answer_text(answer, "log_file_url");
		if (url != NULL)
			add_fetch(asking, "device.log", url);
		else
			add_missing(asking, "device.log", "the server names no log of the device");
		break;
	case OP_AUTOMATION_BUILD_RESULTS_AND_LOGS:
		add_session_recordings(asking, job, answer);
		break;
	case OP_GET_BROWSER_DOWNLOADED_FILES:
		add_downloads(asking, answer);
		break;
	default:
		break;
	}
}
