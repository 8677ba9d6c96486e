#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

#include "runner/base/text.h"
#include "tests/unit/reporters/sample.h"

static char *write_report(const struct results *results, const char *format, struct redactor *redactor)
{
	struct folder folder;
	struct report_context context = {.redactor = redactor};
	struct gr_error err = {0};
	char *text;

	folder_make(&folder);
	context.directory = folder.handle;
	if (reporter_find(format)->write(results, "sub/report", &context, &err) < 0)
		fail_msg("%s", err.text);
	text = folder_read(&folder, "sub/report", NULL);
	folder_remove(&folder);
	return text;
}

static void expect(const char *text, const char *piece)
{
	if (!strstr(text, piece))
		fail_msg("'%s' is not in:\n%s", piece, text);
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void it_says_in_ten_lines_what_came_of_the_run(void **state)
{
	struct results results;
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	sample_fill(&results);
	text = write_report(&results, "summary", NULL);
	expect(text, "## shop-nightly: failed\n");
	expect(text, "Exit status 1 after 1m35s, run 20260301T101530Z-1a2b3c\n");
	expect(text,
	        "- **Tests**: 5: 2 passed, 1 failed, 1 skipped, 1 without a result; 1 passed only when repeated\n");
	expect(text, "- **First cause**: step 'regression'");
	expect(text, "- **Failed**: pays by card on Pixel 7: expected 10.00 but was 9.99\n");
	expect(text, "- **Devices**: 1 of 1 runs complete: Pixel 7\n");
	expect(text, "- **Next**: ");
	expect(text, "- **Reports**: ");
	assert_true(count_lines(text) <= 12);
	results_release(&results);
}

static void it_counts_runs_that_never_began_and_tells_namesakes_apart(void **state)
{
	struct results results = {0};
	GR_AUTO_FREE char *text = NULL;
	struct device_run *run;

	(void)state;
	for (int i = 0; i < 3; i++) { /* the third run is another one on the second device */
		run = sample_run(&results, "Phone", "a");
		gr_free(run->device.device_id);
		run->device.device_id = gr_strdup(i ? "2" : "1");
		(void)sample_case(run, "pays", i == 1 ? STATUS_FAILED : STATUS_PASSED, "no answer");
	}
	results_add_step(&results, "b", "tests")->runs_tests = true;
	results_add_step(&results, "c", "tests")->runs_tests = true;
	results.steps[results.step_count - 1].outcome = OUTCOME_SKIPPED;
	results_judge(&results);
	text = write_report(&results, "summary", NULL);
	expect(text, "- **Devices**: 3 of 4 runs complete: Phone (id 1), Phone (id 2)\n");
	expect(text, "- **Failed**: pays on Phone (id 2): no answer\n");
	results_release(&results);
}

static void it_stays_short_with_very_many_failures(void **state)
{
	struct results results = {0};
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	for (int i = 0; i < 40; i++) {
		GR_AUTO_FREE char *name = gr_printf("Pixel %d", i % 20); /* two runs each */
		struct device_run *run = sample_run(&results, name, "a");

		for (int j = 0; j < 50; j++) {
			GR_AUTO_FREE char *reason = gr_printf("no %c%c", 'A' + i, 'A' + j);

			(void)sample_case(run, "pays", STATUS_FAILED, reason);
		}
	}
	results_judge(&results);
	text = write_report(&results, "summary", NULL);
	expect(text, "- and 1995 more failed tests\n");
	expect(text, "Pixel 9 and 10 more\n");
	assert_true(count_lines(text) < 20);
	results_release(&results);
}

static void it_says_once_what_many_failures_have_in_common(void **state)
{
	struct results results = {0};
	struct device_run *run = sample_run(&results, "Pixel 7", "a");
	GR_AUTO_FREE char *text = NULL, *log = NULL;

	(void)state;
	for (int i = 0; i < 40; i++) {
		GR_AUTO_FREE char *name = gr_printf("page %d", i);
		GR_AUTO_FREE char *reason = gr_printf("no answer within %d ms\nstack of %s", i * 7, name);

		(void)sample_case(run, name, STATUS_FAILED, reason);
	}
	(void)sample_case(run, "pays", STATUS_FAILED, "boom");
	(void)sample_case(run, "returns", STATUS_FAILED, "boom");
	results_judge(&results);
	text = write_report(&results, "summary", NULL);
	expect(text, "- **Failed**: page 0 on Pixel 7 (and 39 more alike): no answer within 0 ms\n");
	expect(text, "- **Failed**: pays on Pixel 7: boom\n");
	expect(text, "- **Failed**: returns on Pixel 7: boom\n"); /* two are no crowd */
	assert_null(strstr(text, "page 1"));
	assert_null(strstr(text, "more failed tests"));
	log = write_report(&results, "github", NULL); /* ten annotations: each cause has one */
	expect(log, "::error title=page 0 on Pixel 7 (and 39 more alike)::");
	expect(log, "::error title=returns on Pixel 7::boom\n");
	expect(log, "::error title=page 1 on Pixel 7::");
	expect(log, "and 34 more;");
	results_release(&results);
}

static void it_names_the_gate_where_every_test_passed(void **state)
{
	struct results results = {0};
	static const char *const formats[] = {"github", "gitlab", "azure"};

	(void)state;
	(void)sample_case(sample_run(&results, "Pixel 7", "a"), "pays", STATUS_PASSED, NULL);
	results.verdict = VERDICT_FAILED;
	results.cause = gr_strdup("gate: 'results.tests >= 100' does not hold");
	for (size_t i = 0; i < GR_COUNT(formats); i++) {
		GR_AUTO_FREE char *text = write_report(&results, formats[i], NULL);

		expect(text, "gate: 'results.tests >= 100' does not hold");
	}
	results_release(&results);
}

static void it_says_which_devices_were_not_taken(void **state)
{
	struct results results;
	GR_AUTO_FREE char *text = NULL, *quiet = NULL;
	struct step_result *step;

	(void)state;
	sample_fill(&results);
	step = results_add_step(&results, "main", "devices.phones");
	step->outputs = json_pack("{s:s}", "choice", "took Pixel 7");
	quiet = write_report(&results, "summary", NULL);
	assert_null(strstr(quiet, "Choice"));
	(void)json_object_set_new(
	        step->outputs, "choice", json_string("took Pixel 7; not taken: Pixel 8 is reserved by bob"));
	text = write_report(&results, "summary", NULL);
	expect(text, "- **Choice**: took Pixel 7; not taken: Pixel 8 is reserved by bob\n");
	results_release(&results);
}

static void it_takes_markdown_of_others_out_of_service(void **state)
{
	struct results results = {
	        .pipeline = gr_strdup("a|b `c` [x](http://evil) <img src=x> @all #123 *b* ##[group]\n# head\x1b[31m")};
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	(void)sample_case(sample_run(&results, HOSTILE, HOSTILE), HOSTILE, STATUS_FAILED, HOSTILE);
	results_judge(&results);
	text = write_report(&results, "summary", NULL);
	expect(text, "## a\\|b \\`c\\` \\[x\\](http&#58;//evil) &lt;img src=x&gt; &#64;all \\#123 \\*b\\* \\# "
	             "\\#\\[group\\]\\\\n\\# head: failed\n");
	assert_null(strchr(text, '<'));
	assert_null(strchr(text, '\x1b'));
	assert_true(text_is_utf8(text, strlen(text)));
	results_release(&results);
}

static void it_says_what_to_do_next(void **state)
{
	struct results results = {0};
	GR_AUTO_FREE char *cancelled = NULL;
	GR_AUTO_FREE char *held = NULL;

	(void)state;
	results.signal_number = SIGINT;
	results_judge(&results);
	cancelled = write_report(&results, "summary", NULL);
	expect(cancelled, "Exit status 130");
	expect(cancelled, "`gridlane resume`");
	results.held = gr_alloc(8, sizeof(*results.held));
	results.held[0] = (struct held){.key = gr_strdup("r/1")};
	results.held_count = 1;
	held = write_report(&results, "summary", NULL);
	expect(held, "`gridlane cleanup`");
	results_release(&results);
}

static void it_writes_the_model_as_json_without_secrets(void **state)
{
	struct redactor *redactor = redactor_new();
	struct results results, again;
	struct gr_error err = {0};
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_JSON json_t *json = NULL;

	(void)state;
	sample_fill(&results);
	(void)redactor_add(redactor, "tok-SECRET-1");
	(void)redactor_add(redactor, "failed");
	results.environment = json_pack("{s:{s:[s, {s:s}]}}", "ci", "list", "tok-SECRET-1", "tok-SECRET-1", "v");
	results.steps[0].outputs = json_pack("{s:s}", "url", "https://x/?t=tok-SECRET-1");
	text = write_report(&results, "json", redactor);
	assert_null(strstr(text, "SECRET"));
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(results_from_json(json, &again, &err), 0);
	assert_int_equal(
	        again.runs[0].cases[1].status, STATUS_FAILED); /* a secret that is a word of ours breaks nothing */
	assert_string_equal(json_string_value(json_object_get(again.steps[0].outputs, "url")), "https://x/?t=***");
	assert_string_equal(
	        json_string_value(json_object_get(results.steps[0].outputs, "url")), "https://x/?t=tok-SECRET-1");
	results_release(&results);
	results_release(&again);
	redactor_free(redactor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_says_in_ten_lines_what_came_of_the_run),
	        cmocka_unit_test(it_counts_runs_that_never_began_and_tells_namesakes_apart),
	        cmocka_unit_test(it_stays_short_with_very_many_failures),
	        cmocka_unit_test(it_names_the_gate_where_every_test_passed),
	        cmocka_unit_test(it_says_once_what_many_failures_have_in_common),
	        cmocka_unit_test(it_says_which_devices_were_not_taken),
	        cmocka_unit_test(it_takes_markdown_of_others_out_of_service),
	        cmocka_unit_test(it_says_what_to_do_next),
	        cmocka_unit_test(it_writes_the_model_as_json_without_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
