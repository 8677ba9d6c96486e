#include "runner/api/request.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "runner/api/handle.h"
#include "runner/api/request_path.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

/* Bytes shown of a name or a value that is wrong. */
#define SHOWN_BYTES 60

/* All that is wrong with one set of arguments, as one text. */
struct problems {
	const struct operation *operation;
	struct buffer text;
};

/* jansson's iteration takes no const object although it leaves it alone. */
static json_t *iterable(const json_t *object)
{
	return (json_t *)(uintptr_t)object;
}

static void problem_begin(struct problems *problems)
{
	if (problems->text.bytes)
		buffer_add_text(&problems->text, "; ");
}

static void problem_add(struct problems *problems, const char *name, const char *words)
{
	problem_begin(problems);
	buffer_add_text(&problems->text, "parameter '");
	text_excerpt(&problems->text, name, strlen(name), SHOWN_BYTES);
	buffer_printf(&problems->text, "' %s", words);
}

static int problems_end(struct problems *problems, struct gr_error *err)
{
	int rc = 0;

	if (problems->text.bytes)
		rc = gr_fail(err, GR_CONFIG, 0, "operation '%s': %s", problems->operation->id, problems->text.data);
	buffer_release(&problems->text);
	return rc;
}

/* ---- names ---- */

static const char *parameter_suggest(const struct operation *operation, const char *name)
{
	const char *const *names;
	GR_AUTO_FREE const char **list = NULL;
	size_t count = 0;

	for (const struct parameter *parameter = operation->parameters; parameter->name; parameter++) {
		if (parameter->flags & PARAMETER_TOKEN)
			continue;
		list = gr_grow(list, count, sizeof(*list));
		list[count++] = parameter->name;
	}
	list = gr_grow(list, count, sizeof(*list));
	list[count] = NULL;
	names = list;
	return text_suggest(name, names);
}

static void check_known(struct problems *problems, const char *name)
{
	const struct parameter *parameter = operation_parameter(problems->operation, name);
	const char *near;

	if (parameter && !(parameter->flags & PARAMETER_TOKEN))
		return;
	if (parameter) {
		problem_add(problems, name, "is filled in by the runner: leave it out");
		return;
	}
	near = parameter_suggest(problems->operation, name);
	problem_add(problems, name, "is not known");
	if (near)
		buffer_printf(&problems->text, " (did you mean '%s'?)", near);
}

static bool is_given(const json_t *given, const char *name, bool null_counts)
{
	const json_t *value = json_object_get(given, name);

	if (!value)
		return false;
	return null_counts || (!json_is_null(value) && !(json_is_array(value) && json_array_size(value) == 0));
}

/* Of the parameters with PARAMETER_ONE_OF one is enough. */
static void check_one_of(struct problems *problems, const json_t *given, bool null_counts)
{
	const char *separator = "one of '";

	for (const struct parameter *p = problems->operation->parameters; p->name; p++)
		if ((p->flags & PARAMETER_ONE_OF) && is_given(given, p->name, null_counts))
			return;
	for (const struct parameter *p = problems->operation->parameters; p->name; p++) {
		if (!(p->flags & PARAMETER_ONE_OF))
			continue;
		if (separator[0] == 'o')
			problem_begin(problems);
		buffer_printf(&problems->text, "%s%s'", separator, p->name);
		separator = ", '";
	}
	if (separator[0] == ',')
		buffer_add_text(&problems->text, " is needed");
}

static void check_names(struct problems *problems, const json_t *given, bool null_counts)
{
	const char *name;
	json_t *value;

	json_object_foreach (iterable(given), name, value)
		check_known(problems, name);
	for (const struct parameter *p = problems->operation->parameters; p->name; p++)
		if ((p->flags & PARAMETER_REQUIRED) && !(p->flags & (PARAMETER_TOKEN | PARAMETER_ONE_OF)) &&
		        !is_given(given, p->name, null_counts))
			problem_add(problems, p->name, "is missing");
	check_one_of(problems, given, null_counts);
}

