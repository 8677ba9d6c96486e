/* Typed members of maps: each reader says what it wanted when it finds something else. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

#define KEYS_MOST 64

void check_fail(struct check *check, const struct node *node, const char *hint, const char *format, ...)
{
	va_list args;
	GR_AUTO_FREE char *words = NULL;

	va_start(args, format);
	words = gr_vprintf(format, args);
	va_end(args);
	findings_add(check->findings, node_place(node), hint, "%s", words);
}

void check_unknown(struct check *check, const struct node *node, const char *what, const char *const *candidates)
{
	const char *near = text_suggest(node->text, candidates);
	GR_AUTO_BUFFER struct buffer hint = {0};

	if (near != NULL) {
		buffer_printf(&hint, "did you mean '%s'?", near);
	} else {
		buffer_add_text(&hint, "known are");
		for (size_t i = 0; candidates[i] != NULL; i++)
			buffer_printf(&hint, "%s %s", i > 0 ? "," : "", candidates[i]);
	}
	check_fail(check, node, candidates[0] != NULL ? buffer_text(&hint) : NULL, "unknown %s '%s'", what, node->text);
}

void check_later(struct check *check, const struct node *node, const char *what)
{
	check_fail(check, node, NULL, "%s is not in this version of gridlane yet; remove it", what);
}

static const struct key *find_key(const struct key *keys, const char *name)
{
	for (; keys->name != NULL; keys++) {
		if (strcmp(keys->name, name) == 0)
			return keys;
	}
	return NULL;
}

bool check_keys(struct check *check, const struct node *node, const char *what, const struct key *keys)
{
	const char *names[KEYS_MOST] = {0};
	GR_AUTO_FREE char *words = gr_printf("key in %s:", what);
	size_t count = 0;

	if (node->kind != NODE_MAP) {
		check_fail(check, node, NULL, "%s must be a map of keys and values", what);
		return false;
	}
	for (const struct key *key = keys; key->name != NULL && count < KEYS_MOST - 1; key++) {
		if (key->later == NULL)
			names[count++] = key->name;
	}
	for (size_t i = 0; i < node->count; i++) {
		const struct key *key = find_key(keys, node->keys[i]->text);

		if (key == NULL)
			check_unknown(check, node->keys[i], words, names);
		else if (key->later != NULL)
			check_later(check, node->keys[i], key->later);
	}
	return true;
}

json_t *read_early(struct check *check, const struct node *node)
{
	struct gr_error err = {0};
	json_t *value = NULL;

	if (!check_templates(check, node, ROOTS_EARLY, false))
		return NULL;
	if (node_evaluate(node, check->early, &value, &err) == 0)
		return value;
	if (!check->options->inputs_are_optional)
		findings_add_error(check->findings, node_place(node), &err);
	return NULL;
}

/* The value of a scalar; NULL also for the null that a missing input leaves while inputs are optional. */
static json_t *read_scalar(struct check *check, const struct node *node, const char *what, const char *wanted)
{
	json_t *value;

	if (node->kind != NODE_SCALAR) {
		check_fail(check, node, NULL, "%s must be %s, not %s", what, wanted,
		        node->kind == NODE_MAP ? "a map" : "a list");
		return NULL;
	}
	value = read_early(check, node);
	if (json_is_null(value) && node->template != NULL && check->options->inputs_are_optional)
		return NULL;
	return value;
}

static void refuse_value(
        struct check *check, const struct node *node, const char *what, const char *wanted, const json_t *value)
{
	GR_AUTO_FREE char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
	const char *hint = NULL;

	if (json_is_string(value) && strcmp(wanted, "true or false") == 0)
		hint = "only true and false, without quotes";
	if (json_is_boolean(value) || json_is_real(value))
		hint = strcmp(wanted, "text") == 0 ? "put it in quotes" : NULL;
	if (node->template == NULL)
		check_fail(check, node, hint, "%s must be %s, not %s", what, wanted,
		        json_is_null(value) ? "empty" : shown);
	else
		check_fail(check, node, hint, "%s must be %s; this is %s", what, wanted, shown);
}

bool read_text(struct check *check, const struct node *node, const char *what, char **ret)
{
	GR_AUTO_JSON json_t *value = node != NULL ? read_scalar(check, node, what, "text") : NULL;

	if (value == NULL)
		return false;
	if (json_is_integer(value) || (json_is_string(value) && json_string_length(value) > 0)) {
		GR_AUTO_BUFFER struct buffer text = {0};

		(void)value_format(value, &text, NULL);
		gr_free(*ret);
		*ret = buffer_take(&text);
		return true;
	}
	refuse_value(check, node, what, "text", value);
	return false;
}

