#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/reporters/sample.h"

/* The page, the caller's. */
static char *write_page(const struct results *results)
{
	struct folder folder;
	struct report_context context = {0};
	struct gr_error err = {0};
	char *text;

	folder_make(&folder);
	context.directory = folder.handle;
	if (reporter_find("html")->write(results, "report", &context, &err) < 0)
		fail_msg("%s", err.text);
	text = folder_read(&folder, "report/index.html", NULL);
	folder_remove(&folder);
	return text;
}

static void expect(const char *page, const char *text)
{
	if (!strstr(page, text))
		fail_msg("the page has no '%s'", text);
}

static void add_earlier(struct results *results, enum verdict verdict, int64_t passed, int64_t tests)
{
	struct earlier *earlier = &results->earlier;

	earlier->version = EARLIER_VERSION;
	earlier->runs = gr_grow(earlier->runs, earlier->run_count, sizeof(*earlier->runs));
	earlier->runs[earlier->run_count++] = (struct earlier_run){.run_id = gr_strdup("r"),
	        .verdict = verdict,
	        .started_wall_ms = 1772273730000,
	        .elapsed_ms = 47500,
	        .tests = tests,
	        .passed = passed};
}

static void it_draws_earlier_runs_and_says_them_in_words(void **state)
{
	struct results results;
	GR_AUTO_FREE char *page = NULL;

	(void)state;
	sample_fill(&results);
	results.earlier.branch = gr_strdup("main<script>");
	add_earlier(&results, VERDICT_PASSED, 4, 4);
	add_earlier(&results, VERDICT_CANCELLED, 0, 0);
	add_earlier(&results, VERDICT_PASSED, 2, 4);
	page = write_page(&results);
	expect(page,
	        "role=\"img\" aria-label=\"Verdicts, oldest first: passed, cancelled, passed, and this run failed\"");
	expect(page, "<rect class=\"passed\" x=\"1\" y=\"0\" width=\"8\" height=\"24\"/>");
	expect(page, "<rect class=\"skipped\" x=\"11\" y=\"20\" width=\"8\" height=\"4\"/>"); /* still to be seen */
	expect(page, "<rect class=\"passed\" x=\"21\" y=\"12\" width=\"8\" height=\"12\"/>");
	expect(page, "<a href=\"#history\">2 of the 3 runs before this one passed, on branch main&lt;script&gt;</a>");
	expect(page, "2026-02-28 10:15 UTC</time></th><td><span class=\"chip passed\">passed</span>");
	expect(page, "(this run)</th>");
	expect(page, "width=\"500\""); /* half as long as this one */
	gr_free(page);
	page = NULL;
	results_release(&results);
}

static void it_says_when_there_is_nothing_to_draw(void **state)
{
	struct results results;
	GR_AUTO_FREE char *without = NULL, *empty = NULL;

	(void)state;
	sample_fill(&results);
	without = write_page(&results);
	expect(without, "No history was kept for this run.");
	assert_null(strstr(without, "class=\"spark\""));
	results.earlier.version = EARLIER_VERSION;
	empty = write_page(&results);
	expect(empty, "The history has no earlier run of this pipeline and branch.");
	results_release(&results);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_draws_earlier_runs_and_says_them_in_words),
	        cmocka_unit_test(it_says_when_there_is_nothing_to_draw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
