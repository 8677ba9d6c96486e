/* The time side of waiting for a run on the server: when to ask again, what limit was reached, how long things took. */
#ifndef GRIDLANE_STEPS_POLLING_H
#define GRIDLANE_STEPS_POLLING_H

#include "runner/steps/common.h"

struct polling {
	struct pace pace;
	int64_t start_ms, start_wall_ms; /* the start's answer */
	int64_t change_ms, good_ms; /* last change, last good answer */
	int64_t not_over_ms; /* last answer that said "not yet" */
	int64_t queued_ms; /* TIME_UNKNOWN: not known yet */
	bool is_queued, was_queued;
	unsigned bad_answers; /* in a row */
};
void polling_begin(struct polling *polling, const struct event *event);
/* Started `since_ms` ago, by an earlier process. start_wall_ms is for display alone. */
void polling_resume(struct polling *polling, const struct event *event, int64_t start_wall_ms, int64_t since_ms);
/* How long an answer that says "completed" and contradicts itself is looked at again: results may settle later than
 * what says that they are there. */
#define SETTLE_MS 20000

/* A good answer came. */
void polling_take(struct polling *polling, const struct event *event, bool is_changed, bool is_queued);
/* A definite answer that helps nothing came, as `why` says: a server's moods pass. It is told once; false: poll.stall
 * is over, and `why` ends the step. */
bool polling_survives(struct polling *polling, const struct poll_policy *policy, const struct event *event,
        struct action *action, struct gr_error *why);
/* The limit that is reached, into `err`; or the wait for the next poll into the action. */
int polling_wait(struct polling *polling, const struct poll_policy *policy, const struct event *event,
        struct action *action, struct gr_error *err);
void polling_fill(const struct polling *polling, const struct event *event, struct device_run *result);

#endif
