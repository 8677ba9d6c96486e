#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/redact.h"
#include "runner/base/secret_forms.h"

static struct redactor *make_redactor(const char *secret)
{
	struct redactor *redactor = redactor_new();

	assert_true(redactor_add(redactor, secret));
	return redactor;
}

static void it_knows_each_encoding(void **state)
{
	/* each encoder writes the secret p/s&w+"d' <é> in its own way */
	static const char secret[] = "p/s&w+\"d' <\xC3\xA9>=";
	static const char *const forms[] = {"p%2Fs%26w%2B%22d%27%20%3C%C3%A9%3E%3D",
	        "p%2fs%26w%2b%22d%27%20%3c%c3%a9%3e%3d", "p/s%26w%2B%22d%27%20%3C%C3%A9%3E%3D",
	        "p%2Fs%26w%2B%22d'%20%3C%C3%A9%3E%3D",
	        "p/s&w+%22d'%20%3C%C3%A9%3E=", "p%2Fs%26w%2B%22d%27+%3C%C3%A9%3E%3D",
	        "p%2fs%26w%2b%22d%27+%3c%c3%a9%3e%3d", "p%252Fs%2526w%252B%2522d%2527%2520%253C%25C3%25A9%253E%253D",
	        "p%252fs%2526w%252b%2522d%2527%2520%253c%25c3%25a9%253e%253d",
	        "p%252Fs%2526w%252B%2522d%2527%2B%253C%25C3%25A9%253E%253D", "p/s&w+\\\"d' <\xC3\xA9>=",
	        "p\\/s&w+\\\"d' <\xC3\xA9>=", "p/s&w+\\\"d' <\\u00e9>=", "p\\/s&w+\\\"d' <\\u00E9>=",
	        "p/s\\u0026w+\\\"d' \\u003c\xC3\xA9\\u003e=", "p/s\\u0026w+\\\"d\\u0027 \\u003c\xC3\xA9\\u003e\\u003d",
	        "p/s\\u0026w\\u002B\\u0022d\\u0027 \\u003C\\u00E9\\u003E=", "p\\u002fs&w+\\\"d' <\xC3\xA9>=",
	        "p/s&amp;w+\"d' &lt;\xC3\xA9&gt;=", "p/s&amp;w+&quot;d&apos; &lt;\xC3\xA9&gt;=",
	        "p/s&amp;w&#43;&#34;d&#39; &lt;\xC3\xA9&gt;=", "p/s&#38;w&#43;&#34;d&#39; &#60;\xC3\xA9&#62;=",
	        "p/s&#x26;w&#x2B;&#x22;d&#x27; &#x3C;\xC3\xA9&#x3E;=",
	        "p/s&#x26;w&#x2b;&#x22;d&#x27; &#x3c;\xC3\xA9&#x3e;=", "p/s&amp;w+&quot;d&#039; &lt;\xC3\xA9&gt;=",
	        "p/s&amp;w+&quot;d&#x27; &lt;\xC3\xA9&gt;=", "p/s&w+\\\"d\\' <\xC3\xA9>=", "p/s&w+\"d'\\'' <\xC3\xA9>=",
	        "p/s\\&w+\\\"d\\'\\ \\<\xC3\xA9\\>=",
	        "702f7326772b22642720"
	        "3cc3a93e3d",
	        "702F7326772B22642720"
	        "3CC3A93E3D",
	        "p/s&w+\\\\\\\"d' <\xC3\xA9>="};
	struct redactor *redactor = make_redactor(secret);

	(void)state;
	for (size_t i = 0; i < GR_COUNT(forms); i++) {
		GR_AUTO_FREE char *text = redactor_text(redactor, forms[i]);

		if (strcmp(text, "***") != 0)
			fail_msg("'%s' became '%s'", forms[i], text);
	}
	redactor_free(redactor);
}

static void it_knows_how_form_encoders_differ(void **state)
{
	static const char *const forms[] = {"a b*c~d-e_f.g", "a+b*c%7Ed-e_f.g", "a+b%2Ac~d-e_f.g", "a+b%2ac%7ed-e_f.g",
	        "a%20b*c~d-e_f.g", "a%20b%2Ac%7Ed%2De%5Ff%2Eg", "%61%20%62%2a%63%7e%64%2d%65%5f%66%2e%67",
	        "\\u0061\\u0020\\u0062\\u002A\\u0063\\u007E\\u0064\\u002D\\u0065\\u005F\\u0066\\u002E\\u0067"};
	struct redactor *redactor = make_redactor("a b*c~d-e_f.g");

	(void)state;
	for (size_t i = 0; i < GR_COUNT(forms); i++) {
		GR_AUTO_FREE char *text = redactor_text(redactor, forms[i]);

		if (strcmp(text, "***") != 0)
			fail_msg("'%s' became '%s'", forms[i], text);
	}
	redactor_free(redactor);
}

