#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/redact.h"
#include "runner/base/secret_forms.h"

static struct redactor *make_redactor(const char *const *secrets)
{
	struct redactor *redactor = redactor_new();

	for (; *secrets; secrets++)
		assert_true(redactor_add(redactor, *secrets));
	return redactor;
}
#define REDACTOR(...) make_redactor((const char *const[]){__VA_ARGS__, NULL})

static void feed_in_pieces(struct redactor *redactor, const char *text, size_t bytes, size_t piece, struct buffer *out)
{
	struct redact_stream *stream = redact_stream_new(redactor);

	for (size_t at = 0; at < bytes; at += piece)
		redact_stream_add(stream, text + at, piece < bytes - at ? piece : bytes - at, out);
	redact_stream_end(stream, out);
	redact_stream_free(stream);
}

static void feed_in_halves(struct redactor *redactor, const char *text, size_t bytes, size_t first, struct buffer *out)
{
	struct redact_stream *stream = redact_stream_new(redactor);

	redact_stream_add(stream, text, first, out);
	redact_stream_add(stream, text + first, bytes - first, out);
	redact_stream_end(stream, out);
	redact_stream_free(stream);
}

/* The same output as a whole, cut at each place, and in pieces of each size from 1 to 64. */
static void assert_redacts(struct redactor *redactor, const char *text, const char *expected)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	size_t bytes = strlen(text);

	redactor_apply(redactor, text, bytes, &out);
	if (strcmp(buffer_text(&out), expected) != 0)
		fail_msg("'%s' became '%s' and not '%s'", text, buffer_text(&out), expected);
	for (size_t piece = 1; piece <= 64; piece++) {
		buffer_clear(&out);
		feed_in_pieces(redactor, text, bytes, piece, &out);
		if (strcmp(buffer_text(&out), expected) != 0)
			fail_msg("pieces of %zu: '%s' and not '%s'", piece, buffer_text(&out), expected);
	}
	for (size_t first = 0; first <= bytes; first++) {
		buffer_clear(&out);
		feed_in_halves(redactor, text, bytes, first, &out);
		if (strcmp(buffer_text(&out), expected) != 0)
			fail_msg("cut at %zu: '%s' and not '%s'", first, buffer_text(&out), expected);
	}
}

static void it_masks_a_secret_wherever_it_stands(void **state)
{
	struct redactor *redactor = REDACTOR("s3cr3t-token");

	(void)state;
	assert_redacts(redactor, "s3cr3t-token", "***");
	assert_redacts(redactor, "a s3cr3t-token b", "a *** b");
	assert_redacts(redactor, "ends with s3cr3t-token", "ends with ***");
	assert_redacts(redactor, "https://x/?t=s3cr3t-token&b=1", "https://x/?t=***&b=1");
	assert_redacts(redactor, "s3cr3t-tokes s3cr3t-toke", "s3cr3t-tokes s3cr3t-toke");
	assert_redacts(redactor, "s3cr3t-s3cr3t-token", "s3cr3t-***");
	assert_redacts(redactor, "", "");
	redactor_free(redactor);
}

static void it_tells_whether_there_is_one(void **state)
{
	struct redactor *redactor = REDACTOR("s3cr3t-token");
	struct redactor *empty = redactor_new();

	(void)state;
	assert_true(redactor_finds(redactor, "a s3cr3t-token b", 16));
	assert_false(redactor_finds(redactor, "a s3cr3t-token b", 13));
	assert_false(redactor_finds(redactor, "", 0));
	assert_false(redactor_finds(empty, "a s3cr3t-token b", 16));
	assert_false(redactor_finds(NULL, "a s3cr3t-token b", 16));
	redactor_free(redactor);
	redactor_free(empty);
}

static void it_masks_adjacent_secrets_one_by_one(void **state)
{
	struct redactor *redactor = REDACTOR("first-secret", "second-secret");

	(void)state;
	assert_redacts(redactor, "first-secretsecond-secret", "******");
	assert_redacts(redactor, "first-secretfirst-secret!", "******!");
	redactor_free(redactor);
}

