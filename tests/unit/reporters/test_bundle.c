#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <sys/stat.h>

#include "tests/unit/reporters/sample.h"

static void fill_folder(const struct folder *folder)
{
	folder_write(folder, "results.json", "{}\n");
	folder_write(folder, "junit.xml", "<testsuites/>\n");
	folder_write(folder, "artifacts/main/collect/device.log", "line\n");
	folder_write(folder, "artifacts/main/collect/empty.log", "");
	folder_write(folder, "artifacts/main/collect/logs.zip", "of the server, goes in");
	folder_write(folder, "artifacts/main/collect/journal.txt", "of the server, goes in");
	folder_write(folder, "journal.jsonl", "secret state");
	folder_write(folder, "journal.jsonl.1", "secret state");
	folder_write(folder, "old-run.tar.gz", "another bundle");
	folder_write(folder, ".hidden", "hidden");
	folder_write(folder, ".secret/key", "hidden");
	folder_write(folder, "artifacts/na\xc3\xafve.log", "odd name");
	assert_int_equal(symlinkat("/etc/passwd", folder->handle, "link.txt"), 0);
	assert_int_equal(symlinkat("/etc", folder->handle, "linked"), 0);
	assert_int_equal(mkfifoat(folder->handle, "pipe", 0600), 0);
}

static void fill_results(struct results *results)
{
	*results = (struct results){.run_id = gr_strdup("r1"), .started_wall_ms = 1772360130000};
	results->artifacts = gr_alloc(8, sizeof(*results->artifacts));
	results->artifacts[0] = (struct artifact){.path = gr_strdup("artifacts/main/collect/device.log"),
	        .step = gr_strdup("collect"),
	        .device = gr_strdup("Galaxy S21"),
	        .origin = gr_strdup("server")};
	results->artifacts[1] = (struct artifact){.step = gr_strdup("collect"), .missing = gr_strdup("HTTP 404")};
	results->artifact_count = 2;
}

static void write_bundle(const struct results *results, const struct folder *folder, const char *name)
{
	struct report_context context = {.directory = folder->handle};
	struct gr_error err = {0};

	if (bundle_write(results, name, &context, &err) < 0)
		fail_msg("%s", err.text);
}

static const char *const expected[] = {"artifacts/main/collect/device.log", "artifacts/main/collect/empty.log",
        "artifacts/main/collect/journal.txt", "artifacts/main/collect/logs.zip", "junit.xml", "results.json",
        "manifest.json"};

/* Read a bundle as an unpacker does: the members, their order and their heads. */
static void check_members(const char *data, size_t bytes)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	size_t count = 0;

	(void)archive_read_support_filter_all(archive);
	(void)archive_read_support_format_all(archive);
	assert_int_equal(archive_read_open_memory(archive, data, bytes), ARCHIVE_OK);
	while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
		char content[65536];

		assert_true(count < GR_COUNT(expected));
		assert_string_equal(archive_entry_pathname(entry), expected[count++]);
		assert_int_equal(archive_entry_filetype(entry), AE_IFREG);
		assert_int_equal(archive_entry_mode(entry) & 07777, 0644);
		assert_int_equal(archive_entry_uid(entry), 0);
		assert_int_equal(archive_entry_gid(entry), 0);
		assert_int_equal(archive_entry_mtime(entry), 1772360130);
		assert_int_equal(archive_read_data(archive, content, sizeof(content)), archive_entry_size(entry));
	}
	assert_int_equal(count, GR_COUNT(expected));
	(void)archive_read_free(archive);
}

