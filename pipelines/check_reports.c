/* `reports:` and `artifacts:`. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

struct report_format {
	const char *name;
	bool is_here; /* or a later version brings it */
};
static const struct report_format formats[] = {{"junit", true}, {"summary", true}, {"json", true}, {"html", false},
        {"ctrf", false}, {"allure", false}, {"attestation", false}, {"github", false}, {"gitlab", false},
        {"azure", false}, {"teamcity", false}};

const char *check_report_format(size_t index)
{
	for (size_t i = 0; i < GR_COUNT(formats); i++) {
		if (formats[i].is_here && index-- == 0)
			return formats[i].name;
	}
	return NULL;
}

static const struct report_format *find_format(const char *name)
{
	for (size_t i = 0; i < GR_COUNT(formats); i++) {
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	}
	return NULL;
}

static bool check_format(struct check *check, const struct node *name)
{
	const char *names[GR_COUNT(formats) + 1] = {0};
	const struct report_format *format = find_format(name->text);
	GR_AUTO_FREE char *what = NULL;
	size_t count = 0;

	if (format != NULL && format->is_here)
		return true;
	for (size_t i = 0; i < GR_COUNT(formats); i++) {
		if (formats[i].is_here)
			names[count++] = formats[i].name;
	}
	what = gr_printf("the report format '%s'", name->text);
	if (format != NULL)
		check_later(check, name, what);
	else
		check_unknown(check, name, "report format", names);
	return false;
}

/* Reports are written below the output folder, nowhere else. */
static bool is_below(const char *path)
{
	for (const char *at = path; at != NULL; at = strchr(at, '/')) {
		at += *at == '/' && at != path;
		if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
			return false;
		if (at == path && *at == '/')
			return false;
	}
	return true;
}

static void check_taken(struct check *check, const struct node *node, const char *target)
{
	for (size_t i = 0; i < check->plan->report_count; i++) {
		if (text_equal(check->plan->reports[i].target, target))
			check_fail(check, node, NULL, "two reports would be written to '%s'", target);
	}
}

static void check_report(struct check *check, const struct node *name, const struct node *node)
{
	struct plan *plan = check->plan;
	char *target = NULL;

	if (!check_format(check, name) || !read_text(check, node, "the file of a report", &target))
		return;
	if (!is_below(target) || target[strlen(target) - 1] == '/')
		check_fail(check, node, NULL,
		        "'%s' must be a file below the output folder: a relative path without '..'", target);
	check_taken(check, node, target);
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

const struct key artifact_keys[] = {
        {"bundle", NULL}, {"collect", "`artifacts.collect`"}, {"when", "`artifacts.when`"}, {NULL, NULL}};

/* The last part of the name as written: only that can be checked before the run. */
static void check_bundle(struct check *check, const struct node *node)
{
	static const char *const endings[] = {".tar.gz", ".tgz", ".zip", ".tar.zst", ".tar.xz"};
	bool is_known = false;

	if (node->kind != NODE_SCALAR || node->text[0] == '\0') {
		check_fail(check, node, NULL,
		        "`bundle` must be the name of a file, such as ${{ name }}-${{ run.id }}.tar.gz");
		return;
	}
	if (!check_templates(check, node, ROOTS_EARLY | ROOT_RUN, false))
		return;
	for (size_t i = 0; i < GR_COUNT(endings); i++)
		is_known = is_known || text_has_suffix_nocase(node->text, endings[i]);
	if (!is_known && !text_has_suffix_nocase(node->text, "}}"))
		check_fail(check, node, NULL, "a bundle's name ends with .tar.gz, .zip, .tar.zst or .tar.xz");
	if (!is_below(node->text) || node->text[0] == '/')
		check_fail(
		        check, node, NULL, "the bundle must lie below the output folder: a relative path without '..'");
	check->plan->bundle = node;
}

void check_artifacts(struct check *check, const struct node *node)
{
	if (node == NULL || !check_keys(check, node, "`artifacts`", artifact_keys))
		return;
	if (node_member(node, "bundle") != NULL)
		check_bundle(check, node_member(node, "bundle"));
}
