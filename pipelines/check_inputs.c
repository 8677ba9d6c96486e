/* `inputs:` and what the command line gave for them. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

const struct key input_keys[] = {
        {"type", NULL}, {"required", NULL}, {"default", NULL}, {"choices", NULL}, {"description", NULL}, {NULL, NULL}};
static const char *const input_types[] = {"string", "int", "number", "boolean", "file", "choice", NULL};
static const enum type input_type_of[] = {TYPE_TEXT, TYPE_INT, TYPE_REAL, TYPE_BOOL, TYPE_FILE, TYPE_CHOICE};

#define CHOICES_MOST 1000

struct reading {
	struct plan_input *input;
	const struct node *node; /* of the definition */
	const struct node *default_node;
	const char *given; /* "VALUE" of --input NAME=VALUE, or NULL */
	bool is_required;
	char **choices; /* ended by NULL, or NULL */
};

static const char *find_given(const struct check *check, const char *name)
{
	const char *const *inputs = check->options->inputs;
	size_t bytes = strlen(name);

	for (; inputs != NULL && *inputs != NULL; inputs++) {
		if (strncmp(*inputs, name, bytes) == 0 && (*inputs)[bytes] == '=')
			return *inputs + bytes + 1;
	}
	return NULL;
}

static void free_choices(char **choices)
{
	for (size_t i = 0; choices != NULL && choices[i] != NULL; i++)
		gr_free(choices[i]);
	gr_free(choices);
}

static char **read_choices(struct check *check, const struct node *node)
{
	char **choices;

	if (node == NULL)
		return NULL;
	if (node->kind != NODE_LIST || node->count == 0 || node->count > CHOICES_MOST) {
		check_fail(check, node, NULL, "`choices` must be a list of at least one text");
		return NULL;
	}
	choices = gr_alloc(node->count + 1, sizeof(char *));
	for (size_t i = 0; i < node->count; i++) {
		if (!read_text(check, node->items[i], "a choice", &choices[i]))
			choices[i] = gr_strdup("");
	}
	return choices;
}

static json_t *convert_text(const struct reading *reading, const char *text)
{
	int64_t integer;
	double real;

	switch (reading->input->type) {
	case TYPE_INT:
		return number_parse_int(text, &integer) ? json_integer(integer) : NULL;
	case TYPE_REAL:
		return number_parse_real(text, &real) ? json_real(real) : NULL;
	case TYPE_BOOL:
		return strcmp(text, "true") == 0 ? json_true() : strcmp(text, "false") == 0 ? json_false() : NULL;
	case TYPE_ANY:
	case TYPE_NULL:
	case TYPE_TEXT:
	case TYPE_LIST:
	case TYPE_MAP:
	case TYPE_DURATION:
	case TYPE_RANGE:
	case TYPE_SIZE:
	case TYPE_FILE:
	case TYPE_CHOICE:
	case TYPE_TEXTS:
	case TYPE_SECRET:
	case TYPE_VERSION:
	case TYPE_BUILD:
	case TYPE_DEVICE:
	case TYPE_DEVICES:
	case TYPE_MODULE:
	case TYPE_TESTCASES:
	case TYPE_OPERATION:
	case TYPE_CONDITION:
	case TYPE_STEP:
		break;
	}
	return json_string(text);
}

static const char *wanted_words(enum type type)
{
	return type == TYPE_INT    ? "a whole number"
	       : type == TYPE_REAL ? "a number"
	       : type == TYPE_BOOL ? "true or false"
	                           : "text";
}

static json_t *value_from_given(struct check *check, const struct reading *reading)
{
	json_t *value = convert_text(reading, reading->given);

	if (value == NULL)
		check_fail(check, reading->node, NULL, "the input '%s' must be %s, not '%s' (given with --input)",
		        reading->input->name, wanted_words(reading->input->type), reading->given);
	return value;
}

static bool fits_type(enum type type, const json_t *value)
{
	if (type == TYPE_INT)
		return json_is_integer(value);
	if (type == TYPE_REAL)
		return json_is_number(value);
	if (type == TYPE_BOOL)
		return json_is_boolean(value);
	return json_is_string(value);
}

/* A default that comes from the environment is text: it is read as --input is. */
static json_t *value_from_default(struct check *check, const struct reading *reading)
{
	const struct node *node = reading->default_node;
	GR_AUTO_JSON json_t *value = NULL;
	struct gr_error err = {0};

	if (!check_templates(check, node, ROOT_ENV, false))
		return NULL;
	if (node_evaluate(node, check->early, &value, &err) != 0) {
		if (!check->options->inputs_are_optional)
			findings_add_error(check->findings, node_place(node), &err);
		return NULL;
	}
	if (node->template != NULL && json_is_string(value)) {
		json_t *converted = convert_text(reading, json_string_value(value));

		json_decref(value);
		value = converted;
	} else if (json_is_integer(value) && reading->input->type == TYPE_TEXT) {
		json_decref(value);
		value = json_string(node->text);
	}
	if (value != NULL && json_is_null(value) && !reading->is_required)
		return gr_take(&value);
	if (value == NULL || !fits_type(reading->input->type, value)) {
		check_fail(check, node, NULL, "the default of the input '%s' must be %s", reading->input->name,
		        wanted_words(reading->input->type));
		return NULL;
	}
	return gr_take(&value);
}

static json_t *value_missing(struct check *check, const struct reading *reading)
{
	GR_AUTO_FREE char *hint = gr_printf("give it with --input %s=VALUE", reading->input->name);
	struct place place = node_place(reading->node);

	if (reading->is_required && check->options->inputs_are_optional)
		findings_warn(check->findings, place, hint, "the input '%s' is required and was not given",
		        reading->input->name);
	else if (reading->is_required)
		findings_add(check->findings, place, hint, "the input '%s' is required and was not given",
		        reading->input->name);
	check->lacks_inputs = check->lacks_inputs || reading->is_required;
	return json_null();
}

