#include "runner/base/file.h"

#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/base/digest.h"
#include "runner/base/memory.h"

#define CHUNK_BYTES 65536

/* ---- digests ---- */

static int add_file(struct digest *digest, int fd, int64_t *ret_bytes)
{
	GR_AUTO_FREE char *chunk = gr_alloc(CHUNK_BYTES, 1);
	int64_t bytes = 0;
	ssize_t got;

	while ((got = read(fd, chunk, CHUNK_BYTES)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		digest_add(digest, chunk, (size_t)got);
		bytes += got;
	}
	*ret_bytes = bytes;
	return 0;
}

int file_sha256(
        const char *path, enum gr_failure failure, char ret_hex[static 65], int64_t *ret_bytes, struct gr_error *err)
{
	GR_AUTO_CLOSE int fd = -1;
	struct digest *digest;
	int64_t bytes = 0;
	int result = file_open(path, failure, &fd, err);

	if (result < 0)
		return result;
	digest = digest_new();
	result = add_file(digest, fd, &bytes);
	if (result == 0)
		digest_end(digest, ret_hex);
	digest_free(digest);
	if (result < 0)
		return gr_fail(err, failure, -result, "file '%s'", path);
	if (ret_bytes)
		*ret_bytes = bytes;
	return 0;
}

void file_sha256_memory(const void *data, size_t bytes, char ret_hex[static 65])
{
	struct digest *digest = digest_new();

	digest_add(digest, data, bytes);
	digest_end(digest, ret_hex);
	digest_free(digest);
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
