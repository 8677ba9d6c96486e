#include "runner/results/attempts.h"

#include <jansson.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/results/record.h"

/* ---- what is repeated ---- */

static bool has_not_run(enum gr_failure failure)
{
	return failure == GR_NOT_RUN || failure == GR_STOPPED;
}

bool test_case_is_repeated(const struct test_case *test, unsigned flags)
{
	if (test->status == STATUS_FAILED) /* what is known to be bad is not tried again */
		return (flags & REPEAT_FAILED) != 0 && !test_case_is_quarantined(test);
	return test->status == STATUS_ERROR && has_not_run(test->failure) && (flags & REPEAT_NOT_RUN) != 0;
}

unsigned device_run_repeats(const struct device_run *run)
{
	unsigned flags = 0;

	for (size_t i = 0; i < run->problem_count; i++) {
		if (run->problems[i].is_warning)
			continue;
		if (!has_not_run(run->problems[i].failure))
			return 0;
		flags |= REPEAT_NOT_RUN;
	}
	for (size_t i = 0; i < run->case_count; i++) {
		const struct test_case *test = &run->cases[i];

		if (test->status == STATUS_ERROR && !has_not_run(test->failure))
			return 0;
		flags |= test_case_is_repeated(test, REPEAT_FAILED) ? REPEAT_FAILED : 0;
		flags |= test_case_is_repeated(test, REPEAT_NOT_RUN) ? REPEAT_NOT_RUN : 0;
	}
	return flags;
}

/* ---- which test is which ---- */

/* Tests of one name (and class, and data) are told apart by their order. */
static char *next_key(json_t *seen, const struct test_case *test)
{
	GR_AUTO_FREE char *name = gr_printf("%s\x1f%s\x1f%s", test->class_name ? test->class_name : "",
	        test->name ? test->name : "", test->data ? test->data : "");
	json_int_t number = json_integer_value(json_object_get(seen, name)) + 1;

	(void)json_object_set_new(seen, name, json_integer(number));
	return gr_printf("%s\x1f%" JSON_INTEGER_FORMAT, name, number);
}

/* {key: place in cases} */
static json_t *index_of(const struct device_run *run)
{
	GR_AUTO_JSON json_t *seen = json_object();
	json_t *index = json_object();

	for (size_t i = 0; i < run->case_count; i++) {
		GR_AUTO_FREE char *key = next_key(seen, &run->cases[i]);

		(void)json_object_set_new(index, key, json_integer((json_int_t)i));
	}
	return index;
}

static const struct test_case *find(const struct device_run *run, const json_t *index, const char *key)
{
	const json_t *place = json_object_get(index, key);

	return place ? &run->cases[json_integer_value(place)] : NULL;
}

/* ---- taking outcomes ---- */

struct taking {
	struct device_run *run;
	const struct device_run *again;
	const struct repeat *repeat;
	size_t number; /* of this rerun, from 1 */
	size_t lacking, worse; /* repeated without a result; not repeated, passed before, failed now */
	size_t first_lacking, first_worse; /* places in the run's cases */
	const struct test_case *found_lacking;
};

static void keep_attempt(struct test_case *test)
{
	test->attempts = gr_grow(test->attempts, test->attempt_count, sizeof(*test->attempts));
	test->attempts[test->attempt_count++] = (struct attempt){.status = test->status,
	        .failure = test->failure,
	        .reason = gr_take(&test->reason),
	        .time_ms = test->time_ms,
	        .rerun = test->rerun};
}

static void take_outcome(struct test_case *test, const struct test_case *again, size_t rerun)
{
	keep_attempt(test);
	test->status = again->status;
	test->failure = again->failure;
	test->reason = gr_strdup(again->reason);
	test->time_ms = again->time_ms;
	gr_free(test->raw_status);
	test->raw_status = gr_strdup(again->raw_status);
	test->rerun = (unsigned)rerun;
}

/* The case stands for tests that are only counted, and fewer of them passed than were started: which ones is not known.
 */
static bool lacks_counted(const struct taking *taking, const struct test_case *again)
{
	return again == taking->again->cases && again->status == STATUS_PASSED &&
	       taking->again->counted.tests < taking->run->counted.tests;
}

static void take_case(struct taking *taking, size_t place, const struct test_case *again)
{
	struct test_case *test = &taking->run->cases[place];
	bool is_repeated = test_case_is_repeated(test, taking->repeat->flags);
	bool has_result = again && (again->status == STATUS_PASSED || again->status == STATUS_FAILED) &&
	                  !lacks_counted(taking, again);

	if (is_repeated && has_result) {
		take_outcome(test, again, taking->number);
	} else if (is_repeated) {
		if (taking->lacking++ == 0) {
			taking->first_lacking = place;
			taking->found_lacking = again;
		}
	} else if (again && again->status == STATUS_FAILED && test->status == STATUS_PASSED) {
		if (taking->worse++ == 0)
			taking->first_worse = place;
	}
}

/* A test that only the rerun showed is not hidden. */
static void add_case(const struct taking *taking, const struct test_case *again)
{
	struct test_case copy;

	record_copy(&test_case_record, again, &copy);
	copy.rerun = (unsigned)taking->number;
	*device_run_add_case(taking->run) = copy;
}

