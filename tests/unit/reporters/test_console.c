#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

#include "tests/unit/reporters/stage.h"

static void it_prints_one_line_a_change_with_its_lane_in_front(void **state)
{
	struct stage stage;
	GR_AUTO_FREE char *text = NULL;
	struct gate_rule rule = {.text = gr_strdup("results.failed == 0"), .values = gr_strdup("results.failed = 1")};

	(void)state;
	stage_open(&stage, 0, NULL);
	say(&stage, (struct run_event){.kind = RUN_STARTED, .text = "shop"});
	say(&stage, (struct run_event){.kind = STEP_STARTED, LANE, .text = "app_build_run"});
	say(&stage, (struct run_event){
	                    .kind = STEP_PROGRESS, LANE, .text = "12/40 tests, 1 failed", .done = 12, .total = 40});
	say(&stage, (struct run_event){.kind = STEP_REPEAT, LANE, .text = "HTTP 503, in 2s"});
	say(&stage, (struct run_event){.kind = STEP_OUTPUT, LANE, .text = "::error::from a command"});
	say(&stage, (struct run_event){.kind = STEP_ENDED,
	                    LANE,
	                    .outcome = OUTCOME_FAILED,
	                    .failure = GR_FAILED,
	                    .text = "1 test failed",
	                    .done = 12300});
	say(&stage,
	        (struct run_event){.kind = STEP_ENDED, LANE, .outcome = OUTCOME_SKIPPED, .text = "its `if` is false"});
	say(&stage, (struct run_event){.kind = RUN_RESOURCE_HELD, .text = "device 'Galaxy S21'"});
	say(&stage, (struct run_event){
	                    .kind = RUN_RESOURCE_RELEASED, .text = "device 'Galaxy S21'", .outcome = OUTCOME_ERROR});
	say(&stage, (struct run_event){.kind = RUN_PROBLEM, .failure = GR_DEVICE, LANE, .text = "offline"});
	say(&stage, (struct run_event){.kind = RUN_PROBLEM, .failure = GR_SERVER, .text = "odd", .done = 1});
	say(&stage, (struct run_event){.kind = RUN_GATE_RULE, .rule = &rule});
	say(&stage, (struct run_event){.kind = RUN_CANCELLED, .done = SIGTERM, .text = "SIGTERM"});
	say(&stage, (struct run_event){.kind = STEP_LEARNED, LANE});
	text = stage_close(&stage);
	assert_string_equal(text, "run 'shop'\n"
	                          "[phones/0 Galaxy S21] regression: started app_build_run\n"
	                          "[phones/0 Galaxy S21] regression: 12/40 tests, 1 failed\n"
	                          "[phones/0 Galaxy S21] regression: again: HTTP 503, in 2s\n"
	                          "[phones/0 Galaxy S21] regression | ::error::from a command\n"
	                          "[phones/0 Galaxy S21] regression: FAILED in 12.3s (failed): 1 test failed\n"
	                          "[phones/0 Galaxy S21] regression: skipped: its `if` is false\n"
	                          "run: holding device 'Galaxy S21'\n"
	                          "run: could not give back device 'Galaxy S21'\n"
	                          "[phones/0 Galaxy S21] regression: problem (device_offline): offline\n"
	                          "run: warning: odd\n"
	                          "gate: does not hold: results.failed == 0 (results.failed = 1)\n"
	                          "run: SIGTERM: stopping, giving back what is held, writing reports (a second signal "
	                          "would not wait for it)\n");
	gr_free(rule.text);
	gr_free(rule.values);
}

static void count(struct stage *stage, const char *text, int64_t done, int64_t now_ms)
{
	say(stage, (struct run_event){
	                   .kind = STEP_PROGRESS, LANE, .text = text, .done = done, .total = 40, .now_ms = now_ms});
}

