/* A lane that lost its device began anew on another one: what was known of its steps is of the one that was lost. */
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/engine/replay_private.h"

static void forget(struct replay_step *step)
{
	step->has_ended = false;
	step->start_ms = step->start_wall_ms = 0;
	(void)json_object_clear(step->memory);
	json_decref(step->outputs);
	step->outputs = NULL;
	gr_free(step->open_operation);
	step->open_operation = NULL;
}

static bool is_selection(const char *step)
{
	return step && strstr(step, REPLACE_MARK);
}

void replay_begin_anew(struct replay *replay, const struct run_event *event)
{
	GR_AUTO_FREE char *below = gr_printf("%s/", event->lane ? event->lane : "");

	if (!is_selection(event->step))
		return;
	for (size_t i = 0; i < replay->step_count; i++) {
		struct replay_step *step = &replay->steps[i];

		if (!is_selection(step->step) &&
		        (text_equal(step->lane, event->lane) || text_has_prefix(step->lane, below)))
			forget(step);
	}
}
