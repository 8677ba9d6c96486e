#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "pipelines/load.h"
#include "pipelines/node.h"
#include "tests/unit/pipelines/tree.h"

/* Every hostile file is refused within this time, sanitizers and valgrind included. */
#define HOSTILE_MS 5000

static struct node *load_bytes(const char *text, size_t bytes, char **ret_findings)
{
	struct diagnostics diagnostics = {0};
	struct node *root = NULL;

	tree_load(text, bytes, &root, &diagnostics);
	*ret_findings = findings_text(&diagnostics);
	diagnostics_release(&diagnostics);
	return root;
}

/* The value of a whole text, as JSON; the findings when there are any. */
static char *value_of(const char *text)
{
	GR_AUTO_FREE char *findings = NULL;
	GR_AUTO_JSON json_t *value = NULL;
	struct node *root = load_bytes(text, strlen(text), &findings);
	char *json;

	if (findings[0] != '\0') {
		node_free(root);
		return gr_take(&findings);
	}
	assert_non_null(root);
	assert_int_equal(node_evaluate(root, NULL, &value, NULL), 0);
	node_free(root);
	json = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(12));
	assert_non_null(json);
	return json;
}

struct example {
	const char *text, *wanted;
};

static void check_examples(const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *got = value_of(examples[i].text);

		if (strcmp(got, examples[i].wanted) != 0)
			fail_msg("%s\n  gave   %s\n  wanted %s", examples[i].text, got, examples[i].wanted);
		gr_free(got);
	}
}

static void it_types_plain_scalars_by_the_core_schema_alone(void **state)
{
	static const struct example examples[] = {{"[null, ~, '', \"\"]", "[null,null,\"\",\"\"]"},
	        {"a:", "{\"a\":null}"}, {"[true, false]", "[true,false]"},
	        {"[yes, no, on, off, True, FALSE, y]", "[\"yes\",\"no\",\"on\",\"off\",\"True\",\"FALSE\",\"y\"]"},
	        {"[1, -2, +3, 0, 007, 0x1f, 0o17, 1_000]", "[1,-2,3,0,\"007\",\"0x1f\",\"0o17\",\"1_000\"]"},
	        {"[1.5, -0.25, .5, 1e3, 1.]", "[1.5,-0.25,\".5\",1000.0,\"1.\"]"},
	        {"[.inf, .nan, 1e, e1, -, +, ., 1.2.3]",
	                "[\".inf\",\".nan\",\"1e\",\"e1\",\"-\",\"+\",\".\",\"1.2.3\"]"},
	        {"['1', \"true\", 'null']", "[\"1\",\"true\",\"null\"]"},
	        {"[!!str 1, !!str true, !!int 1, !!float 1.5, !!bool true, !!null null, ! 1]",
	                "[\"1\",\"true\",1,1.5,true,null,\"1\"]"},
	        {"9007199254740993", "\"9007199254740993\""}, {"2026-01-01", "\"2026-01-01\""},
	        {"12:30:45", "\"12:30:45\""}, {"|\n  a\n  b\n", "\"a\\nb\\n\""}, {">-\n  a\n  b\n", "\"a b\""},
	        {"h\xc3\xa9", "\"h\xc3\xa9\""}};

	(void)state;
	check_examples(examples, GR_COUNT(examples));
}

static void it_expands_anchors_and_merges(void **state)
{
	static const struct example examples[] = {
	        {"{a: &x [1, {b: 2}], c: *x}", "{\"a\":[1,{\"b\":2}],\"c\":[1,{\"b\":2}]}"},
	        {"{a: &x {k: 1, l: 2}, b: {<<: *x, l: 3}}", "{\"a\":{\"k\":1,\"l\":2},\"b\":{\"l\":3,\"k\":1}}"},
	        {"{a: &x {k: 1}, b: &y {k: 2, m: 4}, c: {<<: [*x, *y]}}",
	                "{\"a\":{\"k\":1},\"b\":{\"k\":2,\"m\":4},\"c\":{\"k\":1,\"m\":4}}"},
	        {"{a: {<<: &x {k: 1}}, b: *x}", "{\"a\":{\"k\":1},\"b\":{\"k\":1}}"},
	        {"{'<<': {k: 1}}", "{\"<<\":{\"k\":1}}"}, {"{a: &x 1, b: &x 2, c: *x}", "{\"a\":1,\"b\":2,\"c\":2}"},
	        {"{a: {<<: {}}}", "{\"a\":{}}"}};

	(void)state;
	check_examples(examples, GR_COUNT(examples));
}

