#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/results/model.h"

/* A run in one line: what happened in it, as flags, and what must come of it. */
enum happening {
	RAN = 1 << 0, /* a test step that ran, with one device run and one passed case */
	FAILED_CASE = 1 << 1, /* a failed case in it, the step failed */
	ERROR_CASE = 1 << 2, /* a case without a result */
	INCOMPLETE = 1 << 3, /* the device run is not complete */
	STALLED = 1 << 4, /* and a time limit ended it */
	GATE_HOLDS = 1 << 5,
	GATE_BREAKS = 1 << 6,
	COMMAND_FAILED = 1 << 7, /* a `run` step failed */
	CONTINUES = 1 << 8, /* on_failure: continue, of all steps */
	BEST_EFFORT = 1 << 9, /* of all steps */
	HELD = 1 << 10, /* a device is not given back */
	GIVEN_BACK = 1 << 11, /* a device was held and given back */
	NETWORK = 1 << 12, /* a step before could not reach the server */
	USAGE_PROBLEM = 1 << 13,
	WARNING = 1 << 14,
	INTERRUPTED = 1 << 15, /* SIGINT */
	TERMINATED = 1 << 16, /* SIGTERM */
	NO_DEVICE_RUN = 1 << 17, /* a test step without any device run */
	EMPTY_RUN = 1 << 18, /* a complete device run without cases */
	EMPTY_NOT_ALLOWED = 1 << 19,
	ALL_SKIPPED = 1 << 20, /* all cases are skipped */
	STEP_SKIPPED = 1 << 21, /* the test step's own `if` was false */
	NEVER_REACHED = 1 << 22, /* a second test step was not run */
	LATER_NOT_RUN = 1 << 23, /* a step that runs no tests was not run */
	NO_TEST_STEP = 1 << 24, /* only a step that runs no tests, passed */
	NOTHING = 1 << 25, /* nothing at all */
	HIDDEN_FAILURE = 1 << 26, /* a test step says "tests failed", and no case shows it */
	QUEUED_TOO_LONG = 1 << 27,
	DEADLINE_PROBLEM = 1 << 28,
	LANE_ODD = 1 << 29, /* a lane ended as an error, and nothing says why */
	SENT = 1 << 30 /* requests were sent */
};

struct row {
	unsigned long happened;
	enum verdict verdict;
	int exit_status;
	const char *cause; /* must be in the cause; NULL: there is none */
};

