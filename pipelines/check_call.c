/* The parameters of `uses: call`, against the operation's row. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/api/request.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define PARAMETERS_MOST 64

static void check_unknown_parameter(struct check *check, const struct operation *operation, const struct node *key)
{
	const char *names[PARAMETERS_MOST] = {0};
	GR_AUTO_FREE char *what = gr_printf("parameter of '%s':", operation->id);
	size_t count = 0;

	for (const struct parameter *at = operation->parameters; at->name != NULL && count < PARAMETERS_MOST - 4;
	        at++) {
		if ((at->flags & PARAMETER_TOKEN) == 0)
			names[count++] = at->name;
	}
	names[count++] = "operation";
	names[count++] = "until";
	names[count++] = "save";
	check_unknown(check, key, what, names);
}

/* Is `word` one of "a|b|c"? */
static bool is_choice(const char *choices, const char *word)
{
	size_t bytes = strlen(word);

	for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
		at += *at == '|';
		if (bytes > 0 && strncmp(at, word, bytes) == 0 && (at[bytes] == '|' || at[bytes] == '\0'))
			return true;
	}
	return false;
}

static bool has_extension(const char *choices, const char *path)
{
	const char *dot = strrchr(path, '.');
	GR_AUTO_FREE char *lower = gr_strdup(dot != NULL ? dot : "");

	for (char *c = lower; *c != '\0'; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
	return is_choice(choices, lower);
}

static void check_parameter_file(
        struct check *check, const struct parameter *parameter, const struct node *node, const char *path)
{
	if (parameter->choices != NULL && !has_extension(parameter->choices, path))
		check_fail(check, node, NULL, "'%s' must name a file that ends with one of %s, not '%s'",
		        parameter->name, parameter->choices, path);
	else if (is_pattern(path))
		check_fail(check, node, NULL, "'%s' must be the path of a file, not a pattern", parameter->name);
	else
		(void)check_file(check, node, path, false, NULL);
}

/* A value that is known before the run. */
static void check_parameter_value(struct check *check, const struct parameter *parameter, const struct node *node)
{
	GR_AUTO_JSON json_t *value = NULL;
	GR_AUTO_FREE char *number = NULL;
	const char *text;

	if (!node_is_static(node, early_names) || node_evaluate(node, check->early, &value, NULL) != 0)
		return;
	if (json_is_integer(value))
		number = gr_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	text = number != NULL ? number : json_string_value(value);
	if ((parameter->flags & PARAMETER_FILE) != 0 && text != NULL)
		check_parameter_file(check, parameter, node, text);
	else if (parameter->choices != NULL && text != NULL && !is_choice(parameter->choices, text))
		check_fail(check, node, NULL, "'%s' must be one of %s, not '%s'", parameter->name, parameter->choices,
		        text);
	else if (json_is_object(value))
		check_fail(check, node, NULL, "'%s' must be text, a number or a list, not a map", parameter->name);
}

static void check_parameter(
        struct check *check, const struct operation *operation, const struct node *key, const struct node *node)
{
	const struct parameter *parameter = operation_parameter(operation, key->text);

	if (parameter == NULL)
		check_unknown_parameter(check, operation, key);
	else if ((parameter->flags & PARAMETER_TOKEN) != 0)
		check_fail(check, key, NULL, "'%s' is filled in by gridlane; remove it", key->text);
	else
		check_parameter_value(check, parameter, node);
}

static const struct operation *known_operation(struct check *check, const struct node *with)
{
	const struct node *node = node_member(with, "operation");
	GR_AUTO_JSON json_t *value = NULL;

	if (node == NULL || !node_is_static(node, early_names) || node_evaluate(node, check->early, &value, NULL) != 0)
		return NULL;
	return json_is_string(value) ? operation_find(json_string_value(value)) : NULL;
}

void check_call(struct check *check, const struct plan_step *step)
{
	const struct node *with = step->with;
	const struct operation *operation = known_operation(check, with);
	GR_AUTO_JSON json_t *given = json_object();
	struct gr_error err = {0};

	for (size_t i = 0; i < with->count; i++) {
		const struct parameter *parameter;

		if (kind_field(step->kind, with->keys[i]->text) != NULL)
			continue;
		if (!check_templates(check, with->items[i], step_roots(check), true) && operation == NULL)
			continue;
		if (operation == NULL)
			continue;
		check_parameter(check, operation, with->keys[i], with->items[i]);
		parameter = operation_parameter(operation, with->keys[i]->text);
		if (parameter != NULL && (parameter->flags & PARAMETER_TOKEN) == 0)
			(void)json_object_set_new(given, parameter->name, json_true());
	}
	if (operation != NULL && step->until != NULL &&
	        (operation->repeat == CLASS_START || operation->repeat == CLASS_MARKED))
		check_fail(check, node_member(with, "operation"),
		        "ask with another operation whether it is done, in a step of its own",
		        "`until` would send '%s' again and again, and each time it makes something new", operation->id);
	if (operation != NULL && request_check_names(operation, given, &err) != 0)
		check_fail(check, node_member(with, "operation"), NULL, "%s", err.text);
}
