/* Two runs beside each other, and a run beside all that came before it. A test that ran more than once in a run counts
 * with its worst outcome. */
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/history/private.h"

/* A test counts as slower from half as long again on, when that is a second at least. */
#define SLOWER_FACTOR 1.5
#define SLOWER_SECONDS 1.0

static char *key_of(const char *class_name, const char *test, const char *device)
{
	return gr_printf("%s\x1f%s\x1f%s", class_name ? class_name : "", test ? test : "", device ? device : "");
}

static int badness(const char *status)
{
	static const char *const order[] = {"skipped", "passed", "error", "failed"};

	for (size_t i = 0; i < GR_COUNT(order); i++)
		if (text_equal(order[i], status))
			return (int)i;
	return 0;
}

static const char *member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* {key: outcome}: the worst of each test's last attempts. */
static json_t *worst_of(const json_t *run)
{
	const json_t *list = json_object_get(run, "outcomes");
	json_t *worst = json_object();

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);
		GR_AUTO_FREE char *key = key_of(member(one, "class"), member(one, "test"), member(one, "device"));
		const json_t *known = json_object_get(worst, key);

		if (json_is_true(json_object_get(one, "last")) &&
		        (!known || badness(member(one, "status")) > badness(member(known, "status"))))
			(void)json_object_set(worst, key, one);
	}
	return worst;
}

static bool is_status(const json_t *outcome, const char *status)
{
	return text_equal(member(outcome, "status"), status);
}

static void add(json_t *result, const char *list, const json_t *outcome, const json_t *before)
{
	json_t *one = json_pack("{s:O?, s:O?, s:O?, s:O?}", "class", json_object_get(outcome, "class"), "test",
	        json_object_get(outcome, "test"), "device", json_object_get(outcome, "device"), "status",
	        json_object_get(outcome, "status"));

	if (before) {
		(void)json_object_set(one, "seconds_before", json_object_get(before, "seconds"));
		(void)json_object_set(one, "seconds", json_object_get(outcome, "seconds"));
	}
	(void)json_array_append_new(json_object_get(result, list), one);
}

static bool is_slower(const json_t *before, const json_t *now)
{
	double was = json_number_value(json_object_get(before, "seconds"));
	double is = json_number_value(json_object_get(now, "seconds"));

	return is_status(before, "passed") && is_status(now, "passed") && was > 0 && is > was * SLOWER_FACTOR &&
	       is - was >= SLOWER_SECONDS;
}

/* As the gate has it: a quarantined failure is neither new nor still there, and one before makes none new. */
static void compare_test(json_t *result, const json_t *before, const json_t *now)
{
	bool has_failed = is_status(now, "failed") && !json_is_true(json_object_get(now, "quarantined"));

	if (has_failed && is_status(before, "failed"))
		add(result, "still_failing", now, NULL);
	else if (has_failed)
		add(result, "new_failures", now, NULL);
	else if (is_status(now, "passed") && is_status(before, "failed"))
		add(result, "fixed", now, NULL);
	else if (is_status(now, "error") && !is_status(before, "error"))
		add(result, "missing", now, NULL);
	else if (!before)
		add(result, "added", now, NULL);
	else if (is_slower(before, now))
		add(result, "slower", now, before);
}

int history_compare(struct history *history, const char *from, const char *to, json_t **ret, struct gr_error *err)
{
	GR_AUTO_JSON json_t *before = NULL, *after = NULL, *old = NULL, *new = NULL;
	const char *key;
	json_t *one;
	int r = history_show(history, from, &before, err);

	if (r == 0)
		r = history_show(history, to, &after, err);
	if (r < 0)
		return r;
	old = worst_of(before);
	new = worst_of(after);
	*ret = json_pack("{s:O, s:O, s:[], s:[], s:[], s:[], s:[], s:[]}", "from", json_object_get(before, "run_id"),
	        "to", json_object_get(after, "run_id"), "new_failures", "fixed", "still_failing", "missing", "added",
	        "slower");
	json_object_foreach (new, key, one)
		compare_test(*ret, json_object_get(old, key), one);
	json_object_foreach (old, key, one)
		if (!json_object_get(new, key))
			add(*ret, "missing", one, NULL);
	return 0;
}

/* ---- for the gate ---- */

static const char *own_id(const struct results *results)
{
	return results->run_id ? results->run_id : "";
}

/* {key: status}: the last outcome of each test. */
static int read_last(
        struct history *history, const struct results *results, const char *branch, json_t **ret, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = json_array();
	int r = store_execute(&history->store,
	        STATEMENT(
	                "SELECT class, name, device, status FROM (SELECT t.class, t.name, t.device, o.status, "
	                "ROW_NUMBER() OVER (PARTITION BY o.test ORDER BY r.started_ms DESC, r.id DESC, o.status) AS n "
	                "FROM outcomes o JOIN tests t ON t.id = o.test JOIN runs r ON r.id = o.run WHERE o.last = 1 "
	                "AND "
	                "o.status IN ('passed', 'failed') AND r.pipeline = $1 AND r.branch = $2 AND r.run_id <> $3) x "
	                "WHERE n = 1",
	                TEXT(results->pipeline), TEXT(branch), TEXT(own_id(results))),
	        rows, err);

	if (r < 0)
		return r;
	*ret = json_object();
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		GR_AUTO_FREE char *key = key_of(row_text(row, 0), row_text(row, 1), row_text(row, 2));

		(void)json_object_set(*ret, key, json_array_get(row, 3));
	}
	return 0;
}

/* {key: {status, device, suite}} of this run, as the history would name its tests. Quarantined failures are not news.
 */
