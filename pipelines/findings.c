#include "pipelines/findings.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"

/* Findings kept of one file: a broken file of 1 MiB must not fill a CI log. The last one says that there are more. */
#define FINDINGS_MOST 500

const char *findings_file(const struct diagnostics *diagnostics, const struct diagnostic *finding)
{
	const char *file = finding->is_in_quarantine ? diagnostics->quarantine_file : diagnostics->file;

	return file != NULL ? file : "pipeline";
}

const char *findings_source(const struct diagnostics *diagnostics, const struct diagnostic *finding)
{
	return finding->is_in_quarantine ? diagnostics->quarantine_source : diagnostics->source;
}

const char *source_line(const char *source, unsigned line, size_t *ret_bytes)
{
	const char *at = source;

	if (source == NULL || line == 0)
		return NULL;
	for (unsigned i = 1; i < line; i++) {
		at = strchr(at, '\n');
		if (at == NULL)
			return NULL;
		at++;
	}
	*ret_bytes = strcspn(at, "\r\n");
	return at;
}

size_t source_column_offset(const char *line, size_t bytes, unsigned column)
{
	size_t at = 0;

	for (unsigned i = 1; i < column && at < bytes; i++) {
		at++;
		while (at < bytes && ((unsigned char)line[at] & 0xC0) == 0x80)
			at++;
	}
	return at;
}

static bool is_word_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       c >= 0x80;
}

/* The length in characters of the word at a place: at least 1. */
static unsigned word_length(const char *source, unsigned line, unsigned column)
{
	size_t bytes = 0, at;
	const char *text = source_line(source, line, &bytes);
	unsigned length = 0;

	if (text == NULL)
		return 1;
	for (at = source_column_offset(text, bytes, column); at < bytes && is_word_byte((unsigned char)text[at]); at++)
		length += ((unsigned char)text[at] & 0xC0) != 0x80;
	return length > 0 ? length : 1;
}

static bool is_known(const struct diagnostics *diagnostics, const struct diagnostic *finding)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *other = &diagnostics->items[i];

		if (other->is_in_quarantine == finding->is_in_quarantine && other->line == finding->line &&
		        other->column == finding->column && text_equal(other->message, finding->message))
			return true;
	}
	return false;
}

static void findings_keep(struct diagnostics *diagnostics, struct diagnostic *finding)
{
	finding->is_in_quarantine = diagnostics->is_in_quarantine;
	if (diagnostics->count > FINDINGS_MOST || is_known(diagnostics, finding)) {
		gr_free(finding->message);
		gr_free(finding->hint);
		return;
	}
	if (diagnostics->count == FINDINGS_MOST) {
		gr_free(finding->message);
		gr_free(finding->hint);
		finding->hint = NULL;
		finding->message = gr_printf("more than %d findings; the others are not shown", FINDINGS_MOST);
	}
	diagnostics->items = gr_grow(diagnostics->items, diagnostics->count, sizeof(*diagnostics->items));
	diagnostics->items[diagnostics->count++] = *finding;
	diagnostics->errors += !finding->is_warning;
}

__attribute__((format(printf, 3, 0))) static struct diagnostic finding_make(
        struct place place, const char *hint, const char *format, va_list args)
{
	return (struct diagnostic){
	        .failure = GR_CONFIG,
	        .line = place.line,
	        .column = place.column,
	        .length = place.length,
	        .message = gr_vprintf(format, args),
	        .hint = gr_strdup(hint),
	};
}

void findings_add(struct diagnostics *diagnostics, struct place place, const char *hint, const char *format, ...)
{
	struct diagnostic finding;
	va_list args;

	va_start(args, format);
	finding = finding_make(place, hint, format, args);
	va_end(args);
	findings_keep(diagnostics, &finding);
}

void findings_warn(struct diagnostics *diagnostics, struct place place, const char *hint, const char *format, ...)
{
	struct diagnostic finding;
	va_list args;

	va_start(args, format);
	finding = finding_make(place, hint, format, args);
	va_end(args);
	finding.is_warning = true;
	findings_keep(diagnostics, &finding);
}

void findings_add_error(struct diagnostics *diagnostics, struct place place, const struct gr_error *err)
{
	if (err->line != 0)
		place = (struct place){.line = err->line, .column = err->column};
	findings_add(diagnostics, place, NULL, "%s", err->text);
}

static int compare_findings(const void *a, const void *b)
{
	const struct diagnostic *x = a, *y = b;

	if (x->is_in_quarantine != y->is_in_quarantine)
		return x->is_in_quarantine ? 1 : -1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	if (x->is_warning != y->is_warning)
		return x->is_warning ? 1 : -1;
	return strcmp(x->message, y->message);
}

void findings_sort(struct diagnostics *diagnostics)
{
	if (diagnostics->count > 0)
		qsort(diagnostics->items, diagnostics->count, sizeof(*diagnostics->items), compare_findings);
	for (size_t i = 0; i < diagnostics->count; i++) {
		struct diagnostic *finding = &diagnostics->items[i];

		if (finding->length == 0)
			finding->length =
			        word_length(findings_source(diagnostics, finding), finding->line, finding->column);
	}
}
