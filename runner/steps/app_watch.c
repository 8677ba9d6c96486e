#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/app_run.h"
#include "runner/steps/polling.h"

#define SHOWN_BYTES 40 /* of a word of the server that nobody knows */

void watch_begin(struct watch *watch, struct app_run *run)
{
	*watch = (struct watch){
	        .run = run, .gaps = json_object(), .words = json_object(), .all_completed = -1, .is_queued = true};
	for (size_t i = 0; i < COUNT_KINDS; i++)
		watch->counts[i] = -1;
}

void watch_release(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		gr_free(watch->cases[i].name);
		gr_free(watch->cases[i].data);
		gr_free(watch->cases[i].reason);
	}
	gr_free(watch->cases);
	gr_free(watch->places);
	json_decref(watch->gaps);
	json_decref(watch->words);
	gr_free(watch->raw_completed);
	gr_free(watch->build_test_id);
	gr_free(watch->url);
	gr_free(watch->build_id);
	*watch = (struct watch){0};
}

static void replace(char **text, const char *by)
{
	if (by == NULL || text_equal(*text, by))
		return;
	gr_free(*text);
	*text = gr_strdup(by);
}

bool case_is_over(enum case_state state)
{
	return state == CASE_PASSED || state == CASE_FAILED || state == CASE_STOPPED || state == CASE_SKIPPED;
}

static bool take_device(struct watch *watch, const struct execution_device *device)
{
	bool is_changed = !watch->is_present || watch->completed != device->completed ||
	                  memcmp(watch->counts, device->counts, sizeof(watch->counts)) != 0;

	watch->is_present = watch->was_present = true;
	watch->completed = device->completed;
	memcpy(watch->counts, device->counts, sizeof(watch->counts));
	gr_free(watch->raw_completed);
	watch->raw_completed = gr_strdup(device->raw_completed);
	replace(&watch->build_test_id, device->build_test_id);
	for (size_t i = 0; i < device->case_count; i++)
		if (watch_take_case(watch, &device->cases[i]))
			is_changed = true;
	return is_changed;
}

static bool was_executed(const struct seen_case *seen)
{
	return seen->state == CASE_PASSED || seen->state == CASE_FAILED;
}

/* The server gives no times of tests, and a device does one after the other: those that ended between two looks share
 * the time between them, so that all together are as long as the run. What ended before the first look has no time. */
static void time_cases(struct watch *watch)
{
	bool has_begun = watch->polls > 1;
	int64_t ended = 0;

	for (size_t i = 0; i < watch->count; i++)
		ended += was_executed(&watch->cases[i]) && !watch->cases[i].is_timed;
	for (size_t i = 0; i < watch->count; i++) {
		struct seen_case *seen = &watch->cases[i];

		if (!was_executed(seen) || seen->is_timed)
			continue;
		seen->is_timed = true;
		if (has_begun)
			seen->time_ms = (watch->now_ms - watch->timed_ms) / ended;
	}
	if (ended > 0 || !has_begun || watch->is_queued)
		watch->timed_ms = watch->now_ms;
}

static bool says_over(const struct watch *watch)
{
	if (!watch->is_present)
		return watch->all_completed == 1;
	if (watch->completed == COMPLETION_UNKNOWN)
		return watch->all_completed == 1;
	return watch->completed == COMPLETION_DONE || watch->completed == COMPLETION_STOPPED;
}

/* Did all that this row lists pass, as far as it lists anything? */
static bool has_passed(const struct execution_device *device)
{
	if (device->completed != COMPLETION_DONE || device->counts[COUNT_FAILED] > 0 ||
	        (device->case_count == 0 && device->counts[COUNT_PASSED] <= 0))
		return false;
	for (size_t i = 0; i < device->case_count; i++)
		if (device->cases[i].state != CASE_PASSED && device->cases[i].state != CASE_SKIPPED)
			return false;
	return true;
}

static void take_others(struct watch *watch, const struct execution *execution, const struct execution_device *ours)
{
	watch->others = watch->others_bad = 0;
	for (size_t i = 0; i < execution->device_count; i++) {
		if (&execution->devices[i] == ours)
			continue;
		watch->others++;
		watch->others_bad += !has_passed(&execution->devices[i]);
	}
}

