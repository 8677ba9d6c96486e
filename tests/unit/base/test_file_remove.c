#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/base/file.h"

static void put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void it_removes_files_of_its_own_directory_alone(void **state)
{
	char path[] = "/tmp/gridlane-remove-XXXXXX";
	int directory;

	(void)state;
	assert_non_null(mkdtemp(path));
	assert_int_equal(chdir(path), 0);
	assert_int_equal(mkdir("in", 0755) | mkdir("in/b", 0755) | symlink("in", "link"), 0);
	put("a");
	put("in/c");
	directory = open("in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file_remove_at(directory, "../a");
	file_remove_at(directory, "b");
	file_remove_at(directory, "absent/d");
	file_remove_at(AT_FDCWD, "link/c");
	assert_true(is_there("a") && is_there("in/b") && is_there("in/c"));
	file_remove_at(directory, "c");
	file_remove_at(AT_FDCWD, "a");
	assert_false(is_there("a") || is_there("in/c"));
	assert_int_equal(close(directory), 0);
	assert_int_equal(unlink("link") | rmdir("in/b") | rmdir("in") | chdir("/") | rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(it_removes_files_of_its_own_directory_alone)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
