#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

static void it_takes_strict_utf8_alone(void **state)
{
	static const char *const good[] = {"", "abc", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
	        "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "gr\xC3\xBC\xC3\x9F"};
	static const char *const bad[] = {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2g", "\xE0\x80\x80",
	        "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xE2\x82", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF",
	        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF", "ok\xC3"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(good); i++)
		assert_true(text_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < GR_COUNT(bad); i++)
		if (text_is_utf8(bad[i], strlen(bad[i])))
			fail_msg("bad text %zu passed", i);
	assert_true(text_is_utf8("a\0b", 3));
	assert_false(text_is_utf8("\xE2\x82\xAC", 2)); /* what lies behind the end does not count */
}

static void it_compares_texts_and_null(void **state)
{
	(void)state;
	assert_true(text_equal("a", "a"));
	assert_false(text_equal("a", "A"));
	assert_true(text_equal(NULL, NULL));
	assert_false(text_equal(NULL, ""));
	assert_true(text_equal_nocase("Galaxy", "gALAXY"));
	assert_false(text_equal_nocase("Galaxy", "Galax"));
	assert_false(text_equal_nocase("", NULL));
	assert_false(text_equal_nocase("\xC3\x84", "\xC3\xA4")); /* letters of ASCII alone */
	assert_false(text_equal_nocase("@", "`"));
	assert_true(text_has_prefix("abc", "ab"));
	assert_true(text_has_prefix("abc", ""));
	assert_false(text_has_prefix("ab", "abc"));
	assert_true(text_has_suffix_nocase("App.APK", ".apk"));
	assert_false(text_has_suffix_nocase("apk", ".apk"));
	assert_true(text_contains_nocase("Device is BUSY now", "busy"));
	assert_true(text_contains_nocase("abc", ""));
	assert_true(text_contains_nocase("", ""));
	assert_false(text_contains_nocase("bus", "busy"));
}

static void it_matches_patterns(void **state)
{
	static const char *const yes[][2] = {{"", ""}, {"*", ""}, {"*", "abc"}, {"**", "a"},
	        {"Galaxy S2*", "Galaxy S21 Ultra"}, {"a?c", "abc"},
	        {"a?c", "a\xC3\xA4"
	                "c"},
	        {"[a-c]x", "bx"}, {"[!a-c]x", "dx"}, {"[]]", "]"}, {"[!]]", "a"}, {"[a-]", "-"}, {"[-a]", "-"},
	        {"[", "["}, {"[ab", "[ab"}, {"*.apk", "x/y.apk"}, {"a*b*c", "aXbYbZc"}, {"*a", "aaaa"},
	        {"[\xC3\xA4-\xC3\xBC]", "\xC3\xB6"}, {"?", "\xFF"}, {"\\*", "\\x"}, {"a*", "a"}, {"*[0-9]", "S23"},
	        {"x[*]", "x*"}, {"x[?]y", "x?y"}};
	static const char *const no[][2] = {{"", "a"}, {"?", ""}, {"a", "A"}, {"a*b", "a"}, {"[a-c]", "d"},
	        {"[!a-c]", "b"}, {"[]", "]x"}, {"*.apk", "x.apk2"}, {"a?c", "ac"}, {"x[*]", "xy"}, {"[z-a]", "m"},
	        {"abc", "ab"}, {"[ab", "a"}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(yes); i++)
		if (!text_match_glob(yes[i][0], yes[i][1]))
			fail_msg("'%s' does not match '%s'", yes[i][0], yes[i][1]);
	for (size_t i = 0; i < GR_COUNT(no); i++)
		if (text_match_glob(no[i][0], no[i][1]))
			fail_msg("'%s' matches '%s'", no[i][0], no[i][1]);
}

/* With backtracking into every star this would take longer than the universe has. */
static void it_does_not_run_away_with_many_stars(void **state)
{
	char text[2001], pattern[101];
	int64_t start = clock_now_ms();

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < 98; i += 2)
		memcpy(pattern + i, "*a", 2);
	memcpy(pattern + 98, "b", 2);
	assert_false(text_match_glob(pattern, text));
	assert_true(clock_now_ms() - start < 5000);
}

static void neutralise(struct buffer *out, const char *text)
{
	buffer_clear(out);
	text_neutralise(out, text, strlen(text), 4096);
}

static void it_makes_one_harmless_line_of_any_text(void **state)
{
	static const char *const cases[][2] = {
	        {"plain text\twith a tab", "plain text\twith a tab"},
	        {"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80", "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"},
	        {"a\nb\rc\vd\fe", "a\\nb\\rc\\vd\\fe"},
	        {"a\xC2\x85"
	         "b\xE2\x80\xA8"
	         "c\xE2\x80\xA9"
	         "d",
	                "a\\u0085b\\u2028c\\u2029d"},
	        {"\xFFx\xC3", "\xEF\xBF\xBDx\xEF\xBF\xBD"},
	        {"\xE2\x82x", "\xEF\xBF\xBDx"},
	        {"\033[31mred\033[0m", "red"},
	        {"\033[38;5;1mx\033[2J\033[1;1Hy", "xy"},
	        {"\033]0;title\ax", "x"},
	        {"\033]8;;http://evil\033\\link\033]8;;\033\\", "link"},
	        {"\033Pdcs\033\\x\033_apc\033\\y\033^pm\033\\z\033Xsos\033\\", "xyz"},
	        {"\033(Bx\0337y\033c", "xy"},
	        {"\033]52;never ends", "52;never ends"},
	        {"\033]a\033]b\ac", "ac"},
	        {"x\033", "x"},
	        {"x\033[", "x"},
	        {"x\033[12", "x"},
	        {"\033[8mha:////AAAA\033[0m", "ha:////AAAA"},
	        {"a\001\002\177b\xC2\x9B"
	         "31m",
	                "ab31m"},
	        {"a\xE2\x80\xAE"
	         "b\xE2\x81\xA6"
	         "c\xEF\xBB\xBF"
	         "d",
	                "abcd"},
	        {"##vso[task.setvariable]x", "# #vso[task.setvariable]x"},
	        {"a ##[error]x", "a # #[error]x"},
	        {"##teamcity[testFailed]", "# #teamcity[testFailed]"},
	        {"###[x]", "## #[x]"},
	        {"##vso[a]##vso[b]", "# #vso[a]# #vso[b]"},
	        {"#\001#vso[x]", "# #vso[x]"},
	        {"#\033[1m#vso\033[0m[x]", "# #vso[x]"},
	        {"## heading [x]", "## heading [x]"},
	        {"::error::x", ": :error::x"},
	        {"  ::error::x", "  : :error::x"},
	        {"\xC2\xA0\xE3\x80\x80::error::x", "\xC2\xA0\xE3\x80\x80: :error::x"},
	        {":\001:error::x", ": :error::x"},
	        {"\033[0m::error::x", ": :error::x"},
	        {":::x", ": ::x"},
	        {"a::b", "a::b"},
	        {"\n::error::x", "\\n::error::x"},
	        {"", ""},
	};
	GR_AUTO_BUFFER struct buffer out = {0};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(cases); i++) {
		neutralise(&out, cases[i][0]);
		if (strcmp(buffer_text(&out), cases[i][1]) != 0)
			fail_msg("case %zu: '%s' and not '%s'", i, buffer_text(&out), cases[i][1]);
	}
}

