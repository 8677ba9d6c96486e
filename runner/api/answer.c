#include "runner/api/answer.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "runner/base/json_read.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

static const struct json_limits limits = {
        .bytes = (size_t)64 << 20, .containers = 600000, .values = 4000000, .string_bytes = (size_t)1 << 20};

/* Bytes shown of a body that is no answer. */
#define SHOWN_BYTES 120
/* Of what may stand before JSON. */
#define NOTICE_BYTES ((size_t)16 << 10)
/* A body goes in pieces of this size. */
#define DROP_BYTES ((size_t)1 << 20)
/* The integers that every JSON implementation agrees on. */
#define INTEGER_MOST ((int64_t)1 << 53)

/* ---- parsing ---- */

/* Where `word` stands in the first `bytes` of `text` in any case, or `bytes`. */
static size_t find_nocase(const char *text, size_t bytes, const char *word)
{
	size_t length = strlen(word);

	for (size_t i = 0; i + length <= bytes; i++)
		if (strncasecmp(text + i, word, length) == 0)
			return i;
	return bytes;
}

/* A broken answer may hold a token that nobody has learned from it: show nothing from the first such word on. */
static size_t shown_bytes(const char *body, size_t bytes)
{
	size_t shown = text_whole_words(body, bytes, SHOWN_BYTES);
	size_t token = find_nocase(body, shown, "token");
	size_t password = find_nocase(body, shown, "password");

	return token < password ? token : password;
}

static int fail_body(struct gr_error *err, const char *body, size_t bytes, const char *why)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	size_t shown = shown_bytes(body, bytes);

	text_excerpt(&text, body, shown, SHOWN_BYTES);
	return gr_fail(err, GR_PROTOCOL, 0, "the answer (%zu bytes) %s; it begins '%s'%s", bytes, why,
	        buffer_text(&text), shown < bytes && !text_has_suffix_nocase(buffer_text(&text), "…") ? "…" : "");
}

/* jansson's own text may quote the body, and with it a secret: say its codes in words. */
static const char *parse_problem(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	if (code == json_error_premature_end_of_input)
		return "ends in the middle";
	if (code == json_error_duplicate_key)
		return "has a key twice in one object";
	if (code == json_error_invalid_utf8)
		return "is not UTF-8";
	if (code == json_error_numeric_overflow)
		return "holds a number that is too large";
	if (code == json_error_null_character || code == json_error_null_byte_in_key)
		return "holds a NUL character in a text";
	return "is not valid JSON";
}

/* PHP's notices go into the answer where that is how it is set up: lines that name a file and " on line N". Skips them
 * where they stand before JSON. */
static void skip_notice(const char **body, size_t *bytes)
{
	size_t named = find_nocase(*body, *bytes < NOTICE_BYTES ? *bytes : NOTICE_BYTES, " on line ");
	size_t at = named;

	if (at >= *bytes || at >= NOTICE_BYTES || **body == '{' || **body == '[' ||
	        find_nocase(*body, at, "<html") < at || find_nocase(*body, at, "<!") < at)
		return;
	while (at < *bytes && at < NOTICE_BYTES &&
	        !(((*body)[at] == '{' || (*body)[at] == '[') && strchr("\n>", (*body)[at - 1])))
		at++;
	if (at >= *bytes || at >= NOTICE_BYTES)
		return;
	*body += at;
	*bytes -= at;
}

/* The bytes up to the end of the object or list that the body begins with, where HTML follows it: a comment, or a
 * notice. Else all. */
static size_t without_markup(const char *body, size_t bytes)
{
	size_t end = bytes, at;

	while (end && strchr(" \t\r\n", body[end - 1]))
		end--;
	if (!end || body[end - 1] != '>')
		return bytes;
	end = json_end(body, end);
	at = end;
	while (at < bytes && strchr(" \t\r\n", body[at]) && body[at])
		at++;
	return at < bytes && body[at] == '<' ? end : bytes;
}

/* What is left of the body without what may stand before and behind JSON. GR_PROTOCOL: it cannot be an answer. */
static int look_through(const char **body, size_t *bytes, struct gr_error *err)
{
	const char *why;

	if (*bytes >= 3 && memcmp(*body, "\xEF\xBB\xBF", 3) == 0) {
		*body += 3;
		*bytes -= 3;
	}
	while (*bytes && strchr(" \t\r\n", **body) && **body) {
		++*body;
		--*bytes;
	}
	if (*bytes == 0)
		return gr_fail(err, GR_PROTOCOL, 0, "the answer is empty");
	skip_notice(body, bytes);
	*bytes = without_markup(*body, *bytes);
	if (**body == '<')
		return fail_body(err, *body, *bytes, "is a web page, not JSON");
	why = json_scan(*body, *bytes, &limits);
	return why ? fail_body(err, *body, *bytes, why) : 0;
}

