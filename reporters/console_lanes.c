/* What each lane is at: the live view and the heartbeat show it. */
#include "reporters/console.h"

#include "runner/base/memory.h"
#include "runner/base/text.h"

static struct lane_view *find(struct console *console, const char *name)
{
	struct lane_view *view;

	for (size_t i = console->lane_count; i-- > 0;)
		if (text_equal(console->lanes[i].name, name))
			return &console->lanes[i];
	console->lanes = gr_grow(console->lanes, console->lane_count, sizeof(*console->lanes));
	view = &console->lanes[console->lane_count++];
	*view = (struct lane_view){.name = gr_strdup(name)};
	return view;
}

static void set_text(char **place, const char *text)
{
	gr_free(*place);
	*place = gr_strdup(text);
}

static void begin_step(struct console *console, const struct run_event *event)
{
	struct lane_view *view = find(console, event->lane);

	view->is_active = true;
	view->since_ms = event->now_ms;
	view->done = view->total = 0;
	set_text(&view->step, event->step);
	set_text(&view->progress, NULL);
}

static void note_progress(struct console *console, const struct run_event *event)
{
	struct lane_view *view = find(console, event->lane);

	if (event->kind == STEP_PROGRESS) {
		view->done = event->done;
		view->total = event->total;
	}
	set_text(&view->progress, event->text);
}

static void end_step(struct console *console, const struct run_event *event)
{
	struct lane_view *view = find(console, event->lane);

	if (text_equal(view->step, event->step))
		view->is_active = false;
}

void lanes_follow(struct console *console, const struct run_event *event)
{
	if (!event->lane)
		return;
	switch (event->kind) {
	case STEP_STARTED:
		begin_step(console, event);
		break;
	case STEP_PROGRESS:
	case STEP_OUTPUT:
	case STEP_REPEAT:
		note_progress(console, event);
		break;
	case STEP_ENDED:
		end_step(console, event);
		break;
	case LANE_ENDED:
		find(console, event->lane)->is_active = false;
		break;
	case RUN_STARTED:
	case LANE_STARTED:
	case STEP_LEARNED:
	case STEP_INTENT:
	case STEP_ANSWER:
	case RUN_RESOURCE_HELD:
	case RUN_RESOURCE_RELEASED:
	case RUN_DEVICE_RESULT:
	case RUN_PROBLEM:
	case RUN_ARTIFACT:
	case RUN_GATE_RULE:
	case RUN_CANCELLED:
	case RUN_NOTE:
	case RUN_JUDGED:
		break;
	}
}

void lanes_release(struct console *console)
{
	for (size_t i = 0; i < console->lane_count; i++) {
		gr_free(console->lanes[i].name);
		gr_free(console->lanes[i].step);
		gr_free(console->lanes[i].progress);
	}
	gr_free(console->lanes);
	console->lanes = NULL;
	console->lane_count = 0;
}
