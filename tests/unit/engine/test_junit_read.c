#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/engine/document.h"

struct place {
	char folder[64], pattern[80];
	int64_t since;
	struct gr_error err;
	json_t *cases;
};

static void open_place(struct place *place)
{
	*place = (struct place){.folder = "/tmp/gridlane-junit-XXXXXX", .since = clock_wall_ms()};
	assert_non_null(mkdtemp(place->folder));
	(void)snprintf(place->pattern, sizeof(place->pattern), "%s/*.xml", place->folder);
}

static void put(const struct place *place, const char *name, const char *text)
{
	GR_AUTO_FREE char *path = gr_printf("%s/%s", place->folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void close_place(struct place *place)
{
	static const char *const names[] = {"a.xml", "b.xml"};

	for (size_t i = 0; i < GR_COUNT(names); i++) {
		GR_AUTO_FREE char *path = gr_printf("%s/%s", place->folder, names[i]);

		(void)unlink(path);
	}
	assert_int_equal(rmdir(place->folder), 0);
	json_decref(place->cases);
}

static const char *text_at(const struct place *place, size_t index, const char *key)
{
	return json_string_value(json_object_get(json_array_get(place->cases, index), key));
}

static void it_reads_the_cases_of_all_files(void **unused)
{
	struct place place;

	(void)unused;
	open_place(&place);
	put(&place, "a.xml",
	        "<testsuites><testsuite name='s'><testcase classname='C' name='one' time='1.25'/>"
	        "<testcase classname='C' name='two'><failure message='no'>at C:1</failure><system-out>x</system-out>"
	        "</testcase></testsuite><testsuite><testsuite><testcase name='deep'><error>e</error></testcase>"
	        "</testsuite></testsuite></testsuites>");
	put(&place, "b.xml",
	        "<testsuite><testcase name='three'><skipped/></testcase><testcase name='four' status='notrun'/>"
	        "<testcase name='five' status='run'/></testsuite>");
	assert_int_equal(junit_read(place.pattern, place.since, &place.cases, &place.err), 0);
	assert_int_equal(json_array_size(place.cases), 6);
	assert_string_equal(text_at(&place, 0, "name"), "one");
	assert_string_equal(text_at(&place, 0, "class_name"), "C");
	assert_string_equal(text_at(&place, 0, "status"), "passed");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(place.cases, 0), "time_ms")), 1250);
	assert_string_equal(text_at(&place, 1, "status"), "failed");
	assert_string_equal(text_at(&place, 1, "reason"), "no\nat C:1");
	assert_string_equal(text_at(&place, 2, "status"), "failed");
	assert_string_equal(text_at(&place, 3, "status"), "skipped");
	assert_string_equal(text_at(&place, 4, "status"), "skipped");
	assert_string_equal(text_at(&place, 5, "status"), "passed");
	close_place(&place);
}

static void files_of_an_earlier_run_prove_nothing(void **unused)
{
	struct place place;
	GR_AUTO_FREE char *path = NULL;
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

	(void)unused;
	open_place(&place);
	put(&place, "a.xml", "<testsuite><testcase name='old'/></testsuite>");
	path = gr_printf("%s/a.xml", place.folder);
	assert_int_equal(utimensat(-100, path, old, 0), 0);
	assert_int_equal(junit_read(place.pattern, place.since, &place.cases, &place.err), 0);
	assert_int_equal(json_array_size(place.cases), 0);
	close_place(&place);
}

static void other_files_are_refused(void **unused)
{
	static const char *const texts[] = {"", "no xml", "<testsuite><testcase", "<html/>",
	        "<!DOCTYPE a [<!ENTITY b '<testcase name=\"x\"/>'>]><a>&b;</a>"};

	(void)unused;
	for (size_t i = 0; i < GR_COUNT(texts); i++) {
		struct place place;

		open_place(&place);
		put(&place, "a.xml", texts[i]);
		assert_int_equal(junit_read(place.pattern, place.since, &place.cases, &place.err), -GR_COMMAND);
		assert_null(place.cases);
		close_place(&place);
	}
}

static void entities_load_no_file(void **unused)
{
	struct place place;

	(void)unused;
	open_place(&place);
	put(&place, "a.xml",
	        "<!DOCTYPE testsuite [<!ENTITY secret SYSTEM 'file:///etc/passwd'>]><testsuite><testcase name='x'>"
	        "<failure>&secret;</failure></testcase></testsuite>");
	assert_int_equal(junit_read(place.pattern, place.since, &place.cases, &place.err), -GR_COMMAND);
	assert_non_null(strstr(place.err.text, "has a document type"));
	close_place(&place);
}

/* Half a secret would be none that a redactor knows. */
static void long_reasons_end_with_a_whole_word(void **unused)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	struct place place;

	(void)unused;
	open_place(&place);
	buffer_printf(&text,
	        "<testsuite><testcase name='x'><failure message='%*s KqSecretZz'>%*s KqSecretZz end</failure>",
	        (64 << 10) - 4, "a", (64 << 10) - 7, "b");
	buffer_add_text(&text, "</testcase></testsuite>");
	put(&place, "a.xml", buffer_text(&text));
	assert_int_equal(junit_read(place.pattern, place.since, &place.cases, &place.err), 0);
	assert_non_null(strchr(text_at(&place, 0, "reason"), 'b'));
	assert_null(strstr(text_at(&place, 0, "reason"), "Kq"));
	close_place(&place);
}

static void no_file_is_no_case(void **unused)
{
	struct place place;

	(void)unused;
	open_place(&place);
	assert_int_equal(junit_read(place.pattern, place.since, &place.cases, &place.err), 0);
	assert_int_equal(json_array_size(place.cases), 0);
	close_place(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reads_the_cases_of_all_files),
	        cmocka_unit_test(files_of_an_earlier_run_prove_nothing),
	        cmocka_unit_test(other_files_are_refused),
	        cmocka_unit_test(entities_load_no_file),
	        cmocka_unit_test(long_reasons_end_with_a_whole_word),
	        cmocka_unit_test(no_file_is_no_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
