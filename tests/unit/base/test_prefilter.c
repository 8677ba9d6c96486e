#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/prefilter.h"

static size_t skip_in(const struct prefilter *prefilter, const char *text, size_t at)
{
	return prefilter_skip(prefilter, (const unsigned char *)text, at, strlen(text));
}

static void it_stops_before_each_needle_wherever_it_stands(void **state)
{
	static const char needle[] = "s3cr3t-token";
	struct prefilter *prefilter = prefilter_new();

	(void)state;
	prefilter_add(prefilter, needle, strlen(needle));
	for (size_t before = 0; before < 200; before++) {
		char text[256];

		memset(text, '.', sizeof(text));
		memcpy(text + before, needle, sizeof(needle));
		for (size_t at = 0; at <= before; at++)
			assert_in_range(skip_in(prefilter, text, at), at, before);
	}
	prefilter_free(prefilter);
}

static void it_stops_before_a_needle_with_a_line_break_in_any_place(void **state)
{
	static const char needle[] = "abcdefghijkl";
	struct prefilter *prefilter = prefilter_new();

	(void)state;
	prefilter_add(prefilter, needle, strlen(needle));
	for (size_t cut = 1; cut < strlen(needle); cut++)
		for (size_t at = 0; at <= 20; at++) {
			GR_AUTO_FREE char *text =
			        gr_printf("....................%.*s\r\n%s....", (int)cut, needle, needle + cut);

			assert_in_range(skip_in(prefilter, text, at), at, 20);
		}
	prefilter_free(prefilter);
}

static void it_skips_what_holds_no_needle_and_keeps_the_end(void **state)
{
	struct prefilter *prefilter = prefilter_new();
	char text[1001];
	size_t at;

	(void)state;
	prefilter_add(prefilter, "s3cr3t-token", 12);
	memset(text, '.', sizeof(text));
	text[1000] = '\0';
	at = skip_in(prefilter, text, 0);
	assert_in_range(at, 990, 997); /* the last three bytes may begin one that goes on */
	prefilter_free(prefilter);
}

static void it_lets_all_through_once_a_needle_is_short(void **state)
{
	struct prefilter *prefilter = prefilter_new();

	(void)state;
	prefilter_add(prefilter, "short", 5);
	assert_int_equal(skip_in(prefilter, "....................", 3), 3);
	prefilter_free(prefilter);
	prefilter_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_stops_before_each_needle_wherever_it_stands),
	        cmocka_unit_test(it_stops_before_a_needle_with_a_line_break_in_any_place),
	        cmocka_unit_test(it_skips_what_holds_no_needle_and_keeps_the_end),
	        cmocka_unit_test(it_lets_all_through_once_a_needle_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
