#include "pipelines/functions.h"

#include <string.h>

#include "pipelines/term.h"
#include "runner/base/buffer.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

static int need_text(const json_t *value, struct gr_error *err)
{
	if (json_is_string(value))
		return 0;
	return gr_fail(err, GR_CONFIG, 0, "text is needed, not %s", value_kind(value));
}

static int call_contains(json_t *const *arguments, size_t count, json_t **ret_value, struct gr_error *err)
{
	const json_t *item;
	bool is_found = false;
	size_t i;

	(void)count;
	if (json_is_array(arguments[0])) {
		json_array_foreach (arguments[0], i, item)
			is_found = is_found || json_equal(item, arguments[1]);
		*ret_value = json_boolean(is_found);
		return 0;
	}
	if (need_text(arguments[0], err) != 0 || need_text(arguments[1], err) != 0)
		return -GR_CONFIG;
	*ret_value = json_boolean(strstr(json_string_value(arguments[0]), json_string_value(arguments[1])) != NULL);
	return 0;
}

static int call_starts_with(json_t *const *arguments, size_t count, json_t **ret_value, struct gr_error *err)
{
	(void)count;
	if (need_text(arguments[0], err) != 0 || need_text(arguments[1], err) != 0)
		return -GR_CONFIG;
	*ret_value = json_boolean(text_has_prefix(json_string_value(arguments[0]), json_string_value(arguments[1])));
	return 0;
}

static int call_ends_with(json_t *const *arguments, size_t count, json_t **ret_value, struct gr_error *err)
{
	size_t bytes, end;

	(void)count;
	if (need_text(arguments[0], err) != 0 || need_text(arguments[1], err) != 0)
		return -GR_CONFIG;
	bytes = json_string_length(arguments[0]);
	end = json_string_length(arguments[1]);
	*ret_value = json_boolean(end <= bytes && strcmp(json_string_value(arguments[0]) + bytes - end,
	                                                  json_string_value(arguments[1])) == 0);
	return 0;
}

/* One "{n}" of a format; *text is at its brace and ends behind it. */
static int format_place(
        const char **text, json_t *const *arguments, size_t count, struct buffer *out, struct gr_error *err)
{
	const char *at = *text + 1;
	size_t index = 0, digits = 0;

	for (; *at >= '0' && *at <= '9' && digits < 3; at++, digits++)
		index = index * 10 + (size_t)(*at - '0');
	if (digits == 0 || *at != '}')
		return gr_fail(err, GR_CONFIG, 0, "'{' begins a place such as {0}; write '{{' for a brace");
	if (index + 1 >= count)
		return gr_fail(
		        err, GR_CONFIG, 0, "the format has {%zu}, but only %zu arguments follow it", index, count - 1);
	*text = at + 1;
	return value_format(arguments[index + 1], out, err);
}

static int call_format(json_t *const *arguments, size_t count, json_t **ret_value, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	const char *text = json_string_value(arguments[0]);

	if (need_text(arguments[0], err) != 0)
		return -GR_CONFIG;
	while (*text != '\0') {
		if ((*text == '{' || *text == '}') && text[1] == *text) {
			buffer_add_char(&out, *text);
			text += 2;
		} else if (*text == '{') {
			int result = format_place(&text, arguments, count, &out, err);

			if (result != 0)
				return result;
		} else {
			buffer_add_char(&out, *text++);
		}
	}
	*ret_value = json_stringn(buffer_text(&out), out.bytes);
	return 0;
}

static int call_join(json_t *const *arguments, size_t count, json_t **ret_value, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	const json_t *item;
	size_t i;

	if (!json_is_array(arguments[0]))
		return gr_fail(err, GR_CONFIG, 0, "a list is needed, not %s", value_kind(arguments[0]));
	if (count > 1 && need_text(arguments[1], err) != 0)
		return -GR_CONFIG;
	json_array_foreach (arguments[0], i, item) {
		int result;

		if (i > 0)
			buffer_add_text(&out, count > 1 ? json_string_value(arguments[1]) : ",");
		result = value_format(item, &out, err);
		if (result != 0)
			return result;
	}
	*ret_value = json_stringn(buffer_text(&out), out.bytes);
	return 0;
}

static int call_length(json_t *const *arguments, size_t count, json_t **ret_value, struct gr_error *err)
{
	const char *text = json_string_value(arguments[0]);
	json_int_t length = 0;

	(void)count;
	if (json_is_array(arguments[0])) {
		length = (json_int_t)json_array_size(arguments[0]);
	} else if (json_is_object(arguments[0])) {
		length = (json_int_t)json_object_size(arguments[0]);
	} else if (text != NULL) {
		for (; *text != '\0'; text++)
			length += ((unsigned char)*text & 0xC0) != 0x80;
	} else {
		return gr_fail(err, GR_CONFIG, 0, "text, a list or a map is needed, not %s", value_kind(arguments[0]));
	}
	*ret_value = json_integer(length);
	return 0;
}

