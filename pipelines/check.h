/* Checking a tree and filling a plan from it: one file a section. Every check adds its findings and goes on, so that
 * all errors of a file are reported at once; the plan is thrown away when there was one. */
#ifndef GRIDLANE_PIPELINES_CHECK_H
#define GRIDLANE_PIPELINES_CHECK_H

#include "pipelines/findings.h"
#include "pipelines/node.h"
#include "pipelines/plan.h"
#include "pipelines/term.h"

/* Root names that may stand in an expression. */
enum root_flags {
	ROOT_INPUTS = 1 << 0,
	ROOT_ENV = 1 << 1,
	ROOT_NAME = 1 << 2,
	ROOT_SECRETS = 1 << 3,
	ROOT_APP = 1 << 4,
	ROOT_DEVICES = 1 << 5,
	ROOT_STEPS = 1 << 6,
	ROOT_MATRIX = 1 << 7,
	ROOT_RUN = 1 << 8,
	ROOT_RESULTS = 1 << 9,
	ROOT_ANSWER = 1 << 10, /* `answer` and `outputs`, of `until:` */
	ROOT_OUTPUTS = 1 << 11, /* `outputs`, of a `rerun` */
	ROOTS_EARLY = ROOT_INPUTS | ROOT_ENV | ROOT_NAME, /* known before the run */
	ROOTS_STEP = ROOTS_EARLY | ROOT_SECRETS | ROOT_APP | ROOT_DEVICES | ROOT_STEPS | ROOT_MATRIX | ROOT_RUN
};
extern const char *const early_names[]; /* the names of ROOTS_EARLY, ended by NULL */

struct step_list {
	struct plan_step *items;
	size_t count;
};

/* What stands around a step: its list so far, the values of its lane, and the same further out. */
struct frame {
	const struct frame *outer;
	const struct step_list *list; /* the steps before this one */
	const struct node *nodes; /* the whole list in the file, for words about later steps */
	char *const *axes;
	const struct typed *axis_types;
	size_t axis_count;
};

struct name_context;
struct check {
	struct plan *plan;
	struct diagnostics *findings;
	const struct plan_options *options;
	char *base; /* real path below which files must lie */
	json_t *early; /* scope of ROOTS_EARLY names: {inputs, env, name} */
	const struct frame *frame;
	unsigned roots; /* allowed in the expression that is being checked */
	bool is_finally;
	bool lacks_inputs; /* some are null that must not be, which was said */
	const struct kind *outputs_of; /* what ROOT_OUTPUTS is of */
	struct plan_gate_rule *rule; /* that is being checked: told what it reads; NULL elsewhere */
	unsigned step_line; /* of the step that is being checked */
	size_t top_index; /* of the top-level step that is being checked */
	size_t *first_use; /* of each plan->devices: top_index, or SIZE_MAX */
	const struct plan_devices **needs; /* groups that the top-level step that is being checked names */
	size_t need_count;
	bool uses_app;
	size_t app_use; /* top_index of the first use, or SIZE_MAX */
	struct name_context *contexts;
};

