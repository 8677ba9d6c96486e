/* What is done with a device: apps on it, files, shell, restart, cleaning, PINs, TG Connect. */
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "sandbox/routes.h"

/* The device of the call when its user may use it now, or NULL with a refusal. */
static json_t *usable_device(struct call *call, json_t **ret_answer)
{
	json_t *device = call_device(call, ret_answer);
	const char *busy = device != NULL ? device_refusal(call->state, device, call->user) : NULL;

	if (busy == NULL)
		return device;
	*ret_answer = call_refuse(call, 409, "%s", busy);
	return NULL;
}

static bool is_android(const json_t *device)
{
	return strcmp(member_text(device, "platform"), "android") == 0;
}

/* An app on the device by its bundle id: what installs put there. */
static bool has_app(const json_t *device, const char *bundle_id, size_t *ret_index)
{
	size_t i;
	json_t *build;

	json_array_foreach (json_object_get(device, "apps"), i, build)
		if (strcmp(member_text(build, "bundle_id"), bundle_id) == 0) {
			if (ret_index != NULL)
				*ret_index = i;
			return true;
		}
	return false;
}

json_t *handle_app_auto_launch(struct call *call)
{
	json_t *answer = NULL;
	const json_t *device = usable_device(call, &answer);

	if (device == NULL)
		return answer;
	if (!has_app(device, call_text(call, "bundle_id"), NULL))
		return call_refuse(call, 404, "Application is not installed on the device.");
	return call_accept(call, "Application launched successfully.");
}

/* The uploaded file must be of the device's kind; NULL when it is. */
static json_t *file_refusal(struct call *call, const json_t *device)
{
	const char *file = member_text(json_object_get(call->files, "apk_ipa_file"), "file");

	if (text_has_suffix_nocase(file, is_android(device) ? ".apk" : ".ipa"))
		return NULL;
	return call_refuse(call, 422, "The file does not fit the device.");
}

json_t *handle_biometric_bypass(struct call *call)
{
	json_t *answer = NULL;
	const json_t *device = usable_device(call, &answer);
	const char *status = call_text(call, "biometric_status");

	if (device == NULL)
		return answer;
	if (strcmp(status, "pass") != 0 && strcmp(status, "fail") != 0)
		return call_refuse(call, 422, "Invalid biometric status.");
	answer = file_refusal(call, device);
	return answer != NULL ? answer : call_accept(call, "Application with biometric bypass installed successfully.");
}

json_t *handle_image_injection(struct call *call)
{
	json_t *answer = NULL;
	const json_t *device = usable_device(call, &answer);

	if (device == NULL)
		return answer;
	answer = file_refusal(call, device);
	return answer != NULL ? answer : call_accept(call, "Application with image injection installed successfully.");
}

json_t *handle_device_logs(struct call *call)
{
	json_t *answer = NULL;
	const json_t *device = call_device(call, &answer);
	GR_AUTO_FREE char *url = NULL;

	if (device == NULL)
		return answer;
	url = gr_printf("%s/device-cloud/DeviceLogs/%s/DeviceLog.txt", call->state->base_url,
	        member_text(json_object_get(device, "row"), "UDID"));
	answer = call_accept(call, "Device logs");
	member_set_text(answer, "log_file_url", url);
	return answer;
}

json_t *handle_adb_file_upload(struct call *call)
{
	json_t *answer = NULL, *data = NULL;
	const json_t *device = usable_device(call, &answer);
	GR_AUTO_FREE char *id = NULL, *path = NULL;

	if (device == NULL)
		return answer;
	if (!is_android(device))
		return call_refuse(call, 422, "The device is not an Android device.");
	id = state_next_id(call->state);
	path = gr_printf("/sandbox/uploads/%s", member_text(json_object_get(call->files, "file"), "file"));
	answer = call_accept(call, "File uploaded successfully.");
	data = json_object();
	member_set_text(data, "device_id", member_text(device, "device_id"));
	member_set_text(data, "file_id", id);
	member_set_text(data, "path", path);
	(void)json_object_set_new(answer, "data", data);
	return answer;
}

/* Nothing is executed: the same output for every command. */
static json_t *shell(struct call *call, const char *words, const char *file_url)
{
	json_t *answer = NULL;
	const json_t *device = usable_device(call, &answer);

	if (device == NULL)
		return answer;
	if (!is_android(device))
		return call_refuse(call, 422, "The device is not an Android device.");
	answer = call_accept(call, words);
	member_set_text(answer, "output", "Users:\n\tUserInfo{0:Owner:4c13} running");
	if (file_url != NULL)
		member_set_text(answer, "file_url", file_url);
	return answer;
}

json_t *handle_adb_pull_and_push(struct call *call)
{
	return shell(call, "Command executed successfully.", "");
}

json_t *handle_android_execute_shell_adb_native(struct call *call)
{
	return shell(call, "Command executed successfully.", "Command executed successfully.");
}

json_t *handle_android_execute_shell_adb(struct call *call)
{
	return shell(call, "Command executed successfully", NULL);
}

json_t *handle_get_all_installed_applications(struct call *call)
{
	json_t *answer = NULL, *list = NULL;
	const json_t *device = call_device(call, &answer);
	size_t i;
	json_t *build;

	if (device == NULL)
		return answer;
	list = json_array();
	json_array_foreach (json_object_get(device, "apps"), i, build) {
		json_t *row = json_object();

		member_set_text(row, "bundle_id", member_text(build, "bundle_id"));
		member_set_text(row, "name", member_text(build, "build_name"));
		member_set_text(row, "version", member_text(build, "app_build_version"));
		(void)json_array_append_new(list, row);
	}
	answer = call_accept(call, "All installed application.");
	call_put_list(call, answer, "data", list, false);
	return answer;
}