static int call_basename(json_t *const *arguments, size_t count, json_t **ret_value, struct gr_error *err)
{
	const char *text = json_string_value(arguments[0]), *slash;

	(void)count;
	if (need_text(arguments[0], err) != 0)
		return -GR_CONFIG;
	slash = strrchr(text, '/');
	*ret_value = json_string(slash != NULL ? slash + 1 : text);
	return 0;
}

static int call_to_json(json_t *const *arguments, size_t count, json_t **ret_value, struct gr_error *err)
{
	char *text =
	        json_dumps(arguments[0], JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));

	(void)count;
	if (text == NULL)
		return gr_fail(err, GR_INTERNAL, 0, "the value cannot be written as JSON");
	*ret_value = json_string(text);
	gr_free(text);
	return 0;
}

/* Bytes of one JSON text; what steps leave in their outputs is smaller by far. */
#define JSON_MOST_BYTES ((size_t)1 << 20)

static int call_from_json(json_t *const *arguments, size_t count, json_t **ret_value, struct gr_error *err)
{
	json_error_t why;

	(void)count;
	if (need_text(arguments[0], err) != 0)
		return -GR_CONFIG;
	if (json_string_length(arguments[0]) > JSON_MOST_BYTES)
		return gr_fail(err, GR_CONFIG, 0, "the text is longer than 1 MiB");
	*ret_value = json_loads(json_string_value(arguments[0]), JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
	if (*ret_value == NULL)
		return gr_fail(err, GR_CONFIG, 0, "the text is not JSON: %s", why.text);
	return 0;
}

static int call_hash_file(json_t *const *arguments, size_t count, json_t **ret_value, struct gr_error *err)
{
	GR_AUTO_FREE char *path = NULL;
	char hex[65];
	int result;

	(void)count;
	if (need_text(arguments[0], err) != 0)
		return -GR_CONFIG;
	result = file_find_one(json_string_value(arguments[0]), &path, err);
	if (result == 0)
		result = file_sha256(path, GR_CONFIG, hex, NULL, err);
	if (result == 0)
		*ret_value = json_string(hex);
	return result;
}

/* The fallback also for empty text, which is what an unset CI variable often is. */
static int call_default(json_t *const *arguments, size_t count, json_t **ret_value, struct gr_error *err)
{
	bool is_empty =
	        json_is_null(arguments[0]) || (json_is_string(arguments[0]) && json_string_length(arguments[0]) == 0);

	(void)count;
	(void)err;
	*ret_value = json_incref(arguments[is_empty ? 1 : 0]);
	return 0;
}

static const struct function functions[] = {
        {"contains", 2, 2, {TYPE_ANY, TYPE_ANY}, TYPE_BOOL, false, call_contains, "contains(text or list, value)"},
        {"startsWith", 2, 2, {TYPE_TEXT, TYPE_TEXT}, TYPE_BOOL, false, call_starts_with, "startsWith(text, beginning)"},
        {"endsWith", 2, 2, {TYPE_TEXT, TYPE_TEXT}, TYPE_BOOL, false, call_ends_with, "endsWith(text, ending)"},
        {"format", 1, FUNCTION_MOST_ARGUMENTS, {TYPE_TEXT, TYPE_ANY}, TYPE_TEXT, false, call_format,
                "format('{0} of {1}', value, ...)"},
        {"join", 1, 2, {TYPE_LIST, TYPE_TEXT}, TYPE_TEXT, false, call_join, "join(list, separator)"},
        {"length", 1, 1, {TYPE_ANY, TYPE_ANY}, TYPE_INT, false, call_length, "length(text, list or map)"},
        {"basename", 1, 1, {TYPE_TEXT, TYPE_ANY}, TYPE_TEXT, false, call_basename, "basename(path)"},
        {"toJSON", 1, 1, {TYPE_ANY, TYPE_ANY}, TYPE_TEXT, false, call_to_json, "toJSON(value)"},
        {"fromJSON", 1, 1, {TYPE_TEXT, TYPE_ANY}, TYPE_ANY, false, call_from_json, "fromJSON(text)"},
        {"hashFile", 1, 1, {TYPE_TEXT, TYPE_ANY}, TYPE_TEXT, true, call_hash_file, "hashFile(path)"},
        {"default", 2, 2, {TYPE_ANY, TYPE_ANY}, TYPE_ANY, false, call_default, "default(value, fallback)"},
};

const struct function *function_find(const char *name)
{
	for (size_t i = 0; i < GR_COUNT(functions); i++) {
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	}
	return NULL;
}

const char *function_suggest(const char *name)
{
	const char *names[GR_COUNT(functions) + 1] = {0};

	for (size_t i = 0; i < GR_COUNT(functions); i++)
		names[i] = functions[i].name;
	return text_suggest(name, names);
}
