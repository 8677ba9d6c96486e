/* The fields of the model, in the order of model.h. The keys are those of results.json (json.c says what they mean). */
#include <stddef.h>

#include "runner/results/record.h"

static const char *name_of_verdict(int value)
{
	return verdict_name((enum verdict)value);
}

static const char *name_of_status(int value)
{
	return case_status_name((enum case_status)value);
}

static const char *name_of_outcome(int value)
{
	return outcome_name((enum outcome)value);
}

static const char *name_of_failure(int value)
{
	return failure_name((enum gr_failure)value);
}

static const char *name_of_kind(int value)
{
	return value == RUN_NATIVE ? "native" : "scriptless";
}

static const struct record_words verdicts = {name_of_verdict, VERDICT_CANCELLED + 1};
static const struct record_words statuses = {name_of_status, STATUS_ERROR + 1};
static const struct record_words outcomes = {name_of_outcome, OUTCOME_NOT_RUN + 1};
static const struct record_words failures = {name_of_failure, GR_FAILURE_COUNT};
static const struct record_words run_kinds = {name_of_kind, RUN_NATIVE + 1};

#define PLAIN(type, structure, key, member)                                                                            \
	{                                                                                                              \
		key, type, offsetof(struct structure, member), 0, NULL, NULL                                           \
	}
#define TEXT(structure, key, member) PLAIN(RECORD_TEXT, structure, key, member)
#define WORD(structure, key, member, words)                                                                            \
	{                                                                                                              \
		key, RECORD_WORD, offsetof(struct structure, member), 0, &(words), NULL                                \
	}
#define LIST(structure, key, member, count, record)                                                                    \
	{                                                                                                              \
		key, RECORD_LIST, offsetof(struct structure, member), offsetof(struct structure, count), NULL,         \
		        &(record)                                                                                      \
	}
#define END                                                                                                            \
	{                                                                                                              \
		NULL, RECORD_TEXT, 0, 0, NULL, NULL                                                                    \
	}

static const struct record_field attempt_fields[] = {
        WORD(attempt, "status", status, statuses),
        WORD(attempt, "failure", failure, failures),
        TEXT(attempt, "reason", reason),
        PLAIN(RECORD_KNOWN, attempt, "time_ms", time_ms),
        PLAIN(RECORD_UNSIGNED, attempt, "rerun", rerun),
        END,
};
static const struct record attempt_record = {sizeof(struct attempt), attempt_fields};

static const struct record_field test_case_fields[] = {
        TEXT(test_case, "name", name),
        TEXT(test_case, "class", class_name),
        WORD(test_case, "status", status, statuses),
        WORD(test_case, "failure", failure, failures),
        TEXT(test_case, "reason", reason),
        TEXT(test_case, "raw_status", raw_status),
        TEXT(test_case, "data", data),
        PLAIN(RECORD_KNOWN, test_case, "time_ms", time_ms),
        TEXT(test_case, "quarantine", quarantine),
        TEXT(test_case, "quarantine_owner", quarantine_owner),
        TEXT(test_case, "quarantine_until", quarantine_until),
        PLAIN(RECORD_UNSIGNED, test_case, "rerun", rerun),
        LIST(test_case, "attempts", attempts, attempt_count, attempt_record),
        END,
};
const struct record test_case_record = {sizeof(struct test_case), test_case_fields};

static const struct record_field problem_fields[] = {
        WORD(problem, "failure", failure, failures),
        PLAIN(RECORD_BOOL, problem, "warning", is_warning),
        PLAIN(RECORD_BOOL, problem, "derived", is_derived),
        TEXT(problem, "message", message),
        TEXT(problem, "lane", lane),
        TEXT(problem, "step", step),
        TEXT(problem, "device", device),
        END,
};
const struct record problem_record = {sizeof(struct problem), problem_fields};

static const struct record_field device_fields[] = {
        TEXT(device_info, "device_id", device_id),
        TEXT(device_info, "name", name),
        TEXT(device_info, "os", os),
        TEXT(device_info, "platform", platform),
        TEXT(device_info, "udid", udid),
        END,
};
static const struct record device_record = {sizeof(struct device_info), device_fields};

/* `reported` alone, as an object of its own: the offsets are those of six numbers in a row. */
#define REPORTED(key, number)                                                                                          \
	{                                                                                                              \
		key, RECORD_KNOWN, (number) * sizeof(int64_t), 0, NULL, NULL                                           \
	}
static const struct record_field reported_fields[] = {
        REPORTED("not_started", 0),
        REPORTED("started", 1),
        REPORTED("passed", 2),
        REPORTED("failed", 3),
        REPORTED("stopped", 4),
        REPORTED("skipped", 5),
        END,
};
static const struct record reported_record = {6 * sizeof(int64_t), reported_fields};

