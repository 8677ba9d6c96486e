/* The top level of a pipeline, and loading it as a whole. */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "pipelines/check.h"
#include "runner/base/buffer.h"
#include "runner/base/clock.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

#define DEFAULT_TIMEOUT_MS ((int64_t)60 * 60 * 1000)
#define DEFAULT_RESERVE_MS ((int64_t)30 * 1000)

extern char **environ;

const struct key top_keys[] = {{"version", NULL}, {"name", NULL}, {"timeout", NULL}, {"cleanup_reserve", NULL},
        {"working_directory", NULL}, {"inputs", NULL}, {"secrets", NULL}, {"server", NULL}, {"app", NULL},
        {"devices", NULL}, {"defaults", NULL}, {"steps", NULL}, {"finally", NULL}, {"gate", NULL}, {"history", NULL},
        {"reports", NULL}, {"artifacts", NULL}, {"quarantine", NULL}, {"webhooks", NULL}, {NULL, NULL}};

/* `env` before the run: what looks like a secret is not in it. */
static json_t *read_environment(void)
{
	json_t *all = json_object();

	for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
		size_t bytes = strcspn(*entry, "=");
		GR_AUTO_FREE char *name = gr_strndup(*entry, bytes);

		if ((*entry)[bytes] == '=' && bytes > 0 && !names_is_secret(name) &&
		        text_is_utf8(*entry, strlen(*entry)))
			(void)json_object_set_new(all, name, json_string(*entry + bytes + 1));
	}
	return all;
}

/* The top-level keys, those beginning with `x-` aside: they hold fragments for anchors. */
static void check_top_keys(struct check *check, const struct node *root)
{
	struct node seen = {.kind = NODE_MAP, .line = root->line, .column = root->column};

	for (size_t i = 0; i < root->count; i++) {
		if (!text_has_prefix(root->keys[i]->text, "x-"))
			node_add_member(&seen, root->keys[i], root->items[i]);
	}
	(void)check_keys(check, &seen, "a pipeline", top_keys);
	gr_free(seen.keys);
	gr_free(seen.items);
}

static void check_version(struct check *check, const struct node *root)
{
	const struct node *node = node_member(root, "version");

	if (node == NULL)
		findings_add(check->findings, (struct place){.line = root->line, .column = root->column, .length = 1},
		        "begin the file with: version: 1",
		        "the pipeline does not say which version of the language it is written in");
	else if (!node_is(node, "1") || !node->is_plain)
		check_fail(check, node, "write: version: 1", "this gridlane reads version 1 of the pipeline language");
}

static char *name_from_file(const char *file)
{
	const char *base = strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file;
	const char *dot = strrchr(base, '.');

	return gr_strndup(base, dot != NULL && dot > base ? (size_t)(dot - base) : strlen(base));
}

static void check_pipeline_name(struct check *check, const struct node *root)
{
	struct plan *plan = check->plan;
	const struct node *node = node_member(root, "name");

	plan->name = name_from_file(plan->file);
	(void)json_object_set_new(check->early, "name", json_string(plan->name));
	if (read_text(check, node, "`name`", &plan->name))
		(void)json_object_set_new(check->early, "name", json_string(plan->name));
}

static void check_times(struct check *check, const struct node *root)
{
	struct plan *plan = check->plan;
	const struct node *timeout = node_member(root, "timeout"), *reserve = node_member(root, "cleanup_reserve");
	char text[32];

	plan->timeout_ms = DEFAULT_TIMEOUT_MS;
	plan->cleanup_reserve_ms = DEFAULT_RESERVE_MS;
	if (read_duration(check, timeout, "`timeout`", &plan->timeout_ms) && plan->timeout_ms <= 0)
		check_fail(check, timeout, NULL, "`timeout` must be longer than 0");
	if (!read_duration(check, reserve, "`cleanup_reserve`", &plan->cleanup_reserve_ms) &&
	        plan->cleanup_reserve_ms >= plan->timeout_ms)
		plan->cleanup_reserve_ms = plan->timeout_ms / 2; /* a short run keeps half of its time for work */
	if (reserve != NULL && plan->cleanup_reserve_ms >= plan->timeout_ms)
		check_fail(check, reserve, NULL,
		        "`cleanup_reserve` takes the whole `timeout` of the run (%s), nothing is left for steps",
		        number_format_duration(plan->timeout_ms, text));
}

static void check_working_directory(struct check *check, const struct node *root)
{
	const struct node *node = node_member(root, "working_directory");
	struct plan *plan = check->plan;
	struct stat about;
	char *real;

	if (!read_text(check, node, "`working_directory`", &plan->working_directory))
		return;
	if (stat(plan->working_directory, &about) != 0 || !S_ISDIR(about.st_mode)) {
		if (!check->options->files_may_be_gone)
			check_fail(check, node, NULL, "there is no folder '%s'", plan->working_directory);
		return;
	}
	real = realpath(plan->working_directory, NULL);
	if (real != NULL && check->base != NULL && !check->options->allow_outside && strcmp(check->base, "/") != 0) {
		size_t bytes = strlen(check->base);

		if (strncmp(real, check->base, bytes) != 0 || (real[bytes] != '/' && real[bytes] != '\0'))
			check_fail(check, node, "--allow-outside permits it",
			        "'%s' lies outside of the folder that gridlane was started in",
			        plan->working_directory);
	}
	free(real); /* realpath()'s own */
}

