/* The answer to a start got lost. Was it started? The builds that are new since the snapshot tell: exactly one on our
 * device is ours; none after the whole window, and a device that did nothing in all of it, mean that it never was;
 * anything else is not known, and never guessed. */
#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/app_run.h"
#include "runner/steps/starts.h"

/* Looks, in ms after the loss. All of them before a start counts as absent: a list that lags would make two of one,
 * and a lost answer is rare enough to wait for. One more when the server may still be working on it, and all of them
 * while the device does something that the list does not show. */
static const int64_t look_at_ms[] = {2000, 5000, 10000, 20000, 45000, 90000, 120000, 180000, 300000};
enum { LOOKS_SHORT = 6, LOOKS_LONG = 7, GOOD_LOOKS_NEEDED = 3 };

static size_t looks_all(const struct search *search)
{
	if (!search->was_at_work && !search->has_rival)
		return search->is_long ? LOOKS_LONG : LOOKS_SHORT;
	return GR_COUNT(look_at_ms);
}

static int wait_look(struct search *search, struct action *action)
{
	const struct poll_policy *poll = &search->run->step->context->poll;

	search->phase = SEARCH_WAIT;
	return step_wait(action, search->since_ms + settle_ms(poll, look_at_ms[search->look]));
}

static bool is_accepted(const struct app_run *run)
{
	return run->build_id != NULL || run->build_version != NULL;
}

static const char *lack_of_number(const struct app_run *run)
{
	return is_accepted(run) ? "the answer to the start names no build number" : "the answer to the start got lost";
}

int search_begin(
        struct search *search, struct app_run *run, bool is_long, const struct event *event, struct action *action)
{
	search_release(search);
	search->run = run;
	search->is_long = is_long;
	search->since_ms = event->now_ms;
	search->was_at_work = json_is_true(json_object_get(run->step->memory, "device_was_at_work"));
	action->progress = gr_printf("%s; looking for the run among the server's builds", lack_of_number(run));
	return wait_look(search, action);
}

static void list_texts(const json_t *texts, struct buffer *words)
{
	const json_t *item = NULL;
	size_t i = 0;

	json_array_foreach (texts, i, item)
		buffer_printf(words, "%s%s", words->bytes > 0 ? ", " : "", json_string_value(item));
}

/* No build is to be seen, and yet nothing proves that there is none. */
static int fail_unproven(const struct search *search, struct gr_error *err)
{
	GR_AUTO_FREE char *words = device_words(&search->run->target.device);

	return gr_fail(err, GR_UNKNOWN_START, 0,
	        "%s, no new build is listed, and %s %s: a run may be on its way; nothing was started again, and "
	        "`gridlane resume` looks for it",
	        lack_of_number(search->run), words,
	        search->was_at_work ? "was at work meanwhile" : "could not be looked at");
}

static int fail_many(const struct search *search, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer numbers = {0};

	list_texts(search->ours, &numbers);
	list_texts(search->open, &numbers);
	return gr_fail(err, GR_UNKNOWN_START, 0,
	        "%s, and which of the new builds %s is this run's cannot be told: look at them on the server; nothing "
	        "was started again",
	        lack_of_number(search->run), buffer_text(&numbers));
}

/* After the last look. */
static int conclude(const struct search *search, enum search_end *ret_end, struct gr_error *err)
{
	if (json_array_size(search->ours) + json_array_size(search->open) > 0)
		return fail_many(search, err);
	if (search->good_looks < GOOD_LOOKS_NEEDED || !search->is_last_good)
		return gr_fail(err, GR_UNKNOWN_START, 0,
		        "%s, and the server's builds could be listed only %zu times since: a run may be on its way; "
		        "`gridlane resume` looks for it",
		        lack_of_number(search->run), search->good_looks);
	if (is_accepted(search->run))
		return app_run_fail_unproven(search->run, "no new build is proven to be this run's", err);
	if (search->was_at_work || !search->is_device_seen)
		return fail_unproven(search, err);
	*ret_end = SEARCH_ABSENT;
	return 0;
}

static int end_look(struct search *search, struct action *action, enum search_end *ret_end, struct gr_error *err)
{
	size_t ours = json_array_size(search->ours);

	if (ours > 1 || (ours == 1 && search->run->before.is_unsaid))
		return fail_many(search, err); /* without a list of before, each may be an old one */
	if (ours == 1 && json_array_size(search->open) == 0) {
		gr_free(search->run->number);
		search->run->number = gr_strdup(json_string_value(json_array_get(search->ours, 0)));
		search->run->source = "adopted";
		*ret_end = SEARCH_FOUND;
		return 0;
	}
	/* Nothing that is ours: does the device say more than the list? */
	search->phase = SEARCH_DEVICE;
	return step_call(action, OP_GET_DEVICE_LIST, json_object());
}

static int next_look(struct search *search, struct action *action, enum search_end *ret_end, struct gr_error *err)
{
	search->look++;
	return search->look >= looks_all(search) ? conclude(search, ret_end, err) : wait_look(search, action);
}

