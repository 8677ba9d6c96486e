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

/* The greatest first; what is no number goes before all, so that it is kept. */
static int compare_numbers(const void *a, const void *b)
{
	int64_t left = as_int(*(char *const *)a), right = as_int(*(char *const *)b);

	if (left < 0 || right < 0)
		return (left < 0 ? 0 : 1) - (right < 0 ? 0 : 1);
	return (left < right) - (left > right);
}

static void begin(struct snapshot *snapshot)
{
	snapshot_release(snapshot);
	snapshot->words = json_object();
	snapshot->floor = snapshot->most = -1;
}

void snapshot_take(struct snapshot *snapshot, const struct build_list *list)
{
	GR_AUTO_FREE char **sorted = gr_alloc(list->count + 1, sizeof(*sorted));
	size_t kept = list->count < NUMBERS_MOST ? list->count : NUMBERS_MOST;

	begin(snapshot);
	snapshot->is_unsaid = list->is_unsaid;
	for (size_t i = 0; i < list->count; i++)
		sorted[i] = list->numbers[i];
	qsort(sorted, list->count, sizeof(*sorted), compare_numbers);
	for (size_t i = kept; i-- > 0;)
		snapshot_add(snapshot, sorted[i]);
	if (list->count > NUMBERS_MOST)
		snapshot->floor = as_int(sorted[NUMBERS_MOST]);
}

json_t *snapshot_to_json(const struct snapshot *snapshot)
{
	json_t *numbers = json_array(), *value = NULL;
	const char *word = NULL;

	for (size_t i = 0; i < snapshot->count; i++) {
		GR_AUTO_FREE char *number = gr_printf("%" PRId64, snapshot->values[i]);

		(void)json_array_append_new(numbers, json_string(number));
	}
	json_object_foreach (snapshot->words, word, value)
		(void)json_array_append_new(numbers, json_string(word));
	return json_pack("{s:o, s:I, s:b}", "numbers", numbers, "floor", (json_int_t)snapshot->floor, "unsaid",
	        snapshot->is_unsaid);
}

void snapshot_from_json(struct snapshot *snapshot, const json_t *json)
{
	const json_t *floor = json_object_get(json, "floor"), *item = NULL;
	size_t i = 0;

	begin(snapshot);
	snapshot->is_unsaid = json_is_true(json_object_get(json, "unsaid"));
	if (json_is_integer(floor))
		snapshot->floor = json_integer_value(floor);
	json_array_foreach (json_object_get(json, "numbers"), i, item)
		if (json_is_string(item))
			snapshot_add(snapshot, json_string_value(item));
}

/* Written as we would write it: "007" is a word. */
static bool is_plain(const char *number)
{
	return number[0] != '\0' && strspn(number, "0123456789") == strlen(number) &&
	       (number[0] != '0' || number[1] == '\0') && as_int(number) >= 0;
}

/* Where `value` is, or would be. */
static size_t find(const struct snapshot *snapshot, int64_t value)
{
	size_t low = 0, high = snapshot->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (snapshot->values[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_value(const struct snapshot *snapshot, int64_t value)
{
	size_t at = find(snapshot, value);

	return at < snapshot->count && snapshot->values[at] == value;
}

static void insert(struct snapshot *snapshot, int64_t value)
{
	size_t at = find(snapshot, value);

	if (has_value(snapshot, value))
		return;
	snapshot->values = gr_grow(snapshot->values, snapshot->count, sizeof(*snapshot->values));
	memmove(&snapshot->values[at + 1], &snapshot->values[at], (snapshot->count - at) * sizeof(*snapshot->values));
	snapshot->values[at] = value;
	snapshot->count++;
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
	gr_free(snapshot->values);
	json_decref(snapshot->words);
	*snapshot = (struct snapshot){0};
}
