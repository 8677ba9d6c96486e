/* Reserving devices and giving them back. Windows are read on the real clock: the client's times come from it. */
#include <inttypes.h>
#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "sandbox/faults.h"
#include "sandbox/routes.h"

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* A digit for each 0, everything else as it stands. */
static bool shape_fits(const char *shape, const char *text)
{
	for (; *shape != '\0' && *text != '\0'; shape++, text++)
		if (*shape == '0' ? *text < '0' || *text > '9' : *text != *shape)
			return false;
	return *shape == *text;
}

static bool digits_read(const char *text, size_t from, size_t count, int64_t *ret)
{
	GR_AUTO_FREE char *part = gr_strndup(text + from, count);

	return number_parse_int(part, ret);
}

/* "2026-01-28 12:35:00" as milliseconds of its own zone. */
static bool time_read(const char *text, int64_t *ret_ms)
{
	static const struct {
		size_t from, count;
		int64_t low, high;
	} parts[] = {{0, 4, 1970, 9999}, {5, 2, 1, 12}, {8, 2, 1, 31}, {11, 2, 0, 23}, {14, 2, 0, 59}, {17, 2, 0, 59}};
	int64_t values[GR_COUNT(parts)];
	size_t i;

	if (!shape_fits("0000-00-00 00:00:00", text))
		return false;
	for (i = 0; i < GR_COUNT(parts); i++)
		if (!digits_read(text, parts[i].from, parts[i].count, &values[i]) || values[i] < parts[i].low ||
		        values[i] > parts[i].high)
			return false;
	*ret_ms = ((days_of(values[0], values[1], values[2]) * 24 + values[3]) * 60 + values[4]) * 60000 +
	          values[5] * 1000;
	return true;
}

static bool zone_read(const struct call *call, int64_t *ret_offset_ms)
{
	const json_t *offset =
	        json_object_get(json_object_get(call->state->scenario, "timezones"), call_text(call, "timezone"));

	if (!json_is_number(offset))
		return false;
	*ret_offset_ms = (int64_t)json_number_value(offset) * 60000;
	return true;
}

static bool window_read(const struct call *call, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
	int64_t offset = 0;

	if (!zone_read(call, &offset) || !time_read(call_text(call, "start_date_time"), ret_from_ms) ||
	        !time_read(call_text(call, "end_date_time"), ret_to_ms))
		return false;
	*ret_from_ms -= offset;
	*ret_to_ms -= offset;
	return *ret_from_ms < *ret_to_ms;
}

/* Somebody's accepted reservation that meets the window, or NULL. */
static const struct reservation *reservation_meeting(
        const struct state *state, const json_t *device, int64_t from, int64_t to)
{
	size_t i;

	for (i = 0; i < state->reservation_count; i++) {
		const struct reservation *other = &state->reservations[i];

		if (other->device == device && other->accepted && !other->over && other->from_ms < to &&
		        from < other->to_ms)
			return other;
	}
	return NULL;
}

static struct reservation *reservation_add(struct call *call, const json_t *device, const json_t *user)
{
	struct state *state = call->state;
	struct reservation *reservation = NULL;
	const json_t *delay = fault_find(call, "list_delay");

	state->reservations = gr_grow(state->reservations, state->reservation_count, sizeof(*state->reservations));
	reservation = &state->reservations[state->reservation_count];
	memset(reservation, 0, sizeof(*reservation));
	reservation->id = gr_printf("%zu", 2696 + state->reservation_count);
	reservation->comments = gr_strdup(call_text(call, "comments"));
	reservation->device = device;
	reservation->user = user;
	reservation->accepted = state_word_is(state, "reservation_status", "Accepted");
	reservation->listed_at = delay != NULL ? state_now(state) + member_number(delay, "seconds", 60) : 0;
	state->reservation_count++;
	return reservation;
}

json_t *handle_reserve_device(struct call *call)
{
	json_t *answer = NULL;
	const json_t *device = call_device(call, &answer);
	const json_t *user = list_find(call->state->users, "user_id", call_text(call, "user_id"));
	struct reservation *reservation = NULL;
	int64_t from = 0, to = 0;

	if (device == NULL)
		return answer;
	if (user == NULL)
		return call_refuse(call, 404, "User not found.");
	if (!window_read(call, &from, &to)) {
		call_violation(call, "the times or the timezone cannot be read");
		return call_refuse(call, 422, "Invalid reservation time.");
	}
	if (from <= clock_wall_ms() && state_word_is(call->state, "reservation_start", "future"))
		return call_refuse(call, 422, "Start time must not be in the past.");
	if (to <= clock_wall_ms())
		return call_refuse(call, 422, "The reservation must end in the future.");
	if (*member_text(json_object_get(device, "row"), "reserved_device_user_email") != '\0' ||
	        reservation_meeting(call->state, device, from, to) != NULL)
		return call_refuse(call, 409, "Device is already reserved for this time.");
	reservation = reservation_add(call, device, user);
	reservation->from_ms = from;
	reservation->to_ms = to;
	answer = call_accept(call, "Device reservation request added.");
	member_set_text(answer, "device_reservation_id", reservation->id);
	member_set_text(answer, "ReservationStatus", state_word(call->state, "reservation_status"));
	return answer;
}

