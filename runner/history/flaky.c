/* Which tests fail without a reason that stays. A failure counts as one that went away by itself when a later attempt
 * of the same run passed, or a later run of the same commit (both prove it), or when it lasted for one or two runs
 * only. A test is called flaky when the rate of such failures is above the bound at 95 % confidence, and one failure is
 * proven or there were two of them: one regression that was mended at once is not a flaky test. */
#include <stdlib.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/history/private.h"

#define STREAK_MOST 2

struct tally {
	int64_t outcomes, failures, passing, episodes, proven;
	int64_t streak, streak_runs; /* failures since the last pass, and in how many runs */
	int64_t run; /* of the last outcome */
	const char *commit; /* of the streak's last failure, borrowed */
};

struct flaky_test {
	json_t *object;
	double low;
};

enum {
	COLUMN_TEST,
	COLUMN_PIPELINE,
	COLUMN_CLASS,
	COLUMN_NAME,
	COLUMN_DEVICE,
	COLUMN_RUN,
	COLUMN_COMMIT,
	COLUMN_STATUS
};

static void see_failure(struct tally *tally, const json_t *row)
{
	tally->failures++;
	tally->streak++;
	tally->streak_runs += tally->streak == 1 || tally->run != row_number(row, COLUMN_RUN);
	tally->commit = row_text(row, COLUMN_COMMIT);
}

static void see_pass(struct tally *tally, const json_t *row)
{
	const char *commit = row_text(row, COLUMN_COMMIT);
	bool is_proven = tally->run == row_number(row, COLUMN_RUN) || (commit && text_equal(commit, tally->commit));

	if (tally->streak > 0 && (is_proven || tally->streak_runs <= STREAK_MOST)) {
		tally->passing += tally->streak;
		tally->episodes++;
		tally->proven += is_proven;
	}
	tally->streak = tally->streak_runs = 0;
}

static void see(struct tally *tally, const json_t *row)
{
	tally->outcomes++;
	if (text_equal(row_text(row, COLUMN_STATUS), "passed"))
		see_pass(tally, row);
	else
		see_failure(tally, row);
	tally->run = row_number(row, COLUMN_RUN);
}

static json_t *describe(const struct tally *tally, const json_t *row, double low, double high)
{
	return json_pack("{s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "pipeline",
	        row_text(row, COLUMN_PIPELINE), "class", row_text(row, COLUMN_CLASS), "test",
	        row_text(row, COLUMN_NAME), "device", row_text(row, COLUMN_DEVICE), "outcomes",
	        (json_int_t)tally->outcomes, "failures", (json_int_t)tally->failures, "passing_failures",
	        (json_int_t)tally->passing, "proven", (json_int_t)tally->proven, "rate",
	        (double)tally->passing / (double)tally->outcomes, "low", low, "high", high);
}

static int by_rate(const void *a, const void *b)
{
	double left = ((const struct flaky_test *)a)->low, right = ((const struct flaky_test *)b)->low;

	return left > right ? -1 : left < right;
}

/* The rows of one test are beside each other, in the order of time. */
static struct flaky_test *find_flaky(const json_t *rows, double least, size_t *ret_count)
{
	struct flaky_test *found = NULL;
	size_t count = json_array_size(rows);
	struct tally tally = {0};

	*ret_count = 0;
	for (size_t i = 0; i < count; i++) {
		const json_t *row = json_array_get(rows, i), *next = json_array_get(rows, i + 1);
		double low, high;

		see(&tally, row);
		if (next && row_number(next, COLUMN_TEST) == row_number(row, COLUMN_TEST))
			continue;
		statistics_bounds(tally.passing, tally.outcomes, &low, &high);
		if (low > least && (tally.proven > 0 || tally.episodes > 1)) {
			found = gr_grow(found, *ret_count, sizeof(*found));
			found[(*ret_count)++] = (struct flaky_test){describe(&tally, row, low, high), low};
		}
		tally = (struct tally){0};
	}
	if (found)
		qsort(found, *ret_count, sizeof(*found), by_rate);
	return found;
}

int history_flaky(
        struct history *history, const struct history_filter *filter, double least, json_t **ret, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = json_array();
	struct flaky_test *found;
	size_t count;
	int r = store_execute(&history->store,
	        STATEMENT("SELECT t.id, t.pipeline, t.class, t.name, t.device, r.id, r.revision, o.status FROM "
	                  "outcomes o "
	                  "JOIN tests t ON t.id = o.test JOIN runs r ON r.id = o.run WHERE o.status IN ('passed', "
	                  "'failed') AND ($1 = '' OR r.pipeline = $1) AND ($2 = '' OR r.branch = $2) "
	                  "ORDER BY t.id, r.started_ms, r.id, o.device_run, o.position, o.attempt",
	                TEXT(filter->pipeline ? filter->pipeline : ""), TEXT(filter->branch ? filter->branch : "")),
	        rows, err);

	if (r < 0)
		return r;
	found = find_flaky(rows, least, &count);
	*ret = json_array();
	for (size_t i = 0; i < count; i++) {
		if ((int64_t)i < filter->most)
			(void)json_array_append(*ret, found[i].object);
		json_decref(found[i].object);
	}
	gr_free(found);
	return 0;
}
