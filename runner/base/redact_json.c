#include "runner/base/redact_json.h"

#include <string.h>

#include "runner/base/memory.h"

#define MASK "***" /* where a mask in the middle of a character leaves no UTF-8 */

struct walk {
	struct redactor *redactor;
	json_t **stack; /* containers still to be looked at, borrowed from the whole */
	size_t depth;
};

/* A new reference. */
static json_t *safe_text(const struct walk *walk, const json_t *text)
{
	GR_AUTO_FREE char *safe = redactor_text(walk->redactor, json_string_value(text));
	json_t *value = json_string(safe);

	return value ? value : json_string(MASK);
}

static bool is_container(const json_t *value)
{
	return json_is_object(value) || json_is_array(value);
}

static void walk_array(struct walk *walk, json_t *array)
{
	json_t *value;
	size_t i;

	json_array_foreach (array, i, value) {
		if (json_is_string(value)) {
			(void)json_array_set_new(array, i, safe_text(walk, value));
			continue;
		}
		if (!is_container(value))
			continue;
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
		GR_AUTO_JSON json_t *member = json_is_string(value) ? safe_text(walk, value) : json_incref(value);

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

char *redactor_dump(struct redactor *redactor, const json_t *json, size_t flags)
{
	GR_AUTO_FREE char *plain = json_dumps(json, flags);
	GR_AUTO_JSON json_t *copy = NULL;

	if (plain && strchr(plain, '\\')) { /* something was escaped */
		copy = json_deep_copy(json);
		walk_all(redactor, copy);
		gr_free(plain);
		plain = json_dumps(copy, flags);
	}
	return redactor_text(redactor, plain);
}
