/* A step kind is a pure state machine: handed the last event, it answers with its next action. The engine does the
 * action, journals it, and comes back with an event. A step does no I/O, and never asks for the time, a file's size or
 * a random number: the engine puts these into events. */
#ifndef GRIDLANE_STEPS_STEP_H
#define GRIDLANE_STEPS_STEP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/api/operation.h"
#include "runner/base/error.h"
#include "runner/results/model.h"
#include "runner/steps/kind.h"

struct poll_policy { /* `poll:` of the pipeline; CLOCK_NEVER: no limit */
	int64_t every_low_ms, every_high_ms;
	int64_t queue_ms; /* most time in the queue */
	int64_t stall_ms; /* most time without any change */
	int64_t timeout_ms; /* most time altogether */
	double time_scale; /* of a rehearsal: how many times as fast the settling times of a step pass; 0 or 1: real */
	/* Times after a run left the queue at which its end is likely, by earlier runs, ascending (schedule.h); they
	 * win over `every` while the server says "not yet". NULL: nothing is known. Borrowed. */
	const int64_t *looks_ms;
	size_t look_count;
};

/* What a step may know beside its fields. Owned by the engine, valid for the life of the step. */
struct step_context {
	const char *run_id; /* "20261124T030000Z-1a2b3c" */
	const char *run_key; /* 12 hex digits, the same for a repeated CI job: marks uploads and reservations */
	const char *pipeline, *lane, *step;
	const char *server_url;
	const char *user_id; /* known from the login or the configuration, or NULL */
	const char *user_email; /* the account's address, or NULL */
	const char *own_build_id; /* app_build_id of a build that this run uploaded, or NULL */
	const json_t *app; /* outputs of the implicit `application` step, or NULL: {app_id, name, platform} */
	const char *platform; /* `app.platform` of the pipeline ("android"), or NULL */
	struct poll_policy poll;
	bool resend_lost_start; /* on_lost_start: resend after proven absence (default true) */
	int64_t since_start_ms; /* how long ago an earlier process of this run learned `start_wall_ms`; 0: none did */
	const char *build_url; /* of the CI job, or NULL: for words that others see */
};

struct step {
	const struct kind *kind;
	const struct step_context *context;
	json_t *with; /* evaluated and converted fields */
	json_t *memory; /* object: what the step has learned so far; filled from the journal on resume */
	void *state; /* the kind's own */
};

enum call_outcome {
	CALL_DONE, /* a complete answer that says success (or says nothing, where the reference documents none) */
	CALL_REFUSED, /* a complete, definite no; body may be NULL (HTTP 4xx) */
	CALL_NOT_SENT, /* proven not to have reached the server; repeats are used up */
	CALL_LOST, /* may have been done, may not: no usable answer (class START and MARKED and NEVER) */
	CALL_FAILED /* reads and idempotent writes: no usable answer after all repeats */
};

enum event_kind { EVENT_START, EVENT_ANSWER, EVENT_FETCHED, EVENT_TIME, EVENT_EXIT, EVENT_STOP };
struct event {
	enum event_kind kind;
	int64_t now_ms; /* CLOCK_BOOTTIME */
	int64_t wall_ms; /* the server's clock as far as its Date header told, else ours */
	uint64_t random;
	const json_t *starts; /* test runs that steps of this run have started (starts.h), or NULL: none */
	/* EVENT_ANSWER */
	enum call_outcome outcome;
	bool may_still_work; /* of CALL_LOST: it timed out (or 408, 504), the server may still be at it */
	const json_t *body; /* parsed answer, or NULL */
	json_t **body_owner; /* where the reference to it is, if the step may let it go (event_drop_body) */
	struct gr_error error; /* why not CALL_DONE; why a fetch failed */
	/* EVENT_FETCHED */
	long status; /* HTTP status, 0: none */
	const char *text; /* body (NUL-terminated), "" if none */
	size_t bytes;
	/* upload facts, with EVENT_ANSWER */
	const char *file_sha256; /* of the file sent, or NULL */
	int64_t file_bytes;
	/* EVENT_EXIT */
	int exit_status; /* of the command; 128 + signal */
	const json_t *cases; /* of the JUnit files it wrote, where asked for; NULL: see error */
	const json_t *outputs; /* KEY=VALUE lines it wrote to $GRIDLANE_OUTPUT, as an object of texts */
	/* EVENT_STOP: */
	bool is_own_limit; /* the step's own timeout is over, not the run's */
	/* error.failure is GR_CANCELLED or GR_DEADLINE; the answer must be ACTION_DONE, with all that is
	 * known */
};

