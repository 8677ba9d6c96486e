/* What each lane is at: the live view and the heartbeat show it. */
#include "reporters/console.h"

#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

/* A file's speed is that of the last seconds; the first one is said early, so that there is one. */
#define SPEED_OVER_MS 5000
#define SPEED_FIRST_MS 1000

struct lane_view *lanes_find(struct console *console, const char *name)
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

/* What the last step found stays counted; a result of this one replaces an earlier one of it. */
static void keep_counts(struct lane_view *view)
{
	view->tests += view->step_tests;
	view->failed += view->step_failed;
	view->step_tests = view->step_failed = 0;
}

static void begin_step(struct console *console, const struct run_event *event)
{
	struct lane_view *view = lanes_find(console, event->lane);

	keep_counts(view);
	view->is_active = !text_equal(event->text, "matrix"); /* its lanes speak for it */
	view->is_moving = false;
	view->since_ms = event->now_ms;
	view->done = view->total = 0;
	set_text(&view->step, event->step);
	set_text(&view->progress, NULL);
	set_text(&view->behind_count, NULL);
}

static bool note_progress(struct console *console, const struct run_event *event)
{
	struct lane_view *view = lanes_find(console, event->lane);
	bool is_news = event->kind != STEP_PROGRESS || !text_equal(view->progress, event->text);

	if (event->kind == STEP_PROGRESS || view->is_moving) {
		view->done = event->kind == STEP_PROGRESS ? event->done : 0;
		view->total = event->kind == STEP_PROGRESS ? event->total : 0;
		view->is_moving = false;
	}
	set_text(&view->progress, event->text);
	return is_news;
}

/* The speed over the last seconds, from mark to mark. */
static void measure(struct lane_view *view, const struct run_event *event)
{
	int64_t span_ms = event->now_ms - view->mark_ms;

	if (!view->is_moving || event->done < view->mark_bytes) {
		view->mark_ms = event->now_ms;
		view->mark_bytes = event->done;
		view->rate = -1;
		view->said_ms = event->now_ms;
	} else if (span_ms >= SPEED_OVER_MS || (view->rate < 0 && span_ms >= SPEED_FIRST_MS)) {
		view->rate = (event->done - view->mark_bytes) * 1000 / span_ms;
	}
	if (span_ms >= SPEED_OVER_MS && view->is_moving) {
		view->mark_ms = event->now_ms;
		view->mark_bytes = event->done;
	}
}

/* "upload: 22s left, 3.1 MiB/s, 12.0 MiB of 80.0 MiB of app.apk": first what a narrow terminal has to show. */
static char *move_text(const struct lane_view *view, const struct run_event *event)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	const char *direction = json_string_value(json_object_get(event->detail, "direction"));
	bool is_all = event->total > 0 && event->done >= event->total;
	char size[32], span[CLOCK_TEXT_BYTES];

	buffer_printf(&text, "%s: ", direction ? direction : "transfer");
	if (view->rate > 0 && event->total > 0 && !is_all)
		buffer_printf(&text, "%s left, ", console_span((event->total - event->done) * 1000 / view->rate, span));
	if (view->rate > 0 && !is_all)
		buffer_printf(&text, "%s/s, ", number_format_bytes(view->rate, size));
	buffer_printf(&text, "%s%s", is_all ? "all " : "", number_format_bytes(event->done, size));
	if (event->total > 0 && !is_all)
		buffer_printf(&text, " of %s", number_format_bytes(event->total, size));
	buffer_printf(&text, " of %s", event->text ? event->text : "a file");
	return buffer_take(&text);
}

static void note_move(struct console *console, const struct run_event *event)
{
	struct lane_view *view = lanes_find(console, event->lane);
	GR_AUTO_FREE char *text = NULL;

	measure(view, event);
	view->is_moving = true;
	view->done = event->done;
	view->total = event->total;
	text = move_text(view, event);
	set_text(&view->progress, text);
}

static void note_result(struct console *console, const struct run_event *event)
{
	struct lane_view *view = lanes_find(console, event->lane);

	view->step_tests = view->step_failed = 0;
	for (size_t i = 0; event->device_run && i < event->device_run->case_count; i++) {
		enum case_status status = event->device_run->cases[i].status;

		view->step_tests++;
		view->step_failed += status == STATUS_FAILED || status == STATUS_ERROR;
	}
	view->done = view->total = 0; /* counted now */
}

static void end_step(struct console *console, const struct run_event *event)
{
	struct lane_view *view = lanes_find(console, event->lane);

	if (text_equal(view->step, event->step))
		view->is_active = view->is_moving = false;
	if (!view->is_active)
		view->done = view->total = 0;
}

static void note_lane(struct console *console, const struct run_event *event)
{
	struct lane_view *view = lanes_find(console, event->lane);

	view->is_of_matrix = !text_equal(event->lane, "main") && !text_equal(event->lane, "finally");
	view->is_over = event->kind == LANE_ENDED;
	if (view->is_over)
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
	else if (kind == STEP_MOVED)
		note_move(console, event);
	else if (kind == RUN_DEVICE_RESULT)
		note_result(console, event);
	else if (kind == STEP_ENDED)
		end_step(console, event);
	else if (kind == LANE_STARTED || kind == LANE_ENDED)
		note_lane(console, event);
	return true;
}

void lanes_release(struct console *console)
{
	for (size_t i = 0; i < console->lane_count; i++) {
		gr_free(console->lanes[i].name);
		gr_free(console->lanes[i].step);
		gr_free(console->lanes[i].progress);
		gr_free(console->lanes[i].behind_count);
	}
	gr_free(console->lanes);
	console->lanes = NULL;
	console->lane_count = 0;
}
