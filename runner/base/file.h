/* Files: read within a limit, appear whole by rename, below one directory handle, no symbolic link followed. */
#ifndef GRIDLANE_BASE_FILE_H
#define GRIDLANE_BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "runner/base/buffer.h"
#include "runner/base/error.h"

/* Open a regular file for reading, following symbolic links; a FIFO or a device is refused without waiting for it. The
 * handle is the caller's (close). failure: as below. */
int file_open(const char *path, enum gr_failure failure, int *ret_fd, struct gr_error *err);
/* Read a regular file of at most `most_bytes`. failure: what kind of failure to report (GR_CONFIG for inputs,
 * GR_DISK for our own files). */
int file_read(
        const char *path, size_t most_bytes, enum gr_failure failure, struct buffer *ret_data, struct gr_error *err);
/* The same for `name` below the directory handle, refusing symbolic links. */
int file_read_at(int directory, const char *name, size_t most_bytes, enum gr_failure failure, struct buffer *ret_data,
        struct gr_error *err);

/* Is `path` relative, and each part a name (no '..', no '.', none empty)? All that is written below a folder is. */
bool file_is_below(const char *path);
/* Make `path` (and its parents) and open it. The handle is the caller's (close). */
int file_make_directory(const char *path, int *ret_directory, struct gr_error *err);
/* Make sub-directories of `directory` ("artifacts/a/b") and open the last one; each part one of our own names. */
int file_make_directory_at(int directory, const char *path, int *ret_directory, struct gr_error *err);

/* A file that appears whole or not at all: written as ".NAME.tmp-XXXX" beside its place, then fsync, close, rename,
 * fsync of the directory. Errors of any step are kept and returned by file_commit; an uncommitted one vanishes. */
struct file_writer;
/* `name` may hold directories, which are made. mode: 0644 for reports, 0600 for state. */
int file_create(int directory, const char *name, unsigned mode, struct file_writer **ret_writer, struct gr_error *err);
void file_write(struct file_writer *writer, const void *data, size_t bytes); /* keeps the first error */
void file_write_text(struct file_writer *writer, const char *text);
/* For libraries that write by themselves; errors of theirs are the caller's. */
int file_fd(const struct file_writer *writer);
int64_t file_bytes(const struct file_writer *writer);
int file_commit(struct file_writer **writer, struct gr_error *err); /* always releases; *writer becomes NULL */
/* The same without waiting for the disk: for many small files that can be made again from others. */
int file_commit_later(struct file_writer **writer, struct gr_error *err);
void file_discard(struct file_writer **writer); /* NULL is fine */
#define GR_AUTO_WRITER __attribute__((cleanup(file_discard)))

/* Take a file below `directory` away. A path that leads elsewhere, a folder, and what is not there stay as they are. */
void file_remove_at(int directory, const char *path);

/* Write `bytes` to fd, all of them, through EINTR and short writes. 0 or -errno. */
int file_write_all(int fd, const void *data, size_t bytes);

/* SHA-256 of a whole file as 64 hex digits and NUL; ret_bytes (may be NULL) its length. */
int file_sha256(
        const char *path, enum gr_failure failure, char ret_hex[static 65], int64_t *ret_bytes, struct gr_error *err);
/* SHA-256 of memory. */
void file_sha256_memory(const void *data, size_t bytes, char ret_hex[static 65]);

/* The one regular file that `pattern` (glob(7), relative to the working directory) names: none, several or not a
 * regular file is GR_CONFIG and says which. ret_path is the caller's. */
int file_find_one(const char *pattern, char **ret_path, struct gr_error *err);

#endif
