/* What `collect` was asked for and has no file of, once all that could be asked has been. */
#include "runner/api/operation.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/collect_jobs.h"
#include "runner/steps/common.h"
#include "runner/steps/version.h"

#define NAMES_MOST 3
#define SESSION_KINDS 2 /* the first ones, which sessions have */

/* How the files of a kind are called, and whether another answer has to name them first. */
static const struct {
	const char *what, *names[NAMES_MOST];
	bool is_looked_up;
} kinds[] = {
        {"logs", {"native-test*.log", "install*.log", "session-*.json"}, false},
        {"recordings", {"recording*.mp4", "session-*.mp4"}, true},
        {"network", {"network*.json"}, false},
        {"insights", {"insights-*.json"}, true},
        {"transactions", {"transactions*.json"}, false},
        {"device_logs", {"device.log"}, true},
        {"testcases", {"testcase*"}, true},
        {"downloads", {"download*"}, true},
};

static bool has_file(const json_t *jobs, const char *const names[NAMES_MOST])
{
	const json_t *job = NULL;
	size_t i = 0;

	json_array_foreach (jobs, i, job) {
		const char *name = json_string_value(json_object_get(job, "name"));

		for (size_t n = 0; n < NAMES_MOST && name != NULL && names[n] != NULL; n++)
			if (text_match_glob(names[n], name))
				return true;
	}
	return false;
}

static bool has_named(const json_t *jobs)
{
	static const char *const any[NAMES_MOST] = {"*"};

	return has_file(jobs, any);
}

/* Was a test asked for its recording? */
static bool has_looked(const json_t *jobs)
{
	const json_t *job = NULL;
	size_t i = 0;

	json_array_foreach (jobs, i, job)
		if (json_object_get(job, "call") != NULL &&
		        json_integer_value(json_object_get(job, "call")) == OP_TEST_CASE_DETAILS)
			return true;
	return false;
}

/* Could an answer that names files not be had? That is listed then. */
static bool has_failed(const json_t *jobs)
{
	const json_t *job = NULL;
	size_t i = 0;

	json_array_foreach (jobs, i, job)
		if (json_is_true(json_object_get(job, "failed")) ||
		        text_equal(json_string_value(json_object_get(job, "name")), "testcases"))
			return true;
	return false;
}

/* What an `appium` step has fetched itself is there, if not here. */
static bool has_sessions(const json_t *run)
{
	const json_t *path = NULL;
	size_t i = 0;

	json_array_foreach (json_object_get(run, "files"), i, path)
		if (json_is_string(path) && text_match_glob("*/session-*.json", json_string_value(path)))
			return true;
	return false;
}

static void add(json_t *jobs, const char *name, const char *why)
{
	(void)json_array_append_new(jobs, json_pack("{s:s, s:s}", "name", name, "missing", why));
}

void collect_jobs_close(const struct step *step, json_t *jobs)
{
	const json_t *run = json_object_get(step->with, "run"), *what = json_object_get(step->with, "what");
	bool is_implied = with_flag(step, "implied");

	if (json_array_size(json_object_get(step->with, "files")) > 0) {
		if (!is_implied && !has_named(jobs))
			add(jobs, "files", "no file fits the patterns");
		return;
	}
	for (size_t i = has_sessions(run) ? SESSION_KINDS : 0; i < GR_COUNT(kinds); i++) {
		bool is_due = !is_implied || (text_equal(kinds[i].what, "recordings") && has_looked(jobs));

		if (is_due && texts_has(what, kinds[i].what) && !has_file(jobs, kinds[i].names) &&
		        !(kinds[i].is_looked_up && has_failed(jobs)))
			add(jobs, kinds[i].what,
			        json_is_object(run) ? "there is none for this run" : "it needs `run:`");
	}
}
