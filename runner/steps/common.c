#include "runner/steps/common.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runner/api/answer.h"
#include "runner/api/handle.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

void action_release(struct action *action)
{
	json_decref(action->arguments);
	gr_free(action->url);
	gr_free(action->save_as);
	json_decref(action->save);
	json_decref(action->command);
	json_decref(action->environment);
	gr_free(action->cwd);
	json_decref(action->document);
	gr_free(action->junit);
	json_decref(action->outputs);
	json_decref(action->learned);
	json_decref(action->kept);
	json_decref(action->acquired);
	gr_free(action->released);
	if (action->device_run != NULL)
		device_run_release(action->device_run);
	gr_free(action->device_run);
	gr_free(action->progress);
	gr_free(action->warning);
	*action = (struct action){0};
}

int step_call(struct action *action, enum operation_id operation, json_t *arguments)
{
	action->kind = ACTION_CALL;
	action->operation = operation;
	action->arguments = arguments;
	return 0;
}

int step_wait(struct action *action, int64_t until_ms)
{
	action->kind = ACTION_WAIT;
	action->until_ms = until_ms;
	return 0;
}

int step_done(struct action *action, enum outcome outcome, json_t *outputs)
{
	action->kind = ACTION_DONE;
	action->outcome = outcome;
	action->outputs = outputs;
	return 0;
}

int step_stop(const struct event *event, struct action *action)
{
	return step_done(action, event->error.failure == GR_DEADLINE ? OUTCOME_ERROR : OUTCOME_CANCELLED, NULL);
}

void event_drop_body(const struct event *event)
{
	if (event->body_owner == NULL)
		return;
	json_decref(*event->body_owner);
	*event->body_owner = NULL;
}

int event_take_execution(const struct event *event, struct execution *ret_execution, struct gr_error *err)
{
	return event->body_owner != NULL ? execution_take(*event->body_owner, ret_execution, err)
	                                 : execution_decode(event->body, ret_execution, err);
}

void step_keep(struct action *action, const char *key, json_t *value)
{
	if (action->kept == NULL)
		action->kept = json_object();
	(void)json_object_set_new(action->kept, key, value);
}

void step_learn(struct action *action, const char *key, json_t *value)
{
	if (action->learned == NULL)
		action->learned = json_object();
	(void)json_object_set_new(action->learned, key, value);
}

void step_acquire(struct action *action, const char *reservation_id, const char *operation, const struct device *device)
{
	GR_AUTO_FREE char *words = device_words(device);

	action->acquired = json_object();
	set_taken(action->acquired, "key", gr_printf("reservation/%s", reservation_id));
	set_taken(action->acquired, "what", gr_printf("reservation %s of %s", reservation_id, words));
	set_text(action->acquired, "operation", operation);
	(void)json_object_set_new(
	        action->acquired, "arguments", json_pack("{s:s}", "device_reservation_id", reservation_id));
}

const char *with_text(const struct step *step, const char *name)
{
	return json_string_value(json_object_get(step->with, name));
}

bool with_flag(const struct step *step, const char *name)
{
	return json_is_true(json_object_get(step->with, name));
}

