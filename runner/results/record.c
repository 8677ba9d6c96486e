#include "runner/results/record.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

/* Most elements of one list: more cannot come from answers within the limits, so a larger file is damaged. */
#define LIST_MOST 4000000

/* Members are reached as bytes at an offset; memcpy keeps that free of aliasing and alignment questions. */
void record_get(const void *item, const struct record_field *field, void *ret, size_t bytes)
{
	memcpy(ret, (const char *)item + field->offset, bytes);
}

static void put(void *item, const struct record_field *field, const void *value, size_t bytes)
{
	memcpy((char *)item + field->offset, value, bytes);
}

#define GET(item, field, variable) record_get(item, field, &(variable), sizeof(variable))
#define PUT(item, field, variable) put(item, field, &(variable), sizeof(variable))

size_t record_count(const void *item, const struct record_field *field)
{
	size_t count;

	memcpy(&count, (const char *)item + field->count_offset, sizeof(count));
	return count;
}

static void put_count(void *item, const struct record_field *field, size_t count)
{
	memcpy((char *)item + field->count_offset, &count, sizeof(count));
}

/* ---- releasing ---- */

static void release_field(const struct record_field *field, void *item)
{
	char *memory;
	json_t *json;

	switch (field->type) {
	case RECORD_TEXT:
		GET(item, field, memory);
		gr_free(memory);
		break;
	case RECORD_JSON:
		GET(item, field, json);
		json_decref(json);
		break;
	case RECORD_OBJECT:
		record_release(field->record, (char *)item + field->offset);
		break;
	case RECORD_LIST:
		GET(item, field, memory);
		for (size_t i = 0; i < record_count(item, field); i++)
			record_release(field->record, memory + i * field->record->bytes);
		gr_free(memory);
		break;
	case RECORD_INT64:
	case RECORD_KNOWN:
	case RECORD_UNSIGNED:
	case RECORD_INT:
	case RECORD_BOOL:
	case RECORD_WORD:
		break;
	}
}

/* The tables nest four deep and never in a circle, so this ends. */
void record_release(const struct record *record, void *item)
{
	if (!item)
		return;
	for (const struct record_field *field = record->fields; field->key; field++)
		release_field(field, item);
	memset(item, 0, record->bytes);
}

/* ---- copying ---- */

static void copy_list(const struct record_field *field, const void *item, void *ret_copy)
{
	size_t count = record_count(item, field);
	char *items, *copies = NULL;

	GET(item, field, items);
	for (size_t i = 0; i < count; i++) {
		copies = gr_grow(copies, i, field->record->bytes);
		record_copy(field->record, items + i * field->record->bytes, copies + i * field->record->bytes);
	}
	PUT(ret_copy, field, copies);
}

void record_copy(const struct record *record, const void *item, void *ret_copy)
{
	memcpy(ret_copy, item, record->bytes); /* the plain members; what is owned is replaced below */
	for (const struct record_field *field = record->fields; field->key; field++) {
		char *text;
		json_t *json;

		if (field->type == RECORD_TEXT) {
			GET(item, field, text);
			text = gr_strdup(text);
			PUT(ret_copy, field, text);
		} else if (field->type == RECORD_JSON) {
			GET(item, field, json);
			json = json_deep_copy(json);
			PUT(ret_copy, field, json);
		} else if (field->type == RECORD_OBJECT) {
			record_copy(
			        field->record, (const char *)item + field->offset, (char *)ret_copy + field->offset);
		} else if (field->type == RECORD_LIST) {
			copy_list(field, item, ret_copy);
		}
	}
}

/* ---- to JSON ---- */

json_t *json_from_text(const char *text)
{
	GR_AUTO_BUFFER struct buffer clean = {0};
	json_t *value;

	if (!text)
		return json_null();
	value = json_string(text);
	if (value)
		return value;
	text_clean(&clean, text, strlen(text), SIZE_MAX);
	return json_string(buffer_text(&clean));
}

static json_t *list_to_json(const struct record_field *field, const void *item)
{
	json_t *list = json_array();
	const char *items;

	GET(item, field, items);
	for (size_t i = 0; i < record_count(item, field); i++)
		(void)json_array_append_new(list, record_to_json(field->record, items + i * field->record->bytes));
	return list;
}

static json_t *word_to_json(const struct record_field *field, const void *item)
{
	int value; /* every enum of ours is an int to gcc and clang: none has a negative member or a large one */

	GET(item, field, value);
	return json_string(field->words->name(value));
}

static json_t *number_to_json(const struct record_field *field, const void *item)
{
	int64_t large;
	unsigned whole;
	int small;

	if (field->type == RECORD_UNSIGNED) {
		GET(item, field, whole);
		return json_integer(whole);
	}
	if (field->type == RECORD_INT) {
		GET(item, field, small);
		return json_integer(small);
	}
	GET(item, field, large);
	return field->type == RECORD_KNOWN && large < 0 ? json_null() : json_integer(large);
}

/* NULL: to be left out. */
static json_t *field_to_json(const struct record_field *field, const void *item)
{
	json_t *json;
	char *text;
	bool flag;

	switch (field->type) {
	case RECORD_TEXT:
		GET(item, field, text);
		return text ? json_from_text(text) : NULL;
	case RECORD_INT64:
	case RECORD_KNOWN:
	case RECORD_UNSIGNED:
	case RECORD_INT:
		return number_to_json(field, item);
	case RECORD_BOOL:
		GET(item, field, flag);
		return json_boolean(flag);
	case RECORD_WORD:
		return word_to_json(field, item);
	case RECORD_JSON:
		GET(item, field, json);
		return json_deep_copy(json);
	case RECORD_OBJECT:
		return record_to_json(field->record, (const char *)item + field->offset);
	case RECORD_LIST:
		return list_to_json(field, item);
	}
	return NULL;
}

