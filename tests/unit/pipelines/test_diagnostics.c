#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/pipelines/tree.h"

static struct diagnostics diagnostics_of(const char *source)
{
	return (struct diagnostics){.file = gr_strdup("ci/shop.yml"), .source = gr_strdup(source)};
}

static struct place at(unsigned line, unsigned column)
{
	return (struct place){.line = line, .column = column};
}

/* Sort, print and release. */
static char *print(struct diagnostics *diagnostics, void (*printer)(const struct diagnostics *, struct buffer *))
{
	struct buffer out = {0};

	findings_sort(diagnostics);
	printer(diagnostics, &out);
	diagnostics_release(diagnostics);
	return buffer_take(&out);
}

static void it_marks_the_word_under_its_line(void **state)
{
	struct diagnostics diagnostics = diagnostics_of("version: 1\n  nmae: shop\n");
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	findings_add(&diagnostics, at(2, 3), "did you mean 'name'?", "unknown key '%s'", "nmae");
	text = print(&diagnostics, diagnostics_print_text);
	assert_string_equal(text, "ci/shop.yml:2:3: error: unknown key 'nmae'\n"
	                          "     2 |   nmae: shop\n"
	                          "       |   ^~~~\n"
	                          "       = did you mean 'name'?\n");
}

static void it_counts_characters_and_not_bytes(void **state)
{
	struct diagnostics diagnostics = diagnostics_of("h\xc3\xa9h\xc3\xa9: \tw\xc3\xb6rd\r\n");
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	findings_add(&diagnostics, at(1, 8), NULL, "wrong");
	text = print(&diagnostics, diagnostics_print_text);
	assert_string_equal(text, "ci/shop.yml:1:8: error: wrong\n"
	                          "     1 | h\xc3\xa9h\xc3\xa9:  w\xc3\xb6rd\n"
	                          "       |        ^~~~\n");
}

static void it_prints_findings_in_the_order_of_the_file(void **state)
{
	struct diagnostics diagnostics = diagnostics_of("a\nb\n");
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	findings_add(&diagnostics, at(2, 1), NULL, "second");
	findings_warn(&diagnostics, at(1, 1), NULL, "warned");
	findings_add(&diagnostics, at(1, 1), NULL, "first");
	findings_add(&diagnostics, at(0, 0), NULL, "of the command line");
	findings_add(&diagnostics, at(1, 1), NULL, "first");
	assert_int_equal(diagnostics.count, 4); /* the same words at the same place are said once */
	assert_int_equal(diagnostics.errors, 3);
	findings_sort(&diagnostics);
	text = findings_text(&diagnostics);
	assert_string_equal(text, "0:0: of the command line\n1:1: first\n1:1: warning: warned\n2:1: second\n");
	diagnostics_release(&diagnostics);
}

static void it_prints_a_finding_without_a_place(void **state)
{
	struct diagnostics diagnostics = diagnostics_of("a\n");
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	findings_add(&diagnostics, at(0, 0), NULL, "no input 'x'");
	text = print(&diagnostics, diagnostics_print_text);
	assert_string_equal(text, "ci/shop.yml: error: no input 'x'\n");
}

static void it_survives_places_outside_of_the_file(void **state)
{
	static const unsigned places[][2] = {{9, 1}, {1, 99}, {2, 1}, {1, 0}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(places); i++) {
		struct diagnostics diagnostics = diagnostics_of("abc\n");
		GR_AUTO_FREE char *text = NULL;

		findings_add(&diagnostics, at(places[i][0], places[i][1]), NULL, "wrong");
		text = print(&diagnostics, diagnostics_print_text);
		assert_non_null(strstr(text, "error: wrong\n"));
	}
}

