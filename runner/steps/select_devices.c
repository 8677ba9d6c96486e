/* Choose the devices of a group, in order of preference, wait for free ones, and reserve them if asked to. */
#include "runner/api/answer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/machines.h"
#include "runner/steps/reservation.h"
#include "runner/steps/select_state.h"
#include "runner/steps/selector.h"
#include "runner/steps/version.h"

static int begin(struct step *step, struct gr_error *err)
{
	struct select_state *state = gr_alloc(1, sizeof(*state));
	const json_t *chosen = json_object_get(step->memory, "chosen");
	const json_t *asked = json_object_get(step->memory, "asked");

	step->state = state;
	state->count = with_int(step, "count", 1);
	account_init(&state->account, step);
	state->refused = json_object();
	state->not_granted = json_array();
	state->chosen = json_is_array(chosen) ? json_deep_copy(chosen) : json_array();
	if (state->count < 1)
		return gr_fail(err, GR_CONFIG, 0, "'count' must be at least 1, not %lld", (long long)state->count);
	if (!json_is_object(asked))
		return 0;
	state->was_interrupted = true;
	return device_from_json(asked, &state->interrupted, err);
}

static void release(struct step *step)
{
	struct select_state *state = step->state;

	if (state == NULL)
		return;
	account_release(&state->account);
	json_decref(state->chosen);
	json_decref(state->refused);
	json_decref(state->not_granted);
	device_list_release(&state->list);
	device_release(&state->interrupted);
	gr_free(state->order);
	gr_free(state);
	step->state = NULL;
}

/* Is it one that the pipeline's platform, the engine's exceptions and our own choice leave? */
static bool is_open(const struct step *step, const struct device *device)
{
	const struct select_state *state = step->state;
	const char *platform = step->context->platform;
	const json_t *item = NULL;
	size_t i = 0;

	if (device->device_id == NULL || texts_has(json_object_get(step->with, "except"), device->device_id))
		return false;
	if (platform != NULL && platform_parse(platform) != PLATFORM_UNKNOWN &&
	        platform_parse(platform) != PLATFORM_WEB && platform_parse(platform) != device->platform)
		return false;
	json_array_foreach (state->chosen, i, item)
		if (text_equal(json_string_value(json_object_get(item, "device_id")), device->device_id))
			return false;
	return true;
}

static bool fits_any(const struct step *step, const struct device *device)
{
	const json_t *entry = NULL;
	size_t i = 0;

	json_array_foreach (json_object_get(step->with, "any_of"), i, entry)
		if (device_fits(device, entry))
			return true;
	return false;
}

bool select_matches(const struct step *step, const struct device *device)
{
	return is_open(step, device) && fits_any(step, device);
}

static const json_t *taken_by(const struct step *step, const struct device *device)
{
	const json_t *taken = json_object_get(step->with, "taken");

	return device->device_id != NULL ? json_object_get(taken, device->device_id) : NULL;
}

const char *select_other_group(const struct step *step, const struct device *device)
{
	return json_string_value(json_object_get(taken_by(step, device), "group"));
}

bool select_is_held(const struct step *step, const struct device *device)
{
	return device->state != DEVICE_FREE && json_is_true(json_object_get(taken_by(step, device), "held"));
}

static bool is_ordered(const struct select_state *state, size_t index)
{
	for (size_t i = 0; i < state->order_count; i++)
		if (state->order[i] == index)
			return true;
	return false;
}

static bool is_usable(const struct step *step, const struct device *device)
{
	const struct select_state *state = step->state;

	return device->device_id != NULL && !texts_has(state->not_granted, device->device_id) &&
	       !select_is_held(step, device);
}

static void put_entry(const struct step *step, const json_t *entry, bool is_shared)
{
	struct select_state *state = step->state;

	for (size_t i = 0; i < state->list.count; i++) {
		const struct device *device = &state->list.devices[i];

		if (device->state == DEVICE_FREE && is_open(step, device) && device_fits(device, entry) &&
		        is_usable(step, device) && !is_ordered(state, i) &&
		        (select_other_group(step, device) != NULL) == is_shared)
			state->order[state->order_count++] = i;
	}
}

