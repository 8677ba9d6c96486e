#include "sandbox/faults.h"

#include <string.h>

#include "runner/base/memory.h"
#include "sandbox/routes.h"

/* Kinds of the exchange, and whether the operation's work is done before the answer is spoilt. */
static const struct {
	const char *kind;
	enum delivery delivery;
	bool exchange, work;
	const char *operations; /* the only ones that it means something for, or NULL */
} kinds[] = {
        {"status", DELIVER_NORMAL, true, false, NULL},
        {"reset_before", DELIVER_RESET, true, false, NULL},
        {"outage", DELIVER_RESET, true, false, NULL},
        {"reset_after", DELIVER_RESET, true, true, NULL},
        {"hang", DELIVER_HANG, true, true, NULL},
        {"cut_body", DELIVER_CUT, true, true, NULL},
        {"garbage", DELIVER_NORMAL, true, true, NULL},
        {"html", DELIVER_NORMAL, true, true, NULL},
        {"empty", DELIVER_NORMAL, true, true, NULL},
        {"slow", DELIVER_SLOW, true, true, NULL},
        {"late", DELIVER_NORMAL, true, true, NULL},
        {"redirect", DELIVER_NORMAL, true, false, NULL},
        {"foreign_build", DELIVER_NORMAL, false, true, "app_build_run"},
        {"list_delay", DELIVER_NORMAL, false, true, "app_build_run reserve_device"},
        {"shrink", DELIVER_NORMAL, false, true, "execution_details"},
        {"device_vanishes", DELIVER_NORMAL, false, true,
                "execution_details get_device_list get_all_devices_with_filter"},
        {"release_fails", DELIVER_NORMAL, false, true, "release_device release_reserve_device cancel_reserve_device"},
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

const char *fault_kind_operations(const char *kind)
{
	size_t i = kind_index(kind);

	return i < GR_COUNT(kinds) ? kinds[i].operations : NULL;
}

bool fault_can_happen(const char *kind, const char *operation)
{
	const char *all = fault_kind_operations(kind);
	size_t bytes = strlen(operation);

	for (const char *at = all; at != NULL && (at = strstr(at, operation)) != NULL; at += bytes)
		if ((at == all || at[-1] == ' ') && (at[bytes] == ' ' || at[bytes] == '\0'))
			return true;
	return all == NULL;
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
