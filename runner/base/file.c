#include "runner/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/base/memory.h"
#include "runner/base/number.h"

#define CHUNK_BYTES 65536
/* Most bytes of a name that its temporary file repeats: with the rest of it still a name for every file system. */
#define TEMP_NAME_BYTES 200
#define BEGIN_BYTES ((size_t)8 << 20)
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
/* O_NONBLOCK: opening a FIFO must not wait for someone who writes to it. */
#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

struct file_writer {
	int directory; /* the one that the file itself is in */
	int fd;
	char *path; /* as the caller named it, for messages */
	char *name;
	char *temp;
	int errnum; /* the first error of a write */
	size_t waiting; /* bytes since the disk was last told to begin */
};

static int close_keeping_errno(int fd, int result)
{
	int saved = errno;

	(void)close(fd);
	errno = saved;
	return result;
}

/* ---- directories ---- */

/* Some file systems cannot sync a directory and say EINVAL; one that we may not read we need not either. */
static int sync_directory(int directory)
{
	int fd = openat(directory, ".", DIRECTORY_FLAGS);

	if (fd < 0)
		return errno == EACCES ? 0 : -errno;
	if (fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP)
		return close_keeping_errno(fd, -errno);
	(void)close(fd);
	return 0;
}

static bool is_own_name(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

bool file_is_below(const char *path)
{
	GR_AUTO_FREE char *copy = gr_strdup(path);

	for (char *part = copy, *slash; part; part = slash) {
		slash = strchr(part, '/');
		if (slash)
			*slash++ = '\0';
		if (!is_own_name(part))
			return false;
	}
	return true;
}

/* Make `name` if it is not there, and step into it. The handle serves as a place only (O_PATH): a directory on the way
 * need not be readable, nor need one that is there already be in a place we may write to. Returns it or -errno. */
static int enter_directory(int directory, const char *name, bool make, int flags)
{
	int fd, refused = 0;

	if (make && mkdirat(directory, name, 0755) == 0) {
		int result = sync_directory(directory);

		if (result < 0)
			return result;
	} else if (make) {
		refused = errno;
	}
	fd = openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);
	if (fd < 0)
		return errno == ENOENT && refused && refused != EEXIST ? -refused : -errno;
	return fd;
}

/* Walk `parts` (cut into its parts on the way) from `start`, which this closes. Returns a handle or -errno. */
static int walk(int start, char *parts, bool make, int flags)
{
	int fd = start;

	for (char *part = parts, *slash; fd >= 0 && part; part = slash) {
		int next;

		slash = strchr(part, '/');
		if (slash)
			*slash++ = '\0';
		if (!*part)
			continue;
		next = enter_directory(fd, part, make, flags);
		(void)close(fd);
		fd = next;
	}
	return fd;
}

/* A handle that can be read and synced, in place of the O_PATH one, which this closes. */
static int reopen_directory(int place)
{
	int fd;

	if (place < 0)
		return place;
	fd = openat(place, ".", DIRECTORY_FLAGS);
	return close_keeping_errno(place, fd < 0 ? -errno : fd);
}

int file_make_directory(const char *path, int *ret_directory, struct gr_error *err)
{
	GR_AUTO_FREE char *parts = gr_strdup(path);
	int fd;

	if (!*path)
		return gr_fail(err, GR_DISK, 0, "directory '%s': the name is empty", path);
	fd = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return gr_fail(err, GR_DISK, errno, "directory '%s'", path);
	fd = reopen_directory(walk(fd, parts, true, 0));
	if (fd < 0)
		return gr_fail(err, GR_DISK, -fd, "directory '%s'", path);
	*ret_directory = fd;
	return 0;
}

/* The directory `path` below `directory`; NULL: that one itself. */
static int open_below(int directory, const char *path, bool make)
{
	GR_AUTO_FREE char *parts = gr_strdup(path);
	int fd;

	if (path && !file_is_below(path))
		return -EINVAL;
	fd = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return reopen_directory(parts ? walk(fd, parts, make, O_NOFOLLOW) : fd);
}

static int fail_below(struct gr_error *err, enum gr_failure failure, int errnum, const char *path)
{
	if (errnum == EINVAL && !file_is_below(path))
		return gr_fail(
		        err, failure, 0, "'%s' is not a plain relative path (no '..', no '.', no empty part)", path);
	if (errnum == ENOTDIR || errnum == ELOOP)
		return gr_fail(
		        err, failure, 0, "'%s' leads through a symbolic link or something that is no directory", path);
	return gr_fail(err, failure, errnum, "'%s'", path);
}

