#include "runner/base/json_read.h"

#include <stdbool.h>

#define DEPTH_MOST 64

struct scan {
	const struct json_limits *limits;
	size_t containers, values, depth, string_bytes;
	bool in_string, escaped;
};

/* One byte within a string; the closing quote ends it. */
static const char *scan_string(struct scan *scan, char c)
{
	if (scan->escaped)
		scan->escaped = false;
	else if (c == '\\')
		scan->escaped = true;
	else if (c == '"')
		scan->in_string = false;
	return ++scan->string_bytes > scan->limits->string_bytes ? "holds a text that is too long" : NULL;
}

static const char *scan_byte(struct scan *scan, char c)
{
	if (c == '"') {
		scan->in_string = true;
		scan->string_bytes = 0;
	} else if (c == '{' || c == '[') {
		scan->containers++;
		scan->values++;
		scan->depth++;
	} else if (c == '}' || c == ']') {
		scan->depth -= scan->depth > 0;
	} else if (c == ',') {
		scan->values++;
	}
	if (scan->depth > DEPTH_MOST)
		return "is nested deeper than 64 levels";
	if (scan->containers > scan->limits->containers)
		return "holds too many lists and objects";
	return scan->values > scan->limits->values ? "holds too many values" : NULL;
}

const char *json_scan(const char *text, size_t bytes, const struct json_limits *limits)
{
	struct scan scan = {.limits = limits};
	const char *why = NULL;

	if (bytes > limits->bytes)
		return "is too large";
	for (size_t i = 0; i < bytes && !why; i++)
		why = scan.in_string ? scan_string(&scan, text[i]) : scan_byte(&scan, text[i]);
	return why;
}

json_t *json_read_own(const struct buffer *text, const char **ret_why)
{
	/* 300,000 tests with their attempts; as a tree about 1 GB. */
	static const struct json_limits limits = {
	        .bytes = (size_t)256 << 20, .containers = 1000000, .values = 8000000, .string_bytes = (size_t)16 << 20};
	json_t *json;

	*ret_why = json_scan(buffer_text(text), text->bytes, &limits);
	if (*ret_why)
		return NULL;
	json = json_loadb(buffer_text(text), text->bytes, JSON_REJECT_DUPLICATES, NULL);
	*ret_why = json ? NULL : "is not JSON";
	return json;
}
