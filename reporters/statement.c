/* Field names are those of in-toto's test-result predicate; it has none for skipped tests, nor for what the run as a
 * whole was, so these are beside its own. */
#include "reporters/statement.h"

#include <string.h>

#include "reporters/bundle.h"
#include "reporters/junit.h"
#include "reporters/words.h"
#include "runner/base/clock.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/results/record.h"

/* GitHub takes a predicate of 16 MB. Names of passed tests go first when there are too many. */
#define NAMES_MOST_BYTES ((size_t)12 << 20)

static json_t *clean(struct redactor *redactor, const char *text)
{
	GR_AUTO_BUFFER struct buffer line = {0};

	words_line(redactor, &line, text, WORDS_MESSAGE_BYTES);
	return json_string(buffer_text(&line));
}

static void set_clean(json_t *object, const char *key, struct redactor *redactor, const char *text)
{
	if (text && *text)
		(void)json_object_set_new(object, key, clean(redactor, text));
}

/* ---- what was tested with what came of it ---- */

struct names {
	json_t *passed, *warned, *failed, *skipped;
	size_t bytes, left_out;
};

static json_t *list_of(const struct names *names, const struct junit_entry *entry)
{
	if (entry->is_quarantined || (entry->test && test_case_is_flaky(entry->test)))
		return names->warned;
	switch (entry->status) {
	case STATUS_PASSED:
		return names->passed;
	case STATUS_SKIPPED:
		return names->skipped;
	case STATUS_FAILED:
	case STATUS_ERROR:
		break;
	}
	return names->failed;
}

static void add_name(struct names *names, const struct junit_entry *entry)
{
	GR_AUTO_FREE char *name = gr_printf("%s.%s", entry->class_name, entry->name);
	json_t *list = list_of(names, entry);

	if (list == names->passed && names->bytes + strlen(name) > NAMES_MOST_BYTES) {
		names->left_out++;
		return;
	}
	names->bytes += strlen(name) + 8;
	(void)json_array_append_new(list, json_string(name));
}

static void add_names(json_t *predicate, const struct results *results, struct redactor *redactor)
{
	struct names names = {json_array(), json_array(), json_array(), json_array(), 0, 0};
	struct junit_plan plan;
	struct junit_suite suite;

	junit_plan_init(&plan, results, redactor);
	while (junit_plan_next(&plan, &suite)) {
		for (size_t i = 0; i < suite.count; i++)
			add_name(&names, &suite.entries[i]);
		junit_suite_release(&suite);
	}
	junit_plan_release(&plan);
	(void)json_object_set_new(predicate, "passedTests", names.passed);
	(void)json_object_set_new(predicate, "warnedTests", names.warned);
	(void)json_object_set_new(predicate, "failedTests", names.failed);
	(void)json_object_set_new(predicate, "skippedTests", names.skipped);
	if (names.left_out > 0)
		(void)json_object_set_new(predicate, "passedTestsLeftOut", json_integer((json_int_t)names.left_out));
}

/* ---- the predicate ---- */

/* An emulated cloud has tested nothing: others who read `result` alone must not take it for a pass. */
static const char *result_of(const struct results *results)
{
	struct totals totals = results_totals(results);

	if (results->verdict != VERDICT_PASSED)
		return "FAILED";
	if (results->is_sandbox || totals.flaky > 0 || totals.failed > 0 || totals.quarantined > 0 || totals.errors > 0)
		return "WARNED";
	return "PASSED";
}

static void add_report(json_t *list, const struct report_context *context, const char *name)
{
	GR_AUTO_CLOSE int fd = member_open(context->directory, name);
	GR_AUTO_FREE char *path = gr_printf("/proc/self/fd/%d", fd);
	char hex[65];

	if (fd < 0 || file_sha256(path, GR_DISK, hex, NULL, NULL) < 0)
		return; /* this report was not asked for */
	(void)json_array_append_new(list, json_pack("{s:s, s:{s:s}}", "name", name, "digest", "sha256", hex));
}

