#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "runner/api/answer_read.h"
#include "runner/base/memory.h"

/* What it takes is what jansson makes of it; what it leaves alone is NULL. */
static void expect(const char *body, size_t bytes, bool is_read)
{
	GR_AUTO_JSON json_t *mine = answer_read(body, bytes);
	GR_AUTO_JSON json_t *theirs = json_loadb(body, bytes, JSON_REJECT_DUPLICATES, NULL);

	if (is_read != (mine != NULL))
		fail_msg("%s: %s", body, mine ? "taken" : "not taken");
	if (mine && !json_equal(mine, theirs))
		fail_msg("%s: not the same", body);
}

static void what_servers_write_is_read_as_jansson_reads_it(void **state)
{
	static const char *const bodies[] = {"{}", "[]", " \r\n\t{ \"a\" : 1 , \"b\" : [ ] }\n",
	        "[0,-1,123456789012345678,-123456789012345678]", "[true,false,null,\"\",{}]",
	        "{\"a\":{\"b\":[{\"c\":[[]]},{}]},\"d\":\"2\",\"e\":\"2\"}",
	        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0041\\u00e9\\u20AC\",\"x\\u001f\"]",
	        "[\"\xC3\xA9\xF0\x9F\x98\x80\"]",
	        "[\"the same text\",\"the same text\",\"a text that is longer than those that are shared\"]"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(bodies); i++)
		expect(bodies[i], strlen(bodies[i]), true);
}

static void what_is_wrong_is_left_to_jansson(void **state)
{
	static const char *const bodies[] = {"", " ", "1", "\"a\"", "null", "{", "[", "[1", "[1,", "[1,]", "[,1]",
	        "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{a:1}", "[]]", "{}{}", "[}", "{]",
	        "[01]", "[-]", "[-0]", "[+1]", "[1x]", "[tru]", "[truex]", "[nul", "[\"a]", "[\"\\x\"]", "[\"\\u12\"]",
	        "[\"\\u12g4\"]", "[\"\\u0000\"]", "[\"\\ud83d\"]", "[\"\n\"]", "[\"\xFF\"]", "[\"\xC3\"]",
	        "{\"a\":1,\"a\":2}", "[\"\\", "[\"\\u", "[9999999999999999999999]", "{\"a\":1}x"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(bodies); i++)
		expect(bodies[i], strlen(bodies[i]), false);
	expect("[1]\0", 4, false);
	expect("[\"a\0b\"]", 7, false);
	expect("[\0]", 3, false);
}

static void what_is_rare_is_left_to_jansson(void **state)
{
	static const char *const bodies[] = {"[1.5]", "[1e3]", "[1234567890123456789]", "[\"\\ud83d\\ude00\"]",
	        "{\"\xC3\xA9\":1}", "{\"\\u0041\":1}"};
	char deep[131];

	(void)state;
	for (size_t i = 0; i < GR_COUNT(bodies); i++)
		expect(bodies[i], strlen(bodies[i]), false);
	memset(deep, '[', 65);
	memset(deep + 65, ']', 65);
	deep[130] = '\0';
	expect(deep, 130, false);
	expect(deep + 1, 128, true);
}

static void every_cut_and_every_changed_byte_is_as_jansson_has_it(void **state)
{
	static const char body[] =
	        "{\"a\":[1,-2,\"\\u00e9\",\"x\\\\\"],\"b\":{\"c\":null,\"d\":[true,false]},\"e\":\"12\"}";
	static const char bytes[] = "\"\\{}[],:0a-. \x01\xC3";

	(void)state;
	for (size_t i = 0; i < sizeof(body) - 1; i++)
		for (size_t j = 0; j < sizeof(bytes); j++) {
			GR_AUTO_FREE char *changed = gr_strndup(body, sizeof(body) - 1);
			GR_AUTO_JSON json_t *mine = NULL;
			GR_AUTO_JSON json_t *theirs = NULL;

			assert_null(answer_read(body, i));
			changed[i] = bytes[j];
			mine = answer_read(changed, sizeof(body) - 1);
			theirs = json_loadb(changed, sizeof(body) - 1, JSON_REJECT_DUPLICATES, NULL);
			if (mine && !json_equal(mine, theirs))
				fail_msg("%s: not as jansson has it", changed);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_servers_write_is_read_as_jansson_reads_it),
	        cmocka_unit_test(what_is_wrong_is_left_to_jansson),
	        cmocka_unit_test(what_is_rare_is_left_to_jansson),
	        cmocka_unit_test(every_cut_and_every_changed_byte_is_as_jansson_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
