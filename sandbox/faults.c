#include "sandbox/faults.h"

#include <string.h>

#include "runner/base/memory.h"
#include "sandbox/routes.h"

/* Kinds of the exchange, and whether the operation's work is done before the answer is spoilt. */
static const struct {
	const char *kind;
	enum delivery delivery;
	bool exchange, work;
} kinds[] = {
        {"status", DELIVER_NORMAL, true, false},
        {"reset_before", DELIVER_RESET, true, false},
        {"outage", DELIVER_RESET, true, false},
        {"reset_after", DELIVER_RESET, true, true},
        {"hang", DELIVER_HANG, true, true},
        {"cut_body", DELIVER_CUT, true, true},
        {"garbage", DELIVER_NORMAL, true, true},
        {"html", DELIVER_NORMAL, true, true},
        {"empty", DELIVER_NORMAL, true, true},
        {"slow", DELIVER_SLOW, true, true},
        {"late", DELIVER_NORMAL, true, true},
        {"redirect", DELIVER_NORMAL, true, false},
        {"foreign_build", DELIVER_NORMAL, false, true},
        {"list_delay", DELIVER_NORMAL, false, true},
        {"shrink", DELIVER_NORMAL, false, true},
        {"device_vanishes", DELIVER_NORMAL, false, true},
        {"release_fails", DELIVER_NORMAL, false, true},
};

static size_t kind_index(const char *kind)
{
	size_t i;

	for (i = 0; i < GR_COUNT(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			break;
	return i;
}

bool fault_kind_is_known(const char *kind)
{
	return kind_index(kind) < GR_COUNT(kinds);
}

/* `call` is one call, `from` and `until` (both included) a range; none of them: every call. */
static bool number_fits(const json_t *fault, int64_t number)
{
	double n = (double)number;

	if (json_object_get(fault, "call") != NULL && member_number(fault, "call", 0) != n)
		return false;
	return n >= member_number(fault, "from", 1) && n <= member_number(fault, "until", NEVER);
}

static bool fault_fits(const json_t *fault, const struct call *call)
{
	const char *operation = member_text(fault, "operation");

	if (*operation != '\0' && strcmp(operation, call->route->id) != 0)
		return false;
	return number_fits(fault, call->number);
}

const json_t *fault_find(const struct call *call, const char *kind)
{
	size_t i;
	json_t *fault;

	json_array_foreach (json_object_get(call->state->scenario, "faults"), i, fault)
		if (strcmp(member_text(fault, "kind"), kind) == 0 && fault_fits(fault, call))
			return fault;
	return NULL;
}

/* From the call of its row on every request is cut off, until its time is over. */
static const json_t *outage_of(struct state *state, const json_t *fault)
{
	if (fault != NULL && strcmp(member_text(fault, "kind"), "outage") == 0) {
		state->outage = fault;
		state->outage_until = state_now(state) + member_number(fault, "seconds", 300);
	}
	return fault;
}

static const json_t *fault_of_row(const struct call *call)
{
	size_t i;
	json_t *fault;

	json_array_foreach (json_object_get(call->state->scenario, "faults"), i, fault)
		if (kinds[kind_index(member_text(fault, "kind"))].exchange && fault_fits(fault, call))
			return fault;
	return NULL;
}

const json_t *fault_of_exchange(const struct call *call)
{
	struct state *state = call->state;

	if (state->outage != NULL && state_now(state) < state->outage_until)
		return state->outage;
	return outage_of(state, fault_of_row(call));
}

bool fault_does_work(const json_t *fault)
{
	const json_t *work = json_object_get(fault, "work");

	return json_is_boolean(work) ? json_is_true(work) : kinds[kind_index(member_text(fault, "kind"))].work;
}

enum delivery fault_delivery(const json_t *fault)
{
	return kinds[kind_index(member_text(fault, "kind"))].delivery;
}