bool watch_take(struct watch *watch, const struct execution *execution)
{
	const struct execution_device *device = app_run_device(watch->run, execution, true);
	bool is_changed = watch->polls == 0 || watch->all_completed != execution->all_completed;

	watch->polls++;
	watch->all_completed = execution->all_completed;
	take_others(watch, execution, device);
	replace(&watch->url, execution->build_url);
	replace(&watch->build_id, execution->build_id);
	if (device != NULL) {
		is_changed = take_device(watch, device) || is_changed;
	} else {
		is_changed = is_changed || watch->is_present;
		watch->is_present = false;
	}
	watch->is_queued = device != NULL ? device->completed == COMPLETION_QUEUED
	                                  : execution->device_count == 0 && execution->all_completed != 1;
	watch->over_polls = says_over(watch) ? watch->over_polls + 1 : 0;
	if (watch->over_polls == 1)
		watch->over_ms = watch->now_ms;
	time_cases(watch);
	return is_changed;
}

static size_t count_unfinished(const struct watch *watch)
{
	size_t unfinished = 0;

	for (size_t i = 0; i < watch->count; i++)
		unfinished += !case_is_over(watch->cases[i].state);
	return unfinished;
}

static void count_states(const struct watch *watch, int64_t counted[static COUNT_KINDS])
{
	static const int kinds[] = {
	        [CASE_NOT_STARTED] = COUNT_NOT_STARTED,
	        [CASE_STARTED] = COUNT_STARTED,
	        [CASE_PASSED] = COUNT_PASSED,
	        [CASE_FAILED] = COUNT_FAILED,
	        [CASE_STOPPED] = COUNT_STOPPED,
	        [CASE_SKIPPED] = COUNT_SKIPPED,
	        [CASE_UNKNOWN] = -1,
	};

	memset(counted, 0, COUNT_KINDS * sizeof(*counted));
	for (size_t i = 0; i < watch->count; i++)
		if (watch->cases[i].poll == watch->polls && kinds[watch->cases[i].state] >= 0)
			counted[kinds[watch->cases[i].state]]++;
}

/* How many tests the counts speak of. A count cannot overflow the sum: each is checked against what could be listed. */
static int64_t sum_counts(const struct watch *watch)
{
	int64_t sum = 0;

	for (size_t i = 0; i < COUNT_KINDS; i++)
		if (watch->counts[i] > 0)
			sum += watch->counts[i] < INT32_MAX ? watch->counts[i] : INT32_MAX;
	return sum;
}

/* Counts that claim more tests or more failures than there are cases mean that some are hidden. */
static bool hides_cases(const struct watch *watch, const int64_t counted[static COUNT_KINDS])
{
	return sum_counts(watch) > (int64_t)watch->count || watch->counts[COUNT_FAILED] > counted[COUNT_FAILED];
}

static bool has_seen(const struct watch *watch, const char *name)
{
	for (size_t i = 0; i < watch->count; i++)
		if (text_equal(watch->cases[i].name, name))
			return true;
	return false;
}

/* One test may be listed with each of its data. */
static size_t count_tests(const struct watch *watch)
{
	GR_AUTO_JSON json_t *names = json_object();
	size_t count = 0;

	for (size_t i = 0; i < watch->count; i++) {
		const struct seen_case *seen = &watch->cases[i];
		GR_AUTO_FREE char *name =
		        gr_printf("%s\x1f%s", seen->module_id ? seen->module_id : "", seen->name ? seen->name : "");

		count += seen->data == NULL || json_object_get(names, name) == NULL;
		if (seen->data != NULL)
			(void)json_object_set_new_nocheck(names, name, json_true());
	}
	return count;
}

static bool lacks_ids(const struct watch *watch, const json_t *selected)
{
	return json_is_array(selected) && count_tests(watch) < json_array_size(selected);
}

static bool lacks_selected(const struct watch *watch)
{
	json_t *selected = json_object_get(watch->run->step->with, "testcases"), *id = NULL;
	const char *name = NULL;

	if (lacks_ids(watch, selected))
		return true;
	json_object_foreach (selected, name, id)
		if (!has_seen(watch, name))
			return true;
	return false;
}

