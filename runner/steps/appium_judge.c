#include "runner/steps/appium_judge.h"

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/common.h"
#include "runner/steps/outcome.h"

static const char *program_of(const struct step *step)
{
	return json_string_value(json_array_get(json_object_get(step->with, "command"), 0));
}

static void put_case(struct device_run *result, const json_t *row)
{
	const char *status = json_string_value(json_object_get(row, "status"));
	struct test_case *test = device_run_add_case(result);
	const json_t *time = json_object_get(row, "time_ms");

	test->name = gr_strdup(json_string_value(json_object_get(row, "name")));
	test->class_name = gr_strdup(json_string_value(json_object_get(row, "class_name")));
	test->reason = gr_strdup(json_string_value(json_object_get(row, "reason")));
	test->time_ms = json_is_integer(time) ? json_integer_value(time) : TIME_UNKNOWN;
	test->status = text_equal(status, "failed")    ? STATUS_FAILED
	               : text_equal(status, "skipped") ? STATUS_SKIPPED
	                                               : STATUS_PASSED;
	test->failure = test->status == STATUS_FAILED ? GR_FAILED : GR_NONE;
}

/* The command itself as a case: without JUnit files it is the only one; else only its failure is news. */
static void put_command(const struct step *step, const struct event *event, struct device_run *result)
{
	struct test_case *test = NULL;
	bool has_failed = event->exit_status != 0;

	if (!has_failed && with_text(step, "junit") != NULL)
		return;
	test = device_run_add_case(result);
	test->name = gr_strdup(program_of(step));
	test->time_ms = result->elapsed_ms;
	if (!has_failed)
		return;
	test->status = STATUS_FAILED;
	test->failure = GR_FAILED;
	test->reason = gr_printf("the command ended with exit status %d", event->exit_status);
	if (with_text(step, "junit") != NULL && result->failure == GR_NONE)
		device_run_add_problem(result, GR_FAILED,
		        "command '%s' ended with exit status %d, and no test of it failed: what did is not known",
		        program_of(step), event->exit_status);
}

static bool has_skipped_all(const struct device_run *result)
{
	for (size_t i = 0; i < result->case_count; i++)
		if (result->cases[i].status != STATUS_SKIPPED)
			return false;
	return result->case_count > 0;
}

void appium_judge(const struct step *step, const struct event *event, struct device_run *result)
{
	const json_t *row = NULL;
	size_t i = 0;

	json_array_foreach (event->cases, i, row)
		put_case(result, row);
	if (event->error.failure != GR_NONE)
		device_run_add_problem(
		        result, event->error.failure, "command '%s': %s", program_of(step), event->error.text);
	else if (with_text(step, "junit") != NULL && result->case_count == 0 && !with_flag(step, "allow_empty"))
		device_run_add_problem(result, GR_NOT_RUN,
		        "the command wrote no test case: no JUnit file of this run fits '%s'",
		        with_text(step, "junit"));
	else if (has_skipped_all(result) && !with_flag(step, "allow_empty"))
		device_run_add_problem(result, GR_NOT_RUN, "the command skipped every test: none was executed");
	result_settle(result); /* of the tests alone */
	put_command(step, event, result);
	result_settle(result);
}
