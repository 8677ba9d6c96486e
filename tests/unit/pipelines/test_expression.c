#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "pipelines/expression.h"
#include "pipelines/term.h"
#include "runner/base/memory.h"

#define SCOPE                                                                                                          \
	"{\"inputs\": {\"n\": 3, \"r\": 0.5, \"s\": \"Shop\", \"yes\": true, \"nothing\": null, \"e\": \"\", "         \
	"\"list\": [\"a\", 2]},"                                                                                       \
	" \"env\": {\"HOME\": \"/root\"}, \"results\": {\"pass_rate\": 0.97, \"failed\": 3}, \"steps\": {\"a\": "      \
	"{\"x\": {\"y\": [10, 20]}}}}"

static json_t *scope_new(void)
{
	json_t *scope = json_loads(SCOPE, 0, NULL);

	assert_non_null(scope);
	return scope;
}

/* What the expression gives, as JSON; "ERROR column: words" when it fails. */
static char *evaluate(const char *text)
{
	GR_AUTO_JSON json_t *scope = scope_new();
	GR_AUTO_JSON json_t *value = NULL;
	struct expression *expression = NULL;
	struct gr_error err = {0};
	int result = expression_compile(text, 1, 1, &expression, &err);

	if (result == 0)
		result = expression_evaluate(expression, scope, &value, &err);
	expression_free(expression);
	if (result != 0) {
		assert_int_equal(result, -GR_CONFIG);
		assert_int_equal(err.line, 1);
		return gr_printf("ERROR %u: %s", err.column, err.text);
	}
	return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(10));
}

struct example {
	const char *text, *wanted;
};

static void check_examples(const struct example *examples, size_t count, char *(*evaluator)(const char *))
{
	for (size_t i = 0; i < count; i++) {
		char *got = evaluator(examples[i].text);

		if (strcmp(got, examples[i].wanted) != 0)
			fail_msg("%s\n  gave   %s\n  wanted %s", examples[i].text, got, examples[i].wanted);
		gr_free(got);
	}
}

static void it_reads_literals(void **state)
{
	static const struct example examples[] = {{"1", "1"}, {"-7", "-7"}, {"0.98", "0.98"}, {"1e3", "1000.0"},
	        {"true", "true"}, {"false", "false"}, {"null", "null"}, {"'a b'", "\"a b\""}, {"\"x\"", "\"x\""},
	        {"'it''s'", "\"it's\""}, {"''", "\"\""}, {"'''a'", "\"'a\""}, {"'\"'", "\"\\\"\""},
	        {"[1, 'a', [true]]", "[1,\"a\",[true]]"}, {"[]", "[]"}, {"  12  ", "12"},
	        {"'h\xc3\xa9'", "\"h\xc3\xa9\""}};

	(void)state;
	check_examples(examples, GR_COUNT(examples), evaluate);
}

static void it_binds_operators_in_their_order(void **state)
{
	static const struct example examples[] = {{"true || false && false", "true"}, {"!true || true", "true"},
	        {"!(true || true)", "false"}, {"1 < 2 == true", "true"}, {"1 == 1 && 2 == 2", "true"},
	        {"inputs.nothing ?? false || true", "true"}, {"true ? 1 : false ? 2 : 3", "1"},
	        {"false ? 1 : false ? 2 : 3", "3"}, {"false || true ? 'a' : 'b'", "\"a\""}, {"!!true", "true"},
	        {"(((1)))", "1"}, {"null ?? null ?? 4", "4"}};

	(void)state;
	check_examples(examples, GR_COUNT(examples), evaluate);
}

static void it_reads_members_and_items(void **state)
{
	static const struct example examples[] = {{"inputs.s", "\"Shop\""}, {"steps.a.x.y[1]", "20"},
	        {"inputs['s']", "\"Shop\""}, {"inputs.unknown", "null"}, {"inputs.unknown.deeper", "null"},
	        {"inputs.nothing[3]", "null"}, {"env.HOME", "\"/root\""}, {"env.NOT_SET ?? 'local'", "\"local\""},
	        {"inputs.list[0]", "\"a\""},
	        {"inputs.list[2]", "ERROR 12: index 2 is out of range: the list has 2 items"},
	        {"inputs.list[-1]", "ERROR 12: index -1 is out of range: the list has 2 items"},
	        {"inputs.s[0]", "ERROR 9: text cannot be indexed with a number"},
	        {"inputs.n.x", "ERROR 10: a number has no member 'x'"},
	        {"inputs.list.x", "ERROR 13: a list has no member 'x'"}};

	(void)state;
	check_examples(examples, GR_COUNT(examples), evaluate);
}