static const struct record_field counted_fields[] = {
        PLAIN(RECORD_INT64, counted, "tests", tests),
        PLAIN(RECORD_INT64, counted, "passed", passed),
        PLAIN(RECORD_INT64, counted, "failed", failed),
        PLAIN(RECORD_INT64, counted, "skipped", skipped),
        END,
};
static const struct record counted_record = {sizeof(struct counted), counted_fields};

static const struct record_field rerun_fields[] = {
        TEXT(rerun, "build_number", build_number),
        TEXT(rerun, "build_id", build_id),
        TEXT(rerun, "native_id", native_id),
        TEXT(rerun, "url", url),
        PLAIN(RECORD_BOOL, rerun, "adopted", is_adopted),
        PLAIN(RECORD_BOOL, rerun, "complete", is_complete),
        PLAIN(RECORD_BOOL, rerun, "whole", is_whole),
        WORD(rerun, "failure", failure, failures),
        PLAIN(RECORD_INT64, rerun, "tests", tests),
        PLAIN(RECORD_INT64, rerun, "started_wall_ms", started_wall_ms),
        PLAIN(RECORD_INT64, rerun, "ended_wall_ms", ended_wall_ms),
        PLAIN(RECORD_KNOWN, rerun, "elapsed_ms", elapsed_ms),
        END,
};
static const struct record rerun_record = {sizeof(struct rerun), rerun_fields};

static const struct record_field device_run_fields[] = {
        TEXT(device_run, "lane", lane),
        TEXT(device_run, "step", step),
        WORD(device_run, "kind", kind, run_kinds),
        {"device", RECORD_OBJECT, offsetof(struct device_run, device), 0, NULL, &device_record},
        TEXT(device_run, "build_number", build_number),
        TEXT(device_run, "number_source", number_source),
        TEXT(device_run, "build_id", build_id),
        TEXT(device_run, "native_id", native_id),
        TEXT(device_run, "url", url),
        TEXT(device_run, "part", part),
        PLAIN(RECORD_BOOL, device_run, "adopted", is_adopted),
        PLAIN(RECORD_BOOL, device_run, "complete", is_complete),
        WORD(device_run, "failure", failure, failures),
        {"reported", RECORD_OBJECT, offsetof(struct device_run, reported), 0, NULL, &reported_record},
        {"counted", RECORD_OBJECT, offsetof(struct device_run, counted), 0, NULL, &counted_record},
        LIST(device_run, "cases", cases, case_count, test_case_record),
        LIST(device_run, "problems", problems, problem_count, problem_record),
        LIST(device_run, "reruns", reruns, rerun_count, rerun_record),
        PLAIN(RECORD_INT64, device_run, "started_wall_ms", started_wall_ms),
        PLAIN(RECORD_INT64, device_run, "ended_wall_ms", ended_wall_ms),
        PLAIN(RECORD_KNOWN, device_run, "elapsed_ms", elapsed_ms),
        PLAIN(RECORD_KNOWN, device_run, "queued_ms", queued_ms),
        PLAIN(RECORD_INT64, device_run, "lag_most_ms", lag_most_ms),
        PLAIN(RECORD_UNSIGNED, device_run, "polls", polls),
        TEXT(device_run, "log_url", log_url),
        TEXT(device_run, "recording_url", recording_url),
        END,
};
const struct record device_run_record = {sizeof(struct device_run), device_run_fields};

static const struct record_field artifact_fields[] = {
        TEXT(artifact, "path", path),
        TEXT(artifact, "sha256", sha256),
        PLAIN(RECORD_INT64, artifact, "bytes", bytes),
        TEXT(artifact, "lane", lane),
        TEXT(artifact, "step", step),
        TEXT(artifact, "device", device),
        TEXT(artifact, "origin", origin),
        PLAIN(RECORD_UNSIGNED, artifact, "rerun", rerun),
        TEXT(artifact, "missing", missing),
        END,
};
const struct record artifact_record = {sizeof(struct artifact), artifact_fields};

static const struct record_field step_fields[] = {
        TEXT(step_result, "lane", lane),
        TEXT(step_result, "step", step),
        TEXT(step_result, "kind", kind),
        TEXT(step_result, "name", name),
        WORD(step_result, "outcome", outcome, outcomes),
        WORD(step_result, "failure", failure, failures),
        TEXT(step_result, "message", message),
        PLAIN(RECORD_BOOL, step_result, "best_effort", is_best_effort),
        PLAIN(RECORD_BOOL, step_result, "may_continue", may_continue),
        PLAIN(RECORD_BOOL, step_result, "runs_tests", runs_tests),
        PLAIN(RECORD_INT64, step_result, "started_wall_ms", started_wall_ms),
        PLAIN(RECORD_KNOWN, step_result, "elapsed_ms", elapsed_ms),
        PLAIN(RECORD_UNSIGNED, step_result, "requests", requests),
        PLAIN(RECORD_JSON, step_result, "outputs", outputs),
        END,
};
const struct record step_record = {sizeof(struct step_result), step_fields};

