/* Inside reporters: the console's parts. Lines are built as plain text and made harmless as a whole when they are
 * printed. */
#ifndef GRIDLANE_REPORTERS_CONSOLE_H
#define GRIDLANE_REPORTERS_CONSOLE_H

#include <stdint.h>

#include "reporters/reporter.h"
#include "runner/base/buffer.h"
#include "runner/base/clock.h"

enum tone { TONE_PLAIN, TONE_GOOD, TONE_BAD, TONE_WARN, TONE_DIM };

struct lane_view {
	char *name, *step, *progress;
	int64_t done, total; /* tests, or bytes while a file moves; total <= 0: not known */
	int64_t since_ms; /* the step began */
	int64_t mark_ms, mark_bytes, rate,
	        said_ms; /* of a file: the speed in bytes per second since the mark; -1: not known yet
	                  */
	char *behind_count; /* of the last line that counted tests, or NULL */
	int64_t counted_ms; /* when it was printed */
	int64_t tests, failed; /* of the steps before this one */
	int64_t step_tests, step_failed; /* of this step, once it has a result */
	bool is_active; /* a step is under way */
	bool is_moving; /* done and total are bytes */
	bool is_of_matrix, is_over;
};

struct console {
	int fd;
	unsigned flags;
	struct redactor *redactor;
	bool is_dead; /* nobody reads any more: not an error */
	int64_t now_ms, wall_ms; /* of the last event or tick */
	int64_t printed_ms; /* when the last line was printed; 0: not yet */
	int64_t started_ms,
	        expected_ms; /* of the run; expected: how long earlier ones took, 0 when that is not known */
	char *name; /* of the pipeline */
	struct lane_view *lanes;
	size_t lane_count;
	size_t *live_widths; /* of the live view's lines that are on the screen now: columns, at least */
	size_t live_lines;
	int64_t drawn_ms;
	char *verdict, *cause; /* the last lines, once the run is judged */
	enum tone verdict_tone;
	char **notes;
	size_t note_count;
	char **unsaid; /* problems that were not printed as they came */
	size_t unsaid_count;
};

/* Print one line: redacted, neutralised, cut; the live view makes way. */
void console_print(struct console *console, enum tone tone, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void console_write(struct console *console, const char *text, size_t bytes);

/* console_plain.c */
void plain_event(struct console *console, const struct run_event *event);
void plain_heartbeat(struct console *console);

/* What switches the colour on; NULL: none. */
const char *console_color(const struct console *console, enum tone tone);
/* Columns of the terminal; 0 when it is none. */
size_t console_columns(const struct console *console);
/* A span for what is drawn again and again: no tenths of seconds, they would only flicker. Returns text. */
const char *console_span(int64_t span_ms, char text[static CLOCK_TEXT_BYTES]);
/* "1m20s, about 2m left": of the run, and of what is left of it when earlier runs tell. */
void console_add_clock(const struct console *console, struct buffer *out);

/* console_live.c */
void live_erase(struct console *console);
void live_draw(struct console *console);

/* console_lanes.c */
/* false: the event says of its lane what the one before said. */
bool lanes_follow(struct console *console, const struct run_event *event);
/* The view of that lane, made when there is none. */
struct lane_view *lanes_find(struct console *console, const char *name);
void lanes_release(struct console *console);

/* console_end.c: all that is known, but the last lines; and those */
void end_print(struct console *console, const struct results *results);
/* The problems that came as events, were not printed then, and are not in the results (a report that could not be
 * written). */
void end_print_unsaid(struct console *console, const struct results *results);
void end_keep_verdict(struct console *console, const struct results *results);
void end_print_verdict(struct console *console);

#endif
