#include "sandbox/scenario.h"

#include <string.h>
#include <yaml.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"

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
	return strlen(text) == event->data.scalar.length ? json_string(text) : NULL;
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

/* The file's keys win; `suites` and `timezones` go together name by name, so that a file need not repeat the others. */
static void merge(json_t *scenario, json_t *given)
{
	static const char *const maps[] = {"suites", "timezones"};
	size_t i;

	for (i = 0; i < GR_COUNT(maps); i++)
		if (json_object_get(given, maps[i]) != NULL)
			(void)json_object_update_missing(
			        json_object_get(given, maps[i]), json_object_get(scenario, maps[i]));
	(void)json_object_update(scenario, given);
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
		merge(scenario, given);
	}
	*ret_scenario = gr_take(&scenario);
	return 0;
}
