#include "pipelines/schema_value.h"

#include <stdio.h>
#include <string.h>

#include "pipelines/check.h"
#include "runner/api/operation.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

#define NAME_PATTERN "^[A-Za-z_][A-Za-z0-9_-]{0,99}$"
#define DURATION "[0-9]+(\\.[0-9]+)?(ms|s|m|h)"
#define TEMPLATE "\\$\\{\\{"

json_t *schema_words(const char *choices)
{
	json_t *list = json_array();

	for (const char *at = choices; at != NULL && *at != '\0';) {
		size_t bytes = strcspn(at, "|");

		(void)json_array_append_new(list, json_stringn(at, bytes));
		at += bytes + (at[bytes] == '|');
	}
	return list;
}

json_t *schema_reference(const char *name)
{
	GR_AUTO_FREE char *target = gr_printf("#/$defs/%s", name);

	return json_pack("{s:s}", "$ref", target);
}

json_t *schema_default(const char *fallback)
{
	int64_t number;

	if (strcmp(fallback, "true") == 0 || strcmp(fallback, "false") == 0)
		return json_boolean(fallback[0] == 't');
	if (number_parse_int(fallback, &number))
		return json_integer((json_int_t)number);
	return json_string(fallback);
}

/* The value itself, or text with ${{ }} that gives one. */
static json_t *or_template(json_t *value)
{
	return json_pack("{s:[o, o]}", "anyOf", value, schema_reference("template"));
}

static json_t *text_pattern(const char *pattern)
{
	return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

static json_t *some_text(void)
{
	return json_pack("{s:[s, s], s:i}", "type", "string", "integer", "minLength", 1);
}

static json_t *some_word(void)
{
	return json_pack("{s:[s, s], s:i}", "type", "string", "number", "minLength", 1);
}

static json_t *whole_number(const char *bounds)
{
	json_t *value = json_pack("{s:s}", "type", "integer");
	const char *dots = bounds != NULL ? strstr(bounds, "..") : NULL;
	GR_AUTO_FREE char *least = dots != NULL ? gr_strndup(bounds, (size_t)(dots - bounds)) : NULL;
	int64_t number;

	if (least != NULL && number_parse_int(least, &number))
		(void)json_object_set_new(value, "minimum", json_integer((json_int_t)number));
	if (dots != NULL && number_parse_int(dots + 2, &number))
		(void)json_object_set_new(value, "maximum", json_integer((json_int_t)number));
	return value;
}

/* Durations may be 0, which YAML takes for a number. */
static json_t *duration(const char *pattern)
{
	return json_pack("{s:[{s:i}, o, o]}", "anyOf", "const", 0, text_pattern(pattern), schema_reference("template"));
}

static json_t *list_of(json_t *items)
{
	return json_pack("{s:s, s:o, s:i}", "type", "array", "items", items, "minItems", 1);
}

static json_t *some_map(void)
{
	return json_pack("{s:s}", "type", "object");
}

/* Names of the user's own, each with a value of that kind. */
static json_t *names_of(json_t *value)
{
	return json_pack("{s:s, s:o, s:o}", "type", "object", "propertyNames", text_pattern(NAME_PATTERN),
	        "additionalProperties", value);
}

static json_t *matrix(void)
{
	json_t *object = names_of(or_template(json_pack("{s:s, s:i}", "type", "array", "minItems", 1)));

	json_t *most = schema_form(FORM_INT, "1..10000"), *fast = schema_form(FORM_BOOL, NULL);

	(void)json_object_set_new(most, "description", json_string("How many lanes run at a time; all, if left out."));
	(void)json_object_set_new(
	        fast, "description", json_string("Whether a lane that does not pass stops the others."));
	(void)json_object_set_new(fast, "default", json_false());
	(void)json_object_set_new(
	        object, "properties", json_pack("{s:o, s:o}", "max_parallel", most, "fail_fast", fast));
	return object;
}

static json_t *kinds(void)
{
	json_t *list = json_array();

	for (const struct kind *kind = step_kinds; kind->name != NULL; kind++) {
		if ((kind->flags & KIND_IMPLICIT) == 0 && kind->ops != NULL)
			(void)json_array_append_new(list, json_string(kind->name));
	}
	return json_pack("{s:o}", "enum", list);
}

static json_t *report_file(const char *format)
{
	GR_AUTO_FREE char *help = gr_printf("Where the report '%s' goes, below the output folder.", format);
	json_t *value = schema_form(FORM_TEXT, NULL);

	(void)json_object_set_new(value, "description", json_string(help));
	return value;
}

static json_t *reports(void)
{
	json_t *properties = json_object();
	const char *name;

	for (size_t i = 0; (name = check_report_format(i)) != NULL; i++)
		(void)json_object_set_new(properties, name, report_file(name));
	return json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);
}

