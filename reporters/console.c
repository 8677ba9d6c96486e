#include "reporters/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "reporters/words.h"
#include "runner/base/clock.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"

#define LINE_BYTES 4096
/* CI systems take a job for dead when it says nothing for some minutes. */
#define HEARTBEAT_MS 60000
/* Often enough for a clock that shows tenths of seconds, not more than a terminal follows. */
#define DRAW_EVERY_MS 90
#define NOTES_MOST 1000

static bool has(const struct console *console, enum console_flags flag)
{
	return (console->flags & (unsigned)flag) != 0;
}

static bool is_live(const struct console *console)
{
	return has(console, CONSOLE_LIVE) && !has(console, CONSOLE_QUIET);
}

void console_write(struct console *console, const char *text, size_t bytes)
{
	if (!console->is_dead && file_write_all(console->fd, text, bytes) < 0)
		console->is_dead = true;
}

size_t console_columns(const struct console *console)
{
	struct winsize size = {0};

	if (ioctl(console->fd, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col == 0 ? 80 : size.ws_col;
}

const char *console_span(int64_t span_ms, char text[static CLOCK_TEXT_BYTES])
{
	if (span_ms < 0 || span_ms >= 60000)
		return clock_format_span(span_ms, text);
	(void)snprintf(text, CLOCK_TEXT_BYTES, "%ds", (int)(span_ms / 1000));
	return text;
}

void console_add_clock(const struct console *console, struct buffer *out)
{
	int64_t past_ms = console->started_ms ? console->now_ms - console->started_ms : 0;
	int64_t left_ms = console->expected_ms - past_ms;
	char span[CLOCK_TEXT_BYTES];

	buffer_add_text(out, console_span(past_ms, span));
	if (console->expected_ms > 0 && left_ms >= 0)
		buffer_printf(out, ", about %s left", console_span(left_ms, span));
	else if (console->expected_ms > 0)
		buffer_printf(out, ", longer than usual (%s)", console_span(console->expected_ms, span));
}

const char *console_color(const struct console *console, enum tone tone)
{
	if (!has(console, CONSOLE_COLOR))
		return NULL;
	switch (tone) {
	case TONE_PLAIN:
		return NULL;
	case TONE_GOOD:
		return "\033[32m";
	case TONE_BAD:
		return "\033[31m";
	case TONE_WARN:
		return "\033[33m";
	case TONE_DIM:
		return "\033[2m";
	}
	return NULL;
}

void console_print(struct console *console, enum tone tone, const char *format, ...)
{
	GR_AUTO_BUFFER struct buffer line = {0};
	GR_AUTO_FREE char *text = NULL;
	const char *color = console_color(console, tone);
	char stamp[CLOCK_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	text = gr_vprintf(format, args);
	va_end(args);
	live_erase(console);
	if (has(console, CONSOLE_TIMESTAMPS) && *text)
		buffer_printf(&line, "%s ", clock_format_utc(console->wall_ms, stamp));
	if (color)
		buffer_add_text(&line, color);
	words_line(console->redactor, &line, text, LINE_BYTES);
	if (color)
		buffer_add_text(&line, "\033[0m");
	buffer_add_char(&line, '\n');
	console_write(console, buffer_text(&line), line.bytes);
	console->printed_ms = console->now_ms;
}

/* What may be known nowhere else: the disk that other things are told by is what it warns of. */
static bool is_alarm(const struct run_event *event)
{
	return event->kind == RUN_PROBLEM && event->failure == GR_DISK && event->done == 1;
}

/* What is printed of it as it happens: nothing when quiet; on a terminal what was asked for, and that a signal was
 * heard (who sees nothing of it sends another one); the rest the live view shows. */
static bool is_shown_now(const struct console *console, const struct run_event *event)
{
	if (is_alarm(event))
		return true;
	return !has(console, CONSOLE_QUIET) &&
	       (!is_live(console) || has(console, CONSOLE_VERBOSE) || event->kind == RUN_CANCELLED);
}

static void keep(char ***texts, size_t *count, const char *text)
{
	if (!text || *count == NOTES_MOST)
		return;
	*texts = gr_grow(*texts, *count, sizeof(char *));
	(*texts)[(*count)++] = gr_strdup(text);
}

static void release_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		gr_free(texts[i]);
	gr_free(texts);
}

static void on_judged(struct console *console, const struct results *results)
{
	live_erase(console);
	end_print(console, results);
	end_print_unsaid(console, results);
	end_keep_verdict(console, results);
}

static int on_event(void *state, const struct run_event *event, struct gr_error *err)
{
	struct console *console = state;
	bool is_news;

	(void)err; /* a console that cannot be written to is no error */
	if (event->now_ms > console->now_ms)
		console->now_ms = event->now_ms;
	console->wall_ms = event->wall_ms;
	if (event->kind == RUN_STARTED) {
		console->started_ms = event->now_ms;
		gr_free(console->name);
		console->name = gr_strdup(event->text);
	}
	is_news = lanes_follow(console, event);
	if (event->kind == RUN_NOTE) {
		keep(&console->notes, &console->note_count, event->text);
	} else if (event->kind == RUN_JUDGED) {
		if (event->results)
			on_judged(console, event->results);
	} else if (is_shown_now(console, event)) {
		if (is_news)
			plain_event(console, event);
	} else if (event->kind == RUN_PROBLEM && event->done != 1) {
		keep(&console->unsaid, &console->unsaid_count, event->text);
	}
	return 0;
}

static int on_close(void *state, struct gr_error *err)
{
	struct console *console = state;

	(void)err;
	if (!console)
		return 0;
	live_erase(console);
	end_print_verdict(console);
	for (size_t i = 0; i < console->note_count; i++)
		console_print(console, TONE_PLAIN, "%s", console->notes[i]);
	release_texts(console->notes, console->note_count);
	release_texts(console->unsaid, console->unsaid_count);
	gr_free(console->verdict);
	gr_free(console->cause);
	gr_free(console->name);
	gr_free(console->live_widths);
	lanes_release(console);
	gr_free(console);
	return 0;
}

int console_open(
        int fd, unsigned flags, struct redactor *redactor, struct event_reader *ret_reader, struct gr_error *err)
{
	struct console *console;

	if (fd < 0)
		return gr_fail(err, GR_INTERNAL, 0, "the console has no descriptor");
	console = gr_alloc(1, sizeof(*console));
	console->fd = fd;
	console->flags = flags;
	console->redactor = redactor;
	*ret_reader = (struct event_reader){.event = on_event, .close = on_close, .state = console};
	return 0;
}

void console_expect(struct event_reader *reader, int64_t expected_ms)
{
	struct console *console = reader->state;

	console->expected_ms = expected_ms;
}

void console_tick(struct event_reader *reader, int64_t now_ms)
{
	struct console *console = reader->state;

	if (!console || has(console, CONSOLE_QUIET) || console->verdict)
		return;
	if (now_ms > console->now_ms) {
		console->wall_ms += console->wall_ms ? now_ms - console->now_ms : 0;
		console->now_ms = now_ms;
	}
	if (is_live(console)) {
		if (console->now_ms - console->drawn_ms >= DRAW_EVERY_MS)
			live_draw(console);
		return;
	}
	if (!console->printed_ms)
		console->printed_ms = console->now_ms;
	if (console->now_ms - console->printed_ms >= HEARTBEAT_MS)
		plain_heartbeat(console);
}
