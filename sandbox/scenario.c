#include "sandbox/scenario.h"

#include <string.h>
#include <yaml.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "sandbox/faults.h"
#include "sandbox/files.h"
#include "sandbox/routes.h"

#define DEPTH_MOST 16
#define BYTES_MOST ((size_t)4 * 1024 * 1024)

struct reading {
	const char *name;
	json_t *stack[DEPTH_MOST]; /* borrowed: each is held by the one below, the lowest by root */
	char *keys[DEPTH_MOST]; /* the key that waits for its value, of each mapping */
	size_t depth;
	json_t *root;
	struct gr_error *err;
};

static int reading_fail(struct reading *reading, yaml_mark_t mark, const char *words)
{
	return gr_fail(
	        reading->err, GR_CONFIG, 0, "%s:%zu:%zu: %s", reading->name, mark.line + 1, mark.column + 1, words);
}

/* A plain scalar is what YAML 1.2's core schema makes of it; a quoted one is text. */
static json_t *scalar_value(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	int64_t whole;
	double real;

	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		if (*text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
			return json_null();
		if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
			return json_boolean(*text == 't');
		if (number_parse_int(text, &whole))
			return json_integer(whole);
		if (number_parse_real(text, &real))
			return json_real(real);
	}
	return json_stringn(text, event->data.scalar.length);
}

/* Steals value. */
static int reading_put(struct reading *reading, yaml_mark_t mark, json_t *value)
{
	json_t *top = reading->depth > 0 ? reading->stack[reading->depth - 1] : NULL;
	GR_AUTO_FREE char *key = NULL;

	if (value == NULL)
		return reading_fail(reading, mark, "the text is not UTF-8 or holds a NUL");
	if (top == NULL) {
		reading->root = value;
		return 0;
	}
	if (json_is_array(top))
		return json_array_append_new(top, value);
	key = gr_take(&reading->keys[reading->depth - 1]);
	if (json_object_get(top, key) != NULL) {
		json_decref(value);
		return reading_fail(reading, mark, "the key is there twice");
	}
	return json_object_set_new(top, key, value);
}

/* In a mapping whose key is still to come, a scalar is the key. */
static bool reading_wants_key(const struct reading *reading)
{
	return reading->depth > 0 && json_is_object(reading->stack[reading->depth - 1]) &&
	       reading->keys[reading->depth - 1] == NULL;
}

static int reading_open(struct reading *reading, yaml_mark_t mark, json_t *value)
{
	if (reading->depth == DEPTH_MOST || reading_wants_key(reading)) {
		json_decref(value);
		return reading_fail(reading, mark, "nested too deeply, or a key that is no text");
	}
	if (reading_put(reading, mark, value) != 0)
		return -GR_CONFIG;
	reading->stack[reading->depth++] = value;
	return 0;
}

static int reading_scalar(struct reading *reading, const yaml_event_t *event)
{
	if (reading_wants_key(reading)) {
		reading->keys[reading->depth - 1] =
		        gr_strndup((const char *)event->data.scalar.value, event->data.scalar.length);
		return 0;
	}
	return reading_put(reading, event->start_mark, scalar_value(event));
}

static int reading_event(struct reading *reading, const yaml_event_t *event)
{
	if (event->type == YAML_ALIAS_EVENT)
		return reading_fail(reading, event->start_mark, "aliases are not read here");
	if (event->type == YAML_MAPPING_START_EVENT)
		return reading_open(reading, event->start_mark, json_object());
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return reading_open(reading, event->start_mark, json_array());
	if (event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT)
		reading->depth--;
	if (event->type == YAML_SCALAR_EVENT)
		return reading_scalar(reading, event);
	if (event->type == YAML_DOCUMENT_START_EVENT && reading->root != NULL)
		return reading_fail(reading, event->start_mark, "a second document");
	return 0;
}

