/* Nodes inside the language room: making, copying and merging them while a file is read. */
#ifndef GRIDLANE_PIPELINES_NODE_H
#define GRIDLANE_PIPELINES_NODE_H

#include "pipelines/findings.h"
#include "pipelines/load.h"
#include "pipelines/term.h"

/* Limits of one file (security design 3.3). */
#define TREE_MOST_BYTES ((size_t)1 << 20)
#define TREE_MOST_DEPTH 64
#define TREE_MOST_NODES 100000
#define TREE_MOST_SCALAR_BYTES ((size_t)64 << 10)
#define TREE_MOST_ALIASES 100
#define TREE_MOST_EXPANDED 10000

struct place node_place(const struct node *node);
struct text_place node_text_place(const struct node *node);
void node_add(struct node *list, struct node *item); /* takes item */
void node_add_member(struct node *map, struct node *key, struct node *item); /* takes both */
/* Levels below and including this node: 1 for a scalar. */
unsigned node_height(const struct node *node);
/* Copy for an alias. *count counts the nodes of all copies of the file; NULL when it passes TREE_MOST_EXPANDED. */
struct node *node_copy(const struct node *node, size_t *count);
/* A complete map: report keys that are there twice, then put in copies of what `<<` brings, counted as node_copy does.
 * Returns the merge value, which the caller keeps as long as anchors may point into it, or NULL. */
struct node *map_finish(struct node *map, size_t *count, struct diagnostics *findings);
/* Does the node, or anything below it, hold an expression? */
bool node_has_template(const struct node *node);
/* The same for an expression that reads other names than these (ended by NULL), or a file. */
bool node_is_static(const struct node *node, const char *const *names);
/* A scalar that is text whatever it looks like, from now on. */
void node_keep_text(const struct node *node);
/* Give a scalar another text, for good; an expression in it is gone. */
void node_set_text(const struct node *node, const char *text);
/* Are these the same plain or quoted text? */
bool node_is(const struct node *node, const char *text);

#endif
