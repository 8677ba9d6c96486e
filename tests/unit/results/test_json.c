#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "runner/base/memory.h"
#include "runner/results/model.h"
#include "runner/results/record.h"

/* Fill every member that a table names, each with a value of its own, so that a mixed-up field shows. */
static void fill(const struct record *record, char *item, int *number);

static void fill_list(const struct record_field *field, char *item, int *number)
{
	char *items = gr_alloc(2, field->record->bytes);
	size_t count = 2;

	fill(field->record, items, number);
	fill(field->record, items + field->record->bytes, number);
	memcpy(item + field->offset, &items, sizeof(items));
	memcpy(item + field->count_offset, &count, sizeof(count));
}

static void fill_field(const struct record_field *field, char *item, int *number)
{
	int value = ++*number;
	int64_t large = value;
	bool flag = true;
	char *text = NULL;
	json_t *json = NULL;

	switch (field->type) {
	case RECORD_TEXT:
		text = gr_printf("%s %d \"\\\n\t\xc3\xa4", field->key, value);
		memcpy(item + field->offset, &text, sizeof(text));
		break;
	case RECORD_INT64:
	case RECORD_KNOWN:
		memcpy(item + field->offset, &large, sizeof(large));
		break;
	case RECORD_UNSIGNED:
	case RECORD_INT:
		memcpy(item + field->offset, &value, sizeof(value));
		break;
	case RECORD_BOOL:
		memcpy(item + field->offset, &flag, sizeof(flag));
		break;
	case RECORD_WORD:
		value %= field->words->count;
		memcpy(item + field->offset, &value, sizeof(value));
		break;
	case RECORD_JSON:
		json = json_pack("{s:i, s:[b, n]}", field->key, value, "list", 1);
		memcpy(item + field->offset, &json, sizeof(json));
		break;
	case RECORD_OBJECT:
		fill(field->record, item + field->offset, number);
		break;
	case RECORD_LIST:
		fill_list(field, item, number);
		break;
	}
}

static void fill(const struct record *record, char *item, int *number)
{
	for (const struct record_field *field = record->fields; field->key; field++)
		fill_field(field, item, number);
}

static void it_reads_back_everything_that_it_wrote(void **state)
{
	struct results results = {0}, again;
	struct gr_error err = {0};
	json_t *first, *second, *parsed;
	char *text;
	int number = 0;

	(void)state;
	fill(&results_record, (char *)&results, &number);
	first = results_to_json(&results);
	text = json_dumps(first, 0);
	parsed = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(results_from_json(parsed, &again, &err), 0);
	second = results_to_json(&again);
	assert_true(json_equal(first, second));
	assert_true(number > 200); /* every field of every list was there */
	assert_string_equal(again.runs[1].cases[1].attempts[1].reason, results.runs[1].cases[1].attempts[1].reason);
	assert_int_equal(again.runs[1].reported[5], results.runs[1].reported[5]);
	json_decref(first);
	json_decref(second);
	json_decref(parsed);
	gr_free(text);
	results_release(&results);
	results_release(&again);
}

static void it_copies_a_device_run_all_the_way_down(void **state)
{
	struct device_run run = {0}, copy;
	json_t *first, *second;
	int number = 0;

	(void)state;
	fill(&device_run_record, (char *)&run, &number);
	first = device_run_to_json(&run);
	device_run_copy(&run, &copy);
	device_run_release(&run);
	second = device_run_to_json(&copy);
	assert_true(json_equal(first, second));
	(void)device_run_add_case(&copy); /* a copied list grows as any other */
	assert_int_equal(copy.case_count, 3);
	json_decref(first);
	json_decref(second);
	device_run_release(&copy);
}

