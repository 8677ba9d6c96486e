#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/results/event.h"

static void apply(struct results *results, const struct run_event *event)
{
	struct gr_error err = {0};

	if (results_apply(results, event, &err) < 0)
		fail_msg("%s", err.text);
}

static void apply_with(struct results *results, struct run_event event, json_t *detail)
{
	event.detail = detail;
	apply(results, &event);
	json_decref(detail);
}

static void it_knows_every_kind_by_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = RUN_STARTED; i <= RUN_JUDGED; i++) {
		assert_non_null(run_event_name((enum run_event_kind)i));
		for (int j = RUN_STARTED; j < i; j++)
			assert_string_not_equal(
			        run_event_name((enum run_event_kind)i), run_event_name((enum run_event_kind)j));
	}
}

static void it_builds_the_run_and_its_steps(void **state)
{
	struct results results = {0};

	(void)state;
	apply_with(&results, (struct run_event){.kind = RUN_STARTED, .text = "shop", .now_ms = 50, .wall_ms = 1000},
	        json_pack(
	                "{s:s, s:s, s:b, s:b}", "run_id", "r1", "server", "https://t", "sandbox", 1, "test_steps", 1));
	apply_with(&results, (struct run_event){.kind = LANE_STARTED, .lane = "phones/0"},
	        json_pack("{s:s}", "device", "x"));
	apply_with(&results,
	        (struct run_event){.kind = STEP_STARTED,
	                .lane = "phones/0",
	                .step = "regression",
	                .text = "app_build_run",
	                .wall_ms = 1500},
	        json_pack("{s:s, s:b, s:b, s:b}", "name", "Nightly", "runs_tests", 1, "best_effort", 0, "may_continue",
	                1));
	assert_int_equal(results.steps[0].outcome, OUTCOME_NOT_RUN); /* until its end */
	assert_int_equal(results.lanes[0].outcome, OUTCOME_NOT_RUN);
	apply(&results, &(struct run_event){.kind = STEP_REPEAT, .lane = "phones/0", .step = "regression"});
	apply_with(&results,
	        (struct run_event){.kind = STEP_ENDED,
	                .lane = "phones/0",
	                .step = "regression",
	                .outcome = OUTCOME_FAILED,
	                .failure = GR_FAILED,
	                .text = "2 tests failed",
	                .done = 700,
	                .total = 9,
	                .now_ms = 2050,
	                .wall_ms = 9},
	        json_pack("{s:i}", "failed", 2));
	apply(&results, &(struct run_event){.kind = LANE_ENDED, .lane = "phones/0", .outcome = OUTCOME_FAILED});
	apply(&results, &(struct run_event){.kind = RUN_CANCELLED, .done = SIGTERM});

	assert_string_equal(results.pipeline, "shop");
	assert_string_equal(results.run_id, "r1");
	assert_true(results.is_sandbox && results.has_test_steps);
	assert_int_equal(results.step_count, 1);
	assert_string_equal(results.steps[0].name, "Nightly");
	assert_string_equal(results.steps[0].kind, "app_build_run");
	assert_true(results.steps[0].runs_tests && results.steps[0].may_continue && !results.steps[0].is_best_effort);
	assert_int_equal(results.steps[0].outcome, OUTCOME_FAILED);
	assert_string_equal(results.steps[0].message, "2 tests failed");
	assert_int_equal(results.steps[0].elapsed_ms, 700);
	assert_int_equal(json_integer_value(json_object_get(results.steps[0].outputs, "failed")), 2);
	assert_int_equal(results.requests, 9);
	assert_int_equal(results.repeats, 1);
	assert_int_equal(results.lanes[0].outcome, OUTCOME_FAILED);
	assert_int_equal(results.signal_number, SIGTERM);
	assert_int_equal(results.elapsed_ms, 2000); /* by the clock that nobody sets */
	results_release(&results);
}

