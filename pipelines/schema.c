#include "pipelines/schema.h"

#include <stdio.h>
#include <string.h>

#include "pipelines/check.h"
#include "pipelines/schema_value.h"
#include "runner/api/operation.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

struct row {
	const char *section, *key;
	enum form form;
	const char *fallback, *detail, *help;
};
static const struct row rows[] = {
#define KEY(...) {__VA_ARGS__},
#include "pipelines/schema.def"
#undef KEY
};

static const struct example {
	const char *section, *key, *json;
} examples[] = {
#define EXAMPLE(...) {__VA_ARGS__},
#include "pipelines/schema_examples.def"
#undef EXAMPLE
};

struct section {
	const char *name;
	const struct key *keys;
	const char *required; /* "a|b" */
	const char *help;
};
static const struct section sections[] = {
        {"pipeline", top_keys, "version|steps", "A gridlane pipeline."},
        {"input", input_keys, NULL, "An input of the pipeline."},
        {"secret", secret_keys, NULL, "Where a secret comes from: one of env and file."},
        {"server", server_keys, NULL, "The TestGrid server."},
        {"app", app_keys, NULL, "The application, found by name, id or token."},
        {"devices", group_keys, "any_of", "Devices to choose from."},
        {"selector", selector_keys, NULL, "A description of devices."},
        {"defaults", default_keys, NULL, "What steps do when they say nothing else."},
        {"retry", retry_keys, NULL, "Repeating requests after transport trouble."},
        {"poll", poll_keys, NULL, "Waiting for the cloud."},
        {"rerun", rerun_keys, NULL, "Starting failed tests again."},
        {"split", split_keys, NULL, "Spreading a step's tests over the lanes of its matrix."},
        {"history", history_keys, NULL, "What of earlier runs is kept and compared with."},
        {"artifacts", artifact_keys, NULL, "What is kept besides reports."},
        {"webhook", webhook_keys, "url", "Somebody who wants to know how a run ended."},
        {"step", step_keys, NULL, "A step, or a matrix of lanes with steps of their own."},
};

static const struct row *find_row(const char *section, const char *key)
{
	for (size_t i = 0; i < GR_COUNT(rows); i++) {
		if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0)
			return &rows[i];
	}
	return NULL;
}

bool schema_missing(size_t index, const char **ret_section, const char **ret_key)
{
	for (size_t i = 0; i < GR_COUNT(sections); i++) {
		for (const struct key *key = sections[i].keys; key->name != NULL; key++) {
			if (key->later != NULL || find_row(sections[i].name, key->name) != NULL || index-- > 0)
				continue;
			*ret_section = sections[i].name;
			*ret_key = key->name;
			return true;
		}
	}
	return false;
}

/* A $ref may have words beside it (2020-12). */
static json_t *with_words(json_t *value, const char *help, const char *fallback)
{
	(void)json_object_set_new(value, "description", json_string(help));
	if (fallback != NULL)
		(void)json_object_set_new(value, "default", schema_default(fallback));
	return value;
}

static void add_examples(json_t *properties, const char *section)
{
	for (size_t i = 0; i < GR_COUNT(examples); i++) {
		json_t *property = json_object_get(properties, examples[i].key), *list;

		if (strcmp(examples[i].section, section) != 0)
			continue;
		list = json_object_get(property, "examples");
		if (list == NULL) {
			list = json_array();
			(void)json_object_set_new(property, "examples", list);
		}
		(void)json_array_append_new(list, json_loads(examples[i].json, JSON_DECODE_ANY, NULL));
	}
}

bool schema_example(size_t index, const char **ret_section, const char **ret_key, const char **ret_json)
{
	if (index >= GR_COUNT(examples))
		return false;
	*ret_section = examples[index].section;
	*ret_key = examples[index].key;
	*ret_json = examples[index].json;
	return true;
}

static json_t *key_value(const char *section, const char *key)
{
	const struct row *row = find_row(section, key);

	return row == NULL ? json_object() : with_words(schema_form(row->form, row->detail), row->help, row->fallback);
}

