/* The HTML report's devices: each run in a table with its time on one common scale, and the tests that did not go the
 * same way everywhere. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "reporters/html_page.h"
#include "reporters/words.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define RUN_COLUMNS 11 /* of the table of device runs */
#define RUNS_MOST 200
#define SCALE 1000 /* the timeline's width, in its own units */
#define COLUMNS_MOST 12
#define TESTS_MOST 200

/* ---- the timeline ---- */

struct scale {
	int64_t from_ms, span_ms; /* span 0: nothing is known */
};

static int64_t end_of(const struct device_run *run)
{
	if (run->ended_wall_ms > run->started_wall_ms)
		return run->ended_wall_ms;
	return run->started_wall_ms + (run->elapsed_ms > 0 ? run->elapsed_ms : 0);
}

static struct scale scale_of(const struct results *results)
{
	int64_t from = INT64_MAX, to = 0;

	for (size_t i = 0; i < results->run_count; i++) {
		const struct device_run *run = &results->runs[i];

		if (run->started_wall_ms <= 0)
			continue;
		from = run->started_wall_ms < from ? run->started_wall_ms : from;
		to = end_of(run) > to ? end_of(run) : to;
	}
	return to > from ? (struct scale){from, to - from} : (struct scale){0, 0};
}

static int64_t on_scale(const struct scale *scale, int64_t wall_ms)
{
	double part = (double)(wall_ms - scale->from_ms) / (double)scale->span_ms;

	return part < 0 ? 0 : part > 1 ? SCALE : (int64_t)(part * SCALE);
}

static void add_bar(struct page *page, const struct scale *scale, const struct device_run *run, const char *tone)
{
	int64_t from, to, begun;

	if (scale->span_ms == 0 || run->started_wall_ms <= 0)
		return;
	from = on_scale(scale, run->started_wall_ms);
	begun = on_scale(scale, run->started_wall_ms + (run->queued_ms > 0 ? run->queued_ms : 0));
	to = on_scale(scale, end_of(run));
	to = to < from + 4 ? from + 4 : to; /* visible */
	page_printf(page,
	        "<svg class=\"time\" viewBox=\"0 0 %d 16\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
	        "<rect class=\"track\" x=\"0\" y=\"7\" width=\"%d\" height=\"2\"/>"
	        "<rect class=\"queued\" x=\"%" PRId64 "\" y=\"2\" width=\"%" PRId64 "\" height=\"12\"/>"
	        "<rect class=\"%s\" x=\"%" PRId64 "\" y=\"2\" width=\"%" PRId64 "\" height=\"12\"/></svg>",
	        SCALE, SCALE, from, begun > to ? to - from : begun - from, tone, begun > to ? to : begun,
	        begun > to ? 0 : to - begun);
}

/* ---- the table ---- */

static const char *tone_of(const struct device_run *run, const struct totals *totals)
{
	if (totals->failed > 0)
		return "failed";
	if (!run->is_complete || run->failure != GR_NONE || totals->errors > 0 || run->problem_count > 0)
		return "error";
	return totals->passed > 0 ? "passed" : "skipped";
}

static void add_device(struct page *page, const struct device_run *run)
{
	page_add(page, "<th scope=\"row\">");
	page_device(page, run);
	page_add(page, " <small>");
	page_line(page, run->device.platform, 80);
	page_add(page, " ");
	page_line(page, run->device.os, 80);
	page_add(page, "</small></th><td>");
	page_line(page, run->step, PAGE_LINE_BYTES);
	if (run->lane && strcmp(run->lane, "main") != 0) {
		page_add(page, " <small>");
		page_line(page, run->lane, PAGE_LINE_BYTES);
		page_add(page, "</small>");
	}
	page_add(page, "</td><td>");
}

static void add_state(struct page *page, const struct device_run *run, const char *tone)
{
	if (run->is_complete)
		page_chip(page, tone, strcmp(tone, "error") == 0 ? "not proven" : tone);
	else
		page_chip(page, "error", failure_name(run->failure ? run->failure : GR_UNKNOWN));
	page_add(page, "</td>");
}

