/* Values of `with:` against their field's type. Lists and objects are copied on the way: what comes in is never
 * changed. */
#include <math.h>
#include <string.h>

#include "runner/api/operation.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/steps/kind.h"

struct type_row {
	const char *name;
	int (*convert)(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err);
};
static const struct type_row *type_row(enum type type);

const char *type_name(enum type type)
{
	return type_row(type)->name;
}

/* What came, for messages: a text by its words, anything else by its kind. */
static const char *describe(const json_t *value, char words[static 64])
{
	static const char *const kinds[] = {
	        [JSON_OBJECT] = "a mapping",
	        [JSON_ARRAY] = "a list",
	        [JSON_STRING] = "a text",
	        [JSON_INTEGER] = "a whole number",
	        [JSON_REAL] = "a number",
	        [JSON_TRUE] = "true",
	        [JSON_FALSE] = "false",
	        [JSON_NULL] = "null",
	};

	if (json_is_string(value) && json_string_length(value) < 40)
		(void)snprintf(words, 64, "'%s'", json_string_value(value));
	else if (json_is_integer(value))
		(void)snprintf(words, 64, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		(void)snprintf(words, 64, "%.15g", json_real_value(value));
	else
		(void)snprintf(words, 64, "%s", kinds[json_typeof(value)]);
	return words;
}

static int refuse(const struct field *field, const json_t *value, const char *why, struct gr_error *err)
{
	char words[64];

	return gr_fail(err, GR_CONFIG, 0, "'%s' must be %s, not %s%s%s", field->name, type_name(field->type),
	        describe(value, words), why[0] != '\0' ? ": " : "", why);
}

/* A new reference to a value that is never changed afterwards. */
static json_t *share(const json_t *value)
{
	return json_deep_copy(value);
}

/* A text, or a whole number as its digits; NULL for anything else. Reals are refused: 1.10 would become 1.1. */
static json_t *as_text(const json_t *value)
{
	char digits[32];

	if (json_is_string(value))
		return share(value);
	if (!json_is_integer(value))
		return NULL;
	(void)snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return json_string(digits);
}

/* An id: as_text(), but not empty. */
static json_t *as_id(const json_t *value)
{
	json_t *text = as_text(value);

	if (text != NULL && json_string_length(text) == 0) {
		json_decref(text);
		return NULL;
	}
	return text;
}

static int convert_any(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	(void)field;
	(void)err;
	*ret_value = share(value);
	return 0;
}

static int convert_null(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	if (!json_is_null(value))
		return refuse(field, value, "", err);
	*ret_value = share(value);
	return 0;
}

static int convert_bool(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	if (!json_is_boolean(value))
		return refuse(field, value, json_is_string(value) ? "only true and false, without quotes" : "", err);
	*ret_value = share(value);
	return 0;
}

static int convert_int(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	if (!json_is_integer(value))
		return refuse(field, value, json_is_string(value) ? "write it without quotes" : "", err);
	*ret_value = share(value);
	return 0;
}

static int convert_real(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	if (!json_is_number(value))
		return refuse(field, value, "", err);
	*ret_value = json_real(json_number_value(value));
	return 0;
}

static int convert_text(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	json_t *text = as_text(value);

	if (text == NULL)
		return refuse(
		        field, value, json_is_real(value) || json_is_boolean(value) ? "put it in quotes" : "", err);
	if (json_string_length(text) == 0 && (field->flags & FIELD_REQUIRED) != 0) {
		json_decref(text);
		return refuse(field, value, "it must not be empty", err);
	}
	*ret_value = text;
	return 0;
}

static int convert_list(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	if (!json_is_array(value))
		return refuse(field, value, "", err);
	*ret_value = share(value);
	return 0;
}

static int convert_map(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	if (!json_is_object(value))
		return refuse(field, value, "", err);
	*ret_value = share(value);
	return 0;
}

static int convert_duration(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	int64_t ms = 0;

	if (json_is_integer(value) && json_integer_value(value) != 0)
		return refuse(field, value, "it needs a unit (ms, s, m or h)", err);
	if (!json_is_integer(value) && !(json_is_string(value) && number_parse_duration(json_string_value(value), &ms)))
		return refuse(field, value, "", err);
	*ret_value = json_integer(ms);
	return 0;
}

static int convert_range(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	int64_t low = 0, high = 0;

	if (!json_is_string(value) || !number_parse_range(json_string_value(value), &low, &high))
		return refuse(field, value, "", err);
	*ret_value = json_pack("{s:I, s:I}", "low", (json_int_t)low, "high", (json_int_t)high);
	return 0;
}

static int convert_size(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	int64_t bytes = 0;

	if (json_is_integer(value) && json_integer_value(value) >= 0)
		bytes = json_integer_value(value);
	else if (!json_is_string(value) || !number_parse_size(json_string_value(value), &bytes))
		return refuse(field, value, "", err);
	if (bytes == 0)
		return refuse(field, value, "nothing would fit", err);
	*ret_value = json_integer(bytes);
	return 0;
}

/* Is `word` one of "a|b|c"? */
static bool is_choice(const char *choices, const char *word, size_t bytes)
{
	if (bytes == 0 || memchr(word, '|', bytes) != NULL)
		return false;
	for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
		at += *at == '|';
		if (strncmp(at, word, bytes) == 0 && (at[bytes] == '|' || at[bytes] == '\0'))
			return true;
	}
	return false;
}

