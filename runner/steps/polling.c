#include "runner/steps/polling.h"

#include "runner/base/clock.h"
#include "runner/base/memory.h"

void polling_begin(struct polling *polling, const struct event *event)
{
	*polling = (struct polling){.start_ms = event->now_ms,
	        .start_wall_ms = event->wall_ms,
	        .change_ms = event->now_ms,
	        .good_ms = event->now_ms,
	        .not_over_ms = event->now_ms,
	        .queued_ms = TIME_UNKNOWN,
	        .is_queued = true};
}

void polling_resume(struct polling *polling, const struct event *event, int64_t start_wall_ms, int64_t since_ms)
{
	polling_begin(polling, event);
	polling->start_wall_ms = start_wall_ms;
	polling->start_ms = event->now_ms - since_ms;
}

void polling_take(struct polling *polling, const struct event *event, bool is_changed, bool is_queued)
{
	polling->good_ms = event->now_ms;
	polling->bad_answers = 0;
	if (is_changed) {
		polling->change_ms = event->now_ms;
		pace_restart(&polling->pace);
	}
	polling->is_queued = is_queued;
	if (is_queued)
		polling->was_queued = true;
	else if (polling->queued_ms == TIME_UNKNOWN)
		polling->queued_ms = polling->was_queued ? event->now_ms - polling->start_ms : 0;
}

bool polling_survives(struct polling *polling, const struct poll_policy *policy, const struct event *event,
        struct action *action, struct gr_error *why)
{
	char span[CLOCK_TEXT_BYTES];

	if (why->failure == GR_AUTH || why->failure == GR_DEADLINE)
		return false;
	if (limit_passed(polling->good_ms, policy->stall_ms, event->now_ms)) {
		(void)gr_context(why, "no usable answer about the run for %s (poll.stall)",
		        clock_format_span(policy->stall_ms, span));
		return false;
	}
	if (polling->bad_answers++ == 0)
		action->progress = gr_printf("%s; asking on", why->text);
	return true;
}

static int find_limit(const struct polling *polling, const struct poll_policy *policy, const struct event *event,
        struct gr_error *err)
{
	char span[CLOCK_TEXT_BYTES];

	if (limit_passed(polling->start_ms, policy->timeout_ms, event->now_ms))
		return gr_fail(err, GR_DEADLINE, 0, "the run was not over after %s (poll.timeout)",
		        clock_format_span(policy->timeout_ms, span));
	if (limit_passed(polling->good_ms, policy->stall_ms, event->now_ms))
		return gr_fail(err, GR_NETWORK, 0, "no usable answer about the run for %s (poll.stall): %s",
		        clock_format_span(policy->stall_ms, span), event->error.text);
	if (polling->is_queued && limit_passed(polling->start_ms, policy->queue_ms, event->now_ms))
		return gr_fail(err, GR_QUEUE, 0, "the run was still queued after %s (poll.queue)",
		        clock_format_span(policy->queue_ms, span));
	/* What is refused is no sign that nothing changes: the limit for usable answers bounds that. */
	if (!polling->is_queued && polling->bad_answers == 0 &&
	        limit_passed(polling->change_ms, policy->stall_ms, event->now_ms))
		return gr_fail(err, GR_STALL, 0, "nothing changed in the run for %s (poll.stall)",
		        clock_format_span(policy->stall_ms, span));
	return 0;
}

static int64_t earlier(int64_t a, int64_t since_ms, int64_t limit_ms)
{
	return limit_ms != CLOCK_NEVER && since_ms + limit_ms < a ? since_ms + limit_ms : a;
}

/* The next time that earlier runs give, while all is plain: the run is out of the queue, and the last answer was a "not
 * yet". TIME_UNKNOWN: none. Not all lanes at once: they are a little apart. */
static int64_t learned_look(const struct polling *polling, const struct poll_policy *policy, const struct event *event)
{
	int64_t since_ms = polling->start_ms + polling->queued_ms;
	int64_t apart_ms = policy->every_low_ms / 4;

	if (polling->is_queued || polling->queued_ms == TIME_UNKNOWN || polling->bad_answers > 0 ||
	        polling->not_over_ms < polling->good_ms || event->outcome != CALL_DONE)
		return TIME_UNKNOWN;
	for (size_t i = 0; i < policy->look_count; i++)
		if (since_ms + policy->looks_ms[i] > event->now_ms + apart_ms)
			return since_ms + policy->looks_ms[i] + (int64_t)(event->random % (uint64_t)(apart_ms + 1)) -
			       apart_ms / 2;
	return TIME_UNKNOWN;
}

int polling_wait(struct polling *polling, const struct poll_policy *policy, const struct event *event,
        struct action *action, struct gr_error *err)
{
	int failure = find_limit(polling, policy, event, err);
	int64_t until_ms = 0;

	if (failure != 0)
		return failure;
	/* The nearest limit cuts the wait, so that it is noticed when it comes. */
	until_ms = learned_look(polling, policy, event);
	if (until_ms == TIME_UNKNOWN)
		until_ms = event->now_ms + pace_next(&polling->pace, policy, event->random);
	until_ms = earlier(until_ms, polling->start_ms, policy->timeout_ms);
	if (polling->is_queued)
		until_ms = earlier(until_ms, polling->start_ms, policy->queue_ms);
	return step_wait(action, until_ms);
}

void polling_fill(const struct polling *polling, const struct event *event, struct device_run *result)
{
	result->queued_ms = polling->queued_ms;
	result->started_wall_ms = polling->start_wall_ms;
	result->ended_wall_ms = event->wall_ms;
	result->elapsed_ms = event->now_ms - polling->start_ms;
}