static void it_drops_nul_bytes_and_appends(void **state)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	(void)state;
	buffer_add_text(&out, "##");
	text_neutralise(&out, "a\0b[", 4, 100);
	assert_string_equal(out.data, "##ab["); /* what the caller wrote before is the caller's */
}

static void it_cuts_long_texts_between_characters(void **state)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	(void)state;
	text_neutralise(&out, "abcdef", 6, 6);
	assert_string_equal(out.data, "abcdef");
	buffer_clear(&out);
	text_neutralise(&out, "abcdef", 6, 5);
	assert_string_equal(out.data, "abcde\xE2\x80\xA6 [1 bytes cut]");
	buffer_clear(&out);
	text_neutralise(&out, "ab\xE2\x82\xAC", 5, 4);
	assert_string_equal(out.data, "ab\xE2\x80\xA6 [3 bytes cut]");
	buffer_clear(&out);
	text_neutralise(&out, "abc", 3, 0);
	assert_string_equal(out.data, "\xE2\x80\xA6 [3 bytes cut]");
	buffer_clear(&out);
	text_clean(&out, "a\r\n\001b", 5, 4);
	assert_string_equal(out.data, "a\n\xE2\x80\xA6 [2 bytes cut]");
}

/* Every byte pair and triple of the ones that matter, at every place: no control byte may come through. */
static void it_lets_no_control_byte_through(void **state)
{
	static const unsigned char bytes[] = {0, 7, 9, 10, 13, 27, '[', ']', '\\', '#', ':', 'm', 0x7F, 0x80, 0x85,
	        0x9B, 0xC2, 0xE2, 0xEF, 0xFF, 0xAE, 0xBB, 0xBF};
	GR_AUTO_BUFFER struct buffer out = {0};
	size_t n = sizeof(bytes);

	(void)state;
	for (size_t i = 0; i < n * n * n * n; i++) {
		char text[4] = {(char)bytes[i % n], (char)bytes[i / n % n], (char)bytes[i / n / n % n],
		        (char)bytes[i / n / n / n]};

		buffer_clear(&out);
		text_neutralise(&out, text, 4, 100);
		assert_true(text_is_utf8(buffer_text(&out), out.bytes));
		for (size_t j = 0; j < out.bytes; j++)
			assert_true((unsigned char)out.data[j] >= 0x20 || out.data[j] == '\t');
		assert_null(memchr(buffer_text(&out), 0x7F, out.bytes));
		assert_null(strstr(buffer_text(&out), "\xC2\x9B"));
		assert_null(strstr(buffer_text(&out), "##["));
		assert_false(text_has_prefix(buffer_text(&out), "::"));
	}
}