int answer_parse(const char *body, size_t bytes, json_t **ret_json, struct gr_error *err)
{
	json_error_t error;
	json_t *json;
	int r = look_through(&body, &bytes, err);

	if (r < 0)
		return r;
	json = json_loadb(body, bytes, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return fail_body(err, body, bytes, parse_problem(&error));
	*ret_json = json;
	return 0;
}

struct source {
	struct buffer *body;
	size_t at, end, dropped; /* up to there it was read, goes, and was dropped */
};

static size_t read_on(void *target, size_t bytes, void *context)
{
	struct source *source = context;
	size_t left = source->end - source->at;

	if (bytes > left)
		bytes = left;
	memcpy(target, source->body->data + source->at, bytes);
	source->at += bytes;
	if (source->at >= source->dropped + DROP_BYTES) {
		buffer_drop(source->body, source->dropped, source->at);
		source->dropped = source->at;
	}
	return bytes;
}

int answer_take(struct buffer *body, json_t **ret_json, struct gr_error *err)
{
	const char *begin = buffer_text(body);
	size_t bytes = body->bytes;
	struct source source = {.body = body};
	json_error_t error;
	json_t *json;
	int r = look_through(&begin, &bytes, err);

	if (r == 0) {
		source.at = (size_t)(begin - body->data);
		source.end = source.at + bytes;
		source.dropped = source.at + 2 * SHOWN_BYTES; /* its begin may have to be shown */
		json = json_load_callback(read_on, &source, JSON_REJECT_DUPLICATES, &error);
		if (json)
			*ret_json = json;
		else
			r = fail_body(err, begin, bytes, parse_problem(&error));
	}
	buffer_release(body);
	return r;
}

/* ---- members ---- */

/* The member named by the first of "a|b|c"; *keys moves on to the rest, NULL after the last. */
static const json_t *next_member(const json_t *object, const char **keys)
{
	char key[64];
	size_t bytes = strcspn(*keys, "|");

	assert(bytes < sizeof(key)); /* keys are our own constants */
	memcpy(key, *keys, bytes);
	key[bytes] = '\0';
	*keys = (*keys)[bytes] == '|' ? *keys + bytes + 1 : NULL;
	return json_object_get(object, key);
}

const json_t *answer_member(const json_t *object, const char *keys)
{
	while (keys) {
		const json_t *member = next_member(object, &keys);

		if (member && !json_is_null(member))
			return member;
	}
	return NULL;
}

/* Empty texts and the word "null" are how some operations say that there is nothing. */
static bool is_blank(const json_t *value)
{
	const char *text = json_string_value(value);

	if (!value || json_is_null(value))
		return true;
	if (!text)
		return false;
	text += strspn(text, " \t\r\n");
	return *text == '\0' || strcasecmp(text, "null") == 0;
}

/* The first of several members that says anything. */
static const json_t *said_member(const json_t *object, const char *keys)
{
	while (keys) {
		const json_t *member = next_member(object, &keys);

		if (!is_blank(member))
			return member;
	}
	return NULL;
}

/* What stands under that key: an object, or the only one of a list. */
static const json_t *inner_object(const json_t *object, const char *key)
{
	const json_t *inner = json_object_get(object, key);

	if (json_array_size(inner) == 1)
		inner = json_array_get(inner, 0);
	return json_is_object(inner) ? inner : NULL;
}

const json_t *answer_holder(const json_t *answer, const char *keys)
{
	static const char *const wraps[] = {"data", "response", "result"};

	if (said_member(answer, keys))
		return answer;
	for (size_t i = 0; i < GR_COUNT(wraps); i++) {
		const json_t *inner = inner_object(answer, wraps[i]);

		if (said_member(inner, keys))
			return inner;
		for (size_t j = 0; j < GR_COUNT(wraps); j++)
			if (said_member(inner_object(inner, wraps[j]), keys))
				return inner_object(inner, wraps[j]);
	}
	return NULL;
}

/* A real that is a whole number. */
static bool real_int(double real, int64_t *ret)
{
	if (!(real >= -(double)INTEGER_MOST && real <= (double)INTEGER_MOST))
		return false;
	if (real > (double)(int64_t)real || real < (double)(int64_t)real)
		return false;
	*ret = (int64_t)real;
	return true;
}

static bool value_int(const json_t *value, int64_t *ret)
{
	if (json_is_integer(value)) {
		json_int_t integer = json_integer_value(value);

		if (integer < -INTEGER_MOST || integer > INTEGER_MOST)
			return false;
		*ret = integer;
		return true;
	}
	if (json_is_real(value))
		return real_int(json_real_value(value), ret);
	if (json_is_string(value))
		return number_parse_int(json_string_value(value), ret);
	if (!json_is_boolean(value))
		return false;
	*ret = json_is_true(value);
	return true;
}

bool answer_int(const json_t *object, const char *keys, int64_t *ret)
{
	const json_t *value = said_member(object, keys);

	return value && value_int(value, ret);
}

char *answer_text(const json_t *object, const char *keys)
{
	const json_t *value = said_member(object, keys);
	int64_t integer;

	if (json_is_string(value))
		return gr_strdup(json_string_value(value));
	if (json_is_integer(value))
		return gr_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (!json_is_real(value))
		return NULL;
	if (real_int(json_real_value(value), &integer))
		return gr_printf("%" PRId64, integer);
	return gr_printf("%.15g", json_real_value(value));
}

bool answer_flag(const json_t *object, const char *keys)
{
	const json_t *value = said_member(object, keys);
	const char *text = json_string_value(value);
	int64_t integer;

	if (text && (text_equal_nocase(text, "true") || text_equal_nocase(text, "yes")))
		return true;
	return value && value_int(value, &integer) && integer == 1;
}

/* ---- lists ---- */

/* A list with holes comes as an object with the places as keys: {"0": …, "2": …}. */
static bool is_numbered(const json_t *object)
{
	void *at = json_object_iter((json_t *)(uintptr_t)object);

	for (; at; at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
		const char *key = json_object_iter_key(at);

		if (*key == '\0' || key[strspn(key, "0123456789")] != '\0')
			return false;
	}
	return true; /* an empty object is an empty list */
}

/* A list whose entries stand under their names: {"Pixel 7": {...}, "Galaxy S23": {...}}. An entry of which nothing is
 * there but a part that is an object is none. */
static bool is_named(const json_t *object)
{
	static const char *const parts[] = {"test_cases", "testcases", "info"};
	void *at = json_object_iter((json_t *)(uintptr_t)object);

	for (size_t i = 0; i < GR_COUNT(parts); i++)
		if (json_object_get(object, parts[i]))
			return false;
	for (; at; at = json_object_iter_next((json_t *)(uintptr_t)object, at))
		if (!json_is_object(json_object_iter_value(at)))
			return false;
	return true;
}

/* Is that page all there is? Half a list proves nothing. */
static bool is_whole(const json_t *object, const json_t *page)
{
	static const char totals[] = "total|total_record|total_records|total_count";
	int64_t pages = 1, rows = (int64_t)json_array_size(page);

	(void)answer_int(object, "last_page|total_page|total_pages", &pages);
	(void)answer_int(object, totals, &rows);
	return pages <= 1 && rows <= (int64_t)json_array_size(page) && !said_member(object, "next_page_url|next");
}

static json_t *object_list(const json_t *object)
{
	json_t *list = json_array();
	const char *key;
	json_t *value;

	if (!is_numbered(object) && !is_named(object)) {
		(void)json_array_append(list, (json_t *)(uintptr_t)object);
		return list;
	}
	json_object_foreach ((json_t *)(uintptr_t)object, key, value)
		(void)json_array_append(list, value);
	return list;
}

static int value_list(const json_t *value, const char *keys, json_t **ret_list, struct gr_error *err)
{
	const json_t *page = json_object_get(value, "data");

	if (json_is_array(page) && !is_whole(value, page))
		return gr_fail(err, GR_PROTOCOL, 0, "the answer's '%s' is one page of several", keys);
	if (json_is_array(page))
		value = page;
	if (json_is_array(value))
		*ret_list = json_incref((json_t *)(uintptr_t)value);
	else if (json_is_object(value))
		*ret_list = object_list(value);
	else
		return gr_fail(err, GR_PROTOCOL, 0, "the answer's '%s' is no list", keys);
	return 0;
}

int answer_list(const json_t *object, const char *keys, json_t **ret_list, struct gr_error *err)
{
	const json_t *value = said_member(object, keys);
	GR_AUTO_JSON json_t *parsed = NULL;
	int rc;

	if (!value) {
		*ret_list = json_array();
		return 0;
	}
	if (!json_is_string(value))
		return value_list(value, keys, ret_list, err);
	rc = answer_parse(json_string_value(value), json_string_length(value), &parsed, err);
	if (rc < 0) {
		(void)gr_context(err, "the answer's '%s' is a text that should hold a list", keys);
		return rc;
	}
	return value_list(parsed, keys, ret_list, err);
}
