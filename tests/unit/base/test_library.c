#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/library.h"

static void symbols_are_found_in_the_order_of_their_names(void **state)
{
	static const char *const names[] = {"cosh", "ldexp"};
	struct {
		double (*cosh)(double);
		double (*ldexp)(double, int);
	} library;
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(library_load("libm.so.6", names, 2, &library, &err), 0);
	assert_true(library.cosh(0) > 0.99 && library.cosh(0) < 1.01);
	assert_true(library.ldexp(1, 3) > 7.9 && library.ldexp(1, 3) < 8.1);
}

static void what_is_not_there_is_said(void **state)
{
	static const char *const names[] = {"no_such_symbol"};
	void *symbols[1];
	struct gr_error err = {0}, other = {0};

	(void)state;
	assert_int_equal(library_load("libno-such-library.so.0", names, 1, symbols, &err), -GR_INTERNAL);
	assert_non_null(strstr(err.text, "libno-such-library.so.0"));
	assert_int_equal(library_load("libm.so.6", names, 1, symbols, &other), -GR_INTERNAL);
	assert_non_null(strstr(other.text, "no_such_symbol"));
}

/* "RssFile:     3120 kB" */
static long count_file_kib(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "RssFile:", 8) == 0)
			kib = strtol(line + 8, NULL, 10);
	if (file)
		(void)fclose(file);
	return kib;
}

static void code_is_given_back_and_still_there(void **state)
{
	long before = count_file_kib(), after;

	library_trim();
	after = count_file_kib();
	assert_true(before > 0);
	assert_in_range(after, 1, before - 1);
	symbols_are_found_in_the_order_of_their_names(state);
	what_is_not_there_is_said(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(symbols_are_found_in_the_order_of_their_names),
	        cmocka_unit_test(what_is_not_there_is_said),
	        cmocka_unit_test(code_is_given_back_and_still_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
