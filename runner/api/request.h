/* From an operation and its arguments to what goes on the wire: a path and form fields. No I/O here. */
#ifndef GRIDLANE_API_REQUEST_H
#define GRIDLANE_API_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "runner/api/operation.h"
#include "runner/base/error.h"

struct form_field {
	const char *name; /* a table's or the arguments' own text */
	char *value; /* text, or the path of the file */
	bool is_file;
};

struct request {
	const struct operation *operation;
	char *path; /* "/api/user/version/223/", parameters percent-encoded as one path segment each */
	struct form_field *fields;
	size_t field_count;
};

/* `arguments` is an object by parameter name. Text, integers, reals and booleans (as 1 and 0, or as true and false
 * where the choices are these) are sent as text; null, absent ones and empty lists are left out; a list of scalars is
 * joined with commas. Unknown or missing required parameters, wrong choices and wrong file extensions are GR_CONFIG,
 * all named in one text. user_token is not among the arguments: the caller adds it (request_add_text). The result is
 * the caller's. */
int request_new(
        const struct operation *operation, const json_t *arguments, struct request **ret_request, struct gr_error *err);
void request_free(struct request *request); /* wipes the values */
/* Set a text field; a NULL value adds nothing. `name` must outlive the request, `value` is copied. */
void request_add_text(struct request *request, const char *name, const char *value);

/* Handles (api/handle.h) pass through request_new unchanged: in fields as they are, in the path as one encoded segment.
 * The caller replaces those in the fields; for those in the path there is: */
struct handle_resolver {
	char *(*resolve)(
	        const void *context, const char *handle); /* the secret, wiped and freed here; NULL: not known */
	const void *context;
};
/* Put the secrets of a path in, encoded as ids are. GR_AUTH: one is not known; GR_CONFIG: one cannot be a segment. */
int request_resolve_path(struct request *request, const struct handle_resolver *resolver, struct gr_error *err);

/* The check alone, for callers that have no values yet: `given` is an object whose keys are the parameters present. */
int request_check_names(const struct operation *operation, const json_t *given, struct gr_error *err);

#endif
