#include "runner/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <openssl/evp.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/base/memory.h"
#include "runner/base/number.h"

#define CHUNK_BYTES 65536
/* Most bytes of a name that its temporary file repeats: with the rest of it still a name for every file system. */
#define TEMP_NAME_BYTES 200
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

/* Relative, and each part a name: nothing that leaves the directory. */
static bool is_below(const char *path)
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
 * need not be readable. Returns it or -errno. */
static int enter_directory(int directory, const char *name, bool make, int flags)
{
	int fd, result;

	if (make && mkdirat(directory, name, 0755) == 0) {
		result = sync_directory(directory);
		if (result < 0)
			return result;
	} else if (make && errno != EEXIST && errno != EROFS && errno != EACCES && errno != EPERM) {
		return -errno;
	} else if (make && errno != EEXIST) {
		result = -errno; /* it may be there all the same */
		fd = openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);
		return fd < 0 ? result : fd;
	}
	fd = openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);
	return fd < 0 ? -errno : fd;
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

	if (path && !is_below(path))
		return -EINVAL;
	fd = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return reopen_directory(parts ? walk(fd, parts, make, O_NOFOLLOW) : fd);
}

static int fail_below(struct gr_error *err, enum gr_failure failure, int errnum, const char *path)
{
	if (errnum == EINVAL && !is_below(path))
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

	if (!is_below(path))
		return -EINVAL;
	*ret_name = slash ? slash + 1 : path;
	return open_below(directory, parent, make);
}

/* ---- reading ---- */

