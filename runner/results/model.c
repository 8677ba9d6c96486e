#include "runner/results/model.h"

#include <stdarg.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/results/record.h"

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {"passed", "failed", "usage", "infrastructure", "timeout", "cancelled"};

	return (size_t)verdict < GR_COUNT(names) ? names[verdict] : "infrastructure";
}

const char *case_status_name(enum case_status status)
{
	static const char *const names[] = {"passed", "failed", "skipped", "error"};

	return (size_t)status < GR_COUNT(names) ? names[status] : "error";
}

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[] = {"passed", "failed", "error", "skipped", "cancelled", "not_run"};

	return (size_t)outcome < GR_COUNT(names) ? names[outcome] : "error";
}

bool test_case_is_quarantined(const struct test_case *test)
{
	return test->status == STATUS_FAILED && test->quarantine;
}

bool test_case_has_failed(const struct test_case *test)
{
	return test->status == STATUS_FAILED && !test->quarantine;
}

char *test_case_quarantine_words(const struct test_case *test)
{
	return gr_printf("%s (quarantined until %s, owner %s)", test->quarantine,
	        test->quarantine_until ? test->quarantine_until : "?",
	        test->quarantine_owner ? test->quarantine_owner : "?");
}

bool test_case_is_flaky(const struct test_case *test)
{
	bool has_failed = false;

	for (size_t i = 0; i < test->attempt_count; i++)
		has_failed = has_failed || test->attempts[i].status == STATUS_FAILED;
	return has_failed && test->status == STATUS_PASSED;
}

int64_t device_run_first_ms(const struct device_run *run)
{
	int64_t left = run->elapsed_ms;

	for (size_t i = 0; i < run->rerun_count && left >= 0; i++)
		left -= run->reruns[i].elapsed_ms > 0 ? run->reruns[i].elapsed_ms : 0;
	return left < 0 ? TIME_UNKNOWN : left;
}

void test_case_release(struct test_case *test)
{
	record_release(&test_case_record, test);
}

void problem_release(struct problem *problem)
{
	record_release(&problem_record, problem);
}

void device_run_release(struct device_run *run)
{
	record_release(&device_run_record, run);
}

void earlier_release(struct earlier *earlier)
{
	record_release(&earlier_record, earlier);
}

void results_release(struct results *results)
{
	record_release(&results_record, results);
}

void device_run_copy(const struct device_run *run, struct device_run *ret_copy)
{
	record_copy(&device_run_record, run, ret_copy);
}

struct test_case *device_run_add_case(struct device_run *run)
{
	struct test_case *test;

	run->cases = gr_grow(run->cases, run->case_count, sizeof(*run->cases));
	test = &run->cases[run->case_count++];
	*test = (struct test_case){.time_ms = TIME_UNKNOWN};
	return test;
}

void device_run_add_problem(struct device_run *run, enum gr_failure failure, const char *format, ...)
{
	struct problem *problem;
	va_list args;

	run->problems = gr_grow(run->problems, run->problem_count, sizeof(*run->problems));
	problem = &run->problems[run->problem_count++];
	*problem = (struct problem){.failure = failure,
	        .lane = gr_strdup(run->lane),
	        .step = gr_strdup(run->step),
	        .device = gr_strdup(run->device.name ? run->device.name : run->device.device_id)};
	va_start(args, format);
	problem->message = gr_vprintf(format, args);
	va_end(args);
}

struct problem *results_add_problem(
        struct results *results, enum gr_failure failure, const char *lane, const char *step, const char *format, ...)
{
	struct problem *problem;
	va_list args;

	results->problems = gr_grow(results->problems, results->problem_count, sizeof(*results->problems));
	problem = &results->problems[results->problem_count++];
	*problem = (struct problem){.failure = failure, .lane = gr_strdup(lane), .step = gr_strdup(step)};
	va_start(args, format);
	problem->message = gr_vprintf(format, args);
	va_end(args);
	return problem;
}

struct step_result *results_add_step(struct results *results, const char *lane, const char *step)
{
	struct step_result *found;

	for (size_t i = results->step_count; i-- > 0;) /* one that is spoken of is most often one of the latest */
		if (text_equal(results->steps[i].lane, lane) && text_equal(results->steps[i].step, step))
			return &results->steps[i];
	results->steps = gr_grow(results->steps, results->step_count, sizeof(*results->steps));
	found = &results->steps[results->step_count++];
	*found = (struct step_result){.lane = gr_strdup(lane),
	        .step = gr_strdup(step),
	        .outcome = OUTCOME_NOT_RUN,
	        .elapsed_ms = TIME_UNKNOWN};
	return found;
}
