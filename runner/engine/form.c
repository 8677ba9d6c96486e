/* The form of a request: its secrets, the order of its fields, and how long its answer may take. */
#include <string.h>

#include "runner/api/request.h"
#include "runner/base/memory.h"
#include "runner/engine/run.h"

#define FILE_ANSWER_MS 60000
#define ANSWER_LEAST_MS 1000 /* however fast time passes in a rehearsal: the machine does not get faster with it */

static int64_t default_answer_ms(const struct operation *operation)
{
	if (operation == operation_get(OP_APP_BUILD_INSTALL_SYNCHRONOUS))
		return 900000;
	if (operation->repeat == CLASS_START)
		return 180000;
	if (operation->repeat == CLASS_MARKED)
		return 600000;
	return 60000;
}

int64_t form_file_ms(const struct engine *engine)
{
	int64_t scaled_ms = engine_scaled(engine, FILE_ANSWER_MS);

	return scaled_ms > ANSWER_LEAST_MS ? scaled_ms : ANSWER_LEAST_MS;
}

int64_t form_answer_ms(const struct engine *engine, const struct operation *operation, int64_t wanted_ms)
{
	int64_t given_ms = engine->plan->server.answer_timeout_ms;
	int64_t scaled_ms;

	if (given_ms > 0 && operation != operation_get(OP_APP_BUILD_INSTALL_SYNCHRONOUS))
		return engine_scaled(engine, given_ms);
	scaled_ms = engine_scaled(engine, wanted_ms ? wanted_ms : default_answer_ms(operation));
	return scaled_ms > ANSWER_LEAST_MS ? scaled_ms : ANSWER_LEAST_MS;
}

struct retry_policy form_retries(const struct engine *engine, const struct retry_policy *policy)
{
	return (struct retry_policy){.max = policy->max,
	        .backoff_low_ms = engine_scaled(engine, policy->backoff_low_ms),
	        .backoff_high_ms = engine_scaled(engine, policy->backoff_high_ms),
	        .budget_ms = engine_scaled(engine, policy->budget_ms)};
}

static char *resolve_one(const void *vault, const char *handle)
{
	return vault_resolve(vault, handle);
}

int form_fill(struct engine *engine, const struct operation *operation, struct request *request, struct gr_error *err)
{
	const struct handle_resolver resolver = {.resolve = resolve_one, .context = engine->vault};
	int r = request_resolve_path(request, &resolver, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < request->field_count; i++) {
		struct form_field *field = &request->fields[i];
		char *value = field->is_file ? gr_strdup(field->value) : vault_resolve(engine->vault, field->value);

		if (!value)
			return gr_fail(
			        err, GR_AUTH, 0, "%s: the secret for '%s' is not known", operation->id, field->name);
		explicit_bzero(field->value, strlen(field->value));
		gr_free(field->value);
		field->value = value;
	}
	if (operation_parameter(operation, "user_token"))
		request_add_text(request, "user_token", vault_get(engine->vault, VAULT_USER_TOKEN));
	return 0;
}

/* The token first and files last: a server that reads the form as it comes can refuse before it takes the file. */
void form_order(const struct request *request, struct transfer_field *fields)
{
	size_t n = 0;

	for (int pass = 0; pass < 3; pass++)
		for (size_t i = 0; i < request->field_count; i++) {
			const struct form_field *field = &request->fields[i];
			int wanted = field->is_file ? 2 : strcmp(field->name, "user_token") == 0 ? 0 : 1;

			if (wanted == pass)
				fields[n++] = (struct transfer_field){field->name, field->value, field->is_file};
		}
}

bool form_has_file(const struct request *request)
{
	for (size_t i = 0; i < request->field_count; i++)
		if (request->fields[i].is_file)
			return true;
	return false;
}
