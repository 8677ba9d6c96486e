/* What the run holds and must give back, on every way out. A release counts when the server said yes, or when the list
 * of reservations no longer shows it. */
#include "runner/engine/run.h"

#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"

/* A page in place of an answer: asked again after so long. */
static const int64_t page_after_ms[] = {500, 2000, 5000};
#define QUICK_AGAIN_MS 200

static void say(struct engine *engine, enum run_event_kind kind, const struct resource *resource, enum outcome outcome)
{
	GR_AUTO_JSON json_t *detail = json_pack("{s:s, s:s, s:O}", "key", resource->key, "operation",
	        operation_get(resource->operation)->id, "arguments", resource->arguments);
	struct run_event event = {.kind = kind, .text = resource->what, .outcome = outcome, .detail = detail};

	engine_emit(engine, &event);
}

static struct resource *find(const struct engine *engine, const char *key)
{
	for (size_t i = 0; i < engine->held_count; i++)
		if (strcmp(engine->held[i]->key, key) == 0)
			return engine->held[i];
	return NULL;
}

static void release(struct resource *resource, bool is_quick);

void resources_add(struct engine *engine, const char *lane, const char *step, const json_t *acquired)
{
	const char *key = json_string_value(json_object_get(acquired, "key"));
	const char *name = json_string_value(json_object_get(acquired, "operation"));
	const struct operation *operation = name ? operation_find(name) : NULL;
	struct resource *resource;

	if (!key || !operation) {
		engine_problem(engine, GR_INTERNAL, lane, step, "a resource without a key or a way to give it back");
		return;
	}
	if (find(engine, key))
		return;
	resource = gr_alloc(1, sizeof(*resource));
	resource->engine = engine;
	resource->key = gr_strdup(key);
	resource->what = gr_strdup(json_string_value(json_object_get(acquired, "what")));
	resource->operation = (enum operation_id)(operation - operation_get(0));
	resource->arguments = json_incref(json_object_get(acquired, "arguments"));
	engine->held = gr_grow(engine->held, engine->held_count, sizeof(*engine->held));
	engine->held[engine->held_count++] = resource;
	say(engine, RUN_RESOURCE_HELD, resource, OUTCOME_PASSED);
	marked_note_held(engine, resource->operation);
	resource->is_early = json_is_true(json_object_get(acquired, "at_once"));
	if (resource->is_early)
		release(resource, false);
}

static void mark_released(struct resource *resource)
{
	if (resource->is_released)
		return;
	resource->is_released = true;
	say(resource->engine, RUN_RESOURCE_RELEASED, resource, OUTCOME_PASSED);
}

static bool is_under_way(const struct resource *resource)
{
	return resource->call || resource->again.place;
}

static void stop(struct resource *resource)
{
	call_cancel(resource->call);
	resource->call = NULL;
	if (resource->engine->loop)
		loop_timer_clear(resource->engine->loop, &resource->again);
}

void resources_mark_released(struct engine *engine, const char *key)
{
	struct resource *resource = find(engine, key);

	if (resource)
		mark_released(resource);
}

static void give_up(struct resource *resource)
{
	if (resource->is_early) { /* the end tries again */
		resource->error = (struct gr_error){0};
		resource->checks = 0;
		return;
	}
	engine_problem(resource->engine, GR_RELEASE, NULL, NULL,
	        "%s may still be held: %s; `gridlane cleanup` tries again, the web console shows it", resource->what,
	        resource->error.text);
	say(resource->engine, RUN_RESOURCE_RELEASED, resource, OUTCOME_ERROR);
}

static bool list_shows(const json_t *body, const char *reservation)
{
	GR_AUTO_JSON json_t *list = NULL;
	const json_t *item;
	size_t i;

	if (answer_list(body, ANSWER_ROWS, &list, NULL) < 0)
		return true; /* an answer that cannot be read proves nothing */
	json_array_foreach (list, i, item) {
		GR_AUTO_FREE char *id = answer_text(item, "device_reservation_id|id");

		if (!id || strcmp(id, reservation) == 0)
			return true; /* a row without an id may be any */
	}
	return false;
}

static void on_list(void *context, const struct call_result *result)
{
	struct resource *resource = context;
	GR_AUTO_FREE char *id = answer_text(resource->arguments, "device_reservation_id");

	resource->call = NULL;
	if (result->outcome == CALL_DONE && id && !list_shows(result->body, id))
		mark_released(resource);
	else
		give_up(resource);
	engine_advance(resource->engine);
}

/* The release was refused or its answer was lost: does the list of reservations still show it? */
static bool look(struct resource *resource, bool is_quick)
{
	struct call_order order = {.operation = OP_RESERVE_DEVICE_LIST,
	        .policy = &retry_default,
	        .is_quick = is_quick,
	        .passes_outage = outage_is_passed(resource->engine),
	        .deadline_ms = CLOCK_NEVER,
	        .on_done = on_list,
	        .context = resource};

	if (resource->checks++ || !json_object_get(resource->arguments, "device_reservation_id"))
		return false;
	order.arguments = json_pack("{s:s}", "timezone", "UTC");
	resource->call = call_start(resource->engine, &order);
	return true;
}

