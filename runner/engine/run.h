/* Inside the engine: one run, its lanes, its tasks (a step under way) and its calls. Not for other rooms. */
#ifndef GRIDLANE_ENGINE_RUN_H
#define GRIDLANE_ENGINE_RUN_H

#include "runner/engine/engine.h"
#include "runner/engine/vault.h"
#include "runner/net/loop.h"
#include "runner/net/retry.h"
#include "runner/net/transfer.h"
#include "runner/steps/step.h"

struct engine;
struct lane;
struct task;
struct call;
struct download;

/* ---- settings (server.c, hook.c) ---- */

/* A text of `server:`, else of the environment. *ret_text may become NULL. Handles are resolved. */
int server_setting(
        struct engine *engine, const struct node *node, const char *variable, char **ret_text, struct gr_error *err);
/* The pipeline's webhooks into options->hooks. */
int hooks_read(struct engine *engine, struct gr_error *err);

/* ---- calls (call.c): one operation of the API, repeated as its class allows ---- */

struct call_result {
	enum call_outcome outcome;
	bool may_still_work;
	json_t *body; /* borrowed during on_done */
	json_t **body_owner; /* where it may be let go already then */
	struct gr_error error;
	const char *file_sha256; /* borrowed, or NULL */
	int64_t file_bytes;
	unsigned attempts; /* exchanges made */
};

struct call_order {
	enum operation_id operation;
	json_t *arguments; /* taken over */
	const struct retry_policy *policy; /* in the time of the pipeline */
	int64_t answer_ms; /* 0: the operation's own */
	int64_t deadline_ms; /* no repeat would begin after it */
	bool is_quick; /* cleanup under a signal */
	bool is_timely; /* a wait ended with it: before requests that had none */
	bool is_hashed; /* the file that is sent: file_sha256 is wanted */
	bool passes_outage; /* sent while nothing else is: the question whether it is over, and outage_is_passed() */
	bool *start_lock; /* is taken before the first attempt, and then true; NULL: not needed */
	const char *lane, *step; /* for events; borrowed, must outlive the call; may be NULL */
	void (*on_done)(void *context, const struct call_result *result);
	void *context;
};

/* Never calls back from inside. */
struct call *call_start(struct engine *engine, const struct call_order *order);
void call_free_lookups(struct engine *engine); /* after all calls are gone */
void call_cancel(struct call *call); /* no call back follows; NULL is fine */
/* The end of a start (or another write that is sent once) of which it is known by now what came of it, or proven that
 * it did not reach the server: on_done is called, from inside. false: its request is out, and nothing is known. */
bool call_conclude(struct call *call, const struct gr_error *why);
/* The operation, when the request of a start (or another write that is sent once) is on the wire at this moment; else
 * NULL. */
const char *call_committed(const struct call *call);
/* The exchange that is under way, or NULL; *ret_file: the file that it sends, borrowed, or NULL. NULL is fine. */
const struct transfer *call_transfer(const struct call *call, const char **ret_file);

/* ---- what came back (meaning.c) ---- */
bool operation_may_repeat(const struct operation *operation); /* without a trace: a read, or an idempotent write */
struct reading {
	json_t *body; /* parsed, the caller's; NULL: there is none, or it is no JSON */
	enum attempt_verdict verdict;
	enum call_outcome meaning; /* with ATTEMPT_ANSWERED */
};
/* What one attempt brought; err is filled unless it is CALL_DONE. */
void reading_take(const struct operation *operation, struct transfer_result *result, struct reading *ret_reading,
        struct gr_error *err);
/* Is it proven that the request made nothing? */
bool reading_is_undone(const struct reading *reading);

/* ---- one start at a time on this host (start_lock.c) ---- */
struct start_lock {
	int fd; /* -1: none can be had */
	unsigned holders; /* tasks of this process */
};
void start_lock_open(struct engine *engine); /* the server's URL is known, files may still be opened */
void start_lock_close(struct engine *engine);
/* false: another process has it; ask again after *ret_again_ms. since_ms: of the first time. */
bool start_lock_take(struct engine *engine, int64_t since_ms, int64_t *ret_again_ms);
void start_lock_give(struct engine *engine, bool *holds); /* *holds becomes false */

