/* The verdict. Every piece of trouble is sorted into the class that it makes the run; the worst class with any trouble
 * in it rules, and its earliest trouble is the cause. */
#include <signal.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/results/index.h"

/* Bytes of the cause: one line of a log, one sentence of a notification. */
#define CAUSE_BYTES 400

/* Trouble that no step's end dates: after all that is dated, in its order. */
#define WHEN_UNKNOWN (INT64_MAX - 1)

struct trouble {
	bool is_set;
	int64_t when;
	char *text;
};

struct judgement {
	const struct results *results;
	struct step_index index;
	bool gate_holds;
	struct trouble first[VERDICT_CANCELLED + 1];
};

static enum verdict verdict_of(enum gr_failure failure)
{
	switch (failure_exit_status(failure)) {
	case 0:
		return VERDICT_PASSED;
	case 1:
		return VERDICT_FAILED;
	case 2:
		return VERDICT_USAGE;
	case 4:
		return VERDICT_TIMEOUT;
	default: /* what fail_fast or a step's end cancelled, too: without a signal it is merely not proven */
		return VERDICT_INFRASTRUCTURE;
	}
}

/* "usage" promises that nothing was sent. A name that only the server could tell to be wrong is found out too late. */
static enum verdict verdict_here(const struct judgement *judgement, enum gr_failure failure)
{
	enum verdict verdict = verdict_of(failure);

	return verdict == VERDICT_USAGE && judgement->results->requests > 0 ? VERDICT_INFRASTRUCTURE : verdict;
}

/* Takes the text over. */
static void note(struct judgement *judgement, enum gr_failure failure, int64_t when, char *text)
{
	struct trouble *first = &judgement->first[verdict_here(judgement, failure)];

	if (first->is_set && first->when <= when) {
		gr_free(text);
		return;
	}
	gr_free(first->text);
	*first = (struct trouble){.is_set = true, .when = when, .text = text};
}

static int64_t end_of_step(const struct judgement *judgement, const char *lane, const char *step)
{
	const struct step_facts *facts = step_index_find(&judgement->index, lane, step);

	if (!facts || facts->step->started_wall_ms <= 0)
		return WHEN_UNKNOWN;
	return facts->step->started_wall_ms + (facts->step->elapsed_ms > 0 ? facts->step->elapsed_ms : 0);
}

static int64_t end_of_run(const struct judgement *judgement, const struct device_run *run)
{
	return run->ended_wall_ms > 0 ? run->ended_wall_ms : end_of_step(judgement, run->lane, run->step);
}

/* "step 'regression' (lane 'phones/0') on 'Galaxy S21'" */
static void add_place(struct buffer *out, const char *lane, const char *step, const char *device)
{
	if (step)
		buffer_printf(out, "step '%s'", step);
	if (lane)
		buffer_printf(out, step ? " (lane '%s')" : "lane '%s'", lane);
	if (device)
		buffer_printf(out, "%son '%s'", out->bytes ? " " : "", device);
	if (out->bytes)
		buffer_add_text(out, ": ");
}

static const char *device_of(const struct device_run *run)
{
	return run->device.name ? run->device.name : run->device.device_id;
}

static char *problem_text(const struct problem *problem)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	const char *message = problem->message ? problem->message : failure_words(problem->failure);

	if (!problem->step || !strstr(message, problem->step))
		add_place(&out, problem->lane, problem->step, problem->device);
	buffer_add_text(&out, message);
	return buffer_take(&out);
}

static char *run_text(const struct device_run *run, enum gr_failure failure)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	for (size_t i = 0; i < run->problem_count; i++)
		if (!run->problems[i].is_warning && run->problems[i].failure == failure)
			return problem_text(&run->problems[i]);
	add_place(&out, run->lane, run->step, device_of(run));
	buffer_add_text(&out, failure_words(failure));
	return buffer_take(&out);
}

static char *case_text(const struct device_run *run, const struct test_case *test, size_t alike)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	const char *verb = test->status == STATUS_FAILED ? "failed" : "without a result";
	const char *reason = test->reason ? test->reason + strspn(test->reason, " \t\r\n") : NULL;

	add_place(&out, run->lane, run->step, device_of(run));
	if (test == run->cases && test->status == STATUS_FAILED && run->counted.tests > 0)
		buffer_printf(&out, "%lld of %lld tests %s, in '%s'", (long long)run->counted.failed,
		        (long long)run->counted.tests, verb, test->name ? test->name : "?");
	else
		buffer_printf(&out, "%zu of %zu tests %s, first '%s'", alike, run->case_count, verb,
		        test->name ? test->name : "?");
	if (test->status == STATUS_ERROR)
		buffer_printf(&out, " (%s)", failure_name(test_case_failure(test)));
	if (reason && *reason)
		buffer_printf(&out, ": %.*s", (int)strcspn(reason, "\r\n"), reason); /* below it is the stack */
	return buffer_take(&out);
}

