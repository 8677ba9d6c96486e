/* What steps of this run have started, those of earlier processes included. A start whose answer got lost is looked for
 * among the new builds of its device, and another lane of this run may have one there: its number is that lane's, and
 * while it has none yet, no new build that fits it, too, is this lane's for certain. */
#include "runner/engine/run.h"

#include "runner/base/memory.h"
#include "runner/engine/journal.h"
#include "runner/steps/starts.h"

static void copy(json_t *start, const json_t *learned, const char *key)
{
	json_t *value = json_object_get(learned, key);

	if (value)
		(void)json_object_set(start, key, value);
}

static void add_number(json_t *start, const json_t *number)
{
	if (json_is_string(number))
		(void)json_object_set_new(
		        json_object_get(start, STARTS_NUMBERS), json_string_value(number), json_true());
}

static void forget(json_t *start)
{
	(void)json_object_del(start, "build_id");
	(void)json_object_del(start, "build_version");
}

static void take(json_t *start, const json_t *learned)
{
	const json_t *intent = json_object_get(learned, "intent"), *number = json_object_get(learned, "number");
	const json_t *earlier;
	size_t i;

	if (intent) { /* of a start that is sent now, or was refused */
		(void)json_object_set_new(start, STARTS_OPEN, json_boolean(json_is_true(intent)));
		forget(start);
	}
	copy(start, learned, "app_id");
	copy(start, learned, "device");
	copy(start, learned, "build_id");
	copy(start, learned, "build_version");
	json_array_foreach (json_object_get(learned, "earlier"), i, earlier)
		add_number(start, earlier);
	add_number(start, number);
	if (json_is_string(number)) { /* all that matters of it from here on */
		(void)json_object_set_new(start, STARTS_OPEN, json_false());
		(void)json_object_del(start, "device");
		forget(start);
	}
}

void starts_note(struct engine *engine, const char *lane, const char *step, const json_t *learned)
{
	GR_AUTO_FREE char *place = starts_place(lane ? lane : "", step ? step : "");
	json_t *start = json_object_get(engine->starts, place);

	/* Only a start that is told from others by the list of builds remembers what was there before. */
	if (!start && !json_object_get(learned, "before") && !json_object_get(learned, "earlier"))
		return;
	if (!engine->starts)
		engine->starts = json_object();
	if (!start) {
		start = json_pack("{s:{}}", STARTS_NUMBERS);
		(void)json_object_set_new(engine->starts, place, start);
	}
	take(start, learned);
}

void starts_recall(struct engine *engine)
{
	const struct replay *replay = engine->options->replay;

	for (size_t i = 0; replay && i < replay->step_count; i++)
		starts_note(engine, replay->steps[i].lane, replay->steps[i].step, replay->steps[i].memory);
}
