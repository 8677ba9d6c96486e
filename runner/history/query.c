/* Questions about runs and about how long tests take. */
#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/history/private.h"

#define RUN_COLUMNS                                                                                                    \
	"r.run_id, r.pipeline, r.branch, r.revision, r.verdict, r.green, r.started_ms, r.elapsed_ms, r.cause, "        \
	"(SELECT COUNT(*) FROM outcomes o WHERE o.run = r.id AND o.last = 1), "                                        \
	"(SELECT COUNT(*) FROM outcomes o WHERE o.run = r.id AND o.last = 1 AND o.status = 'passed'), "                \
	"(SELECT COUNT(*) FROM outcomes o WHERE o.run = r.id AND o.last = 1 AND o.status = 'failed' "                  \
	"AND o.quarantined = 0), "                                                                                     \
	"(SELECT COUNT(*) FROM outcomes o WHERE o.run = r.id AND o.last = 1 AND o.status = 'error'), "                 \
	"(SELECT COUNT(*) FROM outcomes o WHERE o.run = r.id AND o.last = 1 AND o.status = 'skipped'), "               \
	"(SELECT COUNT(*) FROM outcomes o WHERE o.run = r.id AND o.last = 1 AND o.quarantined = 1) "

static json_t *seconds(int64_t ms)
{
	return ms < 0 ? json_null() : json_real((double)ms / 1000.0);
}

static json_t *run_object(const json_t *row)
{
	char started[CLOCK_TEXT_BYTES];
	json_t *run = json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:b, s:s, s:o}", "run_id", row_text(row, 0), "pipeline",
	        row_text(row, 1), "branch", row_text(row, 2), "commit", row_text(row, 3), "verdict", row_text(row, 4),
	        "green", (int)(row_number(row, 5) == 1), "started", clock_format_utc(row_number(row, 6), started),
	        "seconds", seconds(row_number(row, 7)));
	static const char *const counts[] = {"tests", "passed", "failed", "errors", "skipped", "quarantined"};

	for (size_t i = 0; i < GR_COUNT(counts); i++)
		(void)json_object_set_new(run, counts[i], json_integer((json_int_t)row_number(row, 9 + i)));
	return run;
}

int history_list(struct history *history, const struct history_filter *filter, json_t **ret, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = json_array();
	int r = store_execute(&history->store,
	        STATEMENT("SELECT " RUN_COLUMNS "FROM runs r WHERE ($1 = '' OR r.pipeline = $1) AND "
	                  "($2 = '' OR r.branch = $2) ORDER BY r.started_ms DESC, r.id DESC LIMIT $3",
	                TEXT(filter->pipeline ? filter->pipeline : ""), TEXT(filter->branch ? filter->branch : ""),
	                NUMBER(filter->most)),
	        rows, err);

	if (r < 0)
		return r;
	*ret = json_array();
	for (size_t i = 0; i < json_array_size(rows); i++)
		(void)json_array_append_new(*ret, run_object(json_array_get(rows, i)));
	return 0;
}

static bool verdict_from_name(const char *name, enum verdict *ret_verdict)
{
	for (int i = VERDICT_PASSED; i <= VERDICT_CANCELLED; i++)
		if (name && strcmp(name, verdict_name((enum verdict)i)) == 0) {
			*ret_verdict = (enum verdict)i;
			return true;
		}
	return false;
}

static void add_earlier(struct earlier *earlier, const json_t *row)
{
	struct earlier_run run = {.started_wall_ms = row_number(row, 6),
	        .elapsed_ms = row_number(row, 7),
	        .tests = row_number(row, 9),
	        .passed = row_number(row, 10),
	        .failed = row_number(row, 11),
	        .errors = row_number(row, 12),
	        .skipped = row_number(row, 13)};

	if (!verdict_from_name(row_text(row, 4), &run.verdict))
		return;
	run.run_id = gr_strdup(row_text(row, 0));
	earlier->runs = gr_grow(earlier->runs, earlier->run_count, sizeof(*earlier->runs));
	earlier->runs[earlier->run_count++] = run;
}

int history_earlier(struct history *history, const struct history_filter *filter, const char *without,
        struct earlier *ret_earlier, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = json_array();
	struct earlier earlier = {.version = EARLIER_VERSION, .branch = gr_strdup(filter->branch)};
	int r = store_execute(&history->store,
	        STATEMENT("SELECT " RUN_COLUMNS "FROM runs r WHERE r.pipeline = $1 AND r.branch = $2 AND r.run_id <> "
	                  "$3 ORDER BY r.started_ms DESC, r.id DESC LIMIT $4",
	                TEXT(filter->pipeline ? filter->pipeline : ""), TEXT(filter->branch ? filter->branch : ""),
	                TEXT(without ? without : ""), NUMBER(filter->most)),
	        rows, err);

	for (size_t i = json_array_size(rows); r == 0 && i-- > 0;)
		add_earlier(&earlier, json_array_get(rows, i));
	if (r < 0) {
		earlier_release(&earlier);
		return r;
	}
	*ret_earlier = earlier;
	return 0;
}

