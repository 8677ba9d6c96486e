#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/reporters/junit_document.h"

static void it_tells_apart_what_has_the_same_name(void **state)
{
	struct results results = {0};
	struct device_run *run;
	xmlDocPtr document;
	xmlNodePtr suite;

	(void)state;
	run = sample_run(&results, "Pixel 7", "a");
	(void)sample_case(run, "same", STATUS_PASSED, NULL);
	(void)sample_case(run, "same", STATUS_FAILED, NULL);
	(void)sample_case(run, "same #2", STATUS_FAILED, NULL);
	(void)sample_case(run, "same", STATUS_PASSED, NULL);
	sample_case(run, "same", STATUS_PASSED, NULL)->data = gr_strdup("user=1");
	(void)sample_case(run, "", STATUS_PASSED, NULL);
	(void)sample_case(run, "x", STATUS_PASSED, NULL);
	gr_free(gr_take(&run->cases[6].name));
	run = sample_run(&results, "Pixel 7", "b");
	(void)sample_case(run, "same", STATUS_PASSED, NULL);
	document = write_and_read(&results);
	assert_int_equal(check_rules(document), 8);
	suite = xmlFirstElementChild(xmlDocGetRootElement(document));
	(void)find_case(suite, "same #2");
	(void)find_case(suite, "same [user=1]");
	(void)find_case(suite, "unnamed test");
	expect(xmlNextElementSibling(suite), "name", "Pixel 7 - Android 14 #2");
	xmlFreeDoc(document);
	results_release(&results);
}

/* Their suites have names of their own, and class names that begin alike. */
static void it_tells_apart_tests_of_devices_whose_names_differ_in_a_blank(void **state)
{
	static const char *const devices[] = {"Pixel 7", "Galaxy", "Pixel_7"};
	struct results results = {0};
	xmlDocPtr document;
	xmlNodePtr suite;

	(void)state;
	for (size_t i = 0; i < GR_COUNT(devices); i++)
		(void)sample_case(sample_run(&results, devices[i], devices[i]), "same", STATUS_PASSED, NULL);
	document = write_and_read(&results);
	assert_int_equal(check_rules(document), 3);
	suite = xmlFirstElementChild(xmlDocGetRootElement(document));
	(void)find_case(suite, "same");
	suite = xmlNextElementSibling(suite);
	(void)find_case(suite, "same");
	(void)find_case(xmlNextElementSibling(suite), "same #2");
	xmlFreeDoc(document);
	results_release(&results);
}

static void add_lane(struct results *results, const char *name)
{
	results->lanes = gr_grow(results->lanes, results->lane_count, sizeof(*results->lanes));
	results->lanes[results->lane_count++] = (struct lane_result){.name = gr_strdup(name)};
}

static void it_orders_suites_by_lane_not_by_who_was_first(void **state)
{
	struct results results = {0};
	xmlDocPtr document;
	xmlNodePtr suite;

	(void)state;
	add_lane(&results, "phones/0");
	add_lane(&results, "phones/1");
	(void)sample_case(sample_run(&results, "Fast", "phones/1"), "t", STATUS_PASSED, NULL);
	(void)sample_case(sample_run(&results, "Slow", "phones/0"), "t", STATUS_PASSED, NULL);
	document = write_and_read(&results);
	suite = xmlFirstElementChild(xmlDocGetRootElement(document));
	expect(suite, "name", "Slow - Android 14");
	expect(xmlNextElementSibling(suite), "name", "Fast - Android 14");
	xmlFreeDoc(document);
	results_release(&results);
}