static void it_counts_the_requests_of_a_step_that_ended_twice_once(void **state)
{
	struct results results = {0};

	(void)state;
	for (int i = 0; i < 2; i++)
		apply(&results, &(struct run_event){.kind = STEP_ENDED, .lane = "main", .step = "a", .total = 5 + i});
	assert_int_equal(results.requests, 6);
	assert_int_equal(results.step_count, 1);
	results_release(&results);
}

static void it_knows_steps_that_never_began(void **state)
{
	struct results results = {0};

	(void)state;
	apply(&results, &(struct run_event){.kind = STEP_ENDED,
	                        .lane = "main",
	                        .step = "a",
	                        .outcome = OUTCOME_SKIPPED,
	                        .text = "its `if` is false"});
	apply(&results, &(struct run_event){.kind = STEP_STARTED, .lane = "main", .step = "b", .text = "install"});
	assert_int_equal(results.steps[0].outcome, OUTCOME_SKIPPED);
	assert_int_equal(results.steps[1].outcome, OUTCOME_NOT_RUN);
	results_release(&results);
}

static void send_run(struct results *results, const char *device, const char *number, bool complete, unsigned polls)
{
	struct device_run run = {.is_complete = complete, .polls = polls, .lag_most_ms = 10 * polls};

	run.device.device_id = gr_strdup(device);
	run.build_number = gr_strdup(number);
	device_run_add_case(&run)->name = gr_strdup("logs in");
	apply(results, &(struct run_event){.kind = RUN_DEVICE_RESULT, .lane = "main", .step = "s", .device_run = &run});
	device_run_release(&run);
}

static void it_replaces_a_partial_device_result_by_the_whole_one(void **state)
{
	struct results results = {0};

	(void)state;
	send_run(&results, "3", NULL, false, 1);
	send_run(&results, "3", "12", false, 3);
	send_run(&results, "3", "12", true, 7);
	send_run(&results, "4", "12", true, 2);
	send_run(&results, "3", "13", true, 1); /* another build is another run */
	assert_int_equal(results.run_count, 3);
	assert_true(results.runs[0].is_complete);
	assert_string_equal(results.runs[0].lane, "main");
	assert_string_equal(results.runs[0].step, "s");
	assert_int_equal(results.runs[0].case_count, 1);
	assert_int_equal(results.polls, 10);
	assert_int_equal(results.lag_most_ms, 70);
	results_release(&results);
}

static void it_follows_what_is_held(void **state)
{
	struct results results = {0};

	(void)state;
	apply_with(&results, (struct run_event){.kind = RUN_RESOURCE_HELD, .text = "device 3"},
	        json_pack("{s:s}", "key", "r/3"));
	assert_false(results.held[0].is_released);
	apply_with(&results,
	        (struct run_event){.kind = RUN_RESOURCE_RELEASED, .text = "device 3", .outcome = OUTCOME_ERROR},
	        json_pack("{s:s, s:s}", "key", "r/3", "message", "no answer"));
	assert_false(results.held[0].is_released);
	assert_string_equal(results.held[0].message, "no answer");
	apply_with(&results,
	        (struct run_event){.kind = RUN_RESOURCE_RELEASED, .text = "device 3", .outcome = OUTCOME_PASSED},
	        json_pack("{s:s}", "key", "r/3"));
	assert_true(results.held[0].is_released);
	assert_null(results.held[0].message);
	assert_int_equal(results.held_count, 1);
	results_release(&results);
}

