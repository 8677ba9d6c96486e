/* The bundle: an archive that is the same, byte for byte, for the same files. libarchive 3.6.2 writes what differs
 * between machines unless told not to: the time into gzip's head, local time into zip, access times into pax heads. It
 * does not notice a file that grows or shrinks meanwhile: the bytes are counted here. */
#include "reporters/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reporters/bundle_feed.h"
#include "reporters/bundle_library.h"
#include "reporters/words.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/results/record.h"

#define BLOCK_BYTES (32 << 10) /* of a write: of four times as many the kernel seeks larger, colder pages */

struct bundle {
	struct libarchive library;
	struct archive *archive;
	const char *target;
	int directory;
	time_t time;
};

/* ---- manifest.json ---- */

static void add_text(json_t *object, const char *key, const char *text)
{
	if (text)
		(void)json_object_set_new(object, key, json_from_text(text));
}

/* The artifacts by their path. */
static json_t *index_artifacts(const struct results *results)
{
	json_t *index = json_object();

	for (size_t i = 0; i < results->artifact_count; i++)
		if (results->artifacts[i].path)
			(void)json_object_set_new(index, results->artifacts[i].path, json_integer((json_int_t)i));
	return index;
}

static json_t *describe(const struct results *results, const json_t *index, const struct member *member)
{
	json_t *file = json_pack(
	        "{s:s, s:I, s:s}", "path", member->path, "bytes", (json_int_t)member->bytes, "sha256", member->sha256);
	const json_t *number = json_object_get(index, member->path);
	const struct artifact *artifact = number ? &results->artifacts[json_integer_value(number)] : NULL;

	add_text(file, "step", artifact ? artifact->step : NULL);
	add_text(file, "lane", artifact ? artifact->lane : NULL);
	add_text(file, "device", artifact ? artifact->device : NULL);
	add_text(file, "origin", artifact && artifact->origin ? artifact->origin : "gridlane");
	return file;
}

static void add_missing(json_t *missing, const struct results *results)
{
	for (size_t i = 0; i < results->artifact_count; i++) {
		const struct artifact *artifact = &results->artifacts[i];
		json_t *entry;

		if (!artifact->missing)
			continue;
		entry = json_object();
		add_text(entry, "path", artifact->path);
		add_text(entry, "step", artifact->step);
		add_text(entry, "lane", artifact->lane);
		add_text(entry, "device", artifact->device);
		add_text(entry, "reason", artifact->missing);
		(void)json_array_append_new(missing, entry);
	}
}

/* The manifest as text, the caller's. */
static char *make_manifest(const struct results *results, const struct member_list *members, struct redactor *redactor)
{
	GR_AUTO_JSON json_t *manifest = json_pack("{s:i}", "version", MANIFEST_VERSION);
	GR_AUTO_JSON json_t *index = index_artifacts(results);
	json_t *files = json_array(), *missing = json_deep_copy(members->missing);

	add_text(manifest, "run_id", results->run_id);
	for (size_t i = 0; i < members->count; i++)
		(void)json_array_append_new(files, describe(results, index, &members->items[i]));
	add_missing(missing, results);
	(void)json_object_set_new(manifest, "files", files);
	(void)json_object_set_new(manifest, "missing", missing);
	words_redact_json(redactor, manifest);
	return json_dumps(manifest, JSON_INDENT(1));
}

static int write_manifest(int directory, const char *text, struct gr_error *err)
{
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	int r = file_create(directory, MANIFEST_NAME, 0644, &writer, err);

	if (r < 0)
		return r;
	file_write_text(writer, text);
	return file_commit(&writer, err);
}

/* ---- the archive ---- */

/* zip alone holds local time, so it is written as if we were in Greenwich. Nothing else runs now that reads the
 * environment: the feed's thread comes after, and is gone before. */
struct zone {
	char *saved;
	bool is_changed;
};

