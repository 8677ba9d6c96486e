/* GitLab CI: what failed, in a folded section of the job's log. Screenshots and tests come from junit.xml. */
#include <inttypes.h>

#include "reporters/formats.h"
#include "reporters/printed.h"
#include "reporters/words.h"

#define LINES_MOST 50
#define REASON_BYTES 500
#define ERASE "\033[0K" /* without the 0 GitLab does not see the section */

int gitlab_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	struct trouble_list list;
	int64_t from = results->started_wall_ms / 1000;

	trouble_list_init(&list, results);
	buffer_printf(&out, ERASE "section_start:%" PRId64 ":gridlane_failures[collapsed=true]\r" ERASE, from);
	buffer_printf(&out, "gridlane: %s, %zu failures and problems\n", verdict_name(results->verdict), list.count);
	for (size_t i = 0; i < list.count && i < LINES_MOST; i++) {
		trouble_title(context->redactor, &out, &list.items[i]);
		buffer_add_text(&out, ": ");
		trouble_reason(context->redactor, &out, &list.items[i], REASON_BYTES);
		buffer_add_char(&out, '\n');
	}
	if (list.count > LINES_MOST) {
		buffer_printf(&out, "and %zu more, in the reports\n", list.count - LINES_MOST);
	} else if (list.count == 0 && results->verdict != VERDICT_PASSED) { /* a gate, with every test passed */
		words_line(context->redactor, &out, results->cause, REASON_BYTES);
		buffer_add_char(&out, '\n');
	}
	trouble_list_release(&list);
	trouble_list_quarantined(&list, results);
	for (size_t i = 0; i < list.count && i < LINES_MOST; i++) {
		buffer_add_text(&out, "quarantined: ");
		trouble_title(context->redactor, &out, &list.items[i]);
		buffer_add_text(&out, ": ");
		trouble_reason(context->redactor, &out, &list.items[i], REASON_BYTES);
		buffer_add_char(&out, '\n');
	}
	if (list.count > LINES_MOST)
		buffer_printf(&out, "and %zu more quarantined, in the reports\n", list.count - LINES_MOST);
	buffer_printf(&out, ERASE "section_end:%" PRId64 ":gridlane_failures\r" ERASE "\n",
	        from + (results->elapsed_ms > 0 ? results->elapsed_ms / 1000 : 0));
	trouble_list_release(&list);
	return report_put(context, target, &out, err);
}
