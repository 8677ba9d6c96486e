/* `with:` of a step against the fields of its kind. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define FIELDS_MOST 64

static bool is_any_map(enum type type)
{
	return type == TYPE_MAP || type == TYPE_STEP || type == TYPE_DEVICE;
}

static bool is_any_list(enum type type)
{
	return type == TYPE_LIST || type == TYPE_TEXTS || type == TYPE_DEVICES;
}

static bool is_any_text(enum type type)
{
	return type == TYPE_TEXT || type == TYPE_CHOICE || type == TYPE_FILE || type == TYPE_SECRET;
}

/* May a value of the static type `type` stand in a field of the type `wanted`? */
static bool fits(enum type wanted, enum type type)
{
	if (type == TYPE_ANY || type == wanted)
		return true;
	switch (wanted) {
	case TYPE_ANY:
		return true;
	case TYPE_NULL:
	case TYPE_BOOL:
	case TYPE_INT:
	case TYPE_STEP:
		return false;
	case TYPE_REAL:
		return type == TYPE_INT;
	case TYPE_TEXT:
	case TYPE_SECRET:
	case TYPE_MODULE:
		return is_any_text(type) || type == TYPE_INT;
	case TYPE_DURATION:
	case TYPE_RANGE:
	case TYPE_FILE:
	case TYPE_CHOICE:
	case TYPE_OPERATION:
	case TYPE_CONDITION:
		return is_any_text(type);
	case TYPE_SIZE:
		return is_any_text(type) || type == TYPE_INT;
	case TYPE_LIST:
	case TYPE_DEVICES:
		return is_any_list(type) && !(wanted == TYPE_DEVICES && type == TYPE_TEXTS);
	case TYPE_MAP:
		return is_any_map(type);
	case TYPE_TEXTS:
		return type == TYPE_LIST || is_any_text(type) || type == TYPE_INT;
	case TYPE_VERSION:
	case TYPE_BUILD:
		return type == TYPE_STEP || type == TYPE_MAP || is_any_text(type) || type == TYPE_INT;
	case TYPE_DEVICE:
		return type == TYPE_MAP;
	case TYPE_TESTCASES:
		return type == TYPE_LIST || type == TYPE_TEXTS || type == TYPE_MAP;
	}
	return false;
}

/* A step stands for a version or a build only when it makes one. */
static void check_step_reference(
        struct check *check, const struct field *field, const struct node *node, const struct kind *kind)
{
	const char *output = field->type == TYPE_VERSION ? "version_id"
	                     : field->type == TYPE_BUILD ? "app_build_id"
	                                                 : NULL;
	const char *maker = field->type == TYPE_VERSION ? "create_version" : "upload_build";

	if (output == NULL || kind == NULL || kind_output(kind, output) != NULL)
		return;
	check_fail(check, node, NULL, "'%s' needs the outputs of a step such as %s, but this one is a '%s'",
	        field->name, maker, kind->name);
}

/* A value that is known only during the run: its type is not. */
static void check_field_type(struct check *check, const struct field *field, const struct node *node)
{
	struct typed typed = {0};
	const char *hint = NULL;

	if (!check_expression(check, node->template, step_roots(check), node, &typed))
		return;
	if (typed.type == TYPE_NULL && (field->flags & FIELD_REQUIRED) == 0)
		return;
	if (!fits(field->type, typed.type)) {
		if (field->type == TYPE_DEVICE && typed.type == TYPE_DEVICES)
			hint = "take one of them: [0], or a matrix over all of them";
		check_fail(check, node, hint, "'%s' must be %s; this is %s", field->name, type_name(field->type),
		        type_name(typed.type));
		return;
	}
	if (typed.type == TYPE_STEP)
		check_step_reference(check, field, node, names_step_kind(typed.context));
}

/* A pattern says nothing about the extension; the file that it matches does. */
static void check_field_file(
        struct check *check, const struct field *field, const struct node *node, const char *pattern)
{
	GR_AUTO_FREE char *path = NULL;
	GR_AUTO_JSON json_t *found = NULL;
	GR_AUTO_JSON json_t *converted = NULL;

	if (!check_file(check, node, pattern, false, &path))
		return;
	if (is_pattern(pattern))
		node_set_text(node, path); /* what was checked is what is sent, whatever appears beside it meanwhile */
	found = json_string(path);
	if (found != NULL && field_convert(field, found, &converted, NULL) != 0)
		check_fail(check, node, NULL,
		        "'%s' must name a file that ends with one of %s, but '%s' is what it matches", field->name,
		        field->choices, path);
}

static void check_field_value(struct check *check, const struct field *field, const struct node *node)
{
	GR_AUTO_JSON json_t *value = NULL;
	GR_AUTO_JSON json_t *converted = NULL;
	struct gr_error err = {0};
	bool is_fixed = !node_has_template(node);

	if (node_evaluate(node, check->early, &value, &err) != 0) {
		if (!check->options->inputs_are_optional)
			findings_add_error(check->findings, node_place(node), &err);
		return;
	}
	if (!is_fixed && json_is_null(value) && (check->options->inputs_are_optional || check->lacks_inputs))
		return;
	if (json_is_null(value) && (field->flags & FIELD_REQUIRED) != 0) {
		check_fail(check, node, NULL, "'%s' is required and must not be empty", field->name);
		return;
	}
	if (field_convert(field, value, &converted, &err) != 0)
		check_fail(check, node, NULL, "%s", err.text);
	else if (field->type == TYPE_FILE && json_is_string(converted))
		check_field_file(check, field, node, json_string_value(converted));
}

