#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/results/quarantine.h"

static struct test_case *add(struct device_run *run, const char *name, enum case_status status)
{
	struct test_case *test = device_run_add_case(run);

	test->name = gr_strdup(name);
	test->status = status;
	test->failure = status == STATUS_FAILED ? GR_FAILED : GR_NONE;
	return test;
}

static struct quarantine_entry entry_of(char *test, char *device)
{
	static char reason[] = "known", owner[] = "ops", until[] = "2026-12-31";

	return (struct quarantine_entry){test, device, reason, owner, until, clock_parse_day(until) + CLOCK_DAY_MS, 1};
}

static void it_ends_with_its_last_day(void **state)
{
	char test[] = "x";
	const struct quarantine_entry entry = entry_of(test, NULL);

	(void)state;
	assert_false(quarantine_entry_is_over(&entry, clock_parse_day("2026-12-31")));
	assert_false(quarantine_entry_is_over(&entry, clock_parse_day("2026-12-31") + CLOCK_DAY_MS - 1));
	assert_true(quarantine_entry_is_over(&entry, clock_parse_day("2027-01-01")));
}

static void it_fits_names_classes_and_data(void **state)
{
	char device_name[] = "Pixel 7";
	struct device_run run = {.device = {.name = device_name}};
	struct test_case test = {
	        .name = (char[]){"pays"}, .class_name = (char[]){"com.shop.Cart"}, .data = (char[]){"EUR"}};
	static const struct {
		const char *test, *device;
		bool fits;
	} rows[] = {{"pays", NULL, true}, {"pay", NULL, false}, {"p*", NULL, true}, {"com.shop.Cart.pays", NULL, true},
	        {"*.Cart.*", NULL, true}, {"pays *USD*", NULL, false}, {"pays ?EUR?", NULL, true},
	        {"pays", "Pixel*", true}, {"pays", "Galaxy*", false}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(rows); i++) {
		GR_AUTO_FREE char *pattern = gr_strdup(rows[i].test);
		GR_AUTO_FREE char *device = gr_strdup(rows[i].device);
		const struct quarantine_entry entry = entry_of(pattern, device);

		assert_int_equal(quarantine_entry_fits(&entry, &run, &test), rows[i].fits);
	}
}

static void it_marks_failures_and_nothing_else(void **state)
{
	char all[] = "*";
	struct quarantine_entry entry = entry_of(all, NULL);
	const struct quarantine quarantine = {.entries = &entry, .count = 1};
	struct results results = {0};
	struct device_run run = {.is_complete = true};

	(void)state;
	add(&run, "passed", STATUS_PASSED);
	add(&run, "failed", STATUS_FAILED);
	add(&run, "never", STATUS_ERROR)->failure = GR_NOT_RUN; /* not proven to be what is known */
	assert_int_equal(quarantine_mark(&quarantine, clock_parse_day("2027-01-01"), &run), 0);
	assert_int_equal(quarantine_mark(&quarantine, clock_parse_day("2026-12-01"), &run), 1);
	assert_true(test_case_is_quarantined(&run.cases[1]));
	assert_false(test_case_has_failed(&run.cases[1]));
	assert_null(run.cases[2].quarantine);
	results.runs = gr_grow(NULL, 0, sizeof(*results.runs));
	results.runs[results.run_count++] = run;
	assert_int_equal(results_totals(&results).quarantined, 1);
	assert_int_equal(results_totals(&results).failed, 0);
	assert_int_equal(results_totals(&results).executed, 1);
	assert_true(quarantine_entry_is_used(&entry, &results));
	results_release(&results);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_ends_with_its_last_day),
	        cmocka_unit_test(it_fits_names_classes_and_data),
	        cmocka_unit_test(it_marks_failures_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