static const struct row table[] = {
        /* green, on proof alone */
        {RAN, VERDICT_PASSED, 0, NULL},
        {NO_TEST_STEP, VERDICT_PASSED, 0, NULL},
        {RAN | GATE_HOLDS, VERDICT_PASSED, 0, NULL},
        {RAN | GIVEN_BACK, VERDICT_PASSED, 0, NULL},
        {RAN | WARNING, VERDICT_PASSED, 0, NULL},
        {EMPTY_RUN, VERDICT_PASSED, 0, NULL},
        {RAN | EMPTY_RUN, VERDICT_PASSED, 0, NULL},
        {RAN | STEP_SKIPPED, VERDICT_PASSED, 0, NULL},
        /* never green without evidence */
        {NOTHING, VERDICT_INFRASTRUCTURE, 3, "no step"},
        {NO_DEVICE_RUN, VERDICT_INFRASTRUCTURE, 3, "ran no test on any device"},
        {RAN | NO_DEVICE_RUN, VERDICT_INFRASTRUCTURE, 3, "'empty'"},
        {STEP_SKIPPED, VERDICT_INFRASTRUCTURE, 3, "no test was executed"},
        {ALL_SKIPPED, VERDICT_INFRASTRUCTURE, 3, "no test was executed"},
        {EMPTY_RUN | EMPTY_NOT_ALLOWED, VERDICT_INFRASTRUCTURE, 3, "never ran"},
        {RAN | ERROR_CASE, VERDICT_INFRASTRUCTURE, 3, "'lost'"},
        {RAN | INCOMPLETE, VERDICT_INFRASTRUCTURE, 3, "Galaxy S21"},
        {RAN | NEVER_REACHED, VERDICT_INFRASTRUCTURE, 3, "'second'"},
        {RAN | LATER_NOT_RUN, VERDICT_INFRASTRUCTURE, 3, "'later'"},
        {RAN | LANE_ODD, VERDICT_INFRASTRUCTURE, 3, "lane 'odd'"},
        {RAN | HELD, VERDICT_INFRASTRUCTURE, 3, "reservation 7"},
        {NETWORK | NO_DEVICE_RUN, VERDICT_INFRASTRUCTURE, 3, "'upload'"},
        {RAN | GATE_HOLDS | ERROR_CASE, VERDICT_INFRASTRUCTURE, 3, "'lost'"},
        {RAN | GATE_HOLDS | INCOMPLETE, VERDICT_INFRASTRUCTURE, 3, "Galaxy S21"},
        {RAN | GATE_HOLDS | NETWORK, VERDICT_INFRASTRUCTURE, 3, "'upload'"},
        /* failures */
        {RAN | FAILED_CASE, VERDICT_FAILED, 1, "1 of 2 tests failed, first 'pays'"},
        {RAN | FAILED_CASE | CONTINUES, VERDICT_FAILED, 1, "'pays'"},
        {RAN | FAILED_CASE | LATER_NOT_RUN, VERDICT_FAILED, 1, "'pays'"},
        {RAN | FAILED_CASE | HELD, VERDICT_FAILED, 1, "'pays'"},
        {RAN | FAILED_CASE | ERROR_CASE | INCOMPLETE, VERDICT_FAILED, 1, "'pays'"},
        {RAN | FAILED_CASE | STALLED | INCOMPLETE, VERDICT_FAILED, 1, "'pays'"},
        {RAN | FAILED_CASE | NETWORK, VERDICT_FAILED, 1, "'pays'"},
        {RAN | COMMAND_FAILED, VERDICT_FAILED, 1, "'notify'"},
        {NO_TEST_STEP | COMMAND_FAILED, VERDICT_FAILED, 1, "'notify'"},
        {RAN | COMMAND_FAILED | CONTINUES, VERDICT_FAILED, 1, "'notify'"},
        {RAN | HIDDEN_FAILURE, VERDICT_FAILED, 1, "'hidden'"},
        /* the gate */
        {RAN | FAILED_CASE | GATE_HOLDS, VERDICT_PASSED, 0, NULL},
        {RAN | FAILED_CASE | GATE_HOLDS | LATER_NOT_RUN, VERDICT_PASSED, 0, NULL},
        {RAN | FAILED_CASE | GATE_HOLDS | NEVER_REACHED, VERDICT_INFRASTRUCTURE, 3, "'second'"},
        {RAN | FAILED_CASE | GATE_BREAKS, VERDICT_FAILED, 1, "'pays'"},
        {RAN | FAILED_CASE | GATE_HOLDS | GATE_BREAKS, VERDICT_FAILED, 1, "'pays'"},
        {RAN | GATE_BREAKS, VERDICT_FAILED, 1, "results.pass_rate >= 0.98"},
        {RAN | GATE_BREAKS | NETWORK, VERDICT_INFRASTRUCTURE, 3, "'upload'"}, /* what is missing may be why */
        {RAN | FAILED_CASE | GATE_BREAKS | NETWORK, VERDICT_FAILED, 1, "'pays'"},
        {RAN | FAILED_CASE | GATE_HOLDS | HELD, VERDICT_INFRASTRUCTURE, 3, "reservation 7"},
        {RAN | FAILED_CASE | GATE_HOLDS | STALLED | INCOMPLETE, VERDICT_TIMEOUT, 4, "progress"},
        {RAN | HIDDEN_FAILURE | GATE_HOLDS, VERDICT_FAILED, 1, "'hidden'"},
        {RAN | COMMAND_FAILED | GATE_HOLDS, VERDICT_FAILED, 1, "'notify'"},
        {RAN | COMMAND_FAILED | GATE_HOLDS | CONTINUES, VERDICT_PASSED, 0, NULL},
        /* best effort */
        {RAN | COMMAND_FAILED | BEST_EFFORT, VERDICT_PASSED, 0, NULL},
        {RAN | FAILED_CASE | BEST_EFFORT, VERDICT_PASSED, 0, NULL},
        {RAN | ERROR_CASE | INCOMPLETE | BEST_EFFORT, VERDICT_PASSED, 0, NULL},
        {RAN | NETWORK | BEST_EFFORT, VERDICT_PASSED, 0, NULL},
        {ERROR_CASE | INCOMPLETE | BEST_EFFORT, VERDICT_INFRASTRUCTURE, 3, "no test was executed"},
        {RAN | HELD | BEST_EFFORT, VERDICT_INFRASTRUCTURE, 3, "reservation 7"},
        /* time limits */
        {RAN | STALLED | INCOMPLETE, VERDICT_TIMEOUT, 4, "progress"},
        {RAN | STALLED | INCOMPLETE | ERROR_CASE, VERDICT_TIMEOUT, 4, "progress"},
        {RAN | STALLED | INCOMPLETE | HELD, VERDICT_TIMEOUT, 4, "progress"},
        {RAN | STALLED | INCOMPLETE | NETWORK, VERDICT_TIMEOUT, 4, "progress"},
        {QUEUED_TOO_LONG, VERDICT_TIMEOUT, 4, "queue"},
        {RAN | DEADLINE_PROBLEM, VERDICT_TIMEOUT, 4, "90m"},
        {RAN | DEADLINE_PROBLEM | ERROR_CASE | NETWORK, VERDICT_TIMEOUT, 4, "90m"},
        {RAN | DEADLINE_PROBLEM | FAILED_CASE, VERDICT_FAILED, 1, "'pays'"},
        {RAN | DEADLINE_PROBLEM | FAILED_CASE | GATE_HOLDS, VERDICT_TIMEOUT, 4, "90m"},
        /* usage */
        {USAGE_PROBLEM | NOTHING, VERDICT_USAGE, 2, "pipeline.yml"},
        {USAGE_PROBLEM | RAN | FAILED_CASE | STALLED | INCOMPLETE | NETWORK, VERDICT_USAGE, 2, "pipeline.yml"},
        {USAGE_PROBLEM | SENT | NOTHING, VERDICT_INFRASTRUCTURE, 3, "pipeline.yml"}, /* 2 promises that nothing was */
        {USAGE_PROBLEM | SENT | RAN | FAILED_CASE, VERDICT_FAILED, 1, "'pays'"},
        /* signals */
        {RAN | INTERRUPTED, VERDICT_CANCELLED, 130, "SIGINT"},
        {RAN | TERMINATED, VERDICT_CANCELLED, 143, "SIGTERM"},
        {RAN | TERMINATED | FAILED_CASE | HELD | NETWORK | USAGE_PROBLEM | GATE_BREAKS, VERDICT_CANCELLED, 143,
                "SIGTERM"},
        {NO_DEVICE_RUN | INTERRUPTED, VERDICT_CANCELLED, 130, "SIGINT"},
        {NOTHING | INTERRUPTED, VERDICT_CANCELLED, 130, "SIGINT"},
};

