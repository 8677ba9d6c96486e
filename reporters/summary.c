/* summary.md: about ten lines for people, in a job's summary or a notification. */
#include <inttypes.h>
#include <string.h>

#include "reporters/alike.h"
#include "reporters/formats.h"
#include "reporters/printed.h"
#include "reporters/words.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define FAILED_MOST 5
#define DEVICES_MOST 10
#define CHOICES_MOST 3
#define TEXT_BYTES 300

struct summary {
	const struct results *results;
	struct redactor *redactor;
	struct totals totals;
	struct buffer out;
};

static void add_words(struct summary *summary, const char *text, size_t most_bytes)
{
	words_markdown(summary->redactor, &summary->out, text, most_bytes);
}

static void add_head(struct summary *summary)
{
	const struct results *results = summary->results;
	char span[CLOCK_TEXT_BYTES];

	buffer_add_text(&summary->out, "## ");
	add_words(summary, results->pipeline ? results->pipeline : "gridlane", 120);
	buffer_printf(&summary->out, ": %s\n\n", verdict_name(results->verdict));
	buffer_printf(&summary->out, "Exit status %d after %s", results->exit_status,
	        clock_format_span(results->elapsed_ms > 0 ? results->elapsed_ms : 0, span));
	if (results->run_id) {
		buffer_add_text(&summary->out, ", run ");
		add_words(summary, results->run_id, 80);
	}
	buffer_add_text(&summary->out, results->is_sandbox ? ", in the sandbox\n" : "\n");
}

static void add_counts(struct summary *summary)
{
	const struct totals *totals = &summary->totals;

	buffer_printf(&summary->out,
	        "\n- **Tests**: %" PRId64 ": %" PRId64 " passed, %" PRId64 " failed, %" PRId64 " skipped, %" PRId64
	        " without a result",
	        totals->tests, totals->passed, totals->failed, totals->skipped, totals->errors);
	if (totals->flaky > 0)
		buffer_printf(&summary->out, "; %" PRId64 " passed only when repeated", totals->flaky);
	if (totals->quarantined > 0)
		buffer_printf(&summary->out, "; %" PRId64 " quarantined failures", totals->quarantined);
	buffer_add_char(&summary->out, '\n');
	if (summary->results->cause) {
		buffer_add_text(&summary->out, "- **First cause**: ");
		add_words(summary, summary->results->cause, 500);
		buffer_add_char(&summary->out, '\n');
	}
}

/* The first line of a reason. */
static void add_reason(struct summary *summary, const char *reason)
{
	GR_AUTO_FREE char *line = NULL;

	if (!reason)
		return;
	reason += strspn(reason, " \t\r\n");
	line = gr_strndup(reason, strcspn(reason, "\r\n"));
	if (!*line)
		return;
	buffer_add_text(&summary->out, ": ");
	add_words(summary, line, TEXT_BYTES);
}

static void add_device(struct summary *summary, const struct device_run *run)
{
	GR_AUTO_FREE char *device = device_label_in(summary->results, &run->device);

	add_words(summary, device, 100);
}

static void add_failed_case(
        struct summary *summary, const struct device_run *run, const struct test_case *test, size_t others)
{
	buffer_add_text(&summary->out, "- **Failed**: ");
	add_words(summary, test->name ? test->name : "?", TEXT_BYTES);
	buffer_add_text(&summary->out, " on ");
	add_device(summary, run);
	if (others > 0)
		buffer_printf(&summary->out, " (and %zu more alike)", others);
	add_reason(summary, test->reason);
	buffer_add_char(&summary->out, '\n');
}

/* Of those that are alike the first one speaks for all. */
static void add_failed(struct summary *summary)
{
	struct alike alike;
	size_t found = 0, named = 0, spoken_for = 0;

	alike_init(&alike, summary->results);
	for (size_t i = 0; i < summary->results->run_count; i++)
		for (size_t j = 0; j < summary->results->runs[i].case_count; j++) {
			const struct device_run *run = &summary->results->runs[i];
			const struct test_case *test = &run->cases[j];

			if (!test_case_has_failed(test))
				continue;
			found++;
			if (named >= FAILED_MOST || !alike_is_first(&alike, test))
				continue;
			named++;
			spoken_for += alike_others(&alike, test) + 1;
			add_failed_case(summary, run, test, alike_others(&alike, test));
		}
	alike_release(&alike);
	if (found > spoken_for)
		buffer_printf(&summary->out, "- and %zu more failed tests\n", found - spoken_for);
}

static void add_quarantined_case(struct summary *summary, const struct device_run *run, const struct test_case *test)
{
	GR_AUTO_FREE char *why = test_case_quarantine_words(test);

	buffer_add_text(&summary->out, "- **Quarantined**: ");
	add_words(summary, test->name ? test->name : "?", TEXT_BYTES);
	buffer_add_text(&summary->out, " failed on ");
	add_device(summary, run);
	buffer_add_text(&summary->out, ": ");
	add_words(summary, why, TEXT_BYTES);
	buffer_add_char(&summary->out, '\n');
}

static void add_quarantined(struct summary *summary)
{
	int64_t found = 0;

	for (size_t i = 0; i < summary->results->run_count; i++)
		for (size_t j = 0; j < summary->results->runs[i].case_count; j++) {
			const struct device_run *run = &summary->results->runs[i];

			if (test_case_is_quarantined(&run->cases[j]) && found++ < FAILED_MOST)
				add_quarantined_case(summary, run, &run->cases[j]);
		}
	if (found > FAILED_MOST)
		buffer_printf(&summary->out, "- and %" PRId64 " more quarantined failures\n", found - FAILED_MOST);
}

