/* 200 simulated nights */
#include "tests/unit/history/place.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(it_finds_the_planted_flaky_tests_and_regressions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
