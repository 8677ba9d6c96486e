#include "script.h"

#define BUILD "{'app_build_id': '272', 'app_id': '223', 'version_id': '481'}"
#define DEVICE "{'device_id': '26', 's_device': 'S26', 'name': 'Galaxy S23', 'platform': 'android'}"
#define WITH(more) "{'build': " BUILD ", 'device': " DEVICE more "}"
#define LOG_URL "https://cloud.example/uploadlogs/x.txt"

static void fetched(struct script *script, long status, const char *text)
{
	assert_int_equal(script->action.kind, ACTION_FETCH);
	assert_string_equal(script->action.url, LOG_URL);
	assert_true(script->action.fetch_most_bytes > 0);
	pass_time(script, 100);
	script_send(
	        script, (struct event){.kind = EVENT_FETCHED, .status = status, .text = text, .bytes = strlen(text)});
}

static void open_log(struct script *script, const char *mode)
{
	char *with = gr_printf("{'build': " BUILD ", 'device': " DEVICE ", 'mode': '%s'}", mode);

	script_start(script, "install", with);
	gr_free(with);
	answer(script, "{'status': 1, 'msg': 'started', 'response_url': '" LOG_URL "'}");
}

static void it_installs_and_waits_for_the_answer(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "install", WITH(", 'resign': true, 'disable_secure_flag': true"));
	expect_call(&s, OP_APP_BUILD_INSTALL_SYNCHRONOUS,
	        "{'application_token': 'gridlane-secret:app/223', 'version_token': 'gridlane-secret:version/223/481', "
	        "'process_type': "
	        "'oaa', 's_device': 'S26', 'app_build_id': '272', 'is_resign': '1', 'disable_secure_flag': '1'}");
	assert_int_equal(s.action.answer_ms, 900 * SECONDS);
	answer(&s, "{'success': true}");
	expect_done(&s, OUTCOME_PASSED, "{'seconds': 0.1, 'mode': 'sync', 'device_id': '26', 'log_url': null}");
	script_close(&s);
}

/* As long as poll.queue allows: nothing was installed. */
static void a_busy_device_is_waited_for(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "install", WITH(""));
	for (int i = 0; i < 3; i++) {
		expect_call(&s, OP_APP_BUILD_INSTALL_SYNCHRONOUS, "{'app_build_id': '272'}");
		refuse_call(&s, "{'success': false, 'message': 'Device is in use'}");
		expect_wait(&s, 1800, 30000);
		let_time_come(&s);
	}
	answer(&s, "{'success': true}");
	expect_done(&s, OUTCOME_PASSED, "{'mode': 'sync'}");
	script_close(&s);

	script_start(&s, "install", WITH(""));
	for (int i = 0; i < 500 && s.result == 0; i++) {
		refuse_call(&s, "{'success': false, 'message': 'Device is busy'}");
		if (s.result == 0)
			let_time_come(&s);
	}
	expect_failure(&s, GR_QUEUE, "nothing was started");
	script_close(&s);
}

static void assert_not_installed(const char *body, const char *words)
{
	struct script s;

	script_start(&s, "install", WITH(""));
	answer(&s, body);
	expect_failure(&s, GR_INSTALL, words);
	script_close(&s);
}

static void an_answer_that_does_not_say_installed_is_no_success(void **state)
{
	struct script s;

	(void)state;
	assert_not_installed("{'success': true, 'message': 'Application installation failed.'}", "installation failed");
	assert_not_installed("{'status': 1, 'msg': 'App not installed'}", "not installed");
	assert_not_installed("{}", "(no words)");
	assert_not_installed("{'data': []}", "Galaxy S23 (device 26)");
	script_start(&s, "install", WITH(""));
	answer(&s, "{'message': 'Application installed Successfully'}");
	expect_done(&s, OUTCOME_PASSED, "{'mode': 'sync'}");
	script_close(&s);
}

static void a_refusal_names_the_device_and_the_servers_words(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "install", WITH(""));
	refuse_call(&s, "{'success': false, 'message': 'INSTALL_FAILED_OLDER_SDK'}");
	expect_failure(&s, GR_INSTALL, "Galaxy S23 (device 26)");
	expect_text(s.err.text, "INSTALL_FAILED_OLDER_SDK");
	script_close(&s);
	script_start(&s, "install", WITH(""));
	send_answer(&s, CALL_FAILED, NULL);
	expect_failure(&s, GR_NETWORK, "connection reset");
	script_close(&s);
	script_start(&s, "install", WITH(""));
	refuse_auth(&s);
	expect_failure(&s, GR_AUTH, "install build 272");
	script_close(&s);
}

