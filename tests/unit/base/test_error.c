#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "runner/base/error.h"

static void it_says_what_failed_and_returns_the_failure(void **state)
{
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(gr_fail(&err, GR_CONFIG, 0, "key '%s' is unknown", "stpes"), -GR_CONFIG);
	assert_int_equal(err.failure, GR_CONFIG);
	assert_string_equal(err.text, "key 'stpes' is unknown");
}

static void it_adds_the_words_of_an_errno_at_the_end(void **state)
{
	struct gr_error err = {0};

	(void)state;
	(void)gr_fail(&err, GR_DISK, ENOSPC, "file '%s'", "junit.xml");
	assert_string_equal(err.text, "file 'junit.xml': No space left on device");
}

static void it_puts_context_before_the_cause_and_keeps_the_failure(void **state)
{
	struct gr_error err = {0};

	(void)state;
	(void)gr_fail(&err, GR_NETWORK, 0, "connection refused");
	assert_int_equal(gr_context(&err, "step '%s'", "build"), -GR_NETWORK);
	assert_int_equal(gr_context(&err, "lane %d", 3), -GR_NETWORK);
	assert_string_equal(err.text, "lane 3: step 'build': connection refused");
}

static void it_keeps_an_error_on_one_line(void **state)
{
	struct gr_error err = {0};

	(void)state;
	(void)gr_fail(&err, GR_SERVER, 0, "the server said 'a\r\nb'");
	assert_string_equal(err.text, "the server said 'a  b'");
}

static void it_takes_the_old_words_into_the_new_ones(void **state)
{
	struct gr_error err = {0};

	(void)state;
	(void)gr_fail(&err, GR_NETWORK, 0, "no answer in time%s", err.text);
	assert_string_equal(err.text, "no answer in time");
	(void)gr_fail(&err, GR_NETWORK, 0, "given up; before that: %s", err.text);
	assert_string_equal(err.text, "given up; before that: no answer in time");
}

static void it_cuts_what_is_too_long_and_ends_it(void **state)
{
	struct gr_error err = {0};
	char long_text[2000];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(gr_fail(&err, GR_DISK, EIO, "file %s", long_text), -GR_DISK);
	assert_string_equal(err.text, "file …");
	assert_int_equal(gr_context(&err, "in %s", long_text), -GR_DISK);
	assert_string_equal(err.text, "in …");
}

/* Half a secret is none that the redaction knows. */
static void it_never_cuts_within_a_word(void **state)
{
	static const char secret[] = "Kq7Wz9Lm3Pv5Rt1";

	(void)state;
	for (int before = 440; before < 530; before++) {
		struct gr_error err = {0};
		const char *at;

		(void)gr_fail(&err, GR_SERVER, before % 2 ? EIO : 0, "%*s %s again", before, "x", secret);
		if (before % 3 == 0)
			(void)gr_context(&err, "step 'one'");
		at = strstr(err.text, "Kq");
		assert_true(!at || strncmp(at, secret, strlen(secret)) == 0);
		assert_true(strlen(err.text) < sizeof(err.text));
	}
}

static void it_can_do_without_an_error_object(void **state)
{
	(void)state;
	assert_int_equal(gr_fail(NULL, GR_AUTH, EIO, "no"), -GR_AUTH);
	assert_true(gr_context(NULL, "no") < 0);
}

static void it_finds_each_failure_by_its_name(void **state)
{
	(void)state;
	for (int i = 1; i < GR_FAILURE_COUNT; i++) {
		assert_int_equal(failure_from_name(failure_name((enum gr_failure)i)), i);
		assert_true(strlen(failure_words((enum gr_failure)i)) > 0);
		assert_int_not_equal(
		        failure_words((enum gr_failure)i)[strlen(failure_words((enum gr_failure)i)) - 1], '.');
	}
	assert_int_equal(failure_from_name("no such failure"), GR_NONE);
}

static void it_gives_each_class_its_exit_status(void **state)
{
	(void)state;
	assert_int_equal(failure_exit_status(GR_NONE), 0);
	assert_int_equal(failure_exit_status(GR_FAILED), 1);
	assert_int_equal(failure_exit_status(GR_GATE), 1);
	assert_int_equal(failure_exit_status(GR_CONFIG), 2);
	assert_int_equal(failure_exit_status(GR_UNKNOWN_START), 3);
	assert_int_equal(failure_exit_status(GR_STALL), 4);
	assert_int_equal(failure_exit_status(GR_CANCELLED), 130);
}

static void it_sorts_its_rows_by_exit_status(void **state)
{
	(void)state;
	for (int i = 2; i < GR_FAILURE_COUNT; i++)
		assert_true(failure_exit_status((enum gr_failure)(i - 1)) <= failure_exit_status((enum gr_failure)i));
}

static void it_takes_an_impossible_failure_for_one_of_its_own(void **state)
{
	(void)state;
	assert_string_equal(failure_name(GR_FAILURE_COUNT), "internal");
	assert_int_equal(failure_exit_status((enum gr_failure)1000), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_says_what_failed_and_returns_the_failure),
	        cmocka_unit_test(it_adds_the_words_of_an_errno_at_the_end),
	        cmocka_unit_test(it_puts_context_before_the_cause_and_keeps_the_failure),
	        cmocka_unit_test(it_keeps_an_error_on_one_line),
	        cmocka_unit_test(it_takes_the_old_words_into_the_new_ones),
	        cmocka_unit_test(it_cuts_what_is_too_long_and_ends_it),
	        cmocka_unit_test(it_never_cuts_within_a_word),
	        cmocka_unit_test(it_can_do_without_an_error_object),
	        cmocka_unit_test(it_finds_each_failure_by_its_name),
	        cmocka_unit_test(it_gives_each_class_its_exit_status),
	        cmocka_unit_test(it_sorts_its_rows_by_exit_status),
	        cmocka_unit_test(it_takes_an_impossible_failure_for_one_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