static void it_always_has_a_case(void **state)
{
	struct results results = {0};
	struct device_run *run;
	xmlDocPtr document;
	xmlNodePtr suite;

	(void)state;
	document = write_and_read(&results); /* nothing is known at all: not a passed one */
	assert_int_equal(check_rules(document), 1);
	xmlFreeDoc(document);

	results_add_step(&results, "main", "version")->outcome = OUTCOME_PASSED;
	results_add_step(&results, "main", "upload")->outcome = OUTCOME_FAILED;
	results_add_step(&results, "main", "later")->outcome = OUTCOME_NOT_RUN;
	results_add_step(&results, "main", "maybe")->outcome = OUTCOME_SKIPPED;
	document = write_and_read(&results);
	assert_int_equal(check_rules(document), 4);
	suite = xmlFirstElementChild(xmlDocGetRootElement(document));
	assert_null(xmlFirstElementChild(find_case(suite, "version")));
	assert_non_null(first(find_case(suite, "upload"), "failure"));
	assert_non_null(first(find_case(suite, "later"), "error"));
	assert_non_null(first(find_case(suite, "maybe"), "skipped"));
	xmlFreeDoc(document);

	run = sample_run(&results, "Pixel 7", "main"); /* a run without tests: skipped if that is fine ... */
	document = write_and_read(&results);
	expect(xmlFirstElementChild(xmlDocGetRootElement(document)), "skipped", "1");
	xmlFreeDoc(document);
	run->is_complete = false; /* ... an error if it is not */
	document = write_and_read(&results);
	expect(xmlFirstElementChild(xmlDocGetRootElement(document)), "errors", "1");
	xmlFreeDoc(document);
	results_release(&results);
}

static void it_names_suites_after_device_and_system(void **state)
{
	static const struct {
		const char *platform, *os, *name;
	} table[] = {{"android", "14", "Pixel 7 - Android 14"}, {"ios", "17.2", "Pixel 7 - iOS 17.2"},
	        {NULL, "14", "Pixel 7 - 14"}, {"android", NULL, "Pixel 7 - Android"},
	        {"android", "Android 14", "Pixel 7 - Android 14"}, {NULL, NULL, "Pixel 7"},
	        {"web", "a:b/c", "Pixel 7 - web a_b_c"}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(table); i++) {
		struct results results = {0};
		struct device_run *run = sample_run(&results, "Pixel 7", "a");
		xmlDocPtr document;

		gr_free(run->device.platform);
		gr_free(run->device.os);
		run->device.platform = gr_strdup(table[i].platform);
		run->device.os = gr_strdup(table[i].os);
		document = write_and_read(&results);
		expect(xmlFirstElementChild(xmlDocGetRootElement(document)), "name", table[i].name);
		xmlFreeDoc(document);
		results_release(&results);
	}
}

static void it_shows_gate_rules_that_do_not_hold(void **state)
{
	struct results results = {0};
	xmlDocPtr document;
	xmlNodePtr suite;

	(void)state;
	results.rules = gr_grow(NULL, 0, sizeof(*results.rules));
	results.rules[0] =
	        (struct gate_rule){.text = gr_strdup("results.failed == 0"), .values = gr_strdup("results.failed = 2")};
	results.rules[1] = (struct gate_rule){.text = gr_strdup("true"), .holds = true};
	results.rule_count = 2;
	document = write_and_read(&results);
	assert_int_equal(check_rules(document), 1);
	suite = xmlFirstElementChild(xmlDocGetRootElement(document));
	expect(first(find_case(suite, "results.failed == 0"), "error"), "type", "gridlane.gate");
	expect(first(find_case(suite, "results.failed == 0"), "error"), "message", "results.failed = 2");
	xmlFreeDoc(document);
	results_release(&results);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_tells_apart_what_has_the_same_name),
	        cmocka_unit_test(it_tells_apart_tests_of_devices_whose_names_differ_in_a_blank),
	        cmocka_unit_test(it_orders_suites_by_lane_not_by_who_was_first),
	        cmocka_unit_test(it_always_has_a_case),
	        cmocka_unit_test(it_names_suites_after_device_and_system),
	        cmocka_unit_test(it_shows_gate_rules_that_do_not_hold),
	};
	int result = cmocka_run_group_tests(tests, NULL, NULL);

	xmlCleanupParser();
	return result;
}
