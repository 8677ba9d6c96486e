/* A file that is sent: read from one open descriptor, hashed as it is read if that is wanted, never more and never less
 * than its size. */
#ifndef GRIDLANE_NET_UPLOAD_H
#define GRIDLANE_NET_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "runner/base/digest.h"
#include "runner/base/error.h"

struct upload {
	struct upload *next;
	char *path;
	char *name; /* of the file as it is sent: [A-Za-z0-9._-] */
	int fd;
	struct stat first; /* what it was when it was opened */
	int64_t bytes, position;
	struct digest *digest; /* or NULL */
	char sha256[65]; /* "" until all was read */
	struct gr_error error;
};

/* Only regular files: GR_CONFIG otherwise. */
int upload_open(const char *path, bool is_hashed, struct upload **ret_upload, struct gr_error *err);
void upload_free(struct upload *upload);
/* In the form of libcurl's mime call backs; argument: the upload. */
size_t upload_read(char *data, size_t size, size_t count, void *argument);
int upload_seek(void *argument, int64_t offset, int origin);

/* Is something still moving? Less than 1 KiB/s over a whole window is a stall. Times in ms of any one clock. */
struct rate {
	int64_t good_ms; /* end of the last part that was fast enough */
	int64_t part_ms; /* begin of the current part */
	int64_t part_bytes;
};
void rate_init(struct rate *rate, int64_t now_ms, int64_t bytes);
bool rate_is_stalled(struct rate *rate, int64_t now_ms, int64_t bytes, int64_t window_ms);

#endif