static void it_merges_matches_that_overlap(void **state)
{
	struct redactor *redactor = REDACTOR("ababcx", "bcxyzz", "aaaaaa", "xyzzabab");

	(void)state;
	assert_redacts(redactor, "abababcx", "ab***");
	assert_redacts(redactor, "ababcxyzz", "***");
	assert_redacts(redactor, "ababcxyzzababcx.", "***.");
	assert_redacts(redactor, "aaaaaaaaaaaaaaaa", "***");
	assert_redacts(redactor, "aaaaa aaaaaa", "aaaaa ***");
	redactor_free(redactor);
}

static void it_masks_a_secret_that_begins_another(void **state)
{
	struct redactor *redactor = REDACTOR("token-1", "token-123456", "ken-12");

	(void)state;
	assert_redacts(redactor, "token-123456", "***");
	assert_redacts(redactor, "token-12345x", "***345x");
	assert_redacts(redactor, "token-1", "***");
	assert_redacts(redactor, "token-1 token-123456 token-", "*** *** token-");
	redactor_free(redactor);
}

/* Short matches wait inside a longer one that may still come. */
static void it_masks_secrets_inside_another(void **state)
{
	struct redactor *redactor = REDACTOR("secret", "number", "a secret and a number in one");

	(void)state;
	assert_redacts(redactor, "a secret and a number in one", "***");
	assert_redacts(redactor, "a secret and a number in two", "a *** and a *** in two");
	redactor_free(redactor);
}

static void it_finds_wrapped_base64(void **state)
{
	struct redactor *redactor = REDACTOR("s3cr3t-token"); /* czNjcjN0LXRva2Vu */

	(void)state;
	assert_redacts(redactor, "czNjcjN0LXRva2Vu", "***");
	assert_redacts(redactor, "czNj\ncjN0\nLXRv\na2Vu\n", "***\n");
	assert_redacts(redactor, "c\r\nzNjcjN0LXRva2V\r\nu.", "***.");
	assert_redacts(redactor, "a\nczNjcjN0\n\n\n\nLXRva2Vu", "a\n***");
	assert_redacts(redactor, "czNjcjN0\n\n\n\n\nLXRva2Vu", "czNjcjN0\n\n\n\n\nLXRva2Vu");
	assert_redacts(redactor, "czNjcjN0\n \nLXRva2Vu", "czNjcjN0\n \nLXRva2Vu");
	assert_redacts(redactor, "\n\n\nczNj\n\n", "\n\n\nczNj\n\n");
	assert_redacts(redactor, "s3cr3t\n-token", "s3cr3t\n-token"); /* the secret itself is not wrapped */
	redactor_free(redactor);
}

static void it_finds_secrets_that_hold_line_breaks(void **state)
{
	struct redactor *redactor = REDACTOR("-----BEGIN\nabcdef\n-----END");

	(void)state;
	assert_redacts(redactor, "x\n-----BEGIN\nabcdef\n-----END\n", "x\n***\n");
	assert_redacts(redactor, "\"-----BEGIN\\nabcdef\\n-----END\"", "\"***\"");
	assert_redacts(redactor, "line | -----BEGIN", "line | ***"); /* one line at a time */
	assert_redacts(redactor, "line | abcdef", "line | abcdef"); /* too short alone */
	assert_redacts(redactor, "'-----BEGIN&#10;abcdef&#10;-----END'", "'***'");
	redactor_free(redactor);
}

static void it_holds_back_no_more_than_may_become_a_secret(void **state)
{
	struct redactor *redactor = REDACTOR("s3cr3t-token");
	struct redact_stream *stream = redact_stream_new(redactor);
	GR_AUTO_BUFFER struct buffer out = {0};

	(void)state;
	redact_stream_add(stream, "hello !", 7, &out);
	assert_string_equal(buffer_text(&out), "hello !");
	redact_stream_add(stream, "s3cr", 4, &out);
	assert_string_equal(buffer_text(&out), "hello !");
	redact_stream_add(stream, "!", 1, &out);
	assert_string_equal(buffer_text(&out), "hello !s3cr!");
	redact_stream_add(stream, "s3cr3t-token", 12, &out);
	assert_string_equal(buffer_text(&out), "hello !s3cr!***"); /* nothing longer can come of it */
	redact_stream_add(stream, " s3", 3, &out);
	assert_string_equal(buffer_text(&out), "hello !s3cr!*** ");
	redact_stream_end(stream, &out);
	assert_string_equal(buffer_text(&out), "hello !s3cr!*** s3");
	redact_stream_free(stream);
	redactor_free(redactor);
}