static json_t *section_value(const struct section *section)
{
	json_t *properties = json_object(), *object;

	for (const struct key *key = section->keys; key->name != NULL; key++) {
		if (key->later == NULL)
			(void)json_object_set_new(properties, key->name, key_value(section->name, key->name));
	}
	add_examples(properties, section->name);
	object = json_pack("{s:s, s:s, s:o, s:b}", "description", section->help, "type", "object", "properties",
	        properties, "additionalProperties", 0);
	if (section->required != NULL)
		(void)json_object_set_new(object, "required", schema_words(section->required));
	return object;
}

/* ---- step kinds ---- */

static json_t *parameter_names(const struct operation *operation, const struct kind *kind, json_t **ret_required)
{
	json_t *names = json_array();

	for (const struct field *field = kind->fields; field->name != NULL; field++)
		(void)json_array_append_new(names, json_string(field->name));
	for (const struct parameter *at = operation->parameters; at->name != NULL; at++) {
		if ((at->flags & PARAMETER_TOKEN) != 0)
			continue;
		(void)json_array_append_new(names, json_string(at->name));
		if ((at->flags & PARAMETER_REQUIRED) != 0)
			(void)json_array_append_new(*ret_required, json_string(at->name));
	}
	return names;
}

/* Which parameters an operation has. */
static json_t *operation_rule(const struct operation *operation, const struct kind *kind)
{
	json_t *words = json_pack("[s, s*]", operation->id, operation->alias);
	json_t *required = json_array();
	json_t *names = parameter_names(operation, kind, &required);

	return json_pack("{s:{s:{s:{s:o}}, s:[s]}, s:{s:{s:o}, s:o}}", "if", "properties", "operation", "enum", words,
	        "required", "operation", "then", "propertyNames", "enum", names, "required", required);
}

static void add_operations(json_t *object, const struct kind *kind)
{
	json_t *rules = json_array();

	for (int i = 0; i < OP_COUNT; i++)
		(void)json_array_append_new(rules, operation_rule(operation_get((enum operation_id)i), kind));
	(void)json_object_set_new(object, "allOf", rules);
}

static json_t *field_value(const struct field *field)
{
	json_t *value = with_words(schema_field(field), field->help, field->fallback);

	if (field->type == TYPE_FILE && field->choices != NULL)
		(void)json_object_set_new(value, "x-extensions", schema_words(field->choices));
	return value;
}

static json_t *outputs_of(const struct kind *kind)
{
	json_t *outputs = json_object();

	for (const struct field *output = kind->outputs; output != NULL && output->name != NULL; output++)
		(void)json_object_set_new(outputs, output->name, json_string(output->help));
	return outputs;
}

/* `with:` of a kind. Its outputs stand beside its fields, for docs: "x-outputs". */
static json_t *kind_value(const struct kind *kind)
{
	json_t *properties = json_object(), *required = json_array(), *object;
	GR_AUTO_FREE char *name = gr_printf("with_%s", kind->name);

	for (const struct field *field = kind->fields; field->name != NULL; field++) {
		(void)json_object_set_new(properties, field->name, field_value(field));
		if ((field->flags & FIELD_REQUIRED) != 0)
			(void)json_array_append_new(required, json_string(field->name));
	}
	add_examples(properties, name);
	object = json_pack("{s:s, s:s, s:o, s:o, s:o}", "description", kind->summary, "type", "object", "properties",
	        properties, "required", required, "x-outputs", outputs_of(kind));
	if ((kind->flags & KIND_OPEN) != 0)
		add_operations(object, kind);
	else
		(void)json_object_set_new(object, "additionalProperties", json_false());
	return object;
}

static void forbid(json_t *properties, const char *key)
{
	(void)json_object_set_new(properties, key, json_false());
}

