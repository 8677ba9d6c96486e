#include "tests/unit/api/api_test.h"

static struct execution decode(const char *text)
{
	GR_AUTO_JSON json_t *answer = json(text);
	struct execution execution = {0};
	struct gr_error err = {0};

	if (execution_decode(answer, &execution, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return execution;
}

static void assert_refused(const char *text)
{
	GR_AUTO_JSON json_t *answer = json(text);
	struct execution execution = {0};

	if (execution_decode(answer, &execution, NULL) != -GR_PROTOCOL)
		fail_msg("%s was read", text);
	assert_null(execution.devices);
}

static void it_reads_the_sample(void **state)
{
	GR_AUTO_JSON json_t *answer = sample(OP_EXECUTION_DETAILS);
	struct execution execution = {0};
	const struct execution_device *device;

	(void)state;
	assert_int_equal(execution_decode(answer, &execution, NULL), 0);
	assert_string_equal(execution.build_number, "768");
	assert_string_equal(execution.build_id, "4206");
	assert_int_equal(execution.all_completed, 1);
	assert_int_equal(execution.device_count, 1);
	device = &execution.devices[0];
	assert_string_equal(device->build_test_id, "770");
	assert_string_equal(device->device_id, "3");
	assert_string_equal(device->app_version, "1.0");
	assert_string_equal(device->app_build_number, "7");
	assert_string_equal(device->bundle_id, "com.example.shop");
	assert_int_equal(device->counts[COUNT_PASSED], 1);
	assert_int_equal(device->counts[COUNT_FAILED], 0);
	assert_int_equal(device->completed, COMPLETION_DONE);
	assert_string_equal(device->raw_completed, "3");
	assert_int_equal(device->case_count, 1);
	assert_string_equal(device->cases[0].name, "login");
	assert_string_equal(device->cases[0].module_id, "12");
	assert_null(device->cases[0].data);
	assert_null(device->cases[0].reason);
	assert_int_equal(device->cases[0].state, CASE_PASSED);
	execution_release(&execution);
	execution_release(&execution);
	execution_release(NULL);
}

static void it_takes_the_cases_out_of_the_answer(void **state)
{
	GR_AUTO_JSON json_t *answer =
	        json("{'build_number':'6','build_devices':[{'device_id':'3','test_cases':["
	             "{'test_case_name':'a','build_module_id':12,'test_status':'2'},"
	             "{'test_case_name':'b','build_module_id':12,'test_status':'3','failed_reason':'why'},"
	             "{'test_case_name':'b','test_status':'3','failed_reason':'why'}]}]}");
	GR_AUTO_JSON json_t *left =
	        json("{'build_number':'6','build_devices':[{'device_id':'3','test_cases':[null,null,null]}]}");
	struct execution execution = {0};
	const struct execution_case *cases;

	(void)state;
	assert_int_equal(execution_take(answer, &execution, NULL), 0);
	assert_true(json_equal(answer, left));
	assert_int_equal(execution.devices[0].case_count, 3);
	cases = execution.devices[0].cases;
	assert_string_equal(cases[0].name, "a");
	assert_string_equal(cases[1].name, "b");
	assert_string_equal(cases[2].name, "b");
	assert_string_equal(cases[1].module_id, "12");
	assert_null(cases[2].module_id);
	assert_null(cases[0].reason);
	assert_string_equal(cases[2].reason, "why");
	assert_int_equal(cases[0].state, CASE_PASSED);
	execution_release(&execution);
}

static void it_takes_nothing_out_of_an_answer_that_others_read_too(void **state)
{
	static const char text[] = "{'build_number':'6','build_devices':[{'device_id':'3','test_cases':["
	                           "{'test_case_name':'a','test_status':'2'}]}]}";
	GR_AUTO_JSON json_t *answer = json(text);
	GR_AUTO_JSON json_t *as_it_was = json(text);
	GR_AUTO_JSON json_t *another = json_incref(answer);
	struct execution execution = {0};

	(void)state;
	assert_int_equal(execution_take(answer, &execution, NULL), 0);
	assert_int_equal(execution.devices[0].case_count, 1);
	assert_true(json_equal(another, as_it_was));
	execution_release(&execution);
}

/* The reference's own sample has numbers and dates in the wrong places. */
static void it_reads_the_reference_sample_as_it_is_printed(void **state)
{
	struct execution execution = decode(
	        "{'status':1,'is_build_completed_in_all_devices':'1','build_number':'768','build_devices':[{"
	        "'build_test_id':'770','device_id':'2025-03-21 10:14:46','no_of_not_started':'2025-03-21 10:14:46',"
	        "'no_of_started':'770','test_cases':[{'build_module_id':'770','test_case_name':'2025-03-21 10:14:46',"
	        "'test_status':'770'}],'info':{'app_version':'770'},'is_completed':1}]}");

	(void)state;
	assert_int_equal(execution.devices[0].counts[COUNT_NOT_STARTED], -1);
	assert_int_equal(execution.devices[0].counts[COUNT_STARTED], 770);
	assert_int_equal(execution.devices[0].counts[COUNT_PASSED], -1);
	assert_int_equal(execution.devices[0].cases[0].state, CASE_SKIPPED);
	assert_int_equal(execution.devices[0].completed, COMPLETION_PROCESSING);
	execution_release(&execution);
}

static void assert_completion(const char *value, enum completion completion)
{
	GR_AUTO_FREE char *own = gr_printf("{'build_devices':[{'is_completed':%s}]}", value);
	GR_AUTO_FREE char *top = gr_printf("{'build_devices':[{}],'is_completed':%s}", value);
	struct execution a = decode(own);
	struct execution b = decode(top);

	if (a.devices[0].completed != completion || b.devices[0].completed != completion)
		fail_msg("%s is %d and %d, not %d", value, a.devices[0].completed, b.devices[0].completed, completion);
	execution_release(&a);
	execution_release(&b);
}

static void it_reads_completion_of_every_type(void **state)
{
	(void)state;
	assert_completion("1", COMPLETION_PROCESSING);
	assert_completion("'2'", COMPLETION_QUEUED);
	assert_completion("3.0", COMPLETION_DONE);
	assert_completion("'4'", COMPLETION_STOPPED);
	assert_completion("'Completed'", COMPLETION_DONE);
	assert_completion("' completed. '", COMPLETION_DONE);
	assert_completion("'in-progress'", COMPLETION_PROCESSING);
	assert_completion("'IN_QUEUE'", COMPLETION_QUEUED);
	assert_completion("'Stopped'", COMPLETION_STOPPED);
	assert_completion("'not completed'", COMPLETION_UNKNOWN);
	assert_completion("'incomplete'", COMPLETION_UNKNOWN);
	assert_completion("0", COMPLETION_UNKNOWN);
	assert_completion("5", COMPLETION_UNKNOWN);
	assert_completion("-3", COMPLETION_UNKNOWN);
	assert_completion("3.5", COMPLETION_UNKNOWN);
	assert_completion("'3x'", COMPLETION_UNKNOWN);
	assert_completion("true", COMPLETION_UNKNOWN); /* not "processing", though it is 1 elsewhere */
	assert_completion("false", COMPLETION_UNKNOWN);
	assert_completion("null", COMPLETION_UNKNOWN);
	assert_completion("''", COMPLETION_UNKNOWN);
	assert_completion("[]", COMPLETION_UNKNOWN);
	assert_completion("{}", COMPLETION_UNKNOWN);
}

static void it_prefers_what_the_device_says_about_itself(void **state)
{
	struct execution execution =
	        decode("{'is_completed':3,'build_devices':[{'is_completed':1},{'is_completed':'odd'},"
	               "{'is_completed':null},{},{'is_completed':true}]}");

	(void)state;
	assert_int_equal(execution.devices[0].completed, COMPLETION_PROCESSING);
	assert_int_equal(execution.devices[1].completed, COMPLETION_UNKNOWN);
	assert_string_equal(execution.devices[1].raw_completed, "odd");
	assert_int_equal(execution.devices[2].completed, COMPLETION_DONE);
	assert_int_equal(execution.devices[3].completed, COMPLETION_DONE);
	assert_int_equal(execution.devices[4].completed, COMPLETION_UNKNOWN);
	assert_string_equal(execution.devices[4].raw_completed, "true");
	execution_release(&execution);
}

static void assert_case(const char *value, enum case_state state)
{
	GR_AUTO_FREE char *text = gr_printf("{'build_devices':[{'test_cases':[{'test_status':%s}]}]}", value);
	struct execution execution = decode(text);

	if (execution.devices[0].cases[0].state != state)
		fail_msg("%s is %d, not %d", value, execution.devices[0].cases[0].state, state);
	execution_release(&execution);
}

static void it_reads_test_states_of_every_type(void **state)
{
	(void)state;
	assert_case("0", CASE_NOT_STARTED);
	assert_case("'1'", CASE_STARTED);
	assert_case("2", CASE_PASSED);
	assert_case("'2'", CASE_PASSED);
	assert_case("2.0", CASE_PASSED);
	assert_case("3", CASE_FAILED);
	assert_case("'4'", CASE_STOPPED);
	assert_case("5", CASE_SKIPPED);
	assert_case("'770'", CASE_SKIPPED);
	assert_case("-1", CASE_SKIPPED);
	assert_case("'Pass'", CASE_PASSED);
	assert_case("'PASSED'", CASE_PASSED);
	assert_case("'failed'", CASE_FAILED);
	assert_case("'Not Started'", CASE_NOT_STARTED);
	assert_case("'skipped'", CASE_SKIPPED);
	assert_case("'not passed'", CASE_UNKNOWN);
	assert_case("'pass?'", CASE_UNKNOWN);
	assert_case("'2 '", CASE_UNKNOWN);
	assert_case("2.5", CASE_UNKNOWN);
	assert_case("true", CASE_UNKNOWN);
	assert_case("false", CASE_UNKNOWN);
	assert_case("null", CASE_UNKNOWN);
	assert_case("''", CASE_UNKNOWN);
	assert_case("{}", CASE_UNKNOWN);
	assert_case("[2]", CASE_UNKNOWN);
}

static void assert_shape(const char *text, size_t devices, size_t cases)
{
	struct execution execution = decode(text);
	size_t found = 0;

	for (size_t i = 0; i < execution.device_count; i++)
		found += execution.devices[i].case_count;
	if (execution.device_count != devices || found != cases)
		fail_msg("%s has %zu devices and %zu cases", text, execution.device_count, found);
	execution_release(&execution);
}

static void it_reads_every_shape(void **state)
{
	(void)state;
	assert_shape("{'build_devices':{'test_cases':{'test_case_name':'a'}}}", 1, 1);
	assert_shape("{'build_devices':'[{}]'}", 1, 0);
	assert_shape("{'build_devices':[{'test_cases':'[{},{}]'}]}", 1, 2);
	assert_shape("{'build_devices':{'0':{'test_cases':{'0':{},'1':{}}},'1':{}}}", 2, 2);
	assert_shape("{'build_devices':[]}", 0, 0);
	assert_shape("{'build_devices':''}", 0, 0);
	assert_shape("{'build_number':'7'}", 0, 0);
	assert_shape("{'data':{'build_devices':[{},{}]}}", 2, 0);
	assert_shape("{'data':{'build_devices':{'test_cases':[{}]}}}", 1, 1);
	assert_shape("{'response':{'build_devices':[{},{}]}}", 2, 0);
	assert_shape("{'data':{'data':{'build_devices':[{},{}]}}}", 2, 0);
	assert_shape("{'data':{'build_number':'7','build_devices':null}}", 0, 0);
	assert_shape("{'build_number':'7','devices':[{'testcases':[{}]},{}]}", 2, 1);
	assert_shape("{'build_devices':{'Pixel 7':{'device_id':1,'test_cases':{'login':{},'cart':{}}}}}", 1, 2);
	assert_shape("{'data':[{'build_devices':[{}]}]}", 1, 0);
	assert_shape("{'data':'{}','build_number':1}", 0, 0);
	assert_shape("{'build_devices':[{'test_cases':null},{'test_cases':''},{'info':7},{'info':'x'}]}", 4, 0);
	assert_refused("{}");
	assert_refused("[]");
	assert_refused("{'status':1,'data':[]}");
	assert_refused("{'data':[{'build_devices':[]},{'build_devices':[]}]}");
	assert_refused("{'build_devices':7}");
	assert_refused("{'build_devices':true}");
	assert_refused("{'build_devices':[7]}");
	assert_refused("{'build_devices':[{},null]}");
	assert_refused("{'build_devices':'soon'}");
	assert_refused("{'build_devices':[{},{'test_cases':7}]}");
	assert_refused("{'build_devices':[{'test_cases':[{},'x']}]}");
}

static void it_reads_the_wrapped_answer_with_what_is_around_it(void **state)
{
	struct execution execution =
	        decode("{'is_completed':3,'build_number':768,'data':{'build_url':'/build/apps/4206',"
	               "'build_devices':[{}],'is_build_completed_in_all_devices':0}}");

	(void)state;
	assert_string_equal(execution.build_number, "768");
	assert_string_equal(execution.build_id, "4206");
	assert_int_equal(execution.all_completed, 0);
	assert_int_equal(execution.devices[0].completed, COMPLETION_DONE);
	execution_release(&execution);
}

static void it_reads_whether_all_devices_are_done(void **state)
{
	static const struct {
		const char *value;
		int all;
	} rows[] = {{"1", 1}, {"'1'", 1}, {"true", 1}, {"1.0", 1}, {"'true'", 1}, {"0", 0}, {"'0'", 0}, {"false", 0},
	        {"'false'", 0}, {"2", -1}, {"'soon'", -1}, {"null", -1}, {"''", -1}, {"[]", -1}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(rows); i++) {
		GR_AUTO_FREE char *text =
		        gr_printf("{'build_devices':[],'is_build_completed_in_all_devices':%s}", rows[i].value);
		struct execution execution = decode(text);

		if (execution.all_completed != rows[i].all)
			fail_msg("%s is %d", rows[i].value, execution.all_completed);
		execution_release(&execution);
	}
}

static void it_finds_the_info_in_several_shapes(void **state)
{
	struct execution execution = decode("{'build_devices':[{'info':[{'bundle_id':'b','device_name':'n'}]},"
	                                    "{'device_name':'own','info':{'device_name':'n'}},{'info':[7]}]}");

	(void)state;
	assert_string_equal(execution.devices[0].bundle_id, "b");
	assert_string_equal(execution.devices[0].device_name, "n");
	assert_string_equal(execution.devices[1].device_name, "own");
	assert_null(execution.devices[2].bundle_id);
	execution_release(&execution);
}

static void it_reads_data_and_reasons_that_are_no_texts(void **state)
{
	struct execution execution =
	        decode("{'build_devices':[{'test_cases':["
	               "{'test_case_name':'a','parameterised_test_data':{'user':'x','at':1},"
	               "'failed_reason':['no','yes']},"
	               "{'test_case_name':'a','parameterised_test_data':[],'failed_reason':{}}]}]}");
	const struct execution_case *cases = execution.devices[0].cases;

	(void)state;
	assert_string_equal(cases[0].data, "{\"at\":1,\"user\":\"x\"}");
	assert_string_equal(cases[0].reason, "[\"no\",\"yes\"]");
	assert_null(cases[1].data);
	assert_null(cases[1].reason);
	execution_release(&execution);
}

static void it_survives_odd_values_everywhere(void **state)
{
	static const char *const keys[] = {
	        "build_test_id", "device_id", "device_name", "no_of_pass", "info", "is_completed"};
	static const char *const case_keys[] = {
	        "test_case_name", "build_module_id", "parameterised_test_data", "failed_reason", "test_status"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(odd_values); i++) {
		json_t *row = json_object();
		json_t *one = json_object();
		json_t *answers[5];

		for (size_t k = 0; k < GR_COUNT(keys); k++)
			json_object_set_new(row, keys[k], json(odd_values[i]));
		for (size_t k = 0; k < GR_COUNT(case_keys); k++)
			json_object_set_new(one, case_keys[k], json(odd_values[i]));
		json_object_set_new(row, "test_cases", one);
		answers[0] = json(odd_values[i]);
		answers[1] = json_pack("{s:o}", "build_devices", json(odd_values[i]));
		answers[2] = json_pack("{s:o,s:i}", "data", json(odd_values[i]), "build_number", 1);
		answers[3] = json_pack("{s:o,s:[{s:o}]}", "build_url", json(odd_values[i]), "build_devices",
		        "test_cases", json(odd_values[i]));
		answers[4] = json_pack("{s:[o]}", "build_devices", row);
		for (size_t a = 0; a < GR_COUNT(answers); a++) {
			struct execution execution = {0};

			if (execution_decode(answers[a], &execution, NULL) == 0)
				execution_release(&execution);
			json_decref(answers[a]);
		}
	}
	assert_refused("7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reads_the_sample),
	        cmocka_unit_test(it_takes_the_cases_out_of_the_answer),
	        cmocka_unit_test(it_takes_nothing_out_of_an_answer_that_others_read_too),
	        cmocka_unit_test(it_reads_the_reference_sample_as_it_is_printed),
	        cmocka_unit_test(it_reads_completion_of_every_type),
	        cmocka_unit_test(it_prefers_what_the_device_says_about_itself),
	        cmocka_unit_test(it_reads_test_states_of_every_type),
	        cmocka_unit_test(it_reads_every_shape),
	        cmocka_unit_test(it_reads_the_wrapped_answer_with_what_is_around_it),
	        cmocka_unit_test(it_reads_whether_all_devices_are_done),
	        cmocka_unit_test(it_finds_the_info_in_several_shapes),
	        cmocka_unit_test(it_reads_data_and_reasons_that_are_no_texts),
	        cmocka_unit_test(it_survives_odd_values_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
