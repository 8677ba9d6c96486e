#include "runner/steps/selector.h"

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/version.h"

static bool has_tag(const struct device *device, const char *tag)
{
	GR_AUTO_JSON json_t *json = device_to_json(device);

	return texts_has(json_object_get(json, "tags"), tag);
}

static bool fits_glob(const json_t *pattern, const char *text)
{
	return !json_is_string(pattern) || (text != NULL && text_match_glob(json_string_value(pattern), text));
}

static bool fits_text(const json_t *wanted, const char *text)
{
	return !json_is_string(wanted) || text_equal(json_string_value(wanted), text);
}

static bool fits_os(const json_t *range, const char *version)
{
	return !json_is_string(range) ||
	       (version != NULL && text_match_version(json_string_value(range), version, NULL));
}

static bool fits_platform(const json_t *name, enum platform platform)
{
	return !json_is_string(name) || platform_parse(json_string_value(name)) == platform;
}

bool device_fits(const struct device *device, const json_t *entry)
{
	const json_t *tag = json_object_get(entry, "tag");

	return fits_glob(json_object_get(entry, "name"), device->name) &&
	       fits_glob(json_object_get(entry, "manufacturer"), device->manufacturer) &&
	       fits_os(json_object_get(entry, "os"), device->os_version) &&
	       fits_platform(json_object_get(entry, "platform"), device->platform) &&
	       fits_text(json_object_get(entry, "id"), device->device_id) &&
	       fits_text(json_object_get(entry, "udid"), device->udid) &&
	       (!json_is_string(tag) || has_tag(device, json_string_value(tag)));
}
