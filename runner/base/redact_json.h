/* Redaction of a JSON value's texts before it becomes text itself: escaping twice would hide a form that has
 * backslashes of its own. */
#ifndef GRIDLANE_BASE_REDACT_JSON_H
#define GRIDLANE_BASE_REDACT_JSON_H

#include <jansson.h>

#include "runner/base/redact.h"

/* The value as redacted text (json_dumps with `flags`), the caller's; NULL for what cannot be written as JSON. The
 * value stays as it is. */
char *redactor_dump(struct redactor *redactor, const json_t *json, size_t flags);

#endif