static void check_format(const char *name)
{
	struct results results;
	struct folder one, two;
	GR_AUTO_FREE char *first = NULL;
	GR_AUTO_FREE char *second = NULL;
	size_t first_bytes, second_bytes;

	(void)unsetenv("SOURCE_DATE_EPOCH");
	fill_results(&results);
	folder_make(&one);
	folder_make(&two);
	fill_folder(&one);
	write_bundle(&results, &one, name);
	(void)setenv("TZ", "Asia/Kolkata", 1); /* another machine, at another time */
	fill_folder(&two);
	assert_int_equal(fchmodat(two.handle, "junit.xml", 0600, 0), 0);
	write_bundle(&results, &two, name);
	assert_string_equal(getenv("TZ"), "Asia/Kolkata");
	(void)unsetenv("TZ");
	first = folder_read(&one, name, &first_bytes);
	second = folder_read(&two, name, &second_bytes);
	assert_int_equal(first_bytes, second_bytes);
	assert_memory_equal(first, second, first_bytes);
	check_members(first, first_bytes);
	write_bundle(&results, &one, name); /* again, over itself */
	gr_free(gr_take(&first));
	first = folder_read(&one, name, &first_bytes);
	assert_int_equal(first_bytes, second_bytes);
	assert_memory_equal(first, second, first_bytes);
	folder_remove(&one);
	folder_remove(&two);
	results_release(&results);
}

static void it_writes_the_same_tar_gz_for_the_same_files(void **state)
{
	(void)state;
	check_format("shop-r1.tar.gz");
}

static void it_writes_the_same_zip_in_every_time_zone(void **state)
{
	(void)state;
	check_format("shop-r1.zip");
}

static void it_writes_the_same_tar_xz_and_tar_zst(void **state)
{
	(void)state;
	check_format("shop-r1.tar.xz");
	check_format("deep/er/shop-r1.tar.zst");
}

static const json_t *file_of(const json_t *manifest, const char *list, const char *path)
{
	const json_t *files = json_object_get(manifest, list), *file;
	size_t i;

	json_array_foreach (files, i, file) {
		const char *name = json_string_value(json_object_get(file, "path"));

		if (path == name || (path && name && strcmp(name, path) == 0))
			return file;
	}
	fail_msg("the manifest has no %s", path ? path : "entry without a path");
	return NULL;
}

static void expect_text(const json_t *object, const char *key, const char *value)
{
	assert_string_equal(json_string_value(json_object_get(object, key)), value);
}

static void it_lists_every_member_and_what_is_missing_in_the_manifest(void **state)
{
	struct results results;
	struct folder folder;
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_JSON json_t *manifest = NULL;
	const json_t *file;

	(void)state;
	fill_results(&results);
	folder_make(&folder);
	fill_folder(&folder);
	write_bundle(&results, &folder, "b.tar.gz");
	text = folder_read(&folder, "manifest.json", NULL);
	manifest = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_integer_value(json_object_get(manifest, "version")), 1);
	assert_int_equal(json_array_size(json_object_get(manifest, "files")), GR_COUNT(expected) - 1);
	file = file_of(manifest, "files", "artifacts/main/collect/device.log");
	expect_text(file, "device", "Galaxy S21");
	expect_text(file, "origin", "server");
	expect_text(file, "sha256", "c73b73af8851e9e91bc6b4dc12e7dace0a2bfb931c1d0b8b36ef367319f58cd1");
	assert_int_equal(json_integer_value(json_object_get(file, "bytes")), 5);
	expect_text(file_of(manifest, "files", "junit.xml"), "origin", "gridlane");
	expect_text(file_of(manifest, "missing", NULL), "reason", "HTTP 404");
	expect_text(file_of(manifest, "missing", "link.txt"), "reason", "it is a symbolic link");
	(void)file_of(manifest, "missing", "linked");
	(void)file_of(manifest, "missing", "artifacts/na\xc3\xafve.log");
	folder_remove(&folder);
	results_release(&results);
}

static time_t time_of_first_member(const struct folder *folder, const char *name)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	size_t bytes;
	GR_AUTO_FREE char *data = folder_read(folder, name, &bytes);
	time_t time;

	(void)archive_read_support_filter_all(archive);
	(void)archive_read_support_format_all(archive);
	assert_int_equal(archive_read_open_memory(archive, data, bytes), ARCHIVE_OK);
	assert_int_equal(archive_read_next_header(archive, &entry), ARCHIVE_OK);
	time = archive_entry_mtime(entry);
	(void)archive_read_free(archive);
	return time;
}

