/* results.json: the model itself, redacted. */
#include "reporters/formats.h"
#include "reporters/words.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/results/print.h"

/* Outputs of steps, the environment: whatever is in them. */
static char *print_json(struct redactor *redactor, const json_t *value)
{
	GR_AUTO_JSON json_t *copy = json_deep_copy(value);

	words_redact_json(redactor, copy);
	return json_dumps(copy, JSON_COMPACT | JSON_REAL_PRECISION(15)); /* 0.411, not 0.41099999999999998 */
}

static void let_go(void *user, const char *data, size_t bytes)
{
	file_write(user, data, bytes); /* keeps its first error for the commit */
}

int json_report_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	struct printer printer = {
	        .redactor = context->redactor, .json = print_json, .let_go = let_go, .has_lines = true};
	int r = file_create(context->directory, target, 0644, &writer, err);

	if (r < 0)
		return r;
	printer.user = writer;
	results_print(&printer, results);
	if (!printer_end(&printer))
		return gr_fail(err, GR_INTERNAL, 0, "the results cannot be written as JSON");
	file_write_text(writer, "\n");
	return file_commit(&writer, err);
}
