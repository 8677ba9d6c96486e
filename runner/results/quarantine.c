#include "runner/results/quarantine.h"

#include "runner/base/memory.h"
#include "runner/base/text.h"

void quarantine_release(struct quarantine *quarantine)
{
	for (size_t i = 0; i < quarantine->count; i++) {
		struct quarantine_entry *entry = &quarantine->entries[i];

		gr_free(entry->test);
		gr_free(entry->device);
		gr_free(entry->reason);
		gr_free(entry->owner);
		gr_free(entry->until);
	}
	gr_free(quarantine->entries);
	gr_free(quarantine->file);
	*quarantine = (struct quarantine){0};
}

bool quarantine_entry_is_over(const struct quarantine_entry *entry, int64_t wall_ms)
{
	return wall_ms >= entry->ends_ms;
}

static bool fits_name(const char *pattern, const char *name, const char *data)
{
	GR_AUTO_FREE char *whole = NULL;

	if (text_equal(pattern, name) || text_match_glob(pattern, name))
		return true;
	if (!data || !*data)
		return false;
	whole = gr_printf("%s [%s]", name, data);
	return text_equal(pattern, whole) || text_match_glob(pattern, whole);
}

bool quarantine_entry_fits(
        const struct quarantine_entry *entry, const struct device_run *run, const struct test_case *test)
{
	const char *device = run->device.name ? run->device.name : run->device.device_id;
	GR_AUTO_FREE char *with_class = NULL;

	if (!test->name || (entry->device && (!device || !text_match_glob(entry->device, device))))
		return false;
	if (fits_name(entry->test, test->name, test->data))
		return true;
	if (!test->class_name || !*test->class_name)
		return false;
	with_class = gr_printf("%s.%s", test->class_name, test->name);
	return fits_name(entry->test, with_class, test->data);
}

static const struct quarantine_entry *find_entry(const struct quarantine *quarantine, int64_t wall_ms,
        const struct device_run *run, const struct test_case *test)
{
	for (size_t i = 0; i < quarantine->count; i++)
		if (!quarantine_entry_is_over(&quarantine->entries[i], wall_ms) &&
		        quarantine_entry_fits(&quarantine->entries[i], run, test))
			return &quarantine->entries[i];
	return NULL;
}

size_t quarantine_mark(const struct quarantine *quarantine, int64_t wall_ms, struct device_run *run)
{
	size_t marked = 0;

	for (size_t i = 0; i < run->case_count && quarantine->count > 0; i++) {
		struct test_case *test = &run->cases[i];
		const struct quarantine_entry *entry =
		        test_case_has_failed(test) ? find_entry(quarantine, wall_ms, run, test) : NULL;

		if (!entry)
			continue;
		test->quarantine = gr_strdup(entry->reason);
		test->quarantine_owner = gr_strdup(entry->owner);
		test->quarantine_until = gr_strdup(entry->until);
		marked++;
	}
	return marked;
}

bool quarantine_entry_is_used(const struct quarantine_entry *entry, const struct results *results)
{
	for (size_t i = 0; i < results->run_count; i++)
		for (size_t j = 0; j < results->runs[i].case_count; j++)
			if (quarantine_entry_fits(entry, &results->runs[i], &results->runs[i].cases[j]))
				return true;
	return false;
}
