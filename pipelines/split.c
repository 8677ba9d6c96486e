#include "pipelines/split.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "runner/base/memory.h"

struct share {
	const char *name; /* NULL: of a list */
	json_t *id;
	json_int_t ms;
	size_t place, lane;
};

struct shares {
	struct share *items;
	size_t count, unknown;
	json_int_t whole_ms, longest_ms, assumed_ms;
};

size_t split_count(const json_t *tests)
{
	return json_object_size(tests) + json_array_size(tests);
}

static void collect(const json_t *tests, const json_t *seconds, struct shares *shares)
{
	json_t *object = (json_t *)(uintptr_t)tests, *id;
	const char *name;
	size_t i;

	shares->items = gr_alloc(split_count(tests) + 1, sizeof(*shares->items));
	json_array_foreach (tests, i, id)
		shares->items[shares->count++] = (struct share){.id = id, .ms = -1, .place = i};
	json_object_foreach (object, name, id) {
		const json_t *ms = json_object_get(seconds, name);

		shares->items[shares->count] = (struct share){.name = name,
		        .id = id,
		        .ms = json_is_integer(ms) ? json_integer_value(ms) : -1,
		        .place = shares->count};
		shares->count++;
	}
}

/* What is not known counts as the mean of what is. */
static void weigh(struct shares *shares)
{
	json_int_t sum = 0;

	for (size_t i = 0; i < shares->count; i++) {
		shares->unknown += shares->items[i].ms < 0;
		sum += shares->items[i].ms > 0 ? shares->items[i].ms : 0;
	}
	if (shares->unknown < shares->count)
		shares->assumed_ms = sum / (json_int_t)(shares->count - shares->unknown);
	for (size_t i = 0; i < shares->count; i++) {
		struct share *share = &shares->items[i];

		if (share->ms < 0)
			share->ms = shares->assumed_ms;
		shares->whole_ms += share->ms;
		shares->longest_ms = share->ms > shares->longest_ms ? share->ms : shares->longest_ms;
	}
}

static int longest_first(const void *a, const void *b)
{
	const struct share *left = a, *right = b;

	if (left->ms != right->ms)
		return left->ms > right->ms ? -1 : 1;
	return left->place < right->place ? -1 : left->place > right->place;
}

static int in_place(const void *a, const void *b)
{
	const struct share *left = a, *right = b;

	return left->place < right->place ? -1 : left->place > right->place;
}

struct load {
	json_int_t ms;
	size_t tests;
};

/* Of lanes that are equally busy, the one with fewer tests. */
static size_t least_busy(const struct load *loads, size_t lanes)
{
	size_t least = 0;

	for (size_t i = 1; i < lanes; i++)
		if (loads[i].ms < loads[least].ms ||
		        (loads[i].ms == loads[least].ms && loads[i].tests < loads[least].tests))
			least = i;
	return least;
}

static json_t *make_parts(const struct shares *shares, size_t lanes, bool is_map)
{
	json_t *parts = json_array();

	for (size_t i = 0; i < lanes; i++)
		(void)json_array_append_new(parts, is_map ? json_object() : json_array());
	for (size_t i = 0; i < shares->count; i++) {
		const struct share *share = &shares->items[i];
		json_t *part = json_array_get(parts, share->lane);

		if (share->name != NULL)
			(void)json_object_set(part, share->name, share->id);
		else
			(void)json_array_append(part, share->id);
	}
	return parts;
}

json_t *split_spread(const json_t *tests, const json_t *seconds, size_t lanes)
{
	struct shares shares = {0};
	struct load *loads = gr_alloc(lanes + 1, sizeof(*loads));
	json_t *ms = json_array(), *parts;

	collect(tests, seconds, &shares);
	weigh(&shares);
	qsort(shares.items, shares.count, sizeof(*shares.items), longest_first);
	for (size_t i = 0; i < shares.count; i++) {
		struct share *share = &shares.items[i];

		share->lane = least_busy(loads, lanes);
		loads[share->lane].ms += share->ms;
		loads[share->lane].tests++;
	}
	qsort(shares.items, shares.count, sizeof(*shares.items), in_place);
	parts = make_parts(&shares, lanes, json_is_object(tests));
	for (size_t i = 0; i < lanes; i++)
		(void)json_array_append_new(ms, json_integer(loads[i].ms));
	gr_free(loads);
	gr_free(shares.items);
	return json_pack("{s:o, s:o, s:I, s:I, s:I, s:I}", "parts", parts, "ms", ms, "whole_ms", shares.whole_ms,
	        "longest_ms", shares.longest_ms, "unknown", (json_int_t)shares.unknown, "assumed_ms",
	        shares.assumed_ms);
}