int request_check_names(const struct operation *operation, const json_t *given, struct gr_error *err)
{
	struct problems problems = {.operation = operation};

	check_names(&problems, given, true);
	return problems_end(&problems, err);
}

/* ---- values ---- */

/* Is `word` one of "a|b|c"? */
static bool choices_have(const char *choices, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = choices;; at++) {
		size_t bytes = strcspn(at, "|");

		if (bytes == length && memcmp(at, word, bytes) == 0)
			return true;
		at += bytes;
		if (*at == '\0')
			return false;
	}
}

/* Does `path` end with one of ".apk|.ipa", in any case? */
static bool choices_fit_file(const char *choices, const char *path)
{
	for (const char *at = choices;; at++) {
		size_t bytes = strcspn(at, "|");
		GR_AUTO_FREE char *extension = gr_strndup(at, bytes);

		if (text_has_suffix_nocase(path, extension))
			return true;
		at += bytes;
		if (*at == '\0')
			return false;
	}
}

/* A real as the file has it, as far as a real can know: 15.6 stays "15.6", and 14.0 keeps its point. */
static char *real_text(double real)
{
	char text[64];
	double back = 0;

	(void)snprintf(text, sizeof(text), "%.15g", real);
	if (!number_parse_real(text, &back) || back < real || back > real)
		(void)snprintf(text, sizeof(text), "%.17g", real);
	return gr_printf("%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

/* NULL if `value` is not a scalar. */
static char *scalar_text(const struct parameter *parameter, const json_t *value)
{
	bool in_words = parameter->choices && choices_have(parameter->choices, "true");

	if (json_is_string(value))
		return gr_strdup(json_string_value(value));
	if (json_is_integer(value))
		return gr_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_real(value))
		return real_text(json_real_value(value));
	if (json_is_true(value))
		return gr_strdup(in_words ? "true" : "1");
	return json_is_false(value) ? gr_strdup(in_words ? "false" : "0") : NULL;
}

static const char *string_problem(const json_t *value)
{
	if (json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value))
		return "holds a NUL byte";
	return NULL;
}

/* The items of a list, joined with commas. NULL and *ret_words: why not. */
static char *list_text(const struct parameter *parameter, const json_t *list, const char **ret_words)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		GR_AUTO_FREE char *one = scalar_text(parameter, item);

		*ret_words = string_problem(item);
		if (!one)
			*ret_words = "is a list that holds more than text and numbers";
		else if (handle_is(one))
			*ret_words = "is a list with a secret inside an item: it would not be put in";
		else if (strchr(one, ','))
			*ret_words = "is a list with a comma inside an item: it would become two";
		if (*ret_words)
			return NULL;
		if (i)
			buffer_add_char(&text, ',');
		buffer_add_text(&text, one);
	}
	return buffer_take(&text);
}

static char *value_text(const struct parameter *parameter, const json_t *value, const char **ret_words)
{
	if (json_is_object(value)) {
		*ret_words = "is a mapping where one value is needed";
		return NULL;
	}
	*ret_words = string_problem(value);
	if (*ret_words)
		return NULL;
	if (!json_is_array(value))
		return scalar_text(parameter, value);
	return list_text(parameter, value, ret_words);
}

/* What is wrong with the place this value shall stand in, or NULL. */
static const char *place_problem(const struct parameter *parameter, const char *text)
{
	if (parameter->flags & PARAMETER_PATH)
		return path_segment_problem(text);
	return parameter->flags & PARAMETER_FILE ? path_text_problem(text) : NULL;
}