static void add_reruns(struct page *page, const struct device_run *run)
{
	for (size_t i = 0; i < run->rerun_count; i++) {
		GR_AUTO_FREE char *words = rerun_words(&run->reruns[i]);

		page_printf(page, "<tr class=\"rerun\"><td colspan=\"%d\">rerun %zu, ", RUN_COLUMNS, i + 1);
		page_line(page, words, PAGE_LINE_BYTES);
		page_add(page, " ");
		if (run->reruns[i].url)
			page_url_link(page, run->reruns[i].url, "run");
		page_add(page, "</td></tr>\n");
	}
}

static void add_run_links(struct page *page, const struct device_run *run)
{
	page_add(page, "<td>");
	if (run->url) {
		page_url_link(page, run->url, "run");
		page_add(page, " ");
	}
	if (run->log_url) {
		page_url_link(page, run->log_url, "log");
		page_add(page, " ");
	}
	if (run->recording_url)
		page_url_link(page, run->recording_url, "recording");
	page_add(page, "</td></tr>\n");
}

static void add_run(struct page *page, const struct scale *scale, const struct device_run *run)
{
	struct totals totals = device_run_totals(run);
	const char *tone = tone_of(run, &totals);

	page_add(page, "<tr>");
	add_device(page, run);
	add_state(page, run, tone);
	page_printf(page,
	        "<td class=\"number\">%zu</td><td class=\"number\">%zu</td><td class=\"number\">%zu</td>"
	        "<td class=\"number\">%zu</td><td class=\"number\">",
	        (size_t)totals.passed, (size_t)totals.failed, (size_t)totals.skipped, (size_t)totals.errors);
	page_span(page, run->queued_ms);
	page_add(page, "</td><td class=\"number\">");
	page_span(page, run->elapsed_ms);
	page_add(page, "</td><td class=\"when\">");
	add_bar(page, scale, run, tone);
	page_add(page, "</td>");
	add_run_links(page, run);
	add_reruns(page, run);
}

