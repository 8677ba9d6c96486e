/* Inside reporters: the console's parts. Lines are built as plain text and made harmless as a whole when they are
 * printed. */
#ifndef GRIDLANE_REPORTERS_CONSOLE_H
#define GRIDLANE_REPORTERS_CONSOLE_H

#include <stdint.h>

#include "reporters/reporter.h"

enum tone { TONE_PLAIN, TONE_GOOD, TONE_BAD, TONE_WARN, TONE_DIM };

struct lane_view { /* a lane that is under way */
	char *name, *step, *progress;
	int64_t done, total; /* total <= 0: not known */
	int64_t since_ms; /* the step began */
	bool is_active;
};

struct console {
	int fd;
	unsigned flags;
	struct redactor *redactor;
	bool is_dead; /* nobody reads any more: not an error */
	int64_t now_ms, wall_ms; /* of the last event or tick */
	int64_t printed_ms; /* when the last line was printed; 0: not yet */
	struct lane_view *lanes;
	size_t lane_count;
	size_t live_lines; /* of the live view, on the screen now */
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

/* console_live.c */
void live_erase(struct console *console);
void live_draw(struct console *console);

/* console_lanes.c */
/* false: the event says of its lane what the one before said. */
bool lanes_follow(struct console *console, const struct run_event *event);
void lanes_release(struct console *console);

/* console_end.c: all that is known, but the last lines; and those */
void end_print(struct console *console, const struct results *results);
/* The problems that came as events, were not printed then, and are not in the results (a report that could not be
 * written). */
void end_print_unsaid(struct console *console, const struct results *results);
void end_keep_verdict(struct console *console, const struct results *results);
void end_print_verdict(struct console *console);

#endif
