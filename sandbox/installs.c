/* Putting a build on a device: synchronous, asynchronous with a log that grows, direct. */
#include "sandbox/installs.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "sandbox/routes.h"

/* Emulated seconds after which a synchronous install of a device that never finishes is refused. */
#define SYNCHRONOUS_MOST 600

static struct install *install_start(struct state *state, const json_t *device, const json_t *build)
{
	const char *way = member_text(json_object_get(device, "entry"), "install");
	struct install *install = NULL;

	state->installs = gr_grow(state->installs, state->install_count, sizeof(*state->installs));
	install = &state->installs[state->install_count++];
	memset(install, 0, sizeof(*install));
	install->id = state_new_token();
	install->device = device;
	install->build = build;
	install->starts = state_now(state);
	install->fails = strcmp(way, "fail") == 0;
	install->ends = strcmp(way, "never") == 0 ? NEVER : install->starts + state_number(state, "install_seconds");
	if (!install->fails && install->ends < NEVER)
		(void)json_array_append(json_object_get(device, "apps"), (json_t *)(uintptr_t)build);
	return install;
}

const char *install_reason(const struct install *install)
{
	const char *reason = member_text(json_object_get(install->device, "entry"), "reason");

	return *reason != '\0' ? reason : "INSTALL_FAILED_INSUFFICIENT_STORAGE";
}

/* Device and build of the call fit together and the device may be used; NULL, or the refusal. */
static json_t *install_refusal(struct call *call, const json_t *device, const json_t *build)
{
	const char *busy = device_refusal(call->state, device, call->user);

	if (busy != NULL)
		return call_refuse(call, 409, "%s", busy);
	if (strcmp(member_text(build, "platform_type"), member_text(device, "platform")) != 0)
		return call_refuse(call, 422, "The app build does not fit the device.");
	return NULL;
}

static struct install *install_of_call(struct call *call, bool with_tokens, json_t **ret_answer)
{
	const json_t *device = NULL, *build = NULL;

	if (with_tokens && (call_app(call, ret_answer) == NULL || call_version(call, ret_answer) == NULL))
		return NULL;
	if ((device = call_device(call, ret_answer)) == NULL || (build = call_build(call, ret_answer)) == NULL)
		return NULL;
	*ret_answer = install_refusal(call, device, build);
	if (*ret_answer == NULL && with_tokens &&
	        strcmp(call_text(call, "process_type"),
	                strcmp(member_text(device, "platform"), "ios") == 0 ? "oia" : "oaa") != 0)
		*ret_answer = call_refuse(call, 422, "Invalid process type.");
	return *ret_answer == NULL ? install_start(call->state, device, build) : NULL;
}

json_t *handle_app_build_install_synchronous(struct call *call)
{
	json_t *answer = NULL;
	const struct install *install = install_of_call(call, true, &answer);

	if (install == NULL)
		return answer;
	call->answer_at = install->ends < NEVER ? install->ends : install->starts + SYNCHRONOUS_MOST;
	if (install->ends >= NEVER)
		return call_refuse(call, 504, "Application installation timed out.");
	if (install->fails)
		return call_refuse(call, 500, "Application installation failed: %s", install_reason(install));
	return call_accept(call, "Application installed Successfully");
}

static json_t *installing(struct call *call, bool with_tokens)
{
	json_t *answer = NULL;
	const struct install *install = install_of_call(call, with_tokens, &answer);
	GR_AUTO_FREE char *url = NULL;

	if (install == NULL)
		return answer;
	url = gr_printf("%s/device-cloud/apps/uploadlogs/%s.txt", call->state->base_url, install->id);
	answer = call_accept(call, "Successfully started the installation process on device.");
	member_set_text(answer, "response_url", url);
	return answer;
}

json_t *handle_app_build_install(struct call *call)
{
	return installing(call, true);
}

json_t *handle_app_install_direct(struct call *call)
{
	return installing(call, false);
}

void install_log(const struct install *install, double now, struct buffer *out)
{
	double part = install->ends < NEVER ? (now - install->starts) / (install->ends - install->starts + 0.001) : 0.4;
	bool ios = strcmp(member_text(install->device, "platform"), "ios") == 0;

	buffer_printf(out, "Installation process started on %s\n", member_text(install->device, "name"));
	if (part > 0.2)
		buffer_printf(out, "Copying %s to the device\n", member_text(install->build, "file_name"));
	if (part > 0.6)
		buffer_add_text(out, ios ? "Install: VerifyingApplication (40%)\n" : "Performing Streamed Install\n");
	if (now < install->ends)
		return;
	if (install->fails)
		buffer_printf(out, "Failure [%s]\nApplication installation failed\n", install_reason(install));
	else
		buffer_printf(out, "%s\nApplication installed Successfully\n", ios ? "Install: Complete" : "Success");
}