/* A descriptor has a uri, a digest or a content. */
static json_t *configuration_of(const struct results *results, const struct report_context *context)
{
	json_t *list = json_array(), *pipeline = json_object();

	set_clean(pipeline, "name", context->redactor, results->pipeline ? results->pipeline : "pipeline");
	set_clean(pipeline, "uri", context->redactor, results->file ? results->file : "pipeline");
	(void)json_array_append_new(list, pipeline);
	if (results->server) {
		json_t *server = json_pack("{s:s}", "name", "server");

		set_clean(server, "uri", context->redactor, results->server);
		(void)json_array_append_new(list, server);
	}
	add_report(list, context, "results.json");
	add_report(list, context, "junit.xml");
	return list;
}

/* The whole run in figures: `complete` is that every device run came to a believed end, with all its tests. */
static json_t *run_of(const struct results *results, struct redactor *redactor)
{
	struct totals totals = results_totals(results);
	bool is_complete = totals.device_runs > 0 && totals.device_runs == totals.device_runs_complete &&
	                   totals.errors == 0 && totals.problems == 0;
	char text[CLOCK_TEXT_BYTES];
	json_t *run = json_pack("{s:s, s:i, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "verdict",
	        verdict_name(results->verdict), "exitStatus", results->exit_status, "sandbox", results->is_sandbox,
	        "complete", is_complete, "tests", totals.tests, "executed", totals.executed, "failed", totals.failed,
	        "errors", totals.errors, "skipped", totals.skipped, "flaky", totals.flaky, "quarantined",
	        totals.quarantined, "deviceRuns", totals.device_runs);

	set_clean(run, "id", redactor, results->run_id);
	set_clean(run, "cause", redactor, results->cause);
	set_clean(run, "tool", redactor, results->tool);
	if (results->started_wall_ms > 0) {
		(void)json_object_set_new(
		        run, "startedOn", json_string(clock_format_utc(results->started_wall_ms, text)));
		(void)json_object_set_new(run, "finishedOn",
		        json_string(clock_format_utc(results->started_wall_ms + results->elapsed_ms, text)));
	}
	for (size_t i = 0; i < results->rule_count; i++) {
		json_t *rules = json_object_get(run, "gate");

		if (!rules)
			(void)json_object_set_new(run, "gate", rules = json_array());
		(void)json_array_append_new(rules, clean(redactor, results->rules[i].text));
	}
	return run;
}

static const char *url_of(const struct results *results)
{
	const char *url = json_string_value(json_object_get(results->environment, "build_url"));

	for (size_t i = 0; !url && i < results->run_count; i++)
		url = results->runs[i].url;
	return url;
}

json_t *predicate_make(const struct results *results, const struct report_context *context)
{
	json_t *predicate = json_pack(
	        "{s:s, s:o}", "result", result_of(results), "configuration", configuration_of(results, context));

	set_clean(predicate, "url", context->redactor, url_of(results));
	add_names(predicate, results, context->redactor);
	(void)json_object_set_new(predicate, "run", run_of(results, context->redactor));
	return predicate;
}

/* ---- the subjects ---- */

/* A step that failed where it may (best_effort), or came to no end there, has proven nothing. */
static bool has_proven(const struct step_result *step)
{
	return step->outcome == OUTCOME_PASSED || (step->outcome == OUTCOME_FAILED && !step->is_best_effort);
}

/* Was it on a device, or under a test? Only then the verdict is about it. */
static bool is_tested(const struct results *results, const char *build)
{
	for (size_t i = 0; i < results->step_count; i++) {
		const struct step_result *step = &results->steps[i];

		if (!text_equal(step->kind, "upload_build") && has_proven(step) &&
		        text_equal(json_string_value(json_object_get(step->outputs, "app_build_id")), build))
			return true;
	}
	return false;
}

static void add_subject(json_t *subjects, struct redactor *redactor, const char *path, const char *sha256)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	json_t *one, *known;
	size_t i;

	json_array_foreach (subjects, i, known)
		if (text_equal(json_string_value(json_object_get(json_object_get(known, "digest"), "sha256")), sha256))
			return;
	one = json_pack("{s:{s:s}}", "digest", "sha256", sha256);
	set_clean(one, "name", redactor, slash ? slash + 1 : path ? path : "build");
	(void)json_array_append_new(subjects, one);
}

