#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/number.h"

#define UNTOUCHED INT64_C(-987654321)

typedef bool parse_function(const char *text, int64_t *ret);

static void assert_reads(parse_function *parse, const char *text, int64_t expected)
{
	int64_t value = UNTOUCHED;

	if (!parse(text, &value))
		fail_msg("'%s' was refused", text);
	assert_int_equal(value, expected);
}

static void assert_refuses(parse_function *parse, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t value = UNTOUCHED;

		if (parse(texts[i], &value))
			fail_msg("'%s' was taken for %lld", texts[i], (long long)value);
		assert_int_equal(value, UNTOUCHED);
	}
}

static void it_reads_whole_numbers(void **state)
{
	static const char *const bad[] = {NULL, "", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "--1",
	        "9007199254740993", "-9007199254740993", "99999999999999999999999999", "1a", "a"};

	(void)state;
	assert_reads(number_parse_int, "0", 0);
	assert_reads(number_parse_int, "-0", 0);
	assert_reads(number_parse_int, "007", 7);
	assert_reads(number_parse_int, "-42", -42);
	assert_reads(number_parse_int, "9007199254740992", INT64_C(9007199254740992));
	assert_reads(number_parse_int, "-9007199254740992", -INT64_C(9007199254740992));
	assert_refuses(number_parse_int, bad, GR_COUNT(bad));
}

static void it_reads_real_numbers_in_any_locale(void **state)
{
	static const char *const bad[] = {"", "-", ".5", "5.", "1,5", "nan", "inf", "0x1p3", "1e", "1e+", "1.5 ",
	        " 1.5", "1e999", "-1e999", "1.2.3", "+1", "1.5f"};
	double value = 7;

	(void)state;
	if (!setlocale(LC_ALL, "de_DE.UTF-8"))
		(void)setlocale(LC_ALL, "C.UTF-8");
	assert_true(number_parse_real("0.98", &value) && value == 0.98);
	assert_true(number_parse_real("-1.5e3", &value) && value == -1500);
	assert_true(number_parse_real("12", &value) && value == 12);
	assert_true(number_parse_real("2E-2", &value) && value == 0.02);
	value = 7;
	for (size_t i = 0; i < GR_COUNT(bad); i++)
		if (number_parse_real(bad[i], &value))
			fail_msg("'%s' was taken for a number", bad[i]);
	assert_false(number_parse_real(NULL, &value));
	assert_true(value == 7);
	(void)setlocale(LC_ALL, "C");
}

static void it_reads_durations(void **state)
{
	static const char *const bad[] = {NULL, "", "5", "00", "s", "-5s", "5 s", " 5s", "5s ", "5S", "5d", "5sec",
	        "1.s", ".5s", "1.5", "1.5ms", "0.0001s", "1h30m", "1.2.3s", "1.0000001h", "99999999999h",
	        "9007199254740993ms", "123456789012345678901s", "0x5s", "1,5s", "5ms5"};

	(void)state;
	assert_reads(number_parse_duration, "0", 0);
	assert_reads(number_parse_duration, "0s", 0);
	assert_reads(number_parse_duration, "500ms", 500);
	assert_reads(number_parse_duration, "30s", 30000);
	assert_reads(number_parse_duration, "15m", 900000);
	assert_reads(number_parse_duration, "2h", 7200000);
	assert_reads(number_parse_duration, "1.5s", 1500);
	assert_reads(number_parse_duration, "0.25h", 900000);
	assert_reads(number_parse_duration, "1.000s", 1000);
	assert_reads(number_parse_duration, "9007199254740992ms", INT64_C(9007199254740992));
	assert_refuses(number_parse_duration, bad, GR_COUNT(bad));
}

static void it_reads_ranges_of_durations(void **state)
{
	static const char *const bad[] = {
	        "", "..", "2s..", "..2s", "30s..2s", "2s...30s", "2s-30s", "2s..30", "2s..3s..4s"};
	int64_t low = 0, high = 0;

	(void)state;
	assert_true(number_parse_range("2s..30s", &low, &high));
	assert_int_equal(low, 2000);
	assert_int_equal(high, 30000);
	assert_true(number_parse_range("1.5s..2.5s", &low, &high));
	assert_int_equal(low, 1500);
	assert_int_equal(high, 2500);
	assert_true(number_parse_range("0..0", &low, &high));
	assert_true(number_parse_range("500ms", &low, &high));
	assert_int_equal(low, 500);
	assert_int_equal(high, 500);
	for (size_t i = 0; i < GR_COUNT(bad); i++)
		if (number_parse_range(bad[i], &low, &high))
			fail_msg("'%s' was taken for a range", bad[i]);
	assert_false(number_parse_range(NULL, &low, &high));
	assert_int_equal(low, 500);
}