static void check_value(struct check *check, const struct reading *reading)
{
	const char *text = json_string_value(reading->input->value);
	GR_AUTO_FREE char *path = NULL;
	const struct node *place =
	        reading->given == NULL && reading->default_node ? reading->default_node : reading->node;
	GR_AUTO_FREE char *hint = NULL;

	if (text == NULL)
		return;
	if (reading->input->type == TYPE_FILE && check_file(check, place, text, false, &path) && is_pattern(text)) {
		json_decref(reading->input->value);
		reading->input->value = json_string(path);
		return;
	}
	if (reading->input->type != TYPE_CHOICE || reading->choices == NULL)
		return;
	for (size_t i = 0; reading->choices[i] != NULL; i++) {
		if (strcmp(reading->choices[i], text) == 0)
			return;
	}
	if (text_suggest(text, (const char *const *)reading->choices) != NULL)
		hint = gr_printf("did you mean '%s'?", text_suggest(text, (const char *const *)reading->choices));
	check_fail(
	        check, place, hint, "the input '%s' must be one of its choices, not '%s'", reading->input->name, text);
}

/* The definition in long form; false when it cannot be used. */
static void read_definition(struct check *check, struct reading *reading)
{
	const struct node *choices = node_member(reading->node, "choices");
	const struct node *type = node_member(reading->node, "type");
	int index;

	reading->input->type = TYPE_TEXT;
	if (reading->node->kind == NODE_SCALAR && reading->node->is_plain && reading->node->text[0] == '\0')
		return; /* `label:` alone: text without a default */
	if (!check_keys(check, reading->node, "an input", input_keys))
		return;
	index = type != NULL ? read_choice(check, type, "`type`", input_types) : 0;
	if (index >= 0)
		reading->input->type = input_type_of[index];
	if (type == NULL && choices != NULL)
		reading->input->type = TYPE_CHOICE;
	(void)read_bool(check, node_member(reading->node, "required"), "`required`", &reading->is_required);
	reading->default_node = node_member(reading->node, "default");
	reading->choices = read_choices(check, choices);
	if (reading->input->type == TYPE_CHOICE && choices == NULL)
		check_fail(check, reading->node, NULL, "an input of the type choice needs `choices`");
	if (reading->input->type != TYPE_CHOICE && choices != NULL)
		check_fail(check, choices, NULL, "`choices` belongs to an input of the type choice");
	if (reading->default_node != NULL && reading->default_node->kind != NODE_SCALAR) {
		check_fail(check, reading->default_node, NULL, "`default` must be a single value");
		reading->default_node = NULL;
	}
}

static void check_input(struct check *check, const struct node *name, const struct node *node)
{
	struct plan *plan = check->plan;
	struct reading reading = {.node = node};

	plan->inputs = gr_grow(plan->inputs, plan->input_count, sizeof(*plan->inputs));
	reading.input = &plan->inputs[plan->input_count++];
	*reading.input = (struct plan_input){.name = gr_strdup(name->text)};
	(void)check_name(check, name, "the name of an input");
	read_definition(check, &reading);
	reading.given = find_given(check, name->text);
	if (reading.given != NULL)
		reading.input->value = value_from_given(check, &reading);
	else if (reading.default_node != NULL)
		reading.input->value = value_from_default(check, &reading);
	else
		reading.input->value = value_missing(check, &reading);
	check_value(check, &reading);
	if (reading.input->value == NULL)
		reading.input->value = json_null();
	free_choices(reading.choices);
}

/* What was given on the command line and is no input, or is given twice. */
static void check_given(struct check *check)
{
	const char *const *inputs = check->options->inputs;
	const char *names[CHOICES_MOST + 1] = {0};

	for (size_t i = 0; i < check->plan->input_count && i < CHOICES_MOST; i++)
		names[i] = check->plan->inputs[i].name;
	for (size_t i = 0; inputs != NULL && inputs[i] != NULL; i++) {
		GR_AUTO_FREE char *name = gr_strndup(inputs[i], strcspn(inputs[i], "="));
		GR_AUTO_FREE char *hint = NULL;
		bool is_known = false;

		for (size_t j = 0; names[j] != NULL; j++)
			is_known = is_known || strcmp(names[j], name) == 0;
		if (text_suggest(name, names) != NULL)
			hint = gr_printf("did you mean '%s'?", text_suggest(name, names));
		if (!is_known)
			findings_add(check->findings, (struct place){0}, hint,
			        "--input: the pipeline has no input '%s'", name);
		else if (strchr(inputs[i], '=') == NULL)
			findings_add(check->findings, (struct place){0}, NULL,
			        "--input: '%s' has no value; write %s=VALUE", name, name);
		else if (find_given(check, name) != strchr(inputs[i], '=') + 1)
			findings_add(check->findings, (struct place){0}, NULL, "--input: '%s' is given twice", name);
	}
}

void check_inputs(struct check *check, const struct node *node)
{
	json_t *values = json_object();

	if (node != NULL && node->kind != NODE_MAP)
		check_fail(check, node, NULL, "`inputs` must be a map of names and their definitions");
	for (size_t i = 0; node != NULL && node->kind == NODE_MAP && i < node->count; i++)
		check_input(check, node->keys[i], node->items[i]);
	check_given(check);
	for (size_t i = 0; i < check->plan->input_count; i++)
		(void)json_object_set(values, check->plan->inputs[i].name, check->plan->inputs[i].value);
	(void)json_object_set_new(check->early, "inputs", values);
}
