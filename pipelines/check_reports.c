/* `reports:` and `artifacts:`. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

struct report_format {
	const char *name;
	bool is_folder; /* a name with a slash at its end is fine */
	bool is_printed; /* `-`: into the log of the CI job */
};
static const struct report_format formats[] = {{"junit", false, false}, {"junit-files", true, false},
        {"summary", false, false}, {"json", false, false}, {"html", true, false}, {"ctrf", false, false},
        {"allure", true, false}, {"tap", false, false}, {"github", false, true}, {"gitlab", false, true},
        {"azure", false, true}, {"teamcity", false, true}, {"buildkite", false, false}, {"attestation", false, false},
        {"predicate", false, false}};

const char *check_report_format(size_t index)
{
	return index < GR_COUNT(formats) ? formats[index].name : NULL;
}

static const struct report_format *find_format(const char *name)
{
	for (size_t i = 0; i < GR_COUNT(formats); i++) {
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	}
	return NULL;
}

/* NULL: unknown, and said so. */
static const struct report_format *check_format(struct check *check, const struct node *name)
{
	const struct report_format *format = find_format(name->text);
	const char *names[GR_COUNT(formats) + 1] = {0};

	if (format != NULL)
		return format;
	for (size_t i = 0; i < GR_COUNT(formats); i++)
		names[i] = formats[i].name;
	check_unknown(check, name, "report format", names);
	return NULL;
}

/* A report that took one of these would be in the way of `resume`, `cleanup` and `bundle verify`. */
static bool is_own(const char *format, const char *target)
{
	static const char *const own[] = {"journal.jsonl", "manifest.json", "results.json", "state"};

	for (size_t i = 0; i < GR_COUNT(own); i++) {
		size_t bytes = strlen(own[i]);

		if (strncmp(target, own[i], bytes) == 0 && (target[bytes] == '\0' || target[bytes] == '/'))
			return strcmp(format, "json") != 0 || strcmp(target, "results.json") != 0;
	}
	return false;
}

const char *report_target_fault(const char *format, char *target)
{
	const struct report_format *row = find_format(format);
	size_t bytes = strlen(target);

	if (strcmp(target, "-") == 0)
		return row != NULL && row->is_printed ? NULL : "is no place for this format, which needs a file";
	if (row != NULL && row->is_folder && bytes > 1 && target[bytes - 1] == '/')
		target[bytes - 1] = '\0';
	if (!file_is_below(target))
		return "must be a file below the output folder: a relative path without '..', '.' or an empty part";
	return is_own(format, target) ? "is gridlane's own in the output folder: give another name" : NULL;
}

static void check_taken(struct check *check, const struct node *node, const char *target)
{
	for (size_t i = 0; i < check->plan->report_count; i++) {
		if (text_equal(check->plan->reports[i].target, target))
			check_fail(check, node, NULL, "two reports would be written to '%s'", target);
	}
}

/* A file; for some formats a folder, or `-`, the log. */
static void check_target(struct check *check, const struct node *node, const struct report_format *format, char *target)
{
	const char *fault = report_target_fault(format->name, target);

	if (fault != NULL)
		check_fail(check, node, NULL, "'%s' %s", target, fault);
	else if (strcmp(target, "-") != 0)
		check_taken(check, node, target);
}

static void check_report(struct check *check, const struct node *name, const struct node *node)
{
	const struct report_format *format = check_format(check, name);
	struct plan *plan = check->plan;
	char *target = NULL;

	if (format == NULL || !read_text(check, node, "the file of a report", &target))
		return;
	check_target(check, node, format, target);
	if (strcmp(name->text, "attestation") == 0 && !plan->has_subject)
		check_fail(check, name, "a step with `uses: upload_build`, or leave the attestation out",
		        "there is nothing to attest: no step uploads a build or native tests");
	plan->reports = gr_grow(plan->reports, plan->report_count, sizeof(*plan->reports));
	plan->reports[plan->report_count++] = (struct plan_report){.format = gr_strdup(name->text), .target = target};
}