static void it_reads_sizes(void **state)
{
	static const char *const bad[] = {NULL, "", "MiB", "-1MiB", "1 MiB", "1mib", "1MB", "1K", "1.5", "0.1B", "1e3",
	        "99999999999GiB", "9007199254740993"};

	(void)state;
	assert_reads(number_parse_size, "100", 100);
	assert_reads(number_parse_size, "100B", 100);
	assert_reads(number_parse_size, "512KiB", 524288);
	assert_reads(number_parse_size, "64MiB", 67108864);
	assert_reads(number_parse_size, "1GiB", 1073741824);
	assert_reads(number_parse_size, "1.5KiB", 1536);
	assert_reads(number_parse_size, "0", 0);
	assert_refuses(number_parse_size, bad, GR_COUNT(bad));
}

static void it_writes_seconds_with_three_decimals(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(number_format_seconds(1250, text), "1.250");
	assert_string_equal(number_format_seconds(0, text), "0.000");
	assert_string_equal(number_format_seconds(7, text), "0.007");
	assert_string_equal(number_format_seconds(-250, text), "-0.250");
	assert_string_equal(number_format_seconds(INT64_MAX, text), "9223372036854775.807");
	assert_string_equal(number_format_seconds(INT64_MIN, text), "-9223372036854775.808");
}

static void it_writes_the_shortest_duration(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {{0, "0"}, {500, "500ms"}, {30000, "30s"}, {900000, "15m"}, {7200000, "2h"}, {1500, "1.5s"},
	        {90000, "90s"}, {5400000, "90m"}, {1001, "1001ms"}, {60000, "1m"}, {-500, "-500ms"}, {150000, "150s"},
	        {12345, "12345ms"}};
	char text[32];

	(void)state;
	for (size_t i = 0; i < GR_COUNT(cases); i++)
		assert_string_equal(number_format_duration(cases[i].ms, text), cases[i].text);
	(void)number_format_duration(INT64_MIN, text);
}

static void it_reads_back_each_duration_that_it_writes(void **state)
{
	char text[32];

	(void)state;
	for (int64_t ms = 1; ms < INT64_C(1) << 52; ms = ms * 3 / 2 + 7)
		assert_reads(number_parse_duration, number_format_duration(ms, text), ms);
}

static void it_writes_bytes_for_people(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(number_format_bytes(0, text), "0 B");
	assert_string_equal(number_format_bytes(1023, text), "1023 B");
	assert_string_equal(number_format_bytes(1024, text), "1.0 KiB");
	assert_string_equal(number_format_bytes(1536, text), "1.5 KiB");
	assert_string_equal(number_format_bytes(5242880, text), "5.0 MiB");
	assert_string_equal(number_format_bytes(1048575, text), "1.0 MiB");
	assert_string_equal(number_format_bytes(-2048, text), "-2.0 KiB");
	assert_string_equal(number_format_bytes(INT64_MAX, text), "8.0 EiB");
	assert_string_equal(number_format_bytes(INT64_MIN, text), "-8.0 EiB");
}

static void it_gives_random_bytes_that_differ(void **state)
{
	unsigned char a[1000] = {0}, b[1000] = {0};

	(void)state;
	number_random(a, sizeof(a));
	number_random(b, sizeof(b));
	number_random(NULL, 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reads_whole_numbers),
	        cmocka_unit_test(it_reads_real_numbers_in_any_locale),
	        cmocka_unit_test(it_reads_durations),
	        cmocka_unit_test(it_reads_ranges_of_durations),
	        cmocka_unit_test(it_reads_sizes),
	        cmocka_unit_test(it_writes_seconds_with_three_decimals),
	        cmocka_unit_test(it_writes_the_shortest_duration),
	        cmocka_unit_test(it_reads_back_each_duration_that_it_writes),
	        cmocka_unit_test(it_writes_bytes_for_people),
	        cmocka_unit_test(it_gives_random_bytes_that_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