/* ---- findings ---- */
void check_fail(struct check *check, const struct node *node, const char *hint, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* "unknown WHAT 'WORD'" with the nearest candidate as the hint. */
void check_unknown(struct check *check, const struct node *node, const char *what, const char *const *candidates);

/* ---- check_read.c: typed members of maps ---- */
struct key {
	const char *name;
	const char *later; /* NULL, or why this version refuses it: "`rerun`" */
};
/* The keys of each section, ended by a NULL name; the schema is made from them, too. */
extern const struct key top_keys[], input_keys[], secret_keys[], server_keys[], app_keys[], group_keys[],
        selector_keys[], history_keys[], default_keys[], retry_keys[], poll_keys[], rerun_keys[], split_keys[],
        artifact_keys[], webhook_keys[], step_keys[];
/* The report formats of this version, in order; NULL past the end. */
const char *check_report_format(size_t index);
/* Is it a map, and are all its keys known? `what` for messages: "a step". `x-` keys are unknown here. */
bool check_keys(struct check *check, const struct node *node, const char *what, const struct key *keys);
void check_later(struct check *check, const struct node *node, const char *what);
/* The value as far as it is known before the run; NULL when it is not (then it is a finding, or a missing input). */
json_t *read_early(struct check *check, const struct node *node);
/* Each leaves *ret alone when the node is NULL, or wrong (a finding). `what` names it: "`timeout`". */
bool read_text(struct check *check, const struct node *node, const char *what, char **ret);
bool read_bool(struct check *check, const struct node *node, const char *what, bool *ret);
struct bounds {
	int64_t least, most;
};
bool read_int(struct check *check, const struct node *node, const char *what, struct bounds bounds, int64_t *ret);
bool read_duration(struct check *check, const struct node *node, const char *what, int64_t *ret_ms);
bool read_range(
        struct check *check, const struct node *node, const char *what, int64_t *ret_low_ms, int64_t *ret_high_ms);
/* Index of one of the words (ended by NULL), or -1. */
int read_choice(struct check *check, const struct node *node, const char *what, const char *const *words);
/* [A-Za-z_][A-Za-z0-9_-]* without templates. */
bool check_name(struct check *check, const struct node *node, const char *what);
bool is_environment_name(const char *name);

/* ---- check_names.c, check_expression.c: expressions ---- */
/* Check one expression; false and a finding when it is wrong. */
bool check_expression(struct check *check, const struct expression *expression, unsigned roots, const struct node *node,
        struct typed *ret);
/* Compile and check text that is an expression by itself (`if:`); it must be a boolean. NULL and a finding when not. */
struct expression *check_condition(struct check *check, const struct node *node, unsigned roots, const char *what);
/* All templates of a node and below it. secret_ok: a secret may be its whole value. */
bool check_templates(struct check *check, const struct node *node, unsigned roots, bool secret_ok);
int names_member(void *user, void *parent, const char *name, struct typed *ret, struct gr_error *err);
/* The element of a list with that context, for matrix axes. */
struct typed names_element(struct check *check, struct typed list);
/* The kind of the step that the context is of, or NULL. */
const struct kind *names_step_kind(const void *context);
/* Does a variable of that name look like a secret? Such ones are not in `env`. */
bool names_is_secret(const char *variable);
void names_release(struct check *check);

/* Is `name` the id of a step in the list, or below it, that runs tests? names (NULL-terminated, room for `most`) gets
 * those that are not. */
bool check_suites(const struct node *steps, const char *name, const char **names, size_t most);

/* Does one of the steps of the file, or below it, send a file that an attestation can be about? */
bool check_subjects(const struct node *steps);

/* Somebody needs what the implicit step `application` finds out. */
void names_use_app(struct check *check);

/* ---- check_files.c ---- */
/* Is it a pattern rather than a path? */
bool is_pattern(const char *path);
/* The one regular file that `pattern` names, inside the working directory unless allowed. false and a finding when not.
 */
bool check_file(
        struct check *check, const struct node *node, const char *pattern, bool may_be_outside, char **ret_path);

/* ---- sections ---- */
void check_inputs(struct check *check, const struct node *node);
void check_secrets(struct check *check, const struct node *node);
void check_webhooks(struct check *check, const struct node *node);
void check_server(struct check *check, const struct node *node);
void check_app(struct check *check, const struct node *node);
void check_devices(struct check *check, const struct node *node);
void check_steps(struct check *check, const struct node *steps, const struct node *finally);
void check_gate(struct check *check, const struct node *node);
/* A name that is read: one that tells of failed tests (of the run, a suite, a device, a step) makes the gate rule that
 * is being checked one that decides about them. */
void check_gate_reads(struct check *check, const char *name);
void check_history(struct check *check, const struct node *node);
void check_quarantine(struct check *check, const struct node *node);
void check_reports(struct check *check, const struct node *node);
void check_artifacts(struct check *check, const struct node *node);

/* ---- parts of steps ---- */
struct step_defaults {
	struct retry_policy retry;
	struct poll_policy poll;
	bool resend_lost_start;
	const struct node *rerun; /* or NULL */
};
void check_defaults(struct check *check, const struct node *node, struct step_defaults *ret_defaults);
/* Root names that a step may use: ROOTS_STEP, in `finally` also results. */
unsigned step_roots(const struct check *check);
/* The top-level step that is being checked, or a step of its lanes, names the group. */
void note_need(struct check *check, const struct plan_devices *devices);
void check_retry(struct check *check, const struct node *node, struct retry_policy *policy);
void check_poll(struct check *check, const struct node *node, struct poll_policy *policy);
/* kind: whose outputs `unless` is about. */
void check_rerun(struct check *check, const struct node *node, const struct kind *kind, struct plan_rerun *ret);
/* `rerun:` of a step, or else that of `defaults:`. */
void check_step_rerun(struct check *check, const struct node *node, const struct node *usual, struct plan_step *step);
bool read_lost_start(struct check *check, const struct node *node, bool *ret_resend);
/* `with:` of a step against its kind's fields. */
void check_fields(struct check *check, struct plan_step *step, const struct node *step_node);
void check_call(struct check *check, const struct plan_step *step);
/* The type of a value that is written down; TYPE_ANY for a list, a map, and what is known only during the run. */
enum type check_type_of(const struct node *item);
/* `matrix:` into the step; *ret_types are the types of its values, the caller's. */
void check_matrix(struct check *check, const struct node *node, struct plan_step *step, struct typed **ret_types);

/* `split:` of a step, after its fields; and whether it fits the lanes of its matrix, as far as they are known. */
void check_split(struct check *check, const struct node *node, struct plan_step *step);
void check_split_lanes(struct check *check, const struct node *matrix, const struct plan_step *step);

/* plan.c */
void plan_add_implicit(struct check *check, const struct step_defaults *defaults);
void plan_step_release(struct plan_step *step);

#endif
