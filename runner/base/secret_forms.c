#include "runner/base/secret_forms.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"

/* A longer secret (a key in PEM, say) gets the forms of common encoders only, not their rare mixtures: its forms would
 * fill the memory otherwise. */
#define MIXED_BYTES_MOST 512
/* The longest encoding of one byte ("%25XX", "\\\\u00xx", "&#x26;", "'\''") is shorter. A form's room is reserved at
 * once, so that no copy of a secret is left behind by growing. */
#define GROWTH 16

struct work {
	const char *secret;
	size_t bytes;
	const struct form_sink *sink;
	struct buffer form;
};

static const char *const digits_of[] = {"0123456789abcdef", "0123456789ABCDEF"};

static void start_form(struct work *work)
{
	buffer_clear(&work->form);
}

static void end_form(struct work *work, bool wrapped)
{
	if (work->form.bytes >= FORM_BYTES_LEAST)
		work->sink->add(work->sink->context, work->form.data, work->form.bytes, wrapped);
}

static bool is_alphanumeric(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Is `c` in the set? Not strchr() alone: that finds the NUL too. */
static bool in_set(const char *set, unsigned char c)
{
	return c != '\0' && strchr(set, c);
}

static void add_hex(struct buffer *out, unsigned char byte, const char *digits)
{
	buffer_add_char(out, digits[byte >> 4]);
	buffer_add_char(out, digits[byte & 15]);
}

/* ---- URLs ---- */

struct percent_style {
	const char *kept; /* beside letters and digits, where those are kept */
	bool plus; /* a blank becomes '+' */
	bool all; /* letters and digits are encoded too */
};

static const struct percent_style percent_styles[] = {
        {"-._~", false, false}, /* RFC 3986: all but the unreserved */
        {"-._~/", false, false}, /* Python's quote() */
        {"-_.!~*'()", false, false}, /* encodeURIComponent() */
        {"-_.!~*'();,/?:@&=+$#", false, false}, /* encodeURI() */
        {"-._~!$&'()*+,;=:@", false, false}, /* a part of a path */
        {"-._~!$&'()*+,;=:@/?", false, false}, /* a query */
        {"-._~$&+,;=", false, false}, /* Go's user info */
        {"-._~!$&'()*+,;=:@/?#[]\\^`{|}<>", false, false}, /* blanks, quotes, '%' and what is not ASCII */
        {"-._*", true, false}, /* application/x-www-form-urlencoded */
        {"-._~", true, false}, /* Python's quote_plus() */
        {"-._", true, false}, /* PHP's urlencode() */
        {"", false, false}, /* every sign */
        {"", false, true}, /* every byte */
};

static void add_percent(
        struct buffer *out, const char *text, size_t bytes, const struct percent_style *style, const char *digits)
{
	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == ' ' && style->plus) {
			buffer_add_char(out, '+');
		} else if (!style->all && (is_alphanumeric(c) || in_set(style->kept, c))) {
			buffer_add_char(out, text[i]);
		} else {
			buffer_add_char(out, '%');
			add_hex(out, c, digits);
		}
	}
}

/* A URL inside a URL: what was encoded is encoded once more, in full or its '%' alone. */
static void add_percent_again(struct work *work, const char *once, size_t bytes, const char *digits)
{
	start_form(work);
	add_percent(&work->form, once, bytes, &percent_styles[0], digits);
	end_form(work, false);
	start_form(work);
	for (size_t i = 0; i < bytes; i++) {
		buffer_add_char(&work->form, once[i]);
		if (once[i] == '%')
			buffer_add_text(&work->form, "25");
	}
	end_form(work, false);
}

static void add_percent_forms(struct work *work)
{
	char *once = gr_alloc(work->bytes * 3 + 1, 1);

	for (size_t i = 0; i < GR_COUNT(percent_styles) * 2; i++) {
		const struct percent_style *style = &percent_styles[i / 2];
		size_t bytes;

		if (style->all && work->bytes > MIXED_BYTES_MOST)
			continue;
		start_form(work);
		add_percent(&work->form, work->secret, work->bytes, style, digits_of[i % 2]);
		end_form(work, false);
		bytes = work->form.bytes;
		memcpy(once, work->form.data, bytes);
		if (!style->all)
			add_percent_again(work, once, bytes, digits_of[i % 2]);
	}
	explicit_bzero(once, work->bytes * 3 + 1);
	gr_free(once);
}

/* ---- JSON ---- */

struct json_style {
	const char *as_u; /* signs written as \u00xx */
	bool slash; /* '/' as '\/' */
	bool ascii; /* what is not ASCII as \uXXXX */
	bool every; /* every byte as \u00xx */
	const char *digits;
};

