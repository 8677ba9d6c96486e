/* Compiling expressions and templates, and questions about them that need no values. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "pipelines/functions.h"
#include "pipelines/term.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"

/* Bytes of all values together that expression_explain shows, and of one of them. */
#define EXPLAIN_VALUE_BYTES 200

/* Expressions inside one text. */
#define HOLES_MOST 256

static int expression_finish(const struct text_place *place, struct term *root, struct expression **ret_expression)
{
	struct expression *expression = gr_alloc(1, sizeof(*expression));

	*expression = (struct expression){
	        .text = gr_strdup(place->text),
	        .line = place->line,
	        .column = place->column,
	        .root = root,
	};
	*ret_expression = expression;
	return 0;
}

static size_t skip_blanks(const char *text, size_t at)
{
	return at + strspn(text + at, " \t\r\n");
}

/* Where the hole that begins at `from` ("${{") ends: the offset of its "}}"; 0: nowhere. Quoted text is stepped over.
 */
static size_t hole_end(const char *text, size_t from)
{
	char quote = '\0';

	for (size_t i = from + 3; text[i] != '\0'; i++) {
		if (quote != '\0') {
			if (text[i] == quote)
				quote = '\0';
		} else if (text[i] == '\'' || text[i] == '"') {
			quote = text[i];
		} else if (text[i] == '}' && text[i + 1] == '}') {
			return i;
		}
	}
	return 0;
}

static int fail_place(const struct text_place *place, size_t offset, struct gr_error *err, const char *words)
{
	int result = gr_fail(err, GR_CONFIG, 0, "%s", words);

	if (err != NULL) {
		err->line = place->line;
		err->column = place_column(place, offset);
	}
	return result;
}

int expression_compile_at(const struct text_place *place, struct expression **ret_expression, struct gr_error *err)
{
	const char *text = place->text;
	size_t from = skip_blanks(text, 0), to = strlen(text), end;
	struct term *root = NULL;
	int result;

	/* `if: ${{ a == b }}` means the same as `if: a == b`. */
	if (strncmp(text + from, "${{", 3) == 0) {
		end = hole_end(text, from);
		if (end == 0)
			return fail_place(place, from, err, "'${{' has no closing '}}'");
		if (text[skip_blanks(text, end + 2)] != '\0')
			return fail_place(
			        place, end + 2, err, "this is one expression already; write it without '${{ }}'");
		from += 3;
		to = end;
	}
	result = term_parse(place, from, to, &root, err);
	return result != 0 ? result : expression_finish(place, root, ret_expression);
}

int expression_compile(
        const char *text, unsigned line, unsigned column, struct expression **ret_expression, struct gr_error *err)
{
	struct text_place place = {.text = text, .line = line, .column = column, .is_exact = true};

	return expression_compile_at(&place, ret_expression, err);
}

struct parts {
	struct term **items;
	size_t count;
};

static void parts_release(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		term_free(parts->items[i]);
	gr_free(parts->items);
}

static void parts_add(struct parts *parts, struct term *term)
{
	parts->items = gr_grow(parts->items, parts->count, sizeof(struct term *));
	parts->items[parts->count++] = term;
}

static void parts_add_text(struct parts *parts, const struct text_place *place, size_t from, size_t to)
{
	struct term *term = NULL;

	if (from == to)
		return;
	(void)term_new(TERM_VALUE, NULL, 0, &term, NULL);
	term->value = json_stringn(place->text + from, to - from);
	term->line = place->line;
	term->column = place_column(place, from);
	parts_add(parts, term);
}

static int parse_holes(const struct text_place *place, struct parts *parts, struct gr_error *err)
{
	size_t at = 0;
	const char *hole;

	while ((hole = strstr(place->text + at, "${{")) != NULL) {
		size_t from = (size_t)(hole - place->text), end = hole_end(place->text, from);
		struct term *term = NULL;
		int result;

		if (end == 0)
			return fail_place(place, from, err, "'${{' has no closing '}}'");
		if (parts->count > HOLES_MOST * 2)
			return fail_place(place, from, err, "one text holds more than 256 expressions");
		parts_add_text(parts, place, at, from);
		result = term_parse(place, from + 3, end, &term, err);
		if (result != 0)
			return result;
		parts_add(parts, term);
		at = end + 2;
	}
	parts_add_text(parts, place, at, strlen(place->text));
	return 0;
}

