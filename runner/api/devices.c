#include "runner/api/model.h"

#include <stdint.h>
#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define ID_KEYS "device_id|deviceId|UDID|udid"

/* ---- state ---- */

struct state_row {
	enum device_state state;
	const char *flags; /* reference: Get Device Details */
	const char *words; /* for people */
	const char *stem; /* what a device_status of this kind contains */
};

/* In the order in which reasons count. */
static const struct state_row states[] = {
        {DEVICE_UNAUTHORISED, "is_unauthorised|is_unauthorized", "unauthorised", "unauthor"},
        {DEVICE_OFFLINE, "is_offline", "offline", "offline"},
        {DEVICE_OFFLINE, "is_device_offline", "offline", "not online"},
        {DEVICE_DISCONNECTED, NULL, "disconnected", "disconnect"}, /* is_connected says it the other way round */
        {DEVICE_DISCONNECTED, NULL, "disconnected", "not connected"},
        {DEVICE_REBOOTING, "is_rebooting", "rebooting", "reboot"},
        {DEVICE_CLEANING, "is_cleaning", "being cleaned", "clean"},
        {DEVICE_PREPARING, "is_preparing", "being prepared", "prepar"},
        {DEVICE_RESERVED, "is_reserved", "reserved", "reserv"},
        {DEVICE_RUNS_BUILD, "is_run_build", "running a build", "build"},
        {DEVICE_IN_GENERATOR, "is_run_generator", "in the test case generator", "generator"},
        {DEVICE_LOCAL_EXECUTION, "is_run_local_execution", "running a local script", "local"},
        {DEVICE_IN_USE, "is_run_device_cloud", "in use by hand", "in use"},
        {DEVICE_IN_USE, NULL, "in use by hand", "busy"},
        {DEVICE_VIRTUAL_USB, "is_run_virtual_usb", "connected by virtual USB", "usb"},
};

const char *device_state_words(enum device_state state)
{
	if (state == DEVICE_FREE)
		return "free";
	for (size_t i = 0; i < GR_COUNT(states); i++)
		if (states[i].state == state)
			return states[i].words;
	return "in an unknown state";
}

/* Set is 1 or true; any other number but 0 is no promise that the device is free. */
static bool flag_is_set(const json_t *row, const char *keys)
{
	int64_t number = 0;

	return answer_flag(row, keys) || (answer_int(row, keys, &number) && number != 0);
}

/* Is there a value that says anything, for any of the keys? */
static bool is_said(const json_t *row, const char *keys)
{
	GR_AUTO_FREE char *text = answer_text(row, keys);

	return text || json_is_boolean(answer_member(row, keys));
}

static bool has_flags(const json_t *row)
{
	for (size_t i = 0; i < GR_COUNT(states); i++)
		if (states[i].flags && is_said(row, states[i].flags))
			return true;
	return is_said(row, "is_connected");
}

static bool flags_hold(const struct state_row *state, const json_t *row)
{
	if (state->state == DEVICE_DISCONNECTED)
		return is_said(row, "is_connected") && !answer_flag(row, "is_connected");
	return state->flags && flag_is_set(row, state->flags);
}

static enum device_state status_state(const char *status)
{
	static const char *const free_words[] = {"available", "free", "online", "idle", "ready", "connected"};

	for (size_t i = 0; i < GR_COUNT(free_words); i++)
		if (text_equal_nocase(status, free_words[i]))
			return DEVICE_FREE;
	for (size_t i = 0; i < GR_COUNT(states); i++)
		if (text_contains_nocase(status, states[i].stem))
			return states[i].state;
	return DEVICE_UNKNOWN;
}

static enum device_state state_decode(const json_t *row)
{
	GR_AUTO_FREE char *status = answer_text(row, "device_status|deviceStatus");

	for (size_t i = 0; i < GR_COUNT(states); i++)
		if (flags_hold(&states[i], row))
			return states[i].state;
	if (status)
		return status_state(status);
	return has_flags(row) ? DEVICE_FREE : DEVICE_UNKNOWN;
}

/* A reservation hides what else is said of a device, and a run ends with its cleaning. */
static bool is_at_work(const json_t *row)
{
	static const enum device_state work[] = {DEVICE_RUNS_BUILD, DEVICE_IN_GENERATOR, DEVICE_LOCAL_EXECUTION,
	        DEVICE_IN_USE, DEVICE_CLEANING, DEVICE_PREPARING, DEVICE_REBOOTING};
	GR_AUTO_FREE char *status = answer_text(row, "device_status|deviceStatus");
	enum device_state said = status ? status_state(status) : DEVICE_FREE;

	for (size_t i = 0; i < GR_COUNT(work); i++) {
		if (said == work[i])
			return true;
		for (size_t j = 0; j < GR_COUNT(states); j++)
			if (states[j].state == work[i] && flags_hold(&states[j], row))
				return true;
	}
	return false;
}

