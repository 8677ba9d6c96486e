/* What a scriptless run leaves behind: test case details, network log, insights, transactions; and Update Variable
 * Value. */
#include <inttypes.h>
#include <string.h>

#include "runner/base/memory.h"
#include "sandbox/routes.h"
#include "sandbox/runs.h"

static const struct test_run *run_of_call(struct call *call, json_t **ret_answer)
{
	const json_t *app = call_app(call, ret_answer);
	const struct test_run *run = NULL;

	if (app == NULL)
		return NULL;
	run = run_of_test_id(call->state, app, call_text(call, "build_test_id"));
	if (run == NULL)
		*ret_answer = call_refuse(call, 404, "Build test not found.");
	return run;
}

static const struct test *test_of_call(struct call *call, const struct test_run *run, json_t **ret_answer)
{
	const struct test *test = run_test_of_name(run, call_text(call, "test_case_name"));

	if (test == NULL)
		*ret_answer = call_refuse(call, 404, "Test case not found.");
	return test;
}

static void put_time(const struct call *call, json_t *row, const char *key, double time)
{
	GR_AUTO_FREE char *text = time < NEVER ? state_time_text(call->state, time) : gr_strdup("");

	member_set_text(row, key, text);
}

/* The reference shows no answer: the case as Execution Details has it, with its times and a recording. */
json_t *handle_test_case_details(struct call *call)
{
	json_t *answer = NULL, *data = NULL;
	const struct test_run *run = run_of_call(call, &answer);
	const struct test *test = run != NULL ? test_of_call(call, run, &answer) : NULL;
	double now = state_now(call->state);
	GR_AUTO_FREE char *video = NULL;

	if (test == NULL)
		return answer;
	video = gr_printf("%s/process/test_result/recordings/%s/%zu.mp4", call->state->base_url, run->build_test_id,
	        (size_t)(test - run->tests) + 1);
	answer = call_accept(call, "Test case detail");
	data = json_object();
	member_set_text(data, "build_test_id", run->build_test_id);
	member_set_text(data, "test_case_name", test->name);
	member_set_text(data, "test_status", run_test_status(run, test, now));
	member_set_text(data, "failed_reason", run_test_at(run, test, now) == TEST_FAIL ? test->reason : "");
	member_set_text(data, "parameterised_test_data", test->data);
	put_time(call, data, "start_time", test->starts);
	put_time(call, data, "end_time", now >= test->ends ? test->ends : NEVER);
	member_set_text(data, "video_url", now >= test->ends ? video : "");
	(void)json_object_set_new(answer, "data", data);
	return answer;
}

static json_t *network_row(const struct call *call, const struct test *test, size_t number)
{
	static const char *const zero[] = {
	        "responseendtime", "duration", "requestheadersize", "responseheadersize", NULL};
	json_t *row = json_object();
	GR_AUTO_FREE char *id = gr_printf("%zu", number);
	GR_AUTO_FREE char *time = gr_printf("%.3f", (double)call->state->started_wall_ms / 1000.0 + test->starts);
	GR_AUTO_FREE char *data = gr_printf("%s/process/fd/%zu.txt", call->state->base_url, number);
	size_t i;

	member_set_text(row, "id", id);
	member_set_text(row, "url", "https://shop.example.com/api/cart");
	member_set_text(row, "status", "COMPLETE");
	member_set_text(row, "responsecode", "200");
	member_set_text(row, "protocol", "https");
	member_set_text(row, "method", "GET");
	member_set_text(row, "contenttype", "");
	member_set_text(row, "requeststarttime", time);
	member_set_text(row, "requestendtime", time);
	member_set_text(row, "responsestarttime", time);
	for (i = 0; zero[i] != NULL; i++)
		member_set_text(row, zero[i], "0");
	member_set_text(row, "requestbodysize", "17187");
	member_set_text(row, "responsebodysize", "2377");
	member_set_text(row, "responsedata", data);
	member_set_text(row, "testcase_name", test->name);
	member_set_text(row, "step_name", "");
	member_set_text(row, "step_no", "");
	return row;
}

json_t *handle_network_logs(struct call *call)
{
	json_t *answer = NULL, *list = NULL;
	const struct test_run *run = run_of_call(call, &answer);
	double now = state_now(call->state);
	size_t i;

	if (run == NULL)
		return answer;
	list = json_array();
	for (i = 0; i < run->test_count; i++)
		if (now >= run->tests[i].ends)
			(void)json_array_append_new(list, network_row(call, &run->tests[i], i + 1));
	answer = call_accept(call, "Network Log");
	call_put_list(call, answer, "data", list, false);
	return answer;
}

/* A sample a second of the test's time so far, at most so many. */
#define INSIGHTS_MOST 60

json_t *handle_insights_data(struct call *call)
{
	json_t *answer = NULL, *list = NULL;
	const struct test_run *run = run_of_call(call, &answer);
	const struct test *test = run != NULL ? test_of_call(call, run, &answer) : NULL;
	double now = state_now(call->state), until = 0, time = 0;
	size_t i;

	if (test == NULL)
		return answer;
	list = json_array();
	until = now < test->ends ? now : test->ends;
	for (i = 0, time = test->starts; time < until && i < INSIGHTS_MOST; time += 1, i++) {
		json_t *row = json_object();
		GR_AUTO_FREE char *when = state_time_text(call->state, time);
		GR_AUTO_FREE char *shown = gr_printf("%s.0", when);
		GR_AUTO_FREE char *cpu = gr_printf("%zu.0", 2 + i % 5);

		member_set_text(row, "display_time", shown);
		member_set_text(row, "cpu_val", cpu);
		member_set_text(row, "memory_val", "163577856");
		(void)json_array_append_new(list, row);
	}
	answer = call_accept(call, "Insight data of test case");
	member_set_text(answer, "test_case_name", test->name);
	call_put_list(call, answer, "insight_data", list, false);
	return answer;
}

json_t *handle_transaction_analysis(struct call *call)
{
	json_t *answer = NULL;

	if (run_of_call(call, &answer) == NULL)
		return answer;
	answer = call_accept(call, "Transcation detail"); /* as the reference spells it */
	call_put_list(call, answer, "detailed_analysis_data", json_array(), false);
	return answer;
}

/* The reference shows no answer: a plain yes, when a module of the version's platform has a test of that name. */
json_t *handle_update_variable_value(struct call *call)
{
	json_t *app = NULL;
	size_t i;
	json_t *module;

	if (version_of_token(call->state, call_text(call, "version_token"), &app) == NULL)
		return call_refuse(call, 404, "Invalid version token.");
	json_array_foreach (call->state->modules, i, module)
		if (strcmp(member_text(module, "platform"), member_text(app, "platform")) == 0 &&
		        list_find(json_object_get(module, "tests"), "name", call_text(call, "test_case_name")) != NULL)
			return call_accept(call, "Variable value updated successfully.");
	return call_refuse(call, 404, "Test case not found.");
}
