#include "reporters/alike.h"

#include <ctype.h>
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"

#define CROWD_LEAST 3
#define REASON_BYTES 300 /* what of a line tells reasons apart */

/* The caller's; NULL when nothing is like it. */
static char *key_of(const struct test_case *test)
{
	GR_AUTO_BUFFER struct buffer key = {0};
	const char *at = test->reason ? test->reason + strspn(test->reason, " \t\r\n") : "";

	if (!*at || test_case_is_quarantined(test) || (test->status != STATUS_FAILED && test->status != STATUS_ERROR))
		return NULL;
	buffer_printf(&key, "%s %s ", case_status_name(test->status), failure_name(test->failure));
	for (size_t i = 0; i < REASON_BYTES && at[i] && !strchr("\r\n", at[i]); i++)
		if (!isdigit((unsigned char)at[i]))
			buffer_add_char(&key, at[i]);
		else if (i == 0 || !isdigit((unsigned char)at[i - 1]))
			buffer_add_char(&key, '#');
	return buffer_take(&key);
}

void alike_init(struct alike *alike, const struct results *results)
{
	*alike = (struct alike){.counts = json_object(), .said = json_object()};
	for (size_t i = 0; i < results->run_count; i++)
		for (size_t j = 0; j < results->runs[i].case_count; j++) {
			GR_AUTO_FREE char *key = key_of(&results->runs[i].cases[j]);

			if (key)
				(void)json_object_set_new_nocheck(alike->counts, key,
				        json_integer(json_integer_value(json_object_get(alike->counts, key)) + 1));
		}
}

size_t alike_others(const struct alike *alike, const struct test_case *test)
{
	GR_AUTO_FREE char *key = key_of(test);
	json_int_t count = key ? json_integer_value(json_object_get(alike->counts, key)) : 0;

	return count < CROWD_LEAST ? 0 : (size_t)count - 1;
}

bool alike_is_first(struct alike *alike, const struct test_case *test)
{
	GR_AUTO_FREE char *key = alike_others(alike, test) > 0 ? key_of(test) : NULL;

	if (!key)
		return true;
	if (json_object_get(alike->said, key))
		return false;
	(void)json_object_set_new_nocheck(alike->said, key, json_true());
	return true;
}

void alike_again(struct alike *alike)
{
	(void)json_object_clear(alike->said);
}

void alike_release(struct alike *alike)
{
	json_decref(alike->counts);
	json_decref(alike->said);
	*alike = (struct alike){0};
}
