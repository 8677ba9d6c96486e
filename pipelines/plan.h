/* A checked pipeline: what the engine executes. Everything that can be checked without the network has been; nothing is
 * evaluated yet but inputs. Durations are milliseconds; CLOCK_NEVER is no limit. The plan owns all it points to. */
#ifndef GRIDLANE_PIPELINES_PLAN_H
#define GRIDLANE_PIPELINES_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipelines/expression.h"
#include "pipelines/load.h"
#include "runner/base/error.h"
#include "runner/net/retry.h"
#include "runner/results/quarantine.h"
#include "runner/steps/kind.h"
#include "runner/steps/step.h"

enum plan_when { WHEN_SUCCESS, WHEN_FAILURE, WHEN_ALWAYS, WHEN_CANCELLED };

struct plan_secret {
	char *name, *environment, *file; /* one of environment and file */
	unsigned line, column;
};

struct plan_input {
	char *name;
	enum type type; /* TYPE_TEXT, TYPE_INT, TYPE_REAL, TYPE_BOOL, TYPE_FILE, TYPE_CHOICE */
	json_t *value; /* given or default, converted; env is the only name a default may use */
};

struct plan_server { /* nodes may be NULL: the environment (TESTGRID_URL, TESTGRID_TOKEN, ...) is read then */
	const struct node *url, *token, *email, *password, *user_id, *ca_file, *client_cert, *client_key, *proxy;
	unsigned max_connections; /* default 8 */
	int64_t answer_timeout_ms; /* 0: each operation's own */
	int64_t outage_ms; /* how long the server may be out of reach, altogether (default 15m) */
	bool insecure_http;
	bool urlencoded; /* forms without a file go as application/x-www-form-urlencoded */
	char **download_hosts; /* NULL-terminated, or NULL */
};

struct plan_selector { /* one entry of any_of */
	const struct node *name, *os, *tag, *platform, *manufacturer, *id, *udid;
};
struct plan_devices {
	char *name;
	struct plan_selector *any_of;
	size_t any_of_count;
	const struct node *count; /* NULL: 1 */
	int64_t reserve_ms; /* 0: not reserved */
	int64_t wait_ms;
	unsigned line, column;
};

struct plan_rerun { /* both 0: nothing is started again */
	unsigned failed_most; /* further starts for tests that failed */
	unsigned not_run_most; /* and for tests without a result, which are no failures */
	bool failed_only; /* no others with them, where the tests can be selected */
	struct expression *unless; /* or NULL */
};

struct plan_step {
	char *id; /* given, or KIND or KIND-2 ... unique in its list */
	char *name; /* for people, or NULL */
	bool id_is_given;
	unsigned line, column;
	const struct kind *kind; /* NULL: a matrix with steps of its own */
	const struct node *with; /* map or NULL; the nodes of an implicit step are NULL and `implicit` says the rest */
	struct expression *condition; /* `if:`, or NULL */
	enum plan_when when;
	bool may_continue; /* on_failure: continue */
	bool best_effort;
	bool is_tried; /* best_effort, its own or that of a matrix around it: its failure changes no verdict */
	bool resend_lost_start;
	int64_t timeout_ms;
	struct retry_policy retry;
	struct poll_policy poll;
	struct plan_rerun rerun;
	struct expression *until; /* of `call`, or NULL */
	const struct plan_devices *devices; /* of an implicit `select_devices` step */
	const struct plan_devices **needs; /* of a top-level step: the groups that it or its lanes name */
	size_t need_count, early_needs; /* so many of them, the first ones, are named by its own `if` */
	char *collect_for; /* of an implicit `collect` step: the id of the test step, whose `device` is the next */
	const struct node *collect_device;
	const struct kind *collect_kind; /* that step's kind */
	/* `split`: the tests are spread over the lanes of the matrix that this step is in */
	bool is_split, split_by_count; /* by: count */
	size_t split_lanes; /* as written; 0: all lanes that there are */
	json_t *split_tests; /* {NAME: ID} or [ID]; NULL: not known yet (a missing input) */
	/* matrix */
	char **axes; /* names; axis i takes the values of axis_values[i] */
	const struct node **axis_values;
	size_t axis_count;
	unsigned max_parallel; /* 0: all */
	bool fail_fast;
	struct plan_step *steps;
	size_t step_count;
};

/* What a gate rule needs of earlier runs. */
enum plan_past {
	PAST_TESTS = 1 << 0, /* the last outcome of each test */
	PAST_BASELINE = 1 << 1 /* the last green run */
};
struct plan_gate_rule {
	char *text;
	unsigned past; /* enum plan_past */
	bool has_failures; /* it reads how many tests failed, or a rate of them */
	bool is_implied; /* not in the file: no other rule has_failures */
	struct expression *expression;
	unsigned line, column;
};

struct plan_history {
	char *branch; /* that is compared with; NULL: the run's own */
	bool may_lack_baseline; /* on_no_baseline: pass */
	int64_t keep_ms, keep_runs; /* of this pipeline */
};

