/* results.json: the model itself, redacted. */
#include "reporters/formats.h"
#include "reporters/words.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"

static int write_piece(const char *data, size_t bytes, void *writer)
{
	file_write(writer, data, bytes); /* keeps its first error for the commit */
	return 0;
}

int json_report_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_JSON json_t *json = results_to_json(results);
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	int r = file_create(context->directory, target, 0644, &writer, err);

	if (r < 0)
		return r;
	words_redact_json(context->redactor, json);
	if (json_dump_callback(json, write_piece, writer, JSON_INDENT(1)) < 0)
		return gr_fail(err, GR_INTERNAL, 0, "the results cannot be written as JSON");
	file_write_text(writer, "\n");
	return file_commit(&writer, err);
}
