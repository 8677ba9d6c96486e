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
	unsigned attempts, sends;
	int64_t first_ms, lock_ms; /* lock_ms: since when it waits for the start lock */
	bool is_finished, was_held_back;
	/* the result, kept until the loop hands it over */
	struct call_result result;
	json_t *body;
	char file_sha256[65];
};

void call_emit(struct call *call, enum run_event_kind kind, const char *text, json_t *detail);
void call_hand_over(void *context); /* the result to the one who asked; the call is gone then */

#endif
