/* What the files behind a call share: call.c sends it, call_end.c ends it. */
#ifndef GRIDLANE_ENGINE_CALL_PRIVATE_H
#define GRIDLANE_ENGINE_CALL_PRIVATE_H

#include "runner/engine/run.h"

/* A token that a call needs and that is being asked for. Calls that need the same one wait together. */
struct lookup {
	struct engine *engine;
	char *handle;
	unsigned attempt;
	struct call *call;
	struct call **waiting;
	size_t waiting_count;
	struct gr_error error;
	struct lookup *next;
};

struct call {
	struct engine *engine;
	const struct operation *operation;
	struct call_order order;
	struct transfer *transfer;
	struct timer timer; /* the next attempt, or handing over the result */
	struct lookup *lookup; /* waited for */
	/* departure.c: its intent is in the journal, and not yet known to be on the disk */
	struct request *prepared;
	struct call *next_prepared;
	/* shared_read.c */
	struct call *next_offer, **offer_place; /* among those who may be joined, or NULL */
	struct call *asker; /* whose answer it waits for */
	struct call *sharers, *last_sharer, *next_sharer; /* who waits for its own */
	uint64_t question; /* a hash */
	bool is_sharing; /* this attempt has no request of its own */
	unsigned attempts, sends;
	int64_t first_ms, lock_ms; /* lock_ms: since when it waits for the start lock */
	bool is_finished, was_held_back;
	bool is_marked; /* marked.c */
	/* the result, kept until the loop hands it over */
	struct call_result result;
	json_t *body;
	char file_sha256[65];
};

/* It is proven that the request made nothing: for who reads the journal, in the detail of its answer. */
void call_note_undone(const struct call *call, json_t *detail);

/* One attempt leaves: for what is not to be done twice, its intent is on the disk. Failures are the call's end. */
void call_send(struct call *call, const struct request *request);

/* ---- departure.c ---- */
/* Its intent was emitted: it leaves in the next turn of the loop, when one wait for the disk has done for all that
 * came together. request: is taken over. */
void departure_add(struct call *call, struct request *request);
void departure_remove(struct call *call); /* it does not leave */

/* ---- shared_read.c: one request for all who ask the same before it leaves ---- */
/* true: the answer to another call's request, which has not left yet, is the answer to this one as well. */
bool shared_read_join(struct call *call);
void shared_read_offer(struct call *call); /* its request was made: while it has not left, others may join */
void shared_read_withdraw(struct call *call); /* nobody joins any more */
struct call *shared_read_next(struct call *asker); /* the next one that joined, which is on its own then; NULL: none */
void shared_read_leave(struct call *call); /* this one is going: those who joined ask anew */

void call_emit(struct call *call, enum run_event_kind kind, const char *text, json_t *detail);
void call_hand_over(void *context); /* the result to the one who asked; the call is gone then */

#endif
