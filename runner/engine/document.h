/* Files between a local command and the run: a private one that it is given, and the JUnit files that it wrote. */
#ifndef GRIDLANE_ENGINE_DOCUMENT_H
#define GRIDLANE_ENGINE_DOCUMENT_H

#include <jansson.h>
#include <stdint.h>

#include "runner/base/error.h"
#include "runner/engine/vault.h"

/* Write an object of texts and handles as JSON to `path`, for this user alone (0600), handles replaced by their
 * secrets. */
int document_write(const struct vault *vault, const json_t *members, const char *path, struct gr_error *err);

/* The cases of all JUnit files that `pattern` (glob(7)) names and that are not older than `since_wall_ms`: a list of
 * {name, class_name, status, reason, time_ms}, a new reference. Older files are of an earlier run and prove nothing.
 * GR_COMMAND when one is no JUnit file. */
int junit_read(const char *pattern, int64_t since_wall_ms, json_t **ret_cases, struct gr_error *err);

#endif
