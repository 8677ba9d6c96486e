#include "reporters/html_page.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "reporters/words.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define GATHERED_BYTES 65536

void page_let_go(struct page *page)
{
	file_write(page->writer, buffer_text(&page->out), page->out.bytes); /* keeps its first error for the commit */
	buffer_clear(&page->out);
}

void page_add(struct page *page, const char *markup)
{
	buffer_add_text(&page->out, markup);
	if (page->out.bytes >= GATHERED_BYTES)
		page_let_go(page);
}

void page_printf(struct page *page, const char *format, ...)
{
	GR_AUTO_FREE char *text = NULL;
	va_list args;

	va_start(args, format);
	text = gr_vprintf(format, args);
	va_end(args);
	page_add(page, text);
}

static void add_escaped(struct page *page, const char *clean)
{
	for (const char *at = clean; *at; at++) {
		if (*at == '<')
			buffer_add_text(&page->out, "&lt;");
		else if (*at == '>')
			buffer_add_text(&page->out, "&gt;");
		else if (*at == '&')
			buffer_add_text(&page->out, "&amp;");
		else if (*at == '"')
			buffer_add_text(&page->out, "&quot;");
		else if (*at == '\'')
			buffer_add_text(&page->out, "&#39;");
		else
			buffer_add_char(&page->out, *at);
	}
}

void page_line(struct page *page, const char *text, size_t most_bytes)
{
	GR_AUTO_BUFFER struct buffer clean = {0};

	words_line(page->redactor, &clean, text, most_bytes);
	add_escaped(page, buffer_text(&clean));
}

void page_device(struct page *page, const struct device_run *run)
{
	GR_AUTO_FREE char *device = device_label_in(page->results, &run->device);

	page_line(page, device, PAGE_LINE_BYTES);
}

void page_block(struct page *page, const char *text)
{
	GR_AUTO_BUFFER struct buffer clean = {0};

	words_block(page->redactor, &clean, text, PAGE_BLOCK_BYTES);
	page_add(page, "<pre tabindex=\"0\">");
	add_escaped(page, buffer_text(&clean));
	page_add(page, "</pre>\n");
}

/* A path as part of a URL. */
static void add_path(struct page *page, const char *path)
{
	for (const char *at = path; *at; at++) {
		if (isalnum((unsigned char)*at) || strchr("/._-~", *at))
			buffer_add_char(&page->out, *at);
		else
			buffer_printf(&page->out, "%%%02X", (unsigned)(unsigned char)*at);
	}
}

void page_file_link(struct page *page, const char *path, const char *label)
{
	GR_AUTO_FREE char *safe = redactor_text(page->redactor, path);

	page_printf(page, "<a href=\"%s", page->up);
	add_path(page, safe);
	page_add(page, "\">");
	page_line(page, label, PAGE_LINE_BYTES);
	page_add(page, "</a>");
}

static bool is_web_address(const char *url)
{
	return text_has_prefix(url, "https://") || text_has_prefix(url, "http://");
}

void page_url_link(struct page *page, const char *url, const char *label)
{
	if (!is_web_address(url)) {
		page_line(page, label, PAGE_LINE_BYTES);
		page_add(page, ": ");
		page_line(page, url, PAGE_LINE_BYTES);
		return;
	}
	page_add(page, "<a rel=\"noreferrer noopener\" href=\"");
	page_line(page, url, PAGE_CAUSE_BYTES);
	page_add(page, "\">");
	page_line(page, label, PAGE_LINE_BYTES);
	page_add(page, "</a>");
}

void page_chip(struct page *page, const char *tone, const char *word)
{
	page_printf(page, "<span class=\"chip %s\">%s</span>", tone, word);
}

void page_span(struct page *page, int64_t span_ms)
{
	char text[CLOCK_TEXT_BYTES];

	page_add(page, span_ms < 0 ? "\xE2\x80\x93" : clock_format_span(span_ms, text));
}

void page_section(struct page *page, const char *id, const char *title)
{
	page_printf(page, "<section id=\"%s\" aria-labelledby=\"%s-title\">\n<h2 id=\"%s-title\">%s</h2>\n", id, id, id,
	        title);
}

void page_cut(struct page *page, size_t left_out, const char *what)
{
	if (left_out == 0)
		return;
	page_printf(page, "<p class=\"cut\">%zu more %s not shown here: ", left_out, what);
	page_file_link(page, "results.json", "results.json");
	page_add(page, " holds all of them.</p>\n");
}
