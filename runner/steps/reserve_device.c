/* One device, held by hand; it is registered as acquired, so it is given back on every way out. */
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/account.h"
#include "runner/steps/common.h"
#include "runner/steps/machines.h"
#include "runner/steps/reservation.h"
#include "runner/steps/target.h"

enum phase { PHASE_USER, PHASE_RESERVE, PHASE_FIND, PHASE_SETTLE, PHASE_PENDING };

/* When a reservation that the list does not show is looked for again, in ms after its answer was lost. */
static const int64_t look_after_ms[] = {2000, 5000, 10000, 20000, 40000, 60000};

struct state {
	enum phase phase;
	struct target target;
	struct account account;
	int64_t start_ms; /* wall clock */
	int64_t ahead_ms; /* so much later than now it begins */
	int64_t lost_ms; /* since when it is looked for */
	size_t looks;
	bool was_resent;
};

static int begin(struct step *step, struct gr_error *err)
{
	struct state *state = gr_alloc(1, sizeof(*state));

	step->state = state;
	account_init(&state->account, step);
	state->start_ms = memory_int(step, "start_ms", 0);
	if (with_int(step, "for", 0) <= 0)
		return gr_fail(err, GR_CONFIG, 0, "'for' must be longer than nothing");
	return target_begin(&state->target, step, 0, err);
}

static void release(struct step *step)
{
	struct state *state = step->state;

	if (state == NULL)
		return;
	target_release(&state->target);
	account_release(&state->account);
	gr_free(state);
	step->state = NULL;
}

static int find(struct state *state, struct action *action)
{
	state->phase = PHASE_FIND;
	return step_call(action, OP_RESERVE_DEVICE_LIST, json_pack("{s:s}", "timezone", "UTC"));
}

static int look(struct state *state, const struct event *event, struct action *action)
{
	state->lost_ms = event->now_ms;
	state->looks = 0;
	return find(state, action);
}

static int reserve(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;

	state->phase = PHASE_RESERVE;
	state->start_ms = event->wall_ms + state->ahead_ms;
	step_learn(action, "start_ms", json_integer(state->start_ms));
	return step_call(action, OP_RESERVE_DEVICE,
	        reservation_arguments(step, state->account.user_id, state->target.device.device_id, state->start_ms,
	                with_int(step, "for", 0)));
}

static int start(const struct step *step, const struct event *event, struct action *action)
{
	struct state *state = step->state;

	/* Sent before, and not answered: it may be there. */
	if (state->start_ms != 0)
		return look(state, event, action);
	if (state->account.user_id != NULL)
		return reserve(step, event, action);
	state->phase = PHASE_USER;
	return account_ask(&state->account, step, action);
}

static int finish(const struct step *step, const char *id, struct action *action)
{
	const struct state *state = step->state;
	char text[CLOCK_TEXT_BYTES];
	json_t *outputs = json_object();

	step_acquire(action, id, "release_reserve_device", &state->target.device);
	set_text(outputs, "device_reservation_id", id);
	set_text(outputs, "device_id", state->target.device.device_id);
	set_text(outputs, "start", clock_format_api(state->start_ms, text));
	set_text(outputs, "end", clock_format_api(state->start_ms + with_int(step, "for", 0), text));
	return step_done(action, OUTCOME_PASSED, outputs);
}

static int take_reserve(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	GR_AUTO_FREE char *words = device_words(&state->target.device);
	GR_AUTO_FREE char *id = NULL;
	enum reservation_answer answer = RESERVATION_LOOK;
	int failure = reservation_read(event, words, &answer, &id, err);

	if (failure != 0)
		return failure;
	switch (answer) {
	case RESERVATION_MADE:
		return finish(step, id, action);
	case RESERVATION_LOOK:
		return look(state, event, action);
	case RESERVATION_PENDING:
		/* Not ours to use, but ours to take back: registered first, then it is an error. */
		reservation_take_back(action, id, &state->target.device);
		state->phase = PHASE_PENDING;
		return step_wait(action, event->now_ms);
	case RESERVATION_TOO_LATE:
	case RESERVATION_REFUSED:
		if (answer == RESERVATION_TOO_LATE && state->ahead_ms == 0) {
			state->ahead_ms = RESERVATION_AHEAD_MS;
			return reserve(step, event, action);
		}
		step_learn(action, "start_ms", json_integer(0)); /* a definite no: there is nothing to look for */
		break;
	}
	return answer_fail(event, GR_NO_DEVICE, err, "reserve %s", words);
}

static int take_find(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	GR_AUTO_FREE char *id = NULL;
	GR_AUTO_FREE char *words = device_words(&state->target.device);
	int failure = reservation_find(step, event, state->target.device.device_id, &id, err);

	if (failure != 0)
		return gr_context(err, "%s was perhaps reserved", words);
	if (id != NULL)
		return finish(step, id, action);
	if (state->looks < GR_COUNT(look_after_ms)) {
		state->phase = PHASE_SETTLE;
		action->progress = gr_printf("the answer to the reservation of %s got lost; looking for it", words);
		return step_wait(
		        action, state->lost_ms + settle_ms(&step->context->poll, look_after_ms[state->looks++]));
	}
	if (state->was_resent)
		return gr_fail(err, GR_NETWORK, 0,
		        "the reservation of %s was sent twice without an answer, and is not there", words);
	state->was_resent = true;
	state->start_ms = 0;
	return start(step, event, action);
}

static int take_user(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	int failure = account_take(&state->account, step, event, err);

	return failure != 0 ? failure : start(step, event, action);
}

static int stop(const struct state *state, const struct event *event, struct action *action)
{
	if (state->phase != PHASE_PENDING && state->start_ms != 0) {
		GR_AUTO_FREE char *words = device_words(&state->target.device);

		action->warning =
		        gr_printf("a reservation of %s was sent and not answered: it may hold the device", words);
	}
	return step_stop(event, action);
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	struct state *state = step->state;

	if (event->kind == EVENT_STOP)
		return stop(state, event, ret_action);
	if (event->kind == EVENT_START)
		return start(step, event, ret_action);
	switch (state->phase) {
	case PHASE_USER:
		return take_user(step, event, ret_action, err);
	case PHASE_RESERVE:
		return take_reserve(step, event, ret_action, err);
	case PHASE_FIND:
		return take_find(step, event, ret_action, err);
	case PHASE_SETTLE:
		return find(state, ret_action);
	case PHASE_PENDING:
		return gr_fail(err, GR_NO_DEVICE, 0,
		        "the server took the reservation of device %s, but has not granted it; it is taken back",
		        state->target.device.device_id);
	}
	return gr_fail(err, GR_INTERNAL, 0, "reserve_device is in no phase");
}

const struct step_ops reserve_device_ops = {begin, next, release};
