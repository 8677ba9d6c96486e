/* Base64 (RFC 4648). */
#ifndef GRIDLANE_BASE_BASE64_H
#define GRIDLANE_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/base/buffer.h"

/* With padding, in the standard alphabet, without line breaks. Appends to out. */
void base64_add(struct buffer *out, const void *data, size_t bytes);
/* Either alphabet, with or without padding; anything else in it is false. Appends to out. */
bool base64_read(const char *text, size_t bytes, struct buffer *out);

#endif