/* ---- forms (form.c) ---- */

struct request;
/* Put secrets in the place of their handles. */
int form_fill(struct engine *engine, const struct operation *operation, struct request *request, struct gr_error *err);
bool form_has_file(const struct request *request);
void form_order(const struct request *request, struct transfer_field *fields);
/* How long the answer may take; wanted_ms: what the step asks for, or 0. */
int64_t form_answer_ms(const struct engine *engine, const struct operation *operation, int64_t wanted_ms);
/* The same for a file that is fetched by GET. */
int64_t form_file_ms(const struct engine *engine);

/* A policy in the pace of a rehearsal. */
struct retry_policy form_retries(const struct engine *engine, const struct retry_policy *policy);

/* ---- outages (outage.c): the server is out of reach, and every request would only fail ---- */

struct outage {
	unsigned failures; /* in a row, of all calls */
	bool has_answered; /* once at least: an address that never worked is a mistake, not an outage */
	bool is_open, is_over_budget;
	int64_t since_ms, span_ms, spent_ms; /* of the one that is open; of those before */
	struct timer timer;
	struct call *question;
};
/* Nobody is there: no connection, a gateway that finds nobody behind it, a page about works in place of an answer; or
 * the server takes nothing for now. */
bool outage_is_sign(enum attempt_verdict verdict, const struct transfer_result *result);
void outage_note(struct engine *engine, enum attempt_verdict verdict, const struct transfer_result *result);
/* Begin one; false: the server has not answered yet, or was out of reach for too long. */
bool outage_begin(struct engine *engine);
/* May nothing be sent now? *ret_wait_ms: when to ask again; CLOCK_NEVER: not any more in this run. */
bool outage_holds(const struct engine *engine, int64_t *ret_wait_ms);
/* What gives back waits for the end of one, unless the run has no time for that. */
bool outage_is_passed(const struct engine *engine);
void outage_error(const struct engine *engine, struct gr_error *err);
void outage_release(struct engine *engine);

/* ---- reservations whose answer got lost (marked.c) ----
 * They carry the run's key in their comment, so the server's list tells what is held. It may lag behind, and a request
 * that nobody waits for may still be under way: until a minute after the request the list is asked again. */
struct marked {
	unsigned open; /* asked for, and not known to be held or refused */
	int64_t since_ms; /* when the last one was sent, or its answer got lost */
	bool is_doubted; /* one was refused: what made it although it says no is held all the same */
	bool has_looked;
	struct call *call;
	struct timer again;
};
void marked_recall(struct engine *engine); /* those of earlier processes; after what they held is taken over */
/* Whether a request makes such a reservation. One by `call` carries no key, and is its author's to give back. */
bool marked_is(const struct operation *operation, const json_t *arguments);
void marked_note_sent(struct engine *engine);
void marked_note_undone(struct engine *engine); /* proven: it made nothing */
void marked_note_refused(struct engine *engine); /* worth one look at the end */
void marked_note_lost(struct engine *engine);
void marked_note_held(struct engine *engine, enum operation_id gives_back);
/* Ask, if any may be there; engine_advance() follows. */
void marked_look(struct engine *engine);
bool marked_is_settled(const struct engine *engine);
bool marked_is_owed(const struct engine *engine); /* a look that has not been done */
void marked_release(struct engine *engine); /* no look follows */

/* ---- what an earlier process reserved (still_held.c) ---- */
void still_held_look(struct engine *engine);
void still_held_release(struct engine *engine);

/* ---- what is held (resources.c) ---- */

struct resource {
	char *key, *what;
	enum operation_id operation;
	json_t *arguments;
	bool is_released, is_quick, is_early; /* is_early: long before the end */
	enum operation_id sent; /* the one tried last: `operation`, or its counterpart after a definite no */
	unsigned checks; /* looks at the reservation list after an unclear answer */
	unsigned pages; /* web pages that came in place of an answer */
	struct timer again;
	struct call *call;
	struct engine *engine;
	struct gr_error error;
};