/* If the step is of the kind, then `with` has its fields, and keys that would mean nothing are not there. */
static json_t *kind_rule(const struct kind *kind)
{
	GR_AUTO_FREE char *name = gr_printf("with_%s", kind->name);
	json_t *properties = json_pack("{s:o}", "with", schema_reference(name));
	json_t *then = json_pack("{s:o}", "properties", properties);

	for (const struct field *field = kind->fields; field->name != NULL; field++) {
		if ((field->flags & FIELD_REQUIRED) != 0 && json_object_get(then, "required") == NULL)
			(void)json_object_set_new(then, "required", json_pack("[s]", "with"));
	}
	if ((kind->flags & KIND_POLLS) == 0)
		forbid(properties, "poll");
	if (kind_field(kind, "testcases") == NULL)
		forbid(properties, "split");
	if ((kind->flags & KIND_LOCAL) != 0)
		forbid(properties, "retry");
	if ((kind->flags & KIND_RUNS_TESTS) == 0)
		forbid(properties, "on_lost_start");
	if ((kind->flags & KIND_RUNS_TESTS) == 0 || (kind->flags & KIND_POLLS) == 0)
		forbid(properties, "rerun");
	else if (strcmp(kind->name, "native_test") == 0) /* whose tests nobody can select */
		(void)json_object_set_new(properties, "rerun",
		        json_pack("{s:[s], s:{s:{s:b}}}", "required", "failed_only", "properties", "failed_only",
		                "const", 0));
	return json_pack("{s:{s:{s:{s:s}}, s:[s]}, s:o}", "if", "properties", "uses", "const", kind->name, "required",
	        "uses", "then", then);
}

static void add_kinds(json_t *definitions)
{
	json_t *rules = json_array(), *step = json_object_get(definitions, "step");

	for (const struct kind *kind = step_kinds; kind->name != NULL; kind++) {
		GR_AUTO_FREE char *name = gr_printf("with_%s", kind->name);

		if ((kind->flags & KIND_IMPLICIT) != 0 || kind->ops == NULL)
			continue;
		(void)json_object_set_new(definitions, name, kind_value(kind));
		(void)json_array_append_new(rules, kind_rule(kind));
	}
	(void)json_object_set_new(step, "allOf", rules);
	(void)json_object_set_new(step, "oneOf",
	        json_pack("[{s:[s], s:{s:b, s:b}}, {s:[s, s], s:{s:b, s:b}}]", "required", "uses", "properties",
	                "matrix", 0, "steps", 0, "required", "matrix", "steps", "properties", "uses", 0, "with", 0));
}

/* ---- what a section's keys say together ---- */

static void add_rules(json_t *definitions)
{
	json_t *input = json_object_get(definitions, "input"), *app = json_object_get(definitions, "app");
	json_t *selector = json_object_get(definitions, "selector"), *server = json_object_get(definitions, "server");

	(void)json_object_set_new(input, "type", json_pack("[s, s]", "object", "null")); /* `label:` alone */
	(void)json_object_set_new(json_object_get(definitions, "secret"), "oneOf",
	        json_pack("[{s:[s]}, {s:[s]}]", "required", "env", "required", "file"));
	(void)json_object_set_new(app, "anyOf",
	        json_pack("[{s:[s]}, {s:[s]}, {s:[s]}]", "required", "name", "required", "id", "required", "token"));
	(void)json_object_set_new(selector, "minProperties", json_integer(1));
	(void)json_object_set_new(server, "dependentRequired",
	        json_pack("{s:[s], s:[s], s:[s], s:[s]}", "email", "password", "password", "email", "client_cert",
	                "client_key", "client_key", "client_cert"));
	(void)json_object_set_new(
	        server, "not", json_pack("{s:[s, s]}", "required", "token", "email")); /* one way to log in */
}

json_t *schema_make(void)
{
	json_t *definitions = json_object(), *root = section_value(&sections[0]), *schema;

	for (size_t i = 1; i < GR_COUNT(sections); i++)
		(void)json_object_set_new(definitions, sections[i].name, section_value(&sections[i]));
	(void)json_object_set_new(definitions, "template",
	        json_pack("{s:s, s:s, s:s}", "description", "Text with an expression: ${{ ... }}.", "type", "string",
	                "pattern", "\\$\\{\\{"));
	add_rules(definitions);
	add_kinds(definitions);
	schema = json_pack("{s:s, s:s, s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema", "$id",
	        "urn:gridlane:pipeline:1", "title", "gridlane pipeline");
	(void)json_object_update(schema, root);
	json_decref(root);
	(void)json_object_set_new(schema, "patternProperties",
	        json_pack("{s:{s:s}}", "^x-", "description", "Fragments for anchors; read by nobody."));
	(void)json_object_set_new(schema, "$defs", definitions);
	return schema;
}