static struct step_result *add_step(
        struct results *results, const char *id, const char *kind, enum outcome outcome, unsigned long happened)
{
	struct step_result *step = results_add_step(results, "main", id);

	step->kind = gr_strdup(kind);
	step->outcome = outcome;
	step->may_continue = (happened & CONTINUES) != 0;
	step->started_wall_ms = 1000 * (int64_t)results->step_count;
	step->elapsed_ms = 10;
	return step;
}

static struct device_run *add_run(struct results *results, const char *step)
{
	struct device_run *run;

	results->runs = gr_grow(results->runs, results->run_count, sizeof(*results->runs));
	run = &results->runs[results->run_count++];
	*run = (struct device_run){.lane = gr_strdup("main"),
	        .step = gr_strdup(step),
	        .device = {.name = gr_strdup("Galaxy S21")},
	        .is_complete = true};
	return run;
}

static void add_case(struct device_run *run, const char *name, enum case_status status, enum gr_failure failure)
{
	struct test_case *test = device_run_add_case(run);

	test->name = gr_strdup(name);
	test->status = status;
	test->failure = failure;
}

/* The cases of a best-effort step are in a run of their own, beside the one that counts. */
static void build_tests(struct results *results, unsigned long happened)
{
	bool is_loose = (happened & BEST_EFFORT) != 0;
	const char *id = is_loose ? "loose" : "regression";
	struct device_run *run;
	struct step_result *step;

	if (happened & RAN) {
		add_step(results, "regression", "app_build_run", OUTCOME_PASSED, happened)->runs_tests = true;
		add_case(add_run(results, "regression"), "logs in", STATUS_PASSED, GR_NONE);
	}
	if (!(happened & (FAILED_CASE | ERROR_CASE | INCOMPLETE)))
		return;
	step = is_loose ? add_step(results, "loose", "app_build_run", OUTCOME_FAILED, happened)
	                : results_add_step(results, "main", "regression");
	step->is_best_effort = is_loose;
	step->runs_tests = true;
	run = is_loose ? add_run(results, id) : &results->runs[results->run_count - 1];
	if (happened & FAILED_CASE) {
		add_case(run, "pays", STATUS_FAILED, GR_FAILED);
		step->outcome = OUTCOME_FAILED;
		step->failure = GR_FAILED;
	}
	if (happened & ERROR_CASE)
		add_case(run, "lost", STATUS_ERROR, GR_NOT_RUN);
	if (happened & INCOMPLETE) {
		run->is_complete = false;
		run->failure = happened & STALLED ? GR_STALL : GR_NONE;
	}
}

