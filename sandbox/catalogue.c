#include "sandbox/catalogue.h"

#include <inttypes.h>
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

/* Entries that `repeat` may make of one test: more would only be a mistake. */
#define REPEAT_MOST 100000

json_t *user_add(struct state *state, const char *id, const char *email, const char *password, const char *token)
{
	GR_AUTO_FREE char *fresh = state_new_token();
	json_t *user = json_object();

	member_set_text(user, "user_id", id);
	member_set_text(user, "email", email);
	member_set_text(user, "password", password);
	member_set_text(user, "user_token", *token != '\0' ? token : fresh);
	(void)json_object_set_new(user, "teams", json_array());
	(void)json_object_set_new(user, "devices", json_array());
	(void)json_array_append_new(state->users, user);
	return user;
}

static int add_users(struct state *state, struct gr_error *err)
{
	size_t i;
	json_t *entry;

	json_array_foreach (json_object_get(state->scenario, "users"), i, entry) {
		GR_AUTO_FREE char *id = member_id(entry, "id", "1");
		const char *token = member_text(entry, "token");
		json_t *user = NULL;

		if (*token == '\0' && i == 0)
			token = state_word(state, "token");
		user = user_add(state, id, member_text(entry, "email"), member_text(entry, "password"), token);
		member_set_text(user, "username", member_text(entry, "name"));
		member_set_text(user, "first_name", member_text(entry, "name"));
		member_set_text(user, "last_name", "");
		if (i == 0 && strlen(member_text(user, "user_token")) >= sizeof(state->token))
			return gr_fail(err, GR_CONFIG, 0, "scenario: the token is longer than 79 bytes");
		if (i == 0)
			memcpy(state->token, member_text(user, "user_token"), strlen(member_text(user, "user_token")));
	}
	if (json_array_size(state->users) == 0)
		return gr_fail(err, GR_CONFIG, 0, "scenario: there must be one user at least");
	return 0;
}

json_t *version_add(json_t *app, const char *id, const char *name, const char *platform, const char *token)
{
	GR_AUTO_FREE char *fresh = state_new_token();
	json_t *version = json_object();

	member_set_text(version, "version_id", id);
	member_set_text(version, "version_name", name);
	member_set_text(version, "version_description", "");
	member_set_text(version, "platform_type", platform);
	member_set_text(version, "version_token", *token != '\0' ? token : fresh);
	(void)json_array_append_new(json_object_get(app, "versions"), version);
	return version;
}

json_t *app_add(struct state *state, const char *id, const char *name, const char *platform, const char *token)
{
	GR_AUTO_FREE char *fresh = state_new_token();
	json_t *app = json_object();

	member_set_text(app, "app_id", id);
	member_set_text(app, "name", name);
	member_set_text(app, "platform", platform);
	member_set_text(app, "application_token", *token != '\0' ? token : fresh);
	(void)json_object_set_new(app, "versions", json_array());
	(void)json_array_append_new(state->apps, app);
	return app;
}

/* Builds that were uploaded before the sandbox started. */
static void add_builds(struct state *state, const json_t *app, const json_t *version, const json_t *entries)
{
	size_t i;
	json_t *entry;

	json_array_foreach (entries, i, entry) {
		GR_AUTO_FREE char *id = member_id(entry, "id", "1");

		build_set_id(state,
		        build_add(state, app, version, member_text(entry, "name"), member_text(entry, "file")), id);
	}
}

static void add_versions(struct state *state, json_t *app, const json_t *entries, const char *platform)
{
	size_t i;
	json_t *entry;

	json_array_foreach (entries, i, entry) {
		GR_AUTO_FREE char *id = member_id(entry, "id", "1");
		GR_AUTO_FREE char *name = member_id(entry, "name", "1");
		const json_t *version = version_add(app, id, name, platform, member_text(entry, "token"));

		add_builds(state, app, version, json_object_get(entry, "builds"));
	}
}

