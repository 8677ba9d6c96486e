/* The start's answer has a build_id and a build_version; execution_details wants a build_number. Polling the wrong one
 * would give somebody else's result, so a number is proven first: its build_url ends in our build_id; or the build list
 * has it only since our start, and its device is ours. A third number, which the start did not tell, needs the URL. */
#include "runner/base/buffer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/app_run.h"
#include "runner/steps/starts.h"

enum {
	WINDOW_MS = 60 * 1000, /* the list may lag behind the start */
	STRANGE_MOST = 8, /* further numbers asked in a round: 1,000 lanes may have started together */
	ROUNDS_ENOUGH = 3 /* rounds after which a URL or an app that is another one's is outweighed by list and device,
	                     and the list alone will do for a number of which nothing is told yet */
};

static void add_candidate(struct proof *proof, const char *number, const char *source)
{
	if (number == NULL || snapshot_has(&proof->run->before, number))
		return;
	if (proof->count == 1 && text_equal(proof->numbers[0], number))
		return;
	proof->numbers[proof->count] = gr_strdup(number);
	proof->sources[proof->count++] = source;
}

int app_run_fail_unproven(const struct app_run *run, const char *why, struct gr_error *err)
{
	return gr_fail(err, GR_UNKNOWN_START, 0,
	        "the start was accepted with build_id %s and build_version %s, but %s; look at the run on the server",
	        run->build_id != NULL ? run->build_id : "(none)",
	        run->build_version != NULL ? run->build_version : "(none)", why);
}

static int ask_next(struct proof *proof, struct action *action)
{
	if (proof->at < proof->count)
		return app_run_ask(proof->run, proof->numbers[proof->at], action);
	return app_run_list(proof->run, action);
}

int proof_begin(struct proof *proof, struct app_run *run, const struct event *event, struct action *action,
        struct gr_error *err)
{
	proof_release(proof);
	proof->run = run;
	proof->since_ms = event->now_ms;
	proof->others = json_object();
	add_candidate(proof, run->build_version, "build_version");
	add_candidate(proof, run->build_id, "build_id");
	if (proof->count == 0 && run->build_id == NULL)
		return app_run_fail_unproven(
		        proof->run, "that was a build number before it, so it is not proven to be this run's", err);
	return ask_next(proof, action);
}

static void find(struct proof *proof, const char *number, const char *source)
{
	gr_free(proof->run->number);
	proof->run->number = gr_strdup(number);
	proof->run->source = source;
}

/* Takes the answer about a number if it is about that one. */
static bool take_execution(const struct event *event, const char *number, struct execution *execution)
{
	if (event->outcome != CALL_DONE || event_take_execution(event, execution, NULL) != 0)
		return false;
	if (execution->build_number == NULL || text_equal(execution->build_number, number))
		return true;
	execution_release(execution);
	return false;
}

/* Its URL has our build_id: the answer is the run's first poll. */
static bool take_proven(struct proof *proof, struct execution *execution, const char *number, const char *source)
{
	const char *build_id = proof->run->build_id;

	proof->is_poll = build_id != NULL && text_equal(execution->build_id, build_id);
	if (proof->is_poll) {
		proof->poll = *execution;
		find(proof, number, source);
	} else {
		execution_release(execution);
	}
	return proof->is_poll;
}

/* An answer about a candidate. true: it is proven. */
static bool take_details(struct proof *proof, const struct event *event)
{
	size_t at = proof->at++;
	struct execution execution = {0};

	proof->fits[at] = FIT_OPEN;
	proof->is_elsewhere[at] = false;
	if (!take_execution(event, proof->numbers[at], &execution))
		return false;
	proof->fits[at] = app_run_fit_device(proof->run, &execution);
	proof->is_elsewhere[at] =
	        app_run_is_elsewhere(proof->run, &execution) || app_run_has_other_app(proof->run, &execution);
	return take_proven(proof, &execution, proof->numbers[at], proof->sources[at]);
}

/* An answer about a number that the start did not tell. */
static bool take_strange(struct proof *proof, const struct event *event)
{
	const char *number = json_string_value(json_array_get(proof->strange, proof->strange_at++));
	struct execution execution = {0};

	if (!take_execution(event, number, &execution))
		return false;
	if (app_run_is_elsewhere(proof->run, &execution))
		(void)json_object_set_new(proof->others, number, json_true());
	return take_proven(proof, &execution, number, "build_url");
}

/* The list has numbers that are new, and neither of the start's: whose are they? */
static void note_strange(struct proof *proof, const struct event *event, const struct build_list *list)
{
	for (size_t i = 0; i < proof->count; i++)
		if (build_list_has(list, proof->numbers[i]))
			return;
	for (size_t i = 0; i < list->count && json_array_size(proof->strange) < STRANGE_MOST; i++)
		if (snapshot_is_after(&proof->run->before, list->numbers[i]) &&
		        json_object_get(proof->others, list->numbers[i]) == NULL &&
		        !starts_have(event->starts, proof->run, list->numbers[i]))
			(void)json_array_append_new(proof->strange, json_string(list->numbers[i]));
}

