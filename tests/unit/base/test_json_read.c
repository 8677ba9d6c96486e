#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "runner/base/json_read.h"
#include "runner/base/memory.h"

static void assert_refused(const char *text, size_t count, const char *end, const char *wanted)
{
	GR_AUTO_BUFFER struct buffer all = {0};
	const char *why = NULL;
	json_t *json;

	buffer_add_text(&all, "[");
	for (size_t i = 0; i < count; i++)
		buffer_add_text(&all, text);
	buffer_add_text(&all, end);
	json = json_read_own(&all, &why);
	assert_null(json);
	assert_string_equal(why, wanted);
}

static void it_refuses_what_would_take_gigabytes(void **state)
{
	(void)state;
	assert_refused("{},", 1000000, "0]", "holds too many lists and objects");
	assert_refused("0,", 8000001, "0]", "holds too many values");
	assert_refused("[", 1 << 20, "", "is nested deeper than 64 levels");
	assert_refused("[", 1 << 19, "", "is not JSON");
}

static void it_refuses_what_is_no_json(void **state)
{
	(void)state;
	assert_refused("", 0, "", "is not JSON");
	assert_refused("{\"a\":1,\"a\":2}", 1, "]", "is not JSON"); /* which of them counts? */
	assert_refused("\"\\u0000\"", 1, "]", "is not JSON");
}

static void it_reads_what_is_ours(void **state)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	GR_AUTO_JSON json_t *json = NULL;
	const char *why = "?";

	(void)state;
	buffer_add_text(&text, "{\"text\": \"[[[{{{,,,\\\"\", \"t\\\\\": \"\\\\\\\"[\\\\\", \"list\": [1, 2]}");
	json = json_read_own(&text, &why);
	assert_non_null(json);
	assert_null(why);
	assert_int_equal(json_array_size(json_object_get(json, "list")), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_refuses_what_would_take_gigabytes),
	        cmocka_unit_test(it_refuses_what_is_no_json),
	        cmocka_unit_test(it_reads_what_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