static void it_looks_as_old_as_it_is_asked_to(void **state)
{
	static const struct {
		const char *epoch;
		time_t time;
	} table[] = {
	        {"1000000000", 1000000000}, {"9000000000", 1772360130}, {"yesterday", 1772360130}, {"", 1772360130}};
	struct results results;
	struct folder folder;

	(void)state;
	fill_results(&results);
	folder_make(&folder);
	for (size_t i = 0; i < GR_COUNT(table); i++) {
		(void)setenv("SOURCE_DATE_EPOCH", table[i].epoch, 1);
		write_bundle(&results, &folder, "b.tar.gz");
		assert_int_equal(time_of_first_member(&folder, "b.tar.gz"), table[i].time);
	}
	(void)unsetenv("SOURCE_DATE_EPOCH");
	folder_remove(&folder);
	results_release(&results);
}

static void it_refuses_a_name_that_says_no_format(void **state)
{
	static const char *const names[] = {"b.rar", "b", "b.tgz", "b.tar"};
	struct results results = {0};
	struct folder folder;

	(void)state;
	folder_make(&folder);
	for (size_t i = 0; i < GR_COUNT(names); i++) {
		struct report_context context = {.directory = folder.handle};
		struct gr_error err = {0};

		assert_int_equal(bundle_write(&results, names[i], &context, &err), -GR_CONFIG);
		assert_non_null(strstr(err.text, ".tar.gz"));
		assert_int_equal(faccessat(folder.handle, names[i], F_OK, 0), -1);
	}
	folder_remove(&folder);
}

static void it_leaves_nothing_behind_when_it_cannot_be_written(void **state)
{
	struct results results = {0};
	struct folder folder;
	struct report_context context = {0};
	struct gr_error err = {0};

	(void)state;
	folder_make(&folder);
	folder_write(&folder, "a.log", "x");
	context.directory = folder.handle;
	assert_int_equal(bundle_write(&results, "a.log/b.zip", &context, &err), -GR_DISK);
	assert_int_equal(bundle_write(&results, "../b.zip", &context, &err), -GR_DISK);
	assert_int_equal(faccessat(folder.handle, "../b.zip", F_OK, 0), -1);
	folder_remove(&folder);
}

static void it_takes_no_more_than_plain_names_at_any_depth(void **state)
{
	struct results results = {0};
	struct folder folder;
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_JSON json_t *manifest = NULL;

	(void)state;
	folder_make(&folder);
	folder_write(&folder, "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/deep.log", "goes in");
	folder_write(&folder, "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/deeper.log", "does not");
	folder_write(&folder, "a b.log", "does not");
	write_bundle(&results, &folder, "b.tar.gz");
	text = folder_read(&folder, "manifest.json", NULL);
	manifest = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(manifest, "files")), 1);
	(void)file_of(manifest, "files", "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/deep.log");
	(void)file_of(manifest, "missing", "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17");
	(void)file_of(manifest, "missing", "a b.log");
	folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_writes_the_same_tar_gz_for_the_same_files),
	        cmocka_unit_test(it_writes_the_same_zip_in_every_time_zone),
	        cmocka_unit_test(it_writes_the_same_tar_xz_and_tar_zst),
	        cmocka_unit_test(it_lists_every_member_and_what_is_missing_in_the_manifest),
	        cmocka_unit_test(it_looks_as_old_as_it_is_asked_to),
	        cmocka_unit_test(it_refuses_a_name_that_says_no_format),
	        cmocka_unit_test(it_leaves_nothing_behind_when_it_cannot_be_written),
	        cmocka_unit_test(it_takes_no_more_than_plain_names_at_any_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