json_t *record_to_json(const struct record *record, const void *item)
{
	json_t *object = json_object();

	for (const struct record_field *field = record->fields; field->key; field++) {
		json_t *value = field_to_json(field, item);

		if (value)
			(void)json_object_set_new_nocheck(object, field->key, value);
	}
	return object;
}

/* ---- and back ---- */

struct reading {
	const char *where;
	const struct record_field *field;
	struct gr_error *err;
};

static int fail_type(const struct reading *reading, const char *expected)
{
	return gr_fail(reading->err, GR_CONFIG, 0, "%s: '%s' is not %s", reading->where, reading->field->key, expected);
}

static int text_from_json(const struct reading *reading, const json_t *json, void *item)
{
	char *text;

	if (!json_is_string(json))
		return fail_type(reading, "text");
	text = gr_strdup(json_string_value(json));
	PUT(item, reading->field, text);
	return 0;
}

static int number_from_json(const struct reading *reading, const json_t *json, void *item)
{
	int64_t value = json_is_null(json) && reading->field->type == RECORD_KNOWN ? -1 : json_integer_value(json);

	if (!json_is_integer(json) && !(json_is_null(json) && reading->field->type == RECORD_KNOWN))
		return fail_type(reading, "an integer");
	if (reading->field->type == RECORD_UNSIGNED) {
		unsigned whole = (unsigned)value;

		if (value < 0 || value > UINT_MAX)
			return fail_type(reading, "within its range");
		PUT(item, reading->field, whole);
	} else if (reading->field->type == RECORD_INT) {
		int small = (int)value;

		if (value < INT_MIN || value > INT_MAX)
			return fail_type(reading, "within its range");
		PUT(item, reading->field, small);
	} else {
		PUT(item, reading->field, value);
	}
	return 0;
}

static int word_from_json(const struct reading *reading, const json_t *json, void *item)
{
	const struct record_words *words = reading->field->words;
	const char *text = json_string_value(json);

	for (int i = 0; text && i < words->count; i++)
		if (strcmp(words->name(i), text) == 0) {
			PUT(item, reading->field, i);
			return 0;
		}
	return fail_type(reading, "one of its words");
}

static int list_from_json(const struct reading *reading, const json_t *json, void *item)
{
	const struct record *record = reading->field->record;
	size_t count = json_array_size(json);
	char *items;
	int r = 0;

	if (!json_is_array(json) || count > LIST_MOST)
		return fail_type(reading, "a list within the limits");
	if (count == 0)
		return 0;
	items = NULL;
	for (size_t i = 0; i < count && r == 0; i++) {
		items = gr_grow(items, i, record->bytes);
		r = record_from_json(
		        record, json_array_get(json, i), reading->field->key, items + i * record->bytes, reading->err);
		if (r == 0)
			put_count(item, reading->field, i + 1);
	}
	PUT(item, reading->field, items);
	return r;
}

static int field_from_json(const struct reading *reading, const json_t *json, void *item)
{
	bool flag = json_is_true(json);
	json_t *copy;

	switch (reading->field->type) {
	case RECORD_TEXT:
		return text_from_json(reading, json, item);
	case RECORD_INT64:
	case RECORD_KNOWN:
	case RECORD_UNSIGNED:
	case RECORD_INT:
		return number_from_json(reading, json, item);
	case RECORD_BOOL:
		if (!json_is_boolean(json))
			return fail_type(reading, "true or false");
		PUT(item, reading->field, flag);
		return 0;
	case RECORD_WORD:
		return word_from_json(reading, json, item);
	case RECORD_JSON:
		if (!json_is_object(json))
			return fail_type(reading, "an object");
		copy = json_deep_copy(json);
		PUT(item, reading->field, copy);
		return 0;
	case RECORD_OBJECT:
		return record_from_json(reading->field->record, json, reading->field->key,
		        (char *)item + reading->field->offset, reading->err);
	case RECORD_LIST:
		return list_from_json(reading, json, item);
	}
	return 0;
}

static void set_unknown(const struct record *record, void *item)
{
	const int64_t unknown = -1;

	memset(item, 0, record->bytes);
	for (const struct record_field *field = record->fields; field->key; field++)
		if (field->type == RECORD_KNOWN)
			PUT(item, field, unknown);
		else if (field->type == RECORD_OBJECT)
			set_unknown(field->record, (char *)item + field->offset);
}

int record_from_json(
        const struct record *record, const json_t *json, const char *where, void *ret_item, struct gr_error *err)
{
	set_unknown(record, ret_item);
	if (!json_is_object(json))
		return gr_fail(err, GR_CONFIG, 0, "%s: an element is not an object", where);
	for (const struct record_field *field = record->fields; field->key; field++) {
		const struct reading reading = {where, field, err};
		const json_t *value = json_object_get(json, field->key);
		int r = value ? field_from_json(&reading, value, ret_item) : 0;

		if (r < 0) {
			record_release(record, ret_item);
			return r;
		}
	}
	return 0;
}
