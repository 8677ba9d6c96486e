/* Devices: how they are now, and the reference's ways to list and describe them. */
#include <inttypes.h>
#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "sandbox/devices.h"
#include "sandbox/faults.h"
#include "sandbox/routes.h"

bool device_is_offline(const struct state *state, const json_t *device)
{
	const json_t *entry = json_object_get(device, "entry");
	const json_t *row = json_object_get(device, "row");
	double now = state_now(state);

	if (now >= member_number(entry, "offline_from", NEVER) && now < member_number(entry, "offline_until", NEVER))
		return true;
	return strcmp(member_text(row, "is_offline"), "1") == 0 ||
	       strcmp(member_text(row, "is_device_offline"), "1") == 0 ||
	       strcmp(member_text(row, "is_connected"), "1") != 0;
}

struct reservation *device_reservation(const struct state *state, const json_t *device)
{
	int64_t now = clock_wall_ms();
	size_t i;

	for (i = 0; i < state->reservation_count; i++) {
		struct reservation *reservation = &state->reservations[i];

		if (reservation->device == device && reservation->accepted && !reservation->over &&
		        reservation->from_ms <= now && now < reservation->to_ms)
			return reservation;
	}
	return NULL;
}

bool device_runs_build(const struct state *state, const json_t *device)
{
	double now = state_now(state);
	size_t i;

	for (i = 0; i < state->run_count; i++)
		if (state->runs[i].device == device && now >= state->runs[i].starts && now < state->runs[i].ends &&
		        !state->runs[i].foreign)
			return true;
	for (i = 0; i < state->native_count; i++)
		if (state->natives[i].device == device && now >= state->natives[i].starts &&
		        now < state->natives[i].ends)
			return true;
	return false;
}

double device_free_at(const struct state *state, const json_t *device)
{
	double free_at = 0;
	size_t i;

	for (i = 0; i < state->run_count; i++)
		if (state->runs[i].device == device && !state->runs[i].foreign && state->runs[i].ends > free_at)
			free_at = state->runs[i].ends;
	for (i = 0; i < state->native_count; i++)
		if (state->natives[i].device == device && state->natives[i].ends > free_at)
			free_at = state->natives[i].ends;
	return free_at;
}

const char *device_refusal(const struct state *state, const json_t *device, const json_t *user)
{
	static const struct {
		const char *flag, *words;
	} rows[] = {{"is_unauthorised", "Device is unauthorised."}, {"is_rebooting", "Device is rebooting."},
	        {"is_preparing", "Device is being prepared."}, {"is_cleaning", "Device is being cleaned."}};
	const json_t *row = json_object_get(device, "row");
	const struct reservation *reservation = device_reservation(state, device);
	const char *holder = member_text(row, "reserved_device_user_email");
	size_t i;

	if (device_is_offline(state, device))
		return "Device is offline.";
	for (i = 0; i < GR_COUNT(rows); i++)
		if (strcmp(member_text(row, rows[i].flag), "1") == 0)
			return rows[i].words;
	if (reservation != NULL && reservation->user != user)
		return "Device is reserved by another user.";
	if (reservation == NULL && *holder != '\0' && strcmp(holder, member_text(user, "email")) != 0)
		return "Device is reserved by another user.";
	return NULL;
}

json_t *device_row(const struct state *state, const json_t *device)
{
	json_t *row = json_copy(json_object_get(device, "row"));
	const struct reservation *reservation = device_reservation(state, device);

	if (device_is_offline(state, device) && strcmp(member_text(row, "is_device_offline"), "1") != 0) {
		member_set_text(row, "is_offline", "1");
		member_set_text(row, "is_connected", "0");
	}
	if (device_runs_build(state, device))
		member_set_text(row, "is_run_build", "1");
	if (reservation != NULL) {
		member_set_text(row, "is_reserved", "1");
		member_set_text(row, "reserved_device_user_id", member_text(reservation->user, "user_id"));
		member_set_text(row, "reserved_device_user_email", member_text(reservation->user, "email"));
	}
	return row;
}

/* Those that `device_vanishes` leaves: all of them, unless a fault names this device (or any). */
static bool has_vanished(const struct call *call, const json_t *device)
{
	const json_t *fault = fault_find(call, "device_vanishes");
	const char *name = member_text(fault, "device");

	return fault != NULL && (*name == '\0' || strcmp(name, member_text(device, "name")) == 0);
}

