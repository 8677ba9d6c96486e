#include "runner/results/event.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/results/record.h"

const char *run_event_name(enum run_event_kind kind)
{
	static const char *const names[] = {
	        [RUN_STARTED] = "run_started",
	        [LANE_STARTED] = "lane_started",
	        [LANE_ENDED] = "lane_ended",
	        [STEP_STARTED] = "step_started",
	        [STEP_PROGRESS] = "step_progress",
	        [STEP_MOVED] = "step_moved",
	        [STEP_LEARNED] = "step_learned",
	        [STEP_INTENT] = "step_intent",
	        [STEP_ANSWER] = "step_answer",
	        [STEP_OUTPUT] = "step_output",
	        [STEP_REPEAT] = "step_repeat",
	        [STEP_ENDED] = "step_ended",
	        [RUN_RESOURCE_HELD] = "resource_held",
	        [RUN_RESOURCE_RELEASED] = "resource_released",
	        [RUN_DEVICE_RESULT] = "device_result",
	        [RUN_PROBLEM] = "problem",
	        [RUN_ARTIFACT] = "artifact",
	        [RUN_GATE_RULE] = "gate_rule",
	        [RUN_CANCELLED] = "run_cancelled",
	        [RUN_NOTE] = "note",
	        [RUN_JUDGED] = "run_judged",
	};

	return (size_t)kind < GR_COUNT(names) ? names[kind] : "unknown";
}

/* ---- events become results ---- */

static void set_text(char **place, const char *text)
{
	if (!text)
		return;
	gr_free(*place);
	*place = gr_strdup(text);
}

static const char *detail_text(const struct run_event *event, const char *key)
{
	return json_string_value(json_object_get(event->detail, key));
}

static void set_flag(bool *place, const struct run_event *event, const char *key)
{
	const json_t *value = json_object_get(event->detail, key);

	if (json_is_boolean(value))
		*place = json_is_true(value);
}

/* The last one of that name: a lane that speaks is one of the latest. */
static struct lane_result *add_lane(struct results *results, const char *name)
{
	struct lane_result *lane;

	for (size_t i = results->lane_count; i-- > 0;)
		if (text_equal(results->lanes[i].name, name))
			return &results->lanes[i];
	results->lanes = gr_grow(results->lanes, results->lane_count, sizeof(*results->lanes));
	lane = &results->lanes[results->lane_count++];
	*lane = (struct lane_result){.name = gr_strdup(name), .outcome = OUTCOME_NOT_RUN};
	return lane;
}

static int apply_start(struct results *results, const struct run_event *event, struct gr_error *err)
{
	const json_t *environment = json_object_get(event->detail, "environment");

	if (!results->started_wall_ms)
		results->started_wall_ms = event->wall_ms;
	results->started_ms = event->now_ms;
	set_text(&results->pipeline, event->text);
	set_text(&results->run_id, detail_text(event, "run_id"));
	set_text(&results->server, detail_text(event, "server"));
	set_text(&results->file, detail_text(event, "file"));
	set_flag(&results->is_sandbox, event, "sandbox");
	set_flag(&results->has_test_steps, event, "test_steps");
	if (json_is_object(environment)) {
		json_decref(results->environment);
		results->environment = json_deep_copy(environment);
	}
	(void)err;
	return 0;
}

static int apply_lane(struct results *results, const struct run_event *event, struct gr_error *err)
{
	struct lane_result *lane = add_lane(results, event->lane);

	if (json_is_object(event->detail)) {
		json_decref(lane->matrix);
		lane->matrix = json_deep_copy(event->detail);
	}
	lane->outcome = event->kind == LANE_ENDED ? event->outcome : OUTCOME_NOT_RUN;
	(void)err;
	return 0;
}

static int apply_step_start(struct results *results, const struct run_event *event, struct gr_error *err)
{
	struct step_result *step = results_add_step(results, event->lane, event->step);

	set_text(&step->kind, event->text);
	set_text(&step->name, detail_text(event, "name"));
	set_flag(&step->runs_tests, event, "runs_tests");
	set_flag(&step->is_best_effort, event, "best_effort");
	set_flag(&step->may_continue, event, "may_continue");
	if (!step->started_wall_ms)
		step->started_wall_ms = event->wall_ms;
	step->outcome = OUTCOME_NOT_RUN; /* until its end; a step resumed after a kill begins anew */
	(void)err;
	return 0;
}

static int apply_step_end(struct results *results, const struct run_event *event, struct gr_error *err)
{
	struct step_result *step = results_add_step(results, event->lane, event->step);
	unsigned requests = event->total > 0 ? (unsigned)event->total : 0;

	step->outcome = event->outcome;
	step->failure = event->failure;
	gr_free(gr_take(&step->message));
	set_text(&step->message, event->text);
	step->elapsed_ms = event->done >= 0 ? event->done : TIME_UNKNOWN;
	results->requests += requests - step->requests; /* a step that ended before, too, counts once */
	step->requests = requests;
	if (json_is_object(event->detail)) {
		json_decref(step->outputs);
		step->outputs = json_deep_copy(event->detail);
	}
	(void)err;
	return 0;
}