static void it_refuses_what_yaml_lets_through(void **state)
{
	static const struct example examples[] = {{"{a: 1, a: 2}", "1:8: the key 'a' is here twice: first in line 1\n"},
	        {"a: 1\nb: 2\na: 3\n'b': 4\n", "3:1: the key 'a' is here twice: first in line 1\n4:1: the key 'b' is "
	                                       "here twice: first in line 2\n"},
	        {"{a: {<<: 1}}", "1:10: '<<' takes a map, or a list of maps: nothing else can be merged\n"},
	        {"{<<: {a: 1}, <<: {b: 1}}", "1:14: the key '<<' is here twice: first in line 1\n"},
	        {"!!python/name:os.system x",
	                "1:1: tags other than YAML's own (!!str, !!int, !!map, ...) are not known here\n"},
	        {"!own x", "1:1: tags other than YAML's own (!!str, !!int, !!map, ...) are not known here\n"},
	        {"!!binary aGk=", "1:1: tags other than YAML's own (!!str, !!int, !!map, ...) are not known here\n"},
	        {"!!int abc", "1:1: this tag does not fit the value that it stands before\n"},
	        {"!!map [1]", "1:1: this tag does not fit the value that it stands before\n"},
	        {"!!bool yes", "1:1: this tag does not fit the value that it stands before\n"},
	        {"? {a: 1}\n: 2\n", "1:3: a key must be a single word or text, not a list or a map\n"},
	        {"a: &x 1\n*x : 2\n", "2:1: an alias cannot be a key\n"},
	        {"&x [*x]", "1:5: this alias stands inside the value that it names\n"},
	        {"&x {a: [{b: *x}]}", "1:13: this alias stands inside the value that it names\n"},
	        {"[*x]", "1:2: no anchor '&x' stands before this alias\n"},
	        {"a: 1\n---\nb: 2\n", "2:1: a second document begins here; a pipeline file holds one\n"},
	        {"\"a\\0b\"", "1:1: this text holds a NUL character\n"},
	        {"a: [1", "2:1: this is not valid YAML: did not find expected ',' or ']'\n"},
	        {"a:\n\tb: 1\n", "2:1: a tab is no indentation in YAML\n"},
	        {"a:\n  - b: 1\n  \tc: 1\n", "3:3: a tab is no indentation in YAML\n"},
	        {"a: ${{ 1", "1:4: '${{' has no closing '}}'\n"},
	        {"a: \"h\xc3\xa9 ${{ # }}\"", "1:12: this character has no meaning in an expression\n"}};

	(void)state;
	check_examples(examples, GR_COUNT(examples));
}

static void it_reads_utf8_alone(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
		const char *wanted;
	} examples[] = {{"\xff\xfe"
	                 "a\0",
	                        4, "1:1: the file is in UTF-16; only UTF-8 is read\n"},
	        {"\xfe\xff\0a", 4, "1:1: the file is in UTF-16; only UTF-8 is read\n"},
	        {"a\0b", 3, "1:1: the file holds a NUL byte; it is not a text file in UTF-8\n"},
	        {"a: caf\xe9", 7, "1:1: the file is not valid UTF-8\n"},
	        {"\xef\xbb\xbf"
	         "a: 1",
	                7, ""},
	        {"", 0, ""}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(examples); i++) {
		char *findings = NULL;
		struct node *root = load_bytes(examples[i].text, examples[i].bytes, &findings);

		assert_string_equal(findings, examples[i].wanted);
		gr_free(findings);
		node_free(root);
	}
}

static void it_knows_where_everything_stands(void **state)
{
	static const char text[] = "a: 1\nh\xc3\xa9: [x, \"y\", *q]\n# c\nb:\n  - k: 'v'\n";
	GR_AUTO_FREE char *source = gr_printf("q: &q 1\n%s", text);
	GR_AUTO_FREE char *findings = NULL;
	struct node *root = load_bytes(source, strlen(source), &findings);
	const struct node *list;

	(void)state;
	assert_string_equal(findings, "");
	assert_int_equal(node_member(root, "a")->line, 2);
	assert_int_equal(node_member(root, "a")->column, 4);
	list = node_member(root, "h\xc3\xa9");
	assert_int_equal(list->column, 5); /* columns count characters */
	assert_int_equal(list->items[1]->column, 9);
	assert_int_equal(list->items[1]->text_column, 10); /* behind the quote */
	assert_int_equal(list->items[2]->line, 1); /* an alias says where its anchor is */
	assert_int_equal(node_member(root, "b")->items[0]->keys[0]->line, 6);
	assert_int_equal(node_member(root, "b")->items[0]->keys[0]->column, 5);
	assert_null(node_member(root, "none"));
	assert_null(node_member(NULL, "a"));
	node_free(root);
}