static void build_odd_tests(struct results *results, unsigned long happened)
{
	struct step_result *step;

	if (happened & NO_DEVICE_RUN)
		add_step(results, "empty", "native_test", OUTCOME_PASSED, happened)->runs_tests = true;
	if (happened & (EMPTY_RUN | ALL_SKIPPED)) {
		struct device_run *run = add_run(results, "maybe");

		add_step(results, "maybe", "app_build_run", OUTCOME_PASSED, happened)->runs_tests = true;
		if (happened & EMPTY_NOT_ALLOWED)
			run->failure = GR_NOT_RUN;
		if (happened & ALL_SKIPPED)
			add_case(run, "face unlock", STATUS_SKIPPED, GR_NONE);
	}
	if (happened & STEP_SKIPPED)
		add_step(results, "optional", "native_test", OUTCOME_SKIPPED, happened)->runs_tests = true;
	if (happened & NEVER_REACHED)
		add_step(results, "second", "native_test", OUTCOME_NOT_RUN, happened)->runs_tests = true;
	if (happened & HIDDEN_FAILURE) {
		step = add_step(results, "hidden", "native_test", OUTCOME_FAILED, happened);
		step->runs_tests = true;
		step->failure = GR_FAILED;
		add_run(results, "hidden");
	}
	if (happened & QUEUED_TOO_LONG) {
		step = add_step(results, "slow", "app_build_run", OUTCOME_ERROR, happened);
		step->runs_tests = true;
		step->failure = GR_QUEUE;
	}
}

static void build_steps(struct results *results, unsigned long happened)
{
	struct step_result *step;

	if (happened & NETWORK) {
		step = add_step(results, "upload", "upload_build", OUTCOME_ERROR, happened);
		step->failure = GR_NETWORK;
		step->message = gr_strdup("connection refused");
		step->is_best_effort = (happened & BEST_EFFORT) != 0;
	}
	if (happened & COMMAND_FAILED) {
		step = add_step(results, "notify", "run", OUTCOME_FAILED, happened);
		step->failure = GR_COMMAND;
		step->is_best_effort = (happened & BEST_EFFORT) != 0;
	}
	if (happened & LATER_NOT_RUN)
		add_step(results, "later", "collect", OUTCOME_NOT_RUN, happened);
	if (happened & NO_TEST_STEP)
		add_step(results, "version", "create_version", OUTCOME_PASSED, happened);
}

