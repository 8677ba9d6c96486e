/* The inside of an expression: a tree of terms, of bounded height, so that walking it may recurse. */
#ifndef GRIDLANE_PIPELINES_TERM_H
#define GRIDLANE_PIPELINES_TERM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "pipelines/expression.h"

/* Most height of a tree and most nesting of parentheses while parsing. A long chain of && is as high as it is long. */
#define TERM_MOST_HEIGHT 256
#define TERM_MOST_NESTING 64

enum term_kind {
	TERM_VALUE, /* value */
	TERM_NAME, /* a root name: name */
	TERM_MEMBER, /* items[0] . name */
	TERM_INDEX, /* items[0] [ items[1] ] */
	TERM_LIST, /* [ items ] */
	TERM_CALL, /* function ( items ) */
	TERM_NOT, /* ! items[0] */
	TERM_BINARY, /* items[0] operator items[1] */
	TERM_CHOOSE, /* items[0] ? items[1] : items[2] */
	TERM_JOIN /* text with holes: the items' texts one after the other */
};

enum term_operator {
	OPERATOR_ELSE, /* ?? */
	OPERATOR_OR,
	OPERATOR_AND,
	OPERATOR_EQUAL,
	OPERATOR_DIFFERENT,
	OPERATOR_LESS,
	OPERATOR_LESS_EQUAL,
	OPERATOR_MORE,
	OPERATOR_MORE_EQUAL
};
const char *operator_text(enum term_operator op);

struct function;
struct term {
	enum term_kind kind;
	enum term_operator op;
	unsigned line, column;
	json_t *value;
	char *name;
	const struct function *function;
	struct term **items;
	size_t count;
	unsigned height;
};

struct expression {
	char *text;
	unsigned line, column;
	struct term *root;
};

/* Where text stands in the file. */
struct text_place {
	const char *text; /* from its beginning */
	unsigned line, column; /* of the text's first character */
	bool is_exact; /* the text stands there as it is, on one line; else every place is the first character's */
};

/* Parse text[from, to). */
int term_parse(const struct text_place *place, size_t from, size_t to, struct term **ret_term, struct gr_error *err);
void term_free(struct term *term);
void term_auto_free(struct term **term);
#define GR_AUTO_TERM __attribute__((cleanup(term_auto_free)))
/* A new parent of `count` items, which it owns afterwards, failure included. */
int term_new(
        enum term_kind kind, struct term *const *items, size_t count, struct term **ret_term, struct gr_error *err);
unsigned place_column(const struct text_place *place, size_t offset);

/* expression_compile and template_compile for text whose places are not exact. */
int expression_compile_at(const struct text_place *place, struct expression **ret_expression, struct gr_error *err);
int template_compile_at(const struct text_place *place, struct expression **ret_template, struct gr_error *err);

/* Does every name that the expression reads stand in `names` (ended by NULL), and does it call no function that looks
 * outside? */
bool expression_is_static(const struct expression *expression, const char *const *names);

/* The value as it stands inside text; null, lists and maps are errors. Appends to out. */
struct buffer;
int value_format(const json_t *value, struct buffer *out, struct gr_error *err);
const char *value_kind(const json_t *value); /* "text", "a number", ... for messages */

#endif
