/* The live view: a line for the run and one a lane, drawn over themselves with nothing but "carriage return", "cursor
 * up" and "erase line". */
#include "reporters/console.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

#include "reporters/words.h"
#include "runner/base/memory.h"

#define LANES_MOST 20
#define WIDE_COLUMNS 90 /* from here on there is room for long bars */
#define BARE_COLUMNS 60 /* below it for none */
#define NAME_COLUMNS 28
#define STEP_COLUMNS 18
#define TEXT_BYTES 512

/* What all lines of one drawing have in common. */
struct layout {
	size_t columns, name, step, span;
	int64_t cells; /* of a bar; 0: no bars */
};

/* A line that is being put together: never wider than `left` was. */
struct line {
	struct console *console;
	struct buffer *out;
	size_t left; /* columns that are free */
	size_t least; /* columns that are used for certain */
};

static size_t terminal_rows(const struct console *console)
{
	struct winsize size = {0};

	if (ioctl(console->fd, TIOCGWINSZ, &size) < 0 || size.ws_row < 4)
		return LANES_MOST;
	return (size_t)size.ws_row - 3 < LANES_MOST ? (size_t)size.ws_row - 3 : LANES_MOST;
}

/* ---- parts of a line ---- */

static void add_blanks(struct line *line, size_t count)
{
	for (; count > 0 && line->left > 0; count--, line->left--, line->least++)
		buffer_add_char(line->out, ' ');
}

/* At most `columns` columns of a clean text; returns how many were used. A character outside ASCII may be none wide. */
static size_t add_clean(struct line *line, const char *clean, size_t columns)
{
	size_t used, bytes = words_fit(clean, columns < line->left ? columns : line->left, &used);

	buffer_add(line->out, clean, bytes);
	for (size_t i = 0; i < bytes; i++)
		line->least += (unsigned char)clean[i] < 0x80;
	line->left -= used;
	return used;
}

static size_t add_part(struct line *line, enum tone tone, const char *text, size_t columns)
{
	GR_AUTO_BUFFER struct buffer clean = {0};
	const char *color = console_color(line->console, tone);
	size_t used;

	words_line(line->console->redactor, &clean, text ? text : "", TEXT_BYTES);
	buffer_add_text(line->out, color ? color : "");
	used = add_clean(line, buffer_text(&clean), columns);
	buffer_add_text(line->out, color ? "\033[0m" : "");
	return used;
}

/* A part that others stand below: filled up with blanks, and two more. */
static void add_column(struct line *line, enum tone tone, const char *text, size_t columns)
{
	size_t used = add_part(line, tone, text, columns);

	add_blanks(line, columns - used + 2);
}

static void add_bar(struct line *line, const struct lane_view *view, int64_t cells)
{
	char full[32] = {0}, empty[32] = {0};
	int64_t done = view->done < view->total ? view->done : view->total;
	int64_t filled = view->total > 0 && done > 0 ? done * cells / view->total : 0;

	if (view->total <= 0) {
		add_blanks(line, (size_t)cells + 4);
		return;
	}
	memset(full, '#', (size_t)filled);
	memset(empty, '.', (size_t)(cells - filled));
	(void)add_clean(line, "[", 1);
	(void)add_part(line, TONE_GOOD, full, (size_t)cells);
	(void)add_clean(line, empty, (size_t)cells);
	(void)add_clean(line, "]", 1);
	add_blanks(line, 2);
}

/* ---- lines ---- */

static void add_lane(struct line *line, const struct lane_view *view, const struct layout *layout)
{
	char span[CLOCK_TEXT_BYTES];

	add_column(line, TONE_PLAIN, view->name, layout->name);
	add_column(line, TONE_PLAIN, view->step, layout->step);
	if (layout->cells > 0)
		add_bar(line, view, layout->cells);
	(void)console_span(line->console->now_ms - view->since_ms, span);
	if (!view->progress || !*view->progress) {
		(void)add_part(line, TONE_DIM, span, layout->span);
		return;
	}
	add_column(line, TONE_DIM, span, layout->span);
	(void)add_part(line, TONE_PLAIN, view->progress, line->left);
}

struct sums {
	int64_t tests, failed, running, over;
};

static struct sums sums_of(const struct console *console)
{
	struct sums sums = {0};

	for (size_t i = 0; i < console->lane_count; i++) {
		const struct lane_view *view = &console->lanes[i];

		sums.tests += view->tests + view->step_tests;
		sums.failed += view->failed + view->step_failed;
		if (!view->is_moving && view->done > 0)
			sums.tests += view->done;
		sums.over += view->is_of_matrix && view->is_over;
		sums.running += view->is_of_matrix && !view->is_over;
	}
	return sums;
}