static void add_rule(struct results *results, bool holds)
{
	results->rules = gr_grow(results->rules, results->rule_count, sizeof(*results->rules));
	results->rules[results->rule_count++] = (struct gate_rule){.text = gr_strdup("results.pass_rate >= 0.98"),
	        .values = gr_strdup("results.pass_rate = 0.97"),
	        .holds = holds};
}

static void build_rest(struct results *results, unsigned long happened)
{
	if (happened & GATE_HOLDS)
		add_rule(results, true);
	if (happened & GATE_BREAKS)
		add_rule(results, false);
	if (happened & (HELD | GIVEN_BACK)) {
		results->held = gr_grow(NULL, 0, sizeof(*results->held));
		results->held[results->held_count++] = (struct held){.key = gr_strdup("r/7"),
		        .what = gr_strdup("reservation 7"),
		        .is_released = (happened & GIVEN_BACK) != 0};
	}
	results->requests = happened & SENT ? 1 : 0;
	if (happened & USAGE_PROBLEM)
		results_add_problem(results, GR_CONFIG, NULL, NULL, "pipeline.yml:3:1: no such step");
	if (happened & DEADLINE_PROBLEM)
		results_add_problem(results, GR_DEADLINE, NULL, NULL, "the run's 90m are over");
	if (happened & WARNING)
		results_add_problem(results, GR_SERVER, NULL, NULL, "the counts differ")->is_warning = true;
	if (happened & LANE_ODD) {
		results->lanes = gr_grow(NULL, 0, sizeof(*results->lanes));
		results->lanes[results->lane_count++] =
		        (struct lane_result){.name = gr_strdup("odd"), .outcome = OUTCOME_ERROR};
	}
	if (happened & INTERRUPTED)
		results->signal_number = SIGINT;
	if (happened & TERMINATED)
		results->signal_number = SIGTERM;
}

static void build(struct results *results, unsigned long happened)
{
	*results = (struct results){0};
	build_steps(results, happened);
	build_tests(results, happened);
	build_odd_tests(results, happened);
	build_rest(results, happened);
}

static void check(const struct results *results, const struct row *row, size_t number)
{
	if (results->verdict != row->verdict || results->exit_status != row->exit_status)
		fail_msg("row %zu (%#lx): %s, exit status %d; cause: %s", number, row->happened,
		        verdict_name(results->verdict), results->exit_status, results->cause ? results->cause : "none");
	if ((row->cause == NULL) != (results->cause == NULL) || (row->cause && !strstr(results->cause, row->cause)))
		fail_msg("row %zu (%#lx): cause: %s", number, row->happened, results->cause ? results->cause : "none");
}

static void it_gives_each_run_of_the_table_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < GR_COUNT(table); i++) {
		struct results results;

		build(&results, table[i].happened);
		results_judge(&results);
		check(&results, &table[i], i);
		results_release(&results);
	}
}

static void it_judges_twice_as_it_judged_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < GR_COUNT(table); i++) {
		struct results results;
		struct totals before, after;

		build(&results, table[i].happened);
		results_judge(&results);
		before = results_totals(&results);
		results_judge(&results);
		after = results_totals(&results);
		check(&results, &table[i], i);
		assert_int_equal(before.problems, after.problems);
		results_release(&results);
	}
}

static bool has_entry(const struct results *results)
{
	struct totals totals = results_totals(results);

	for (size_t i = 0; i < results->rule_count; i++)
		if (!results->rules[i].holds)
			return true;
	return totals.failed + totals.errors + totals.problems > 0 || results->signal_number != 0;
}