static void it_compares_without_guessing(void **state)
{
	static const struct example examples[] = {{"1 == 1.0", "true"}, {"inputs.n > 2.5", "true"},
	        {"'a' == 'A'", "false"}, {"'a' != 'b'", "true"}, {"null == null", "true"},
	        {"inputs.n == null", "false"}, {"null != 'x'", "true"}, {"[1] == [1]", "true"},
	        {"inputs.n <= 3 && inputs.n >= 3", "true"},
	        {"inputs.n == '3'", "ERROR 10: a number cannot be compared with text"},
	        {"true == 'true'", "ERROR 6: a boolean cannot be compared with text"},
	        {"'a' < 'b'", "ERROR 5: '<' compares numbers, not text with text"},
	        {"null < 1", "ERROR 6: '<' compares numbers, not null with a number"},
	        {"inputs.n && true", "ERROR 8: a boolean is needed here, not a number"},
	        {"!inputs.s", "ERROR 9: a boolean is needed here, not text"}, {"false && inputs.n", "false"},
	        {"true || inputs.n", "true"}, {"inputs.s ? 1 : 2", "ERROR 8: a boolean is needed here, not text"}};

	(void)state;
	check_examples(examples, GR_COUNT(examples), evaluate);
}

static void it_calls_functions(void **state)
{
	static const struct example examples[] = {{"contains('shopping', 'shop')", "true"},
	        {"contains(inputs.list, 2)", "true"}, {"contains(inputs.list, '2')", "false"},
	        {"startsWith(inputs.s, 'Sh')", "true"}, {"endsWith('a.apk', '.apk')", "true"},
	        {"endsWith('k', '.apk')", "false"}, {"format('{0}-{1} {{}}', inputs.s, 2)", "\"Shop-2 {}\""},
	        {"format('{1}', 1)", "ERROR 1: format(): the format has {1}, but only 1 arguments follow it"},
	        {"format('{x}', 1)", "ERROR 1: format(): '{' begins a place such as {0}; write '{{' for a brace"},
	        {"format('{0}', null)", "ERROR 1: format(): null cannot stand inside text"},
	        {"join(inputs.list)", "\"a,2\""}, {"join(inputs.list, ' ')", "\"a 2\""}, {"join([], 'x')", "\"\""},
	        {"length('h\xc3\xa9')", "2"}, {"length(inputs.list)", "2"}, {"length(inputs)", "7"},
	        {"length(3)", "ERROR 1: length(): text, a list or a map is needed, not a number"},
	        {"basename('a/b/c.apk')", "\"c.apk\""}, {"basename('c.apk')", "\"c.apk\""},
	        {"toJSON(inputs.list)", "\"[\\\"a\\\",2]\""}, {"fromJSON('{\"a\": [1]}').a[0]", "1"},
	        {"default(inputs.e, 'x')", "\"x\""}, {"default(inputs.nothing, 'x')", "\"x\""},
	        {"default(inputs.s, 'x')", "\"Shop\""},
	        {"startsWith(1, 'a')", "ERROR 1: startsWith(): text is needed, not a number"},
	        {"contians('a', 'b')", "ERROR 1: there is no function 'contians'; did you mean 'contains'?"},
	        {"length()", "ERROR 1: wrong number of arguments; it is written length(text, list or map)"}};

	(void)state;
	check_examples(examples, GR_COUNT(examples), evaluate);
}

static void it_hashes_a_file(void **state)
{
	(void)state;
	assert_int_equal(chdir(TESTS_DATA "/pipelines"), 0);
	{
		static const struct example examples[] = {
		        {"hashFile('hello.txt')",
		                "\"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\""},
		        {"hashFile('none.txt')", "ERROR 1: hashFile(): no file matches 'none.txt'"}};

		check_examples(examples, GR_COUNT(examples), evaluate);
	}
}