/* "shop-nightly  1m12s, about 3m left  41 tests, 2 failed  lanes: 2 done, 3 running" */
static void add_head(struct line *line)
{
	struct sums sums = sums_of(line->console);
	GR_AUTO_BUFFER struct buffer clock = {0};
	GR_AUTO_FREE char *tests = gr_printf("  %" PRId64 " test%s", sums.tests, sums.tests == 1 ? "" : "s");
	GR_AUTO_FREE char *failed = gr_printf("%" PRId64 " failed", sums.failed);
	GR_AUTO_FREE char *lanes = gr_printf("  lanes: %" PRId64 " done, %" PRId64 " running", sums.over, sums.running);

	(void)add_part(line, TONE_PLAIN, line->console->name ? line->console->name : "run", NAME_COLUMNS);
	add_blanks(line, 2);
	console_add_clock(line->console, &clock);
	(void)add_part(line, TONE_DIM, buffer_text(&clock), line->left);
	if (sums.tests > 0)
		(void)add_clean(line, tests, line->left);
	if (sums.failed > 0) {
		(void)add_clean(line, ", ", line->left);
		(void)add_part(line, TONE_BAD, failed, line->left);
	}
	if (sums.over + sums.running > 0)
		(void)add_clean(line, lanes, line->left);
}

/* ---- the drawing ---- */

static size_t at_least(size_t size, const char *text)
{
	size_t columns = 0;

	(void)words_fit(text ? text : "", TEXT_BYTES, &columns);
	return columns > size ? columns : size;
}

static size_t at_most(size_t size, size_t most)
{
	return size < most ? size : most;
}

static struct layout lay_out(const struct console *console)
{
	struct layout layout = {.columns = console_columns(console)};
	bool has_bar = false;
	char span[CLOCK_TEXT_BYTES];

	layout.columns = (layout.columns < 20 ? 20 : layout.columns) - 1;
	for (size_t i = 0; i < console->lane_count; i++) {
		const struct lane_view *view = &console->lanes[i];

		if (!view->is_active)
			continue;
		layout.name = at_least(layout.name, view->name);
		layout.step = at_least(layout.step, view->step);
		layout.span = at_least(layout.span, console_span(console->now_ms - view->since_ms, span));
		has_bar = has_bar || view->total > 0;
	}
	layout.name = at_most(layout.name, at_most(NAME_COLUMNS, layout.columns / 3));
	layout.step = at_most(layout.step, at_most(STEP_COLUMNS, layout.columns / 5));
	if (has_bar && layout.columns + 1 >= BARE_COLUMNS)
		layout.cells = layout.columns + 1 >= WIDE_COLUMNS ? 16 : 8;
	return layout;
}

/* The lines that are there, as many rows as they take up now: a terminal that became narrower has wrapped them. And
 * what the terminal has echoed below them: "^C". */
static void add_erasure(struct console *console, struct buffer *out)
{
	size_t columns = console_columns(console);

	if (console->live_lines > 0)
		buffer_add_text(out, "\r\033[2K");
	for (size_t i = 0; i < console->live_lines; i++) {
		size_t rows = columns ? (console->live_widths[i] + columns - 1) / columns : 1;

		for (buffer_add_text(out, "\033[1A\033[2K"); rows > 1; rows--)
			buffer_add_text(out, "\033[1A\033[2K");
	}
	console->live_lines = 0;
}

void live_erase(struct console *console)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	if (console->live_lines == 0)
		return;
	add_erasure(console, &out);
	console_write(console, buffer_text(&out), out.bytes);
}

static struct line begin_line(struct console *console, struct buffer *out, const struct layout *layout)
{
	return (struct line){.console = console, .out = out, .left = layout->columns};
}

static void end_line(const struct line *line)
{
	struct console *console = line->console;

	buffer_add_char(line->out, '\n');
	console->live_widths = gr_grow(console->live_widths, console->live_lines, sizeof(size_t));
	console->live_widths[console->live_lines++] = line->least;
}

void live_draw(struct console *console)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	const struct layout layout = lay_out(console);
	size_t rows = terminal_rows(console), active = 0;
	struct line line;

	add_erasure(console, &out);
	line = begin_line(console, &out, &layout);
	add_head(&line);
	end_line(&line);
	for (size_t i = 0; i < console->lane_count; i++) {
		if (!console->lanes[i].is_active || active++ >= rows)
			continue;
		line = begin_line(console, &out, &layout);
		add_lane(&line, &console->lanes[i], &layout);
		end_line(&line);
	}
	if (active > rows) {
		GR_AUTO_FREE char *more = gr_printf("and %zu more", active - rows);

		line = begin_line(console, &out, &layout);
		(void)add_part(&line, TONE_DIM, more, line.left);
		end_line(&line);
	}
	console_write(console, buffer_text(&out), out.bytes); /* in one piece: no flicker */
	console->drawn_ms = console->now_ms;
}