/* The only candidate that is new in the list; false: none, or both. Where the list before the start was not there at
 * all, "new" proves nothing: then it has to be the only one that there is. */
static bool find_new(
        const struct proof *proof, const struct event *event, const struct build_list *list, size_t *ret_index)
{
	size_t news = 0;

	for (size_t i = 0; i < proof->count; i++)
		if (build_list_has(list, proof->numbers[i]) &&
		        !starts_have(event->starts, proof->run, proof->numbers[i])) {
			*ret_index = i;
			news++;
		}
	return news == 1 && (!proof->run->before.is_unsaid || list->count == 1);
}

/* Exactly one candidate is new in the list, and it runs on our device: it is proven. A queue may hide the run and its
 * device: then, after some rounds, it is the number to ask about, and not believed before the device is there. */
static bool take_list(struct proof *proof, const struct event *event)
{
	struct build_list list = {0};
	size_t at = 0;
	bool is_new = false, is_proven = false;

	proof->strange = json_array();
	proof->strange_at = 0;
	proof->is_poll = false;
	if (event->outcome != CALL_DONE || build_list_decode(event->body, &list, NULL) != 0)
		return false;
	is_new = find_new(proof, event, &list, &at);
	if (proof->run->build_id != NULL)
		note_strange(proof, event, &list);
	build_list_release(&list);
	if (!is_new)
		return false;
	if (proof->fits[at] == FIT_OURS) {
		proof->fitting[at]++;
		is_proven = !proof->is_elsewhere[at] || proof->fitting[at] >= ROUNDS_ENOUGH;
	} else if (proof->fits[at] == FIT_OPEN && (proof->count == 1 || proof->fits[1 - at] == FIT_OPEN)) {
		proof->run->is_unseen = is_proven = ++proof->open[at] >= ROUNDS_ENOUGH;
	}
	if (is_proven)
		find(proof, proof->numbers[at], proof->sources[at]);
	return is_proven;
}

/* A new round, after a while; an outage does not use up the window. */
static int wait_round(struct proof *proof, const struct event *event, struct action *action, enum search_end *ret_end,
        struct gr_error *err)
{
	const struct poll_policy *poll = &proof->run->step->context->poll;

	if (proof->had_outage && proof->outage_ms == 0)
		proof->outage_ms = event->now_ms;
	if (!proof->had_outage)
		proof->outage_ms = 0;
	if (proof->had_outage && limit_passed(proof->outage_ms, poll->stall_ms, event->now_ms))
		return app_run_fail_unproven(
		        proof->run, "the server could not be asked which is the run's number", err);
	if (proof->had_outage)
		proof->since_ms = event->now_ms;
	if (limit_passed(proof->run->start_ms, poll->timeout_ms, event->now_ms))
		return app_run_fail_unproven(
		        proof->run, "poll.timeout passed before one was proven to be this run's number", err);
	if (limit_passed(proof->since_ms, settle_ms(poll, WINDOW_MS), event->now_ms)) {
		*ret_end = SEARCH_ABSENT;
		return 0;
	}
	proof->is_waiting = true;
	return step_wait(action, event->now_ms + pace_next(&proof->pace, poll, event->random));
}

static int next_strange(struct proof *proof, const struct event *event, struct action *action, enum search_end *ret_end,
        struct gr_error *err)
{
	if (proof->strange_at >= json_array_size(proof->strange))
		return wait_round(proof, event, action, ret_end, err);
	return app_run_ask(proof->run, json_string_value(json_array_get(proof->strange, proof->strange_at)), action);
}

int proof_next(struct proof *proof, const struct event *event, struct action *action, enum search_end *ret_end,
        struct gr_error *err)
{
	bool is_strange = proof->strange != NULL, is_candidate = proof->at < proof->count, is_found = false;

	*ret_end = SEARCH_GOES_ON;
	if (proof->is_waiting) {
		proof->is_waiting = proof->had_outage = false;
		proof->at = 0;
		json_decref(proof->strange);
		proof->strange = NULL;
		return ask_next(proof, action);
	}
	if (event->outcome == CALL_REFUSED && answer_lacks_auth(event))
		return answer_fail(event, GR_SERVER, err, "ask for the run's number");
	proof->had_outage = proof->had_outage || event->outcome == CALL_FAILED || event->outcome == CALL_NOT_SENT;
	if (is_candidate)
		is_found = take_details(proof, event);
	else
		is_found = is_strange ? take_strange(proof, event) : take_list(proof, event);
	if (is_found) {
		*ret_end = SEARCH_FOUND;
		return 0;
	}
	return is_candidate ? ask_next(proof, action) : next_strange(proof, event, action, ret_end, err);
}

void proof_release(struct proof *proof)
{
	gr_free(proof->numbers[0]);
	gr_free(proof->numbers[1]);
	json_decref(proof->strange);
	json_decref(proof->others);
	execution_release(&proof->poll);
	*proof = (struct proof){0};
}
