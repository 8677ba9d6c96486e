#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pty.h>
#include <sys/ioctl.h>

#include "tests/unit/reporters/stage.h"

/* All that was written to the terminal so far, the caller's: a mark of our own shows where that ends. */
static char *read_terminal(int control, int terminal)
{
	static const char mark[] = "<end>";
	char *text = gr_alloc(65536, 1);
	size_t bytes = 0;
	ssize_t got;

	assert_int_equal(write(terminal, mark, strlen(mark)), strlen(mark));
	while (!strstr(text, mark)) {
		got = read(control, text + bytes, 4096);
		assert_true(got > 0 && bytes < 60000);
		bytes += (size_t)got;
	}
	*strstr(text, mark) = '\0';
	return text;
}

static void it_draws_one_line_a_lane_over_itself_and_clears_it_at_the_end(void **state)
{
	struct winsize size = {.ws_row = 24, .ws_col = 90};
	struct event_reader reader;
	struct results results;
	struct stage stage;
	int control, terminal;
	GR_AUTO_FREE char *live = NULL;
	GR_AUTO_FREE char *end = NULL;

	(void)state;
	if (openpty(&control, &terminal, NULL, NULL, &size) != 0)
		skip(); /* a root without /dev/pts has no terminals */
	assert_int_equal(console_open(terminal, CONSOLE_LIVE, NULL, &reader, NULL), 0);
	stage.reader = reader;
	say(&stage, (struct run_event){.kind = STEP_STARTED, LANE, .text = "app_build_run", .now_ms = 1000});
	say(&stage, (struct run_event){.kind = STEP_PROGRESS,
	                    LANE,
	                    .text = "20/40 tests and a long text that no terminal has room for",
	                    .done = 20,
	                    .total = 40,
	                    .now_ms = 2000});
	say(&stage, (struct run_event){.kind = STEP_PROGRESS,
	                    LANE,
	                    .text = "20/40 tests and a long text that no terminal has room for",
	                    .done = 20,
	                    .total = 40,
	                    .now_ms = 2000}); /* again: no news */
	say(&stage, (struct run_event){.kind = STEP_STARTED,
	                    .lane = "phones/1 \xe9\x9b\xbb\xe8\xa9\xb1",
	                    .step = "install",
	                    .now_ms = 2000});
	say(&stage, (struct run_event){.kind = STEP_STARTED, .lane = "main", .step = "phones", .text = "matrix"});
	console_tick(&stage.reader, 3000);
	console_tick(&stage.reader, 3010); /* too early to draw again */
	console_tick(&stage.reader, 3200);
	live = read_terminal(control, terminal);
	expect(live, "phones/0 Galaxy S21");
	expect(live, "[########........]  2s  20/40");
	expect_none(live, "main"); /* its lanes speak for it */
	expect(live, "\x1b[1A\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K"); /* three lines up */
	expect(live, "run  0s  20 tests");
	expect_none(live, "no terminal has room");
	expect_none(live, "started");
	sample_fill(&results);
	say(&stage, (struct run_event){.kind = RUN_JUDGED, .results = &results, .now_ms = 3300});
	console_tick(&stage.reader, 9000); /* over is over */
	assert_int_equal(reader.close(reader.state, NULL), 0);
	end = read_terminal(control, terminal);
	/* the "^C" that a terminal may have echoed, and three lines */
	assert_int_equal(strncmp(end, "\r\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K", 29), 0);
	expect_none(end + 29, "\x1b");
	expect_none(end, "phones/0 Galaxy S21");
	expect(end, "FAILED (exit status 1)");
	results_release(&results);
	(void)close(control);
	(void)close(terminal);
}

/* A terminal of that width, with a console on it; false: there are none here. */
static bool terminal_open(struct stage *stage, unsigned flags, int ends[static 2], unsigned short columns)
{
	struct winsize size = {.ws_row = 24, .ws_col = columns};

	if (openpty(&ends[0], &ends[1], NULL, NULL, &size) != 0)
		return false;
	assert_int_equal(console_open(ends[1], flags, NULL, &stage->reader, NULL), 0);
	return true;
}

