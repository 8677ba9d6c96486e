/* 200 simulated nights, seeded: flaky tests and regressions are planted among steady ones. GRIDLANE_SEEDS=N lives N
 * such lives, and says what was found. */
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "tests/unit/history/place.h"

#define NIGHTS 200
#define TESTS 40
#define FLAKY_LEAST 0.01
/* A rate from which 200 nights prove it but for rare luck; below it, finding one is luck. */
#define PROVABLE_PERCENT 8

static const struct flaky {
	size_t test;
	unsigned percent; /* of its outcomes that fail */
} flaky_tests[] = {{3, 50}, {8, 30}, {13, 15}, {17, 8}, {22, 4}};

static const struct regression {
	size_t test;
	int64_t from, to; /* nights on which it fails: from `from`, before `to` */
} regressions[] = {{20, 120, NIGHTS}, {31, 60, 70}, {35, 90, 91}, {36, 150, 152}, {37, 1, 40}};

/* Nights on which the device was lost: nothing has a result. */
static bool is_lost(int64_t night)
{
	return night == 44 || night == 130;
}

static bool chance(uint32_t *seed, unsigned percent)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % 100 < percent;
}

static void make_night(int64_t night, uint32_t *seed, char outcomes[static TESTS + 1])
{
	memset(outcomes, 'p', TESTS);
	outcomes[TESTS] = '\0';
	for (size_t i = 0; i < GR_COUNT(flaky_tests); i++)
		outcomes[flaky_tests[i].test] = chance(seed, flaky_tests[i].percent) ? 'f' : 'p';
	for (size_t i = 0; i < GR_COUNT(regressions); i++)
		if (night >= regressions[i].from && night < regressions[i].to)
			outcomes[regressions[i].test] = 'f';
	if (is_lost(night))
		memset(outcomes, 'e', TESTS);
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

/* On the right night: what failed and had passed when it last had an outcome, and nothing else. */
static void live(struct history *history, uint32_t seed)
{
	char before[TESTS + 1] = {0}, outcomes[TESTS + 1];

	for (int64_t night = 0; night < NIGHTS; night++) {
		json_int_t expected = 0, found;

		make_night(night, &seed, outcomes);
		for (size_t i = 0; i < TESTS; i++)
			expected += outcomes[i] == 'f' && before[i] != 'f';
		found = new_failures(history, night, outcomes);
		assert_int_equal(found, expected);
		for (size_t i = 0; i < GR_COUNT(regressions); i++)
			assert_true(night != regressions[i].from || found >= 1);
		record(history, night, outcomes);
		for (size_t i = 0; i < TESTS; i++)
			before[i] = outcomes[i] == 'e' ? before[i] : outcomes[i];
	}
}

/* Counts the flaky tests that were found; anything else in the list is a mistake. */
static void look(struct history *history, unsigned found[static GR_COUNT(flaky_tests)])
{
	const struct history_filter filter = {.pipeline = "nightly", .most = 100};
	GR_AUTO_JSON json_t *list = NULL;
	struct gr_error err = {0};
	const json_t *one;
	size_t i, known = 0;

	assert_int_equal(history_flaky(history, &filter, FLAKY_LEAST, &list, &err), 0);
	json_array_foreach (list, i, one)
		for (size_t j = 0; j < GR_COUNT(flaky_tests); j++) {
			GR_AUTO_FREE char *name = gr_printf("test %03zu", flaky_tests[j].test);

			if (!text_equal(json_string_value(json_object_get(one, "test")), name))
				continue;
			known++;
			found[j]++;
		}
	assert_int_equal(json_array_size(list), known);
}

static unsigned count_lives(void)
{
	const char *wanted = getenv("GRIDLANE_SEEDS");
	int64_t lives = 1;

	if (wanted)
		assert_true(number_parse_int(wanted, &lives) && lives > 0 && lives <= 1000);
	return (unsigned)lives;
}

static void it_finds_the_planted_flaky_tests_and_regressions(void **state)
{
	unsigned found[GR_COUNT(flaky_tests)] = {0}, lives = count_lives();

	(void)state;
	for (unsigned i = 0; i < lives; i++) {
		void *place = NULL;
		struct history *history;

		assert_int_equal(set_up(&place), 0);
		history = open_it(place);
		live(history, 42 + i);
		look(history, found);
		history_close(history);
		assert_int_equal(tear_down(&place), 0);
	}
	for (size_t i = 0; i < GR_COUNT(flaky_tests); i++) {
		if (flaky_tests[i].percent >= PROVABLE_PERCENT)
			assert_true(found[i] * 100 >= lives * 95);
		if (lives > 1)
			print_message("%2u %% flaky: found in %u of %u lives of %d nights\n", flaky_tests[i].percent,
			        found[i], lives, NIGHTS);
	}
	if (lives > 1)
		print_message("nothing else was called flaky, and new_failures was right on each of %u nights\n",
		        lives * NIGHTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_finds_the_planted_flaky_tests_and_regressions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
