#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pipelines/split.h"
#include "runner/base/memory.h"

static json_int_t part_ms(const json_t *spread, size_t lane)
{
	return json_integer_value(json_array_get(json_object_get(spread, "ms"), lane));
}

static const json_t *part(const json_t *spread, size_t lane)
{
	return json_array_get(json_object_get(spread, "parts"), lane);
}

static json_int_t number(const json_t *spread, const char *key)
{
	return json_integer_value(json_object_get(spread, key));
}

static void it_puts_the_longest_first(void **state)
{
	GR_AUTO_JSON json_t *tests = json_pack("{s:s, s:s, s:s, s:s}", "a", "1", "b", "2", "c", "3", "d", "4");
	GR_AUTO_JSON json_t *seconds = json_pack("{s:i, s:i, s:i, s:i}", "a", 1000, "b", 6000, "c", 3000, "d", 2000);
	GR_AUTO_JSON json_t *spread = split_spread(tests, seconds, 2);

	(void)state;
	assert_int_equal(json_object_size(part(spread, 0)), 1);
	assert_string_equal(json_string_value(json_object_get(part(spread, 0), "b")), "2");
	assert_int_equal(part_ms(spread, 0), 6000);
	assert_int_equal(part_ms(spread, 1), 6000);
	assert_int_equal(number(spread, "whole_ms"), 12000);
	assert_int_equal(number(spread, "unknown"), 0);
}

static void it_takes_the_mean_for_what_it_does_not_know(void **state)
{
	GR_AUTO_JSON json_t *tests = json_pack("{s:s, s:s, s:s}", "a", "1", "b", "2", "new", "3");
	GR_AUTO_JSON json_t *seconds = json_pack("{s:i, s:i}", "a", 1000, "b", 3000);
	GR_AUTO_JSON json_t *spread = split_spread(tests, seconds, 2);

	(void)state;
	assert_int_equal(number(spread, "unknown"), 1);
	assert_int_equal(number(spread, "assumed_ms"), 2000);
	assert_int_equal(part_ms(spread, 0), 3000);
	assert_int_equal(part_ms(spread, 1), 3000);
}

static void it_gives_equal_numbers_when_nothing_is_known(void **state)
{
	GR_AUTO_JSON json_t *tests = json_pack("[s, s, s, s, s]", "1", "2", "3", "4", "5");
	GR_AUTO_JSON json_t *spread = split_spread(tests, NULL, 2);

	(void)state;
	assert_int_equal(json_array_size(part(spread, 0)), 3);
	assert_int_equal(json_array_size(part(spread, 1)), 2);
	assert_int_equal(number(spread, "unknown"), 5);
	assert_int_equal(number(spread, "whole_ms"), 0);
}

/* Skewed as suites are: most tests take seconds, a few take minutes. */
static json_t *make_suite(size_t count, uint32_t seed, json_t **ret_seconds)
{
	json_t *tests = json_object();

	*ret_seconds = json_object();
	for (size_t i = 0; i < count; i++) {
		char name[32], id[32];
		double chance;

		seed = seed * 1664525u + 1013904223u;
		chance = ((double)(seed >> 8) + 1) / (double)(1u << 24);
		(void)snprintf(name, sizeof(name), "test %zu", i);
		(void)snprintf(id, sizeof(id), "%zu", 1000 + i);
		(void)json_object_set_new(tests, name, json_string(id));
		(void)json_object_set_new(
		        *ret_seconds, name, json_integer((json_int_t)(1000 * fmin(600, 2 * pow(chance, -0.8)))));
	}
	return tests;
}

static void assert_once(const json_t *spread, const json_t *tests, size_t lanes)
{
	GR_AUTO_JSON json_t *seen = json_object();
	size_t all = 0;

	for (size_t i = 0; i < lanes; i++) {
		all += json_object_size(part(spread, i));
		(void)json_object_update(seen, (json_t *)(uintptr_t)part(spread, i));
	}
	assert_int_equal(all, json_object_size(tests));
	assert_true(json_equal(seen, tests));
}

static void it_ends_lanes_within_5_percent_of_the_bound(void **state)
{
	enum { LANES = 8, TESTS = 500 };
	double worst = 1;

	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++) {
		GR_AUTO_JSON json_t *seconds = NULL, *tests = make_suite(TESTS, seed, &seconds);
		GR_AUTO_JSON json_t *spread = split_spread(tests, seconds, LANES);
		double bound = fmax((double)number(spread, "longest_ms"), (double)number(spread, "whole_ms") / LANES);
		json_int_t last = 0;

		for (size_t i = 0; i < LANES; i++)
			last = part_ms(spread, i) > last ? part_ms(spread, i) : last;
		assert_once(spread, tests, LANES);
		assert_true((double)last <= bound * 1.05);
		worst = fmax(worst, (double)last / bound);
	}
	print_message("500 tests over 8 lanes, 20 suites: the last lane ends at most %.2f %% over the bound\n",
	        100 * (worst - 1));
}

static void it_spreads_the_same_way_again(void **state)
{
	GR_AUTO_JSON json_t *seconds = NULL, *tests = make_suite(100, 3, &seconds);
	GR_AUTO_JSON json_t *first = split_spread(tests, seconds, 7), *second = split_spread(tests, seconds, 7);

	(void)state;
	assert_true(json_equal(first, second));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_puts_the_longest_first),
	        cmocka_unit_test(it_takes_the_mean_for_what_it_does_not_know),
	        cmocka_unit_test(it_gives_equal_numbers_when_nothing_is_known),
	        cmocka_unit_test(it_ends_lanes_within_5_percent_of_the_bound),
	        cmocka_unit_test(it_spreads_the_same_way_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
