/* The model that every report is made from: run, lanes, steps, device runs, test cases, attempts, problems, artifacts.
 * results.json is this model, versioned (RESULTS_VERSION); reporters are functions of it. Texts are owned by their
 * structs (gr_free), NULL when unknown. Texts from the server are kept as received (within limits): reporters clean
 * them for their format. */
#ifndef GRIDLANE_RESULTS_MODEL_H
#define GRIDLANE_RESULTS_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/base/error.h"

#define RESULTS_VERSION 1
#define TIME_UNKNOWN (-1)

enum verdict {
	VERDICT_PASSED,
	VERDICT_FAILED,
	VERDICT_USAGE,
	VERDICT_INFRASTRUCTURE,
	VERDICT_TIMEOUT,
	VERDICT_CANCELLED
};
const char *verdict_name(
        enum verdict verdict); /* "passed", "failed", "usage", "infrastructure", "timeout", "cancelled" */

/* A case is passed, failed or skipped when the server said so; everything else is an error with its failure
 * (GR_STOPPED, GR_NOT_RUN, GR_UNKNOWN, GR_INCONSISTENT): never left out, never skipped. */
enum case_status { STATUS_PASSED, STATUS_FAILED, STATUS_SKIPPED, STATUS_ERROR };
const char *case_status_name(enum case_status status); /* "passed", "failed", "skipped", "error" */

struct attempt { /* one earlier try of a case; the last try that came to a result is the case itself */
	enum case_status status;
	enum gr_failure failure;
	char *reason;
	int64_t time_ms; /* TIME_UNKNOWN */
	unsigned rerun; /* as that of a case */
};

struct test_case {
	char *name; /* as the server names it */
	char *class_name; /* suite or class, or NULL */
	enum case_status status;
	enum gr_failure failure; /* of an error; GR_FAILED of a failure; GR_NONE otherwise */
	char *reason; /* failure text, may hold line breaks */
	char *raw_status; /* what the server sent */
	char *data; /* parameterised test data */
	int64_t time_ms; /* TIME_UNKNOWN */
	unsigned rerun; /* the further start that brought this outcome, from 1; 0: the first start */
	struct attempt *attempts;
	size_t attempt_count;
	/* of a failure that is known and does not count: why, who looks after it, and until when. All three or none. */
	char *quarantine, *quarantine_owner, *quarantine_until;
};

/* Something that kept the run from being plainly green, beside failed cases: each has its own entry in every report. */
struct problem {
	enum gr_failure failure;
	bool is_warning; /* shown, does not change the verdict */
	bool is_derived; /* added by results_judge(), which takes it back before it judges again */
	char *message; /* one line: what, where, why, what to do */
	char *lane, *step, *device; /* NULL: not of one */
};

struct device_info {
	char *device_id, *name, *os, *platform, *udid;
};

/* A further start for the sake of tests that had failed, or had not run. */
struct rerun {
	char *build_number, *build_id, *native_id, *url;
	bool is_adopted, is_complete; /* as of the run itself */
	bool is_whole; /* the same selection was started again; the outcomes of the repeated tests alone were taken */
	enum gr_failure failure; /* of this start alone */
	int64_t tests; /* that it was to repeat */
	int64_t started_wall_ms, ended_wall_ms, elapsed_ms;
};

/* Tests that a server counted and nobody named: the first case of the run stands for all of them. */
struct counted {
	int64_t tests, passed, failed, skipped; /* tests: 0 when each case is a test */
};

