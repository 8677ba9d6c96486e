#include "runner/steps/reservation.h"

#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/steps/common.h"

json_t *reservation_arguments(
        const struct step *step, const char *user_id, const char *device_id, int64_t wall_ms, int64_t span_ms)
{
	GR_AUTO_FREE char *marker = run_marker(step);
	const char *comment = with_text(step, "comment"), *build_url = step->context->build_url;
	char start[CLOCK_TEXT_BYTES], end[CLOCK_TEXT_BYTES];
	json_t *arguments = json_object();

	set_text(arguments, "user_id", user_id);
	set_text(arguments, "device_id", device_id);
	set_text(arguments, "start_date_time", clock_format_api(wall_ms, start));
	set_text(arguments, "end_date_time", clock_format_api(wall_ms + span_ms, end));
	set_text(arguments, "timezone", "UTC");
	set_taken(arguments, "comments",
	        gr_printf("%s%s%s %s", comment != NULL ? comment : "gridlane", build_url != NULL ? " " : "",
	                build_url != NULL ? build_url : "", marker));
	return arguments;
}

/* Whole words alone: "Not accepted" and "Unapproved" grant nothing. */
static bool says_granted(const char *status)
{
	static const char *const words[] = {"accepted", "accept", "approved", "approve", "confirmed", "granted",
	        "reserved", "booked", "active", "success", "1", "true"};
	GR_AUTO_FREE char *plain = gr_strdup(status + strspn(status, " \t\r\n"));
	size_t bytes = strlen(plain);

	while (bytes > 0 && strchr(" \t\r\n.!", plain[bytes - 1]) != NULL)
		plain[--bytes] = '\0';
	for (size_t i = 0; i < GR_COUNT(words); i++)
		if (text_equal_nocase(plain, words[i]))
			return true;
	return false;
}

static enum reservation_answer read_done(const json_t *body, char **ret_id)
{
	static const char id_keys[] = "device_reservation_id|reservation_id";
	static const char status_keys[] = "ReservationStatus|reservation_status|reservationStatus";
	GR_AUTO_FREE char *status = answer_text(answer_holder(body, status_keys), status_keys);
	GR_AUTO_FREE char *id = answer_text(answer_holder(body, id_keys), id_keys);

	if (id == NULL)
		return RESERVATION_LOOK;
	*ret_id = gr_take(&id);
	return status == NULL || says_granted(status) ? RESERVATION_MADE : RESERVATION_PENDING;
}

static bool is_too_late(const struct event *event)
{
	char words[256] = "";

	if (event->body != NULL)
		(void)answer_message(event->body, words);
	return text_contains_nocase(words, "past") || text_contains_nocase(words, "future");
}

int reservation_read(const struct event *event, const char *what, enum reservation_answer *ret_answer, char **ret_id,
        struct gr_error *err)
{
	switch (event->outcome) {
	case CALL_DONE:
		*ret_answer = read_done(event->body, ret_id);
		return 0;
	case CALL_REFUSED:
		if (answer_lacks_auth(event))
			break;
		*ret_answer = is_too_late(event) ? RESERVATION_TOO_LATE : RESERVATION_REFUSED;
		return 0;
	case CALL_LOST:
	case CALL_FAILED:
		*ret_answer = RESERVATION_LOOK;
		return 0;
	case CALL_NOT_SENT:
		break;
	}
	return answer_fail(event, GR_SERVER, err, "reserve %s", what);
}

void reservation_take_back(struct action *action, const char *id, const struct device *device)
{
	step_acquire(action, id, "cancel_reserve_device", device);
	(void)json_object_set_new(action->acquired, "at_once", json_true());
}

static int read_list(const struct event *event, json_t **ret_list, struct gr_error *err)
{
	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "list the reservations");
	if (answer_list(event->body, ANSWER_ROWS, ret_list, err) != 0)
		return gr_context(err, "list of reservations");
	return 0;
}

/* Ids grow: the greater is the newer one. */
static bool is_newer(const char *id, const char *than)
{
	int64_t a = 0, b = 0;

	return than == NULL || (number_parse_int(id, &a) && number_parse_int(than, &b) && a > b);
}

int reservation_find(
        const struct step *step, const struct event *event, const char *device_id, char **ret_id, struct gr_error *err)
{
	GR_AUTO_FREE char *marker = run_marker(step);
	GR_AUTO_JSON json_t *list = NULL;
	const json_t *item = NULL;
	char *newest = NULL;
	size_t i = 0;
	int failure = read_list(event, &list, err);

	if (failure != 0)
		return failure;
	json_array_foreach (list, i, item) {
		GR_AUTO_FREE char *id = answer_text(item, "device_reservation_id|id");
		GR_AUTO_FREE char *device = answer_text(item, "device_id");
		GR_AUTO_FREE char *comment = answer_text(item, "comments|comment");

		if (id == NULL || comment == NULL || !text_equal(device, device_id) ||
		        !text_contains_nocase(comment, marker))
			continue;
		if (is_newer(id, newest)) {
			gr_free(newest);
			newest = gr_take(&id);
		}
	}
	*ret_id = newest;
	return 0;
}

int reservation_is_listed(const struct event *event, const char *id, bool *ret_listed, struct gr_error *err)
{
	GR_AUTO_JSON json_t *list = NULL;
	const json_t *item = NULL;
	bool is_listed = false;
	size_t i = 0;
	int failure = read_list(event, &list, err);

	if (failure != 0)
		return failure;
	json_array_foreach (list, i, item) {
		GR_AUTO_FREE char *listed = answer_text(item, "device_reservation_id|id");

		if (listed == NULL)
			return gr_fail(err, GR_PROTOCOL, 0, "entry %zu of the list of reservations has no id", i + 1);
		is_listed = is_listed || text_equal(listed, id);
	}
	*ret_listed = is_listed;
	return 0;
}
