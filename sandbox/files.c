#include "sandbox/files.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "sandbox/installs.h"
#include "sandbox/native.h"
#include "sandbox/routes.h"
#include "sandbox/runs.h"

static const struct route files[] = {
        {"file_install_log", "/device-cloud/apps/uploadlogs/{name}", STYLE_SUCCESS, "", NULL},
        {"file_native_log", "/process/test_result/native_test/{id}/{udid}/log.txt", STYLE_SUCCESS, "", NULL},
        {"file_recording", "/process/test_result/native_test/{id}/{udid}/Recording.mp4", STYLE_SUCCESS, "", NULL},
        {"file_test_recording", "/process/test_result/recordings/{id}/{name}", STYLE_SUCCESS, "", NULL},
        {"file_device_log", "/device-cloud/DeviceLogs/{udid}/DeviceLog.txt", STYLE_SUCCESS, "", NULL},
        {"file_session_recording", "/device-cloud/Logs/appium/{number}/Recording.mp4", STYLE_SUCCESS, "", NULL},
        {"file_network_data", "/process/fd/{name}", STYLE_SUCCESS, "", NULL},
        {"file_download", "/secondary_3/browser_downloads.php", STYLE_SUCCESS, "action directory file", NULL},
        {"file_json", "/s/csv-to-json/{date}/{name}", STYLE_SUCCESS, "", NULL},
};

const struct route *file_route_find(const char *path, json_t *parameters)
{
	size_t i;

	for (i = 0; i < GR_COUNT(files); i++) {
		GR_AUTO_JSON json_t *found = json_object();

		if (path_matches(files[i].path, path, found)) {
			(void)json_object_update(parameters, found);
			return &files[i];
		}
	}
	return NULL;
}

bool file_route_is_known(const char *id)
{
	size_t i;

	for (i = 0; i < GR_COUNT(files); i++)
		if (strcmp(files[i].id, id) == 0)
			return true;
	return false;
}

bool route_takes_query(const struct route *route, const char *name)
{
	return strcmp(route->id, "file_download") == 0 &&
	       (strcmp(name, "action") == 0 || strcmp(name, "directory") == 0 || strcmp(name, "file") == 0);
}

static bool fill_install(const struct call *call, struct buffer *body)
{
	size_t i;

	for (i = 0; i < call->state->install_count; i++) {
		const struct install *install = &call->state->installs[i];
		GR_AUTO_FREE char *name = gr_printf("%s.txt", install->id);

		if (strcmp(name, call_text(call, "name")) == 0) {
			install_log(install, state_now(call->state), body);
			return true;
		}
	}
	return false;
}

static const struct native_run *native_of_call(const struct call *call)
{
	const struct native_run *run = native_of_id(call->state, call_text(call, "id"));

	if (run == NULL ||
	        strcmp(call_text(call, "udid"), member_text(json_object_get(run->device, "row"), "UDID")) != 0)
		return NULL;
	return run;
}

/* A small MP4 by its first box; 64 KiB of a pattern stand for the picture. */
static void fill_recording(struct buffer *body)
{
	size_t i;

	buffer_add(body,
	        "\0\0\0\x18"
	        "ftypmp42\0\0\0\0mp42isom\0\1\0\0mdat",
	        32);
	for (i = 0; i < 65536 - 32; i++)
		buffer_add_char(body, (char)(i % 251));
}

static bool fill_device_log(const struct call *call, struct buffer *body)
{
	size_t i;
	json_t *device;

	json_array_foreach (call->state->devices, i, device)
		if (strcmp(call_text(call, "udid"), member_text(json_object_get(device, "row"), "UDID")) == 0) {
			buffer_printf(body, "device %s\nlog opened\n", member_text(device, "name"));
			return true;
		}
	return false;
}

/* What the browser of that id has fetched. */
static bool fill_download(const struct call *call, struct buffer *body)
{
	const json_t *device = device_of_id(call->state, call_text(call, "directory"));
	GR_AUTO_FREE char *names = gr_strdup(member_text(json_object_get(device, "entry"), "downloads"));
	char *rest = names, *name = NULL;

	while (strcmp(call_text(call, "action"), "download") == 0 && (name = strsep(&rest, ",")) != NULL)
		if (*name != '\0' && strcmp(name, call_text(call, "file")) == 0) {
			buffer_printf(body, "what the browser fetched as %s\n", name);
			return true;
		}
	return false;
}

