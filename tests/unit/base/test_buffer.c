#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"

static void it_is_an_empty_text_from_the_start(void **state)
{
	struct buffer buffer = {0};
	char *text;

	(void)state;
	assert_string_equal(buffer_text(&buffer), "");
	buffer_clear(&buffer);
	text = buffer_take(&buffer);
	assert_string_equal(text, "");
	gr_free(text);
	buffer_release(&buffer);
	buffer_release(NULL);
}

static void it_joins_what_is_added_and_ends_it(void **state)
{
	GR_AUTO_BUFFER struct buffer buffer = {0};

	(void)state;
	buffer_add(&buffer, "abc", 2);
	buffer_add_text(&buffer, "cd");
	buffer_add_char(&buffer, 'e');
	buffer_printf(&buffer, "%d", 42);
	buffer_add(&buffer, NULL, 0);
	assert_string_equal(buffer.data, "abcde42");
	assert_int_equal(buffer.bytes, 7);
}

static void it_holds_bytes_that_are_no_text(void **state)
{
	GR_AUTO_BUFFER struct buffer buffer = {0};

	(void)state;
	buffer_add(&buffer, "a\0b", 3);
	buffer_add_char(&buffer, '\0');
	assert_int_equal(buffer.bytes, 4);
	assert_memory_equal(buffer.data, "a\0b\0", 5);
}

static void it_grows_over_many_small_pieces(void **state)
{
	GR_AUTO_BUFFER struct buffer buffer = {0};

	(void)state;
	for (int i = 0; i < 100000; i++)
		buffer_add_char(&buffer, (char)('a' + i % 26));
	assert_int_equal(buffer.bytes, 100000);
	for (size_t i = 0; i < 100000; i += 997)
		assert_int_equal(buffer.data[i], 'a' + i % 26);
	assert_int_equal(buffer.data[100000], '\0');
}

static void it_keeps_its_room_when_cleared(void **state)
{
	GR_AUTO_BUFFER struct buffer buffer = {0};
	size_t room;

	(void)state;
	buffer_printf(&buffer, "%1000s", "x");
	room = buffer.room;
	buffer_clear(&buffer);
	assert_string_equal(buffer_text(&buffer), "");
	assert_int_equal(buffer.room, room);
}

static void it_is_empty_after_its_text_was_taken(void **state)
{
	struct buffer buffer = {0};
	char *text;

	(void)state;
	buffer_add_text(&buffer, "mine");
	text = buffer_take(&buffer);
	assert_string_equal(text, "mine");
	assert_null(buffer.data);
	assert_int_equal(buffer.bytes, 0);
	gr_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_is_an_empty_text_from_the_start),
	        cmocka_unit_test(it_joins_what_is_added_and_ends_it),
	        cmocka_unit_test(it_holds_bytes_that_are_no_text),
	        cmocka_unit_test(it_grows_over_many_small_pieces),
	        cmocka_unit_test(it_keeps_its_room_when_cleared),
	        cmocka_unit_test(it_is_empty_after_its_text_was_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
