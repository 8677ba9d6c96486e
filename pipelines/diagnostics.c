/* Findings for people (source line and caret), for machines (JSON) and for GitHub's annotations. */
#include <string.h>

#include "pipelines/findings.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

/* Characters of a source line that are shown; longer lines are shown around the place. */
#define SHOWN_COLUMNS 160
/* Bytes of one message; the text may quote the file, which anyone may have written. */
#define MESSAGE_BYTES 2048

void diagnostics_release(struct diagnostics *diagnostics)
{
	if (diagnostics == NULL)
		return;
	for (size_t i = 0; i < diagnostics->count; i++) {
		gr_free(diagnostics->items[i].message);
		gr_free(diagnostics->items[i].hint);
	}
	gr_free(diagnostics->items);
	gr_free(diagnostics->file);
	gr_free(diagnostics->source);
	gr_free(diagnostics->quarantine_file);
	gr_free(diagnostics->quarantine_source);
	*diagnostics = (struct diagnostics){0};
}

static void add_harmless(struct buffer *out, const char *text)
{
	text_excerpt(out, text, strlen(text), MESSAGE_BYTES);
}

/* One source line, from character `first` on, tabs as single blanks so that the caret stands right below. */
static void add_source(struct buffer *out, const char *line, size_t bytes, unsigned first)
{
	size_t from = source_column_offset(line, bytes, first);
	size_t to = from + source_column_offset(line + from, bytes - from, SHOWN_COLUMNS + 1);
	GR_AUTO_FREE char *shown = gr_strndup(line + from, to - from);

	for (char *c = shown; *c != '\0'; c++) {
		if (*c == '\t')
			*c = ' ';
	}
	text_neutralise(out, shown, to - from, 4 * SHOWN_COLUMNS);
}

static void add_caret(struct buffer *out, unsigned blanks, unsigned length)
{
	for (unsigned i = 0; i < blanks; i++)
		buffer_add_char(out, ' ');
	buffer_add_char(out, '^');
	for (unsigned i = 1; i < length && blanks + i < SHOWN_COLUMNS; i++)
		buffer_add_char(out, '~');
}

static void add_excerpt(struct buffer *out, const struct diagnostics *diagnostics, const struct diagnostic *finding)
{
	size_t bytes = 0;
	const char *line = source_line(findings_source(diagnostics, finding), finding->line, &bytes);
	unsigned first = finding->column > SHOWN_COLUMNS / 2 ? finding->column - SHOWN_COLUMNS / 2 : 1;

	if (line == NULL)
		return;
	if (finding->column + finding->length < SHOWN_COLUMNS)
		first = 1;
	buffer_printf(out, "%6u | ", finding->line);
	add_source(out, line, bytes, first);
	buffer_add_text(out, "\n       | ");
	add_caret(out, finding->column >= first ? finding->column - first : 0, finding->length);
	buffer_add_char(out, '\n');
}

static void add_place(struct buffer *out, const struct diagnostics *diagnostics, const struct diagnostic *finding)
{
	add_harmless(out, findings_file(diagnostics, finding));
	if (finding->line != 0)
		buffer_printf(out, ":%u:%u", finding->line, finding->column);
}

void diagnostics_print_text(const struct diagnostics *diagnostics, struct buffer *out)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *finding = &diagnostics->items[i];

		add_place(out, diagnostics, finding);
		buffer_add_text(out, finding->is_warning ? ": warning: " : ": error: ");
		add_harmless(out, finding->message);
		buffer_add_char(out, '\n');
		add_excerpt(out, diagnostics, finding);
		if (finding->hint != NULL) {
			buffer_add_text(out, "       = ");
			add_harmless(out, finding->hint);
			buffer_add_char(out, '\n');
		}
	}
}

static json_t *finding_to_json(const struct diagnostics *diagnostics, const struct diagnostic *finding)
{
	json_t *item = json_object();
	GR_AUTO_BUFFER struct buffer message = {0};

	add_harmless(&message, finding->message);
	(void)json_object_set_new(item, "file", json_string(findings_file(diagnostics, finding)));
	if (finding->line != 0) {
		(void)json_object_set_new(item, "line", json_integer(finding->line));
		(void)json_object_set_new(item, "column", json_integer(finding->column));
		(void)json_object_set_new(item, "length", json_integer(finding->length));
	}
	(void)json_object_set_new(item, "severity", json_string(finding->is_warning ? "warning" : "error"));
	(void)json_object_set_new(item, "type", json_string(failure_name(finding->failure)));
	(void)json_object_set_new(item, "message", json_string(buffer_text(&message)));
	if (finding->hint != NULL)
		(void)json_object_set_new(item, "hint", json_string(finding->hint));
	return item;
}

void diagnostics_add_json(const struct diagnostics *diagnostics, json_t *list)
{
	for (size_t i = 0; i < diagnostics->count; i++)
		(void)json_array_append_new(list, finding_to_json(diagnostics, &diagnostics->items[i]));
}

void diagnostics_print_json(const struct diagnostics *diagnostics, struct buffer *out)
{
	GR_AUTO_JSON json_t *list = json_array();
	char *text;

	diagnostics_add_json(diagnostics, list);
	text = json_dumps(list, JSON_INDENT(2));
	buffer_add_text(out, text != NULL ? text : "[]");
	buffer_add_char(out, '\n');
	gr_free(text);
}

/* GitHub's escapes: the percent sign first, and in properties also what ends one. */
static void add_github(struct buffer *out, const char *text, bool is_property)
{
	for (; *text != '\0'; text++) {
		bool is_special =
		        *text == '%' || *text == '\r' || *text == '\n' || (is_property && strchr(":,", *text) != NULL);

		if (is_special)
			buffer_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
		else
			buffer_add_char(out, *text);
	}
}

void diagnostics_print_github(const struct diagnostics *diagnostics, struct buffer *out)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *finding = &diagnostics->items[i];
		GR_AUTO_BUFFER struct buffer message = {0};

		add_harmless(&message, finding->message);
		if (finding->hint != NULL) {
			buffer_add_text(&message, "; ");
			add_harmless(&message, finding->hint);
		}
		buffer_add_text(out, finding->is_warning ? "::warning file=" : "::error file=");
		add_github(out, findings_file(diagnostics, finding), true);
		if (finding->line != 0)
			buffer_printf(out, ",line=%u,col=%u,endColumn=%u", finding->line, finding->column,
			        finding->column + finding->length);
		buffer_add_text(out, ",title=gridlane::");
		add_github(out, buffer_text(&message), false);
		buffer_add_char(out, '\n');
	}
}
