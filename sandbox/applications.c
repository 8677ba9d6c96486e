/* Applications, versions and uploaded builds: the catalogue part of the reference's section Build. */
#include <inttypes.h>
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "sandbox/catalogue.h"
#include "sandbox/routes.h"

/* "480,481": the versions' ids, in the order of creation. The caller's. */
static char *version_ids(const json_t *app)
{
	struct buffer text = {0};
	size_t i;
	json_t *version;

	json_array_foreach (json_object_get(app, "versions"), i, version)
		buffer_printf(&text, "%s%s", i > 0 ? "," : "", member_text(version, "version_id"));
	return buffer_take(&text);
}

static json_t *app_row(const json_t *app)
{
	GR_AUTO_FREE char *ids = version_ids(app);
	json_t *row = json_object();

	member_set_text(row, "app_id", member_text(app, "app_id"));
	member_set_text(row, "name", member_text(app, "name"));
	member_set_text(row, "application_token", member_text(app, "application_token"));
	member_set_text(row, "cm_version_id", ids);
	return row;
}

json_t *handle_get_applications_list(struct call *call)
{
	json_t *answer = call_accept(call, "All Build list");
	json_t *list = json_array();
	size_t i;
	json_t *app;

	json_array_foreach (call->state->apps, i, app)
		(void)json_array_append_new(list, app_row(app));
	call_put_list(call, answer, "data", list, false);
	return answer;
}

json_t *handle_get_application_info(struct call *call)
{
	const json_t *app = list_find(call->state->apps, "app_id", call_text(call, "app_id"));
	json_t *answer = NULL, *row = NULL, *versions = NULL;
	size_t i;

	if (app == NULL)
		return call_refuse(call, 404, "Application not found.");
	answer = call_accept(call, "Build info");
	row = app_row(app);
	versions = json_array();
	for (i = json_array_size(json_object_get(app, "versions")); i-- > 0;) /* newest first, as in the sample */
		(void)json_array_append(versions, json_array_get(json_object_get(app, "versions"), i));
	call_put_list(call, row, "versions", versions, false);
	(void)json_object_set_new(answer, "data", row);
	return answer;
}

/* "Android" to "android"; NULL for what is no platform. */
static const char *platform_of(const char *text)
{
	static const char *const platforms[] = {"ios", "android", "web"};
	size_t i;

	for (i = 0; i < GR_COUNT(platforms); i++)
		if (text_equal_nocase(text, platforms[i]))
			return platforms[i];
	return NULL;
}

static const char *platform_shown(const char *platform)
{
	if (strcmp(platform, "ios") == 0)
		return "iOS";
	return strcmp(platform, "android") == 0 ? "Android" : "Web";
}

json_t *handle_create_application(struct call *call)
{
	const char *name = call_text(call, "application_name");
	const char *platform = platform_of(call_text(call, "platform_type"));
	GR_AUTO_FREE char *id = NULL, *version_id = NULL;
	json_t *app = NULL, *version = NULL, *answer = NULL, *response = NULL;

	if (platform == NULL)
		return call_refuse(call, 422, "Invalid platform type.");
	if (list_find(call->state->apps, "name", name) != NULL)
		return call_refuse(call, 409, "Application name already exists.");
	id = state_next_id(call->state);
	version_id = state_next_id(call->state);
	app = app_add(call->state, id, name, platform, "");
	version = version_add(app, version_id, call_text(call, "version_name"), platform, "");
	answer = call_accept(call, "Application Created Successfully.");
	response = json_object();
	member_set_text(response, "app_id", id);
	member_set_text(response, "application_name", name);
	member_set_text(response, "application_token", member_text(app, "application_token"));
	member_set_text(response, "application_version_name", call_text(call, "version_name"));
	member_set_text(response, "application_version_description", "");
	member_set_text(response, "application_version_token", member_text(version, "version_token"));
	member_set_text(response, "application_platform_type", platform_shown(platform));
	(void)json_object_set_new(answer, "response", response);
	return answer;
}

