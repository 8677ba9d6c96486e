/* The HTML report: a folder with index.html, report.css and report.js. Whole without the script, without colour and
 * without a server: Jenkins shows it under a content policy that allows files beside the page and nothing inside it. */
#include <inttypes.h>
#include <string.h>

#include "reporters/formats.h"
#include "reporters/html_page.h"
#include "reporters/words.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"

#define SHARE_LEAST 12 /* of 1000: what a phone's width and round corners leave to be seen */

/* ---- the top ---- */

static void add_head(struct page *page)
{
	page_add(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	               "<meta name=\"color-scheme\" content=\"light dark\">\n"
	               "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
	page_printf(page, "%s: ", verdict_name(page->results->verdict));
	page_line(page, page->results->pipeline, 120);
	page_add(page, "</title>\n<link rel=\"stylesheet\" href=\"report.css\">\n"
	               "<script src=\"report.js\" defer></script>\n</head>\n<body>\n"
	               "<a class=\"skip\" href=\"#main\">Skip to the results</a>\n");
}

static void add_count(struct page *page, const char *tone, int64_t count, const char *word)
{
	page_printf(page, "<li class=\"%s%s\"><b>%" PRId64 "</b> %s</li>\n", tone, count ? "" : " none", count, word);
}

static void add_part(struct page *page, const char *tone, int64_t from, int64_t count)
{
	int64_t all = page->totals.tests, width = count > 0 ? (from + count) * 1000 / all - from * 1000 / all + 1 : 0;

	if (count > 0)
		page_printf(page, "<rect class=\"%s\" x=\"%" PRId64 "\" y=\"0\" width=\"%" PRId64 "\" height=\"10\"/>",
		        tone, from * 1000 / all, width > SHARE_LEAST ? width : SHARE_LEAST);
}

/* Failures first, so that one in 100,000 is a visible edge. */
static void add_share_bar(struct page *page)
{
	const struct totals *totals = &page->totals;

	if (totals->tests == 0)
		return;
	page_add(page,
	        "<svg class=\"share\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
	add_part(page, "passed", totals->failed + totals->errors, totals->passed);
	add_part(page, "skipped", totals->failed + totals->errors + totals->passed, totals->skipped);
	add_part(page, "quarantined", totals->tests - totals->quarantined, totals->quarantined);
	add_part(page, "error", totals->failed, totals->errors);
	add_part(page, "failed", 0, totals->failed);
	page_add(page, "</svg>\n");
}

static void add_counts(struct page *page)
{
	const struct totals *totals = &page->totals;

	page_add(page, "<ul class=\"counts\" aria-label=\"Tests\">\n");
	add_count(page, "all", totals->tests, totals->tests == 1 ? "test" : "tests");
	add_count(page, "failed", totals->failed, "failed");
	add_count(page, "error", totals->errors, "without a result");
	add_count(page, "passed", totals->passed, "passed");
	if (totals->flaky > 0)
		add_count(page, "flaky", totals->flaky, "of them only when repeated");
	if (totals->quarantined > 0)
		add_count(page, "quarantined", totals->quarantined, "quarantined failures");
	add_count(page, "skipped", totals->skipped, "skipped");
	add_count(page, "all", totals->device_runs, totals->device_runs == 1 ? "device run" : "device runs");
	page_add(page, "</ul>\n");
	add_share_bar(page);
}

static void add_top(struct page *page)
{
	const struct results *results = page->results;
	char stamp[CLOCK_TEXT_BYTES];

	page_printf(page, "<header class=\"top %s\">\n<h1>", page_tone(results->verdict));
	page_line(page, results->pipeline ? results->pipeline : "gridlane", PAGE_LINE_BYTES);
	page_printf(page, " <span class=\"verdict\">%s</span></h1>\n", verdict_name(results->verdict));
	if (results->cause) {
		page_add(page, "<p class=\"cause\"><b>First cause:</b> ");
		page_line(page, results->cause, PAGE_CAUSE_BYTES);
		page_add(page, "</p>\n");
	}
	page_printf(page, "<p class=\"when\">Exit status %d after ", results->exit_status);
	page_span(page, results->elapsed_ms > 0 ? results->elapsed_ms : 0);
	if (results->started_wall_ms > 0) {
		(void)clock_format_utc(results->started_wall_ms, stamp);
		page_printf(page, ", begun <time datetime=\"%s\">%.10s %.8s UTC</time>", stamp, stamp, stamp + 11);
	}
	page_add(page, results->is_sandbox ? ", in the sandbox</p>\n" : "</p>\n");
	add_counts(page);
	html_earlier(page);
	page_add(page, "</header>\n");
}

/* ---- the whole page ---- */

static void add_navigation(struct page *page)
{
	static const struct {
		const char *id, *title;
	} links[] = {{"failures", "Failures"}, {"flaky", "Flaky"}, {"problems", "Problems"}, {"gate", "Gate"},
	        {"history", "History"}, {"comparison", "Side by side"}, {"devices", "Devices"}, {"tests", "Tests"},
	        {"steps", "Steps"}, {"files", "Files"}, {"facts", "Run"}};

	page_add(page, "<nav aria-label=\"Sections\"><ul>\n");
	for (size_t i = 0; i < GR_COUNT(links); i++)
		page_printf(page, "<li><a href=\"#%s\">%s</a></li>\n", links[i].id, links[i].title);
	page_add(page, "</ul></nav>\n");
}

static void add_all(struct page *page)
{
	add_head(page);
	add_top(page);
	add_navigation(page);
	page_add(page, "<main id=\"main\" tabindex=\"-1\">\n");
	html_failures(page);
	html_flaky(page);
	html_problems(page);
	html_gate(page);
	html_history(page);
	html_comparison(page);
	html_devices(page);
	html_tests(page);
	html_steps(page);
	html_files(page);
	html_facts(page);
	page_add(page, "</main>\n<footer><p>Written by ");
	page_line(page, page->results->tool ? page->results->tool : "gridlane", 80);
	page_add(page, ". All that is known is in ");
	page_file_link(page, "results.json", "results.json");
	page_add(page, ".</p></footer>\n</body>\n</html>\n");
}

static int write_file(const struct report_context *context, const char *folder, const char *name, const char *text,
        struct gr_error *err)
{
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	GR_AUTO_FREE char *path = gr_printf("%s/%s", folder, name);
	int r = file_create(context->directory, path, 0644, &writer, err);

	if (r < 0)
		return r;
	file_write_text(writer, text);
	return file_commit(&writer, err);
}

/* As many steps up as the folder's name has parts. */
static char *way_up(const char *folder)
{
	GR_AUTO_BUFFER struct buffer up = {0};

	for (const char *at = folder; at != NULL; at = strchr(at + 1, '/'))
		buffer_add_text(&up, "../");
	return buffer_take(&up);
}

static int write_page(
        const struct results *results, const char *folder, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	GR_AUTO_FREE char *path = gr_printf("%s/index.html", folder);
	GR_AUTO_FREE char *up = way_up(folder);
	struct page page = {
	        .results = results, .redactor = context->redactor, .totals = results_totals(results), .up = up};
	int r = file_create(context->directory, path, 0644, &writer, err);

	if (r < 0)
		return r;
	page.writer = writer;
	add_all(&page);
	page_let_go(&page);
	buffer_release(&page.out);
	return file_commit(&writer, err);
}

int html_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_FREE char *folder = gr_strdup(target);
	int r;

	for (size_t bytes = strlen(folder); bytes > 1 && folder[bytes - 1] == '/'; bytes--)
		folder[bytes - 1] = '\0';
	r = write_file(context, folder, "report.css", html_style, err);
	if (r == 0)
		r = write_file(context, folder, "report.js", html_script, err);
	return r == 0 ? write_page(results, folder, context, err) : r;
}
