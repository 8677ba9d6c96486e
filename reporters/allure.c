/* Allure's own results: a file a test and attempt, and copies of the files of what failed. Attempts of a test have one
 * historyId, and the one that starts last is the result; the device is in it, so that a test on two devices is two. No
 * server says when a test began: within a device run they stand one behind the other, from its start on. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reporters/bundle.h"
#include "reporters/formats.h"
#include "reporters/junit.h"
#include "reporters/words.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define TRACE_BYTES 16384
#define ATTACHMENTS_MOST 20
#define ID_CHARS 32
#define CHUNK_BYTES 65536
#define COPIES_MOST_BYTES ((int64_t)256 << 20)

struct allure {
	const struct results *results;
	const struct report_context *context;
	const char *folder;
	const struct junit_suite *suite;
	int64_t clock_ms; /* where the next attempt of the suite begins */
	int64_t copied_bytes;
	size_t left_out; /* files that were too long to copy */
	struct gr_error *err;
	int failure; /* the first one; nothing is written after it */
};

/* ---- ids: the same for the same results, however often they are written ---- */

static char *id_of(const char *one, const char *other, size_t number)
{
	GR_AUTO_FREE char *text = gr_printf("%s\n%s\n%zu", one, other ? other : "", number);
	char hex[65];

	file_sha256_memory(text, strlen(text), hex);
	return gr_strndup(hex, ID_CHARS);
}

static char *uuid_of(const struct allure *allure, const char *history, size_t attempt)
{
	GR_AUTO_FREE char *hex = id_of(allure->results->run_id ? allure->results->run_id : "", history, attempt);

	return gr_printf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* ---- files ---- */

static void put_text(struct allure *allure, const char *name, const char *text)
{
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	GR_AUTO_FREE char *path = gr_printf("%s/%s", allure->folder, name);

	if (allure->failure < 0)
		return;
	allure->failure = file_create(allure->context->directory, path, 0644, &writer, allure->err);
	if (allure->failure < 0)
		return;
	file_write_text(writer, text);
	allure->failure = file_commit_later(&writer, allure->err);
}

static void put_json(struct allure *allure, const char *name, const json_t *json)
{
	GR_AUTO_FREE char *text = json_dumps(json, JSON_COMPACT);

	put_text(allure, name, text ? text : "{}");
}

static void copy_bytes(struct allure *allure, int fd, const char *path)
{
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	GR_AUTO_FREE char *chunk = gr_alloc(CHUNK_BYTES, 1);
	ssize_t got;

	allure->failure = file_create(allure->context->directory, path, 0644, &writer, allure->err);
	if (allure->failure < 0)
		return;
	while ((got = read(fd, chunk, CHUNK_BYTES)) > 0 || (got < 0 && errno == EINTR))
		if (got > 0)
			file_write(writer, chunk, (size_t)got);
	allure->failure = got < 0 ? gr_fail(allure->err, GR_DISK, errno, "file '%s'", path)
	                          : file_commit_later(&writer, allure->err);
}

/* Another name for the same file costs nothing; a copy, where there can be none. false: neither is to be had. */
static bool bring(struct allure *allure, const char *from, const char *name)
{
	int directory = allure->context->directory;
	GR_AUTO_FREE char *path = gr_printf("%s/%s", allure->folder, name);
	GR_AUTO_CLOSE int fd = member_open(directory, from);
	struct stat state;

	if (fd < 0 || fstat(fd, &state) < 0 || !S_ISREG(state.st_mode))
		return false;
	if (linkat(directory, from, directory, path, 0) == 0)
		return true;
	if (state.st_size > COPIES_MOST_BYTES - allure->copied_bytes) {
		allure->left_out++;
		return false;
	}
	allure->copied_bytes += state.st_size;
	copy_bytes(allure, fd, path);
	return allure->failure == 0;
}

/* ---- attachments ---- */

static const char *extension_of(const char *path)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path, *dot = strrchr(base, '.');

	return dot && dot > base && member_path_is_plain(dot + 1) ? dot : "";
}

