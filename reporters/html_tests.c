/* The HTML report's tests: what failed with all that is known of it; the same test on several devices; all others in
 * short, closed. */
#include <string.h>

#include "reporters/alike.h"
#include "reporters/html_page.h"
#include "reporters/junit.h"
#include "reporters/words.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define FAILURES_MOST 300
#define OPEN_MOST 10 /* of the failures */
#define ROWS_MOST 5000 /* of tests, on the whole page */
#define ATTEMPTS_MOST 10
#define FILES_MOST 20 /* of a failure */

static bool is_bad(enum case_status status)
{
	return status == STATUS_FAILED || status == STATUS_ERROR;
}

static const char *tone_of(const struct test_case *test)
{
	if (test_case_is_quarantined(test))
		return "quarantined";
	return test_case_is_flaky(test) ? "flaky" : case_status_name(test->status);
}

static const char *word_of(const struct test_case *test)
{
	if (test_case_is_quarantined(test))
		return "quarantined";
	if (test_case_is_flaky(test))
		return "passed when repeated";
	return test->status == STATUS_ERROR ? "no result" : case_status_name(test->status);
}

static void add_name(struct page *page, const struct test_case *test)
{
	page_line(page, test->name && *test->name ? test->name : "unnamed test", WORDS_NAME_BYTES);
	if (test->data && *test->data) {
		page_add(page, " [");
		page_line(page, test->data, WORDS_NAME_BYTES);
		page_add(page, "]");
	}
}

/* ---- failures ---- */

static void add_attempts(struct page *page, const struct test_case *test)
{
	if (test->attempt_count == 0)
		return;
	page_printf(page, "<details class=\"attempts\"><summary>%zu earlier attempt%s</summary>\n<ol>\n",
	        test->attempt_count, test->attempt_count == 1 ? "" : "s");
	for (size_t i = 0; i < test->attempt_count && i < ATTEMPTS_MOST; i++) {
		const struct attempt *attempt = &test->attempts[i];

		page_add(page, "<li>");
		page_chip(page, case_status_name(attempt->status), case_status_name(attempt->status));
		page_add(page, " after ");
		page_span(page, attempt->time_ms);
		if (attempt->rerun > 0)
			page_printf(page, " in rerun %u", attempt->rerun);
		if (attempt->reason)
			page_block(page, attempt->reason);
		page_add(page, "</li>\n");
	}
	page_add(page, "</ol></details>\n");
}

/* Was the test executed in that start? */
static bool has_been_in(const struct test_case *test, unsigned rerun)
{
	for (size_t i = 0; i < test->attempt_count; i++)
		if (test->attempts[i].rerun == rerun)
			return true;
	return test->rerun == rerun;
}

/* Where to read on: the run on the cloud, its log and recording, the files that came home. */
static void add_links(struct page *page, const struct device_run *run, const struct test_case *test)
{
	size_t found = 0;

	page_add(page, "<ul class=\"links\">\n");
	if (run->url) {
		page_add(page, "<li>");
		page_url_link(page, run->url, "Run on the cloud");
		page_add(page, "</li>\n");
	}
	if (run->log_url) {
		page_add(page, "<li>");
		page_url_link(page, run->log_url, "Device log");
		page_add(page, "</li>\n");
	}
	if (run->recording_url) {
		page_add(page, "<li>");
		page_url_link(page, run->recording_url, "Recording");
		page_add(page, "</li>\n");
	}
	for (size_t i = 0; i < page->results->artifact_count && found < FILES_MOST; i++) {
		const struct artifact *file = &page->results->artifacts[i];

		if (!artifact_is_of_run(file, run) || !has_been_in(test, file->rerun))
			continue;
		found++;
		page_add(page, "<li>");
		page_file_link(page, file->path, file->path);
		if (file->rerun > 0)
			page_printf(page, " <small>of rerun %u</small>", file->rerun);
		page_add(page, "</li>\n");
	}
	page_add(page, "</ul>\n");
}

static void add_failure(
        struct page *page, const struct device_run *run, const struct test_case *test, bool is_open, size_t others)
{
	page_printf(page, "<details class=\"case\"%s><summary>", is_open ? " open" : "");
	page_chip(page, tone_of(test), word_of(test));
	page_add(page, " <span class=\"name\">");
	add_name(page, test);
	page_add(page, "</span> <span class=\"device\">");
	page_device(page, run);
	page_add(page, "</span>");
	if (others > 0)
		page_printf(page, " <b class=\"alike\">and %zu more alike</b>", others);
	page_add(page, "</summary>\n<p class=\"where\">");
	if (test->class_name && *test->class_name) {
		page_line(page, test->class_name, PAGE_LINE_BYTES);
		page_add(page, ", ");
	}
	page_add(page, "step ");
	page_line(page, run->step, PAGE_LINE_BYTES);
	page_add(page, " in lane ");
	page_line(page, run->lane, PAGE_LINE_BYTES);
	page_add(page, ", ");
	page_span(page, test->time_ms);
	if (test->status == STATUS_ERROR)
		page_printf(page, ", %s (%s)", failure_words(test->failure ? test->failure : GR_UNKNOWN),
		        failure_name(test->failure ? test->failure : GR_UNKNOWN));
	page_add(page, "</p>\n");
	if (test_case_is_quarantined(test)) {
		GR_AUTO_FREE char *why = test_case_quarantine_words(test);

		page_add(page, "<p>");
		page_line(page, why, PAGE_CAUSE_BYTES);
		page_add(page, "</p>\n");
	}
	if (test->reason && *test->reason)
		page_block(page, test->reason);
	else
		page_add(page, "<p>The server gave no reason.</p>\n");
	add_attempts(page, test);
	add_links(page, run, test);
	page_add(page, "</details>\n");
}

