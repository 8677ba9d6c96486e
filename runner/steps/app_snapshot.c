#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/steps/app_run.h"

/* Numbers kept: about 30 KiB of a journal record, which holds 64. */
enum { NUMBERS_MOST = 3000 };

static int64_t as_int(const char *number)
{
	int64_t value = -1;

	return number_parse_int(number, &value) ? value : -1;
}

struct entry {
	int64_t value; /* -1: it is no number */
	const char *number;
};

/* The greatest first; what is no number goes before all, so that it is kept. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	if (left->value < 0 || right->value < 0)
		return (left->value < 0 ? 0 : 1) - (right->value < 0 ? 0 : 1);
	return (left->value < right->value) - (left->value > right->value);
}

static void begin(struct snapshot *snapshot)
{
	snapshot_release(snapshot);
	snapshot->words = json_object();
	snapshot->floor = snapshot->most = -1;
}

void snapshot_take(struct snapshot *snapshot, const struct build_list *list)
{
	GR_AUTO_FREE struct entry *sorted = gr_alloc(list->count + 1, sizeof(*sorted));
	size_t kept = list->count < NUMBERS_MOST ? list->count : NUMBERS_MOST;

	begin(snapshot);
	snapshot->is_unsaid = list->is_unsaid;
	for (size_t i = 0; i < list->count; i++)
		sorted[i] = (struct entry){as_int(list->numbers[i]), list->numbers[i]};
	qsort(sorted, list->count, sizeof(*sorted), compare_entries);
	for (size_t i = kept; i-- > 0;)
		snapshot_add(snapshot, sorted[i].number);
	if (list->count > NUMBERS_MOST)
		snapshot->floor = sorted[NUMBERS_MOST].value;
}

/* As it was written: behind those that are there. */
static void append(struct snapshot *snapshot, int64_t first, int64_t last)
{
	snapshot->spans = gr_grow(snapshot->spans, snapshot->count, sizeof(*snapshot->spans));
	snapshot->spans[snapshot->count++] = (struct span){first, last};
	snapshot->most = last;
}

json_t *snapshot_to_json(const struct snapshot *snapshot)
{
	json_t *spans = json_array(), *words = json_array(), *value = NULL;
	const char *word = NULL;

	for (size_t i = 0; i < snapshot->count; i++)
		(void)json_array_append_new(spans,
		        json_pack("[I, I]", (json_int_t)snapshot->spans[i].first, (json_int_t)snapshot->spans[i].last));
	json_object_foreach (snapshot->words, word, value)
		(void)json_array_append_new(words, json_string(word));
	return json_pack("{s:o, s:o, s:I, s:b}", "spans", spans, "numbers", words, "floor", (json_int_t)snapshot->floor,
	        "unsaid", snapshot->is_unsaid);
}

void snapshot_from_json(struct snapshot *snapshot, const json_t *json)
{
	const json_t *floor = json_object_get(json, "floor"), *item = NULL;
	json_int_t first = 0, last = 0;
	size_t i = 0;

	begin(snapshot);
	snapshot->is_unsaid = json_is_true(json_object_get(json, "unsaid"));
	if (json_is_integer(floor))
		snapshot->floor = json_integer_value(floor);
	json_array_foreach (json_object_get(json, "spans"), i, item)
		if (json_unpack((json_t *)(uintptr_t)item, "[I, I]", &first, &last) == 0 && first >= 0 && first <= last)
			append(snapshot, first, last);
	json_array_foreach (json_object_get(json, "numbers"), i, item) /* words; in older journals all */
		if (json_is_string(item))
			snapshot_add(snapshot, json_string_value(item));
}

/* Written as we would write it: "007" is a word. */
static bool is_plain(const char *number)
{
	return number[0] != '\0' && strspn(number, "0123456789") == strlen(number) &&
	       (number[0] != '0' || number[1] == '\0') && as_int(number) >= 0;
}

/* The first span that does not end before `value`. */
static size_t find(const struct snapshot *snapshot, int64_t value)
{
	size_t low = 0, high = snapshot->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (snapshot->spans[middle].last < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_value(const struct snapshot *snapshot, int64_t value)
{
	size_t at = find(snapshot, value);

	return at < snapshot->count && snapshot->spans[at].first <= value;
}

static void insert(struct snapshot *snapshot, int64_t value)
{
	size_t at = find(snapshot, value);
	bool follows = at > 0 && snapshot->spans[at - 1].last == value - 1;
	bool leads = at < snapshot->count && snapshot->spans[at].first - 1 == value;

	if (has_value(snapshot, value))
		return;
	if (follows && leads) {
		snapshot->spans[at - 1].last = snapshot->spans[at].last;
		snapshot->count--;
		memmove(&snapshot->spans[at], &snapshot->spans[at + 1],
		        (snapshot->count - at) * sizeof(*snapshot->spans));
	} else if (follows) {
		snapshot->spans[at - 1].last = value;
	} else if (leads) {
		snapshot->spans[at].first = value;
	} else {
		snapshot->spans = gr_grow(snapshot->spans, snapshot->count, sizeof(*snapshot->spans));
		memmove(&snapshot->spans[at + 1], &snapshot->spans[at],
		        (snapshot->count - at) * sizeof(*snapshot->spans));
		snapshot->spans[at] = (struct span){value, value};
		snapshot->count++;
	}
}

void snapshot_add(struct snapshot *snapshot, const char *number)
{
	int64_t value = as_int(number);

	if (is_plain(number))
		insert(snapshot, value);
	else
		(void)json_object_set_new(snapshot->words, number, json_true());
	if (value > snapshot->most)
		snapshot->most = value;
}

bool snapshot_has(const struct snapshot *snapshot, const char *number)
{
	int64_t value = as_int(number);

	if (is_plain(number) ? has_value(snapshot, value) : json_object_get(snapshot->words, number) != NULL)
		return true;
	return value >= 0 && value <= snapshot->floor;
}

bool snapshot_is_after(const struct snapshot *snapshot, const char *number)
{
	int64_t value = as_int(number);

	return !snapshot_has(snapshot, number) && (value < 0 || value > snapshot->most);
}

void snapshot_release(struct snapshot *snapshot)
{
	gr_free(snapshot->spans);
	json_decref(snapshot->words);
	*snapshot = (struct snapshot){0};
}