static int add_apps(struct state *state, struct gr_error *err)
{
	size_t i;
	json_t *entry;

	json_array_foreach (json_object_get(state->scenario, "applications"), i, entry) {
		GR_AUTO_FREE char *id = member_id(entry, "id", "1");
		const char *name = member_text(entry, "name");
		const char *platform = member_text(entry, "platform");

		if (strcmp(platform, "android") != 0 && strcmp(platform, "ios") != 0 && strcmp(platform, "web") != 0)
			return gr_fail(
			        err, GR_CONFIG, 0, "scenario: application '%s': platform is android, ios or web", name);
		if (list_find(state->apps, "app_id", id) != NULL)
			return gr_fail(err, GR_CONFIG, 0, "scenario: two applications have the id %s", id);
		add_versions(state, app_add(state, id, name, platform, member_text(entry, "token")),
		        json_object_get(entry, "versions"), platform);
	}
	return 0;
}

/* "Checkout {n}" with its number put in. The caller's. */
static char *test_name(const char *pattern, int64_t n)
{
	const char *place = strstr(pattern, "{n}");

	if (place == NULL)
		return gr_strdup(pattern);
	return gr_printf("%.*s%02" PRId64 "%s", (int)(place - pattern), pattern, n, place + 3);
}

static int add_tests(json_t *tests, const json_t *entries, struct gr_error *err)
{
	size_t i;
	json_t *entry;

	json_array_foreach (entries, i, entry) {
		int64_t repeat = (int64_t)member_number(entry, "repeat", 1);
		int64_t n;

		if (repeat < 0 || repeat > REPEAT_MOST)
			return gr_fail(err, GR_CONFIG, 0, "scenario: repeat must be from 0 to %d", REPEAT_MOST);
		for (n = 1; n <= repeat; n++) {
			GR_AUTO_FREE char *name = test_name(member_text(entry, "name"), n);
			GR_AUTO_FREE char *id = member_id(entry, "id", NULL);
			json_t *test = json_copy(entry);

			if (id == NULL || repeat > 1) {
				gr_free(id);
				id = gr_printf("%zu", 1001 + json_array_size(tests));
			}
			member_set_text(test, "name", name);
			member_set_text(test, "id", id);
			(void)json_array_append_new(tests, test);
		}
	}
	return 0;
}

/* The tests of a module: those of its suite, then its own. */
static int module_tests(struct state *state, const json_t *entry, json_t *tests, struct gr_error *err)
{
	const char *suite = member_text(entry, "suite");
	const json_t *suites = json_object_get(state->scenario, "suites");

	if (*suite != '\0' && json_object_get(suites, suite) == NULL)
		return gr_fail(err, GR_CONFIG, 0, "scenario: module '%s': there is no suite '%s'",
		        member_text(entry, "name"), suite);
	if (add_tests(tests, json_object_get(suites, suite), err) != 0)
		return -GR_CONFIG;
	return add_tests(tests, json_object_get(entry, "tests"), err);
}

static int add_modules(struct state *state, struct gr_error *err)
{
	size_t i;
	json_t *entry;

	json_array_foreach (json_object_get(state->scenario, "modules"), i, entry) {
		GR_AUTO_FREE char *id = member_id(entry, "id", "0");
		const char *app = member_text(entry, "application");
		json_t *module = json_copy(entry);

		(void)json_array_append_new(state->modules, module);
		member_set_text(module, "id", id);
		(void)json_object_set_new(module, "tests", json_array());
		if (*app != '\0' && list_find(state->apps, "name", app) == NULL)
			return gr_fail(err, GR_CONFIG, 0, "scenario: module '%s': there is no application '%s'",
			        member_text(entry, "name"), app);
		if (module_tests(state, entry, json_object_get(module, "tests"), err) != 0)
			return -GR_CONFIG;
	}
	return 0;
}

int catalogue_fill(struct state *state, struct gr_error *err)
{
	int rc = add_users(state, err);

	if (rc == 0)
		rc = add_apps(state, err);
	if (rc == 0)
		rc = add_modules(state, err);
	if (rc == 0)
		rc = catalogue_add_devices(state, err);
	return rc;
}
