/* Inside results: steps found by lane and id, with what the device runs and problems say about each. */
#ifndef GRIDLANE_RESULTS_INDEX_H
#define GRIDLANE_RESULTS_INDEX_H

#include "runner/results/model.h"

struct step_facts {
	const struct step_result *step;
	bool has_run; /* at least one device run */
	bool has_failed_case;
	bool has_unproven; /* an error case, or a device run that is not complete */
	bool has_problem; /* not counting warnings */
};

struct step_index {
	struct step_facts *facts; /* sorted by lane and step */
	size_t count;
};

void step_index_init(struct step_index *index, const struct results *results);
void step_index_release(struct step_index *index);
/* NULL when there is no such step. */
struct step_facts *step_index_find(const struct step_index *index, const char *lane, const char *step);

/* Does what happens in this step count for nothing (best_effort: true)? */
bool step_index_is_best_effort(const struct step_index *index, const char *lane, const char *step);
/* Did the step end in a way that keeps a run from being green by itself? Steps that were never reached count when they
 * (perhaps) run tests, and when nothing else explains it. */
bool step_is_trouble(const struct step_result *step);
/* Is it a matrix whose trouble is that of its lanes? */
bool step_is_lanes(const struct step_result *step);
/* A device run that says by itself that it is not proven. */
bool device_run_is_unproven(const struct device_run *run);
/* The failure of a step that is trouble, of a device run that is unproven, of an error case: never GR_NONE. */
enum gr_failure step_failure(const struct step_result *step);
enum gr_failure device_run_failure(const struct device_run *run);
enum gr_failure test_case_failure(const struct test_case *test);

/* derive.c: add the problems that only the whole shows. */
void results_derive_problems(struct results *results);
/* judge.c */
const char *signal_name(int number);

#endif
