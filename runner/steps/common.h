/* What the state machines share: filling actions, reading fields and memory, turning events into errors, pacing polls.
 */
#ifndef GRIDLANE_STEPS_COMMON_H
#define GRIDLANE_STEPS_COMMON_H

#include "runner/api/model.h"
#include "runner/steps/step.h"

/* Fill an action. Each takes over what it is given, and returns 0, to end next() with. */
/* The answer has been read: what is made of it need not wait beside it. event->body is no more. */
void event_drop_body(const struct event *event);
/* The execution that the answer tells of; the answer's test cases are no more, where the step may let them go. */
int event_take_execution(const struct event *event, struct execution *ret_execution, struct gr_error *err);
int step_call(struct action *action, enum operation_id operation, json_t *arguments);
int step_wait(struct action *action, int64_t until_ms);
int step_done(struct action *action, enum outcome outcome, json_t *outputs);
/* The answer to EVENT_STOP of steps that have nothing more to tell. */
int step_stop(const struct event *event, struct action *action);
/* Add a member to action->learned; takes `value` over. */
void step_learn(struct action *action, const char *key, json_t *value);
void step_keep(struct action *action, const char *key, json_t *value); /* the state has it, the memory need not */
/* Register a reservation that was made: given back by `operation` on every way out. */
void step_acquire(
        struct action *action, const char *reservation_id, const char *operation, const struct device *device);

/* Fields, converted before; NULL, false and `otherwise` stand for absent and null. The text is the field's. */
const char *with_text(const struct step *step, const char *name);
bool with_flag(const struct step *step, const char *name);
int64_t with_int(const struct step *step, const char *name, int64_t otherwise);
/* A member of the memory as a text, or NULL; likewise. */
const char *memory_text(const struct step *step, const char *name);
int64_t memory_int(const struct step *step, const char *name, int64_t otherwise);

/* Set object[key] to a text, or to null when there is none. */
void set_text(json_t *object, const char *key, const char *text);
/* The same, but leave it out when there is none: for arguments. */
void set_argument(json_t *object, const char *key, const char *text);
/* object[key] = a text that is taken over (gr_free). */
void set_taken(json_t *object, const char *key, char *text);

/* Id of the pipeline's application, or NULL. */
const char *context_app_id(const struct step *step);
/* GR_CONFIG when there is none: says what to add to the pipeline. */
int context_needs_app(const struct step *step, struct gr_error *err);
/* The handle of an application's token, and of a version's: the caller's. */
char *application_handle(const struct step *step, const char *app_id);
/* What is tested: web if the application or the pipeline says so, else the device's platform, else theirs. */
enum platform step_platform(const struct step *step, const struct device *device);
/* "NAME (device 26)" for people; the caller's. */
char *device_words(const struct device *device);
#define RUN_MARK "[gr:"
/* "[gr:KEY]", which marks what this run makes; the caller's. */
char *run_marker(const struct step *step);

/* The error of an answer that is not CALL_DONE. `refused` is the failure of a plain refusal (an authentication problem
 * is GR_AUTH whatever the operation); `what` was tried ("install the build on 'Galaxy S23'"). Returns -failure. */
int answer_fail(const struct event *event, enum gr_failure refused, struct gr_error *err, const char *what, ...)
        __attribute__((format(printf, 4, 5)));
/* Does a refusal mean an expired or wrong token? */
bool answer_lacks_auth(const struct event *event);
/* A refusal whose words have this one in them, in capitals or not. */
bool answer_refuses(const struct event *event, const char *word);

/* Polls: from every_low towards every_high by a quarter more each time, and back when something moved; +-10 % so that
 * many lanes do not ask at once. */
struct pace {
	int64_t every_ms;
};
int64_t pace_next(struct pace *pace, const struct poll_policy *policy, uint64_t random); /* ms until the next poll */
void pace_restart(struct pace *pace);
/* Servers write a run's files after its end: a file that is not there is asked for again until so long after that. */
#define LATE_FILE_MS 15000
/* A settling time, in the pace of a rehearsal as all durations are. */
int64_t settle_ms(const struct poll_policy *policy, int64_t ms);
/* What was sent without an answer is looked for in a list that may lag; several times, and longer when the server may
 * still be at work on it (a time limit was over, ours or a gateway's). */
struct settling {
	size_t looks;
	bool is_long;
};
/* The wait before the next look; false: it has been looked for long enough. */
bool settle_again(const struct step *step, struct settling *settling, const struct event *event, struct action *action);
/* Is a limit (CLOCK_NEVER: none) reached? */
bool limit_passed(int64_t since_ms, int64_t limit_ms, int64_t now_ms);

#endif