/* "Completed", and yet something of it is not there: it may still come. */
static bool contradicts_itself(const struct watch *watch)
{
	int64_t counted[COUNT_KINDS];

	if (!watch->is_present)
		return true;
	if (watch->completed == COMPLETION_STOPPED)
		return false; /* tests without an end belong to it */
	count_states(watch, counted);
	for (size_t i = 0; i < watch->count; i++)
		if (watch->cases[i].poll != watch->polls && !case_is_stand_in(watch, &watch->cases[i]))
			return true;
	return watch->others_bad > 0 || watch->count == 0 || count_unfinished(watch) > 0 ||
	       hides_cases(watch, counted) || lacks_selected(watch);
}

bool watch_is_over(const struct watch *watch)
{
	const struct poll_policy *poll = &watch->run->step->context->poll;

	if (watch->over_polls == 0)
		return false;
	if (contradicts_itself(watch))
		return watch->over_polls > 1 && limit_passed(watch->over_ms, settle_ms(poll, SETTLE_MS), watch->now_ms);
	/* Signals that disagree count when a second poll says it again. */
	return watch->over_polls > 1 ||
	       (watch->all_completed == 1 && count_unfinished(watch) == 0 &&
	               (watch->completed != COMPLETION_UNKNOWN || watch->raw_completed == NULL));
}

size_t watch_ended(const struct watch *watch)
{
	return watch->count - count_unfinished(watch);
}

size_t watch_failed(const struct watch *watch)
{
	size_t failed = 0;

	for (size_t i = 0; i < watch->count; i++)
		failed += watch->cases[i].state == CASE_FAILED;
	return failed;
}

/* ---- the verdict ---- */

static void judge_error(struct test_case *test, enum gr_failure failure, const char *reason)
{
	test->status = STATUS_ERROR;
	test->failure = failure;
	if (reason == NULL)
		return;
	gr_free(test->reason);
	test->reason = gr_strdup(reason);
}

static void judge_unknown(struct test_case *test)
{
	GR_AUTO_BUFFER struct buffer raw = {0};
	GR_AUTO_FREE char *reason = NULL;

	if (test->raw_status != NULL)
		text_excerpt(&raw, test->raw_status, strlen(test->raw_status), SHOWN_BYTES);
	reason = gr_printf("the server gave the test the status '%s', which has no known meaning", buffer_text(&raw));
	judge_error(test, GR_UNKNOWN, reason);
}

static void judge_state(struct test_case *test, enum case_state state, enum gr_failure cut)
{
	switch (state) {
	case CASE_PASSED:
		test->status = STATUS_PASSED;
		break;
	case CASE_FAILED:
		test->status = STATUS_FAILED;
		test->failure = GR_FAILED;
		break;
	case CASE_SKIPPED:
		test->status = STATUS_SKIPPED;
		break;
	case CASE_STOPPED:
		judge_error(test, GR_STOPPED, test->reason != NULL ? NULL : "the test was stopped before its end");
		break;
	case CASE_NOT_STARTED:
		judge_error(test, cut != GR_NONE ? cut : GR_NOT_RUN,
		        cut != GR_NONE ? "the test had not started when the wait for the run ended"
		                       : "the run is over, and the test never started");
		break;
	case CASE_STARTED:
		judge_error(test, cut != GR_NONE ? cut : GR_NOT_RUN,
		        cut != GR_NONE ? "the test was running when the wait for the run ended"
		                       : "the run is over, and the test was started but has no result");
		break;
	case CASE_UNKNOWN:
		judge_unknown(test);
		break;
	}
}

static void judge_case(
        const struct watch *watch, const struct seen_case *seen, enum gr_failure cut, struct device_run *result)
{
	struct test_case *test = device_run_add_case(result);

	test->name = gr_strdup(seen->name != NULL ? seen->name : "(a test without a name)");
	test->raw_status = gr_strdup(seen->raw_status);
	test->data = gr_strdup(seen->data);
	test->reason = gr_strdup(seen->reason);
	test->time_ms = seen->time_ms;
	judge_state(test, seen->state, cut);
	if (seen->is_unsteady)
		judge_error(test, GR_INCONSISTENT, "the server gave the test a result, and later another state");
	else if (watch->is_present && seen->poll != watch->polls)
		judge_error(test, GR_INCONSISTENT,
		        "the test was in an earlier answer of the server, and is not in the last one");
}

static void add_warning(struct device_run *result, const char *text)
{
	device_run_add_problem(result, GR_INCONSISTENT, "%s", text);
	result->problems[result->problem_count - 1].is_warning = true;
}

