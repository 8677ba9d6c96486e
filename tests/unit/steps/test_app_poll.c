#include "app_script.h"

static void it_ends_when_queued_too_long(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 500 && s.action.kind != ACTION_DONE; i++) {
		answer(&s, QUEUED("770", OURS));
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
	}
	expect_problem(&s, GR_QUEUE, "still queued after");
	expect_problem(&s, GR_QUEUE, "build 770 (" OURS ") keeps running");
	script_close(&s);
}

static void it_notes_how_long_it_was_queued(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, QUEUED("770", OURS));
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "1", "3", PASS("a")));
	expect_done(&s, OUTCOME_PASSED, "{}");
	assert_in_range(s.action.device_run->queued_ms, 2000, 2500);
	script_close(&s);
}

/* By earlier runs, it ends about a minute after it left the queue. */
static void it_looks_when_earlier_runs_ended(void **state)
{
	static const int64_t looks[] = {58 * SECONDS, 61 * SECONDS};
	struct script s;
	int64_t began;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	s.context.poll.looks_ms = looks;
	s.context.poll.look_count = GR_COUNT(looks);
	answer(&s, QUEUED("770", OURS));
	assert_in_range(s.action.until_ms - s.now_ms, 1000, 3000);
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "0", "1", CASE("a", "1")));
	began = s.now_ms;
	assert_in_range(s.action.until_ms - began, 57 * SECONDS, 59 * SECONDS);
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "0", "1", CASE("a", "1")));
	assert_in_range(s.action.until_ms - began, 60 * SECONDS, 62 * SECONDS);
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "0", "1", CASE("a", "1"))); /* longer than any before */
	assert_in_range(s.action.until_ms - s.now_ms, 1000, 4000);
	script_close(&s);
}

/* The server says no times: what ended between two looks shares the time between them. */
static void it_times_tests_by_its_looks(void **state)
{
	struct script s;
	const struct device_run *run;
	int64_t looks[3];

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("early") ", " CASE("a", "1") ", " CASE("b", "0")));
	looks[0] = s.now_ms;
	let_time_come(&s);
	answer(&s,
	        DETAILS("770", OURS, "0", "1", PASS("early") ", " PASS("a") ", " CASE("b", "1") ", " CASE("c", "0")));
	looks[1] = s.now_ms;
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "1", "3", PASS("early") ", " PASS("a") ", " PASS("b") ", " PASS("c")));
	looks[2] = s.now_ms;
	expect_done(&s, OUTCOME_PASSED, "{}");
	run = s.action.device_run;
	assert_int_equal(run->case_count, 4);
	assert_int_equal(run->cases[0].time_ms, TIME_UNKNOWN); /* before the first look */
	assert_int_equal(run->cases[1].time_ms, looks[1] - looks[0]);
	assert_int_equal(run->cases[2].time_ms, (looks[2] - looks[1]) / 2);
	assert_int_equal(run->cases[3].time_ms, (looks[2] - looks[1]) / 2);
	script_close(&s);
}

/* "Completed" that has to be said twice is asked for again soon, not when the next run might end. */
static void it_confirms_an_end_at_once(void **state)
{
	static const int64_t looks[] = {10 * SECONDS, 10 * MINUTES};
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	s.context.poll.looks_ms = looks;
	s.context.poll.look_count = GR_COUNT(looks);
	answer(&s, DETAILS("770", OURS, "0", "1", CASE("a", "1")));
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "1", "3", CASE("a", "1")));
	assert_int_equal(s.action.kind, ACTION_WAIT);
	assert_in_range(s.action.until_ms - s.now_ms, 1000, 4000);
	script_close(&s);
}

static void it_ends_when_nothing_changes(void **state)
{
	struct script s;
	int64_t began = 0;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	began = s.now_ms;
	for (int i = 0; i < 500 && s.action.kind != ACTION_DONE; i++) {
		answer(&s, DETAILS("770", OURS, "0", "1", PASS("a") ", " CASE("b", "1") ", " CASE("c", "0")));
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
	}
	expect_problem(&s, GR_STALL, "poll.stall");
	assert_in_range(s.now_ms - began, 10 * MINUTES, 11 * MINUTES);
	expect_case(&s, "a", STATUS_PASSED, GR_NONE);
	expect_case(&s, "b", STATUS_ERROR, GR_STALL);
	expect_case(&s, "c", STATUS_ERROR, GR_STALL);
	script_close(&s);
}

