#include "runner/base/key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>

#include "runner/base/digest.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"

#define KEY_MOST_BYTES (64 << 10)
#define MAC_BYTES 32

struct key {
	EVP_PKEY *pkey;
	const char *digest; /* NULL: Ed25519 has its own */
	char id[DIGEST_TEXT_BYTES];
};

/* Nobody is there to type a passphrase. */
static int no_passphrase(char *text, int bytes, int for_writing, void *context)
{
	(void)text;
	(void)bytes;
	(void)for_writing;
	(void)context;
	return -1;
}

/* The digest that belongs to the key. false: a kind that is not ours. */
static bool choose_digest(struct key *key)
{
	static const char *const curves[][2] = {
	        {"prime256v1", "SHA256"}, {"secp384r1", "SHA384"}, {"secp521r1", "SHA512"}};
	char name[64];

	if (EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_ED25519)
		return true;
	if (EVP_PKEY_get_base_id(key->pkey) != EVP_PKEY_EC ||
	        EVP_PKEY_get_group_name(key->pkey, name, sizeof(name), NULL) != 1)
		return false;
	for (size_t i = 0; i < GR_COUNT(curves); i++)
		if (strcmp(name, curves[i][0]) == 0)
			key->digest = curves[i][1];
	return key->digest != NULL;
}

static bool make_id(struct key *key)
{
	unsigned char *der = NULL;
	int bytes = i2d_PUBKEY(key->pkey, &der);

	if (bytes <= 0)
		return false;
	file_sha256_memory(der, (size_t)bytes, key->id);
	OPENSSL_free(der);
	return true;
}

typedef EVP_PKEY *read_pem(BIO *bio, EVP_PKEY **out, pem_password_cb *callback, void *context);

static int read_key(const char *path, read_pem *read, const char *what, struct key **ret_key, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer pem = {0};
	struct key *key;
	BIO *bio;
	int r = file_read(path, KEY_MOST_BYTES, GR_USAGE, &pem, err);

	if (r < 0)
		return gr_context(err, "%s", what);
	key = gr_alloc(1, sizeof(*key));
	bio = BIO_new_mem_buf(buffer_text(&pem), (int)pem.bytes);
	key->pkey = bio ? read(bio, NULL, no_passphrase, NULL) : NULL;
	BIO_free(bio);
	if (pem.data)
		explicit_bzero(pem.data, pem.bytes);
	if (key->pkey && choose_digest(key) && make_id(key)) {
		*ret_key = key;
		return 0;
	}
	r = key->pkey ? gr_fail(err, GR_USAGE, 0, "%s '%s': it is neither Ed25519 nor ECDSA over P-256, P-384 or P-521",
	                        what, path)
	              : gr_fail(err, GR_USAGE, 0, "%s '%s': it is not one in PEM without a passphrase", what, path);
	key_free(key);
	return r;
}

/* Whoever else reads it signs as we do. As for the key of a client certificate, a group may read it. */
static int check_mode(const char *path, struct gr_error *err)
{
	struct stat info;

	if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_mode & (S_IRWXO | S_IWGRP))
		return gr_fail(err, GR_USAGE, 0, "private key '%s' is open to other users; chmod 600 it", path);
	return 0;
}

int key_read_private(const char *path, struct key **ret_key, struct gr_error *err)
{
	int r = read_key(path, PEM_read_bio_PrivateKey, "private key", ret_key, err);

	if (r == 0)
		r = check_mode(path, err);
	if (r < 0) {
		key_free(*ret_key);
		*ret_key = NULL;
	}
	return r;
}

int key_read_public(const char *path, struct key **ret_key, struct gr_error *err)
{
	return read_key(path, PEM_read_bio_PUBKEY, "public key", ret_key, err);
}

void key_free(struct key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	gr_free(key);
}

const char *key_id(const struct key *key)
{
	return key->id;
}

int key_sign(const struct key *key, const struct buffer *data, struct buffer *ret_signature, struct gr_error *err)
{
	const unsigned char *bytes = (const unsigned char *)buffer_text(data);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	GR_AUTO_FREE unsigned char *signature = NULL;
	size_t size = 0;
	bool is_done = context && EVP_DigestSignInit_ex(context, NULL, key->digest, NULL, NULL, key->pkey, NULL) == 1 &&
	               EVP_DigestSign(context, NULL, &size, bytes, data->bytes) == 1;

	if (is_done) {
		signature = gr_alloc(size, 1);
		is_done = EVP_DigestSign(context, signature, &size, bytes, data->bytes) == 1;
	}
	EVP_MD_CTX_free(context);
	if (!is_done)
		return gr_fail(err, GR_INTERNAL, 0, "libcrypto does not sign with this key");
	buffer_add(ret_signature, (const char *)signature, size);
	return 0;
}

bool key_verifies(const struct key *key, const struct buffer *data, const struct buffer *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool holds = context && EVP_DigestVerifyInit_ex(context, NULL, key->digest, NULL, NULL, key->pkey, NULL) == 1 &&
	             EVP_DigestVerify(context, (const unsigned char *)buffer_text(signature), signature->bytes,
	                     (const unsigned char *)buffer_text(data), data->bytes) == 1;

	EVP_MD_CTX_free(context);
	return holds;
}

void key_hmac(const struct buffer *secret, const struct buffer *data, struct buffer *out)
{
	unsigned char mac[MAC_BYTES];
	unsigned bytes = sizeof(mac);

	if (!HMAC(EVP_sha256(), buffer_text(secret), (int)secret->bytes, (const unsigned char *)buffer_text(data),
	            data->bytes, mac, &bytes))
		bytes = 0; /* nobody takes an empty signature for a right one */
	buffer_add(out, (const char *)mac, bytes);
}
