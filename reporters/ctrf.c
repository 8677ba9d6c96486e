/* CTRF: whole milliseconds, a status without "error", nothing of ours outside `extra`. */
#include <jansson.h>
#include <string.h>

#include "reporters/formats.h"
#include "reporters/junit.h"
#include "reporters/printed.h"
#include "reporters/words.h"
#include "runner/base/memory.h"

#define TEXT_BYTES 16384
#define OTHER (STATUS_ERROR + 1) /* a failure that does not count */

static const char *status_of(enum case_status status)
{
	switch (status) {
	case STATUS_PASSED:
		return "passed";
	case STATUS_SKIPPED:
		return "skipped";
	case STATUS_FAILED:
	case STATUS_ERROR:
		break;
	}
	return "failed";
}

static void set_line(json_t *object, const char *key, struct redactor *redactor, const char *text)
{
	GR_AUTO_BUFFER struct buffer clean = {0};

	if (!text || !*text)
		return;
	words_block(redactor, &clean, text, TEXT_BYTES);
	(void)json_object_set_new(object, key, json_string(buffer_text(&clean)));
}

static json_t *attempts_of(struct redactor *redactor, const struct test_case *test)
{
	json_t *list = json_array();

	for (size_t i = 0; i < test->attempt_count; i++) {
		json_t *one = json_pack(
		        "{s:I, s:s}", "attempt", (json_int_t)i + 1, "status", status_of(test->attempts[i].status));

		if (test->attempts[i].time_ms >= 0)
			(void)json_object_set_new(one, "duration", json_integer(test->attempts[i].time_ms));
		set_line(one, "message", redactor, test->attempts[i].reason);
		(void)json_array_append_new(list, one);
	}
	return list;
}

static json_t *test_of(struct redactor *redactor, const struct junit_suite *suite, const struct junit_entry *entry)
{
	json_t *one = json_pack("{s:s, s:s, s:I, s:s, s:[s, s]}", "name", entry->name, "status",
	        entry->is_quarantined ? "other" : status_of(entry->status), "duration", (json_int_t)entry->time_ms,
	        "rawStatus", entry->is_quarantined ? "quarantined" : case_status_name(entry->status), "suite",
	        suite->name, entry->class_name);

	if (suite->run)
		set_line(one, "device", redactor, device_label(&suite->run->device));
	if (entry->status != STATUS_PASSED)
		set_line(one, "message", redactor,
		        entry->reason || entry->status != STATUS_ERROR ? entry->reason : failure_words(entry->failure));
	if (!entry->test || entry->test->attempt_count == 0)
		return one;
	(void)json_object_set_new(one, "retries", json_integer((json_int_t)entry->test->attempt_count));
	(void)json_object_set_new(one, "flaky", json_boolean(test_case_is_flaky(entry->test)));
	(void)json_object_set_new(one, "retryAttempts", attempts_of(redactor, entry->test));
	return one;
}

static json_t *tests_of(const struct results *results, struct redactor *redactor, size_t counts[OTHER + 1])
{
	json_t *list = json_array();
	struct junit_plan plan;
	struct junit_suite suite;

	junit_plan_init(&plan, results, redactor);
	while (junit_plan_next(&plan, &suite)) {
		for (size_t i = 0; i < suite.count; i++) {
			counts[suite.entries[i].is_quarantined ? OTHER : suite.entries[i].status]++;
			(void)json_array_append_new(list, test_of(redactor, &suite, &suite.entries[i]));
		}
		junit_suite_release(&suite);
	}
	junit_plan_release(&plan);
	return list;
}

int ctrf_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	size_t counts[OTHER + 1] = {0};
	json_t *tests = tests_of(results, context->redactor, counts);
	json_int_t failed = (json_int_t)counts[STATUS_FAILED] + (json_int_t)counts[STATUS_ERROR];
	json_int_t start = results->started_wall_ms, stop = start + (results->elapsed_ms > 0 ? results->elapsed_ms : 0);
	GR_AUTO_JSON json_t *json = json_pack(
	        "{s:s, s:s, s:{s:{s:s}, s:{s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:I}, s:o, s:{s:s, s:i}}}",
	        "reportFormat", "CTRF", "specVersion", "0.0.0", "results", "tool", "name", "gridlane", "summary",
	        "tests", (json_int_t)json_array_size(tests), "passed", (json_int_t)counts[STATUS_PASSED], "failed",
	        failed, "skipped", (json_int_t)counts[STATUS_SKIPPED], "pending", 0, "other", (json_int_t)counts[OTHER],
	        "start", start, "stop", stop, "tests", tests, "extra", "verdict", verdict_name(results->verdict),
	        "exitStatus", results->exit_status);
	GR_AUTO_BUFFER struct buffer text = {0};
	GR_AUTO_FREE char *dump = json ? json_dumps(json, JSON_INDENT(1)) : NULL;

	if (!dump)
		return gr_fail(err, GR_INTERNAL, 0, "the results cannot be written as CTRF");
	buffer_add_text(&text, dump);
	buffer_add_char(&text, '\n');
	return report_put(context, target, &text, err);
}