static void it_counts_tests_at_failures_and_now_and_then(void **state)
{
	struct stage stage;
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	stage_open(&stage, 0, NULL);
	say(&stage, (struct run_event){.kind = STEP_STARTED, LANE, .text = "app_build_run", .now_ms = 1000});
	count(&stage, "build 6: 0/40 tests, 0 failed", 0, 2000);
	count(&stage, "build 6: 1/40 tests, 0 failed", 1, 3000);
	count(&stage, "build 6: 2/40 tests, 1 failed", 2, 4000);
	count(&stage, "build 6: 3/40 tests, 1 failed", 3, 5000);
	count(&stage, "build 6: 9/40 tests, 1 failed", 9, 34000);
	count(&stage, "build 6: 40/40 tests, 1 failed", 40, 35000);
	text = stage_close(&stage);
	assert_string_equal(text, "[phones/0 Galaxy S21] regression: started app_build_run\n"
	                          "[phones/0 Galaxy S21] regression: build 6: 0/40 tests, 0 failed\n"
	                          "[phones/0 Galaxy S21] regression: build 6: 2/40 tests, 1 failed\n"
	                          "[phones/0 Galaxy S21] regression: build 6: 9/40 tests, 1 failed\n");
}

static void it_ends_with_the_verdict_the_cause_and_the_reports(void **state)
{
	struct stage stage;
	struct results results;
	GR_AUTO_FREE char *text = NULL;
	const char *last;

	(void)state;
	sample_fill(&results);
	stage_open(&stage, CONSOLE_QUIET, NULL);
	say(&stage, (struct run_event){.kind = STEP_STARTED, LANE, .text = "app_build_run"});
	say(&stage, (struct run_event){.kind = RUN_NOTE, .text = "junit     gridlane-out/r1/junit.xml"});
	say(&stage, (struct run_event){.kind = RUN_PROBLEM, .failure = GR_DISK, .text = "html could not be written"});
	say(&stage, (struct run_event){.kind = RUN_JUDGED, .results = &results});
	results_release(&results); /* borrowed for the event alone */
	text = stage_close(&stage);
	expect_none(text, "started");
	expect(text, "Pixel 7");
	expect(text, "failed: pays by card on 'Pixel 7': expected 10.00 but was 9.99\n");
	expect(text, "no result: never ran on 'Pixel 7' (not_run)\n");
	expect(text, "problem (inconsistent): a test vanished\n");
	expect(text, "problem (network): connection refused\n");
	expect(text, "problem: html could not be written\n");
	expect(text, "warning: the counts differ\n");
	last = strstr(text,
	        "FAILED (exit status 1): 5 tests in 1 device run: 2 passed, 1 failed, 1 skipped, 1 without a result");
	assert_non_null(last);
	last = strchr(last, '\n') + 1;
	assert_int_equal(strncmp(last, "first cause: ", 13), 0);
	assert_string_equal(strchr(last, '\n') + 1, "junit     gridlane-out/r1/junit.xml\n");
}

static void it_makes_every_text_one_harmless_line(void **state)
{
	struct stage stage;
	struct results results = {.pipeline = gr_strdup(HOSTILE)};
	struct device_run *run = sample_run(&results, HOSTILE, HOSTILE);
	GR_AUTO_FREE char *text = NULL;
	size_t lines = 0;

	(void)state;
	(void)sample_case(run, HOSTILE, STATUS_FAILED, HOSTILE);
	device_run_add_problem(run, GR_STALL, "%s", HOSTILE);
	results_judge(&results);
	stage_open(&stage, CONSOLE_VERBOSE, NULL);
	for (int kind = RUN_STARTED; kind < RUN_JUDGED; kind++)
		say(&stage,
		        (struct run_event){
		                .kind = (enum run_event_kind)kind, .lane = HOSTILE, .step = HOSTILE, .text = HOSTILE});
	say(&stage, (struct run_event){.kind = RUN_JUDGED, .results = &results});
	text = stage_close(&stage);
	assert_null(strpbrk(text, "\x1b\r\x01\x7f"));
	expect_none(text, "##[");
	expect_none(text, "\xe2\x80\xae");
	for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
		*end = '\0';
		assert_true(strncmp(line + strspn(line, " "), "::", 2) != 0);
		assert_true(strlen(line) < 4200);
	}
	assert_true(lines > 15);
	results_release(&results);
}

