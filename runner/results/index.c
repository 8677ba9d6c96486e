#include "runner/results/index.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_facts(const void *a, const void *b)
{
	const struct step_result *first = ((const struct step_facts *)a)->step,
	                         *second = ((const struct step_facts *)b)->step;
	int order = compare_texts(first->lane, second->lane);

	return order ? order : compare_texts(first->step, second->step);
}

struct place {
	const char *lane, *step;
};

static int compare_place(const void *key, const void *item)
{
	const struct place *place = key;
	const struct step_result *step = ((const struct step_facts *)item)->step;
	int order = compare_texts(place->lane, step->lane);

	return order ? order : compare_texts(place->step, step->step);
}

struct step_facts *step_index_find(const struct step_index *index, const char *lane, const char *step)
{
	const struct place place = {lane, step};

	if (index->count == 0)
		return NULL;
	return bsearch(&place, index->facts, index->count, sizeof(*index->facts), compare_place);
}

bool device_run_is_unproven(const struct device_run *run)
{
	return !run->is_complete || (run->failure != GR_NONE && run->failure != GR_FAILED);
}

static void note_run(struct step_index *index, const struct device_run *run)
{
	struct step_facts *facts = step_index_find(index, run->lane, run->step);

	if (!facts)
		return;
	facts->has_run = true;
	facts->has_unproven = facts->has_unproven || device_run_is_unproven(run);
	for (size_t i = 0; i < run->case_count; i++) {
		facts->has_failed_case = facts->has_failed_case || test_case_has_failed(&run->cases[i]);
		facts->has_unproven = facts->has_unproven || run->cases[i].status == STATUS_ERROR;
	}
	for (size_t i = 0; i < run->problem_count; i++)
		facts->has_problem = facts->has_problem || !run->problems[i].is_warning;
}

void step_index_init(struct step_index *index, const struct results *results)
{
	index->count = results->step_count;
	index->facts = gr_alloc(index->count, sizeof(*index->facts));
	for (size_t i = 0; i < index->count; i++)
		index->facts[i].step = &results->steps[i];
	qsort(index->facts, index->count, sizeof(*index->facts), compare_facts);
	for (size_t i = 0; i < results->run_count; i++)
		note_run(index, &results->runs[i]);
	for (size_t i = 0; i < results->problem_count; i++) {
		const struct problem *problem = &results->problems[i];
		struct step_facts *facts =
		        problem->is_warning ? NULL : step_index_find(index, problem->lane, problem->step);

		if (facts)
			facts->has_problem = true;
	}
}

void step_index_release(struct step_index *index)
{
	gr_free(index->facts);
	*index = (struct step_index){0};
}

bool step_index_is_best_effort(const struct step_index *index, const char *lane, const char *step)
{
	const struct step_facts *facts = step_index_find(index, lane, step);

	return facts && facts->step->is_best_effort;
}

bool step_is_trouble(const struct step_result *step)
{
	switch (step->outcome) {
	case OUTCOME_PASSED:
	case OUTCOME_SKIPPED:
		return false;
	case OUTCOME_FAILED:
	case OUTCOME_ERROR:
	case OUTCOME_CANCELLED:
		return !step->is_best_effort;
	case OUTCOME_NOT_RUN: /* of an unknown kind: perhaps it runs tests */
		return !step->is_best_effort && (step->runs_tests || !step->kind);
	}
	return true;
}

bool step_is_lanes(const struct step_result *step)
{
	return text_equal(step->kind, "matrix") &&
	       (step->failure == GR_NONE || step->failure == GR_FAILED || step->failure == GR_UNKNOWN ||
	               step->failure == GR_CANCELLED || step->failure == GR_DEADLINE);
}

enum gr_failure step_failure(const struct step_result *step)
{
	if (step->failure != GR_NONE)
		return step->failure;
	switch (step->outcome) {
	case OUTCOME_FAILED:
		return GR_FAILED;
	case OUTCOME_CANCELLED:
		return GR_CANCELLED;
	case OUTCOME_NOT_RUN:
		return GR_NOT_RUN;
	case OUTCOME_ERROR:
	case OUTCOME_PASSED:
	case OUTCOME_SKIPPED:
		break;
	}
	return GR_UNKNOWN;
}

enum gr_failure device_run_failure(const struct device_run *run)
{
	if (run->failure != GR_NONE && run->failure != GR_FAILED)
		return run->failure;
	return GR_UNKNOWN;
}

enum gr_failure test_case_failure(const struct test_case *test)
{
	return test->failure != GR_NONE ? test->failure : GR_UNKNOWN;
}
