/* A disk that fails: this program's own fsync, write, close, renameat and mkdirat stand before the C library's. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"

enum call { CALL_NONE, CALL_WRITE, CALL_FSYNC, CALL_CLOSE, CALL_RENAME, CALL_MKDIR };

struct fault {
	enum call call;
	int countdown; /* 1: the next one fails */
	int errnum;
	size_t most_bytes; /* of one write; 0: no limit */
};

static struct fault fault;

static bool is_due(enum call call)
{
	if (fault.call != call || fault.countdown == 0 || --fault.countdown > 0)
		return false;
	errno = fault.errnum;
	return true;
}

ssize_t write(int fd, const void *data, size_t bytes)
{
	if (is_due(CALL_WRITE))
		return -1;
	if (fault.most_bytes && bytes > fault.most_bytes)
		bytes = fault.most_bytes;
	return syscall(SYS_write, fd, data, bytes);
}

int fsync(int fd)
{
	return is_due(CALL_FSYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int close(int fd)
{
	int result = (int)syscall(SYS_close, fd);

	return is_due(CALL_CLOSE) ? -1 : result; /* Linux closes all the same */
}

int renameat(int old_directory, const char *old, int new_directory, const char *new)
{
	return is_due(CALL_RENAME) ? -1 : (int)syscall(SYS_renameat2, old_directory, old, new_directory, new, 0);
}

int mkdirat(int directory, const char *name, mode_t mode)
{
	return is_due(CALL_MKDIR) ? -1 : (int)syscall(SYS_mkdirat, directory, name, mode);
}

static int open_place(void)
{
	char path[] = "/tmp/gridlane-faults-XXXXXX";
	int directory;

	assert_non_null(mkdtemp(path));
	directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(directory >= 0);
	assert_int_equal(fchdir(directory), 0);
	return directory;
}

static void leave_place(int directory)
{
	char path[64] = "", link[64];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", directory);
	length = readlink(link, path, sizeof(path) - 1);
	assert_true(length > 0);
	(void)unlinkat(directory, "out/report", 0);
	(void)unlinkat(directory, "out", AT_REMOVEDIR);
	(void)unlinkat(directory, "report", 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(path), 0); /* fails if anything was left behind */
	assert_int_equal(close(directory), 0);
}

/* Write "new" over "old" while that fault happens. Returns what file_commit returned. */
static int write_with(struct fault wanted, struct gr_error *err)
{
	int directory = open_place(), result;
	struct file_writer *writer = NULL;
	GR_AUTO_BUFFER struct buffer data = {0};

	assert_int_equal(file_create(directory, "report", 0644, &writer, err), 0);
	file_write_text(writer, "old");
	assert_int_equal(file_commit(&writer, err), 0);
	assert_int_equal(file_create(directory, "report", 0644, &writer, err), 0);
	fault = wanted;
	file_write_text(writer, "new, ");
	file_write_text(writer, "in parts");
	result = file_commit(&writer, err);
	fault = (struct fault){0};
	assert_null(writer);
	assert_int_equal(file_read_at(directory, "report", 100, GR_DISK, &data, NULL), 0);
	if (result == 0)
		assert_string_equal(data.data, "new, in parts");
	else if (wanted.call != CALL_FSYNC || wanted.countdown == 1)
		assert_string_equal(data.data, "old");
	leave_place(directory);
	return result;
}

static void it_reports_each_failing_step_and_keeps_the_old_file(void **state)
{
	static const struct {
		struct fault fault;
		const char *text;
	} cases[] = {
	        {{CALL_WRITE, 1, EIO, 0}, "file 'report': Input/output error"},
	        {{CALL_WRITE, 2, ENOSPC, 0}, "file 'report': No space left on device"},
	        {{CALL_FSYNC, 1, EIO, 0}, "file 'report': Input/output error"},
	        {{CALL_FSYNC, 1, EINVAL, 0}, "file 'report': Invalid argument"},
	        {{CALL_FSYNC, 2, EIO, 0}, "file 'report': Input/output error"}, /* the directory's */
	        {{CALL_CLOSE, 1, ENOSPC, 0}, "file 'report': No space left on device"},
	        {{CALL_CLOSE, 1, EDQUOT, 0}, "file 'report': Disk quota exceeded"},
	        {{CALL_RENAME, 1, EACCES, 0}, "file 'report': Permission denied"},
	};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(cases); i++) {
		struct gr_error err = {0};

		assert_int_equal(write_with(cases[i].fault, &err), -GR_DISK);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void it_goes_on_through_interruptions_and_short_writes(void **state)
{
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(write_with((struct fault){CALL_WRITE, 1, EINTR, 1}, &err), 0);
	assert_int_equal(write_with((struct fault){CALL_WRITE, 5, EINTR, 2}, &err), 0);
	assert_int_equal(write_with((struct fault){CALL_CLOSE, 1, EINTR, 0}, &err), 0);
	assert_int_equal(write_with((struct fault){CALL_NONE, 0, 0, 3}, &err), 0);
}

/* Some file systems cannot sync a directory: that is no failure of the file. */
static void it_takes_directories_that_cannot_be_synced(void **state)
{
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(write_with((struct fault){CALL_FSYNC, 2, EINVAL, 0}, &err), 0);
}

static void it_reports_a_directory_that_cannot_be_made(void **state)
{
	static const struct fault faults[] = {{CALL_MKDIR, 1, ENOSPC, 0}, {CALL_FSYNC, 1, EIO, 0}};
	static const char *const words[] = {
	        "'out/report': No space left on device", "'out/report': Input/output error"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(faults); i++) {
		struct file_writer *writer = NULL;
		struct gr_error err = {0};
		int directory = open_place();

		fault = faults[i];
		assert_int_equal(file_create(directory, "out/report", 0644, &writer, &err), -GR_DISK);
		fault = (struct fault){0};
		assert_string_equal(err.text, words[i]);
		assert_null(writer);
		leave_place(directory);
	}
}

/* A read-only place above it is no reason to refuse a directory that is there. */
static void it_takes_a_directory_that_is_there_though_it_may_not_make_it(void **state)
{
	struct gr_error err = {0};
	int directory = open_place(), made = -1;

	(void)state;
	assert_int_equal(file_make_directory("out", &made, &err), 0);
	assert_int_equal(close(made), 0);
	fault = (struct fault){CALL_MKDIR, 1, EROFS, 0};
	assert_int_equal(file_make_directory("out", &made, &err), 0);
	assert_int_equal(close(made), 0);
	fault = (struct fault){CALL_MKDIR, 1, EROFS, 0};
	assert_int_equal(file_make_directory("none", &made, &err), -GR_DISK);
	assert_string_equal(err.text, "directory 'none': Read-only file system");
	fault = (struct fault){0};
	leave_place(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reports_each_failing_step_and_keeps_the_old_file),
	        cmocka_unit_test(it_goes_on_through_interruptions_and_short_writes),
	        cmocka_unit_test(it_takes_directories_that_cannot_be_synced),
	        cmocka_unit_test(it_reports_a_directory_that_cannot_be_made),
	        cmocka_unit_test(it_takes_a_directory_that_is_there_though_it_may_not_make_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
