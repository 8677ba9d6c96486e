/* What select_devices.c and its words (select_words.c) share. */
#ifndef GRIDLANE_STEPS_SELECT_STATE_H
#define GRIDLANE_STEPS_SELECT_STATE_H

#include "runner/steps/account.h"
#include "runner/steps/common.h"

enum select_phase { PHASE_LIST, PHASE_PAUSE, PHASE_USER, PHASE_RESERVE, PHASE_FIND };

struct select_state {
	enum select_phase phase;
	struct pace pace;
	int64_t since_ms; /* when waiting began */
	int64_t count;
	struct account account;
	int64_t ahead_ms; /* so much later than now reservations begin */
	json_t *chosen; /* devices, as users see them: ours now */
	struct device_list list;
	size_t *order; /* indexes of free candidates in `list`, best first */
	size_t order_count, order_at;
	size_t matching, usable; /* devices that match, free or not; those that may be asked for */
	json_t *refused; /* why the last reservation came to nothing, by the device's id */
	json_t *not_granted; /* ids of devices that somebody would have to grant first: not asked for again */
	bool was_interrupted; /* resumed after a reservation without an answer */
	struct device interrupted;
	/* A reservation of `interrupted` was refused, or lost and not listed, and may be there all the same: when the
	 * device is not free any more, the list of reservations is asked. */
	bool is_doubted, has_looked;
};

/* Is it one that the pipeline's platform, the engine's exceptions and our own choice leave, and does it match? */
bool select_matches(const struct step *step, const struct device *device);
/* The name of another group of this run that has it, or NULL. */
const char *select_other_group(const struct step *step, const struct device *device);
/* Reserved by another group of this run, so that waiting for it is of no use. */
bool select_is_held(const struct step *step, const struct device *device);
/* What came of its last reservation, or NULL. */
const char *select_refusal(const struct select_state *state, const struct device *device);
/* No device matches; the wait for one is over (GR_NO_DEVICE). */
int select_say_none(const struct step *step, struct gr_error *err);
int select_give_up(const struct step *step, const struct event *event, struct gr_error *err);
/* Which devices were taken, and why not the others that match; the caller's. */
char *select_say_taken(const struct step *step);

#endif
