/* Whose account the token belongs to: reservations name the user. Known from the configuration, or asked for: the only
 * user of user_list, the one with the configured e-mail address, or who uploaded this run's build. While account_ask()
 * fills an action, hand its answer to account_take(). */
#ifndef GRIDLANE_STEPS_ACCOUNT_H
#define GRIDLANE_STEPS_ACCOUNT_H

#include "runner/steps/step.h"

struct account {
	char *user_id; /* NULL: not known yet */
	size_t users; /* entries of the list */
	bool list_was_asked, build_was_asked;
	struct gr_error why; /* the list could not be had */
};

void account_init(struct account *account, const struct step *step);
void account_release(struct account *account);
/* Fill the action with the next question; 0. Not to be called once user_id is known. */
int account_ask(struct account *account, const struct step *step, struct action *action);
/* user_id may stay NULL: then there is one more question. GR_CONFIG tells what to set when all were asked. */
int account_take(struct account *account, const struct step *step, const struct event *event, struct gr_error *err);

#endif
