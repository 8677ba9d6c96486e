/* TeamCity: service messages. Each device run is a flow and a suite; each attempt of a test is a test of its own, which
 * TeamCity's retry support puts together; runs, logs and recordings are links of the failed test. */
#include <inttypes.h>
#include <string.h>

#include "reporters/formats.h"
#include "reporters/junit.h"
#include "reporters/printed.h"
#include "reporters/words.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define DETAILS_BYTES 8000
#define FILES_MOST 20 /* of a failed test */
#define VALUE_BYTES 1000 /* TeamCity takes 1,024 characters in metadata */

struct messages {
	const struct results *results;
	const char *workspace_path; /* of the output folder; or NULL */
	struct buffer out;
	struct redactor *redactor;
	size_t flow; /* of the suite */
	char *test; /* the current one's name */
};

static void add_escaped(struct buffer *out, const char *text)
{
	for (const char *at = text; *at; at++) {
		if (strchr("'|[]", *at))
			buffer_printf(out, "|%c", *at);
		else if (*at == '\n' || *at == '\r')
			buffer_add_text(out, *at == '\n' ? "|n" : "|r");
		else
			buffer_add_char(out, *at);
	}
}

static void begin(struct messages *messages, const char *name)
{
	buffer_printf(&messages->out, "##teamcity[%s", name);
}

/* A clean value. */
static void value(struct messages *messages, const char *name, const char *clean)
{
	buffer_printf(&messages->out, " %s='", name);
	add_escaped(&messages->out, clean);
	buffer_add_char(&messages->out, '\'');
}

static void end(struct messages *messages)
{
	buffer_printf(&messages->out, " flowId='gridlane-%zu']\n", messages->flow);
}

static void begin_test(struct messages *messages)
{
	begin(messages, "testStarted");
	value(messages, "name", messages->test);
	end(messages);
}

static void end_test(struct messages *messages, int64_t time_ms)
{
	begin(messages, "testFinished");
	value(messages, "name", messages->test);
	buffer_printf(&messages->out, " duration='%" PRId64 "'", time_ms > 0 ? time_ms : 0);
	end(messages);
}

/* testFailed or testIgnored: the first line is the message, all of it the details. */
static void add_outcome(struct messages *messages, const char *message, const char *reason)
{
	GR_AUTO_BUFFER struct buffer line = {0};
	GR_AUTO_BUFFER struct buffer block = {0};

	words_line(messages->redactor, &line, reason, VALUE_BYTES);
	words_block(messages->redactor, &block, reason, DETAILS_BYTES);
	begin(messages, message);
	value(messages, "name", messages->test);
	value(messages, "message", line.bytes ? buffer_text(&line) : "no reason was given");
	if (strcmp(message, "testFailed") == 0)
		value(messages, "details", buffer_text(&block));
	end(messages);
}

static void add_metadata(struct messages *messages, const char *name, const char *type, const char *text)
{
	GR_AUTO_BUFFER struct buffer clean = {0};

	if (!text || !*text)
		return;
	words_line(messages->redactor, &clean, text, VALUE_BYTES);
	begin(messages, "testMetadata");
	value(messages, "testName", messages->test);
	value(messages, "name", name);
	value(messages, "type", type);
	value(messages, "value", buffer_text(&clean));
	end(messages);
}

static void add_links(struct messages *messages, const struct device_run *run)
{
	if (!run)
		return;
	add_metadata(messages, "device", "text", device_label(&run->device));
	add_metadata(messages, "run", "link", run->url);
	add_metadata(messages, "log", "link", run->log_url);
	add_metadata(messages, "recording", "link", run->recording_url);
}

static const char *type_of_file(const char *path)
{
	static const char *const types[][2] = {
	        {".png", "image"}, {".jpg", "image"}, {".mp4", "video"}, {".webm", "video"}};

	for (size_t i = 0; i < GR_COUNT(types); i++)
		if (text_has_suffix_nocase(path, types[i][0]))
			return types[i][1];
	return "artifact";
}

/* Paths as the build publishes them: the output folder under the name that it has in the checkout. */
static void add_files(struct messages *messages, const struct device_run *run, unsigned rerun)
{
	size_t found = 0;

	for (size_t i = 0; run && messages->workspace_path && i < messages->results->artifact_count; i++) {
		const struct artifact *file = &messages->results->artifacts[i];
		GR_AUTO_FREE char *path = NULL;

		if (!artifact_is_of_start(file, run, rerun) || found++ >= FILES_MOST)
			continue;
		path = gr_printf("%s/%s", messages->workspace_path, file->path);
		add_metadata(messages, strrchr(path, '/') + 1, type_of_file(path), path);
	}
}

static void add_attempts(struct messages *messages, const struct device_run *run, const struct test_case *test)
{
	for (size_t i = 0; test && i < test->attempt_count; i++) {
		begin_test(messages);
		if (test->attempts[i].status == STATUS_FAILED || test->attempts[i].status == STATUS_ERROR) {
			add_outcome(messages, "testFailed", test->attempts[i].reason);
			if (attempt_has_files(test, i))
				add_files(messages, run, test->attempts[i].rerun);
		}
		end_test(messages, test->attempts[i].time_ms);
	}
}

static void add_entry(struct messages *messages, const struct junit_suite *suite, const struct junit_entry *entry)
{
	GR_AUTO_FREE char *name = gr_printf("%s.%s", entry->class_name, entry->name);

	messages->test = name;
	if (!entry->is_quarantined)
		add_attempts(messages, suite->run, entry->test);
	begin_test(messages);
	if (entry->status == STATUS_SKIPPED)
		add_outcome(messages, "testIgnored", entry->reason);
	if (entry->status == STATUS_FAILED || entry->status == STATUS_ERROR) {
		add_outcome(messages, "testFailed",
		        entry->reason || entry->status == STATUS_FAILED ? entry->reason
		                                                        : failure_words(entry->failure));
		add_links(messages, suite->run);
		add_files(messages, suite->run, entry->test ? entry->test->rerun : 0);
	}
	end_test(messages, entry->time_ms);
	messages->test = NULL;
}

static void add_suite(struct messages *messages, const struct junit_suite *suite)
{
	messages->flow++;
	begin(messages, "testSuiteStarted");
	value(messages, "name", suite->name);
	end(messages);
	for (size_t i = 0; i < suite->count; i++)
		add_entry(messages, suite, &suite->entries[i]);
	begin(messages, "testSuiteFinished");
	value(messages, "name", suite->name);
	end(messages);
}

int teamcity_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	struct messages messages = {
	        .results = results, .workspace_path = context->workspace_path, .redactor = context->redactor};
	struct junit_plan plan;
	struct junit_suite suite;
	int r;

	buffer_add_text(&messages.out, "##teamcity[testRetrySupport enabled='true']\n");
	junit_plan_init(&plan, results, context->redactor);
	while (junit_plan_next(&plan, &suite)) {
		add_suite(&messages, &suite);
		junit_suite_release(&suite);
	}
	junit_plan_release(&plan);
	buffer_add_text(&messages.out, "##teamcity[testRetrySupport enabled='false']\n");
	r = report_put(context, target, &messages.out, err);
	buffer_release(&messages.out);
	return r;
}