static void it_keeps_problems_artifacts_and_rules(void **state)
{
	struct results results = {0};
	struct artifact artifact = {.path = gr_strdup("a/b.log"), .bytes = 3};
	struct gate_rule rule = {.text = gr_strdup("x == 1"), .holds = true, .line = 4};

	(void)state;
	apply_with(&results,
	        (struct run_event){.kind = RUN_PROBLEM, .failure = GR_DEVICE, .lane = "l", .step = "s", .text = "gone"},
	        json_pack("{s:s}", "device", "Pixel"));
	apply(&results, &(struct run_event){.kind = RUN_PROBLEM, .failure = GR_SERVER, .done = 1});
	apply(&results, &(struct run_event){.kind = RUN_ARTIFACT, .artifact = &artifact});
	artifact.bytes = 5;
	apply(&results, &(struct run_event){.kind = RUN_ARTIFACT, .artifact = &artifact});
	apply(&results, &(struct run_event){.kind = RUN_GATE_RULE, .rule = &rule});
	rule.holds = false;
	apply(&results, &(struct run_event){.kind = RUN_GATE_RULE, .rule = &rule});
	assert_string_equal(results.problems[0].device, "Pixel");
	assert_false(results.problems[0].is_warning);
	assert_true(results.problems[1].is_warning);
	assert_string_equal(results.problems[1].message, failure_words(GR_SERVER));
	assert_int_equal(results.artifact_count, 1);
	assert_int_equal(results.artifacts[0].bytes, 5);
	assert_int_equal(results.rule_count, 1);
	assert_false(results.rules[0].holds);
	gr_free(artifact.path);
	gr_free(rule.text);
	results_release(&results);
}

static void it_refuses_events_without_what_they_need(void **state)
{
	static const enum run_event_kind kinds[] = {
	        RUN_RESOURCE_HELD, RUN_RESOURCE_RELEASED, RUN_DEVICE_RESULT, RUN_ARTIFACT, RUN_GATE_RULE};
	struct results results = {0};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(kinds); i++) {
		struct gr_error err = {0};

		assert_int_equal(results_apply(&results, &(struct run_event){.kind = kinds[i]}, &err), -GR_INTERNAL);
		assert_non_null(strstr(err.text, run_event_name(kinds[i])));
	}
	results_release(&results);
}

static void it_writes_events_as_json(void **state)
{
	struct device_run run = {.is_complete = true, .failure = GR_FAILED};
	struct run_event event = {
	        .kind = RUN_DEVICE_RESULT, .lane = "l\xff", .step = "s", .now_ms = 5, .wall_ms = 6, .device_run = &run};
	json_t *json, *numbers;

	(void)state;
	device_run_add_case(&run)->status = STATUS_FAILED;
	json = run_event_to_json(&event);
	numbers = json_object_get(json, "device_run");
	assert_string_equal(json_string_value(json_object_get(json, "event")), "device_result");
	assert_string_equal(json_string_value(json_object_get(json, "lane")), "l\xEF\xBF\xBD");
	assert_int_equal(json_integer_value(json_object_get(json, "wall_ms")), 6);
	assert_int_equal(json_integer_value(json_object_get(numbers, "failed")), 1);
	assert_true(json_is_true(json_object_get(numbers, "complete")));
	assert_null(json_object_get(json, "outcome"));
	json_decref(json);
	device_run_release(&run);

	json = run_event_to_json(
	        &(struct run_event){.kind = STEP_ENDED, .outcome = OUTCOME_ERROR, .failure = GR_STALL, .done = 7});
	assert_string_equal(json_string_value(json_object_get(json, "outcome")), "error");
	assert_string_equal(json_string_value(json_object_get(json, "failure")), "timeout.stall");
	assert_int_equal(json_integer_value(json_object_get(json, "done")), 7);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_knows_every_kind_by_a_name_of_its_own),
	        cmocka_unit_test(it_builds_the_run_and_its_steps),
	        cmocka_unit_test(it_counts_the_requests_of_a_step_that_ended_twice_once),
	        cmocka_unit_test(it_knows_steps_that_never_began),
	        cmocka_unit_test(it_replaces_a_partial_device_result_by_the_whole_one),
	        cmocka_unit_test(it_follows_what_is_held),
	        cmocka_unit_test(it_keeps_problems_artifacts_and_rules),
	        cmocka_unit_test(it_refuses_events_without_what_they_need),
	        cmocka_unit_test(it_writes_events_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
