/* The expressions of ${{ }}: static types, then pure evaluation over JSON values. */
#ifndef GRIDLANE_PIPELINES_EXPRESSION_H
#define GRIDLANE_PIPELINES_EXPRESSION_H

#include <jansson.h>
#include <stdbool.h>

#include "runner/base/error.h"
#include "runner/steps/kind.h"

struct expression;

/* Compile one expression ("steps.build.bytes > 10"), as in `if:`, `gate:` and `until:`. line and column: its place. */
int expression_compile(
        const char *text, unsigned line, unsigned column, struct expression **ret_expression, struct gr_error *err);
/* Compile text with ${{ }} holes; *ret_expression is NULL when there are none. */
int template_compile(
        const char *text, unsigned line, unsigned column, struct expression **ret_template, struct gr_error *err);
void expression_free(struct expression *expression);

/* A static type, and what the scope knows about its members. */
struct typed {
	enum type type;
	void *context; /* the scope's own, or NULL: nothing is known */
};

/* What a name is, for the checker: resolves a path ("steps.build.bytes") to its type, one member at a time. */
struct type_scope {
	/* The type of `name`: a root name when `parent` is NULL, else a member of what `parent` is the context of ("[]"
	 * is an item of a list). GR_CONFIG if there is no such name (with a suggestion). */
	int (*member)(void *user, void *parent, const char *name, struct typed *ret, struct gr_error *err);
	void *user;
};
int expression_check(
        const struct expression *expression, const struct type_scope *scope, struct typed *ret, struct gr_error *err);

/* Evaluate. Errors (null inside text, comparison of different types, index out of range) carry the place. */
int expression_evaluate(
        const struct expression *expression, const json_t *scope, json_t **ret_value, struct gr_error *err);
/* The same for a condition: the value must be a boolean. */
int expression_is_true(const struct expression *expression, const json_t *scope, bool *ret_true, struct gr_error *err);
/* For messages: every name that the expression reads, with its value: "results.pass_rate = 0.97, results.failed = 3".
 */
char *expression_explain(const struct expression *expression, const json_t *scope);
/* As it stands inside text; null, a list and a map, which cannot stand there, as JSON. The caller's. */
char *value_text(const json_t *value);

#endif