static void it_gives_texts_with_breaks_the_place_of_their_beginning(void **state)
{
	static const char text[] = "a: |\n  x ${{ # }}\n";
	GR_AUTO_FREE char *findings = NULL;
	struct node *root = load_bytes(text, strlen(text), &findings);

	(void)state;
	assert_string_equal(findings, "1:4: this character has no meaning in an expression\n");
	node_free(root);
}

static void it_evaluates_with_a_scope(void **state)
{
	GR_AUTO_JSON json_t *scope = json_loads("{\"inputs\": {\"n\": 3}}", 0, NULL);
	GR_AUTO_JSON json_t *value = NULL;
	GR_AUTO_FREE char *findings = NULL;
	struct gr_error err = {0};
	static const char text[] = "{a: '${{ inputs.n }}', b: ['${{ inputs.n }}x'], c: {d: \"${{ inputs.m }}y\"}}";
	struct node *root = load_bytes(text, strlen(text), &findings);
	char *json;

	(void)state;
	assert_int_equal(node_evaluate(node_member(root, "a"), scope, &value, &err), 0);
	assert_int_equal(json_integer_value(value), 3);
	json_decref(value);
	assert_int_equal(node_evaluate(node_member(root, "b"), scope, &value, &err), 0);
	json = json_dumps(value, JSON_COMPACT);
	assert_string_equal(json, "[\"3x\"]");
	gr_free(json);
	json_decref(gr_take(&value));
	assert_int_equal(node_evaluate(root, scope, &value, &err), -GR_CONFIG);
	assert_null(value);
	assert_int_equal(err.line, 1);
	assert_int_equal(err.column, 68);
	node_free(root);
}

/* ---- hostile files ---- */

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void refuse(const struct buffer *text, const char *words)
{
	GR_AUTO_FREE char *findings = NULL;
	int64_t begin = now_ms();
	struct node *root = load_bytes(buffer_text(text), text->bytes, &findings);

	assert_null(root);
	assert_true(now_ms() - begin < HOSTILE_MS);
	if (strstr(findings, words) == NULL)
		fail_msg("wanted '%s', got '%.300s'", words, findings);
	assert_true(findings[0] >= '1' && findings[0] <= '9'); /* it has a place */
}

static void add_times(struct buffer *text, const char *part, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buffer_add_text(text, part);
}

static void it_stops_at_the_depth_limit(void **state)
{
	static const char *const parts[] = {"[", "{a: ", "- ", "? - ", "[{x: "};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(parts); i++) {
		GR_AUTO_BUFFER struct buffer text = {0};

		add_times(&text, parts[i], 100000 / strlen(parts[i]));
		refuse(&text, i == 3 ? "a key must be" : "nested more than 64 levels deep");
	}
}

static void it_takes_64_levels_and_no_more(void **state)
{
	(void)state;
	for (size_t depth = TREE_MOST_DEPTH; depth <= TREE_MOST_DEPTH + 1; depth++) {
		GR_AUTO_BUFFER struct buffer text = {0};
		GR_AUTO_FREE char *findings = NULL;
		struct node *root;

		add_times(&text, "[", depth);
		add_times(&text, "]", depth);
		root = load_bytes(buffer_text(&text), text.bytes, &findings);
		assert_int_equal(root != NULL, depth == TREE_MOST_DEPTH);
		node_free(root);
	}
}