static void it_keeps_unknown_times_and_counts_unknown(void **state)
{
	struct device_run run = {.elapsed_ms = TIME_UNKNOWN, .queued_ms = TIME_UNKNOWN}, again;
	json_t *json, *nothing = json_object();

	(void)state;
	for (size_t i = 0; i < GR_COUNT(run.reported); i++)
		run.reported[i] = -1;
	json = device_run_to_json(&run);
	assert_true(json_is_null(json_object_get(json, "elapsed_ms")));
	assert_int_equal(device_run_from_json(json, &again, NULL), 0);
	assert_int_equal(again.queued_ms, TIME_UNKNOWN);
	assert_int_equal(again.reported[3], -1);
	assert_null(again.build_number);
	device_run_release(&again);
	assert_int_equal(device_run_from_json(nothing, &again, NULL), 0);
	assert_int_equal(again.reported[0], -1);
	device_run_release(&again);
	json_decref(json);
	json_decref(nothing);
}

static void refuse(const char *text, const char *words)
{
	struct results results = {.exit_status = 77};
	struct gr_error err = {0};
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	assert_int_equal(results_from_json(json, &results, &err), -GR_CONFIG);
	if (!strstr(err.text, words))
		fail_msg("'%s' gives '%s'", text, err.text);
	assert_int_equal(results.exit_status, 77); /* a failure leaves the result alone */
	json_decref(json);
}

static void it_refuses_what_is_not_of_its_version_or_form(void **state)
{
	(void)state;
	refuse("[]", "no version");
	refuse("{}", "no version");
	refuse("{\"version\": \"1\"}", "no version");
	refuse("{\"version\": 2}", "version 2");
	refuse("{\"version\": 1, \"run_id\": 5}", "'run_id' is not text");
	refuse("{\"version\": 1, \"elapsed_ms\": \"5\"}", "'elapsed_ms' is not an integer");
	refuse("{\"version\": 1, \"requests\": -1}", "'requests'");
	refuse("{\"version\": 1, \"requests\": 4294967296}", "'requests'");
	refuse("{\"version\": 1, \"exit_status\": 4294967296}", "'exit_status'");
	refuse("{\"version\": 1, \"verdict\": \"green\"}", "'verdict'");
	refuse("{\"version\": 1, \"sandbox\": 1}", "'sandbox'");
	refuse("{\"version\": 1, \"runs\": {}}", "'runs'");
	refuse("{\"version\": 1, \"runs\": [1]}", "runs");
	refuse("{\"version\": 1, \"environment\": []}", "'environment'");
	refuse("{\"version\": 1, \"run_id\": \"x\", \"runs\": [{\"cases\": [{\"name\": \"a\"}, {\"status\": "
	       "\"odd\"}]}]}",
	        "'status'");
}

static void it_makes_texts_that_are_not_utf8_legible(void **state)
{
	struct results results = {.pipeline = gr_strdup("a\xff\x1b[31mb")};
	json_t *json = results_to_json(&results);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(json, "pipeline")), "a\xEF\xBF\xBD"
	                                                                          "b");
	json_decref(json);
	results_release(&results);
}

static void it_takes_a_hundred_thousand_cases_in_a_moment(void **state)
{
	struct results results = {0}, again;
	json_t *json;
	clock_t start = clock();

	(void)state;
	results.runs = gr_grow(NULL, 0, sizeof(*results.runs));
	results.runs[results.run_count++] = (struct device_run){0};
	for (int i = 0; i < 100000; i++)
		device_run_add_case(&results.runs[0])->name = gr_printf("test number %d", i);
	json = results_to_json(&results);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "totals"), "tests")), 100000);
	assert_int_equal(results_from_json(json, &again, NULL), 0);
	assert_int_equal(again.runs[0].case_count, 100000);
	assert_string_equal(again.runs[0].cases[99999].name, "test number 99999");
	assert_true(
	        (double)(clock() - start) / CLOCKS_PER_SEC < 60); /* squared, it would be hours; slow under valgrind */
	json_decref(json);
	results_release(&results);
	results_release(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reads_back_everything_that_it_wrote),
	        cmocka_unit_test(it_copies_a_device_run_all_the_way_down),
	        cmocka_unit_test(it_keeps_unknown_times_and_counts_unknown),
	        cmocka_unit_test(it_refuses_what_is_not_of_its_version_or_form),
	        cmocka_unit_test(it_makes_texts_that_are_not_utf8_legible),
	        cmocka_unit_test(it_takes_a_hundred_thousand_cases_in_a_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
