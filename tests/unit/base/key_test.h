/* Keys for tests, made anew each time: none lies in the tree. */
#ifndef GRIDLANE_TESTS_BASE_KEY_H
#define GRIDLANE_TESTS_BASE_KEY_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runner/base/key.h"

struct key_pair {
	char private_path[64], public_path[64];
	struct key *private_key, *public_key;
};

/* type: "ED25519", "RSA", or the name of a curve. */
static inline EVP_PKEY *key_generate(const char *type)
{
	if (type[0] == 'E')
		return EVP_PKEY_Q_keygen(NULL, NULL, type);
	return type[0] == 'R' ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
	                      : EVP_PKEY_Q_keygen(NULL, NULL, "EC", type);
}

static inline FILE *key_file(char path[64])
{
	int fd;

	(void)snprintf(path, 64, "/tmp/gridlane-key-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

/* passphrase: NULL for none. The files alone. */
static inline void key_pair_write(struct key_pair *pair, const char *type, const char *passphrase)
{
	EVP_PKEY *pkey = key_generate(type);
	FILE *private_file = key_file(pair->private_path), *public_file = key_file(pair->public_path);

	if (!pkey || !private_file || !public_file ||
	        !PEM_write_PKCS8PrivateKey(private_file, pkey, passphrase ? EVP_aes_256_cbc() : NULL, passphrase,
	                passphrase ? (int)strlen(passphrase) : 0, NULL, NULL) ||
	        !PEM_write_PUBKEY(public_file, pkey) || fclose(private_file) || fclose(public_file))
		abort();
	EVP_PKEY_free(pkey);
}

static inline void key_pair_make(struct key_pair *pair, const char *type)
{
	struct gr_error err = {0};

	*pair = (struct key_pair){0};
	key_pair_write(pair, type, NULL);
	if (key_read_private(pair->private_path, &pair->private_key, &err) < 0 ||
	        key_read_public(pair->public_path, &pair->public_key, &err) < 0)
		abort();
}

static inline void key_pair_release(struct key_pair *pair)
{
	(void)unlink(pair->private_path);
	(void)unlink(pair->public_path);
	key_free(pair->private_key);
	key_free(pair->public_key);
}

#endif
