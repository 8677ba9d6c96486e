/* Reservations: made with our marker in the comment, so that one whose answer was lost can be found again. */
#ifndef GRIDLANE_STEPS_RESERVATION_H
#define GRIDLANE_STEPS_RESERVATION_H

#include "runner/api/model.h"
#include "runner/steps/step.h"

/* Arguments of reserve_device: from `wall_ms`, for `span_ms`. comment may be NULL. */
json_t *reservation_arguments(
        const struct step *step, const char *user_id, const char *device_id, int64_t wall_ms, int64_t span_ms);

enum reservation_answer {
	RESERVATION_MADE,
	RESERVATION_PENDING, /* there is one, but it is not granted: to be taken back */
	RESERVATION_REFUSED,
	RESERVATION_TOO_LATE, /* refused, because it would begin in the past: whole seconds are all that can be said */
	RESERVATION_LOOK /* it may be there: look it up */
};
/* What an answer of reserve_device says. *ret_id (the caller's) with MADE and PENDING. CALL_NOT_SENT and problems of
 * authentication are errors. */
int reservation_read(const struct event *event, const char *what, enum reservation_answer *ret_answer, char **ret_id,
        struct gr_error *err);
#define RESERVATION_AHEAD_MS 5000 /* after RESERVATION_TOO_LATE it begins so much later */
/* Register one that was not granted: it is given back at once. */
void reservation_take_back(struct action *action, const char *id, const struct device *device);
/* From an answer of reserve_device_list: the id of this run's newest reservation of the device (the caller's), or NULL.
 */
int reservation_find(
        const struct step *step, const struct event *event, const char *device_id, char **ret_id, struct gr_error *err);
/* Is that reservation in the list? */
int reservation_is_listed(const struct event *event, const char *id, bool *ret_listed, struct gr_error *err);

#endif
