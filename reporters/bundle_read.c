/* A bundle read back. It may come from anybody, so nothing in it is believed: names are looked at before anything is
 * written, and bytes are counted and hashed as they come. */
#include <stdlib.h>
#include <string.h>

#include "reporters/bundle.h"
#include "reporters/bundle_library.h"
#include "runner/base/digest.h"
#include "runner/base/file.h"
#include "runner/base/json_read.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"

#define CHUNK_BYTES 65536
#define MANIFEST_MOST_BYTES ((size_t)256 << 20)

struct reading {
	const char *path;
	struct libarchive library;
	struct archive *archive;
	struct digest *digest;
	int directory; /* to write below; -1: nowhere */
	struct member_list found;
	struct buffer manifest;
	bool has_manifest;
};

static int fail(const struct reading *reading, struct gr_error *err)
{
	const char *words = reading->library.archive_error_string(reading->archive);

	return gr_fail(err, GR_GATE, 0, "bundle '%s': %s", reading->path, words ? words : "it cannot be read");
}

/* Formats that we write, no others: libarchive knows many more, and each is a way in. */
static int open_archive(struct reading *reading, struct gr_error *err)
{
	GR_AUTO_CLOSE int fd = -1;
	int r = file_open(reading->path, GR_USAGE, &fd, err);

	if (r < 0) {
		(void)gr_context(err, "bundle");
		return r;
	}
	r = libarchive_load(&reading->library, err);
	if (r < 0) {
		(void)gr_context(err, "bundle '%s'", reading->path);
		return r;
	}
	reading->archive = reading->library.archive_read_new();
	if (!reading->archive)
		return gr_fail(err, GR_INTERNAL, 0, "bundle '%s': libarchive does not begin", reading->path);
	if (reading->library.archive_read_support_format_tar(reading->archive) != ARCHIVE_OK ||
	        reading->library.archive_read_support_format_zip(reading->archive) != ARCHIVE_OK ||
	        reading->library.archive_read_support_filter_gzip(reading->archive) != ARCHIVE_OK ||
	        reading->library.archive_read_support_filter_xz(reading->archive) != ARCHIVE_OK ||
	        reading->library.archive_read_support_filter_zstd(reading->archive) != ARCHIVE_OK ||
	        reading->library.archive_read_open_filename(reading->archive, reading->path, CHUNK_BYTES) != ARCHIVE_OK)
		return fail(reading, err);
	return 0;
}

static void close_archive(struct reading *reading)
{
	if (reading->archive)
		(void)reading->library.archive_read_free(reading->archive);
	reading->archive = NULL;
}

/* ---- heads ---- */

static int check_head(const struct reading *reading, struct archive_entry *entry, struct gr_error *err)
{
	const char *name = reading->library.archive_entry_pathname(entry);

	if (!name || !member_path_is_plain(name))
		return gr_fail(err, GR_GATE, 0,
		        "bundle '%s': a member's name is not one that stays below its folder on every system",
		        reading->path);
	if (reading->library.archive_entry_filetype(entry) != AE_IFREG ||
	        reading->library.archive_entry_hardlink(entry))
		return gr_fail(err, GR_GATE, 0, "bundle '%s': '%s' is not a regular file", reading->path, name);
	if (reading->found.count == MEMBERS_MOST + 1)
		return gr_fail(err, GR_GATE, 0, "bundle '%s': more than %d members", reading->path, MEMBERS_MOST);
	return 0;
}

static void note_member(struct reading *reading, struct archive_entry *entry)
{
	struct member_list *found = &reading->found;

	found->items = gr_grow(found->items, found->count, sizeof(*found->items));
	found->items[found->count++] =
	        (struct member){.path = gr_strdup(reading->library.archive_entry_pathname(entry)),
	                .bytes = reading->library.archive_entry_size(entry)};
}

/* The next head, checked. false in ret_is_there: there is none. */
static int next_head(
        struct reading *reading, struct archive_entry **ret_entry, bool *ret_is_there, struct gr_error *err)
{
	int r = reading->library.archive_read_next_header(reading->archive, ret_entry);

	*ret_is_there = r == ARCHIVE_OK;
	if (r != ARCHIVE_OK)
		return r == ARCHIVE_EOF ? 0 : fail(reading, err);
	return check_head(reading, *ret_entry, err);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->path, ((const struct member *)b)->path);
}

/* An archive without members has no list, which qsort() must not be given. */
static void sort_members(struct member_list *list)
{
	if (list->items)
		qsort(list->items, list->count, sizeof(struct member), compare);
}

static int check_twice(const struct reading *reading, struct gr_error *err)
{
	const struct member *items = reading->found.items;

	for (size_t i = 1; i < reading->found.count; i++)
		if (strcmp(items[i - 1].path, items[i].path) == 0)
			return gr_fail(
			        err, GR_GATE, 0, "bundle '%s': '%s' is in it twice", reading->path, items[i].path);
	return 0;
}

/* All heads, none of the bytes. `out` may be NULL. */
static int read_heads(const char *path, struct buffer *out, struct gr_error *err)
{
	struct reading reading = {.path = path, .directory = -1};
	struct archive_entry *entry;
	bool is_there = true;
	int r = open_archive(&reading, err);

	while (r == 0 && (r = next_head(&reading, &entry, &is_there, err)) == 0 && is_there) {
		note_member(&reading, entry);
		if (out)
			buffer_printf(out, "%12lld  %s\n", (long long)reading.library.archive_entry_size(entry),
			        reading.library.archive_entry_pathname(entry));
	}
	if (r == 0) {
		sort_members(&reading.found);
		r = check_twice(&reading, err);
	}
	close_archive(&reading);
	member_list_release(&reading.found);
	return r;
}