static const char *type_of(const char *path)
{
	static const char *const types[][2] = {{".png", "image/png"}, {".jpg", "image/jpeg"}, {".mp4", "video/mp4"},
	        {".webm", "video/webm"}, {".json", "application/json"}, {".har", "application/json"},
	        {".xml", "application/xml"}, {".log", "text/plain"}, {".txt", "text/plain"},
	        {".html", "text/plain"}}; /* of a device: shown, not run */

	for (size_t i = 0; i < GR_COUNT(types); i++)
		if (text_has_suffix_nocase(path, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

/* Allure 3 gives a file to the first result that names it, and to no other: each has its own. */
static void add_attachment(struct allure *allure, json_t *list, const char *path, const char *uuid)
{
	GR_AUTO_FREE char *source =
	        gr_printf("%s-%zu-attachment%s", uuid, json_array_size(list) + 1, extension_of(path));
	const char *slash = strrchr(path, '/');
	GR_AUTO_BUFFER struct buffer name = {0};

	if (!bring(allure, path, source))
		return;
	words_line(allure->context->redactor, &name, slash ? slash + 1 : path, WORDS_NAME_BYTES);
	(void)json_array_append_new(list,
	        json_pack("{s:s, s:s, s:s}", "name", buffer_text(&name), "type", type_of(path), "source", source));
}

static json_t *attachments_of(struct allure *allure, const char *uuid, unsigned rerun)
{
	const struct device_run *run = allure->suite->run;
	json_t *list = json_array();

	for (size_t i = 0; run && i < allure->results->artifact_count; i++) {
		const struct artifact *file = &allure->results->artifacts[i];

		if (allure->failure == 0 && json_array_size(list) < ATTACHMENTS_MOST &&
		        artifact_is_of_start(file, run, rerun))
			add_attachment(allure, list, file->path, uuid);
	}
	return list;
}

/* ---- a test ---- */

static const char *status_of(enum case_status status)
{
	switch (status) {
	case STATUS_PASSED:
		return "passed";
	case STATUS_FAILED:
		return "failed";
	case STATUS_SKIPPED:
		return "skipped";
	case STATUS_ERROR:
		break;
	}
	return "broken";
}

static void add_label(json_t *labels, const char *name, const char *value)
{
	if (value && *value)
		(void)json_array_append_new(labels, json_pack("{s:s, s:s}", "name", name, "value", value));
}

static void add_clean_label(struct allure *allure, json_t *labels, const char *name, const char *value)
{
	GR_AUTO_BUFFER struct buffer clean = {0};

	words_line(allure->context->redactor, &clean, value, WORDS_NAME_BYTES);
	add_label(labels, name, buffer_text(&clean));
}

static json_t *labels_of(struct allure *allure, const char *class_part)
{
	const struct device_run *run = allure->suite->run;
	const char *dot = strrchr(class_part, '.');
	GR_AUTO_FREE char *package = dot ? gr_strndup(class_part, (size_t)(dot - class_part)) : NULL;
	json_t *labels = json_array();

	add_label(labels, "parentSuite", allure->suite->name);
	add_label(labels, "suite", class_part);
	add_label(labels, "testClass", class_part);
	add_label(labels, "package", package);
	add_label(labels, "framework", "gridlane");
	add_label(labels, "host", allure->suite->name);
	if (run)
		add_clean_label(allure, labels, "thread", run->lane);
	return labels;
}

static void add_link(struct allure *allure, json_t *links, const char *name, const char *url)
{
	GR_AUTO_BUFFER struct buffer clean = {0};

	if (!url || !text_has_prefix(url, "http"))
		return;
	words_line(allure->context->redactor, &clean, url, WORDS_MESSAGE_BYTES);
	(void)json_array_append_new(
	        links, json_pack("{s:s, s:s, s:s}", "name", name, "url", buffer_text(&clean), "type", "link"));
}

static json_t *links_of(struct allure *allure)
{
	const struct device_run *run = allure->suite->run;
	json_t *links = json_array();

	if (run) {
		add_link(allure, links, "run", run->url);
		add_link(allure, links, "log", run->log_url);
		add_link(allure, links, "recording", run->recording_url);
	}
	return links;
}

static json_t *details_of(struct allure *allure, const struct attempt *attempt)
{
	const char *reason = attempt->reason && *attempt->reason ? attempt->reason
	                     : attempt->status == STATUS_ERROR   ? failure_words(attempt->failure)
	                     : attempt->status == STATUS_FAILED  ? "the server gave no reason"
	                                                         : NULL;
	GR_AUTO_BUFFER struct buffer message = {0};
	GR_AUTO_BUFFER struct buffer trace = {0};

	if (!reason || attempt->status == STATUS_PASSED)
		return json_object();
	words_block(allure->context->redactor, &trace, reason, TRACE_BYTES);
	buffer_add(&message, buffer_text(&trace),
	        words_cut(buffer_text(&trace), strcspn(buffer_text(&trace), "\n"), WORDS_MESSAGE_BYTES));
	return json_pack("{s:s, s:s}", "message", buffer_text(&message), "trace", buffer_text(&trace));
}

/* The slug of the device stands before the first dot of a class name. */
static const char *class_part_of(const struct allure *allure, const struct junit_entry *entry)
{
	return entry->class_name + strlen(allure->suite->slug) + 1;
}

static json_t *result_of(struct allure *allure, const struct junit_entry *entry, const struct attempt *attempt)
{
	const char *class_part = class_part_of(allure, entry);
	GR_AUTO_FREE char *test = id_of(class_part, entry->name, 0),
	                  *full = gr_printf("%s.%s", class_part, entry->name);
	int64_t time_ms = attempt->time_ms > 0 ? attempt->time_ms : 0;
	json_int_t start_ms = allure->clock_ms, stop_ms = start_ms + time_ms;
	json_t *result = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:[{s:s, s:s}]}", "testCaseId",
	        test, "fullName", full, "name", entry->name, "status", status_of(attempt->status), "stage", "finished",
	        "start", start_ms, "stop", stop_ms, "statusDetails", details_of(allure, attempt), "labels",
	        labels_of(allure, class_part), "links", links_of(allure), "parameters", "name", "device", "value",
	        allure->suite->name);

	allure->clock_ms += time_ms + 1; /* the next one starts later, whatever is known of its time */
	return result;
}

static void put_attempt(
        struct allure *allure, const struct junit_entry *entry, const struct attempt *attempt, size_t number)
{
	GR_AUTO_FREE char *history = id_of(entry->class_name, entry->name, 0), *uuid = uuid_of(allure, history, number);
	GR_AUTO_FREE char *name = gr_printf("%s-result.json", uuid);
	GR_AUTO_JSON json_t *result = result_of(allure, entry, attempt);
	bool is_last = number == (entry->test ? entry->test->attempt_count : 0);

	(void)json_object_set_new(result, "uuid", json_string(uuid));
	(void)json_object_set_new(result, "historyId", json_string(history));
	if (is_last && number > 0 && attempt->status == STATUS_PASSED)
		(void)json_object_set_new(json_object_get(result, "statusDetails"), "flaky", json_true());
	if ((attempt->status == STATUS_FAILED || attempt->status == STATUS_ERROR) &&
	        (is_last || attempt_has_files(entry->test, number)))
		(void)json_object_set_new(result, "attachments", attachments_of(allure, uuid, attempt->rerun));
	put_json(allure, name, result);
}

static void put_entry(struct allure *allure, const struct junit_entry *entry)
{
	size_t earlier = entry->test && !entry->is_quarantined ? entry->test->attempt_count : 0;
	/* texts are borrowed */
	const struct attempt last = {.status = entry->status,
	        .failure = entry->failure,
	        .reason = (char *)(uintptr_t)entry->reason,
	        .time_ms = entry->time_ms,
	        .rerun = entry->test ? entry->test->rerun : 0};

	for (size_t i = 0; i < earlier; i++)
		put_attempt(allure, entry, &entry->test->attempts[i], i);
	put_attempt(allure, entry, &last, earlier);
}

static void put_suite(struct allure *allure, const struct junit_suite *suite)
{
	allure->suite = suite;
	allure->clock_ms = suite->run && suite->run->started_wall_ms > 0 ? suite->run->started_wall_ms
	                                                                 : allure->results->started_wall_ms;
	for (size_t i = 0; i < suite->count && allure->failure == 0; i++)
		put_entry(allure, &suite->entries[i]);
	allure->suite = NULL;
}

/* ---- beside the tests ---- */

static void add_property(struct allure *allure, struct buffer *out, const char *name, const char *value)
{
	GR_AUTO_BUFFER struct buffer clean = {0};

	if (!value || !*value)
		return;
	words_line(allure->context->redactor, &clean, value, WORDS_NAME_BYTES);
	buffer_printf(out, "%s=", name);
	for (const char *at = buffer_text(&clean); *at; at++) {
		if (*at == '\\')
			buffer_add_char(out, '\\');
		buffer_add_char(out, *at);
	}
	buffer_add_char(out, '\n');
}

static void put_environment(struct allure *allure)
{
	const struct results *results = allure->results;
	GR_AUTO_BUFFER struct buffer text = {0};

	add_property(allure, &text, "pipeline", results->pipeline);
	add_property(allure, &text, "run", results->run_id);
	add_property(allure, &text, "server", results->server);
	add_property(allure, &text, "verdict", verdict_name(results->verdict));
	if (allure->left_out > 0) {
		GR_AUTO_FREE char *count = gr_printf("%zu, too long to copy; they are in artifacts/", allure->left_out);

		add_property(allure, &text, "attachments.left_out", count);
	}
	add_property(allure, &text, "branch", json_string_value(json_object_get(results->environment, "branch")));
	add_property(allure, &text, "commit", json_string_value(json_object_get(results->environment, "commit")));
	put_text(allure, "environment.properties", buffer_text(&text));
}

static void put_executor(struct allure *allure)
{
	const json_t *environment = allure->results->environment;
	const char *provider = json_string_value(json_object_get(environment, "provider"));
	const char *url = json_string_value(json_object_get(environment, "build_url"));
	GR_AUTO_JSON json_t *executor = json_pack(
	        "{s:s, s:s}", "name", provider ? provider : "gridlane", "type", provider ? provider : "gridlane");

	if (allure->results->run_id)
		(void)json_object_set_new(executor, "buildName", json_string(allure->results->run_id));
	if (url)
		(void)json_object_set_new(executor, "buildUrl", json_string(url));
	words_redact_json(allure->context->redactor, executor);
	put_json(allure, "executor.json", executor);
}

static void put_suites(struct allure *allure)
{
	struct junit_plan plan;
	struct junit_suite suite;

	junit_plan_init(&plan, allure->results, allure->context->redactor);
	while (allure->failure == 0 && junit_plan_next(&plan, &suite)) {
		put_suite(allure, &suite);
		junit_suite_release(&suite);
	}
	junit_plan_release(&plan);
}

static bool is_ours(const char *name)
{
	return text_has_suffix_nocase(name, "-result.json") || strstr(name, "-attachment") != NULL;
}

int allure_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_FREE char *folder = gr_strndup(target, strlen(target) - text_has_suffix_nocase(target, "/"));
	GR_AUTO_CLOSE int handle = -1;
	struct gr_error first = {0};
	struct allure allure = {.results = results, .context = context, .folder = folder, .err = &first};

	report_folder_clear(context->directory, folder, is_ours);
	allure.failure = file_make_directory_at(context->directory, folder, &handle, &first); /* for links */
	put_suites(&allure);
	put_environment(&allure);
	put_executor(&allure);
	if (allure.failure < 0 && err)
		*err = first;
	return allure.failure;
}
