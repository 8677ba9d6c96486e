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

	view->is_active = !text_equal(event->text, "matrix"); /* its lanes speak for it */
	view->since_ms = event->now_ms;
	view->done = view->total = 0;
	set_text(&view->step, event->step);
	set_text(&view->progress, NULL);
}

static bool note_progress(struct console *console, const struct run_event *event)
{
	struct lane_view *view = find(console, event->lane);
	bool is_news = event->kind != STEP_PROGRESS || !text_equal(view->progress, event->text);

	if (event->kind == STEP_PROGRESS) {
		view->done = event->done;
		view->total = event->total;
	}
	set_text(&view->progress, event->text);
	return is_news;
}

static void end_step(struct console *console, const struct run_event *event)
{
	struct lane_view *view = find(console, event->lane);

	if (text_equal(view->step, event->step))
		view->is_active = false;
}

bool lanes_follow(struct console *console, const struct run_event *event)
{
	enum run_event_kind kind = event->kind;

	if (!event->lane)
		return true;
	if (kind == STEP_STARTED)
		begin_step(console, event);
	else if (kind == STEP_PROGRESS || kind == STEP_OUTPUT || kind == STEP_REPEAT)
		return note_progress(console, event);
	else if (kind == STEP_ENDED)
		end_step(console, event);
	else if (kind == LANE_ENDED)
		find(console, event->lane)->is_active = false;
	return true;
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