enum run_kind { RUN_SCRIPTLESS, RUN_NATIVE };
struct device_run { /* one test run on one device */
	char *lane, *step;
	enum run_kind kind;
	struct device_info device; /* the device really used */
	char *build_number; /* verified number that was polled, or NULL */
	char *number_source; /* "build_version" or "build_id": which of the start's numbers it was; "build_url" that
	                        has its build_id; "adopted" */
	char *build_id, *native_id, *url;
	char *part; /* "2/4": of its step's tests, which are spread over lanes; NULL: it has all of them */
	bool is_adopted; /* found on the server after a lost answer */
	bool is_complete; /* the server said completed and it was believed */
	enum gr_failure failure; /* GR_NONE, GR_FAILED, or what kept it from finishing */
	int64_t reported[6]; /* counts the server gave: not started, started, passed, failed, stopped, skipped; -1
	                        unknown */
	struct counted counted;
	struct test_case *cases;
	size_t case_count;
	struct problem *problems;
	size_t problem_count;
	struct rerun *reruns; /* their outcomes are in `cases` already */
	size_t rerun_count;
	int64_t started_wall_ms, ended_wall_ms; /* first start's answer in; last completion seen */
	int64_t elapsed_ms, queued_ms; /* TIME_UNKNOWN; of all starts together */
	int64_t lag_most_ms; /* from the last poll that said "not yet" to the answer that said completed: the end was in
	                        between */
	unsigned polls;
	char *log_url, *recording_url; /* native runs */
};

struct artifact {
	char *path; /* below the output folder; NULL when it is missing */
	char *sha256; /* hex */
	int64_t bytes;
	char *lane, *step, *device, *origin; /* origin: "server", "command", "gridlane" */
	unsigned rerun; /* the further start of the step that it tells of, from 1; 0: the first, or all of them */
	char *missing; /* why it could not be had, or NULL */
};

enum outcome { OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_ERROR, OUTCOME_SKIPPED, OUTCOME_CANCELLED, OUTCOME_NOT_RUN };
const char *outcome_name(enum outcome outcome);

struct step_result {
	char *lane, *step, *kind;
	char *name; /* for people */
	enum outcome outcome;
	enum gr_failure failure;
	char *message; /* why not passed */
	bool is_best_effort, may_continue; /* best_effort: true; on_failure: continue */
	bool runs_tests; /* app_build_run, native_test: at least one device run is expected of it */
	int64_t started_wall_ms, elapsed_ms;
	unsigned requests;
	json_t *outputs; /* object or NULL; no secrets (handles stand for them) */
};

struct lane_result {
	char *name; /* "main", "phones[0] Galaxy S21", "finally" */
	json_t *matrix; /* the lane's values, or NULL */
	enum outcome outcome;
};

struct held { /* a resource that was taken */
	char *key, *what; /* "reservation/2696", "device 'Galaxy S21' (id 3)" */
	bool is_released; /* proven given back */
	char *message; /* why not */
};

struct gate_rule {
	char *text; /* "results.pass_rate >= 0.98" */
	char *values; /* "results.pass_rate = 0.97" */
	bool holds;
	bool lacks_baseline; /* it compares with earlier runs, and there are none */
	unsigned line;
};

struct results_part { /* of a merge: one of the runs that it was made of */
	char *name; /* of its folder */
	char *run_id;
	enum verdict verdict;
	int exit_status;
	char *cause;
	int64_t tests, failed;
};

/* What the history knew of this pipeline and branch when the run began: the page draws it. */
#define EARLIER_VERSION 1
#define EARLIER_MOST 20
struct earlier_run { /* each test once, with its last outcome */
	char *run_id;
	enum verdict verdict;
	int64_t started_wall_ms, elapsed_ms; /* elapsed_ms: TIME_UNKNOWN */
	int64_t tests, passed, failed, errors, skipped;
};
struct earlier {
	int version; /* EARLIER_VERSION; 0: there was no history */
	char *branch; /* NULL: none is known */
	struct earlier_run *runs; /* oldest first, without this one */
	size_t run_count;
};

struct totals { /* of all device runs, each case once with its last outcome */
	int64_t tests, passed, failed, errors, skipped, flaky;
	int64_t quarantined; /* failures that do not count: not among `failed` */
	int64_t executed; /* passed + failed */
	int64_t device_runs, device_runs_complete;
	int64_t problems; /* not counting warnings */
};