static void it_says_where_the_text_is_wrong(void **state)
{
	static const struct example examples[] = {{"", "ERROR 1: the expression ends here, where a value is expected"},
	        {"1 +", "ERROR 3: expressions have no arithmetic; compute it in a `run` step"},
	        {"a = 1", "ERROR 3: '=' is not an operator here; '==' compares"},
	        {"'abc", "ERROR 1: the text that begins here has no closing quote"},
	        {"a b", "ERROR 3: the expression is complete before this; an operator is missing"},
	        {"(1", "ERROR 3: expected ')' here"}, {"[1 2]", "ERROR 4: expected ',' here"},
	        {"a.", "ERROR 3: expected a name after '.'"}, {"true ? 1", "ERROR 9: expected ':' here"},
	        {"#", "ERROR 1: this character has no meaning in an expression"},
	        {"1.2.3", "ERROR 1: this is not a number"},
	        {"'h\xc3\xa9' # x", "ERROR 6: this character has no meaning in an expression"},
	        {"${{ 1 }} > 0", "ERROR 9: this is one expression already; write it without '${{ }}'"},
	        {"${{ 1", "ERROR 1: '${{' has no closing '}}'"},
	        {"a & b", "ERROR 3: '&' and '|' are not operators here; write '&&' and '||'"}};

	(void)state;
	check_examples(examples, GR_COUNT(examples), evaluate);
}

static void it_takes_an_expression_in_braces(void **state)
{
	static const struct example examples[] = {{"${{ inputs.n == 3 }}", "true"}, {" ${{ '}}' }} ", "\"}}\""}};

	(void)state;
	check_examples(examples, GR_COUNT(examples), evaluate);
}

static char *fill(const char *text)
{
	GR_AUTO_JSON json_t *scope = scope_new();
	GR_AUTO_JSON json_t *value = NULL;
	struct expression *template = NULL;
	struct gr_error err = {0};
	int result = template_compile(text, 1, 1, &template, &err);

	if (result == 0 && template == NULL)
		return gr_strdup("NO HOLES");
	if (result == 0)
		result = expression_evaluate(template, scope, &value, &err);
	expression_free(template);
	if (result != 0)
		return gr_printf("ERROR %u: %s", err.column, err.text);
	return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(10));
}

static void it_fills_holes_in_text(void **state)
{
	static const struct example examples[] = {{"plain {{ }} $x", "NO HOLES"}, {"${{ inputs.n }}", "3"},
	        {"${{ inputs.list }}", "[\"a\",2]"}, {"n=${{ inputs.n }}", "\"n=3\""},
	        {"${{ inputs.r }}/${{ inputs.yes }}", "\"0.5/true\""}, {"${{ 0.1 }} ", "\"0.1 \""},
	        {"a ${{ '}} b' }} c", "\"a }} b c\""}, {"${{ '${{' }} x", "\"${{ x\""},
	        {"a ${{ inputs.nothing }}",
	                "ERROR 14: 'nothing' is not set; null cannot stand inside text; ?? gives it a fallback"},
	        {"a ${{ null }}", "ERROR 7: null cannot stand inside text"},
	        {"a ${{ inputs.list }}", "ERROR 14: a list cannot stand inside text"},
	        {"a ${{ inputs }}", "ERROR 7: a map cannot stand inside text"},
	        {"a ${{ 1", "ERROR 3: '${{' has no closing '}}'"},
	        {"h\xc3\xa9 ${{ # }}", "ERROR 8: this character has no meaning in an expression"}};

	(void)state;
	check_examples(examples, GR_COUNT(examples), fill);
}

static char *repeat(const char *part, size_t count, const char *end)
{
	size_t bytes = strlen(part);
	char *text = gr_alloc(bytes * count + strlen(end) + 1, 1);

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * bytes, part, bytes);
	memcpy(text + bytes * count, end, strlen(end));
	return text;
}

static void it_refuses_what_is_nested_too_deeply(void **state)
{
	static const struct example parts[] = {{"(", "1"}, {"[", "1"}, {"!", "true"}, {"true && ", "true"},
	        {"true ? 1 : ", "1"}, {"length(", "1"}, {"a[", "1"}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(parts); i++) {
		GR_AUTO_FREE char *text = repeat(parts[i].text, 5000, parts[i].wanted);
		struct expression *expression = NULL;
		struct gr_error err = {0};

		assert_int_equal(expression_compile(text, 1, 1, &expression, &err), -GR_CONFIG);
		assert_null(expression);
		assert_non_null(strstr(err.text, "too "));
	}
}

static void it_takes_long_chains_within_the_limit(void **state)
{
	GR_AUTO_FREE char *text = repeat("true && ", 200, "true");
	GR_AUTO_FREE char *got = NULL;

	(void)state;
	got = evaluate(text);
	assert_string_equal(got, "true");
}

