/* The live view: one line a lane, drawn over itself with nothing but "cursor up" and "erase line". */
#include "reporters/console.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

#include "reporters/words.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"

#define LINES_MOST 20
#define BAR_CELLS 16
#define NAME_COLUMNS 28
#define STEP_COLUMNS 18

static size_t terminal_columns(const struct console *console)
{
	struct winsize size = {0};

	if (ioctl(console->fd, TIOCGWINSZ, &size) < 0 || size.ws_col < 20)
		return 80;
	return size.ws_col;
}

static size_t terminal_rows(const struct console *console)
{
	struct winsize size = {0};

	if (ioctl(console->fd, TIOCGWINSZ, &size) < 0 || size.ws_row < 4)
		return LINES_MOST;
	return (size_t)size.ws_row - 2 < LINES_MOST ? (size_t)size.ws_row - 2 : LINES_MOST;
}

/* Append at most `columns` columns of a clean text, filled up with blanks. A character outside ASCII may be two columns
 * wide, or none: two is never too few, so that no line wraps. */
static void add_columns(struct buffer *out, const char *clean, size_t columns, bool fill)
{
	size_t used = 0;

	while (*clean) {
		size_t bytes = 1, width = (unsigned char)*clean < 0x80 ? 1 : 2;

		while (((unsigned char)clean[bytes] & 0xC0) == 0x80)
			bytes++;
		if (used + width > columns)
			break;
		buffer_add(out, clean, bytes);
		clean += bytes;
		used += width;
	}
	for (; fill && used < columns; used++)
		buffer_add_char(out, ' ');
}

static void add_text(struct console *console, struct buffer *out, const char *text, size_t columns)
{
	GR_AUTO_BUFFER struct buffer clean = {0};

	words_line(console->redactor, &clean, text ? text : "", 512);
	add_columns(out, buffer_text(&clean), columns, true);
	buffer_add_text(out, "  ");
}

static void add_bar(struct buffer *out, int64_t done, int64_t total)
{
	int64_t cells = total > 0 && done > 0 ? (done < total ? done * BAR_CELLS / total : BAR_CELLS) : 0;

	buffer_add_char(out, '[');
	for (int64_t i = 0; i < BAR_CELLS; i++)
		buffer_add_char(out, i < cells ? '#' : '.');
	buffer_add_text(out, "]  ");
}

static void add_lane(struct console *console, struct buffer *out, const struct lane_view *view, size_t columns)
{
	GR_AUTO_BUFFER struct buffer line = {0};
	int64_t since_ms = console->now_ms - view->since_ms;
	char span[CLOCK_TEXT_BYTES];

	add_text(console, &line, view->name, NAME_COLUMNS);
	add_text(console, &line, view->step, STEP_COLUMNS);
	if (view->total > 0)
		add_bar(&line, view->done, view->total);
	if (since_ms < 60000) /* tenths would only flicker */
		buffer_printf(&line, "%" PRId64 "s  ", since_ms / 1000);
	else
		buffer_printf(&line, "%s  ", clock_format_span(since_ms, span));
	words_line(console->redactor, &line, view->progress, 512);
	add_columns(out, buffer_text(&line), columns - 1, false);
	buffer_add_char(out, '\n');
}

void live_erase(struct console *console)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	if (console->live_lines == 0)
		return;
	for (; console->live_lines > 0; console->live_lines--)
		buffer_add_text(&out, "\033[1A\033[2K");
	console_write(console, buffer_text(&out), out.bytes);
}

void live_draw(struct console *console)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	size_t columns = terminal_columns(console), rows = terminal_rows(console), drawn = 0, active = 0;

	for (size_t i = 0; i < console->live_lines; i++)
		buffer_add_text(&out, "\033[1A\033[2K");
	for (size_t i = 0; i < console->lane_count; i++) {
		if (!console->lanes[i].is_active || active++ >= rows)
			continue;
		add_lane(console, &out, &console->lanes[i], columns);
		drawn++;
	}
	if (active > drawn) {
		buffer_printf(&out, "and %zu more lanes\n", active - drawn);
		drawn++;
	}
	console_write(console, buffer_text(&out), out.bytes); /* in one piece: no flicker */
	console->live_lines = drawn;
	console->drawn_ms = console->now_ms;
}