/* ---- platform ---- */

static enum platform platform_member(const json_t *row, const char *keys)
{
	GR_AUTO_FREE char *text = answer_text(row, keys);

	return platform_parse(text);
}

static enum platform platform_of_automation(const json_t *row)
{
	GR_AUTO_FREE char *name = answer_text(row, "automation_name|automationName");

	if (name && text_equal_nocase(name, "XCUITest"))
		return PLATFORM_IOS;
	if (name && (text_has_prefix(name, "UiAutomator") || text_has_prefix(name, "uiautomator")))
		return PLATFORM_ANDROID;
	return PLATFORM_UNKNOWN;
}

/* listed: the platform of the list that the row stands in. Browsers name an automation of their host, so Web wins. */
static enum platform platform_decode(const json_t *row, enum platform listed)
{
	enum platform type = platform_member(row, "device_type|deviceType");
	enum platform name = platform_member(row, "platform_name|platformName|platform");

	if (type == PLATFORM_WEB || name == PLATFORM_WEB)
		return PLATFORM_WEB;
	if (listed != PLATFORM_UNKNOWN)
		return listed;
	if (type != PLATFORM_UNKNOWN)
		return type;
	if (name != PLATFORM_UNKNOWN)
		return name;
	name = platform_of_automation(row);
	return name != PLATFORM_UNKNOWN ? name : platform_member(row, "mobile_number");
}

/* ---- one device ---- */

/* Tags from "a,b" or a list, as "a,b"; the caller's, or NULL. */
static char *tags_decode(const json_t *row)
{
	const json_t *tags = answer_member(row, "tags|device_tag");
	GR_AUTO_BUFFER struct buffer text = {0};
	const json_t *item;
	size_t i;

	if (!json_is_array(tags))
		return answer_text(row, "tags|device_tag");
	json_array_foreach (tags, i, item) {
		if (!json_is_string(item) || json_string_length(item) == 0)
			continue;
		if (text.bytes)
			buffer_add_char(&text, ',');
		buffer_add_text(&text, json_string_value(item));
	}
	return text.bytes ? buffer_take(&text) : NULL;
}

static void row_decode(const json_t *row, enum platform listed, struct device *ret_device)
{
	*ret_device = (struct device){
	        .device_id = answer_text(row, "device_id|deviceId|id"),
	        .udid = answer_text(row, "UDID|udid"),
	        .s_device = answer_text(row, "s_device|sDevice"),
	        .name = answer_text(row, "device_name|deviceName|name"),
	        .manufacturer = answer_text(row, "manufactured_by|manufacturer"),
	        .os_version = answer_text(row, "platform_version|platformVersion|os_version|os"),
	        .tags = tags_decode(row),
	        .reserved_by = answer_text(row, "reserved_device_user_email"),
	        .appium_url = answer_text(row, "appium_url|appiumURL|appiumUrl"),
	        .platform = platform_decode(row, listed),
	        .state = state_decode(row),
	        .is_at_work = is_at_work(row),
	};
}

void device_release(struct device *device)
{
	if (!device)
		return;
	gr_free(device->device_id);
	gr_free(device->udid);
	gr_free(device->s_device);
	gr_free(device->name);
	gr_free(device->manufacturer);
	gr_free(device->os_version);
	gr_free(device->tags);
	gr_free(device->reserved_by);
	gr_free(device->appium_url);
	*device = (struct device){0};
}

/* ---- the list ---- */

struct collector {
	struct device_list list;
	json_t *seen; /* an object whose keys are the ids: a device stands in the list once */
};

static void collect_row(struct collector *collector, const json_t *row, enum platform listed)
{
	struct device device;
	const char *id;

	row_decode(row, listed, &device);
	id = device.device_id ? device.device_id : device.udid;
	if (!id || json_object_get(collector->seen, id)) { /* nothing that a step could name */
		device_release(&device);
		return;
	}
	(void)json_object_set_new(collector->seen, id, json_true());
	collector->list.devices =
	        gr_grow(collector->list.devices, collector->list.count, sizeof(*collector->list.devices));
	collector->list.devices[collector->list.count++] = device;
}

