/* Step kinds as a table: the word after `uses:`, its fields, types, defaults and outputs. The checker, help, schema and
 * docs read it; the engine finds the state machine in it. */
#ifndef GRIDLANE_STEPS_KIND_H
#define GRIDLANE_STEPS_KIND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "runner/base/error.h"

/* Static types of fields and expressions. */
enum type {
	TYPE_ANY, /* not known before the run */
	TYPE_NULL,
	TYPE_BOOL,
	TYPE_INT,
	TYPE_REAL,
	TYPE_TEXT,
	TYPE_LIST, /* of anything */
	TYPE_MAP,
	TYPE_DURATION, /* text "30s" in files, integer ms afterwards */
	TYPE_RANGE, /* text "2s..30s", afterwards {low, high} in ms */
	TYPE_SIZE, /* text "64MiB", integer bytes afterwards */
	TYPE_FILE, /* a path or a glob that matches one regular file, the path afterwards */
	TYPE_CHOICE, /* one of field.choices */
	TYPE_TEXTS, /* a list of text; one text is a list of one */
	TYPE_SECRET, /* a handle; allowed only where secrets may go */
	TYPE_VERSION, /* ${{ steps.version }}, a name, an id, or { id: } / { name: } */
	TYPE_BUILD, /* ${{ steps.build }}, an id, or { id: } */
	TYPE_DEVICE, /* ${{ matrix.device }}, ${{ devices.phones[0] }}, or { id: } */
	TYPE_DEVICES, /* ${{ devices.phones }} */
	TYPE_MODULE, /* id or name of a test module */
	TYPE_TESTCASES, /* a list of ids, or a mapping of names to ids */
	TYPE_OPERATION, /* id of an API operation */
	TYPE_CONDITION, /* an expression over the answer, kept as text, evaluated by the engine (until:) */
	TYPE_STEP /* ${{ steps.ID }} as a whole: its outputs */
};
const char *type_name(enum type type); /* for messages: "a duration such as 30s" */

enum field_flags {
	FIELD_REQUIRED = 1 << 0,
	FIELD_SECRET_OK = 1 << 1 /* a secret's handle may stand here */
};

/* What `collect` knows how to fetch. */
#define COLLECT_CHOICES "logs|recordings|network|insights|transactions|device_logs|testcases|downloads"

struct field {
	const char *name;
	enum type type;
	unsigned flags;
	const char *fallback; /* as written in a file, or NULL */
	const char *choices; /* "sync|async|direct", or extensions ".apk|.ipa" for TYPE_FILE */
	const char *help;
};

enum kind_flags {
	KIND_RUNS_TESTS = 1 << 0, /* at least one device run is expected of it */
	KIND_POLLS = 1 << 1, /* `poll:` applies */
	KIND_LOCAL = 1 << 2, /* starts a child process */
	KIND_OPEN = 1 << 3, /* further keys of `with:` are parameters of the operation */
	KIND_IMPLICIT = 1 << 4, /* put in by the plan (login, application, device selection), not written by users */
	KIND_NEEDS_APP = 1 << 5, /* needs the pipeline's `app:` */
	KIND_SUBJECT = 1 << 6 /* a file that it sends can be what an attestation is about */
};

struct step_ops;
struct kind {
	const char *name;
	const char *summary;
	unsigned flags;
	const struct field *fields; /* end with a NULL name */
	const struct field *outputs; /* likewise */
	const struct step_ops *ops; /* NULL: a later version brings it */
};

/* All kinds, ended by a NULL name: in the order of the docs. */
enum { KINDS_MOST = 32 }; /* with that end */
extern const struct kind step_kinds[];
const struct kind *kind_find(const char *name);
const struct field *kind_field(const struct kind *kind, const char *name);
const struct field *kind_output(const struct kind *kind, const char *name);

/* Check one evaluated value against a field and bring it into the form steps read (durations in ms, one text as a
 * list of one ...). ret_value is a new reference. GR_CONFIG says what was expected and what came. Does not look at
 * files. */
int field_convert(const struct field *field, const json_t *value, json_t **ret_value, struct gr_error *err);

#endif
