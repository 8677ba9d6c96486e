/* gridlane history flaky --quarantine: the flaky tests as entries of a quarantine, to be given an owner each. */
#include "runner/commands/history_quarantine.h"

#include <stdio.h>
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

/* Long enough to mend a test, short enough not to be forgotten. */
#define DAYS 14

/* A name as a pattern that fits it alone: plain names fit themselves, whatever brackets are in them. */
static char *pattern_of(const char *name)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	if (!strpbrk(name, "*?"))
		return gr_strdup(name);
	for (const char *at = name; *at; at++)
		buffer_printf(&out, strchr("*?[", *at) ? "[%c]" : "%c", *at);
	return buffer_take(&out);
}

/* A JSON text is a YAML text in double quotes, on one line. */
static void print_member(const char *lead, const char *key, const char *value)
{
	GR_AUTO_JSON json_t *text = json_string(value);
	char *quoted = json_dumps(text, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	printf("%s%s: %s\n", lead, key, quoted ? quoted : "\"\"");
	gr_free(quoted);
}

static const char *member(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

static void print_entry(const json_t *row, const char *owner, const char *until)
{
	const char *class_name = member(row, "class");
	GR_AUTO_FREE char *name =
	        *class_name ? gr_printf("%s.%s", class_name, member(row, "test")) : gr_strdup(member(row, "test"));
	GR_AUTO_FREE char *test = pattern_of(name);
	/* '*' is the device of a test that is spread over lanes: any. */
	GR_AUTO_FREE char *device =
	        text_equal(member(row, "device"), "*") ? gr_strdup("*") : pattern_of(member(row, "device"));
	GR_AUTO_FREE char *reason = gr_printf("flaky: %lld of %lld outcomes were failures that went away by themselves "
	                                      "(%.1f %%; with 95 %% confidence %.1f to %.1f %%)",
	        (long long)json_integer_value(json_object_get(row, "passing_failures")),
	        (long long)json_integer_value(json_object_get(row, "outcomes")),
	        100 * json_real_value(json_object_get(row, "rate")), 100 * json_real_value(json_object_get(row, "low")),
	        100 * json_real_value(json_object_get(row, "high")));

	print_member("- ", "test", test);
	print_member("  ", "device", device);
	print_member("  ", "reason", reason);
	print_member("  ", "owner", owner);
	printf("  until: %s\n", until);
}

void quarantine_print(const json_t *rows, const char *owner)
{
	char text[CLOCK_TEXT_BYTES];
	GR_AUTO_FREE char *until =
	        gr_strndup(clock_format_utc(clock_wall_ms() + DAYS * CLOCK_DAY_MS, text), strlen("2026-12-31"));

	printf("# %zu flaky test%s. Each entry needs an owner, and ends after the day that it names.\n",
	        json_array_size(rows), json_array_size(rows) == 1 ? "" : "s");
	if (json_array_size(rows) == 0)
		printf("[]\n");
	for (size_t i = 0; i < json_array_size(rows); i++)
		print_entry(json_array_get(rows, i), owner ? owner : "", until);
}