json_t *handle_uninstall_app(struct call *call)
{
	json_t *answer = NULL;
	const json_t *device = usable_device(call, &answer);
	size_t index = 0;

	if (device == NULL)
		return answer;
	while (has_app(device, call_text(call, "bundle_id"), &index))
		(void)json_array_remove(json_object_get(device, "apps"), index);
	return call_accept(call, "Request to uninstall application has been sent to the device.");
}

json_t *handle_restart_device_api(struct call *call)
{
	json_t *answer = NULL;

	if (usable_device(call, &answer) == NULL)
		return answer;
	return call_accept(call, "The device reboot request has been sent. Please wait for a while.");
}

json_t *handle_upload_image_for_image_injection(struct call *call)
{
	GR_AUTO_FREE char *id = state_new_token();
	json_t *answer = call_accept(call, "");

	id[13] = '\0'; /* as long as the sample's */
	member_set_text(answer, "id", id);
	return answer;
}

json_t *handle_device_clean_up(struct call *call)
{
	json_t *answer = NULL;
	const json_t *device = usable_device(call, &answer);

	if (device == NULL)
		return answer;
	(void)json_array_clear(json_object_get(device, "apps"));
	return call_accept(call, "The device has been cleaned up successfully.");
}

json_t *handle_free_system_port(struct call *call)
{
	json_t *answer = NULL;

	return call_device(call, &answer) == NULL ? answer : call_accept(call, "System port free successfully.");
}

/* As the sample writes them: for HTML, unless the scenario says `download_urls: plain`. */
static void put_url(const struct call *call, json_t *row, const char *key, char *url)
{
	GR_AUTO_FREE char *whole = url;
	GR_AUTO_BUFFER struct buffer out = {0};
	const char *at = whole;

	if (state_word_is(call->state, "download_urls", "plain")) {
		member_set_text(row, key, whole);
		return;
	}
	for (; *at != '\0'; at++)
		if (*at == '&')
			buffer_add_text(&out, "&amp;");
		else
			buffer_add_char(&out, *at);
	member_set_text(row, key, buffer_text(&out));
}

static json_t *download_row(const struct call *call, const char *name)
{
	const char *id = call_text(call, "device_id"), *base = call->state->base_url;
	bool tells = json_is_true(json_object_get(call->state->scenario, "tokens_in_answers"));
	json_t *row = json_object();

	member_set_text(row, "name", name);
	put_url(call, row, "download_url",
	        gr_printf("%s/secondary_3/browser_downloads.php?action=download&directory=%s&file=%s", base, id, name));
	put_url(call, row, "delete_url",
	        gr_printf("%s/api/user/downloads/%s?delete=%s&user_token=%s", base, id, name,
	                tells ? call_text(call, "user_token") : "xxx"));
	member_set_text(row, "datetime", "28 Nov 2025 07:41 PM");
	return row;
}

json_t *handle_get_browser_downloaded_files(struct call *call)
{
	json_t *answer = NULL, *rows = json_array();
	const json_t *device = call_device(call, &answer);
	GR_AUTO_FREE char *names = NULL;
	char *rest = NULL, *name = NULL;

	if (device == NULL || strcmp(member_text(device, "platform"), "web") != 0) {
		json_decref(rows);
		return device == NULL ? answer : call_refuse(call, 422, "The device is not a browser.");
	}
	rest = names = gr_strdup(member_text(json_object_get(device, "entry"), "downloads"));
	while (*names != '\0' && (name = strsep(&rest, ",")) != NULL)
		(void)json_array_append_new(rows, download_row(call, name));
	answer = call_accept(call, "Download files list.");
	call_put_list(call, answer, "data", rows, false);
	return answer;
}

/* The device of a PIN call whose present PIN is `pin`. */
static json_t *pin_device(struct call *call, const char *pin, json_t **ret_answer)
{
	json_t *device = usable_device(call, ret_answer);

	if (device == NULL || strcmp(member_text(device, "pin"), pin) == 0)
		return device;
	*ret_answer = call_refuse(call, 403, "Wrong PIN.");
	return NULL;
}

json_t *handle_set_pin(struct call *call)
{
	json_t *answer = NULL, *device = usable_device(call, &answer);

	if (device == NULL)
		return answer;
	member_set_text(device, "pin", call_text(call, "pin"));
	return call_accept(call, "Request to set specified device PIN is sent to the server.");
}

json_t *handle_remove_pin(struct call *call)
{
	json_t *answer = NULL, *device = pin_device(call, call_text(call, "pin"), &answer);

	if (device == NULL)
		return answer;
	member_set_text(device, "pin", "");
	return call_accept(call, "Request to remove device PIN is sent to the server.");
}

json_t *handle_change_pin(struct call *call)
{
	json_t *answer = NULL, *device = pin_device(call, call_text(call, "old_pin"), &answer);

	if (device == NULL)
		return answer;
	member_set_text(device, "pin", call_text(call, "new_pin"));
	return call_accept(call, "Request to change specified device PIN is sent to the server.");
}

json_t *handle_unlock_device(struct call *call)
{
	json_t *answer = NULL;

	if (pin_device(call, call_text(call, "pin"), &answer) == NULL)
		return answer;
	return call_accept(call, "Request to unlock device is sent to the server.");
}

json_t *handle_enable_tg_connect_on_the_device(struct call *call)
{
	json_t *answer = NULL;
	const char *active = call_text(call, "active");

	if (usable_device(call, &answer) == NULL)
		return answer;
	if (strcmp(active, "0") != 0 && strcmp(active, "1") != 0)
		return call_refuse(call, 422, "active must be 0 or 1.");
	return call_accept(call, *active == '1' ? "VPN connected successfully." : "VPN disconnected successfully.");
}
