/* Give a device back by hand: a reservation by its id, this run's reservation of a device, or the device's current use.
 * A reservation is released once its time has begun and cancelled before; which it is, is the server's to say. A
 * reservation counts as released when the server says so, or when its list no longer has it. */
#include "runner/base/memory.h"
#include "runner/steps/common.h"
#include "runner/steps/machines.h"
#include "runner/steps/reservation.h"
#include "runner/steps/target.h"

enum phase { PHASE_FIND, PHASE_RELEASE, PHASE_CANCEL, PHASE_VERIFY, PHASE_DEVICE };

struct state {
	enum phase phase;
	struct target target;
	char *reservation;
	struct gr_error refusal; /* why the server would not release it */
};

static int begin(struct step *step, struct gr_error *err)
{
	struct state *state = gr_alloc(1, sizeof(*state));

	step->state = state;
	state->reservation = gr_strdup(with_text(step, "reservation"));
	if (state->reservation == NULL && !json_is_object(json_object_get(step->with, "device")))
		return gr_fail(err, GR_CONFIG, 0, "release_device needs `device:` or `reservation:`");
	return target_begin(&state->target, step, 0, err);
}

static void release(struct step *step)
{
	struct state *state = step->state;

	if (state == NULL)
		return;
	target_release(&state->target);
	gr_free(state->reservation);
	gr_free(state);
	step->state = NULL;
}

static int list(struct state *state, enum phase phase, struct action *action)
{
	state->phase = phase;
	return step_call(action, OP_RESERVE_DEVICE_LIST, json_pack("{s:s}", "timezone", "UTC"));
}

static int release_reservation(struct state *state, struct action *action)
{
	state->phase = PHASE_RELEASE;
	return step_call(
	        action, OP_RELEASE_RESERVE_DEVICE, json_pack("{s:s}", "device_reservation_id", state->reservation));
}

static int finish(const struct state *state, struct action *action)
{
	json_t *outputs = json_object();

	set_text(outputs, "device_reservation_id", state->reservation);
	if (state->reservation != NULL)
		action->released = gr_printf("reservation/%s", state->reservation);
	return step_done(action, OUTCOME_PASSED, outputs);
}

static int take_find(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct state *state = step->state;
	const char *device_id = state->target.device.device_id;
	int failure = reservation_find(step, event, device_id, &state->reservation, err);

	if (failure != 0)
		return failure;
	if (state->reservation != NULL)
		return release_reservation(state, action);
	state->phase = PHASE_DEVICE;
	return step_call(action, OP_RELEASE_DEVICE, json_pack("{s:s}", "device_id", device_id));
}

static int take_release(struct state *state, const struct event *event, struct action *action, struct gr_error *err)
{
	if (event->outcome == CALL_DONE)
		return finish(state, action);
	(void)answer_fail(event, GR_RELEASE, &state->refusal, "release reservation %s", state->reservation);
	if (state->refusal.failure == GR_AUTH) {
		*err = state->refusal;
		return -GR_AUTH;
	}
	if (event->outcome != CALL_REFUSED)
		return list(state, PHASE_VERIFY, action);
	state->phase = PHASE_CANCEL;
	return step_call(
	        action, OP_CANCEL_RESERVE_DEVICE, json_pack("{s:s}", "device_reservation_id", state->reservation));
}

static int take_cancel(struct state *state, const struct event *event, struct action *action)
{
	struct gr_error why = {0};
	GR_AUTO_FREE char *first = gr_strdup(state->refusal.text);

	if (event->outcome == CALL_DONE)
		return finish(state, action);
	(void)answer_fail(event, GR_RELEASE, &why, "cancel it");
	state->refusal = (struct gr_error){0};
	(void)gr_fail(&state->refusal, GR_RELEASE, 0, "%s; %s", first, why.text);
	return list(state, PHASE_VERIFY, action);
}

static int take_verify(struct state *state, const struct event *event, struct action *action, struct gr_error *err)
{
	bool is_listed = true;
	struct gr_error ignored = {0};

	/* When the list cannot be had either, the first answer is the better explanation. */
	if (reservation_is_listed(event, state->reservation, &is_listed, &ignored) == 0 && !is_listed)
		return finish(state, action);
	return gr_fail(err, GR_RELEASE, 0, "%s", state->refusal.text);
}

static int take_device(struct state *state, const struct event *event, struct action *action, struct gr_error *err)
{
	GR_AUTO_FREE char *words = device_words(&state->target.device);

	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_RELEASE, err, "release %s", words);
	return finish(state, action);
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	struct state *state = step->state;

	if (event->kind == EVENT_STOP)
		return step_stop(event, ret_action);
	if (event->kind == EVENT_START)
		return state->reservation != NULL ? release_reservation(state, ret_action)
		                                  : list(state, PHASE_FIND, ret_action);
	switch (state->phase) {
	case PHASE_FIND:
		return take_find(step, event, ret_action, err);
	case PHASE_RELEASE:
		return take_release(state, event, ret_action, err);
	case PHASE_CANCEL:
		return take_cancel(state, event, ret_action);
	case PHASE_VERIFY:
		return take_verify(state, event, ret_action, err);
	case PHASE_DEVICE:
		return take_device(state, event, ret_action, err);
	}
	return gr_fail(err, GR_INTERNAL, 0, "release_device is in no phase");
}

const struct step_ops release_device_ops = {begin, next, release};
