/* A reservation that was asked for and whose answer got lost, by a process that was killed or by a connection that
 * broke, may hold a device. It carries the run's key in its comment: the server's list tells. */
#include "runner/api/answer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/engine/journal.h"
#include "runner/engine/run.h"

void marked_note_lost(struct engine *engine, const struct operation *operation)
{
	if (operation == operation_get(OP_RESERVE_DEVICE))
		engine->has_lost_reservation = true;
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
	GR_AUTO_FREE char *marker = gr_printf("[gr:%s]", engine->options->run_key);
	GR_AUTO_JSON json_t *list = NULL;
	const json_t *item;
	size_t i;

	if (result->outcome != CALL_DONE) {
		*err = result->error;
		return -(int)GR_RELEASE;
	}
	if (answer_list(result->body, "data", &list, err) < 0)
		return -(int)GR_RELEASE;
	json_array_foreach (list, i, item) {
		GR_AUTO_FREE char *comment = answer_text(item, "comments|comment");

		if (comment && text_contains_nocase(comment, marker))
			take_over(engine, item);
	}
	return 0;
}

static void on_list(void *context, const struct call_result *result)
{
	struct engine *engine = context;
	struct gr_error err = {0};

	engine->marked = NULL;
	if (take_list(engine, result, &err) < 0)
		engine_problem(engine, GR_RELEASE, NULL, NULL,
		        "a reservation was asked for without an answer, and the reservations cannot be listed (%s): a "
		        "device may be held; `gridlane cleanup` looks again",
		        err.text);
	else
		engine->has_lost_reservation = false;
	resources_release_all(engine, engine->stop == GR_CANCELLED);
	engine_advance(engine);
}

void marked_look(struct engine *engine)
{
	struct call_order order = {.operation = OP_RESERVE_DEVICE_LIST,
	        .policy = &retry_default,
	        .is_quick = engine->stop == GR_CANCELLED,
	        .passes_outage = true,
	        .deadline_ms = CLOCK_NEVER,
	        .on_done = on_list,
	        .context = engine};
	const struct replay *replay = engine->options->replay;

	if (!engine->has_lost_reservation && !(replay && replay->lost_reservations > 0))
		return;
	order.arguments = json_pack("{s:s}", "timezone", "UTC");
	engine->marked = call_start(engine, &order);
}
