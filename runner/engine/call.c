#include "runner/engine/call_private.h"

#include <string.h>

#include "runner/api/answer.h"
#include "runner/api/request.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/engine/journal.h"

static void attempt(void *context);

static void finish(struct call *call, enum call_outcome outcome)
{
	if (outcome == CALL_LOST && call->is_marked)
		marked_note_lost(call->engine);
	call->result.outcome = outcome;
	call->is_finished = true;
	call->timer.on_due = call_hand_over;
	call->timer.context = call;
	loop_timer_set(call->engine->loop, &call->timer, loop_now(call->engine->loop));
}

static enum call_outcome outcome_when_unsent(const struct call *call)
{
	return operation_may_repeat(call->operation) ? CALL_FAILED : CALL_NOT_SENT;
}

/* ---- tokens that are not known yet ---- */

static void lookup_end(struct lookup *lookup)
{
	struct lookup **place = &lookup->engine->lookups;
	struct call **waiting = lookup->waiting;
	size_t count = lookup->waiting_count;
	bool is_known;

	while (*place != lookup)
		place = &(*place)->next;
	*place = lookup->next;
	for (size_t i = 0; i < count; i++) {
		GR_AUTO_JSON json_t *one = json_pack("{s:s}", "handle", lookup->handle);

		is_known = !vault_missing(lookup->engine->vault, one);
		waiting[i]->lookup = NULL;
		if (is_known) {
			loop_timer_set(lookup->engine->loop, &waiting[i]->timer, loop_now(lookup->engine->loop));
			continue;
		}
		waiting[i]->result.error = lookup->error;
		finish(waiting[i], lookup->error.failure == GR_SERVER ? CALL_REFUSED : outcome_when_unsent(waiting[i]));
	}
	gr_free(waiting);
	gr_free(lookup->handle);
	gr_free(lookup);
}

static void lookup_ask(struct lookup *lookup);

static void on_looked_up(void *context, const struct call_result *result)
{
	struct lookup *lookup = context;
	GR_AUTO_JSON json_t *one = json_pack("{s:s}", "handle", lookup->handle);

	lookup->call = NULL;
	if (!vault_missing(lookup->engine->vault, one)) {
		lookup_end(lookup);
		return;
	}
	if (result->outcome == CALL_DONE)
		(void)gr_fail(&lookup->error, GR_PROTOCOL, 0, "the server's answer does not name the token of %s",
		        strchr(lookup->handle, ':') + 1);
	else
		lookup->error = result->error;
	lookup->attempt++;
	lookup_ask(lookup);
}

static void lookup_ask(struct lookup *lookup)
{
	struct call_order order = {
	        .policy = &retry_default, .deadline_ms = CLOCK_NEVER, .on_done = on_looked_up, .context = lookup};

	if (strcmp(lookup->handle, VAULT_USER_TOKEN) == 0) {
		if (lookup->attempt || !lookup->engine->password) {
			lookup_end(lookup);
			return;
		}
		order.operation = OP_GET_USER_TOKEN;
		order.arguments =
		        json_pack("{s:s, s:s}", "email", lookup->engine->email, "password", lookup->engine->password);
	} else if (!vault_lookup(lookup->handle, lookup->attempt, &order.operation, &order.arguments)) {
		lookup_end(lookup);
		return;
	}
	lookup->call = call_start(lookup->engine, &order);
}

static void wait_for_token(struct call *call, const char *handle)
{
	struct lookup *lookup = call->engine->lookups;

	while (lookup && strcmp(lookup->handle, handle) != 0)
		lookup = lookup->next;
	if (!lookup) {
		lookup = gr_alloc(1, sizeof(*lookup));
		lookup->engine = call->engine;
		lookup->handle = gr_strdup(handle);
		lookup->next = call->engine->lookups;
		call->engine->lookups = lookup;
		(void)gr_fail(&lookup->error, GR_AUTH, 0, "the token of %s is not known", strchr(handle, ':') + 1);
		call->lookup = lookup;
		lookup->waiting = gr_grow(NULL, 0, sizeof(*lookup->waiting));
		lookup->waiting[lookup->waiting_count++] = call;
		lookup_ask(lookup);
		return;
	}
	call->lookup = lookup;
	lookup->waiting = gr_grow(lookup->waiting, lookup->waiting_count, sizeof(*lookup->waiting));
	lookup->waiting[lookup->waiting_count++] = call;
}

