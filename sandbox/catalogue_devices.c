#include <inttypes.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "sandbox/catalogue.h"

/* Flags of the reference, section Get Device Details: each is "0" unless the scenario or the state says otherwise. */
static const char *const flags[] = {"is_run_generator", "is_run_build", "is_run_local_execution", "is_run_virtual_usb",
        "is_run_device_cloud", "is_offline", "is_connected", "is_device_offline", "is_unauthorised", "is_rebooting",
        "is_reserved", "is_preparing", "is_cleaning", NULL};

/* {"device_type": "1"} is iOS in the reference's samples (Get Device List), "3" is Web (Group devices). */
static const char *platform_code(const char *platform)
{
	if (strcmp(platform, "ios") == 0)
		return "1";
	return strcmp(platform, "android") == 0 ? "2" : "3";
}

static void device_flags(json_t *row, const json_t *given)
{
	size_t i;

	for (i = 0; flags[i] != NULL; i++) {
		GR_AUTO_FREE char *value =
		        member_id(given, flags[i], strcmp(flags[i], "is_connected") == 0 ? "1" : "0");

		member_set_text(row, flags[i], value);
	}
}

static void device_identity(json_t *row, const json_t *entry, const char *id, const char *platform)
{
	GR_AUTO_FREE char *os = member_id(entry, "os", "");
	GR_AUTO_FREE char *udid = gr_printf("SANDBOX%s", id);
	GR_AUTO_FREE char *code = gr_printf("SB%s", id);
	GR_AUTO_FREE char *s_device = member_id(entry, "s_device", code);
	GR_AUTO_FREE char *given_udid = member_id(entry, "udid", udid);

	member_set_text(row, "device_id", id);
	member_set_text(row, "UDID", given_udid);
	member_set_text(row, "tags", member_text(entry, "tags"));
	member_set_text(row, "device_type", platform_code(platform));
	member_set_text(row, "platform_version", os);
	member_set_text(row, "device_name", member_text(entry, "name"));
	member_set_text(row, "manufactured_by", member_text(entry, "manufacturer"));
	member_set_text(row, "chamber_number", "");
	member_set_text(row, "s_device", s_device);
}

static void device_rest(const struct state *state, json_t *row, const char *id, const char *platform)
{
	static const char *const empty[] = {"mobile_number", "remotelite_url", "reserved_device_user_email", NULL};
	static const char *const null[] = {"device_location", "device_data_room", "device_data_center", NULL};
	bool ios = strcmp(platform, "ios") == 0;
	GR_AUTO_FREE char *appium = gr_printf("%s/appium_36%s/wd/hub", state->base_url, id);
	size_t i;

	for (i = 0; empty[i] != NULL; i++)
		member_set_text(row, empty[i], "");
	for (i = 0; null[i] != NULL; i++)
		member_set_text(row, null[i], "null");
	member_set_text(row, "web_socket_audio_port", "43006");
	member_set_text(row, "web_socket_video_port", "44006");
	member_set_text(row, "wda_local_port", ios ? "3006" : "");
	member_set_text(row, "system_port", ios ? "" : "4007");
	member_set_text(row, "reserved_device_user_id", "0");
	member_set_text(row, "device_simulation_type", "Real");
	member_set_text(row, "imei", "[]");
	member_set_text(row, "server_type", "1");
	member_set_text(row, "device_processor_name", ios ? "A11 Bionic" : "Snapdragon 888");
	member_set_text(row, "appium_url", appium);
	member_set_text(row, "platform_name", ios ? "iOS" : (strcmp(platform, "android") == 0 ? "Android" : "Web"));
	member_set_text(row, "automation_name", ios ? "XCUITest" : "UiAutomator2");
}

static int device_add(struct state *state, const json_t *entry, struct gr_error *err)
{
	GR_AUTO_FREE char *id = member_id(entry, "id", "0");
	const char *platform = member_text(entry, "platform");
	const char *name = member_text(entry, "name");
	json_t *device = json_object();
	json_t *row = json_object();

	(void)json_array_append_new(state->devices, device);
	(void)json_object_set_new(device, "row", row);
	(void)json_object_set_new(device, "entry", json_incref((json_t *)(uintptr_t)entry));
	(void)json_object_set_new(device, "pin", json_string(""));
	if (strcmp(platform, "android") != 0 && strcmp(platform, "ios") != 0 && strcmp(platform, "web") != 0)
		return gr_fail(err, GR_CONFIG, 0, "scenario: device '%s': platform is android, ios or web", name);
	if (device_of_id(state, id) != NULL)
		return gr_fail(err, GR_CONFIG, 0, "scenario: two devices have the id %s", id);
	device_identity(row, entry, id, platform);
	device_flags(row, json_object_get(entry, "flags"));
	device_rest(state, row, id, platform);
	member_set_text(device, "device_id", id);
	member_set_text(device, "s_device", member_text(row, "s_device"));
	member_set_text(device, "name", name);
	member_set_text(device, "platform", platform);
	if (*member_text(entry, "reserved_by") != '\0') {
		member_set_text(row, "is_reserved", "1");
		member_set_text(row, "reserved_device_user_id", "2");
		member_set_text(row, "reserved_device_user_email", member_text(entry, "reserved_by"));
	}
	(void)json_object_set_new(device, "apps", json_array());
	return 0;
}

int catalogue_add_devices(struct state *state, struct gr_error *err)
{
	size_t i;
	json_t *entry;

	json_array_foreach (json_object_get(state->scenario, "devices"), i, entry)
		if (device_add(state, entry, err) != 0)
			return -GR_CONFIG;
	return 0;
}

json_t *device_of_id(const struct state *state, const char *id)
{
	return list_find(state->devices, "device_id", id);
}

json_t *device_of_code(const struct state *state, const char *s_device)
{
	return list_find(state->devices, "s_device", s_device);
}
