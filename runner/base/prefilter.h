/* Says quickly where in a text no needle can begin, so that a search of every byte starts only where one may. Four
 * bytes are looked at in every third place: whatever needle begins before has four of its first six bytes there. */
#ifndef GRIDLANE_BASE_PREFILTER_H
#define GRIDLANE_BASE_PREFILTER_H

#include <stddef.h>

struct prefilter;
struct prefilter *prefilter_new(void);
void prefilter_free(struct prefilter *prefilter); /* wipes it: the needles are secrets */
/* A needle, of at least six bytes; a shorter one makes it let every place through. */
void prefilter_add(struct prefilter *prefilter, const char *needle, size_t bytes);
/* The first place from `at` on where a needle may begin: one whose bytes are among the needles', have a control byte
 * among them (line breaks may stand inside a needle), or go on behind the end of `data`. */
size_t prefilter_skip(const struct prefilter *prefilter, const unsigned char *data, size_t at, size_t bytes);

#endif
