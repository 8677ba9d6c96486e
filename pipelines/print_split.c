#include "pipelines/print_split.h"

#include "pipelines/split.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"

/* Times are told to the second. */
static const char *span(json_int_t ms, char text[static 32])
{
	return number_format_duration((ms + 500) / 1000 * 1000, text);
}

static json_int_t of(const json_t *spread, const char *key)
{
	return json_integer_value(json_object_get(spread, key));
}

static json_int_t last_end(const json_t *spread)
{
	json_t *one;
	json_int_t last = 0;
	size_t i;

	json_array_foreach (json_object_get(spread, "ms"), i, one)
		last = json_integer_value(one) > last ? json_integer_value(one) : last;
	return last;
}

static size_t lanes_for(const struct plan_step *step, size_t lanes)
{
	return lanes > 0 ? lanes : step->split_lanes;
}

static json_t *spread_of(const struct plan_step *step, size_t lanes, const json_t *seconds)
{
	if (step->split_tests == NULL || lanes_for(step, lanes) == 0)
		return NULL;
	return split_spread(step->split_tests, step->split_by_count ? NULL : seconds, lanes_for(step, lanes));
}

static void add_ends(const json_t *spread, struct buffer *out)
{
	const json_t *ends = json_object_get(spread, "ms"), *one;
	char text[32];
	size_t i;

	buffer_add_text(out, ": they end after");
	json_array_foreach (ends, i, one)
		buffer_printf(out, "%s %s", i > 0 ? "," : "", span(json_integer_value(one), text));
	buffer_printf(out, "; one lane would take %s", span(of(spread, "whole_ms"), text));
	buffer_printf(out, ", saved are %s", span(of(spread, "whole_ms") - last_end(spread), text));
	if (of(spread, "unknown") > 0)
		buffer_printf(out, "; %lld without a recorded time count as %s each", (long long)of(spread, "unknown"),
		        span(of(spread, "assumed_ms"), text));
}

static void add_counts(const json_t *spread, struct buffer *out)
{
	json_t *part;
	size_t i;

	json_array_foreach (json_object_get(spread, "parts"), i, part)
		buffer_printf(out, "%s %zu", i > 0 ? "," : ":", split_count(part));
}

void print_split(const struct plan_step *step, size_t lanes, const json_t *seconds, struct buffer *out)
{
	GR_AUTO_JSON json_t *spread = spread_of(step, lanes, seconds);
	size_t tests = split_count(step->split_tests);

	if (!step->is_split)
		return;
	if (spread == NULL) {
		buffer_add_text(out, "tests are spread over the lanes; how many there are is not known yet");
		return;
	}
	buffer_printf(out, "%zu tests over %zu lanes", tests, lanes_for(step, lanes));
	if (step->split_by_count)
		add_counts(spread, out);
	else if ((json_int_t)tests > of(spread, "unknown"))
		add_ends(spread, out);
	else {
		add_counts(spread, out);
		buffer_add_text(out, "; no times are recorded yet, so each counts the same");
	}
}

json_t *print_split_json(const struct plan_step *step, size_t lanes, const json_t *seconds)
{
	json_t *spread = spread_of(step, lanes, seconds);

	if (spread == NULL)
		return json_null();
	(void)json_object_set_new(spread, "lanes", json_integer((json_int_t)lanes_for(step, lanes)));
	(void)json_object_set_new(spread, "by", json_string(step->split_by_count ? "count" : "time"));
	(void)json_object_set_new(spread, "tests", json_integer((json_int_t)split_count(step->split_tests)));
	(void)json_object_set_new(spread, "saving_ms", json_integer(of(spread, "whole_ms") - last_end(spread)));
	return spread;
}
