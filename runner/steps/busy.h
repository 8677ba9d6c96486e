/* A start or an installation that the server refuses because the device is taken just now: a definite no, so that
 * asking again does nothing twice. It is asked again as long as poll.queue allows. */
#ifndef GRIDLANE_STEPS_BUSY_H
#define GRIDLANE_STEPS_BUSY_H

#include "runner/steps/common.h"

struct busy {
	bool is; /* it was, once at least */
	int64_t since_ms;
	struct pace pace;
};

/* Do the words of a refusal mean that the device is taken just now? */
bool answer_says_busy(const struct event *event);
/* Waits before the next try; GR_QUEUE after poll.queue. */
int busy_wait(struct busy *busy, const struct step *step, const struct event *event, const struct device *device,
        struct action *action, struct gr_error *err);

#endif
