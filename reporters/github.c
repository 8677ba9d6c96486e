/* GitHub Actions: annotations, the step's summary and its outputs. A step has room for ten errors and ten warnings, a
 * summary for 1 MiB; what is over is lost without a word, so we cut by ourselves. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reporters/formats.h"
#include "reporters/printed.h"
#include "reporters/words.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"

#define ANNOTATIONS_MOST 10
#define SUMMARY_MOST_BYTES 1048576
#define MESSAGE_BYTES 3000 /* GitHub takes 4,096; an escaped sign has three */

/* Data and properties of a workflow command. The runner reads %25, %0D, %0A back, and %3A, %2C in properties. */
static void add_escaped(struct buffer *out, const char *text, bool is_property)
{
	for (const char *at = text; *at; at++) {
		if (strchr("%\r\n", *at) || (is_property && strchr(":,", *at)))
			buffer_printf(out, "%%%02X", (unsigned)(unsigned char)*at);
		else
			buffer_add_char(out, *at);
	}
}

static void annotate(struct buffer *out, const char *level, const char *title, const char *message)
{
	buffer_printf(out, "::%s title=", level);
	add_escaped(out, title, true);
	buffer_add_text(out, "::");
	add_escaped(out, message, false);
	buffer_add_char(out, '\n');
}

static void annotate_trouble(
        struct buffer *out, const char *level, struct redactor *redactor, const struct trouble *trouble)
{
	GR_AUTO_BUFFER struct buffer title = {0};
	GR_AUTO_BUFFER struct buffer message = {0};

	trouble_title(redactor, &title, trouble);
	trouble_reason(redactor, &message, trouble, MESSAGE_BYTES);
	annotate(out, level, buffer_text(&title), buffer_text(&message));
}

/* All when they fit; otherwise nine, and how many there are beside them. */
static void add_errors(struct buffer *out, const struct results *results, struct redactor *redactor)
{
	struct trouble_list list;
	size_t shown;

	trouble_list_init(&list, results);
	shown = list.count <= ANNOTATIONS_MOST ? list.count : ANNOTATIONS_MOST - 1;
	for (size_t i = 0; i < shown; i++)
		annotate_trouble(out, "error", redactor, &list.items[i]);
	if (shown < list.count) {
		GR_AUTO_FREE char *text =
		        gr_printf("and %zu more; the summary and the reports name them", list.count - shown);

		annotate(out, "error", "gridlane", text);
	} else if (list.count == 0 && results->verdict != VERDICT_PASSED) {
		GR_AUTO_BUFFER struct buffer cause = {0};

		words_line(redactor, &cause, results->cause ? results->cause : "the run did not pass", MESSAGE_BYTES);
		annotate(out, "error", "gridlane", buffer_text(&cause));
	}
	trouble_list_release(&list);
}

static void add_quarantined(struct buffer *out, const struct results *results, struct redactor *redactor)
{
	struct trouble_list list;
	size_t shown;

	trouble_list_quarantined(&list, results);
	shown = list.count <= ANNOTATIONS_MOST ? list.count : ANNOTATIONS_MOST - 1;
	for (size_t i = 0; i < shown; i++)
		annotate_trouble(out, "notice", redactor, &list.items[i]);
	if (shown < list.count) {
		GR_AUTO_FREE char *text = gr_printf("and %zu more quarantined failures", list.count - shown);

		annotate(out, "notice", "gridlane", text);
	}
	trouble_list_release(&list);
}

static void add_warnings(struct buffer *out, const struct results *results, struct redactor *redactor)
{
	size_t found = 0;

	for (size_t i = 0; i < results->problem_count; i++) {
		GR_AUTO_BUFFER struct buffer text = {0};

		if (!results->problems[i].is_warning || found++ >= ANNOTATIONS_MOST - 1)
			continue;
		words_line(redactor, &text, results->problems[i].message, MESSAGE_BYTES);
		annotate(out, "warning", "gridlane", buffer_text(&text));
	}
	if (found > ANNOTATIONS_MOST - 1) {
		GR_AUTO_FREE char *text = gr_printf("and %zu more warnings", found - (ANNOTATIONS_MOST - 1));

		annotate(out, "warning", "gridlane", text);
	}
}

/* ---- files that the runner reads ---- */

static int append(const char *path, const struct buffer *text, int64_t most_bytes, struct gr_error *err)
{
	GR_AUTO_CLOSE int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	struct stat state;
	int r;

	if (fd < 0 || fstat(fd, &state) < 0)
		return gr_fail(err, GR_DISK, errno, "file '%s'", path);
	if (state.st_size + (int64_t)text->bytes > most_bytes)
		return gr_fail(err, GR_DISK, 0, "file '%s' has no room for %zu more bytes", path, text->bytes);
	r = file_write_all(fd, buffer_text(text), text->bytes);
	return r < 0 ? gr_fail(err, GR_DISK, -r, "file '%s'", path) : 0;
}

static int append_summary(const struct results *results, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer text = {0};

	if (!context->step_summary)
		return 0;
	summary_text(results, context->redactor, &text);
	buffer_add_char(&text, '\n');
	return append(context->step_summary, &text, SUMMARY_MOST_BYTES, err) < 0 ? gr_context(err, "the step's summary")
	                                                                         : 0;
}

static void add_number(struct buffer *out, const char *name, int64_t number)
{
	buffer_printf(out, "%s=%" PRId64 "\n", name, number);
}

/* A delimiter that no text can guess. */
static void add_output(struct buffer *out, struct redactor *redactor, const char *name, const char *value)
{
	uint64_t random;

	number_random(&random, sizeof(random));
	buffer_printf(out, "%s<<gridlane_%016" PRIx64 "\n", name, random);
	words_line(redactor, out, value, MESSAGE_BYTES);
	buffer_printf(out, "\ngridlane_%016" PRIx64 "\n", random);
}

static int append_outputs(const struct results *results, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	struct totals totals = results_totals(results);

	if (!context->step_outputs)
		return 0;
	buffer_printf(&text, "verdict=%s\n", verdict_name(results->verdict));
	add_number(&text, "exit_status", results->exit_status);
	add_number(&text, "tests", totals.tests);
	add_number(&text, "passed", totals.passed);
	add_number(&text, "failed", totals.failed);
	add_number(&text, "errors", totals.errors);
	add_number(&text, "skipped", totals.skipped);
	add_number(&text, "flaky", totals.flaky);
	add_number(&text, "quarantined", totals.quarantined);
	add_output(&text, context->redactor, "run_id", results->run_id);
	add_output(&text, context->redactor, "cause", results->cause);
	add_output(&text, context->redactor, "folder", context->folder);
	return append(context->step_outputs, &text, INT64_MAX / 2, err) < 0 ? gr_context(err, "the step's outputs") : 0;
}

int github_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	int r;

	add_errors(&text, results, context->redactor);
	add_warnings(&text, results, context->redactor);
	add_quarantined(&text, results, context->redactor);
	r = report_put(context, target, &text, err);
	if (r == 0)
		r = append_summary(results, context, err);
	return r == 0 ? append_outputs(results, context, err) : r;
}