static size_t encode(const char *text, size_t bytes, bool for_urls, char *ret)
{
	int length = EVP_EncodeBlock((unsigned char *)ret, (const unsigned char *)text, (int)bytes);

	for (int i = 0; for_urls && i < length; i++)
		ret[i] = ret[i] == '+' ? '-' : ret[i] == '/' ? '_' : ret[i];
	return (size_t)length;
}

/* What may be left of a secret in base64: the two characters at its borders that other bytes decide too. */
static void assert_masks_base64(
        struct redactor *redactor, const char *secret, size_t before, size_t after, bool for_urls)
{
	char plain[200], encoded[300];
	GR_AUTO_FREE char *text = NULL;
	size_t bytes = strlen(secret), length;

	memset(plain, 'x', sizeof(plain));
	memcpy(plain + before, secret, bytes);
	length = encode(plain, before + bytes + after, for_urls, encoded);
	text = redactor_text(redactor, encoded);
	assert_non_null(strstr(text, "***"));
	assert_true(strlen(text) - 3 <= length - (bytes * 8 - 10) / 6);
	if (for_urls)
		assert_null(strpbrk(text, "+/"));
}

static void it_finds_a_secret_in_the_base64_of_a_longer_text(void **state)
{
	static const char *const secrets[] = {
	        "s3cr3t-token", "?>?>?>?>?>?", "\xFF\xFE\xFD\xFF\xFE\xFD\xFF", "Basic user:pass"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(secrets); i++) {
		struct redactor *redactor = make_redactor(secrets[i]);

		for (size_t before = 0; before < 30; before++) {
			assert_masks_base64(redactor, secrets[i], before, before * 7 % 5, false);
			assert_masks_base64(redactor, secrets[i], before, before * 7 % 5, true);
		}
		redactor_free(redactor);
	}
}

struct tally {
	size_t forms, bytes;
	size_t shortest;
	bool saw_itself;
	const char *secret;
};

static void count_form(void *context, const char *form, size_t bytes, bool wrapped)
{
	struct tally *tally = context;

	(void)wrapped;
	tally->forms++;
	tally->bytes += bytes;
	if (bytes == strlen(tally->secret) && memcmp(form, tally->secret, bytes) == 0)
		tally->saw_itself = true;
	else if (bytes < tally->shortest)
		tally->shortest = bytes;
}

static struct tally count_forms(const char *secret)
{
	struct tally tally = {.shortest = SIZE_MAX, .secret = secret};

	secret_forms(secret, &(struct form_sink){count_form, &tally});
	return tally;
}

static void it_makes_no_form_shorter_than_eight_bytes(void **state)
{
	static const char *const secrets[] = {
	        "123456", "a\"b'c/", "<&>+'\"", "\xFF\xFE\x80\x81\x82\x83", "\n\n\n\n\n\n"};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(secrets); i++) {
		struct tally tally = count_forms(secrets[i]);

		assert_true(tally.saw_itself);
		assert_true(tally.shortest >= FORM_BYTES_LEAST);
	}
	assert_int_equal(count_forms("12345").forms, 0);
}

/* All mixtures of encoders for a long secret would be gigabytes. */
static void it_makes_few_forms_of_a_long_secret(void **state)
{
	enum { BYTES = 16384 };
	GR_AUTO_FREE char *secret = gr_alloc(BYTES + 1, 1);
	struct tally tally;

	(void)state;
	for (size_t i = 0; i < BYTES; i++)
		secret[i] = "<&>\"'+/=`\n \\abc"[i % 15];
	tally = count_forms(secret);
	assert_true(tally.saw_itself);
	assert_true(tally.bytes < (size_t)BYTES * 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_knows_each_encoding),
	        cmocka_unit_test(it_knows_how_form_encoders_differ),
	        cmocka_unit_test(it_finds_a_secret_in_the_base64_of_a_longer_text),
	        cmocka_unit_test(it_makes_no_form_shorter_than_eight_bytes),
	        cmocka_unit_test(it_makes_few_forms_of_a_long_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
