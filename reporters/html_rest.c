/* The HTML report's other sections: problems, gate, steps, files, facts of the run. */
#include <inttypes.h>
#include <string.h>

#include "reporters/html_page.h"
#include "reporters/words.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"

#define PROBLEMS_MOST 200
#define STEPS_MOST 1000
#define FILES_MOST 1000
#define HELD_MOST 200

/* ---- problems ---- */

struct listing {
	size_t found, written;
	bool want_warnings;
};

static void add_problem(struct page *page, const struct problem *problem, const char *device)
{
	page_add(page, "<li>");
	page_chip(page, problem->is_warning ? "flaky" : "error",
	        problem->is_warning ? "warning" : failure_name(problem->failure));
	page_add(page, " ");
	page_line(page, problem->message, PAGE_CAUSE_BYTES);
	if (problem->step) {
		page_add(page, " <small>step ");
		page_line(page, problem->step, PAGE_LINE_BYTES);
		page_add(page, "</small>");
	}
	if (device) {
		page_add(page, " <small>on ");
		page_line(page, device, PAGE_LINE_BYTES);
		page_add(page, "</small>");
	}
	page_add(page, "</li>\n");
}

static void add_problems(
        struct page *page, struct listing *listing, const struct problem *problems, size_t count, const char *device)
{
	for (size_t i = 0; i < count; i++) {
		if (problems[i].is_warning != listing->want_warnings)
			continue;
		if (listing->found++ >= PROBLEMS_MOST)
			continue;
		listing->written++;
		add_problem(page, &problems[i], device ? device : problems[i].device);
	}
}

static size_t add_all_problems(struct page *page, bool want_warnings)
{
	const struct results *results = page->results;
	struct listing listing = {.want_warnings = want_warnings};

	page_add(page, "<ul class=\"problems\">\n");
	add_problems(page, &listing, results->problems, results->problem_count, NULL);
	for (size_t i = 0; i < results->run_count; i++)
		add_problems(page, &listing, results->runs[i].problems, results->runs[i].problem_count,
		        device_label(&results->runs[i].device));
	page_add(page, "</ul>\n");
	page_cut(page, listing.found - listing.written, want_warnings ? "warnings are" : "problems are");
	return listing.found;
}

static size_t add_held(struct page *page)
{
	size_t found = 0;

	page_add(page, "<ul class=\"problems\">\n");
	for (size_t i = 0; i < page->results->held_count; i++) {
		const struct held *held = &page->results->held[i];

		if (held->is_released || found++ >= HELD_MOST)
			continue;
		page_add(page, "<li>");
		page_chip(page, "error", "not given back");
		page_add(page, " ");
		page_line(page, held->what ? held->what : held->key, PAGE_LINE_BYTES);
		if (held->message) {
			page_add(page, ": ");
			page_line(page, held->message, PAGE_LINE_BYTES);
		}
		page_add(page, "</li>\n");
	}
	page_add(page, "</ul>\n");
	return found;
}

void html_problems(struct page *page)
{
	size_t found;

	page_section(page, "problems", "Problems");
	found = add_all_problems(page, false);
	found += add_held(page);
	found += add_all_problems(page, true);
	if (found == 0)
		page_add(page, "<p>None beside what the tests say.</p>\n");
	page_add(page, "</section>\n");
}

/* ---- gate ---- */

void html_gate(struct page *page)
{
	const struct results *results = page->results;

	page_section(page, "gate", "Gate");
	if (results->rule_count == 0) {
		page_add(page, "<p>The pipeline has no gate of its own: every test must pass, but those that are "
		               "quarantined or of a best_effort step.</p>\n</section>\n");
		return;
	}
	page_add(page,
	        "<div class=\"scroll\" role=\"region\" aria-label=\"Gate rules\" tabindex=\"0\"><table>\n<thead><tr>"
	        "<th scope=\"col\">State</th><th scope=\"col\">Rule</th><th scope=\"col\">Values</th></tr></thead>"
	        "<tbody>\n");
	for (size_t i = 0; i < results->rule_count; i++) {
		const struct gate_rule *rule = &results->rules[i];

		page_add(page, "<tr><td>");
		page_chip(page, rule->holds ? "passed" : "failed", rule->holds ? "holds" : "does not hold");
		page_add(page, "</td><th scope=\"row\"><code>");
		page_line(page, rule->text, PAGE_LINE_BYTES);
		page_add(page, "</code></th><td><code>");
		page_line(page, rule->values, PAGE_LINE_BYTES);
		page_add(page, "</code></td></tr>\n");
	}
	page_add(page, "</tbody></table></div>\n</section>\n");
}

/* ---- steps ---- */

static const char *tone_of(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_PASSED:
		return "passed";
	case OUTCOME_FAILED:
		return "failed";
	case OUTCOME_ERROR:
		return "error";
	case OUTCOME_SKIPPED:
	case OUTCOME_CANCELLED:
	case OUTCOME_NOT_RUN:
		break;
	}
	return "skipped";
}

