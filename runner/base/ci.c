#include "runner/base/ci.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define VALUE_BYTES 1000 /* longer ones are cut: they go into reports and comments */
#define NAME_BYTES 128

struct provider {
	const char *name, *sign, *build_url, *branch, *commit, *pull_request, *job, *key;
};

static const struct provider providers[] = {
#define PROVIDER(...) {__VA_ARGS__},
#include "runner/base/ci.def"
#undef PROVIDER
};

struct reading {
	ci_lookup lookup;
	void *user;
};

static bool is_name_byte(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The variable whose name is the first `bytes` of `name`; NULL when it is not set, or empty. */
static const char *variable(const struct reading *reading, const char *name, size_t bytes)
{
	char copy[NAME_BYTES];
	const char *value;

	if (bytes == 0 || bytes >= sizeof(copy))
		return NULL;
	memcpy(copy, name, bytes);
	copy[bytes] = '\0';
	value = reading->lookup(reading->user, copy);
	return value != NULL && *value != '\0' ? value : NULL;
}

static bool has_sign(const struct reading *reading, const char *sign)
{
	const char *equals = strchr(sign, '=');
	const char *value = variable(reading, sign, equals != NULL ? (size_t)(equals - sign) : strlen(sign));

	if (equals != NULL)
		return text_equal(value, equals + 1);
	return value != NULL && strcmp(value, "false") != 0;
}

/* One alternative, up to `end`; NULL when a variable of it is missing. */
static char *fill_in(const struct reading *reading, const char *pattern, const char *end)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	GR_AUTO_BUFFER struct buffer clean = {0};

	while (pattern < end) {
		const char *name = pattern + 1, *value;
		size_t bytes = 0;

		if (*pattern != '$') {
			buffer_add_char(&out, *pattern++);
			continue;
		}
		while (name + bytes < end && is_name_byte(name[bytes]))
			bytes++;
		value = variable(reading, name, bytes);
		if (value == NULL)
			return NULL;
		buffer_add_text(&out, value);
		pattern = name + bytes;
	}
	text_excerpt(&clean, buffer_text(&out), out.bytes, VALUE_BYTES);
	return buffer_take(&clean);
}

/* What an alternative's value means for its field: the value itself, or NULL when it means nothing. Frees or keeps it.
 */
typedef char *(*meaning)(char *value);

static char *as_it_is(char *value)
{
	return value;
}

/* "refs/heads/main" is main; "refs/pull/7/merge" is no branch. */
static char *as_branch(char *value)
{
	char *branch = NULL;

	if (!text_has_prefix(value, "refs/"))
		return value;
	if (text_has_prefix(value, "refs/heads/"))
		branch = gr_strdup(value + strlen("refs/heads/"));
	gr_free(value);
	return branch;
}

/* A number, alone, in refs/pull/7/merge, or at the end of an address. */
static char *as_pull_request(char *value)
{
	const char *start = value;
	char *number = NULL;
	size_t digits;

	if (text_has_prefix(value, "refs/pull/"))
		start = value + strlen("refs/pull/");
	else if (strrchr(value, '/') != NULL)
		start = strrchr(value, '/') + 1;
	digits = strspn(start, "0123456789");
	if (digits > 0 && (start[digits] == '\0' || (start != value && start[digits] == '/')))
		number = gr_strndup(start, digits);
	gr_free(value);
	return number;
}

static char *first_of(const struct reading *reading, const char *patterns, meaning as_meant)
{
	char *value = NULL;

	while (patterns != NULL && value == NULL) {
		const char *end = strchr(patterns, '|');

		value = fill_in(reading, patterns, end != NULL ? end : patterns + strlen(patterns));
		if (value != NULL)
			value = as_meant(value);
		patterns = end != NULL ? end + 1 : NULL;
	}
	return value;
}

static void add_key(const struct reading *reading, struct buffer *key, const char *names)
{
	while (*names != '\0') {
		size_t bytes = strcspn(names, " ");
		const char *value = variable(reading, names, bytes);

		if (value != NULL)
			buffer_printf(key, "%.*s=%s\n", (int)bytes, names, value);
		names += bytes + (names[bytes] == ' ');
	}
}

void ci_detect(ci_lookup lookup, void *user, struct ci *ret_ci)
{
	const struct reading reading = {.lookup = lookup, .user = user};
	GR_AUTO_BUFFER struct buffer key = {0};

	*ret_ci = (struct ci){0};
	for (size_t i = 0; i < GR_COUNT(providers) && ret_ci->provider == NULL; i++) {
		const struct provider *provider = &providers[i];

		if (!has_sign(&reading, provider->sign))
			continue;
		ret_ci->provider = provider->name;
		ret_ci->build_url = first_of(&reading, provider->build_url, as_it_is);
		ret_ci->branch = first_of(&reading, provider->branch, as_branch);
		ret_ci->commit = first_of(&reading, provider->commit, as_it_is);
		ret_ci->pull_request = first_of(&reading, provider->pull_request, as_pull_request);
		ret_ci->job = first_of(&reading, provider->job, as_it_is);
		add_key(&reading, &key, provider->key);
	}
	add_key(&reading, &key, "GRIDLANE_JOB");
	ret_ci->key = buffer_take(&key);
}

static const char *look_here(void *user, const char *name)
{
	(void)user;
	return getenv(name);
}

void ci_detect_here(struct ci *ret_ci)
{
	ci_detect(look_here, NULL, ret_ci);
}

void ci_release(struct ci *ci)
{
	gr_free(ci->build_url);
	gr_free(ci->branch);
	gr_free(ci->commit);
	gr_free(ci->pull_request);
	gr_free(ci->job);
	gr_free(ci->key);
	*ci = (struct ci){0};
}

static void set(json_t *object, const char *name, const char *value)
{
	if (value != NULL)
		(void)json_object_set_new(object, name, json_string(value));
}

json_t *ci_to_json(const struct ci *ci)
{
	json_t *object;

	if (ci->provider == NULL)
		return NULL;
	object = json_object();
	set(object, "provider", ci->provider);
	set(object, "build_url", ci->build_url);
	set(object, "branch", ci->branch);
	set(object, "commit", ci->commit);
	set(object, "pull_request", ci->pull_request);
	set(object, "job", ci->job);
	return object;
}

bool ci_provider(size_t index, const char **ret_name, const char **ret_sign)
{
	if (index >= GR_COUNT(providers))
		return false;
	*ret_name = providers[index].name;
	*ret_sign = providers[index].sign;
	return true;
}
