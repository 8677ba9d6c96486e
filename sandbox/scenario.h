/* The scenario: YAML text into one checked JSON object. docs/sandbox.md describes it. */
#ifndef GRIDLANE_SANDBOX_SCENARIO_H
#define GRIDLANE_SANDBOX_SCENARIO_H

#include <jansson.h>

#include "runner/base/error.h"

/* The built-in scenario, as YAML in pieces, ended by NULL. */
extern const char *const scenario_default[];

/* The built-in scenario with the file's top-level keys in the place of its own (suites and timezones: name by name).
 * file NULL: the built-in alone. A new reference in ret_scenario. GR_CONFIG with the place for what cannot be read or
 * is not known. */
int scenario_load(const char *file, json_t **ret_scenario, struct gr_error *err);
/* One YAML document into JSON: no anchors, no tags, no duplicate keys, at most 16 levels. name: for messages. */
int scenario_parse(const char *yaml, size_t bytes, const char *name, json_t **ret_json, struct gr_error *err);
/* Every key known, every value of its kind (scenario_check.c). name: for messages. */
int scenario_check(const json_t *scenario, const char *name, struct gr_error *err);

#endif