static void it_cleans_text_and_keeps_its_lines(void **state)
{
	static const char *const cases[][2] = {
	        {"a\nb\tc", "a\nb\tc"},
	        {"a\r\nb\rc\r", "a\nb\nc\n"},
	        {"a\r\r\nb", "a\n\nb"},
	        {"\033[1;31mFAIL\033[0m x", "FAIL x"},
	        {"a\033", "a\\x1B"},
	        {"a\033]never ends", "anever ends"},
	        {"a\001b\177c\xC2\x9B"
	         "d",
	                "a\\x01b\\x7Fc\\x9Bd"},
	        {"\v\f", "\\x0B\\x0C"},
	        {"\xFF\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
	        {"\xEF\xBF\xBE\xEF\xBF\xBF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
	        {"\xE2\x80\xAE", "\\u202E"},
	        {"\xE2\x81\xA6", "\\u2066"},
	        {"\xEF\xBB\xBFx", "x"},
	        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
	        {"::x ##[y]", "::x ##[y]"},
	};
	GR_AUTO_BUFFER struct buffer out = {0};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(cases); i++) {
		buffer_clear(&out);
		text_clean(&out, cases[i][0], strlen(cases[i][0]), 4096);
		if (strcmp(buffer_text(&out), cases[i][1]) != 0)
			fail_msg("case %zu: '%s' and not '%s'", i, buffer_text(&out), cases[i][1]);
	}
	buffer_clear(&out);
	text_clean(&out, "a\0b", 3, 100);
	assert_string_equal(out.data, "a\\x00b");
}

static void it_stays_linear_on_hostile_text(void **state)
{
	size_t bytes = 1 << 20;
	GR_AUTO_FREE char *text = gr_alloc(bytes + 1, 1);
	GR_AUTO_BUFFER struct buffer out = {0};
	int64_t start = clock_now_ms();

	(void)state;
	for (size_t i = 0; i + 1 < bytes; i += 2)
		memcpy(text + i, "\033]", 2);
	text_neutralise(&out, text, bytes, bytes);
	buffer_clear(&out);
	text_clean(&out, text, bytes, bytes);
	buffer_clear(&out);
	memset(text, 'a', bytes);
	text[bytes - 1] = '[';
	text_neutralise(&out, text, bytes, bytes);
	assert_int_equal(out.bytes, bytes);
	assert_true(clock_now_ms() - start < 20000);
}

static void it_makes_file_names_of_any_text(void **state)
{
	static const char *const cases[][2] = {{"Galaxy S21 Ultra", "Galaxy-S21-Ultra"},
	        {"../../etc/passwd", "etc-passwd"}, {"", "x"}, {"...", "x"}, {"\xC3\xA4\xC3\xB6", "x"}, {"-rf", "rf"},
	        {".hidden", "hidden"}, {"a//\\b", "a-b"}, {"a_b-c.d", "a_b-c.d"}, {" a", "a"}, {"a\nb", "a-b"},
	        {"CON", "CON"}};
	GR_AUTO_BUFFER struct buffer out = {0};
	char text[201];

	(void)state;
	for (size_t i = 0; i < GR_COUNT(cases); i++) {
		buffer_clear(&out);
		text_slug(&out, cases[i][0]);
		assert_string_equal(out.data, cases[i][1]);
	}
	memset(text, 'a', 200);
	text[200] = '\0';
	buffer_clear(&out);
	buffer_add_text(&out, "log-");
	text_slug(&out, text);
	assert_int_equal(out.bytes, 84);
}

static void it_knows_what_neither_of_them_would_change(void **state)
{
	static const char *const plain[] = {"", "a test of [data] #1: it works", "C#", "a::b", "x:"};
	static const char *const others[] = {" a", ":", "::set-env", "a ##[b", "a\tb", "a\nb", "\x7F", "\xC3\xA4"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(plain); i++) {
		GR_AUTO_BUFFER struct buffer line = {0};
		GR_AUTO_BUFFER struct buffer block = {0};

		assert_true(text_is_plain(plain[i], strlen(plain[i])));
		text_neutralise(&line, plain[i], strlen(plain[i]), SIZE_MAX);
		text_clean(&block, plain[i], strlen(plain[i]), SIZE_MAX);
		assert_string_equal(buffer_text(&line), plain[i]);
		assert_string_equal(buffer_text(&block), plain[i]);
	}
	for (size_t i = 0; i < GR_COUNT(others); i++)
		assert_false(text_is_plain(others[i], strlen(others[i])));
}

static void it_keeps_whole_words_alone(void **state)
{
	(void)state;
	assert_int_equal(text_whole_words("one two", 7, 7), 7);
	assert_int_equal(text_whole_words("one two", 7, 6), 3);
	assert_int_equal(text_whole_words("one two", 7, 3), 3);
	assert_int_equal(text_whole_words("one two", 7, 2), 0);
	assert_int_equal(text_whole_words("one\ntwo", 7, 5), 3);
	assert_int_equal(text_whole_words("", 0, 0), 0);
}

static void it_excerpts_whole_words(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {{"short", "short"}, {"exactly 10", "exactly 10"}, {"one two three", "one two…"},
	        {"onewordthatislong", "…"}, {"\n\n\n\n\n\n Secret end", "…"}, {"a \n\n\n\n\nSecret", "a \\n\\n\\n\\n…"},
	        {"\033[1mred", "red"}};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(rows); i++) {
		GR_AUTO_BUFFER struct buffer out = {0};

		text_excerpt(&out, rows[i].text, strlen(rows[i].text), 10);
		assert_string_equal(buffer_text(&out), rows[i].wanted);
	}
}

