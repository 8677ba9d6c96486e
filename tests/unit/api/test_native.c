#include "tests/unit/api/api_test.h"

static struct native_result decode(const char *text)
{
	GR_AUTO_JSON json_t *answer = json(text);
	struct native_result result = {0};
	struct gr_error err = {0};

	if (native_result_decode(answer, &result, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return result;
}

static void assert_refused(const char *text)
{
	GR_AUTO_JSON json_t *answer = json(text);
	struct native_result result = {0};

	if (native_result_decode(answer, &result, NULL) != -GR_PROTOCOL)
		fail_msg("%s was read", text);
	assert_null(result.devices);
}

static void assert_members(const char *members, enum native_state state)
{
	GR_AUTO_FREE char *text = gr_printf("{'data':[{%s}]}", members);
	struct native_result result = decode(text);

	assert_int_equal(result.count, 1);
	if (result.devices[0].state != state)
		fail_msg("{%s} is %d, not %d", members, result.devices[0].state, state);
	native_result_release(&result);
}

static void assert_words(const char *words, enum native_state state)
{
	GR_AUTO_JSON json_t *answer = json_pack("{s:[{s:s}]}", "data", "status_text", words);
	struct native_result result = {0};

	assert_int_equal(native_result_decode(answer, &result, NULL), 0);
	if (result.devices[0].state != state)
		fail_msg("'%s' is %d, not %d", words, result.devices[0].state, state);
	native_result_release(&result);
}

static void it_reads_the_sample(void **state)
{
	GR_AUTO_JSON json_t *answer = sample(OP_GET_NATIVE_TEST_RESULTS);
	struct native_result result = {0};
	const struct native_device *device;

	(void)state;
	assert_int_equal(native_result_decode(answer, &result, NULL), 0);
	assert_int_equal(result.count, 1);
	device = &result.devices[0];
	assert_string_equal(device->device_id, "3");
	assert_string_equal(device->device_name, "Galaxy S21 FE 5G");
	assert_string_equal(device->platform, "Android");
	assert_string_equal(device->os_version, "14");
	assert_non_null(device->log_path);
	assert_null(device->recording_path);
	assert_string_equal(device->status, "3");
	assert_string_equal(device->status_text, "Failed");
	assert_int_equal(device->state, NATIVE_FAILED);
	assert_int_equal(device->all, 0);
	assert_int_equal(device->passed, 0);
	assert_int_equal(device->failed, 0);
	native_result_release(&result);
	native_result_release(&result);
	native_result_release(NULL);
}

static void urls_that_are_written_for_html_are_read(void **state)
{
	GR_AUTO_JSON json_t *answer = sample(OP_GET_NATIVE_TEST_RESULTS);
	json_t *row = json_array_get(json_object_get(answer, "data"), 0);
	struct native_result result = {0};

	(void)state;
	assert_non_null(row);
	(void)json_object_set_new(row, "log_path", json_string("https://cloud.example/l?a=1&amp;b=2&amp;c=&3"));
	(void)json_object_set_new(row, "device_recording_path", json_string("https://cloud.example/r?a=1&b=2"));
	assert_int_equal(native_result_decode(answer, &result, NULL), 0);
	assert_string_equal(result.devices[0].log_path, "https://cloud.example/l?a=1&b=2&c=&3");
	assert_string_equal(result.devices[0].recording_path, "https://cloud.example/r?a=1&b=2");
	native_result_release(&result);
}

static void it_reads_plain_words(void **state)
{
	(void)state;
	assert_words("Passed", NATIVE_PASSED);
	assert_words("PASS", NATIVE_PASSED);
	assert_words("Success", NATIVE_PASSED);
	assert_words("Failed", NATIVE_FAILED);
	assert_words("error", NATIVE_FAILED);
	assert_words("Stopped", NATIVE_STOPPED);
	assert_words("Aborted", NATIVE_STOPPED);
	assert_words("cancelled", NATIVE_STOPPED);
	assert_words("Terminated", NATIVE_STOPPED);
	assert_words("Queued", NATIVE_WAITING);
	assert_words("Pending", NATIVE_WAITING);
	assert_words("Waiting", NATIVE_WAITING);
	assert_words("Running", NATIVE_RUNNING);
	assert_words("In Progress", NATIVE_RUNNING);
	assert_words("inprogress", NATIVE_RUNNING);
	assert_words("Processing", NATIVE_RUNNING);
	assert_words("Started", NATIVE_RUNNING);
	assert_words("Installing", NATIVE_RUNNING);
	assert_words("Preparing device", NATIVE_RUNNING);
	assert_words("Completed", NATIVE_COMPLETED);
	assert_words("FINISHED", NATIVE_COMPLETED);
	assert_words("Done", NATIVE_COMPLETED);
}

static void it_is_careful_with_words_together(void **state)
{
	(void)state;
	assert_words("Not Started", NATIVE_WAITING);
	assert_words("not_started", NATIVE_WAITING);
	assert_words("Yet to start", NATIVE_WAITING);
	assert_words("Not running", NATIVE_WAITING);
	assert_words("Waiting to start", NATIVE_WAITING);
	assert_words("completed with failures", NATIVE_FAILED);
	assert_words("Completed with errors", NATIVE_FAILED);
	assert_words("Completed without errors", NATIVE_COMPLETED);
	assert_words("Completed, no failures", NATIVE_COMPLETED);
	assert_words("Failed to start", NATIVE_FAILED);
	assert_words("Installation failed", NATIVE_FAILED);
	assert_words("Execution stopped", NATIVE_STOPPED);
	assert_words("Completed (stopped)", NATIVE_STOPPED);
	assert_words("unsuccessful", NATIVE_FAILED);
	assert_words("Not passed", NATIVE_FAILED);
	assert_words("not successful", NATIVE_FAILED);
	assert_words("Didn't pass", NATIVE_FAILED);
	assert_words("Completed successfully", NATIVE_PASSED);
	assert_words("Test run passed", NATIVE_PASSED);
	assert_words("Execution completed", NATIVE_COMPLETED);
	assert_words("Running, 3 passed", NATIVE_RUNNING);
	assert_words("Not completed", NATIVE_UNKNOWN);
	assert_words("Incomplete", NATIVE_UNKNOWN);
	assert_words("Passed with errors", NATIVE_UNKNOWN);
	assert_words("Partially Passed", NATIVE_UNKNOWN);
	assert_words("Passed (partial)", NATIVE_UNKNOWN);
	assert_words("Partially Completed", NATIVE_UNKNOWN);
	assert_words("Some tests passed", NATIVE_UNKNOWN);
	assert_words("Some tests failed", NATIVE_FAILED);
	assert_words("Partially running", NATIVE_RUNNING);
	assert_words("3 passed, 1 failed", NATIVE_UNKNOWN);
	assert_words("Passed, then stopped", NATIVE_UNKNOWN);
	assert_words("Wobbly", NATIVE_UNKNOWN);
	assert_words("...", NATIVE_UNKNOWN);
	assert_words("\xf0\x9f\x91\x8d", NATIVE_UNKNOWN);
}

static void it_takes_the_number_only_without_a_text(void **state)
{
	(void)state;
	assert_members("'status':'0'", NATIVE_WAITING);
	assert_members("'status':1", NATIVE_RUNNING);
	assert_members("'status':2.0", NATIVE_PASSED);
	assert_members("'status':'3','status_text':''", NATIVE_FAILED);
	assert_members("'status':'4','status_text':'null'", NATIVE_STOPPED);
	assert_members("'status':'2','status_text':null", NATIVE_PASSED);
	assert_members("'status':'5'", NATIVE_UNKNOWN);
	assert_members("'status':'-1'", NATIVE_UNKNOWN);
	assert_members("'status':true", NATIVE_UNKNOWN);
	assert_members("'status':false", NATIVE_UNKNOWN);
	assert_members("'status':[2]", NATIVE_UNKNOWN);
	assert_members("'status':'Passed'", NATIVE_PASSED);
	assert_members("'status':'2','status_text':'Failed'", NATIVE_FAILED);
	assert_members("'status':'2','status_text':'Wobbly'", NATIVE_UNKNOWN);
	assert_members("'status':'2','status_text':'3'", NATIVE_FAILED);
	assert_members("'device_id':3", NATIVE_UNKNOWN);
}

static void it_reads_counts_as_given(void **state)
{
	struct native_result result = decode("{'data':{'all_testcase':3,'passed_testcase':'2','failed_testcase':-1}}");

	(void)state;
	assert_int_equal(result.devices[0].all, 3);
	assert_int_equal(result.devices[0].passed, 2);
	assert_int_equal(result.devices[0].failed, -1);
	native_result_release(&result);
	result = decode("{'data':{'all_testcase':'x','passed_testcase':1.5}}");
	assert_int_equal(result.devices[0].all, -1);
	assert_int_equal(result.devices[0].passed, -1);
	assert_int_equal(result.devices[0].failed, -1);
	native_result_release(&result);
}

static void assert_count(const char *text, size_t count)
{
	struct native_result result = decode(text);

	assert_int_equal(result.count, count);
	native_result_release(&result);
}

static void it_reads_every_shape(void **state)
{
	(void)state;
	assert_count("{'data':[{},{}]}", 2);
	assert_count("{'data':{'device_id':1}}", 1);
	assert_count("{'data':{'0':{},'1':{}}}", 2);
	assert_count("{'data':{'Pixel 7':{'status':1}}}", 1);
	assert_count("{'data':{'native_test_build_id':'7','devices':[{},{}]}}", 2);
	assert_count("{'response':[{},{}]}", 2);
	assert_count("{'data':'[{},{},{}]'}", 3);
	assert_count("{'data':[]}", 0);
	assert_count("{'data':''}", 0);
	assert_count("{'success':true}", 0);
	assert_refused("[]");
	assert_refused("7");
	assert_refused("{'data':7}");
	assert_refused("{'data':[{},7]}");
	assert_refused("{'data':'soon'}");
}

static void it_survives_odd_values_everywhere(void **state)
{
	static const char *const keys[] = {"device_id", "UDID", "status", "status_text", "all_testcase", "log_path"};
	struct native_result result = {0};

	(void)state;
	assert_int_equal(native_result_decode(NULL, &result, NULL), -GR_PROTOCOL);
	for (size_t i = 0; i < GR_COUNT(odd_values); i++) {
		json_t *row = json_object();
		json_t *answers[3];

		for (size_t k = 0; k < GR_COUNT(keys); k++)
			json_object_set_new(row, keys[k], json(odd_values[i]));
		answers[0] = json(odd_values[i]);
		answers[1] = json_pack("{s:o}", "data", json(odd_values[i]));
		answers[2] = json_pack("{s:[o]}", "data", row);
		for (size_t a = 0; a < GR_COUNT(answers); a++) {
			if (native_result_decode(answers[a], &result, NULL) == 0)
				native_result_release(&result);
			json_decref(answers[a]);
		}
	}
}

/* Half of a secret's references undone would be a spelling that the redaction does not know. */
static void it_undoes_every_reference_of_a_url(void **state)
{
	static const char *const table[][2] = {{"a&amp;&lt;&gt;&quot;&apos;b", "a&<>\"'b"},
	        {"&#38;&#x26;&#X2f;&#x2F;", "&&//"}, {"&amp;lt;", "&lt;"},
	        {"&;&#;&#x;&#zz;&nbsp;&#10;&#200;&", "&;&#;&#x;&#zz;&nbsp;&#10;&#200;&"}, {"", ""},
	        {"/d.php?file=report (1).pdf", "/d.php?file=report%20(1).pdf"}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(table); i++) {
		GR_AUTO_FREE char *plain = url_plain(table[i][0]);

		assert_string_equal(plain, table[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reads_the_sample),
	        cmocka_unit_test(it_undoes_every_reference_of_a_url),
	        cmocka_unit_test(urls_that_are_written_for_html_are_read),
	        cmocka_unit_test(it_reads_plain_words),
	        cmocka_unit_test(it_is_careful_with_words_together),
	        cmocka_unit_test(it_takes_the_number_only_without_a_text),
	        cmocka_unit_test(it_reads_counts_as_given),
	        cmocka_unit_test(it_reads_every_shape),
	        cmocka_unit_test(it_survives_odd_values_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
