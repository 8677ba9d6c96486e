#include "runner/steps/version.h"

#include "runner/api/answer.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

int version_list(const json_t *answer, json_t **ret_versions, struct gr_error *err)
{
	const json_t *data = answer_holder(answer, "versions");

	if (data == NULL)
		data = answer_holder(answer, "app_id|application_token|name");
	if (data == NULL && operation_says_nothing_there(operation_get(OP_GET_APPLICATION_INFO), answer)) {
		*ret_versions = json_array();
		return 0;
	}
	if (data == NULL)
		return gr_fail(err, GR_PROTOCOL, 0, "the answer about the application has no 'data' with its versions");
	if (answer_list(data, "versions", ret_versions, err) != 0)
		return gr_context(err, "versions of the application");
	return 0;
}

json_t *version_ids(const json_t *versions, const char *name)
{
	json_t *ids = json_array();
	const json_t *item = NULL;
	size_t i = 0;

	json_array_foreach (versions, i, item) {
		GR_AUTO_FREE char *called = answer_text(item, "version_name|name");
		GR_AUTO_FREE char *id = answer_text(item, "version_id|id");

		if (id != NULL && text_equal(called, name))
			(void)json_array_append_new(ids, json_string(id));
	}
	return ids;
}

bool version_has_id(const json_t *versions, const char *id)
{
	const json_t *item = NULL;
	size_t i = 0;

	json_array_foreach (versions, i, item) {
		GR_AUTO_FREE char *is = answer_text(item, "version_id|id");

		if (text_equal(is, id))
			return true;
	}
	return false;
}

enum platform version_platform(const json_t *versions)
{
	enum platform shared = PLATFORM_UNKNOWN;
	const json_t *item = NULL;
	size_t i = 0;

	json_array_foreach (versions, i, item) {
		GR_AUTO_FREE char *text = answer_text(item, "platform_type|platform");
		enum platform platform = text != NULL ? platform_parse(text) : PLATFORM_UNKNOWN;

		if (i > 0 && platform != shared)
			return PLATFORM_UNKNOWN;
		shared = platform;
	}
	return shared;
}

static void list_names(const json_t *versions, struct buffer *words)
{
	const json_t *item = NULL;
	size_t i = 0;

	json_array_foreach (versions, i, item) {
		GR_AUTO_FREE char *name = answer_text(item, "version_name|name");

		if (i < 5 && name != NULL)
			buffer_printf(words, "%s'%s'", words->bytes > 0 ? ", " : "", name);
	}
}

static int pick_named(const json_t *versions, const char *name, char **ret_id, struct gr_error *err)
{
	GR_AUTO_JSON json_t *ids = version_ids(versions, name);

	if (json_array_size(ids) > 1)
		return gr_fail(err, GR_CONFIG, 0,
		        "%zu versions are named '%s' (the first ids are %s and %s): give { id: } instead",
		        json_array_size(ids), name, json_string_value(json_array_get(ids, 0)),
		        json_string_value(json_array_get(ids, 1)));
	*ret_id = gr_strdup(json_string_value(json_array_get(ids, 0)));
	return 0;
}

static int say_missing(const json_t *versions, const char *kind, const char *wanted, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer names = {0};

	list_names(versions, &names);
	return gr_fail(err, GR_CONFIG, 0, "the application has no version %s'%s'; it has %s%s", kind, wanted,
	        names.bytes > 0 ? buffer_text(&names) : "none", json_array_size(versions) > 5 ? " and others" : "");
}

static int pick_id(const json_t *versions, const char *kind, const char *id, char **ret_id, struct gr_error *err)
{
	if (!version_has_id(versions, id))
		return say_missing(versions, kind, id, err);
	*ret_id = gr_strdup(id);
	return 0;
}

int version_pick(const json_t *versions, const json_t *wanted, char **ret_id, struct gr_error *err)
{
	const char *bare = json_string_value(wanted);
	const char *id = json_string_value(json_object_get(wanted, "id"));
	const char *name = bare != NULL ? bare : json_string_value(json_object_get(wanted, "name"));
	char *found = NULL;
	int failure = 0;

	if (id != NULL)
		return pick_id(versions, "with the id ", id, ret_id, err);
	failure = pick_named(versions, name, &found, err);
	if (failure != 0)
		return failure;
	if (found == NULL && bare != NULL)
		return pick_id(versions, "", bare, ret_id, err);
	if (found == NULL)
		return say_missing(versions, "", name, err);
	*ret_id = found;
	return 0;
}

bool texts_has(const json_t *texts, const char *text)
{
	const json_t *item = NULL;
	size_t i = 0;

	json_array_foreach (texts, i, item)
		if (text_equal(json_string_value(item), text))
			return true;
	return false;
}

json_t *texts_added(const json_t *now, const json_t *before)
{
	json_t *added = json_array(), *item = NULL;
	size_t i = 0;

	json_array_foreach (now, i, item)
		if (!texts_has(before, json_string_value(item)))
			(void)json_array_append(added, item);
	return added;
}
