/* The parts of app_build_run: what was there before the start, which of the start's numbers is the run's (proof), a
 * start whose answer was lost (search), and what polls have shown (watch). */
#ifndef GRIDLANE_STEPS_APP_RUN_H
#define GRIDLANE_STEPS_APP_RUN_H

#include <assert.h>

#include "runner/api/model.h"
#include "runner/steps/common.h"
#include "runner/steps/step.h"
#include "runner/steps/target.h"

/* The application's build numbers before the start. Of very long lists only the greatest are kept: all up to `floor`
 * count as being there. 1,000 lanes that start together have one each, hence numbers that follow each other in one
 * entry. */
struct snapshot {
	struct span {
		int64_t first, last;
	} * spans; /* ascending, with gaps between them */
	size_t count;
	json_t *words; /* object of those that are no plain numbers; NULL: none taken */
	int64_t floor, most;
	bool is_unsaid; /* the server gave no list, and did not say that there are no builds: perhaps there were some */
};
void snapshot_take(struct snapshot *snapshot, const struct build_list *list);
json_t *snapshot_to_json(const struct snapshot *snapshot);
void snapshot_from_json(struct snapshot *snapshot, const json_t *json);
bool snapshot_has(const struct snapshot *snapshot, const char *number);
/* Not in the snapshot, and greater than all that is. */
bool snapshot_is_after(const struct snapshot *snapshot, const char *number);
void snapshot_add(struct snapshot *snapshot, const char *number);
void snapshot_release(struct snapshot *snapshot);

struct app_run {
	const struct step *step;
	struct target target;
	struct snapshot before;
	char *build_id, *build_version; /* of the start's answer */
	char *number; /* the run's, proven */
	const char *source; /* of the number: "build_version", "build_id", "build_url", "adopted" */
	bool is_unseen; /* the number is proven by the list alone: its device has to appear, and to be ours */
	int64_t start_ms; /* the start's answer */
};
/* execution_details and build_list of the run's application. */
int app_run_ask(const struct app_run *run, const char *number, struct action *action);
int app_run_list(const struct app_run *run, struct action *action);

/* How an answer about a number fits this run's device and fields. */
enum app_fit {
	FIT_OPEN, /* no devices yet, or no usable answer */
	FIT_OURS, /* our device is in it, and nothing contradicts */
	FIT_OTHERS /* not our device, or something contradicts */
};
enum app_fit app_run_fit(const struct app_run *run, const struct execution *execution);
/* The same but for the app, whose bundle id an .ipa may lose when it is signed again. */
enum app_fit app_run_fit_device(const struct app_run *run, const struct execution *execution);
bool app_run_has_other_app(const struct app_run *run, const struct execution *execution);
/* The start's answer gave a build_id, and the details' URL has another one. */
bool app_run_is_elsewhere(const struct app_run *run, const struct execution *execution);
/* It fits, and yet it has tests that were not selected: somebody else's run, perhaps. No proof of that either: such a
 * run is neither adopted nor taken for absent. */
bool app_run_is_doubtful(const struct app_run *run, const struct execution *execution);
/* That device in an answer, by an id or, where the answer has none, by its name; is_known as below. */
const struct execution_device *execution_device_of(
        const struct execution *execution, const struct device *ours, bool is_known);
/* Our device in an answer; is_known: the run is proven ours, so the name will do if the id says nothing. NULL: not
 * there. */
const struct execution_device *app_run_device(
        const struct app_run *run, const struct execution *execution, bool is_known);

enum search_end { SEARCH_GOES_ON, SEARCH_FOUND, SEARCH_ABSENT };

/* Which of build_version and build_id is the run's number? Or a third one, whose URL has our build_id? Never one that
 * was there before the start. */
struct proof {
	struct app_run *run;
	char *numbers[2];
	const char *sources[2];
	enum app_fit fits[2];
	bool is_elsewhere[2]; /* its build_url names another build, or its device another app */
	unsigned fitting[2]; /* rounds in which it was new and ours, but for that */
	unsigned open[2]; /* rounds in which it was new, and its details said nothing */
	size_t count, at; /* at == count: the list is asked, then those of `strange` */
	json_t *strange; /* further numbers that are new in the list, to be asked whether their URL has our build_id */
	size_t strange_at;
	json_t *others; /* object of further numbers whose URL has another one: not asked again */
	bool is_waiting, had_outage;
	bool is_poll; /* when found: the event's answer was the run's first poll, and is in `poll` */
	struct execution poll;
	int64_t since_ms, outage_ms;
	struct pace pace;
};
/* The start was accepted, and its number is not known. */
int app_run_fail_unproven(const struct app_run *run, const char *why, struct gr_error *err);
/* -GR_UNKNOWN_START at once when no number can be proven to be the run's. */
int proof_begin(struct proof *proof, struct app_run *run, const struct event *event, struct action *action,
        struct gr_error *err);