/* An endless run of one secret, or of line breaks inside one, must not pile up in the memory. */
static void it_holds_little_of_an_endless_stream(void **state)
{
	struct redactor *redactor = REDACTOR("aaaaaa", "s3cr3t-token");
	struct redact_stream *stream = redact_stream_new(redactor);
	GR_AUTO_BUFFER struct buffer out = {0};

	(void)state;
	for (int i = 0; i < 10000; i++)
		redact_stream_add(stream, "aaaaaaaaaa", 10, &out);
	assert_true(out.bytes <= 3);
	redact_stream_add(stream, "!czNjcjN0", 9, &out);
	for (int i = 0; i < 100; i++)
		redact_stream_add(stream, "\n", 1, &out);
	assert_int_equal(out.bytes, 3 + 9 + 100);
	redact_stream_end(stream, &out);
	assert_memory_equal(out.data, "***!czNjcjN0\n", 13);
	redact_stream_free(stream);
	redactor_free(redactor);
}

static void it_learns_secrets_while_a_stream_is_open(void **state)
{
	struct redactor *redactor = redactor_new();
	struct redact_stream *stream = redact_stream_new(redactor);
	GR_AUTO_BUFFER struct buffer out = {0};

	(void)state;
	redact_stream_add(stream, "first-secret ", 13, &out);
	assert_true(redactor_add(redactor, "first-secret"));
	redact_stream_add(stream, "first-secret secr", 17, &out);
	assert_true(redactor_add(redactor, "secret-no-2"));
	redact_stream_add(stream, " secret-no-2 first-se", 21, &out);
	assert_true(redactor_add(redactor, "t-secXX"));
	assert_true(redactor_add(redactor, "first-second"));
	redact_stream_add(stream, "cond first-secXX", 16, &out);
	redact_stream_end(stream, &out);
	assert_string_equal(out.data, "first-secret *** secr *** *** firs***");
	redact_stream_free(stream);
	redactor_free(redactor);
}

/* What is held when a secret is learned is looked through once more, at the end as well. */
static void it_looks_again_at_what_is_held(void **state)
{
	struct redactor *redactor = REDACTOR("abcdefghijklmnop");
	struct redact_stream *stream = redact_stream_new(redactor);
	GR_AUTO_BUFFER struct buffer out = {0};

	(void)state;
	redact_stream_add(stream, "abcdefghijkl", 12, &out);
	assert_int_equal(out.bytes, 0);
	assert_true(redactor_add(redactor, "cdefgh"));
	redact_stream_end(stream, &out);
	assert_string_equal(buffer_text(&out), "ab***ijkl");
	redact_stream_free(stream);
	redactor_free(redactor);
}

static void it_keeps_a_found_secret_through_learning(void **state)
{
	struct redactor *redactor = REDACTOR("secret", "my secret is long");
	struct redact_stream *stream = redact_stream_new(redactor);
	GR_AUTO_BUFFER struct buffer out = {0};

	(void)state;
	redact_stream_add(stream, "my secret is", 12, &out);
	assert_int_equal(out.bytes, 0);
	assert_true(redactor_add(redactor, "another one"));
	redact_stream_add(stream, " short", 6, &out);
	redact_stream_end(stream, &out);
	assert_string_equal(buffer_text(&out), "my *** is short");
	redact_stream_free(stream);
	redactor_free(redactor);
}

static void it_refuses_secrets_that_are_too_short(void **state)
{
	struct redactor *redactor = redactor_new();

	(void)state;
	assert_false(redactor_add(redactor, "12345"));
	assert_false(redactor_add(redactor, ""));
	assert_false(redactor_add(redactor, NULL));
	assert_redacts(redactor, "12345", "12345");
	assert_true(redactor_add(redactor, "123456"));
	assert_true(redactor_add(redactor, "123456"));
	assert_redacts(redactor, "12345 123456", "12345 ***");
	redactor_free(redactor);
}