int file_make_directory_at(int directory, const char *path, int *ret_directory, struct gr_error *err)
{
	int fd = open_below(directory, path, true);

	if (fd < 0)
		return fail_below(err, GR_DISK, -fd, path);
	*ret_directory = fd;
	return 0;
}

/* Open the directory that `path` is in. ret_name points at the last part, within `path`. Returns a handle or -errno. */
static int open_parent(int directory, const char *path, bool make, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	GR_AUTO_FREE char *parent = slash ? gr_strndup(path, (size_t)(slash - path)) : NULL;

	if (!file_is_below(path))
		return -EINVAL;
	*ret_name = slash ? slash + 1 : path;
	return open_below(directory, parent, make);
}

/* ---- reading ---- */

/* Takes the handle over: closed if it is no regular file. */
static int check_regular(int fd, const char *path, enum gr_failure failure, int *ret_fd, struct gr_error *err)
{
	struct stat state;
	int result = 0;

	if (fstat(fd, &state) < 0)
		result = gr_fail(err, failure, errno, "file '%s'", path);
	else if (!S_ISREG(state.st_mode))
		result = gr_fail(err, failure, 0, "'%s' is not a regular file", path);
	if (result < 0)
		(void)close(fd);
	else
		*ret_fd = fd;
	return result;
}

int file_open(const char *path, enum gr_failure failure, int *ret_fd, struct gr_error *err)
{
	int fd = open(path, READ_FLAGS);

	if (fd < 0)
		return gr_fail(err, failure, errno, "file '%s'", path);
	return check_regular(fd, path, failure, ret_fd, err);
}

static ssize_t read_some(int fd, void *data, size_t bytes)
{
	ssize_t got;

	do
		got = read(fd, data, bytes);
	while (got < 0 && errno == EINTR);
	return got;
}

struct source {
	int fd;
	const char *path;
	enum gr_failure failure;
};

static int fail_too_large(const struct source *from, size_t most_bytes, struct gr_error *err)
{
	return gr_fail(
	        err, from->failure, 0, "file '%s' is larger than the limit of %zu bytes", from->path, most_bytes);
}

static int read_whole(const struct source *from, size_t most_bytes, struct buffer *ret_data, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer data = {0};
	GR_AUTO_FREE char *chunk = NULL;
	ssize_t got;

	chunk = gr_alloc(CHUNK_BYTES, 1);
	while ((got = read_some(from->fd, chunk, CHUNK_BYTES)) > 0) {
		if ((size_t)got > most_bytes - data.bytes) /* counted, not asked for: it may grow */
			return fail_too_large(from, most_bytes, err);
		buffer_add(&data, chunk, (size_t)got);
	}
	if (got < 0)
		return gr_fail(err, from->failure, errno, "file '%s'", from->path);
	buffer_release(ret_data);
	*ret_data = data;
	data = (struct buffer){0};
	return 0;
}

int file_read(
        const char *path, size_t most_bytes, enum gr_failure failure, struct buffer *ret_data, struct gr_error *err)
{
	GR_AUTO_CLOSE int fd = -1;
	int result = file_open(path, failure, &fd, err);

	if (result < 0)
		return result;
	return read_whole(&(struct source){fd, path, failure}, most_bytes, ret_data, err);
}

int file_read_at(int directory, const char *name, size_t most_bytes, enum gr_failure failure, struct buffer *ret_data,
        struct gr_error *err)
{
	const char *last = name;
	GR_AUTO_CLOSE int parent = open_parent(directory, name, false, &last);
	GR_AUTO_CLOSE int fd = -1;
	int found, result;

	if (parent < 0)
		return fail_below(err, failure, -parent, name);
	found = openat(parent, last, READ_FLAGS | O_NOFOLLOW);
	if (found < 0)
		return fail_below(err, failure, errno, name);
	result = check_regular(found, name, failure, &fd, err);
	if (result < 0)
		return result;
	return read_whole(&(struct source){fd, name, failure}, most_bytes, ret_data, err);
}

/* ---- writing ---- */

