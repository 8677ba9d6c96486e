#include <sys/stat.h>

#include "runner/base/clock.h"
#include "runner/base/text.h"
#include "tests/unit/history/place.h"

static void it_keeps_a_run_with_its_outcomes(void **state)
{
	struct history *history = open_it(*state);
	GR_AUTO_JSON json_t *run = NULL;
	struct gr_error err = {0};

	record(history, 1, "pfes");
	assert_int_equal(history_show(history, "run-0001", &run, &err), 0);
	assert_string_equal(json_string_value(json_object_get(run, "verdict")), "failed");
	assert_int_equal(number(run, "tests"), 4);
	assert_int_equal(number(run, "failed"), 1);
	assert_int_equal(json_array_size(json_object_get(run, "outcomes")), 4);
	history_close(history);
}

static void it_writes_a_run_once_however_often_it_is_told(void **state)
{
	struct history *history = open_it(*state);
	GR_AUTO_JSON json_t *runs = NULL;

	record(history, 1, "pf");
	record(history, 1, "pp");
	runs = list(history);
	assert_int_equal(json_array_size(runs), 1);
	assert_int_equal(number(json_array_get(runs, 0), "tests"), 2);
	assert_int_equal(number(json_array_get(runs, 0), "failed"), 0);
	history_close(history);
}

static void it_tells_what_became_of_earlier_runs_oldest_first(void **state)
{
	struct history *history = open_it(*state);
	const struct history_filter filter = {.pipeline = "nightly", .branch = "main", .most = 2};
	const struct history_filter others = {.pipeline = "nightly", .most = 2};
	struct earlier earlier = {0};
	struct gr_error err = {0};

	record(history, 1, "pp");
	record(history, 2, "pfes");
	record(history, 3, "ppp");
	record(history, 4, "p");
	assert_int_equal(history_earlier(history, &filter, "run-0004", &earlier, &err), 0);
	assert_int_equal(earlier.version, EARLIER_VERSION);
	assert_string_equal(earlier.branch, "main");
	assert_int_equal(earlier.run_count, 2); /* the last two without that one */
	assert_string_equal(earlier.runs[0].run_id, "run-0002");
	assert_int_equal(earlier.runs[0].verdict, VERDICT_FAILED);
	assert_int_equal(earlier.runs[0].started_wall_ms, 3 * DAY_MS);
	assert_int_equal(earlier.runs[0].elapsed_ms, 60000);
	assert_int_equal(earlier.runs[0].tests, 4);
	assert_int_equal(earlier.runs[0].passed, 1);
	assert_int_equal(earlier.runs[0].failed, 1);
	assert_int_equal(earlier.runs[0].errors, 1);
	assert_int_equal(earlier.runs[0].skipped, 1);
	assert_string_equal(earlier.runs[1].run_id, "run-0003");
	earlier_release(&earlier);
	assert_int_equal(history_earlier(history, &others, NULL, &earlier, &err), 0);
	assert_int_equal(earlier.run_count, 0); /* those runs were on a branch */
	assert_int_equal(earlier.version, EARLIER_VERSION);
	earlier_release(&earlier);
	history_close(history);
}

static void it_counts_no_quarantined_failure_as_failed(void **state)
{
	struct history *history = open_it(*state);
	const struct history_filter filter = {.pipeline = "nightly", .branch = "main", .most = 1};
	GR_AUTO_JSON json_t *runs = NULL, *changes = NULL;
	struct earlier earlier = {0};
	struct gr_error err = {0};
	struct results results;

	make_run(&results, 1, "pff");
	results.runs[0].cases[1].quarantine = gr_strdup("ticket 7");
	assert_int_equal(history_record(history, &results, NULL, &err), 0);
	results_release(&results);
	runs = list(history);
	assert_int_equal(number(json_array_get(runs, 0), "tests"), 3);
	assert_int_equal(number(json_array_get(runs, 0), "failed"), 1);
	assert_int_equal(number(json_array_get(runs, 0), "quarantined"), 1);
	assert_int_equal(history_earlier(history, &filter, NULL, &earlier, &err), 0);
	assert_int_equal(earlier.runs[0].failed, 1);
	earlier_release(&earlier);
	record(history, 0, "ppp");
	assert_int_equal(history_compare(history, "run-0000", "run-0001", &changes, &err), 0);
	assert_int_equal(json_array_size(json_object_get(changes, "new_failures")), 1); /* the one that counts */
	history_close(history);
}