/* Of a list of texts that is known only in parts, those whose type is. */
static void check_entries(struct check *check, const struct field *field, const struct node *list)
{
	struct typed typed;

	for (size_t i = 0; i < list->count; i++) {
		const struct node *entry = list->items[i];

		typed = (struct typed){.type = entry->template != NULL ? TYPE_ANY : check_type_of(entry)};
		if (entry->template != NULL &&
		        !check_expression(check, entry->template, step_roots(check), entry, &typed))
			continue;
		if (!fits(TYPE_TEXT, typed.type) || entry->kind != NODE_SCALAR)
			check_fail(check, entry, "format('{0}', ...) makes text of any value",
			        "each entry of '%s' must be text; this is %s", field->name,
			        entry->kind == NODE_LIST  ? "a list"
			        : entry->kind == NODE_MAP ? "a map"
			                                  : type_name(typed.type));
	}
}

/* Only parts of the value are known: at least its shape. */
static void check_field_shape(struct check *check, const struct field *field, const struct node *node)
{
	enum type shape = node->kind == NODE_LIST ? TYPE_LIST : TYPE_MAP;

	if (!fits(field->type, shape))
		check_fail(check, node, NULL, "'%s' must be %s, not %s", field->name, type_name(field->type),
		        type_name(shape));
	else if (field->type == TYPE_TEXTS && node->kind == NODE_LIST)
		check_entries(check, field, node);
}

/* Environment variables of a command. */
static void check_environment(struct check *check, const struct node *node)
{
	for (size_t i = 0; node->kind == NODE_MAP && i < node->count; i++) {
		if (!is_environment_name(node->keys[i]->text))
			check_fail(check, node->keys[i], NULL, "'%s' cannot be the name of an environment variable",
			        node->keys[i]->text);
		if (node->items[i]->kind != NODE_SCALAR)
			check_fail(check, node->items[i], NULL, "the value of '%s' must be text", node->keys[i]->text);
	}
}

static void check_field(struct check *check, struct plan_step *step, const struct field *field, const struct node *node)
{
	if (field->type == TYPE_CONDITION) {
		expression_free(step->until);
		step->until = check_condition(check, node, step_roots(check) | ROOT_ANSWER, "`until`");
		return;
	}
	if (!check_templates(check, node, step_roots(check), (field->flags & FIELD_SECRET_OK) != 0))
		return;
	if ((step->kind->flags & KIND_LOCAL) != 0 && strcmp(field->name, "env") == 0)
		check_environment(check, node);
	if (node_is_static(node, early_names))
		check_field_value(check, field, node);
	else if (node->template != NULL)
		check_field_type(check, field, node);
	else
		check_field_shape(check, field, node);
}

static void check_unknown_field(struct check *check, const struct kind *kind, const struct node *key)
{
	const char *names[FIELDS_MOST] = {0};
	GR_AUTO_FREE char *what = gr_printf("field of '%s':", kind->name);

	for (size_t i = 0; i < FIELDS_MOST - 1 && kind->fields[i].name != NULL; i++)
		names[i] = kind->fields[i].name;
	check_unknown(check, key, what, names);
}

static void check_required(
        struct check *check, const struct kind *kind, const struct node *with, const struct node *place)
{
	for (const struct field *field = kind->fields; field->name != NULL; field++) {
		GR_AUTO_FREE char *hint = NULL;

		if ((field->flags & FIELD_REQUIRED) == 0 || node_member(with, field->name) != NULL)
			continue;
		hint = gr_printf("%s: %s", field->name, field->help);
		check_fail(check, place, hint, "'%s' needs '%s' in its `with`", kind->name, field->name);
	}
}

static void check_upload_rule(struct check *check, const struct node *with, const struct node *place)
{
	const struct node *direct = node_member(with, "direct");

	if (node_member(with, "version") == NULL && (direct == NULL || node_is(direct, "false")))
		check_fail(check, place, "version: ${{ steps.ID }} of a create_version step, or direct: true",
		        "'upload_build' needs 'version' in its `with`, unless it is direct");
}

static void check_native_rule(struct check *check, const struct node *with)
{
	const struct node *file = node_member(with, "file");
	const char *platform = check->plan->app_platform;

	if (file == NULL || file->kind != NODE_SCALAR || file->template != NULL)
		return;
	if (text_equal(platform, "android") && text_has_suffix_nocase(file->text, ".zip"))
		check_fail(check, file, NULL, "an Android app is tested with an Espresso .apk, not with a .zip");
	if (text_equal(platform, "ios") && text_has_suffix_nocase(file->text, ".apk"))
		check_fail(check, file, NULL, "an iOS app is tested with an XCUITest .zip, not with an .apk");
}

