#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>

#include "tests/unit/reporters/junit_document.h"

static void it_writes_one_suite_for_each_device_run(void **state)
{
	struct results results;
	xmlDocPtr document;
	xmlNodePtr root, suite, properties;

	(void)state;
	sample_fill(&results);
	document = write_and_read(&results);
	assert_int_equal(check_rules(document), 7); /* five tests, two problems; a warning is none */
	root = xmlDocGetRootElement(document);
	expect(root, "name", "shop-nightly");
	expect(root, "time", "7.500");
	suite = xmlFirstElementChild(root);
	expect(suite, "name", "Pixel 7 - Android 14");
	expect(suite, "time", "7.500");
	expect(suite, "timestamp", "2026-03-01T10:15:30.000Z");
	properties = first(suite, "properties");
	expect(xmlFirstElementChild(properties), "name", "device.name");
	expect(xmlFirstElementChild(properties), "value", "Pixel 7");
	expect(xmlNextElementSibling(suite), "name", "gridlane");
	expect(xmlFirstElementChild(xmlNextElementSibling(suite)), "name", "upload (network)");
	xmlFreeDoc(document);
	results_release(&results);
}

static void it_says_of_each_case_what_became_of_it(void **state)
{
	struct results results;
	xmlDocPtr document;
	xmlNodePtr suite, test;
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	sample_fill(&results);
	document = write_and_read(&results);
	suite = xmlFirstElementChild(xmlDocGetRootElement(document));
	test = find_case(suite, "logs in");
	assert_null(xmlFirstElementChild(test));
	expect(test, "classname", "Pixel_7-Android_14.com.example.LoginTest");
	expect(test, "time", "1.500");

	test = find_case(suite, "pays by card"); /* three tries, the first one is the failure */
	expect(first(test, "failure"), "type", "failure");
	expect(first(test, "failure"), "message", "first try");
	assert_int_equal(count(test, "rerunFailure"), 2);
	expect(xmlNextElementSibling(xmlNextElementSibling(xmlFirstElementChild(test))), "message",
	        "expected 10.00 but was 9.99");
	text = content(first(first(test, "rerunFailure"), "stackTrace"));
	assert_string_equal(text, "first try");

	test = find_case(suite, "scrolls");
	assert_int_equal(count(test, "flakyFailure"), 1);
	assert_null(first(test, "failure"));
	expect(first(find_case(suite, "face unlock"), "skipped"), "message", "no face unlock");
	expect(first(find_case(suite, "never ran"), "error"), "type", "gridlane.not_run");
	expect(first(find_case(suite, "regression (inconsistent)"), "error"), "message", "a test vanished");
	xmlFreeDoc(document);
	results_release(&results);
}

static void it_keeps_failure_texts_whole_with_the_message_first(void **state)
{
	struct results results;
	xmlDocPtr document;
	xmlNodePtr test;
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	sample_fill(&results);
	results.runs[0].cases[1].attempt_count = 0;
	results.runs[0].cases[1].reason[0] = 'E';
	gr_free(gr_take(&results.runs[0].cases[1].attempts[0].reason));
	gr_free(gr_take(&results.runs[0].cases[1].attempts[1].reason));
	document = write_and_read(&results);
	test = find_case(xmlFirstElementChild(xmlDocGetRootElement(document)), "pays by card");
	expect(first(test, "failure"), "message", "Expected 10.00 but was 9.99");
	text = content(first(test, "failure"));
	assert_string_equal(
	        text, "Expected 10.00 but was 9.99\n\tat Checkout.kt:42\nrun: https://grid.example/builds/48213");
	xmlFreeDoc(document);
	results_release(&results);
}

