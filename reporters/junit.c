/* JUnit XML that every known reader takes alike. What decides its shape: Jenkins' schema (junit-10.xsd) forbids
 * counters for skipped tests at the root; nested suites are dropped by several readers; tests are told apart by
 * classname and name alone, so the device is in the classname; a suite without testcases is lost, so problems are
 * testcases; several readers show entities undecoded, so texts are in CDATA; only flakyFailure and rerunFailure with a
 * stackTrace are read for repeated tests. */
#include "reporters/junit_document.h"

#include <string.h>

#include "reporters/words.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

#define PROPERTY_BYTES 4000

/* ---- elements ---- */

/* libxml2's characters are unsigned; its BAD_CAST drops const. */
static const xmlChar *xml(const char *text)
{
	return (const xmlChar *)text;
}

static void check(struct document *document, int result)
{
	if (result < 0)
		document->is_broken = true;
}

/* Begin an element on a line of its own. Names are ours, constant. */
static void start(struct document *document, int depth, const char *name)
{
	static const char indent[] = "\n        ";

	check(document, document->library.xmlTextWriterWriteRawLen(document->xml, xml(indent), 1 + 2 * depth));
	check(document, document->library.xmlTextWriterStartElement(document->xml, xml(name)));
}

static void end(struct document *document)
{
	check(document, document->library.xmlTextWriterEndElement(document->xml));
}

static void end_line(struct document *document, int depth)
{
	static const char indent[] = "\n        ";

	check(document, document->library.xmlTextWriterWriteRawLen(document->xml, xml(indent), 1 + 2 * depth));
	end(document);
}

static void attribute(struct document *document, const char *name, const char *clean)
{
	check(document, document->library.xmlTextWriterWriteAttribute(document->xml, xml(name), xml(clean)));
}

static void number_attribute(struct document *document, const char *name, size_t number)
{
	GR_AUTO_FREE char *text = gr_printf("%zu", number);

	attribute(document, name, text);
}

static void time_attribute(struct document *document, int64_t time_ms)
{
	char text[32];

	attribute(document, "time", number_format_seconds(time_ms > 0 ? time_ms : 0, text));
}

/* CDATA cannot hold its own end: that is split over two sections. */
static void cdata(struct document *document, const char *text)
{
	const char *at = text, *stop;

	while ((stop = strstr(at, "]]>")) != NULL) {
		GR_AUTO_FREE char *piece = gr_strndup(at, (size_t)(stop - at) + 2);

		check(document, document->library.xmlTextWriterWriteCDATA(document->xml, xml(piece)));
		at = stop + 2;
	}
	if (*at)
		check(document, document->library.xmlTextWriterWriteCDATA(document->xml, xml(at)));
}

static size_t text_limit(const struct document *document)
{
	return document->text_bytes < JUNIT_TEXT_BUDGET ? WORDS_TEXT_BYTES : JUNIT_TEXT_LATER;
}

static size_t message_limit(const struct document *document)
{
	return document->text_bytes < JUNIT_TEXT_BUDGET ? WORDS_MESSAGE_BYTES : JUNIT_TEXT_LATER;
}

/* The first line of a clean text. */
static void message_attribute(struct document *document, const char *clean)
{
	size_t whole = strcspn(clean, "\n"), kept = words_cut(clean, whole, message_limit(document));
	GR_AUTO_BUFFER struct buffer message = {0};

	buffer_add(&message, clean, kept);
	if (kept < whole)
		buffer_printf(&message, "\xE2\x80\xA6 [%zu bytes cut]", whole - kept);
	attribute(document, "message", buffer_text(&message));
	document->text_bytes += message.bytes;
}

/* ---- testcases ---- */

static const char *type_of(enum case_status status, enum gr_failure failure, char type[static 64])
{
	if (status == STATUS_FAILED)
		return "failure";
	(void)snprintf(type, 64, "gridlane.%s", failure_name(failure == GR_NONE ? GR_UNKNOWN : failure));
	return type;
}

