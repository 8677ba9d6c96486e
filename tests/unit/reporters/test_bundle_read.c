#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <sys/stat.h>

#include "reporters/bundle.h"
#include "tests/unit/reporters/sample.h"

#define ABC_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MANIFEST(files) "{\"version\": 1, \"run_id\": \"r1\", \"files\": [" files "], \"missing\": []}"
#define A_TXT "{\"path\": \"a.txt\", \"bytes\": 3, \"sha256\": \"" ABC_SHA256 "\"}"

struct part {
	const char *name, *content, *link; /* link: a symbolic one's target */
	bool is_hard; /* link is a hard one's */
};

static char *write_archive(const struct folder *folder, const struct part *parts, size_t count)
{
	char *path = gr_printf("%s/b.tar.gz", folder->path);
	struct archive *archive = archive_write_new();

	(void)archive_write_set_format_pax_restricted(archive);
	(void)archive_write_add_filter_gzip(archive);
	assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, parts[i].name);
		archive_entry_set_filetype(entry, parts[i].link && !parts[i].is_hard ? AE_IFLNK : AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_size(entry, parts[i].content ? (int64_t)strlen(parts[i].content) : 0);
		if (parts[i].is_hard)
			archive_entry_set_hardlink(entry, parts[i].link);
		else if (parts[i].link)
			archive_entry_set_symlink(entry, parts[i].link);
		assert_true(archive_write_header(archive, entry) >= ARCHIVE_WARN); /* it warns of odd names */
		if (parts[i].content)
			(void)archive_write_data(archive, parts[i].content, strlen(parts[i].content));
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
	return path;
}

static void expect_refusal(const struct part *parts, size_t count, const char *words)
{
	struct folder folder, target;
	GR_AUTO_FREE char *path = NULL;
	struct gr_error err = {0};
	size_t found = 0;

	folder_make(&folder);
	folder_make(&target);
	path = write_archive(&folder, parts, count);
	assert_int_equal(bundle_verify(path, &found, &err), -GR_GATE);
	if (!strstr(err.text, words))
		fail_msg("'%s' does not say '%s'", err.text, words);
	assert_int_equal(bundle_extract(path, target.handle, &found, &err), -GR_GATE);
	folder_remove(&folder);
	folder_remove(&target);
}

static void it_refuses_names_that_leave_the_folder_before_it_writes_any(void **state)
{
	static const char *const names[] = {"../evil.txt", "/tmp/evil.txt", "a/../../evil.txt", "./a.txt", "a//b.txt",
	        ".hidden", "a/.ssh/key", "a b.txt", "na\xc3\xafve.txt", "c:\\x", "a/", "..", "x/.."};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(names); i++) {
		const struct part parts[] = {{.name = "a.txt", .content = "abc"}, {.name = names[i], .content = "abc"},
		        {.name = "manifest.json", .content = MANIFEST(A_TXT)}};
		struct folder folder, target;
		GR_AUTO_FREE char *path = NULL;
		GR_AUTO_BUFFER struct buffer listed = {0};
		struct gr_error err = {0};
		size_t found = 0;

		folder_make(&folder);
		folder_make(&target);
		path = write_archive(&folder, parts, GR_COUNT(parts));
		assert_int_equal(bundle_extract(path, target.handle, &found, &err), -GR_GATE);
		assert_int_equal(faccessat(target.handle, "a.txt", F_OK, 0), -1);
		assert_int_equal(bundle_list(path, &listed, &err), -GR_GATE);
		folder_remove(&folder);
		folder_remove(&target);
	}
}

static void it_refuses_links_and_doubles(void **state)
{
	static const struct part links[] = {{.name = "a.txt", .link = "/etc/passwd"}};
	static const struct part hard[] = {
	        {.name = "a.txt", .content = "abc"}, {.name = "b.txt", .link = "a.txt", .is_hard = true}};
	static const struct part twice[] = {{.name = "a.txt", .content = "abc"}, {.name = "a.txt", .content = "abc"}};

	(void)state;
	expect_refusal(links, GR_COUNT(links), "not a regular file");
	expect_refusal(hard, GR_COUNT(hard), "not a regular file");
	expect_refusal(twice, GR_COUNT(twice), "twice");
}

