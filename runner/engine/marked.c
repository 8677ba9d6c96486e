/* A reservation that was asked for and whose answer got lost, by a process that was killed or by a connection that
 * broke, may hold a device; and so may one that was refused, by a gateway that gave up on a server which did not. It
 * carries the run's key in its comment: the server's list tells. */
#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/engine/journal.h"
#include "runner/engine/run.h"
#include "runner/steps/common.h"

/* When to look again, in ms after the request. Later than the last one an empty list is believed. */
static const int64_t look_after_ms[] = {2000, 5000, 10000, 20000, 40000, 60000};

bool marked_is(const struct operation *operation, const json_t *arguments)
{
	const char *comment = json_string_value(json_object_get(arguments, "comments"));

	return operation == operation_get(OP_RESERVE_DEVICE) && comment && strstr(comment, RUN_MARK);
}

void marked_recall(struct engine *engine)
{
	const struct replay *replay = engine->options->replay;

	if (!replay)
		return;
	engine->marked.is_doubted = replay->doubts_reservations;
	if (!replay->lost_reservations)
		return;
	engine->marked.open = replay->lost_reservations;
	engine->marked.since_ms = loop_now(engine->loop) - replay_since_reservation(replay);
}

void marked_note_sent(struct engine *engine)
{
	engine->marked.open++;
	marked_note_lost(engine); /* until something else is known */
}

void marked_note_undone(struct engine *engine)
{
	if (engine->marked.open)
		engine->marked.open--;
}

void marked_note_refused(struct engine *engine)
{
	engine->marked.is_doubted = true;
}

void marked_note_lost(struct engine *engine)
{
	engine->marked.since_ms = loop_now(engine->loop);
}

void marked_note_held(struct engine *engine, enum operation_id gives_back)
{
	bool is_held = gives_back == OP_RELEASE_RESERVE_DEVICE || gives_back == OP_CANCEL_RESERVE_DEVICE;

	if (is_held && engine->marked.open)
		engine->marked.open--;
}

static void take_over(struct engine *engine, const json_t *item)
{
	GR_AUTO_FREE char *id = answer_text(item, "device_reservation_id|id");
	GR_AUTO_FREE char *device = answer_text(item, "device_name|device_id");
	GR_AUTO_FREE char *key = gr_printf("reservation/%s", id ? id : "");
	GR_AUTO_FREE char *what = gr_printf("reservation %s of %s", id ? id : "", device ? device : "a device");
	GR_AUTO_JSON json_t *acquired = json_pack("{s:s, s:s, s:s, s:{s:s}}", "key", key, "what", what, "operation",
	        "release_reserve_device", "arguments", "device_reservation_id", id ? id : "");

	if (id)
		resources_add(engine, NULL, NULL, acquired);
}

static int take_list(struct engine *engine, const struct call_result *result, struct gr_error *err)
{
	GR_AUTO_FREE char *marker = gr_printf(RUN_MARK "%s]", engine->options->run_key);
	GR_AUTO_JSON json_t *list = NULL;
	const json_t *item;
	size_t i;

	if (result->outcome != CALL_DONE) {
		*err = result->error;
		return -(int)GR_RELEASE;
	}
	if (answer_list(result->body, ANSWER_ROWS, &list, err) < 0)
		return -(int)GR_RELEASE;
	json_array_foreach (list, i, item) {
		GR_AUTO_FREE char *comment = answer_text(item, "comments|comment");

		if (comment && text_contains_nocase(comment, marker))
			take_over(engine, item);
	}
	return 0;
}

static void look(void *context);

/* In the list by then, or not at all. */
static void look_again(struct engine *engine)
{
	struct marked *marked = &engine->marked;
	struct run_event event = {.kind = RUN_NOTE,
	        .text = "a reservation was asked for and its answer never came; the server's list does not show it "
	                "yet, and is asked again"};

	for (size_t i = 0; marked->open && i < GR_COUNT(look_after_ms); i++) {
		int64_t at_ms = marked->since_ms + engine_scaled(engine, look_after_ms[i]);

		if (at_ms <= loop_now(engine->loop))
			continue;
		engine_emit(engine, &event);
		marked->again.on_due = look;
		marked->again.context = engine;
		loop_timer_set(engine->loop, &marked->again, at_ms);
		return;
	}
}

static void on_list(void *context, const struct call_result *result)
{
	struct engine *engine = context;
	struct gr_error err = {0};

	engine->marked.call = NULL;
	engine->marked.has_looked = true;
	if (take_list(engine, result, &err) < 0)
		engine_problem(engine, GR_RELEASE, NULL, NULL,
		        "a reservation was %s, and the reservations cannot be listed (%s): a device may be held; "
		        "`gridlane cleanup` looks again",
		        engine->marked.open ? "asked for without an answer" : "refused", err.text);
	else
		look_again(engine);
	resources_release_all(engine, engine->stop == GR_CANCELLED);
	engine_advance(engine);
}

static void look(void *context)
{
	struct engine *engine = context;
	struct call_order order = {.operation = OP_RESERVE_DEVICE_LIST,
	        .policy = &retry_default,
	        .is_quick = engine->stop == GR_CANCELLED,
	        .passes_outage = outage_is_passed(engine),
	        .deadline_ms = CLOCK_NEVER,
	        .on_done = on_list,
	        .context = engine};

	order.arguments = json_pack("{s:s}", "timezone", "UTC");
	engine->marked.call = call_start(engine, &order);
}

void marked_look(struct engine *engine)
{
	if (engine->marked.open || engine->marked.is_doubted)
		look(engine);
}

bool marked_is_owed(const struct engine *engine)
{
	return (engine->marked.open || engine->marked.is_doubted) && !engine->marked.has_looked;
}

bool marked_is_settled(const struct engine *engine)
{
	return !engine->marked.call && !engine->marked.again.place;
}

void marked_release(struct engine *engine)
{
	call_cancel(engine->marked.call);
	engine->marked.call = NULL;
	if (engine->loop)
		loop_timer_clear(engine->loop, &engine->marked.again);
}