static void its_file_is_for_its_owner_alone(void **state)
{
	const struct place *place = *state;
	struct stat about;

	if (place->is_server)
		skip();

	history_close(open_it(place));
	assert_int_equal(stat(place->file, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
}

static void it_refuses_the_file_of_a_newer_version(void **state)
{
	const struct place *place = *state;
	struct history *history = open_it(place);
	struct gr_error err = {0};

	assert_int_equal(history->store.ops->set_version(history->store.state, 99, &err), 0);
	history_close(history);
	assert_int_equal(history_open(place->file, &history, &err), -GR_CONFIG);
	assert_non_null(strstr(err.text, "newer gridlane"));
}

/* A file of version 1, as the first release wrote it. */
static void it_brings_an_older_version_up_to_date(void **state)
{
	const struct place *place = *state;
	struct store store = {.ops = place->is_server ? &postgres_ops : &sqlite_ops};
	struct history *history;
	GR_AUTO_JSON json_t *runs = NULL, *durations = NULL;
	struct gr_error err = {0};
	int64_t version = 0;

	assert_int_equal(store.ops->open(&store.state, place->file, &err), 0);
	assert_int_equal(schema_migrate_to(&store, 1, &err), 0);
	assert_int_equal(store_execute(&store,
	                         STATEMENT("INSERT INTO runs (run_id, pipeline, branch, verdict, green, started_ms, "
	                                   "elapsed_ms) VALUES ('old', 'nightly', 'main', 'passed', 1, 1000, 5000)", ),
	                         NULL, &err),
	        0);
	assert_int_equal(store_execute(&store,
	                         STATEMENT("INSERT INTO device_runs (run, number, step, device, complete, elapsed_ms) "
	                                   "SELECT id, 0, 'tests', 'Pixel 7', 1, 4000 FROM runs", ),
	                         NULL, &err),
	        0);
	store.ops->close(store.state);
	history = open_it(place);
	assert_int_equal(history->store.ops->version(history->store.state, &version, &err), 0);
	assert_true(version > 1);
	record(history, 1, "pf");
	runs = list(history);
	assert_int_equal(json_array_size(runs), 2);
	assert_int_equal(history_durations(history, "nightly", 100, &durations, &err), 0);
	assert_int_equal(json_array_size(json_object_get(json_object_get(durations, "tests"), "Pixel 7")), 1);
	history_close(history);
}

static void it_knows_how_long_runs_and_tests_took(void **state)
{
	struct history *history = open_it(*state);
	GR_AUTO_JSON json_t *durations = NULL, *seconds = NULL, *expected = NULL;
	struct gr_error err = {0};

	for (int64_t night = 1; night <= 3; night++) {
		struct results results;

		make_run(&results, night, "pfe");
		results.runs[0].step = gr_strdup("tests");
		results.runs[0].elapsed_ms = 10000 * night + 500;
		results.runs[0].queued_ms = 500;
		results.runs[0].lag_most_ms = 100;
		results.runs[0].is_complete = night != 2;
		results.runs[0].cases[0].time_ms = 1000 * night;
		if (history_record(history, &results, NULL, &err) < 0)
			fail_msg("%s", err.text);
		results_release(&results);
	}
	assert_int_equal(history_durations(history, "nightly", 100, &durations, &err), 0);
	expected = json_pack("{s:{s:[[i,i],[i,i]]}}", "tests", "Pixel 7", 30000, 100, 10000, 100);
	assert_true(json_equal(durations, expected));
	assert_int_equal(history_seconds(history, "nightly", 2, &seconds, &err), 0);
	assert_int_equal(json_object_size(seconds), 2); /* the third had no outcome */
	assert_int_equal(number(seconds, "test 000"), 2500);
	history_close(history);
}

/* A test that is spread over lanes is on another device each night: that makes its failure no new one. */
static void it_knows_a_failure_again_on_the_device_of_another_lane(void **state)
{
	struct history *history = open_it(*state);
	GR_AUTO_JSON json_t *known = NULL;
	struct gr_error err = {0};
	struct results results;

	make_run(&results, 1, "fp");
	results.runs[0].part = gr_strdup("1/2");
	assert_int_equal(history_record(history, &results, NULL, &err), 0);
	results_release(&results);
	make_run(&results, 2, "fp");
	results.runs[0].part = gr_strdup("2/2");
	gr_free(results.runs[0].device.name);
	results.runs[0].device.name = gr_strdup("Pixel 8");
	assert_int_equal(history_look_back(history, &results, NULL, &known, &err), 0);
	assert_int_equal(number(known, "new_failures"), 0);
	results_release(&results);
	history_close(history);
}

static void it_says_when_the_file_is_no_database(void **state)
{
	const struct place *place = *state;
	struct history *history = NULL;
	struct gr_error err = {0};
	FILE *file;

	if (place->is_server)
		skip();
	history_close(open_it(place));
	file = fopen(place->file, "w");
	assert_non_null(file);
	assert_true(fputs("this is a text and no database at all, and it is long enough to show it. ", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(history_open(place->file, &history, &err), -GR_DISK);
	assert_null(history);
}

static void it_compares_two_runs(void **state)
{
	struct history *history = open_it(*state);
	GR_AUTO_JSON json_t *changes = NULL;
	struct gr_error err = {0};

	record(history, 1, "pffpp");
	record(history, 2, "fpfe");
	assert_int_equal(history_compare(history, "run-0001", "run-0002", &changes, &err), 0);
	assert_int_equal(json_array_size(json_object_get(changes, "new_failures")), 1);
	assert_int_equal(json_array_size(json_object_get(changes, "fixed")), 1);
	assert_int_equal(json_array_size(json_object_get(changes, "still_failing")), 1);
	assert_int_equal(json_array_size(json_object_get(changes, "missing")), 2);
	history_close(history);
}

static void it_knows_no_run_that_is_not_there(void **state)
{
	struct history *history = open_it(*state);
	struct gr_error err = {0};
	json_t *run = NULL;

	record(history, 1, "p");
	record(history, 2, "p");
	assert_int_equal(history_show(history, "nothing", &run, &err), -GR_USAGE);
	assert_int_equal(history_show(history, "run-000", &run, &err), -GR_USAGE);
	assert_null(run);
	history_close(history);
}

static void it_forgets_what_is_old_or_too_much(void **state)
{
	struct history *history = open_it(*state);
	GR_AUTO_JSON json_t *by_age = NULL, *by_count = NULL;
	struct gr_error err = {0};

	for (int64_t night = 1; night <= 10; night++)
		record(history, night, "pp");
	assert_int_equal(history_prune(history, "other", DAY_MS * 100, 1, &err), 0);
	assert_int_equal(history_prune(history, "nightly", DAY_MS * 4, 100, &err), 0);
	by_age = list(history);
	assert_int_equal(json_array_size(by_age), 8);
	assert_int_equal(history_prune(history, "nightly", 0, 3, &err), 0);
	by_count = list(history);
	assert_int_equal(json_array_size(by_count), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(by_count, 0), "run_id")), "run-0010");
	history_close(history);
}

static void it_keeps_what_gates_compare_with(void **state)
{
	struct history *history = open_it(*state);
	GR_AUTO_JSON json_t *by_count = NULL;
	struct gr_error err = {0};

	record(history, 1, "pp");
	for (int64_t night = 2; night <= 6; night++)
		record(history, night, "pf");
	assert_int_equal(history_prune(history, "nightly", 0, 3, &err), 0);
	by_count = list(history);
	assert_int_equal(json_array_size(by_count), 4);
	assert_string_equal(json_string_value(json_object_get(json_array_get(by_count, 3), "run_id")), "run-0001");
	history_close(history);
}

static void it_gives_equal_reasons_one_fingerprint(void **state)
{
	GR_AUTO_FREE char *first = history_fingerprint("timeout after 31 ms at 0x7ffd12");
	GR_AUTO_FREE char *second = history_fingerprint("timeout after 9 ms at 0x7aad99");
	GR_AUTO_FREE char *other = history_fingerprint("element not found");

	(void)state;
	assert_string_equal(first, second);
	assert_string_not_equal(first, other);
	assert_null(history_fingerprint(NULL));
}

static void it_bounds_rates(void **state)
{
	double low, high;

	(void)state;
	statistics_bounds(5, 50, &low, &high); /* textbook values: 0.0435 to 0.2136 */
	assert_true(low > 0.0434 && low < 0.0436);
	assert_true(high > 0.2135 && high < 0.2137);
	statistics_bounds(0, 0, &low, &high);
	assert_true(low <= 0 && high >= 1);
}

static void it_takes_the_last_green_run_as_the_baseline(void **state)
{
	struct history *history = open_it(*state);
	GR_AUTO_JSON json_t *known = NULL, *none = NULL;
	struct gr_error err = {0};
	struct results results;

	record(history, 1, "pp");
	record(history, 2, "ppp");
	record(history, 3, "pff");
	make_run(&results, 4, "pfp");
	assert_int_equal(history_look_back(history, &results, NULL, &known, &err), 0);
	assert_string_equal(
	        json_string_value(json_object_get(json_object_get(known, "baseline"), "run_id")), "run-0002");
	assert_int_equal(number(known, "fixed"), 1);
	assert_int_equal(history_look_back(history, &results, "other", &none, &err), 0);
	assert_int_equal(number(none, "known_tests"), 0);
	assert_true(json_is_null(json_object_get(none, "baseline")));
	results_release(&results);
	history_close(history);
}

/* One outcome stands for 50 tests that were counted; a run in which none was executed is no measure. */
static void a_baseline_is_as_large_as_its_run(void **state)
{
	struct history *history = open_it(*state);
	GR_AUTO_JSON json_t *known = NULL;
	struct gr_error err = {0};
	struct results results;
	const json_t *baseline;

	make_run(&results, 1, "p");
	results.runs[0].counted = (struct counted){.tests = 50, .passed = 49, .skipped = 1};
	assert_int_equal(history_record(history, &results, NULL, &err), 0);
	results_release(&results);
	record(history, 2, "s");
	make_run(&results, 3, "p");
	assert_int_equal(history_look_back(history, &results, NULL, &known, &err), 0);
	baseline = json_object_get(known, "baseline");
	assert_string_equal(json_string_value(json_object_get(baseline, "run_id")), "run-0001");
	assert_int_equal(number(baseline, "tests"), 50);
	assert_int_equal(number(baseline, "passed"), 49);
	results_release(&results);
	history_close(history);
}

/* One that stands still, or holds back its clients, is no reason to wait for ever: nor to wait twice. */
static void it_waits_no_longer_for_a_server_than_it_said(void **state)
{
	const struct place *place = *state;
	struct store store = {.ops = &postgres_ops};
	struct gr_error err = {0};
	int64_t begun_ms = clock_now_ms();

	if (!place->is_server)
		return;
	assert_int_equal(postgres_ops.open(&store.state, place->file, &err), 0);
	assert_int_equal(postgres_ops.wake(store.state, 100, &err), 0);
	assert_int_equal(
	        store_execute(&store, STATEMENT("SET statement_timeout TO 0; SELECT pg_sleep(60)", ), NULL, &err),
	        -GR_DISK);
	assert_string_equal(err.text, "the database: it does not answer");
	assert_int_equal(store_execute(&store, STATEMENT("SELECT $1", NUMBER(1)), NULL, &err), -GR_DISK);
	assert_int_equal(postgres_ops.wake(store.state, 20000, &err), -GR_DISK);
	postgres_ops.close(store.state);
	assert_in_range(clock_now_ms() - begun_ms, 1000, 9000);
}

static void it_names_the_files_that_a_new_connection_needs(void **state)
{
	const struct place *place = *state;
	GR_AUTO_FREE char *url = gr_printf("%s&sslcert=/a/own.pem&sslkey=/b/own.key", place->file);
	char *files[HISTORY_FILES_MOST + 1] = {NULL};
	struct history *history = NULL;
	struct gr_error err = {0};
	unsigned port = 0;
	size_t count = 0;

	if (!place->is_server)
		return;
	assert_int_equal(setenv("HOME", "/home/of/it", 1), 0);
	assert_int_equal(history_open(url, &history, &err), 0);
	history_reach(history, &port, files);
	for (; files[count]; count++)
		assert_true(text_equal(files[count], "/a/own.pem") || text_equal(files[count], "/b/own.key") ||
		            text_equal(files[count], "/home/of/it/.postgresql"));
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++)
		gr_free(files[i]);
	history_close(history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(it_keeps_a_run_with_its_outcomes),
	        CASE(it_writes_a_run_once_however_often_it_is_told),
	        CASE(it_tells_what_became_of_earlier_runs_oldest_first),
	        CASE(it_counts_no_quarantined_failure_as_failed),
	        CASE(its_file_is_for_its_owner_alone),
	        CASE(it_refuses_the_file_of_a_newer_version),
	        CASE(it_knows_a_failure_again_on_the_device_of_another_lane),
	        CASE(it_says_when_the_file_is_no_database),
	        CASE(it_brings_an_older_version_up_to_date),
	        CASE(it_knows_how_long_runs_and_tests_took),
	        CASE(it_compares_two_runs),
	        CASE(it_knows_no_run_that_is_not_there),
	        CASE(it_forgets_what_is_old_or_too_much),
	        CASE(it_keeps_what_gates_compare_with),
	        CASE(it_gives_equal_reasons_one_fingerprint),
	        CASE(it_bounds_rates),
	        CASE(it_takes_the_last_green_run_as_the_baseline),
	        CASE(a_baseline_is_as_large_as_its_run),
	        CASE(it_waits_no_longer_for_a_server_than_it_said),
	        CASE(it_names_the_files_that_a_new_connection_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
