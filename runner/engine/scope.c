/* What expressions see, and a step's `with:` evaluated. */
#include "runner/engine/run.h"

#include <string.h>

#include "runner/api/handle.h"
#include "runner/base/credentials.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

extern char **environ;

/* `env.X` is for settings; what looks like a secret is not in it (secrets have their own section). */
static json_t *make_environment(void)
{
	json_t *environment = json_object();

	for (char **entry = environ; entry && *entry; entry++) {
		const char *equals = strchr(*entry, '=');
		GR_AUTO_FREE char *name = NULL;

		if (!equals || equals == *entry)
			continue;
		name = gr_strndup(*entry, (size_t)(equals - *entry));
		if (!variable_is_secret(name, strlen(name)) && text_is_utf8(equals + 1, strlen(equals + 1)) &&
		        text_is_utf8(name, strlen(name)))
			(void)json_object_set_new(environment, name, json_string(equals + 1));
	}
	return environment;
}

int scope_init(struct engine *engine, struct gr_error *err)
{
	const struct plan *plan = engine->plan;

	(void)err;
	engine->inputs = json_object();
	for (size_t i = 0; i < plan->input_count; i++)
		(void)json_object_set(engine->inputs, plan->inputs[i].name,
		        plan->inputs[i].value ? plan->inputs[i].value : json_null());
	engine->secrets = json_object();
	for (size_t i = 0; i < plan->secret_count; i++) {
		GR_AUTO_FREE char *handle = handle_secret(plan->secrets[i].name);

		(void)json_object_set_new(engine->secrets, plan->secrets[i].name, json_string(handle));
	}
	engine->environment = make_environment();
	engine->devices = json_object();
	engine->run = json_pack("{s:s?, s:s?, s:s?}", "id", engine->options->run_id, "key", engine->options->run_key,
	        "name", plan->name);
	return 0;
}

void scope_release(struct engine *engine)
{
	json_decref(engine->inputs);
	json_decref(engine->environment);
	json_decref(engine->devices);
	json_decref(engine->app);
	json_decref(engine->secrets);
	json_decref(engine->run);
	json_decref(engine->artifact_paths);
}

json_t *scope_new(struct engine *engine, const struct lane *lane)
{
	json_t *scope = json_pack("{s:O, s:O, s:O, s:O, s:O, s:s?}", "inputs", engine->inputs, "secrets",
	        engine->secrets, "env", engine->environment, "devices", engine->devices, "run", engine->run, "name",
	        engine->plan->name);

	if (engine->app)
		(void)json_object_set(scope, "app", engine->app);
	if (lane)
		(void)json_object_set(scope, "steps", lane->done);
	if (lane && lane->matrix)
		(void)json_object_set(scope, "matrix", lane->matrix);
	if (!lane || lane->is_finally)
		(void)json_object_set_new(scope, "results", scope_results(engine));
	return scope;
}

/* ---- with: ---- */

static int evaluate_into(
        json_t *object, const char *key, const struct node *node, const json_t *scope, struct gr_error *err)
{
	json_t *value = NULL;
	int r;

	if (!node)
		return 0;
	r = node_evaluate(node, scope, &value, err);
	if (r < 0)
		return gr_context(err, "'%s'", key);
	return json_object_set_new(object, key, value) < 0 ? gr_fail(err, GR_CONFIG, 0, "'%s' is not UTF-8", key) : 0;
}

static int application_fields(struct engine *engine, const json_t *scope, json_t *with, struct gr_error *err)
{
	int r = evaluate_into(with, "name", engine->plan->app_name, scope, err);

	if (r == 0)
		r = evaluate_into(with, "id", engine->plan->app_id, scope, err);
	if (r == 0)
		r = evaluate_into(with, "token", engine->plan->app_token, scope, err);
	if (r == 0 && json_object_get(with,
	                      "token")) { /* compared with the tokens of the list; `with` is never written anywhere */
		GR_AUTO_FREE char *token =
		        vault_resolve(engine->vault, json_string_value(json_object_get(with, "token")));

		if (!token)
			return gr_fail(err, GR_CONFIG, 0, "app: the token's secret is not known");
		(void)redactor_add(engine->options->redactor, token);
		(void)json_object_set_new(with, "token", json_string(token));
	}
	return r;
}

