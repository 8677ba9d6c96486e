/* YAML with places: libyaml's events become a tree in which every node knows its line and column. Limits of the
 * security design 3.3 are kept while reading: 1 MiB, depth 64, 100,000 nodes, 64 KiB a scalar, 100 aliases, 10,000
 * expanded nodes. */
#ifndef GRIDLANE_PIPELINES_LOAD_H
#define GRIDLANE_PIPELINES_LOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "runner/base/error.h"

struct expression;

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };
struct node {
	enum node_kind kind;
	unsigned line, column; /* 1-based; column counts characters */
	/* NODE_SCALAR */
	char *text;
	bool is_plain; /* not quoted: null, true, 12, 1.5 have their types */
	unsigned text_column; /* where the text itself begins, when offsets in it are columns; else 0 */
	struct expression *template; /* compiled ${{ }} holes, or NULL when the text has none */
	/* NODE_LIST, NODE_MAP */
	bool is_broken; /* its ${{ }} cannot be compiled, which has been said */
	struct node **items; /* owned; aliases are expanded copies */
	struct node **keys; /* of a map: scalars */
	size_t count;
};
void node_free(struct node *node);
const struct node *node_member(const struct node *map, const char *key);

struct diagnostics;
/* Read one document. What makes reading on impossible is one finding and leaves *ret_root NULL; duplicate keys and
 * templates that cannot be compiled are findings beside a tree. Also NULL, without a finding, for a file that holds
 * nothing. */
void tree_load(const char *text, size_t bytes, struct node **ret_root, struct diagnostics *findings);

/* The value of a node. Plain scalars follow YAML 1.2's core schema with true and false as the only booleans and decimal
 * integers only; holes are evaluated in `scope`, an object with the names `inputs secrets env app devices steps matrix
 * run results` as far as they exist here. A scalar that is exactly one ${{ }} keeps its type. The result is a new
 * reference. Errors carry the node's place. */
int node_evaluate(const struct node *node, const json_t *scope, json_t **ret_value, struct gr_error *err);

#endif