/* Free devices: entry by entry, inside an entry in the server's order; last those that another group has. */
static void put_in_order(const struct step *step)
{
	struct select_state *state = step->state;
	const json_t *entry = NULL;
	size_t at = 0;

	gr_free(state->order);
	state->order = gr_alloc(state->list.count + 1, sizeof(*state->order));
	state->order_count = state->order_at = state->matching = state->usable = 0;
	for (size_t i = 0; i < state->list.count; i++) {
		const struct device *device = &state->list.devices[i];
		bool is_matching = select_matches(step, device);

		state->matching += is_matching;
		state->usable += is_matching && is_usable(step, device);
	}
	json_array_foreach (json_object_get(step->with, "any_of"), at, entry)
		put_entry(step, entry, false);
	json_array_foreach (json_object_get(step->with, "any_of"), at, entry)
		put_entry(step, entry, true);
}

static size_t missing(const struct select_state *state)
{
	size_t chosen = json_array_size(state->chosen);

	return (size_t)state->count > chosen ? (size_t)state->count - chosen : 0;
}

static int list(struct select_state *state, struct action *action)
{
	state->phase = PHASE_LIST;
	return step_call(action, OP_GET_DEVICE_LIST, json_object());
}

static int wait_for_more(
        const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct select_state *state = step->state;
	int64_t end_ms = state->since_ms + with_int(step, "wait_ms", 0);
	int64_t next_ms = event->now_ms + pace_next(&state->pace, &step->context->poll, event->random);
	GR_AUTO_FREE char *refused = NULL;

	if (event->now_ms >= end_ms || state->usable < missing(state))
		return select_give_up(step, event, err);
	state->phase = PHASE_PAUSE;
	refused = gr_take(&action->progress); /* a refusal may have left its words */
	action->progress = gr_printf("waiting for %zu of %lld devices (%zu match)%s%s", missing(state),
	        (long long)state->count, state->matching, refused != NULL ? "; " : "", refused != NULL ? refused : "");
	return step_wait(action, next_ms < end_ms ? next_ms : end_ms);
}

static int finish(const struct step *step, struct action *action)
{
	const struct select_state *state = step->state;

	GR_AUTO_FREE char *choice = select_say_taken(step);

	if (action->progress == NULL)
		action->progress = gr_strdup(choice);
	step_learn(action, "devices", json_deep_copy(state->chosen));
	return step_done(action, OUTCOME_PASSED, json_pack("{s:O, s:s}", "devices", state->chosen, "choice", choice));
}

static const struct device *candidate(const struct select_state *state)
{
	if (state->phase == PHASE_FIND && state->was_interrupted)
		return &state->interrupted;
	return &state->list.devices[state->order[state->order_at]];
}

/* Reserve the next candidate; when they have run out, wait for others. */
static int reserve_next(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct select_state *state = step->state;

	if (missing(state) == 0)
		return finish(step, action);
	if (state->order_at >= state->order_count)
		return wait_for_more(step, event, action, err);
	state->phase = PHASE_RESERVE;
	step_learn(action, "asked", device_to_json(candidate(state)));
	return step_call(action, OP_RESERVE_DEVICE,
	        reservation_arguments(step, state->account.user_id, candidate(state)->device_id,
	                event->wall_ms + state->ahead_ms, with_int(step, "reserve_ms", 0)));
}

static int choose(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct select_state *state = step->state;

	if (state->matching == 0 && json_array_size(state->chosen) == 0)
		return select_say_none(step, err);
	if (with_int(step, "reserve_ms", 0) > 0 && state->account.user_id == NULL) {
		state->phase = PHASE_USER; /* before any wait: without it there is nothing to wait for */
		return account_ask(&state->account, step, action);
	}
	if (state->order_count < missing(state))
		return wait_for_more(step, event, action, err);
	if (with_int(step, "reserve_ms", 0) > 0)
		return reserve_next(step, event, action, err);
	for (; missing(state) > 0; state->order_at++)
		(void)json_array_append_new(state->chosen, device_to_json(candidate(state)));
	return finish(step, action);
}

