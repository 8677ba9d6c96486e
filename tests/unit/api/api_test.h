/* What the tests of this room share. */
#ifndef GRIDLANE_TESTS_API_TEST_H
#define GRIDLANE_TESTS_API_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "runner/api/answer.h"
#include "runner/api/model.h"
#include "runner/api/operation.h"
#include "runner/base/memory.h"

/* JSON with ' for ", so that it can be read. */
static inline json_t *json(const char *text)
{
	GR_AUTO_FREE char *quoted = gr_strdup(text);
	json_error_t error;
	json_t *value;

	for (char *at = quoted; *at; at++)
		if (*at == '\'')
			*at = '"';
	value = json_loads(quoted, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!value)
		fail_msg("not JSON: %s: %s", quoted, error.text);
	return value;
}

static inline json_t *sample(enum operation_id id)
{
	json_t *value = json_loads(operation_get(id)->sample, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(value);
	return value;
}

/* Values of every type and of no meaning, to stand where something else is expected. */
static const char *const odd_values[] = {"null", "true", "false", "0", "-1", "7", "1e300", "1.5", "''", "'null'", "'x'",
        "'[]'", "'{}'", "'[1'", "[]", "{}", "[null]", "[[]]", "[[[]]]", "[{}]", "{'a':1}", "{'0':1}", "{'0':{}}",
        "[1,'x',null]", "99999999999999999", "'99999999999999999999999'", "{'android':1}", "{'ios':[1]}",
        "{'devices':7}"};

#endif
