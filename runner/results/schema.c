/* The JSON Schema of results.json, made from the same tables as the file itself. */
#include "runner/results/record.h"

static json_t *type_of(const char *type)
{
	return json_pack("{s:s}", "type", type);
}

static json_t *word_value(const struct record_words *words)
{
	json_t *list = json_array();

	for (int i = 0; i < words->count; i++)
		(void)json_array_append_new(list, json_string(words->name(i)));
	return json_pack("{s:o}", "enum", list);
}

static json_t *object_value(const struct record *record);

static json_t *field_value(const struct record_field *field)
{
	switch (field->type) {
	case RECORD_TEXT:
		return type_of("string");
	case RECORD_INT64:
	case RECORD_UNSIGNED:
	case RECORD_INT:
		return type_of("integer");
	case RECORD_KNOWN:
		return json_pack("{s:[s, s], s:i}", "type", "integer", "null", "minimum", 0);
	case RECORD_BOOL:
		return type_of("boolean");
	case RECORD_WORD:
		return word_value(field->words);
	case RECORD_JSON:
		return type_of("object");
	case RECORD_OBJECT:
		return object_value(field->record);
	case RECORD_LIST:
		return json_pack("{s:s, s:o}", "type", "array", "items", object_value(field->record));
	}
	return json_object();
}

/* As deep as the model is. What has no value is left out; all else is always there. */
static json_t *object_value(const struct record *record)
{
	json_t *properties = json_object(), *required = json_array();

	for (const struct record_field *field = record->fields; field->key; field++) {
		(void)json_object_set_new(properties, field->key, field_value(field));
		if (field->type != RECORD_TEXT && field->type != RECORD_JSON)
			(void)json_array_append_new(required, json_string(field->key));
	}
	return json_pack("{s:s, s:o, s:o}", "type", "object", "properties", properties, "required", required);
}

json_t *results_schema(void)
{
	json_t *schema = json_pack("{s:s, s:s, s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema", "$id",
	        "urn:gridlane:results:1", "title", "results.json of gridlane");
	json_t *object = object_value(&results_record), *properties = json_object_get(object, "properties");

	(void)json_object_set_new(properties, "version", json_pack("{s:i}", "const", RESULTS_VERSION));
	(void)json_object_set_new(properties, "totals",
	        json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties", "type", "integer"));
	(void)json_array_append_new(json_object_get(object, "required"), json_string("version"));
	(void)json_array_append_new(json_object_get(object, "required"), json_string("totals"));
	(void)json_object_update(schema, object);
	json_decref(object);
	return schema;
}
