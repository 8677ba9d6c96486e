#include "sandbox/form.h"

#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/digest.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

/* Bytes kept of one value: no documented one is near it. */
#define VALUE_MOST ((size_t)1024 * 1024)
/* Bytes that the parser may hold back: the longest header of a part. */
#define PARSER_BYTES 16384

struct form {
	struct MHD_PostProcessor *parser;
	struct call *call;
	char *name, *file; /* of the part that is open; file NULL: a value */
	struct buffer value;
	struct digest *hash;
	uint64_t file_bytes;
};

static void close_file(struct form *form)
{
	char text[DIGEST_TEXT_BYTES];
	json_t *entry = json_object();

	digest_end(form->hash, text);
	digest_free(form->hash);
	form->hash = NULL;
	member_set_text(entry, "file", form->file);
	(void)json_object_set_new(entry, "bytes", json_integer((json_int_t)form->file_bytes));
	member_set_text(entry, "sha256", text);
	(void)json_object_set_new(form->call->files, form->name, entry);
}

static void part_end(struct form *form)
{
	if (form->name == NULL)
		return;
	if (form->file != NULL) {
		close_file(form);
	} else {
		if (!text_is_utf8(buffer_text(&form->value), form->value.bytes))
			call_violation(form->call, "'%s' is not UTF-8", form->name);
		if (json_object_get(form->call->parameters, form->name) != NULL)
			call_violation(form->call, "'%s' is given twice", form->name);
		member_set_text(form->call->parameters, form->name, buffer_text(&form->value));
	}
	gr_free(gr_take(&form->name));
	gr_free(gr_take(&form->file));
	buffer_clear(&form->value);
}

static void form_open(struct form *form, const char *name, const char *file)
{
	part_end(form);
	form->name = gr_strdup(name);
	form->file = gr_strdup(file);
	form->file_bytes = 0;
	if (file == NULL)
		return;
	form->hash = digest_new();
}

/* libmicrohttpd hands over a part in pieces; off 0 begins one. */
static enum MHD_Result on_piece(void *state, enum MHD_ValueKind kind, const char *key, const char *file,
        const char *content_type, const char *encoding, const char *data, uint64_t off, size_t size)
{
	struct form *form = state;

	(void)kind;
	(void)encoding;
	if (off == 0) {
		form_open(form, key, file);
		if (file != NULL && content_type == NULL && state_word_is(form->call->state, "file_type", "needed"))
			call_violation(form->call, "the file '%s' has no Content-Type", form->name);
	}
	if (form->file != NULL) {
		form->file_bytes += size;
		digest_add(form->hash, data, size);
	} else if (form->value.bytes + size <= VALUE_MOST) {
		buffer_add(&form->value, data, size);
	} else {
		call_violation(form->call, "'%s' is too long", form->name);
	}
	return MHD_YES;
}

struct form *form_new(struct MHD_Connection *connection, struct call *call)
{
	struct form *form = gr_alloc(1, sizeof(*form));

	form->call = call;
	form->parser = MHD_create_post_processor(connection, PARSER_BYTES, on_piece, form);
	if (form->parser == NULL) {
		gr_free(form);
		return NULL;
	}
	return form;
}

/* The last value of an urlencoded body comes only when its parser goes. */
void form_end(struct form *form)
{
	struct MHD_PostProcessor *parser = gr_take(&form->parser);

	if (parser != NULL && MHD_destroy_post_processor(parser) == MHD_NO)
		call_violation(form->call, "the form ends too early");
	part_end(form);
}

void form_free(struct form *form)
{
	if (form == NULL)
		return;
	if (form->parser != NULL)
		(void)MHD_destroy_post_processor(form->parser);
	digest_free(form->hash);
	gr_free(form->name);
	gr_free(form->file);
	buffer_release(&form->value);
	gr_free(form);
}

void form_feed(struct form *form, const char *data, size_t bytes)
{
	if (MHD_post_process(form->parser, data, bytes) == MHD_NO)
		call_violation(form->call, "the form cannot be read");
}
