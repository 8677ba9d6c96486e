/* Starting scriptless runs and asking how they stand: App Build Run, Build List, Execution Details (by tags). */
#include <inttypes.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "sandbox/faults.h"
#include "sandbox/routes.h"
#include "sandbox/runs.h"

static const char *process_type(const char *platform)
{
	if (strcmp(platform, "android") == 0)
		return "oaa";
	return strcmp(platform, "ios") == 0 ? "oia" : "ow";
}

/* What process_type, device and build must fit: the application's platform. NULL when they do. */
static json_t *start_refusal(struct call *call, const struct run_order *order)
{
	const char *platform = member_text(order->app, "platform");
	const char *busy = device_refusal(call->state, order->device, call->user);

	if (strcmp(call_text(call, "process_type"), process_type(platform)) != 0)
		return call_refuse(call, 422, "Invalid process type.");
	if (order->module == NULL)
		return call_refuse(call, 404, "Version module not found.");
	if (strcmp(member_text(order->device, "platform"), platform) != 0)
		return call_refuse(call, 422, "The device does not fit the application's platform.");
	if (order->build == NULL && strcmp(platform, "web") != 0)
		return call_refuse(call, 404, "App build not found.");
	if (order->build != NULL && strcmp(member_text(order->build, "platform_type"), platform) != 0)
		return call_refuse(call, 422, "The app build does not fit the application's platform.");
	if (busy != NULL)
		return call_refuse(call, 409, "%s", busy);
	if (state_word_is(call->state, "busy_device", "refuse") && device_runs_build(call->state, order->device))
		return call_refuse(call, 409, "Device is busy.");
	return NULL;
}

static json_t *module_of_app(const struct state *state, const json_t *app, const char *id)
{
	json_t *module = list_find(state->modules, "id", id);
	const char *name = member_text(module, "application");

	if (module == NULL || strcmp(member_text(module, "platform"), member_text(app, "platform")) != 0)
		return NULL;
	return *name == '\0' || strcmp(name, member_text(app, "name")) == 0 ? module : NULL;
}

/* Every id of selected_testcase_id must be one of the module's. */
static bool testcases_are_known(const json_t *module, const char *ids)
{
	while (*ids != '\0') {
		size_t part = strcspn(ids, ",");
		size_t lead = strspn(ids, " ");
		GR_AUTO_FREE char *id =
		        gr_strndup(ids + (lead < part ? lead : part), part - (lead < part ? lead : part));

		if (list_find(json_object_get(module, "tests"), "id", id) == NULL)
			return false;
		ids += part + (ids[part] == ',');
	}
	return true;
}

static void start_faults(const struct call *call, struct test_run *run)
{
	const json_t *delay = fault_find(call, "list_delay");

	if (delay != NULL)
		run->listed = run->created + member_number(delay, "seconds", 60);
}

static json_t *started(const struct call *call, const struct test_run *run)
{
	json_t *answer = call_accept(call, "Successfully upload build");
	int64_t id = 0;

	(void)number_parse_int(run->build_id, &id);
	(void)json_object_set_new(answer, "build_id", json_integer(id));
	(void)json_object_set_new(answer, "build_version", json_integer(run->version));
	return answer;
}

json_t *handle_app_build_run(struct call *call)
{
	struct run_order order = {
	        .testcases = call_text(call, "selected_testcase_id"), .tags = call_text(call, "tags")};
	const json_t *foreign = fault_find(call, "foreign_build");
	json_t *answer = NULL;
	struct test_run *run = NULL;
	const json_t *app = NULL;

	if ((order.app = call_app(call, &answer)) == NULL || call_version(call, &answer) == NULL ||
	        (order.device = call_device(call, &answer)) == NULL)
		return answer;
	app = order.app;
	order.module = module_of_app(call->state, app, call_text(call, "version_module_id"));
	order.build = build_of_id(call->state, call_text(call, "app_build_id"));
	answer = start_refusal(call, &order);
	if (answer != NULL)
		return answer;
	if (!testcases_are_known(order.module, order.testcases))
		return call_refuse(call, 404, "Test case not found.");
	if (foreign != NULL && strcmp(member_text(foreign, "where"), "after") != 0)
		run_add_foreign(call->state, app, order.module);
	run = run_start(call->state, &order);
	if (run == NULL)
		return call_refuse(call, 404, "No test case found for the given selection.");
	start_faults(call, run);
	answer = started(call, run);
	if (foreign != NULL && strcmp(member_text(foreign, "where"), "after") == 0)
		run_add_foreign(call->state, app, order.module);
	return answer;
}

