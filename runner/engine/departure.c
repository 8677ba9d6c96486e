/* What leaves a trace on the server leaves when its intent is on the disk. Intents that come together, of 1,000 lanes
 * that begin at once, wait for the disk once. */
#include "runner/api/request.h"
#include "runner/base/memory.h"
#include "runner/engine/call_private.h"

static void depart(void *context)
{
	struct engine *engine = context;
	struct call *call;

	engine_settle(engine);
	while ((call = engine->prepared.first) != NULL) {
		struct request *request = call->prepared;

		call->prepared = NULL; /* is freed here */
		engine->prepared.first = call->next_prepared;
		call_send(call, request);
		request_free(request);
	}
	engine->prepared.last = NULL;
}

void departure_add(struct call *call, struct request *request)
{
	struct engine *engine = call->engine;

	call->prepared = request;
	call->next_prepared = NULL;
	if (engine->prepared.first)
		engine->prepared.last->next_prepared = call;
	else
		engine->prepared.first = call;
	engine->prepared.last = call;
	engine->prepared.timer.on_due = depart;
	engine->prepared.timer.context = engine;
	loop_timer_set(engine->loop, &engine->prepared.timer, loop_now(engine->loop)); /* behind all that is due now */
}

void departure_remove(struct call *call)
{
	struct engine *engine = call->engine;
	struct call **place = &engine->prepared.first, *before = NULL;

	if (!call->prepared)
		return;
	while (*place != call) {
		before = *place;
		place = &before->next_prepared;
	}
	*place = call->next_prepared;
	if (engine->prepared.last == call)
		engine->prepared.last = before;
	request_free(gr_take(&call->prepared));
}