static void add_u(struct buffer *out, uint32_t code, const char *digits)
{
	buffer_add_text(out, "\\u");
	add_hex(out, (unsigned char)(code >> 8 & 0xFF), digits);
	add_hex(out, (unsigned char)(code & 0xFF), digits);
}

/* The character at text, which is not ASCII, as one \uXXXX or two. Returns its bytes; what is no UTF-8 counts as
 * Latin-1. */
static size_t add_wide(struct buffer *out, const char *text, size_t bytes, const char *digits)
{
	unsigned char first = (unsigned char)text[0];
	size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
	uint32_t code = length == 1 ? first : first & (0xFFu >> (length + 1));

	for (size_t i = 1; i < length; i++) {
		if (i >= bytes || ((unsigned char)text[i] & 0xC0) != 0x80) {
			add_u(out, first, digits);
			return 1;
		}
		code = code << 6 | ((unsigned char)text[i] & 0x3Fu);
	}
	if (code >= 0x10000) {
		add_u(out, 0xD800 + ((code - 0x10000) >> 10 & 0x3FF), digits);
		code = 0xDC00 + ((code - 0x10000) & 0x3FF);
	}
	add_u(out, code, digits);
	return length;
}

static void add_json_ascii(struct buffer *out, unsigned char c, const struct json_style *style)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *found = c ? strchr(plain, c) : NULL;

	if (style->every || in_set(style->as_u, c)) {
		add_u(out, c, style->digits);
	} else if (found) {
		buffer_add_char(out, '\\');
		buffer_add_char(out, letters[found - plain]);
	} else if (c < 0x20) {
		add_u(out, c, style->digits);
	} else {
		if (c == '/' && style->slash)
			buffer_add_char(out, '\\');
		buffer_add_char(out, (char)c);
	}
}

static void add_json(struct buffer *out, const char *text, size_t bytes, const struct json_style *style)
{
	for (size_t i = 0; i < bytes;) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x80 && (style->ascii || style->every)) {
			i += add_wide(out, text + i, bytes - i, style->digits);
			continue;
		}
		if (c >= 0x80)
			buffer_add_char(out, text[i]);
		else
			add_json_ascii(out, c, style);
		i++;
	}
}

static void add_json_form(struct work *work, const struct json_style *style)
{
	start_form(work);
	add_json(&work->form, work->secret, work->bytes, style);
	end_form(work, false);
}

/* JSON in a string of JSON: some answers of servers are made that way. */
static void add_json_again(struct work *work, bool slash)
{
	struct json_style style = {"", slash, false, false, digits_of[0]};
	struct buffer once = {.data = gr_alloc(work->bytes * GROWTH + 1, 1), .room = work->bytes * GROWTH + 1};

	add_json(&once, work->secret, work->bytes, &style);
	start_form(work);
	add_json(&work->form, once.data, once.bytes, &style);
	end_form(work, false);
	explicit_bzero(once.data, once.room);
	buffer_release(&once);
}