/* The first token that this call still needs, or NULL. */
static const char *missing_token(const struct call *call)
{
	const struct parameter *user = operation_parameter(call->operation, "user_token");

	if (user && !vault_get(call->engine->vault, VAULT_USER_TOKEN))
		return VAULT_USER_TOKEN;
	return vault_missing(call->engine->vault, call->order.arguments);
}

/* ---- one attempt ---- */

/* Repeats are used up, and nobody is there: the call waits for the server to come back, once. */
static bool wait_out(struct call *call, const struct transfer_result *result, enum attempt_verdict verdict)
{
	bool is_no =
	        verdict == ATTEMPT_NOT_SENT || (verdict == ATTEMPT_THROTTLED && call->operation->repeat != CLASS_NEVER);

	if (!(is_no || operation_may_repeat(call->operation)) || !outage_is_sign(verdict, result) ||
	        call->was_held_back || call->order.passes_outage || !outage_begin(call->engine))
		return false;
	call->was_held_back = true;
	call->attempts = 0;
	loop_timer_set(call->engine->loop, &call->timer, loop_now(call->engine->loop));
	return true;
}

/* The next attempt would come after the time that is left for it: the time limit is what ends this, and it ends now. */
static void say_too_late(struct call *call, int64_t wait_ms)
{
	char span[CLOCK_TEXT_BYTES];
	GR_AUTO_FREE char *why = gr_strdup(call->result.error.text);

	call->result.error = (struct gr_error){0};
	(void)gr_fail(&call->result.error, GR_DEADLINE, 0, "%s; a repeat in %s would be after the step's timeout", why,
	        clock_format_span(wait_ms, span));
}

static bool try_again(struct call *call, const struct transfer_result *result, enum attempt_verdict verdict)
{
	struct engine *engine = call->engine;
	bool has_room = retry_bucket_take(&engine->bucket, verdict, result->is_timeout);
	struct retry_facts facts = {
	        .class_ = call->operation->repeat,
	        .verdict = verdict,
	        .attempt = call->attempts,
	        .since_first_ms = loop_now(engine->loop) - call->first_ms,
	        .retry_after_ms = result->retry_after_ms < 0 ? result->retry_after_ms
	                                                     : engine_scaled(engine, result->retry_after_ms),
	        .time_left_ms = call->order.deadline_ms == CLOCK_NEVER
	                                ? CLOCK_NEVER
	                                : call->order.deadline_ms - loop_now(engine->loop),
	        .random = engine_random(),
	        .budget_is_empty = !has_room,
	};
	struct retry_policy policy = form_retries(engine, call->order.policy);
	struct retry_decision decision = retry_decide(&policy, &facts);
	GR_AUTO_FREE char *text = NULL;
	char span[CLOCK_TEXT_BYTES];

	switch (decision.kind) {
	case RETRY_WAIT:
		text = gr_printf("%s; again in %s (attempt %u)", call->result.error.text,
		        clock_format_span(decision.wait_ms, span), call->attempts + 1);
		call_emit(call, STEP_REPEAT, text, NULL);
		loop_timer_set(engine->loop, &call->timer, loop_now(engine->loop) + decision.wait_ms);
		return true;
	case RETRY_AMBIGUOUS:
		call->result.may_still_work = result->is_timeout || result->status == 408 || result->status == 504;
		finish(call, CALL_LOST);
		return true;
	case RETRY_TOO_LATE:
		say_too_late(call, decision.wait_ms);
		finish(call, outcome_when_unsent(call));
		return true;
	case RETRY_GIVE_UP:
		if (wait_out(call, result, verdict))
			return true;
		/* a read that is told to come later for too long has no answer; a start that is has a no */
		finish(call, verdict == ATTEMPT_THROTTLED && !operation_may_repeat(call->operation)
		                     ? CALL_REFUSED
		                     : outcome_when_unsent(call));
		return true;
	case RETRY_DONE:
		return false;
	}
	return false;
}