bool files_fill(struct call *call, struct buffer *body, const char **ret_type)
{
	const char *id = call->route->id;
	const struct native_run *run = NULL;

	*ret_type = "text/plain";
	if (strcmp(id, "file_install_log") == 0)
		return fill_install(call, body);
	if (strcmp(id, "file_device_log") == 0)
		return fill_device_log(call, body);
	if (strcmp(id, "file_download") == 0)
		return fill_download(call, body);
	if (strcmp(id, "file_json") == 0) {
		buffer_add_text(body, member_text(call->state->contents, call_text(call, "name")));
		return body->bytes > 0;
	}
	if (strcmp(id, "file_network_data") == 0) {
		buffer_add_text(body, "{\"ok\":true}\n");
		return true;
	}
	run = native_of_call(call);
	if (strcmp(id, "file_native_log") == 0) {
		if (run != NULL)
			native_log(run, state_now(call->state), body);
		return run != NULL;
	}
	*ret_type = "video/mp4";
	if (strcmp(id, "file_recording") == 0 && (run == NULL || state_now(call->state) < run->ends))
		return false;
	fill_recording(body);
	return true;
}

static json_t *state_names(const struct test_run *run)
{
	json_t *list = json_array();

	for (size_t i = 0; i < run->test_count; i++)
		(void)json_array_append_new(list, json_string(run->tests[i].name));
	return list;
}

static json_t *state_runs(const struct state *state)
{
	json_t *list = json_array();
	double now = state_now(state);
	size_t i;

	for (i = 0; i < state->run_count; i++) {
		const struct test_run *run = &state->runs[i];
		json_t *row = NULL;

		if (run->old || run->foreign)
			continue;
		row = json_object();
		member_set_text(row, "build_number", run->build_number);
		member_set_text(row, "build_id", run->build_id);
		member_set_text(row, "module", member_text(run->module, "id"));
		member_set_text(row, "device_id", member_text(run->device, "device_id"));
		(void)json_object_set_new(row, "tests", json_integer((json_int_t)run->test_count));
		(void)json_object_set_new(row, "names", state_names(run));
		(void)json_object_set_new(row, "is_completed", json_integer(run_phase_at(run, now)));
		(void)json_array_append_new(list, row);
	}
	return list;
}

static json_t *state_natives(const struct state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; i < state->native_count; i++) {
		json_t *row = json_object();

		member_set_text(row, "id", state->natives[i].id);
		member_set_text(row, "device_id", member_text(state->natives[i].device, "device_id"));
		(void)json_object_set_new(row, "is_over", json_boolean(state_now(state) >= state->natives[i].ends));
		(void)json_array_append_new(list, row);
	}
	return list;
}

/* Devices that somebody of ours still holds. */
static json_t *state_held(const struct state *state)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < state->reservation_count; i++)
		if (!state->reservations[i].over) {
			json_t *row = json_object();

			member_set_text(row, "device_reservation_id", state->reservations[i].id);
			member_set_text(row, "device_id", member_text(state->reservations[i].device, "device_id"));
			member_set_text(row, "comments", state->reservations[i].comments);
			(void)json_array_append_new(list, row);
		}
	return list;
}

static json_t *state_uploads(const struct state *state)
{
	static const char *const keys[] = {
	        "app_build_id", "build_name", "file_name", "sha256", "bytes", "version_id", NULL};
	json_t *list = json_array();
	size_t i, k;
	json_t *build;

	json_array_foreach (state->builds, i, build) {
		json_t *row = json_object();

		for (k = 0; keys[k] != NULL; k++)
			if (json_object_get(build, keys[k]) != NULL)
				(void)json_object_set(row, keys[k], json_object_get(build, keys[k]));
		(void)json_array_append_new(list, row);
	}
	return list;
}

static json_t *state_installs(const struct state *state)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < state->install_count; i++) {
		json_t *row = json_object();

		member_set_text(row, "device_id", member_text(state->installs[i].device, "device_id"));
		member_set_text(row, "app_build_id", member_text(state->installs[i].build, "app_build_id"));
		(void)json_object_set_new(row, "is_over", json_boolean(state_now(state) >= state->installs[i].ends));
		(void)json_array_append_new(list, row);
	}
	return list;
}

json_t *files_state(const struct state *state)
{
	json_t *answer = json_object();
	json_t *runs = state_runs(state);

	(void)json_object_set_new(answer, "now", json_real(state_now(state)));
	(void)json_object_set_new(answer, "reservations", state_held(state));
	(void)json_object_set_new(answer, "runs_started", json_integer((json_int_t)json_array_size(runs)));
	(void)json_object_set_new(answer, "runs", runs);
	(void)json_object_set_new(answer, "native_runs_started", json_integer((json_int_t)state->native_count));
	(void)json_object_set_new(answer, "native_runs", state_natives(state));
	(void)json_object_set_new(answer, "uploads", state_uploads(state));
	(void)json_object_set_new(answer, "installs", state_installs(state));
	(void)json_object_set(answer, "calls", state->calls);
	(void)json_object_set(answer, "violations", state->violations);
	return answer;
}
