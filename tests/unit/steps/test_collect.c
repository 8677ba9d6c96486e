#include "script.h"

#define NATIVE                                                                                                         \
	"{'native_test_build_id': '71', 'log_url': 'https://cloud.example/l.txt', 'recording_url': "                   \
	"'https://cloud.example/r.mp4', 'device_id': '3'}"
#define SCRIPTLESS "{'build_test_id': '770', 'build_number': '768', 'device_id': '3'}"

static void send_file(struct script *script, const char *trouble)
{
	struct event event = {.kind = EVENT_FETCHED, .status = 200};

	if (trouble != NULL)
		(void)gr_fail(&event.error, GR_NETWORK, 0, "%s", trouble);
	script_send(script, event);
}

static void expect_fetch(const struct script *script, const char *url, const char *name, bool is_text)
{
	expect_no_error(script);
	assert_int_equal(script->action.kind, ACTION_FETCH);
	assert_string_equal(script->action.url, url);
	assert_string_equal(script->action.save_as, name);
	assert_int_equal(script->action.save_is_text, is_text);
	assert_true(script->action.fetch_may_fail);
}

/* The nth entry of the list that goes with the action. */
static const char *saved(const struct script *script, size_t index, const char *key)
{
	return json_string_value(json_object_get(json_array_get(script->action.save, index), key));
}

static void it_fetches_logs_as_text_and_recordings_as_they_are(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': " NATIVE ", 'what': ['logs', 'recordings'], 'max_size': 1000}");
	expect_fetch(&s, "https://cloud.example/l.txt", "native-test.log", true);
	assert_int_equal(s.action.fetch_most_bytes, 1000);
	send_file(&s, NULL);
	expect_fetch(&s, "https://cloud.example/r.mp4", "recording.mp4", false);
	send_file(&s, NULL);
	expect_done(&s, OUTCOME_PASSED, "{'missing': 0}");
	script_close(&s);
}

static void it_fetches_only_files_that_fit(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': " NATIVE ", 'what': ['logs', 'recordings'], 'files': '*.mp4'}");
	expect_fetch(&s, "https://cloud.example/r.mp4", "recording.mp4", false);
	script_close(&s);
}

static void what_cannot_be_had_is_listed_and_fails_nothing(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': " NATIVE ", 'what': ['recordings', 'device_logs']}");
	send_file(&s, "HTTP 404");
	expect_call(&s, OP_DEVICE_LOGS, "{'device_id': '3'}");
	assert_string_equal(saved(&s, 0, "name"), "recording.mp4");
	assert_string_equal(saved(&s, 0, "missing"), "HTTP 404");
	refuse_call(&s, "{'success': false}");
	expect_done(&s, OUTCOME_PASSED, "{'missing': 2}");
	assert_string_equal(saved(&s, 0, "name"), "device_logs");
	script_close(&s);
}

static void what_is_required_and_cannot_be_had_fails(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': " NATIVE ", 'what': 'recordings', 'required': true}");
	send_file(&s, "HTTP 404");
	expect_failure(&s, GR_SERVER, "recording.mp4: HTTP 404");
	assert_string_equal(saved(&s, 0, "missing"), "HTTP 404");
	script_close(&s);
}

static void a_run_without_a_recording_says_so(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': {'native_test_build_id': '71'}, 'what': 'recordings'}");
	expect_done(&s, OUTCOME_PASSED, "{'missing': 1}");
	expect_text(saved(&s, 0, "missing"), "names none");
	script_close(&s);
}

