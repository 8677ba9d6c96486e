/* Writing a run. */
#include <ctype.h>
#include <string.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/history/private.h"

/* Bytes of a reason that its fingerprint is made of: a message and the top of its stack. */
#define REASON_BYTES 600

struct writer {
	struct store *store;
	const struct results *results;
	struct redactor *redactor;
	const char *pipeline;
	int64_t run;
};

char *history_fingerprint(const char *reason)
{
	GR_AUTO_BUFFER struct buffer same = {0};
	char hex[65];

	if (!reason)
		return NULL;
	for (size_t i = 0; i < REASON_BYTES && reason[i]; i++) {
		bool digit = isxdigit((unsigned char)reason[i]) != 0;

		if (isdigit((unsigned char)reason[i])) {
			while (digit && reason[i + 1] && isxdigit((unsigned char)reason[i + 1]))
				i++;
			buffer_add_char(&same, '#');
		} else if (!isspace((unsigned char)reason[i])) {
			buffer_add_char(&same, reason[i]);
		}
	}
	file_sha256_memory(buffer_text(&same), same.bytes, hex);
	return gr_strndup(hex, 16);
}

const char *history_branch(const struct results *results)
{
	const char *branch = json_string_value(json_object_get(results->environment, "branch"));

	return branch ? branch : "";
}

const char *history_commit(const struct results *results)
{
	return json_string_value(json_object_get(results->environment, "commit"));
}

void test_name_init(
        struct test_name *name, const struct device_run *run, const struct test_case *test, struct redactor *redactor)
{
	/* The device of a test that is spread over lanes is another one each time, and says nothing. */
	const char *device = run->part ? "*" : run->device.name ? run->device.name : run->device.device_id;
	GR_AUTO_FREE char *full = test->data ? gr_printf("%s [%s]", test->name ? test->name : "?", test->data)
	                                     : gr_strdup(test->name ? test->name : "?");

	name->class_name = redactor_text(redactor, test->class_name ? test->class_name : "");
	name->name = redactor_text(redactor, full);
	name->device = redactor_text(redactor, device ? device : "?");
}

void test_name_release(struct test_name *name)
{
	gr_free(name->class_name);
	gr_free(name->name);
	gr_free(name->device);
}

/* Would the run be green if there had been something to compare with? Else a pipeline whose gate wants a baseline could
 * never get one. */
static bool is_green(const struct results *results)
{
	GR_AUTO_JSON json_t *json = NULL;
	struct results copy = {0};
	struct gr_error err = {0};
	bool green;

	if (results->verdict != VERDICT_FAILED)
		return results->verdict == VERDICT_PASSED;
	json = results_to_json(results);
	if (results_from_json(json, &copy, &err) < 0)
		return false;
	for (size_t i = 0; i < copy.rule_count; i++)
		copy.rules[i].holds = copy.rules[i].holds || copy.rules[i].lacks_baseline;
	results_judge(&copy);
	green = copy.verdict == VERDICT_PASSED;
	results_release(&copy);
	return green;
}

static int one_number(struct store *store, struct statement statement, int64_t *ret, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = json_array();
	int r = store_execute(store, statement, rows, err);

	if (r == 0)
		*ret = row_number(json_array_get(rows, 0), 0);
	return r;
}

static int forget_run(struct store *store, const char *run_id, struct gr_error *err)
{
	int64_t run = -1;
	int r = one_number(store, STATEMENT("SELECT id FROM runs WHERE run_id = $1", TEXT(run_id)), &run, err);

	if (r < 0 || run < 0)
		return r;
	r = store_execute(store, STATEMENT("DELETE FROM outcomes WHERE run = $1", NUMBER(run)), NULL, err);
	if (r == 0)
		r = store_execute(store, STATEMENT("DELETE FROM device_runs WHERE run = $1", NUMBER(run)), NULL, err);
	return r < 0 ? r : store_execute(store, STATEMENT("DELETE FROM runs WHERE id = $1", NUMBER(run)), NULL, err);
}