/* No shell takes a command line apart: one text would be the name of a program with blanks in it. */
static void check_command_rule(struct check *check, const struct node *with)
{
	const struct node *command = node_member(with, "command");

	if (command != NULL && command->kind == NODE_SCALAR && command->template == NULL &&
	        strchr(command->text, ' ') != NULL)
		check_fail(check, command, "write command: [program, argument, ...], or [sh, -c, \"...\"] for a shell",
		        "'command' is a list: the program and each of its arguments");
}

/* Fields that nobody would look at, beside another (which has that value, or any): what they ask for would not be done,
 * and nothing would say so. */
static const struct vain {
	const char *kind, *field, *beside, *value;
} vain[] = {
        {"appium", "platform", "device", NULL},
        {"appium", "device_name", "device", NULL},
        {"appium", "os_version", "device", NULL},
        {"appium", "device_tag", "device", NULL},
        {"appium", "manufactured_by", "device", NULL},
        {"appium", "wait", "device", NULL},
        {"release_device", "device", "reservation", NULL},
        {"upload_build", "version", "direct", "true"},
        {"upload_build", "name", "direct", "true"},
        {"upload_build", "bundle_identifier", "direct", "true"},
        {"install", "disable_secure_flag", "mode", "async"},
        {"install", "disable_secure_flag", "mode", "direct"},
};

static void check_vain(struct check *check, const struct plan_step *step)
{
	for (size_t i = 0; i < GR_COUNT(vain); i++) {
		const struct vain *row = &vain[i];
		const struct node *field = node_member(step->with, row->field);
		const struct node *beside = node_member(step->with, row->beside);

		if (strcmp(row->kind, step->kind->name) != 0 || field == NULL || node_is(field, "false") ||
		        beside == NULL || (row->value != NULL && !node_is(beside, row->value)))
			continue;
		check_fail(check, field, NULL, "'%s' means nothing beside '%s%s%s'", row->field, row->beside,
		        row->value != NULL ? ": " : "", row->value != NULL ? row->value : "");
	}
}

/* Rules that a table of fields cannot say. */
static void check_rules(struct check *check, const struct plan_step *step, const struct node *place)
{
	check_vain(check, step);
	if ((step->kind->flags & KIND_LOCAL) != 0)
		check_command_rule(check, step->with);
	if (strcmp(step->kind->name, "upload_build") == 0)
		check_upload_rule(check, step->with, place);
	if (strcmp(step->kind->name, "native_test") == 0)
		check_native_rule(check, step->with);
	if (strcmp(step->kind->name, "release_device") == 0 && node_member(step->with, "device") == NULL &&
	        node_member(step->with, "reservation") == NULL)
		check_fail(check, place, NULL, "'release_device' needs 'device' or 'reservation' in its `with`");
}

static void check_with(struct check *check, struct plan_step *step, const struct node *with)
{
	for (size_t i = 0; i < with->count; i++) {
		const struct node *key = with->keys[i];
		const struct field *field = kind_field(step->kind, key->text);

		if (field != NULL)
			check_field(check, step, field, with->items[i]);
		else if ((step->kind->flags & KIND_OPEN) == 0)
			check_unknown_field(check, step->kind, key);
	}
}

/* Espresso tests are started with a build and a device alone; XCUITest needs the application. */
static bool is_espresso(const struct check *check, const struct kind *kind, const struct node *with)
{
	const struct node *file = node_member(with, "file");

	if (strcmp(kind->name, "native_test") != 0 || file == NULL || file->kind != NODE_SCALAR)
		return false;
	return text_has_suffix_nocase(file->text, ".apk") ||
	       (!text_has_suffix_nocase(file->text, ".zip") && text_equal(check->plan->app_platform, "android"));
}

/* Direct uploads and installs go without an application. */
static void check_app_use(
        struct check *check, const struct kind *kind, const struct node *with, const struct node *place)
{
	if ((kind->flags & KIND_NEEDS_APP) == 0 || node_is(node_member(with, "direct"), "true") ||
	        node_is(node_member(with, "mode"), "direct") || is_espresso(check, kind, with))
		return;
	if (!check->plan->has_app && !check->uses_app)
		check_fail(check, place, "add: app: { name: NAME, platform: android }",
		        "'%s' needs the pipeline's `app:`", kind->name);
	names_use_app(check);
}

void check_fields(struct check *check, struct plan_step *step, const struct node *step_node)
{
	const struct node *with = node_member(step_node, "with"), *uses = node_member(step_node, "uses");

	if (with != NULL && with->kind != NODE_MAP) {
		check_fail(check, with, NULL, "`with` must be a map of fields and values");
		return;
	}
	check_app_use(check, step->kind, with, uses);
	step->with = with;
	if (with != NULL)
		check_with(check, step, with);
	check_required(check, step->kind, with, uses);
	check_rules(check, step, uses);
	if ((step->kind->flags & KIND_OPEN) != 0 && with != NULL)
		check_call(check, step);
}