static void it_needs_a_boolean_for_a_condition(void **state)
{
	GR_AUTO_JSON json_t *scope = scope_new();
	struct expression *expression = NULL;
	struct gr_error err = {0};
	bool is_true = false;

	(void)state;
	assert_int_equal(expression_compile("inputs.n == 3", 4, 5, &expression, &err), 0);
	assert_int_equal(expression_is_true(expression, scope, &is_true, &err), 0);
	assert_true(is_true);
	expression_free(expression);
	assert_int_equal(expression_compile("inputs.n", 4, 5, &expression, &err), 0);
	assert_int_equal(expression_is_true(expression, scope, &is_true, &err), -GR_CONFIG);
	assert_int_equal(err.line, 4);
	assert_int_equal(err.column, 12);
	expression_free(expression);
}

static char *explain(const char *text)
{
	GR_AUTO_JSON json_t *scope = scope_new();
	struct expression *expression = NULL;
	struct gr_error err = {0};
	char *words;

	assert_int_equal(expression_compile(text, 1, 1, &expression, &err), 0);
	words = expression_explain(expression, scope);
	expression_free(expression);
	return words;
}

static void it_explains_a_condition_by_its_names(void **state)
{
	static const struct example examples[] = {
	        {"results.pass_rate >= 0.98 && results.failed == 0", "results.pass_rate = 0.97, results.failed = 3"},
	        {"results.failed > 1 || results.failed < 0", "results.failed = 3"}, {"true", ""},
	        {"inputs.list[0] == 'a'", "inputs.list[0] = \"a\""}, {"inputs.list[9] == 'a'", "inputs.list[9] = ?"},
	        {"contains(inputs.s, env.NONE ?? 'x')", "inputs.s = \"Shop\", env.NONE = null"}};

	(void)state;
	check_examples(examples, GR_COUNT(examples), explain);
}

/* ---- static types ---- */

static int scope_member(void *user, void *parent, const char *name, struct typed *ret, struct gr_error *err)
{
	static const struct {
		const char *name;
		enum type type;
	} names[] = {{"n", TYPE_INT}, {"r", TYPE_REAL}, {"s", TYPE_TEXT}, {"b", TYPE_BOOL}, {"any", TYPE_ANY},
	        {"texts", TYPE_TEXTS}, {"list", TYPE_LIST}, {"map", TYPE_MAP}, {"secret", TYPE_SECRET},
	        {"choice", TYPE_CHOICE}};

	if (parent != NULL) {
		*ret = (struct typed){.type = TYPE_TEXT};
		return strcmp(name, "x") == 0 ? 0 : gr_fail(err, GR_CONFIG, 0, "no member '%s'", name);
	}
	for (size_t i = 0; i < GR_COUNT(names); i++) {
		if (strcmp(names[i].name, name) == 0) {
			*ret = (struct typed){
			        .type = names[i].type, .context = names[i].type == TYPE_MAP ? user : NULL};
			return 0;
		}
	}
	return gr_fail(err, GR_CONFIG, 0, "no name '%s'", name);
}

static char *type_of(const char *text)
{
	struct expression *expression = NULL;
	const struct type_scope scope = {.member = scope_member, .user = &expression}; /* any address will do */
	struct gr_error err = {0};
	struct typed typed = {0};
	int result = template_compile(text, 1, 1, &expression, &err);

	assert_int_equal(result, 0);
	result = expression_check(expression, &scope, &typed, &err);
	expression_free(expression);
	return result != 0 ? gr_printf("ERROR %u: %s", err.column, err.text) : gr_strdup(type_name(typed.type));
}

static void it_knows_types_before_the_run(void **state)
{
	static const struct example examples[] = {{"${{ n > 1 }}", "true or false"}, {"${{ n > r }}", "true or false"},
	        {"${{ s ?? 'x' }}", "a text"}, {"${{ b ? n : r }}", "a number"}, {"${{ b ? n : s }}", "anything"},
	        {"x ${{ n }}", "a text"}, {"${{ texts[0] }}", "a text"}, {"${{ [1, 2] }}", "a list"},
	        {"${{ ['a'] }}", "a list of texts"}, {"${{ map.x }}", "a text"}, {"${{ map['x'] }}", "a text"},
	        {"${{ any.thing[0].at.all }}", "anything"}, {"${{ length(s) }}", "a whole number"},
	        {"${{ secret }}", "a secret such as ${{ secrets.NAME }}"}, {"${{ null ?? s }}", "a text"},
	        {"${{ any == 1 }}", "true or false"}, {"${{ s == null }}", "true or false"},
	        {"${{ choice == 'a' }}", "true or false"}};

	(void)state;
	check_examples(examples, GR_COUNT(examples), type_of);
}