json_t *handle_create_version(struct call *call)
{
	json_t *app = list_find(call->state->apps, "app_id", call_text(call, "app_id"));
	const char *platform = platform_of(call_text(call, "version_platform"));
	const char *name = call_text(call, "version_name");
	GR_AUTO_FREE char *id = NULL;
	json_t *version = NULL, *answer = NULL, *data = NULL;

	if (app == NULL)
		return call_refuse(call, 404, "Application not found.");
	if (platform == NULL)
		return call_refuse(call, 422, "Invalid version platform.");
	if (list_find(json_object_get(app, "versions"), "version_name", name) != NULL)
		return call_refuse(call, 409, "Version name already exists.");
	id = state_next_id(call->state);
	version = version_add(app, id, name, platform, "");
	member_set_text(version, "version_description", call_text(call, "version_description"));
	answer = call_accept(call, "Version created.");
	data = json_object();
	(void)json_object_set_new(data, "version_id", json_integer((json_int_t)call->state->last_id));
	member_set_text(data, "version_name", name);
	(void)json_object_set_new(answer, "data", data);
	return answer;
}

static json_t *build_row(const json_t *build)
{
	json_t *row = json_copy((json_t *)(uintptr_t)build);

	(void)json_object_del(row, "sha256");
	(void)json_object_del(row, "bytes");
	return row;
}

json_t *handle_get_build_info(struct call *call)
{
	json_t *answer = NULL;
	const json_t *build = call_build(call, &answer);

	if (build == NULL)
		return answer;
	answer = call_accept(call, "Build info");
	(void)json_object_set_new(answer, "data", build_row(build));
	return answer;
}

static json_t *version_modules(const struct call *call, const json_t *app)
{
	json_t *list = json_array();
	size_t i;
	json_t *module;

	json_array_foreach (call->state->modules, i, module) {
		const char *name = member_text(module, "application");
		json_t *row = NULL;

		if (strcmp(member_text(module, "platform"), member_text(app, "platform")) != 0 ||
		        (*name != '\0' && strcmp(name, member_text(app, "name")) != 0))
			continue;
		row = json_object();
		member_set_text(row, "version_module_id", member_text(module, "id"));
		member_set_text(row, "module_name", member_text(module, "name"));
		(void)json_array_append_new(list, row);
	}
	return list;
}

static json_t *version_builds(const struct call *call, const char *version_id)
{
	json_t *list = json_array();
	size_t i;
	json_t *build;

	json_array_foreach (call->state->builds, i, build)
		if (strcmp(member_text(build, "version_id"), version_id) == 0)
			(void)json_array_append_new(list, build_row(build));
	return list;
}

/* The sample shows "[]" as text: a list inside a text, unless the scenario says `nested_lists: list`. Steals list. */
static void put_nested(const struct call *call, json_t *data, const char *key, json_t *list)
{
	char *text = NULL;

	if (state_word_is(call->state, "nested_lists", "list")) {
		call_put_list(call, data, key, list, false);
		return;
	}
	text = json_dumps(list, JSON_COMPACT);
	member_set_text(data, key, text);
	gr_free(text);
	json_decref(list);
}

json_t *handle_get_build_version_info(struct call *call)
{
	json_t *app = NULL;
	const json_t *version = version_of_id(call->state, call_text(call, "version_id"), &app);
	json_t *answer = NULL, *data = NULL;

	if (version == NULL)
		return call_refuse(call, 404, "Version not found.");
	answer = call_accept(call, "Version info");
	data = json_object();
	if (json_is_true(json_object_get(call->state->scenario, "tokens_in_answers")))
		member_set_text(data, "user_token", call_text(call, "user_token"));
	member_set_text(data, "version_token", member_text(version, "version_token"));
	member_set_text(data, "application_token", member_text(app, "application_token"));
	member_set_text(data, "application_name", member_text(app, "name"));
	member_set_text(data, "version_name", member_text(version, "version_name"));
	put_nested(call, data, "version_module_list", version_modules(call, app));
	put_nested(call, data, "app_build_list", version_builds(call, member_text(version, "version_id")));
	(void)json_object_set_new(answer, "data", data);
	return answer;
}

