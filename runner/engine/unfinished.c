#include "runner/engine/unfinished.h"

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/results/attempts.h"
#include "runner/steps/outcome.h"
#include "runner/steps/remains.h"

static const struct device_run *result_of(const struct replay *replay, const struct replay_step *step)
{
	const struct results *results = &replay->results;

	for (size_t i = results->run_count; i-- > 0;)
		if (text_equal(results->runs[i].lane, step->lane) && text_equal(results->runs[i].step, step->step))
			return &results->runs[i];
	return NULL;
}

/* The round's own result had been told, and only the step's end was not. */
static bool is_told(const struct replay *replay, const struct replay_step *step)
{
	const struct device_run *result = result_of(replay, step);

	return result && result->rerun_count > step->known.rerun_count;
}

static struct device_run *put_over(const struct replay_step *step, struct device_run *again)
{
	const json_t *round = json_object_get(step->memory, JOURNAL_ROUND);
	const struct repeat repeat = {.flags = (unsigned)json_integer_value(json_object_get(round, "flags")),
	        .is_whole = json_is_true(json_object_get(round, "whole")),
	        .tests = json_integer_value(json_object_get(round, "tests"))};
	struct device_run all;

	device_run_copy(&step->known, &all);
	device_run_take(&all, again, &repeat);
	result_settle(&all);
	device_run_release(again);
	*again = all;
	return again;
}

struct device_run *unfinished_run(const struct replay *replay, const struct replay_step *step)
{
	struct device_run *run;

	if (step->has_ended || (step->has_known ? is_told(replay, step) : replay_has_result(replay, step)))
		return NULL;
	run = remains_of(replay_kind_of(replay, step), step->lane, step->step, step->memory);
	return run && step->has_known ? put_over(step, run) : run;
}
