#include "runner/net/upload.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/memory.h"

#define RATE_LEAST_BYTES 1024 /* a second */
#define RATE_PARTS 12 /* of a window */

static char *name_to_send(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = gr_strdup(slash ? slash + 1 : path);

	for (char *c = name; *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", *c))
			*c = '_';
	return name;
}

static void end_digest(struct upload *upload)
{
	if (upload->digest)
		digest_end(upload->digest, upload->sha256);
}

static int open_file(struct upload *upload, struct gr_error *err)
{
	upload->fd = open(upload->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a FIFO must not block us */
	if (upload->fd < 0 || fstat(upload->fd, &upload->first) < 0)
		return gr_fail(err, GR_CONFIG, errno, "cannot open '%s'", upload->path);
	if (!S_ISREG(upload->first.st_mode))
		return gr_fail(err, GR_CONFIG, 0, "cannot send '%s': it is not a regular file", upload->path);
	upload->bytes = upload->first.st_size;
	return 0;
}

int upload_open(const char *path, bool is_hashed, struct upload **ret_upload, struct gr_error *err)
{
	struct upload *upload = gr_alloc(1, sizeof(*upload));
	int r;

	upload->fd = -1;
	upload->path = gr_strdup(path);
	upload->name = name_to_send(path);
	upload->digest = is_hashed ? digest_new() : NULL;
	r = open_file(upload, err);
	if (r == 0 && upload->bytes == 0)
		end_digest(upload);
	if (r < 0) {
		upload_free(upload);
		return r;
	}
	*ret_upload = upload;
	return 0;
}

void upload_free(struct upload *upload)
{
	if (!upload)
		return;
	if (upload->fd >= 0)
		(void)close(upload->fd);
	digest_free(upload->digest);
	gr_free(upload->path);
	gr_free(upload->name);
	gr_free(upload);
}

static size_t changed(struct upload *upload)
{
	(void)gr_fail(&upload->error, GR_CONFIG, 0, "'%s' changed while it was being sent", upload->path);
	return CURL_READFUNC_ABORT;
}

/* Looked at before the last bytes leave, so that a changed file never makes a whole form. */
static bool is_unchanged(const struct upload *upload)
{
	struct stat now;

	return fstat(upload->fd, &now) == 0 && now.st_size == upload->first.st_size &&
	       now.st_mtim.tv_sec == upload->first.st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == upload->first.st_mtim.tv_nsec;
}

size_t upload_read(char *data, size_t size, size_t count, void *argument)
{
	struct upload *upload = argument;
	int64_t left = upload->bytes - upload->position;
	size_t wanted = (int64_t)(size * count) < left ? size * count : (size_t)left;
	ssize_t bytes;

	if (wanted == 0)
		return 0;
	do
		bytes = pread(upload->fd, data, wanted, upload->position);
	while (bytes < 0 && errno == EINTR);
	if (bytes < 0) {
		(void)gr_fail(&upload->error, GR_CONFIG, errno, "cannot read '%s'", upload->path);
		return CURL_READFUNC_ABORT;
	}
	if (bytes == 0 || (bytes == left && !is_unchanged(upload)))
		return changed(upload);
	upload->position += bytes;
	if (upload->digest)
		digest_add(upload->digest, data, (size_t)bytes);
	if (upload->position == upload->bytes)
		end_digest(upload);
	return (size_t)bytes;
}

int upload_seek(void *argument, int64_t offset, int origin)
{
	struct upload *upload = argument;

	if (origin != SEEK_SET || offset != 0)
		return CURL_SEEKFUNC_FAIL; /* forms are only ever sent again from their start */
	if (upload->bytes == 0)
		return CURL_SEEKFUNC_OK;
	upload->position = 0;
	end_digest(upload); /* what was read before does not count */
	upload->sha256[0] = '\0';
	return CURL_SEEKFUNC_OK;
}

void rate_init(struct rate *rate, int64_t now_ms, int64_t bytes)
{
	*rate = (struct rate){.good_ms = now_ms, .part_ms = now_ms, .part_bytes = bytes};
}

bool rate_is_stalled(struct rate *rate, int64_t now_ms, int64_t bytes, int64_t window_ms)
{
	int64_t part_ms = now_ms - rate->part_ms;

	if (part_ms > 0 && part_ms >= window_ms / RATE_PARTS) {
		if ((bytes - rate->part_bytes) * 1000 >= part_ms * RATE_LEAST_BYTES)
			rate->good_ms = now_ms;
		rate->part_ms = now_ms;
		rate->part_bytes = bytes;
	}
	return now_ms - rate->good_ms >= window_ms;
}
