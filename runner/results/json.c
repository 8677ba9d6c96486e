/* results.json, version 1; schema.c makes its JSON Schema from the same tables. Keys that have no value are left out,
 * except times and counts that are not known: null. Words are those of the *_name() functions; times are milliseconds,
 * *_wall_ms since 1970 (UTC).
 *
 * version       1; another number is another format
 * run_id pipeline file server tool   who ran what, where
 * verdict exit_status cause          what came of it: the first root cause in one line
 * started_wall_ms elapsed_ms requests repeats polls lag_most_ms
 * sandbox test_steps resumed         ran against the sandbox; the plan runs tests; went on from a journal
 * signal        the signal that ended the run, or 0
 * totals        counts over all device runs, for readers: not read back
 * lanes[]       name matrix outcome
 * steps[]       lane step kind name outcome failure message best_effort may_continue runs_tests started_wall_ms
 *               elapsed_ms requests outputs (object)
 *
 * runs[]        one test run on one device: lane step kind ("scriptless", "native") build_number number_source build_id
 *               native_id url part adopted complete failure started_wall_ms ended_wall_ms elapsed_ms queued_ms
 *               lag_most_ms polls log_url recording_url, and
 *
 *   device      {device_id name os platform udid}
 *
 *   reported    {not_started started passed failed stopped skipped}: what the server counted
 *
 *   counted     {tests passed failed skipped}: when `tests` is not 0, the first case stands for so many, which nobody
 *               named; totals count them
 *
 *   cases[]     name class status failure reason raw_status data time_ms quarantine quarantine_owner quarantine_until
 *               rerun attempts[] {status failure reason time_ms rerun}; `rerun`: the element of reruns[], from 1, that
 *               brought the outcome, 0 for the first start
 *
 *   reruns[]    build_number build_id native_id url adopted complete whole failure tests started_wall_ms ended_wall_ms:
 *               further starts; `whole`: all tests were started again
 *
 * problems[]    of the whole, and of runs[]: failure warning derived message lane step device
 *
 * artifacts[]   path sha256 bytes lane step device origin missing rerun (0: of the first start, or of all)
 *
 * held[]        key what released message
 *
 * gate[]        text values holds line
 *
 * parts[]       name run_id verdict exit_status cause tests failed (of a merge: `merged`)
 *
 * environment   object: CI provider, branch, ...
 *
 * history       version (1; 0: there was none) branch runs[] {run_id verdict started_wall_ms elapsed_ms tests passed
 *               failed errors skipped}: earlier runs of this pipeline and branch, at most 20, oldest first */
#include "runner/base/memory.h"
#include "runner/results/record.h"

json_t *totals_to_json(const struct results *results)
{
	struct totals totals = results_totals(results);

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "tests", totals.tests, "passed",
	        totals.passed, "failed", totals.failed, "errors", totals.errors, "skipped", totals.skipped, "flaky",
	        totals.flaky, "quarantined", totals.quarantined, "executed", totals.executed, "device_runs",
	        totals.device_runs, "device_runs_complete", totals.device_runs_complete, "problems", totals.problems);
}

json_t *results_to_json(const struct results *results)
{
	json_t *json = json_pack("{s:i}", "version", RESULTS_VERSION);
	json_t *rest = record_to_json(&results_record, results);

	(void)json_object_update(json, rest);
	(void)json_object_set_new(json, "totals", totals_to_json(results));
	json_decref(rest);
	return json;
}

int results_from_json(const json_t *json, struct results *ret_results, struct gr_error *err)
{
	const json_t *version = json_object_get(json, "version");
	struct results results;
	int r;

	if (!json_is_integer(version))
		return gr_fail(err, GR_CONFIG, 0, "not a results file of gridlane: it has no version number");
	if (json_integer_value(version) != RESULTS_VERSION)
		return gr_fail(err, GR_CONFIG, 0,
		        "results of version %" JSON_INTEGER_FORMAT " are not known to this gridlane (it reads %d)",
		        json_integer_value(version), RESULTS_VERSION);
	r = record_from_json(&results_record, json, "results", &results, err);
	if (r < 0)
		return r;
	if (!json_object_get(json, "verdict")) { /* it would be the first one, "passed" */
		results_release(&results);
		return gr_fail(err, GR_CONFIG, 0, "results: there is no 'verdict'");
	}
	*ret_results = results;
	return 0;
}

json_t *device_run_to_json(const struct device_run *run)
{
	return record_to_json(&device_run_record, run);
}

int device_run_from_json(const json_t *json, struct device_run *ret_run, struct gr_error *err)
{
	struct device_run run;
	int r = record_from_json(&device_run_record, json, "device run", &run, err);

	if (r == 0)
		*ret_run = run;
	return r;
}