/* acquired: see struct action. */
void resources_add(struct engine *engine, const char *lane, const char *step, const json_t *acquired);
void resources_mark_released(struct engine *engine, const char *key);
/* Start giving back all that is held, side by side; engine_advance() follows each end. */
void resources_release_all(struct engine *engine, bool is_quick);
void resources_give_up(struct engine *engine); /* time is over: what is not proven given back is said */
bool resources_are_settled(const struct engine *engine);
void resources_free(struct engine *engine);

/* ---- tasks (task.c): one step under way ---- */

struct task {
	struct engine *engine;
	struct lane *lane;
	const struct plan_step *plan;
	struct step step;
	struct step_context context;
	struct timer wait, limit; /* ACTION_WAIT; `timeout:` */
	struct call *call;
	struct download *download;
	json_t *files; /* paths of what was brought home, or NULL */
	struct command *command;
	struct gr_error stop; /* set once the step was told to stop */
	struct timer stop_by; /* a start under way gets this long for its answer */
	char *said; /* the last progress */
	int64_t *looks; /* of the context's poll policy */
	int64_t moved_bytes; /* of the file under way, when it was last spoken of */
	char *part; /* of the step's tests, when they are spread over lanes: "2/4" */
	int64_t until_every_ms; /* pace of `until:` */
	bool is_begun, has_result, has_start_lock;
	bool is_over_limit; /* told to stop by its own timeout */
	bool is_repeatable; /* until something other than reading is done */
	unsigned requests;
	int64_t started_ms, started_wall_ms, deadline_ms;
	enum outcome outcome;
	struct gr_error error;
	json_t *outputs;
	size_t quarantined; /* failures of the last result that do not count */
	enum outcome settled; /* what it comes to without them */
	struct repetition *rerun; /* rerun.c, or NULL */
	/* a matrix */
	struct lane **lanes;
	size_t lane_count, lanes_next, lanes_running;
};

struct task *task_start(struct lane *lane, const struct plan_step *plan);
void task_stop(struct task *task, enum gr_failure failure, const char *why);
void task_force(struct task *task); /* end now, whatever is under way */
void task_free(struct task *task);
void task_finish(struct task *task, enum outcome outcome);
void task_send(struct task *task, struct event *event); /* hand an event to the step and do what it answers */

/* ---- starting tests again (rerun.c) ---- */
struct replay_step;
/* A result: that of a further start becomes part of the one that was known. */
void rerun_take(struct task *task, struct device_run *run);
/* Which further start is under way, or was the last, from 1; 0: the first start. */
unsigned rerun_round(const struct task *task);
/* The end of a further start: outcome and outputs are those of all starts together. */
void rerun_outputs(struct task *task, struct action *action);
/* true: a further start has begun, or could not (*ret_result). */
bool rerun_begin(struct task *task, struct action *action, int *ret_result, struct gr_error *err);
/* A further start was under way when an earlier process ended. */
void rerun_recall(struct task *task, const struct replay_step *step);
void rerun_free(struct task *task);

/* ---- known-bad tests (quarantine.c) ---- */
void quarantine_take(struct task *task, struct device_run *run);
void quarantine_outputs(struct task *task, struct action *action);
/* Entries that have ended, or fit nothing, are said. */
void quarantine_end(struct engine *engine);

/* ---- local commands (command.c) and documents that answers name (download.c) ---- */
int command_start(struct task *task, const struct action *action, struct gr_error *err);
void command_stop(struct command *command); /* TERM, then KILL; no call back follows; NULL is fine */
void commands_free(struct engine *engine); /* after the loop is gone */
int download_start(struct task *task, const struct action *action, struct gr_error *err);
void download_cancel(struct download *download); /* no event follows; NULL is fine */
/* The exchange that brings a file, or NULL; *ret_file: its path, borrowed. NULL is fine. */
const struct transfer *download_transfer(const struct download *download, const char **ret_file);

/* ---- files under way (moving.c): for displays, at each tick ---- */
void moving_say(struct engine *engine);

/* ---- files that a run brings home (artifact.c) ---- */
/* artifacts/LANE/STEP/NAME below the output folder, in names that every system takes, numbered when taken; the
 * caller's. */
