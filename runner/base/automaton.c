#include "runner/base/automaton.h"

#include <string.h>

#include "runner/base/memory.h"

/* Entries of one table: 8 MiB. Its rows are the states nearest to the start; what a search touches of them stays in the
 * processor's caches. */
#define MOST_ENTRIES (UINT32_C(2) << 20)

void automaton_init(struct automaton *automaton)
{
	*automaton = (struct automaton){.count = 1, .room = 64};
	automaton->nodes = gr_alloc(automaton->room, sizeof(*automaton->nodes));
}

static void wipe_free(void *memory, size_t bytes)
{
	if (memory)
		explicit_bzero(memory, bytes);
	gr_free(memory);
}

/* Rows and ranks are numbers only; the needles' bytes are in the nodes. */
static void release_tables(struct automaton *automaton)
{
	gr_free(gr_take(&automaton->table));
	gr_free(gr_take(&automaton->order));
	automaton->rows = 0;
}

void automaton_release(struct automaton *automaton)
{
	release_tables(automaton);
	wipe_free(automaton->nodes, automaton->room * sizeof(*automaton->nodes));
	*automaton = (struct automaton){0};
}

/* Not gr_resize: what realloc() leaves behind would keep the needles. */
static void make_room(struct automaton *automaton)
{
	struct automaton_node *nodes;

	if (automaton->count < automaton->room)
		return;
	nodes = gr_alloc((size_t)automaton->room * 2, sizeof(*nodes));
	memcpy(nodes, automaton->nodes, automaton->room * sizeof(*nodes));
	wipe_free(automaton->nodes, automaton->room * sizeof(*nodes));
	automaton->nodes = nodes;
	automaton->room *= 2;
}

static uint32_t find_child(const struct automaton *automaton, uint32_t node, unsigned char byte)
{
	uint32_t child = automaton->nodes[node].child;

	while (child && automaton->nodes[child].byte != byte)
		child = automaton->nodes[child].sibling;
	return child;
}

static uint32_t add_child(struct automaton *automaton, uint32_t parent, unsigned char byte)
{
	uint32_t child = automaton->count;
	struct automaton_node *nodes;

	make_room(automaton);
	nodes = automaton->nodes;
	nodes[child] =
	        (struct automaton_node){.sibling = nodes[parent].child, .depth = nodes[parent].depth + 1, .byte = byte};
	nodes[parent].child = child;
	automaton->count++;
	return child;
}

void automaton_add(struct automaton *automaton, const char *needle, size_t bytes)
{
	uint32_t node = 0;

	for (size_t i = 0; i < bytes; i++) {
		unsigned char byte = (unsigned char)needle[i];
		uint32_t child = find_child(automaton, node, byte);

		node = child ? child : add_child(automaton, node, byte);
	}
	automaton->nodes[node].ends = bytes > 0;
}

void automaton_classify(const struct automaton *automaton, struct automaton_classes *classes)
{
	if (classes->count == 0)
		classes->count = 1;
	for (uint32_t i = 1; i < automaton->count; i++) {
		unsigned char byte = automaton->nodes[i].byte;

		/* a needle is a C string: NUL is in none, so the other 255 bytes have room beside class 0 */
		if (classes->of[byte] == 0 && byte != 0)
			classes->of[byte] = (unsigned char)classes->count++;
	}
}

static uint32_t place_of(const struct automaton *automaton, const struct automaton_classes *classes, uint32_t node)
{
	uint32_t rank = automaton->nodes[node].rank;

	return rank < automaton->rows ? rank * classes->count : AUTOMATON_SPARSE | node;
}

static uint32_t entry_of(const struct automaton *automaton, const struct automaton_classes *classes, uint32_t node)
{
	return place_of(automaton, classes, node) | (automaton->nodes[node].longest ? AUTOMATON_HIT : 0);
}

static uint32_t node_at(const struct automaton *automaton, const struct automaton_classes *classes, uint32_t place)
{
	if (place & AUTOMATON_SPARSE)
		return place & ~AUTOMATON_SPECIAL;
	return automaton->order[(place & ~AUTOMATON_SPECIAL) / classes->count];
}

const struct automaton_node *automaton_node(
        const struct automaton *automaton, const struct automaton_classes *classes, uint32_t place)
{
	return &automaton->nodes[node_at(automaton, classes, place)];
}

uint32_t automaton_step(
        const struct automaton *automaton, const struct automaton_classes *classes, uint32_t place, unsigned char byte)
{
	uint32_t node, child;

	while (place & AUTOMATON_SPARSE) {
		node = place & ~AUTOMATON_SPECIAL;
		child = find_child(automaton, node, byte);
		if (child)
			return entry_of(automaton, classes, child);
		place = place_of(automaton, classes, automaton->nodes[node].fail);
	}
	return automaton->table[(place & ~AUTOMATON_SPECIAL) + classes->of[byte]];
}

/* What follows from the links of nodes nearer to the start, which are made already. */
static void link_node(
        struct automaton *automaton, const struct automaton_classes *classes, uint32_t parent, uint32_t node)
{
	struct automaton_node *own = &automaton->nodes[node];
	const struct automaton_node *fail;
	uint32_t place;

	own->fail = 0;
	if (parent != 0) {
		place = place_of(automaton, classes, automaton->nodes[parent].fail);
		own->fail = node_at(automaton, classes, automaton_step(automaton, classes, place, own->byte));
	}
	fail = &automaton->nodes[own->fail];
	own->longest = own->ends ? own->depth : fail->longest;
	own->hold = own->child ? own->depth : fail->hold;
}

/* The failure's row, but where the node has children of its own. */
static void fill_row(struct automaton *automaton, const struct automaton_classes *classes, uint32_t node, bool breaks)
{
	const struct automaton_node *nodes = automaton->nodes;
	uint32_t place = place_of(automaton, classes, node);
	uint32_t *row = &automaton->table[place];

	if (node != 0)
		memcpy(row, &automaton->table[place_of(automaton, classes, nodes[node].fail)],
		        classes->count * sizeof(*row));
	for (uint32_t child = nodes[node].child; child; child = nodes[child].sibling)
		row[classes->of[nodes[child].byte]] = entry_of(automaton, classes, child);
	if (breaks && node != 0) {
		row[classes->of['\r']] = place | AUTOMATON_BREAK;
		row[classes->of['\n']] = place | AUTOMATON_BREAK;
	}
}

void automaton_build(struct automaton *automaton, const struct automaton_classes *classes, bool breaks)
{
	uint32_t most = MOST_ENTRIES / classes->count, tail = 1;

	release_tables(automaton);
	automaton->rows = automaton->count < most ? automaton->count : most;
	automaton->order = gr_alloc(automaton->count, sizeof(*automaton->order));
	automaton->table = gr_alloc((size_t)automaton->rows * classes->count, sizeof(*automaton->table));
	for (uint32_t i = 1; i < automaton->count; i++)
		automaton->nodes[i].rank = UINT32_MAX;
	for (uint32_t head = 0; head < tail; head++) {
		uint32_t node = automaton->order[head];

		for (uint32_t child = automaton->nodes[node].child; child; child = automaton->nodes[child].sibling) {
			automaton->nodes[child].rank = tail;
			automaton->order[tail++] = child;
			link_node(automaton, classes, node, child);
		}
		if (head < automaton->rows)
			fill_row(automaton, classes, node, breaks);
	}
}