static json_t *reservation_row(const struct reservation *reservation, int64_t offset_ms)
{
	char from[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES];
	json_t *row = json_object();

	member_set_text(row, "device_reservation_id", reservation->id);
	member_set_text(row, "device_id", member_text(reservation->device, "device_id"));
	member_set_text(row, "device_name", member_text(reservation->device, "name"));
	member_set_text(row, "start_date_time", clock_format_api(reservation->from_ms + offset_ms, from));
	member_set_text(row, "end_date_time", clock_format_api(reservation->to_ms + offset_ms, to));
	member_set_text(row, "comments", reservation->comments);
	return row;
}

json_t *handle_reserve_device_list(struct call *call)
{
	json_t *answer = NULL, *list = NULL;
	int64_t offset = 0, now = clock_wall_ms();
	size_t i;

	if (!zone_read(call, &offset))
		return call_refuse(call, 422, "Invalid timezone.");
	list = json_array();
	for (i = 0; i < call->state->reservation_count; i++) {
		const struct reservation *reservation = &call->state->reservations[i];

		if (reservation->user == call->user && !reservation->over && reservation->to_ms > now &&
		        reservation->listed_at <= state_now(call->state))
			(void)json_array_append_new(list, reservation_row(reservation, offset));
	}
	answer = call_accept(call, "Successfully getting device reservation list");
	call_put_list(call, answer, "data", list, false);
	return answer;
}

/* The caller's own reservation that is not over, or NULL with a refusal. */
static struct reservation *reservation_of_call(struct call *call, json_t **ret_answer)
{
	const char *id = call_text(call, "device_reservation_id");
	size_t i;

	for (i = 0; i < call->state->reservation_count; i++) {
		struct reservation *reservation = &call->state->reservations[i];

		if (strcmp(reservation->id, id) == 0 && reservation->user == call->user && !reservation->over)
			return reservation;
	}
	*ret_answer = call_refuse(call, 404, "Device reservation not found.");
	return NULL;
}

/* A server may count time in slots, or have a clock that is behind. */
static bool has_begun(const struct state *state, const struct reservation *reservation)
{
	return !state_word_is(state, "reservation_begins", "later") && reservation->from_ms <= clock_wall_ms();
}

json_t *handle_release_reserve_device(struct call *call)
{
	json_t *answer = NULL;
	struct reservation *reservation = NULL;

	if (fault_find(call, "release_fails") != NULL)
		return call_refuse(call, 500, "Device could not be released.");
	reservation = reservation_of_call(call, &answer);
	if (reservation == NULL)
		return answer;
	if (!has_begun(call->state, reservation))
		return call_refuse(call, 409, "The reservation has not started yet.");
	reservation->over = true;
	return call_accept(call, "Device reservation request released.");
}

json_t *handle_cancel_reserve_device(struct call *call)
{
	json_t *answer = NULL;
	struct reservation *reservation = NULL;

	if (fault_find(call, "release_fails") != NULL)
		return call_refuse(call, 500, "Device reservation could not be cancelled.");
	reservation = reservation_of_call(call, &answer);
	if (reservation == NULL)
		return answer;
	if (has_begun(call->state, reservation))
		return call_refuse(call, 409, "The reservation has started already.");
	reservation->over = true;
	return call_accept(call, "Device reservation request cancelled.");
}

json_t *handle_release_device(struct call *call)
{
	json_t *answer = NULL;
	const json_t *device = call_device(call, &answer);
	struct reservation *reservation = NULL;
	const char *holder = NULL;

	if (device == NULL)
		return answer;
	if (fault_find(call, "release_fails") != NULL)
		return call_refuse(call, 500, "Device could not be released.");
	reservation = device_reservation(call->state, device);
	holder = member_text(json_object_get(device, "row"), "reserved_device_user_email");
	if ((reservation != NULL && reservation->user != call->user) ||
	        (*holder != '\0' && strcmp(holder, member_text(call->user, "email")) != 0))
		return call_refuse(call, 403, "Device is reserved by another user.");
	if (reservation != NULL)
		reservation->over = true;
	member_set_text(json_object_get(device, "row"), "is_run_device_cloud", "0");
	return call_accept(call, "Device released successfully.");
}
