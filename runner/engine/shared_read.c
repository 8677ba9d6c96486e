/* 1,000 lanes that begin at once ask for the same list. A request that still waits for a connection asks for all of
 * them: its answer is made after each has asked. One that has left answers nobody else, for its answer may be older
 * than the question; that a lost start is found again rests on this. */
#include <string.h>

#include "runner/base/memory.h"
#include "runner/engine/call_private.h"

/* FNV-1a over the operation and the arguments, in which handles stand for secrets. */
static uint64_t hash_question(const struct call *call)
{
	GR_AUTO_FREE char *text = json_dumps(call->order.arguments, JSON_COMPACT | JSON_SORT_KEYS);
	uint64_t hash = 0xcbf29ce484222325U ^ (uint64_t)call->order.operation;

	for (const char *at = text ? text : ""; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 0x100000001b3U;
	return hash;
}

/* The same question, and as urgent. */
static bool is_same(const struct call *left, const struct call *right)
{
	const struct call_order *a = &left->order, *b = &right->order;

	return left->question == right->question && a->operation == b->operation && a->answer_ms == b->answer_ms &&
	       a->is_quick == b->is_quick && a->is_timely == b->is_timely && a->passes_outage == b->passes_outage &&
	       json_equal(a->arguments, b->arguments);
}

bool shared_read_join(struct call *call)
{
	struct call *asker = call->engine->offers, *next;

	call->is_sharing = false;
	call->question = hash_question(call);
	for (; asker; asker = next) {
		next = asker->next_offer;
		if (!transfer_is_queued(asker->transfer))
			shared_read_withdraw(asker);
		else if (is_same(asker, call))
			break;
	}
	if (!asker)
		return false;
	call->is_sharing = true;
	call->asker = asker;
	call->next_sharer = NULL;
	if (asker->sharers)
		asker->last_sharer->next_sharer = call;
	else
		asker->sharers = call;
	asker->last_sharer = call;
	return true;
}

void shared_read_offer(struct call *call)
{
	struct engine *engine = call->engine;

	if (!call->transfer || !transfer_is_queued(call->transfer))
		return;
	call->next_offer = engine->offers;
	if (call->next_offer)
		call->next_offer->offer_place = &call->next_offer;
	call->offer_place = &engine->offers;
	engine->offers = call;
}

void shared_read_withdraw(struct call *call)
{
	if (!call->offer_place)
		return;
	*call->offer_place = call->next_offer;
	if (call->next_offer)
		call->next_offer->offer_place = call->offer_place;
	call->offer_place = NULL;
}

struct call *shared_read_next(struct call *asker)
{
	struct call *call = asker->sharers;

	if (!call)
		return NULL;
	asker->sharers = call->next_sharer;
	call->asker = NULL;
	return call;
}

void shared_read_leave(struct call *call)
{
	struct call **place, *other, *before = NULL;

	shared_read_withdraw(call);
	while ((other = shared_read_next(call)) != NULL)
		loop_timer_set(other->engine->loop, &other->timer, loop_now(other->engine->loop));
	if (!call->asker)
		return;
	for (place = &call->asker->sharers; *place != call; place = &before->next_sharer)
		before = *place;
	*place = call->next_sharer;
	if (call->asker->last_sharer == call)
		call->asker->last_sharer = before;
	call->asker = NULL;
}
