/* The end of a call: what came of it is handed over, or nobody waits for it any more. */
#include "runner/base/memory.h"
#include "runner/engine/call_private.h"
#include "runner/engine/journal.h"

void call_emit(struct call *call, enum run_event_kind kind, const char *text, json_t *detail)
{
	struct run_event event = {
	        .kind = kind, .lane = call->order.lane, .step = call->order.step, .text = text, .detail = detail};

	engine_emit(call->engine, &event);
}

void call_hand_over(void *context)
{
	struct call *call = context;
	struct call_result result = call->result;

	result.body = call->body;
	result.body_owner = &call->body;
	result.attempts = call->sends;
	result.file_sha256 = call->file_sha256[0] ? call->file_sha256 : NULL;
	call->order.on_done(call->order.context, &result);
	call_cancel(call);
}

static void leave_lookup(struct call *call)
{
	struct lookup *lookup = call->lookup;
	size_t kept = 0;

	if (!lookup)
		return;
	for (size_t i = 0; i < lookup->waiting_count; i++)
		if (lookup->waiting[i] != call)
			lookup->waiting[kept++] = lookup->waiting[i];
	lookup->waiting_count = kept;
}

void call_cancel(struct call *call)
{
	if (!call)
		return;
	leave_lookup(call);
	departure_remove(call);
	shared_read_leave(call);
	loop_timer_clear(call->engine->loop, &call->timer);
	if (call->transfer) {
		if (call->is_marked)
			marked_note_lost(call->engine);
		transfer_cancel(call->transfer);
	}
	json_decref(call->body);
	json_decref(call->order.arguments);
	gr_free(call);
}

void call_note_undone(const struct call *call, json_t *detail)
{
	(void)json_object_set_new(detail, JOURNAL_UNDONE, json_true());
	if (call->is_marked)
		(void)json_object_set_new(detail, JOURNAL_MARKED, json_true());
}

/* It has not left, or not as a whole: the server cannot have acted on it. */
static void withdraw(struct call *call, const struct gr_error *why)
{
	GR_AUTO_JSON json_t *detail = json_pack("{s:i}", "status", 0);

	if (call->transfer || call->prepared) {
		call_note_undone(call, detail);
		call_emit(call, STEP_ANSWER, call->operation->id, detail);
	}
	departure_remove(call);
	if (call->transfer) {
		transfer_cancel(call->transfer);
		call->transfer = NULL;
		if (call->is_marked)
			marked_note_undone(call->engine);
	}
	call->result.outcome = CALL_NOT_SENT;
	call->result.error = (struct gr_error){0};
	(void)gr_fail(&call->result.error, why->failure, 0, "%s, and %s was not done", why->text, call->operation->id);
}

bool call_conclude(struct call *call, const struct gr_error *why)
{
	if (!call || operation_may_repeat(call->operation))
		return false;
	if (!call->is_finished && call->transfer && transfer_sent(call->transfer) == SENT_ALL)
		return false;
	if (!call->is_finished)
		withdraw(call, why);
	call_hand_over(call);
	return true;
}

const struct transfer *call_transfer(const struct call *call, const char **ret_file)
{
	const struct operation *operation = call ? call->operation : NULL;

	*ret_file = NULL;
	for (const struct parameter *at = operation ? operation->parameters : NULL; at && at->name; at++)
		if (at->flags & PARAMETER_FILE)
			*ret_file = json_string_value(json_object_get(call->order.arguments, at->name));
	return call ? call->transfer : NULL;
}

const char *call_committed(const struct call *call)
{
	bool leaves_trace = call && call->operation->repeat != CLASS_READ && call->operation->repeat != CLASS_WRITE;

	return leaves_trace && call->transfer ? call->operation->id : NULL;
}