bool read_bool(struct check *check, const struct node *node, const char *what, bool *ret)
{
	GR_AUTO_JSON json_t *value = node != NULL ? read_scalar(check, node, what, "true or false") : NULL;

	if (value == NULL)
		return false;
	if (!json_is_boolean(value)) {
		refuse_value(check, node, what, "true or false", value);
		return false;
	}
	*ret = json_is_true(value);
	return true;
}

bool read_int(struct check *check, const struct node *node, const char *what, struct bounds bounds, int64_t *ret)
{
	GR_AUTO_JSON json_t *value = node != NULL ? read_scalar(check, node, what, "a whole number") : NULL;

	if (value == NULL)
		return false;
	if (!json_is_integer(value)) {
		refuse_value(check, node, what, "a whole number", value);
		return false;
	}
	if (json_integer_value(value) < bounds.least || json_integer_value(value) > bounds.most) {
		check_fail(check, node, NULL, "%s must lie between %lld and %lld", what, (long long)bounds.least,
		        (long long)bounds.most);
		return false;
	}
	*ret = json_integer_value(value);
	return true;
}

/* Durations may be written as 0, which YAML takes for a number. */
static const char *duration_text(const json_t *value)
{
	if (json_is_integer(value) && json_integer_value(value) == 0)
		return "0";
	return json_is_string(value) ? json_string_value(value) : "";
}

bool read_duration(struct check *check, const struct node *node, const char *what, int64_t *ret_ms)
{
	GR_AUTO_JSON json_t *value = node != NULL ? read_scalar(check, node, what, "a duration such as 30s") : NULL;
	int64_t ms = 0;

	if (value == NULL)
		return false;
	if (json_is_integer(value) && json_integer_value(value) != 0) {
		check_fail(check, node, "units are ms, s, m and h: 90s, 15m", "%s needs a unit", what);
		return false;
	}
	if (!number_parse_duration(duration_text(value), &ms)) {
		refuse_value(check, node, what, "a duration such as 500ms, 30s, 15m or 2h", value);
		return false;
	}
	*ret_ms = ms;
	return true;
}

bool read_range(
        struct check *check, const struct node *node, const char *what, int64_t *ret_low_ms, int64_t *ret_high_ms)
{
	GR_AUTO_JSON json_t *value = node != NULL ? read_scalar(check, node, what, "a range such as 2s..30s") : NULL;

	if (value == NULL)
		return false;
	if (!number_parse_range(duration_text(value), ret_low_ms, ret_high_ms)) {
		refuse_value(check, node, what, "a range of durations such as 2s..30s, the lower one first", value);
		return false;
	}
	return true;
}

int read_choice(struct check *check, const struct node *node, const char *what, const char *const *words)
{
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_BUFFER struct buffer known = {0};
	GR_AUTO_FREE char *hint = NULL;
	const char *near;

	if (!read_text(check, node, what, &text))
		return -1;
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], text) == 0)
			return i;
		buffer_printf(&known, "%s%s", i > 0 ? ", " : "", words[i]);
	}
	near = text_suggest(text, words);
	if (near != NULL)
		hint = gr_printf("did you mean '%s'?", near);
	check_fail(check, node, hint, "%s must be one of %s, not '%s'", what, buffer_text(&known), text);
	return -1;
}

static bool is_name_byte(char c, bool is_first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!is_first && ((c >= '0' && c <= '9') || c == '-'));
}

bool check_name(struct check *check, const struct node *node, const char *what)
{
	bool is_name = node->kind == NODE_SCALAR && node->text[0] != '\0' && strlen(node->text) <= 100;

	for (size_t i = 0; is_name && node->text[i] != '\0'; i++)
		is_name = is_name_byte(node->text[i], i == 0);
	if (!is_name)
		check_fail(check, node, NULL,
		        "%s must begin with a letter or '_' and have only letters, digits, '_' and '-' (100 at most)",
		        what);
	return is_name;
}

bool is_environment_name(const char *name)
{
	bool is_name = is_name_byte(name[0], true);

	for (size_t i = 0; is_name && name[i] != '\0'; i++)
		is_name = is_name_byte(name[i], i == 0) && name[i] != '-';
	return is_name;
}
