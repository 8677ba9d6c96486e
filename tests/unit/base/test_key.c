#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <string.h>

#include "runner/base/base64.h"
#include "runner/base/memory.h"
#include "tests/unit/base/key_test.h"

static const char *const types[] = {"ED25519", "P-256", "P-384", "P-521"};

static struct buffer buffer_of(const char *text)
{
	struct buffer buffer = {0};

	buffer_add_text(&buffer, text);
	return buffer;
}

static void it_verifies_what_it_signed_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < GR_COUNT(types); i++) {
		struct key_pair pair, other;
		GR_AUTO_BUFFER struct buffer data = buffer_of("what was tested");
		GR_AUTO_BUFFER struct buffer changed = buffer_of("what was tasted");
		GR_AUTO_BUFFER struct buffer signature = {0};
		struct gr_error err = {0};

		key_pair_make(&pair, types[i]);
		key_pair_make(&other, types[i]);
		assert_int_equal(key_sign(pair.private_key, &data, &signature, &err), 0);
		assert_true(key_verifies(pair.public_key, &data, &signature));
		assert_false(key_verifies(pair.public_key, &changed, &signature));
		assert_false(key_verifies(other.public_key, &data, &signature));
		assert_string_equal(key_id(pair.private_key), key_id(pair.public_key));
		assert_string_not_equal(key_id(pair.public_key), key_id(other.public_key));
		signature.data[signature.bytes / 2] ^= 1;
		assert_false(key_verifies(pair.public_key, &data, &signature));
		signature.bytes = 0;
		assert_false(key_verifies(pair.public_key, &data, &signature));
		key_pair_release(&pair);
		key_pair_release(&other);
	}
}

static void expect_refusal(const char *path, bool is_private, const char *words)
{
	struct gr_error err = {0};
	struct key *key = NULL;
	int r = is_private ? key_read_private(path, &key, &err) : key_read_public(path, &key, &err);

	assert_int_equal(r, -GR_USAGE);
	assert_null(key);
	if (!strstr(err.text, words))
		fail_msg("'%s' does not say '%s'", err.text, words);
}

static void it_refuses_other_kinds_of_keys_and_files(void **state)
{
	static const char *const others[] = {"RSA", "secp256k1", "ED448"};
	struct key_pair pair;

	(void)state;
	for (size_t i = 0; i < GR_COUNT(others); i++) {
		key_pair_write(&pair, others[i], NULL);
		expect_refusal(pair.private_path, true, "neither Ed25519 nor ECDSA");
		expect_refusal(pair.public_path, false, "neither Ed25519 nor ECDSA");
		pair.private_key = pair.public_key = NULL;
		key_pair_release(&pair);
	}
	key_pair_write(&pair, "ED25519", "a passphrase");
	expect_refusal(pair.private_path, true, "without a passphrase");
	expect_refusal(pair.public_path, true, "private key");
	expect_refusal(pair.private_path, false, "public key");
	pair.private_key = pair.public_key = NULL;
	key_pair_release(&pair);
	expect_refusal("/nowhere/key.pem", true, "/nowhere/key.pem");
	expect_refusal("/dev/null", true, "/dev/null");
}

static void it_refuses_a_private_key_that_others_may_read(void **state)
{
	struct key_pair pair = {0};
	struct gr_error err = {0};

	(void)state;
	key_pair_write(&pair, "ED25519", NULL);
	assert_int_equal(chmod(pair.private_path, 0640), 0); /* a group's is what secrets of containers are */
	assert_int_equal(key_read_private(pair.private_path, &pair.private_key, &err), 0);
	assert_int_equal(chmod(pair.private_path, 0644), 0);
	expect_refusal(pair.private_path, true, "is open to other users");
	key_pair_release(&pair);
}

/* RFC 4231, test case 2. */
static void it_makes_the_codes_of_the_standard(void **state)
{
	static const unsigned char expected[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26,
	        0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64,
	        0xec, 0x38, 0x43};
	GR_AUTO_BUFFER struct buffer secret = buffer_of("Jefe");
	GR_AUTO_BUFFER struct buffer data = buffer_of("what do ya want for nothing?");
	GR_AUTO_BUFFER struct buffer code = {0};

	(void)state;
	key_hmac(&secret, &data, &code);
	assert_int_equal(code.bytes, sizeof(expected));
	assert_memory_equal(code.data, expected, sizeof(expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_verifies_what_it_signed_and_nothing_else),
	        cmocka_unit_test(it_refuses_other_kinds_of_keys_and_files),
	        cmocka_unit_test(it_refuses_a_private_key_that_others_may_read),
	        cmocka_unit_test(it_makes_the_codes_of_the_standard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