char *artifact_path(struct task *task, const char *name);
void artifact_emit(struct task *task, struct artifact *artifact); /* fills lane, step and device; nothing is kept */
void artifact_save(struct task *task, const json_t *list); /* struct action: save */
/* What an earlier process of this run brought home is there: said again, and not fetched again. */
void artifact_repeat(struct task *task);

/* ---- until (until.c) ----
 * false in ret_holds: the step is asked again later, and has not ended. */
int until_allows(const struct task *task, struct gr_error *err); /* GR_CONFIG: what makes something new each time */
int until_check(struct task *task, const json_t *outputs, bool *ret_holds, struct gr_error *err);

/* ---- what earlier runs say (past.c) ---- */
/* When a run's end is likely, into the context of a step that waits for one; after its fields are known. */
void past_fill(struct task *task);
/* Spread tests over the lanes of a matrix, once for the whole run: it is in the journal before any lane begins, so that
 * a resumed run with a longer history spreads them no other way. */
int past_split(struct task *matrix, struct gr_error *err);
/* The lanes are over: a part that a lane skipped while others did theirs is a test that never ran. */
void past_split_end(struct task *matrix);
/* The lane's part of them into the step's fields. */
int past_take_part(struct task *task, struct gr_error *err);

/* ---- matrix (matrix.c) ---- */
int matrix_start(struct task *task, struct gr_error *err);
void matrix_stop(struct task *task, enum gr_failure failure, const char *why);

/* ---- lanes (lane.c): steps in order ---- */

struct lane {
	struct engine *engine;
	struct task *parent; /* the matrix it belongs to, or NULL */
	char *name;
	const struct plan_step *steps;
	size_t count, next;
	json_t *matrix; /* its values, or NULL */
	json_t *done; /* `steps` of expressions: outputs by id */
	struct task *task;
	struct timer turn; /* goes on from the loop, never from inside a call back */
	bool has_failed, is_ended, is_stopped, is_finally;
	bool is_anew; /* on another device: what earlier processes knew of its steps is of the one that was lost */
	enum outcome outcome;
	struct replacement *replacement; /* of a lost device (replace.c), or NULL */
	void (*on_end)(struct lane *lane);
};

/* ---- another device for a lane that lost its own (replace.c) ---- */
bool replace_begin(
        struct lane *lane); /* true: the task that just ended may have lost its device; replace_due() is next */
const struct plan_step *replace_due(struct lane *lane); /* the selection to run now, or NULL */
bool replace_is(const struct lane *lane, const struct plan_step *plan);
void replace_fields(const struct lane *lane, json_t *with);
void replace_end(struct lane *lane, const struct task *task);
/* The lane is about to begin: on the device that an earlier process had taken for it, if there is one. */
void replace_recall(struct lane *lane);
void replace_free(struct lane *lane);

struct lane *lane_new(struct engine *engine, struct task *parent, const char *name);
void lane_begin(struct lane *lane);
void lane_task_ended(struct lane *lane);
void lane_stop(struct lane *lane, enum gr_failure failure, const char *why);
/* The run ends here: say of each step that is left that it was not run. */
void lane_close(struct lane *lane);
void lane_free(struct lane *lane);

/* ---- scope (scope.c): what expressions see ---- */
json_t *scope_new(struct engine *engine, const struct lane *lane); /* a new object */
json_t *scope_results(const struct engine *engine);
/* `with:` of a step, evaluated and converted. */
int scope_fields(struct engine *engine, const struct lane *lane, const struct plan_step *plan, json_t **ret_with,
        struct gr_error *err);
int scope_init(struct engine *engine, struct gr_error *err);
void scope_release(struct engine *engine);

/* ---- the server (server.c): URL, token, TLS ---- */
int server_init(struct engine *engine, struct gr_error *err);
/* What keeps a secret of the pipeline from having a value, as an error. Of the sandbox: elsewhere no run begins so. */
int server_lacks_secret(const struct engine *engine, const char *handle, struct gr_error *err);
void server_release(struct engine *engine);

/* ---- who is asked, and as whom (identity.c) ---- */
int identity_check(struct engine *engine, struct gr_error *err); /* GR_USAGE: an earlier process used another server */
void identity_compare_token(struct engine *engine); /* warns of another token */
/* What tells two tokens apart and gives neither away, for the journal; the caller's, NULL without a token. */
char *identity_token_print(const struct engine *engine);

