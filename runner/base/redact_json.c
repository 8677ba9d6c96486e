#include "runner/base/redact_json.h"

#include <string.h>

#include "runner/base/memory.h"

#define MASK "***" /* where a mask in the middle of a character leaves no UTF-8 */

struct walk {
	struct redactor *redactor;
	json_t **stack; /* containers still to be looked at, borrowed from the whole */
	size_t depth;
};

static bool is_container(const json_t *value)
{
	return json_is_object(value) || json_is_array(value);
}

static json_t *safe_text(const struct walk *walk, const json_t *text)
{
	GR_AUTO_FREE char *safe = redactor_text(walk->redactor, json_string_value(text));
	json_t *value = json_string(safe);

	return value ? value : json_string(MASK);
}

/* A number may be a secret. One that has its digits among others, as a time may, is none. */
static json_t *safe_number(const struct walk *walk, json_t *number)
{
	GR_AUTO_FREE char *text = json_dumps(number, JSON_ENCODE_ANY);
	GR_AUTO_FREE char *safe = redactor_text(walk->redactor, text);

	return safe && strcmp(safe, MASK) == 0 ? json_string(MASK) : json_incref(number);
}

/* A new reference. */
static json_t *safe_value(const struct walk *walk, json_t *value)
{
	if (json_is_string(value))
		return safe_text(walk, value);
	return json_is_number(value) ? safe_number(walk, value) : json_incref(value);
}

static void walk_array(struct walk *walk, json_t *array)
{
	json_t *value;
	size_t i;

	json_array_foreach (array, i, value) {
		if (!is_container(value)) {
			(void)json_array_set_new(array, i, safe_value(walk, value));
			continue;
		}
		walk->stack = gr_grow(walk->stack, walk->depth, sizeof(json_t *));
		walk->stack[walk->depth++] = value;
	}
}

static void walk_object(struct walk *walk, json_t *object)
{
	GR_AUTO_JSON json_t *copy = json_copy(object);
	const char *key;
	json_t *value;

	(void)json_object_clear(object);
	json_object_foreach (copy, key, value) {
		GR_AUTO_FREE char *safe = redactor_text(walk->redactor, key);
		GR_AUTO_JSON json_t *member = safe_value(walk, value);

		if (json_object_set(object, safe, member) < 0)
			(void)json_object_set(object, MASK, member);
		if (!is_container(value))
			continue;
		walk->stack = gr_grow(walk->stack, walk->depth, sizeof(json_t *));
		walk->stack[walk->depth++] = value;
	}
}

static void walk_all(struct redactor *redactor, json_t *json)
{
	struct walk walk = {.redactor = redactor, .stack = gr_grow(NULL, 0, sizeof(json_t *))};

	if (is_container(json))
		walk.stack[walk.depth++] = json;
	while (walk.depth > 0) {
		json_t *top = walk.stack[--walk.depth];

		if (json_is_array(top))
			walk_array(&walk, top);
		else
			walk_object(&walk, top);
	}
	gr_free(walk.stack);
}

static bool is_json(const char *text)
{
	GR_AUTO_JSON json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	return json;
}

/* The text, redacted; NULL when it is JSON no longer. */
static char *mask_text(struct redactor *redactor, const char *text)
{
	GR_AUTO_FREE char *safe = redactor_text(redactor, text);

	return strcmp(safe, text) == 0 || is_json(safe) ? gr_take(&safe) : NULL;
}

char *redactor_dump(struct redactor *redactor, const json_t *json, size_t flags)
{
	GR_AUTO_FREE char *plain = json_dumps(json, flags);
	GR_AUTO_JSON json_t *copy = NULL;
	char *safe;

	if (!plain || !is_container(json))
		return redactor_text(redactor, plain);
	safe = strchr(plain, '\\') ? NULL : mask_text(redactor, plain);
	if (safe)
		return safe;
	/* Something was escaped, or a mask stood where JSON has none. */
	copy = json_deep_copy(json);
	walk_all(redactor, copy);
	gr_free(plain);
	plain = json_dumps(copy, flags);
	safe = mask_text(redactor, plain);
	/* What looks like a secret, then, is in none of the values: digits of a longer number, half of an escape. */
	return safe ? safe : gr_take(&plain);
}