static void it_holds_members_and_manifest_against_each_other(void **state)
{
	static const struct part changed[] = {
	        {.name = "a.txt", .content = "abd"}, {.name = "manifest.json", .content = MANIFEST(A_TXT)}};
	static const struct part longer[] = {
	        {.name = "a.txt", .content = "abcd"}, {.name = "manifest.json", .content = MANIFEST(A_TXT)}};
	static const struct part more[] = {{.name = "a.txt", .content = "abc"}, {.name = "b.txt", .content = ""},
	        {.name = "manifest.json", .content = MANIFEST(A_TXT)}};
	static const struct part fewer[] = {{.name = "manifest.json", .content = MANIFEST(A_TXT)}};
	static const struct part none[] = {{.name = "a.txt", .content = "abc"}};
	static const struct part odd[] = {{.name = "manifest.json", .content = MANIFEST("{}")}};

	(void)state;
	expect_refusal(changed, GR_COUNT(changed), "not what the manifest says");
	expect_refusal(longer, GR_COUNT(longer), "not what the manifest says");
	expect_refusal(more, GR_COUNT(more), "'b.txt' is not in the manifest");
	expect_refusal(fewer, GR_COUNT(fewer), "and not there");
	expect_refusal(none, GR_COUNT(none), "no manifest");
	expect_refusal(odd, GR_COUNT(odd), "cannot be understood");
}

static void it_reads_what_it_wrote_in_every_format(void **state)
{
	static const char *const names[] = {"b.tar.gz", "b.zip", "b.tar.xz", "b.tar.zst"};
	struct results results = {.run_id = gr_strdup("r1"), .started_wall_ms = 1772360130000};
	struct folder folder;

	(void)state;
	folder_make(&folder);
	folder_write(&folder, "junit.xml", "<testsuites/>\n");
	folder_write(&folder, "artifacts/main/a.log", "abc");
	folder_write(&folder, "artifacts/main/empty.log", "");
	for (size_t i = 0; i < GR_COUNT(names); i++) {
		struct report_context context = {.directory = folder.handle};
		GR_AUTO_FREE char *path = gr_printf("%s/%s", folder.path, names[i]), *log = NULL;
		GR_AUTO_BUFFER struct buffer text = {0};
		struct folder target;
		struct gr_error err = {0};
		size_t count = 0;

		folder_make(&target);
		assert_int_equal(bundle_write(&results, names[i], &context, &err), 0);
		assert_int_equal(bundle_verify(path, &count, &err), 0);
		assert_int_equal(count, 4);
		assert_int_equal(bundle_extract(path, target.handle, &count, &err), 0);
		log = folder_read(&target, "artifacts/main/a.log", NULL);
		assert_string_equal(log, "abc");
		assert_int_equal(bundle_list(path, &text, &err), 0);
		assert_non_null(strstr(buffer_text(&text), "           3  artifacts/main/a.log\n"));
		folder_remove(&target);
		assert_int_equal(unlinkat(folder.handle, names[i], 0), 0);
	}
	folder_remove(&folder);
	results_release(&results);
}

static void it_refuses_what_is_no_bundle_and_what_was_cut(void **state)
{
	static const struct part parts[] = {
	        {.name = "a.txt", .content = "abc"}, {.name = "manifest.json", .content = MANIFEST(A_TXT)}};
	struct folder folder;
	GR_AUTO_FREE char *whole = NULL, *text = NULL;
	struct gr_error err = {0};
	struct stat info;
	size_t count = 0;

	(void)state;
	folder_make(&folder);
	folder_write(&folder, "text.tar.gz", "not an archive");
	text = gr_printf("%s/text.tar.gz", folder.path);
	assert_int_equal(bundle_verify(text, &count, &err), -GR_GATE);
	whole = write_archive(&folder, parts, GR_COUNT(parts));
	assert_int_equal(bundle_verify(whole, &count, &err), 0);
	assert_int_equal(stat(whole, &info), 0);
	assert_int_equal(truncate(whole, info.st_size / 2), 0);
	assert_int_equal(bundle_verify(whole, &count, &err), -GR_GATE);
	assert_int_equal(bundle_verify("/nowhere/b.zip", &count, &err), -GR_USAGE);
	assert_int_equal(bundle_verify("/dev/null", &count, &err), -GR_USAGE);
	folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_refuses_names_that_leave_the_folder_before_it_writes_any),
	        cmocka_unit_test(it_refuses_links_and_doubles),
	        cmocka_unit_test(it_holds_members_and_manifest_against_each_other),
	        cmocka_unit_test(it_reads_what_it_wrote_in_every_format),
	        cmocka_unit_test(it_refuses_what_is_no_bundle_and_what_was_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
