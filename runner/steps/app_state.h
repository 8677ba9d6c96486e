/* The state of an app_build_run step, shared by its machine (app_build_run.c) and by its polls and results
 * (app_poll.c). */
#ifndef GRIDLANE_STEPS_APP_STATE_H
#define GRIDLANE_STEPS_APP_STATE_H

#include "runner/steps/app_run.h"
#include "runner/steps/busy.h"
#include "runner/steps/polling.h"

enum app_phase {
	PHASE_TARGET,
	PHASE_SNAPSHOT,
	PHASE_BUSY,
	PHASE_START,
	PHASE_PROOF,
	PHASE_SEARCH,
	PHASE_PAUSE,
	PHASE_POLL
};

struct app_state {
	enum app_phase phase;
	struct app_run run;
	struct proof proof;
	struct search search;
	struct watch watch;
	struct polling polling;
	bool has_started; /* a start was sent, by this process or one before */
	bool was_resent;
	struct busy busy;
};

/* Ask for the run's number, which is proven. */
int app_poll_now(const struct step *step, struct action *action);
/* Its answer: wait for the next poll, or the result. */
int app_take_poll(const struct step *step, const struct event *event, struct action *action);
/* After a start was sent, an error is a result too: it names the run. Keeps what the action has learned. */
int app_end_with(const struct step *step, const struct event *event, struct action *action, const struct gr_error *why);
/* EVENT_STOP: the result as far as known. */
int app_stop(const struct step *step, const struct event *event, struct action *action);

#endif
