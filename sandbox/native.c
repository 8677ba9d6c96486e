#include "sandbox/native.h"

#include <inttypes.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "sandbox/routes.h"

struct native_run *native_of_id(const struct state *state, const char *id)
{
	size_t i;

	for (i = 0; i < state->native_count; i++)
		if (strcmp(state->natives[i].id, id) == 0)
			return &state->natives[i];
	return NULL;
}

/* The first suite of the scenario for this platform whose `match` fits the build's or the file's name. */
static const json_t *suite_for(const struct state *state, const char *platform, const char *name, const char *file)
{
	const json_t *suite;
	size_t i;

	json_array_foreach (json_object_get(state->scenario, "native"), i, suite) {
		const char *match = member_text(suite, "match");

		if (*member_text(suite, "platform") != '\0' && strcmp(member_text(suite, "platform"), platform) != 0)
			continue;
		if (*match == '\0' || text_match_glob(match, name) || text_match_glob(match, file))
			return suite;
	}
	return NULL;
}

static struct native_run *native_new(struct call *call, const json_t *device, const json_t *suite, const char *file)
{
	struct state *state = call->state;
	double now = state_now(state), free_at = device_free_at(state, device);
	struct native_run *run = NULL;

	state->natives = gr_grow(state->natives, state->native_count, sizeof(*state->natives));
	run = &state->natives[state->native_count];
	memset(run, 0, sizeof(*run));
	run->id = gr_printf("%" PRId64, (int64_t)state_number(state, "next_native_id") + (int64_t)state->native_count);
	run->name = gr_strdup(call_text(call, "build_name"));
	run->file = gr_strdup(file);
	run->device = device;
	run->suite = suite;
	run->ios = strcmp(member_text(device, "platform"), "ios") == 0;
	run->created = now;
	run->starts = (free_at > now ? free_at : now) +
	              member_number(suite, "queue_seconds", state_number(state, "queue_seconds"));
	run->ends = run->starts + member_number(suite, "seconds", 10);
	run->counted = run->ends + state_number(state, "settle_seconds");
	state->native_count++;
	return run;
}

/* Start on the call's device, which must be of `platform`; NULL with a refusal. */
static struct native_run *native_start(struct call *call, const char *platform, json_t **ret_answer)
{
	const json_t *device = call_device(call, ret_answer);
	const char *file = member_text(json_object_get(call->files, "file"), "file");
	const char *busy = NULL;
	const json_t *suite = NULL;

	if (device == NULL)
		return NULL;
	busy = device_refusal(call->state, device, call->user);
	suite = suite_for(call->state, platform, call_text(call, "build_name"), file);
	if (busy != NULL)
		*ret_answer = call_refuse(call, 409, "%s", busy);
	else if (strcmp(member_text(device, "platform"), platform) != 0)
		*ret_answer = call_refuse(call, 422, "The device does not fit the test's platform.");
	else if (suite == NULL)
		*ret_answer = call_refuse(call, 500, "No native suite in the scenario fits.");
	else
		return native_new(call, device, suite, file);
	return NULL;
}

static json_t *native_started(const struct call *call, const struct native_run *run)
{
	GR_AUTO_FREE char *url = gr_printf("%s/apps/native-test/%s", call->state->base_url, run->id);
	json_t *answer = call_accept(call, "Successfully started native test execution on server");

	if (!run->ios) /* the reference's answer for iOS has the url alone */
		member_set_text(answer, "native_test_build_id", run->id);
	member_set_text(answer, "url", url);
	return answer;
}

json_t *handle_run_native_test_android(struct call *call)
{
	json_t *answer = NULL;
	const struct native_run *run = NULL;

	if (call_build(call, &answer) == NULL)
		return answer;
	run = native_start(call, "android", &answer);
	return run != NULL ? native_started(call, run) : answer;
}

json_t *handle_run_native_test_ios(struct call *call)
{
	json_t *answer = NULL;
	const struct native_run *run = NULL;
	const char *app_id = call_text(call, "app_id");

	/* "The unique identifier for the specific build or version of the application": an application's or a build's
	 * id. */
	if (list_find(call->state->apps, "app_id", app_id) == NULL && build_of_id(call->state, app_id) == NULL)
		return call_refuse(call, 404, "Application not found.");
	if (version_of_id(call->state, call_text(call, "version_id"), NULL) == NULL)
		return call_refuse(call, 404, "Version not found.");
	run = native_start(call, "ios", &answer);
	return run != NULL ? native_started(call, run) : answer;
}

