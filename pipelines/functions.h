/* The functions of the expression language: one table. All are pure but hashFile, which reads a file. */
#ifndef GRIDLANE_PIPELINES_FUNCTIONS_H
#define GRIDLANE_PIPELINES_FUNCTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "runner/base/error.h"
#include "runner/steps/kind.h"

#define FUNCTION_MOST_ARGUMENTS 16

struct function {
	const char *name;
	unsigned least, most;
	enum type parameters[2]; /* the last one stands for all further ones */
	enum type result;
	bool looks_outside; /* reads a file */
	int (*call)(json_t *const *arguments, size_t count, json_t **ret_value, struct gr_error *err);
	const char *usage; /* "contains(text or list, value)" */
};

const struct function *function_find(const char *name);
const char *function_suggest(const char *name);

#endif