static void it_shows_a_long_line_around_the_place(void **state)
{
	char *line = gr_alloc(5001, 1);
	struct diagnostics diagnostics;
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	memset(line, 'x', 5000);
	line[2999] = ' ';
	memcpy(line + 3000, "here ", 5);
	diagnostics = diagnostics_of(line);
	gr_free(line);
	findings_add(&diagnostics, at(1, 3001), NULL, "wrong");
	text = print(&diagnostics, diagnostics_print_text);
	assert_true(strlen(text) < 500);
	assert_non_null(strstr(text, " here "));
	assert_non_null(strstr(text, " ^~~~\n"));
}

static void it_makes_hostile_text_harmless(void **state)
{
	struct diagnostics diagnostics = diagnostics_of("a: \x1b]0;title\x07\xe2\x80\xae ##[error]x\n");
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	findings_add(&diagnostics, at(1, 1), "hint \x1b[31m", "unknown '%s'", "\x1b[2J::set-env\n");
	text = print(&diagnostics, diagnostics_print_text);
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\x07'));
	assert_null(strstr(text, "##[error]"));
	assert_non_null(strstr(text, "::set-env\\n'"));
}

static void it_prints_json(void **state)
{
	struct diagnostics diagnostics = diagnostics_of("name: x\n");
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_JSON json_t *json = NULL;
	const json_t *item;

	(void)state;
	findings_warn(&diagnostics, at(1, 1), "a hint", "a \"warning\"");
	findings_add(&diagnostics, at(0, 0), NULL, "no place");
	text = print(&diagnostics, diagnostics_print_json);
	json = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(json), 2);
	item = json_array_get(json, 1);
	assert_string_equal(json_string_value(json_object_get(item, "file")), "ci/shop.yml");
	assert_int_equal(json_integer_value(json_object_get(item, "line")), 1);
	assert_int_equal(json_integer_value(json_object_get(item, "length")), 4);
	assert_string_equal(json_string_value(json_object_get(item, "severity")), "warning");
	assert_string_equal(json_string_value(json_object_get(item, "type")), "config");
	assert_string_equal(json_string_value(json_object_get(item, "message")), "a \"warning\"");
	assert_string_equal(json_string_value(json_object_get(item, "hint")), "a hint");
	assert_null(json_object_get(json_array_get(json, 0), "line"));
}

static void it_prints_an_empty_json_list(void **state)
{
	struct diagnostics diagnostics = diagnostics_of("");
	GR_AUTO_FREE char *text = print(&diagnostics, diagnostics_print_json);

	(void)state;
	assert_string_equal(text, "[]\n");
}

static void it_prints_annotations_for_github(void **state)
{
	struct diagnostics diagnostics = diagnostics_of("name: x\n");
	GR_AUTO_FREE char *text = NULL;

	(void)state;
	gr_free(diagnostics.file);
	diagnostics.file = gr_strdup("a,b:c%.yml");
	findings_add(&diagnostics, at(1, 1), "100% sure?", "50%% wrong");
	findings_warn(&diagnostics, at(0, 0), NULL, "no place");
	text = print(&diagnostics, diagnostics_print_github);
	assert_string_equal(text,
	        "::warning file=a%2Cb%3Ac%25.yml,title=gridlane::no place\n"
	        "::error file=a%2Cb%3Ac%25.yml,line=1,col=1,endColumn=5,title=gridlane::50%25 wrong; 100%25 sure?\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_marks_the_word_under_its_line),
	        cmocka_unit_test(it_counts_characters_and_not_bytes),
	        cmocka_unit_test(it_prints_findings_in_the_order_of_the_file),
	        cmocka_unit_test(it_prints_a_finding_without_a_place),
	        cmocka_unit_test(it_survives_places_outside_of_the_file),
	        cmocka_unit_test(it_shows_a_long_line_around_the_place),
	        cmocka_unit_test(it_makes_hostile_text_harmless),
	        cmocka_unit_test(it_prints_json),
	        cmocka_unit_test(it_prints_an_empty_json_list),
	        cmocka_unit_test(it_prints_annotations_for_github),
	};

	gr_memory_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