static void it_ends_at_its_own_time_limit(void **state)
{
	struct script s;

	(void)state;
	script_open(&s, "app_build_run", WITH(""));
	s.context.poll.timeout_ms = 5 * SECONDS;
	script_begin(&s);
	answer(&s, LIST_BEFORE);
	answer(&s, STARTED);
	for (int i = 0; i < 20 && s.action.kind != ACTION_DONE; i++) {
		answer(&s, DETAILS("770", OURS, "0", "1", CASE("b", "1")));
		if (s.action.kind == ACTION_WAIT)
			let_time_come(&s);
	}
	expect_problem(&s, GR_DEADLINE, "poll.timeout");
	script_close(&s);
}

static void it_lives_through_an_outage_and_gives_up_at_the_stall_limit(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a")));
	for (int i = 0; i < 5; i++) {
		let_time_come(&s);
		send_answer(&s, CALL_FAILED, NULL);
	}
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a") ", " CASE("b", "1")));
	for (int i = 0; i < 500 && s.action.kind != ACTION_DONE; i++) {
		let_time_come(&s);
		send_answer(&s, CALL_FAILED, NULL);
	}
	expect_problem(&s, GR_NETWORK, "connection reset");
	script_close(&s);
}

static void it_survives_refusals_up_to_the_stall_limit(void **state)
{
	struct script s;
	int64_t began = 0;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a")));
	for (int i = 0; i < 10; i++) {
		let_time_come(&s);
		refuse_call(&s, "{'status': 0, 'msg': 'Something went wrong'}");
		expect_wait(&s, 0, 20000);
		if (i == 0)
			expect_text(s.action.progress, "Something went wrong");
		else
			assert_null(s.action.progress); /* said once */
	}
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a")));
	began = s.now_ms;
	for (int i = 0; i < 500 && s.action.kind == ACTION_WAIT; i++) {
		let_time_come(&s);
		refuse_call(&s, "{'status': 0, 'msg': 'try later'}");
	}
	expect_problem(&s, GR_SERVER, "try later");
	expect_problem(&s, GR_SERVER, "poll.stall");
	assert_in_range(s.now_ms - began, 10 * MINUTES, 11 * MINUTES);
	expect_case(&s, "a", STATUS_PASSED, GR_NONE);
	script_close(&s);
}

static void a_refused_token_ends_it_at_once(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a")));
	let_time_come(&s);
	refuse_auth(&s);
	expect_problem(&s, GR_AUTH, "build 770");
	script_close(&s);
}

static void polls_slow_down_and_speed_up_again_when_something_moves(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	for (int i = 0; i < 12; i++) {
		answer(&s, DETAILS("770", OURS, "0", "1", CASE("b", "1")));
		if (i < 11)
			let_time_come(&s);
	}
	expect_wait(&s, 13500, 16500);
	let_time_come(&s);
	answer(&s, DETAILS("770", OURS, "0", "1", CASE("b", "2") ", " CASE("c", "1")));
	expect_wait(&s, 1800, 2200);
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_ends_when_queued_too_long),
	        cmocka_unit_test(it_notes_how_long_it_was_queued),
	        cmocka_unit_test(it_looks_when_earlier_runs_ended),
	        cmocka_unit_test(it_confirms_an_end_at_once),
	        cmocka_unit_test(it_times_tests_by_its_looks),
	        cmocka_unit_test(it_ends_when_nothing_changes),
	        cmocka_unit_test(it_ends_at_its_own_time_limit),
	        cmocka_unit_test(it_lives_through_an_outage_and_gives_up_at_the_stall_limit),
	        cmocka_unit_test(it_survives_refusals_up_to_the_stall_limit),
	        cmocka_unit_test(a_refused_token_ends_it_at_once),
	        cmocka_unit_test(polls_slow_down_and_speed_up_again_when_something_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