/* Does the path end with one of the extensions? A pattern whose extension is open may still match such a file. */
static bool has_extension(const char *choices, const char *path)
{
	const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
	const char *dot = strrchr(base, '.');
	char lower[16] = {0};

	if (strpbrk(dot != NULL ? dot : base, "*?[") != NULL)
		return true;
	if (dot == NULL || strlen(dot) >= sizeof(lower))
		return false;
	for (size_t i = 0; dot[i] != '\0'; i++)
		lower[i] = (char)(dot[i] >= 'A' && dot[i] <= 'Z' ? dot[i] - 'A' + 'a' : dot[i]);
	return is_choice(choices, lower, strlen(lower));
}

static int convert_file(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	const char *path = json_string_value(value);
	char words[64];

	if (path == NULL || path[0] == '\0')
		return refuse(field, value, "", err);
	if (field->choices != NULL && !has_extension(field->choices, path))
		return gr_fail(err, GR_CONFIG, 0, "'%s' must name a file that ends with one of %s, not %s", field->name,
		        field->choices, describe(value, words));
	*ret_value = share(value);
	return 0;
}

static int convert_choice(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	char words[64];

	if (!json_is_string(value) || !is_choice(field->choices, json_string_value(value), json_string_length(value)))
		return gr_fail(err, GR_CONFIG, 0, "'%s' must be one of %s, not %s", field->name, field->choices,
		        describe(value, words));
	*ret_value = share(value);
	return 0;
}

static int convert_texts(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	GR_AUTO_JSON json_t *list = json_array();
	json_t *item = NULL;
	size_t i = 0;

	if (!json_is_array(value)) {
		item = as_text(value);
		if (item == NULL)
			return refuse(field, value, "", err);
		(void)json_array_append_new(list, item);
	}
	json_array_foreach (value, i, item) {
		json_t *text = as_text(item);

		if (text == NULL)
			return refuse(field, item, "each entry must be a text", err);
		(void)json_array_append_new(list, text);
	}
	json_array_foreach (list, i, item)
		if (field->choices != NULL &&
		        !is_choice(field->choices, json_string_value(item), json_string_length(item)))
			return gr_fail(err, GR_CONFIG, 0, "'%s' must be a list of %s, not '%s'", field->name,
			        field->choices, json_string_value(item));
	if (json_array_size(list) == 0) /* it would mean all there are: null says that, and is no slip */
		return refuse(field, value, "it must not be empty", err);
	*ret_value = gr_take(&list);
	return 0;
}

/* A reference to something on the server: an object that has one of `keys`
 * ("version_id", "id", "name"; NULL-terminated), whose value becomes a text. */
static int convert_reference(const struct field *field, const json_t *value, const char *const *keys,
        json_t **ret_value, struct gr_error *err)
{
	GR_AUTO_JSON json_t *copy = NULL;

	if (!json_is_object(value))
		return refuse(field, value, "", err);
	for (; *keys != NULL; keys++) {
		json_t *id = as_id(json_object_get(value, *keys));

		if (id == NULL)
			continue;
		copy = share(value);
		(void)json_object_set_new(copy, *keys, id);
		*ret_value = gr_take(&copy);
		return 0;
	}
	return refuse(field, value, "it says neither which by an id nor by a name", err);
}

static int convert_id(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	json_t *id = as_id(value);

	if (id == NULL)
		return refuse(field, value, "", err);
	*ret_value = id;
	return 0;
}

static int convert_version(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	static const char *const keys[] = {"version_id", "id", "name", NULL};

	if (!json_is_object(value))
		return convert_id(field, value, ret_value, err);
	return convert_reference(field, value, keys, ret_value, err);
}

static int convert_build(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	static const char *const keys[] = {"app_build_id", "id", NULL};

	if (!json_is_object(value))
		return convert_id(field, value, ret_value, err);
	return convert_reference(field, value, keys, ret_value, err);
}

static int convert_device(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	static const char *const keys[] = {"device_id", "id", NULL};

	return convert_reference(field, value, keys, ret_value, err);
}