static void it_gives_whatever_is_not_green_an_entry_in_the_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < GR_COUNT(table); i++) {
		struct results results;

		build(&results, table[i].happened);
		results_judge(&results);
		if (results.exit_status != 0 && !has_entry(&results))
			fail_msg("row %zu (%#lx) is red and has no entry", i, table[i].happened);
		results_release(&results);
	}
}

/* Trouble never makes a run better: with anything added to a passing run, it is green only if the added thing is
 * harmless. */
static void it_is_never_green_when_a_table_row_gets_a_network_failure_as_well(void **state)
{
	(void)state;
	for (size_t i = 0; i < GR_COUNT(table); i++) {
		struct results results;

		if (table[i].happened & BEST_EFFORT)
			continue;
		build(&results, table[i].happened | NETWORK);
		results_judge(&results);
		if (results.exit_status == 0)
			fail_msg("row %zu (%#lx) is green in spite of a network failure", i, table[i].happened);
		results_release(&results);
	}
}

static void it_names_the_earliest_of_several_causes(void **state)
{
	struct results results = {0};
	struct step_result *step;

	(void)state;
	step = add_step(&results, "late", "install", OUTCOME_ERROR, 0);
	step->failure = GR_NETWORK;
	step->started_wall_ms = 9000;
	step = add_step(&results, "early", "install", OUTCOME_ERROR, 0);
	step->failure = GR_INSTALL;
	step->started_wall_ms = 2000;
	results_judge(&results);
	assert_non_null(strstr(results.cause, "'early'"));
	results_release(&results);
}

static void it_makes_the_cause_one_harmless_line(void **state)
{
	struct results results;

	(void)state;
	build(&results, RAN | FAILED_CASE);
	results.runs[0].cases[1].reason = gr_strdup("\n expected 1 \x1b[31mred ##[group]\xff\xe2\x80\xae\nat line 7");
	results_judge(&results);
	assert_null(strpbrk(results.cause, "\r\n\x1b"));
	assert_null(strstr(results.cause, "##["));
	assert_non_null(strstr(results.cause, "expected 1 red"));
	assert_null(strstr(results.cause, "line 7")); /* the stack is for the reports */
	results_release(&results);
}

static void it_takes_a_failed_matrix_for_what_its_lanes_are(void **state)
{
	struct results results;
	struct step_result *step;

	(void)state;
	build(&results, RAN | FAILED_CASE | GATE_HOLDS);
	step = add_step(&results, "phones", "matrix", OUTCOME_FAILED, 0);
	step->failure = GR_FAILED;
	results_judge(&results);
	assert_int_equal(results.exit_status, 0);
	results_release(&results);

	build(&results, RAN);
	step = add_step(&results, "phones", "matrix", OUTCOME_ERROR, 0);
	step->failure = GR_UNKNOWN;
	results_judge(&results);
	assert_int_equal(results.exit_status, 3);
	results_release(&results);
}

static void it_wants_tests_when_the_plan_has_them_even_if_no_step_says_so(void **state)
{
	struct results results;

	(void)state;
	build(&results, NO_TEST_STEP);
	results.has_test_steps = true;
	results_judge(&results);
	assert_int_equal(results.exit_status, 3);
	results_release(&results);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_gives_each_run_of_the_table_its_verdict),
	        cmocka_unit_test(it_judges_twice_as_it_judged_once),
	        cmocka_unit_test(it_gives_whatever_is_not_green_an_entry_in_the_reports),
	        cmocka_unit_test(it_is_never_green_when_a_table_row_gets_a_network_failure_as_well),
	        cmocka_unit_test(it_names_the_earliest_of_several_causes),
	        cmocka_unit_test(it_makes_the_cause_one_harmless_line),
	        cmocka_unit_test(it_takes_a_failed_matrix_for_what_its_lanes_are),
	        cmocka_unit_test(it_wants_tests_when_the_plan_has_them_even_if_no_step_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