static void zone_set(struct zone *zone, const char *target)
{
	if (!text_has_suffix_nocase(target, ".zip"))
		return;
	zone->saved = gr_strdup(getenv("TZ"));
	zone->is_changed = true;
	(void)setenv("TZ", "UTC0", 1);
	tzset();
}

static void zone_restore(struct zone *zone)
{
	if (!zone->is_changed)
		return;
	if (zone->saved)
		(void)setenv("TZ", zone->saved, 1);
	else
		(void)unsetenv("TZ");
	tzset();
	gr_free(zone->saved);
}

static int fail(const struct bundle *bundle, struct gr_error *err)
{
	const char *words = bundle->library.archive_error_string(bundle->archive);

	return gr_fail(err, GR_DISK, 0, "bundle '%s': %s", bundle->target, words ? words : "libarchive failed");
}

static int choose_format(struct bundle *bundle, struct gr_error *err)
{
	struct archive *archive = bundle->archive;
	const char *target = bundle->target, *options = NULL;
	int r;

	if (text_has_suffix_nocase(target, ".zip")) {
		r = bundle->library.archive_write_set_format_zip(archive);
		options = "zip:compression=deflate";
	} else {
		r = bundle->library.archive_write_set_format_pax_restricted(archive);
		if (r == ARCHIVE_OK && text_has_suffix_nocase(target, ".tar.gz")) {
			r = bundle->library.archive_write_add_filter_gzip(archive);
			options = "gzip:!timestamp,gzip:compression-level=6";
		} else if (r == ARCHIVE_OK && text_has_suffix_nocase(target, ".tar.xz")) {
			r = bundle->library.archive_write_add_filter_xz(archive);
			options = "xz:compression-level=6";
		} else if (r == ARCHIVE_OK && text_has_suffix_nocase(target, ".tar.zst")) {
			r = bundle->library.archive_write_add_filter_zstd(archive);
			options = "zstd:compression-level=3";
		} else if (r == ARCHIVE_OK) {
			return gr_fail(err, GR_CONFIG, 0,
			        "bundle '%s': its name must end with .tar.gz, .zip, .tar.zst or .tar.xz", target);
		}
	}
	if (r == ARCHIVE_OK)
		r = bundle->library.archive_write_set_options(archive, options);
	if (r == ARCHIVE_OK)
		r = bundle->library.archive_write_set_bytes_per_block(archive, BLOCK_BYTES);
	if (r == ARCHIVE_OK) /* or zeros follow the compressed bytes, up to the size of a tape block */
		r = bundle->library.archive_write_set_bytes_in_last_block(archive, 1);
	return r == ARCHIVE_OK ? 0 : fail(bundle, err);
}

static la_ssize_t put_bytes(struct archive *archive, void *writer, const void *data, size_t bytes)
{
	(void)archive;
	file_write(writer, data, bytes); /* keeps its first error for the commit */
	return (la_ssize_t)bytes;
}

static int begin_member(struct bundle *bundle, const char *path, int64_t bytes, struct gr_error *err)
{
	struct archive_entry *entry = bundle->library.archive_entry_new();
	int r;

	if (!entry)
		return gr_fail(err, GR_INTERNAL, ENOMEM, "bundle '%s'", bundle->target);
	bundle->library.archive_entry_set_pathname(entry, path);
	bundle->library.archive_entry_set_filetype(entry, AE_IFREG);
	bundle->library.archive_entry_set_perm(entry, 0644);
	bundle->library.archive_entry_set_uid(entry, 0);
	bundle->library.archive_entry_set_gid(entry, 0);
	bundle->library.archive_entry_set_mtime(entry, bundle->time, 0);
	bundle->library.archive_entry_set_size(entry, bytes);
	r = bundle->library.archive_write_header(bundle->archive, entry);
	bundle->library.archive_entry_free(entry);
	return r == ARCHIVE_OK ? 0 : fail(bundle, err);
}

