#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>

#include "reporters/formats.h"
#include "tests/unit/reporters/sample.h"

/* All results of a folder, in an array. */
static json_t *read_all(const struct folder *folder)
{
	json_t *all = json_array();
	int fd = openat(folder->handle, "allure-results", O_RDONLY | O_DIRECTORY);
	DIR *open = fdopendir(fd);
	struct dirent *entry;

	while ((entry = readdir(open)) != NULL) {
		GR_AUTO_FREE char *path = gr_printf("allure-results/%s", entry->d_name), *text = NULL;

		if (!strstr(entry->d_name, "-result.json"))
			continue;
		text = folder_read(folder, path, NULL);
		(void)json_array_append_new(all, json_loads(text, JSON_REJECT_DUPLICATES, NULL));
	}
	(void)closedir(open);
	return all;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static size_t count_of(const json_t *all, const char *name, const char *status)
{
	size_t found = 0, i;
	const json_t *one;

	json_array_foreach (all, i, one)
		found += strcmp(text_of(one, "name"), name) == 0 && strcmp(text_of(one, "status"), status) == 0;
	return found;
}

/* The first one of that name and status. */
static const json_t *find(const json_t *all, const char *name, const char *status)
{
	size_t i;
	const json_t *one;

	json_array_foreach (all, i, one)
		if (strcmp(text_of(one, "name"), name) == 0 && strcmp(text_of(one, "status"), status) == 0)
			return one;
	fail_msg("no result '%s' that is %s", name, status);
	return NULL;
}

static void write_allure(const struct results *results, const struct folder *folder, const char *target)
{
	struct report_context context = {.directory = folder->handle};
	struct gr_error err = {0};

	if (allure_write(results, target, &context, &err) < 0)
		fail_msg("%s", err.text);
}

static void it_writes_a_result_for_each_attempt_with_the_last_one_latest(void **state)
{
	struct results results;
	struct folder folder;
	GR_AUTO_JSON json_t *all = NULL;
	const json_t *first, *last;

	(void)state;
	sample_fill(&results);
	folder_make(&folder);
	folder_write(&folder, "allure-results/old-result.json", "{\"name\": \"of an earlier run\"}");
	write_allure(&results, &folder, "allure-results/");
	all = read_all(&folder);
	assert_int_equal(json_array_size(all), 10);
	assert_int_equal(count_of(all, "pays by card", "failed"), 3);
	assert_int_equal(count_of(all, "scrolls", "passed"), 1);
	assert_int_equal(count_of(all, "scrolls", "failed"), 1);
	assert_int_equal(count_of(all, "face unlock", "skipped"), 1);
	assert_int_equal(count_of(all, "never ran", "broken"), 1);
	first = find(all, "scrolls", "failed");
	last = find(all, "scrolls", "passed");
	assert_string_equal(text_of(first, "historyId"), text_of(last, "historyId"));
	assert_string_not_equal(text_of(first, "uuid"), text_of(last, "uuid"));
	assert_true(json_is_true(json_object_get(json_object_get(last, "statusDetails"), "flaky")));
	assert_true(json_integer_value(json_object_get(first, "start")) <
	            json_integer_value(json_object_get(last, "start")));
	assert_string_equal(text_of(json_object_get(first, "statusDetails"), "message"), "view not found");
	folder_remove(&folder);
	results_release(&results);
}

static void it_tells_devices_apart_and_writes_the_same_again(void **state)
{
	struct results results;
	struct folder folder;
	GR_AUTO_JSON json_t *all = NULL, *again = NULL;
	size_t i;
	const json_t *one;

	(void)state;
	results = (struct results){.run_id = gr_strdup("r1"), .started_wall_ms = 1772360130000};
	(void)sample_case(sample_run(&results, "Pixel 7", "phones/0"), "logs in", STATUS_PASSED, NULL);
	(void)sample_case(sample_run(&results, "Galaxy S21", "phones/1"), "logs in", STATUS_PASSED, NULL);
	folder_make(&folder);
	write_allure(&results, &folder, "allure-results");
	all = read_all(&folder);
	assert_int_equal(json_array_size(all), 2);
	assert_string_not_equal(
	        text_of(json_array_get(all, 0), "historyId"), text_of(json_array_get(all, 1), "historyId"));
	assert_string_equal(
	        text_of(json_array_get(all, 0), "testCaseId"), text_of(json_array_get(all, 1), "testCaseId"));
	json_array_foreach (all, i, one)
		assert_non_null(strstr(
		        text_of(json_array_get(json_object_get(one, "parameters"), 0), "value"), " - Android 14"));
	write_allure(&results, &folder, "allure-results");
	again = read_all(&folder);
	assert_int_equal(json_array_size(again), 2);
	folder_remove(&folder);
	results_release(&results);
}

static void it_brings_the_files_of_the_run_to_what_failed(void **state)
{
	struct results results;
	struct folder folder;
	GR_AUTO_JSON json_t *all = NULL;
	const json_t *attachments;
	GR_AUTO_FREE char *path = NULL, *text = NULL;

	(void)state;
	sample_fill(&results);
	results.artifacts = gr_alloc(2, sizeof(*results.artifacts));
	results.artifacts[0] = (struct artifact){.path = gr_strdup("artifacts/device.log"),
	        .lane = gr_strdup("phones/0"),
	        .step = gr_strdup("regression"),
	        .device = gr_strdup("Pixel 7")};
	results.artifacts[1] = (struct artifact){.path = gr_strdup("artifacts/gone.png"),
	        .lane = gr_strdup("phones/0"),
	        .step = gr_strdup("regression")};
	results.artifact_count = 2;
	folder_make(&folder);
	folder_write(&folder, "artifacts/device.log", "line\n");
	write_allure(&results, &folder, "allure-results");
	all = read_all(&folder);
	attachments = json_object_get(find(all, "never ran", "broken"), "attachments");
	assert_int_equal(json_array_size(attachments), 1);
	assert_string_equal(text_of(json_array_get(attachments, 0), "name"), "device.log");
	assert_string_equal(text_of(json_array_get(attachments, 0), "type"), "text/plain");
	path = gr_printf("allure-results/%s", text_of(json_array_get(attachments, 0), "source"));
	text = folder_read(&folder, path, NULL);
	assert_string_equal(text, "line\n");
	assert_null(json_object_get(find(all, "logs in", "passed"), "attachments"));
	folder_remove(&folder);
	results_release(&results);
}

static void it_gives_each_attempt_the_files_of_its_start(void **state)
{
	struct results results;
	struct folder folder;
	GR_AUTO_JSON json_t *all = NULL;
	const json_t *one;
	size_t i, found = 0;

	(void)state;
	sample_fill(&results);
	results.runs[0].cases[2].rerun = 1; /* passes in the second start */
	sample_file(&results, "artifacts/first.log", 0);
	sample_file(&results, "artifacts/second.log", 1);
	folder_make(&folder);
	folder_write(&folder, "artifacts/first.log", "1\n");
	folder_write(&folder, "artifacts/second.log", "2\n");
	write_allure(&results, &folder, "allure-results");
	all = read_all(&folder);
	json_array_foreach (all, i, one) {
		const json_t *attachments = json_object_get(one, "attachments");

		if (strcmp(text_of(one, "name"), "scrolls") != 0 || !attachments)
			continue;
		found++;
		assert_string_equal(text_of(one, "status"), "failed");
		assert_int_equal(json_array_size(attachments), 1);
		assert_string_equal(text_of(json_array_get(attachments, 0), "name"), "first.log");
	}
	assert_int_equal(found, 1);
	folder_remove(&folder);
	results_release(&results);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_writes_a_result_for_each_attempt_with_the_last_one_latest),
	        cmocka_unit_test(it_tells_devices_apart_and_writes_the_same_again),
	        cmocka_unit_test(it_brings_the_files_of_the_run_to_what_failed),
	        cmocka_unit_test(it_gives_each_attempt_the_files_of_its_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
