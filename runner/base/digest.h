/* SHA-256 of what comes in pieces. A libcrypto that cannot do it ends the process: going on would mean proofs that
 * prove nothing. */
#ifndef GRIDLANE_BASE_DIGEST_H
#define GRIDLANE_BASE_DIGEST_H

#include <stddef.h>

#define DIGEST_TEXT_BYTES 65 /* 64 hex digits and NUL */

struct digest;
struct digest *digest_new(void);
void digest_free(struct digest *digest); /* NULL is fine */
void digest_add(struct digest *digest, const void *data, size_t bytes);
/* The digest of all that was added; the next add begins a new one. */
void digest_end(struct digest *digest, char ret_hex[static DIGEST_TEXT_BYTES]);

#endif
