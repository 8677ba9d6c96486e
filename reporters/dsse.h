/* DSSE envelopes: a payload, its type, and signatures over both. */
#ifndef GRIDLANE_REPORTERS_DSSE_H
#define GRIDLANE_REPORTERS_DSSE_H

#include "runner/base/buffer.h"
#include "runner/base/error.h"
#include "runner/base/key.h"

#define DSSE_IN_TOTO "application/vnd.in-toto+json"
#define DSSE_MOST_BYTES ((size_t)64 << 20)

/* What is signed: "DSSEv1 29 http://example.com/HelloWorld 11 hello world". Appends to out. */
void dsse_encode(const char *type, const struct buffer *payload, struct buffer *out);
/* The envelope, one line of JSON without its end. Appends to out. */
int dsse_sign(const struct key *key, const char *type, const struct buffer *payload, struct buffer *out,
        struct gr_error *err);
/* The payload of an envelope that has a signature of this key, and that type; not a byte of it is looked at before.
 * GR_GATE otherwise. Appends to ret_payload. */
int dsse_open(const struct buffer *envelope, const char *type, const struct key *key, struct buffer *ret_payload,
        struct gr_error *err);

#endif