static void note_server_time(struct engine *engine, const struct transfer_result *result)
{
	if (result->server_date_ms >= 0)
		engine->server_skew_ms = result->server_date_ms - clock_wall_ms();
}

static void note_no_reservation(const struct call *call, const struct transfer_result *result)
{
	marked_note_undone(call->engine);
	if (result->status && call->result.error.failure != GR_AUTH)
		marked_note_refused(call->engine);
}

/* A call that has no request of its own has another one's answer. */
static void say_answer(struct call *call, const struct transfer_result *result, const struct reading *reading)
{
	GR_AUTO_JSON json_t *detail = json_pack("{s:i, s:i, s:I, s:I}", "status", (int)result->status, "curl",
	        result->curl_code, "ms", (json_int_t)result->elapsed_ms, "bytes", (json_int_t)result->bytes_received);

	if (call->is_sharing)
		(void)json_object_set_new(detail, "shared", json_true());
	if (reading_is_undone(reading)) {
		call_note_undone(call, detail);
		if (call->is_marked)
			note_no_reservation(call, result);
	}
	call_emit(call, STEP_ANSWER, call->operation->id, detail);
}

static void act(struct call *call, const struct transfer_result *result, struct reading *reading)
{
	outage_note(call->engine, reading->verdict, result);
	if (reading->verdict == ATTEMPT_ANSWERED) {
		retry_bucket_success(&call->engine->bucket, call->attempts);
		call->body = gr_take(&reading->body);
		finish(call, reading->meaning);
		return;
	}
	if (try_again(call, result, reading->verdict))
		return;
	call->body = gr_take(&reading->body);
	finish(call, CALL_REFUSED);
}

/* To all who asked the same before it left. What is no answer is a matter of the one whose request it was, with its
 * repeats: the others ask anew. */
static void share(struct call *asker, const struct transfer_result *result, const struct reading *reading)
{
	struct call *call;

	shared_read_withdraw(asker);
	while ((call = shared_read_next(asker)) != NULL) {
		if (reading->verdict != ATTEMPT_ANSWERED) {
			loop_timer_set(call->engine->loop, &call->timer, loop_now(call->engine->loop));
			continue;
		}
		call->result.error = asker->result.error;
		call->body = json_incref(reading->body);
		say_answer(call, result, reading);
		finish(call, reading->meaning);
	}
}

static void on_transferred(void *context, struct transfer_result *result)
{
	struct call *call = context;
	struct reading reading;

	call->transfer = NULL;
	note_server_time(call->engine, result);
	(void)snprintf(call->file_sha256, sizeof(call->file_sha256), "%s", result->file_sha256);
	call->result.file_bytes = result->file_bytes;
	reading_take(call->operation, result, &reading, &call->result.error);
	if (reading.body)
		vault_learn(call->engine->vault, (enum operation_id)(call->operation - operation_get(0)),
		        call->order.arguments, reading.body);
	say_answer(call, result, &reading);
	share(call, result, &reading);
	act(call, result, &reading);
	json_decref(reading.body);
}

static int send_form(struct call *call, const struct request *request, struct gr_error *err)
{
	struct transfer_field *fields = gr_alloc(request->field_count + 1, sizeof(*fields));
	GR_AUTO_FREE char *url = gr_printf("%s%s", call->engine->base_url, request->path);
	struct transfer_request wire = {
	        .url = url, .fields = fields, .field_count = request->field_count, .sink_fd = -1};
	int r;

	form_order(request, fields);
	wire.flags = TRANSFER_POST;
	if ((call->engine->plan->server.urlencoded || call->engine->options->urlencoded) && !form_has_file(request))
		wire.flags |= TRANSFER_URLENCODED;
	if (call->operation->repeat != CLASS_READ)
		wire.flags |= TRANSFER_ONCE; /* libcurl repeats a POST by itself on a dead connection */
	wire.flags |= call->order.is_quick ? TRANSFER_QUICK : 0U;
	wire.flags |= call->order.is_timely ? TRANSFER_TIMELY : 0U;
	wire.flags |= call->order.is_hashed ? TRANSFER_HASHED : 0U;
	wire.answer_ms = form_answer_ms(call->engine, call->operation, call->order.answer_ms);
	wire.body_most_bytes = 64 << 20;
	wire.on_done = on_transferred;
	wire.context = call;
	r = transfer_start(call->engine->loop, &call->engine->settings, &wire, &call->transfer, err);
	gr_free(fields);
	return r;
}