static void answers_are_kept_and_name_the_cases(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': " SCRIPTLESS ", 'what': ['network', 'insights']}");
	expect_call(&s, OP_NETWORK_LOGS, "{'build_test_id': '770', 'application_token': 'gridlane-secret:app/223'}");
	answer(&s, "{'status': 1, 'data': []}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '768'}");
	assert_string_equal(saved(&s, 0, "name"), "network.json");
	answer(&s,
	        "{'status': 1, 'build_number': '768', 'build_url': 'https://cloud.example/b/1', 'build_devices': "
	        "[{'build_test_id': '770', 'device_id': '3', 'test_cases': [{'test_case_name': 'login', 'test_status': "
	        "'2'}, {'test_case_name': 'login', 'test_status': '2'}]}]}");
	expect_call(&s, OP_INSIGHTS_DATA, "{'build_test_id': '770', 'test_case_name': 'login'}");
	assert_null(s.action.save); /* the list of cases itself is nobody's file */
	answer(&s, "{'status': 1, 'insight_data': []}");
	expect_done(&s, OUTCOME_PASSED, "{'missing': 0}");
	assert_string_equal(saved(&s, 0, "name"), "insights-login.json");
	script_close(&s);
}

#define STARTED_AGAIN                                                                                                  \
	"{'build_test_id': '770', 'build_number': '768', 'device_id': '3', 'rerun_outputs': [{}, {'build_test_id': "   \
	"'790', 'build_number': '788', 'device_id': '3'}]}"

static void what_each_further_start_left_is_fetched_under_a_name_that_says_so(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect",
	        "{'run': " STARTED_AGAIN ", 'what': ['network', 'insights', 'device_logs'], 'files': ['network.json', "
	        "'insights-*.json']}");
	expect_call(&s, OP_NETWORK_LOGS, "{'build_test_id': '770'}");
	answer(&s, "{'status': 1, 'data': []}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '768'}");
	answer(&s, "{'status': 1, 'build_devices': [{'build_test_id': '770', 'test_cases': []}]}");
	expect_call(&s, OP_DEVICE_LOGS, "{'device_id': '3'}"); /* once: it is the device's */
	answer(&s, "{'success': true, 'log_file_url': 'https://cloud.example/d.txt'}");
	expect_call(&s, OP_NETWORK_LOGS, "{'build_test_id': '790'}"); /* of the first rerun nothing is known */
	script_restart(&s);
	expect_call(&s, OP_NETWORK_LOGS, "{'build_test_id': '790'}");
	answer(&s, "{'status': 1, 'data': []}");
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '788'}");
	assert_string_equal(saved(&s, 0, "name"), "network-rerun-2.json");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(s.action.save, 0), "rerun")), 2);
	answer(&s, "{'status': 1, 'build_devices': [{'build_test_id': '790', 'test_cases': [{'test_case_name': "
	           "'login', 'test_status': '2'}]}]}");
	expect_call(&s, OP_INSIGHTS_DATA, "{'build_test_id': '790', 'test_case_name': 'login'}");
	refuse_call(&s, "{'success': false}");
	expect_done(&s, OUTCOME_PASSED, "{'missing': 1}");
	assert_string_equal(saved(&s, 0, "name"), "insights-login-rerun-2.json");
	script_close(&s);
}

static void logs_of_each_start_are_fetched(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect",
	        "{'run': {'native_test_build_id': '71', 'log_url': 'https://cloud.example/1.txt', 'rerun_outputs': "
	        "[{'native_test_build_id': '72', 'log_url': 'https://cloud.example/2.txt'}]}, 'what': 'logs'}");
	expect_fetch(&s, "https://cloud.example/1.txt", "native-test.log", true);
	assert_int_equal(s.action.save_rerun, 0);
	send_file(&s, NULL);
	expect_fetch(&s, "https://cloud.example/2.txt", "native-test-rerun-1.log", true);
	assert_int_equal(s.action.save_rerun, 1);
	script_close(&s);
}

static void urls_that_are_written_for_html_are_read(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'device': {'device_id': '101'}, 'what': 'downloads'}");
	expect_call(&s, OP_GET_BROWSER_DOWNLOADED_FILES, "{'device_id': '101'}");
	answer(&s, "{'success': true, 'data': [{'name': 'a.pdf', 'download_url': "
	           "'https://cloud.example/d.php?action=download&amp;directory=3&amp;file=a.pdf'}]}");
	expect_fetch(&s, "https://cloud.example/d.php?action=download&directory=3&file=a.pdf", "download-a.pdf", false);
	script_close(&s);
}

