/* Starting tests again (`rerun:`). Each further start is a round: the step's state machine begins anew with an empty
 * memory, so that its start has a snapshot, an intent, a proof and a search of its own, as the first one had. What the
 * rounds before brought is on the disk before a round begins, and the record that begins it empties the memory: a
 * process killed at any moment either finds the round before at its end, or this one without a start, or its start. */
#include "runner/engine/run.h"

#include "pipelines/term.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/engine/journal.h"
#include "runner/results/attempts.h"
#include "runner/results/record.h"
#include "runner/steps/outcome.h"

struct repetition {
	unsigned round; /* 0: the first start */
	unsigned failed_rounds, not_run_rounds; /* quotas used up */
	struct repeat repeat; /* of this round */
	struct device_run known; /* of all rounds that are over */
	bool has_known, is_over; /* did the server bring the last start to its end? */
	json_t *outputs; /* of the first start, or NULL */
	json_t *starts; /* those of the further starts that are over, or NULL */
};

static struct repetition *state_of(struct task *task)
{
	if (!task->rerun)
		task->rerun = gr_alloc(1, sizeof(*task->rerun));
	return task->rerun;
}

void rerun_free(struct task *task)
{
	if (!task->rerun)
		return;
	if (task->rerun->has_known)
		device_run_release(&task->rerun->known);
	json_decref(task->rerun->outputs);
	json_decref(task->rerun->starts);
	gr_free(task->rerun);
	task->rerun = NULL;
}

static void know(struct repetition *rerun, const struct device_run *run)
{
	struct device_run copy;

	device_run_copy(run, &copy);
	if (rerun->has_known)
		device_run_release(&rerun->known);
	rerun->known = copy;
	rerun->has_known = true;
}

/* ---- results ---- */

/* Brought to its end by the server, with nothing in it but tests that failed or did not run. */
static bool is_over(const struct device_run *run)
{
	return run->failure == GR_NONE || run->failure == GR_FAILED || device_run_repeats(run) != 0;
}

void rerun_take(struct task *task, struct device_run *run)
{
	struct repetition *rerun = task->rerun;
	struct device_run all;

	if (task->plan->rerun.failed_most + task->plan->rerun.not_run_most == 0)
		return;
	if (!rerun || rerun->round == 0) {
		know(state_of(task), run);
		return;
	}
	rerun->is_over = is_over(run);
	if (!rerun->is_over && !task->error.failure) /* the step says why this start came to nothing */
		(void)gr_fail(&task->error, run->failure, 0, "rerun %u: %s", rerun->round,
		        run->problem_count ? run->problems[0].message : failure_words(run->failure));
	device_run_copy(&rerun->known, &all);
	device_run_take(&all, run, &rerun->repeat);
	result_settle(&all);
	device_run_release(run);
	*run = all;
	know(rerun, run);
}

unsigned rerun_round(const struct task *task)
{
	return task->rerun ? task->rerun->round : 0;
}

/* The counts alone: which run it was, and where its log is, are those of its start. */
static void take_counts(json_t *outputs, const json_t *last)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)last, key, value)
		if (json_is_number(value) || json_is_boolean(value))
			(void)json_object_set(outputs, key, value);
}

/* What is to be fetched for each start is asked for by what that start said. */
static void keep_start(struct repetition *rerun, json_t *outputs)
{
	json_t *start;

	if (!rerun->starts)
		rerun->starts = json_array();
	while (json_array_size(rerun->starts) + 1 < rerun->round) /* one that came to nothing */
		(void)json_array_append_new(rerun->starts, json_object());
	start = json_is_object(outputs) ? json_copy(outputs) : json_object();
	(void)json_object_del(start, "reruns");
	(void)json_object_del(start, "rerun_outputs");
	(void)json_array_append_new(rerun->starts, start);
}

void rerun_outputs(struct task *task, struct action *action)
{
	struct repetition *rerun = task->rerun;
	json_t *outputs;

	if (!rerun || rerun->round == 0 || !rerun->has_known)
		return;
	if (rerun->is_over)
		action->outcome = result_outcome(&rerun->known);
	keep_start(rerun, action->outputs);
	outputs = json_is_object(rerun->outputs) ? json_copy(rerun->outputs) : json_object();
	/* A native run whose log names no tests is one case; the server's counts of the last start tell more. */
	if (rerun->known.kind == RUN_NATIVE && rerun->known.case_count == 1)
		take_counts(outputs, action->outputs);
	else
		result_outputs(&rerun->known, outputs);
	(void)json_object_set_new(outputs, "reruns", json_integer((json_int_t)rerun->known.rerun_count));
	(void)json_object_set_new(outputs, "rerun_outputs", json_copy(rerun->starts));
	json_decref(action->outputs);
	action->outputs = outputs;
}