static struct held *add_held(struct results *results, const char *key)
{
	struct held *held;

	for (size_t i = results->held_count; i-- > 0;)
		if (text_equal(results->held[i].key, key))
			return &results->held[i];
	results->held = gr_grow(results->held, results->held_count, sizeof(*results->held));
	held = &results->held[results->held_count++];
	*held = (struct held){.key = gr_strdup(key)};
	return held;
}

static int apply_held(struct results *results, const struct run_event *event, struct gr_error *err)
{
	const char *key = detail_text(event, "key");
	struct held *held;

	if (!key)
		return gr_fail(err, GR_INTERNAL, 0, "event '%s' has no key", run_event_name(event->kind));
	held = add_held(results, key);
	set_text(&held->what, event->text);
	held->is_released = event->kind == RUN_RESOURCE_RELEASED && event->outcome == OUTCOME_PASSED;
	gr_free(gr_take(&held->message));
	if (!held->is_released)
		set_text(&held->message, detail_text(event, "message"));
	return 0;
}

static bool same_or_unknown(const char *a, const char *b)
{
	return !a || !b || strcmp(a, b) == 0;
}

/* The device by its id, else by its name; the build by what is known of it (before its number is verified: nothing). */
static bool is_same_run(const struct device_run *a, const struct device_run *b)
{
	bool same_device = a->device.device_id || b->device.device_id
	                           ? text_equal(a->device.device_id, b->device.device_id)
	                           : text_equal(a->device.name, b->device.name);

	return same_device && text_equal(a->lane, b->lane) && text_equal(a->step, b->step) &&
	       same_or_unknown(a->build_number, b->build_number) && same_or_unknown(a->native_id, b->native_id);
}

static void sum_runs(struct results *results)
{
	results->polls = 0;
	results->lag_most_ms = 0;
	for (size_t i = 0; i < results->run_count; i++) {
		results->polls += results->runs[i].polls;
		if (results->runs[i].lag_most_ms > results->lag_most_ms)
			results->lag_most_ms = results->runs[i].lag_most_ms;
	}
}

static int apply_device_run(struct results *results, const struct run_event *event, struct gr_error *err)
{
	struct device_run run, *place = NULL;

	if (!event->device_run)
		return gr_fail(err, GR_INTERNAL, 0, "event '%s' has no device run", run_event_name(event->kind));
	device_run_copy(event->device_run, &run);
	if (!run.lane)
		run.lane = gr_strdup(event->lane);
	if (!run.step)
		run.step = gr_strdup(event->step);
	for (size_t i = 0; i < results->run_count && !place; i++)
		if (is_same_run(&results->runs[i], &run))
			place = &results->runs[i];
	if (place) {
		device_run_release(place);
	} else {
		results->runs = gr_grow(results->runs, results->run_count, sizeof(*results->runs));
		place = &results->runs[results->run_count++];
	}
	*place = run;
	sum_runs(results);
	return 0;
}

static int apply_problem(struct results *results, const struct run_event *event, struct gr_error *err)
{
	struct problem *problem = results_add_problem(results, event->failure, event->lane, event->step, "%s",
	        event->text ? event->text : failure_words(event->failure));

	problem->is_warning = event->done == 1;
	problem->device = gr_strdup(detail_text(event, "device"));
	(void)err;
	return 0;
}

static int apply_artifact(struct results *results, const struct run_event *event, struct gr_error *err)
{
	struct artifact *place = NULL;

	if (!event->artifact)
		return gr_fail(err, GR_INTERNAL, 0, "event '%s' has no artifact", run_event_name(event->kind));
	for (size_t i = 0; i < results->artifact_count && event->artifact->path && !place; i++)
		if (text_equal(results->artifacts[i].path, event->artifact->path))
			place = &results->artifacts[i];
	if (place) {
		record_release(&artifact_record, place);
	} else {
		results->artifacts = gr_grow(results->artifacts, results->artifact_count, sizeof(*results->artifacts));
		place = &results->artifacts[results->artifact_count++];
	}
	record_copy(&artifact_record, event->artifact, place);
	return 0;
}

static int apply_rule(struct results *results, const struct run_event *event, struct gr_error *err)
{
	struct gate_rule *place = NULL;

	if (!event->rule)
		return gr_fail(err, GR_INTERNAL, 0, "event '%s' has no rule", run_event_name(event->kind));
	for (size_t i = 0; i < results->rule_count && !place; i++)
		if (text_equal(results->rules[i].text, event->rule->text) &&
		        results->rules[i].line == event->rule->line)
			place = &results->rules[i];
	if (place) {
		record_release(&gate_rule_record, place);
	} else {
		results->rules = gr_grow(results->rules, results->rule_count, sizeof(*results->rules));
		place = &results->rules[results->rule_count++];
	}
	record_copy(&gate_rule_record, event->rule, place);
	return 0;
}

/* The start may have been on another boot, where this clock says nothing. */
static void note_elapsed(struct results *results, const struct run_event *event)
{
	int64_t elapsed = event->now_ms >= results->started_ms && results->started_ms > 0
	                          ? event->now_ms - results->started_ms
	                          : event->wall_ms - results->started_wall_ms;

	if (results->started_wall_ms && elapsed > results->elapsed_ms)
		results->elapsed_ms = elapsed;
}

