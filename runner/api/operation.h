/* The API as a table: one row an operation (operations.def), read by the encoder, the checker, help and completion. */
#ifndef GRIDLANE_API_OPERATION_H
#define GRIDLANE_API_OPERATION_H

#include <stdbool.h>
#include <stddef.h>

/* How a lost or failed exchange may be repeated. */
enum operation_class {
	CLASS_READ, /* safe: repeat freely */
	CLASS_WRITE, /* idempotent write: repeat */
	CLASS_MARKED, /* write that carries our marker: look it up before repeating */
	CLASS_START, /* starts device time: sent once, then reconciled */
	CLASS_NEVER /* never repeated by itself */
};

/* What of an answer tells success. Answers are read leniently all the same: a server may use another's member. */
enum operation_sign {
	SAID_BY_SUCCESS, /* "success": true or 1 */
	SAID_BY_STATUS, /* "status": true or 1, with or without a "statuscode" */
	/* The same as "success", but taking something away is answered with false, and with words of success. */
	SAID_BY_SUCCESS_OR_WORDS,
	SAID_BY_NOTHING /* the reference documents no answer: one that says nothing against it is a success */
};

enum parameter_flags {
	PARAMETER_REQUIRED = 1 << 0,
	PARAMETER_PATH = 1 << 1, /* stands in the path as {name} */
	PARAMETER_FILE = 1 << 2, /* a file is sent */
	PARAMETER_SECRET = 1 << 3, /* token, password or PIN */
	PARAMETER_TOKEN = 1 << 4, /* user_token: filled in by the runner, not by users */
	PARAMETER_ONE_OF = 1 << 5 /* of the parameters with this flag at least one is needed */
};

struct parameter {
	const char *name;
	unsigned flags; /* enum parameter_flags */
	const char *choices; /* "oaa|oia|ow", file extensions ".apk|.ipa" for a file, or NULL */
	const char *help;
};

struct operation {
	const char *id; /* "app_build_upload" */
	const char *alias; /* a short name, or NULL */
	const char *group; /* "Build" */
	const char *title; /* "App Build Upload" */
	const char *path; /* "/ci/upload_app_build", with {name} places; always POST */
	enum operation_class repeat;
	enum operation_sign sign;
	const struct parameter *parameters; /* ends with a NULL name */
	const char *outputs; /* where the useful part of the answer stands ("data", "app_build_id"), or NULL */
	const char *sample; /* a sample answer of the reference, mended to valid JSON; NULL: it documents none */
	const char *source; /* section of the reference: "Build / App Build Upload" */
};

/* Every operation has an index; enum operation_id gives it a name: OP_APP_BUILD_UPLOAD. */
enum operation_id {
#define OPERATION(id, ...) OP_##id,
#include "runner/api/operations.def"
#undef OPERATION
	OP_COUNT
};

const struct operation *operation_get(enum operation_id id);
/* By id or alias; NULL if there is none. */
const struct operation *operation_find(const char *name);
/* The nearest id or alias to a misspelt one, or NULL. */
const char *operation_suggest(const char *name);
const struct parameter *operation_parameter(const struct operation *operation, const char *name);

#endif