static json_t *upload(struct call *call, const json_t *app, const json_t *version, const char *name)
{
	const json_t *file = json_object_get(call->files, "upload_file");
	json_t *build = build_add(call->state, app, version, name, member_text(file, "file"));

	member_set_text(build, "user_id", member_text(call->user, "user_id"));
	(void)json_object_set(build, "sha256", json_object_get(file, "sha256"));
	(void)json_object_set(build, "bytes", json_object_get(file, "bytes"));
	if (*call_text(call, "bundle_identifier") != '\0')
		member_set_text(build, "bundle_id", call_text(call, "bundle_identifier"));
	return build;
}

static bool file_fits(const struct call *call, const char *platform)
{
	const char *file = member_text(json_object_get(call->files, "upload_file"), "file");

	if (strcmp(platform, "web") == 0)
		return false;
	return text_has_suffix_nocase(file, strcmp(platform, "ios") == 0 ? ".ipa" : ".apk");
}

json_t *handle_app_build_upload(struct call *call)
{
	json_t *answer = NULL, *build = NULL;
	const json_t *app = call_app(call, &answer);
	const json_t *version = app != NULL ? call_version(call, &answer) : NULL;

	if (version == NULL)
		return answer;
	if (!file_fits(call, member_text(version, "platform_type")))
		return call_refuse(call, 422, "The file does not fit the version's platform.");
	build = upload(call, app, version, call_text(call, "build_name"));
	answer = call_accept(call, "Successfully added app build");
	member_set_text(answer, "statuscode", "200");
	member_set_text(answer, "app_build_id", member_text(build, "app_build_id"));
	member_set_text(answer, "app_build_version", member_text(build, "app_build_version"));
	member_set_text(answer, "build_name", member_text(build, "build_name"));
	member_set_text(answer, "is_do_not_delete", "0");
	return answer;
}

json_t *handle_app_upload_direct(struct call *call)
{
	const char *platform = call_text(call, "platform");
	const char *name =
	        strcmp(platform, "1") == 0 ? "ios" : (strcmp(platform, "2") == 0 ? "android" : platform_of(platform));
	json_t *answer = NULL, *build = NULL;

	if (name == NULL || strcmp(name, "web") == 0)
		return call_refuse(call, 422, "Invalid platform.");
	if (!file_fits(call, name))
		return call_refuse(call, 422, "The file does not fit the platform.");
	build = upload(call, NULL, NULL, member_text(json_object_get(call->files, "upload_file"), "file"));
	answer = call_accept(call, "Successfully added app build");
	member_set_text(answer, "app_build_id", member_text(build, "app_build_id"));
	return answer;
}

json_t *handle_delete_uploaded_builds(struct call *call)
{
	json_t *answer = NULL;
	const json_t *build = call_build(call, &answer);
	size_t i;
	json_t *entry;

	if (build == NULL)
		return answer;
	for (i = 0; i < call->state->run_count; i++)
		if (call->state->runs[i].build == build && call->state->runs[i].ends > state_now(call->state))
			return call_refuse(call, 409, "The build is in use.");
	for (i = 0; i < call->state->run_count; i++)
		if (call->state->runs[i].build == build)
			call->state->runs[i].build = NULL;
	for (i = 0; i < call->state->install_count; i++)
		if (call->state->installs[i].build == build)
			call->state->installs[i].build = NULL;
	json_array_foreach (call->state->builds, i, entry)
		if (entry == build) {
			(void)json_array_remove(call->state->builds, i);
			break;
		}
	return call_accept(call, "Build removed successfully.");
}
