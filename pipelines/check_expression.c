/* Expressions of the file: which names may stand where, and that the types fit. */
#include "pipelines/check.h"
#include "runner/base/memory.h"

bool check_expression(struct check *check, const struct expression *expression, unsigned roots, const struct node *node,
        struct typed *ret)
{
	const struct type_scope scope = {.member = names_member, .user = check};
	unsigned before = check->roots;
	struct gr_error err = {0};
	bool is_right;

	check->roots = roots;
	is_right = expression_check(expression, &scope, ret, &err) == 0;
	check->roots = before;
	if (!is_right)
		findings_add_error(check->findings, node_place(node), &err);
	return is_right;
}

static bool is_boolean(enum type type)
{
	return type == TYPE_BOOL || type == TYPE_ANY;
}

struct expression *check_condition(struct check *check, const struct node *node, unsigned roots, const char *what)
{
	struct expression *expression = NULL;
	struct text_place place;
	struct gr_error err = {0};
	struct typed typed = {0};

	if (node->kind != NODE_SCALAR || node->text[0] == '\0') {
		check_fail(check, node, NULL, "%s must be one expression, such as matrix.device.os_major >= 14", what);
		return NULL;
	}
	place = node_text_place(node);
	if (expression_compile_at(&place, &expression, &err) != 0) {
		findings_add_error(check->findings, node_place(node), &err);
		return NULL;
	}
	if (check_expression(check, expression, roots, node, &typed) && !is_boolean(typed.type))
		check_fail(check, node, NULL, "%s must be a condition, which is true or false; this is %s", what,
		        type_name(typed.type));
	return expression;
}

bool check_templates(struct check *check, const struct node *node, unsigned roots, bool secret_ok)
{
	bool is_right = !node->is_broken;
	struct typed typed = {0};

	if (node->template != NULL) {
		is_right = check_expression(check, node->template, roots, node, &typed);
		if (is_right && typed.type == TYPE_SECRET && !secret_ok) {
			check_fail(check, node, NULL, "a secret cannot stand here");
			is_right = false;
		}
	}
	for (size_t i = 0; i < node->count; i++)
		is_right = check_templates(check, node->items[i], roots, secret_ok) && is_right;
	return is_right;
}