static bool build_is_asked_for(const struct call *call, const struct test_run *run, double now)
{
	const char *number = call_text(call, "build_number");
	int64_t minutes = 0;

	if (run->listed > now || (*number != '\0' && strcmp(number, run->build_number) != 0))
		return false;
	if (number_parse_int(call_text(call, "last_minutes"), &minutes))
		return run->created >= now - 60.0 * (double)minutes;
	return true;
}

json_t *handle_build_list(struct call *call)
{
	double now = state_now(call->state);
	json_t *answer = NULL, *list = NULL;
	const json_t *app = call_app(call, &answer);
	size_t i;

	if (app == NULL)
		return answer;
	list = json_array();
	for (i = call->state->run_count; i-- > 0;) { /* newest first */
		const struct test_run *run = &call->state->runs[i];
		GR_AUTO_FREE char *created = NULL;
		json_t *row = NULL;

		if (run->app != app || !build_is_asked_for(call, run, now))
			continue;
		created = state_time_text(call->state, run->created);
		row = json_object();
		member_set_text(row, "build_number", run->build_number);
		member_set_text(row, "created", created);
		(void)json_array_append_new(list, row);
	}
	if (json_array_size(list) == 0 && state_word_is(call->state, "empty", "refused")) {
		json_decref(list);
		return call_refuse(call, 404, "No builds found.");
	}
	answer = call_accept(call, "List of builds");
	call_put_list(call, answer, "build_list", list, true);
	return answer;
}

static void put_count(json_t *device, const char *key, size_t count)
{
	GR_AUTO_FREE char *text = gr_printf("%zu", count);

	member_set_text(device, key, text);
}

static json_t *test_row(const struct test_run *run, const struct test *test, double now)
{
	json_t *row = json_object();
	enum outcome_kind kind = run_test_at(run, test, now);

	member_set_text(row, "build_module_id", member_text(run->module, "id"));
	member_set_text(row, "test_case_name", test->name);
	member_set_text(row, "is_network_assert", "0");
	member_set_text(row, "parameterised_test_data", test->data);
	member_set_text(row, "test_status", run_test_status(run, test, now));
	member_set_text(row, "failed_reason", kind == TEST_FAIL || kind == TEST_UNKNOWN ? test->reason : "");
	return row;
}

/* The rows of the first `count` tests, and the six numbers that go with them. */
static void put_tests(json_t *device, const struct test_run *run, double now, size_t count)
{
	size_t counts[TEST_UNKNOWN + 1] = {0}, i;
	json_t *rows = json_array();

	for (i = 0; i < count; i++) {
		counts[run_test_at(run, &run->tests[i], now)]++;
		(void)json_array_append_new(rows, test_row(run, &run->tests[i], now));
	}
	put_count(device, "no_of_not_started", counts[TEST_NOT_STARTED]);
	put_count(device, "no_of_started", counts[TEST_STARTED]);
	put_count(device, "no_of_pass", counts[TEST_PASS]);
	put_count(device, "no_of_fail", counts[TEST_FAIL]);
	put_count(device, "no_of_stopped", counts[TEST_STOPPED]);
	put_count(device, "no_of_skipped", counts[TEST_SKIPPED] + counts[TEST_UNKNOWN]);
	(void)json_object_set_new(device, "test_cases", rows);
}

static json_t *info_of(const struct test_run *run)
{
	json_t *info = json_object();

	member_set_text(info, "app_version", run->build != NULL ? member_text(run->build, "app_build_version") : "1");
	member_set_text(info, "app_build_number", run->build != NULL ? member_text(run->build, "app_build_id") : "");
	member_set_text(info, "bundle_id", run->build != NULL ? member_text(run->build, "bundle_id") : "");
	member_set_text(info, "device_name", member_text(run->device, "name"));
	member_set_text(info, "device_rom", "128 GB");
	member_set_text(info, "device_ram", "8 GB");
	member_set_text(info, "device_processor_name",
	        member_text(json_object_get(run->device, "row"), "device_processor_name"));
	member_set_text(info, "device_battary_capacity", "4500");
	return info;
}

