/* What earlier runs did: each run is written once, after it was judged, and read by the gate and by `gridlane history`.
 * Every call fails with GR_DISK when the database cannot do it, and changes nothing then. */
#ifndef GRIDLANE_HISTORY_HISTORY_H
#define GRIDLANE_HISTORY_HISTORY_H

#include <jansson.h>
#include <stdint.h>

#include "runner/base/redact.h"
#include "runner/results/model.h"

struct history;

/* `place` is a file, made when it is not there (mode 0600, its folder too), or a database of a PostgreSQL server
 * (postgresql://USER@HOST/DATABASE), in which the schema `gridlane` is made. GR_CONFIG when a newer gridlane wrote it;
 * GR_USAGE when the URL cannot be meant. Errors name no password of the URL's. */
int history_open(const char *place, struct history **ret_history, struct gr_error *err);
void history_close(struct history *history);
/* Before it is used again after a time: a lost connection is made anew; other writers are waited for this long. */
int history_wake(struct history *history, int64_t limit_ms, struct gr_error *err);
/* What a new connection would need, for a process that gives up the rest: a port (0: none), and files and folders of
 * certificates and keys, the caller's, ended by NULL. */
#define HISTORY_FILES_MOST 6
void history_reach(struct history *history, unsigned *ret_port, char *ret_files[static HISTORY_FILES_MOST + 1]);
bool history_is_server(const char *place);
void history_memory_init(void); /* once, before any history is opened: memory of SQLite */
char *history_shown(const char *place); /* for people, without user and password; the caller's */
bool history_has_password(const char *place);
/* Passwords of the URL and of the environment; `place` may be NULL. */
void history_learn_secrets(const char *place, struct redactor *redactor);
/* $XDG_DATA_HOME/gridlane/history.db, or below ~/.local/share; the caller's, NULL when there is no home. */
char *history_default_place(void);

/* Write a judged run, in one transaction. A run that is there already is replaced: a resumed run is written once. */
int history_record(
        struct history *history, const struct results *results, struct redactor *redactor, struct gr_error *err);
/* Forget runs of this pipeline that began before `before_ms` (milliseconds since 1970), and all but its last `most`. */
int history_prune(struct history *history, const char *pipeline, int64_t before_ms, int64_t most, struct gr_error *err);

/* The reason without what changes from run to run (numbers, addresses), as 16 hex digits; NULL for NULL. */
char *history_fingerprint(const char *reason);

/* ---- questions; each gives a new reference ---- */

struct history_filter {
	const char *pipeline, *branch; /* NULL: all */
	int64_t most; /* rows */
};
/* [{run_id, pipeline, branch, commit, verdict, green, started, seconds, tests, passed, failed, errors, skipped}],
 * latest first */
int history_list(struct history *history, const struct history_filter *filter, json_t **ret, struct gr_error *err);
/* The runs of exactly that branch (NULL: those of none), oldest first, without the one named; `ret_earlier` is the
 * caller's (earlier_release). */
int history_earlier(struct history *history, const struct history_filter *filter, const char *without,
        struct earlier *ret_earlier, struct gr_error *err);
/* One of those, with `cause`, and `outcomes`: [{class, test, device, attempt, last, status, failure, seconds}]. `run`
 * is a run's id or its unambiguous beginning; GR_USAGE when there is none, or more than one. */
int history_show(struct history *history, const char *run, json_t **ret, struct gr_error *err);
/* [{pipeline, class, test, device, outcomes, failures, passing_failures, proven, rate, low, high}], worst first: the
 * tests whose failures go away by themselves more often than `least` (0 to 1), at 95 % confidence. */
int history_flaky(
        struct history *history, const struct history_filter *filter, double least, json_t **ret, struct gr_error *err);
/* [{pipeline, class, test, device, outcomes, seconds, slowest}], slowest mean first */
int history_slow(struct history *history, const struct history_filter *filter, json_t **ret, struct gr_error *err);
/* {from, to, new_failures, fixed, still_failing, missing, added, slower}: lists of {class, test, device, ...} */
int history_compare(struct history *history, const char *from, const char *to, json_t **ret, struct gr_error *err);

/* How long runs took, for polls that learn: {STEP: {DEVICE: [[ms, lag_ms], ...]}}, latest first: complete runs without
 * their time in the queue; each ended in the `lag_ms` before `ms`. The latest of the pipeline's device runs, at most
 * `most`. */
int history_durations(struct history *history, const char *pipeline, int64_t most, json_t **ret, struct gr_error *err);
/* How long tests take, for lanes that end together: {NAME: ms}, the mean over the last `most` times that each was
 * executed, over all devices. */
#define HISTORY_TIMES_MOST 20
int history_seconds(struct history *history, const char *pipeline, int64_t most, json_t **ret, struct gr_error *err);

/* For the gate: what is known of this pipeline and branch before this run. {known_tests, new_failures, fixed, suites:
 * {STEP: {new_failures, fixed}}, devices: {NAME: {new_failures, fixed}}, baseline:
 * {run_id, tests, passed, failed, flaky, pass_rate, seconds} or null}. new_failures and fixed compare each test with
 * its last outcome; the baseline is the last green run. `branch` NULL: the branch of this run. */
int history_look_back(
        struct history *history, const struct results *results, const char *branch, json_t **ret, struct gr_error *err);

/* The branch and commit that the environment of a run tells; "" and NULL when it does not. */
const char *history_branch(const struct results *results);
const char *history_commit(const struct results *results);

#endif