static bool is_our_device(const struct device *device, const struct device *ours)
{
	return (ours->device_id != NULL && text_equal(device->device_id, ours->device_id)) ||
	       (ours->udid != NULL && text_equal(device->udid, ours->udid));
}

static int take_device(struct search *search, const struct event *event, struct action *action,
        enum search_end *ret_end, struct gr_error *err)
{
	struct device_list list = {0};

	search->is_device_seen = false;
	if (event->outcome == CALL_DONE)
		(void)device_list_decode(event->body, &list, NULL);
	for (size_t i = 0; i < list.count; i++) {
		if (!is_our_device(&list.devices[i], &search->run->target.device))
			continue;
		search->is_device_seen = list.devices[i].state != DEVICE_UNKNOWN;
		search->was_at_work = search->was_at_work || list.devices[i].is_at_work;
	}
	device_list_release(&list);
	if (search->was_at_work)
		step_learn(action, "device_was_at_work", json_true());
	return next_look(search, action, ret_end, err);
}

static int examine(struct search *search, struct action *action, enum search_end *ret_end, struct gr_error *err)
{
	if (search->at >= json_array_size(search->found))
		return end_look(search, action, ret_end, err);
	search->phase = SEARCH_EXAMINE;
	return app_run_ask(search->run, json_string_value(json_array_get(search->found, search->at)), action);
}

static void start_look(struct search *search)
{
	json_decref(search->found);
	json_decref(search->ours);
	json_decref(search->open);
	search->found = json_array();
	search->ours = json_array();
	search->open = json_array();
	search->at = 0;
}

static int take_list(struct search *search, const struct event *event, struct action *action, enum search_end *ret_end,
        struct gr_error *err)
{
	struct build_list list = {0};

	search->is_last_good = false;
	/* An answer without any list is no look: absence is proven by lists alone. */
	if (event->outcome == CALL_DONE && build_list_decode(event->body, &list, NULL) == 0 && !list.is_unsaid) {
		start_look(search);
		search->good_looks++;
		search->is_last_good = true;
		for (size_t i = 0; i < list.count; i++)
			if (snapshot_is_after(&search->run->before, list.numbers[i]) &&
			        !starts_have(event->starts, search->run, list.numbers[i]))
				(void)json_array_append_new(search->found, json_string(list.numbers[i]));
		build_list_release(&list);
		return examine(search, action, ret_end, err);
	}
	/* Nothing learned: what the look before showed still stands, and no number is examined again. */
	search->at = json_array_size(search->found);
	return next_look(search, action, ret_end, err);
}

/* What is ours as far as the server tells may be another lane's, whose number is not proven yet. */
static enum app_fit fit_of(
        struct search *search, const struct event *event, const struct execution *execution, const char *number)
{
	enum app_fit fit = app_run_fit(search->run, execution);

	if (starts_have(event->starts, search->run, number)) /* since the list came */
		return FIT_OTHERS;
	if (fit != FIT_OTHERS && starts_want(event->starts, search->run, execution, number)) {
		search->has_rival = true;
		return FIT_OPEN;
	}
	if (fit == FIT_OURS && app_run_is_elsewhere(search->run, execution))
		return FIT_OPEN;
	return fit == FIT_OURS && app_run_is_doubtful(search->run, execution) ? FIT_OPEN : fit;
}

static int take_details(struct search *search, const struct event *event, struct action *action,
        enum search_end *ret_end, struct gr_error *err)
{
	json_t *number = json_array_get(search->found, search->at++);
	struct execution execution = {0};
	enum app_fit fit = FIT_OPEN;

	if (event->outcome == CALL_DONE && execution_decode(event->body, &execution, NULL) == 0)
		fit = fit_of(search, event, &execution, json_string_value(number));
	execution_release(&execution);
	switch (fit) {
	case FIT_OURS:
		(void)json_array_append(search->ours, number);
		break;
	case FIT_OPEN:
		(void)json_array_append(search->open, number);
		break;
	case FIT_OTHERS:
		break;
	}
	return examine(search, action, ret_end, err);
}

int search_next(struct search *search, const struct event *event, struct action *action, enum search_end *ret_end,
        struct gr_error *err)
{
	*ret_end = SEARCH_GOES_ON;
	if (event->kind == EVENT_ANSWER && event->outcome == CALL_REFUSED && answer_lacks_auth(event))
		return answer_fail(event, GR_SERVER, err, "look for a run that was perhaps started");
	switch (search->phase) {
	case SEARCH_WAIT:
		search->phase = SEARCH_LIST;
		return app_run_list(search->run, action);
	case SEARCH_LIST:
		return take_list(search, event, action, ret_end, err);
	case SEARCH_EXAMINE:
		return take_details(search, event, action, ret_end, err);
	case SEARCH_DEVICE:
		return take_device(search, event, action, ret_end, err);
	}
	return gr_fail(err, GR_INTERNAL, 0, "a search is in no phase");
}

void search_release(struct search *search)
{
	json_decref(search->found);
	json_decref(search->ours);
	json_decref(search->open);
	*search = (struct search){0};
}