/* With `lost`: another device is wanted only if that one is really gone, and not merely refused. */
static int check_lost(const struct step *step, struct gr_error *err)
{
	const struct select_state *state = step->state;
	const char *lost = with_text(step, "lost");

	for (size_t i = 0; lost != NULL && i < state->list.count; i++) {
		const struct device *device = &state->list.devices[i];
		GR_AUTO_FREE char *words = device_words(device);

		if (!text_equal(device->device_id, lost))
			continue;
		if (device->state == DEVICE_OFFLINE || device->state == DEVICE_DISCONNECTED ||
		        device->state == DEVICE_UNAUTHORISED || device->state == DEVICE_REBOOTING)
			return 0;
		return gr_fail(err, GR_DEVICE, 0, "%s is still there (%s): no other device is taken for it", words,
		        device_state_words(device->state));
	}
	return 0;
}

/* Somebody has the device that was asked for without success: is it this run? */
static bool is_perhaps_ours(const struct select_state *state)
{
	for (size_t i = 0; state->is_doubted && !state->has_looked && i < state->list.count; i++)
		if (text_equal(state->list.devices[i].device_id, state->interrupted.device_id))
			return state->list.devices[i].state != DEVICE_FREE;
	return false;
}

static int find(struct select_state *state, struct action *action)
{
	state->phase = PHASE_FIND;
	return step_call(action, OP_RESERVE_DEVICE_LIST, json_pack("{s:s}", "timezone", "UTC"));
}

static int take_list(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct select_state *state = step->state;
	int failure = 0;

	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "list the devices");
	device_list_release(&state->list);
	failure = device_list_decode(event->body, &state->list, err);
	if (failure != 0)
		return gr_context(err, "list of devices");
	failure = check_lost(step, err);
	if (failure != 0)
		return failure;
	put_in_order(step);
	if (is_perhaps_ours(state)) {
		state->has_looked = state->was_interrupted = true;
		return find(state, action);
	}
	return choose(step, event, action, err);
}

static void doubt(struct select_state *state)
{
	GR_AUTO_JSON json_t *device = device_to_json(candidate(state));
	struct gr_error ignored = {0};

	device_release(&state->interrupted);
	state->is_doubted = device_from_json(device, &state->interrupted, &ignored) == 0;
}

/* What became of the reservation is known: into memory with the next action, whatever that is. */
static void keep(const struct select_state *state, struct action *action)
{
	step_learn(action, "asked", json_null());
	step_learn(action, "chosen", json_deep_copy(state->chosen));
}

static int go_on(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct select_state *state = step->state;

	if (state->was_interrupted) {
		state->was_interrupted = false;
		return missing(state) == 0 ? finish(step, action) : list(state, action);
	}
	state->order_at++;
	return reserve_next(step, event, action, err);
}

/* After a reservation nothing may fail before it is registered: what comes next is a call or a wait, never an error. */
static int go_on_held(const struct step *step, const struct event *event, struct action *action)
{
	struct select_state *state = step->state;
	struct gr_error ignored = {0};

	if (go_on(step, event, action, &ignored) == 0)
		return 0;
	return list(state, action);
}

static int made(const struct step *step, const struct event *event, const char *id, struct action *action)
{
	struct select_state *state = step->state;

	(void)json_array_append_new(state->chosen, device_to_json(candidate(state)));
	if (text_equal(candidate(state)->device_id, state->interrupted.device_id))
		state->is_doubted = false;
	step_acquire(action, id, "release_reserve_device", candidate(state));
	keep(state, action);
	return go_on_held(step, event, action);
}

