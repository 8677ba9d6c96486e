/* A device as the value that expressions see, and back. */
#include "runner/api/model.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/api/answer.h"

static void set_text(json_t *json, const char *key, const char *text)
{
	json_t *value = text ? json_string(text) : NULL;

	/* What the server did not say, or not in UTF-8, is null. */
	(void)json_object_set_new(json, key, value ? value : json_null());
}

/* The number before the first point of "14.1". */
static json_t *major_json(const char *version)
{
	GR_AUTO_FREE char *digits = version ? gr_strndup(version, strspn(version, "0123456789")) : NULL;
	int64_t major;

	return digits && number_parse_int(digits, &major) ? json_integer(major) : json_null();
}

static json_t *tags_json(const char *tags)
{
	json_t *list = json_array();

	while (tags && *tags) {
		size_t bytes, kept;

		tags += strspn(tags, ", ");
		bytes = strcspn(tags, ",");
		for (kept = bytes; kept > 0 && tags[kept - 1] == ' ';)
			kept--;
		if (kept)
			(void)json_array_append_new(list, json_stringn(tags, kept));
		tags += bytes;
	}
	return list;
}

json_t *device_to_json(const struct device *device)
{
	json_t *json = json_object();

	set_text(json, "device_id", device->device_id);
	set_text(json, "udid", device->udid);
	set_text(json, "s_device", device->s_device);
	set_text(json, "name", device->name);
	set_text(json, "manufacturer", device->manufacturer);
	set_text(json, "os", device->os_version);
	(void)json_object_set_new(json, "os_major", major_json(device->os_version));
	(void)json_object_set_new(json, "platform", json_string(platform_name(device->platform)));
	(void)json_object_set_new(json, "tags", tags_json(device->tags));
	return json;
}

int device_from_json(const json_t *json, struct device *ret_device, struct gr_error *err)
{
	GR_AUTO_JSON json_t *wrap = NULL;
	struct device_list list = {0};
	struct gr_error ignored = {0};

	if (!json_is_object(json))
		return gr_fail(err, GR_CONFIG, 0, "a device is a mapping with a device_id");
	wrap = json_pack("{s:[O]}", "data", json);
	if (device_list_decode(wrap, &list, &ignored) < 0 || list.count != 1) {
		device_list_release(&list);
		return gr_fail(err, GR_CONFIG, 0, "a device needs a device_id or a udid");
	}
	*ret_device = list.devices[0];
	gr_free(list.devices);
	return 0;
}
