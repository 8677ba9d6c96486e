/* The problems that only the whole shows, so that nothing that keeps a run from being green is without an entry of its
 * own. Each is marked is_derived. */
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/results/index.h"

static size_t drop_derived(struct problem *problems, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (problems[i].is_derived)
			problem_release(&problems[i]);
		else
			problems[kept++] = problems[i];
	}
	return kept;
}

static void drop_all_derived(struct results *results)
{
	results->problem_count = drop_derived(results->problems, results->problem_count);
	for (size_t i = 0; i < results->run_count; i++)
		results->runs[i].problem_count =
		        drop_derived(results->runs[i].problems, results->runs[i].problem_count);
}

/* ---- device runs ---- */

static bool has_own_entry(const struct device_run *run)
{
	for (size_t i = 0; i < run->problem_count; i++)
		if (!run->problems[i].is_warning)
			return true;
	for (size_t i = 0; i < run->case_count; i++)
		if (run->cases[i].status == STATUS_ERROR)
			return true;
	return false;
}

static bool has_failed_case(const struct device_run *run)
{
	for (size_t i = 0; i < run->case_count; i++)
		if (test_case_has_failed(&run->cases[i]))
			return true;
	return false;
}

static void derive_of_run(struct device_run *run)
{
	const char *device = run->device.name ? run->device.name : run->device.device_id ? run->device.device_id : "?";
	enum gr_failure failure = device_run_failure(run);

	if (device_run_is_unproven(run) && !has_own_entry(run))
		device_run_add_problem(run, failure,
		        "step '%s': the test run on device '%s' is not proven complete: %s",
		        run->step ? run->step : "?", device, failure_words(failure));
	else if (run->failure == GR_FAILED && !has_own_entry(run) && !has_failed_case(run))
		device_run_add_problem(run, GR_FAILED,
		        "step '%s': the test run on device '%s' failed, but no failed test is known",
		        run->step ? run->step : "?", device);
	else
		return;
	run->problems[run->problem_count - 1].is_derived = true;
}

/* Tests that were counted as neither passed, failed nor skipped have no case of their own that would say so. */
static void derive_of_counted(struct device_run *run)
{
	struct totals totals = device_run_totals(run);

	if (totals.errors == 0 || has_own_entry(run))
		return;
	device_run_add_problem(run, GR_NOT_RUN,
	        "step '%s': of the %lld tests that the server counts %lld have no result", run->step ? run->step : "?",
	        (long long)totals.tests, (long long)totals.errors);
	run->problems[run->problem_count - 1].is_derived = true;
}

static void derive_of_runs(struct results *results)
{
	struct step_index index;

	step_index_init(&index, results);
	for (size_t i = 0; i < results->run_count; i++) {
		struct device_run *run = &results->runs[i];

		if (step_index_is_best_effort(&index, run->lane, run->step))
			continue;
		derive_of_run(run);
		derive_of_counted(run);
	}
	step_index_release(&index);
}

/* ---- steps ---- */

static bool is_explained(const struct step_facts *facts)
{
	return facts->has_problem || facts->has_unproven ||
	       (facts->has_failed_case && step_failure(facts->step) == GR_FAILED);
}

/* A test step that did not say no to running must have a device run. */
static bool lacks_runs(const struct step_facts *facts)
{
	const struct step_result *step = facts->step;

	return step->runs_tests && !step->is_best_effort && !facts->has_run && step->outcome != OUTCOME_SKIPPED;
}

static bool needs_entry(const struct step_facts *facts)
{
	if (facts->has_problem)
		return false;
	return lacks_runs(facts) ||
	       (step_is_trouble(facts->step) && !step_is_lanes(facts->step) && !is_explained(facts));
}

static void derive_of_step(struct results *results, const struct step_facts *facts)
{
	const struct step_result *step = facts->step;
	enum gr_failure failure = step_is_trouble(step) ? step_failure(step) : GR_NOT_RUN;
	const char *why = step->message ? step->message : failure_words(failure);
	struct problem *problem;

	if (!needs_entry(facts))
		return;
	if (failure == GR_NOT_RUN && results->signal_number)
		failure = GR_CANCELLED;
	problem = results_add_problem(results, failure, step->lane, step->step, "step '%s' (lane '%s')%s: %s",
	        step->step, step->lane ? step->lane : "?", lacks_runs(facts) ? " ran no test on any device" : "", why);
	problem->is_derived = true;
}

/* Is there an entry already that keeps the run from being green, apart from failed tests (a gate may accept those)? */
static bool is_red(const struct results *results)
{
	struct step_index index;
	bool red = false;

	step_index_init(&index, results);
	for (size_t i = 0; i < results->problem_count && !red; i++)
		red = !results->problems[i].is_warning &&
		      !step_index_is_best_effort(&index, results->problems[i].lane, results->problems[i].step);
	for (size_t i = 0; i < results->run_count && !red; i++)
		red = has_own_entry(&results->runs[i]) &&
		      !step_index_is_best_effort(&index, results->runs[i].lane, results->runs[i].step);
	step_index_release(&index);
	return red;
}

static bool has_failed_tests(const struct results *results)
{
	for (size_t i = 0; i < results->run_count; i++)
		if (has_failed_case(&results->runs[i]))
			return true;
	return false;
}

