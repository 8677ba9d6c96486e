#include "runner/engine/vault.h"

#include <stdint.h>
#include <string.h>

#include "runner/api/answer.h"
#include "runner/api/handle.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

struct entry {
	char *handle, *secret;
};

struct vault {
	struct redactor *redactor;
	struct entry *entries;
	size_t count;
};

struct vault *vault_new(struct redactor *redactor)
{
	struct vault *vault = gr_alloc(1, sizeof(*vault));

	vault->redactor = redactor;
	return vault;
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	gr_free(secret);
}

void vault_free(struct vault *vault)
{
	if (!vault)
		return;
	for (size_t i = 0; i < vault->count; i++) {
		gr_free(vault->entries[i].handle);
		wipe(vault->entries[i].secret);
	}
	gr_free(vault->entries);
	gr_free(vault);
}

static struct entry *find(const struct vault *vault, const char *handle)
{
	for (size_t i = 0; i < vault->count; i++)
		if (strcmp(vault->entries[i].handle, handle) == 0)
			return &vault->entries[i];
	return NULL;
}

void vault_put(struct vault *vault, const char *handle, const char *secret)
{
	struct entry *entry = find(vault, handle);

	(void)redactor_add(
	        vault->redactor, secret); /* too short to be taken out without harm: said by `doctor`, not here */
	if (!entry) {
		vault->entries = gr_grow(vault->entries, vault->count, sizeof(*vault->entries));
		entry = &vault->entries[vault->count++];
		*entry = (struct entry){.handle = gr_strdup(handle)};
	}
	wipe(entry->secret);
	entry->secret = gr_strdup(secret);
}

const char *vault_get(const struct vault *vault, const char *handle)
{
	const struct entry *entry = find(vault, handle);

	return entry ? entry->secret : NULL;
}

static bool is_token_key(const char *key)
{
	return text_has_suffix_nocase(key, "_token") || text_equal_nocase(key, "token");
}

static void learn_pair(struct vault *vault, const json_t *object)
{
	GR_AUTO_FREE char *app_id = answer_text(object, "app_id");
	GR_AUTO_FREE char *app_token = answer_text(object, "application_token");
	GR_AUTO_FREE char *version_id = answer_text(object, "version_id");
	GR_AUTO_FREE char *version_token = answer_text(object, "version_token");

	if (app_id && app_token) {
		GR_AUTO_FREE char *handle = handle_application(app_id);
		vault_put(vault, handle, app_token);
	}
	if (version_id && version_token) {
		/* Version ids are unique on a server, so the application is not needed to tell them apart. */
		GR_AUTO_FREE char *handle = handle_version("-", version_id);
		vault_put(vault, handle, version_token);
	}
}

static void learn_members(struct vault *vault, const json_t *object)
{
	const char *key;
	json_t *value;

	learn_pair(vault, object);
	json_object_foreach ((json_t *)(uintptr_t)object, key, value)
		if (json_is_string(value) && is_token_key(key) && !handle_is(json_string_value(value)))
			(void)redactor_add(vault->redactor, json_string_value(value));
}

/* Walk the whole answer without recursion: its depth is the server's choice. */
static void learn_everywhere(struct vault *vault, const json_t *answer)
{
	const json_t **stack = NULL;
	size_t depth = 0;
	const char *key;
	json_t *value;
	size_t i;

	stack = gr_grow(NULL, 0, sizeof(*stack));
	stack[depth++] = answer;
	while (depth) {
		const json_t *top = stack[--depth];

		if (json_is_object(top)) {
			learn_members(vault, top);
			json_object_foreach ((json_t *)(uintptr_t)top, key, value) {
				if (!json_is_object(value) && !json_is_array(value))
					continue;
				stack = gr_grow(stack, depth, sizeof(*stack));
				stack[depth++] = value;
			}
		} else {
			json_array_foreach (top, i, value) {
				if (!json_is_object(value) && !json_is_array(value))
					break; /* lists of scalars hold no names */
				stack = gr_grow(stack, depth, sizeof(*stack));
				stack[depth++] = value;
			}
		}
	}
	gr_free(stack);
}

/* Answers that name a token without the id it belongs to: the question had it. */
static void learn_asked(struct vault *vault, enum operation_id operation, const json_t *arguments, const json_t *answer)
{
	if (operation == OP_GET_BUILD_VERSION_INFO) {
		GR_AUTO_FREE char *version_id = answer_text(arguments, "version_id");
		GR_AUTO_FREE char *token = answer_text(answer_holder(answer, "version_token"), "version_token");
		GR_AUTO_FREE char *handle = handle_version("-", version_id ? version_id : "");

		if (version_id && token)
			vault_put(vault, handle, token);
	}
	if (operation == OP_GET_USER_TOKEN) {
		GR_AUTO_FREE char *token = answer_text(answer_holder(answer, "user_token|token"), "user_token|token");

		if (token)
			vault_put(vault, VAULT_USER_TOKEN, token);
	}
}

void vault_learn(struct vault *vault, enum operation_id operation, const json_t *arguments, const json_t *answer)
{
	if (!json_is_object(answer) && !json_is_array(answer))
		return;
	if (operation == OP_EXECUTION_DETAILS || operation == OP_NETWORK_LOGS || operation == OP_INSIGHTS_DATA)
		return; /* polled and large (100,000 cases); the reference shows no token in them */
	learn_everywhere(vault, answer);
	learn_asked(vault, operation, arguments, answer);
}

/* A version's handle names its application as well ("version/APP/ID"); the vault keeps it under the id alone. */
static char *canonical(const char *handle)
{
	const char *prefix = HANDLE_PREFIX "version/";
	const char *slash;

	if (!text_has_prefix(handle, prefix))
		return gr_strdup(handle);
	slash = strrchr(handle, '/');
	return handle_version("-", slash + 1);
}

char *vault_resolve(const struct vault *vault, const char *text)
{
	GR_AUTO_FREE char *handle = NULL;

	if (!handle_is(text))
		return gr_strdup(text);
	handle = canonical(text);
	return gr_strdup(vault_get(vault, handle));
}

const char *vault_missing(const struct vault *vault, const json_t *arguments)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)arguments, key, value) {
		GR_AUTO_FREE char *handle = NULL;

		if (!json_is_string(value) || !handle_is(json_string_value(value)))
			continue;
		handle = canonical(json_string_value(value));
		if (!vault_get(vault, handle))
			return json_string_value(value);
	}
	return NULL;
}

bool vault_lookup(const char *handle, unsigned attempt, enum operation_id *ret_operation, json_t **ret_arguments)
{
	const char *app = HANDLE_PREFIX "app/";
	const char *version = HANDLE_PREFIX "version/";
	const char *slash;

	if (text_has_prefix(handle, app)) {
		if (attempt > 1)
			return false;
		*ret_operation = attempt ? OP_GET_APPLICATIONS_LIST : OP_GET_APPLICATION_INFO;
		*ret_arguments = attempt ? json_object() : json_pack("{s:s}", "app_id", handle + strlen(app));
		return true;
	}
	if (!text_has_prefix(handle, version) || attempt > 1)
		return false;
	slash = strrchr(handle, '/');
	if (attempt == 0) {
		*ret_operation = OP_GET_BUILD_VERSION_INFO;
		*ret_arguments = json_pack("{s:s}", "version_id", slash + 1);
		return true;
	}
	*ret_operation = OP_GET_APPLICATION_INFO;
	*ret_arguments =
	        json_pack("{s:s%}", "app_id", handle + strlen(version), (size_t)(slash - handle) - strlen(version));
	return true;
}