static void add_json_forms(struct work *work)
{
	static const char *const sets[] = {"", "<>&", "<>&'", "<>&'=", "<>&'\"", "<>&'\"+`", "/", "+", "+/=", "\"", "'",
	        "\"\\", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ "};
	size_t count = work->bytes > MIXED_BYTES_MOST ? 2 : GR_COUNT(sets);

	for (size_t i = 0; i < count * 8; i++) {
		struct json_style style = {sets[i / 8], i & 1, i & 2, false, digits_of[i >> 2 & 1]};

		add_json_form(work, &style);
	}
	add_json_again(work, false);
	add_json_again(work, true);
	if (work->bytes > MIXED_BYTES_MOST)
		return;
	for (size_t i = 0; i < 2; i++)
		add_json_form(work, &(struct json_style){"", false, true, true, digits_of[i]});
}

/* ---- XML and HTML ---- */

enum entity { PLAIN, NAMED, DECIMAL, PADDED, HEX_LOW, HEX_UP };

struct entity_style {
	enum entity markup; /* & < > */
	enum entity quote; /* " */
	enum entity single; /* ' */
	enum entity other; /* + and the signs of others */
	const char *others;
	enum entity blank; /* tab and line breaks */
};

static const char *entity_name(unsigned char c)
{
	static const char *const names[] = {"&&amp;", "<&lt;", ">&gt;", "\"&quot;", "'&apos;", "+&plus;"};

	for (size_t i = 0; i < GR_COUNT(names); i++)
		if (names[i][0] == (char)c)
			return names[i] + 1;
	return NULL;
}

static void add_entity(struct buffer *out, unsigned char c, enum entity how)
{
	switch (how) {
	case PLAIN:
		buffer_add_char(out, (char)c);
		return;
	case NAMED:
		buffer_add_text(out, entity_name(c));
		return;
	case DECIMAL:
	case PADDED:
		buffer_add_text(out, how == PADDED ? "&#0" : "&#");
		if (c >= 100)
			buffer_add_char(out, (char)('0' + c / 100));
		if (c >= 10)
			buffer_add_char(out, (char)('0' + c / 10 % 10));
		buffer_add_char(out, (char)('0' + c % 10));
		break;
	case HEX_LOW:
	case HEX_UP:
		buffer_add_text(out, "&#x");
		if (c >= 16)
			buffer_add_char(out, digits_of[how == HEX_UP][c >> 4]);
		buffer_add_char(out, digits_of[how == HEX_UP][c & 15]);
		break;
	}
	buffer_add_char(out, ';');
}

static enum entity entity_of(unsigned char c, const struct entity_style *style)
{
	if (in_set("&<>", c))
		return style->markup;
	if (c == '"')
		return style->quote;
	if (c == '\'')
		return style->single;
	if (in_set(style->others, c))
		return style->other == NAMED && !entity_name(c) ? PLAIN : style->other;
	return in_set("\t\n\r", c) ? style->blank : PLAIN;
}

static void add_entity_form(struct work *work, const struct entity_style *style)
{
	start_form(work);
	for (size_t i = 0; i < work->bytes; i++) {
		unsigned char c = (unsigned char)work->secret[i];

		add_entity(&work->form, c, entity_of(c, style));
	}
	end_form(work, false);
}

/* Encoders differ in what they encode beside the markup, and with which kind for which sign: all mixtures of these. A
 * group of which the secret has no sign is not varied. */
static void add_entity_mixtures(struct work *work)
{
	static const enum entity markups[] = {NAMED, DECIMAL, HEX_LOW, HEX_UP, PLAIN};
	static const enum entity quotes[] = {PLAIN, NAMED, DECIMAL, HEX_LOW};
	static const enum entity singles[] = {PLAIN, NAMED, DECIMAL, PADDED, HEX_LOW};
	static const struct {
		enum entity how;
		const char *signs;
	} others[] = {{PLAIN, ""}, {NAMED, "+"}, {DECIMAL, "+"}, {HEX_LOW, "+"}, {HEX_UP, "+"}, {HEX_LOW, "/"},
	        {HEX_UP, "/"}, {DECIMAL, "/"}, {HEX_LOW, "=`"}, {HEX_UP, "=`"}, {HEX_LOW, "+=/`"}, {HEX_UP, "+=/`"},
	        {DECIMAL, "+=/`"}};
	size_t m_count = strpbrk(work->secret, "&<>") ? GR_COUNT(markups) : 1;
	size_t q_count = strchr(work->secret, '"') ? GR_COUNT(quotes) : 1;
	size_t s_count = strchr(work->secret, '\'') ? GR_COUNT(singles) : 1;
	size_t o_count = strpbrk(work->secret, "+=/`") ? GR_COUNT(others) : 1;
	size_t b_count = strpbrk(work->secret, "\t\n\r") ? 3 : 1;

	for (size_t i = 0; i < m_count * q_count * s_count * o_count * b_count; i++) {
		size_t rest = i / m_count;
		struct entity_style style = {.markup = markups[i % m_count], .quote = quotes[rest % q_count]};

		rest /= q_count;
		style.single = singles[rest % s_count];
		rest /= s_count;
		style.other = others[rest % o_count].how;
		style.others = others[rest % o_count].signs;
		style.blank = (enum entity[]){PLAIN, DECIMAL, HEX_UP}[rest / o_count];
		add_entity_form(work, &style);
	}
}

static void add_entity_forms(struct work *work)
{
	static const struct entity_style common[] = {
	        {NAMED, PLAIN, PLAIN, PLAIN, "", PLAIN}, /* text */
	        {NAMED, NAMED, PLAIN, PLAIN, "", PLAIN}, /* attributes */
	        {NAMED, NAMED, PLAIN, PLAIN, "", DECIMAL}, /* libxml2's attributes */
	        {NAMED, NAMED, NAMED, PLAIN, "", PLAIN},
	        {NAMED, NAMED, HEX_LOW, PLAIN, "", PLAIN}, /* Python */
	        {NAMED, NAMED, PADDED, PLAIN, "", PLAIN}, /* PHP */
	        {NAMED, DECIMAL, DECIMAL, DECIMAL, "+", PLAIN}, /* Go */
	        {NAMED, DECIMAL, DECIMAL, PLAIN, "", PLAIN},
	        {DECIMAL, DECIMAL, DECIMAL, DECIMAL, "+", PLAIN},
	        {HEX_LOW, HEX_LOW, HEX_LOW, HEX_LOW, "+", PLAIN},
	        {HEX_UP, HEX_UP, HEX_UP, HEX_UP, "+", PLAIN},
	};

	if (work->bytes <= MIXED_BYTES_MOST)
		add_entity_mixtures(work);
	for (size_t i = 0; i < GR_COUNT(common); i++)
		add_entity_form(work, &common[i]);
}

/* ---- quotes ---- */

static void add_quoted_forms(struct work *work)
{
	/* the last but one: what a shell's `printf %q` escapes */
	static const char *const sets[] = {
	        "\"", "'", "\"'", "\"\\", "'\\", "\"'\\", "\"\\$`", " \"'\\$`!&|;<>()*?[]{}#~^", ""};

	for (size_t i = 0; i < GR_COUNT(sets); i++) {
		start_form(work);
		for (size_t j = 0; j < work->bytes; j++) {
			if (in_set(sets[i], (unsigned char)work->secret[j]))
				buffer_add_char(&work->form, '\\');
			if (!*sets[i] &&
			        work->secret[j] == '\'') /* 'it'\''s': a quote inside a shell's single quotes */
				buffer_add_text(&work->form, "'\\''");
			else
				buffer_add_char(&work->form, work->secret[j]);
		}
		end_form(work, false);
	}
}

/* ---- hex and base64 ---- */

static void add_hex_forms(struct work *work)
{
	for (size_t i = 0; i < 2; i++) {
		start_form(work);
		for (size_t j = 0; j < work->bytes; j++)
			add_hex(&work->form, (unsigned char)work->secret[j], digits_of[i]);
		end_form(work, false);
	}
}

/* The byte `at` of `shift` zero bytes and the secret; zeros after its end. */
static uint32_t shifted_byte(const struct work *work, size_t shift, size_t at)
{
	return at < shift || at - shift >= work->bytes ? 0 : (unsigned char)work->secret[at - shift];
}

/* The secret in the base64 of a longer text, of which `shift` bytes (modulo 3) stand before it: only the characters
 * that the secret alone decides. */
static void add_base64(struct work *work, size_t shift, const char *alphabet)
{
	size_t first = (8 * shift + 5) / 6, end = 8 * (shift + work->bytes) / 6;

	start_form(work);
	for (size_t i = first; i < end; i++) {
		size_t group = i / 4 * 3;
		uint32_t bits = shifted_byte(work, shift, group) << 16 | shifted_byte(work, shift, group + 1) << 8 |
		                shifted_byte(work, shift, group + 2);

		buffer_add_char(&work->form, alphabet[bits >> (18 - 6 * (i % 4)) & 63]);
	}
	end_form(work, true);
}

/* Base64 has '+' and '/', which URLs, JSON and HTML write in other ways. */
enum { BASE64_STYLES = 11 };

static void add_escaped_base64(struct work *work, size_t shift, const char *alphabet, size_t style)
{
	static const char *const plus[] = {
	        "+", "%2B", "%2b", "%2B", "%2b", "\\u002b", "\\u002B", "&#43;", "&#x2B;", "&#x2b;", "+"};
	static const char *const slash[] = {"\\/", "%2F", "%2f", "/", "/", "/", "/", "/", "/", "/", "&#x2F;"};
	static_assert(GR_COUNT(plus) == BASE64_STYLES && GR_COUNT(slash) == BASE64_STYLES, "a pair for each style");
	char *plain;
	size_t bytes;

	add_base64(work, shift, alphabet);
	bytes = work->form.bytes;
	plain = gr_strndup(work->form.data, bytes);
	start_form(work);
	for (size_t i = 0; i < bytes; i++) {
		if (plain[i] == '+')
			buffer_add_text(&work->form, plus[style]);
		else if (plain[i] == '/')
			buffer_add_text(&work->form, slash[style]);
		else
			buffer_add_char(&work->form, plain[i]);
	}
	end_form(work, true);
	explicit_bzero(plain, bytes);
	gr_free(plain);
}

static void add_base64_forms(struct work *work)
{
	static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (size_t shift = 0; shift < 3; shift++) {
		add_base64(work, shift, standard);
		add_base64(work, shift, for_urls);
		for (size_t style = 0; style < BASE64_STYLES; style++)
			add_escaped_base64(work, shift, standard, style);
	}
}

void secret_forms(const char *secret, const struct form_sink *sink)
{
	struct work work = {.secret = secret, .bytes = strlen(secret), .sink = sink};

	if (work.bytes < SECRET_BYTES_LEAST)
		return;
	sink->add(sink->context, secret, work.bytes, false);
	work.form.room = work.bytes * GROWTH + 1;
	work.form.data = gr_alloc(work.form.room, 1);
	add_percent_forms(&work);
	add_json_forms(&work);
	add_entity_forms(&work);
	add_quoted_forms(&work);
	add_hex_forms(&work);
	add_base64_forms(&work);
	explicit_bzero(work.form.data, work.form.room);
	buffer_release(&work.form);
}