static int write_run(struct writer *writer, struct gr_error *err)
{
	const struct results *results = writer->results;
	const struct totals totals = results_totals(results);
	GR_AUTO_FREE char *cause = redactor_text(writer->redactor, results->cause);
	int r = store_execute(writer->store,
	        STATEMENT(
	                "INSERT INTO runs (run_id, pipeline, branch, revision, verdict, green, started_ms, elapsed_ms, "
	                "cause, tests, passed, failed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
	                TEXT(results->run_id), TEXT(writer->pipeline), TEXT(history_branch(results)),
	                TEXT(history_commit(results)), TEXT(verdict_name(results->verdict)), NUMBER(is_green(results)),
	                NUMBER(results->started_wall_ms), NUMBER(results->elapsed_ms), TEXT(cause),
	                NUMBER(totals.tests), NUMBER(totals.passed), NUMBER(totals.failed)),
	        NULL, err);

	if (r < 0)
		return r;
	return one_number(writer->store, STATEMENT("SELECT id FROM runs WHERE run_id = $1", TEXT(results->run_id)),
	        &writer->run, err);
}

static int add_test(struct writer *writer, const struct test_name *name, struct gr_error *err)
{
	return store_execute(writer->store,
	        STATEMENT("INSERT INTO tests (pipeline, class, name, device) VALUES ($1, $2, $3, $4) ON CONFLICT DO "
	                  "NOTHING",
	                TEXT(writer->pipeline), TEXT(name->class_name), TEXT(name->name), TEXT(name->device)),
	        NULL, err);
}

struct outcome_row {
	int64_t device_run, position, attempt;
	const struct test_name *name;
	bool is_last, is_quarantined;
};

static int write_outcome(
        struct writer *writer, const struct outcome_row *row, const struct attempt *attempt, struct gr_error *err)
{
	GR_AUTO_FREE char *fingerprint = history_fingerprint(attempt->reason);
	const char *failure = attempt->failure == GR_NONE ? NULL : failure_name(attempt->failure);
	struct value ms = attempt->time_ms >= 0 ? NUMBER(attempt->time_ms) : TEXT(NULL);

	/* The test is found by its name here and not by a question before, so that nothing waits for an answer. */
	return store_execute(writer->store,
	        STATEMENT("INSERT INTO outcomes (run, device_run, position, attempt, test, last, status, failure, "
	                  "quarantined, ms, fingerprint) SELECT $1, $2, $3, $4, t.id, $5, $6, CAST($7 AS TEXT), $8, "
	                  "CAST($9 AS BIGINT), CAST($10 AS TEXT) FROM tests t WHERE t.pipeline = $11 AND t.class = $12 "
	                  "AND t.name = $13 AND t.device = $14",
	                NUMBER(writer->run), NUMBER(row->device_run), NUMBER(row->position), NUMBER(row->attempt),
	                NUMBER(row->is_last), TEXT(case_status_name(attempt->status)), TEXT(failure),
	                NUMBER(row->is_quarantined), ms, TEXT(fingerprint), TEXT(writer->pipeline),
	                TEXT(row->name->class_name), TEXT(row->name->name), TEXT(row->name->device)),
	        NULL, err);
}

static int write_case(struct writer *writer, struct outcome_row row, const struct test_case *test, struct gr_error *err)
{
	const struct attempt last = {
	        .status = test->status, .failure = test->failure, .reason = test->reason, .time_ms = test->time_ms};
	int r = 0;

	for (size_t i = 0; i < test->attempt_count && r == 0; i++) {
		row.attempt = (int64_t)i + 1;
		r = write_outcome(writer, &row, &test->attempts[i], err);
	}
	row.attempt = (int64_t)test->attempt_count + 1;
	row.is_last = true;
	row.is_quarantined = test_case_is_quarantined(test);
	return r < 0 ? r : write_outcome(writer, &row, &last, err);
}

static int write_cases(struct writer *writer, size_t number, struct gr_error *err)
{
	const struct device_run *run = &writer->results->runs[number];
	int r = 0;

	for (size_t i = 0; i < run->case_count && r == 0; i++) {
		struct test_name name;
		struct outcome_row row = {.device_run = (int64_t)number, .position = (int64_t)i, .name = &name};

		test_name_init(&name, run, &run->cases[i], writer->redactor);
		r = add_test(writer, &name, err);
		if (r == 0)
			r = write_case(writer, row, &run->cases[i], err);
		test_name_release(&name);
	}
	return r;
}

