/* Ways out before the end: a signal, a second one, the run's time limit. In every case devices are given back,
 * `finally` has its chance, and reports follow. */
#include "runner/engine/run.h"

#include <signal.h>
#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"

#define SAME_SIGNAL_MS 250
#define REPORT_MS 700 /* of the grace budget is kept for writing reports */

static void force_lane(struct lane *lane)
{
	struct task *task = lane ? lane->task : NULL;

	if (!task || task->outcome != OUTCOME_NOT_RUN)
		return;
	for (size_t i = 0; i < task->lane_count; i++)
		force_lane(task->lanes[i]);
	if (!task->stop.failure)
		(void)gr_fail(&task->stop, GR_CANCELLED, 0, "the run was ended");
	if (!task->lanes)
		task_force(task);
}

/* Steps that never began are said before the matrix that holds them. */
static void close_lane(struct lane *lane)
{
	if (!lane)
		return;
	for (size_t i = 0; lane->task && i < lane->task->lane_count; i++)
		close_lane(lane->task->lanes[i]);
	lane_close(lane);
}

/* End now: what is known is known. */
static void force_end(struct engine *engine)
{
	force_lane(engine->main);
	force_lane(engine->finally);
	close_lane(engine->main);
	close_lane(engine->finally);
	resources_give_up(engine);
	engine->phase = PHASE_OVER;
	loop_stop(engine->loop);
}

static void on_grace_over(void *context)
{
	force_end(context);
}

static void set_grace(struct engine *engine, int64_t grace_ms)
{
	engine->grace.on_due = on_grace_over;
	engine->grace.context = engine;
	loop_timer_set(engine->loop, &engine->grace, loop_now(engine->loop) + (grace_ms > 0 ? grace_ms : 0));
}

static const char *signal_words(int number)
{
	return number == SIGINT ? "SIGINT" : number == SIGTERM ? "SIGTERM" : number == SIGHUP ? "SIGHUP" : "a signal";
}

static void on_signal(void *context, int number)
{
	struct engine *engine = context;
	struct run_event event = {.kind = RUN_CANCELLED, .done = number, .text = signal_words(number)};
	GR_AUTO_FREE char *why = gr_printf("the run was cancelled by %s", signal_words(number));

	if (engine->stop == GR_CANCELLED && number == engine->signal_number &&
	        loop_now(engine->loop) - engine->signalled_ms < SAME_SIGNAL_MS)
		return; /* a terminal and the wrapper around us both sent it on */
	if (engine->stop == GR_CANCELLED) { /* the second one: no more network */
		force_end(engine);
		return;
	}
	engine->stop = GR_CANCELLED;
	engine->signal_number = number;
	engine->signalled_ms = loop_now(engine->loop);
	engine->results.signal_number = number;
	engine->results.signalled_ms = engine->signalled_ms;
	engine_emit(engine, &event);
	set_grace(engine, engine->options->grace_ms - REPORT_MS);
	resources_release_all(engine, true); /* on the wire first: the rest has time, a held device costs */
	lane_stop(engine->main, GR_CANCELLED, why);
	if (engine->finally)
		lane_stop(engine->finally, GR_CANCELLED, why);
	engine_advance(engine);
}

/* Fetches what the run can do without. */
static bool is_expendable(const struct plan_step *plan)
{
	return plan->collect_for && plan->best_effort;
}

/* Is there nothing else left to do for the lane? */
static bool is_only_fetching(const struct lane *lane)
{
	const struct task *task = lane->task;

	if (lane->is_ended)
		return true;
	if (lane->replacement)
		return false;
	for (size_t i = lane->next; i < lane->count; i++)
		if (!is_expendable(&lane->steps[i]))
			return false;
	if (!task || task->outcome != OUTCOME_NOT_RUN)
		return true;
	for (size_t i = 0; i < task->lane_count; i++)
		if (i >= task->lanes_next || !is_only_fetching(task->lanes[i]))
			return false;
	return task->lanes || is_expendable(task->plan);
}

static void stop_fetching(const struct lane *lane, const char *why)
{
	struct task *task = lane->task;

	if (lane->is_ended || !task || task->outcome != OUTCOME_NOT_RUN)
		return;
	for (size_t i = 0; i < task->lane_count; i++)
		stop_fetching(task->lanes[i], why);
	if (!task->lanes)
		task_stop(task, GR_DEADLINE, why);
}

/* All is done but for what may be missing: that is no reason against the run. */
static bool ends_fetching(struct engine *engine, const char *why)
{
	struct run_event event = {.kind = RUN_NOTE, .text = why};

	if (!is_only_fetching(engine->main))
		return false;
	engine_emit(engine, &event);
	engine->is_late = true;
	stop_fetching(engine->main, why);
	return true;
}

static void on_limit(void *context)
{
	struct engine *engine = context;
	char span[CLOCK_TEXT_BYTES];
	GR_AUTO_FREE char *why = NULL;

	if (engine->stop || engine->phase != PHASE_STEPS)
		return;
	why = gr_printf("the run's timeout of %s is over (%s of it is kept for giving back, `finally` and reports)",
	        clock_format_span(engine->plan->timeout_ms, span), "cleanup_reserve");
	if (ends_fetching(engine, why))
		return;
	engine->stop = GR_DEADLINE;
	engine_problem(engine, GR_DEADLINE, NULL, NULL, "%s", why);
	set_grace(engine, engine_scaled(engine, engine->plan->cleanup_reserve_ms));
	lane_stop(engine->main, GR_DEADLINE, why);
}

void cancel_for_outage(struct engine *engine, const char *why)
{
	if (engine->stop || engine->phase != PHASE_STEPS)
		return;
	engine->stop = GR_NETWORK;
	engine_problem(engine, GR_NETWORK, NULL, NULL, "%s", why);
	set_grace(engine, engine_scaled(engine, engine->plan->cleanup_reserve_ms));
	lane_stop(engine->main, GR_NETWORK, why);
}

void cancel_init(struct engine *engine)
{
	int64_t limit = engine->plan->timeout_ms;

	loop_on_signal(engine->loop, on_signal, engine);
	if (limit == CLOCK_NEVER || limit <= 0)
		return;
	limit -= engine->plan->cleanup_reserve_ms;
	engine->limit.on_due = on_limit;
	engine->limit.context = engine;
	loop_timer_set(engine->loop, &engine->limit, engine->started_ms + engine_scaled(engine, limit > 0 ? limit : 0));
}