static int convert_devices(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	GR_AUTO_JSON json_t *list = json_array();
	const json_t *item = NULL;
	size_t i = 0;

	if (!json_is_array(value))
		return refuse(field, value, "", err);
	json_array_foreach (value, i, item) {
		json_t *device = NULL;
		int failure = convert_device(field, item, &device, err);

		if (failure != 0)
			return failure;
		(void)json_array_append_new(list, device);
	}
	*ret_value = gr_take(&list);
	return 0;
}

static bool is_digits(const json_t *text)
{
	const char *digits = json_string_value(text);

	return digits != NULL && digits[0] != '\0' && strspn(digits, "0123456789") == strlen(digits);
}

/* One id of a test case into list or map. */
static int add_testcase(
        const struct field *field, const char *name, const json_t *value, json_t *into, struct gr_error *err)
{
	json_t *id = as_id(value);

	if (!is_digits(id)) {
		json_decref(id);
		return refuse(field, value, "ids are whole numbers", err);
	}
	if (name != NULL)
		(void)json_object_set_new(into, name, id);
	else
		(void)json_array_append_new(into, id);
	return 0;
}

static int convert_testcases(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	GR_AUTO_JSON json_t *into = json_is_object(value) ? json_object() : json_array();
	const char *name = NULL;
	json_t *item = NULL;
	size_t i = 0;
	int failure = 0;

	if (!json_is_object(value) && !json_is_array(value))
		return refuse(field, value, "", err);
	if (json_object_size(value) + json_array_size(value) == 0)
		return refuse(field, value, "it must not be empty", err);
	json_array_foreach (value, i, item)
		if (failure == 0)
			failure = add_testcase(field, NULL, item, into, err);
	for (void *at = json_object_iter((json_t *)(uintptr_t)value); at != NULL && failure == 0;
	        at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
		name = json_object_iter_key(at);
		failure = add_testcase(field, name, json_object_iter_value(at), into, err);
	}
	if (failure == 0)
		*ret_value = gr_take(&into);
	return failure;
}

static int convert_operation(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	const char *name = json_string_value(value), *near = NULL;
	const struct operation *operation = NULL;

	if (name == NULL)
		return refuse(field, value, "", err);
	operation = operation_find(name);
	if (operation == NULL) {
		near = operation_suggest(name);
		return gr_fail(err, GR_CONFIG, 0, "'%s': the API has no operation '%s'%s%s%s", field->name, name,
		        near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
	}
	*ret_value = json_string(operation->id);
	return 0;
}

static const struct type_row *type_row(enum type type)
{
	static const struct type_row rows[] = {
	        [TYPE_ANY] = {"anything", convert_any},
	        [TYPE_NULL] = {"null", convert_null},
	        [TYPE_BOOL] = {"true or false", convert_bool},
	        [TYPE_INT] = {"a whole number", convert_int},
	        [TYPE_REAL] = {"a number", convert_real},
	        [TYPE_TEXT] = {"a text", convert_text},
	        [TYPE_LIST] = {"a list", convert_list},
	        [TYPE_MAP] = {"a mapping", convert_map},
	        [TYPE_DURATION] = {"a duration such as 30s", convert_duration},
	        [TYPE_RANGE] = {"a range of durations such as 2s..30s", convert_range},
	        [TYPE_SIZE] = {"a size such as 64MiB", convert_size},
	        [TYPE_FILE] = {"a path", convert_file},
	        [TYPE_CHOICE] = {"one of a few words", convert_choice},
	        [TYPE_TEXTS] = {"a list of texts", convert_texts},
	        [TYPE_SECRET] = {"a secret such as ${{ secrets.NAME }}", convert_text},
	        [TYPE_VERSION] = {"a version (${{ steps.ID }}, a name, an id, { id: } or { name: })", convert_version},
	        [TYPE_BUILD] = {"a build (${{ steps.ID }}, an id or { id: })", convert_build},
	        [TYPE_DEVICE] = {"a device (${{ matrix.device }}, one of devices.NAME or { id: })", convert_device},
	        [TYPE_DEVICES] = {"a list of devices such as ${{ devices.NAME }}", convert_devices},
	        [TYPE_MODULE] = {"a test module's id or name", convert_id},
	        [TYPE_TESTCASES] = {"a list of test case ids, or a mapping of names to ids", convert_testcases},
	        [TYPE_OPERATION] = {"the id of an API operation", convert_operation},
	        [TYPE_CONDITION] = {"a condition", convert_text},
	        [TYPE_STEP] = {"a step such as ${{ steps.ID }}", convert_map},
	};

	return &rows[type];
}

int field_convert(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err)
{
	/* An optional field that is null is as good as left out. */
	if (json_is_null(value) && (field->flags & FIELD_REQUIRED) == 0) {
		*ret_value = json_null();
		return 0;
	}
	return type_row(field->type)->convert(field, value, ret_value, err);
}
