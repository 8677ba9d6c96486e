/* Trees and plans out of texts, for the tests of this room. */
#ifndef GRIDLANE_TESTS_PIPELINES_TREE_H
#define GRIDLANE_TESTS_PIPELINES_TREE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipelines/findings.h"
#include "pipelines/plan.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"

/* "LINE:COLUMN: message" for each finding, one a line; the caller's. */
static inline char *findings_text(const struct diagnostics *diagnostics)
{
	struct buffer out = {0};

	for (size_t i = 0; i < diagnostics->count; i++)
		buffer_printf(&out, "%u:%u: %s%s\n", diagnostics->items[i].line, diagnostics->items[i].column,
		        diagnostics->items[i].is_warning ? "warning: " : "", diagnostics->items[i].message);
	return buffer_take(&out);
}

/* Write `text` to a new file of that name below a new folder; *ret_path is the caller's. */
static inline int write_pipeline(const char *text, char **ret_path)
{
	char folder[] = "/tmp/gridlane-test-XXXXXX";
	FILE *file;

	if (mkdtemp(folder) == NULL)
		return -1;
	*ret_path = gr_printf("%s/pipeline.yml", folder);
	file = fopen(*ret_path, "w");
	if (file == NULL)
		return -1;
	if (fputs(text, file) < 0) {
		(void)fclose(file);
		return -1;
	}
	return fclose(file);
}

static inline void remove_pipeline(char *path)
{
	char *slash = strrchr(path, '/');

	(void)unlink(path);
	*slash = '\0';
	(void)rmdir(path);
	gr_free(path);
}

/* Load a pipeline from text. *ret_findings is its findings_text(). */
static inline int load_text(
        const char *text, const struct plan_options *options, struct plan **ret_plan, char **ret_findings)
{
	struct diagnostics diagnostics = {0};
	struct gr_error err = {0};
	char *path = NULL;
	int result;

	if (write_pipeline(text, &path) != 0)
		return -1;
	result = plan_load(path, options, ret_plan, &diagnostics, &err);
	*ret_findings = findings_text(&diagnostics);
	diagnostics_release(&diagnostics);
	remove_pipeline(path);
	return result;
}

#endif
