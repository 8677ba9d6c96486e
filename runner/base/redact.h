/* The one redaction stage: knows every secret in every encoding, those learned at run time included, and takes them
 * out of everything that is written. One Aho-Corasick automaton over all forms (security design 3.5); matches found
 * across chunk borders; overlapping matches merge; each becomes "***". */
#ifndef GRIDLANE_BASE_REDACT_H
#define GRIDLANE_BASE_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/base/buffer.h"

struct redactor;
struct redactor *redactor_new(void);
void redactor_free(struct redactor *redactor); /* wipes what it knew */
/* Learn a secret (shorter than 6 bytes, or known already: ignored; false says too short). Takes effect for every later
 * call, and for open streams from their next chunk on. Of several lines, each of 8 bytes or more is a secret, too. */
bool redactor_add(struct redactor *redactor, const char *secret);
/* Append the redacted text to `out`. A NULL redactor copies. */
void redactor_apply(struct redactor *redactor, const char *text, size_t bytes, struct buffer *out);
/* Is there a secret in it? */
bool redactor_finds(struct redactor *redactor, const char *text, size_t bytes);
/* The redacted text, the caller's (gr_free); NULL for NULL. */
char *redactor_text(struct redactor *redactor, const char *text);

/* A stream: holds back only the longest piece that may still become a secret; end() lets the rest go. */
struct redact_stream;
struct redact_stream *redact_stream_new(struct redactor *redactor);
void redact_stream_free(struct redact_stream *stream);
void redact_stream_add(struct redact_stream *stream, const void *data, size_t bytes, struct buffer *out);
void redact_stream_end(struct redact_stream *stream, struct buffer *out);

#endif
