#include "sandbox/types.h"

#include <inttypes.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/number.h"

/* A flag, or a text that is the number's only spelling: "15" is, "007" and "" are not. NULL: leave it. */
static json_t *as_number(const json_t *value)
{
	int64_t number = 0;
	GR_AUTO_FREE char *again = NULL;

	if (json_is_boolean(value))
		return json_integer(json_is_true(value));
	if (!json_is_string(value) || !number_parse_int(json_string_value(value), &number))
		return NULL;
	again = gr_printf("%" PRId64, number);
	return strcmp(again, json_string_value(value)) == 0 ? json_integer(number) : NULL;
}

static json_t *as_text(const json_t *value)
{
	GR_AUTO_FREE char *text = NULL;

	if (json_is_boolean(value))
		return json_string(json_is_true(value) ? "true" : "false");
	if (!json_is_integer(value))
		return NULL;
	text = gr_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return json_string(text);
}

static json_t *bent(struct state *state, const char *kind, const json_t *value)
{
	bool to_text = strcmp(kind, "text") == 0;

	if (strcmp(kind, "mixed") == 0) {
		to_text = state_chance(state) < 0.5;
		if (state_chance(state) < 0.5)
			return NULL;
	}
	return to_text ? as_text(value) : as_number(value);
}

/* Answers are ours and a few levels deep, so recursion is safe here. */
static void bend(struct state *state, const char *kind, json_t *value)
{
	const char *key;
	json_t *child, *other;
	size_t i;

	if (json_is_object(value))
		json_object_foreach (value, key, child) {
			bend(state, kind, child);
			other = bent(state, kind, child);
			if (other != NULL)
				(void)json_object_set_new(value, key, other);
		}
	json_array_foreach (value, i, child)
		bend(state, kind, child);
}

void types_bend(struct state *state, json_t *answer)
{
	const char *kind = state_word(state, "types");
	json_t *own = NULL;

	if (strcmp(kind, "documented") == 0)
		return;
	own = json_deep_copy(answer); /* answers may hold parts of the state, which stays as it is */
	bend(state, kind, own);
	(void)json_object_update(answer, own);
	json_decref(own);
}
