/* The vault: every secret of a run, by the handle that stands for it everywhere else (api/handle.h). What goes in is
 * known to the redactor from that moment on. */
#ifndef GRIDLANE_ENGINE_VAULT_H
#define GRIDLANE_ENGINE_VAULT_H

#include <jansson.h>

#include "runner/api/operation.h"
#include "runner/base/redact.h"

struct vault;
struct vault *vault_new(struct redactor *redactor); /* the redactor is the caller's */
void vault_free(struct vault *vault); /* wipes */

void vault_put(struct vault *vault, const char *handle, const char *secret); /* later values win */
const char *vault_get(const struct vault *vault, const char *handle); /* NULL: not known (yet) */
#define VAULT_USER_TOKEN "gridlane-secret:user"

/* Learn from an answer: application and version tokens by their ids, the user token, and anything else called *_token
 * (for redaction alone). arguments: what was asked (get_build_version_info does not repeat its id). Call before an
 * answer is used or shown. */
void vault_learn(struct vault *vault, enum operation_id operation, const json_t *arguments, const json_t *answer);

/* The first handle among the values of `arguments` that the vault has no secret for, or NULL. Borrowed. */
const char *vault_missing(const struct vault *vault, const json_t *arguments);
/* How to find out: the operation and its arguments (a new reference) that make the vault learn `handle`. attempt 0 is
 * the first way, 1 the second. false: there is no (further) way. */
bool vault_lookup(const char *handle, unsigned attempt, enum operation_id *ret_operation, json_t **ret_arguments);
/* `text` with its handle replaced, the caller's (wipe it); a text that is no handle is copied. NULL: not known. */
char *vault_resolve(const struct vault *vault, const char *text);

#endif