static void recordings_of_a_test_are_found_one_level_down(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': " SCRIPTLESS ", 'what': 'recordings'}");
	answer(&s, "{'status': 1, 'build_devices': [{'build_test_id': '770', 'test_cases': [{'test_case_name': "
	           "'pays'}]}]}");
	expect_call(&s, OP_TEST_CASE_DETAILS, "{'build_test_id': '770', 'test_case_name': 'pays'}");
	answer(&s, "{'status': 1, 'test_case': [{'Video_Url': 'https://cloud.example/v.mp4', 'video_text': 'none'}]}");
	expect_fetch(&s, "https://cloud.example/v.mp4", "recording-pays.mp4", false);
	script_close(&s);
}

static void recordings_of_a_test_are_found_wherever_they_are_and_once(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': " SCRIPTLESS ", 'what': 'recordings'}");
	answer(&s, "{'status': 1, 'build_devices': [{'build_test_id': '770', 'test_cases': [{'test_case_name': "
	           "'pays'}]}]}");
	expect_call(&s, OP_TEST_CASE_DETAILS, "{'build_test_id': '770', 'test_case_name': 'pays'}");
	answer(&s, "{'status': 1, 'recording': '/r/1.mp4', 'data': {'case': [{'steps': [{'video': '/r/2.mp4'}], "
	           "'recording_path': '/r/1.mp4', 'has_video': '1', 'video_text': ''}]}}");
	expect_fetch(&s, "/r/1.mp4", "recording-pays.mp4", false);
	send_file(&s, NULL);
	expect_fetch(&s, "/r/2.mp4", "recording-pays.mp4", false);
	send_file(&s, NULL);
	expect_done(&s, OUTCOME_PASSED, "{'missing': 0}");
	script_close(&s);
}

static void files_may_come_a_while_after_the_runs_end(void **state)
{
	struct script s;
	int64_t until_ms = 0;

	(void)state;
	script_start(&s, "collect", "{'run': " NATIVE ", 'what': ['logs', 'recordings']}");
	until_ms = s.action.fetch_late_until_ms;
	assert_true(until_ms > s.now_ms);
	s.now_ms += 1000;
	send_file(&s, NULL);
	assert_int_equal(s.action.fetch_late_until_ms, until_ms); /* all of them together, not each */
	script_close(&s);
}

static void sessions_that_the_run_has_fetched_are_not_asked_for(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect",
	        "{'run': {'build_numbers': ['1', '31'], 'files': ['artifacts/main/x/session-31.json']}, 'what': "
	        "'logs'}");
	expect_call(&s, OP_AUTOMATION_BUILD_RESULTS_AND_LOGS, "{'build_number': '1'}");
	answer(&s, "{'status': true, 'data': []}");
	expect_done(&s, OUTCOME_PASSED, "{'missing': 0}");
	script_close(&s);
}

static void what_the_run_has_fetched_is_not_missing(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect",
	        "{'run': {'build_numbers': ['31'], 'files': ['artifacts/main/x/session-31.json']}, 'what': ['logs', "
	        "'recordings', 'network']}");
	expect_done(&s, OUTCOME_PASSED, "{'missing': 1}");
	assert_string_equal(saved(&s, 0, "name"), "network");
	script_close(&s);
}

static void tests_of_a_run_without_a_number_are_listed_as_missing(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': {'build_test_id': '770'}, 'what': 'insights'}");
	expect_done(&s, OUTCOME_PASSED, "{'missing': 1}");
	expect_text(saved(&s, 0, "missing"), "not known");
	script_close(&s);
}