struct results {
	char *run_id, *pipeline, *file, *server; /* server: URL without user info */
	char *tool; /* "gridlane 0.1.0" */
	enum verdict verdict;
	int exit_status;
	char *cause; /* the first root cause in one line, or NULL */
	int64_t started_wall_ms, elapsed_ms;
	int64_t started_ms; /* CLOCK_BOOTTIME of RUN_STARTED; not in results.json */
	unsigned requests; /* HTTP exchanges, repeats included */
	unsigned repeats;
	int64_t polls, lag_most_ms; /* over all device runs: sum and maximum */
	bool is_sandbox, has_test_steps, is_resumed;
	bool is_merged; /* made of the parts below */
	int signal_number; /* of a cancelled run, or 0 */
	int64_t signalled_ms; /* CLOCK_BOOTTIME when it came; not in results.json */
	struct lane_result *lanes;
	size_t lane_count;
	struct step_result *steps;
	size_t step_count;
	struct device_run *runs;
	size_t run_count;
	struct problem *problems;
	size_t problem_count;
	struct artifact *artifacts;
	size_t artifact_count;
	struct held *held;
	size_t held_count;
	struct gate_rule *rules;
	size_t rule_count;
	struct results_part *parts; /* of a merge */
	size_t part_count;
	json_t *environment; /* object: CI provider, branch, ... or NULL */
	struct earlier earlier;
};

/* Did it fail, and does that count? A quarantined failure does not. */
bool test_case_has_failed(const struct test_case *test);
bool test_case_is_quarantined(const struct test_case *test);
/* "No carrier (quarantined until 2026-12-31, owner ops)"; the caller's. */
char *test_case_quarantine_words(const struct test_case *test);
/* Did it pass after it had failed? A test that merely had not run at first is not flaky. */
bool test_case_is_flaky(const struct test_case *test);
void test_case_release(struct test_case *test);
void problem_release(struct problem *problem);
void device_run_release(struct device_run *run);
void earlier_release(struct earlier *earlier);
void results_release(struct results *results);

/* Append; the arrays own what they are given. The added problem's texts are copied. */
struct test_case *device_run_add_case(struct device_run *run);
void device_run_add_problem(struct device_run *run, enum gr_failure failure, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
struct problem *results_add_problem(struct results *results, enum gr_failure failure, const char *lane,
        const char *step, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The step of that lane, added (as OUTCOME_NOT_RUN) when it is not there. */
struct step_result *results_add_step(struct results *results, const char *lane, const char *step);
void device_run_copy(const struct device_run *run, struct device_run *ret_copy); /* all the way down */

int64_t device_run_first_ms(const struct device_run *run); /* what its first start took; TIME_UNKNOWN */
struct totals results_totals(const struct results *results);
/* Device runs that were expected and never began: of test steps that failed before, or were not reached. */
int64_t results_runs_lacking(const struct results *results);
struct totals device_run_totals(const struct device_run *run); /* of this one */

/* The verdict (pipeline language, Verdicts; reliability design 2.9): fills verdict, exit_status and cause. Adds the
 * problems that only the whole shows: no test executed although steps run tests, a test step without a device run.
 * Rules, in this order: a signal; usage/config problems (found before the first request; found later, they are not
 * proven); failed cases or a failed command (unless a gate holds over them); a gate rule that does not hold although
 * nothing else is missing; a time limit; anything else that is not proven; passed. Idempotent. A merge has the worst
 * verdict of its parts in the same order, and is not proven when a problem is of no part. */
void results_judge(struct results *results);

/* results.json and back (GR_CONFIG when the text is not of RESULTS_VERSION). */
json_t *results_to_json(const struct results *results);
int results_from_json(const json_t *json, struct results *ret_results, struct gr_error *err);
json_t *results_schema(void); /* JSON Schema of results.json, a new reference */
json_t *device_run_to_json(const struct device_run *run);
int device_run_from_json(const json_t *json, struct device_run *ret_run, struct gr_error *err);

#endif
