/* The implicit first step: which application the pipeline means. Gives {app_id, name, platform, application_token}. */
#include <string.h>

#include "runner/api/answer.h"
#include "runner/api/handle.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/common.h"
#include "runner/steps/machines.h"

#define NAME_KEYS "name|application_name"
#define ID_KEYS "app_id|id"

enum { NEAREST_MOST = 5 };

static int begin(struct step *step, struct gr_error *err)
{
	if (with_text(step, "name") == NULL && with_text(step, "id") == NULL && with_text(step, "token") == NULL)
		return gr_fail(err, GR_CONFIG, 0, "app: needs a name, an id or a token");
	return 0;
}

static void release(struct step *step)
{
	(void)step;
}

/* Up to five names, the nearest first: each is suggested, then taken out of the running. */
static void list_nearest(const json_t *applications, const char *name, struct buffer *words)
{
	size_t count = json_array_size(applications), used = 0;
	GR_AUTO_FREE const char **names = gr_alloc(count + 1, sizeof(*names));
	const json_t *item = NULL;
	size_t i = 0;

	json_array_foreach (applications, i, item) {
		const char *candidate = json_string_value(answer_member(item, NAME_KEYS));

		if (candidate != NULL)
			names[used++] = candidate;
	}
	for (size_t listed = 0; used > 0 && listed < NEAREST_MOST; listed++) {
		const char *near = text_suggest(name, names);
		size_t at = 0;

		if (near == NULL)
			near = names[0];
		while (names[at] != near)
			at++;
		buffer_printf(words, "%s'%s'", listed > 0 ? ", " : "", near);
		memmove(&names[at], &names[at + 1], (used - at) * sizeof(*names));
		used--;
	}
}

static bool is_wanted(const struct step *step, const json_t *application)
{
	const char *keys[] = {"name", "id", "token"}, *members[] = {NAME_KEYS, ID_KEYS, "application_token"};

	for (size_t i = 0; i < GR_COUNT(keys); i++) {
		const char *wanted = with_text(step, keys[i]);
		GR_AUTO_FREE char *is = answer_text(application, members[i]);

		if (wanted != NULL && !text_equal(wanted, is))
			return false;
	}
	return true;
}

static int say_missing(const struct step *step, const json_t *applications, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer words = {0};
	const char *name = with_text(step, "name");

	if (name == NULL)
		return gr_fail(err, GR_CONFIG, 0, "app: the account has no application with the id '%s'",
		        with_text(step, "id"));
	list_nearest(applications, name, &words);
	return gr_fail(err, GR_CONFIG, 0, "app: the account has no application '%s'; it has %s%s", name,
	        words.bytes > 0 ? buffer_text(&words) : "none",
	        json_array_size(applications) > NEAREST_MOST ? " and others" : "");
}

static json_t *make_outputs(const struct step *step, const json_t *application)
{
	GR_AUTO_FREE char *id = application != NULL ? answer_text(application, ID_KEYS) : NULL;
	GR_AUTO_FREE char *platform =
	        application != NULL ? answer_text(application, "platform_type|platform|application_platform_type")
	                            : NULL;
	json_t *outputs = json_object();
	const char *known = step->context->platform;

	if (known == NULL && platform != NULL && platform_parse(platform) != PLATFORM_UNKNOWN)
		known = platform_name(platform_parse(platform));
	set_text(outputs, "app_id", id);
	set_taken(outputs, "name", application != NULL ? answer_text(application, NAME_KEYS) : NULL);
	set_text(outputs, "platform", known);
	if (id != NULL)
		set_taken(outputs, "application_token", handle_application(id));
	else
		set_text(outputs, "application_token", with_text(step, "token"));
	return outputs;
}

static int pick(struct step *step, const json_t *applications, struct action *action, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer ids = {0};
	const json_t *item = NULL, *found = NULL;
	size_t i = 0, matches = 0;

	json_array_foreach (applications, i, item) {
		GR_AUTO_FREE char *id = answer_text(item, ID_KEYS);

		if (id == NULL || !is_wanted(step, item))
			continue;
		buffer_printf(&ids, "%s%s", matches > 0 ? ", " : "", id);
		found = item;
		matches++;
	}
	if (matches > 1)
		return gr_fail(err, GR_CONFIG, 0,
		        "app: %zu applications are named '%s' (ids %s): give app: { id: } instead", matches,
		        with_text(step, "name"), buffer_text(&ids));
	/* A token that the list does not show is used as it is: it is good for uploads and runs. */
	if (matches == 0 && with_text(step, "token") == NULL)
		return say_missing(step, applications, err);
	return step_done(action, OUTCOME_PASSED, make_outputs(step, found));
}

static int next(struct step *step, const struct event *event, struct action *ret_action, struct gr_error *err)
{
	GR_AUTO_JSON json_t *applications = NULL;

	if (event->kind == EVENT_STOP)
		return step_stop(event, ret_action);
	if (event->kind == EVENT_START)
		return step_call(ret_action, OP_GET_APPLICATIONS_LIST, json_object());
	if (event->outcome != CALL_DONE)
		return answer_fail(event, GR_SERVER, err, "list the applications");
	if (answer_list(event->body, ANSWER_ROWS, &applications, err) != 0)
		return gr_context(err, "list of applications");
	return pick(step, applications, ret_action, err);
}

const struct step_ops application_ops = {begin, next, release};