static int64_t int_member(const json_t *object, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

int64_t with_int(const struct step *step, const char *name, int64_t otherwise)
{
	return int_member(step->with, name, otherwise);
}

const char *memory_text(const struct step *step, const char *name)
{
	return json_string_value(json_object_get(step->memory, name));
}

int64_t memory_int(const struct step *step, const char *name, int64_t otherwise)
{
	return int_member(step->memory, name, otherwise);
}

void set_text(json_t *object, const char *key, const char *text)
{
	(void)json_object_set_new(object, key, text != NULL ? json_string(text) : json_null());
}

void set_argument(json_t *object, const char *key, const char *text)
{
	if (text != NULL)
		set_text(object, key, text);
}

void set_taken(json_t *object, const char *key, char *text)
{
	set_text(object, key, text);
	gr_free(text);
}

const char *context_app_id(const struct step *step)
{
	return json_string_value(json_object_get(step->context->app, "app_id"));
}

int context_needs_app(const struct step *step, struct gr_error *err)
{
	if (context_app_id(step) != NULL)
		return 0;
	if (step->context->app != NULL)
		return gr_fail(err, GR_CONFIG, 0,
		        "step '%s' needs the id of the application: give app: its name or its id, not its token alone",
		        step->context->step);
	return gr_fail(err, GR_CONFIG, 0,
	        "step '%s' needs an application: add app: { name: NAME } (or id:) to the pipeline, or give it a build "
	        "that a step of this pipeline uploaded",
	        step->context->step);
}

char *application_handle(const struct step *step, const char *app_id)
{
	const char *token = json_string_value(json_object_get(step->context->app, "application_token"));

	if (token != NULL && (app_id == NULL || text_equal(app_id, context_app_id(step))))
		return gr_strdup(token);
	return app_id != NULL ? handle_application(app_id) : NULL;
}

enum platform step_platform(const struct step *step, const struct device *device)
{
	const char *text = json_string_value(json_object_get(step->context->app, "platform"));
	enum platform platform = text != NULL ? platform_parse(text) : PLATFORM_UNKNOWN;

	if (platform == PLATFORM_UNKNOWN && step->context->platform != NULL)
		platform = platform_parse(step->context->platform);
	/* A website runs in a phone's browser as well: then the phone's platform does not say what is tested. */
	if (platform == PLATFORM_WEB || device == NULL || device->platform == PLATFORM_UNKNOWN)
		return platform;
	return device->platform;
}

char *device_words(const struct device *device)
{
	if (device->name == NULL)
		return gr_printf("device %s", device->device_id != NULL ? device->device_id : "?");
	return gr_printf("%s (device %s)", device->name, device->device_id != NULL ? device->device_id : "?");
}

char *run_marker(const struct step *step)
{
	return gr_printf(RUN_MARK "%s]", step->context->run_key);
}

bool answer_lacks_auth(const struct event *event)
{
	return event->error.failure == GR_AUTH || (event->body != NULL && answer_is_about_auth(event->body));
}

bool answer_refuses(const struct event *event, const char *word)
{
	char words[256] = "";

	return event->outcome == CALL_REFUSED && event->body != NULL &&
	       text_contains_nocase(answer_message(event->body, words), word);
}

int answer_fail(const struct event *event, enum gr_failure refused, struct gr_error *err, const char *what, ...)
{
	char words[256] = "";
	GR_AUTO_FREE char *tried = NULL;
	enum gr_failure failure = event->error.failure != GR_NONE ? event->error.failure : GR_NETWORK;
	const char *why = event->error.text;
	va_list args;

	va_start(args, what);
	tried = gr_vprintf(what, args);
	va_end(args);
	if (event->outcome == CALL_REFUSED) {
		failure = answer_lacks_auth(event) ? GR_AUTH : refused;
		if (event->body != NULL)
			(void)answer_message(event->body, words);
	}
	if (why[0] == '\0' && words[0] == '\0')
		why = event->outcome == CALL_REFUSED ? "the server refused it and gave no reason"
		                                     : "no usable answer came";
	if (words[0] == '\0' || strstr(why, words) != NULL)
		return gr_fail(err, failure, 0, "could not %s: %s", tried, why);
	if (why[0] == '\0')
		return gr_fail(err, failure, 0, "could not %s: the server says '%s'", tried, words);
	return gr_fail(err, failure, 0, "could not %s: %s; the server says '%s'", tried, why, words);
}

int64_t pace_next(struct pace *pace, const struct poll_policy *policy, uint64_t random)
{
	int64_t low = policy->every_low_ms > 0 ? policy->every_low_ms : 1;
	int64_t high = policy->every_high_ms > low ? policy->every_high_ms : low;
	int64_t every = pace->every_ms > 0 ? pace->every_ms : low;

	pace->every_ms = every + every / 4 + 1 < high ? every + every / 4 + 1 : high;
	return every - every / 10 + (int64_t)(random % (uint64_t)(every / 5 + 1));
}

void pace_restart(struct pace *pace)
{
	pace->every_ms = 0;
}

int64_t settle_ms(const struct poll_policy *policy, int64_t ms)
{
	return policy->time_scale > 1 ? (int64_t)((double)ms / policy->time_scale) : ms;
}

bool settle_again(const struct step *step, struct settling *settling, const struct event *event, struct action *action)
{
	static const int64_t after_ms[] = {2000, 5000, 10000, 20000, 40000, 60000};
	enum { LOOKS_SHORT = 3 };

	if (settling->looks >= (settling->is_long ? GR_COUNT(after_ms) : LOOKS_SHORT))
		return false;
	(void)step_wait(action, event->now_ms + settle_ms(&step->context->poll, after_ms[settling->looks++]));
	return true;
}

bool limit_passed(int64_t since_ms, int64_t limit_ms, int64_t now_ms)
{
	return limit_ms != CLOCK_NEVER && now_ms - since_ms >= limit_ms;
}