static char *clean_reason(
        struct document *document, const char *reason, enum case_status status, enum gr_failure failure)
{
	GR_AUTO_BUFFER struct buffer text = {0};

	words_block(document->redactor, &text, reason, text_limit(document));
	if (strspn(buffer_text(&text), " \t\n") == text.bytes) {
		buffer_clear(&text);
		buffer_add_text(&text, status == STATUS_FAILED ? "the test failed; the server gave no reason"
		                                               : failure_words(failure));
	}
	document->text_bytes += text.bytes;
	return buffer_take(&text);
}

/* Begin <failure>, <error>, <rerunFailure> ...: message, type. Returns the clean text for its content. */
static char *start_trouble(struct document *document, const char *element, enum case_status status,
        enum gr_failure failure, const char *reason)
{
	char type[64];
	char *text = clean_reason(document, reason, status, failure);

	start(document, 3, element);
	message_attribute(document, text + strspn(text, "\n"));
	attribute(document, "type", type_of(status, failure, type));
	return text;
}

static void write_trouble(struct document *document, enum case_status status, enum gr_failure failure,
        const char *reason, const char *url)
{
	const char *element = status == STATUS_FAILED ? "failure" : "error";
	GR_AUTO_FREE char *text = start_trouble(document, element, status, failure, reason);
	GR_AUTO_BUFFER struct buffer content = {0};

	buffer_add_text(&content, text + strspn(text, "\n"));
	if (url) {
		buffer_add_text(&content, "\nrun: ");
		words_line(document->redactor, &content, url, PROPERTY_BYTES);
	}
	cdata(document, buffer_text(&content));
	end(document);
}

static void write_attempt(struct document *document, const char *element, const struct attempt *attempt)
{
	GR_AUTO_FREE char *text = start_trouble(document, element, attempt->status, attempt->failure, attempt->reason);

	start(document, 4, "stackTrace");
	cdata(document, text);
	end(document);
	end_line(document, 3);
}

static bool is_bad(enum case_status status)
{
	return status == STATUS_FAILED || status == STATUS_ERROR;
}

static const char *url_of(const struct junit_suite *suite)
{
	return suite->run ? suite->run->url : NULL;
}

/* The first attempt is the failure, those after it, the last one included, were in vain. */
static void write_failure(struct document *document, const struct junit_suite *suite, const struct junit_entry *entry)
{
	const struct attempt last = {
	        .status = entry->status, .failure = entry->failure, .reason = entry->test ? entry->test->reason : NULL};
	const struct attempt *first = NULL;

	for (size_t i = 0; entry->test && i < entry->test->attempt_count; i++) {
		const struct attempt *attempt = &entry->test->attempts[i];

		if (attempt->status != STATUS_FAILED) /* a test that had not run is no failure */
			continue;
		if (first)
			write_attempt(document, "rerunFailure", attempt);
		else
			write_trouble(document, STATUS_FAILED, GR_FAILED, attempt->reason, url_of(suite));
		first = attempt;
	}
	if (first)
		write_attempt(document, "rerunFailure", &last);
	else
		write_trouble(document, entry->status, entry->failure, entry->reason, url_of(suite));
}

static void write_flaky(struct document *document, const struct test_case *test)
{
	for (size_t i = 0; i < test->attempt_count; i++)
		if (test->attempts[i].status == STATUS_FAILED)
			write_attempt(document, "flakyFailure", &test->attempts[i]);
}

static void write_skipped(struct document *document, const char *reason)
{
	GR_AUTO_BUFFER struct buffer text = {0};

	words_block(document->redactor, &text, reason && *reason ? reason : "skipped", message_limit(document));
	document->text_bytes += text.bytes;
	start(document, 3, "skipped");
	message_attribute(document, buffer_text(&text));
	cdata(document, buffer_text(&text));
	end(document);
}

struct attachments {
	struct document *document;
	const struct device_run *run;
	struct buffer *text;
	bool is_repeated;
	size_t found;
};

/* The files of the device run, with each case that did not go well: GitLab and Jenkins show them there. Those of the
 * last attempt come first: GitLab shows one. */