static void it_prints_no_secret(void **state)
{
	struct redactor *redactor = redactor_new();
	struct stage stage;
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_JSON json_t *detail = json_pack("{s:s}", "url", "https://x/?token=tok-SECRET-1");

	(void)state;
	(void)redactor_add(redactor, "tok-SECRET-1");
	stage_open(&stage, CONSOLE_VERBOSE, redactor);
	say(&stage, (struct run_event){.kind = STEP_OUTPUT, LANE, .text = "echo tok-SECRET-1"});
	say(&stage, (struct run_event){.kind = STEP_OUTPUT, LANE, .text = "echo tok-\x1b[1mSECRET-1"});
	say(&stage, (struct run_event){.kind = STEP_LEARNED, LANE, .detail = detail});
	say(&stage, (struct run_event){.kind = RUN_NOTE, .text = "tok-SECRET-1"});
	text = stage_close(&stage);
	expect_none(text, "SECRET");
	expect(text, "step_learned");
	redactor_free(redactor);
}

static void it_gives_a_sign_of_life_after_a_silent_minute(void **state)
{
	struct stage stage;
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_FREE char *early = NULL;

	(void)state;
	stage_open(&stage, 0, NULL);
	say(&stage, (struct run_event){.kind = RUN_STARTED, .text = "shop", .now_ms = 2000});
	say(&stage, (struct run_event){.kind = STEP_STARTED, LANE, .text = "app_build_run", .now_ms = 1000});
	say(&stage, (struct run_event){
	                    .kind = STEP_PROGRESS, LANE, .text = "3/40 tests", .done = 3, .total = 40, .now_ms = 2000});
	console_tick(&stage.reader, 61999);
	early = heard(&stage);
	expect_none(early, "still");
	console_tick(&stage.reader, 62000);
	console_tick(&stage.reader, 62100); /* not again before another minute */
	text = stage_close(&stage);
	expect(text, "run: still at it after 1m00s: [phones/0 Galaxy S21] regression, 3/40 tests for 1m01s\n");
	assert_null(strstr(strstr(text, "still") + 1, "still"));
}

static void it_stamps_and_colours_lines_when_asked(void **state)
{
	struct stage stage;
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	stage_open(&stage, CONSOLE_TIMESTAMPS | CONSOLE_COLOR, NULL);
	say(&stage,
	        (struct run_event){
	                .kind = STEP_ENDED, LANE, .outcome = OUTCOME_PASSED, .done = 1000, .wall_ms = 1772360130000});
	text = stage_close(&stage);
	expect(text, "2026-03-01T10:15:30.000Z \x1b[32m[phones/0 Galaxy S21] regression: passed in");
	expect(text, "\x1b[0m\n");
}

static void it_says_nothing_when_quiet_before_the_end(void **state)
{
	struct stage stage;
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	stage_open(&stage, CONSOLE_QUIET | CONSOLE_LIVE, NULL);
	say(&stage, (struct run_event){.kind = STEP_STARTED, LANE, .text = "install", .now_ms = 1});
	console_tick(&stage.reader, 999999);
	text = stage_close(&stage);
	assert_string_equal(text, "");
}

static void it_says_now_and_then_how_far_a_file_is_in_a_log(void **state)
{
	struct run_event move = {.kind = STEP_MOVED, LANE, .text = "app.apk", .total = -1};
	GR_AUTO_FREE char *text = NULL;
	struct stage stage;

	(void)state;
	stage_open(&stage, 0, NULL);
	for (move.now_ms = 1000; move.now_ms <= 36000; move.now_ms += 1000, move.done += 1 << 20)
		say(&stage, move);
	text = stage_close(&stage);
	assert_string_equal(text, "[phones/0 Galaxy S21] regression: transfer: 1.0 MiB/s, 15.0 MiB of app.apk\n"
	                          "[phones/0 Galaxy S21] regression: transfer: 1.0 MiB/s, 30.0 MiB of app.apk\n");
}

static void it_takes_a_closed_output_calmly(void **state)
{
	struct stage stage;
	int ends[2];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	assert_int_equal(console_open(ends[1], 0, NULL, &stage.reader, NULL), 0);
	for (int i = 0; i < 3; i++)
		say(&stage, (struct run_event){.kind = STEP_STARTED, LANE, .text = "install"});
	assert_int_equal(stage.reader.close(stage.reader.state, NULL), 0);
	(void)close(ends[1]);
	(void)signal(SIGPIPE, SIG_DFL);
}

