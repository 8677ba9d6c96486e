#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "runner/base/base64.h"
#include "runner/base/memory.h"

static void it_writes_and_reads_what_the_standard_says(void **state)
{
	static const char *const table[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
	        {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "+//+"}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(table); i++) {
		GR_AUTO_BUFFER struct buffer text = {0};
		GR_AUTO_BUFFER struct buffer back = {0};

		base64_add(&text, table[i][0], strlen(table[i][0]));
		assert_string_equal(buffer_text(&text), table[i][1]);
		assert_true(base64_read(buffer_text(&text), text.bytes, &back));
		assert_string_equal(buffer_text(&back), table[i][0]);
	}
}

static void it_reads_the_alphabet_for_urls_and_no_padding(void **state)
{
	static const char *const table[][2] = {{"-__-", "\xfb\xff\xfe"}, {"Zg", "f"}, {"Zm8", "fo"}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(table); i++) {
		GR_AUTO_BUFFER struct buffer back = {0};

		assert_true(base64_read(table[i][0], strlen(table[i][0]), &back));
		assert_string_equal(buffer_text(&back), table[i][1]);
	}
}

static void it_refuses_what_is_not_base64(void **state)
{
	static const char *const table[] = {
	        "Z", "Zm9vY", "Zg=", "Zg===", "=", "Z===", "Zm 9", "Zm9v\n", "Zg=a", "Zh==", "Zm9="};

	GR_AUTO_BUFFER struct buffer with_nul = {0};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(table); i++) {
		GR_AUTO_BUFFER struct buffer back = {0};

		assert_false(base64_read(table[i], strlen(table[i]), &back));
	}
	assert_false(base64_read("Zg\0g", 4, &with_nul));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_writes_and_reads_what_the_standard_says),
	        cmocka_unit_test(it_reads_the_alphabet_for_urls_and_no_padding),
	        cmocka_unit_test(it_refuses_what_is_not_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
