#include "runner/steps/native_judge.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/common.h"
#include "runner/steps/polling.h"

#define SHOWN_BYTES 40 /* of a word of the server that nobody knows */

/* A count that the answer does not give is negative. */
static char *count_words(int64_t count)
{
	return count < 0 ? gr_strdup("an unknown number") : gr_printf("%lld", (long long)count);
}

char *native_words(const struct native_device *native)
{
	GR_AUTO_FREE char *passed = count_words(native->passed);
	GR_AUTO_FREE char *all = count_words(native->all);
	GR_AUTO_FREE char *failed = count_words(native->failed);
	const char *status = native->status != NULL ? native->status : "none";
	const char *text = native->status_text != NULL ? native->status_text : "no words";

	if (native->all < 0 && native->passed < 0 && native->failed < 0)
		return gr_printf("status %s (%s), and no number of tests", status, text);
	return gr_printf("status %s (%s): %s of %s tests passed, %s failed", status, text, passed, all, failed);
}

void native_fail_unknown(const struct native_device *native, struct gr_error *err)
{
	const char *texts[] = {native->status ? native->status : "", native->status_text ? native->status_text : ""};
	struct buffer shown[GR_COUNT(texts)] = {0};

	for (size_t i = 0; i < GR_COUNT(texts); i++)
		text_excerpt(&shown[i], texts[i], strlen(texts[i]), SHOWN_BYTES);
	(void)gr_fail(err, GR_UNKNOWN, 0, "the server gives the status '%s' ('%s'), which has no known meaning",
	        buffer_text(&shown[0]), buffer_text(&shown[1]));
	for (size_t i = 0; i < GR_COUNT(texts); i++)
		buffer_release(&shown[i]);
}

bool native_is_over(const struct native_device *native)
{
	return native->state == NATIVE_PASSED || native->state == NATIVE_FAILED || native->state == NATIVE_STOPPED ||
	       native->state == NATIVE_COMPLETED;
}

bool native_are_over(const struct native_result *result)
{
	for (size_t i = 0; i < result->count; i++)
		if (!native_is_over(&result->devices[i]))
			return false;
	return result->count > 0;
}

bool native_is_same(const struct native_device *a, const struct native_device *b)
{
	return a->state == b->state && a->all == b->all && a->passed == b->passed && a->failed == b->failed &&
	       text_equal(a->status, b->status) && text_equal(a->status_text, b->status_text);
}

bool native_is_ours(const struct native_device *native, const struct device *ours, size_t count)
{
	if (native->device_id != NULL && text_equal(native->device_id, ours->device_id))
		return true;
	if (native->udid != NULL && text_equal(native->udid, ours->udid))
		return true;
	return count == 1 && native->device_id == NULL &&
	       (native->device_name == NULL || ours->name == NULL || text_equal(native->device_name, ours->name));
}

/* Tests that are counted, and neither as passed nor as failed: @Ignore and the like, where the pipeline says so. */
static int64_t count_skipped(const struct step *step, const struct native_device *native)
{
	if (!with_flag(step, "allow_skipped") || native->passed < 0 || native->failed < 0 ||
	        native->passed + native->failed > native->all)
		return 0;
	return native->all - native->passed - native->failed;
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
	if (native->passed > 0 && native->passed + count_skipped(step, native) == native->all)
		return GR_NONE;
	if (native->passed < native->all)
		return native->state == NATIVE_PASSED ? GR_INCONSISTENT : GR_NOT_RUN;
	return GR_NONE;
}

bool native_is_plain(const struct step *step, const struct native_device *native)
{
	return native->state == NATIVE_FAILED ||
	       (native_verdict(step, native) == GR_NONE && count_skipped(step, native) == 0);
}

