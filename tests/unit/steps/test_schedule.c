#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/base/memory.h"
#include "runner/steps/schedule.h"

#define RUNS 20

/* Ends from 590 to 609 s. */
static void make_runs(struct schedule_run runs[static RUNS])
{
	for (size_t i = 0; i < RUNS; i++)
		runs[i] = (struct schedule_run){600000 + ((int64_t)(i * 7 % RUNS) - RUNS / 2) * 1000, 500};
}

static void it_says_nothing_after_a_few_runs(void **state)
{
	struct schedule_run runs[RUNS];
	const struct schedule_wish wish = {2000, 150000, 20};
	size_t count = 99;

	(void)state;
	make_runs(runs);
	assert_null(schedule_plan(runs, SCHEDULE_RUNS_LEAST - 1, &wish, &count));
	assert_int_equal(count, 0);
}

static void it_keeps_looks_apart_and_not_too_far(void **state)
{
	struct schedule_run runs[RUNS];
	const struct schedule_wish wish = {2000, 150000, 20};
	int64_t *looks, before = 0;
	size_t count;

	(void)state;
	make_runs(runs);
	looks = schedule_plan(runs, RUNS, &wish, &count);
	assert_non_null(looks);
	for (size_t i = 0; i < count; i++) {
		if (i + 1 < count) /* the last one is at the end of what is known */
			assert_true(looks[i] - before >= wish.least_gap_ms);
		assert_true(looks[i] - before <= wish.most_gap_ms);
		before = looks[i];
	}
	gr_free(looks);
}

static void it_looks_where_runs_end(void **state)
{
	struct schedule_run runs[RUNS];
	const struct schedule_wish wish = {2000, 150000, 15};
	size_t count, likely = 0;
	int64_t *looks;

	(void)state;
	make_runs(runs);
	looks = schedule_plan(runs, RUNS, &wish, &count);
	for (size_t i = 0; i < count; i++)
		likely += looks[i] > 580000;
	assert_in_range(count, 5, 30);
	assert_true(likely * 2 > count);
	assert_true(looks[count - 1] >= 609000);
	gr_free(looks);
}

static void it_plans_more_looks_for_a_greater_wish(void **state)
{
	struct schedule_run runs[RUNS];
	const struct schedule_wish few = {100, 150000, 8}, many = {100, 150000, 60};
	size_t less, more;

	(void)state;
	make_runs(runs);
	gr_free(schedule_plan(runs, RUNS, &few, &less));
	gr_free(schedule_plan(runs, RUNS, &many, &more));
	assert_true(more > less);
}

static void it_plans_for_runs_that_all_took_the_same_time(void **state)
{
	struct schedule_run runs[RUNS];
	const struct schedule_wish wish = {2000, 150000, 10};
	int64_t *looks;
	size_t count;

	(void)state;
	for (size_t i = 0; i < RUNS; i++)
		runs[i] = (struct schedule_run){60000, 60000 /* the first look saw it */};
	looks = schedule_plan(runs, RUNS, &wish, &count);
	assert_true(count > 0 && looks[count - 1] >= 60000);
	gr_free(looks);
}

static void it_counts_the_looks_of_the_usual_pace(void **state)
{
	const struct schedule_run runs[] = {{10000, 0}, {10000, 0}};

	(void)state;
	/* at 2, 4.5, 7.6 and 11.5 s */
	assert_true(fabs(schedule_looks_of_pace(runs, 2, 2000, 30000) - 4) < 0.001);
	assert_true(fabs(schedule_looks_of_pace(runs, 2, 5000, 5000) - 2) < 0.001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_says_nothing_after_a_few_runs),
	        cmocka_unit_test(it_keeps_looks_apart_and_not_too_far),
	        cmocka_unit_test(it_looks_where_runs_end),
	        cmocka_unit_test(it_plans_more_looks_for_a_greater_wish),
	        cmocka_unit_test(it_plans_for_runs_that_all_took_the_same_time),
	        cmocka_unit_test(it_counts_the_looks_of_the_usual_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
