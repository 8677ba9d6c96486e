#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "runner/base/clock.h"

static void it_never_goes_back(void **state)
{
	int64_t last = clock_now_ms();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_now_ms();

		assert_true(now >= last);
		last = now;
	}
}

static void it_knows_the_wall_clock(void **state)
{
	(void)state;
	assert_true(clock_wall_ms() / 1000 - (int64_t)time(NULL) <= 1);
	assert_true(clock_wall_ms() > INT64_C(1700000000000));
}

static void assert_utc(int64_t wall_ms, const char *expected)
{
	char text[CLOCK_TEXT_BYTES];

	assert_string_equal(clock_format_utc(wall_ms, text), expected);
	assert_ptr_equal(clock_format_utc(wall_ms, text), text);
}

static void it_writes_times_in_utc_whatever_the_zone(void **state)
{
	char text[CLOCK_TEXT_BYTES];

	(void)state;
	(void)setenv("TZ", "America/New_York", 1);
	tzset();
	assert_utc(INT64_C(1772360130123), "2026-03-01T10:15:30.123Z");
	assert_string_equal(clock_format_api(INT64_C(1772360130123), text), "2026-03-01 10:15:30");
	assert_int_equal(clock_parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), INT64_C(784111777000));
	(void)unsetenv("TZ");
	tzset();
}

static void it_writes_times_at_the_edges(void **state)
{
	(void)state;
	assert_utc(0, "1970-01-01T00:00:00.000Z");
	assert_utc(-1, "1969-12-31T23:59:59.999Z");
	assert_utc(-1000, "1969-12-31T23:59:59.000Z");
	assert_utc(INT64_C(2147483648000), "2038-01-19T03:14:08.000Z");
	assert_utc(INT64_C(1709164800000), "2024-02-29T00:00:00.000Z");
	assert_utc(INT64_MAX, "9999-12-31T23:59:59.999Z");
	assert_utc(INT64_MIN, "1000-01-01T00:00:00.000Z");
}

static void it_reads_the_three_forms_of_http_dates(void **state)
{
	(void)state;
	assert_int_equal(clock_parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), INT64_C(784111777000));
	assert_int_equal(clock_parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), INT64_C(784111777000));
	assert_int_equal(clock_parse_http_date("Sun Nov  6 08:49:37 1994"), INT64_C(784111777000));
	assert_int_equal(clock_parse_http_date("Sun Nov 16 08:49:37 1994"), INT64_C(784975777000));
	assert_int_equal(clock_parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
	assert_int_equal(clock_parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT"), INT64_C(1709164800000));
	assert_int_equal(clock_parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT"), INT64_C(1483228800000));
	assert_int_equal(clock_parse_http_date("Friday, 01-Jan-27 00:00:00 GMT"), INT64_C(1798761600000));
}

static void it_refuses_what_is_no_http_date(void **state)
{
	static const char *const texts[] = {"", "0", "120", "Sun, 06 Nov 1994 08:49:37",
	        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
	        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 2024 08:49:37 GMT", "Sun, 29 Feb 2023 08:49:37 GMT",
	        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
	        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 -8:49:37 GMT", "Xyz, 06 Nov 1994 08:49:37 GMT",
	        "Sun, 06 Nix 1994 08:49:37 GMT", "Sun, 06 Nov 1960 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
	        "Sun, 06 Nov 1994 08:49:37 GMTx", "Sun, 06 Nov 1994 08:49:3"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (clock_parse_http_date(texts[i]) != -1)
			fail_msg("'%s' was taken for a date", texts[i]);
	assert_int_equal(clock_parse_http_date(NULL), -1);
}

static void assert_span(int64_t span_ms, const char *expected)
{
	char text[CLOCK_TEXT_BYTES];

	assert_string_equal(clock_format_span(span_ms, text), expected);
}

static void it_writes_spans_for_people(void **state)
{
	(void)state;
	assert_span(0, "0ms");
	assert_span(250, "250ms");
	assert_span(999, "999ms");
	assert_span(1000, "1.0s");
	assert_span(12345, "12.3s");
	assert_span(59999, "59.9s");
	assert_span(60000, "1m00s");
	assert_span(185000, "3m05s");
	assert_span(3599999, "59m59s");
	assert_span(3720000, "1h02m");
	assert_span(INT64_C(360000000), "100h00m");
	assert_span(-1500, "-1.5s");
	assert_span(CLOCK_NEVER, "2562047788015h12m");
	assert_span(INT64_MIN, "-2562047788015h12m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_never_goes_back),
	        cmocka_unit_test(it_knows_the_wall_clock),
	        cmocka_unit_test(it_writes_times_in_utc_whatever_the_zone),
	        cmocka_unit_test(it_writes_times_at_the_edges),
	        cmocka_unit_test(it_reads_the_three_forms_of_http_dates),
	        cmocka_unit_test(it_refuses_what_is_no_http_date),
	        cmocka_unit_test(it_writes_spans_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
