/* A scripted driver of one step: hands it events, checks its actions, and keeps its memory as the engine would. JSON is
 * written with single quotes. */
#ifndef GRIDLANE_TESTS_STEPS_SCRIPT_H
#define GRIDLANE_TESTS_STEPS_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/steps/step.h"

#define UNUSED __attribute__((unused))
#define SECONDS 1000LL
#define MINUTES 60000LL

struct script {
	struct step step;
	struct step_context context;
	struct action action;
	struct gr_error err;
	json_t *app;
	const json_t *starts; /* of all steps of the run, or NULL */
	int result, begun;
	int64_t now_ms, wall_ms;
};

static UNUSED json_t *quoted(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	json_t *json = NULL;

	for (char *at = copy; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	json = json_loads(copy, JSON_DECODE_ANY, &error);
	if (json == NULL)
		fail_msg("bad JSON in the test: %s: %s", error.text, copy);
	free(copy);
	return json;
}

/* Is everything in `wanted` also in `is`? */
static UNUSED int has_members(const json_t *is, const json_t *wanted)
{
	const char *key = NULL;
	json_t *value = NULL;

	json_object_foreach ((json_t *)(uintptr_t)wanted, key, value) {
		const json_t *there = json_object_get(is, key);

		if (json_is_object(value) ? !has_members(there, value) : !json_equal(there, value)) {
			char *shown = json_dumps(is, JSON_ENCODE_ANY | JSON_COMPACT);

			print_error("member '%s' is not as wanted in %s\n", key, shown != NULL ? shown : "(nothing)");
			free(shown);
			return 0;
		}
	}
	return 1;
}

static UNUSED json_t *fallback_of(const struct field *field)
{
	if (field->fallback == NULL)
		return NULL;
	if (field->type == TYPE_BOOL)
		return json_boolean(strcmp(field->fallback, "true") == 0);
	return json_string(field->fallback);
}

static UNUSED json_t *convert_with(const struct kind *kind, const char *text)
{
	json_t *with = quoted(text);

	for (const struct field *field = kind->fields; field->name != NULL; field++) {
		json_t *value = json_object_get(with, field->name), *converted = NULL;
		struct gr_error err = {0};

		if (value == NULL)
			value = fallback_of(field);
		else
			json_incref(value);
		if (value == NULL)
			continue;
		if (field_convert(field, value, &converted, &err) != 0)
			fail_msg("field '%s': %s", field->name, err.text);
		json_decref(value);
		(void)json_object_set_new(with, field->name, converted);
	}
	return with;
}

/* A step with the pipeline's application 223 on Android; change script->context before script_begin(). */
static UNUSED void script_open(struct script *script, const char *kind, const char *with)
{
	*script = (struct script){.now_ms = 1000000, .wall_ms = 1767225600000};
	script->app = quoted("{'app_id': '223', 'name': 'Shop', 'application_token': 'gridlane-secret:app/223'}");
	script->context = (struct step_context){.run_id = "20260101T000000Z-1a2b3c",
	        .run_key = "0123456789ab",
	        .pipeline = "shop",
	        .lane = "main",
	        .step = "this",
	        .server_url = "https://cloud.example",
	        .app = script->app,
	        .platform = "android",
	        .resend_lost_start = true,
	        .poll = {.every_low_ms = 2 * SECONDS,
	                .every_high_ms = 15 * SECONDS,
	                .queue_ms = 20 * MINUTES,
	                .stall_ms = 10 * MINUTES,
	                .timeout_ms = CLOCK_NEVER}};
	script->step.kind = kind_find(kind);
	assert_non_null(script->step.kind);
	script->step.context = &script->context;
	script->step.with = convert_with(script->step.kind, with);
	script->step.memory = json_object();
}

static UNUSED void script_remember(struct script *script, const char *memory)
{
	json_decref(script->step.memory);
	script->step.memory = quoted(memory);
}

static UNUSED void script_send(struct script *script, struct event event)
{
	event.now_ms = script->now_ms;
	event.wall_ms = script->wall_ms;
	event.starts = script->starts;
	action_release(&script->action);
	script->err = (struct gr_error){0};
	script->result = script->step.kind->ops->next(&script->step, &event, &script->action, &script->err);
	if (script->result != 0)
		assert_int_equal(script->result, -(int)script->err.failure);
	if (script->action.learned != NULL)
		(void)json_object_update(script->step.memory, script->action.learned);
	if (script->action.kept != NULL) /* as if each action were the last one of its process */
		(void)json_object_update(script->step.memory, script->action.kept);
}

static UNUSED void script_begin(struct script *script)
{
	script->begun = 1;
	script->err = (struct gr_error){0};
	script->result = script->step.kind->ops->begin(&script->step, &script->err);
	if (script->result == 0)
		script_send(script, (struct event){.kind = EVENT_START});
}

static UNUSED void script_start(struct script *script, const char *kind, const char *with)
{
	script_open(script, kind, with);
	script_begin(script);
}

static UNUSED void script_close(struct script *script)
{
	if (script->begun)
		script->step.kind->ops->release(&script->step);
	action_release(&script->action);
	json_decref(script->step.with);
	json_decref(script->step.memory);
	json_decref(script->app);
}

/* As if the process was killed now and started again a minute later. */
static UNUSED void script_restart(struct script *script)
{
	script->step.kind->ops->release(&script->step);
	script->step.state = NULL;
	script->now_ms = 5000;
	script->wall_ms += MINUTES;
	script->context.since_start_ms = MINUTES;
	script_begin(script);
}

static UNUSED void pass_time(struct script *script, int64_t ms)
{
	script->now_ms += ms;
	script->wall_ms += ms;
}

/* ---- events ---- */

static UNUSED void send_answer(struct script *script, enum call_outcome outcome, const char *body)
{
	json_t *json = body != NULL ? quoted(body) : NULL;
	struct event event = {.kind = EVENT_ANSWER, .outcome = outcome, .body = json};

	if (outcome == CALL_FAILED || outcome == CALL_LOST || outcome == CALL_NOT_SENT)
		(void)gr_fail(&event.error, GR_NETWORK, 0, "connection reset");
	pass_time(script, 100);
	script_send(script, event);
	json_decref(json);
}

static UNUSED void answer(struct script *script, const char *body)
{
	send_answer(script, CALL_DONE, body);
}

static UNUSED void refuse_call(struct script *script, const char *body)
{
	send_answer(script, CALL_REFUSED, body);
}

static UNUSED void lose_answer(struct script *script)
{
	send_answer(script, CALL_LOST, NULL);
}

static UNUSED void lose_answer_slowly(struct script *script)
{
	struct event event = {.kind = EVENT_ANSWER, .outcome = CALL_LOST, .may_still_work = true};

	(void)gr_fail(&event.error, GR_NETWORK, 0, "no answer within 180 s");
	pass_time(script, 180 * SECONDS);
	script_send(script, event);
}

static UNUSED void refuse_auth(struct script *script)
{
	struct event event = {.kind = EVENT_ANSWER, .outcome = CALL_REFUSED};

	(void)gr_fail(&event.error, GR_AUTH, 0, "HTTP 401");
	script_send(script, event);
}

/* The wait is over. */
static UNUSED void let_time_come(struct script *script)
{
	assert_int_equal(script->action.kind, ACTION_WAIT);
	assert_true(script->action.until_ms >= script->now_ms);
	pass_time(script, script->action.until_ms - script->now_ms);
	script_send(script, (struct event){.kind = EVENT_TIME});
}

static UNUSED void stop_script(struct script *script, enum gr_failure failure)
{
	struct event event = {.kind = EVENT_STOP};

	(void)gr_fail(&event.error, failure, 0, "stopped by the test");
	script_send(script, event);
}

/* ---- what the step must do ---- */

static UNUSED void expect_no_error(const struct script *script)
{
	if (script->result != 0)
		fail_msg("unexpected failure %s: %s", failure_name(script->err.failure), script->err.text);
}

static UNUSED void expect_call(const struct script *script, enum operation_id operation, const char *arguments)
{
	json_t *wanted = quoted(arguments);

	expect_no_error(script);
	if (script->action.kind == ACTION_DONE && script->action.device_run != NULL &&
	        script->action.device_run->problem_count > 0)
		print_error("ended with: %s\n", script->action.device_run->problems[0].message);
	assert_int_equal(script->action.kind, ACTION_CALL);
	assert_string_equal(operation_get(script->action.operation)->id, operation_get(operation)->id);
	assert_true(has_members(script->action.arguments, wanted));
	json_decref(wanted);
}

static UNUSED void expect_wait(const struct script *script, int64_t least_ms, int64_t most_ms)
{
	expect_no_error(script);
	assert_int_equal(script->action.kind, ACTION_WAIT);
	assert_in_range(script->action.until_ms - script->now_ms, least_ms, most_ms);
}

static UNUSED void expect_done(const struct script *script, enum outcome outcome, const char *outputs)
{
	json_t *wanted = quoted(outputs);

	expect_no_error(script);
	assert_int_equal(script->action.kind, ACTION_DONE);
	assert_int_equal(script->action.outcome, outcome);
	assert_true(has_members(script->action.outputs, wanted));
	json_decref(wanted);
}

static UNUSED void expect_text(const char *text, const char *part)
{
	assert_non_null(text);
	if (strstr(text, part) == NULL)
		fail_msg("'%s' is not in '%s'", part, text);
}

static UNUSED void expect_failure(const struct script *script, enum gr_failure failure, const char *part)
{
	if (script->result == 0)
		fail_msg("no failure");
	assert_string_equal(failure_name(script->err.failure), failure_name(failure));
	expect_text(script->err.text, part);
}

/* Ended with a device run that did not pass; its first problem has these words. */
static UNUSED void expect_problem(const struct script *script, enum gr_failure failure, const char *part)
{
	expect_no_error(script);
	assert_int_equal(script->action.kind, ACTION_DONE);
	assert_int_not_equal(script->action.outcome, OUTCOME_PASSED);
	assert_non_null(script->action.device_run);
	assert_string_equal(failure_name(script->action.device_run->failure), failure_name(failure));
	for (size_t i = 0; i < script->action.device_run->problem_count; i++)
		if (strstr(script->action.device_run->problems[i].message, part) != NULL)
			return;
	fail_msg("no problem says '%s'; the first of %zu says '%s'", part, script->action.device_run->problem_count,
	        script->action.device_run->problem_count > 0 ? script->action.device_run->problems[0].message : "");
}

static UNUSED void expect_case(
        const struct script *script, const char *name, enum case_status status, enum gr_failure failure)
{
	const struct device_run *run = script->action.device_run;

	assert_non_null(run);
	for (size_t i = 0; i < run->case_count; i++) {
		if (strcmp(run->cases[i].name, name) != 0)
			continue;
		assert_string_equal(case_status_name(run->cases[i].status), case_status_name(status));
		assert_string_equal(failure_name(run->cases[i].failure), failure_name(failure));
		return;
	}
	fail_msg("no case '%s' among %zu", name, run->case_count);
}

#endif
