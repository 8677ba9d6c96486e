/* Files that a pipeline names: there, regular, and inside the working directory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/buffer.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

/* The pattern as seen from here: below `working_directory`, whose own letters are no pattern. */
static char *seen_from_here(const struct check *check, const char *pattern)
{
	struct buffer path = {0};

	if (check->plan->working_directory == NULL || pattern[0] == '/')
		return gr_strdup(pattern);
	for (const char *c = check->plan->working_directory; *c != '\0'; c++) {
		if (strchr("*?[\\", *c) != NULL)
			buffer_add_char(&path, '\\');
		buffer_add_char(&path, *c);
	}
	buffer_printf(&path, "/%s", pattern);
	return buffer_take(&path);
}

/* Bytes of a found path that say where it is seen from: the run starts inside `working_directory`. */
static size_t below_bytes(const struct check *check, const char *pattern)
{
	return check->plan->working_directory == NULL || pattern[0] == '/' ? 0
	                                                                   : strlen(check->plan->working_directory) + 1;
}

static bool is_inside(const struct check *check, const char *path)
{
	char *real = realpath(path, NULL);
	size_t bytes = check->base != NULL ? strlen(check->base) : 0;
	bool is_below;

	if (real == NULL || check->base == NULL) {
		free(real); /* realpath()'s own */
		return false;
	}
	is_below = strncmp(real, check->base, bytes) == 0 && (real[bytes] == '/' || strcmp(check->base, "/") == 0);
	free(real);
	return is_below;
}

bool is_pattern(const char *path)
{
	return strpbrk(path, "*?[") != NULL;
}

bool check_file(struct check *check, const struct node *node, const char *pattern, bool may_be_outside, char **ret_path)
{
	GR_AUTO_FREE char *seen = seen_from_here(check, pattern);
	GR_AUTO_FREE char *path = NULL;
	struct gr_error err = {0};

	if (file_find_one(seen, &path, &err) != 0) {
		if (!check->options->files_may_be_gone)
			check_fail(check, node, NULL, "%s", err.text);
		return false;
	}
	if (!may_be_outside && !check->options->allow_outside && !is_inside(check, path)) {
		check_fail(check, node, "--allow-outside permits it",
		        "the file '%s' lies outside of the working directory", pattern);
		return false;
	}
	if (ret_path != NULL)
		*ret_path = gr_strdup(path + below_bytes(check, pattern));
	return true;
}