static struct value known(int64_t ms)
{
	return ms >= 0 ? NUMBER(ms) : TEXT(NULL);
}

static int write_device_run(struct writer *writer, size_t number, struct gr_error *err)
{
	const struct device_run *run = &writer->results->runs[number];
	const char *device = run->device.name ? run->device.name : run->device.device_id;
	GR_AUTO_FREE char *clean = redactor_text(writer->redactor, device ? device : "?");
	GR_AUTO_FREE char *lane = redactor_text(writer->redactor, run->lane);
	GR_AUTO_FREE char *os = redactor_text(writer->redactor, run->device.os);
	int r = store_execute(writer->store,
	        STATEMENT("INSERT INTO device_runs (run, number, lane, step, device, os, complete, elapsed_ms, "
	                  "queued_ms, "
	                  "lag_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
	                NUMBER(writer->run), NUMBER((int64_t)number), TEXT(lane), TEXT(run->step), TEXT(clean),
	                TEXT(os), NUMBER(run->is_complete), known(device_run_first_ms(run)), known(run->queued_ms),
	                known(run->lag_most_ms)),
	        NULL, err);

	return r < 0 ? r : write_cases(writer, number, err);
}

int history_record(
        struct history *history, const struct results *results, struct redactor *redactor, struct gr_error *err)
{
	GR_AUTO_FREE char *pipeline = redactor_text(redactor, results->pipeline ? results->pipeline : "");
	struct writer writer = {
	        .store = &history->store, .results = results, .redactor = redactor, .pipeline = pipeline};
	int r;

	if (!results->run_id)
		return gr_fail(err, GR_INTERNAL, 0, "the run has no id, so the history cannot hold it");
	r = store_begin(writer.store, err);
	if (r < 0)
		return r;
	r = forget_run(writer.store, results->run_id, err);
	if (r == 0)
		r = write_run(&writer, err);
	for (size_t i = 0; i < results->run_count && r == 0; i++)
		r = write_device_run(&writer, i, err);
	return store_end(writer.store, r, err);
}

/* The newest green run of a branch is what a gate compares with. */
static bool is_baseline(json_t *branches, const json_t *row)
{
	if (row_number(row, 3) != 1 || json_object_get(branches, row_text(row, 2)))
		return false;
	(void)json_object_set_new_nocheck(branches, row_text(row, 2), json_true());
	return true;
}

int history_prune(struct history *history, const char *pipeline, int64_t before_ms, int64_t most, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = json_array();
	GR_AUTO_JSON json_t *branches = json_object();
	struct store *store = &history->store;
	int r = store_begin(store, err);

	if (r < 0)
		return r;
	r = store_execute(store,
	        STATEMENT(
	                "SELECT run_id, started_ms, branch, CASE WHEN green = 1 AND EXISTS (SELECT 1 FROM outcomes o "
	                "WHERE o.run = runs.id AND o.last = 1 AND o.status IN ('passed', 'failed')) THEN 1 ELSE 0 END "
	                "FROM runs WHERE pipeline = $1 ORDER BY started_ms DESC, id DESC",
	                TEXT(pipeline)),
	        rows, err);
	for (size_t i = 0; i < json_array_size(rows) && r == 0; i++) {
		const json_t *row = json_array_get(rows, i);
		bool is_needed = is_baseline(branches, row);

		if (((int64_t)i >= most && !is_needed) || row_number(row, 1) < before_ms)
			r = forget_run(store, row_text(row, 0), err);
	}
	if (r == 0)
		r = store_execute(store,
		        STATEMENT("DELETE FROM tests WHERE pipeline = $1 AND NOT EXISTS "
		                  "(SELECT 1 FROM outcomes WHERE test = tests.id)",
		                TEXT(pipeline)),
		        NULL, err);
	return store_end(store, r, err);
}
