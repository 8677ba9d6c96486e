#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/base/memory.h"

/* Read by ASan before main(): it would end the process itself, with a status of its own, when memory is gone. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void it_hands_out_zeroed_memory(void **state)
{
	unsigned char *memory = gr_alloc(1000, 3);

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		assert_int_equal(memory[i], 0);
	gr_free(memory);
	gr_free(gr_alloc(0, 0)); /* not NULL, and can be released */
	gr_free(NULL);
}

static void it_copies_text_and_null(void **state)
{
	GR_AUTO_FREE char *copy = gr_strdup("abc"), *part = gr_strndup("abcdef", 2), *empty = gr_strndup(NULL, 0);

	(void)state;
	assert_string_equal(copy, "abc");
	assert_string_equal(part, "ab");
	assert_string_equal(empty, "");
	assert_null(gr_strdup(NULL));
}

static void it_formats_text_of_any_length(void **state)
{
	GR_AUTO_FREE char *text = gr_printf("%s-%d-%*s", "a", 7, 5000, "z");

	(void)state;
	assert_memory_equal(text, "a-7- ", 5);
	assert_int_equal(strlen(text), 5004);
}

static void it_grows_an_array_by_its_count_alone(void **state)
{
	int *items = NULL;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		items = gr_grow(items, i, sizeof(*items));
		items[i] = (int)i;
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
	gr_free(items);
}

static void it_hands_over_what_is_taken(void **state)
{
	GR_AUTO_FREE char *owned = gr_strdup("mine");
	char *taken = gr_take(&owned);

	(void)state;
	assert_null(owned);
	assert_string_equal(taken, "mine");
	gr_free(taken);
}

static void open_for_a_moment(int *ret_fd)
{
	GR_AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	GR_AUTO_CLOSE int none = -1;

	(void)none;
	*ret_fd = fd;
}

static void it_closes_a_local_handle_at_the_end_of_its_block(void **state)
{
	int fd = -1;

	(void)state;
	open_for_a_moment(&fd);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
}

static void it_serves_jansson_too(void **state)
{
	GR_AUTO_JSON json_t *object = NULL;
	GR_AUTO_JSON json_t *none = NULL;

	(void)state;
	(void)none;
	gr_memory_init();
	object = json_pack("{s:i}", "a", 1);
	assert_int_equal(json_integer_value(json_object_get(object, "a")), 1);
}

/* A sum that overflows is no small allocation: the process ends with the status of a failure of ours. */
static void it_ends_the_process_when_memory_is_gone(void **state)
{
	pid_t child = fork();
	int status = 0;

	(void)state;
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		volatile size_t many = SIZE_MAX / 4;

		(void)dup2(null, STDERR_FILENO);
		gr_free(gr_resize(NULL, many, 16));
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_hands_out_zeroed_memory),
	        cmocka_unit_test(it_copies_text_and_null),
	        cmocka_unit_test(it_formats_text_of_any_length),
	        cmocka_unit_test(it_grows_an_array_by_its_count_alone),
	        cmocka_unit_test(it_hands_over_what_is_taken),
	        cmocka_unit_test(it_closes_a_local_handle_at_the_end_of_its_block),
	        cmocka_unit_test(it_serves_jansson_too),
	        cmocka_unit_test(it_ends_the_process_when_memory_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
