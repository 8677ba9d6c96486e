#include "sandbox/log.h"

#include <string.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "sandbox/routes.h"

static bool is_secret(const char *name)
{
	static const char *const names[] = {
	        "user_token", "application_token", "version_token", "password", "pin", "old_pin", "new_pin", NULL};
	size_t i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static json_t *parameters_shown(const struct call *call)
{
	json_t *shown = json_object();
	const char *name;
	json_t *value;

	json_object_foreach (call->parameters, name, value)
		if (is_secret(name))
			member_set_text(shown, name, "***");
		else
			(void)json_object_set(shown, name, value);
	json_object_foreach (call->files, name, value)
		(void)json_object_set(shown, name, value);
	return shown;
}

int log_call(int fd, int64_t number, const struct call *call, int status)
{
	json_t *line = NULL;
	char *text = NULL;
	int rc = 0;

	if (fd < 0)
		return 0;
	line = json_object();
	(void)json_object_set_new(line, "n", json_integer(number));
	(void)json_object_set_new(line, "at", json_real(state_now(call->state)));
	member_set_text(line, "operation", call->route != NULL ? call->route->id : "none");
	member_set_text(line, "method", call->method);
	member_set_text(line, "path", call->path);
	(void)json_object_set_new(line, "parameters", parameters_shown(call));
	(void)json_object_set_new(line, "token_ok", call->token_given ? json_boolean(call->user != NULL) : json_null());
	(void)json_object_set(line, "violations", call->violations);
	(void)json_object_set_new(line, "refused", json_boolean(call->refused));
	(void)json_object_set_new(line, "fault", call->fault != NULL ? json_string(call->fault) : json_null());
	(void)json_object_set_new(line, "status", json_integer(status));
	text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(line);
	if (text != NULL) {
		struct buffer out = {0};

		buffer_printf(&out, "%s\n", text);
		rc = file_write_all(fd, out.data, out.bytes); /* one write a line: readers never see half of one */
		buffer_release(&out);
	}
	gr_free(text);
	return rc;
}