enum gr_failure native_verdict(const struct step *step, const struct native_device *native)
{
	switch (native->state) {
	case NATIVE_PASSED:
	case NATIVE_COMPLETED:
		if (native->contradicts)
			return native->failed > 0 ? GR_FAILED : GR_INCONSISTENT;
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

/* Do status and counts go together, so that nothing more is to be waited for? */
static bool goes_together(const struct step *step, const struct native_device *native)
{
	if (native->state == NATIVE_FAILED)
		return native->failed > 0;
	if (native->state == NATIVE_COMPLETED && native->failed > 0)
		return native->passed >= 0 && native->passed + native->failed == native->all;
	return native->all > 0 && native_verdict(step, native) == GR_NONE && count_skipped(step, native) == 0;
}

static size_t count_bad_others(
        const struct step *step, const struct native_result *answer, const struct native_device *ours)
{
	size_t bad = 0;

	for (size_t i = 0; i < answer->count; i++)
		bad += &answer->devices[i] != ours && native_verdict(step, &answer->devices[i]) != GR_NONE;
	return bad;
}

/* The last answer may say where log and recording are one look after it says that the run is over. */
static unsigned looks_needed(const struct native_device *native)
{
	return native->log_path != NULL && native->recording_path != NULL ? 1 : 2;
}

bool native_is_proven(const struct step *step, const struct native_result *answer, const struct native_device *ours)
{
	return ours != NULL && native_is_over(ours) && count_bad_others(step, answer, ours) == 0 &&
	       goes_together(step, ours);
}

bool native_is_settled(const struct step *step, const struct native_result *answer, const struct native_device *ours,
        unsigned over_polls, int64_t over_for_ms)
{
	if (over_polls > 0 && native_is_proven(step, answer, ours))
		return over_polls >= looks_needed(ours);
	if (ours != NULL && ours->state == NATIVE_STOPPED && count_bad_others(step, answer, ours) == 0)
		return over_polls > 1;
	return over_polls > 1 && over_for_ms >= settle_ms(&step->context->poll, SETTLE_MS);
}

char *native_log_warning(const char *id, const struct event *event, bool is_there)
{
	if (is_there)
		return gr_printf(
		        "the log of native test %s names no test in a form that is known: its tests are not named", id);
	if (event->error.failure == GR_NONE)
		return gr_printf("the log of native test %s could not be had (HTTP %ld): its tests are not named", id,
		        event->status);
	return gr_printf(
	        "the log of native test %s could not be had (%s): its tests are not named", id, event->error.text);
}

void native_judge_others(const struct step *step, const struct native_result *answer, const struct native_device *ours,
        struct device_run *result)
{
	size_t bad = count_bad_others(step, answer, ours);

	if (bad > 0) {
		device_run_add_problem(result, GR_INCONSISTENT,
		        "the run was asked for on one device alone, and the answer lists %zu further row%s whose tests "
		        "failed or have no result",
		        bad, bad > 1 ? "s" : "");
	} else if (answer->count > 1) {
		device_run_add_problem(
		        result, GR_INCONSISTENT, "the answer lists further devices, which were not asked for");
		result->problems[result->problem_count - 1].is_warning = true;
	}
}

/* Beside the case: what does not go together, and what kept the run from its end. */
static void judge_problems(
        const struct native_device *native, enum gr_failure failure, const char *words, struct device_run *result)
{
	bool all_passed = native->all > 0 && native->passed == native->all && native->failed == 0;

	if (native->state == NATIVE_PASSED && native->failed > 0)
		device_run_add_problem(
		        result, GR_INCONSISTENT, "the server says passed, and counts failed tests: %s", words);
	if (native->contradicts)
		device_run_add_problem(result, GR_INCONSISTENT,
		        "the number of the status means failed, and its words do not: %s", words);
	if (native->state == NATIVE_FAILED && all_passed)
		device_run_add_problem(
		        result, GR_INCONSISTENT, "the server says failed, and counts only passed tests: %s", words);
	if (native->state == NATIVE_FAILED && native->all <= 0)
		device_run_add_problem(result, GR_FAILED, "the run failed before any test was counted: %s", words);
	if (native->state == NATIVE_STOPPED)
		device_run_add_problem(result, GR_STOPPED, "the run was stopped before its end: %s", words);
	if ((failure == GR_INCONSISTENT && !native->contradicts) || failure == GR_NOT_RUN || failure == GR_UNKNOWN)
		device_run_add_problem(
		        result, failure, "the run is over, and that all tests passed is not proven: %s", words);
}

/* A case that stands for tests which have no case of their own. Takes the name over. */
static void add_case(struct device_run *result, char *name, enum gr_failure failure, const char *reason)
{
	struct test_case *test = device_run_add_case(result);

	test->name = name;
	test->reason = gr_strdup(reason);
	test->time_ms = TIME_UNKNOWN;
	test->failure = failure;
	test->status = failure == GR_NONE ? STATUS_PASSED : failure == GR_FAILED ? STATUS_FAILED : STATUS_ERROR;
}

static void add_whole(const char *name, const struct native_device *native, enum gr_failure failure, const char *words,
        struct device_run *result)
{
	add_case(result, gr_strdup(name), failure, words);
	result->cases[result->case_count - 1].raw_status =
	        gr_strdup(native->status_text != NULL ? native->status_text : native->status);
}

/* The one case stands for all tests, where the counts tell of the same outcome. */
static void take_counts(
        const struct step *step, const struct native_device *native, enum gr_failure failure, struct device_run *result)
{
	bool are_whole = native->passed >= 0 && native->failed >= 0 && native->passed + native->failed <= native->all;

	if (are_whole && (failure == GR_NONE || (failure == GR_FAILED && native->failed > 0)))
		result->counted =
		        (struct counted){native->all, native->passed, native->failed, count_skipped(step, native)};
}

void native_judge(
        const struct step *step, const char *name, const struct native_device *native, struct device_run *result)
{
	GR_AUTO_FREE char *words = native_words(native);
	enum gr_failure failure = native_verdict(step, native);

	if (failure != GR_NONE || native->all > 0)
		add_whole(name, native, failure, words, result);
	take_counts(step, native, failure, result);
	judge_problems(native, failure, words, result);
	if (native->state == NATIVE_FAILED && native->all > 0 && native->failed <= 0 && native->passed != native->all)
		device_run_add_problem(
		        result, GR_FAILED, "the run failed, and how many of its tests did is not known: %s", words);
}

void native_judge_cut(const struct step *step, const char *name, const struct native_device *native,
        enum gr_failure cut, struct device_run *result)
{
	bool is_known = native_is_over(native) && native_is_plain(step, native);
	GR_AUTO_FREE char *words = native_words(native);

	add_whole(name, native, is_known ? native_verdict(step, native) : cut, words, result);
	if (is_known)
		take_counts(step, native, native_verdict(step, native), result);
}

/* ---- with a log ---- */

struct tally {
	int64_t total, bad, skipped;
};

static struct tally count_cases(const struct device_run *result)
{
	struct tally tally = {.total = (int64_t)result->case_count};

	for (size_t i = 0; i < result->case_count; i++) {
		tally.bad += result->cases[i].status == STATUS_FAILED || result->cases[i].status == STATUS_ERROR;
		tally.skipped += result->cases[i].status == STATUS_SKIPPED;
	}
	return tally;
}

static const char *plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void add_skipped(int64_t skipped, struct device_run *result)
{
	if (skipped <= 0)
		return;
	add_case(result, gr_printf("%lld skipped test%s not in the log", (long long)skipped, plural(skipped)), GR_NONE,
	        "the server counts them neither as passed nor as failed; the run's log does not name them");
	result->cases[result->case_count - 1].status = STATUS_SKIPPED;
}

/* Tests that were counted and are not in the log: those that failed first, as far as the counts say so. */
static void add_missing(const struct native_device *native, const struct tally *tally, int64_t may_be_skipped,
        struct device_run *result)
{
	int64_t missing = native->all - tally->total;
	int64_t failed = least(native->failed > tally->bad ? native->failed - tally->bad : 0, missing);
	int64_t skipped = least(may_be_skipped - tally->skipped, missing - failed);

	if (failed > 0)
		add_case(result, gr_printf("%lld failed test%s not in the log", (long long)failed, plural(failed)),
		        GR_FAILED, "the server counts them as failed; the run's log does not name them");
	add_skipped(skipped, result);
	if (skipped > 0)
		missing -= skipped;
	if (missing > failed)
		add_case(result,
		        gr_printf(
		                "%lld test%s not in the log", (long long)(missing - failed), plural(missing - failed)),
		        GR_NOT_RUN, "the server counts them; the run's log does not name them");
}

/* Tests that were skipped may be counted among all, and are then neither passed nor failed: a log that names each of
 * them as skipped proves that nothing else is missing. */
static bool are_the_rest_skipped(const struct native_device *native, const struct device_run *result)
{
	const struct tally tally = count_cases(result);

	return !native->contradicts && native->passed > 0 && native->failed == 0 && tally.bad == 0 &&
	       tally.skipped > 0 && tally.total == native->all && native->passed + tally.skipped == native->all;
}

static void compare(const struct step *step, const struct native_device *native, struct device_run *result)
{
	const struct tally tally = count_cases(result);
	int64_t may_be_skipped = count_skipped(step, native), passed = tally.total - tally.bad - tally.skipped;

	if (native->failed >= 0 && tally.bad > native->failed)
		device_run_add_problem(result, GR_INCONSISTENT,
		        "the run's log has %lld test%s that did not pass, and the server counts %lld failed",
		        (long long)tally.bad, plural(tally.bad), (long long)native->failed);
	if (may_be_skipped > 0 && passed > native->passed)
		device_run_add_problem(result, GR_INCONSISTENT,
		        "the run's log has %lld test%s that passed, and the server counts %lld", (long long)passed,
		        plural(passed), (long long)native->passed);
	if (native->all < 0)
		return; /* the counts prove nothing: said by judge_problems() */
	/* Tests that were skipped may be counted or not. */
	if (tally.total - tally.skipped > native->all)
		device_run_add_problem(result, GR_INCONSISTENT,
		        "the run's log names %lld tests, and the server counts %lld", (long long)tally.total,
		        (long long)native->all);
	if (tally.total < native->all)
		add_missing(native, &tally, may_be_skipped, result);
	else if (native->failed > tally.bad)
		device_run_add_problem(result, GR_INCONSISTENT,
		        "the server counts %lld failed test%s, and the run's log has %lld", (long long)native->failed,
		        plural(native->failed), (long long)tally.bad);
}

static bool has_failed(const struct device_run *result)
{
	for (size_t i = 0; i < result->case_count; i++)
		if (result->cases[i].status == STATUS_FAILED)
			return true;
	return false;
}

static bool has_skipped_all(const struct device_run *result)
{
	const struct tally tally = count_cases(result);

	return tally.total > 0 && tally.skipped == tally.total;
}

void native_judge_log(const struct step *step, const char *name, const struct native_device *native,
        struct native_log *log, struct device_run *result)
{
	GR_AUTO_FREE char *words = native_words(native);
	enum gr_failure failure = native_verdict(step, native);

	result->cases = log->cases;
	result->case_count = log->case_count;
	log->cases = NULL;
	log->case_count = 0;
	compare(step, native, result);
	if ((failure == GR_INCONSISTENT || failure == GR_NOT_RUN) && are_the_rest_skipped(native, result))
		failure = GR_NONE;
	if (failure == GR_NONE && has_skipped_all(result))
		device_run_add_problem(
		        result, GR_NOT_RUN, "the run's log says that every test was skipped: none was executed");
	if (failure == GR_FAILED && !has_failed(result))
		add_whole(name, native, failure, words, result);
	if (log->trouble != NULL && !has_failed(result))
		device_run_add_problem(
		        result, GR_STOPPED, "the run's log says that it did not come to its end: %s", log->trouble);
	if (log->is_full)
		device_run_add_problem(result, GR_INCONSISTENT, "the run's log names more tests than can be read (%d)",
		        NATIVE_LOG_MOST_CASES);
	judge_problems(native, failure, words, result);
}

void native_put_counts(const struct native_device *native, json_t *outputs)
{
	int64_t executed = 0;

	if (native == NULL || native->all < 0 || native->passed < 0 || native->failed < 0)
		return;
	executed = native->passed + native->failed;
	(void)json_object_set_new(outputs, "tests", json_integer(native->all));
	(void)json_object_set_new(outputs, "passed", json_integer(native->passed));
	(void)json_object_set_new(outputs, "failed", json_integer(native->failed));
	(void)json_object_set_new(outputs, "executed", json_integer(executed));
	(void)json_object_set_new(
	        outputs, "pass_rate", json_real(executed > 0 ? (double)native->passed / (double)executed : 0.0));
}
