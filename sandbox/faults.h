/* What goes wrong on purpose: rows of the scenario's `faults`, by operation and call number. */
#ifndef GRIDLANE_SANDBOX_FAULTS_H
#define GRIDLANE_SANDBOX_FAULTS_H

#include <jansson.h>
#include <stdbool.h>

#include "sandbox/call.h"

/* Kinds that concern the exchange; the others (foreign_build, list_delay, ...) are asked for by handlers. */
enum delivery { DELIVER_NORMAL, DELIVER_RESET, DELIVER_HANG, DELIVER_CUT, DELIVER_SLOW };

/* The row of `kind` that applies to this call, or NULL; the row is the scenario's. */
const json_t *fault_find(const struct call *call, const char *kind);
/* The row that changes how this call is answered, or NULL. */
const json_t *fault_of_exchange(const struct call *call);
/* Is the operation's work done although the answer is spoilt? */
bool fault_does_work(const json_t *fault);
enum delivery fault_delivery(const json_t *fault);
/* Is it a kind the sandbox knows? */
bool fault_kind_is_known(const char *kind);
/* The operations that it can happen to, separated by blanks; NULL: to each. */
const char *fault_kind_operations(const char *kind);
bool fault_can_happen(const char *kind, const char *operation);

#endif
