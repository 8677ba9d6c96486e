#include "runner/base/digest.h"

#include <openssl/evp.h>
#include <unistd.h>

#include "runner/base/memory.h"

#define SHA256_BYTES 32

struct digest {
	EVP_MD_CTX *context;
};

static void no_digest(void) __attribute__((noreturn));

static void no_digest(void)
{
	static const char words[] = "gridlane: libcrypto gives no SHA-256\n";

	(void)!write(STDERR_FILENO, words, sizeof(words) - 1);
	_exit(3);
}

static void begin(struct digest *digest)
{
	if (!digest->context || !EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL))
		no_digest();
}

struct digest *digest_new(void)
{
	struct digest *digest = gr_alloc(1, sizeof(*digest));

	digest->context = EVP_MD_CTX_new();
	begin(digest);
	return digest;
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->context);
	gr_free(digest);
}

void digest_add(struct digest *digest, const void *data, size_t bytes)
{
	if (bytes > 0 && !EVP_DigestUpdate(digest->context, data, bytes))
		no_digest();
}

void digest_end(struct digest *digest, char ret_hex[static DIGEST_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[SHA256_BYTES];

	if (!EVP_DigestFinal_ex(digest->context, hash, NULL))
		no_digest();
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		ret_hex[2 * i] = digits[hash[i] >> 4];
		ret_hex[2 * i + 1] = digits[hash[i] & 15];
	}
	ret_hex[2 * SHA256_BYTES] = '\0';
	begin(digest);
}