static void put_by_platform(json_t *answer, const json_t *list)
{
	json_t *data = json_object();
	size_t i;
	json_t *row;

	(void)json_object_set_new(data, "android", json_array());
	(void)json_object_set_new(data, "ios", json_array());
	(void)json_object_set_new(data, "web", json_array());
	json_array_foreach (list, i, row) {
		const char *code = member_text(row, "device_type");
		const char *platform = strcmp(code, "1") == 0 ? "ios" : (strcmp(code, "2") == 0 ? "android" : "web");

		(void)json_array_append(json_object_get(data, platform), row);
	}
	(void)json_object_set_new(answer, "data", data);
}

json_t *handle_get_device_list(struct call *call)
{
	json_t *answer = call_accept(call, "Device Fetch Successfully.");
	json_t *list = json_array();
	size_t i;
	json_t *device;

	json_array_foreach (call->state->devices, i, device)
		if (!has_vanished(call, device))
			(void)json_array_append_new(list, device_row(call->state, device));
	if (state_word_is(call->state, "devices_shape", "by_platform")) {
		put_by_platform(answer, list);
		json_decref(list);
	} else {
		call_put_list(call, answer, state_word(call->state, "devices_shape"), list, false);
	}
	return answer;
}

static const char *device_status(const struct state *state, const json_t *device)
{
	if (device_is_offline(state, device))
		return "Offline";
	if (device_reservation(state, device) != NULL ||
	        *member_text(json_object_get(device, "row"), "reserved_device_user_email") != '\0')
		return "Reserved";
	return device_runs_build(state, device) ? "In Use" : "Available";
}

/* The shape of Get All Devices with Filter: other names than in Get Device List, and device_id as a number. */
static json_t *info_row(const struct state *state, const json_t *device)
{
	static const char *const same[] = {"UDID", "device_name", "platform_version", "system_port", "mobile_number",
	        "device_processor_name", "device_location", "device_data_room", "device_data_center", "tags",
	        "appium_url", "remotelite_url", NULL};
	const json_t *row = json_object_get(device, "row");
	json_t *info = json_object();
	GR_AUTO_FREE char *id = member_id(row, "device_id", "0");
	GR_AUTO_JSON json_t *number = json_loads(id, JSON_DECODE_ANY, NULL);
	size_t i;

	(void)json_object_set(info, "device_id", json_is_integer(number) ? number : json_object_get(row, "device_id"));
	for (i = 0; same[i] != NULL; i++)
		member_set_text(info, same[i], member_text(row, same[i]));
	member_set_text(info, "model_name", "");
	member_set_text(info, "serial_number", "");
	member_set_text(info, "browser_free_url", "");
	member_set_text(info, "device_type", member_text(device, "platform"));
	member_set_text(info, "device_status", device_status(state, device));
	return info;
}

static bool filter_fits(const struct call *call, const json_t *device)
{
	const char *version = call_text(call, "platform_version");
	const char *type = call_text(call, "device_type");
	const char *id = call_text(call, "device_id");

	if (*version != '\0' && strcmp(version, member_text(json_object_get(device, "row"), "platform_version")) != 0)
		return false;
	if (*type != '\0' && !text_equal_nocase(type, member_text(device, "platform")))
		return false;
	return *id == '\0' || strcmp(id, member_text(device, "device_id")) == 0;
}

json_t *handle_get_all_devices_with_filter(struct call *call)
{
	json_t *answer = call_accept(call, "Device Fetch Successfully.");
	json_t *list = json_array();
	size_t i;
	json_t *device;

	json_array_foreach (call->state->devices, i, device)
		if (!has_vanished(call, device) && filter_fits(call, device))
			(void)json_array_append_new(list, info_row(call->state, device));
	call_put_list(call, answer, "devices", list, true);
	return answer;
}

/* Names of GetAppiumCapabilities, beside the flags, which are numbers there. */
static json_t *details_row(const struct state *state, const json_t *device)
{
	static const struct {
		const char *to, *from;
	} names[] = {{"device_id", "device_id"}, {"appiumURL", "appium_url"}, {"platformName", "platform_name"},
	        {"platform_version", "platform_version"}, {"deviceName", "device_name"},
	        {"automationName", "automation_name"}, {"udid", "UDID"}, {"s_device", "s_device"},
	        {"wdaLocalPort", "wda_local_port"}, {"reserved_device_user_email", "reserved_device_user_email"}};
	GR_AUTO_JSON json_t *row = device_row(state, device);
	json_t *details = json_object();
	const char *key;
	json_t *value;
	size_t i;

	for (i = 0; i < GR_COUNT(names); i++)
		member_set_text(details, names[i].to, member_text(row, names[i].from));
	json_object_foreach (row, key, value)
		if (text_has_prefix(key, "is_"))
			(void)json_object_set_new(
			        details, key, json_integer(strcmp(json_string_value(value), "1") == 0));
	return details;
}

