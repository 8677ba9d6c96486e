#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "runner/base/digest.h"

static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char of_448_bits[] = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";

static void it_digests_what_the_standard_digests(void **state)
{
	struct digest *digest = digest_new();
	char hex[DIGEST_TEXT_BYTES];

	(void)state;
	digest_end(digest, hex);
	assert_string_equal(hex, of_nothing);
	digest_add(digest, "abc", 3);
	digest_end(digest, hex);
	assert_string_equal(hex, of_abc);
	digest_free(digest);
	digest_free(NULL);
}

static void it_gives_the_same_for_any_pieces(void **state)
{
	static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	struct digest *digest = digest_new();
	char hex[DIGEST_TEXT_BYTES];

	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		for (size_t at = 0; at < sizeof(text) - 1; at += piece)
			digest_add(digest, text + at, strnlen(text + at, piece));
		digest_add(digest, NULL, 0);
		digest_end(digest, hex);
		assert_string_equal(hex, of_448_bits);
	}
	digest_free(digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_digests_what_the_standard_digests),
	        cmocka_unit_test(it_gives_the_same_for_any_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
