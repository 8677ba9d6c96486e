#include "runner/base/redact_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runner/base/memory.h"

#define SECRET "top/secret+\"token\""

static char *dump_of(const char *text)
{
	struct redactor *redactor = redactor_new();
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	char *before = json_dumps(json, JSON_ENCODE_ANY), *after, *dumped;

	assert_non_null(json);
	assert_true(redactor_add(redactor, SECRET));
	dumped = redactor_dump(redactor, json, JSON_COMPACT | JSON_ENCODE_ANY);
	after = json_dumps(json, JSON_ENCODE_ANY);
	assert_string_equal(after, before); /* the value stays as it is */
	gr_free(after);
	gr_free(before);
	json_decref(json);
	redactor_free(redactor);
	return dumped;
}

static void check(const char *text, const char *expected)
{
	GR_AUTO_FREE char *dumped = dump_of(text);

	assert_string_equal(dumped, expected);
}

static void it_finds_a_secret_that_was_escaped_before(void **state)
{
	(void)state;
	check("{\"url\": \"top\\\\/secret+\\\\\\\"token\\\\\\\"\"}", "{\"url\":\"***\"}");
	check("[["
	      "\"\\\\u0074\\\\u006f\\\\u0070\\\\u002f\\\\u0073\\\\u0065\\\\u0063\\\\u0072\\\\u0065\\\\u0074\\\\u002b\\"
	      "\\"
	      "u0022\\\\u0074\\\\u006f\\\\u006b\\\\u0065\\\\u006e\\\\u0022\"]]",
	        "[[\"***\"]]");
}

static void it_finds_a_secret_in_texts_and_keys_at_any_depth(void **state)
{
	(void)state;
	check("{\"a\":[{\"top/secret+\\\"token\\\"\":1},\"x top/secret+\\\"token\\\" y\"]}",
	        "{\"a\":[{\"***\":1},\"x *** y\"]}");
}

static void it_finds_a_secret_that_is_the_whole_value(void **state)
{
	(void)state;
	check("\"top/secret+\\\"token\\\"\"", "\"***\"");
}

static void it_leaves_other_values_alone(void **state)
{
	(void)state;
	check("{\"a\":[1,2.5,true,null,{},[]],\"b\":\"line\\nbreak \\\"quoted\\\"\"}",
	        "{\"a\":[1,2.5,true,null,{},[]],\"b\":\"line\\nbreak \\\"quoted\\\"\"}");
}

/* Found by a fuzzer: "\\u0012" and "3456" have "0123456" in them. */
static void it_stays_json(void **state)
{
	static const struct {
		const char *json, *expected;
	} cases[] = {
	        {"{\"a\":\"01\\u00123456789abcdef.\"}", "{\"a\":\"01\\u00123456789abcdef.\"}"},
	        {"{\"a\":\"01\\u00123456789abcdef.\",\"b\":[\"0123456789abcdef\"]}",
	                "{\"a\":\"01\\u00123456789abcdef.\",\"b\":[\"***\"]}"},
	        {"{\"wall\":1795135790217,\"pin\":135790,\"text\":\"x135790\"}",
	                "{\"wall\":1795135790217,\"pin\":\"***\",\"text\":\"x***\"}"},
	        {"[135790,1.35790,\"\\n\"]", "[\"***\",1.3579,\"\\n\"]"},
	};
	struct redactor *redactor = redactor_new();

	(void)state;
	assert_true(redactor_add(redactor, "0123456789abcdef"));
	assert_true(redactor_add(redactor, "135790"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *json = json_loads(cases[i].json, 0, NULL);
		GR_AUTO_FREE char *dumped = redactor_dump(redactor, json, JSON_COMPACT | JSON_REAL_PRECISION(15));

		assert_string_equal(dumped, cases[i].expected);
		json_decref(json);
	}
	redactor_free(redactor);
}

static void it_has_no_text_for_what_is_no_json(void **state)
{
	struct redactor *redactor = redactor_new();

	(void)state;
	assert_null(redactor_dump(redactor, NULL, 0));
	redactor_free(redactor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_finds_a_secret_that_was_escaped_before),
	        cmocka_unit_test(it_finds_a_secret_in_texts_and_keys_at_any_depth),
	        cmocka_unit_test(it_finds_a_secret_that_is_the_whole_value),
	        cmocka_unit_test(it_leaves_other_values_alone),
	        cmocka_unit_test(it_stays_json),
	        cmocka_unit_test(it_has_no_text_for_what_is_no_json),
	};

	gr_memory_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