json_t *schema_form(enum form form, const char *detail)
{
	switch (form) {
	case FORM_ANY:
		return json_object();
	case FORM_VERSION:
		return json_pack("{s:i}", "const", 1);
	case FORM_TEXT:
		return some_text();
	case FORM_WORD:
		return some_word();
	case FORM_TEMPLATE:
		return schema_reference("template");
	case FORM_NAME:
		return text_pattern(NAME_PATTERN);
	case FORM_BOOL:
		return or_template(json_pack("{s:s}", "type", "boolean"));
	case FORM_INT:
		return or_template(whole_number(detail));
	case FORM_DURATION:
		return duration("^" DURATION "$|^0$");
	case FORM_RANGE:
		return duration("^" DURATION "(\\.\\." DURATION ")?$|^0$");
	case FORM_CHOICE:
		return or_template(json_pack("{s:o}", "enum", schema_words(detail)));
	case FORM_TEXTS:
		return list_of(detail != NULL ? schema_form(FORM_CHOICE, detail) : some_text());
	case FORM_MAP:
		return some_map();
	case FORM_CONDITION:
		return json_pack("{s:[s, s], s:i}", "type", "string", "boolean", "minLength", 1);
	case FORM_CONDITIONS:
		return list_of(schema_form(FORM_CONDITION, NULL));
	case FORM_KIND:
		return kinds();
	case FORM_REPORTS:
		return reports();
	case FORM_MATRIX:
		return matrix();
	case FORM_SECTION:
		return schema_reference(detail);
	case FORM_LIST:
		return list_of(schema_reference(detail));
	case FORM_NAMES:
		return names_of(schema_reference(detail));
	}
	return json_object();
}

static json_t *operations(void)
{
	json_t *list = json_array();

	for (int i = 0; i < OP_COUNT; i++) {
		const struct operation *operation = operation_get((enum operation_id)i);

		(void)json_array_append_new(list, json_string(operation->id));
		if (operation->alias != NULL)
			(void)json_array_append_new(list, json_string(operation->alias));
	}
	return json_pack("{s:o}", "enum", list);
}

/* An id, or a map that says which by one of the keys. */
static json_t *reference_to(bool may_be_id, const char *keys)
{
	json_t *list = json_array(), *names = schema_words(keys), *name;
	size_t i;

	if (may_be_id)
		(void)json_array_append_new(list, some_text());
	else
		(void)json_array_append_new(list, schema_reference("template"));
	json_array_foreach (names, i, name)
		(void)json_array_append_new(list, json_pack("{s:s, s:[O]}", "type", "object", "required", name));
	json_decref(names);
	return json_pack("{s:o}", "anyOf", list);
}

static json_t *texts(void)
{
	return json_pack("{s:[o, {s:s, s:o}]}", "anyOf", some_text(), "type", "array", "items", some_text());
}

static json_t *test_cases(void)
{
	json_t *id = json_pack("{s:[{s:s, s:i}, {s:s, s:s}]}", "anyOf", "type", "integer", "minimum", 0, "type",
	        "string", "pattern", "^[0-9]+$|" TEMPLATE);

	return json_pack("{s:[{s:s, s:i, s:O}, {s:s, s:i, s:o}, o]}", "anyOf", "type", "array", "minItems", 1, "items",
	        id, "type", "object", "minProperties", 1, "additionalProperties", id, schema_reference("template"));
}

/* The choices of a file are its extensions; a pattern says nothing about its own. */
static json_t *file(void)
{
	return json_pack("{s:s, s:i}", "type", "string", "minLength", 1);
}

json_t *schema_field(const struct field *field)
{
	switch (field->type) {
	case TYPE_ANY:
		return json_object();
	case TYPE_NULL:
		return json_pack("{s:s}", "type", "null");
	case TYPE_BOOL:
		return schema_form(FORM_BOOL, NULL);
	case TYPE_INT:
		return schema_form(FORM_INT, NULL);
	case TYPE_REAL:
		return or_template(json_pack("{s:s}", "type", "number"));
	case TYPE_TEXT:
	case TYPE_MODULE:
	case TYPE_SECRET:
		return json_pack("{s:[s, s]}", "type", "string", "integer");
	case TYPE_LIST:
	case TYPE_DEVICES:
		return or_template(json_pack("{s:s}", "type", "array"));
	case TYPE_MAP:
		return or_template(some_map());
	case TYPE_DURATION:
		return schema_form(FORM_DURATION, NULL);
	case TYPE_RANGE:
		return schema_form(FORM_RANGE, NULL);
	case TYPE_SIZE:
		return json_pack("{s:[{s:s, s:i}, o, o]}", "anyOf", "type", "integer", "minimum", 0,
		        text_pattern("^[0-9]+(\\.[0-9]+)? ?[A-Za-z]*$"), schema_reference("template"));
	case TYPE_FILE:
		return file();
	case TYPE_CHOICE:
		return schema_form(FORM_CHOICE, field->choices);
	case TYPE_TEXTS:
		return texts();
	case TYPE_VERSION:
		return reference_to(true, "version_id|id|name");
	case TYPE_BUILD:
		return reference_to(true, "app_build_id|id");
	case TYPE_DEVICE:
		return reference_to(false, "device_id|id");
	case TYPE_TESTCASES:
		return test_cases();
	case TYPE_OPERATION:
		return or_template(operations());
	case TYPE_CONDITION:
		return schema_form(FORM_CONDITION, NULL);
	case TYPE_STEP:
		return schema_reference("template");
	}
	return json_object();
}