/* Why not this device: said in progress, and when waiting for one comes to its end. */
static void note_refusal(const struct select_state *state, const struct event *event, struct action *action)
{
	GR_AUTO_FREE char *words = device_words(candidate(state));
	char said[256] = "";
	const char *why = event->error.text;

	if (event->body != NULL && *answer_message(event->body, said) != '\0')
		why = said;
	set_taken(state->refused, candidate(state)->device_id, gr_printf("was refused: %s", why));
	action->progress = gr_printf("%s was refused: %s", words, why);
}

static int take_reserve(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct select_state *state = step->state;
	GR_AUTO_FREE char *words = device_words(candidate(state));
	GR_AUTO_FREE char *id = NULL;
	enum reservation_answer answer = RESERVATION_LOOK;
	int failure = reservation_read(event, words, &answer, &id, err);

	if (failure != 0)
		return failure;
	switch (answer) {
	case RESERVATION_MADE:
		return made(step, event, id, action);
	case RESERVATION_PENDING:
		keep(state, action);
		reservation_take_back(action, id, candidate(state));
		action->warning = gr_printf("reservation %s of %s is not granted; it is taken back", id, words);
		set_text(state->refused, candidate(state)->device_id, "was not granted");
		(void)json_array_append_new(state->not_granted, json_string(candidate(state)->device_id));
		state->usable -= state->usable > 0;
		return go_on_held(step, event, action);
	case RESERVATION_TOO_LATE:
	case RESERVATION_REFUSED:
		if (answer == RESERVATION_TOO_LATE && state->ahead_ms == 0) {
			state->ahead_ms = RESERVATION_AHEAD_MS;
			return reserve_next(step, event, action, err);
		}
		note_refusal(state, event, action);
		doubt(state);
		return go_on(step, event, action, err);
	case RESERVATION_LOOK:
		break;
	}
	return find(state, action);
}

static int take_find(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct select_state *state = step->state;
	GR_AUTO_FREE char *words = device_words(candidate(state));
	GR_AUTO_FREE char *id = NULL;
	int failure = reservation_find(step, event, candidate(state)->device_id, &id, err);

	if (failure != 0)
		return gr_context(err, "%s was perhaps reserved", words);
	if (id != NULL)
		return made(step, event, id, action);
	doubt(state);
	return go_on(step, event, action, err);
}

static int take_user(const struct step *step, const struct event *event, struct action *action, struct gr_error *err)
{
	struct select_state *state = step->state;
	int failure = account_take(&state->account, step, event, err);

	return failure != 0 ? failure : choose(step, event, action, err);
}

static int start(const struct step *step, const struct event *event, struct action *action)
{
	struct select_state *state = step->state;
	json_t *devices = json_object_get(step->memory, "devices");

	state->since_ms = event->now_ms;
	if (json_is_array(devices))
		return step_done(action, OUTCOME_PASSED, json_pack("{s:O}", "devices", devices));
	if (!state->was_interrupted)
		return missing(state) == 0 ? finish(step, action) : list(state, action);
	return find(state, action);
}

static int stop(const struct select_state *state, const struct event *event, struct action *action)
{
	if (state->phase == PHASE_RESERVE || state->phase == PHASE_FIND) {
		GR_AUTO_FREE char *words = device_words(candidate(state));

		action->warning =
		        gr_printf("a reservation of %s was sent and not answered: it may hold the device", words);
	}
	return step_stop(event, action);
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	struct select_state *state = step->state;

	if (event->kind == EVENT_STOP)
		return stop(state, event, ret_action);
	if (event->kind == EVENT_START)
		return start(step, event, ret_action);
	switch (state->phase) {
	case PHASE_LIST:
		return take_list(step, event, ret_action, err);
	case PHASE_PAUSE:
		state->has_looked = false;
		return list(state, ret_action);
	case PHASE_USER:
		return take_user(step, event, ret_action, err);
	case PHASE_RESERVE:
		return take_reserve(step, event, ret_action, err);
	case PHASE_FIND:
		return take_find(step, event, ret_action, err);
	}
	return gr_fail(err, GR_INTERNAL, 0, "select_devices is in no phase");
}

const struct step_ops select_devices_ops = {begin, next, release};