static size_t share(const struct native_run *run, const char *key, double now)
{
	double whole = member_number(run->suite, key, 0);

	if (now >= run->counted)
		return (size_t)whole;
	if (run->counted > run->ends)
		return 0;
	return now <= run->starts ? 0 : (size_t)(whole * (now - run->starts) / (run->ends - run->starts));
}

static void put_number(json_t *row, const char *key, size_t number)
{
	GR_AUTO_FREE char *text = gr_printf("%zu", number);

	member_set_text(row, key, text);
}

/* The sample pairs "3" with "Failed", which is test_status of Execution Details; the others follow from it. */
static void put_status(const struct call *call, json_t *row, const struct native_run *run, double now)
{
	GR_AUTO_FREE char *given = member_id(run->suite, "status", "");
	bool is_bad = member_number(run->suite, "failed", 0) > 0;
	const char *number = "0", *words = "Pending";

	if (now >= run->starts) {
		number = "1";
		words = "Running";
	}
	if (now >= run->ends) {
		number = is_bad ? "3" : "2";
		words = is_bad ? "Failed" : "Passed";
	}
	if (now >= run->ends && *given != '\0')
		number = words = given;
	if (now >= run->ends && *member_text(run->suite, "status_text") != '\0')
		words = member_text(run->suite, "status_text");
	member_set_text(row, "status", number);
	member_set_text(row, "status_text", state_word_is(call->state, "native_status", "text") ? words : "");
}

static void put_paths(const struct call *call, json_t *row, const struct native_run *run, double now)
{
	const char *udid = member_text(json_object_get(run->device, "row"), "UDID");
	GR_AUTO_FREE char *log =
	        gr_printf("%s/process/test_result/native_test/%s/%s/log.txt", call->state->base_url, run->id, udid);
	GR_AUTO_FREE char *recording = gr_printf(
	        "%s/process/test_result/native_test/%s/%s/Recording.mp4", call->state->base_url, run->id, udid);
	bool is_recorded = now >= run->ends && !json_is_false(json_object_get(run->suite, "recording"));
	bool is_logged = strcmp(member_text(run->suite, "log"), "none") != 0;

	member_set_text(row, "log_path", is_logged ? log : "");
	member_set_text(row, "device_recording_path", is_recorded ? recording : "");
}

json_t *handle_get_native_test_results(struct call *call)
{
	const struct native_run *run = native_of_id(call->state, call_text(call, "native_test_build_id"));
	double now = state_now(call->state);
	json_t *answer = NULL, *list = NULL, *row = NULL;
	GR_AUTO_FREE char *created = NULL;

	if (run == NULL)
		return call_refuse(call, 404, "Native test build not found.");
	if (now < run->starts && state_word_is(call->state, "queued_run", "refused"))
		return call_refuse(call, 404, "No result found.");
	created = state_time_text(call->state, run->created);
	row = json_object();
	member_set_text(row, "device_id", member_text(run->device, "device_id"));
	member_set_text(row, "device_name", member_text(run->device, "name"));
	member_set_text(row, "UDID", member_text(json_object_get(run->device, "row"), "UDID"));
	member_set_text(row, "platform_version", member_text(json_object_get(run->device, "row"), "platform_version"));
	member_set_text(row, "created", created);
	member_set_text(row, "device_plateform", run->ios ? "iOS" : "Android");
	put_paths(call, row, run, now);
	put_status(call, row, run, now);
	put_number(row, "all_testcase", now < run->starts ? 0 : (size_t)member_number(run->suite, "all", 0));
	put_number(row, "passed_testcase", share(run, "passed", now));
	put_number(row, "failed_testcase", share(run, "failed", now));
	list = json_array();
	(void)json_array_append_new(list, row);
	answer = call_accept(call, "Native Test Result Fetched Successfully.");
	call_put_list(call, answer, "data", list, false);
	return answer;
}