static int reading_all(struct reading *reading, yaml_parser_t *parser)
{
	bool is_end = false;

	while (!is_end) {
		yaml_event_t event;
		int rc = 0;

		if (!yaml_parser_parse(parser, &event))
			return reading_fail(
			        reading, parser->problem_mark, parser->problem != NULL ? parser->problem : "not YAML");
		is_end = event.type == YAML_STREAM_END_EVENT;
		rc = reading_event(reading, &event);
		yaml_event_delete(&event);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int scenario_parse(const char *yaml, size_t bytes, const char *name, json_t **ret_json, struct gr_error *err)
{
	struct reading reading = {.name = name, .err = err};
	yaml_parser_t parser;
	int rc;

	if (!yaml_parser_initialize(&parser))
		return gr_fail(err, GR_INTERNAL, 0, "%s: no memory for the YAML reader", name);
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, bytes);
	rc = reading_all(&reading, &parser);
	yaml_parser_delete(&parser);
	while (reading.depth > 0)
		gr_free(reading.keys[--reading.depth]);
	if (rc == 0 && reading.root == NULL)
		reading.root = json_object();
	if (rc == 0 && !json_is_object(reading.root))
		rc = gr_fail(err, GR_CONFIG, 0, "%s: the top must be a mapping", name);
	if (rc != 0) {
		json_decref(reading.root);
		return rc;
	}
	*ret_json = reading.root;
	return 0;
}

/* Each top-level key: where it stands with its kind, and for lists and maps of maps the keys that their entries may
 * have. */
struct known {
	const char *key;
	char kind; /* l list of maps, m map of lists of maps, w word, n number, b boolean, t map of numbers */
	const char *keys; /* of entries, or the words that may stand there */
};

#define TEST_KEYS " id name repeat outcome seconds reason flaky data status tags "

static const struct known known[] = {
        {"seed", 'n', NULL},
        {"token", 'w', NULL},
        {"time_scale", 'n', NULL},
        {"queue_seconds", 'n', NULL},
        {"install_seconds", 'n', NULL},
        {"next_build_id", 'n', NULL},
        {"next_native_id", 'n', NULL},
        {"errors", 'w', " answer http "},
        {"build_number_is", 'w', " build_version build_id "},
        {"types", 'w', " documented text numbers mixed "},
        {"single", 'w', " object list "},
        {"empty", 'w', " list object text absent refused "},
        {"nested_lists", 'w', " text list "},
        {"native_status", 'w', " text number "},
        {"completed_flag", 'w', " normal absent early "},
        {"devices_shape", 'w', " data devices by_platform "},
        {"execution_top", 'w', " plain data "},
        {"busy_device", 'w', " queue refuse "},
        {"reservation_status", 'w', " Accepted Pending Rejected "},
        {"tokens_in_answers", 'b', NULL},
        {"timezones", 't', NULL},
        {"users", 'l', " id email password name token "},
        {"applications", 'l', " id name platform token versions old_builds "},
        {"modules", 'l', " id name application platform suite tests run stop_after queue_seconds "},
        {"suites", 'm', TEST_KEYS},
        {"native", 'l', " match platform all passed failed seconds queue_seconds log status tests recording "},
        {"devices", 'l',
                " id name platform os manufacturer udid s_device tags flags reserved_by install reason offline_from "
                "offline_until "},
        {"overrides", 'l', " device module test outcome reason seconds status "},
        {"faults", 'l',
                " operation call from until kind status headers body url bytes seconds where count device work "},
};

static const struct known *known_find(const char *key)
{
	size_t i;

	for (i = 0; i < GR_COUNT(known); i++)
		if (strcmp(known[i].key, key) == 0)
			return &known[i];
	return NULL;
}

static bool words_have(const char *words, const char *word)
{
	GR_AUTO_FREE char *padded = gr_printf(" %s ", word);

	return strchr(word, ' ') == NULL && strstr(words, padded) != NULL;
}

static int entries_check(const struct known *row, const json_t *list, const char *name, struct gr_error *err)
{
	size_t i;
	json_t *entry;
	const char *key;
	json_t *value;

	if (!json_is_array(list))
		return gr_fail(err, GR_CONFIG, 0, "%s: '%s' must be a list", name, row->key);
	json_array_foreach (list, i, entry) {
		if (!json_is_object(entry))
			return gr_fail(err, GR_CONFIG, 0, "%s: '%s': each entry must be a mapping", name, row->key);
		json_object_foreach (entry, key, value)
			if (!words_have(row->keys, key))
				return gr_fail(
				        err, GR_CONFIG, 0, "%s: '%s': the key '%s' is not known", name, row->key, key);
	}
	return 0;
}

static int map_check(const struct known *row, json_t *map, const char *name, struct gr_error *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(map))
		return gr_fail(err, GR_CONFIG, 0, "%s: '%s' must be a mapping", name, row->key);
	json_object_foreach (map, key, value) {
		if (row->kind == 't' && !json_is_number(value))
			return gr_fail(err, GR_CONFIG, 0, "%s: '%s': '%s' must be a number", name, row->key, key);
		if (row->kind == 'm' && entries_check(row, value, name, err) != 0)
			return -GR_CONFIG;
	}
	return 0;
}