void html_devices(struct page *page)
{
	const struct results *results = page->results;
	struct scale scale = scale_of(results);

	page_section(page, "devices", "Devices");
	if (results->run_count == 0) {
		page_add(page, "<p>There was no device run.</p>\n</section>\n");
		return;
	}
	page_add(page,
	        "<div class=\"scroll\" role=\"region\" aria-label=\"Device runs\" tabindex=\"0\"><table>\n<thead><tr>"
	        "<th scope=\"col\">Device</th><th scope=\"col\">Step</th><th scope=\"col\">State</th>"
	        "<th scope=\"col\" class=\"number\">Passed</th><th scope=\"col\" class=\"number\">Failed</th>"
	        "<th scope=\"col\" class=\"number\">Skipped</th><th scope=\"col\" class=\"number\">No result</th>"
	        "<th scope=\"col\" class=\"number\">Queued</th><th scope=\"col\" class=\"number\">Time</th>"
	        "<th scope=\"col\">When, ");
	page_span(page, scale.span_ms);
	page_add(page, " in all</th><th scope=\"col\">Read on</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < results->run_count && i < RUNS_MOST; i++)
		add_run(page, &scale, &results->runs[i]);
	page_add(page, "</tbody></table></div>\n");
	page_cut(page, results->run_count > RUNS_MOST ? results->run_count - RUNS_MOST : 0, "device runs are");
	page_add(page, "</section>\n");
}

/* ---- side by side ---- */

struct row {
	const struct test_case *tests[COLUMNS_MOST]; /* one a device run; NULL: not there */
	const struct test_case *first; /* of them */
	bool differs;
};
struct comparison {
	struct row *rows;
	size_t count, columns;
	json_t *places; /* name of a test -> its row */
};

static char *key_of(const struct test_case *test)
{
	return gr_printf("%s\n%s\n%s", test->class_name ? test->class_name : "", test->name ? test->name : "",
	        test->data ? test->data : "");
}

static void compare_case(struct comparison *comparison, size_t column, const struct test_case *test)
{
	GR_AUTO_FREE char *key = key_of(test);
	json_t *place = json_object_get(comparison->places, key);
	size_t number = place ? (size_t)json_integer_value(place) : comparison->count;
	struct row *row;

	if (!place) {
		if (json_object_set_new(comparison->places, key, json_integer((json_int_t)number)) < 0)
			return; /* its name is no UTF-8 */
		comparison->rows = gr_grow(comparison->rows, comparison->count, sizeof(*comparison->rows));
		comparison->rows[comparison->count++] = (struct row){.first = test};
	}
	assert(number < comparison->count); /* places holds only rows that there are */
	row = &comparison->rows[number];
	if (!row->tests[column])
		row->tests[column] = test;
	row->differs = row->differs || row->first->status != test->status;
}

static void compare_all(struct comparison *comparison, const struct results *results)
{
	comparison->places = json_object();
	comparison->columns = results->run_count < COLUMNS_MOST ? results->run_count : COLUMNS_MOST;
	for (size_t i = 0; i < comparison->columns; i++)
		for (size_t j = 0; j < results->runs[i].case_count; j++)
			compare_case(comparison, i, &results->runs[i].cases[j]);
}

static void add_comparison_head(struct page *page, const struct comparison *comparison)
{
	page_add(page,
	        "<p>Tests that did not go the same way on all devices.</p>\n"
	        "<div class=\"scroll\" role=\"region\" aria-label=\"Tests side by side\" tabindex=\"0\"><table>\n"
	        "<thead><tr><th scope=\"col\">Test</th>");
	for (size_t i = 0; i < comparison->columns; i++) {
		page_add(page, "<th scope=\"col\">");
		page_device(page, &page->results->runs[i]);
		page_add(page, "</th>");
	}
	page_add(page, "</tr></thead>\n<tbody>\n");
}

static void add_comparison_row(struct page *page, const struct comparison *comparison, const struct row *row)
{
	page_add(page, "<tr><th scope=\"row\">");
	page_line(page, row->first->name, WORDS_NAME_BYTES);
	page_add(page, "</th>");
	for (size_t i = 0; i < comparison->columns; i++) {
		const struct test_case *test = row->tests[i];

		page_add(page, "<td>");
		if (test)
			page_chip(page, case_status_name(test->status),
			        test->status == STATUS_ERROR ? "no result" : case_status_name(test->status));
		else
			page_add(page, "not there");
		page_add(page, "</td>");
	}
	page_add(page, "</tr>\n");
}

static void add_comparison(struct page *page, const struct comparison *comparison, size_t differing)
{
	size_t written = 0;

	page_section(page, "comparison", "Side by side");
	if (differing == 0)
		page_add(page, "<p>Every test that ran on several devices went the same way on all of them.</p>\n");
	else
		add_comparison_head(page, comparison);
	for (size_t i = 0; i < comparison->count && written < TESTS_MOST; i++)
		if (comparison->rows[i].differs) {
			add_comparison_row(page, comparison, &comparison->rows[i]);
			written++;
		}
	if (differing > 0)
		page_add(page, "</tbody></table></div>\n");
	page_cut(page, differing - written, "such tests are");
	page_cut(page,
	        page->results->run_count > comparison->columns ? page->results->run_count - comparison->columns : 0,
	        "device runs are");
	page_add(page, "</section>\n");
}

void html_comparison(struct page *page)
{
	struct comparison comparison = {0};
	size_t differing = 0;

	if (page->results->run_count < 2) {
		page_section(page, "comparison", "Side by side");
		page_add(page, "<p>There are no two device runs to compare.</p>\n</section>\n");
		return;
	}
	compare_all(&comparison, page->results);
	for (size_t i = 0; i < comparison.count; i++)
		differing += comparison.rows[i].differs;
	add_comparison(page, &comparison, differing);
	gr_free(comparison.rows);
	json_decref(comparison.places);
}
