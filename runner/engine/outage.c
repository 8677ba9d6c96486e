/* The server is out of reach: after so many failures in a row nothing new is sent, so that no start leaves into the
 * unknown and nobody is hammered. One question at a time finds out when it is over; what was held back goes on then. */
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/engine/run.h"

#define FAILURES_MOST 10
#define SPAN_LOW_MS 30000
#define SPAN_HIGH_MS 120000
#define RECHECK_MS 500 /* how often what is held back looks whether it may go on */

static void ask(void *context);

static void set_timer(struct engine *engine)
{
	struct outage *outage = &engine->outage;

	outage->timer.on_due = ask;
	outage->timer.context = engine;
	loop_timer_set(engine->loop, &outage->timer, loop_now(engine->loop) + engine_scaled(engine, outage->span_ms));
}

static int64_t spent(const struct engine *engine)
{
	const struct outage *outage = &engine->outage;

	return outage->spent_ms + (outage->is_open ? loop_now(engine->loop) - outage->since_ms : 0);
}

bool outage_begin(struct engine *engine)
{
	struct outage *outage = &engine->outage;

	if (outage->is_open || !outage->has_answered)
		return outage->is_open && !outage->is_over_budget;
	outage->is_open = true;
	outage->since_ms = loop_now(engine->loop);
	outage->span_ms = SPAN_LOW_MS;
	engine_warn(engine, GR_NETWORK, NULL, NULL,
	        "the server is out of reach: nothing new is sent until it answers again");
	set_timer(engine);
	return true;
}

static void close_outage(struct engine *engine)
{
	struct outage *outage = &engine->outage;

	outage->spent_ms = spent(engine);
	outage->is_open = outage->is_over_budget = false;
	outage->failures = 0;
	loop_timer_clear(engine->loop, &outage->timer);
	retry_bucket_init(&engine->bucket); /* what the outage cost is no reason to give up afterwards */
}

static void give_up(struct engine *engine)
{
	struct gr_error why = {0};

	engine->outage.is_over_budget = true;
	outage_error(engine, &why);
	cancel_for_outage(engine, why.text);
}

static void on_asked(void *context, const struct call_result *result)
{
	struct engine *engine = context;
	struct outage *outage = &engine->outage;

	outage->question = NULL;
	if (!outage->is_open)
		return; /* a release was answered meanwhile */
	if (result->outcome == CALL_DONE || result->outcome == CALL_REFUSED) {
		close_outage(engine);
		return;
	}
	if (spent(engine) >= engine_scaled(engine, engine->plan->server.outage_ms) && !outage->is_over_budget)
		give_up(engine);
	outage->span_ms = outage->span_ms * 2 < SPAN_HIGH_MS ? outage->span_ms * 2 : SPAN_HIGH_MS;
	if (!outage->is_over_budget)
		set_timer(engine);
}

/* A read that every account may do. */
static void ask(void *context)
{
	static const struct retry_policy once = {0};
	struct engine *engine = context;
	struct call_order order = {.operation = OP_GET_DEVICE_LIST,
	        .arguments = json_object(),
	        .policy = &once,
	        .deadline_ms = CLOCK_NEVER,
	        .passes_outage = true,
	        .on_done = on_asked,
	        .context = engine};

	if (!engine->outage.question)
		engine->outage.question = call_start(engine, &order);
}

bool outage_is_sign(enum attempt_verdict verdict, const struct transfer_result *result)
{
	switch (verdict) {
	case ATTEMPT_NOT_SENT:
	case ATTEMPT_THROTTLED:
	case ATTEMPT_OVERLOADED:
		return true;
	case ATTEMPT_BROKEN: /* a whole body that is no JSON: a page; a server that is there says 500 by itself */
		return result->curl_code || result->status < 300 || (result->status >= 502 && result->status <= 504);
	case ATTEMPT_HOPELESS:
	case ATTEMPT_ANSWERED:
	case ATTEMPT_REFUSED:
		return false;
	}
	return false;
}

void outage_note(struct engine *engine, enum attempt_verdict verdict, const struct transfer_result *result)
{
	struct outage *outage = &engine->outage;
	bool is_page = verdict == ATTEMPT_BROKEN && !result->curl_code && result->status < 300;

	if (verdict == ATTEMPT_HOPELESS)
		return;
	if (verdict == ATTEMPT_THROTTLED) {
		outage->has_answered = true; /* and neither begins an outage nor ends one */
		return;
	}
	if (!result->curl_code && result->status < 500 && !is_page) {
		outage->has_answered = true;
		outage->failures = 0;
		if (outage->is_open && !outage->is_over_budget)
			close_outage(engine);
		return;
	}
	outage->failures++;
	if (outage->failures >= FAILURES_MOST)
		(void)outage_begin(engine);
}

bool outage_holds(const struct engine *engine, int64_t *ret_wait_ms)
{
	if (!engine->outage.is_open)
		return false;
	*ret_wait_ms = engine->outage.is_over_budget ? CLOCK_NEVER : engine_scaled(engine, RECHECK_MS) + 1;
	return true;
}

bool outage_is_passed(const struct engine *engine)
{
	return engine->stop || engine->is_cleanup;
}

void outage_error(const struct engine *engine, struct gr_error *err)
{
	char span[CLOCK_TEXT_BYTES];

	(void)gr_fail(err, GR_NETWORK, 0,
	        "the server was out of reach for longer than %s (server.outage); `gridlane resume` goes on when it is "
	        "back",
	        clock_format_span(engine->plan->server.outage_ms, span));
}

void outage_release(struct engine *engine)
{
	call_cancel(engine->outage.question);
	engine->outage.question = NULL;
	if (engine->loop)
		loop_timer_clear(engine->loop, &engine->outage.timer);
}