/* Devices that no step names are not chosen: a typing mistake, or left over. Beside errors it would be noise: the step
 * that names them may be the one that is wrong. */
static void warn_unused(struct check *check)
{
	for (size_t i = 0; i < check->plan->devices_count && check->findings->errors == 0; i++) {
		const struct plan_devices *devices = &check->plan->devices[i];

		if (check->first_use[i] == SIZE_MAX)
			findings_warn(check->findings, (struct place){.line = devices->line, .column = devices->column},
			        NULL, "no step uses the devices '%s', so none are taken", devices->name);
	}
}

static void check_all(struct check *check, const struct node *root)
{
	check_version(check, root);
	check_top_keys(check, root);
	(void)json_object_set_new(check->early, "env", read_environment());
	check_working_directory(check, root);
	check_inputs(check, node_member(root, "inputs"));
	check_pipeline_name(check, root);
	check_times(check, root);
	check_secrets(check, node_member(root, "secrets"));
	check_server(check, node_member(root, "server"));
	check_app(check, node_member(root, "app"));
	check_devices(check, node_member(root, "devices"));
	check->app_use = SIZE_MAX;
	check->first_use = gr_alloc(check->plan->devices_count + 1, sizeof(size_t));
	for (size_t i = 0; i < check->plan->devices_count; i++)
		check->first_use[i] = SIZE_MAX;
	check_artifacts(check, node_member(root, "artifacts"));
	check_history(check, node_member(root, "history"));
	check_quarantine(check, node_member(root, "quarantine"));
	check_steps(check, node_member(root, "steps"), node_member(root, "finally"));
	warn_unused(check);
	check_reports(check, node_member(root, "reports"));
	check_webhooks(check, node_member(root, "webhooks"));
}

static void check_root(struct check *check, const struct node *root)
{
	const struct place start = {.line = 1, .column = 1, .length = 1};

	if (root == NULL && check->findings->errors == 0)
		findings_add(check->findings, start, "begin with: version: 1", "the file holds no pipeline");
	else if (root != NULL && root->kind != NODE_MAP)
		check_fail(check, root, "begin with: version: 1", "a pipeline is a map: version, name, steps, ...");
	else if (root != NULL)
		check_all(check, root);
}

/* The same file with the same inputs and the same quarantine has the same fingerprint. */
static void make_fingerprint(struct plan *plan, const struct buffer *source)
{
	GR_AUTO_JSON json_t *inputs = json_object();
	GR_AUTO_BUFFER struct buffer all = {0};
	char *text;

	for (size_t i = 0; i < plan->input_count; i++)
		(void)json_object_set(inputs, plan->inputs[i].name, plan->inputs[i].value);
	text = json_dumps(inputs, JSON_SORT_KEYS | JSON_COMPACT);
	buffer_add(&all, buffer_text(source), source->bytes);
	buffer_add_char(&all, '\0');
	buffer_add_text(&all, text != NULL ? text : "");
	gr_free(text);
	buffer_add_text(&all, plan->quarantine_sha256);
	file_sha256_memory(all.data, all.bytes, plan->fingerprint);
	file_sha256_memory(buffer_text(source), source->bytes, plan->source_sha256);
	plan->source = gr_strdup(buffer_text(source));
}

static void check_release(struct check *check)
{
	names_release(check);
	gr_free(check->first_use);
	gr_free(check->needs);
	free(check->base); /* realpath()'s own */
	json_decref(check->early);
}

static const char *skip_bom(const struct buffer *source)
{
	const char *text = buffer_text(source);

	return text + (text_has_prefix(text, "\xef\xbb\xbf") ? 3 : 0);
}

int plan_load(const char *file, const struct plan_options *options, struct plan **ret_plan,
        struct diagnostics *ret_diagnostics, struct gr_error *err)
{
	static const struct plan_options no_options = {0};
	struct check check = {.findings = ret_diagnostics, .options = options != NULL ? options : &no_options};
	GR_AUTO_BUFFER struct buffer source = {0};
	struct gr_error why = {0};
	int result = 0;

	*ret_diagnostics = (struct diagnostics){.file = gr_strdup(file)};
	if (check.options->source != NULL)
		buffer_add_text(&source, check.options->source);
	else
		result = file_read(file, TREE_MOST_BYTES, GR_CONFIG, &source, &why);
	if (result != 0) {
		findings_add(ret_diagnostics, (struct place){0},
		        access(file, F_OK) != 0 ? "`gridlane init` writes a first pipeline" : NULL, "%s", why.text);
		if (err != NULL)
			*err = why;
		return result;
	}
	check.plan = gr_alloc(1, sizeof(*check.plan));
	check.plan->file = gr_strdup(file);
	check.base = realpath(".", NULL);
	check.early = json_object();
	ret_diagnostics->source = gr_strdup(skip_bom(&source));
	tree_load(buffer_text(&source), source.bytes, &check.plan->root, ret_diagnostics);
	check_root(&check, check.plan->root);
	make_fingerprint(check.plan, &source);
	findings_sort(ret_diagnostics);
	check.plan->early = json_incref(check.early);
	check_release(&check);
	if (ret_diagnostics->errors > 0) {
		plan_free(check.plan);
		return gr_fail(err, GR_CONFIG, 0, "'%s' has %zu error%s", file, ret_diagnostics->errors,
		        ret_diagnostics->errors == 1 ? "" : "s");
	}
	*ret_plan = check.plan;
	return 0;
}
