/* What `run`, `resume` and `cleanup` share: output folder, journal, console, engine, reports, exit status. */
#ifndef GRIDLANE_COMMANDS_SESSION_H
#define GRIDLANE_COMMANDS_SESSION_H

#include "pipelines/plan.h"
#include "runner/commands/command.h"
#include "runner/commands/output.h"
#include "runner/engine/engine.h"
#include "runner/engine/journal.h"
#include "runner/history/history.h"
#include "sandbox/sandbox.h"

#define READERS_MOST 3
#define WRITES_MOST 3

struct session {
	const struct arguments *arguments;
	const char *file; /* the pipeline */
	struct output output;
	struct redactor *redactor;
	struct key *signer; /* of attestations, or NULL */
	struct event_reader readers[READERS_MOST];
	size_t reader_count;
	struct event_reader *console; /* among them, or NULL */
	struct event_reader *journal; /* likewise */
	struct plan *plan;
	struct replay *replay; /* of an earlier process, or NULL */
	struct hook_list hooks; /* who is told at the end */
	json_t *head; /* of the journal */
	struct results results;
	struct history *history; /* or NULL, and why_no_history says why */
	struct gr_error why_no_history;
	char *history_files[HISTORY_FILES_MOST + 1]; /* certificates and keys of its server; ended by NULL */
	bool is_recorded; /* or it was tried */
	json_t *past; /* what it says of durations, or NULL */
	struct earlier earlier; /* and of runs, for the reports */
	struct sandbox_process sandbox;
	char *writes[WRITES_MOST + 1]; /* folders beside the output folder; ended by NULL */
	bool has_sandbox, is_cleanup;
	int64_t grace_ms, lock_wait_ms;
	double time_scale;
};

/* Options that all three have. */
int session_init(struct session *session, const struct arguments *arguments, struct gr_error *err);
/* --lock-wait: until no other process has the folder's journal, or a signal comes; who goes on tries to have it. */
void session_wait(const struct session *session);
/* DIR of `resume` and `cleanup` (default gridlane-out/latest): its journal is read, its folder becomes the working
 * directory again. */
int session_reopen(struct session *session, struct gr_error *err);
/* The pipeline, with its mistakes printed; on failure results hold them, so that reports can be written. */
int session_load(struct session *session, const struct plan_options *options, struct gr_error *err);
/* The pipeline of the journal; GR_CONFIG when it has changed since. For a cleanup its text as it was then, whatever
 * has become of the file. */
int session_load_again(struct session *session, struct gr_error *err);
/* The first thing in which the pipeline is not that of the journal, for people; the caller's. inputs: as given now. No
 * values: they may be secret. */
char *session_difference(const struct session *session, const json_t *inputs);
/* Journal and console; then the engine. */
int session_open_readers(struct session *session, bool has_journal, struct gr_error *err);
int session_execute(struct session *session, struct gr_error *err);
/* session_history.c: opened before the engine runs, written once (the first call) after the run is judged. What goes
 * wrong is a warning. */
void session_open_history(struct session *session, const json_t *environment);
json_t *session_look_back(void *user, const struct results *results, struct gr_error *err);
void session_record(struct session *session);
/* FILE of --history, or the default place; the caller's, NULL when it is off or there is no home. */
char *history_place(const struct arguments *arguments, bool has_sandbox, struct gr_error *ret_why);
/* One line of --trace, redacted, on stderr; user: the session. */
void session_trace(void *user, const char *line);
/* session_hooks.c: post the results to the pipeline's webhooks. What goes wrong is said, and changes nothing. */
void session_tell_hooks(struct session *session);
/* ---- between session.c and session_end.c ---- */
/* The pipeline cannot be run: reports say so too, or a CI would show those of the run before. */
void session_mistakes(struct session *session, const struct diagnostics *diagnostics, const struct gr_error *err);
struct output_order session_order(struct session *session, struct buffer *printed);
void session_close_journal(struct session *session);
/* The run cannot begin. A disk that fails is reported as far as it goes; returns the exit status. */
int session_refuse(struct session *session, const struct gr_error *err);
/* Reports, last words; returns the exit status. */
int session_finish(struct session *session);
void session_release(struct session *session);

#endif