static int put_data(struct bundle *bundle, const void *data, size_t bytes, struct gr_error *err)
{
	la_ssize_t put = bytes ? bundle->library.archive_write_data(bundle->archive, data, bytes) : 0;

	return put == (la_ssize_t)bytes ? 0 : fail(bundle, err);
}

static int copy_member(struct bundle *bundle, struct feed *feed, const struct member *member, struct gr_error *err)
{
	int r = begin_member(bundle, member->path, member->bytes, err);
	struct piece piece = {0};

	while (r == 0 && !piece.is_last) {
		r = feed_take(feed, &piece, err);
		if (r < 0)
			return gr_context(err, "bundle '%s'", bundle->target);
		r = put_data(bundle, piece.data, piece.bytes, err);
	}
	return r;
}

static int copy_members(struct bundle *bundle, struct member_list *members, struct gr_error *err)
{
	struct feed *feed = feed_begin(bundle->directory, members);
	int r = 0;

	for (size_t i = 0; r == 0 && i < members->count; i++)
		r = copy_member(bundle, feed, &members->items[i], err);
	feed_end(feed);
	return r;
}

struct content {
	const struct results *results;
	struct member_list members;
	struct redactor *redactor;
	char *manifest; /* made once all members are in */
};

static int fill(struct bundle *bundle, struct content *content, struct gr_error *err)
{
	int r = copy_members(bundle, &content->members, err);

	if (r < 0)
		return r;
	content->manifest = make_manifest(content->results, &content->members, content->redactor);
	r = begin_member(bundle, MANIFEST_NAME, (int64_t)strlen(content->manifest), err);
	if (r == 0)
		r = put_data(bundle, content->manifest, strlen(content->manifest), err);
	if (r == 0 && bundle->library.archive_write_close(bundle->archive) != ARCHIVE_OK)
		r = fail(bundle, err);
	return r;
}

/* The start of the run, or the date that the build is to look like, whatever was earlier. */
static time_t date_of(const struct results *results)
{
	int64_t start = results->started_wall_ms > 0 ? results->started_wall_ms / 1000 : 0, wanted;
	const char *epoch = getenv("SOURCE_DATE_EPOCH");

	if (epoch && number_parse_int(epoch, &wanted) && wanted >= 0 && (start == 0 || wanted < start))
		return (time_t)wanted;
	return (time_t)start;
}

static int write_archive(struct bundle *bundle, struct content *content, struct gr_error *err)
{
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	struct zone zone = {0};
	int r = file_create(bundle->directory, bundle->target, 0644, &writer, err);

	if (r == 0)
		r = choose_format(bundle, err);
	if (r < 0)
		return r;
	zone_set(&zone, bundle->target);
	if (bundle->library.archive_write_open(bundle->archive, writer, NULL, put_bytes, NULL) != ARCHIVE_OK)
		r = fail(bundle, err);
	else
		r = fill(bundle, content, err);
	zone_restore(&zone);
	if (r < 0)
		(void)bundle->library.archive_write_fail(
		        bundle->archive); /* or freeing it would write its end to a writer that is gone */
	return r < 0 ? r : file_commit(&writer, err);
}

int bundle_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	struct bundle bundle = {.target = target, .directory = context->directory, .time = date_of(results)};
	struct content content = {.results = results, .redactor = context->redactor};
	int r = member_list_init(&content.members, context->directory, target, err);

	if (r < 0)
		return gr_context(err, "bundle '%s'", target);
	r = libarchive_load(&bundle.library, err);
	bundle.archive = r == 0 ? bundle.library.archive_write_new() : NULL;
	if (bundle.archive)
		r = write_archive(&bundle, &content, err);
	else if (r == 0)
		r = gr_fail(err, GR_INTERNAL, ENOMEM, "bundle '%s'", target);
	if (r == 0)
		r = write_manifest(context->directory, content.manifest, err);
	if (bundle.archive)
		(void)bundle.library.archive_write_free(bundle.archive); /* closed already, or given up */
	member_list_release(&content.members);
	gr_free(content.manifest);
	return r;
}