/* One runner of a host at a time starts runs on a server. TAKE: before this call. GIVE: what was started is known. */
enum start_lock_wish { START_LOCK_AS_IT_IS, START_LOCK_TAKE, START_LOCK_GIVE };

enum action_kind { ACTION_CALL, ACTION_FETCH, ACTION_WAIT, ACTION_SPAWN, ACTION_DONE };
struct action { /* zeroed before next(); the step fills it; the engine owns what it points to afterwards */
	enum action_kind kind;
	/* ACTION_CALL */
	enum operation_id operation;
	json_t *arguments;
	int64_t answer_ms; /* how long the answer may take; 0: the operation's default */
	enum start_lock_wish start_lock; /* GIVE goes with any action; what is not given is with the step's end */
	bool is_poll; /* counts as a poll in the results */
	/* ACTION_FETCH: GET through the URL gate, at most fetch_most_bytes, into memory; or, with save_as, into a file
	 * of that name below artifacts/LANE/STEP, which EVENT_FETCHED then holds no text of */
	char *url;
	int64_t fetch_most_bytes;
	char *save_as;
	bool save_is_text; /* secrets are taken out */
	unsigned save_rerun; /* the further start (`rerun`) of another step that the file tells of, from 1 */
	bool fetch_may_fail; /* a URL that the gate refuses comes back as EVENT_FETCHED and does not end the step */
	int64_t fetch_late_until_ms; /* CLOCK_BOOTTIME: until then an HTTP 404 says that the file is not there yet */
	/* ACTION_WAIT */
	int64_t until_ms; /* CLOCK_BOOTTIME */
	/* ACTION_SPAWN */
	json_t *command; /* list of texts */
	json_t *environment; /* object of texts and handles, or NULL */
	char *cwd;
	json_t *document; /* object of texts and handles that the command finds as a file in $GRIDLANE_CAPABILITIES */
	char *junit; /* pattern of the JUnit files that it writes, or NULL */
	/* ACTION_DONE */
	enum outcome outcome;
	json_t *outputs;
	/* with any action: done, in this order, and on the disk before the action itself */
	/* {key, what, operation, arguments, at_once}: to be given back on every way out by that operation; at_once: of
	 * no use to the run, and given back now */
	json_t *acquired;
	json_t *learned; /* members are merged into step->memory */
	json_t *kept; /* as `learned`, for a later process alone: in this one the step's state has it, not its memory */
	char *released; /* key of an acquired resource that is proven given back */
	struct device_run
	        *device_run; /* a result, complete or as far as known (allocated with gr_alloc; the engine frees) */
	char *progress; /* for people */
	int64_t progress_done, progress_total; /* tests; both 0: not known */
	/* list of {name, json}, written below artifacts/LANE/STEP, and {name, missing: why}; with `rerun` as above */
	json_t *save;
	char *warning; /* a problem that does not change the verdict */
};
void action_release(struct action *action);

struct step_ops {
	/* Make state; step->with and step->memory are there (memory is empty at a first start). */
	int (*begin)(struct step *step, struct gr_error *err);
	/* 0 and the next action, or -failure: the step ends with OUTCOME_ERROR (GR_FAILED, GR_COMMAND: OUTCOME_FAILED)
	 * and the outputs that the action has, if any. */
	int (*next)(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err);
	void (*release)(struct step *step); /* also after a failed begin */
};

#endif