static void it_copies_without_a_redactor(void **state)
{
	GR_AUTO_FREE char *text = redactor_text(NULL, "as it is");

	(void)state;
	assert_string_equal(text, "as it is");
	assert_null(redactor_text(NULL, NULL));
	assert_redacts(NULL, "as it is", "as it is");
	redactor_free(NULL);
	redact_stream_free(NULL);
}

static void it_lets_bytes_pass_that_are_no_text(void **state)
{
	struct redactor *redactor = REDACTOR("s3cr3t-token");
	GR_AUTO_BUFFER struct buffer out = {0};

	(void)state;
	redactor_apply(redactor, "\0\xFF\0s3cr3t-token\0\x80", 17, &out);
	assert_int_equal(out.bytes, 8);
	assert_memory_equal(out.data, "\0\xFF\0***\0\x80", 8);
	redactor_free(redactor);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void it_masks_a_secret_of_16_kib(void **state)
{
	enum { BYTES = 16384 };
	GR_AUTO_FREE char *text = gr_alloc(BYTES * 2 + 1, 1), *secret = gr_alloc(BYTES + 1, 1);
	GR_AUTO_BUFFER struct buffer out = {0};
	struct redactor *redactor;
	uint32_t seed = 7;

	(void)state;
	for (size_t i = 0; i < BYTES; i++)
		secret[i] = "abcdefghijklmnopqrstuvwxyz+/!&\"0123456789"[next_random(&seed) % 41];
	redactor = REDACTOR(secret);
	memcpy(text, "x", 1);
	memcpy(text + 1, secret, BYTES);
	memcpy(text + 1 + BYTES, secret, BYTES - 1);
	feed_in_pieces(redactor, text, BYTES * 2, 1000, &out);
	assert_int_equal(out.bytes, 1 + 3 + BYTES - 1);
	assert_memory_equal(out.data, "x***", 4);
	assert_memory_equal(out.data + 4, secret, BYTES - 1);
	redactor_free(redactor);
}

/* ---- against the plainest search there is ---- */

struct needles {
	char *text[20000];
	size_t bytes[20000];
	bool wrapped[20000];
	size_t count;
};

static void keep_needle(void *context, const char *form, size_t bytes, bool wrapped)
{
	struct needles *needles = context;

	for (size_t i = 0; i < needles->count; i++)
		if (needles->bytes[i] == bytes && needles->wrapped[i] == wrapped &&
		        memcmp(needles->text[i], form, bytes) == 0)
			return;
	assert_true(needles->count < GR_COUNT(needles->text));
	needles->bytes[needles->count] = bytes;
	needles->wrapped[needles->count] = wrapped;
	needles->text[needles->count++] = gr_strndup(form, bytes);
}

/* The end of the needle that begins at `at`, or 0. */
static size_t match_plainly(const struct needles *needles, size_t n, const char *text, size_t bytes, size_t at)
{
	size_t breaks = 0;

	for (size_t i = 0; i < needles->bytes[n]; at++) {
		if (at >= bytes)
			return 0;
		if (needles->wrapped[n] && i > 0 && (text[at] == '\n' || text[at] == '\r')) {
			if (++breaks > 4)
				return 0;
			continue;
		}
		if (text[at] != needles->text[n][i++])
			return 0;
		breaks = 0;
	}
	return at;
}

static void redact_plainly(const struct needles *needles, const char *text, size_t bytes, struct buffer *out)
{
	size_t end = 0; /* of the match that is open */

	for (size_t at = 0; at < bytes; at++) {
		size_t farthest = 0;

		for (size_t n = 0; n < needles->count; n++) {
			size_t to = match_plainly(needles, n, text, bytes, at);

			farthest = to > farthest ? to : farthest;
		}
		if (farthest > 0 && at >= end)
			buffer_add_text(out, "***");
		end = farthest > end ? farthest : end;
		if (at >= end)
			buffer_add_char(out, text[at]);
	}
}

/* Texts made of parts of needles, which meet in every way. */
static void write_text(const struct needles *needles, uint32_t *seed, struct buffer *ret)
{
	buffer_clear(ret);
	for (int i = 0; i < 12; i++) {
		size_t n = next_random(seed) % needles->count;
		size_t from = next_random(seed) % 3 ? 0 : next_random(seed) % needles->bytes[n];
		size_t bytes = next_random(seed) % 3 ? needles->bytes[n] - from
		                                     : next_random(seed) % (needles->bytes[n] - from + 1);

		for (size_t j = from; j < from + bytes; j++) {
			buffer_add_char(ret, needles->text[n][j]);
			if (next_random(seed) % 16 == 0)
				buffer_add(ret, "\r\n\n\r\n\n", next_random(seed) % 7);
		}
	}
}

static void it_agrees_with_the_plainest_search(void **state)
{
	static const char *const groups[][4] = {{"ababab", "bababc", "abcabc"}, {"aaaaaa", "aaaaaaaa", "baaaaaab"},
	        {"p+s/w&\"'", "s/w&\"'"}, {"token-1", "token-12", "oken-1token"}, {"c3VwZXI", "super secret", "ZXIgc2"},
	        {"\xFF\xFF\xFF\xFF\xFF\xFF", "//////8", "%2F%2F%2F"}};
	GR_AUTO_BUFFER struct buffer text = {0}, expected = {0}, out = {0};
	uint32_t seed = 1;

	(void)state;
	for (size_t g = 0; g < GR_COUNT(groups); g++) {
		struct needles *needles = gr_alloc(1, sizeof(*needles));
		struct redactor *redactor = redactor_new();

		for (size_t i = 0; groups[g][i]; i++) {
			secret_forms(groups[g][i], &(struct form_sink){keep_needle, needles});
			assert_true(redactor_add(redactor, groups[g][i]));
		}
		for (int round = 0; round < 60; round++) {
			write_text(needles, &seed, &text);
			buffer_clear(&expected);
			redact_plainly(needles, buffer_text(&text), text.bytes, &expected);
			for (size_t piece = 1; piece <= 64; piece += 1 + next_random(&seed) % 7) {
				buffer_clear(&out);
				feed_in_pieces(redactor, buffer_text(&text), text.bytes, piece, &out);
				if (strcmp(buffer_text(&out), buffer_text(&expected)) != 0)
					fail_msg("group %zu, pieces of %zu: '%s' became '%s' and not '%s'", g, piece,
					        buffer_text(&text), buffer_text(&out), buffer_text(&expected));
			}
		}
		for (size_t i = 0; i < needles->count; i++)
			gr_free(needles->text[i]);
		gr_free(needles);
		redactor_free(redactor);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_tells_whether_there_is_one),
	        cmocka_unit_test(it_masks_a_secret_wherever_it_stands),
	        cmocka_unit_test(it_masks_adjacent_secrets_one_by_one),
	        cmocka_unit_test(it_merges_matches_that_overlap),
	        cmocka_unit_test(it_masks_a_secret_that_begins_another),
	        cmocka_unit_test(it_masks_secrets_inside_another),
	        cmocka_unit_test(it_finds_wrapped_base64),
	        cmocka_unit_test(it_finds_secrets_that_hold_line_breaks),
	        cmocka_unit_test(it_holds_back_no_more_than_may_become_a_secret),
	        cmocka_unit_test(it_holds_little_of_an_endless_stream),
	        cmocka_unit_test(it_learns_secrets_while_a_stream_is_open),
	        cmocka_unit_test(it_looks_again_at_what_is_held),
	        cmocka_unit_test(it_keeps_a_found_secret_through_learning),
	        cmocka_unit_test(it_refuses_secrets_that_are_too_short),
	        cmocka_unit_test(it_copies_without_a_redactor),
	        cmocka_unit_test(it_lets_bytes_pass_that_are_no_text),
	        cmocka_unit_test(it_masks_a_secret_of_16_kib),
	        cmocka_unit_test(it_agrees_with_the_plainest_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
