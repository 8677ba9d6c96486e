#include "sandbox/call.h"

#include <stdarg.h>
#include <string.h>

#include "runner/base/memory.h"
#include "sandbox/routes.h"

void call_init(struct call *call, struct state *state)
{
	memset(call, 0, sizeof(*call));
	call->state = state;
	call->parameters = json_object();
	call->files = json_object();
	call->violations = json_array();
	call->http_status = 200;
}

void call_release(struct call *call)
{
	json_decref(call->parameters);
	json_decref(call->files);
	json_decref(call->violations);
	memset(call, 0, sizeof(*call));
}

void call_violation(struct call *call, const char *format, ...)
{
	GR_AUTO_FREE char *text = NULL;
	va_list args;
	json_t *words = NULL;

	va_start(args, format);
	text = gr_vprintf(format, args);
	va_end(args);
	words = json_string(text);
	(void)json_array_append_new(call->violations, words != NULL ? words : json_string("(not UTF-8)"));
}

const char *call_text(const struct call *call, const char *name)
{
	return member_text(call->parameters, name);
}

bool call_has(const struct call *call, const char *name)
{
	return json_object_get(call->parameters, name) != NULL || json_object_get(call->files, name) != NULL;
}

static json_t *answer_new(const struct call *call, bool is_yes, const char *words)
{
	json_t *answer = json_object();
	enum route_style style = call->route->style;

	if (style == STYLE_SUCCESS)
		(void)json_object_set_new(answer, "success", json_boolean(is_yes));
	if (style == STYLE_PIN)
		(void)json_object_set_new(answer, "success", json_integer(is_yes));
	if (style == STYLE_STATE || style == STYLE_RUN)
		(void)json_object_set_new(answer, "status", json_boolean(is_yes));
	if (style == STYLE_STATUS)
		(void)json_object_set_new(answer, "status", json_integer(is_yes));
	if (*words != '\0')
		member_set_text(answer, style == STYLE_STATUS || style == STYLE_RUN ? "msg" : "message", words);
	return answer;
}

json_t *call_accept(const struct call *call, const char *words)
{
	return answer_new(call, true, words);
}

json_t *call_refuse(struct call *call, int http_status, const char *format, ...)
{
	GR_AUTO_FREE char *text = NULL;
	va_list args;

	va_start(args, format);
	text = gr_vprintf(format, args);
	va_end(args);
	call->refused = true;
	if (state_word_is(call->state, "errors", "http"))
		call->http_status = http_status;
	return answer_new(call, false, text);
}

/* What is asked for is a list, and nothing is in it: a no, with words. */
static void refuse_empty(json_t *answer, const char *key)
{
	static const char *const flags[] = {"success", "status"};

	if (strcmp(key, "data") != 0 && strcmp(key, "devices") != 0)
		return;
	for (size_t i = 0; i < GR_COUNT(flags); i++) {
		if (json_object_get(answer, flags[i]) == NULL)
			continue;
		(void)json_object_del(answer, key);
		(void)json_object_set_new(answer, flags[i], json_false());
		member_set_text(answer, "message", "No data found.");
	}
}

void call_put_list(const struct call *call, json_t *answer, const char *key, json_t *list, bool may_be_object)
{
	const char *empty = state_word(call->state, "empty");
	bool is_empty = json_array_size(list) == 0;

	if (may_be_object && json_array_size(list) == 1 && state_word_is(call->state, "single", "object"))
		(void)json_object_set(answer, key, json_array_get(list, 0));
	else if (!is_empty || strcmp(empty, "list") == 0 || strcmp(empty, "refused") == 0)
		(void)json_object_set(answer, key, list);
	else if (strcmp(empty, "object") == 0)
		(void)json_object_set_new(answer, key, json_object());
	else if (strcmp(empty, "text") == 0)
		(void)json_object_set_new(answer, key, json_string(""));
	if (is_empty && strcmp(empty, "refused") == 0)
		refuse_empty(answer, key);
	json_decref(list);
}

json_t *call_app(struct call *call, json_t **ret_answer)
{
	json_t *app = app_of_token(call->state, call_text(call, "application_token"));

	if (app == NULL)
		*ret_answer = call_refuse(call, 404, "Invalid application token.");
	return app;
}

json_t *call_version(struct call *call, json_t **ret_answer)
{
	json_t *app = NULL;
	json_t *version = version_of_token(call->state, call_text(call, "version_token"), &app);

	if (version == NULL || app != app_of_token(call->state, call_text(call, "application_token"))) {
		*ret_answer = call_refuse(call, 404, "Invalid version token.");
		return NULL;
	}
	return version;
}

json_t *call_device(struct call *call, json_t **ret_answer)
{
	const char *id = call_text(call, "device_id");
	json_t *device =
	        *id != '\0' ? device_of_id(call->state, id) : device_of_code(call->state, call_text(call, "s_device"));

	if (device == NULL)
		*ret_answer = call_refuse(call, 404, "Device not found.");
	return device;
}

json_t *call_build(struct call *call, json_t **ret_answer)
{
	json_t *build = build_of_id(call->state, call_text(call, "app_build_id"));

	if (build == NULL)
		*ret_answer = call_refuse(call, 404, "App build not found.");
	return build;
}