static json_t *device_entry(const struct call *call, const struct test_run *run, double now)
{
	const json_t *shrink = fault_find(call, "shrink");
	size_t lost = shrink != NULL ? (size_t)member_number(shrink, "count", 1) : 0;
	json_t *device = json_object();

	member_set_text(device, "build_test_id", run->build_test_id);
	member_set_text(device, "device_id", member_text(run->device, "device_id"));
	member_set_text(device, "device_name", member_text(run->device, "name"));
	put_tests(device, run, now, lost < run->test_count ? run->test_count - lost : 0);
	(void)json_object_set_new(device, "info", info_of(run));
	(void)json_object_set_new(device, "is_completed", json_integer(run_phase_at(run, now)));
	return device;
}

static json_t *run_devices(const struct call *call, const struct test_run *run, double now)
{
	const json_t *vanished = fault_find(call, "device_vanishes");
	const char *name = member_text(vanished, "device");
	json_t *devices = json_array();

	if (vanished == NULL || (*name != '\0' && strcmp(name, member_text(run->device, "name")) != 0))
		(void)json_array_append_new(devices, device_entry(call, run, now));
	return devices;
}

static void put_run(const struct call *call, json_t *answer, const struct test_run *run)
{
	double now = state_now(call->state);
	enum run_phase phase = run_phase_at(run, now);
	bool is_over = phase == RUN_COMPLETED || phase == RUN_STOPPED;
	GR_AUTO_FREE char *url = gr_printf("%s/build/apps/%s", call->state->base_url, run->build_id);

	if (state_word_is(call->state, "completed_flag", "early"))
		is_over = phase != RUN_QUEUED;
	if (!state_word_is(call->state, "completed_flag", "absent"))
		member_set_text(answer, "is_build_completed_in_all_devices", is_over ? "1" : "0");
	member_set_text(answer, "build_number", run->build_number);
	member_set_text(answer, "build_url", url);
	call_put_list(call, answer, "build_devices", run_devices(call, run, now), false);
}

json_t *handle_execution_details(struct call *call)
{
	json_t *answer = NULL;
	const json_t *app = call_app(call, &answer);
	const struct test_run *run = NULL;
	json_t *data = NULL;

	if (app == NULL)
		return answer;
	run = run_of_number(call->state, app, call_text(call, "build_number"));
	if (run == NULL)
		return call_refuse(call, 404, "Build not found.");
	if (state_word_is(call->state, "queued_run", "refused") &&
	        run_phase_at(run, state_now(call->state)) == RUN_QUEUED)
		return call_refuse(call, 404, "Invalid build number.");
	answer = call_accept(call, "execution detail of build");
	if (!state_word_is(call->state, "execution_top", "data")) {
		put_run(call, answer, run);
		return answer;
	}
	data = json_object();
	put_run(call, data, run);
	(void)json_object_set_new(answer, "data", data);
	return answer;
}

/* Does a test of the run's module carry one of the tags? */
static bool run_has_tags(const struct test_run *run, const char *tags)
{
	size_t i;
	json_t *test;

	json_array_foreach (json_object_get(run->module, "tests"), i, test)
		if (text_contains_nocase(member_text(test, "tags"), tags))
			return true;
	return false;
}

/* The reference shows no answer here: a list of what Execution Details gives. */
json_t *handle_execution_details_by_tags(struct call *call)
{
	json_t *answer = NULL, *list = NULL;
	const json_t *app = call_app(call, &answer);
	size_t i;

	if (app == NULL)
		return answer;
	list = json_array();
	for (i = 0; i < call->state->run_count; i++) {
		json_t *entry = NULL;

		if (call->state->runs[i].app != app || !run_has_tags(&call->state->runs[i], call_text(call, "tags")))
			continue;
		entry = json_object();
		put_run(call, entry, &call->state->runs[i]);
		(void)json_array_append_new(list, entry);
	}
	answer = call_accept(call, "execution detail of builds by tags");
	call_put_list(call, answer, "data", list, false);
	return answer;
}