static void it_survives_hostile_text_everywhere(void **state)
{
	struct results results = {.pipeline = gr_strdup(HOSTILE)};
	struct device_run *run = sample_run(&results, HOSTILE, HOSTILE);
	GR_AUTO_FREE char *written = NULL;
	GR_AUTO_FREE char *text = NULL;
	xmlDocPtr document;
	xmlNodePtr suite;

	(void)state;
	for (int status = STATUS_PASSED; status <= STATUS_ERROR; status++) {
		struct test_case *test = sample_case(run, HOSTILE, (enum case_status)status, HOSTILE);

		gr_free(test->class_name);
		test->class_name = gr_strdup(HOSTILE);
		test->data = gr_strdup(HOSTILE);
		test->raw_status = gr_strdup(HOSTILE);
		sample_attempts(test, 2, HOSTILE);
	}
	gr_free(run->url);
	run->url = gr_strdup(HOSTILE);
	gr_free(run->device.os);
	run->device.os = gr_strdup(HOSTILE);
	device_run_add_problem(run, GR_STALL, "%s", HOSTILE);
	(void)results_add_problem(&results, GR_DISK, HOSTILE, HOSTILE, "%s", HOSTILE);
	document = write_and_read_with(&results, NULL, &written);
	assert_int_equal(check_rules(document), 6);
	assert_null(strpbrk(written, "\x1b\r\x01\x7f"));
	suite = xmlFirstElementChild(xmlDocGetRootElement(document));
	text = get(suite, "name");
	assert_int_equal(
	        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -._()"), strlen(text));
	gr_free(gr_take(&text));
	for (xmlNodePtr test = xmlFirstElementChild(suite); test; test = xmlNextElementSibling(test))
		if (first(test, "failure"))
			text = content(first(test, "failure"));
	assert_non_null(strstr(text, "]]> <b> & \"q\" 'a' red")); /* split, and whole again; colours gone */
	xmlFreeDoc(document);
	results_release(&results);
}

static char *repeated(const char *piece, size_t times)
{
	struct buffer text = {0};

	for (size_t i = 0; i < times; i++)
		buffer_add_text(&text, piece);
	return buffer_take(&text);
}

static void it_cuts_large_texts_visibly(void **state)
{
	struct results results = {0};
	GR_AUTO_FREE char *large = repeated("\xc3\xa4]]>", 1024 * 1024 / 5);
	struct device_run *run = sample_run(&results, "Pixel 7", "a");
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_FREE char *name = NULL;
	xmlDocPtr document;
	xmlNodePtr test;

	(void)state;
	(void)sample_case(run, large, STATUS_FAILED, large);
	document = write_and_read(&results);
	(void)check_rules(document);
	test = first(xmlFirstElementChild(xmlDocGetRootElement(document)), "testcase");
	name = get(test, "name");
	assert_true(strlen(name) < 512);
	text = content(first(test, "failure"));
	assert_true(strlen(text) < 70000);
	assert_non_null(strstr(text, " bytes cut]"));
	xmlFreeDoc(document);
	results_release(&results);
}

static void it_stays_below_what_readers_take_with_very_many_failures(void **state)
{
	struct results results = {0};
	GR_AUTO_FREE char *large = repeated("at com.example.Checkout.pay(Checkout.kt:42)\n", 1400); /* 60 KiB each */
	struct device_run *run = sample_run(&results, "Pixel 7", "a");
	GR_AUTO_FREE char *text = NULL;
	xmlDocPtr document;

	(void)state;
	for (int i = 0; i < 400; i++)
		(void)sample_case(run, "pays", STATUS_FAILED, large);
	document = write_and_read_with(&results, NULL, &text);
	assert_int_equal(check_rules(document), 400);
	assert_true(strlen(text) < 16 * 1024 * 1024);
	xmlFreeDoc(document);
	results_release(&results);
}

static void it_writes_no_secret_even_one_in_pieces(void **state)
{
	struct results results = {0};
	struct redactor *redactor = redactor_new();
	struct device_run *run = sample_run(&results, "Pixel tok-SECRET-1", "a");
	GR_AUTO_FREE char *text = NULL;
	xmlDocPtr document;

	(void)state;
	assert_true(redactor_add(redactor, "tok-SECRET-1"));
	assert_true(
	        redactor_add(redactor, "testcase")); /* a secret that is a word of the format leaves the format alone */
	(void)sample_case(run, "tok-SECRET-1", STATUS_FAILED, "tok-SEC\x1b[0mRET-1 and tok-SECRET-1 and testcase");
	run->cases[0].data = gr_strdup("x tok-SECRET-1");
	document = write_and_read_with(&results, redactor, &text);
	(void)check_rules(document);
	assert_null(strstr(text, "SECRET"));
	assert_null(strstr(text, "and testcase"));
	assert_non_null(strstr(text, "***"));
	xmlFreeDoc(document);
	results_release(&results);
	redactor_free(redactor);
}

static void it_writes_numbers_without_the_locale(void **state)
{
	struct results results;
	xmlDocPtr document;

	(void)state;
	(void)setlocale(LC_ALL, "de_DE.UTF-8");
	sample_fill(&results);
	document = write_and_read(&results);
	expect(xmlDocGetRootElement(document), "time", "7.500");
	xmlFreeDoc(document);
	results_release(&results);
	(void)setlocale(LC_ALL, "C");
}

static void it_says_when_the_file_cannot_be_written(void **state)
{
	struct results results = {0};
	struct folder folder;
	struct gr_error err = {0};
	struct report_context context = {0};

	(void)state;
	folder_make(&folder);
	context.directory = folder.handle;
	assert_int_equal(reporter_find("junit")->write(&results, "../junit.xml", &context, &err), -GR_DISK);
	assert_non_null(strstr(err.text, "../junit.xml"));
	folder_remove(&folder);
}

static void it_names_files_with_the_attempt_they_tell_of(void **state)
{
	const struct report_context context = {.workspace_path = "out"};
	struct results results;
	xmlDocPtr document;
	xmlNodePtr suite;
	GR_AUTO_FREE char *failed = NULL, *flaky = NULL, *never = NULL;

	(void)state;
	sample_fill(&results);
	results.runs[0].cases[1].rerun = 2; /* fails in all three starts */
	results.runs[0].cases[1].attempts[1].rerun = 1;
	results.runs[0].cases[2].rerun = 1; /* passes in the second one */
	sample_attempts(&results.runs[0].cases[4], 2, "twice in the first start");
	sample_file(&results, "artifacts/a.log", 0);
	sample_file(&results, "artifacts/a-rerun-1.log", 1);
	sample_file(&results, "artifacts/a-rerun-2.log", 2);
	document = write_and_read_in(&results, &context, NULL);
	suite = xmlFirstElementChild(xmlDocGetRootElement(document));
	failed = content(first(find_case(suite, "pays by card"), "system-out"));
	assert_string_equal(failed, "attempts: 3\nfiles of attempt 3:\n[[ATTACHMENT|out/artifacts/a-rerun-2.log]]\n"
	                            "files of attempt 2:\n[[ATTACHMENT|out/artifacts/a-rerun-1.log]]\n"
	                            "files of attempt 1:\n[[ATTACHMENT|out/artifacts/a.log]]\n");
	flaky = content(first(find_case(suite, "scrolls"), "system-out"));
	assert_null(strstr(flaky, "a-rerun-2.log"));
	assert_non_null(strstr(flaky, "files of attempt 1:\n[[ATTACHMENT|out/artifacts/a.log]]\n"));
	never = content(first(find_case(suite, "never ran"), "system-out"));
	assert_string_equal(never, "attempts: 3\nfiles of attempt 3:\n[[ATTACHMENT|out/artifacts/a.log]]\n");
	xmlFreeDoc(document);
	results_release(&results);
}

static void it_knows_reporters_by_name(void **state)
{
	(void)state;
	assert_non_null(reporter_find("json"));
	assert_string_equal(reporter_find("summary")->target, "summary.md");
	assert_null(reporter_find("jUnit"));
	assert_null(reporter_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_writes_one_suite_for_each_device_run),
	        cmocka_unit_test(it_says_of_each_case_what_became_of_it),
	        cmocka_unit_test(it_keeps_failure_texts_whole_with_the_message_first),
	        cmocka_unit_test(it_survives_hostile_text_everywhere),
	        cmocka_unit_test(it_cuts_large_texts_visibly),
	        cmocka_unit_test(it_stays_below_what_readers_take_with_very_many_failures),
	        cmocka_unit_test(it_writes_no_secret_even_one_in_pieces),
	        cmocka_unit_test(it_writes_numbers_without_the_locale),
	        cmocka_unit_test(it_says_when_the_file_cannot_be_written),
	        cmocka_unit_test(it_names_files_with_the_attempt_they_tell_of),
	        cmocka_unit_test(it_knows_reporters_by_name),
	};
	int result = cmocka_run_group_tests(tests, NULL, NULL);

	xmlCleanupParser();
	return result;
}
