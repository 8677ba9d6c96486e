/* From an operation and its arguments to what goes on the wire: a path and form fields. No I/O here. */
#ifndef GRIDLANE_API_REQUEST_H
#define GRIDLANE_API_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "runner/api/operation.h"
#include "runner/base/error.h"

struct form_field {
	const char *name;  /* a table's or the arguments' own text */
	char *value;       /* text, or the path of the file */
	bool is_file;
};

struct request {
	const struct operation *operation;
	char *path; /* "/api/user/version/223/", parameters percent-encoded as one path segment each */
	struct form_field *fields;
	size_t field_count;
};

/* `arguments` is an object by parameter name. Text, integers, reals and booleans (as 1 and 0) are sent as text; null and
 * absent ones are left out; a list of scalars is joined with commas. Unknown or missing required parameters, wrong
 * choices and wrong file extensions are GR_CONFIG, all named in one text. user_token is not among the arguments: the
 * caller adds it (request_add_text). The result is the caller's. */
int request_new(const struct operation *operation, const json_t *arguments, struct request **ret_request,
	struct gr_error *err);
void request_free(struct request *request); /* wipes the values */
void request_add_text(struct request *request, const char *name, const char *value);
/* The check alone, for callers that have no values yet: `given` is an object whose keys are the parameters present. */
int request_check_names(const struct operation *operation, const json_t *given, struct gr_error *err);

#endif