static json_t *outcomes_of(const struct results *results)
{
	json_t *all = json_object();

	for (size_t i = 0; i < results->run_count; i++)
		for (size_t j = 0; j < results->runs[i].case_count; j++) {
			const struct device_run *run = &results->runs[i];
			const char *status = case_status_name(run->cases[j].status);
			GR_AUTO_FREE char *key = NULL;
			struct test_name name;

			if (test_case_is_quarantined(&run->cases[j]))
				continue;
			test_name_init(&name, run, &run->cases[j], NULL);
			key = key_of(name.class_name, name.name, name.device);
			if (badness(status) >= badness(member(json_object_get(all, key), "status")))
				(void)json_object_set_new(all, key,
				        json_pack("{s:s, s:s?, s:s?}", "status", status, "device", name.device, "suite",
				                run->step));
			test_name_release(&name);
		}
	return all;
}

static void count_one(json_t *result, const char *change)
{
	(void)json_object_set_new(
	        result, change, json_integer(json_integer_value(json_object_get(result, change)) + 1));
}

static void count_in_group(json_t *groups, const char *name, const char *change)
{
	json_t *group = name ? json_object_get(groups, name) : NULL;

	if (name && !group) {
		group = json_object();
		(void)json_object_set_new(groups, name, group);
	}
	if (group)
		count_one(group, change);
}

/* Into result: new_failures and fixed, of all and by suite and device. */
static void count_changes(const struct results *results, const json_t *last, json_t *result)
{
	GR_AUTO_JSON json_t *now = outcomes_of(results);
	json_t *suites = json_object(), *devices = json_object(), *outcome;
	const char *key;

	(void)json_object_set_new(result, "new_failures", json_integer(0));
	(void)json_object_set_new(result, "fixed", json_integer(0));
	json_object_foreach (now, key, outcome) {
		bool had_failed = text_equal(json_string_value(json_object_get(last, key)), "failed");
		const char *change = is_status(outcome, "failed") && !had_failed  ? "new_failures"
		                     : is_status(outcome, "passed") && had_failed ? "fixed"
		                                                                  : NULL;

		if (!change)
			continue;
		count_one(result, change);
		count_in_group(suites, member(outcome, "suite"), change);
		count_in_group(devices, member(outcome, "device"), change);
	}
	(void)json_object_set_new(result, "suites", suites);
	(void)json_object_set_new(result, "devices", devices);
}

static json_t *baseline_object(const json_t *row)
{
	int64_t passed = row_number(row, 2), failed = row_number(row, 3);
	double rate = passed + failed > 0 ? (double)passed / (double)(passed + failed) : 0.0;

	return json_pack("{s:s?, s:I, s:I, s:I, s:I, s:f, s:f}", "run_id", row_text(row, 0), "tests",
	        (json_int_t)row_number(row, 1), "passed", (json_int_t)passed, "failed", (json_int_t)failed, "flaky",
	        (json_int_t)row_number(row, 4), "pass_rate", rate, "seconds", (double)row_number(row, 5) / 1000.0);
}

/* As the run itself counted; older ones are counted by their outcomes. */
#define COUNTED(column, which)                                                                                         \
	"COALESCE(r." column ", (SELECT COUNT(*) FROM outcomes o WHERE o.run = r.id AND o.last = 1 " which "))"

static int read_baseline(struct history *history, const struct results *results, const char *branch, json_t *result,
        struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = json_array();
	int r = store_execute(&history->store,
	        STATEMENT(
	                "SELECT r.run_id, " COUNTED("tests", "") ", " COUNTED(
	                        "passed", "AND o.status = 'passed'") ", " COUNTED("failed",
	                        "AND o.status = 'failed' AND o.quarantined = 0") ", "
	                                                                         "(SELECT COUNT(*) FROM outcomes o "
	                                                                         "WHERE o.run = r.id AND o.last = 1 "
	                                                                         "AND o.status = 'passed' "
	                                                                         "AND EXISTS (SELECT 1 FROM outcomes p "
	                                                                         "WHERE p.run = o.run AND p.device_run "
	                                                                         "= o.device_run "
	                                                                         "AND p.position = o.position AND "
	                                                                         "p.status = 'failed')), r.elapsed_ms "
	                                                                         "FROM runs r WHERE "
	                                                                         "r.pipeline = $1 AND r.branch = $2 "
	                                                                         "AND "
	                                                                         "r.run_id <> $3 AND r.green = 1 AND "
	                                                                         "EXISTS (SELECT 1 FROM outcomes o "
	                                                                         "WHERE o.run = r.id AND "
	                                                                         "o.last = 1 AND o.status IN "
	                                                                         "('passed', 'failed')) ORDER BY "
	                                                                         "r.started_ms DESC, r.id DESC LIMIT 1",
	                TEXT(results->pipeline), TEXT(branch), TEXT(own_id(results))),
	        rows, err);

	if (r == 0)
		(void)json_object_set_new(result, "baseline",
		        json_array_size(rows) ? baseline_object(json_array_get(rows, 0)) : json_null());
	return r;
}

int history_look_back(
        struct history *history, const struct results *results, const char *branch, json_t **ret, struct gr_error *err)
{
	GR_AUTO_JSON json_t *last = NULL, *result = json_object();
	int r;

	branch = branch ? branch : history_branch(results);
	r = read_last(history, results, branch, &last, err);
	if (r < 0)
		return r;
	(void)json_object_set_new(result, "branch", json_string(branch));
	(void)json_object_set_new(result, "known_tests", json_integer((json_int_t)json_object_size(last)));
	count_changes(results, last, result);
	r = read_baseline(history, results, branch, result, err);
	if (r == 0)
		*ret = gr_take(&result);
	return r;
}
