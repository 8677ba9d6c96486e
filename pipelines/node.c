/* Nodes: copies for aliases, duplicate keys, merge keys. The depth of a tree is bounded by TREE_MOST_DEPTH, so walking
 * it may recurse. */
#include "pipelines/node.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/memory.h"

void node_free(struct node *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->count; i++) {
		node_free(node->items[i]);
		if (node->keys != NULL)
			node_free(node->keys[i]);
	}
	gr_free(node->items);
	gr_free(node->keys);
	gr_free(node->text);
	expression_free(node->template);
	gr_free(node);
}

const struct node *node_member(const struct node *map, const char *key)
{
	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->items[i];
	}
	return NULL;
}

struct place node_place(const struct node *node)
{
	return (struct place){.line = node->line, .column = node->column};
}

struct text_place node_text_place(const struct node *node)
{
	return (struct text_place){
	        .text = node->text,
	        .line = node->line,
	        .column = node->text_column != 0 ? node->text_column : node->column,
	        .is_exact = node->text_column != 0,
	};
}

void node_add(struct node *list, struct node *item)
{
	list->items = gr_grow(list->items, list->count, sizeof(struct node *));
	list->items[list->count++] = item;
}

void node_add_member(struct node *map, struct node *key, struct node *item)
{
	map->keys = gr_grow(map->keys, map->count, sizeof(struct node *));
	map->keys[map->count] = key;
	node_add(map, item);
}

unsigned node_height(const struct node *node)
{
	unsigned height = 0;

	for (size_t i = 0; i < node->count; i++) {
		unsigned below = node_height(node->items[i]);

		if (below > height)
			height = below;
	}
	return height + 1;
}

static struct node *copy_flat(const struct node *node)
{
	struct node *copy = gr_alloc(1, sizeof(*copy));

	*copy = *node;
	copy->text = gr_strdup(node->text);
	copy->items = NULL;
	copy->keys = NULL;
	copy->count = 0;
	copy->template = NULL;
	if (node->template != NULL) {
		struct text_place place = node_text_place(copy);

		(void)template_compile_at(&place, &copy->template, NULL); /* it could be compiled once already */
	}
	return copy;
}

struct node *node_copy(const struct node *node, size_t *count)
{
	struct node *copy;

	if (++*count > TREE_MOST_EXPANDED)
		return NULL;
	copy = copy_flat(node);
	for (size_t i = 0; i < node->count; i++) {
		struct node *item = node_copy(node->items[i], count);

		if (item == NULL) {
			node_free(copy);
			return NULL;
		}
		if (node->kind == NODE_MAP)
			node_add_member(copy, copy_flat(node->keys[i]), item);
		else
			node_add(copy, item);
	}
	return copy;
}

static int compare_keys(const void *a, const void *b)
{
	const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
	int order = strcmp(x->text, y->text);

	if (order != 0)
		return order;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

static void report_duplicates(const struct node *map, struct diagnostics *findings)
{
	GR_AUTO_FREE struct node **keys = NULL;

	if (map->count < 2)
		return;
	keys = gr_alloc(map->count, sizeof(struct node *));
	memcpy(keys, map->keys, map->count * sizeof(struct node *));
	qsort(keys, map->count, sizeof(struct node *), compare_keys);
	for (size_t i = 1; i < map->count; i++) {
		if (strcmp(keys[i - 1]->text, keys[i]->text) == 0)
			findings_add(findings, node_place(keys[i]), NULL,
			        "the key '%s' is here twice: first in line %u", keys[i]->text, keys[i - 1]->line);
	}
}

static bool is_merge_key(const struct node *key)
{
	return key->is_plain && strcmp(key->text, "<<") == 0;
}

/* Copy the members of `source` that the map lacks into it. false: too many copies. */
static bool merge_map(struct node *map, const struct node *source, size_t *count)
{
	for (size_t i = 0; i < source->count; i++) {
		struct node *item;

		if (node_member(map, source->keys[i]->text) != NULL)
			continue;
		item = node_copy(source->items[i], count);
		if (item == NULL)
			return false;
		node_add_member(map, copy_flat(source->keys[i]), item);
	}
	return true;
}

static void merge_value(struct node *map, const struct node *value, size_t *count, struct diagnostics *findings)
{
	size_t sources = value->kind == NODE_LIST ? value->count : 1;

	for (size_t i = 0; i < sources; i++) {
		const struct node *source = value->kind == NODE_LIST ? value->items[i] : value;

		if (source->kind != NODE_MAP)
			findings_add(findings, node_place(source), NULL,
			        "'<<' takes a map, or a list of maps: nothing else can be merged");
		else if (!merge_map(map, source, count))
			findings_add(findings, node_place(source), NULL,
			        "the aliases and merges of this file stand for more than %d values",
			        TREE_MOST_EXPANDED);
	}
}

struct node *map_finish(struct node *map, size_t *count, struct diagnostics *findings)
{
	report_duplicates(map, findings);
	for (size_t i = 0; i < map->count; i++) {
		struct node *key = map->keys[i], *value = map->items[i];

		if (!is_merge_key(key))
			continue;
		map->count--;
		memmove(map->keys + i, map->keys + i + 1, (map->count - i) * sizeof(struct node *));
		memmove(map->items + i, map->items + i + 1, (map->count - i) * sizeof(struct node *));
		merge_value(map, value, count, findings);
		node_free(key);
		return value; /* a second one is a duplicate key, reported above */
	}
	return NULL;
}

bool node_has_template(const struct node *node)
{
	if (node->template != NULL)
		return true;
	for (size_t i = 0; i < node->count; i++) {
		if (node_has_template(node->items[i]))
			return true;
	}
	return false;
}

bool node_is_static(const struct node *node, const char *const *names)
{
	if (node->template != NULL && !expression_is_static(node->template, names))
		return false;
	for (size_t i = 0; i < node->count; i++) {
		if (!node_is_static(node->items[i], names))
			return false;
	}
	return true;
}

bool node_is(const struct node *node, const char *text)
{
	return node != NULL && node->kind == NODE_SCALAR && strcmp(node->text, text) == 0;
}

void node_keep_text(const struct node *node)
{
	struct node *own = (struct node *)(uintptr_t)node; /* the tree is ours; sections see it as const */

	if (own->kind == NODE_SCALAR && own->text[0] != '\0')
		own->is_plain = false;
}

void node_set_text(const struct node *node, const char *text)
{
	struct node *own = (struct node *)(uintptr_t)node;

	expression_free(gr_take(&own->template));
	gr_free(own->text);
	own->text = gr_strdup(text);
	own->is_plain = false;
}