static enum platform platform_of_key(const char *key)
{
	return strpbrk(key, "0123456789") ? PLATFORM_UNKNOWN : platform_parse(key);
}

/* {"android": [...], "ios": [...]} */
static bool is_by_platform(const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)object, key, value)
		if (platform_of_key(key) != PLATFORM_UNKNOWN)
			return true;
	return false;
}

/* [{"android": [...]}, {"platform": "ios", "devices": [...]}] */
static bool is_part(const json_t *row)
{
	return !answer_member(row, ID_KEYS) && (is_by_platform(row) || answer_member(row, "devices"));
}

static int collect_part(struct collector *collector, const json_t *row, struct gr_error *err);

static int collect_rows(
        struct collector *collector, const json_t *object, const char *key, enum platform listed, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = NULL;
	const json_t *row;
	size_t i;
	int rc = answer_list(object, key, &rows, err);

	if (rc < 0)
		return rc;
	json_array_foreach (rows, i, row) {
		if (!json_is_object(row))
			return gr_fail(err, GR_PROTOCOL, 0, "the list of devices holds something that is no device");
		if (!is_part(row))
			collect_row(collector, row, listed);
		else if ((rc = collect_part(collector, row, err)) < 0)
			return rc;
	}
	return 0;
}

static int collect_by_platform(struct collector *collector, const json_t *object, struct gr_error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		enum platform listed = platform_of_key(key);
		GR_AUTO_JSON json_t *wrap = NULL;
		int rc;

		if (listed == PLATFORM_UNKNOWN)
			continue; /* totals beside the lists */
		wrap = json_pack("{s:O}", "devices", value);
		rc = collect_rows(collector, wrap, "devices", listed, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int collect_part(struct collector *collector, const json_t *row, struct gr_error *err)
{
	if (is_by_platform(row))
		return collect_by_platform(collector, row, err);
	return collect_rows(collector, row, "devices", platform_member(row, "platform|platform_name|device_type"), err);
}

static const char *const list_keys[] = {"data", "devices", "response", "result"};

/* What stands under one of those of an answer. */
static int collect_member(struct collector *collector, const json_t *answer, const char *key, struct gr_error *err)
{
	const json_t *value = answer_member(answer, key);

	if (json_is_object(value) && is_by_platform(value))
		return collect_by_platform(collector, value, err);
	if (json_is_object(value) && !answer_member(value, ID_KEYS)) {
		const json_t *inner = answer_member(value, "devices");

		if (json_is_object(inner) && is_by_platform(inner))
			return collect_by_platform(collector, inner, err);
		if (inner)
			return collect_rows(collector, value, "devices", PLATFORM_UNKNOWN, err);
	}
	return collect_rows(collector, answer, key, PLATFORM_UNKNOWN, err);
}

/* Without any list: the server says that there are no devices, or success and nothing else. */
static bool is_empty_list(const json_t *answer)
{
	return operation_says_nothing_there(operation_get(OP_GET_DEVICE_LIST), answer) ||
	       (answer_says(answer) == ANSWER_SUCCESS && !answer_speaks_of_error(answer));
}

static bool has_list(const json_t *answer)
{
	for (size_t i = 0; i < GR_COUNT(list_keys); i++)
		if (json_object_get(answer, list_keys[i]))
			return true;
	return false;
}

static int collect_answer(struct collector *collector, const json_t *answer, struct gr_error *err)
{
	GR_AUTO_JSON json_t *wrap = NULL;
	int rc = 0;

	if (json_is_array(answer)) {
		wrap = json_pack("{s:O}", "data", (json_t *)(uintptr_t)answer);
		return collect_rows(collector, wrap, "data", PLATFORM_UNKNOWN, err);
	}
	if (!has_list(answer) && !is_empty_list(answer))
		return gr_fail(err, GR_PROTOCOL, 0, "the answer has no list of devices");
	for (size_t i = 0; rc == 0 && collector->list.count == 0 && i < GR_COUNT(list_keys); i++)
		rc = collect_member(collector, answer, list_keys[i], err);
	return rc;
}

int device_list_decode(const json_t *answer, struct device_list *ret_list, struct gr_error *err)
{
	struct collector collector = {.seen = json_object()};
	int rc = collect_answer(&collector, answer, err);

	json_decref(collector.seen);
	if (rc < 0) {
		device_list_release(&collector.list);
		return rc;
	}
	*ret_list = collector.list;
	return 0;
}

void device_list_release(struct device_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		device_release(&list->devices[i]);
	gr_free(list->devices);
	*list = (struct device_list){0};
}
