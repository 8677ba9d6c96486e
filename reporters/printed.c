#include "reporters/printed.h"

#include <string.h>

#include "reporters/alike.h"
#include "reporters/words.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"

#define TITLE_BYTES 200

int report_put(
        const struct report_context *context, const char *target, const struct buffer *text, struct gr_error *err)
{
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	int r;

	if (strcmp(target, PRINTED_TARGET) == 0) {
		if (!context->printed)
			return gr_fail(err, GR_USAGE, 0, "this format needs a file here");
		buffer_add(context->printed, buffer_text(text), text->bytes);
		return 0;
	}
	r = file_create(context->directory, target, 0644, &writer, err);
	if (r < 0)
		return r;
	file_write(writer, buffer_text(text), text->bytes);
	return file_commit(&writer, err);
}

static void add_trouble(struct trouble_list *list, struct trouble trouble)
{
	list->items = gr_grow(list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = trouble;
}

static void add_problems(struct trouble_list *list, const struct results *results, const struct device_run *run)
{
	const struct problem *problems = run ? run->problems : results->problems;
	size_t count = run ? run->problem_count : results->problem_count;

	for (size_t i = 0; i < count; i++)
		if (!problems[i].is_warning)
			add_trouble(list, (struct trouble){.results = results, .run = run, .problem = &problems[i]});
}

/* The tests whose like did not come before, or the others. */
static void add_cases(struct trouble_list *list, struct alike *alike, const struct results *results, bool want_first)
{
	for (size_t i = 0; i < results->run_count; i++) {
		const struct device_run *run = &results->runs[i];

		for (size_t j = 0; j < run->case_count; j++) {
			const struct test_case *test = &run->cases[j];
			bool is_bad = test_case_has_failed(test) || test->status == STATUS_ERROR;

			if (is_bad && alike_is_first(alike, test) == want_first)
				add_trouble(list, (struct trouble){.results = results,
				                          .run = run,
				                          .test = test,
				                          .others = want_first ? alike_others(alike, test) : 0});
		}
	}
}

void trouble_list_init(struct trouble_list *list, const struct results *results)
{
	struct alike alike;

	*list = (struct trouble_list){0};
	alike_init(&alike, results);
	add_cases(list, &alike, results, true);
	add_problems(list, results, NULL);
	for (size_t i = 0; i < results->run_count; i++)
		add_problems(list, results, &results->runs[i]);
	alike_again(&alike);
	add_cases(list, &alike, results, false);
	alike_release(&alike);
}

void trouble_list_quarantined(struct trouble_list *list, const struct results *results)
{
	*list = (struct trouble_list){0};
	for (size_t i = 0; i < results->run_count; i++)
		for (size_t j = 0; j < results->runs[i].case_count; j++)
			if (test_case_is_quarantined(&results->runs[i].cases[j]))
				add_trouble(list, (struct trouble){.results = results,
				                          .run = &results->runs[i],
				                          .test = &results->runs[i].cases[j]});
}

void trouble_list_release(struct trouble_list *list)
{
	gr_free(list->items);
	*list = (struct trouble_list){0};
}

void trouble_title(struct redactor *redactor, struct buffer *out, const struct trouble *trouble)
{
	const struct test_case *test = trouble->test;

	if (!test) {
		buffer_add_text(out, failure_name(trouble->problem->failure));
	} else {
		words_line(redactor, out, test->name && *test->name ? test->name : "unnamed test", TITLE_BYTES);
		if (test->data && *test->data) {
			buffer_add_text(out, " [");
			words_line(redactor, out, test->data, TITLE_BYTES);
			buffer_add_char(out, ']');
		}
	}
	if (trouble->run) {
		GR_AUTO_FREE char *device = device_label_in(trouble->results, &trouble->run->device);

		buffer_add_text(out, " on ");
		words_line(redactor, out, device, TITLE_BYTES);
	}
	if (trouble->others > 0)
		buffer_printf(out, " (and %zu more alike)", trouble->others);
}

void trouble_reason(struct redactor *redactor, struct buffer *out, const struct trouble *trouble, size_t most_bytes)
{
	const struct test_case *test = trouble->test;
	const char *reason = test ? test->reason : trouble->problem->message;

	if (test && test_case_is_quarantined(test)) {
		GR_AUTO_FREE char *why = test_case_quarantine_words(test);

		words_line(redactor, out, why, most_bytes / 2);
		buffer_add_text(out, reason && *reason ? ": " : "");
		most_bytes /= 2;
	} else if (test && test->status == STATUS_ERROR)
		buffer_printf(out, "%s%s", failure_words(test->failure ? test->failure : GR_UNKNOWN),
		        reason && *reason ? ": " : "");
	else if (!reason || !*reason)
		buffer_add_text(out, "the server gave no reason");
	words_line(redactor, out, reason, most_bytes);
}