/* That a run failed may be said of all builds that it uploaded; that it passed only of those that it tested. */
static json_t *subjects_of(const struct results *results, struct redactor *redactor)
{
	json_t *subjects = json_array();

	for (size_t i = 0; i < results->step_count; i++) {
		const struct step_result *step = &results->steps[i];
		const char *sha256 = json_string_value(json_object_get(step->outputs, "sha256"));
		const char *build = json_string_value(json_object_get(step->outputs, "app_build_id"));
		bool is_upload = text_equal(step->kind, "upload_build");
		bool counts = (is_upload || text_equal(step->kind, "native_test")) &&
		              (results->verdict != VERDICT_PASSED ||
		                      (is_upload ? is_tested(results, build) : has_proven(step)));

		if (sha256 && strlen(sha256) == 64 && counts)
			add_subject(
			        subjects, redactor, json_string_value(json_object_get(step->outputs, "file")), sha256);
	}
	return subjects;
}

int statement_make(const struct results *results, const struct report_context *context, json_t **ret_statement,
        struct gr_error *err)
{
	json_t *subjects = subjects_of(results, context->redactor);

	if (json_array_size(subjects) == 0) {
		json_decref(subjects);
		return gr_fail(err, GR_CONFIG, 0,
		        "an attestation is about builds: none was uploaded, tested and its digest known in this run");
	}
	*ret_statement = json_pack("{s:s, s:o, s:s, s:o}", "_type", STATEMENT_TYPE, "subject", subjects,
	        "predicateType", PREDICATE_TYPE, "predicate", predicate_make(results, context));
	return 0;
}

/* ---- reading it back ---- */

static bool is_about(const json_t *statement, const char *sha256)
{
	const json_t *subject;
	size_t i;

	json_array_foreach (json_object_get(statement, "subject"), i, subject)
		if (text_equal_nocase(
		            json_string_value(json_object_get(json_object_get(subject, "digest"), "sha256")), sha256))
			return true;
	return false;
}

static int check_builds(const json_t *statement, const struct statement_demand *demand, struct gr_error *err)
{
	for (const char *const *digest = demand->digests; digest && *digest; digest++)
		if (!is_about(statement, *digest))
			return gr_fail(err, GR_GATE, 0, "it is not about the build with SHA-256 %s", *digest);
	return 0;
}

static int check_result(const json_t *statement, const struct statement_demand *demand, struct gr_error *err)
{
	const json_t *predicate = json_object_get(statement, "predicate"), *run = json_object_get(predicate, "run");
	const char *result = json_string_value(json_object_get(predicate, "result"));
	const char *verdict = json_string_value(json_object_get(run, "verdict"));
	bool is_sandbox = json_is_true(json_object_get(run, "sandbox"));
	size_t warned = json_array_size(json_object_get(predicate, "warnedTests"));
	size_t failed = json_array_size(json_object_get(predicate, "failedTests"));

	if (!text_equal(verdict, "passed") || !(text_equal(result, "PASSED") || text_equal(result, "WARNED")))
		return gr_fail(err, GR_GATE, 0, "it says that the tests did not pass: %.20s, verdict %.20s",
		        result ? result : "no result", verdict ? verdict : "unknown");
	if (is_sandbox && !demand->takes_sandbox)
		return gr_fail(err, GR_GATE, 0, "its run was against the sandbox, which proves nothing about a build");
	/* a run against the sandbox is never more than WARNED */
	if (text_equal(result, "WARNED") && demand->refuses_warnings && (!is_sandbox || warned + failed > 0))
		return gr_fail(err, GR_GATE, 0, "it warns: %zu flaky or quarantined, %zu failed tests", warned, failed);
	return 0;
}

int statement_check(const struct buffer *payload, const struct statement_demand *demand, json_t **ret_statement,
        struct gr_error *err)
{
	json_t *statement = json_loadb(buffer_text(payload), payload->bytes, JSON_REJECT_DUPLICATES, NULL);
	int r;

	if (!text_equal(json_string_value(json_object_get(statement, "_type")), STATEMENT_TYPE) ||
	        !text_equal(json_string_value(json_object_get(statement, "predicateType")), PREDICATE_TYPE))
		r = gr_fail(err, GR_GATE, 0, "it is signed, but no test result (%s)", PREDICATE_TYPE);
	else
		r = check_builds(statement, demand, err);
	if (r == 0)
		r = check_result(statement, demand, err);
	if (r == 0)
		*ret_statement = statement;
	else
		json_decref(statement);
	return r;
}
