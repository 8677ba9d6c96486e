#include "runner/engine/engine.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/engine/known.h"
#include "runner/engine/run.h"

#define TICK_MS 100

uint64_t engine_random(void)
{
	uint64_t value;

	number_random(&value, sizeof(value));
	return value;
}

int64_t engine_scaled(const struct engine *engine, int64_t span_ms)
{
	double scale = engine->options->time_scale;

	if (span_ms == CLOCK_NEVER || scale <= 0 || (scale > 0.999 && scale < 1.001))
		return span_ms;
	return (int64_t)((double)span_ms / scale);
}

void engine_emit(struct engine *engine, struct run_event *event)
{
	struct gr_error err = {0};

	event->now_ms = clock_now_ms();
	event->wall_ms = clock_wall_ms();
	if (results_apply(&engine->results, event, &err) < 0 && !engine->broken.failure)
		engine->broken = err;
	for (size_t i = 0; i < engine->options->reader_count; i++) {
		struct event_reader *reader = &engine->options->readers[i];

		if (reader->event && reader->event(reader->state, event, &err) < 0 && !engine->broken.failure)
			engine->broken = err;
	}
	if (event->kind == STEP_LEARNED)
		starts_note(engine, event->lane, event->step, event->detail);
	broken_follow(engine, event);
}

void engine_settle(struct engine *engine)
{
	struct gr_error err = {0};

	for (size_t i = 0; i < engine->options->reader_count; i++) {
		struct event_reader *reader = &engine->options->readers[i];

		if (reader->settle && reader->settle(reader->state, &err) < 0 && !engine->broken.failure)
			engine->broken = err;
	}
	broken_follow(engine, NULL);
}

static void on_settling(void *context)
{
	engine_settle(context);
}

void engine_settle_soon(struct engine *engine)
{
	if (engine->settling.place)
		return;
	engine->settling.on_due = on_settling;
	engine->settling.context = engine;
	loop_timer_set(engine->loop, &engine->settling, loop_now(engine->loop));
}

static void say(struct engine *engine, struct run_event *event, const char *format, va_list args)
        __attribute__((format(printf, 3, 0)));
static void say(struct engine *engine, struct run_event *event, const char *format, va_list args)
{
	GR_AUTO_FREE char *text = gr_vprintf(format, args);

	event->kind = RUN_PROBLEM;
	event->text = text;
	engine_emit(engine, event);
}

void engine_problem(
        struct engine *engine, enum gr_failure failure, const char *lane, const char *step, const char *format, ...)
{
	struct run_event event = {.failure = failure, .lane = lane, .step = step};
	va_list args;

	va_start(args, format);
	say(engine, &event, format, args);
	va_end(args);
}

void engine_warn(
        struct engine *engine, enum gr_failure failure, const char *lane, const char *step, const char *format, ...)
{
	struct run_event event = {.failure = failure, .lane = lane, .step = step, .done = 1};
	va_list args;

	va_start(args, format);
	say(engine, &event, format, args);
	va_end(args);
}

/* ---- phases ---- */

static void begin_release(struct engine *engine)
{
	engine->phase = PHASE_RELEASE;
	marked_look(engine);
	resources_release_all(engine, engine->stop == GR_CANCELLED);
	engine_advance(engine);
}

static void on_finally_end(struct lane *lane)
{
	begin_release(lane->engine);
}

static void on_main_end(struct lane *lane)
{
	struct engine *engine = lane->engine;

	loop_timer_clear(engine->loop, &engine->limit);
	if (engine->plan->finally_count == 0) {
		begin_release(engine);
		return;
	}
	engine->phase = PHASE_FINALLY;
	engine->finally = lane_new(engine, NULL, "finally");
	engine->finally->is_finally = true;
	engine->finally->steps = engine->plan->finally;
	engine->finally->count = engine->plan->finally_count;
	(void)json_object_update(engine->finally->done, engine->main->done);
	engine->finally->on_end = on_finally_end;
	lane_begin(engine->finally);
}

void engine_advance(struct engine *engine)
{
	if (engine->phase != PHASE_RELEASE || !marked_is_settled(engine) || !resources_are_settled(engine))
		return;
	engine->phase = PHASE_OVER;
	loop_stop(engine->loop);
}

/* ---- beginning and end ---- */

static void on_tick(void *context)
{
	struct engine *engine = context;

	moving_say(engine);
	engine->options->on_tick(engine->options->user, loop_now(engine->loop));
	loop_timer_set(engine->loop, &engine->tick, loop_now(engine->loop) + TICK_MS);
}

static bool has_test_steps(const struct plan_step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) /* a matrix inside a matrix is as deep as the file's own depth limit */
		if (steps[i].kind ? (steps[i].kind->flags & KIND_RUNS_TESTS) != 0
		                  : has_test_steps(steps[i].steps, steps[i].step_count))
			return true;
	return false;
}

