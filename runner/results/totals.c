#include "runner/results/index.h"

static void count_case(struct totals *totals, const struct test_case *test)
{
	totals->tests++;
	switch (test->status) {
	case STATUS_PASSED:
		totals->passed++;
		totals->flaky += test_case_is_flaky(test);
		break;
	case STATUS_FAILED:
		if (test_case_is_quarantined(test))
			totals->quarantined++;
		else
			totals->failed++;
		break;
	case STATUS_SKIPPED:
		totals->skipped++;
		break;
	case STATUS_ERROR:
		totals->errors++;
		break;
	}
}

/* Far more than any run has; the sums of numbers that come from outside stay sums. */
#define COUNTED_MOST 1000000000

static bool is_counted(const struct counted *counted)
{
	return counted->tests > 0 && counted->tests <= COUNTED_MOST && counted->passed >= 0 && counted->failed >= 0 &&
	       counted->skipped >= 0 && counted->passed <= counted->tests &&
	       counted->failed <= counted->tests - counted->passed &&
	       counted->skipped <= counted->tests - counted->passed - counted->failed;
}

/* The case that stands for tests which were only counted. */
static void count_counted(struct totals *totals, const struct device_run *run, const struct test_case *test)
{
	const struct counted *counted = &run->counted;

	totals->tests += counted->tests;
	totals->passed += counted->passed;
	totals->flaky += test_case_is_flaky(test);
	if (test_case_is_quarantined(test))
		totals->quarantined += counted->failed;
	else
		totals->failed += counted->failed;
	totals->skipped += counted->skipped;
	totals->errors += counted->tests - counted->passed - counted->failed - counted->skipped;
}

static int64_t count_problems(const struct problem *problems, size_t count)
{
	int64_t counted = 0;

	for (size_t i = 0; i < count; i++)
		counted += !problems[i].is_warning;
	return counted;
}

static void count_run(struct totals *totals, const struct device_run *run)
{
	totals->device_runs++;
	totals->device_runs_complete += run->is_complete;
	totals->problems += count_problems(run->problems, run->problem_count);
	for (size_t i = 0; i < run->case_count; i++)
		if (i == 0 && is_counted(&run->counted))
			count_counted(totals, run, &run->cases[0]);
		else
			count_case(totals, &run->cases[i]);
	totals->executed = totals->passed + totals->failed;
}

struct totals results_totals(const struct results *results)
{
	struct totals totals = {.problems = count_problems(results->problems, results->problem_count)};

	for (size_t i = 0; i < results->run_count; i++)
		count_run(&totals, &results->runs[i]);
	return totals;
}

struct totals device_run_totals(const struct device_run *run)
{
	struct totals totals = {0};

	count_run(&totals, run);
	return totals;
}

int64_t results_runs_lacking(const struct results *results)
{
	struct step_index index;
	int64_t lacking = 0;

	step_index_init(&index, results);
	for (size_t i = 0; i < index.count; i++) {
		const struct step_facts *facts = &index.facts[i];

		lacking += facts->step->runs_tests && !facts->has_run && facts->step->outcome != OUTCOME_SKIPPED;
	}
	step_index_release(&index);
	return lacking;
}