static void it_refuses_wrong_types_before_the_run(void **state)
{
	static const struct example examples[] = {{"${{ n == s }}", "ERROR 7: a number cannot be compared with text"},
	        {"${{ b == 1 }}", "ERROR 7: a boolean cannot be compared with a number"},
	        {"${{ s < 'x' }}", "ERROR 7: '<' compares numbers, not text with text"},
	        {"${{ b && n }}", "ERROR 10: a boolean is needed here, not a number"},
	        {"${{ !s }}", "ERROR 6: a boolean is needed here, not text"},
	        {"${{ n ? 1 : 2 }}", "ERROR 5: a boolean is needed here, not a number"},
	        {"x ${{ list }}", "ERROR 7: a list cannot stand inside text; use join(list, separator)"},
	        {"x ${{ map }}", "ERROR 7: a map cannot stand inside text"},
	        {"x ${{ null }}", "ERROR 7: null cannot stand inside text"},
	        {"x ${{ secret }}", "ERROR 7: a secret can only be a whole value, where secrets may stand; it cannot "
	                            "be part of text or of an expression"},
	        {"${{ secret == 'x' }}", "ERROR 5: a secret can only be a whole value, where secrets may stand; it "
	                                 "cannot be part of text or of an expression"},
	        {"${{ length(secret) }}", "ERROR 12: a secret can only be a whole value, where secrets may stand; it "
	                                  "cannot be part of text or of an expression"},
	        {"${{ [secret] }}", "ERROR 6: a secret can only be a whole value, where secrets may stand; it cannot "
	                            "be part of text or of an expression"},
	        {"${{ s.x }}", "ERROR 7: text has no member 'x'"},
	        {"${{ list.x }}", "ERROR 10: a list has no member 'x'; take one of its items first, as with [0]"},
	        {"${{ list['a'] }}", "ERROR 10: a list is indexed with an integer, not with text"},
	        {"${{ n[0] }}", "ERROR 6: a number cannot be indexed"}, {"${{ map.y }}", "ERROR 9: no member 'y'"},
	        {"${{ map[s] }}", "ERROR 9: the name in [] must be a quoted text here"},
	        {"${{ x }}", "ERROR 5: no name 'x'"},
	        {"${{ join(s) }}",
	                "ERROR 10: join() needs a list here, not text; it is written join(list, separator)"}};

	(void)state;
	check_examples(examples, GR_COUNT(examples), type_of);
}

static void it_knows_what_needs_no_run(void **state)
{
	static const char *const names[] = {"inputs", NULL};
	static const struct {
		const char *text;
		bool is_static;
	} examples[] = {{"inputs.a", true}, {"1", true}, {"steps.a", false}, {"inputs.a ?? steps.b", false},
	        {"hashFile('x')", false}, {"length(inputs.a)", true}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(examples); i++) {
		struct expression *expression = NULL;

		assert_int_equal(expression_compile(examples[i].text, 1, 1, &expression, NULL), 0);
		assert_int_equal(expression_is_static(expression, names), examples[i].is_static);
		expression_free(expression);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_reads_literals),
	        cmocka_unit_test(it_binds_operators_in_their_order),
	        cmocka_unit_test(it_reads_members_and_items),
	        cmocka_unit_test(it_compares_without_guessing),
	        cmocka_unit_test(it_calls_functions),
	        cmocka_unit_test(it_hashes_a_file),
	        cmocka_unit_test(it_says_where_the_text_is_wrong),
	        cmocka_unit_test(it_takes_an_expression_in_braces),
	        cmocka_unit_test(it_fills_holes_in_text),
	        cmocka_unit_test(it_refuses_what_is_nested_too_deeply),
	        cmocka_unit_test(it_takes_long_chains_within_the_limit),
	        cmocka_unit_test(it_needs_a_boolean_for_a_condition),
	        cmocka_unit_test(it_explains_a_condition_by_its_names),
	        cmocka_unit_test(it_knows_types_before_the_run),
	        cmocka_unit_test(it_refuses_wrong_types_before_the_run),
	        cmocka_unit_test(it_knows_what_needs_no_run),
	};

	gr_memory_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