struct plan_webhook { /* the results posted to whoever wants them */
	const struct node *url, *secret; /* secret: NULL for no signature */
	enum plan_when when; /* WHEN_ALWAYS, WHEN_SUCCESS, WHEN_FAILURE */
	bool is_summary; /* without the lists of steps and tests */
	int64_t timeout_ms; /* of all its attempts together */
};

struct plan_report {
	char *format; /* "junit" */
	char *target; /* file or folder below the output folder */
};

struct plan {
	char *file;
	char *name;
	struct node *root; /* the whole tree, which the nodes below are parts of */
	json_t *early; /* what expressions see before the run: {inputs, env, name} */
	int64_t timeout_ms, cleanup_reserve_ms;
	struct plan_input *inputs;
	size_t input_count;
	struct plan_secret *secrets;
	size_t secret_count;
	struct plan_server server;
	const struct node *app_name, *app_id, *app_token;
	char *app_platform; /* "android", "ios", "web", or NULL */
	char *working_directory;
	struct plan_devices *devices;
	size_t devices_count;
	struct plan_step
	        *steps; /* implicit ones included: `application` and `select_devices`, each before its first use */
	size_t step_count;
	struct plan_step *finally;
	size_t finally_count;
	struct plan_gate_rule *gate;
	size_t gate_count;
	struct plan_history history;
	struct quarantine quarantine;
	struct plan_report *reports;
	size_t report_count;
	struct plan_webhook *webhooks;
	size_t webhook_count;
	const struct node *bundle; /* artifacts.bundle, or NULL */
	const struct node *collect; /* artifacts.collect: a list of words, checked; or NULL */
	const struct node *collect_files; /* artifacts.files: patterns, checked; or NULL */
	int64_t collect_most_bytes; /* artifacts.max_size; 0: the usual */
	bool collect_after_failure_only, collect_required; /* artifacts.when: failure; artifacts.required */
	bool has_app;
	bool has_subject; /* a step sends a file that an attestation can be about */
	char quarantine_sha256[65]; /* of its file; "" without one */
	char fingerprint[65]; /* SHA-256 of the file's bytes, the inputs' values, and the quarantine */
	char source_sha256[65]; /* of the file's bytes alone */
	char *source; /* the file's text */
};

/* One finding of the checker. */
struct diagnostic {
	enum gr_failure failure;
	bool is_warning;
	bool is_in_quarantine; /* its place is in that file */
	unsigned line, column, length; /* of the marked text, at least 1 */
	char *message; /* what and why */
	char *hint; /* "did you mean 'uses'?", what to do; or NULL */
};
struct diagnostics {
	char *file;
	char *source; /* the file's text, for source lines */
	char *quarantine_file, *quarantine_source; /* likewise, or NULL */
	bool is_in_quarantine; /* while it is checked: where findings are */
	struct diagnostic *items; /* in the order of their places */
	size_t count, errors;
};
void diagnostics_release(struct diagnostics *diagnostics);
/* "file:line:column: error: message", the source line, a caret, the hint. Appends to out. */
void diagnostics_print_text(const struct diagnostics *diagnostics, struct buffer *out);
void diagnostics_print_json(const struct diagnostics *diagnostics, struct buffer *out);
void diagnostics_add_json(const struct diagnostics *diagnostics, json_t *list); /* the same, for several files */
void diagnostics_print_github(const struct diagnostics *diagnostics, struct buffer *out);

struct plan_options {
	const char *const *inputs; /* "K=V", NULL-terminated, or NULL */
	bool inputs_are_optional; /* validate, plan: a missing required input is a warning, not an error */
	bool allow_outside; /* files may lie outside the working directory */
	bool files_may_be_gone; /* of a run that has begun: what steps and inputs name may have been sent by now */
	const char *source; /* the file's text, which is not read then; or NULL */
};
/* Load and check a file. All findings go to ret_diagnostics (release it in every case). 0 with a plan when there is no
 * error; -GR_CONFIG otherwise. No network, no child process; files that the pipeline names are looked at (exist,
 * regular). */
int plan_load(const char *file, const struct plan_options *options, struct plan **ret_plan,
        struct diagnostics *ret_diagnostics, struct gr_error *err);
void plan_free(struct plan *plan);
/* What is wrong with `target` as the place of a report of this format, or NULL. The '/' after a folder is taken off. */
const char *report_target_fault(const char *format, char *target);

/* `gridlane plan`: what would be called, lane by lane, with the worst-case duration. */
struct plan_view {
	const char *format; /* "text", "json", "mermaid" */
	const json_t *seconds; /* {TEST: ms} of earlier runs, or NULL */
};
int plan_print(const struct plan *plan, const struct plan_view *view, struct buffer *out, struct gr_error *err);
/* All that is known of the steps with that id before they are done; GR_USAGE when there is none. */
int plan_print_step(const struct plan *plan, const char *id, struct buffer *out, struct gr_error *err);
/* Is there a step whose tests are spread over lanes? */
bool plan_has_split(const struct plan *plan);

#endif
