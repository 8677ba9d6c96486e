#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reporters/formats.h"
#include "tests/unit/reporters/sample.h"

static size_t times(const char *text, const char *piece)
{
	size_t found = 0, bytes = strlen(piece);

	for (; *text; text++) /* under a sanitizer each strstr() looks at the whole text again */
		found += *text == *piece && strncmp(text, piece, bytes) == 0;
	return found;
}

static bool is_there(const struct folder *folder, const char *name)
{
	return faccessat(folder->handle, name, F_OK, 0) == 0;
}

static void fill_run(struct device_run *run, size_t cases, const char *reason)
{
	for (size_t i = 0; i < cases; i++) {
		GR_AUTO_FREE char *name = gr_printf("test %zu", i);

		(void)sample_case(run, name, reason ? STATUS_FAILED : STATUS_PASSED, reason);
	}
}

static void write_with(int (*write)(const struct results *results, const char *target,
                               const struct report_context *context, struct gr_error *err),
        const struct results *results, const struct folder *folder, const char *target)
{
	struct report_context context = {.directory = folder->handle};
	struct gr_error err = {0};

	if (write(results, target, &context, &err) < 0)
		fail_msg("%s", err.text);
}

static void it_writes_one_file_as_a_rule(void **state)
{
	struct results results;
	struct folder folder;

	(void)state;
	sample_fill(&results);
	folder_make(&folder);
	write_with(junit_write, &results, &folder, "junit.xml");
	assert_true(is_there(&folder, "junit.xml"));
	assert_false(is_there(&folder, "junit-2.xml"));
	folder_remove(&folder);
	results_release(&results);
}

/* One device with more tests than a file takes, and one beside it; then fewer, and no file of before is left. */
static void it_goes_on_in_a_second_file_when_one_would_be_too_long(void **state)
{
	struct results results = {.run_id = gr_strdup("r1"), .pipeline = gr_strdup("shop")};
	struct folder folder;
	GR_AUTO_FREE char *first = NULL, *second = NULL, *third = NULL;
	struct results few = {.run_id = gr_strdup("r1"), .pipeline = gr_strdup("shop")};

	(void)state;
	fill_run(sample_run(&results, "Pixel 7", "phones/0"), 100001, NULL);
	fill_run(sample_run(&results, "Galaxy S21", "phones/1"), 99999, NULL);
	fill_run(sample_run(&results, "Galaxy S23", "phones/2"), 1, NULL);
	folder_make(&folder);
	write_with(junit_write, &results, &folder, "out/junit.xml");
	first = folder_read(&folder, "out/junit.xml", NULL);
	second = folder_read(&folder, "out/junit-2.xml", NULL);
	third = folder_read(&folder, "out/junit-3.xml", NULL);
	assert_false(is_there(&folder, "out/junit-4.xml"));
	assert_int_equal(times(first, "<testcase "), 100000);
	assert_int_equal(times(second, "<testcase "), 100000);
	assert_int_equal(times(third, "<testcase "), 1);
	assert_non_null(strstr(first, "<testsuites name=\"shop\" time=\"150000.000\">"));
	assert_non_null(strstr(first, "<testsuite name=\"Pixel 7 - Android 14\" id=\"0\" tests=\"100000\""));
	assert_non_null(strstr(second, "<testsuite name=\"Pixel 7 - Android 14 - part 2\" id=\"0\" tests=\"1\""));
	assert_non_null(strstr(second, "<testsuite name=\"Galaxy S21 - Android 14\" id=\"1\" tests=\"99999\""));
	(void)sample_case(sample_run(&few, "Pixel 7", "phones/0"), "one", STATUS_PASSED, NULL);
	write_with(junit_write, &few, &folder, "out/junit.xml");
	assert_false(is_there(&folder, "out/junit-2.xml"));
	assert_false(is_there(&folder, "out/junit-3.xml"));
	folder_remove(&folder);
	results_release(&results);
	results_release(&few);
}

/* GitLab refuses a file over 30 MiB, and texts are what makes one long. */
static void it_keeps_every_file_below_its_readers_limit(void **state)
{
	struct results results = {.run_id = gr_strdup("r1"), .pipeline = gr_strdup("shop")};
	struct folder folder;
	GR_AUTO_FREE char *reason = gr_alloc(60001, 1);

	(void)state;
	memset(reason, '<', 60000); /* in an attribute and in CDATA */
	fill_run(sample_run(&results, "Pixel 7", "phones/0"), 250, reason);
	reason[300] = '\0';
	fill_run(sample_run(&results, "Galaxy S21", "phones/1"), 20000, reason);
	folder_make(&folder);
	write_with(junit_write, &results, &folder, "junit.xml");
	for (size_t number = 1; number == 1 || number < 20; number++) {
		GR_AUTO_FREE char *name = number == 1 ? gr_strdup("junit.xml") : gr_printf("junit-%zu.xml", number);
		GR_AUTO_FREE char *text = NULL;
		size_t bytes = 0;

		if (!is_there(&folder, name))
			break;
		text = folder_read(&folder, name, &bytes);
		assert_true(bytes < (size_t)30 << 20);
	}
	assert_true(is_there(&folder, "junit-2.xml"));
	folder_remove(&folder);
	results_release(&results);
}

static void it_writes_a_file_a_device_run_for_strict_schemas(void **state)
{
	struct results results;
	struct folder folder;
	GR_AUTO_FREE char *first = NULL;

	(void)state;
	sample_fill(&results);
	folder_make(&folder);
	folder_write(&folder, "strict/003-gridlane.xml", "of an earlier run");
	folder_write(&folder, "strict/notes.xml", "of somebody else");
	write_with(junit_files_write, &results, &folder, "strict/");
	first = folder_read(&folder, "strict/001-Pixel_7-Android_14.xml", NULL);
	assert_true(is_there(&folder, "strict/002-gridlane.xml"));
	assert_false(is_there(&folder, "strict/003-gridlane.xml"));
	assert_true(is_there(&folder, "strict/notes.xml"));
	assert_non_null(strstr(first, "?>\n<testsuite name=\"Pixel 7 - Android 14\" tests="));
	assert_null(strstr(first, "<testsuites"));
	assert_null(strstr(first, " id="));
	assert_null(strstr(first, " hostname="));
	assert_int_equal(times(first, "<testcase "), 6);
	folder_remove(&folder);
	results_release(&results);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_writes_one_file_as_a_rule),
	        cmocka_unit_test(it_goes_on_in_a_second_file_when_one_would_be_too_long),
	        cmocka_unit_test(it_keeps_every_file_below_its_readers_limit),
	        cmocka_unit_test(it_writes_a_file_a_device_run_for_strict_schemas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
