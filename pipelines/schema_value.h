/* Pieces of a JSON Schema: what a value of one form or type may look like. For pipelines/schema.c alone. */
#ifndef GRIDLANE_PIPELINES_SCHEMA_VALUE_H
#define GRIDLANE_PIPELINES_SCHEMA_VALUE_H

#include <jansson.h>

#include "runner/steps/kind.h"

enum form {
	FORM_ANY,
	FORM_VERSION,
	FORM_TEXT, /* not empty; a whole number stands for its digits */
	FORM_WORD, /* the same, and other numbers as they are written */
	FORM_TEMPLATE, /* text with ${{ }} */
	FORM_NAME,
	FORM_BOOL,
	FORM_INT,
	FORM_DURATION,
	FORM_RANGE,
	FORM_CHOICE,
	FORM_TEXTS,
	FORM_MAP,
	FORM_CONDITION,
	FORM_CONDITIONS,
	FORM_KIND,
	FORM_REPORTS,
	FORM_MATRIX,
	FORM_SECTION, /* a section of its own */
	FORM_LIST, /* a list of such sections */
	FORM_NAMES /* names of the user's own, each with such a section */
};

/* All are new references. */
json_t *schema_form(enum form form, const char *detail);
json_t *schema_field(const struct field *field);
/* "a|b|c" as a list. */
json_t *schema_words(const char *choices);
/* {"$ref": "#/$defs/NAME"} */
json_t *schema_reference(const char *name);
/* A default as written in a file, in the type that it has there. */
json_t *schema_default(const char *fallback);

#endif
