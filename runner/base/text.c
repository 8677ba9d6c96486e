#include "runner/base/text.h"

#include <stdint.h>
#include <string.h>

#include "runner/base/memory.h"

#define REPLACEMENT 0xFFFDu
#define SLUG_BYTES 80

static bool is_letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

static int fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

/* ---- UTF-8 ---- */

struct character {
	uint32_t code; /* U+FFFD when the bytes are no character */
	size_t bytes; /* at least 1; of a broken one, as many as could have begun one */
	bool valid;
};

/* The bytes that may follow a first byte are narrower for a few of them: no overlong forms, surrogates, or codes past
 * U+10FFFF. */
static bool is_second_byte(unsigned char first, unsigned char second)
{
	unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
	unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;

	return second >= low && second <= high;
}

static struct character read_character(const char *text, size_t bytes)
{
	const unsigned char *at = (const unsigned char *)text;
	unsigned char first = at[0];
	size_t length = first < 0x80   ? 1
	                : first < 0xC2 ? 0
	                : first < 0xE0 ? 2
	                : first < 0xF0 ? 3
	                : first < 0xF5 ? 4
	                               : 0;
	uint32_t code = length <= 1 ? first : first & (0xFFu >> (length + 1));

	if (length == 0)
		return (struct character){REPLACEMENT, 1, false};
	for (size_t i = 1; i < length; i++) {
		if (i >= bytes || (at[i] & 0xC0) != 0x80 || (i == 1 && !is_second_byte(first, at[1])))
			return (struct character){REPLACEMENT, i, false};
		code = code << 6 | (at[i] & 0x3Fu);
	}
	return (struct character){code, length, true};
}

bool text_is_utf8(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes;) {
		struct character c = read_character(text + i, bytes - i);

		if (!c.valid)
			return false;
		i += c.bytes;
	}
	return true;
}

/* ---- comparing ---- */

bool text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_equal_nocase(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	for (; *a && fold(*a) == fold(*b); a++, b++)
		;
	return fold(*a) == fold(*b);
}

bool text_has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_has_suffix_nocase(const char *text, const char *suffix)
{
	size_t bytes = strlen(text), wanted = strlen(suffix);

	return wanted <= bytes && text_equal_nocase(text + bytes - wanted, suffix);
}

static bool has_prefix_nocase(const char *text, const char *prefix)
{
	for (; *prefix; text++, prefix++)
		if (fold(*text) != fold(*prefix))
			return false;
	return true;
}

bool text_contains_nocase(const char *text, const char *word)
{
	for (;; text++) {
		if (has_prefix_nocase(text, word))
			return true;
		if (!*text)
			return false;
	}
}

/* ---- patterns ---- */

/* One unit of a pattern or a text: a character, or a byte that is none (given a code of its own). */
static const char *next_unit(const char *at, const char *end, uint32_t *ret_code)
{
	struct character c = read_character(at, (size_t)(end - at));

	*ret_code = c.valid ? c.code : 0x110000u + (unsigned char)*at;
	return at + (c.valid ? c.bytes : 1);
}

/* The set that starts after '['. Returns the place after its ']', or NULL when it has none (a '[' alone is itself). */
static const char *match_set(const char *at, const char *end, uint32_t code, bool *ret_matches)
{
	bool negated = at < end && *at == '!', first = true, found = false;

	for (at += negated; at < end && (first || *at != ']'); first = false) {
		uint32_t low, high;

		at = next_unit(at, end, &low);
		high = low;
		if (end - at > 1 && at[0] == '-' && at[1] != ']')
			at = next_unit(at + 1, end, &high);
		found = found || (code >= low && code <= high);
	}
	if (at >= end)
		return NULL;
	*ret_matches = found != negated;
	return at + 1;
}

/* Does the pattern's next element (not '*') match this code? Returns the place after it, or NULL. */
static const char *match_one(const char *pattern, const char *end, uint32_t code)
{
	const char *after;
	bool matches;
	uint32_t own;

	if (*pattern == '?')
		return pattern + 1;
	if (*pattern == '[') {
		after = match_set(pattern + 1, end, code, &matches);
		if (after)
			return matches ? after : NULL;
	}
	after = next_unit(pattern, end, &own);
	return own == code ? after : NULL;
}