/* Below those that count. */
static void add_quarantined(struct page *page)
{
	size_t found = 0;

	for (size_t i = 0; i < page->results->run_count; i++) {
		const struct device_run *run = &page->results->runs[i];

		for (size_t j = 0; j < run->case_count; j++) {
			if (!test_case_is_quarantined(&run->cases[j]) || found++ >= FAILURES_MOST)
				continue;
			if (found == 1)
				page_add(page, "<h3>Quarantined: these failed, and do not count</h3>\n");
			add_failure(page, run, &run->cases[j], false, 0);
		}
	}
	page_cut(page, found > FAILURES_MOST ? found - FAILURES_MOST : 0, "quarantined failures are");
}

/* Those whose like did not come before, or the others, closed; *found counts on. */
static void add_failures(struct page *page, struct alike *alike, bool want_first, size_t *found)
{
	size_t before = *found;

	for (size_t i = 0; i < page->results->run_count; i++) {
		const struct device_run *run = &page->results->runs[i];

		for (size_t j = 0; j < run->case_count; j++) {
			const struct test_case *test = &run->cases[j];

			if (!is_bad(test->status) || test_case_is_quarantined(test) ||
			        alike_is_first(alike, test) != want_first || (*found)++ >= FAILURES_MOST)
				continue;
			if (!want_first && *found == before + 1)
				page_add(page, "<h3>Alike: the reasons of these stand above</h3>\n");
			add_failure(page, run, test, want_first && *found <= OPEN_MOST,
			        want_first ? alike_others(alike, test) : 0);
		}
	}
}

void html_failures(struct page *page)
{
	struct alike alike;
	size_t found = 0;

	page_section(page, "failures", "Failures");
	alike_init(&alike, page->results);
	add_failures(page, &alike, true, &found);
	alike_again(&alike);
	add_failures(page, &alike, false, &found);
	alike_release(&alike);
	if (found == 0)
		page_add(page, page->totals.tests ? "<p>No test failed, and none is without a result.</p>\n"
		                                  : "<p>No test has a result.</p>\n");
	page_cut(page, found > FAILURES_MOST ? found - FAILURES_MOST : 0, "failed tests are");
	add_quarantined(page);
	page_add(page, "</section>\n");
}

/* ---- all tests ---- */

static void add_row(struct page *page, const struct test_case *test)
{
	page_printf(page, "<tr class=\"%s\"><td>", case_status_name(test->status));
	page_chip(page, tone_of(test), word_of(test));
	page_add(page, "</td><th scope=\"row\">");
	add_name(page, test);
	page_add(page, "</th><td>");
	page_line(page, test->class_name, PAGE_LINE_BYTES);
	page_add(page, "</td><td class=\"number\">");
	page_span(page, test->time_ms);
	page_add(page, "</td></tr>\n");
}

static size_t add_rows(struct page *page, const struct device_run *run, size_t most)
{
	static const enum case_status order[] = {STATUS_FAILED, STATUS_ERROR, STATUS_SKIPPED, STATUS_PASSED};
	size_t written = 0;

	for (size_t i = 0; i < GR_COUNT(order); i++)
		for (size_t j = 0; j < run->case_count && written < most; j++)
			if (run->cases[j].status == order[i]) {
				add_row(page, &run->cases[j]);
				written++;
			}
	return written;
}

static void add_run(struct page *page, const struct device_run *run, size_t most)
{
	struct totals totals = device_run_totals(run);
	size_t written;

	page_add(page, "<details class=\"run\"><summary><span class=\"name\">");
	page_device(page, run);
	page_add(page, "</span> <span class=\"device\">");
	page_line(page, run->step, PAGE_LINE_BYTES);
	page_printf(page, ", %zu passed, %zu failed, %zu skipped, %zu without a result", (size_t)totals.passed,
	        (size_t)totals.failed, (size_t)totals.skipped, (size_t)totals.errors);
	if (totals.quarantined > 0)
		page_printf(page, ", %zu quarantined", (size_t)totals.quarantined);
	page_add(page, "</span></summary>\n");
	page_add(page, "<div class=\"scroll\" role=\"region\" aria-label=\"Tests of ");
	page_device(page, run);
	page_add(page, "\" tabindex=\"0\"><table class=\"tests\"><thead><tr><th scope=\"col\">Result</th>"
	               "<th scope=\"col\">Test</th><th scope=\"col\">Class</th>"
	               "<th scope=\"col\" class=\"number\">Time</th></tr></thead><tbody>\n");
	written = add_rows(page, run, most);
	page_add(page, "</tbody></table></div>\n");
	page_cut(page, run->case_count - written, "tests of this device are");
	page_add(page, "</details>\n");
}

#define RUNS_MOST 500

void html_tests(struct page *page)
{
	const struct results *results = page->results;
	size_t left = ROWS_MOST;

	page_section(page, "tests", "Tests");
	if (results->run_count == 0)
		page_add(page, "<p>There was no device run.</p>\n");
	for (size_t i = 0; i < results->run_count && i < RUNS_MOST; i++) {
		size_t share = left / (results->run_count - i); /* what one leaves over, those after it have */
		size_t used = results->runs[i].case_count < share ? results->runs[i].case_count : share;

		add_run(page, &results->runs[i], share);
		left -= used;
	}
	page_cut(page, results->run_count > RUNS_MOST ? results->run_count - RUNS_MOST : 0, "device runs are");
	page_add(page, "</section>\n");
}