/* ---- bytes ---- */

/* To the digest, the manifest's buffer and the file, whichever there are. */
static int copy_bytes(struct reading *reading, struct member *member, struct file_writer *writer, struct gr_error *err)
{
	bool is_manifest = strcmp(member->path, MANIFEST_NAME) == 0;
	GR_AUTO_FREE char *chunk = gr_alloc(CHUNK_BYTES, 1);
	la_ssize_t got;

	member->bytes = 0;
	while ((got = reading->library.archive_read_data(reading->archive, chunk, CHUNK_BYTES)) > 0) {
		member->bytes += got;
		reading->found.bytes += got;
		if (reading->found.bytes > BYTES_MOST + (int64_t)MANIFEST_MOST_BYTES)
			return gr_fail(err, GR_GATE, 0, "bundle '%s': it holds more than 4 GiB", reading->path);
		if (is_manifest && reading->manifest.bytes + (size_t)got > MANIFEST_MOST_BYTES)
			return gr_fail(err, GR_GATE, 0, "bundle '%s': its manifest is too long", reading->path);
		if (is_manifest)
			buffer_add(&reading->manifest, chunk, (size_t)got);
		digest_add(reading->digest, chunk, (size_t)got);
		if (writer)
			file_write(writer, chunk, (size_t)got);
	}
	digest_end(reading->digest, member->sha256);
	reading->has_manifest = reading->has_manifest || is_manifest;
	return got < 0 ? fail(reading, err) : 0;
}

static int take_member(struct reading *reading, struct archive_entry *entry, struct gr_error *err)
{
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	struct member *member;
	int r = 0;

	note_member(reading, entry);
	member = &reading->found.items[reading->found.count - 1];
	if (reading->directory >= 0)
		r = file_create(reading->directory, member->path, 0644, &writer, err);
	if (r == 0)
		r = copy_bytes(reading, member, writer, err);
	return r == 0 && writer ? file_commit(&writer, err) : r;
}

/* ---- the manifest ---- */

static const struct member *find(const struct reading *reading, const char *path)
{
	const struct member wanted = {.path = (char *)(uintptr_t)path};

	return bsearch(&wanted, reading->found.items, reading->found.count, sizeof(wanted), compare);
}

static int check_file(const struct reading *reading, const json_t *file, struct gr_error *err)
{
	const char *path = json_string_value(json_object_get(file, "path"));
	const char *sha256 = json_string_value(json_object_get(file, "sha256"));
	const struct member *member = path ? find(reading, path) : NULL;

	if (!path || !sha256)
		return gr_fail(err, GR_GATE, 0, "bundle '%s': its manifest cannot be understood", reading->path);
	if (!member)
		return gr_fail(
		        err, GR_GATE, 0, "bundle '%s': '%s' is in the manifest, and not there", reading->path, path);
	if (strcmp(member->sha256, sha256) != 0 || member->bytes != json_integer_value(json_object_get(file, "bytes")))
		return gr_fail(err, GR_GATE, 0, "bundle '%s': '%s' is not what the manifest says", reading->path, path);
	return 0;
}

/* Each file of the manifest is there once; as many members as files, and the manifest: then none is left over. */
static int check_manifest(const struct reading *reading, struct gr_error *err)
{
	const char *why;
	GR_AUTO_JSON json_t *manifest = reading->has_manifest ? json_read_own(&reading->manifest, &why) : NULL;
	GR_AUTO_JSON json_t *seen = json_object();
	const json_t *files = json_object_get(manifest, "files"), *file;
	size_t i;
	int r = 0;

	if (json_integer_value(json_object_get(manifest, "version")) != MANIFEST_VERSION || !json_is_array(files))
		return gr_fail(err, GR_GATE, 0, "bundle '%s': it has no manifest of gridlane", reading->path);
	json_array_foreach (files, i, file) {
		if (r == 0)
			r = check_file(reading, file, err);
		if (r == 0)
			(void)json_object_set_new(seen, json_string_value(json_object_get(file, "path")), json_true());
	}
	for (i = 0; r == 0 && i < reading->found.count; i++)
		if (strcmp(reading->found.items[i].path, MANIFEST_NAME) != 0 &&
		        !json_object_get(seen, reading->found.items[i].path))
			r = gr_fail(err, GR_GATE, 0, "bundle '%s': '%s' is not in the manifest", reading->path,
			        reading->found.items[i].path);
	return r;
}

static int read_all(struct reading *reading, struct gr_error *err)
{
	struct archive_entry *entry;
	bool is_there = true;
	int r = open_archive(reading, err);

	while (r == 0 && (r = next_head(reading, &entry, &is_there, err)) == 0 && is_there)
		r = take_member(reading, entry, err);
	if (r < 0)
		return r;
	sort_members(&reading->found);
	return check_manifest(reading, err);
}

static int read_bundle(const char *path, int directory, size_t *ret_count, struct gr_error *err)
{
	struct reading reading = {.path = path, .directory = directory, .digest = digest_new()};
	int r = read_heads(path, NULL, err);

	if (r == 0)
		r = read_all(&reading, err);
	if (r == 0)
		*ret_count = reading.found.count;
	close_archive(&reading);
	digest_free(reading.digest);
	buffer_release(&reading.manifest);
	member_list_release(&reading.found);
	return r;
}

int bundle_list(const char *path, struct buffer *out, struct gr_error *err)
{
	return read_heads(path, out, err);
}

int bundle_verify(const char *path, size_t *ret_count, struct gr_error *err)
{
	return read_bundle(path, -1, ret_count, err);
}

int bundle_extract(const char *path, int directory, size_t *ret_count, struct gr_error *err)
{
	return read_bundle(path, directory, ret_count, err);
}
