/* Keys that sign and verify: Ed25519, and ECDSA over P-256, P-384 and P-521 (with the SHA-2 of their size, signatures
 * in DER). Files are PEM, as `openssl genpkey` and `openssl pkey -pubout` write them. */
#ifndef GRIDLANE_BASE_KEY_H
#define GRIDLANE_BASE_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/base/buffer.h"
#include "runner/base/error.h"

struct key;
/* GR_USAGE: not there, not of these kinds, protected by a passphrase. */
int key_read_private(const char *path, struct key **ret_key, struct gr_error *err);
int key_read_public(const char *path, struct key **ret_key, struct gr_error *err);
void key_free(struct key *key); /* NULL is fine */
/* SHA-256 of the public key (DER, SubjectPublicKeyInfo) in hex: the same for both halves. */
const char *key_id(const struct key *key);
/* Appends to ret_signature. The key must be a private one. */
int key_sign(const struct key *key, const struct buffer *data, struct buffer *ret_signature, struct gr_error *err);
bool key_verifies(const struct key *key, const struct buffer *data, const struct buffer *signature);

/* HMAC-SHA-256, 32 bytes. Appends to out. */
void key_hmac(const struct buffer *secret, const struct buffer *data, struct buffer *out);

#endif