static const struct record_field lane_fields[] = {
        TEXT(lane_result, "name", name),
        PLAIN(RECORD_JSON, lane_result, "matrix", matrix),
        WORD(lane_result, "outcome", outcome, outcomes),
        END,
};
const struct record lane_record = {sizeof(struct lane_result), lane_fields};

static const struct record_field held_fields[] = {
        TEXT(held, "key", key),
        TEXT(held, "what", what),
        PLAIN(RECORD_BOOL, held, "released", is_released),
        TEXT(held, "message", message),
        END,
};
const struct record held_record = {sizeof(struct held), held_fields};

static const struct record_field gate_rule_fields[] = {
        TEXT(gate_rule, "text", text),
        TEXT(gate_rule, "values", values),
        PLAIN(RECORD_BOOL, gate_rule, "holds", holds),
        PLAIN(RECORD_BOOL, gate_rule, "no_baseline", lacks_baseline),
        PLAIN(RECORD_UNSIGNED, gate_rule, "line", line),
        END,
};
const struct record gate_rule_record = {sizeof(struct gate_rule), gate_rule_fields};

static const struct record_field part_fields[] = {
        TEXT(results_part, "name", name),
        TEXT(results_part, "run_id", run_id),
        WORD(results_part, "verdict", verdict, verdicts),
        PLAIN(RECORD_INT, results_part, "exit_status", exit_status),
        TEXT(results_part, "cause", cause),
        PLAIN(RECORD_INT64, results_part, "tests", tests),
        PLAIN(RECORD_INT64, results_part, "failed", failed),
        END,
};
static const struct record part_record = {sizeof(struct results_part), part_fields};

static const struct record_field earlier_run_fields[] = {
        TEXT(earlier_run, "run_id", run_id),
        WORD(earlier_run, "verdict", verdict, verdicts),
        PLAIN(RECORD_INT64, earlier_run, "started_wall_ms", started_wall_ms),
        PLAIN(RECORD_KNOWN, earlier_run, "elapsed_ms", elapsed_ms),
        PLAIN(RECORD_INT64, earlier_run, "tests", tests),
        PLAIN(RECORD_INT64, earlier_run, "passed", passed),
        PLAIN(RECORD_INT64, earlier_run, "failed", failed),
        PLAIN(RECORD_INT64, earlier_run, "errors", errors),
        PLAIN(RECORD_INT64, earlier_run, "skipped", skipped),
        END,
};
static const struct record earlier_run_record = {sizeof(struct earlier_run), earlier_run_fields};

static const struct record_field earlier_fields[] = {
        PLAIN(RECORD_INT, earlier, "version", version),
        TEXT(earlier, "branch", branch),
        LIST(earlier, "runs", runs, run_count, earlier_run_record),
        END,
};
const struct record earlier_record = {sizeof(struct earlier), earlier_fields};

static const struct record_field results_fields[] = {
        TEXT(results, "run_id", run_id),
        TEXT(results, "pipeline", pipeline),
        TEXT(results, "file", file),
        TEXT(results, "server", server),
        TEXT(results, "tool", tool),
        WORD(results, "verdict", verdict, verdicts),
        PLAIN(RECORD_INT, results, "exit_status", exit_status),
        TEXT(results, "cause", cause),
        PLAIN(RECORD_INT64, results, "started_wall_ms", started_wall_ms),
        PLAIN(RECORD_INT64, results, "elapsed_ms", elapsed_ms),
        PLAIN(RECORD_UNSIGNED, results, "requests", requests),
        PLAIN(RECORD_UNSIGNED, results, "repeats", repeats),
        PLAIN(RECORD_INT64, results, "polls", polls),
        PLAIN(RECORD_INT64, results, "lag_most_ms", lag_most_ms),
        PLAIN(RECORD_BOOL, results, "sandbox", is_sandbox),
        PLAIN(RECORD_BOOL, results, "test_steps", has_test_steps),
        PLAIN(RECORD_BOOL, results, "resumed", is_resumed),
        PLAIN(RECORD_BOOL, results, "merged", is_merged),
        PLAIN(RECORD_INT, results, "signal", signal_number),
        LIST(results, "lanes", lanes, lane_count, lane_record),
        LIST(results, "steps", steps, step_count, step_record),
        LIST(results, "runs", runs, run_count, device_run_record),
        LIST(results, "problems", problems, problem_count, problem_record),
        LIST(results, "artifacts", artifacts, artifact_count, artifact_record),
        LIST(results, "held", held, held_count, held_record),
        LIST(results, "gate", rules, rule_count, gate_rule_record),
        LIST(results, "parts", parts, part_count, part_record),
        PLAIN(RECORD_JSON, results, "environment", environment),
        {"history", RECORD_OBJECT, offsetof(struct results, earlier), 0, NULL, &earlier_record},
        END,
};
const struct record results_record = {sizeof(struct results), results_fields};
