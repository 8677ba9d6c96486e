#include "sandbox/routes.h"

#include <assert.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"

static const struct route routes[] = {
#define ROUTE(id, path, style, parameters) {#id, path, style, parameters, handle_##id},
#include "sandbox/routes.def"
#undef ROUTE
};
static_assert(sizeof(routes) / sizeof(routes[0]) == 79, "the API reference lists 79 operations");

size_t route_count(void)
{
	return GR_COUNT(routes);
}

const struct route *route_at(size_t index)
{
	return &routes[index];
}

const struct route *route_of_id(const char *id)
{
	size_t i;

	for (i = 0; i < GR_COUNT(routes); i++)
		if (strcmp(routes[i].id, id) == 0)
			return &routes[i];
	return NULL;
}

/* Part by part; "{name}" takes one that is not empty. */
bool path_matches(const char *pattern, const char *path, json_t *parameters)
{
	while (*pattern != '\0' && *path != '\0') {
		if (*pattern == '{') {
			size_t name = strcspn(pattern + 1, "}");
			size_t part = strcspn(path, "/");
			GR_AUTO_FREE char *key = gr_strndup(pattern + 1, name);
			GR_AUTO_FREE char *value = gr_strndup(path, part);

			if (part == 0)
				return false;
			member_set_text(parameters, key, value);
			pattern += name + 2;
			path += part;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return strcmp(pattern, "/") == 0 ? *path == '\0'
	                                 : *pattern == '\0' && (*path == '\0' || strcmp(path, "/") == 0);
}

const struct route *route_find(const char *path, json_t *parameters)
{
	size_t i;

	for (i = 0; i < GR_COUNT(routes); i++) {
		GR_AUTO_JSON json_t *found = json_object();

		if (path_matches(routes[i].path, path, found)) {
			(void)json_object_update(parameters, found);
			return &routes[i];
		}
	}
	return NULL;
}

struct spec { /* one word of route.parameters */
	const char *name, *extensions;
	size_t name_bytes, extension_bytes;
	bool required, may_be_empty, file;
};

/* The next word of `text`; NULL at the end. */
static const char *spec_next(const char *text, struct spec *ret_spec)
{
	struct spec spec = {0};

	text += strspn(text, " ");
	if (*text == '\0')
		return NULL;
	spec.name = text;
	spec.name_bytes = strcspn(text, " *?@");
	text += spec.name_bytes;
	for (; *text == '*' || *text == '?'; text++) {
		spec.required = true;
		spec.may_be_empty = *text == '?';
	}
	if (*text == '@') {
		spec.file = true;
		spec.extensions = text + 1;
		spec.extension_bytes = strcspn(spec.extensions, " ");
	}
	*ret_spec = spec;
	return text + strcspn(text, " ");
}

static bool name_is_known(const struct route *route, const char *name)
{
	const char *text = route->parameters;
	struct spec spec;

	while ((text = spec_next(text, &spec)) != NULL)
		if (strlen(name) == spec.name_bytes && strncmp(name, spec.name, spec.name_bytes) == 0)
			return true;
	return false;
}

static void check_unknown(struct call *call, json_t *given)
{
	const char *name;
	json_t *value;

	json_object_foreach (given, name, value)
		if (!name_is_known(call->route, name))
			call_violation(call, "unknown parameter '%s'", name);
}

/* "apk,ipa" against a file's name; no list of extensions takes all. */
static bool extension_fits(const struct spec *spec, const char *file)
{
	GR_AUTO_FREE char *list = gr_strndup(spec->extensions, spec->extension_bytes);
	const char *dot = strrchr(file, '.');
	char *next = list;
	char *word = NULL;

	if (*list == '\0')
		return true;
	while (dot != NULL && (word = strsep(&next, ",")) != NULL)
		if (text_equal_nocase(word, dot + 1))
			return true;
	return false;
}

static json_t *check_file(struct call *call, const struct spec *spec, const char *name)
{
	const json_t *file = json_object_get(call->files, name);

	if (file == NULL && spec->required) {
		call_violation(call, "required file '%s' is missing", name);
		return call_refuse(call, 422, "The %s field is required.", name);
	}
	if (file != NULL && !extension_fits(spec, member_text(file, "file"))) {
		call_violation(call, "the file of '%s' is not one of: %.*s", name, (int)spec->extension_bytes,
		        spec->extensions);
		return call_refuse(call, 422, "The file type is not allowed.");
	}
	return NULL;
}

static json_t *check_parameter(struct call *call, const struct spec *spec)
{
	GR_AUTO_FREE char *name = gr_strndup(spec->name, spec->name_bytes);
	const json_t *value = json_object_get(call->parameters, name);

	if (spec->file)
		return check_file(call, spec, name);
	if (json_object_get(call->files, name) != NULL)
		call_violation(call, "'%s' is not a file", name);
	if (!spec->required || strcmp(name, "user_token") == 0)
		return NULL;
	if (value == NULL || (*json_string_value(value) == '\0' && !spec->may_be_empty)) {
		call_violation(call, "required parameter '%s' is missing", name);
		return call_refuse(call, 422, "The %s field is required.", name);
	}
	return NULL;
}

/* The token comes first: an unknown caller learns nothing about parameters. */
static json_t *check_token(struct call *call)
{
	const char *token = call_text(call, "user_token");

	if (strstr(call->route->parameters, "user_token*") == NULL)
		return NULL;
	if (*token == '\0')
		call_violation(call, "required parameter 'user_token' is missing");
	if (call->user == NULL)
		return call_refuse(call, 401, *token == '\0' ? "User token is required." : "Invalid user token.");
	return NULL;
}

json_t *route_check(struct call *call)
{
	const char *text = call->route->parameters;
	struct spec spec;
	json_t *answer = NULL;

	check_unknown(call, call->parameters);
	check_unknown(call, call->files);
	answer = check_token(call);
	while (answer == NULL && (text = spec_next(text, &spec)) != NULL)
		answer = check_parameter(call, &spec);
	return answer;
}