static bool is_unexplained_step(const struct step_result *step)
{
	return !step->is_best_effort &&
	       ((step_is_lanes(step) && step_is_trouble(step)) || step->outcome == OUTCOME_NOT_RUN);
}

static bool is_green(enum outcome outcome)
{
	return outcome == OUTCOME_PASSED || outcome == OUTCOME_SKIPPED;
}

/* A lane of a matrix that is best_effort has its reason in a step that changes no verdict. */
static bool is_unexplained_lane(const struct results *results, const struct lane_result *lane)
{
	if (is_green(lane->outcome))
		return false;
	for (size_t i = 0; i < results->step_count; i++)
		if (results->steps[i].is_best_effort && !is_green(results->steps[i].outcome) &&
		        text_equal(results->steps[i].lane, lane->name))
			return false;
	return true;
}

/* A matrix that did not pass although all of its lanes did, a step never reached, a lane without an end: consequences,
 * unless there is nothing that they could be a consequence of. Of a signal they are, too. */
static void derive_of_unexplained(struct results *results)
{
	struct problem *problem;

	if (is_red(results) || has_failed_tests(results))
		return;
	if (results->signal_number) {
		results_add_problem(
		        results, GR_CANCELLED, NULL, NULL, "%s ended the run", signal_name(results->signal_number))
		        ->is_derived = true;
		return;
	}
	for (size_t i = 0; i < results->step_count; i++) {
		const struct step_result *step = &results->steps[i];

		if (!is_unexplained_step(step))
			continue;
		problem = results_add_problem(results, step_failure(step), step->lane, step->step,
		        "step '%s' (lane '%s') is '%s': %s", step->step, step->lane ? step->lane : "?",
		        outcome_name(step->outcome), step->message ? step->message : "no reason is known");
		problem->is_derived = true;
	}
	for (size_t i = 0; i < results->lane_count; i++) {
		const struct lane_result *lane = &results->lanes[i];

		if (!is_unexplained_lane(results, lane))
			continue;
		problem = results_add_problem(results, GR_UNKNOWN, lane->name, NULL,
		        "lane '%s' is '%s', and no reason is known", lane->name, outcome_name(lane->outcome));
		problem->is_derived = true;
	}
}

static void derive_of_steps(struct results *results)
{
	struct step_index index;

	step_index_init(&index, results);
	for (size_t i = 0; i < results->step_count; i++) /* in the order of the steps, for people */
		derive_of_step(results, step_index_find(&index, results->steps[i].lane, results->steps[i].step));
	step_index_release(&index);
}

/* ---- the run ---- */

/* Was it said when the release was given up? */
static bool is_told(const struct results *results, const struct held *held)
{
	for (size_t i = 0; held->what && i < results->problem_count; i++) {
		const struct problem *problem = &results->problems[i];

		if (problem->failure == GR_RELEASE && problem->message && text_has_prefix(problem->message, held->what))
			return true;
	}
	return false;
}

static void derive_of_held(struct results *results)
{
	for (size_t i = 0; i < results->held_count; i++) {
		const struct held *held = &results->held[i];

		if (held->is_released || is_told(results, held))
			continue;
		results_add_problem(results, GR_RELEASE, NULL, NULL,
		        "%s is not proven to be given back%s%s; `gridlane cleanup` tries again",
		        held->what ? held->what : held->key, held->message ? ": " : "",
		        held->message ? held->message : "")
		        ->is_derived = true;
	}
}

/* `allow_empty: true`: the step says so with a complete device run without cases that nothing is wrong with. */
static bool may_be_empty(const struct results *results)
{
	for (size_t i = 0; i < results->run_count; i++) {
		const struct device_run *run = &results->runs[i];

		if (run->is_complete && run->failure == GR_NONE && run->case_count == 0)
			return true;
	}
	return false;
}

static bool expects_tests(const struct results *results)
{
	for (size_t i = 0; i < results->step_count; i++)
		if (results->steps[i].runs_tests)
			return true;
	return results->has_test_steps || results->run_count > 0;
}

static void derive_of_whole(struct results *results)
{
	struct totals totals;

	if (is_red(results))
		return;
	totals = results_totals(results);
	if (results->step_count == 0)
		results_add_problem(results, GR_NOT_RUN, NULL, NULL, "no step was executed")->is_derived = true;
	else if (expects_tests(results) && totals.executed == 0 && totals.quarantined > 0)
		results_add_problem(results, GR_NOT_RUN, NULL, NULL,
		        "nothing but quarantined tests was executed, and all of them failed: nothing is proven")
		        ->is_derived = true;
	else if (expects_tests(results) && totals.executed == 0 && !may_be_empty(results))
		results_add_problem(results, GR_NOT_RUN, NULL, NULL,
		        "no test was executed, although the pipeline runs tests; a step that may run none says "
		        "allow_empty: true")
		        ->is_derived = true;
}

void results_derive_problems(struct results *results)
{
	drop_all_derived(results);
	derive_of_runs(results);
	derive_of_steps(results);
	derive_of_held(results);
	derive_of_unexplained(results);
	derive_of_whole(results);
}