int template_compile_at(const struct text_place *place, struct expression **ret_template, struct gr_error *err)
{
	struct parts parts = {0};
	struct term *root = NULL;
	int result;

	if (strstr(place->text, "${{") == NULL) {
		*ret_template = NULL;
		return 0;
	}
	result = parse_holes(place, &parts, err);
	assert(result != 0 || parts.count > 0); /* the hole that strstr() found */
	if (result == 0 && parts.count > 1) {
		result = term_new(TERM_JOIN, parts.items, parts.count, &root, err);
		parts.count = 0;
	} else if (result == 0) {
		root = parts.items[0];
		parts.count = 0;
	}
	parts_release(&parts);
	return result != 0 ? result : expression_finish(place, root, ret_template);
}

int template_compile(
        const char *text, unsigned line, unsigned column, struct expression **ret_template, struct gr_error *err)
{
	struct text_place place = {.text = text, .line = line, .column = column, .is_exact = true};

	return template_compile_at(&place, ret_template, err);
}

void expression_free(struct expression *expression)
{
	if (expression == NULL)
		return;
	term_free(expression->root);
	gr_free(expression->text);
	gr_free(expression);
}

static bool is_listed(const char *name, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

static bool term_is_static(const struct term *term, const char *const *names)
{
	if (term->kind == TERM_NAME && !is_listed(term->name, names))
		return false;
	if (term->kind == TERM_CALL && term->function->looks_outside)
		return false;
	for (size_t i = 0; i < term->count; i++) {
		if (!term_is_static(term->items[i], names))
			return false;
	}
	return true;
}

bool expression_is_static(const struct expression *expression, const char *const *names)
{
	return term_is_static(expression->root, names);
}

/* "a.b[0].c" for a chain of members with fixed indexes; false for anything else. */
static bool term_path(const struct term *term, struct buffer *out)
{
	if (term->kind == TERM_NAME) {
		buffer_add_text(out, term->name);
		return true;
	}
	if (term->kind != TERM_MEMBER && term->kind != TERM_INDEX)
		return false;
	if (!term_path(term->items[0], out))
		return false;
	if (term->kind == TERM_MEMBER) {
		buffer_printf(out, ".%s", term->name);
	} else if (term->items[1]->kind == TERM_VALUE) {
		char *index = json_dumps(term->items[1]->value, JSON_ENCODE_ANY);

		buffer_printf(out, "[%s]", index != NULL ? index : "?");
		gr_free(index);
	} else {
		return false;
	}
	return true;
}

static void explain_path(const struct term *term, const char *path, const json_t *scope, struct buffer *out)
{
	const struct expression one = {.root = (struct term *)(uintptr_t)term};
	GR_AUTO_JSON json_t *value = NULL;
	GR_AUTO_FREE char *start = gr_printf("%s = ", path);
	char *shown = NULL;

	if (strstr(buffer_text(out), start) != NULL)
		return; /* said already */
	if (expression_evaluate(&one, scope, &value, NULL) == 0)
		shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
	if (out->bytes > 0)
		buffer_add_text(out, ", ");
	buffer_add_text(out, start);
	if (shown == NULL)
		buffer_add_text(out, "?");
	else if (strlen(shown) > EXPLAIN_VALUE_BYTES)
		buffer_add_text(out, "...");
	else
		buffer_add_text(out, shown);
	gr_free(shown);
}

static void term_explain(const struct term *term, const json_t *scope, struct buffer *out)
{
	GR_AUTO_BUFFER struct buffer path = {0};

	if (term_path(term, &path)) {
		explain_path(term, buffer_text(&path), scope, out);
		return;
	}
	for (size_t i = 0; i < term->count; i++)
		term_explain(term->items[i], scope, out);
}

char *expression_explain(const struct expression *expression, const json_t *scope)
{
	struct buffer out = {0};

	term_explain(expression->root, scope, &out);
	return buffer_take(&out);
}
