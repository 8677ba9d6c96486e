/* results.json: the model itself, redacted. */
#include "reporters/formats.h"
#include "reporters/words.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"

/* jansson hands over single quotes and commas: they are gathered, or each would be a system call. */
struct sink {
	struct file_writer *writer;
	struct buffer data;
};

#define SINK_BYTES 65536

static void let_go(struct sink *sink)
{
	file_write(sink->writer, buffer_text(&sink->data), sink->data.bytes); /* keeps its first error for the commit */
	buffer_clear(&sink->data);
}

static int gather(const char *data, size_t bytes, void *user)
{
	struct sink *sink = user;

	buffer_add(&sink->data, data, bytes);
	if (sink->data.bytes >= SINK_BYTES)
		let_go(sink);
	return 0;
}

int json_report_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_JSON json_t *json = results_to_json(results);
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	struct sink sink = {0};
	int r = file_create(context->directory, target, 0644, &writer, err);

	if (r < 0)
		return r;
	words_redact_json(context->redactor, json);
	sink.writer = writer;
	r = json_dump_callback(json, gather, &sink, JSON_INDENT(1));
	buffer_add_char(&sink.data, '\n');
	let_go(&sink);
	buffer_release(&sink.data);
	if (r < 0)
		return gr_fail(err, GR_INTERNAL, 0, "the results cannot be written as JSON");
	return file_commit(&writer, err);
}
