/* When things of an earlier process were, whatever was done to the wall clock since; and which reservations it left
 * open. */
#include <stdio.h>
#include <string.h>

#include "runner/api/operation.h"
#include "runner/base/text.h"
#include "runner/engine/replay_private.h"
#include "runner/engine/run.h"

static int64_t since(const char *then_boot, int64_t then_ms, int64_t then_wall_ms)
{
	char boot[CLOCK_BOOT_BYTES];
	int64_t since_ms = *clock_boot_id(boot) && strcmp(boot, then_boot) == 0 ? clock_now_ms() - then_ms
	                                                                        : clock_wall_ms() - then_wall_ms;

	return since_ms > 0 ? since_ms : 0;
}

int64_t replay_since_start(const struct replay_step *step)
{
	if (!step || step->start_wall_ms == 0)
		return 0;
	return since(step->start_boot, step->start_ms, step->start_wall_ms);
}

int64_t replay_since_reservation(const struct replay *replay)
{
	return since(replay->reservation_boot, replay->reservation_ms, replay->reservation_wall_ms);
}

size_t replay_count_open(const struct replay *replay)
{
	return json_array_size(replay->held) + replay->lost_reservations + replay->doubts_reservations;
}

/* Said again by every process that takes it over. */
static bool is_new_resource(const struct replay *replay, const struct run_event *event)
{
	const char *key = json_string_value(json_object_get(event->detail, "key"));
	const json_t *held;
	size_t i;

	if (event->kind != RUN_RESOURCE_HELD)
		return false;
	json_array_foreach (replay->held, i, held)
		if (text_equal(json_string_value(json_object_get(held, "key")), key))
			return false;
	return true;
}

static bool has_release_problem(const struct results *results)
{
	for (size_t i = 0; i < results->problem_count; i++)
		if (results->problems[i].failure == GR_RELEASE)
			return true;
	return false;
}

void replay_note_reservation(struct replay *replay, const struct run_event *event, const json_t *record)
{
	const struct operation *operation = event->text ? operation_find(event->text) : NULL;
	bool is_undone = event->kind == STEP_ANSWER && json_object_get(event->detail, JOURNAL_MARKED);
	const char *boot = json_string_value(json_object_get(record, "boot"));

	if ((is_new_resource(replay, event) || is_undone) && replay->lost_reservations > 0)
		replay->lost_reservations--;
	if (is_undone && json_integer_value(json_object_get(event->detail, "status")) > 0)
		replay->doubts_reservations = true;
	if (event->kind == RUN_JUDGED && !has_release_problem(&replay->results))
		replay->doubts_reservations = false;
	if (event->kind != STEP_INTENT || !marked_is(operation, event->detail))
		return;
	replay->lost_reservations++;
	replay->reservation_ms = json_integer_value(json_object_get(record, "mono"));
	replay->reservation_wall_ms = json_integer_value(json_object_get(record, "wall"));
	(void)snprintf(replay->reservation_boot, sizeof(replay->reservation_boot), "%s", boot ? boot : "");
}
