#include "runner/api/answer_read.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "runner/base/buffer.h"

enum {
	DEPTH_MOST = 64,
	KEY_BYTES = 128,
	DIGITS_MOST = 18, /* always fit into 64 bits */
	SHARED = 512, /* a power of two */
	SHARED_MOST_BYTES = 24
};

struct reader {
	const char *at, *end;
	json_t *stack[DEPTH_MOST];
	size_t depth;
	bool needs_value; /* a comma was read; else an end may come */
	bool has_value; /* a comma or an end must come */
	struct buffer text; /* of a string with escapes */
	json_t *shared[SHARED];
};

static char peek(struct reader *reader)
{
	while (reader->at < reader->end &&
	        (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r'))
		reader->at++;
	return reader->at < reader->end ? *reader->at : '\0';
}

/* ---- texts ---- */

struct text {
	const char *start;
	size_t bytes;
	bool is_ascii;
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits after \u, as UTF-8. Not for halves of pairs, nor for NUL. */
static bool add_code(struct reader *reader)
{
	unsigned code = 0;

	if (reader->end - reader->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		int digit = hex_value(*reader->at++);

		if (digit < 0)
			return false;
		code = code * 16 + (unsigned)digit;
	}
	if (code == 0 || (code >= 0xD800 && code <= 0xDFFF))
		return false;
	if (code < 0x80) {
		buffer_add_char(&reader->text, (char)code);
		return true;
	}
	if (code < 0x800) {
		buffer_add_char(&reader->text, (char)(0xC0 | code >> 6));
	} else {
		buffer_add_char(&reader->text, (char)(0xE0 | code >> 12));
		buffer_add_char(&reader->text, (char)(0x80 | (code >> 6 & 0x3F)));
	}
	buffer_add_char(&reader->text, (char)(0x80 | (code & 0x3F)));
	return true;
}

/* What follows a backslash. */
static bool add_escape(struct reader *reader)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = reader->at < reader->end ? *reader->at++ : '\0';
	const char *known = c ? strchr(from, c) : NULL;

	if (c == 'u')
		return add_code(reader);
	if (!known)
		return false;
	buffer_add_char(&reader->text, to[known - from]);
	return true;
}

/* The bytes up to the next quote or backslash. */
static bool skip_plain(struct reader *reader, bool *ret_is_ascii)
{
	for (; reader->at < reader->end; reader->at++) {
		unsigned char c = (unsigned char)*reader->at;

		if (c == '"' || c == '\\')
			return true;
		if (c < ' ')
			return false;
		if (c >= 0x80)
			*ret_is_ascii = false;
	}
	return false;
}

/* reader->at is behind the first quote, and then behind the last one. */
static bool read_text(struct reader *reader, struct text *ret_text)
{
	const char *start = reader->at;

	*ret_text = (struct text){.start = start, .is_ascii = true};
	if (!skip_plain(reader, &ret_text->is_ascii))
		return false;
	if (*reader->at == '"') {
		ret_text->bytes = (size_t)(reader->at++ - start);
		return true;
	}
	buffer_clear(&reader->text);
	while (*reader->at == '\\') {
		buffer_add(&reader->text, start, (size_t)(reader->at++ - start));
		if (!add_escape(reader))
			return false;
		start = reader->at;
		if (!skip_plain(reader, &ret_text->is_ascii))
			return false;
	}
	buffer_add(&reader->text, start, (size_t)(reader->at++ - start));
	*ret_text = (struct text){.start = buffer_text(&reader->text), .bytes = reader->text.bytes};
	return true; /* an escape may have made what is not ASCII: it is looked at */
}

static json_t *shared_text(struct reader *reader, const struct text *text)
{
	uint32_t hash = (uint32_t)text->bytes;
	json_t **place;

	for (size_t i = 0; i < text->bytes; i++)
		hash = (hash ^ (unsigned char)text->start[i]) * 0x01000193U;
	place = &reader->shared[(hash ^ hash >> 15) & (SHARED - 1)];
	if (*place && json_string_length(*place) == text->bytes &&
	        memcmp(json_string_value(*place), text->start, text->bytes) == 0)
		return json_incref(*place);
	json_decref(*place);
	*place = json_stringn_nocheck(text->start, text->bytes);
	return json_incref(*place);
}

static json_t *text_value(struct reader *reader)
{
	struct text text;

	reader->at++;
	if (!read_text(reader, &text))
		return NULL;
	if (text.is_ascii && text.bytes <= SHARED_MOST_BYTES)
		return shared_text(reader, &text);
	return text.is_ascii ? json_stringn_nocheck(text.start, text.bytes) : json_stringn(text.start, text.bytes);
}

/* ---- other values ---- */

/* Without a point, an exponent, and zeros in front. */
static json_t *number_value(struct reader *reader)
{
	bool is_negative = *reader->at == '-';
	const char *start = reader->at + is_negative, *at = start;
	json_int_t value = 0;

	for (; at < reader->end && *at >= '0' && *at <= '9' && at - start < DIGITS_MOST; at++)
		value = value * 10 + (*at - '0');
	if (at == start || (*start == '0' && (at - start > 1 || is_negative)))
		return NULL;
	reader->at = at; /* a point, an e or a further digit is no comma, and ends it */
	return json_integer(is_negative ? -value : value);
}

static bool take_word(struct reader *reader, const char *word)
{
	size_t bytes = strlen(word);

	if ((size_t)(reader->end - reader->at) < bytes || memcmp(reader->at, word, bytes) != 0)
		return false;
	reader->at += bytes;
	return true;
}

static json_t *word_value(struct reader *reader)
{
	if (take_word(reader, "true"))
		return json_true();
	if (take_word(reader, "false"))
		return json_false();
	return take_word(reader, "null") ? json_null() : NULL;
}

static json_t *read_value(struct reader *reader)
{
	char c = peek(reader);

	if (c == '"')
		return text_value(reader);
	if (c == '-' || (c >= '0' && c <= '9'))
		return number_value(reader);
	if (c != '{' && c != '[')
		return word_value(reader);
	if (reader->depth == DEPTH_MOST)
		return NULL;
	reader->at++;
	return c == '{' ? json_object() : json_array();
}

/* ---- containers ---- */

static void push(struct reader *reader, json_t *container)
{
	reader->stack[reader->depth++] = container;
	reader->needs_value = reader->has_value = false;
}

static void pop(struct reader *reader)
{
	reader->at++;
	reader->depth--;
	reader->has_value = true;
	reader->needs_value = false;
}

static bool read_key(struct reader *reader, char key[static KEY_BYTES])
{
	struct text text;

	if (peek(reader) != '"')
		return false;
	reader->at++;
	if (!read_text(reader, &text) || !text.is_ascii || text.bytes >= KEY_BYTES)
		return false;
	memcpy(key, text.start, text.bytes);
	key[text.bytes] = '\0';
	if (peek(reader) != ':')
		return false;
	reader->at++;
	return true;
}

static bool read_member(struct reader *reader, json_t *object)
{
	size_t count = json_object_size(object);
	char key[KEY_BYTES];
	json_t *value;

	if (!read_key(reader, key))
		return false;
	value = read_value(reader);
	if (!value || json_object_set_new_nocheck(object, key, value) < 0 || json_object_size(object) == count)
		return false; /* nothing there, or a key twice */
	reader->has_value = true;
	if (json_is_object(value) || json_is_array(value))
		push(reader, value);
	return true;
}

static bool read_item(struct reader *reader, json_t *array)
{
	json_t *value = read_value(reader);

	if (!value || json_array_append_new(array, value) < 0)
		return false;
	reader->has_value = true;
	if (json_is_object(value) || json_is_array(value))
		push(reader, value);
	return true;
}

/* One step: a comma, an end, or a value. */
static bool read_step(struct reader *reader)
{
	json_t *top = reader->stack[reader->depth - 1];
	char c = peek(reader), end = json_is_object(top) ? '}' : ']';

	if (c == end && !reader->needs_value) {
		pop(reader);
		return true;
	}
	if (reader->has_value) {
		reader->at += c == ',';
		reader->has_value = false;
		reader->needs_value = true;
		return c == ',';
	}
	reader->needs_value = false;
	return json_is_object(top) ? read_member(reader, top) : read_item(reader, top);
}

json_t *answer_read(const char *body, size_t bytes)
{
	struct reader reader = {.at = body, .end = body + bytes};
	char c = peek(&reader);
	json_t *root = c == '{' || c == '[' ? read_value(&reader) : NULL;
	bool is_good = root != NULL;

	if (root)
		push(&reader, root);
	while (is_good && reader.depth > 0)
		is_good = read_step(&reader);
	is_good = is_good && peek(&reader) == '\0' && reader.at == reader.end;
	for (size_t i = 0; i < SHARED; i++)
		json_decref(reader.shared[i]);
	buffer_release(&reader.text);
	if (is_good)
		return root;
	json_decref(root);
	return NULL;
}
