/* An Aho-Corasick automaton: finds many needles in one pass over a text. The states nearest to the start have whole
 * rows in a table (one load a byte); the deep ones, which are many and seldom entered, keep their children and a
 * failure link. A place is where a search stands: a row's offset in the table, or AUTOMATON_SPARSE and a node's number.
 */
#ifndef GRIDLANE_BASE_AUTOMATON_H
#define GRIDLANE_BASE_AUTOMATON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTOMATON_HIT (UINT32_C(1) << 31) /* a needle ends here */
#define AUTOMATON_SPARSE (UINT32_C(1) << 30) /* the place is a node, not a row */
#define AUTOMATON_BREAK (UINT32_C(1) << 29) /* a line break inside a needle: the caller decides */
#define AUTOMATON_SPECIAL (AUTOMATON_HIT | AUTOMATON_SPARSE | AUTOMATON_BREAK)

struct automaton_node {
	uint32_t child, sibling; /* 0: none */
	uint32_t fail; /* the longest proper suffix that begins a needle too */
	uint32_t depth;
	uint32_t longest; /* bytes of the longest needle that ends here, or 0 */
	uint32_t hold; /* bytes of the longest suffix that a needle may still go on from */
	uint32_t rank; /* in breadth-first order */
	unsigned char byte;
	bool ends;
};

struct automaton {
	struct automaton_node *nodes; /* [0] is the start */
	uint32_t count, room;
	uint32_t *order; /* nodes by rank */
	uint32_t *table; /* rows of `classes` entries: a place with AUTOMATON_HIT and AUTOMATON_BREAK */
	uint32_t rows;
};

/* Bytes that no needle holds are all alike: they share class 0. */
struct automaton_classes {
	unsigned char of[256];
	uint32_t count;
};

void automaton_init(struct automaton *automaton);
void automaton_release(struct automaton *automaton); /* wipes it: the needles are secrets */
void automaton_add(struct automaton *automaton, const char *needle, size_t bytes);
/* Give each byte that a needle holds a class of its own. */
void automaton_classify(const struct automaton *automaton, struct automaton_classes *classes);
/* Make links and rows anew, after the last add and before the next step. Where breaks says so, a line break leaves a
 * search where it is and sets AUTOMATON_BREAK (the classes must know CR and LF then). */
void automaton_build(struct automaton *automaton, const struct automaton_classes *classes, bool breaks);
/* Where `byte` leads from `place`, with AUTOMATON_HIT if a needle ends there. */
uint32_t automaton_step(
        const struct automaton *automaton, const struct automaton_classes *classes, uint32_t place, unsigned char byte);
const struct automaton_node *automaton_node(
        const struct automaton *automaton, const struct automaton_classes *classes, uint32_t place);

#endif
