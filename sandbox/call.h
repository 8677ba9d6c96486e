/* One call of an operation while it is answered: what came in, who asked, and what goes out. */
#ifndef GRIDLANE_SANDBOX_CALL_H
#define GRIDLANE_SANDBOX_CALL_H

#include <jansson.h>
#include <stdbool.h>

#include "sandbox/state.h"

struct route;
struct call {
	struct state *state;
	const struct route *route;
	const char *method, *path; /* borrowed */
	json_t *parameters; /* name -> text, path parameters included */
	json_t *files; /* name -> {file, bytes, sha256} */
	json_t *violations; /* texts: what the reference does not allow */
	const json_t *user; /* whose token it was, or NULL */
	bool token_given;
	int64_t number; /* which call of this operation, from 1 */
	double answer_at; /* emulated seconds; 0: now */
	int http_status; /* 200 unless a refusal says otherwise */
	bool refused;
	const char *fault; /* the kind of the fault that changes the exchange, borrowed, or NULL */
};

void call_init(struct call *call, struct state *state);
void call_release(struct call *call);
void call_violation(struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A parameter's value, "" when absent. */
const char *call_text(const struct call *call, const char *name);
bool call_has(const struct call *call, const char *name);

/* The answer of a success in the style of the route's family; callers add members to it. A new reference. */
json_t *call_accept(const struct call *call, const char *words);
/* The answer of a refusal; http_status counts with `errors: http` only. A new reference. */
json_t *call_refuse(struct call *call, int http_status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Put `list` (stolen) under `key` as the switches `single` and `empty` say. may_be_object: the reference shows one
 * entry without a list around it. */
void call_put_list(const struct call *call, json_t *answer, const char *key, json_t *list, bool may_be_object);

/* Entities that parameters name; NULL, with *ret_answer a refusal, when there is no such one. */
json_t *call_app(struct call *call, json_t **ret_answer); /* application_token */
json_t *call_version(struct call *call, json_t **ret_answer); /* version_token, which must be of application_token */
json_t *call_device(struct call *call, json_t **ret_answer); /* device_id, or s_device */
json_t *call_build(struct call *call, json_t **ret_answer); /* app_build_id */

#endif