static void add_step(struct page *page, const struct step_result *step)
{
	page_add(page, "<tr><td>");
	page_chip(page, tone_of(step->outcome), outcome_name(step->outcome));
	page_add(page, "</td><th scope=\"row\">");
	page_line(page, step->name ? step->name : step->step, PAGE_LINE_BYTES);
	page_add(page, "</th><td>");
	page_line(page, step->lane, PAGE_LINE_BYTES);
	page_add(page, "</td><td>");
	page_line(page, step->kind, 80);
	page_add(page, "</td><td class=\"number\">");
	page_span(page, step->elapsed_ms);
	page_printf(page, "</td><td class=\"number\">%u</td><td>", step->requests);
	page_line(page, step->message ? step->message : step_choice(step), PAGE_LINE_BYTES);
	page_add(page, "</td></tr>\n");
}

void html_steps(struct page *page)
{
	const struct results *results = page->results;

	page_section(page, "steps", "Steps");
	if (results->step_count == 0) {
		page_add(page, "<p>No step was reached.</p>\n</section>\n");
		return;
	}
	page_add(page,
	        "<div class=\"scroll\" role=\"region\" aria-label=\"Steps\" tabindex=\"0\"><table>\n<thead><tr>"
	        "<th scope=\"col\">Outcome</th><th scope=\"col\">Step</th><th scope=\"col\">Lane</th>"
	        "<th scope=\"col\">Kind</th><th scope=\"col\" class=\"number\">Time</th>"
	        "<th scope=\"col\" class=\"number\">Requests</th><th scope=\"col\">Why</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < results->step_count && i < STEPS_MOST; i++)
		add_step(page, &results->steps[i]);
	page_add(page, "</tbody></table></div>\n");
	page_cut(page, results->step_count > STEPS_MOST ? results->step_count - STEPS_MOST : 0, "steps are");
	page_add(page, "</section>\n");
}

/* ---- files ---- */

static void add_file(struct page *page, const struct artifact *file)
{
	char size[32];

	page_add(page, "<tr><th scope=\"row\">");
	if (file->missing || !file->path)
		page_line(page, file->path, PAGE_LINE_BYTES);
	else
		page_file_link(page, file->path, file->path);
	page_add(page, "</th><td>");
	page_line(page, file->device, PAGE_LINE_BYTES);
	page_add(page, "</td><td>");
	page_line(page, file->step, PAGE_LINE_BYTES);
	page_add(page, "</td><td class=\"number\">");
	if (file->missing)
		page_line(page, file->missing, PAGE_LINE_BYTES);
	else
		page_add(page, number_format_bytes(file->bytes, size));
	page_add(page, "</td></tr>\n");
}

void html_files(struct page *page)
{
	const struct results *results = page->results;

	page_section(page, "files", "Files");
	if (results->artifact_count == 0) {
		page_add(page, "<p>No file was brought home.</p>\n</section>\n");
		return;
	}
	page_add(page, "<details><summary>Logs, recordings and other files</summary>\n"
	               "<div class=\"scroll\" role=\"region\" aria-label=\"Files\" tabindex=\"0\"><table>\n<thead><tr>"
	               "<th scope=\"col\">File</th><th scope=\"col\">Device</th><th scope=\"col\">Step</th>"
	               "<th scope=\"col\" class=\"number\">Size</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < results->artifact_count && i < FILES_MOST; i++)
		add_file(page, &results->artifacts[i]);
	page_add(page, "</tbody></table></div></details>\n");
	page_cut(page, results->artifact_count > FILES_MOST ? results->artifact_count - FILES_MOST : 0, "files are");
	page_add(page, "</section>\n");
}

/* ---- facts ---- */

static void add_fact(struct page *page, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	page_printf(page, "<dt>%s</dt><dd>", name);
	page_line(page, value, PAGE_LINE_BYTES);
	page_add(page, "</dd>\n");
}

static void add_number(struct page *page, const char *name, int64_t number)
{
	page_printf(page, "<dt>%s</dt><dd>%" PRId64 "</dd>\n", name, number);
}

static void add_environment(struct page *page)
{
	static const char *const names[][2] = {{"provider", "CI system"}, {"branch", "Branch"}, {"commit", "Commit"},
	        {"pull_request", "Pull request"}, {"job", "Job"}};
	const json_t *environment = page->results->environment;
	const char *url = json_string_value(json_object_get(environment, "build_url"));

	for (size_t i = 0; i < GR_COUNT(names); i++)
		add_fact(page, names[i][1], json_string_value(json_object_get(environment, names[i][0])));
	if (!url)
		return;
	page_add(page, "<dt>Build</dt><dd>");
	page_url_link(page, url, url);
	page_add(page, "</dd>\n");
}

void html_facts(struct page *page)
{
	const struct results *results = page->results;

	page_section(page, "facts", "Run");
	page_add(page, "<dl class=\"facts\">\n");
	add_fact(page, "Run", results->run_id);
	add_fact(page, "Pipeline", results->file);
	add_fact(page, "Server", results->server);
	add_environment(page);
	add_number(page, "Requests made", results->requests);
	add_number(page, "of them repeats", results->repeats);
	add_number(page, "Polls", results->polls);
	page_add(page, "<dt>Longest wait between the end and its discovery</dt><dd>");
	page_span(page, results->lag_most_ms);
	page_add(page, "</dd>\n");
	add_fact(page, "Written by", results->tool);
	page_add(page, "</dl>\n</section>\n");
}
