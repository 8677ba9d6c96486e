/* What the emulated cloud knows: catalogue entries (users, applications, devices, teams ...) as JSON objects in the
 * shape of the reference, and what happens over time (runs, native runs, installs, reservations) as structs whose
 * present state follows from the emulated clock alone. Everything belongs to the one thread that serves. */
#ifndef GRIDLANE_SANDBOX_STATE_H
#define GRIDLANE_SANDBOX_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/base/error.h"

/* Emulated seconds are doubles counted from the start of the sandbox; this one never comes. */
#define NEVER 1e15

enum outcome_kind { TEST_NOT_STARTED, TEST_STARTED, TEST_PASS, TEST_FAIL, TEST_STOPPED, TEST_SKIPPED, TEST_UNKNOWN };

struct test { /* one test case of a run; texts are borrowed from the scenario */
	const char *name, *reason, *data, *raw;
	enum outcome_kind outcome;
	double starts, ends;
};

struct test_run {
	char *build_number, *build_id, *build_test_id;
	int64_t version; /* counted from 1 in each application: what the start's answer calls build_version */
	const json_t *app, *module, *device, *build;
	double created, listed, starts, ends; /* emulated seconds */
	bool stopped, foreign, old;
	struct test *tests;
	size_t test_count;
};

struct native_run {
	char *id, *name, *file;
	const json_t *device, *suite;
	bool ios;
	double created, starts, ends;
	double counted; /* when its counts are there: at its end, or `settle_seconds` later */
};

struct install {
	char *id;
	const json_t *device, *build;
	bool fails;
	double starts, ends; /* NEVER: it hangs */
};

struct reservation {
	char *id, *comments;
	const json_t *device, *user;
	int64_t from_ms, to_ms; /* real wall clock: the client's clock is what its windows are made of */
	bool accepted, over;
	double listed_at; /* emulated seconds */
};

struct state {
	json_t *scenario; /* checked; the catalogue below borrows nothing from it but texts */
	char base_url[64];
	char token[80];
	double time_scale;
	int64_t started_ns, started_wall_ms;
	uint64_t random;
	json_t *users, *apps, *builds, *devices, *modules, *teams, *groups, *sessions;
	json_t *contents; /* of the section Utility: file name -> text */
	json_t *calls; /* operation -> how often it was called */
	json_t *violations; /* texts, for /sandbox/state */
	const json_t *outage; /* the scenario's row of the latest one, or NULL */
	double outage_until;
	int64_t last_id;
	struct test_run *runs;
	size_t run_count;
	struct native_run *natives;
	size_t native_count;
	struct install *installs;
	size_t install_count;
	struct reservation *reservations;
	size_t reservation_count;
};

/* `state` is zeroed but for base_url, which the rows of devices hold. Takes the scenario over. Fails on a scenario
 * whose parts do not fit together (a module of an unknown application). */
int state_init(struct state *state, json_t *scenario, double time_scale, struct gr_error *err);
void state_release(struct state *state);

double state_now(const struct state *state); /* emulated seconds since the start */
char *state_time_text(const struct state *state, double emulated); /* "2026-03-01 10:15:30", UTC, the caller's */
double state_chance(struct state *state); /* 0 <= x < 1, from the scenario's seed */
char *state_next_id(struct state *state); /* the caller's */
char *state_new_token(void); /* 32 hex digits, the caller's */

/* Switches and numbers of the scenario, which always holds every one of them (the built-in is below). */
const char *state_word(const struct state *state, const char *name);
bool state_word_is(const struct state *state, const char *name, const char *word);
double state_number(const struct state *state, const char *name);

/* The entry of `list` whose `key` is `value` (texts), or NULL. */
json_t *list_find(const json_t *list, const char *key, const char *value);
/* A text member, "" when absent. Numbers are not texts. */
const char *member_text(const json_t *object, const char *key);
double member_number(const json_t *object, const char *key, double fallback);
/* A new text of an integer, real or text member, or `fallback`: ids may be written either way. The caller's. */
char *member_id(const json_t *object, const char *key, const char *fallback);
void member_set_text(json_t *object, const char *key, const char *text);

json_t *app_of_token(const struct state *state, const char *token);
/* The version of that token; ret_app (may be NULL) its application. */
json_t *version_of_token(const struct state *state, const char *token, json_t **ret_app);
json_t *version_of_id(const struct state *state, const char *id, json_t **ret_app);
json_t *build_of_id(const struct state *state, const char *id);
/* Give the build an id of the scenario's, its URL with it. */
void build_set_id(const struct state *state, json_t *build, const char *id);
/* An uploaded build with the next id; its platform follows from the file's name (none: web). */
json_t *build_add(struct state *state, const json_t *app, const json_t *version, const char *name, const char *file);

json_t *device_of_id(const struct state *state, const char *id);
json_t *device_of_code(const struct state *state, const char *s_device);
/* Why the device cannot be used by `user` now ("Device is offline."), or NULL. */
const char *device_refusal(const struct state *state, const json_t *device, const json_t *user);
struct reservation *device_reservation(const struct state *state, const json_t *device);
bool device_is_offline(const struct state *state, const json_t *device);
bool device_runs_build(const struct state *state, const json_t *device);
double device_free_at(const struct state *state, const json_t *device);

#endif
