/* The journal: every fact of a run, one record a line, on the disk before the next request that could start, create,
 * reserve or upload anything leaves. What a killed process knew is read back from it (replay).
 *
 * journal.jsonl, mode 0600, never in the bundle: CRC-32C of the JSON text as 8 hex digits, a space, compact JSON, a
 * line feed. A last line that is torn (without its line feed, or with
 * another checksum) is cut off and kept as state/torn-N; damage before the end stops everything (GR_DISK, with the
 * offset) and is never mended. Long device results stand in state/ beside it, one file each, named with their SHA-256
 * by their record. No secret is in either. state/reserve keeps 1 MiB of the disk for the journal and the reports: when
 * the disk is full it is given up, that is said with GR_DISK once, and the journal goes on. */
#ifndef GRIDLANE_ENGINE_JOURNAL_H
#define GRIDLANE_ENGINE_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>

#include "runner/base/clock.h"
#include "runner/base/error.h"
#include "runner/base/redact.h"
#include "runner/results/event.h"
#include "runner/results/model.h"

#define JOURNAL_FORMAT 1
#define JOURNAL_NAME "journal.jsonl"

/* The exit status of a process (its generation) whose journal broke before it came to its verdict, a file. */
#define JOURNAL_VERDICT "state/verdict-%u"
/* The fact that begins a further start of a step: all that was learned before it is forgotten with it. */
#define JOURNAL_ROUND "rerun"
/* Of an answer, or of none: it is proven that the request made nothing. */
#define JOURNAL_UNDONE "undone"
/* Beside it: the request was for a reservation that carries the run's key. */
#define JOURNAL_MARKED "marked"

/* What an earlier process of the same run knew. */
struct replay_step {
	char *lane, *step;
	bool has_ended;
	enum outcome outcome;
	enum gr_failure failure;
	int64_t elapsed_ms;
	char *text;
	json_t *outputs; /* or NULL */
	json_t *memory; /* object: what it learned */
	int64_t start_ms,
	        start_wall_ms; /* clocks of the process that learned `start_wall_ms`, in that moment; 0: it never did */
	char start_boot[CLOCK_BOOT_BYTES]; /* the boot that start_ms counts from */
	bool has_known;
	struct device_run known; /* the result of all its starts before the last one */
	char *open_operation; /* a request that leaves a trace on the server was on its way and no answer is known; or
	                         NULL */
};

/* In the id of a selection that took another device for a lane that had lost its own. */
#define REPLACE_MARK ".instead-"

struct replay {
	json_t *head; /* {run_id, run_key, pipeline, folder, inputs, fingerprint, sandbox, pid, host} of the first
	                 process */
	char *token_print; /* of the first process that had a token: "SALT:PRINT" (identity.c), or NULL */
	char since[CLOCK_TEXT_BYTES]; /* when the last process began, as text */
	unsigned generation; /* of the last process */
	int64_t sequence; /* of the last record */
	int64_t bytes; /* of the journal when it was read: what another process wrote since is noticed */
	int64_t good_bytes; /* without what a crash tore off at its end */
	int exit_status; /* of the last process that came to a verdict; -1: none did */
	bool is_done; /* its reports were written, and its verdict is final: passed, failed, or a mistake in the
	                 pipeline */
	bool has_answered; /* the server did, once at least */
	bool has_verdict; /* its reports were written, whatever they say */
	bool is_behind; /* and they tell more than its journal, which broke before */
	struct replay_step *steps;
	size_t step_count;
	unsigned lost_reservations; /* asked for, and not known to be held or refused */
	bool doubts_reservations; /* one was refused, and no process has looked for it at its end */
	int64_t reservation_ms, reservation_wall_ms; /* clocks of the process that asked for the last one */
	char reservation_boot[CLOCK_BOOT_BYTES];
	json_t *held; /* list of {key, what, operation, arguments} not proven given back */
	struct results results; /* as far as the records tell */
};

/* What may have to be given back: held, or asked for and not known to be held or not. */
size_t replay_count_open(const struct replay *replay);
/* Read and check; GR_CONFIG when there is no journal. A torn last line is left out (and cut off by journal_open). */
int replay_read(int directory, struct replay **ret_replay, struct gr_error *err);
void replay_free(struct replay *replay);
/* The last thing known of a step, or NULL. */
const struct replay_step *replay_find(const struct replay *replay, const char *lane, const char *step);

/* The results of a run that nobody goes on with for now: test runs that were under way are in them as far as known, and
 * each step that was is a problem. Judged. */
void replay_conclude(struct replay *replay);
/* How long ago a step of an earlier process started what it waits for, whatever was done to the wall clock meanwhile.
 * 0: not known. */
int64_t replay_since_start(const struct replay_step *step);
/* How long ago the last reservation was asked for. */
int64_t replay_since_reservation(const struct replay *replay);

/* Is there a test run of which more can be found out? A run that failed is final, and yet such a one may be there. */
bool replay_leaves_open(const struct replay *replay);
/* Came to a definite end: it is not done again. */
bool replay_is_settled(const struct replay_step *step);
/* Is a complete result of it known? Its process may have been killed before it said that the step had ended. */
bool replay_has_result(const struct replay *replay, const struct replay_step *step);
/* The word after its `uses:`, borrowed; NULL: not known. */
const char *replay_kind_of(const struct replay *replay, const struct replay_step *step);

/* Open for writing and lock; GR_BUSY at once, naming the holder, when another process has it. head: see above,
 * borrowed. replay: what to go on from, or NULL to begin anew. The reader must get every event; it fails with GR_DISK.
 */
int journal_open(int directory, const json_t *head, const struct replay *replay, struct redactor *redactor,
        struct event_reader *ret_reader, struct gr_error *err);

/* Has another process the journal at this moment? */
bool journal_is_busy(int directory);

#endif
