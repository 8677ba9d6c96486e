/* The HTML report's history: what became of earlier runs of this pipeline and branch, as bars and in numbers. */
#include <inttypes.h>

#include "reporters/html_page.h"
#include "runner/base/clock.h"

/* A bar is as high as the share of tests that passed; what had none is still to be seen. */
#define BAR_STEP 10
#define BAR_WIDTH 8
#define BAR_HEIGHT 24
#define BAR_LEAST 4

const char *page_tone(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASSED:
		return "passed";
	case VERDICT_FAILED:
		return "failed";
	case VERDICT_USAGE:
	case VERDICT_INFRASTRUCTURE:
	case VERDICT_TIMEOUT:
		return "error";
	case VERDICT_CANCELLED:
		break;
	}
	return "skipped";
}

static struct earlier_run this_run(const struct page *page)
{
	return (struct earlier_run){.verdict = page->results->verdict,
	        .started_wall_ms = page->results->started_wall_ms,
	        .elapsed_ms = page->results->elapsed_ms,
	        .tests = page->totals.tests,
	        .passed = page->totals.passed,
	        .failed = page->totals.failed,
	        .errors = page->totals.errors,
	        .skipped = page->totals.skipped};
}

static void add_bar(struct page *page, const struct earlier_run *run, size_t place)
{
	int64_t height = run->tests > 0 ? run->passed * BAR_HEIGHT / run->tests : 0;

	if (height < BAR_LEAST)
		height = BAR_LEAST;
	page_printf(page, "<rect class=\"%s\" x=\"%zu\" y=\"%" PRId64 "\" width=\"%d\" height=\"%" PRId64 "\"/>",
	        page_tone(run->verdict), place * BAR_STEP + 1, BAR_HEIGHT - height, BAR_WIDTH, height);
}

static void add_bars(struct page *page, const struct earlier *earlier, const struct earlier_run *now)
{
	page_printf(page,
	        "<svg class=\"spark\" viewBox=\"0 0 %zu %d\" role=\"img\" aria-label=\"Verdicts, oldest first:",
	        (earlier->run_count + 1) * BAR_STEP, BAR_HEIGHT + 4);
	for (size_t i = 0; i < earlier->run_count; i++)
		page_printf(page, " %s,", verdict_name(earlier->runs[i].verdict));
	page_printf(page, " and this run %s\">", verdict_name(now->verdict));
	for (size_t i = 0; i < earlier->run_count; i++)
		add_bar(page, &earlier->runs[i], i);
	add_bar(page, now, earlier->run_count);
	page_printf(page, "<rect class=\"now\" x=\"%zu\" y=\"%d\" width=\"%d\" height=\"2\"/></svg>",
	        earlier->run_count * BAR_STEP + 1, BAR_HEIGHT + 2, BAR_WIDTH);
}

static void add_words(struct page *page, const struct earlier *earlier)
{
	size_t passed = 0;

	for (size_t i = 0; i < earlier->run_count; i++)
		passed += earlier->runs[i].verdict == VERDICT_PASSED;
	if (earlier->run_count == 1)
		page_printf(page, "The run before this one %s", passed ? "passed" : "did not pass");
	else
		page_printf(page, "%zu of the %zu runs before this one passed", passed, earlier->run_count);
	if (earlier->branch && *earlier->branch) {
		page_add(page, ", on branch ");
		page_line(page, earlier->branch, PAGE_LINE_BYTES);
	}
}

void html_earlier(struct page *page)
{
	const struct earlier *earlier = &page->results->earlier;
	const struct earlier_run now = this_run(page);

	if (earlier->run_count == 0)
		return;
	page_add(page, "<p class=\"past\">");
	add_bars(page, earlier, &now);
	page_add(page, " <a href=\"#history\">");
	add_words(page, earlier);
	page_add(page, "</a></p>\n");
}

/* ---- in numbers ---- */

static int64_t longest_of(const struct earlier *earlier, const struct earlier_run *now)
{
	int64_t longest = now->elapsed_ms > 0 ? now->elapsed_ms : 1;

	for (size_t i = 0; i < earlier->run_count; i++)
		if (earlier->runs[i].elapsed_ms > longest)
			longest = earlier->runs[i].elapsed_ms;
	return longest;
}

static void add_row(struct page *page, const struct earlier_run *run, int64_t longest_ms)
{
	int64_t width = run->elapsed_ms > 0 ? run->elapsed_ms * 1000 / longest_ms : 0;
	char stamp[CLOCK_TEXT_BYTES];

	(void)clock_format_utc(run->started_wall_ms > 0 ? run->started_wall_ms : 0, stamp);
	page_printf(
	        page, "<tr><th scope=\"row\"><time datetime=\"%s\">%.10s %.5s UTC</time>", stamp, stamp, stamp + 11);
	page_add(page, run->run_id ? "</th><td>" : " (this run)</th><td>");
	page_chip(page, page_tone(run->verdict), verdict_name(run->verdict));
	page_printf(page,
	        "</td><td class=\"number\">%" PRId64 "</td><td class=\"number\">%" PRId64
	        "</td><td class=\"number\">%" PRId64 "</td><td class=\"number\">%" PRId64 "</td><td class=\"number\">",
	        run->passed, run->failed, run->errors, run->skipped);
	page_span(page, run->elapsed_ms);
	page_printf(page,
	        "</td><td class=\"when\"><svg class=\"time\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" "
	        "aria-hidden=\"true\"><rect class=\"skipped\" x=\"0\" y=\"0\" width=\"%" PRId64
	        "\" height=\"10\"/></svg></td></tr>\n",
	        width);
}

void html_history(struct page *page)
{
	const struct earlier *earlier = &page->results->earlier;
	const struct earlier_run now = this_run(page);
	int64_t longest_ms = longest_of(earlier, &now);

	page_section(page, "history", "History");
	if (earlier->run_count == 0) {
		page_add(page, earlier->version ? "<p>The history has no earlier run of this pipeline and branch.</p>\n"
		                                  "</section>\n"
		                                : "<p>No history was kept for this run.</p>\n</section>\n");
		return;
	}
	page_add(page, "<p>");
	add_words(page, earlier);
	page_add(page,
	        ".</p>\n<details><summary>Each of them, the latest first</summary>\n"
	        "<div class=\"scroll\" role=\"region\" aria-label=\"Earlier runs\" tabindex=\"0\"><table>\n"
	        "<thead><tr><th scope=\"col\">Begun</th><th scope=\"col\">Verdict</th>"
	        "<th scope=\"col\" class=\"number\">Passed</th><th scope=\"col\" class=\"number\">Failed</th>"
	        "<th scope=\"col\" class=\"number\">No result</th><th scope=\"col\" class=\"number\">Skipped</th>"
	        "<th scope=\"col\" class=\"number\">Time</th><th scope=\"col\">Beside the longest</th></tr></thead>"
	        "<tbody>\n");
	add_row(page, &now, longest_ms);
	for (size_t i = earlier->run_count; i-- > 0;)
		add_row(page, &earlier->runs[i], longest_ms);
	page_add(page, "</tbody></table></div></details>\n</section>\n");
}