static void add_files(struct attachments *attachments, unsigned rerun, size_t attempt)
{
	struct document *document = attachments->document;
	bool is_first = true;

	for (size_t i = 0; i < document->results->artifact_count && attachments->found < JUNIT_ATTACHMENTS; i++) {
		const struct artifact *file = &document->results->artifacts[i];

		if (!artifact_is_of_start(file, attachments->run, rerun))
			continue;
		if (is_first && attachments->is_repeated)
			buffer_printf(attachments->text, "files of attempt %zu:\n", attempt);
		is_first = false;
		attachments->found++;
		buffer_printf(attachments->text, "[[ATTACHMENT|%s/", document->workspace_path);
		words_line(document->redactor, attachments->text, file->path, PROPERTY_BYTES);
		buffer_add_text(attachments->text, "]]\n");
	}
}

static void add_attachments(struct document *document, const struct junit_suite *suite, const struct junit_entry *entry,
        struct buffer *text)
{
	const struct test_case *test = entry->test;
	size_t attempts = test ? test->attempt_count : 0;
	struct attachments attachments = {document, suite->run, text, attempts > 0, 0};

	if (!suite->run || !document->workspace_path || (!is_bad(entry->status) && attempts == 0))
		return;
	add_files(&attachments, test ? test->rerun : 0, attempts + 1);
	for (size_t i = attempts; i-- > 0;)
		if (attempt_has_files(test, i))
			add_files(&attachments, test->attempts[i].rerun, i + 1);
}

/* One system-out a case, and only when there is something to say: two of them make GitLab refuse the file. */
static void write_output(struct document *document, const struct junit_suite *suite, const struct junit_entry *entry)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	bool is_told = entry->test && (entry->test->attempt_count > 0 || entry->status == STATUS_ERROR);

	if (is_told && entry->test->attempt_count > 0)
		buffer_printf(&text, "attempts: %zu\n", entry->test->attempt_count + 1);
	if (is_told && entry->test->raw_status) {
		buffer_add_text(&text, "status on the server: ");
		words_line(document->redactor, &text, entry->test->raw_status, WORDS_NAME_BYTES);
		buffer_add_char(&text, '\n');
	}
	add_attachments(document, suite, entry, &text);
	if (text.bytes == 0)
		return;
	start(document, 3, "system-out");
	cdata(document, buffer_text(&text));
	end(document);
}

static void write_entry(struct document *document, const struct junit_suite *suite, const struct junit_entry *entry)
{
	start(document, 2, "testcase");
	attribute(document, "name", entry->name);
	attribute(document, "classname", entry->class_name);
	time_attribute(document, entry->time_ms);
	switch (entry->status) {
	case STATUS_PASSED:
		if (entry->test)
			write_flaky(document, entry->test);
		break;
	case STATUS_FAILED:
		write_failure(document, suite, entry);
		break;
	case STATUS_SKIPPED:
		write_skipped(document, entry->reason);
		break;
	case STATUS_ERROR:
		write_trouble(document, STATUS_ERROR, entry->failure, entry->reason, url_of(suite));
		break;
	}
	write_output(document, suite, entry);
	if (entry->status == STATUS_PASSED && (!entry->test || entry->test->attempt_count == 0))
		end(document);
	else
		end_line(document, 2);
}

/* ---- suites ---- */

static void property(struct document *document, const char *name, const char *value)
{
	GR_AUTO_BUFFER struct buffer clean = {0};

	if (!value || !*value)
		return;
	words_line(document->redactor, &clean, value, PROPERTY_BYTES);
	start(document, 3, "property");
	attribute(document, "name", name);
	attribute(document, "value", buffer_text(&clean));
	end(document);
}

static void seconds_property(struct document *document, const char *name, int64_t time_ms)
{
	char text[32];

	if (time_ms >= 0)
		property(document, name, number_format_seconds(time_ms, text));
}

