/* What remains when the run is over. */
#include "reporters/console.h"

#include <inttypes.h>
#include <string.h>

#include "reporters/alike.h"
#include "reporters/words.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/results/index.h"

#define RUNS_MOST 50
#define FAILURES_MOST 10
#define PROBLEMS_MOST 20
#define REASON_BYTES 200
#define DEVICE_COLUMNS 28
#define STEP_COLUMNS 18
#define NARROW_COLUMNS 8
#define OTHER_COLUMNS 48 /* counts, a time, and what is between */

/* The first line of a text that has something in it, cut. Appends ": line". */
static void add_reason(struct buffer *out, const char *reason)
{
	size_t bytes;

	if (!reason)
		return;
	reason += strspn(reason, " \t\r\n");
	bytes = strcspn(reason, "\r\n");
	if (bytes == 0)
		return;
	buffer_add_text(out, ": ");
	buffer_add(out, reason, words_cut(reason, bytes, REASON_BYTES));
	if (bytes > REASON_BYTES)
		buffer_add_text(out, "...");
}

/* As wide as what stands in them, unless the terminal is narrower. */
struct table {
	size_t device, step;
	bool is_split; /* there is no room for a table: two lines a run */
};

/* A text as it will stand there. */
static char *cell_text(const struct console *console, const char *text)
{
	GR_AUTO_BUFFER struct buffer clean = {0};

	words_line(console->redactor, &clean, text, REASON_BYTES);
	return buffer_take(&clean);
}

static char *device_cell(const struct console *console, const struct results *results, const struct device_run *run)
{
	GR_AUTO_FREE char *label = device_label_in(results, &run->device);

	return cell_text(console, label);
}

static size_t columns_for(size_t columns, const char *clean, size_t most)
{
	size_t used;

	(void)words_fit(clean, most, &used);
	return used > columns ? used : columns;
}

static void add_cell(struct buffer *line, const char *clean, size_t columns)
{
	GR_AUTO_FREE char *cut = gr_strndup(clean, words_fit(clean, columns, NULL));

	words_pad(line, cut, columns + 2);
}

static struct table table_of(const struct console *console, const struct results *results)
{
	struct table table = {.device = strlen("device"), .step = strlen("step")};
	size_t terminal = console_columns(console), over;

	for (size_t i = 0; i < results->run_count && i < RUNS_MOST; i++) {
		const struct device_run *run = &results->runs[i];
		GR_AUTO_FREE char *device = device_cell(console, results, run);
		GR_AUTO_FREE char *step = cell_text(console, run->step ? run->step : "?");

		table.device = columns_for(table.device, device, DEVICE_COLUMNS);
		table.step = columns_for(table.step, step, STEP_COLUMNS);
	}
	over = terminal > 0 && table.device + table.step + OTHER_COLUMNS > terminal
	               ? table.device + table.step + OTHER_COLUMNS - terminal
	               : 0;
	for (; over > 0 && table.device > NARROW_COLUMNS; over--)
		table.device--;
	for (; over > 0 && table.step > NARROW_COLUMNS; over--)
		table.step--;
	table.is_split = over > 0;
	return table;
}

static const char *run_trouble(const struct device_run *run)
{
	return run->is_complete ? NULL : failure_name(run->failure == GR_NONE ? GR_UNKNOWN : run->failure);
}

/* "  Galaxy S21, smoke" and "    8 tests: 7 passed, 1 failed, 1.2s" */
static void add_split(struct buffer *head, struct buffer *line, const struct device_run *run)
{
	struct totals counts = device_run_totals(run);
	char span[CLOCK_TEXT_BYTES];

	buffer_printf(head, ", %s", run->step ? run->step : "?");
	buffer_printf(line, "    %" PRId64 " test%s: %" PRId64 " passed, %" PRId64 " failed", counts.tests,
	        counts.tests == 1 ? "" : "s", counts.passed, counts.failed);
	if (counts.skipped)
		buffer_printf(line, ", %" PRId64 " skipped", counts.skipped);
	if (counts.errors)
		buffer_printf(line, ", %" PRId64 " without a result", counts.errors);
	if (run->elapsed_ms >= 0)
		buffer_printf(line, ", %s", clock_format_span(run->elapsed_ms, span));
}

static void add_row(struct buffer *line, const struct device_run *run)
{
	struct totals counts = device_run_totals(run);
	char span[CLOCK_TEXT_BYTES];

	buffer_printf(line, "%5" PRId64 " %6" PRId64 " %6" PRId64 " %7" PRId64 " %6" PRId64 "  %s", counts.tests,
	        counts.passed, counts.failed, counts.skipped, counts.errors,
	        run->elapsed_ms >= 0 ? clock_format_span(run->elapsed_ms, span) : "-");
}