static void terminal_close(struct stage *stage, const int ends[static 2])
{
	assert_int_equal(stage->reader.close(stage->reader.state, NULL), 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void it_shows_speed_and_time_left_of_a_file_under_way(void **state)
{
	GR_AUTO_JSON json_t *detail = json_pack("{s:s}", "direction", "upload");
	struct run_event move = {
	        .kind = STEP_MOVED, LANE, .text = "app.apk", .detail = detail, .total = 80 << 20, .now_ms = 1000};
	GR_AUTO_FREE char *live = NULL;
	struct stage stage;
	int ends[2];

	(void)state;
	if (!terminal_open(&stage, CONSOLE_LIVE, ends, 100))
		skip();
	say(&stage, (struct run_event){.kind = STEP_STARTED, LANE, .text = "upload_build", .now_ms = 1000});
	say(&stage, move);
	move.now_ms = 3000;
	move.done = 20 << 20;
	say(&stage, move);
	console_tick(&stage.reader, 3000);
	move.now_ms = 9000;
	move.done = 80 << 20;
	say(&stage, move);
	console_tick(&stage.reader, 9000);
	live = read_terminal(ends[0], ends[1]);
	expect(live, "[####............]  2s  upload: 6s left, 10.0 MiB/s, 20.0 MiB of 8");
	expect(live, "[################]  8s  upload: all 80.0 MiB of app.apk");
	expect_none(live, "test"); /* bytes are none */
	terminal_close(&stage, ends);
}

static void it_tells_the_expected_end_and_counts_lanes_and_tests(void **state)
{
	struct test_case cases[] = {{.status = STATUS_PASSED}, {.status = STATUS_FAILED}, {.status = STATUS_ERROR}};
	struct device_run run = {.cases = cases, .case_count = 3, .is_complete = true};
	GR_AUTO_FREE char *live = NULL;
	struct stage stage;
	int ends[2];

	(void)state;
	if (!terminal_open(&stage, CONSOLE_LIVE | CONSOLE_COLOR, ends, 200))
		skip();
	console_expect(&stage.reader, 200000);
	say(&stage, (struct run_event){.kind = RUN_STARTED, .text = "shop", .now_ms = 1000});
	say(&stage, (struct run_event){.kind = LANE_STARTED, .lane = "main", .now_ms = 1000});
	say(&stage, (struct run_event){.kind = LANE_STARTED, .lane = "phones/0 Galaxy S21", .now_ms = 1000});
	say(&stage, (struct run_event){.kind = LANE_STARTED, .lane = "phones/1 Pixel 7", .now_ms = 1000});
	say(&stage, (struct run_event){.kind = STEP_STARTED, LANE, .now_ms = 1000});
	say(&stage, (struct run_event){.kind = RUN_DEVICE_RESULT, LANE, .device_run = &run, .now_ms = 2000});
	say(&stage, (struct run_event){.kind = RUN_DEVICE_RESULT, LANE, .device_run = &run, .now_ms = 2000});
	say(&stage, (struct run_event){.kind = LANE_ENDED, .lane = "phones/0 Galaxy S21", .now_ms = 3000});
	console_tick(&stage.reader, 81000);
	console_tick(&stage.reader, 301000);
	live = read_terminal(ends[0], ends[1]);
	expect(live, "shop  \x1b[2m1m20s, about 2m00s left\x1b[0m  3 tests, \x1b[31m2 failed\x1b[0m  lanes: 1 done, 1 "
	             "running");
	expect(live, "5m00s, longer than usual (3m20s)");
	terminal_close(&stage, ends);
}

static void it_takes_back_lines_that_a_narrower_terminal_has_wrapped(void **state)
{
	struct winsize narrow = {.ws_row = 24, .ws_col = 30};
	GR_AUTO_FREE char *before = NULL;
	GR_AUTO_FREE char *after = NULL;
	struct stage stage;
	int ends[2];

	(void)state;
	if (!terminal_open(&stage, CONSOLE_LIVE, ends, 100))
		skip();
	say(&stage, (struct run_event){.kind = STEP_STARTED, LANE, .now_ms = 1000});
	say(&stage, (struct run_event){.kind = STEP_PROGRESS,
	                    LANE,
	                    .text = "12/40 tests, 1 failed, and a long text",
	                    .done = 12,
	                    .total = 40,
	                    .now_ms = 1000});
	console_tick(&stage.reader, 2000); /* the head, and more than 90 columns of a lane: 1 + 4 rows */
	before = read_terminal(ends[0], ends[1]);
	assert_int_equal(ioctl(ends[1], TIOCSWINSZ, &narrow), 0);
	console_tick(&stage.reader, 3000);
	after = read_terminal(ends[0], ends[1]);
	assert_int_equal(strspn(after, "\r\x1b[1A2K"), strlen("\r\x1b[2K") + 5 * strlen("\x1b[1A\x1b[2K"));
	for (char *line = strstr(after, "run"), *end; line && (end = strchr(line, '\r')) != NULL; line = end + 2)
		assert_in_range(end - line, 1, 29);
	terminal_close(&stage, ends);
}

static void it_fits_the_table_at_the_end_into_the_terminal(void **state)
{
	GR_AUTO_FREE char *text = NULL;
	struct results results;
	struct stage stage;
	int ends[2];

	(void)state;
	if (!terminal_open(&stage, CONSOLE_LIVE, ends, 64))
		skip();
	sample_fill(&results);
	gr_free(results.runs[0].step);
	results.runs[0].step = gr_strdup("a step of a very long name");
	say(&stage, (struct run_event){.kind = RUN_JUDGED, .results = &results});
	text = read_terminal(ends[0], ends[1]);
	for (char *line = text, *end; line < strstr(text, "failed:") && (end = strchr(line, '\r')); line = end + 2)
		assert_in_range(end - line, 1, 64);
	expect(text, "  device   step       tests passed");
	results_release(&results);
	terminal_close(&stage, ends);
}

/* Who sees nothing of the first signal sends a second one, which no release is waited for after. */
static void it_says_at_once_that_a_signal_was_heard(void **state)
{
	GR_AUTO_FREE char *text = NULL;
	struct stage stage;
	int ends[2];

	(void)state;
	if (!terminal_open(&stage, CONSOLE_LIVE, ends, 100))
		skip();
	say(&stage, (struct run_event){.kind = STEP_STARTED, LANE, .now_ms = 1000});
	console_tick(&stage.reader, 2000);
	say(&stage, (struct run_event){.kind = RUN_CANCELLED, .done = 2, .text = "SIGINT", .now_ms = 2100});
	text = read_terminal(ends[0], ends[1]);
	expect(text, "run: SIGINT: stopping, giving back what is held");
	terminal_close(&stage, ends);
}

static void it_counts_columns_and_not_bytes(void **state)
{
	GR_AUTO_FREE char *live = NULL;
	GR_AUTO_FREE char *text = NULL;
	struct results results;
	struct stage stage;
	int ends[2];

	(void)state;
	if (!terminal_open(&stage, CONSOLE_LIVE, ends, 100))
		skip();
	say(&stage, (struct run_event){.kind = STEP_STARTED, .lane = "Gerät ü", .step = "a", .now_ms = 1000});
	say(&stage, (struct run_event){.kind = STEP_STARTED, .lane = "1234567", .step = "b", .now_ms = 1000});
	console_tick(&stage.reader, 2000);
	live = read_terminal(ends[0], ends[1]);
	expect(live, "Gerät ü  a");
	expect(live, "1234567  b");
	sample_fill(&results);
	gr_free(results.runs[0].device.name);
	results.runs[0].device.name = gr_strdup("小米 \x1b[31mPrüfgerät");
	say(&stage, (struct run_event){.kind = RUN_JUDGED, .results = &results});
	text = read_terminal(ends[0], ends[1]);
	expect(text, "  device          step");
	expect(text, "  小米 Prüfgerät  "); /* 4 + 1 + 9 columns */
	results_release(&results);
	terminal_close(&stage, ends);
}

static void it_takes_two_lines_a_run_where_no_table_fits(void **state)
{
	GR_AUTO_FREE char *text = NULL;
	struct results results;
	struct stage stage;
	int ends[2];

	(void)state;
	if (!terminal_open(&stage, CONSOLE_LIVE, ends, 40))
		skip();
	sample_fill(&results);
	gr_free(results.runs[0].device.name);
	results.runs[0].device.name = gr_strdup("Galaxy S21 FE 5G");
	say(&stage, (struct run_event){.kind = RUN_JUDGED, .results = &results});
	text = read_terminal(ends[0], ends[1]);
	expect(text,
	        "  Galaxy S21 FE 5G, regression\r\n    5 tests: 2 passed, 1 failed, 1 skipped, 1 without a result");
	expect_none(text, "tests passed");
	results_release(&results);
	terminal_close(&stage, ends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_draws_one_line_a_lane_over_itself_and_clears_it_at_the_end),
	        cmocka_unit_test(it_shows_speed_and_time_left_of_a_file_under_way),
	        cmocka_unit_test(it_tells_the_expected_end_and_counts_lanes_and_tests),
	        cmocka_unit_test(it_takes_back_lines_that_a_narrower_terminal_has_wrapped),
	        cmocka_unit_test(it_fits_the_table_at_the_end_into_the_terminal),
	        cmocka_unit_test(it_says_at_once_that_a_signal_was_heard),
	        cmocka_unit_test(it_counts_columns_and_not_bytes),
	        cmocka_unit_test(it_takes_two_lines_a_run_where_no_table_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
