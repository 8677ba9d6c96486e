/* Text that people and servers wrote: UTF-8 checking, matching, and making untrusted text harmless. */
#ifndef GRIDLANE_BASE_TEXT_H
#define GRIDLANE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/base/buffer.h"

bool text_is_utf8(const char *text, size_t bytes); /* strict: no overlong forms, no surrogates, nothing over U+10FFFF */
bool text_equal(const char *a, const char *b); /* NULL equals NULL alone */
bool text_equal_nocase(const char *a, const char *b); /* ASCII letters alone are folded; NULL as above */
bool text_has_prefix(const char *text, const char *prefix);
bool text_has_suffix_nocase(const char *text, const char *suffix);
/* Does `text` contain `word` without regard to ASCII case? */
bool text_contains_nocase(const char *text, const char *word);

/* Shell-like pattern: * ? [a-z] [!a-z]; case-sensitive; / is an ordinary character. Linear time in practice (no
 * exponential backtracking). */
bool text_match_glob(const char *pattern, const char *text);

/* Version order: dotted numbers compared part by part, missing parts are 0 ("14" == "14.0"). <0, 0, >0. */
int text_compare_versions(const char *a, const char *b);
/* "13", ">=13", ">=13 <15", "<=14.2", "!=12", "13.*": every blank-separated term must hold. ret_ok (may be NULL) says
 * whether the range itself is well formed. A bare version matches itself and its sub-versions ("14" matches "14.1"). */
bool text_match_version(const char *range, const char *version, bool *ret_ok);

/* The candidate nearest to `word` by edit distance with swaps (at most a third of its length, at least 1), or NULL.
 * `candidates` ends with NULL. Ties go to the first. */
const char *text_suggest(const char *word, const char *const *candidates);

/* Untrusted text as one harmless line (security design 3.6): invalid UTF-8 becomes U+FFFD; line breaks become visible
 * (\n, \r, ...); escape sequences, C0 (but tab), DEL, C1 and bidi controls go; "##[" and "##word[" are broken up, as
 * is "::" at the start; cut at `most_bytes` with "… [n bytes cut]". Appends to `out`. */
void text_neutralise(struct buffer *out, const char *text, size_t bytes, size_t most_bytes);
/* The same for text that keeps its line breaks and tabs (failure texts in reports): valid UTF-8, legal in XML 1.0, ANSI
 * sequences dropped, other controls as visible \xNN, CR LF and CR become LF. */
void text_clean(struct buffer *out, const char *text, size_t bytes, size_t most_bytes);

/* JSON text for a console: what could be more than data there (DEL, C1 and bidi controls, U+2028, U+2029, U+FEFF, the
 * second '#' of "##") is written as \uXXXX. It means the same as before. Appends to `out`. */
void text_escape_json(struct buffer *out, const char *json);

/* Before redaction nothing is cut but so: half a secret is none that a redactor knows. How many of `bytes` bytes to
 * keep, at most `most`: up to a blank or a line break, so that every word that is kept is whole; 0 if there is none. */
size_t text_whole_words(const char *text, size_t bytes, size_t most);
/* The first whole words of it as text_neutralise() makes them, at most `most` bytes, and "…" if more followed. Appends
 * to `out`. */
void text_excerpt(struct buffer *out, const char *text, size_t bytes, size_t most);

/* Is it one line that neither of the two would change? false where that takes more than a look. */
bool text_is_plain(const char *text, size_t bytes);

/* A file-name part from any text: [A-Za-z0-9._-] kept, runs of others become one '-', no leading '.' or '-', at most 80
 * bytes, never empty ("x"). Not unique: callers number. Appends to `out`. */
void text_slug(struct buffer *out, const char *text);

#endif