static void what_a_run_cannot_have_is_listed_and_fails_what_is_required(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': " SCRIPTLESS ", 'what': 'logs', 'required': true}");
	expect_failure(&s, GR_SERVER, "logs: there is none for this run");
	script_close(&s);
	script_start(&s, "collect", "{'device': {'device_id': '3'}, 'what': ['recordings', 'network']}");
	expect_done(&s, OUTCOME_PASSED, "{'missing': 2}");
	expect_text(saved(&s, 1, "missing"), "needs `run:`");
	script_close(&s);
	script_start(&s, "collect", "{'run': " SCRIPTLESS ", 'what': 'logs', 'required': true, 'implied': true}");
	expect_done(&s, OUTCOME_PASSED, "{'missing': 0}");
	script_close(&s);
}

static void tests_without_a_recording_say_so(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': " SCRIPTLESS ", 'what': 'recordings', 'required': true, 'implied': true}");
	answer(&s, "{'status': 1, 'build_devices': [{'build_test_id': '770', 'test_cases': [{'test_case_name': "
	           "'pays'}]}]}");
	answer(&s, "{'status': 1, 'test_case': []}");
	expect_failure(&s, GR_SERVER, "recordings: there is none for this run");
	script_close(&s);
}

static void patterns_that_no_file_fits_are_listed(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': " NATIVE ", 'what': 'logs', 'files': '*.mp4', 'required': true}");
	expect_failure(&s, GR_SERVER, "no file fits the patterns");
	script_close(&s);
}

static void a_device_may_be_given_by_its_id(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'device': {'id': '40'}, 'what': 'device_logs'}");
	expect_call(&s, OP_DEVICE_LOGS, "{'device_id': '40'}");
	refuse_call(&s, "{'success': false}");
	expect_done(&s, OUTCOME_PASSED, "{'missing': 1}");
	script_close(&s);
}

static void a_resumed_one_goes_on_behind_what_it_has(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': " NATIVE ", 'what': ['logs', 'recordings']}");
	send_file(&s, NULL);
	script_restart(&s);
	expect_fetch(&s, "https://cloud.example/r.mp4", "recording.mp4", false);
	script_close(&s);
}

static void what_it_did_not_come_to_is_listed(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "collect", "{'run': " NATIVE ", 'what': ['logs', 'recordings']}");
	stop_script(&s, GR_CANCELLED);
	assert_int_equal(s.action.kind, ACTION_DONE);
	assert_int_equal(json_array_size(s.action.save), 2);
	expect_text(saved(&s, 1, "missing"), "stopped");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_fetches_logs_as_text_and_recordings_as_they_are),
	        cmocka_unit_test(it_fetches_only_files_that_fit),
	        cmocka_unit_test(what_cannot_be_had_is_listed_and_fails_nothing),
	        cmocka_unit_test(what_is_required_and_cannot_be_had_fails),
	        cmocka_unit_test(a_run_without_a_recording_says_so),
	        cmocka_unit_test(answers_are_kept_and_name_the_cases),
	        cmocka_unit_test(what_each_further_start_left_is_fetched_under_a_name_that_says_so),
	        cmocka_unit_test(logs_of_each_start_are_fetched),
	        cmocka_unit_test(urls_that_are_written_for_html_are_read),
	        cmocka_unit_test(recordings_of_a_test_are_found_one_level_down),
	        cmocka_unit_test(recordings_of_a_test_are_found_wherever_they_are_and_once),
	        cmocka_unit_test(files_may_come_a_while_after_the_runs_end),
	        cmocka_unit_test(sessions_that_the_run_has_fetched_are_not_asked_for),
	        cmocka_unit_test(what_the_run_has_fetched_is_not_missing),
	        cmocka_unit_test(tests_of_a_run_without_a_number_are_listed_as_missing),
	        cmocka_unit_test(what_a_run_cannot_have_is_listed_and_fails_what_is_required),
	        cmocka_unit_test(tests_without_a_recording_say_so),
	        cmocka_unit_test(patterns_that_no_file_fits_are_listed),
	        cmocka_unit_test(a_device_may_be_given_by_its_id),
	        cmocka_unit_test(a_resumed_one_goes_on_behind_what_it_has),
	        cmocka_unit_test(what_it_did_not_come_to_is_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
