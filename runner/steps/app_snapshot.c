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

void snapshot_take(struct snapshot *snapshot, const struct build_list *list)
{
	GR_AUTO_FREE char **sorted = gr_alloc(list->count + 1, sizeof(*sorted));

	snapshot_release(snapshot);
	snapshot->numbers = json_object();
	snapshot->floor = snapshot->most = -1;
	snapshot->is_unsaid = list->is_unsaid;
	for (size_t i = 0; i < list->count; i++)
		sorted[i] = list->numbers[i];
	qsort(sorted, list->count, sizeof(*sorted), compare_numbers);
	for (size_t i = 0; i < list->count && i < NUMBERS_MOST; i++)
		snapshot_add(snapshot, sorted[i]);
	if (list->count > NUMBERS_MOST)
		snapshot->floor = as_int(sorted[NUMBERS_MOST]);
}

json_t *snapshot_to_json(const struct snapshot *snapshot)
{
	json_t *numbers = json_array(), *value = NULL;
	const char *number = NULL;

	json_object_foreach (snapshot->numbers, number, value)
		(void)json_array_append_new(numbers, json_string(number));
	return json_pack("{s:o, s:I, s:b}", "numbers", numbers, "floor", (json_int_t)snapshot->floor, "unsaid",
	        snapshot->is_unsaid);
}

void snapshot_from_json(struct snapshot *snapshot, const json_t *json)
{
	const json_t *floor = json_object_get(json, "floor"), *item = NULL;
	size_t i = 0;

	snapshot_release(snapshot);
	snapshot->numbers = json_object();
	snapshot->most = -1;
	snapshot->floor = json_is_integer(floor) ? json_integer_value(floor) : -1;
	snapshot->is_unsaid = json_is_true(json_object_get(json, "unsaid"));
	json_array_foreach (json_object_get(json, "numbers"), i, item)
		if (json_is_string(item))
			snapshot_add(snapshot, json_string_value(item));
}

void snapshot_add(struct snapshot *snapshot, const char *number)
{
	int64_t value = as_int(number);

	(void)json_object_set_new(snapshot->numbers, number, json_true());
	if (value > snapshot->most)
		snapshot->most = value;
}

bool snapshot_has(const struct snapshot *snapshot, const char *number)
{
	int64_t value = as_int(number);

	return json_object_get(snapshot->numbers, number) != NULL || (value >= 0 && value <= snapshot->floor);
}

bool snapshot_is_after(const struct snapshot *snapshot, const char *number)
{
	int64_t value = as_int(number);

	return !snapshot_has(snapshot, number) && (value < 0 || value > snapshot->most);
}

void snapshot_release(struct snapshot *snapshot)
{
	json_decref(snapshot->numbers);
	*snapshot = (struct snapshot){0};
}