static int start(struct engine *engine, struct gr_error *err)
{
	int r = loop_new(
	        engine->plan->server.max_connections ? engine->plan->server.max_connections : 8, &engine->loop, err);

	if (r < 0)
		return r;
	engine->started_ms = loop_now(engine->loop);
	engine->main = lane_new(engine, NULL, "main");
	engine->main->steps = engine->plan->steps;
	engine->main->count = engine->plan->step_count;
	engine->main->on_end = on_main_end;
	r = scope_init(engine, err);
	if (r == 0)
		r = server_init(engine, err);
	if (r == 0)
		r = identity_check(engine, err);
	if (r == 0 && has_test_steps(engine->plan->steps, engine->plan->step_count))
		start_lock_open(engine);
	return r;
}

static void say_started(struct engine *engine)
{
	GR_AUTO_JSON json_t *detail = json_pack("{s:s, s:s?, s:s, s:b, s:I, s:b}", "run_id", engine->options->run_id,
	        "server", engine->base_url, "file", engine->plan->file, "sandbox", engine->options->server_url != NULL,
	        "steps", (json_int_t)engine->plan->step_count, "test_steps",
	        has_test_steps(engine->plan->steps, engine->plan->step_count));
	GR_AUTO_FREE char *print = identity_token_print(engine);
	struct run_event event = {.kind = RUN_STARTED, .text = engine->plan->name, .detail = detail};

	if (print)
		(void)json_object_set_new(detail, "token_print", json_string(print));
	if (engine->options->environment)
		(void)json_object_set_new(detail, "environment", json_deep_copy(engine->options->environment));
	engine_emit(engine, &event);
}

static void take_over_held(struct engine *engine)
{
	const json_t *held;
	size_t i;

	if (!engine->options->replay)
		return;
	engine->results.is_resumed = true;
	engine->outage.has_answered =
	        engine->options->replay->has_answered; /* else it would be no outage but a mistake */
	json_array_foreach (engine->options->replay->held, i, held)
		resources_add(engine, NULL, NULL, held);
	marked_recall(engine);
}

static int go(struct engine *engine, struct gr_error *err)
{
	cancel_init(engine);
	if (engine->options->on_tick) {
		engine->tick.on_due = on_tick;
		engine->tick.context = engine;
		loop_timer_set(engine->loop, &engine->tick, engine->started_ms + TICK_MS);
	}
	take_over_held(engine);
	still_held_look(engine);
	starts_recall(engine);
	lane_begin(engine->main);
	return loop_run(engine->loop, err);
}

static void judge(struct engine *engine)
{
	known_complete(engine);
	if (engine->broken.failure && !engine->is_broken_said) /* no matter of the disk: a mistake of ours */
		engine_problem(engine, engine->broken.failure, NULL, NULL, "%s", engine->broken.text);
	quarantine_end(engine);
	gate_judge(engine);
	engine->results.elapsed_ms = clock_now_ms() - engine->started_ms;
	engine->results.requests = engine->requests;
	results_judge(&engine->results);
}

static void release(struct engine *engine)
{
	outage_release(engine);
	marked_release(engine);
	still_held_release(engine);
	lane_free(engine->finally);
	lane_free(engine->main);
	resources_free(engine);
	call_free_lookups(engine);
	loop_free(engine->loop);
	commands_free(engine);
	start_lock_close(engine);
	server_release(engine);
	vault_free(engine->vault);
	scope_release(engine);
	json_decref(engine->starts);
	json_decref(engine->started);
}

static void init(struct engine *engine, const struct plan *plan, const struct engine_options *options)
{
	*engine = (struct engine){.plan = plan, .options = options};
	engine->vault = vault_new(options->redactor);
	retry_bucket_init(&engine->bucket);
	/* set by RUN_STARTED as well; here for a run that cannot even begin */
	engine->results.run_id = gr_strdup(options->run_id);
	engine->results.pipeline = gr_strdup(plan->name);
	engine->results.file = gr_strdup(plan->file);
	engine->results.tool = gr_strdup("gridlane " GRIDLANE_VERSION);
	engine->results.started_wall_ms = clock_wall_ms();
	engine->results.is_sandbox = options->server_url != NULL;
	engine->started_ms = clock_now_ms();
}

int engine_run(const struct plan *plan, const struct engine_options *options, struct results *ret_results,
        struct gr_error *err)
{
	struct engine engine;
	struct gr_error first = {0};
	int r;

	init(&engine, plan, options);
	r = start(&engine, &first);
	if (r == 0) {
		say_started(&engine);
		identity_compare_token(&engine);
		engine_enclose(&engine);
		r = go(&engine, &first);
	}
	if (r < 0) {
		engine_problem(&engine, first.failure, NULL, NULL, "%s", first.text);
		if (err)
			*err = first;
	}
	judge(&engine);
	release(&engine);
	gr_trim(); /* of what 1,000 lanes had; the reports need room of their own */
	*ret_results = engine.results;
	return r;
}

int engine_cleanup(const struct plan *plan, const struct engine_options *options, struct results *ret_results,
        struct gr_error *err)
{
	struct engine engine;
	int r;

	init(&engine, plan, options);
	engine.is_cleanup = true;
	r = start(&engine, err);
	if (r == 0) {
		say_started(&engine);
		identity_compare_token(&engine);
		cancel_init(&engine);
		take_over_held(&engine);
		begin_release(&engine);
		r = engine.phase == PHASE_OVER ? 0 : loop_run(engine.loop, err);
	}
	release(&engine);
	*ret_results = engine.results;
	return r;
}