json_t *handle_get_device_details(struct call *call)
{
	const char *udid = call_text(call, "udid");
	const json_t *device = NULL;
	json_t *answer = NULL;
	size_t i;
	json_t *entry;

	if (!call_has(call, "device_id") && !call_has(call, "udid")) {
		call_violation(call, "neither device_id nor udid is given");
		return call_refuse(call, 422, "The device_id or udid field is required.");
	}
	if (*call_text(call, "device_id") != '\0')
		device = device_of_id(call->state, call_text(call, "device_id"));
	json_array_foreach (call->state->devices, i, entry)
		if (device == NULL && *udid != '\0' &&
		        strcmp(udid, member_text(json_object_get(entry, "row"), "UDID")) == 0)
			device = entry;
	if (device == NULL)
		return call_refuse(call, 404, "Device not found.");
	answer = call_accept(call, "Device details.");
	(void)json_object_set_new(answer, "data", details_row(call->state, device));
	return answer;
}

static bool capabilities_fit(const struct call *call, const json_t *device)
{
	static const struct {
		const char *parameter, *member;
	} same[] = {{"device_name", "device_name"}, {"os_version", "platform_version"},
	        {"manufactured_by", "manufactured_by"}};
	const json_t *row = json_object_get(device, "row");
	size_t i;

	if (!text_equal_nocase(call_text(call, "device_type"), member_text(device, "platform")))
		return false;
	for (i = 0; i < GR_COUNT(same); i++)
		if (*call_text(call, same[i].parameter) != '\0' &&
		        strcmp(call_text(call, same[i].parameter), member_text(row, same[i].member)) != 0)
			return false;
	if (*call_text(call, "device_tag") != '\0' &&
	        !text_contains_nocase(member_text(row, "tags"), call_text(call, "device_tag")))
		return false;
	return device_refusal(call->state, device, call->user) == NULL && !device_runs_build(call->state, device);
}

static json_t *capabilities(const struct call *call, const json_t *device)
{
	static const char *const same[] = {"device_id", "appium_url", "s_device", "device_name", "platform_version",
	        "automation_name", "system_port", NULL};
	const json_t *row = json_object_get(device, "row");
	const char *port = strrchr(call->state->base_url, ':');
	json_t *data = json_object();
	size_t i;

	for (i = 0; same[i] != NULL; i++)
		member_set_text(data, same[i], member_text(row, same[i]));
	member_set_text(data, "platform_name", member_text(device, "platform"));
	member_set_text(data, "udid", member_text(row, "UDID"));
	member_set_text(data, "imei", "Unknown");
	if (json_is_true(json_object_get(call->state->scenario, "tokens_in_answers")))
		member_set_text(data, "user_token", call_text(call, "user_token"));
	member_set_text(data, "remote_host", "127.0.0.1");
	member_set_text(data, "remote_path", "/wd/hub");
	member_set_text(data, "remote_port", port != NULL ? port + 1 : "");
	member_set_text(data, "project_name", call_text(call, "project_name"));
	return data;
}

static void session_open(const struct call *call, const json_t *device);

json_t *handle_get_first_available_device_capabilities_builder(struct call *call)
{
	size_t count = json_array_size(call->state->devices), i;
	size_t first = 0;
	bool is_random =
	        strcmp(call_text(call, "order_by"), "rand") == 0 || strcmp(call_text(call, "Order_By"), "rand") == 0;

	if (is_random && count > 0)
		first = (size_t)(state_chance(call->state) * (double)count);
	for (i = 0; i < count; i++) {
		const json_t *device = json_array_get(call->state->devices, (first + i) % count);
		json_t *answer = NULL;

		if (!capabilities_fit(call, device))
			continue;
		answer = call_accept(call, "");
		(void)json_object_set_new(answer, "data", capabilities(call, device));
		session_open(call, device);
		return answer;
	}
	return call_refuse(call, 404, "No device is available.");
}

/* Handing out capabilities is what an Appium session begins with: it is what Automation Build Results list afterwards.
 */
static void session_open(const struct call *call, const json_t *device)
{
	json_t *session = json_object();
	GR_AUTO_FREE char *number = gr_printf("%zu", 3031 + json_array_size(call->state->sessions));
	GR_AUTO_FREE char *created = state_time_text(call->state, state_now(call->state));

	member_set_text(session, "build_number", number);
	member_set_text(session, "session_name", "sandbox session");
	member_set_text(session, "project_name",
	        *call_text(call, "project_name") != '\0' ? call_text(call, "project_name") : "undefined");
	member_set_text(session, "testcase_name", "sandbox session");
	member_set_text(session, "created", created);
	(void)json_object_set_new(session, "at", json_real(state_now(call->state)));
	member_set_text(session, "device_id", member_text(device, "device_id"));
	(void)json_array_append_new(call->state->sessions, session);
}