int file_write_all(int fd, const void *data, size_t bytes)
{
	const char *at = data;

	while (bytes > 0) {
		ssize_t put = write(fd, at, bytes);

		if (put < 0 && errno == EAGAIN) { /* a pipe that someone else made non-blocking */
			(void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
			continue;
		}
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		if (put == 0)
			return -EIO;
		at += put;
		bytes -= (size_t)put;
	}
	return 0;
}

static int create_temp(struct file_writer *writer, unsigned mode)
{
	int fd = -1;

	for (int tries = 0; fd < 0 && tries < 16; tries++) {
		uint32_t random;

		number_random(&random, sizeof(random));
		gr_free(writer->temp);
		writer->temp = gr_printf(".%.*s.tmp-%08x", TEMP_NAME_BYTES, writer->name, random);
		fd = openat(writer->directory, writer->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		        (mode_t)mode);
		if (fd < 0 && errno != EEXIST)
			return -errno;
	}
	return fd < 0 ? -EEXIST : fd;
}

int file_create(int directory, const char *name, unsigned mode, struct file_writer **ret_writer, struct gr_error *err)
{
	const char *last = name;
	int parent = open_parent(directory, name, true, &last);
	struct file_writer *writer;

	if (parent < 0)
		return fail_below(err, GR_DISK, -parent, name);
	writer = gr_alloc(1, sizeof(*writer));
	writer->directory = parent;
	writer->path = gr_strdup(name);
	writer->name = gr_strdup(last);
	writer->fd = create_temp(writer, mode);
	if (writer->fd < 0) {
		int errnum = -writer->fd;

		file_discard(&writer);
		return gr_fail(err, GR_DISK, errnum, "file '%s'", name);
	}
	*ret_writer = writer;
	return 0;
}

/* The disk begins with what there is, so that the end of a large file waits for little. A hint: what goes wrong with
 * the bytes is told by the sync at the end, which this does not take it from. */
static void begin_sync(struct file_writer *writer, size_t bytes)
{
	writer->waiting += bytes;
	if (writer->waiting < BEGIN_BYTES)
		return;
	(void)sync_file_range(writer->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	writer->waiting = 0;
}

void file_write(struct file_writer *writer, const void *data, size_t bytes)
{
	if (writer->errnum)
		return;
	writer->errnum = -file_write_all(writer->fd, data, bytes);
	begin_sync(writer, bytes);
}

void file_write_text(struct file_writer *writer, const char *text)
{
	file_write(writer, text, strlen(text));
}

int file_fd(const struct file_writer *writer)
{
	return writer->fd;
}

int64_t file_bytes(const struct file_writer *writer)
{
	struct stat state;

	return fstat(writer->fd, &state) < 0 ? -1 : (int64_t)state.st_size;
}

/* Everything but the rename: the bytes are on the disk afterwards, or the error says why not. */
static int finish_temp(struct file_writer *writer, int (*sync)(int fd))
{
	int fd = writer->fd;

	if (writer->errnum)
		return -writer->errnum;
	if (sync && sync(fd) < 0)
		return -errno;
	writer->fd = -1;
	if (close(fd) < 0 && errno != EINTR) /* Linux closes before EINTR; the bytes are synced */
		return -errno;
	return 0;
}

static int commit(struct file_writer **writer, int (*sync)(int fd), struct gr_error *err)
{
	struct file_writer *w = *writer;
	int result = finish_temp(w, sync);

	if (result == 0 && renameat(w->directory, w->temp, w->directory, w->name) < 0)
		result = -errno;
	if (result == 0) {
		gr_free(gr_take(&w->temp)); /* nothing is left to remove */
		result = sync ? sync_directory(w->directory) : 0;
	}
	if (result < 0)
		result = gr_fail(err, GR_DISK, -result, "file '%s'", w->path);
	file_discard(writer);
	return result;
}

int file_commit(struct file_writer **writer, struct gr_error *err)
{
	return commit(writer, fsync, err);
}

int file_commit_later(struct file_writer **writer, struct gr_error *err)
{
	return commit(writer, NULL, err);
}

void file_discard(struct file_writer **writer)
{
	struct file_writer *w = writer ? gr_take(writer) : NULL;

	if (!w)
		return;
	if (w->fd >= 0)
		(void)close(w->fd);
	if (w->temp)
		(void)unlinkat(w->directory, w->temp, 0);
	(void)close(w->directory);
	gr_free(w->path);
	gr_free(w->name);
	gr_free(w->temp);
	gr_free(w);
}

void file_remove_at(int directory, const char *path)
{
	const char *last = path;
	int parent = open_parent(directory, path, false, &last);

	if (parent < 0)
		return;
	(void)unlinkat(parent, last, 0);
	(void)close(parent);
}