static void it_keeps_json_and_lets_it_be_nothing_else(void **state)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	(void)state;
	text_escape_json(&out,
	        "{\"\\u001B a#b\": \"##vso[x] ### \xC2\x9B\x7F \xE2\x80\xAE \xE2\x80\xA8 \xC3\xA4 \xF0\x9F\x98\x80\"}");
	assert_string_equal(buffer_text(&out),
	        "{\"\\u001B a#b\": \"#\\u0023vso[x] #\\u0023\\u0023 \\u009B\\u007F \\u202E \\u2028 "
	        "\xC3\xA4 \xF0\x9F\x98\x80\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_keeps_whole_words_alone),
	        cmocka_unit_test(it_excerpts_whole_words),
	        cmocka_unit_test(it_knows_what_neither_of_them_would_change),
	        cmocka_unit_test(it_takes_strict_utf8_alone),
	        cmocka_unit_test(it_compares_texts_and_null),
	        cmocka_unit_test(it_matches_patterns),
	        cmocka_unit_test(it_does_not_run_away_with_many_stars),
	        cmocka_unit_test(it_makes_one_harmless_line_of_any_text),
	        cmocka_unit_test(it_drops_nul_bytes_and_appends),
	        cmocka_unit_test(it_cuts_long_texts_between_characters),
	        cmocka_unit_test(it_lets_no_control_byte_through),
	        cmocka_unit_test(it_cleans_text_and_keeps_its_lines),
	        cmocka_unit_test(it_stays_linear_on_hostile_text),
	        cmocka_unit_test(it_makes_file_names_of_any_text),
	        cmocka_unit_test(it_keeps_json_and_lets_it_be_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