static void async_reads_the_log_until_it_says_success(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "install", WITH(", 'mode': 'async'"));
	expect_call(&s, OP_APP_BUILD_INSTALL, "{'s_device': 'S26'}");
	assert_null(json_object_get(s.action.arguments, "disable_secure_flag"));
	answer(&s, "{'status': 1, 'response_url': '" LOG_URL "'}");
	fetched(&s, 404, "Not found: error");
	expect_wait(&s, 1800, 2200);
	let_time_come(&s);
	fetched(&s, 200, "");
	let_time_come(&s);
	fetched(&s, 200, "Performing Streamed Install\n");
	let_time_come(&s);
	fetched(&s, 200, "Performing Streamed Install\nSuccess\r\n\n");
	expect_done(&s, OUTCOME_PASSED, "{'mode': 'async', 'log_url': '" LOG_URL "'}");
	script_close(&s);
}

static void direct_needs_only_the_ids(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "install", "{'build': 273, 'device': {'id': 26}, 'mode': 'direct', 'resign': true}");
	s.context.app = NULL;
	script_begin(&s);
	expect_call(&s, OP_APP_INSTALL_DIRECT, "{'app_build_id': '273', 'device_id': '26', 'is_resign': '1'}");
	answer(&s, "{'status': true, 'response_url': '" LOG_URL "'}");
	fetched(&s, 200, "SUCCESS");
	expect_done(&s, OUTCOME_PASSED, "{'mode': 'direct', 'device_id': '26'}");
	script_close(&s);
}

static void failure_words_in_the_log_are_a_failure(void **state)
{
	static const char *const logs[] = {"Failure [INSTALL_FAILED_NO_MATCHING_ABIS]", "Error: no space\n",
	        "java.lang.Exception", "Unsuccessful", "pushed: success\ninstall FAILED",
	        "install failed, success unlikely"};
	struct script s;

	(void)state;
	for (size_t i = 0; i < GR_COUNT(logs); i++) {
		open_log(&s, "async");
		fetched(&s, 200, logs[i]);
		expect_failure(&s, GR_INSTALL, "its log ends with");
		assert_string_equal(/* the whole of it becomes a file */
		        json_string_value(json_object_get(json_array_get(s.action.save, 0), "text")), logs[i]);
		script_close(&s);
	}
}

static void success_on_the_way_counts_only_when_the_log_has_come_to_rest(void **state)
{
	struct script s;

	(void)state;
	open_log(&s, "async");
	fetched(&s, 200, "pushed with success\ninstalling");
	let_time_come(&s);
	fetched(&s, 200, "pushed with success\ninstalling ...");
	let_time_come(&s);
	fetched(&s, 200, "pushed with success\ninstalling ...");
	expect_done(&s, OUTCOME_PASSED, "{}");
	script_close(&s);
}

static enum action_kind kind_after_rest(const char *log)
{
	struct script s;
	enum action_kind kind;

	open_log(&s, "async");
	fetched(&s, 200, "Installing ...\n");
	let_time_come(&s);
	fetched(&s, 200, log);
	assert_int_equal(s.action.kind, ACTION_WAIT); /* more may come */
	let_time_come(&s);
	fetched(&s, 200, log);
	kind = s.action.kind;
	script_close(&s);
	return kind;
}

static void other_words_for_installed_count_at_rest_in_the_last_line(void **state)
{
	static const char *const good[] = {
	        "Installing ...\nApp installed.\n", "Installation complete", "INSTALLED", "Install completed\n\n"};
	static const char *const bad[] = {"App is not installed", "Old version uninstalled", "Already installed",
	        "installed 40%", "App installed.\nnow what", "Installation incomplete", "wasn't installed"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(good); i++)
		assert_int_equal(kind_after_rest(good[i]), ACTION_DONE);
	for (size_t i = 0; i < GR_COUNT(bad); i++)
		assert_int_equal(kind_after_rest(bad[i]), ACTION_WAIT);
}

static void a_log_without_a_verdict_is_unknown_never_a_success(void **state)
{
	struct script s;

	(void)state;
	open_log(&s, "async");
	for (int i = 0; i < 500 && s.result == 0; i++) {
		fetched(&s, 200, "waiting");
		if (s.result == 0)
			let_time_come(&s);
	}
	expect_failure(&s, GR_INSTALL, "unknown");
	script_close(&s);
	script_start(&s, "install", WITH(", 'mode': 'async'"));
	answer(&s, "{'status': 1}");
	expect_failure(&s, GR_INSTALL, "names no log");
	script_close(&s);
}