static void take_cases(struct taking *taking)
{
	GR_AUTO_JSON json_t *there = index_of(taking->again);
	GR_AUTO_JSON json_t *seen = json_object();
	const char *key;
	json_t *place;

	for (size_t i = 0; i < taking->run->case_count; i++) {
		GR_AUTO_FREE char *own = next_key(seen, &taking->run->cases[i]);

		take_case(taking, i, find(taking->again, there, own));
		(void)json_object_del(there, own);
	}
	json_object_foreach (there, key, place) /* in the order in which they came */
		add_case(taking, &taking->again->cases[json_integer_value(place)]);
}

/* ---- what is said about it ---- */

static void say_warning(struct taking *taking)
{
	taking->run->problems[taking->run->problem_count - 1].is_warning = true;
}

static void say_lacking(struct taking *taking)
{
	const struct test_case *found = taking->found_lacking, *test;
	enum gr_failure failure = found && found->status == STATUS_ERROR ? found->failure : GR_NOT_RUN;

	if (taking->lacking == 0)
		return;
	test = &taking->run->cases[taking->first_lacking];
	device_run_add_problem(taking->run, failure,
	        "rerun %zu brought no result for %zu of %lld tests, first '%s' (%s); what was known of them stands",
	        taking->number, taking->lacking, (long long)taking->repeat->tests, test->name ? test->name : "?",
	        !found                                                            ? "it was not among its tests"
	        : found->status == STATUS_SKIPPED                                 ? "skipped"
	        : found->reason && *found->reason && !strchr(found->reason, '\n') ? found->reason
	                                                                          : failure_words(failure));
	say_warning(
	        taking); /* a failure that stands is a failure, and a test that still has no result says so itself */
}

static void say_worse(struct taking *taking)
{
	const struct test_case *test;

	if (taking->worse == 0)
		return;
	test = &taking->run->cases[taking->first_worse];
	device_run_add_problem(taking->run, GR_FAILED,
	        "rerun %zu started all tests again, and %zu that had passed failed in it, first '%s'; their first "
	        "outcome "
	        "stands",
	        taking->number, taking->worse, test->name ? test->name : "?");
	say_warning(taking);
}

static void take_problems(struct taking *taking)
{
	for (size_t i = 0; i < taking->again->problem_count; i++) {
		const struct problem *problem = &taking->again->problems[i];

		if (problem->is_derived)
			continue;
		device_run_add_problem(taking->run, problem->failure, "rerun %zu: %s", taking->number,
		        problem->message ? problem->message : failure_words(problem->failure));
		if (problem->is_warning || has_not_run(problem->failure))
			say_warning(taking);
	}
}

static bool is_plain(const struct device_run *run)
{
	for (size_t i = 0; i < run->problem_count; i++)
		if (!run->problems[i].is_warning)
			return false;
	return run->is_complete;
}

/* Tests had not run, and now all have: the trouble of before is a warning. */
static void mend(struct taking *taking)
{
	struct device_run *run = taking->run;

	if (!(taking->repeat->flags & REPEAT_NOT_RUN) || taking->lacking > 0 || !is_plain(taking->again))
		return;
	for (size_t i = 0; i < run->problem_count; i++)
		if (has_not_run(run->problems[i].failure))
			run->problems[i].is_warning = true;
	run->is_complete = true;
}

static int64_t add_times(int64_t a, int64_t b)
{
	return a < 0 || b < 0 ? (a < 0 ? b : a) : a + b;
}

static void note_rerun(struct taking *taking)
{
	struct device_run *run = taking->run;
	const struct device_run *again = taking->again;

	run->reruns = gr_grow(run->reruns, run->rerun_count, sizeof(*run->reruns));
	run->reruns[run->rerun_count++] = (struct rerun){.build_number = gr_strdup(again->build_number),
	        .build_id = gr_strdup(again->build_id),
	        .native_id = gr_strdup(again->native_id),
	        .url = gr_strdup(again->url),
	        .is_adopted = again->is_adopted,
	        .is_complete = again->is_complete,
	        .is_whole = taking->repeat->is_whole,
	        .failure = again->failure,
	        .tests = taking->repeat->tests,
	        .started_wall_ms = again->started_wall_ms,
	        .ended_wall_ms = again->ended_wall_ms,
	        .elapsed_ms = again->elapsed_ms};
	taking->number = run->rerun_count;
	run->elapsed_ms = add_times(run->elapsed_ms, again->elapsed_ms);
	run->queued_ms = add_times(run->queued_ms, again->queued_ms);
	run->polls += again->polls;
	if (again->lag_most_ms > run->lag_most_ms)
		run->lag_most_ms = again->lag_most_ms;
	if (again->ended_wall_ms > run->ended_wall_ms)
		run->ended_wall_ms = again->ended_wall_ms;
}

/* A case that stands for counted tests took the outcome of one that does, or of one that is a single test. */
static void take_counted(struct taking *taking)
{
	struct device_run *run = taking->run;

	if (run->case_count > 0 && run->cases[0].rerun == taking->number &&
	        (run->counted.tests > 0 || taking->again->counted.tests > 0))
		run->counted = taking->again->counted;
}

void device_run_take(struct device_run *run, const struct device_run *again, const struct repeat *repeat)
{
	struct taking taking = {.run = run, .again = again, .repeat = repeat};

	note_rerun(&taking);
	take_cases(&taking);
	take_counted(&taking);
	mend(&taking); /* before what this rerun itself has to say */
	take_problems(&taking);
	say_lacking(&taking);
	say_worse(&taking);
}