static void print_run(
        struct console *console, const struct results *results, const struct device_run *run, const struct table *table)
{
	struct totals counts = device_run_totals(run);
	GR_AUTO_FREE char *device = device_cell(console, results, run);
	GR_AUTO_FREE char *step = cell_text(console, run->step ? run->step : "?");
	GR_AUTO_BUFFER struct buffer head = {0};
	GR_AUTO_BUFFER struct buffer line = {0};
	bool is_good = run->is_complete && run->failure == GR_NONE && counts.failed + counts.errors == 0;
	enum tone tone = is_good ? TONE_GOOD : TONE_BAD;

	if (table->is_split) {
		buffer_printf(&head, "  %s", device);
		add_split(&head, &line, run);
		console_print(console, tone, "%s", buffer_text(&head));
	} else {
		buffer_add_text(&line, "  ");
		add_cell(&line, device, table->device);
		add_cell(&line, step, table->step);
		add_row(&line, run);
	}
	if (run_trouble(run))
		buffer_printf(&line, "  %s", run_trouble(run));
	console_print(console, tone, "%s", buffer_text(&line));
	for (size_t i = 0; i < run->rerun_count; i++) {
		GR_AUTO_FREE char *words = rerun_words(&run->reruns[i]);

		console_print(console, TONE_PLAIN, "    rerun %zu: %s", i + 1, words);
	}
}

static void print_runs(struct console *console, const struct results *results)
{
	const struct table table = table_of(console, results);

	if (results->run_count == 0)
		return;
	if (!table.is_split)
		console_print(console, TONE_PLAIN, "  %-*s  %-*s  tests passed failed skipped errors  time",
		        (int)table.device, "device", (int)table.step, "step");
	for (size_t i = 0; i < results->run_count && i < RUNS_MOST; i++)
		print_run(console, results, &results->runs[i], &table);
	if (results->run_count > RUNS_MOST)
		console_print(console, TONE_PLAIN, "  and %zu more device runs", results->run_count - RUNS_MOST);
}

static void print_case(struct console *console, const char *device, const struct test_case *test, size_t others)
{
	GR_AUTO_BUFFER struct buffer line = {0};
	GR_AUTO_FREE char *why = test_case_is_quarantined(test) ? test_case_quarantine_words(test) : NULL;

	buffer_printf(&line, "  %s %s",
	        why                             ? "quarantined:"
	        : test->status == STATUS_FAILED ? "failed:"
	                                        : "no result:",
	        test->name ? test->name : "?");
	if (test->data && *test->data)
		buffer_printf(&line, " [%s]", test->data);
	buffer_printf(&line, " on '%s'", device);
	if (test->status == STATUS_ERROR)
		buffer_printf(&line, " (%s)", failure_name(test->failure == GR_NONE ? GR_UNKNOWN : test->failure));
	if (others > 0)
		buffer_printf(&line, " (and %zu more alike)", others);
	add_reason(&line, why);
	add_reason(&line, test->reason);
	console_print(console, why ? TONE_WARN : TONE_BAD, "%s", buffer_text(&line));
}

static bool is_wanted(const struct test_case *test, bool want_quarantined)
{
	return want_quarantined ? test_case_is_quarantined(test)
	                        : test_case_has_failed(test) || test->status == STATUS_ERROR;
}

/* Of those that are alike the first one speaks for all. */
static void print_cases(struct console *console, const struct results *results, bool want_quarantined)
{
	struct alike alike;
	size_t found = 0, named = 0, spoken_for = 0;
	char *device;

	alike_init(&alike, results);
	for (size_t i = 0; i < results->run_count; i++)
		for (size_t j = 0; j < results->runs[i].case_count; j++) {
			const struct test_case *test = &results->runs[i].cases[j];

			if (!is_wanted(test, want_quarantined))
				continue;
			found++;
			if (named >= FAILURES_MOST || !alike_is_first(&alike, test))
				continue;
			named++;
			spoken_for += alike_others(&alike, test) + 1;
			device = device_label_in(results, &results->runs[i].device);
			print_case(console, device, test, alike_others(&alike, test));
			gr_free(device);
		}
	alike_release(&alike);
	if (found > spoken_for)
		console_print(console, want_quarantined ? TONE_WARN : TONE_BAD, "  and %zu more, in the reports",
		        found - spoken_for);
}

struct problem_count {
	const struct step_index *index;
	size_t found;
	bool want_warnings;
};

/* What a best_effort step ran into changes no verdict, but for what it did not give back. */
static bool is_warning(const struct step_index *index, const struct problem *problem)
{
	return problem->is_warning ||
	       (problem->failure != GR_RELEASE && step_index_is_best_effort(index, problem->lane, problem->step));
}

static void print_some_problems(
        struct console *console, const struct problem *problems, size_t count, struct problem_count *counter)
{
	for (size_t i = 0; i < count; i++) {
		const struct problem *problem = &problems[i];

		if (is_warning(counter->index, problem) != counter->want_warnings || counter->found++ >= PROBLEMS_MOST)
			continue;
		if (counter->want_warnings)
			console_print(console, TONE_WARN, "  warning: %s", problem->message);
		else
			console_print(console, TONE_BAD, "  problem (%s): %s", failure_name(problem->failure),
			        problem->message);
	}
}