/* ---- gate (gate.c) ---- */
void gate_judge(struct engine *engine);

/* ---- what was started (starts.c) ---- */
void starts_note(struct engine *engine, const char *lane, const char *step, const json_t *learned);
void starts_recall(struct engine *engine); /* by earlier processes */

/* ---- a journal that breaks (broken.c) ---- */
/* A start in what a step has learned is remembered; true: there is one. */
bool broken_note(struct engine *engine, const char *lane, const char *step, const json_t *learned);
/* After an event, or a wait for the disk (NULL): what was started is said at once, should the journal have broken. */
void broken_follow(struct engine *engine, const struct run_event *event);

/* ---- the run itself (engine.c) ---- */

struct engine {
	const struct plan *plan;
	const struct engine_options *options;
	struct loop *loop;
	struct vault *vault;
	struct transfer_settings settings;
	char *base_url, *user_id;
	char *ca_file, *client_cert, *client_key, *proxy;
	char *email, *own_build_id;
	char *password;
	struct retry_bucket bucket;
	struct results results;
	struct gr_error broken; /* a reader failed (the journal's disk): nothing new may start */
	bool is_broken_said;
	json_t *starts; /* test runs, for steps that look for theirs (starts.c) */
	json_t *started; /* test runs, for people, by lane and step (broken.c) */
	int64_t server_skew_ms; /* the server's clock minus ours */
	json_t *inputs, *environment, *devices, *app, *secrets, *run;
	struct lane *main, *finally;
	struct resource **held;
	size_t held_count;
	struct outage outage;
	struct start_lock start_lock;
	struct marked marked;
	struct call *still_held; /* still_held.c, or NULL */
	json_t *artifact_paths; /* taken names (artifact.c), or NULL */
	struct lookup *lookups; /* of the vault, under way (call.c) */
	struct departure {
		struct call *first, *last;
		struct timer timer;
	} prepared; /* calls whose intent is not yet known to be on the disk (departure.c) */
	struct call *offers; /* reads that may still be joined (shared_read.c) */
	struct command *commands;
	struct timer limit, tick, grace;
	int64_t moved_ms; /* when files under way were last spoken of */
	struct timer settling; /* in the next turn of the loop, for all that this one learns */
	int64_t started_ms;
	enum gr_failure stop; /* GR_CANCELLED, GR_DEADLINE, GR_NETWORK (an outage), or GR_NONE */
	int signal_number;
	int64_t signalled_ms;
	bool is_cleanup; /* `gridlane cleanup` */
	bool is_late; /* the time is over, and all is done but for artifacts: no more are fetched */
	unsigned requests; /* HTTP exchanges, those outside steps (look-ups, releases) included */
	enum { PHASE_STEPS, PHASE_FINALLY, PHASE_RELEASE, PHASE_OVER } phase;
};

void engine_emit(struct engine *engine, struct run_event *event);
/* Before a request leaves or a command starts: what readers must not lose is on the disk. */
void engine_settle(struct engine *engine);
void engine_settle_soon(struct engine *engine); /* in the next turn of the loop: one wait for many lanes */
void engine_problem(struct engine *engine, enum gr_failure failure, const char *lane, const char *step,
        const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same, for people alone: the verdict does not hang on it. */
void engine_warn(struct engine *engine, enum gr_failure failure, const char *lane, const char *step, const char *format,
        ...) __attribute__((format(printf, 5, 6)));
/* The next phase, when what this one waits for is done. */
void engine_advance(struct engine *engine);
/* Signals, the run's time limit, an outage without end (cancel.c). */
void cancel_for_outage(struct engine *engine, const char *why);
void cancel_init(struct engine *engine);
/* Give up what a run that starts no program has no use for, whatever an answer does to us (enclose.c). Best effort. */
void engine_enclose(const struct engine *engine);
int64_t engine_scaled(const struct engine *engine, int64_t span_ms); /* a duration of the pipeline in real time */
uint64_t engine_random(void);

#endif
