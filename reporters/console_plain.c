/* Plain lines: one a change of state, each with its lane in front. */
#include "reporters/console.h"

#include <inttypes.h>
#include <string.h>

#include "reporters/words.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

/* Lanes that a heartbeat names. */
#define HEARTBEAT_LANES 5
#define MOVE_EVERY_MS 15000
#define COUNT_EVERY_MS 30000

/* "[phones/0 Galaxy S21] regression" */
static char *place_of(const struct run_event *event)
{
	if (event->lane && event->step)
		return gr_printf("[%s] %s", event->lane, event->step);
	if (event->lane)
		return gr_printf("[%s]", event->lane);
	return gr_strdup(event->step ? event->step : "run");
}

static const char *text_of(const struct run_event *event)
{
	return event->text ? event->text : "";
}

static void print_started(struct console *console, const struct run_event *event)
{
	const char *run_id = json_string_value(json_object_get(event->detail, "run_id"));
	const char *server = json_string_value(json_object_get(event->detail, "server"));

	console_print(console, TONE_PLAIN, "run '%s'%s%s%s%s", text_of(event), run_id ? ", id " : "",
	        run_id ? run_id : "", server ? ", on " : "", server ? server : "");
}

static void print_ended(struct console *console, const struct run_event *event)
{
	GR_AUTO_FREE char *place = place_of(event);
	const char *colon = event->text && *event->text ? ": " : "";
	char span[CLOCK_TEXT_BYTES];

	switch (event->outcome) {
	case OUTCOME_PASSED:
		console_print(console, TONE_GOOD, "%s: passed in %s", place, clock_format_span(event->done, span));
		return;
	case OUTCOME_FAILED:
	case OUTCOME_ERROR:
		console_print(console, TONE_BAD, "%s: %s in %s%s%s%s%s%s", place,
		        event->outcome == OUTCOME_FAILED ? "FAILED" : "ERROR", clock_format_span(event->done, span),
		        event->failure ? " (" : "", event->failure ? failure_name(event->failure) : "",
		        event->failure ? ")" : "", colon, text_of(event));
		return;
	case OUTCOME_CANCELLED:
		console_print(console, TONE_WARN, "%s: cancelled%s%s", place, colon, text_of(event));
		return;
	case OUTCOME_SKIPPED:
		console_print(console, TONE_DIM, "%s: skipped%s%s", place, colon, text_of(event));
		return;
	case OUTCOME_NOT_RUN:
		console_print(console, TONE_WARN, "%s: not run%s%s", place, colon, text_of(event));
		return;
	}
}

static void print_device_run(struct console *console, const struct run_event *event)
{
	GR_AUTO_FREE char *place = place_of(event);
	const struct device_run *run = event->device_run;
	struct totals counts;

	if (!run)
		return;
	counts = device_run_totals(run);
	console_print(console,
	        counts.failed + counts.errors || run->failure || !run->is_complete ? TONE_BAD : TONE_GOOD,
	        "%s: on '%s': %" PRId64 " tests, %" PRId64 " passed, %" PRId64 " failed, %" PRId64 " skipped, %" PRId64
	        " without a result%s%s",
	        place, device_label(&run->device), counts.tests, counts.passed, counts.failed, counts.skipped,
	        counts.errors, counts.quarantined ? ", some failures quarantined" : "",
	        run->is_complete ? "" : "; not complete");
}

static void print_problem(struct console *console, const struct run_event *event)
{
	GR_AUTO_FREE char *place = place_of(event);

	if (event->done == 1)
		console_print(console, TONE_WARN, "%s: warning: %s", place, text_of(event));
	else
		console_print(
		        console, TONE_BAD, "%s: problem (%s): %s", place, failure_name(event->failure), text_of(event));
}

static void print_resource(struct console *console, const struct run_event *event)
{
	if (event->kind == RUN_RESOURCE_HELD)
		console_print(console, TONE_PLAIN, "run: holding %s", text_of(event));
	else if (event->outcome == OUTCOME_PASSED)
		console_print(console, TONE_PLAIN, "run: gave back %s", text_of(event));
	else
		console_print(console, TONE_BAD, "run: could not give back %s", text_of(event));
}

static void print_artifact(struct console *console, const struct run_event *event)
{
	const struct artifact *artifact = event->artifact;
	GR_AUTO_FREE char *place = place_of(event);

	if (artifact && artifact->missing)
		console_print(console, TONE_WARN, "%s: %s could not be had: %s", place,
		        artifact->path ? artifact->path : "a file", artifact->missing);
	else if (artifact && (console->flags & CONSOLE_VERBOSE))
		console_print(console, TONE_DIM, "%s: saved %s", place, artifact->path ? artifact->path : "a file");
}

static void print_rule(struct console *console, const struct run_event *event)
{
	const struct gate_rule *rule = event->rule;

	if (rule)
		console_print(console, rule->holds ? TONE_GOOD : TONE_BAD, "gate: %s: %s (%s)",
		        rule->holds ? "holds" : "does not hold", rule->text ? rule->text : "?",
		        rule->values ? rule->values : "?");
}