bool text_match_glob(const char *pattern, const char *text)
{
	const char *pattern_end = pattern + strlen(pattern), *end = text + strlen(text);
	const char *star = NULL, *retry = NULL; /* only the last '*' ever needs to take more */

	while (text < end) {
		const char *after = NULL, *next;
		uint32_t code;

		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
			continue;
		}
		next = next_unit(text, end, &code);
		if (pattern < pattern_end)
			after = match_one(pattern, pattern_end, code);
		if (after) {
			pattern = after;
			text = next;
		} else if (star) {
			pattern = star;
			text = retry = next_unit(retry, end, &code);
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return pattern == pattern_end;
}

/* ---- harmless text ---- */

/* Bytes of an escape sequence that is `first` bytes, any of 0x20 to `last_middle`, and one of `low` to 0x7E. */
static size_t sequence_bytes(const char *text, size_t bytes, size_t first, char last_middle, char low)
{
	size_t at = first;

	while (at < bytes && text[at] >= 0x20 && text[at] <= last_middle)
		at++;
	return at + (at < bytes && text[at] >= low && text[at] <= 0x7E);
}

/* A control string (a title, a link) ends with BEL or ESC \. One that does not end on its line takes only its two first
 * bytes with it: its end may never come, and the rest must stay readable. */
static size_t control_string_bytes(const char *text, size_t bytes)
{
	size_t i = 2;

	while (i < bytes && !memchr("\a\033\n\r", text[i], 4))
		i++;
	if (i < bytes && text[i] == '\a')
		return i + 1;
	return i + 1 < bytes && text[i] == '\033' && text[i + 1] == '\\' ? i + 2 : 2;
}

/* Bytes of the escape sequence at text[0] == ESC; 1 when ESC begins none. */
static size_t escape_bytes(const char *text, size_t bytes)
{
	if (bytes < 2)
		return 1;
	if (memchr("]PX^_", text[1], 5))
		return control_string_bytes(text, bytes);
	if (text[1] == '[')
		return sequence_bytes(text, bytes, 2, 0x3F, 0x40);
	return sequence_bytes(text, bytes, 1, 0x2F, 0x30);
}

static bool is_bidi_control(uint32_t code)
{
	return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code <= 0x9F);
}

/* What a console line shows of one character: NULL for "as it is". */
static const char *line_form(uint32_t code)
{
	switch (code) {
	case '\t':
		return NULL;
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\v':
		return "\\v";
	case '\f':
		return "\\f";
	case 0x85:
		return "\\u0085";
	case 0x2028:
		return "\\u2028";
	case 0x2029:
		return "\\u2029";
	case 0xFEFF:
		return "";
	default:
		return is_control(code) || is_bidi_control(code) ? "" : NULL;
	}
}

static const char *block_form(uint32_t code, char form[static 8])
{
	static const char digits[] = "0123456789ABCDEF";

	if (code == '\t' || code == '\n')
		return NULL;
	if (code == '\r')
		return "\n";
	if (code == 0xFEFF)
		return "";
	if (code == 0xFFFE || code == 0xFFFF)
		return "\xEF\xBF\xBD";
	if (is_control(code))
		memcpy(form, (char[]){'\\', 'x', digits[code >> 4 & 15], digits[code & 15], '\0'}, 5);
	else if (is_bidi_control(code))
		memcpy(form, (char[]){'\\', 'u', '2', '0', digits[code >> 4 & 15], digits[code & 15], '\0'}, 7);
	else
		return NULL;
	return form;
}

static void add_cut(struct buffer *out, size_t bytes)
{
	buffer_printf(out, "\xE2\x80\xA6 [%zu bytes cut]", bytes);
}

static void insert_blank(struct buffer *out, size_t at)
{
	buffer_add_char(out, ' ');
	memmove(out->data + at + 1, out->data + at, out->bytes - 1 - at);
	out->data[at] = ' ';
}

/* After a '[' was added: was that the end of "##word["? */
static void break_logging_command(struct buffer *out, size_t start)
{
	size_t at = out->bytes - 1;

	while (at > start && (is_letter((unsigned char)out->data[at - 1]) ||
	                             is_digit((unsigned char)out->data[at - 1]) || strchr("_.-", out->data[at - 1])))
		at--;
	if (at - start >= 2 && out->data[at - 1] == '#' && out->data[at - 2] == '#')
		insert_blank(out, at - 1);
}

/* Blanks that readers of logs strip before they look for a command, the wide ones included. */
static bool is_wide_blank(uint32_t code)
{
	return code == ' ' || code == '\t' || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200B) ||
	       code == 0x202F || code == 0x205F || code == 0x3000;
}

