#include "runner/base/base64.h"

#include <stdint.h>
#include <string.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct buffer *out, const void *data, size_t bytes)
{
	const unsigned char *from = data;

	for (size_t i = 0; i < bytes; i += 3) {
		size_t group = bytes - i < 3 ? bytes - i : 3;
		uint32_t bits = (uint32_t)from[i] << 16;

		if (group > 1)
			bits |= (uint32_t)from[i + 1] << 8;
		if (group > 2)
			bits |= from[i + 2];
		buffer_add_char(out, standard[bits >> 18]);
		buffer_add_char(out, standard[bits >> 12 & 63]);
		buffer_add_char(out, group > 1 ? standard[bits >> 6 & 63] : '=');
		buffer_add_char(out, group > 2 ? standard[bits & 63] : '=');
	}
}

static int value_of(char sign)
{
	const char *found;

	if (sign == '-')
		return 62;
	if (sign == '_')
		return 63;
	found = sign ? strchr(standard, sign) : NULL;
	return found ? (int)(found - standard) : -1;
}

/* The signs before the padding; false when there is too much of it. */
static bool strip(const char *text, size_t *bytes)
{
	size_t whole = *bytes;

	while (*bytes > 0 && whole - *bytes < 2 && text[*bytes - 1] == '=')
		(*bytes)--;
	return (whole == *bytes || whole % 4 == 0) && *bytes % 4 != 1;
}

bool base64_read(const char *text, size_t bytes, struct buffer *out)
{
	uint32_t bits = 0;
	unsigned held = 0;

	if (!strip(text, &bytes))
		return false;
	for (size_t i = 0; i < bytes; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		buffer_add_char(out, (char)(bits >> held & 0xFF));
	}
	return (bits & ((1U << held) - 1)) == 0; /* what is left over says nothing */
}