static void print_detail(struct console *console, const struct run_event *event)
{
	GR_AUTO_FREE char *place = place_of(event);
	GR_AUTO_FREE char *detail = NULL;

	if (!(console->flags & CONSOLE_VERBOSE))
		return;
	detail = event->detail ? json_dumps(event->detail, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	console_print(console, TONE_DIM, "%s: %s%s%s %s", place, run_event_name(event->kind), event->text ? " " : "",
	        text_of(event), detail ? detail : "");
}

static void print_line(struct console *console, const struct run_event *event)
{
	GR_AUTO_FREE char *place = place_of(event);
	bool is_repeat = event->kind == STEP_REPEAT;
	const char *between = event->kind == STEP_STARTED  ? ": started "
	                      : event->kind == STEP_OUTPUT ? " | "
	                      : is_repeat                  ? ": again: "
	                                                   : ": ";

	console_print(console, is_repeat ? TONE_WARN : TONE_PLAIN, "%s%s%s", place, between, text_of(event));
}

/* "build 6: 12/40 tests, 1 failed": what is not the count. */
static const char *behind_count(const char *text)
{
	const char *comma = strchr(text, ',');

	return comma ? comma : "";
}

/* Tests that are counted: a line at the first, when one fails, and now and then; the result tells the last. */
static void print_progress(struct console *console, const struct run_event *event)
{
	struct lane_view *view = event->lane ? lanes_find(console, event->lane) : NULL;
	bool is_counted = view && event->total > 0;
	bool is_news = !is_counted || console->flags & CONSOLE_VERBOSE ||
	               !text_equal(view->behind_count, behind_count(text_of(event))) ||
	               console->now_ms - view->counted_ms >= COUNT_EVERY_MS;

	if (!is_news)
		return;
	if (view) {
		gr_free(view->behind_count);
		view->behind_count = is_counted ? gr_strdup(behind_count(text_of(event))) : NULL;
		view->counted_ms = console->now_ms;
	}
	print_line(console, event);
}

/* A file that takes long: a line now and then. */
static void print_move(struct console *console, const struct run_event *event)
{
	struct lane_view *view = event->lane ? lanes_find(console, event->lane) : NULL;
	GR_AUTO_FREE char *place = place_of(event);

	if (!view || console->now_ms - view->said_ms < MOVE_EVERY_MS)
		return;
	view->said_ms = console->now_ms;
	console_print(console, TONE_PLAIN, "%s: %s", place, view->progress ? view->progress : "");
}

static void print_cancelled(struct console *console, const struct run_event *event)
{
	console_print(console, TONE_WARN,
	        "run: %s: stopping, giving back what is held, writing reports (a second signal would not wait for it)",
	        event->text ? event->text : "a signal");
}

void plain_event(struct console *console, const struct run_event *event)
{
	static void (*const printers[])(struct console *, const struct run_event *) = {
	        [RUN_STARTED] = print_started,
	        [LANE_STARTED] = print_detail,
	        [LANE_ENDED] = print_detail,
	        [STEP_STARTED] = print_line,
	        [STEP_PROGRESS] = print_progress,
	        [STEP_MOVED] = print_move,
	        [STEP_LEARNED] = print_detail,
	        [STEP_INTENT] = print_detail,
	        [STEP_ANSWER] = print_detail,
	        [STEP_OUTPUT] = print_line,
	        [STEP_REPEAT] = print_line,
	        [STEP_ENDED] = print_ended,
	        [RUN_RESOURCE_HELD] = print_resource,
	        [RUN_RESOURCE_RELEASED] = print_resource,
	        [RUN_DEVICE_RESULT] = print_device_run,
	        [RUN_PROBLEM] = print_problem,
	        [RUN_ARTIFACT] = print_artifact,
	        [RUN_GATE_RULE] = print_rule,
	        [RUN_CANCELLED] = print_cancelled,
	};

	if ((size_t)event->kind < GR_COUNT(printers) && printers[event->kind])
		printers[event->kind](console, event);
}

void plain_heartbeat(struct console *console)
{
	GR_AUTO_BUFFER struct buffer line = {0};
	GR_AUTO_BUFFER struct buffer clock = {0};
	size_t named = 0, active = 0;
	char span[CLOCK_TEXT_BYTES];

	for (size_t i = 0; i < console->lane_count; i++) {
		const struct lane_view *view = &console->lanes[i];

		if (!view->is_active || active++ >= HEARTBEAT_LANES)
			continue;
		buffer_printf(&line, "%s[%s] %s%s%s for %s", named++ ? "; " : "", view->name,
		        view->step ? view->step : "?", view->progress ? ", " : "", view->progress ? view->progress : "",
		        console_span(console->now_ms - view->since_ms, span));
	}
	if (active > named)
		buffer_printf(&line, "; and %zu more", active - named);
	console_add_clock(console, &clock);
	console_print(console, TONE_DIM, "run: still at it after %s: %s", buffer_text(&clock),
	        line.bytes ? buffer_text(&line) : "waiting");
}