static void check_choice(struct problems *problems, const struct parameter *parameter, const char *text)
{
	bool is_file = parameter->flags & PARAMETER_FILE;

	if (!parameter->choices || handle_is(text))
		return;
	if (is_file ? choices_fit_file(parameter->choices, text) : choices_have(parameter->choices, text))
		return;
	problem_add(problems, parameter->name, "is '");
	text_excerpt(&problems->text, text, strlen(text), SHOWN_BYTES);
	buffer_add_text(&problems->text, is_file ? "', a file must end in " : "', it must be ");
	for (const char *at = parameter->choices; *at; at++)
		if (*at == '|')
			buffer_add_text(&problems->text, " or ");
		else
			buffer_add_char(&problems->text, *at);
}

/* The text of one given parameter, checked; NULL when there is none or it is wrong. */
static char *parameter_value(struct problems *problems, const struct parameter *parameter, const json_t *arguments)
{
	const json_t *value = json_object_get(arguments, parameter->name);
	const char *words = NULL;
	GR_AUTO_FREE char *text = NULL;

	if ((parameter->flags & PARAMETER_TOKEN) || !is_given(arguments, parameter->name, false))
		return NULL;
	if ((parameter->flags & PARAMETER_FILE) && !json_is_string(value))
		words = "must be the path of a file";
	else
		text = value_text(parameter, value, &words);
	if (text)
		words = place_problem(parameter, text);
	if (!text || words) {
		problem_add(problems, parameter->name, words ? words : "has no value");
		return NULL;
	}
	check_choice(problems, parameter, text);
	return gr_take(&text);
}

/* ---- the path ---- */

static char *path_build(struct problems *problems, const json_t *arguments)
{
	GR_AUTO_BUFFER struct buffer path = {0};

	for (const char *at = problems->operation->path; *at; at++) {
		size_t bytes = strcspn(at, "}");
		GR_AUTO_FREE char *name = NULL;
		GR_AUTO_FREE char *value = NULL;

		if (*at != '{') {
			buffer_add_char(&path, *at);
			continue;
		}
		name = gr_strndup(at + 1, bytes - 1);
		value = parameter_value(problems, operation_parameter(problems->operation, name), arguments);
		if (value)
			path_add_segment(&path, value);
		at += bytes;
	}
	return buffer_take(&path);
}

/* ---- the request ---- */

static void field_add(struct request *request, const char *name, char *value, bool is_file)
{
	request->fields = gr_grow(request->fields, request->field_count, sizeof(*request->fields));
	request->fields[request->field_count++] = (struct form_field){.name = name, .value = value, .is_file = is_file};
}

int request_new(
        const struct operation *operation, const json_t *arguments, struct request **ret_request, struct gr_error *err)
{
	struct problems problems = {.operation = operation};
	struct request *request = gr_alloc(1, sizeof(*request));
	int rc;

	request->operation = operation;
	check_names(&problems, arguments, false);
	request->path = path_build(&problems, arguments);
	for (const struct parameter *p = operation->parameters; p->name; p++) {
		char *value = p->flags & PARAMETER_PATH ? NULL : parameter_value(&problems, p, arguments);

		if (value)
			field_add(request, p->name, value, p->flags & PARAMETER_FILE);
	}
	rc = problems_end(&problems, err);
	if (rc < 0) {
		request_free(request);
		return rc;
	}
	*ret_request = request;
	return 0;
}

void request_free(struct request *request)
{
	if (!request)
		return;
	for (size_t i = 0; i < request->field_count; i++)
		request_wipe(request->fields[i].value);
	gr_free(request->fields);
	request_wipe(request->path);
	gr_free(request);
}

void request_add_text(struct request *request, const char *name, const char *value)
{
	if (!value)
		return;
	for (size_t i = 0; i < request->field_count; i++) {
		if (strcmp(request->fields[i].name, name) != 0)
			continue;
		request_wipe(request->fields[i].value);
		request->fields[i].value = gr_strdup(value);
		request->fields[i].is_file = false;
		return;
	}
	field_add(request, name, gr_strdup(value), false);
}
