/* A run that is gone on with counts on devices that an earlier process reserved. A reservation may have run out since,
 * or somebody released it by hand: the list of reservations tells, and it is said, for the device may be another's. It
 * is still given back at the end, as a list may lag. */
#include "runner/engine/run.h"

#include "runner/api/answer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

static const char *id_of(const struct resource *resource)
{
	return json_string_value(json_object_get(resource->arguments, "device_reservation_id"));
}

static bool is_listed(const json_t *list, const char *reservation)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		GR_AUTO_FREE char *id = answer_text(item, "device_reservation_id|id");

		if (text_equal(id, reservation))
			return true;
	}
	return false;
}

static void say_gone(struct engine *engine, const json_t *list)
{
	for (size_t i = 0; i < engine->held_count; i++) {
		const struct resource *resource = engine->held[i];

		if (resource->is_released || !id_of(resource) || is_listed(list, id_of(resource)))
			continue;
		engine_warn(engine, GR_DEVICE, NULL, NULL,
		        "%s is not in the server's list: it has run out, or somebody released it; the device may be in "
		        "others' hands, and what is still to be started takes it as it is",
		        resource->what);
	}
}

static void on_list(void *context, const struct call_result *result)
{
	struct engine *engine = context;
	GR_AUTO_JSON json_t *list = NULL;
	struct gr_error err = result->error;

	engine->still_held = NULL;
	if (result->outcome == CALL_DONE && answer_list(result->body, ANSWER_ROWS, &list, &err) == 0) {
		say_gone(engine, list);
		return;
	}
	engine_warn(engine, GR_DEVICE, NULL, NULL,
	        "whether the devices of the earlier process are still reserved is not known: %s", err.text);
}

void still_held_look(struct engine *engine)
{
	struct call_order order = {.operation = OP_RESERVE_DEVICE_LIST,
	        .policy = &retry_default,
	        .deadline_ms = CLOCK_NEVER,
	        .on_done = on_list,
	        .context = engine};
	size_t count = 0;

	for (size_t i = 0; i < engine->held_count; i++)
		count += id_of(engine->held[i]) != NULL;
	if (count == 0)
		return;
	order.arguments = json_pack("{s:s}", "timezone", "UTC");
	engine->still_held = call_start(engine, &order);
}

void still_held_release(struct engine *engine)
{
	call_cancel(engine->still_held);
	engine->still_held = NULL;
}