static json_t *outcome_object(const json_t *row)
{
	return json_pack("{s:s?, s:s?, s:s?, s:I, s:b, s:s?, s:s?, s:o, s:s?, s:b}", "class", row_text(row, 0), "test",
	        row_text(row, 1), "device", row_text(row, 2), "attempt", (json_int_t)row_number(row, 3), "last",
	        (int)(row_number(row, 4) == 1), "status", row_text(row, 5), "failure", row_text(row, 6), "seconds",
	        seconds(row_number(row, 7)), "fingerprint", row_text(row, 8), "quarantined",
	        (int)(row_number(row, 9) == 1));
}

static int one_run(const json_t *rows, const char *run, struct gr_error *err)
{
	if (json_array_size(rows) == 0)
		return gr_fail(
		        err, GR_USAGE, 0, "the history has no run '%s'; `gridlane history list` shows them", run);
	if (json_array_size(rows) > 1 && strcmp(row_text(json_array_get(rows, 0), 0), run) != 0)
		return gr_fail(err, GR_USAGE, 0, "more than one run begins with '%s'", run);
	return 0;
}

int history_show(struct history *history, const char *run, json_t **ret, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = json_array();
	GR_AUTO_JSON json_t *outcomes = json_array();
	GR_AUTO_JSON json_t *found = NULL;
	json_t *list;
	int r = store_execute(&history->store,
	        STATEMENT("SELECT " RUN_COLUMNS "FROM runs r WHERE SUBSTR(r.run_id, 1, LENGTH($1)) = $1 "
	                  "ORDER BY LENGTH(r.run_id), r.run_id LIMIT 2",
	                TEXT(run)),
	        rows, err);

	if (r == 0)
		r = one_run(rows, run, err);
	if (r < 0)
		return r;
	found = run_object(json_array_get(rows, 0));
	(void)json_object_set(found, "cause", json_array_get(json_array_get(rows, 0), 8));
	r = store_execute(&history->store,
	        STATEMENT("SELECT t.class, t.name, t.device, o.attempt, o.last, o.status, o.failure, o.ms, "
	                  "o.fingerprint, "
	                  "o.quarantined FROM outcomes o JOIN tests t ON t.id = o.test JOIN runs r ON r.id = o.run "
	                  "WHERE r.run_id = $1 "
	                  "ORDER BY o.device_run, o.position, o.attempt",
	                TEXT(row_text(json_array_get(rows, 0), 0))),
	        outcomes, err);
	if (r < 0)
		return r;
	list = json_array();
	for (size_t i = 0; i < json_array_size(outcomes); i++)
		(void)json_array_append_new(list, outcome_object(json_array_get(outcomes, i)));
	(void)json_object_set_new(found, "outcomes", list);
	*ret = gr_take(&found);
	return 0;
}

int history_slow(struct history *history, const struct history_filter *filter, json_t **ret, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = json_array();
	int r = store_execute(&history->store,
	        STATEMENT("SELECT t.pipeline, t.class, t.name, t.device, COUNT(*), CAST(SUM(o.ms) / COUNT(*) AS "
	                  "BIGINT), MAX(o.ms) "
	                  "FROM outcomes o JOIN tests t ON t.id = o.test JOIN runs r ON r.id = o.run "
	                  "WHERE o.ms IS NOT NULL AND ($1 = '' OR r.pipeline = $1) AND ($2 = '' OR r.branch = $2) "
	                  "GROUP BY t.id, t.pipeline, t.class, t.name, t.device ORDER BY 6 DESC, t.id LIMIT $3",
	                TEXT(filter->pipeline ? filter->pipeline : ""), TEXT(filter->branch ? filter->branch : ""),
	                NUMBER(filter->most)),
	        rows, err);

	if (r < 0)
		return r;
	*ret = json_array();
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		(void)json_array_append_new(
		        *ret, json_pack("{s:s?, s:s?, s:s?, s:s?, s:I, s:o, s:o}", "pipeline", row_text(row, 0),
		                      "class", row_text(row, 1), "test", row_text(row, 2), "device", row_text(row, 3),
		                      "outcomes", (json_int_t)row_number(row, 4), "seconds",
		                      seconds(row_number(row, 5)), "slowest", seconds(row_number(row, 6))));
	}
	return 0;
}