static void print_problems(struct console *console, const struct results *results, bool want_warnings)
{
	struct step_index index;
	struct problem_count counter = {.index = &index, .want_warnings = want_warnings};

	step_index_init(&index, results);
	print_some_problems(console, results->problems, results->problem_count, &counter);
	for (size_t i = 0; i < results->run_count; i++)
		print_some_problems(console, results->runs[i].problems, results->runs[i].problem_count, &counter);
	if (counter.found > PROBLEMS_MOST)
		console_print(console, want_warnings ? TONE_WARN : TONE_BAD, "  and %zu more %s, in the reports",
		        counter.found - PROBLEMS_MOST, want_warnings ? "warnings" : "problems");
	step_index_release(&index);
}

static void print_held(struct console *console, const struct results *results)
{
	for (size_t i = 0; i < results->held_count; i++)
		if (!results->held[i].is_released)
			console_print(console, TONE_BAD, "  not given back: %s",
			        results->held[i].what ? results->held[i].what : results->held[i].key);
}

static void print_rules(struct console *console, const struct results *results)
{
	for (size_t i = 0; i < results->rule_count; i++) {
		const struct gate_rule *rule = &results->rules[i];

		console_print(console, rule->holds ? TONE_GOOD : TONE_BAD, "  gate %s: %s (%s)",
		        rule->holds ? "holds" : "does not hold", rule->text ? rule->text : "?",
		        rule->values ? rule->values : "?");
	}
}

static void print_artifacts(struct console *console, const struct results *results)
{
	size_t missing = 0;

	for (size_t i = 0; i < results->artifact_count; i++)
		missing += results->artifacts[i].missing != NULL;
	if (results->artifact_count > missing)
		console_print(console, TONE_PLAIN, "  artifacts: %zu files", results->artifact_count - missing);
	if (missing)
		console_print(console, TONE_WARN, "  artifacts: %zu could not be had; manifest.json says why", missing);
}

void end_print(struct console *console, const struct results *results)
{
	print_runs(console, results);
	print_cases(console, results, false);
	print_cases(console, results, true);
	print_problems(console, results, false);
	print_held(console, results);
	print_rules(console, results);
	print_problems(console, results, true);
	print_artifacts(console, results);
}

static bool is_said(const struct results *results, const char *text)
{
	for (size_t i = 0; i < results->problem_count; i++)
		if (text_equal(results->problems[i].message, text))
			return true;
	return false;
}

void end_print_unsaid(struct console *console, const struct results *results)
{
	for (size_t i = 0; i < console->unsaid_count; i++)
		if (!is_said(results, console->unsaid[i]))
			console_print(console, TONE_BAD, "  problem: %s", console->unsaid[i]);
}

/* ---- the last lines ---- */

static const char *plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

static char *verdict_line(const struct results *results)
{
	struct totals totals = results_totals(results);
	GR_AUTO_BUFFER struct buffer line = {0};
	char span[CLOCK_TEXT_BYTES];

	buffer_printf(&line, "%s (exit status %d)", verdict_name(results->verdict), results->exit_status);
	for (size_t i = 0; i < line.bytes && line.data[i] != ' '; i++)
		line.data[i] = (char)(line.data[i] - 'a' + 'A');
	if (totals.device_runs > 0)
		buffer_printf(&line,
		        ": %" PRId64 " test%s in %" PRId64 " device run%s: %" PRId64 " passed, %" PRId64 " failed",
		        totals.tests, plural(totals.tests), totals.device_runs, plural(totals.device_runs),
		        totals.passed, totals.failed);
	if (totals.skipped > 0)
		buffer_printf(&line, ", %" PRId64 " skipped", totals.skipped);
	if (totals.errors > 0)
		buffer_printf(&line, ", %" PRId64 " without a result", totals.errors);
	if (totals.quarantined > 0)
		buffer_printf(&line, ", %" PRId64 " quarantined", totals.quarantined);
	if (totals.flaky > 0)
		buffer_printf(&line, " (%" PRId64 " passed only when repeated)", totals.flaky);
	buffer_printf(&line, ", in %s", clock_format_span(results->elapsed_ms > 0 ? results->elapsed_ms : 0, span));
	return buffer_take(&line);
}

void end_keep_verdict(struct console *console, const struct results *results)
{
	gr_free(console->verdict);
	gr_free(console->cause);
	console->verdict = verdict_line(results);
	console->cause = gr_strdup(results->cause);
	console->verdict_tone = results->verdict == VERDICT_PASSED ? TONE_GOOD : TONE_BAD;
}

void end_print_verdict(struct console *console)
{
	if (!console->verdict)
		return;
	console_print(console, console->verdict_tone, "%s", console->verdict);
	if (console->cause)
		console_print(console, console->verdict_tone, "first cause: %s", console->cause);
}