/* How far the line has come towards "::". */
enum opening { ONLY_BLANKS, ONE_COLON, PAST };

static enum opening follow_opening(enum opening opening, uint32_t code, struct buffer *out)
{
	if (opening == ONLY_BLANKS)
		return code == ':' ? ONE_COLON : is_wide_blank(code) ? ONLY_BLANKS : PAST;
	if (opening == ONE_COLON && code == ':')
		insert_blank(out, out->bytes - 1);
	return PAST;
}

void text_neutralise(struct buffer *out, const char *text, size_t bytes, size_t most_bytes)
{
	size_t start = out->bytes, i = 0;
	enum opening opening = ONLY_BLANKS;

	while (i < bytes) {
		struct character c = read_character(text + i, bytes - i);
		const char *form = line_form(c.code);
		size_t length = form ? strlen(form) : c.valid ? c.bytes : 3;

		if (c.code == '\033') {
			i += escape_bytes(text + i, bytes - i);
			continue;
		}
		if (out->bytes - start + length > most_bytes) {
			add_cut(out, bytes - i);
			return;
		}
		buffer_add(out, form ? form : c.valid ? text + i : "\xEF\xBF\xBD", length);
		if (length > 0)
			opening = follow_opening(opening, form ? '\\' : c.code, out);
		if (c.code == '[')
			break_logging_command(out, start);
		i += c.bytes;
	}
}

size_t text_whole_words(const char *text, size_t bytes, size_t most)
{
	if (bytes <= most)
		return bytes;
	while (most > 0 && !strchr(" \t\r\n", text[most]))
		most--;
	return most;
}

void text_excerpt(struct buffer *out, const char *text, size_t bytes, size_t most)
{
	GR_AUTO_BUFFER struct buffer harmless = {0};
	size_t whole = text_whole_words(text, bytes, most), kept;

	text_neutralise(&harmless, text, whole, SIZE_MAX); /* it may grow */
	kept = text_whole_words(buffer_text(&harmless), harmless.bytes, most);
	buffer_add(out, buffer_text(&harmless), kept);
	if (whole < bytes || kept < harmless.bytes)
		buffer_add_text(out, "\xE2\x80\xA6");
}

void text_clean(struct buffer *out, const char *text, size_t bytes, size_t most_bytes)
{
	size_t start = out->bytes, i = 0;

	while (i < bytes) {
		struct character c = read_character(text + i, bytes - i);
		char small[8];
		const char *form = c.valid ? block_form(c.code, small) : "\xEF\xBF\xBD";
		size_t length = form ? strlen(form) : c.bytes;

		if (c.code == '\033' && escape_bytes(text + i, bytes - i) > 1) {
			i += escape_bytes(text + i, bytes - i);
			continue;
		}
		if (out->bytes - start + length > most_bytes) {
			add_cut(out, bytes - i);
			return;
		}
		buffer_add(out, form ? form : text + i, length);
		i += c.bytes;
		if (c.code == '\r' && i < bytes && text[i] == '\n')
			i++;
	}
}

void text_escape_json(struct buffer *out, const char *json)
{
	const char *end = json + strlen(json);
	uint32_t before = 0;

	while (json < end) {
		struct character c = read_character(json, (size_t)(end - json));
		bool is_odd = (c.code > '~' && line_form(c.code)) || (c.code == '#' && before == '#');

		if (c.valid && is_odd)
			buffer_printf(out, "\\u%04X", (unsigned)c.code);
		else
			buffer_add(out, json, c.bytes);
		before = c.code;
		json += c.bytes;
	}
}

bool text_is_plain(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < ' ' || c > '~' || (c == '#' && i > 0 && text[i - 1] == '#'))
			return false;
	}
	return bytes == 0 || (text[0] != ' ' && text[0] != ':');
}

void text_slug(struct buffer *out, const char *text)
{
	size_t start = out->bytes;
	bool in_run = false;

	for (; *text && out->bytes - start < SLUG_BYTES; text++) {
		bool kept = is_letter((unsigned char)*text) || is_digit((unsigned char)*text) || strchr("._-", *text);

		if (!kept && in_run)
			continue;
		in_run = !kept;
		if (out->bytes == start && (!kept || *text == '.' || *text == '-'))
			continue;
		buffer_add_char(out, kept ? *text : '-');
	}
	if (out->bytes == start)
		buffer_add_char(out, 'x');
}