static int selector_fields(
        const struct plan_selector *selector, const json_t *scope, json_t *list, struct gr_error *err)
{
	const struct {
		const char *key;
		const struct node *node;
	} members[] = {{"name", selector->name}, {"os", selector->os}, {"tag", selector->tag},
	        {"platform", selector->platform}, {"manufacturer", selector->manufacturer}, {"id", selector->id},
	        {"udid", selector->udid}};
	json_t *entry = json_object();

	(void)json_array_append_new(list, entry);
	for (size_t i = 0; i < GR_COUNT(members); i++) {
		int r = evaluate_into(entry, members[i].key, members[i].node, scope, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* What other groups of the run have: {ID: {group, held}}, held: reserved until the run's end. */
static void add_taken(const struct engine *engine, const struct plan_devices *own, json_t *with)
{
	json_t *taken = json_object();

	for (size_t i = 0; i < engine->plan->devices_count; i++) {
		const struct plan_devices *group = &engine->plan->devices[i];
		const json_t *device;
		size_t k;

		json_array_foreach (json_object_get(engine->devices, group->name), k, device) {
			const char *id = json_string_value(json_object_get(device, "device_id"));

			if (id && strcmp(group->name, own->name) != 0)
				(void)json_object_set_new(taken, id,
				        json_pack("{s:s, s:b}", "group", group->name, "held", group->reserve_ms > 0));
		}
	}
	(void)json_object_set_new(with, "taken", taken);
}

static int devices_fields(struct engine *engine, const struct plan_devices *devices, const json_t *scope, json_t *with,
        struct gr_error *err)
{
	json_t *any_of = json_array();
	int r;

	(void)json_object_set_new(with, "any_of", any_of);
	add_taken(engine, devices, with);
	(void)json_object_set_new(with, "reserve_ms", json_integer((json_int_t)devices->reserve_ms));
	(void)json_object_set_new(with, "wait_ms", json_integer((json_int_t)engine_scaled(engine, devices->wait_ms)));
	for (size_t i = 0; i < devices->any_of_count; i++) {
		r = selector_fields(&devices->any_of[i], scope, any_of, err);
		if (r < 0)
			return gr_context(err, "devices '%s'", devices->name);
	}
	if (!devices->count) {
		(void)json_object_set_new(with, "count", json_integer(1));
		return 0;
	}
	r = evaluate_into(with, "count", devices->count, scope, err);
	if (r == 0 && (!json_is_integer(json_object_get(with, "count")) ||
	                      json_integer_value(json_object_get(with, "count")) < 1))
		return gr_fail(
		        err, GR_CONFIG, 0, "devices '%s': count must be a whole number from 1 on", devices->name);
	return r;
}

/* A pattern that only the run could fill in is resolved now; one known before was resolved by the checker. */
static int find_file(const struct field *field, json_t **value, struct gr_error *err)
{
	char *path = NULL;
	int r;

	if (!field || field->type != TYPE_FILE || !json_is_string(*value))
		return 0;
	r = file_find_one(json_string_value(*value), &path, err);
	if (r < 0)
		return r;
	json_decref(*value);
	*value = json_string(path);
	gr_free(path);
	return 0;
}

static int written_fields(const struct plan_step *plan, const json_t *scope, json_t *with, struct gr_error *err)
{
	for (size_t i = 0; plan->with && i < plan->with->count; i++) {
		const char *key = plan->with->keys[i]->text;
		const struct field *field = kind_field(plan->kind, key);
		GR_AUTO_JSON json_t *value = NULL;
		GR_AUTO_JSON json_t *converted = NULL;
		int r;

		if (field && field->type == TYPE_CONDITION)
			continue; /* compiled in the plan */
		r = node_evaluate(plan->with->items[i], scope, &value, err);
		if (r == 0 && field)
			r = field_convert(field, value, &converted, err);
		if (r == 0)
			r = find_file(field, &converted, err);
		if (r < 0) {
			if (!err->line) {
				err->line = plan->with->items[i]->line;
				err->column = plan->with->items[i]->column;
			}
			return gr_context(err, "'%s'", key);
		}
		if (json_object_set_new(with, key, field ? gr_take(&converted) : gr_take(&value)) < 0)
			return gr_fail(err, GR_CONFIG, 0, "'%s' is not UTF-8", key);
	}
	return 0;
}

/* `artifacts.collect` after a step that ran tests or installed: what that step said is what is fetched for. */
static int collect_fields(
        struct engine *engine, const struct plan_step *plan, const json_t *scope, json_t *with, struct gr_error *err)
{
	const struct plan *all = engine->plan;
	json_t *run = json_object_get(json_object_get(scope, "steps"), plan->collect_for);
	GR_AUTO_JSON json_t *device = NULL;
	json_t *converted = NULL;
	struct gr_error ignored = {0}; /* a device that the test step could not make sense of is not known */
	bool is_test = plan->collect_kind->flags & KIND_RUNS_TESTS;
	int r = 0;

	if (is_test)
		r = evaluate_into(with, "what", all->collect, scope, err);
	else /* of an installation, its log alone */
		(void)json_object_set_new(with, "what", json_pack("[s]", "logs"));
	if (r == 0 && all->collect_files)
		r = evaluate_into(with, "files", all->collect_files, scope, err);
	if (plan->collect_device && node_evaluate(plan->collect_device, scope, &device, &ignored) == 0 &&
	        field_convert(kind_field(plan->kind, "device"), device, &converted, &ignored) == 0)
		(void)json_object_set_new(with, "device", converted);
	(void)json_object_set(with, "run", run);
	(void)json_object_set_new(with, "implied", json_true());
	(void)json_object_set_new(with, "required", json_boolean(all->collect_required));
	if (all->collect_most_bytes > 0)
		(void)json_object_set_new(with, "max_size", json_integer((json_int_t)all->collect_most_bytes));
	return r;
}

/* Fields that are not written have their defaults. */
static int default_fields(const struct plan_step *plan, json_t *with, struct gr_error *err)
{
	for (const struct field *field = plan->kind->fields; field && field->name; field++) {
		GR_AUTO_JSON json_t *text = NULL;
		json_t *converted = NULL;
		int r;

		if (!field->fallback || json_object_get(with, field->name))
			continue;
		text = json_string(field->fallback);
		if (field->type == TYPE_BOOL) {
			json_decref(text);
			text = json_boolean(strcmp(field->fallback, "true") == 0);
		}
		r = field_convert(field, text, &converted, err);
		if (r < 0)
			return gr_context(err, "'%s'", field->name);
		(void)json_object_set_new(with, field->name, converted);
	}
	return 0;
}

int scope_fields(struct engine *engine, const struct lane *lane, const struct plan_step *plan, json_t **ret_with,
        struct gr_error *err)
{
	GR_AUTO_JSON json_t *scope = scope_new(engine, lane);
	GR_AUTO_JSON json_t *with = json_object();
	int r;

	if (strcmp(plan->kind->name, "application") == 0)
		r = application_fields(engine, scope, with, err);
	else if (plan->devices)
		r = devices_fields(engine, plan->devices, scope, with, err);
	else if (plan->collect_for)
		r = collect_fields(engine, plan, scope, with, err);
	else
		r = written_fields(plan, scope, with, err);
	if (r == 0 && replace_is(lane, plan))
		replace_fields(lane, with);
	if (r == 0 && !(plan->kind->flags & KIND_IMPLICIT))
		r = default_fields(plan, with, err);
	if (r < 0)
		return r;
	*ret_with = gr_take(&with);
	return 0;
}
