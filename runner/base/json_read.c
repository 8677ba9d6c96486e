#include "runner/base/json_read.h"

#include <stddef.h>
#include <string.h>

#define DEPTH_MOST 64
/* Whatever is in so little, its tree takes 80 MB at most. */
#define HARMLESS_BYTES ((size_t)1 << 20)

struct scan {
	const struct json_limits *limits;
	size_t containers, values, depth;
};

/* Where the string ends that began before `at`: its quote, or the end of the text. */
static size_t end_of_string(const char *text, size_t at, size_t bytes)
{
	while (at < bytes) {
		const char *quote = memchr(text + at, '"', bytes - at);
		size_t escapes = 0;

		if (!quote)
			break;
		while (quote - escapes > text + at && quote[-1 - (ptrdiff_t)escapes] == '\\')
			escapes++;
		if (escapes % 2 == 0)
			return (size_t)(quote - text);
		at = (size_t)(quote - text) + 1;
	}
	return bytes;
}

static const char *enter(struct scan *scan)
{
	scan->values++;
	if (++scan->depth > DEPTH_MOST)
		return "is nested deeper than 64 levels";
	return ++scan->containers > scan->limits->containers ? "holds too many lists and objects" : NULL;
}

const char *json_scan(const char *text, size_t bytes, const struct json_limits *limits)
{
	struct scan scan = {.limits = limits};
	const char *why = NULL;

	if (bytes > limits->bytes)
		return "is too large";
	for (size_t i = 0; i < bytes && !why; i++) {
		size_t begin = i + 1;

		if (text[i] == '"') {
			i = end_of_string(text, begin, bytes);
			if (i - begin > limits->string_bytes)
				why = "holds a text that is too long";
		} else if (text[i] == ',') {
			if (++scan.values > limits->values)
				why = "holds too many values";
		} else if (text[i] == '{' || text[i] == '[') {
			why = enter(&scan);
		} else if (text[i] == '}' || text[i] == ']') {
			scan.depth -= scan.depth > 0;
		}
	}
	return why;
}

size_t json_end(const char *text, size_t bytes)
{
	size_t depth = 1;

	if (bytes == 0 || (text[0] != '{' && text[0] != '['))
		return bytes;
	for (size_t i = 1; i < bytes; i++) {
		if (text[i] == '"')
			i = end_of_string(text, i + 1, bytes);
		else if (text[i] == '{' || text[i] == '[')
			depth++;
		else if ((text[i] == '}' || text[i] == ']') && --depth == 0)
			return i + 1;
	}
	return bytes;
}

json_t *json_read_own(const struct buffer *text, const char **ret_why)
{
	/* 300,000 tests with their attempts; as a tree about 1 GB. */
	static const struct json_limits limits = {
	        .bytes = (size_t)256 << 20, .containers = 1000000, .values = 8000000, .string_bytes = (size_t)16 << 20};
	json_t *json;

	*ret_why = text->bytes > HARMLESS_BYTES ? json_scan(buffer_text(text), text->bytes, &limits) : NULL;
	if (*ret_why)
		return NULL;
	json = json_loadb(buffer_text(text), text->bytes, JSON_REJECT_DUPLICATES, NULL);
	*ret_why = json ? NULL : "is not JSON";
	return json;
}