static void it_has_no_end_to_tell_when_it_was_never_judged(void **state)
{
	struct stage stage;
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	stage_open(&stage, CONSOLE_LIVE, NULL);
	console_tick(&stage.reader, 5);
	say(&stage, (struct run_event){.kind = RUN_JUDGED});
	text = stage_close(&stage);
	assert_string_equal(text, "");
	assert_int_equal(console_open(-1, 0, NULL, &stage.reader, NULL), -GR_INTERNAL);
}

/* ---- the log of events ---- */

static void it_logs_one_json_object_a_line_without_secrets(void **state)
{
	struct redactor *redactor = redactor_new();
	struct folder folder;
	struct event_reader reader;
	struct gr_error err = {0};
	GR_AUTO_JSON json_t *detail = json_pack("{s:[s], s:s}", "list", "a tok-SECRET-1 b", "tok-SECRET-1", "x");
	struct run_event event = {
	        .kind = STEP_ENDED, .lane = HOSTILE, .step = "s", .text = "tok-SECRET-1", .detail = detail};
	GR_AUTO_FREE char *text = NULL;
	size_t lines = 0;

	(void)state;
	(void)redactor_add(redactor, "tok-SECRET-1");
	(void)redactor_add(redactor, "passed");
	folder_make(&folder);
	assert_int_equal(
	        event_log_open(openat(folder.handle, "events", O_CREAT | O_WRONLY, 0600), redactor, &reader, &err), 0);
	assert_int_equal(reader.event(reader.state, &event, &err), 0);
	assert_int_equal(reader.event(reader.state, &event, &err), 0);
	assert_int_equal(reader.close(reader.state, &err), 0);
	text = folder_read(&folder, "events", NULL);
	expect_none(text, "SECRET");
	for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
		json_t *json;

		*end = '\0';
		json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		assert_string_equal(json_string_value(json_object_get(json, "event")), "step_ended");
		assert_string_equal(json_string_value(json_object_get(json, "outcome")), "passed"); /* a word of ours */
		assert_string_equal(
		        json_string_value(json_array_get(json_object_get(json_object_get(json, "detail"), "list"), 0)),
		        "a *** b");
		json_decref(json);
	}
	assert_int_equal(lines, 2);
	assert_string_equal(
	        json_string_value(json_object_get(detail, "tok-SECRET-1")), "x"); /* the event's own is left alone */
	folder_remove(&folder);
	redactor_free(redactor);
}

static void it_says_when_the_log_of_events_is_full(void **state)
{
	struct event_reader reader;
	struct run_event event = {.kind = RUN_NOTE, .text = "x"};
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(event_log_open(open("/dev/full", O_WRONLY), NULL, &reader, &err), 0);
	assert_int_equal(reader.event(reader.state, &event, &err), -GR_DISK);
	assert_int_equal(reader.close(reader.state, &err), -GR_DISK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_prints_one_line_a_change_with_its_lane_in_front),
	        cmocka_unit_test(it_counts_tests_at_failures_and_now_and_then),
	        cmocka_unit_test(it_ends_with_the_verdict_the_cause_and_the_reports),
	        cmocka_unit_test(it_makes_every_text_one_harmless_line),
	        cmocka_unit_test(it_prints_no_secret),
	        cmocka_unit_test(it_gives_a_sign_of_life_after_a_silent_minute),
	        cmocka_unit_test(it_stamps_and_colours_lines_when_asked),
	        cmocka_unit_test(it_says_nothing_when_quiet_before_the_end),
	        cmocka_unit_test(it_says_now_and_then_how_far_a_file_is_in_a_log),
	        cmocka_unit_test(it_takes_a_closed_output_calmly),
	        cmocka_unit_test(it_has_no_end_to_tell_when_it_was_never_judged),
	        cmocka_unit_test(it_logs_one_json_object_a_line_without_secrets),
	        cmocka_unit_test(it_says_when_the_log_of_events_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
