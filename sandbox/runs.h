/* Scriptless runs: started once, then their state follows from the clock. */
#ifndef GRIDLANE_SANDBOX_RUNS_H
#define GRIDLANE_SANDBOX_RUNS_H

#include "sandbox/state.h"

struct run_order { /* what a start asks for; all borrowed */
	const json_t *app, *module, *device, *build;
	const char *testcases, *tags; /* comma-separated, "" for all */
};

/* The run, in the state's list; the pointer holds until the next start. NULL when no test is left by the filters
 * although the module has some. */
struct test_run *run_start(struct state *state, const struct run_order *order);
/* A run of somebody else, started and listed now. */
void run_add_foreign(struct state *state, const json_t *app, const json_t *module);
/* What had run before the sandbox started: `old_builds` of each application. */
void runs_add_old(struct state *state);

struct test_run *run_of_number(const struct state *state, const json_t *app, const char *number);
struct test_run *run_of_test_id(const struct state *state, const json_t *app, const char *build_test_id);
const struct test *run_test_of_name(const struct test_run *run, const char *name);

enum run_phase {
	RUN_PROCESSING = 1,
	RUN_QUEUED = 2,
	RUN_COMPLETED = 3,
	RUN_STOPPED = 4
}; /* is_completed of the reference */
enum run_phase run_phase_at(const struct test_run *run, double now);
enum outcome_kind run_test_at(const struct test_run *run, const struct test *test, double now);
/* test_status of the reference ("2" is pass); raw of an unknown one. */
const char *run_test_status(const struct test_run *run, const struct test *test, double now);

#endif