static void judge_device(const struct watch *watch, const char *words, struct device_run *result)
{
	GR_AUTO_BUFFER struct buffer raw = {0};

	if (!watch->is_present) {
		device_run_add_problem(result, GR_DEVICE,
		        "%s is missing from the answer%s: nothing proves that it ran the tests", words,
		        watch->was_present ? ", where it was before" : "");
		return;
	}
	if (watch->completed == COMPLETION_STOPPED)
		device_run_add_problem(result, GR_STOPPED, "the run was stopped on %s before its end", words);
	if (watch->completed == COMPLETION_UNKNOWN && watch->raw_completed != NULL) {
		text_excerpt(&raw, watch->raw_completed, strlen(watch->raw_completed), SHOWN_BYTES);
		device_run_add_problem(result, GR_UNKNOWN,
		        "the server says is_completed '%s' for %s, which has no known meaning", buffer_text(&raw),
		        words);
	}
	if (watch->others_bad > 0)
		device_run_add_problem(result, GR_INCONSISTENT,
		        "the run was asked for on %s alone, and the answer lists %zu further row%s of devices whose "
		        "tests failed or have no result",
		        words, watch->others_bad, watch->others_bad > 1 ? "s" : "");
	else if (watch->others > 0)
		add_warning(result, "the answer lists further devices, which were not asked for");
}

/* The cases are the truth. */
static void judge_counts(const struct watch *watch, struct device_run *result)
{
	int64_t counted[COUNT_KINDS];
	bool differs = false;

	count_states(watch, counted);
	for (size_t i = 0; i < COUNT_KINDS; i++)
		differs = differs || (watch->counts[i] >= 0 && watch->counts[i] != counted[i]);
	if (hides_cases(watch, counted))
		device_run_add_problem(result, GR_INCONSISTENT,
		        "the server counts %lld tests with %lld failed, but lists %zu with %lld failed",
		        (long long)sum_counts(watch), (long long)watch->counts[COUNT_FAILED], watch->count,
		        (long long)counted[COUNT_FAILED]);
	else if (differs)
		add_warning(result, "the server's counts differ from its list of tests; the list was counted");
}

/* Tests that were selected must appear: by name, or as many as there are ids. */
static void judge_selection(const struct watch *watch, struct device_run *result)
{
	json_t *selected = json_object_get(watch->run->step->with, "testcases"), *id = NULL;
	const char *name = NULL;

	if (lacks_ids(watch, selected))
		device_run_add_problem(result, GR_NOT_RUN, "%zu test cases were selected, and the server lists %zu",
		        json_array_size(selected), count_tests(watch));
	json_object_foreach (selected, name, id) {
		struct test_case *test = NULL;

		if (has_seen(watch, name))
			continue;
		test = device_run_add_case(result);
		test->name = gr_strdup(name);
		test->time_ms = TIME_UNKNOWN;
		judge_error(test, GR_NOT_RUN, "the test case was selected, and never appeared in the server's answers");
	}
}

static void judge_amount(const struct watch *watch, const char *words, struct device_run *result)
{
	size_t skipped = 0;

	for (size_t i = 0; i < result->case_count; i++)
		skipped += result->cases[i].status == STATUS_SKIPPED;
	if (watch->count == 0 && !with_flag(watch->run->step, "allow_empty"))
		device_run_add_problem(result, GR_NOT_RUN, "the run on %s is over, and it had no test", words);
	if (watch->count > 0 && skipped == result->case_count)
		device_run_add_problem(
		        result, GR_NOT_RUN, "the server skipped every test on %s: none was executed", words);
}

void watch_judge(const struct watch *watch, enum gr_failure cut, struct device_run *result)
{
	GR_AUTO_FREE char *words = device_words(&watch->run->target.device);

	for (size_t i = 0; i < COUNT_KINDS; i++)
		result->reported[i] = watch->counts[i];
	for (size_t i = 0; i < watch->count; i++)
		if (!case_is_stand_in(watch, &watch->cases[i]))
			judge_case(watch, &watch->cases[i], cut, result);
	if (cut != GR_NONE)
		return;
	judge_device(watch, words, result);
	if (!watch->is_present)
		return;
	judge_counts(watch, result);
	judge_selection(watch, result);
	judge_amount(watch, words, result);
}
