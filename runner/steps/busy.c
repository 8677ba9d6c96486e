#include "runner/steps/busy.h"

#include "runner/base/clock.h"
#include "runner/base/memory.h"

bool answer_says_busy(const struct event *event)
{
	if (answer_lacks_auth(event))
		return false;
	return answer_refuses(event, "busy") || answer_refuses(event, "in use") ||
	       (answer_refuses(event, "device") && answer_refuses(event, "not available"));
}

int busy_wait(struct busy *busy, const struct step *step, const struct event *event, const struct device *device,
        struct action *action, struct gr_error *err)
{
	const struct poll_policy *poll = &step->context->poll;
	GR_AUTO_FREE char *words = device_words(device);
	char span[CLOCK_TEXT_BYTES];

	if (!busy->is)
		busy->since_ms = event->now_ms;
	busy->is = true;
	if (limit_passed(busy->since_ms, poll->queue_ms, event->now_ms))
		return gr_fail(err, GR_QUEUE, 0, "%s stayed busy for %s (poll.queue); nothing was started", words,
		        clock_format_span(poll->queue_ms, span));
	action->progress = gr_printf("%s is busy; waiting to start", words);
	return step_wait(action, event->now_ms + pace_next(&busy->pace, poll, event->random));
}
