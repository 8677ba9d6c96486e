#include "runner/steps/native_judge.h"

#include "runner/base/memory.h"
#include "runner/steps/common.h"

char *native_words(const struct native_device *native)
{
	return gr_printf("status %s (%s): %lld of %lld tests passed, %lld failed",
	        native->status != NULL ? native->status : "none",
	        native->status_text != NULL ? native->status_text : "no words", (long long)native->passed,
	        (long long)native->all, (long long)native->failed);
}

/* Do the counts prove that all tests ran and passed? If not, what is wrong with them? */
static enum gr_failure judge_counts(const struct step *step, const struct native_device *native)
{
	if (native->failed > 0)
		return GR_FAILED;
	if (native->all == 0 && native->passed <= 0 && with_flag(step, "allow_empty"))
		return GR_NONE;
	if (native->all <= 0 || native->passed < 0 || native->failed < 0)
		return native->passed > 0 ? GR_INCONSISTENT : GR_NOT_RUN;
	if (native->passed > native->all)
		return GR_INCONSISTENT;
	if (native->passed < native->all)
		return native->state == NATIVE_PASSED ? GR_INCONSISTENT : GR_NOT_RUN;
	return GR_NONE;
}

enum gr_failure native_verdict(const struct step *step, const struct native_device *native)
{
	switch (native->state) {
	case NATIVE_PASSED:
	case NATIVE_COMPLETED:
		return judge_counts(step, native);
	case NATIVE_FAILED:
		return GR_FAILED;
	case NATIVE_STOPPED:
		return native->failed > 0 ? GR_FAILED : GR_STOPPED;
	case NATIVE_UNKNOWN:
		return GR_UNKNOWN;
	case NATIVE_WAITING:
	case NATIVE_RUNNING:
		break;
	}
	return GR_NOT_RUN;
}

/* Beside the case: what does not go together, and what kept the run from its end. */
static void judge_problems(
        const struct native_device *native, enum gr_failure failure, const char *words, struct device_run *result)
{
	bool all_passed = native->all > 0 && native->passed == native->all && native->failed == 0;

	if (native->state == NATIVE_PASSED && native->failed > 0)
		device_run_add_problem(
		        result, GR_INCONSISTENT, "the server says passed, and counts failed tests: %s", words);
	if (native->state == NATIVE_FAILED && all_passed)
		device_run_add_problem(
		        result, GR_INCONSISTENT, "the server says failed, and counts only passed tests: %s", words);
	if (native->state == NATIVE_FAILED && native->all <= 0)
		device_run_add_problem(result, GR_FAILED, "the run failed before any test was counted: %s", words);
	if (native->state == NATIVE_STOPPED)
		device_run_add_problem(result, GR_STOPPED, "the run was stopped before its end: %s", words);
	if (failure == GR_INCONSISTENT || failure == GR_NOT_RUN || failure == GR_UNKNOWN)
		device_run_add_problem(
		        result, failure, "the run is over, and that all tests passed is not proven: %s", words);
}

void native_judge(
        const struct step *step, const char *name, const struct native_device *native, struct device_run *result)
{
	GR_AUTO_FREE char *words = native_words(native);
	enum gr_failure failure = native_verdict(step, native);
	struct test_case *test = NULL;

	if (failure != GR_NONE || native->all > 0) {
		test = device_run_add_case(result);
		test->name = gr_strdup(name);
		test->reason = gr_strdup(words);
		test->raw_status = gr_strdup(native->status_text != NULL ? native->status_text : native->status);
		test->time_ms = TIME_UNKNOWN;
		test->failure = failure;
		test->status = failure == GR_NONE ? STATUS_PASSED : failure == GR_FAILED ? STATUS_FAILED : STATUS_ERROR;
	}
	judge_problems(native, failure, words, result);
}