static int check_regular(
        int fd, const char *path, enum gr_failure failure, struct stat *ret_state, struct gr_error *err)
{
	if (fstat(fd, ret_state) < 0)
		return gr_fail(err, failure, errno, "file '%s'", path);
	if (!S_ISREG(ret_state->st_mode))
		return gr_fail(err, failure, 0, "'%s' is not a regular file", path);
	return 0;
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
	struct stat state;
	ssize_t got;
	int result = check_regular(from->fd, from->path, from->failure, &state, err);

	if (result < 0)
		return result;
	if (state.st_size > 0 && (uintmax_t)state.st_size > most_bytes)
		return fail_too_large(from, most_bytes, err);
	chunk = gr_alloc(CHUNK_BYTES, 1);
	while ((got = read_some(from->fd, chunk, CHUNK_BYTES)) > 0) {
		if ((size_t)got > most_bytes - data.bytes) /* it grew, or has no size of its own (/proc) */
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
	GR_AUTO_CLOSE int fd = open(path, READ_FLAGS);

	if (fd < 0)
		return gr_fail(err, failure, errno, "file '%s'", path);
	return read_whole(&(struct source){fd, path, failure}, most_bytes, ret_data, err);
}

int file_read_at(int directory, const char *name, size_t most_bytes, enum gr_failure failure, struct buffer *ret_data,
        struct gr_error *err)
{
	const char *last = name;
	GR_AUTO_CLOSE int parent = open_parent(directory, name, false, &last);
	GR_AUTO_CLOSE int fd = -1;

	if (parent < 0)
		return fail_below(err, failure, -parent, name);
	fd = openat(parent, last, READ_FLAGS | O_NOFOLLOW);
	if (fd < 0)
		return fail_below(err, failure, errno, name);
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

void file_write(struct file_writer *writer, const void *data, size_t bytes)
{
	if (!writer->errnum)
		writer->errnum = -file_write_all(writer->fd, data, bytes);
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
static int finish_temp(struct file_writer *writer)
{
	int fd = writer->fd;

	if (writer->errnum)
		return -writer->errnum;
	if (fsync(fd) < 0)
		return -errno;
	writer->fd = -1;
	if (close(fd) < 0 && errno != EINTR) /* Linux closes before EINTR; the bytes are synced */
		return -errno;
	return 0;
}

int file_commit(struct file_writer **writer, struct gr_error *err)
{
	struct file_writer *w = *writer;
	int result = finish_temp(w);

	if (result == 0 && renameat(w->directory, w->temp, w->directory, w->name) < 0)
		result = -errno;
	if (result == 0) {
		gr_free(gr_take(&w->temp)); /* nothing is left to remove */
		result = sync_directory(w->directory);
	}
	if (result < 0)
		result = gr_fail(err, GR_DISK, -result, "file '%s'", w->path);
	file_discard(writer);
	return result;
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

/* ---- digests ---- */

static void write_hex(const unsigned char digest[static 32], char ret_hex[static 65])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 32; i++) {
		ret_hex[2 * i] = digits[digest[i] >> 4];
		ret_hex[2 * i + 1] = digits[digest[i] & 15];
	}
	ret_hex[64] = '\0';
}

static void no_digest(void) __attribute__((noreturn));

/* libcrypto has SHA-256 unless it is broken or set up without it; going on would mean proofs that prove nothing. */
static void no_digest(void)
{
	static const char words[] = "gridlane: libcrypto gives no SHA-256\n";

	(void)!write(STDERR_FILENO, words, sizeof(words) - 1);
	_exit(3);
}

static ssize_t digest_file(int fd, EVP_MD_CTX *context, int64_t *ret_bytes)
{
	GR_AUTO_FREE char *chunk = gr_alloc(CHUNK_BYTES, 1);
	int64_t bytes = 0;
	ssize_t got;

	while ((got = read_some(fd, chunk, CHUNK_BYTES)) > 0) {
		if (!EVP_DigestUpdate(context, chunk, (size_t)got))
			no_digest();
		bytes += got;
	}
	*ret_bytes = bytes;
	return got;
}

int file_sha256(
        const char *path, enum gr_failure failure, char ret_hex[static 65], int64_t *ret_bytes, struct gr_error *err)
{
	GR_AUTO_CLOSE int fd = open(path, READ_FLAGS);
	unsigned char digest[32];
	EVP_MD_CTX *context;
	struct stat state;
	int64_t bytes = 0;
	int result;

	if (fd < 0)
		return gr_fail(err, failure, errno, "file '%s'", path);
	result = check_regular(fd, path, failure, &state, err);
	if (result < 0)
		return result;
	context = EVP_MD_CTX_new();
	if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
		no_digest();
	if (digest_file(fd, context, &bytes) < 0)
		result = gr_fail(err, failure, errno, "file '%s'", path);
	else if (!EVP_DigestFinal_ex(context, digest, NULL))
		no_digest();
	EVP_MD_CTX_free(context);
	if (result < 0)
		return result;
	write_hex(digest, ret_hex);
	if (ret_bytes)
		*ret_bytes = bytes;
	return 0;
}

void file_sha256_memory(const void *data, size_t bytes, char ret_hex[static 65])
{
	unsigned char digest[32];

	if (!EVP_Digest(data ? data : "", bytes, digest, NULL, EVP_sha256(), NULL))
		no_digest();
	write_hex(digest, ret_hex);
}

/* ---- patterns ---- */

static bool is_regular_path(const char *path)
{
	struct stat state;

	return stat(path, &state) == 0 && S_ISREG(state.st_mode);
}

static int choose_match(const char *pattern, const glob_t *found, char **ret_path, struct gr_error *err)
{
	if (found->gl_pathc == 0)
		return gr_fail(err, GR_CONFIG, 0, "no file matches '%s'", pattern);
	if (found->gl_pathc > 1)
		return gr_fail(err, GR_CONFIG, 0,
		        "%zu files match '%s', '%.100s' and '%.100s' among them; one is wanted",
		        (size_t)found->gl_pathc, pattern, found->gl_pathv[0], found->gl_pathv[1]);
	if (!is_regular_path(found->gl_pathv[0]))
		return gr_fail(err, GR_CONFIG, 0, "'%s' is not a regular file", found->gl_pathv[0]);
	*ret_path = gr_strdup(found->gl_pathv[0]);
	return 0;
}

int file_find_one(const char *pattern, char **ret_path, struct gr_error *err)
{
	glob_t found = {0};
	int result;

	if (is_regular_path(pattern)) { /* a file may well be called 'app[1].apk' */
		*ret_path = gr_strdup(pattern);
		return 0;
	}
	result = glob(pattern, GLOB_ERR, NULL, &found);
	if (result == 0 || result == GLOB_NOMATCH)
		result = choose_match(pattern, &found, ret_path, err);
	else
		result = gr_fail(err, GR_CONFIG, errno, "looking for files that match '%s'", pattern);
	globfree(&found);
	return result;
}
