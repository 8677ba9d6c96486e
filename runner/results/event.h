/* What happens in a run, as it happens. The engine says each fact once, as an event; the journal, the results, the
 * console and --events are readers. Texts are borrowed for the time of the call. */
#ifndef GRIDLANE_RESULTS_EVENT_H
#define GRIDLANE_RESULTS_EVENT_H

#include <jansson.h>
#include <stdint.h>

#include "runner/results/model.h"

enum run_event_kind {
	RUN_STARTED, /* text: pipeline name; detail: {run_id, server, file, sandbox, steps, test_steps, environment};
	              * test_steps: true when the plan has a step that runs tests */
	LANE_STARTED, /* lane; detail: matrix values or NULL */
	LANE_ENDED, /* lane, outcome */
	STEP_STARTED, /* lane, step, text: kind; detail: {name, runs_tests, best_effort, may_continue} or NULL */
	STEP_PROGRESS, /* lane, step, text: for people ("12/40 tests, 1 failed"); done/total when known (-1 otherwise)
	                */
	STEP_MOVED, /* lane, step, text: the file; detail: {direction: "upload" or "download"}; done/total: bytes, total
	             * -1 when not known. About twice a second while a file is under way: for displays, no fact to keep
	             */
	STEP_LEARNED, /* lane, step, detail: facts to keep */
	STEP_INTENT, /* lane, step, text: operation id; detail: arguments with handles in the place of secrets */
	STEP_ANSWER, /* lane, step, text: operation id; detail: {verdict, status, ...} */
	STEP_OUTPUT, /* lane, step, text: a line that a local command wrote */
	STEP_REPEAT, /* lane, step, text: why and when something is sent again */
	STEP_ENDED, /* lane, step, outcome, failure, text: why; detail: outputs; done: elapsed_ms; total: requests.
	             * Comes without STEP_STARTED, too, for a step that was skipped by its own if: or when:
	             * (OUTCOME_SKIPPED) or never reached (OUTCOME_NOT_RUN); such a step's facts are set with
	             * results_add_step() */
	RUN_RESOURCE_HELD, /* text: what; detail: {key, operation, arguments} */
	RUN_RESOURCE_RELEASED, /* text: what; detail: {key, message}; outcome: OUTCOME_PASSED is a proven release */
	RUN_DEVICE_RESULT, /* lane, step, device_run */
	RUN_PROBLEM, /* lane, step, failure, text; detail: {device} or NULL; done: 1 for a warning */
	RUN_ARTIFACT, /* artifact */
	RUN_GATE_RULE, /* rule */
	RUN_CANCELLED, /* done: signal number */
	RUN_NOTE, /* text: for people (where reports are, what keeps running) */
	RUN_JUDGED /* results are final; results points to them */
};
const char *run_event_name(enum run_event_kind kind); /* "step_started" */

struct run_event {
	enum run_event_kind kind;
	int64_t now_ms, wall_ms;
	const char *lane, *step, *text;
	enum outcome outcome;
	enum gr_failure failure;
	int64_t done, total;
	bool is_repeatable; /* STEP_ENDED: nothing but reading was done, and doing it again would change nothing;
	                     * STEP_LEARNED: what a poll showed, and the next one shows again */
	json_t *detail;
	const struct device_run *device_run;
	const struct artifact *artifact;
	const struct gate_rule *rule;
	const struct results *results;
};

/* Events become results: apply each in its order. A device result replaces an earlier one of the same lane, step,
 * device and build; requests are summed from STEP_ENDED, repeats counted from STEP_REPEAT, polls and lag taken from the
 * device runs. A step that started and did not end is OUTCOME_NOT_RUN. Fails with GR_INTERNAL only (an event without
 * what its kind needs). */
int results_apply(struct results *results, const struct run_event *event, struct gr_error *err);

/* A reader of events. `event` may fail (a full disk); `close` comes also after a failed open or event. */
struct event_reader {
	int (*event)(void *state, const struct run_event *event, struct gr_error *err);
	int (*settle)(void *state, struct gr_error *err); /* before anything leaves: have what must last on the disk;
	                                                   * NULL: nothing to do */
	int (*close)(void *state, struct gr_error *err);
	void *state;
};

/* As one JSON object (for --events and the journal), a new reference; device runs only by their numbers and counts. */
json_t *run_event_to_json(const struct run_event *event);

#endif