/* What the CI system said: which build, of what. */
static void ci_properties(struct document *document, const json_t *environment)
{
	static const char *const names[] = {"provider", "build_url", "branch", "commit", "pull_request", "job"};

	for (size_t i = 0; i < GR_COUNT(names); i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "ci.%s", names[i]);
		property(document, name, json_string_value(json_object_get(environment, names[i])));
	}
}

static void rerun_properties(struct document *document, const struct device_run *run)
{
	for (size_t i = 0; i < run->rerun_count; i++) {
		GR_AUTO_FREE char *name = gr_printf("gridlane.rerun.%zu", i + 1);
		GR_AUTO_FREE char *words = rerun_words(&run->reruns[i]);

		property(document, name, words);
	}
}

static void device_properties(struct document *document, const struct device_run *run)
{
	property(document, "device.name", device_label(&run->device));
	property(document, "device.id", run->device.device_id);
	property(document, "device.os", run->device.os);
	property(document, "device.platform", run->device.platform);
	property(document, "device.udid", run->device.udid);
	property(document, "grid.build.number", run->build_number);
	property(document, "grid.build.id", run->build_id ? run->build_id : run->native_id);
	property(document, "grid.build.url", run->url);
	property(document, "grid.log.url", run->log_url);
	property(document, "grid.recording.url", run->recording_url);
	property(document, "gridlane.lane", run->lane);
	property(document, "gridlane.step", run->step);
	property(document, "gridlane.complete", run->is_complete ? "true" : "false");
	property(document, "gridlane.adopted", run->is_adopted ? "true" : NULL);
	rerun_properties(document, run);
	seconds_property(document, "gridlane.elapsed", run->elapsed_ms);
	seconds_property(document, "gridlane.queued", run->queued_ms);
}

static void write_properties(struct document *document, const struct results *results, const struct device_run *run)
{
	if (run == NULL && json_object_size(results->environment) == 0)
		return;
	start(document, 2, "properties");
	if (run != NULL) {
		device_properties(document, run);
		property(document, "gridlane.choice", device_choice(results, run));
	}
	ci_properties(document, results->environment);
	end_line(document, 2);
}

static void timestamp_attribute(struct document *document, int64_t wall_ms)
{
	char text[CLOCK_TEXT_BYTES];

	if (wall_ms > 0)
		attribute(document, "timestamp", clock_format_utc(wall_ms, text));
}

void junit_write_part(struct document *document, const struct junit_part *part)
{
	const struct junit_suite *suite = part->suite;
	const struct results *results = document->results;
	int depth = document->is_strict ? 0 : 1;

	if (document->is_strict)
		check(document, document->library.xmlTextWriterStartElement(document->xml, xml("testsuite")));
	else
		start(document, depth, "testsuite");
	attribute(document, "name", part->name);
	if (!document->is_strict)
		number_attribute(document, "id", document->suites++);
	number_attribute(document, "tests", part->count);
	number_attribute(document, "failures", part->counts[STATUS_FAILED]);
	number_attribute(document, "errors", part->counts[STATUS_ERROR]);
	number_attribute(document, "skipped", part->counts[STATUS_SKIPPED]);
	time_attribute(document, part->time_ms);
	timestamp_attribute(document, suite->run ? suite->run->started_wall_ms : results->started_wall_ms);
	if (!document->is_strict)
		attribute(document, "hostname", suite->slug);
	write_properties(document, results, suite->run);
	for (size_t i = 0; i < part->count; i++)
		write_entry(document, suite, &suite->entries[part->first + i]);
	end_line(document, depth);
}

void junit_start_root(struct document *document, int64_t time_ms)
{
	const struct results *results = document->results;
	GR_AUTO_BUFFER struct buffer name = {0};

	words_line(document->redactor, &name, results->pipeline ? results->pipeline : "gridlane", WORDS_NAME_BYTES);
	check(document, document->library.xmlTextWriterStartElement(document->xml, xml("testsuites")));
	attribute(document, "name", buffer_text(&name));
	time_attribute(document, time_ms);
}

void junit_end_root(struct document *document)
{
	end_line(document, 0);
}