void check_reports(struct check *check, const struct node *node)
{
	if (node == NULL)
		return;
	if (node->kind != NODE_MAP) {
		check_fail(check, node, NULL,
		        "`reports` must be a map of formats and files, such as { junit: junit.xml }");
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		check_report(check, node->keys[i], node->items[i]);
}

const struct key artifact_keys[] = {{"bundle", NULL}, {"collect", NULL}, {"when", NULL}, {"required", NULL},
        {"max_size", NULL}, {"files", NULL}, {NULL, NULL}};

/* The name as it will be, but for the run's id; the caller's, NULL when it cannot be told. */
static char *bundle_example(struct check *check, const struct node *node)
{
	GR_AUTO_JSON json_t *scope = json_copy(check->early);
	GR_AUTO_JSON json_t *value = NULL;
	GR_AUTO_BUFFER struct buffer slug = {0};
	struct gr_error err = {0};

	text_slug(&slug, check->plan->name != NULL ? check->plan->name : "run");
	(void)json_object_set_new(scope, "name", json_string(buffer_text(&slug)));
	(void)json_object_set_new(scope, "run", json_pack("{s:s, s:s, s:s}", "id", "id", "key", "key", "name", "name"));
	if (node_evaluate(node, scope, &value, &err) == 0 && json_is_string(value))
		return gr_strdup(json_string_value(value));
	if (check->options->inputs_are_optional && (value == NULL || json_is_null(value)))
		return NULL; /* an input is missing */
	if (err.failure != GR_NONE)
		findings_add_error(check->findings, node_place(node), &err);
	else
		check_fail(check, node, NULL, "`bundle` must be text");
	return NULL;
}

static void check_bundle(struct check *check, const struct node *node)
{
	static const char *const endings[] = {".tar.gz", ".tgz", ".zip", ".tar.zst", ".tar.xz"};
	GR_AUTO_FREE char *name = NULL;
	bool is_known = false;

	if (node->kind != NODE_SCALAR || node->text[0] == '\0') {
		check_fail(check, node, NULL,
		        "`bundle` must be the name of a file, such as ${{ name }}-${{ run.id }}.tar.gz");
		return;
	}
	if (!check_templates(check, node, ROOTS_EARLY | ROOT_RUN, false))
		return;
	name = bundle_example(check, node);
	if (name == NULL)
		return;
	for (size_t i = 0; i < GR_COUNT(endings); i++)
		is_known = is_known || text_has_suffix_nocase(name, endings[i]);
	if (!is_known)
		check_fail(check, node, NULL, "a bundle's name ends with .tar.gz, .zip, .tar.zst or .tar.xz");
	if (!file_is_below(name))
		check_fail(check, node, NULL,
		        "the bundle must lie below the output folder: a relative path without '..', '.' or an empty "
		        "part, not '%s'",
		        name);
	check->plan->bundle = node;
}

static void check_collect_word(struct check *check, const struct node *node)
{
	static const struct field words = {"collect", TYPE_TEXTS, 0, NULL, COLLECT_CHOICES, ""};
	GR_AUTO_JSON json_t *value = NULL;
	GR_AUTO_JSON json_t *converted = NULL;
	struct gr_error err = {0};

	if (node->kind != NODE_SCALAR || !node_is_static(node, early_names) ||
	        node_evaluate(node, check->early, &value, &err) != 0)
		check_fail(check, node, NULL, "`collect` must be a list of words: %s", COLLECT_CHOICES);
	else if (field_convert(&words, value, &converted, &err) != 0)
		check_fail(check, node, NULL, "%s", err.text);
}

static void check_collect(struct check *check, const struct node *node)
{
	if (node->kind != NODE_LIST || node->count == 0) {
		check_fail(check, node, NULL, "`collect` must be a list of words, such as [logs, recordings]");
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		check_collect_word(check, node->items[i]);
	check->plan->collect = node;
}

static void check_collect_size(struct check *check, const struct node *node)
{
	static const struct field size = {"max_size", TYPE_SIZE, 0, NULL, NULL, ""};
	GR_AUTO_JSON json_t *value = NULL;
	GR_AUTO_JSON json_t *converted = NULL;
	struct gr_error err = {0};

	if (node->kind != NODE_SCALAR || !node_is_static(node, early_names) ||
	        node_evaluate(node, check->early, &value, &err) != 0 ||
	        field_convert(&size, value, &converted, &err) != 0 || json_integer_value(converted) <= 0)
		check_fail(check, node, NULL, "`max_size` must be a size such as 500MiB");
	else
		check->plan->collect_most_bytes = json_integer_value(converted);
}

static void check_collect_files(struct check *check, const struct node *node)
{
	bool is_good = node->kind == NODE_LIST && node->count > 0;

	for (size_t i = 0; is_good && i < node->count; i++)
		is_good = node->items[i]->kind == NODE_SCALAR && node->items[i]->text[0] != '\0' &&
		          node_is_static(node->items[i], early_names);
	if (is_good)
		check->plan->collect_files = node;
	else
		check_fail(check, node, NULL, "`files` must be a list of patterns, such as [\"*.mp4\", \"*.log\"]");
}

/* When and how something is collected means nothing where nothing is. */
static void check_collecting(struct check *check, const struct node *artifacts)
{
	static const char *const words[] = {"always", "failure", "never", NULL};
	static const char *const keys[] = {"when", "required", "max_size", "files"};
	const struct node *collect = node_member(artifacts, "collect"), *when = node_member(artifacts, "when");
	int choice = when != NULL ? read_choice(check, when, "`when`", words) : 0;

	if (collect != NULL)
		check_collect(check, collect);
	for (size_t i = 0; collect == NULL && i < GR_COUNT(keys); i++)
		if (node_member(artifacts, keys[i]) != NULL)
			check_fail(check, node_member(artifacts, keys[i]), NULL, "`%s` means nothing without `collect`",
			        keys[i]);
	(void)read_bool(check, node_member(artifacts, "required"), "`required`", &check->plan->collect_required);
	if (node_member(artifacts, "max_size") != NULL)
		check_collect_size(check, node_member(artifacts, "max_size"));
	if (node_member(artifacts, "files") != NULL)
		check_collect_files(check, node_member(artifacts, "files"));
	check->plan->collect_after_failure_only = choice == 1;
	if (choice == 2)
		check->plan->collect = NULL;
}

void check_artifacts(struct check *check, const struct node *node)
{
	if (node == NULL || !check_keys(check, node, "`artifacts`", artifact_keys))
		return;
	if (node_member(node, "bundle") != NULL)
		check_bundle(check, node_member(node, "bundle"));
	check_collecting(check, node);
}
