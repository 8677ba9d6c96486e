#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runner/base/memory.h"
#include "runner/history/history.h"
#include "runner/history/private.h"

#define DAY_MS ((int64_t)86400000)
#define WRITERS 20

struct place {
	char folder[64];
	char *file;
};

static int set_up(void **state)
{
	struct place *place = gr_alloc(1, sizeof(*place));

	(void)snprintf(place->folder, sizeof(place->folder), "/tmp/gridlane-history-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->file = gr_printf("%s/below/history.db", place->folder);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	struct place *place = *state;
	GR_AUTO_FREE char *below = gr_printf("%s/below", place->folder);

	for (size_t i = 0; i < GR_COUNT(endings); i++) {
		GR_AUTO_FREE char *file = gr_printf("%s%s", place->file, endings[i]);

		(void)unlink(file);
	}
	(void)rmdir(below);
	(void)rmdir(place->folder);
	gr_free(place->file);
	gr_free(place);
	return 0;
}

static struct history *open_it(const struct place *place)
{
	struct history *history = NULL;
	struct gr_error err = {0};

	if (history_open(place->file, &history, &err) < 0)
		fail_msg("%s", err.text);
	return history;
}

/* A night's run on one device; outcomes: a letter a test, p f e s. */
static void make_run(struct results *results, int64_t night, const char *outcomes)
{
	struct device_run *run;

	*results = (struct results){.run_id = gr_printf("run-%04lld", (long long)night),
	        .pipeline = gr_strdup("nightly"),
	        .started_wall_ms = DAY_MS * (night + 1),
	        .elapsed_ms = 60000,
	        .environment = json_pack("{s:s}", "branch", "main"),
	        .verdict = strpbrk(outcomes, "fe") ? VERDICT_FAILED : VERDICT_PASSED};
	results->runs = gr_alloc(1, sizeof(*results->runs));
	results->run_count = 1;
	run = &results->runs[0];
	run->is_complete = true;
	run->device.name = gr_strdup("Pixel 7");
	for (size_t i = 0; outcomes[i]; i++) {
		struct test_case *test = device_run_add_case(run);

		test->name = gr_printf("test %03zu", i);
		test->time_ms = 1000;
		test->status = outcomes[i] == 'p'   ? STATUS_PASSED
		               : outcomes[i] == 'f' ? STATUS_FAILED
		               : outcomes[i] == 'e' ? STATUS_ERROR
		                                    : STATUS_SKIPPED;
		test->failure = test->status == STATUS_FAILED ? GR_FAILED : GR_NONE;
		test->reason = test->status == STATUS_FAILED ? gr_strdup("expected 3 but was 4") : NULL;
	}
}

static void record(struct history *history, int64_t night, const char *outcomes)
{
	struct gr_error err = {0};
	struct results results;

	make_run(&results, night, outcomes);
	if (history_record(history, &results, NULL, &err) < 0)
		fail_msg("%s", err.text);
	results_release(&results);
}

static json_t *list(struct history *history)
{
	const struct history_filter filter = {.pipeline = "nightly", .branch = "main", .most = 100000};
	struct gr_error err = {0};
	json_t *runs = NULL;

	if (history_list(history, &filter, &runs, &err) < 0)
		fail_msg("%s", err.text);
	return runs;
}

static json_int_t number(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

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

static void its_file_is_for_its_owner_alone(void **state)
{
	const struct place *place = *state;
	struct stat about;

	history_close(open_it(place));
	assert_int_equal(stat(place->file, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
}

static void it_refuses_the_file_of_a_newer_version(void **state)
{
	const struct place *place = *state;
	struct history *history = open_it(place);
	struct gr_error err = {0};

	assert_int_equal(sqlite_ops.set_version(history->store.state, 99, &err), 0);
	history_close(history);
	assert_int_equal(history_open(place->file, &history, &err), -GR_CONFIG);
	assert_non_null(strstr(err.text, "newer gridlane"));
}

static void it_says_when_the_file_is_no_database(void **state)
{
	const struct place *place = *state;
	struct history *history = NULL;
	struct gr_error err = {0};
	FILE *file;

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

/* ---- 200 nights: two flaky tests, two regressions (one is mended), thirty steady tests ---- */

#define NIGHTS 200
#define TESTS 34
enum { OFTEN = 3, SELDOM = 17, BROKEN = 20, MENDED = 31 };
#define BROKEN_ON 120
#define MENDED_FROM 60
#define MENDED_TO 70

static void make_night(int64_t night, uint32_t *seed, char outcomes[static TESTS + 1])
{
	memset(outcomes, 'p', TESTS);
	outcomes[TESTS] = '\0';
	*seed = *seed * 1664525u + 1013904223u;
	outcomes[OFTEN] = (*seed >> 16) % 100 < 30 ? 'f' : 'p';
	*seed = *seed * 1664525u + 1013904223u;
	outcomes[SELDOM] = (*seed >> 16) % 100 < 8 ? 'f' : 'p';
	outcomes[BROKEN] = night >= BROKEN_ON ? 'f' : 'p';
	outcomes[MENDED] = night >= MENDED_FROM && night < MENDED_TO ? 'f' : 'p';
}

static json_int_t new_failures(struct history *history, int64_t night, const char *outcomes)
{
	GR_AUTO_JSON json_t *known = NULL;
	struct gr_error err = {0};
	struct results results;

	make_run(&results, night, outcomes);
	if (history_look_back(history, &results, NULL, &known, &err) < 0)
		fail_msg("%s", err.text);
	results_release(&results);
	return number(known, "new_failures");
}

static void it_finds_the_planted_flaky_tests_and_regressions(void **state)
{
	const struct history_filter filter = {.pipeline = "nightly", .most = 100};
	struct history *history = open_it(*state);
	GR_AUTO_JSON json_t *flaky = NULL;
	struct gr_error err = {0};
	char before[TESTS + 1] = {0}, outcomes[TESTS + 1];
	uint32_t seed = 42;

	for (int64_t night = 0; night < NIGHTS; night++) {
		json_int_t expected = 0;

		make_night(night, &seed, outcomes);
		for (size_t i = 0; i < TESTS; i++)
			expected += outcomes[i] == 'f' && before[i] != 'f';
		assert_int_equal(new_failures(history, night, outcomes), expected);
		if (night == BROKEN_ON || night == MENDED_FROM)
			assert_true(expected >= 1);
		record(history, night, outcomes);
		memcpy(before, outcomes, sizeof(before));
	}
	assert_int_equal(history_flaky(history, &filter, 0.01, &flaky, &err), 0);
	assert_int_equal(json_array_size(flaky), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(flaky, 0), "test")), "test 003");
	assert_string_equal(json_string_value(json_object_get(json_array_get(flaky, 1), "test")), "test 017");
	history_close(history);
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

/* ---- many at once ---- */

static void write_as_child(const struct place *place, int64_t first, int64_t count)
{
	struct history *history = NULL;
	struct gr_error err = {0};

	if (history_open(place->file, &history, &err) < 0)
		_exit(1);
	for (int64_t i = first; i < first + count; i++) {
		struct results results;

		make_run(&results, i, "pfpp");
		if (history_record(history, &results, NULL, &err) < 0)
			_exit(2);
		results_release(&results);
	}
	history_close(history);
	_exit(0);
}

static void it_loses_nothing_when_twenty_write_at_once(void **state)
{
	struct place *place = *state;
	struct history *history;
	GR_AUTO_JSON json_t *runs = NULL;
	pid_t children[WRITERS];

	for (int64_t i = 0; i < WRITERS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			write_as_child(place, i * 3, 3);
	}
	for (size_t i = 0; i < WRITERS; i++) {
		int status = -1;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	history = open_it(place);
	runs = list(history);
	assert_int_equal(json_array_size(runs), (size_t)WRITERS * 3);
	for (size_t i = 0; i < json_array_size(runs); i++)
		assert_int_equal(number(json_array_get(runs, i), "tests"), 4);
	history_close(history);
}

static void it_stays_readable_whenever_a_writer_is_killed(void **state)
{
	struct place *place = *state;

	history_close(open_it(place));
	for (unsigned round = 0; round < 12; round++) {
		GR_AUTO_JSON json_t *runs = NULL;
		struct history *history;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			write_as_child(place, (int64_t)round * 100000, 100000);
		(void)usleep(1000 + round * 3000); /* not a wait: where the kill falls */
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		history = open_it(place);
		runs = list(history);
		for (size_t i = 0; i < json_array_size(runs); i++)
			assert_int_equal(number(json_array_get(runs, i), "tests"), 4);
		history_close(history);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(it_keeps_a_run_with_its_outcomes),
	        CASE(it_writes_a_run_once_however_often_it_is_told),
	        CASE(its_file_is_for_its_owner_alone),
	        CASE(it_refuses_the_file_of_a_newer_version),
	        CASE(it_says_when_the_file_is_no_database),
	        CASE(it_compares_two_runs),
	        CASE(it_knows_no_run_that_is_not_there),
	        CASE(it_forgets_what_is_old_or_too_much),
	        CASE(it_gives_equal_reasons_one_fingerprint),
	        CASE(it_bounds_rates),
	        CASE(it_finds_the_planted_flaky_tests_and_regressions),
	        CASE(it_takes_the_last_green_run_as_the_baseline),
	        CASE(it_loses_nothing_when_twenty_write_at_once),
	        CASE(it_stays_readable_whenever_a_writer_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