static char *step_text(const struct step_result *step)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	add_place(&out, step->lane, step->step, NULL);
	buffer_add_text(&out, step->message ? step->message : failure_words(step_failure(step)));
	return buffer_take(&out);
}

/* Does the gate answer for a failure of this kind in this step? It sees failed tests; a step that merely says that
 * tests failed, and names none, it does not see, nor a problem beside the tests. A failed command it answers for when
 * the step says on_failure: continue. */
static bool is_accepted(const struct judgement *judgement, enum gr_failure failure, const struct step_facts *facts)
{
	if (!judgement->gate_holds || !facts)
		return false;
	return (failure == GR_FAILED && facts->has_failed_case) || (failure == GR_COMMAND && facts->step->may_continue);
}

static void weigh_problem(struct judgement *judgement, const struct problem *problem)
{
	const struct step_facts *facts = step_index_find(&judgement->index, problem->lane, problem->step);

	if (problem->is_warning || (facts && facts->step->is_best_effort && problem->failure != GR_RELEASE) ||
	        (problem->failure == GR_COMMAND && is_accepted(judgement, problem->failure, facts)))
		return;
	note(judgement, problem->failure, end_of_step(judgement, problem->lane, problem->step), problem_text(problem));
}

static void weigh_cases(struct judgement *judgement, const struct device_run *run)
{
	const struct test_case *failed = NULL;
	const struct test_case *errors[GR_FAILURE_COUNT] = {NULL};
	size_t failed_count = 0, error_counts[GR_FAILURE_COUNT] = {0};
	int64_t when = end_of_run(judgement, run);

	for (size_t i = 0; i < run->case_count; i++) {
		const struct test_case *test = &run->cases[i];

		if (test_case_has_failed(test) && failed_count++ == 0)
			failed = test;
		if (test->status == STATUS_ERROR && error_counts[test_case_failure(test) % GR_FAILURE_COUNT]++ == 0)
			errors[test_case_failure(test) % GR_FAILURE_COUNT] = test;
	}
	if (failed && !judgement->gate_holds)
		note(judgement, GR_FAILED, when, case_text(run, failed, failed_count));
	for (size_t i = 0; i < GR_FAILURE_COUNT; i++)
		if (errors[i]) /* an error case is not a definite failure, whatever word it carries */
			note(judgement,
			        verdict_of((enum gr_failure)i) == VERDICT_FAILED ? GR_UNKNOWN : (enum gr_failure)i,
			        when, case_text(run, errors[i], error_counts[i]));
}

static void weigh_run(struct judgement *judgement, const struct device_run *run)
{
	if (step_index_is_best_effort(&judgement->index, run->lane, run->step))
		return;
	if (device_run_is_unproven(run))
		note(judgement, device_run_failure(run), end_of_run(judgement, run),
		        run_text(run, device_run_failure(run)));
	for (size_t i = 0; i < run->problem_count; i++)
		weigh_problem(judgement, &run->problems[i]);
	weigh_cases(judgement, run);
}

static void weigh_step(struct judgement *judgement, const struct step_result *step)
{
	const struct step_facts *facts = step_index_find(&judgement->index, step->lane, step->step);

	if (!step_is_trouble(step) || step_is_lanes(step) || is_accepted(judgement, step_failure(step), facts))
		return;
	note(judgement, step_failure(step), end_of_step(judgement, step->lane, step->step), step_text(step));
}

/* A rule that fails because evidence is missing says no more than the trouble that kept it from coming: only a gate
 * over what was seen makes a definite failure. */
static bool is_definite(const struct judgement *judgement)
{
	return judgement->first[VERDICT_FAILED].is_set ||
	       (!judgement->first[VERDICT_INFRASTRUCTURE].is_set && !judgement->first[VERDICT_TIMEOUT].is_set);
}