static void a_log_url_that_is_refused_ends_it(void **state)
{
	struct script s;
	struct event event = {.kind = EVENT_FETCHED, .text = ""};

	(void)state;
	(void)gr_fail(&event.error, GR_PROTOCOL, 0, "host is not allowed");
	open_log(&s, "async");
	script_send(&s, event);
	expect_failure(&s, GR_INSTALL, "host is not allowed");
	script_close(&s);
}

static void missing_facts_are_looked_up(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "install", "{'build': 272, 'device': {'id': 26}}");
	expect_call(&s, OP_GET_DEVICE_LIST, "{}");
	answer(&s, "{'success': true, 'data': [{'device_id': 26, 's_device': 'S26', 'device_type': '1'}]}");
	expect_call(&s, OP_GET_BUILD_INFO, "{'app_build_id': '272'}");
	answer(&s, "{'success': true, 'data': {'app_id': '7', 'version_id': '8'}}");
	expect_call(&s, OP_APP_BUILD_INSTALL_SYNCHRONOUS,
	        "{'application_token': 'gridlane-secret:app/7', 'version_token': 'gridlane-secret:version/7/8', "
	        "'process_type': 'oia'}");
	script_close(&s);
	script_start(&s, "install", "{'build': " BUILD ", 'device': {'id': 26}}");
	answer(&s, "{'success': true, 'data': [{'device_id': 26, 'UDID': 'R58', 'device_type': '2'}]}");
	expect_call(&s, OP_GET_DEVICE_DETAILS, "{'device_id': '26', 'udid': 'R58'}");
	answer(&s, "{'status': 1, 'data': {'device_id': 26, 's_device': 'S26'}}");
	expect_call(&s, OP_APP_BUILD_INSTALL_SYNCHRONOUS, "{'s_device': 'S26', 'process_type': 'oaa'}");
	script_close(&s);
	script_start(&s, "install", "{'build': " BUILD ", 'device': {'id': 26}}");
	answer(&s, "{'success': true, 'data': [{'device_id': 26, 'device_type': '2'}]}");
	answer(&s, "{'status': 1, 'data': {'device_id': 27, 's_device': 'S27'}}");
	expect_failure(&s, GR_PROTOCOL, "s_device of device 26");
	script_close(&s);
	script_start(&s, "install", "{'build': 272, 'device': {'id': 27}}");
	answer(&s, "{'success': true, 'data': [{'device_id': 26, 's_device': 'S26'}]}");
	expect_failure(&s, GR_CONFIG, "'27'");
	script_close(&s);
	script_start(&s, "install", "{'build': 272, 'device': " DEVICE "}");
	answer(&s, "{'success': true, 'data': {'app_build_id': '272'}}");
	expect_failure(&s, GR_CONFIG, "direct");
	script_close(&s);
}

static void a_resumed_install_goes_on_with_its_log(void **state)
{
	struct script s;

	(void)state;
	open_log(&s, "async");
	script_restart(&s);
	fetched(&s, 200, "Success");
	expect_done(&s, OUTCOME_PASSED, "{}");
	script_close(&s);
}

static void it_stops_when_told(void **state)
{
	struct script s;

	(void)state;
	open_log(&s, "async");
	stop_script(&s, GR_DEADLINE);
	expect_done(&s, OUTCOME_ERROR, "{}");
	script_close(&s);
	script_start(&s, "install", WITH(""));
	stop_script(&s, GR_CANCELLED);
	expect_done(&s, OUTCOME_CANCELLED, "{}");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_installs_and_waits_for_the_answer),
	        cmocka_unit_test(a_busy_device_is_waited_for),
	        cmocka_unit_test(an_answer_that_does_not_say_installed_is_no_success),
	        cmocka_unit_test(a_refusal_names_the_device_and_the_servers_words),
	        cmocka_unit_test(async_reads_the_log_until_it_says_success),
	        cmocka_unit_test(direct_needs_only_the_ids),
	        cmocka_unit_test(failure_words_in_the_log_are_a_failure),
	        cmocka_unit_test(success_on_the_way_counts_only_when_the_log_has_come_to_rest),
	        cmocka_unit_test(other_words_for_installed_count_at_rest_in_the_last_line),
	        cmocka_unit_test(a_log_without_a_verdict_is_unknown_never_a_success),
	        cmocka_unit_test(a_log_url_that_is_refused_ends_it),
	        cmocka_unit_test(missing_facts_are_looked_up),
	        cmocka_unit_test(a_resumed_install_goes_on_with_its_log),
	        cmocka_unit_test(it_stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