static int value_check(const struct known *row, json_t *value, const char *name, struct gr_error *err)
{
	if (row->kind == 'l')
		return entries_check(row, value, name, err);
	if (row->kind == 'm' || row->kind == 't')
		return map_check(row, value, name, err);
	if (row->kind == 'n' && (!json_is_number(value) || json_number_value(value) < 0))
		return gr_fail(err, GR_CONFIG, 0, "%s: '%s' must be a number", name, row->key);
	if (row->kind == 'b' && !json_is_boolean(value))
		return gr_fail(err, GR_CONFIG, 0, "%s: '%s' must be true or false", name, row->key);
	if (row->kind == 'w' && !json_is_string(value))
		return gr_fail(err, GR_CONFIG, 0, "%s: '%s' must be text", name, row->key);
	if (row->kind == 'w' && row->keys != NULL && !words_have(row->keys, json_string_value(value)))
		return gr_fail(err, GR_CONFIG, 0, "%s: '%s' is one of:%s", name, row->key, row->keys);
	return 0;
}

static int faults_check(const json_t *faults, const char *name, struct gr_error *err)
{
	size_t i;
	json_t *fault;

	json_array_foreach (faults, i, fault) {
		const char *kind = json_string_value(json_object_get(fault, "kind"));
		const char *operation = json_string_value(json_object_get(fault, "operation"));

		if (kind == NULL || !fault_kind_is_known(kind))
			return gr_fail(err, GR_CONFIG, 0, "%s: faults: the kind '%s' is not known", name,
			        kind != NULL ? kind : "");
		if (operation != NULL && route_of_id(operation) == NULL && !file_route_is_known(operation))
			return gr_fail(
			        err, GR_CONFIG, 0, "%s: faults: the operation '%s' is not known", name, operation);
	}
	return 0;
}

static int scenario_check(json_t *scenario, const char *name, struct gr_error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach (scenario, key, value) {
		const struct known *row = known_find(key);

		if (row == NULL)
			return gr_fail(err, GR_CONFIG, 0, "%s: the key '%s' is not known", name, key);
		if (value_check(row, value, name, err) != 0)
			return -GR_CONFIG;
	}
	return faults_check(json_object_get(scenario, "faults"), name, err);
}

static int load_default(json_t **ret_scenario, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	GR_AUTO_JSON json_t *scenario = NULL;
	size_t i;

	for (i = 0; scenario_default[i] != NULL; i++)
		buffer_add_text(&text, scenario_default[i]);
	if (scenario_parse(buffer_text(&text), text.bytes, "built-in scenario", &scenario, err) != 0 ||
	        scenario_check(scenario, "built-in scenario", err) != 0)
		return -GR_CONFIG;
	*ret_scenario = gr_take(&scenario);
	return 0;
}

int scenario_load(const char *file, json_t **ret_scenario, struct gr_error *err)
{
	GR_AUTO_JSON json_t *scenario = NULL;
	GR_AUTO_JSON json_t *given = NULL;
	GR_AUTO_BUFFER struct buffer text = {0};

	if (load_default(&scenario, err) != 0)
		return -GR_CONFIG;
	if (file != NULL) {
		if (file_read(file, BYTES_MOST, GR_CONFIG, &text, err) != 0 ||
		        scenario_parse(buffer_text(&text), text.bytes, file, &given, err) != 0 ||
		        scenario_check(given, file, err) != 0)
			return -GR_CONFIG;
		(void)json_object_update(scenario, given);
	}
	*ret_scenario = gr_take(&scenario);
	return 0;
}
