/* The HTML report's list of tests that passed only when they were repeated: green today, and the next failure. */
#include "reporters/html_page.h"
#include "reporters/words.h"

#define FLAKY_MOST 200

static void add_test(struct page *page, const struct device_run *run, const struct test_case *test)
{
	page_add(page, "<details class=\"case\"><summary>");
	page_chip(page, "flaky", "flaky");
	page_add(page, " <span class=\"name\">");
	page_line(page, test->name && *test->name ? test->name : "unnamed test", WORDS_NAME_BYTES);
	page_add(page, "</span> <span class=\"device\">");
	page_device(page, run);
	page_printf(
	        page, "</span></summary>\n<p class=\"where\">passed at attempt %zu, step ", test->attempt_count + 1);
	page_line(page, run->step, PAGE_LINE_BYTES);
	page_add(page, "</p>\n");
	for (size_t i = 0; i < test->attempt_count; i++)
		page_block(page, test->attempts[i].reason && *test->attempts[i].reason ? test->attempts[i].reason
		                                                                       : "the server gave no reason");
	page_add(page, "</details>\n");
}

void html_flaky(struct page *page)
{
	const struct results *results = page->results;
	size_t found = 0;

	page_section(page, "flaky", "Flaky");
	for (size_t i = 0; i < results->run_count; i++)
		for (size_t j = 0; j < results->runs[i].case_count; j++)
			if (test_case_is_flaky(&results->runs[i].cases[j]) && found++ < FLAKY_MOST)
				add_test(page, &results->runs[i], &results->runs[i].cases[j]);
	if (found == 0)
		page_add(page, "<p>No test passed only when it was repeated.</p>\n");
	page_cut(page, found > FLAKY_MOST ? found - FLAKY_MOST : 0, "flaky tests are");
	page_add(page, "</section>\n");
}