static void it_stops_alias_bombs_while_they_expand(void **state)
{
	GR_AUTO_BUFFER struct buffer bomb = {0}, uses = {0}, deep = {0};

	(void)state;
	buffer_add_text(&bomb, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 9; i++) {
		buffer_printf(&bomb, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			buffer_printf(&bomb, "*a%d, ", i - 1);
		buffer_add_text(&bomb, "]\n");
	}
	refuse(&bomb, "more than 10000 values");
	buffer_add_text(&uses, "a: &a x\nb: [");
	add_times(&uses, "*a, ", TREE_MOST_ALIASES + 1);
	buffer_add_text(&uses, "]\n");
	refuse(&uses, "more than 100 aliases");
	buffer_add_text(&deep, "a: &a ");
	add_times(&deep, "[", 40);
	add_times(&deep, "]", 40);
	buffer_add_text(&deep, "\nb: ");
	add_times(&deep, "[", 40);
	buffer_add_text(&deep, "*a");
	refuse(&deep, "with this alias");
}

static void it_counts_what_merges_copy(void **state)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	GR_AUTO_FREE char *findings = NULL;
	struct node *root;

	(void)state;
	buffer_add_text(&text, "x: &x {");
	for (int i = 0; i < 3000; i++)
		buffer_printf(&text, "k%d: 1, ", i);
	buffer_add_text(&text, "}\n");
	for (int i = 0; i < 5; i++)
		buffer_printf(&text, "m%d: {<<: *x}\n", i);
	root = load_bytes(buffer_text(&text), text.bytes, &findings);
	assert_non_null(strstr(findings, "stand for more than 10000 values"));
	node_free(root);
}

static void it_stops_at_the_limits_of_size(void **state)
{
	GR_AUTO_BUFFER struct buffer scalar = {0}, nodes = {0}, bytes = {0}, key = {0};

	(void)state;
	buffer_add_text(&scalar, "name: ");
	add_times(&scalar, "x", TREE_MOST_SCALAR_BYTES + 1);
	refuse(&scalar, "1:7: this text is longer than 64 KiB");
	add_times(&key, "k", TREE_MOST_SCALAR_BYTES + 1);
	buffer_add_text(&key, "\n");
	refuse(&key, "longer than 64 KiB");
	buffer_add_text(&nodes, "[");
	add_times(&nodes, "1,", TREE_MOST_NODES);
	refuse(&nodes, "more than 100000 values");
	add_times(&bytes, "# a comment of some bytes\n", TREE_MOST_BYTES / 26 + 1);
	refuse(&bytes, "larger than 1 MiB");
}

static void it_stops_long_expressions_quickly(void **state)
{
	static const char *const parts[] = {
	        "${{ env.A }}", "${{ ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1 }}"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(parts); i++) {
		GR_AUTO_BUFFER struct buffer text = {0};
		GR_AUTO_FREE char *findings = NULL;
		int64_t begin = now_ms();
		struct node *root;

		buffer_add_text(&text, "a: \"");
		add_times(&text, parts[i], 60000 / strlen(parts[i]));
		buffer_add_text(&text, "\"\n");
		root = load_bytes(buffer_text(&text), text.bytes, &findings);
		assert_true(now_ms() - begin < HOSTILE_MS);
		assert_string_not_equal(findings, "");
		node_free(root);
	}
}

static void it_says_many_duplicates_once_and_ends(void **state)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	GR_AUTO_FREE char *findings = NULL;
	struct node *root;

	(void)state;
	add_times(&text, "a: 1\n", 40000);
	root = load_bytes(buffer_text(&text), text.bytes, &findings);
	assert_non_null(strstr(findings, "more than 500 findings; the others are not shown"));
	node_free(root);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_types_plain_scalars_by_the_core_schema_alone),
	        cmocka_unit_test(it_expands_anchors_and_merges),
	        cmocka_unit_test(it_refuses_what_yaml_lets_through),
	        cmocka_unit_test(it_reads_utf8_alone),
	        cmocka_unit_test(it_knows_where_everything_stands),
	        cmocka_unit_test(it_gives_texts_with_breaks_the_place_of_their_beginning),
	        cmocka_unit_test(it_evaluates_with_a_scope),
	        cmocka_unit_test(it_stops_at_the_depth_limit),
	        cmocka_unit_test(it_takes_64_levels_and_no_more),
	        cmocka_unit_test(it_stops_alias_bombs_while_they_expand),
	        cmocka_unit_test(it_counts_what_merges_copy),
	        cmocka_unit_test(it_stops_at_the_limits_of_size),
	        cmocka_unit_test(it_stops_long_expressions_quickly),
	        cmocka_unit_test(it_says_many_duplicates_once_and_ends),
	};

	gr_memory_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