/* FOUND sets the run's number, and proof->is_poll. ABSENT: none is proven, and the run is to be looked for among the
 * builds that are new. It reads the answer: nobody else can. */
int proof_next(struct proof *proof, const struct event *event, struct action *action, enum search_end *ret_end,
        struct gr_error *err);
void proof_release(struct proof *proof);

/* A start whose answer was lost, or names no number of the list: look for it among the builds that are new. The list
 * may lag behind, so that the device is looked at as well: while it was seen at work, nothing is proven absent. */
struct search {
	struct app_run *run;
	int64_t since_ms;
	bool is_long; /* the server may still be at it: look for longer */
	bool is_last_good;
	bool was_at_work; /* the device, in any look */
	bool has_rival; /* another lane's start that has no number yet may be what was found: look until it has one */
	bool is_device_seen; /* in the last look */
	size_t look, good_looks;
	json_t *found; /* numbers to examine in this look */
	size_t at;
	json_t *ours, *open; /* numbers of this look that are ours, and that say nothing yet */
	enum { SEARCH_WAIT, SEARCH_LIST, SEARCH_EXAMINE, SEARCH_DEVICE } phase;
};
int search_begin(
        struct search *search, struct app_run *run, bool is_long, const struct event *event, struct action *action);
int search_next(struct search *search, const struct event *event, struct action *action, enum search_end *ret_end,
        struct gr_error *err);
void search_release(struct search *search);

/* What polls have shown: a test seen once stays. */
struct seen_case { /* 1,000 lanes with 100 tests have 100,000 of them */
	char *name, *data, *reason;
	const char *module_id, *raw_status; /* of watch->words */
	int64_t time_ms;
	unsigned poll; /* of the last poll that had it; 0: one of an earlier process */
	unsigned same; /* of the first of its key: the place of the last one of that key in that poll */
	unsigned nth; /* among the cases of its key */
	uint8_t state, told; /* enum case_state */
	bool is_told : 1; /* `told` is in the step's memory */
	bool is_unsteady : 1; /* it changed after its end */
	bool is_timed : 1; /* its end was seen; time_ms may be TIME_UNKNOWN all the same */
};
static_assert(sizeof(struct seen_case) <= 64, "as small as it can be");
struct watch {
	struct app_run *run;
	uint32_t *places; /* by the hash of a case's key: its place in cases and 1, or 0 (app_place.c) */
	size_t place_count; /* a power of two */
	json_t *words; /* object: what many cases have in common is there once */
	json_t *gaps; /* keys of tests of which some have got their datum (app_cases.c) */
	struct seen_case *cases;
	size_t count;
	size_t reason_bytes; /* of reasons that were told */
	unsigned polls, over_polls;
	bool is_present, was_present, is_queued;
	size_t others, others_bad; /* further rows of devices in the last answer; those that did not pass */
	enum completion completed;
	char *raw_completed;
	int all_completed;
	int64_t counts[COUNT_KINDS];
	char *build_test_id, *url, *build_id;
	int64_t now_ms; /* of the answer that is taken; set it before */
	int64_t over_ms; /* since when the server says that the run is over */
	int64_t timed_ms; /* up to then the run's time belongs to tests that have ended */
};
void watch_begin(struct watch *watch, struct app_run *run);
/* One more answer; true when anything is different from the one before. */
bool watch_take(struct watch *watch, const struct execution *execution);
/* Does the server say, believably, that the run is over? */
bool watch_is_over(const struct watch *watch);
/* A case of the answer that is taken (app_cases.c): true when it is new or different. */
bool watch_take_case(struct watch *watch, const struct execution_case *test);
/* app_place.c: cases by their keys; absent texts are empty ones. */
struct case_key {
	const char *module_id, *name, *data;
	unsigned nth;
};
struct seen_case *watch_find(const struct watch *watch, const struct case_key *key); /* NULL: none */
void watch_place(struct watch *watch, const struct case_key *key, size_t index); /* cases[index] is going to have it */
void watch_displace(struct watch *watch, const struct case_key *key); /* nobody has it any more */
const char *watch_word(struct watch *watch, const char *text); /* the watch's own copy; NULL gives NULL */
/* A case that is not there yet; texts are copied. */
struct seen_case *watch_add(
        struct watch *watch, const char *module_id, const char *name, const char *data, unsigned nth);
bool case_is_over(enum case_state state);
/* app_seen.c: what is new goes into the step's memory; what an earlier process saw comes back from it. */
void watch_tell(struct watch *watch, struct action *action);
void watch_recall(struct watch *watch, const json_t *memory);
bool case_is_stand_in(const struct watch *watch, const struct seen_case *seen); /* the real one was polled since */
size_t watch_ended(const struct watch *watch); /* cases that have their end */
size_t watch_failed(const struct watch *watch);
/* Cases, counts and problems into the result. GR_NONE: the run is over; else what cut it short, and cases without an
 * end have that failure. */
void watch_judge(const struct watch *watch, enum gr_failure cut, struct device_run *result);
void watch_release(struct watch *watch);

#endif
