#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"

static void assert_order(const char *a, const char *b, int expected)
{
	int forth = text_compare_versions(a, b), back = text_compare_versions(b, a);

	if ((forth > 0) - (forth < 0) != expected || (back > 0) - (back < 0) != -expected)
		fail_msg("'%s' and '%s' are in the wrong order", a, b);
}

static void it_orders_versions_part_by_part(void **state)
{
	(void)state;
	assert_order("14", "14.0", 0);
	assert_order("14", "14.0.0", 0);
	assert_order("014", "14", 0);
	assert_order("9", "10", -1);
	assert_order("14.2", "14.10", -1);
	assert_order("14.0.1", "14", 1);
	assert_order("99999999999999999999999", "100000000000000000000000", -1);
	assert_order("", "0", 0);
	assert_order("1.2b", "1.2", 1);
	assert_order("1.2a", "1.2b", -1);
	assert_order("1..2", "1.0.2", 0);
}

static void assert_in(const char *range, const char *version, bool expected)
{
	bool ok = false;

	if (text_match_version(range, version, &ok) != expected)
		fail_msg("'%s' in '%s' is not %d", version, range, expected);
	if (!ok)
		fail_msg("'%s' was refused", range);
	assert_true(text_match_version(range, version, NULL) == expected);
}

static void it_finds_versions_in_ranges(void **state)
{
	(void)state;
	assert_in("14", "14", true);
	assert_in("14", "14.1", true);
	assert_in("14", "140", false);
	assert_in("14.1", "14", false);
	assert_in("14.0", "14", true);
	assert_in("13.*", "13.2.1", true);
	assert_in("13.*", "14", false);
	assert_in(">=13", "13", true);
	assert_in(">=13", "12.9", false);
	assert_in(">= 13 < 15", "14.5", true);
	assert_in(">=13 <15", "15", false);
	assert_in(">=13 <15", "14.99", true);
	assert_in("<=14.2", "14.2", true);
	assert_in("<=14.2", "14.2.1", false);
	assert_in(">13", "13.0", false);
	assert_in(">13", "13.1", true);
	assert_in("!=12", "12", false);
	assert_in("!=12", "12.1", false);
	assert_in("!=12", "13", true);
	assert_in("!=12.*", "12.1", false);
	assert_in("  >=13\t!=14  ", "15", true);
	assert_in(">=13 !=14", "14.1", false);
}

static void it_finds_no_unknown_version_in_any_range(void **state)
{
	(void)state;
	assert_in(">=0", "", false);
	assert_in(">=0", NULL, false);
	assert_in("!=12", "unknown", false);
}

static void it_refuses_malformed_ranges(void **state)
{
	static const char *const bad[] = {"", " ", "x", ">=", ">=x", "13.", ".13", "13..1", "=13", "==13", "13,14",
	        "13 x", ">=13.*", "*", "13*", "13.*.1", "!13", "><13", ">=13<15", "13-15",
	        "1111111111111111111111111111111111111111111111111111111111111111111"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(bad); i++) {
		bool ok = true;

		assert_false(text_match_version(bad[i], "13", &ok));
		if (ok)
			fail_msg("'%s' passed", bad[i]);
	}
}

static void assert_suggests(const char *word, const char *expected)
{
	static const char *const words[] = {"steps", "server", "secrets", "timeout", "name", "os", NULL};
	const char *found = text_suggest(word, words);

	if (!text_equal(found, expected))
		fail_msg("%s for %s", found ? found : "nothing", word ? word : "nothing");
}

static void it_suggests_the_nearest_word(void **state)
{
	char long_word[200];

	(void)state;
	assert_suggests("stpes", "steps");
	assert_suggests("step", "steps");
	assert_suggests("sevrer", "server");
	assert_suggests("timeuot", "timeout");
	assert_suggests("Name", "name");
	assert_suggests("secret", "secrets");
	assert_suggests("so", "os");
	assert_suggests("zzz", NULL);
	assert_suggests("stxxs", NULL);
	assert_suggests("", NULL);
	assert_suggests(NULL, NULL);
	memset(long_word, 'a', 199);
	long_word[199] = '\0';
	assert_suggests(long_word, NULL);
}

static void it_suggests_the_first_of_equals(void **state)
{
	static const char *const words[] = {"cat", "car", "cab", NULL};
	static const char *const none[] = {NULL};

	(void)state;
	assert_string_equal(text_suggest("cax", words), "cat");
	assert_null(text_suggest("cat", none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_orders_versions_part_by_part),
	        cmocka_unit_test(it_finds_versions_in_ranges),
	        cmocka_unit_test(it_finds_no_unknown_version_in_any_range),
	        cmocka_unit_test(it_refuses_malformed_ranges),
	        cmocka_unit_test(it_suggests_the_nearest_word),
	        cmocka_unit_test(it_suggests_the_first_of_equals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
