/* The language as a JSON Schema (2020-12), made from the checker's tables and the step kinds. It accepts and refuses
 * the same files as the checker, as far as a schema can. */
#ifndef GRIDLANE_PIPELINES_SCHEMA_H
#define GRIDLANE_PIPELINES_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

json_t *schema_make(void); /* a new reference */

/* A key of the checker's tables that has no words in schema.def, in the order of the tables; false past the end. Such a
 * key is accepted with any value. For the test that there is none. */
bool schema_missing(size_t index, const char **ret_section, const char **ret_key);

/* Row `index` of schema_examples.def; false past the end. For the test that each stands in the schema. */
bool schema_example(size_t index, const char **ret_section, const char **ret_key, const char **ret_json);

#endif
