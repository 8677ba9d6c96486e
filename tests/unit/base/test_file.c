#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"

/* Each test has a directory of its own, which is the working directory too. */
struct place {
	char path[64];
	int directory;
	int before;
};

static int make_place(void **state)
{
	struct place *place = gr_alloc(1, sizeof(*place));

	memcpy(place->path, "/tmp/gridlane-file-XXXXXX", sizeof("/tmp/gridlane-file-XXXXXX"));
	if (!mkdtemp(place->path))
		return -1;
	place->before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place->directory = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = place;
	return chdir(place->path);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

static int remove_place(void **state)
{
	struct place *place = *state;
	int result = fchdir(place->before);

	(void)close(place->before);
	(void)close(place->directory);
	result |= nftw(place->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	gr_free(place);
	return result;
}

static int directory_of(void **state)
{
	return ((struct place *)*state)->directory;
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(close(fd), 0);
}

static void assert_holds(const char *path, const char *expected)
{
	GR_AUTO_BUFFER struct buffer data = {0};
	struct gr_error err = {0};

	if (file_read(path, 1000, GR_DISK, &data, &err) != 0)
		fail_msg("%s", err.text);
	assert_string_equal(buffer_text(&data), expected);
}

static size_t count_entries(const char *path)
{
	DIR *directory = opendir(path);
	size_t count = 0;

	assert_non_null(directory);
	for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	(void)closedir(directory);
	return count;
}

static void it_reads_a_file_up_to_its_limit(void **state)
{
	GR_AUTO_BUFFER struct buffer data = {0};
	struct gr_error err = {0};

	(void)state;
	put("a", "0123456789");
	put("empty", "");
	assert_int_equal(file_read("a", 10, GR_CONFIG, &data, &err), 0);
	assert_string_equal(data.data, "0123456789");
	assert_int_equal(file_read("a", 9, GR_CONFIG, &data, &err), -GR_CONFIG);
	assert_string_equal(err.text, "file 'a' is larger than the limit of 9 bytes");
	assert_string_equal(data.data, "0123456789"); /* a failure leaves it alone */
	assert_int_equal(file_read("empty", 0, GR_CONFIG, &data, &err), 0);
	assert_int_equal(data.bytes, 0);
	assert_string_equal(buffer_text(&data), "");
}

static void it_says_why_a_file_cannot_be_read(void **state)
{
	GR_AUTO_BUFFER struct buffer data = {0};
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(file_read("none", 9, GR_CONFIG, &data, &err), -GR_CONFIG);
	assert_string_equal(err.text, "file 'none': No such file or directory");
	assert_int_equal(file_read(".", 9, GR_DISK, &data, &err), -GR_DISK);
	assert_string_equal(err.text, "'.' is not a regular file");
	assert_int_equal(file_read("/dev/zero", 9, GR_CONFIG, &data, &err), -GR_CONFIG);
}

/* Opening a FIFO that nobody writes to would wait for ever. */
static void it_does_not_wait_for_a_fifo(void **state)
{
	GR_AUTO_BUFFER struct buffer data = {0};
	struct gr_error err = {0};

	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(file_read("fifo", 9, GR_CONFIG, &data, &err), -GR_CONFIG);
	assert_int_equal(file_read_at(directory_of(state), "fifo", 9, GR_CONFIG, &data, &err), -GR_CONFIG);
	assert_string_equal(err.text, "'fifo' is not a regular file");
}

static void it_reads_below_a_directory_but_not_through_links(void **state)
{
	GR_AUTO_BUFFER struct buffer data = {0};
	static const char *const bad[] = {
	        "link", "dirlink/a", "../x", "/etc/passwd", "sub/../a", "./a", "", "sub//a", "sub/", "."};
	struct gr_error err = {0};

	put("a", "text");
	assert_int_equal(mkdir("sub", 0755), 0);
	put("sub/a", "below");
	assert_int_equal(symlink("a", "link"), 0);
	assert_int_equal(symlink("sub", "dirlink"), 0);
	assert_int_equal(file_read_at(directory_of(state), "a", 9, GR_DISK, &data, &err), 0);
	assert_string_equal(data.data, "text");
	assert_int_equal(file_read_at(directory_of(state), "sub/a", 9, GR_DISK, &data, &err), 0);
	assert_string_equal(data.data, "below");
	for (size_t i = 0; i < GR_COUNT(bad); i++)
		if (file_read_at(directory_of(state), bad[i], 9, GR_DISK, &data, &err) != -GR_DISK)
			fail_msg("'%s' was read", bad[i]);
}

static void it_makes_directories_that_users_name(void **state)
{
	struct gr_error err = {0};
	struct stat status;
	int fd = -1;

	(void)state;
	assert_int_equal(mkdir("real", 0755), 0);
	assert_int_equal(symlink("real", "link"), 0);
	assert_int_equal(file_make_directory("link/a//b/../c/", &fd, &err), 0);
	assert_int_equal(fstat(fd, &status), 0);
	assert_true(S_ISDIR(status.st_mode));
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(access("real/a/c", F_OK), 0);
	assert_int_equal(file_make_directory("link/a", &fd, &err), 0); /* there already */
	assert_int_equal(close(fd), 0);
	assert_int_equal(file_make_directory("/", &fd, &err), 0);
	assert_int_equal(close(fd), 0);
}

static void it_says_why_a_directory_cannot_be_made(void **state)
{
	struct gr_error err = {0};
	int fd = -7;

	(void)state;
	put("file", "");
	assert_int_equal(file_make_directory("", &fd, &err), -GR_DISK);
	assert_int_equal(file_make_directory("file/a", &fd, &err), -GR_DISK);
	assert_string_equal(err.text, "directory 'file/a': Not a directory");
	assert_int_equal(file_make_directory("file", &fd, &err), -GR_DISK);
	assert_int_equal(file_make_directory("/proc/none/a", &fd, &err), -GR_DISK);
	assert_int_equal(fd, -7);
}

static void it_makes_directories_below_its_own_alone(void **state)
{
	static const char *const bad[] = {"..", "a/../b", "/a", "a//b", "", ".", "a/.", "link/x", "link", "a/"};
	struct gr_error err = {0};
	int fd = -7;

	assert_int_equal(symlink("/tmp", "link"), 0);
	assert_int_equal(file_make_directory_at(directory_of(state), "artifacts/a/b", &fd, &err), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(access("artifacts/a/b", F_OK), 0);
	fd = -7;
	for (size_t i = 0; i < GR_COUNT(bad); i++)
		if (file_make_directory_at(directory_of(state), bad[i], &fd, &err) != -GR_DISK)
			fail_msg("'%s' was made", bad[i]);
	assert_int_equal(fd, -7);
}

static void it_shows_a_file_whole_or_not_at_all(void **state)
{
	struct file_writer *writer = NULL;
	struct gr_error err = {0};
	struct stat status;

	put("junit.xml", "old");
	assert_int_equal(file_create(directory_of(state), "junit.xml", 0600, &writer, &err), 0);
	file_write_text(writer, "new ");
	file_write(writer, "text", 4);
	assert_int_equal(file_bytes(writer), 8);
	assert_holds("junit.xml", "old");
	assert_int_equal(file_commit(&writer, &err), 0);
	assert_null(writer);
	assert_holds("junit.xml", "new text");
	assert_int_equal(stat("junit.xml", &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(count_entries("."), 1);
}

static void it_leaves_nothing_of_a_discarded_file(void **state)
{
	struct file_writer *writer = NULL;
	struct gr_error err = {0};

	assert_int_equal(file_create(directory_of(state), "a", 0644, &writer, &err), 0);
	file_write_text(writer, "x");
	assert_int_equal(count_entries("."), 1);
	file_discard(&writer);
	assert_null(writer);
	file_discard(&writer);
	file_discard(NULL);
	assert_int_equal(count_entries("."), 0);
}

static void it_makes_the_directories_of_a_file(void **state)
{
	struct file_writer *writer = NULL;
	struct gr_error err = {0};

	assert_int_equal(file_create(directory_of(state), "artifacts/lane/a.log", 0644, &writer, &err), 0);
	assert_int_equal(write(file_fd(writer), "raw", 3), 3);
	assert_int_equal(file_bytes(writer), 3);
	assert_int_equal(file_commit(&writer, &err), 0);
	assert_holds("artifacts/lane/a.log", "raw");
}

static void it_replaces_a_planted_link_and_does_not_follow_it(void **state)
{
	struct file_writer *writer = NULL;
	struct gr_error err = {0};
	struct stat status;

	put("victim", "safe");
	assert_int_equal(symlink("victim", "report"), 0);
	assert_int_equal(mkdir("elsewhere", 0755), 0);
	assert_int_equal(symlink("elsewhere", "out"), 0);
	assert_int_equal(file_create(directory_of(state), "report", 0644, &writer, &err), 0);
	file_write_text(writer, "x");
	assert_int_equal(file_commit(&writer, &err), 0);
	assert_holds("victim", "safe");
	assert_int_equal(lstat("report", &status), 0);
	assert_true(S_ISREG(status.st_mode));
	assert_int_equal(file_create(directory_of(state), "out/report", 0644, &writer, &err), -GR_DISK);
	assert_int_equal(count_entries("elsewhere"), 0);
}

static void it_refuses_names_that_leave_the_directory(void **state)
{
	static const char *const bad[] = {"../x", "/tmp/x", "a/../../x", "", ".", "..", "a//b", "a/"};
	struct file_writer *writer = NULL;
	struct gr_error err = {0};

	for (size_t i = 0; i < GR_COUNT(bad); i++)
		if (file_create(directory_of(state), bad[i], 0644, &writer, &err) != -GR_DISK)
			fail_msg("'%s' was made", bad[i]);
	assert_null(writer);
	assert_int_equal(count_entries("."), 0);
}

static void it_takes_names_as_long_as_the_file_system_does(void **state)
{
	struct file_writer *writer = NULL;
	struct gr_error err = {0};
	char name[257];

	memset(name, 'n', 256);
	name[255] = '\0';
	assert_int_equal(file_create(directory_of(state), name, 0644, &writer, &err), 0);
	assert_int_equal(file_commit(&writer, &err), 0);
	assert_int_equal(access(name, F_OK), 0);
	name[255] = 'n';
	name[256] = '\0';
	assert_int_equal(file_create(directory_of(state), name, 0644, &writer, &err), 0);
	assert_int_equal(file_commit(&writer, &err), -GR_DISK); /* only the rename can know */
	assert_int_equal(count_entries("."), 1);
}

/* A full disk, as a limit on the size of files. */
static void it_keeps_the_first_error_until_the_commit(void **state)
{
	struct rlimit old, small;
	struct file_writer *writer = NULL;
	struct gr_error err = {0};

	put("a", "old");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){100, old.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(file_create(directory_of(state), "a", 0644, &writer, &err), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 20; i++)
		file_write_text(writer, "0123456789");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	file_write_text(writer, "this must not make it a good file again");
	assert_int_equal(file_commit(&writer, &err), -GR_DISK);
	assert_string_equal(err.text, "file 'a': File too large");
	assert_null(writer);
	assert_holds("a", "old");
	assert_int_equal(count_entries("."), 1);
	(void)signal(SIGXFSZ, SIG_DFL);
}

static void it_fails_when_the_rename_does(void **state)
{
	struct file_writer *writer = NULL;
	struct gr_error err = {0};

	assert_int_equal(mkdir("a", 0755), 0);
	put("a/b", "");
	assert_int_equal(file_create(directory_of(state), "a", 0644, &writer, &err), 0);
	assert_int_equal(file_commit(&writer, &err), -GR_DISK);
	assert_int_equal(count_entries("."), 1);
}

static void it_releases_a_writer_at_the_end_of_its_block(void **state)
{
	{
		GR_AUTO_WRITER struct file_writer *writer = NULL;
		struct gr_error err = {0};

		assert_int_equal(file_create(directory_of(state), "a", 0644, &writer, &err), 0);
	}
	assert_int_equal(count_entries("."), 0);
}

/* A pipe that does not block and is read late: everything arrives, in order. */
static void it_writes_all_through_a_slow_pipe(void **state)
{
	enum { BYTES = 1 << 20 };
	GR_AUTO_FREE char *data = gr_alloc(BYTES, 1);
	int ends[2], status = 0;
	pid_t child;

	(void)state;
	memset(data, 'x', BYTES);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	child = fork();
	if (child == 0) {
		size_t total = 0;
		char chunk[777];

		(void)close(ends[1]);
		for (ssize_t got; (got = read(ends[0], chunk, sizeof(chunk))) > 0;)
			total += (size_t)got;
		_exit(total == BYTES ? 0 : 1);
	}
	(void)close(ends[0]);
	assert_int_equal(file_write_all(ends[1], data, BYTES), 0);
	(void)close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void it_says_when_nothing_can_be_written(void **state)
{
	(void)state;
	assert_int_equal(file_write_all(-1, "x", 1), -EBADF);
	assert_int_equal(file_write_all(-1, "x", 0), 0);
}

static void it_digests_files_and_memory(void **state)
{
	static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	struct gr_error err = {0};
	int64_t bytes = -1;
	char hex[65];

	(void)state;
	file_sha256_memory("abc", 3, hex);
	assert_string_equal(hex, of_abc);
	file_sha256_memory(NULL, 0, hex);
	assert_string_equal(hex, of_nothing);
	put("abc", "abc");
	put("empty", "");
	assert_int_equal(file_sha256("abc", GR_CONFIG, hex, &bytes, &err), 0);
	assert_string_equal(hex, of_abc);
	assert_int_equal(bytes, 3);
	assert_int_equal(file_sha256("empty", GR_CONFIG, hex, NULL, &err), 0);
	assert_string_equal(hex, of_nothing);
	assert_int_equal(file_sha256("none", GR_CONFIG, hex, &bytes, &err), -GR_CONFIG);
	assert_int_equal(file_sha256(".", GR_DISK, hex, &bytes, &err), -GR_DISK);
	assert_int_equal(bytes, 3);
}

static void it_digests_a_file_longer_than_a_chunk(void **state)
{
	enum { BYTES = 200001 };
	GR_AUTO_FREE char *data = gr_alloc(BYTES + 1, 1);
	struct gr_error err = {0};
	char of_memory[65], of_file[65];
	int64_t bytes = 0;

	(void)state;
	for (size_t i = 0; i < BYTES; i++)
		data[i] = (char)('a' + i % 23);
	put("long", data);
	file_sha256_memory(data, BYTES, of_memory);
	assert_int_equal(file_sha256("long", GR_DISK, of_file, &bytes, &err), 0);
	assert_string_equal(of_file, of_memory);
	assert_int_equal(bytes, BYTES);
}

static void it_finds_the_one_file_of_a_pattern(void **state)
{
	GR_AUTO_FREE char *path = NULL;
	GR_AUTO_FREE char *second = NULL;
	struct gr_error err = {0};

	(void)state;
	assert_int_equal(mkdir("out", 0755), 0);
	assert_int_equal(mkdir("folder.apk", 0755), 0);
	put("out/app-1.apk", "");
	put("app[1].apk", "");
	assert_int_equal(file_find_one("out/*.apk", &path, &err), 0);
	assert_string_equal(path, "out/app-1.apk");
	assert_int_equal(file_find_one("app[1].apk", &second, &err), 0);
	assert_string_equal(second, "app[1].apk");
	assert_int_equal(file_find_one("folder*", &path, &err), -GR_CONFIG);
	assert_string_equal(err.text, "'folder.apk' is not a regular file");
	assert_int_equal(file_find_one("*.ipa", &path, &err), -GR_CONFIG);
	assert_string_equal(err.text, "no file matches '*.ipa'");
	put("out/app-2.apk", "");
	assert_int_equal(file_find_one("out/*.apk", &path, &err), -GR_CONFIG);
	assert_string_equal(
	        err.text, "2 files match 'out/*.apk', 'out/app-1.apk' and 'out/app-2.apk' among them; one is wanted");
	assert_int_equal(file_find_one("", &path, &err), -GR_CONFIG);
	assert_string_equal(path, "out/app-1.apk");
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        IN_PLACE(it_reads_a_file_up_to_its_limit),
	        IN_PLACE(it_says_why_a_file_cannot_be_read),
	        IN_PLACE(it_does_not_wait_for_a_fifo),
	        IN_PLACE(it_reads_below_a_directory_but_not_through_links),
	        IN_PLACE(it_makes_directories_that_users_name),
	        IN_PLACE(it_says_why_a_directory_cannot_be_made),
	        IN_PLACE(it_makes_directories_below_its_own_alone),
	        IN_PLACE(it_shows_a_file_whole_or_not_at_all),
	        IN_PLACE(it_leaves_nothing_of_a_discarded_file),
	        IN_PLACE(it_makes_the_directories_of_a_file),
	        IN_PLACE(it_replaces_a_planted_link_and_does_not_follow_it),
	        IN_PLACE(it_refuses_names_that_leave_the_directory),
	        IN_PLACE(it_takes_names_as_long_as_the_file_system_does),
	        IN_PLACE(it_keeps_the_first_error_until_the_commit),
	        IN_PLACE(it_fails_when_the_rename_does),
	        IN_PLACE(it_releases_a_writer_at_the_end_of_its_block),
	        IN_PLACE(it_writes_all_through_a_slow_pipe),
	        IN_PLACE(it_says_when_nothing_can_be_written),
	        IN_PLACE(it_digests_files_and_memory),
	        IN_PLACE(it_digests_a_file_longer_than_a_chunk),
	        IN_PLACE(it_finds_the_one_file_of_a_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