static void add_reruns(struct summary *summary)
{
	const struct results *results = summary->results;
	size_t found = 0;

	for (size_t i = 0; i < results->run_count; i++)
		for (size_t j = 0; j < results->runs[i].rerun_count; j++) {
			GR_AUTO_FREE char *words = rerun_words(&results->runs[i].reruns[j]);

			if (found++ >= FAILED_MOST)
				continue;
			buffer_add_text(&summary->out, "- **Rerun** on ");
			add_device(summary, &results->runs[i]);
			buffer_add_text(&summary->out, ": ");
			add_words(summary, words, TEXT_BYTES);
			buffer_add_char(&summary->out, '\n');
		}
	if (found > FAILED_MOST)
		buffer_printf(&summary->out, "- and %zu more reruns\n", found - FAILED_MOST);
}

/* Several steps run on one device; two devices may have one name. */
static bool was_named(const struct results *results, size_t number)
{
	const struct device_info *device = &results->runs[number].device;

	for (size_t i = 0; i < number; i++) {
		const struct device_info *other = &results->runs[i].device;

		if (text_equal(device_label(other), device_label(device)) &&
		        (!device->device_id || !other->device_id || text_equal(device->device_id, other->device_id)))
			return true;
	}
	return false;
}

static void add_devices(struct summary *summary)
{
	const struct results *results = summary->results;
	size_t named = 0;

	if (results->run_count == 0)
		return;
	buffer_printf(&summary->out,
	        "- **Devices**: %" PRId64 " of %" PRId64 " runs complete: ", summary->totals.device_runs_complete,
	        summary->totals.device_runs + results_runs_lacking(results));
	for (size_t i = 0; i < results->run_count; i++) {
		if (was_named(results, i) || named++ >= DEVICES_MOST)
			continue;
		buffer_add_text(&summary->out, named > 1 ? ", " : "");
		add_device(summary, &results->runs[i]);
	}
	if (named > DEVICES_MOST)
		buffer_printf(&summary->out, " and %zu more", named - DEVICES_MOST);
	buffer_add_char(&summary->out, '\n');
}

/* Which devices were taken, where that needs a word: others that match were not free. */
static void add_choices(struct summary *summary)
{
	for (size_t i = 0, added = 0; i < summary->results->step_count && added < CHOICES_MOST; i++) {
		const char *choice = step_choice(&summary->results->steps[i]);

		if (!choice || !strstr(choice, "not taken:"))
			continue;
		buffer_add_text(&summary->out, "- **Choice**: ");
		add_words(summary, choice, TEXT_BYTES);
		buffer_add_char(&summary->out, '\n');
		added++;
	}
}

static void add_rules(struct summary *summary)
{
	for (size_t i = 0; i < summary->results->rule_count; i++) {
		const struct gate_rule *rule = &summary->results->rules[i];

		if (rule->holds)
			continue;
		buffer_add_text(&summary->out, "- **Gate**: ");
		add_words(summary, rule->text ? rule->text : "?", TEXT_BYTES);
		buffer_add_text(&summary->out, " does not hold (");
		add_words(summary, rule->values ? rule->values : "values not known", TEXT_BYTES);
		buffer_add_text(&summary->out, ")\n");
	}
}

static bool holds_something(const struct results *results)
{
	for (size_t i = 0; i < results->held_count; i++)
		if (!results->held[i].is_released)
			return true;
	return false;
}

static const char *advice(const struct results *results)
{
	if (holds_something(results))
		return "run `gridlane cleanup` with this output folder: devices may still be held";
	if (results->part_count > 0 && results->verdict != VERDICT_PASSED)
		return "read the first cause; a part is gone on with in its own folder";
	switch (results->verdict) {
	case VERDICT_PASSED:
		return "nothing";
	case VERDICT_FAILED:
		return "read the failures in junit.xml";
	case VERDICT_USAGE:
		return "correct the pipeline; `gridlane validate` checks it without the network";
	case VERDICT_INFRASTRUCTURE:
		return "read the first cause; `gridlane resume` goes on with this run, `gridlane doctor` checks the "
		       "connection";
	case VERDICT_TIMEOUT:
		return "read which limit ended the run; `gridlane resume` goes on with runs that are still under way";
	case VERDICT_CANCELLED:
		return "runs on the cloud go on by themselves; `gridlane resume` attaches to them again";
	}
	return "read the first cause";
}

static void add_parts(struct summary *summary)
{
	const struct results *results = summary->results;

	if (results->part_count == 0)
		return;
	buffer_add_text(&summary->out, "- **Parts**: ");
	for (size_t i = 0; i < results->part_count; i++) {
		buffer_add_text(&summary->out, i > 0 ? ", " : "");
		add_words(summary, results->parts[i].name, 100);
		buffer_printf(&summary->out, " %s", verdict_name(results->parts[i].verdict));
	}
	buffer_add_char(&summary->out, '\n');
}

static void add_foot(struct summary *summary)
{
	buffer_printf(&summary->out, "- **Next**: %s\n", advice(summary->results));
	buffer_add_text(&summary->out, "- **Reports**: beside this file, results.json holds all that is known\n");
}

void summary_text(const struct results *results, struct redactor *redactor, struct buffer *out)
{
	struct summary summary = {.results = results, .redactor = redactor, .totals = results_totals(results)};

	add_head(&summary);
	add_counts(&summary);
	add_failed(&summary);
	add_quarantined(&summary);
	add_reruns(&summary);
	add_parts(&summary);
	add_devices(&summary);
	add_choices(&summary);
	add_rules(&summary);
	add_foot(&summary);
	buffer_add(out, buffer_text(&summary.out), summary.out.bytes);
	buffer_release(&summary.out);
}

int summary_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer text = {0};

	summary_text(results, context->redactor, &text);
	return report_put(context, target, &text, err);
}
