/* Inside reporters: the parts of the HTML report. Everything goes through these few functions, so that no text of
 * others becomes markup. There is neither style nor script inside the page: Jenkins and others forbid both. */
#ifndef GRIDLANE_REPORTERS_HTML_PAGE_H
#define GRIDLANE_REPORTERS_HTML_PAGE_H

#include <stdbool.h>

#include "reporters/reporter.h"
#include "runner/base/buffer.h"
#include "runner/base/file.h"

#define PAGE_LINE_BYTES 500
#define PAGE_CAUSE_BYTES 4000
#define PAGE_BLOCK_BYTES 16384

struct page {
	const struct results *results;
	struct redactor *redactor;
	struct file_writer *writer;
	struct buffer out; /* gathered, let go in large pieces */
	struct totals totals;
	const char *up; /* from the page's folder to the output folder: "../" */
};

/* Markup of ours, as it is. */
void page_add(struct page *page, const char *markup);
void page_printf(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Texts of others: cleaned, redacted, cut, escaped. NULL is nothing. */
void page_line(struct page *page, const char *text, size_t most_bytes);
/* What the run's device is called, told from another one of that name. */
void page_device(struct page *page, const struct device_run *run);
void page_block(struct page *page, const char *text); /* in <pre> */
/* A link to a file of the output folder, shown by its name; to a page of others (http and https alone, text
 * otherwise). */
void page_file_link(struct page *page, const char *path, const char *label);
void page_url_link(struct page *page, const char *url, const char *label);
void page_chip(struct page *page, const char *tone, const char *word); /* a word on a coloured ground */
void page_span(struct page *page, int64_t span_ms); /* "1m02s", a dash when not known */
void page_let_go(struct page *page); /* to the file */
void page_section(struct page *page, const char *id, const char *title); /* ended by </section> */
void page_cut(struct page *page, size_t left_out, const char *what); /* nothing when 0 */

const char *page_tone(enum verdict verdict); /* its class in the style sheet */
/* Earlier runs in one line, for the top; nothing when none is known. */
void html_earlier(struct page *page);

/* The sections. Each writes nothing when there is nothing of its kind. */
void html_failures(struct page *page);
void html_flaky(struct page *page);
void html_comparison(struct page *page);
void html_devices(struct page *page);
void html_tests(struct page *page);
void html_problems(struct page *page);
void html_gate(struct page *page);
void html_history(struct page *page);
void html_steps(struct page *page);
void html_files(struct page *page);
void html_facts(struct page *page);

/* What is written as it is beside the page; made from report.css and report.js by CMake. */
extern const char html_style[], html_script[];

#endif