/* ---- is there a further round? ---- */

/* With more than one failed test and none that passed it is the build that is broken, not a test that stumbled. */
static bool is_broken_build(const struct device_run *run)
{
	size_t passed = 0, failed = 0;

	for (size_t i = 0; i < run->case_count; i++) {
		passed += run->cases[i].status == STATUS_PASSED;
		failed += test_case_has_failed(&run->cases[i]);
	}
	return passed == 0 && failed > 1;
}

static bool is_forbidden(const struct task *task, const json_t *outputs)
{
	const struct expression *unless = task->plan->rerun.unless;
	GR_AUTO_JSON json_t *scope = NULL;
	struct gr_error err = {0};
	bool holds = false;

	if (is_broken_build(&task->rerun->known)) {
		engine_warn(task->engine, GR_FAILED, task->lane->name, task->plan->id,
		        "nothing is started again: no test passed and more than one failed, so the build is broken");
		return true;
	}
	if (!unless)
		return false;
	scope = scope_new(task->engine, task->lane);
	(void)json_object_set(scope, "outputs", (json_t *)(uintptr_t)outputs);
	if (expression_is_true(unless, scope, &holds, &err) < 0) {
		engine_warn(task->engine, GR_FAILED, task->lane->name, task->plan->id,
		        "nothing is started again: rerun.unless: %s", err.text);
		return true;
	}
	if (holds) {
		GR_AUTO_FREE char *values = expression_explain(unless, scope);

		engine_warn(task->engine, GR_FAILED, task->lane->name, task->plan->id,
		        "nothing is started again: rerun.unless: %s (%s)", unless->text, values);
	}
	return holds;
}

/* What the next round would be for; 0: there is none. */
static unsigned next_flags(const struct task *task)
{
	const struct repetition *rerun = task->rerun;
	const struct engine *engine = task->engine;
	unsigned flags;

	if (!rerun || !rerun->has_known || task->stop.failure || engine->stop || engine->broken.failure ||
	        task->lane->is_stopped)
		return 0;
	flags = device_run_repeats(&rerun->known);
	if (rerun->failed_rounds >= task->plan->rerun.failed_most)
		flags &= ~(unsigned)REPEAT_FAILED;
	if (rerun->not_run_rounds >= task->plan->rerun.not_run_most)
		flags &= ~(unsigned)REPEAT_NOT_RUN;
	return flags;
}

/* ---- a round ---- */

/* Exactly the tests to repeat, when the step knows the id of each of them. */
static void select_tests(struct task *task)
{
	struct repetition *rerun = task->rerun;
	json_t *ids = json_object_get(task->step.with, "testcases");
	GR_AUTO_JSON json_t *chosen = json_object();

	rerun->repeat.tests = 0;
	rerun->repeat.is_whole = !json_is_object(ids) || !task->plan->rerun.failed_only;
	for (size_t i = 0; i < rerun->known.case_count; i++) {
		const struct test_case *test = &rerun->known.cases[i];
		json_t *id;

		if (!test_case_is_repeated(test, rerun->repeat.flags))
			continue;
		rerun->repeat.tests++;
		id = test->name ? json_object_get(ids, test->name) : NULL;
		if (id)
			(void)json_object_set(chosen, test->name, id);
		else
			rerun->repeat.is_whole = true;
	}
	if (rerun->repeat.tests == 0) /* the run as a whole had no result */
		rerun->repeat.is_whole = true;
	if (rerun->repeat.is_whole)
		return;
	(void)json_object_set(task->step.with, "testcases", chosen);
	task->context.poll.look_count = 0; /* what is known of the times of whole runs says nothing about this one */
}

static void say(const struct task *task)
{
	const struct repetition *rerun = task->rerun;
	const char *what = rerun->repeat.flags == REPEAT_NOT_RUN  ? "did not run"
	                   : rerun->repeat.flags == REPEAT_FAILED ? "failed"
	                                                          : "failed or did not run";
	GR_AUTO_FREE char *text = gr_printf("rerun %u: %lld test%s %s; %s", rerun->round,
	        (long long)rerun->repeat.tests, rerun->repeat.tests == 1 ? "" : "s", what,
	        rerun->repeat.is_whole ? "starting the same selection again, and taking their outcomes alone"
	                               : "starting them alone");
	struct run_event event = {.kind = STEP_PROGRESS,
	        .lane = task->lane->name,
	        .step = task->plan->id,
	        .text = text,
	        .done = -1,
	        .total = -1};

	engine_emit(task->engine, &event);
}