/* During an outage only its own question and what gives back are sent. */
static bool is_held_back(struct call *call)
{
	int64_t wait_ms;

	if (call->order.passes_outage || !outage_holds(call->engine, &wait_ms))
		return false;
	if (wait_ms == CLOCK_NEVER) {
		outage_error(call->engine, &call->result.error);
		finish(call, outcome_when_unsent(call));
		return true;
	}
	loop_timer_set(call->engine->loop, &call->timer, loop_now(call->engine->loop) + wait_ms);
	return true;
}

/* Another runner of this host is starting a run on this server. */
static bool waits_for_lock(struct call *call)
{
	struct loop *loop = call->engine->loop;
	int64_t again_ms;

	if (!call->order.start_lock || *call->order.start_lock)
		return false;
	if (!call->lock_ms)
		call->lock_ms = loop_now(loop);
	*call->order.start_lock = start_lock_take(call->engine, call->lock_ms, &again_ms);
	if (*call->order.start_lock)
		return false;
	if (call->lock_ms == loop_now(loop))
		call_emit(call, STEP_PROGRESS,
		        "another gridlane on this host is starting a run on this server; waiting", NULL);
	loop_timer_set(loop, &call->timer, loop_now(loop) + again_ms);
	return true;
}

static void fail_unsent(struct call *call, const struct gr_error *why)
{
	call->result.error = *why;
	finish(call, outcome_when_unsent(call));
}

void call_send(struct call *call, const struct request *request)
{
	struct engine *engine = call->engine;
	struct gr_error err = {0};

	if (engine->broken.failure && !operation_may_repeat(call->operation)) {
		fail_unsent(call, &engine->broken); /* no start without a trace on the disk */
		return;
	}
	if (send_form(call, request, &err) != 0) {
		fail_unsent(call, &err);
		return;
	}
	if (call->is_marked)
		marked_note_sent(engine);
	if (call->attempts++ == 0)
		call->first_ms = loop_now(engine->loop);
	call->sends++;
	engine->requests++;
}

static void send_read(struct call *call, const struct request *request)
{
	call_send(call, request);
	shared_read_offer(call);
}

static void attempt(void *context)
{
	struct call *call = context;
	const char *missing = missing_token(call);
	bool is_read = call->operation->repeat == CLASS_READ;
	struct request *request = NULL;
	struct gr_error err = {0};
	int r;

	if (is_held_back(call) || waits_for_lock(call))
		return;
	if (missing) {
		wait_for_token(call, missing);
		return;
	}
	if (is_read)
		engine_settle(call->engine);
	if (is_read && shared_read_join(call))
		return;
	r = request_new(call->operation, call->order.arguments, &request, &err);
	if (r == 0)
		r = form_fill(call->engine, call->operation, request, &err);
	if (r != 0) {
		fail_unsent(call, &err);
	} else if (is_read) {
		send_read(call, request);
	} else {
		call_emit(call, STEP_INTENT, call->operation->id, call->order.arguments);
		departure_add(call, gr_take(&request));
	}
	request_free(request);
}

struct call *call_start(struct engine *engine, const struct call_order *order)
{
	struct call *call = gr_alloc(1, sizeof(*call));

	call->engine = engine;
	call->order = *order;
	call->operation = operation_get(order->operation);
	call->is_marked = marked_is(call->operation, order->arguments);
	call->timer.on_due = attempt;
	call->timer.context = call;
	loop_timer_set(engine->loop, &call->timer, loop_now(engine->loop));
	return call;
}

void call_free_lookups(struct engine *engine)
{
	while (engine->lookups) {
		struct lookup *lookup = engine->lookups;

		engine->lookups = lookup->next;
		call_cancel(lookup->call);
		gr_free(lookup->waiting);
		gr_free(lookup->handle);
		gr_free(lookup);
	}
}