static int apply_repeat(struct results *results, const struct run_event *event, struct gr_error *err)
{
	(void)event;
	(void)err;
	results->repeats++;
	return 0;
}

static int apply_signal(struct results *results, const struct run_event *event, struct gr_error *err)
{
	(void)err;
	results->signal_number = (int)event->done;
	return 0;
}

/* Kinds without a row are for other readers. */
static int (*const rows[])(struct results *, const struct run_event *, struct gr_error *) = {
        [RUN_STARTED] = apply_start,
        [LANE_STARTED] = apply_lane,
        [LANE_ENDED] = apply_lane,
        [STEP_STARTED] = apply_step_start,
        [STEP_REPEAT] = apply_repeat,
        [STEP_ENDED] = apply_step_end,
        [RUN_RESOURCE_HELD] = apply_held,
        [RUN_RESOURCE_RELEASED] = apply_held,
        [RUN_DEVICE_RESULT] = apply_device_run,
        [RUN_PROBLEM] = apply_problem,
        [RUN_ARTIFACT] = apply_artifact,
        [RUN_GATE_RULE] = apply_rule,
        [RUN_CANCELLED] = apply_signal,
        [RUN_JUDGED] = NULL,
};

int results_apply(struct results *results, const struct run_event *event, struct gr_error *err)
{
	if ((size_t)event->kind >= GR_COUNT(rows))
		return gr_fail(err, GR_INTERNAL, 0, "there is no event of kind %d", (int)event->kind);
	if (event->kind != RUN_JUDGED)
		note_elapsed(results, event);
	return rows[event->kind] ? rows[event->kind](results, event, err) : 0;
}

/* ---- events as JSON ---- */

static void add_text(json_t *object, const char *key, const char *text)
{
	if (text)
		(void)json_object_set_new(object, key, json_from_text(text));
}

static json_t *run_numbers(const struct device_run *run)
{
	json_t *json = json_object();
	struct totals totals = device_run_totals(run);

	add_text(json, "device_id", run->device.device_id);
	add_text(json, "device", run->device.name);
	add_text(json, "build_number", run->build_number);
	add_text(json, "build_id", run->build_id);
	add_text(json, "native_id", run->native_id);
	(void)json_object_set_new(json, "complete", json_boolean(run->is_complete));
	add_text(json, "failure", failure_name(run->failure));
	(void)json_object_set_new(json, "passed", json_integer(totals.passed));
	(void)json_object_set_new(json, "failed", json_integer(totals.failed));
	(void)json_object_set_new(json, "skipped", json_integer(totals.skipped));
	(void)json_object_set_new(json, "error", json_integer(totals.errors));
	(void)json_object_set_new(json, "quarantined", json_integer(totals.quarantined));
	return json;
}

static json_t *verdict_to_json(const struct results *results)
{
	json_t *json =
	        json_pack("{s:s, s:i}", "verdict", verdict_name(results->verdict), "exit_status", results->exit_status);

	add_text(json, "cause", results->cause);
	return json;
}

static void add_parts(json_t *json, const struct run_event *event)
{
	if (event->detail)
		(void)json_object_set_new(json, "detail", json_deep_copy(event->detail));
	if (event->device_run)
		(void)json_object_set_new(json, "device_run", run_numbers(event->device_run));
	if (event->artifact)
		(void)json_object_set_new(json, "artifact", record_to_json(&artifact_record, event->artifact));
	if (event->rule)
		(void)json_object_set_new(json, "rule", record_to_json(&gate_rule_record, event->rule));
	if (event->results)
		(void)json_object_set_new(json, "results", verdict_to_json(event->results));
}

/* Which kinds the plain members belong to; elsewhere they are just zero. */
static bool has_outcome(enum run_event_kind kind)
{
	return kind == LANE_ENDED || kind == STEP_ENDED || kind == RUN_RESOURCE_RELEASED;
}

static bool has_numbers(enum run_event_kind kind)
{
	return kind == STEP_PROGRESS || kind == STEP_MOVED || kind == STEP_OUTPUT || kind == STEP_ENDED ||
	       kind == RUN_PROBLEM || kind == RUN_CANCELLED;
}

json_t *run_event_to_json(const struct run_event *event)
{
	json_t *json = json_pack("{s:s, s:I, s:I}", "event", run_event_name(event->kind), "now_ms",
	        (json_int_t)event->now_ms, "wall_ms", (json_int_t)event->wall_ms);

	add_text(json, "lane", event->lane);
	add_text(json, "step", event->step);
	add_text(json, "text", event->text);
	if (has_outcome(event->kind))
		add_text(json, "outcome", outcome_name(event->outcome));
	if (event->failure != GR_NONE)
		add_text(json, "failure", failure_name(event->failure));
	if (has_numbers(event->kind)) {
		(void)json_object_set_new(json, "done", json_integer(event->done));
		(void)json_object_set_new(json, "total", json_integer(event->total));
	}
	add_parts(json, event);
	return json;
}