/* The builds of the rounds before. The server's list may lag behind a start by more than a round lasts: one of them
 * would look new there, and on our device, to whoever looks for a start whose answer got lost. */
static json_t *earlier_builds(const struct device_run *known)
{
	json_t *numbers = json_array();

	if (known->build_number)
		(void)json_array_append_new(numbers, json_from_text(known->build_number));
	for (size_t i = 0; i < known->rerun_count; i++)
		if (known->reruns[i].build_number)
			(void)json_array_append_new(numbers, json_from_text(known->reruns[i].build_number));
	return numbers;
}

/* On the disk before anything of the round is asked or sent. */
static void learn(struct task *task)
{
	const struct repetition *rerun = task->rerun;
	const struct repeat *repeat = &rerun->repeat;
	GR_AUTO_JSON json_t *detail = json_pack("{s:{s:i, s:i, s:i, s:i, s:b, s:I, s:O?, s:O?}, s:o}", JOURNAL_ROUND,
	        "round", (int)rerun->round, "failed", (int)rerun->failed_rounds, "not_run", (int)rerun->not_run_rounds,
	        "flags", (int)repeat->flags, "whole", repeat->is_whole, "tests", (json_int_t)repeat->tests, "outputs",
	        rerun->outputs, "starts", rerun->starts, "earlier", earlier_builds(&rerun->known));
	struct run_event event = {
	        .kind = STEP_LEARNED, .lane = task->lane->name, .step = task->plan->id, .detail = detail};

	(void)json_object_clear(task->step.memory);
	(void)json_object_update(task->step.memory, detail);
	engine_emit(task->engine, &event);
}

static void on_due(void *context)
{
	struct event event = {.kind = EVENT_START};

	task_send(context, &event);
}

/* The step as it was before its first start, with the same device. */
static int begin_again(struct task *task, struct gr_error *err)
{
	int r;

	task->plan->kind->ops->release(&task->step);
	json_decref(task->step.with);
	task->step.with = NULL;
	task->is_begun = false;
	r = scope_fields(task->engine, task->lane, task->plan, &task->step.with, err);
	if (r < 0)
		return r;
	select_tests(task);
	learn(task);
	say(task);
	r = task->plan->kind->ops->begin(&task->step, err);
	task->is_begun = r == 0;
	return r;
}

bool rerun_begin(struct task *task, struct action *action, int *ret_result, struct gr_error *err)
{
	struct repetition *rerun = task->rerun;
	unsigned flags = next_flags(task);

	if (flags == 0 || is_forbidden(task, action->outputs))
		return false;
	rerun->round++;
	rerun->failed_rounds += (flags & REPEAT_FAILED) != 0;
	rerun->not_run_rounds += (flags & REPEAT_NOT_RUN) != 0;
	rerun->repeat.flags = flags;
	if (rerun->round == 1)
		rerun->outputs = json_incref(action->outputs);
	json_decref(task->outputs); /* should the round not come to any of its own */
	task->outputs = gr_take(&action->outputs);
	task->error = (struct gr_error){0};
	*ret_result = begin_again(task, err);
	if (*ret_result < 0) {
		(void)gr_context(err, "rerun %u", rerun->round);
		return true;
	}
	task->wait.on_due = on_due;
	task->wait.context = task;
	loop_timer_set(task->engine->loop, &task->wait, loop_now(task->engine->loop));
	return true;
}

/* ---- going on after a kill ---- */

void rerun_recall(struct task *task, const struct replay_step *step)
{
	const json_t *round = json_object_get(step->memory, JOURNAL_ROUND);
	struct run_event event = {.kind = RUN_DEVICE_RESULT, .lane = task->lane->name, .step = task->plan->id};
	struct repetition *rerun;

	if (!round || !step->has_known)
		return;
	rerun = state_of(task);
	rerun->round = (unsigned)json_integer_value(json_object_get(round, "round"));
	rerun->failed_rounds = (unsigned)json_integer_value(json_object_get(round, "failed"));
	rerun->not_run_rounds = (unsigned)json_integer_value(json_object_get(round, "not_run"));
	rerun->repeat.flags = (unsigned)json_integer_value(json_object_get(round, "flags"));
	rerun->outputs = json_incref(json_object_get(round, "outputs"));
	if (json_is_array(json_object_get(round, "starts"))) /* null in the first round */
		rerun->starts = json_copy(json_object_get(round, "starts"));
	know(rerun, &step->known);
	select_tests(task);
	task->outputs = json_incref(rerun->outputs);
	task->has_result = true;
	event.device_run = &rerun->known;
	event.failure = rerun->known.failure;
	engine_emit(task->engine, &event);
}