static void weigh_rules(struct judgement *judgement)
{
	if (!is_definite(judgement))
		return;
	for (size_t i = 0; i < judgement->results->rule_count; i++) {
		const struct gate_rule *rule = &judgement->results->rules[i];

		if (!rule->holds)
			note(judgement, GR_GATE, INT64_MAX,
			        gr_printf("gate: '%s' does not hold (%s)", rule->text ? rule->text : "?",
			                rule->values ? rule->values : "its values are not known"));
	}
}

static bool gate_holds(const struct results *results)
{
	for (size_t i = 0; i < results->rule_count; i++)
		if (!results->rules[i].holds)
			return false;
	return results->rule_count > 0;
}

const char *signal_name(int number)
{
	switch (number) {
	case SIGINT:
		return "SIGINT";
	case SIGTERM:
		return "SIGTERM";
	case SIGHUP:
		return "SIGHUP";
	default:
		return "a signal";
	}
}

static void weigh_all(struct judgement *judgement)
{
	const struct results *results = judgement->results;

	for (size_t i = 0; i < results->problem_count; i++)
		weigh_problem(judgement, &results->problems[i]);
	for (size_t i = 0; i < results->run_count; i++)
		weigh_run(judgement, &results->runs[i]);
	for (size_t i = 0; i < results->step_count; i++)
		weigh_step(judgement, &results->steps[i]);
	weigh_rules(judgement);
	if (results->signal_number)
		judgement->first[VERDICT_CANCELLED] = (struct trouble){
		        .is_set = true, .text = gr_printf("%s ended the run", signal_name(results->signal_number))};
}

/* One harmless line: texts of servers may be in it. */
static char *cause_line(const char *text)
{
	GR_AUTO_BUFFER struct buffer line = {0};

	text_excerpt(&line, text, strlen(text), CAUSE_BYTES);
	return buffer_take(&line);
}

static void conclude(struct judgement *judgement, struct results *results)
{
	static const struct {
		enum verdict verdict;
		int exit_status;
	} order[] = {
	        /* what rules over what */
	        {VERDICT_CANCELLED, 128},
	        {VERDICT_USAGE, 2},
	        {VERDICT_FAILED, 1},
	        {VERDICT_TIMEOUT, 4},
	        {VERDICT_INFRASTRUCTURE, 3},
	};

	results->verdict = VERDICT_PASSED;
	results->exit_status = 0;
	gr_free(gr_take(&results->cause));
	for (size_t i = 0; i < GR_COUNT(order); i++) {
		if (!judgement->first[order[i].verdict].is_set)
			continue;
		results->verdict = order[i].verdict;
		results->exit_status = order[i].exit_status;
		if (results->verdict == VERDICT_CANCELLED)
			results->exit_status += results->signal_number;
		results->cause = cause_line(judgement->first[order[i].verdict].text);
		return;
	}
}

/* A merge: each part was judged by its own gate. */
static void judge_parts(struct results *results)
{
	struct judgement judgement = {.results = results};
	int signal_status = 128;

	for (size_t i = 0; i < results->problem_count; i++)
		if (!results->problems[i].is_warning && !results->problems[i].lane)
			note(&judgement, results->problems[i].failure, 0, gr_strdup(results->problems[i].message));
	for (size_t i = 0; i < results->part_count; i++) {
		const struct results_part *part = &results->parts[i];
		struct trouble *first = &judgement.first[part->verdict];

		if (part->verdict == VERDICT_PASSED || first->is_set)
			continue;
		*first = (struct trouble){.is_set = true,
		        .text = gr_printf(
		                "part '%s': %s", part->name, part->cause ? part->cause : verdict_name(part->verdict))};
		if (part->verdict == VERDICT_CANCELLED)
			signal_status = part->exit_status;
	}
	conclude(&judgement, results);
	if (results->verdict == VERDICT_CANCELLED)
		results->exit_status = signal_status;
	for (size_t i = 0; i < GR_COUNT(judgement.first); i++)
		gr_free(judgement.first[i].text);
}

void results_judge(struct results *results)
{
	struct judgement judgement = {.results = results, .gate_holds = gate_holds(results)};

	if (results->is_merged) {
		judge_parts(results);
		return;
	}
	results_derive_problems(results);
	step_index_init(&judgement.index, results);
	weigh_all(&judgement);
	conclude(&judgement, results);
	for (size_t i = 0; i < GR_COUNT(judgement.first); i++)
		gr_free(judgement.first[i].text);
	step_index_release(&judgement.index);
}