/* Under a signal: two quick attempts inside the grace budget (reliability: class C). */
static const struct retry_policy quick_policy = {
        .max = 1, .backoff_low_ms = 50, .backoff_high_ms = 200, .budget_ms = 4000};

static void on_released(void *context, const struct call_result *result);

static void send(struct resource *resource, enum operation_id operation)
{
	struct call_order order = {.operation = operation,
	        .arguments = json_incref(resource->arguments),
	        .policy = resource->is_quick ? &quick_policy : &retry_default,
	        .is_quick = resource->is_quick,
	        .passes_outage = outage_is_passed(resource->engine),
	        .deadline_ms = CLOCK_NEVER,
	        .on_done = on_released,
	        .context = resource};

	resource->sent = operation;
	resource->call = call_start(resource->engine, &order);
}

/* A reservation is released once its time has begun, and cancelled before; whether it has is the server's to say. */
static bool send_other(struct resource *resource, const struct call_result *result)
{
	if (result->outcome != CALL_REFUSED || result->error.failure == GR_AUTH ||
	        resource->sent != resource->operation)
		return false;
	if (resource->operation == OP_RELEASE_RESERVE_DEVICE)
		send(resource, OP_CANCEL_RESERVE_DEVICE);
	else if (resource->operation == OP_CANCEL_RESERVE_DEVICE)
		send(resource, OP_RELEASE_RESERVE_DEVICE);
	else
		return false;
	return true;
}

static void send_again(void *context)
{
	struct resource *resource = context;

	send(resource, resource->sent);
}

/* A web page with a status that would be a no: a proxy's or a gateway's, not the server's own. */
static bool is_page(struct resource *resource, const struct call_result *result)
{
	struct loop *loop = resource->engine->loop;

	if (result->outcome != CALL_REFUSED || result->body || result->error.failure == GR_AUTH ||
	        resource->pages >= GR_COUNT(page_after_ms))
		return false;
	resource->again.on_due = send_again;
	resource->again.context = resource;
	loop_timer_set(loop, &resource->again,
	        loop_now(loop) + (resource->is_quick
	                                         ? QUICK_AGAIN_MS
	                                         : engine_scaled(resource->engine, page_after_ms[resource->pages])));
	resource->pages++;
	return true;
}

static void keep_error(struct resource *resource, const struct gr_error *error)
{
	GR_AUTO_FREE char *first = gr_strdup(resource->error.text);

	if (!resource->error.failure) {
		resource->error = *error;
		return;
	}
	resource->error = (struct gr_error){0};
	(void)gr_fail(&resource->error, error->failure, 0, "%s; %s", first, error->text);
}

static void on_released(void *context, const struct call_result *result)
{
	struct resource *resource = context;

	resource->call = NULL;
	if (result->outcome == CALL_DONE) {
		mark_released(resource);
		engine_advance(resource->engine);
		return;
	}
	if (is_page(resource, result))
		return;
	keep_error(resource, &result->error);
	if (send_other(resource, result) || look(resource, resource->is_quick))
		return;
	give_up(resource);
	engine_advance(resource->engine);
}

static void release(struct resource *resource, bool is_quick)
{
	int64_t wait_ms;

	if (is_quick && !resource->is_quick && outage_holds(resource->engine, &wait_ms))
		stop(resource); /* it was held back: now it is sent whatever the server is like */
	if (resource->is_released || is_under_way(resource) || resource->error.failure)
		return;
	resource->is_quick = is_quick;
	send(resource, resource->operation);
}

void resources_release_all(struct engine *engine, bool is_quick)
{
	for (size_t i = 0; i < engine->held_count; i++) {
		engine->held[i]->is_early = false;
		release(engine->held[i], is_quick);
	}
}

void resources_give_up(struct engine *engine)
{
	for (size_t i = 0; i < engine->held_count; i++) {
		struct resource *resource = engine->held[i];

		if (resource->is_released || (!is_under_way(resource) && resource->error.failure))
			continue;
		stop(resource);
		(void)gr_fail(&resource->error, GR_RELEASE, 0, "there was no time left to see the release confirmed");
		give_up(resource);
	}
	if (!marked_is_settled(engine) || marked_is_owed(engine))
		engine_problem(engine, GR_RELEASE, NULL, NULL,
		        "a reservation was asked for without a sure answer, and there was no time left to look for it: "
		        "a device may be held; `gridlane cleanup` looks again");
	marked_release(engine);
}

bool resources_are_settled(const struct engine *engine)
{
	for (size_t i = 0; i < engine->held_count; i++)
		if (is_under_way(engine->held[i]))
			return false;
	return true;
}

void resources_free(struct engine *engine)
{
	for (size_t i = 0; i < engine->held_count; i++) {
		struct resource *resource = engine->held[i];

		stop(resource);
		gr_free(resource->key);
		gr_free(resource->what);
		json_decref(resource->arguments);
		gr_free(resource);
	}
	gr_free(engine->held);
}
