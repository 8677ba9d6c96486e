/* A reader failed: the journal's disk. What was started is then written nowhere but here: its numbers are said at once,
 * on both outputs, and so is each that comes to be known later. The run goes on from memory, starts nothing new, and
 * its verdict is that of its tests, if the reports get to the disk. */
#include "runner/engine/run.h"

#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/engine/journal.h"
#include "runner/results/record.h"

static const char *text_of(const json_t *learned, const char *key)
{
	return json_string_value(json_object_get(learned, key));
}

/* The caller's; NULL: nothing was started, as far as this tells. */
static char *name_start(const json_t *learned)
{
	const char *number = text_of(learned, "number"), *native = text_of(learned, "native_test_build_id");
	const char *id = text_of(learned, "build_id"), *version = text_of(learned, "build_version");

	if (native)
		return gr_printf("native test %s", native);
	if (number)
		return gr_printf("build %s", number);
	return id || version ? gr_printf("the build with build_id %s and build_version %s", id ? id : "(none)",
	                               version ? version : "(none)")
	                     : NULL;
}

static void say(struct engine *engine, const char *text)
{
	engine_warn(engine, GR_DISK, NULL, NULL, "%s", text);
	if (engine->options->on_alarm)
		engine->options->on_alarm(engine->options->user, text);
}

/* One entry a start: the same start is renamed when its number is proven, a further one begins an entry of its own. */
bool broken_note(struct engine *engine, const char *lane, const char *step, const json_t *learned)
{
	GR_AUTO_FREE char *place = gr_printf("%s\n%s", lane ? lane : "", step ? step : "");
	GR_AUTO_FREE char *name = name_start(learned);
	GR_AUTO_FREE char *text = name ? gr_printf("%s (lane '%s', step '%s')", name, lane, step) : NULL;
	json_t *before = json_object_get(engine->started, place);

	if (!engine->started)
		engine->started = json_object();
	if (before && json_object_get(learned, JOURNAL_ROUND)) {
		GR_AUTO_FREE char *over = gr_printf("%s\n%zu", place, json_object_size(engine->started));

		(void)json_object_set(engine->started, over, before);
	}
	if (text)
		(void)json_object_set_new(engine->started, place, json_from_text(text));
	return text != NULL;
}

static void say_all(struct engine *engine)
{
	GR_AUTO_BUFFER struct buffer words = {0};
	const char *place;
	json_t *started;

	buffer_printf(&words, "%s. ", engine->broken.text);
	json_object_foreach (engine->started, place, started)
		buffer_printf(&words, "%s%s",
		        words.bytes > strlen(engine->broken.text) + 2 ? ", " : "Started: ", json_string_value(started));
	if (json_object_size(engine->started) == 0)
		buffer_printf(&words, "No test run is known to be started");
	say(engine, buffer_text(&words));
}

void broken_follow(struct engine *engine, const struct run_event *event)
{
	bool is_start =
	        event && event->kind == STEP_LEARNED && broken_note(engine, event->lane, event->step, event->detail);

	if (engine->broken.failure != GR_DISK)
		return;
	if (!engine->is_broken_said) {
		engine->is_broken_said = true; /* before: saying it is an event, too */
		say_all(engine);
	} else if (is_start) {
		GR_AUTO_FREE char *name = name_start(event->detail);
		GR_AUTO_FREE char *text = gr_printf(
		        "started, and not in the journal: %s (lane '%s', step '%s')", name, event->lane, event->step);

		say(engine, text);
	}
}
