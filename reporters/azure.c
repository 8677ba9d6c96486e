/* Azure Pipelines: logging commands. Tests come from junit.xml by its publishing task. */
#include <string.h>
#include <unistd.h>

#include "reporters/formats.h"
#include "reporters/printed.h"
#include "reporters/words.h"
#include "runner/base/memory.h"

#define ISSUES_MOST 50
#define REASON_BYTES 2000

/* What the agent reads back: %AZP25, %3B, %0D, %0A, %5D. */
static void add_escaped(struct buffer *out, const char *text)
{
	for (const char *at = text; *at; at++) {
		if (*at == '%')
			buffer_add_text(out, "%AZP25");
		else if (strchr(";\r\n]", *at))
			buffer_printf(out, "%%%02X", (unsigned)(unsigned char)*at);
		else
			buffer_add_char(out, *at);
	}
}

static void add_issue(struct buffer *out, const char *type, const char *text)
{
	buffer_printf(out, "##vso[task.logissue type=%s;]", type);
	add_escaped(out, text);
	buffer_add_char(out, '\n');
}

static void add_trouble(struct buffer *out, const char *type, struct redactor *redactor, const struct trouble *trouble)
{
	GR_AUTO_BUFFER struct buffer text = {0};

	trouble_title(redactor, &text, trouble);
	buffer_add_text(&text, ": ");
	trouble_reason(redactor, &text, trouble, REASON_BYTES);
	add_issue(out, type, buffer_text(&text));
}

static void add_all(struct buffer *out, const struct results *results, struct redactor *redactor)
{
	struct trouble_list list;

	trouble_list_init(&list, results);
	for (size_t i = 0; i < list.count && i < ISSUES_MOST; i++)
		add_trouble(out, "error", redactor, &list.items[i]);
	if (list.count > ISSUES_MOST) {
		GR_AUTO_BUFFER struct buffer text = {0};

		buffer_printf(&text, "and %zu more, in the reports", list.count - ISSUES_MOST);
		add_issue(out, "error", buffer_text(&text));
	} else if (list.count == 0 && results->verdict != VERDICT_PASSED) { /* a gate, with every test passed */
		GR_AUTO_BUFFER struct buffer cause = {0};

		words_line(redactor, &cause, results->cause ? results->cause : "the run did not pass", REASON_BYTES);
		add_issue(out, "error", buffer_text(&cause));
	}
	trouble_list_release(&list);
}

static void add_quarantined(struct buffer *out, const struct results *results, struct redactor *redactor)
{
	struct trouble_list list;

	trouble_list_quarantined(&list, results);
	for (size_t i = 0; i < list.count && i < ISSUES_MOST; i++)
		add_trouble(out, "warning", redactor, &list.items[i]);
	if (list.count > ISSUES_MOST) {
		GR_AUTO_FREE char *text =
		        gr_printf("and %zu more quarantined failures, in the reports", list.count - ISSUES_MOST);

		add_issue(out, "warning", text);
	}
	trouble_list_release(&list);
}

int azure_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	add_all(&out, results, context->redactor);
	add_quarantined(&out, results, context->redactor);
	if (context->folder && faccessat(context->directory, "summary.md", R_OK, 0) == 0) {
		buffer_add_text(&out, "##vso[task.uploadsummary]");
		add_escaped(&out, context->folder);
		buffer_add_text(&out, "/summary.md\n");
	}
	return report_put(context, target, &out, err);
}
