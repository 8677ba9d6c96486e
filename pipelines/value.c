/* From a node to its value. Plain scalars have YAML 1.2's core types, narrowed: only true and false are booleans,
 * integers are decimal, and what only looks like a number (a leading zero, no digit before or after the point) is text.
 */
#include <string.h>

#include "pipelines/load.h"
#include "pipelines/node.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"

static size_t count_digits(const char *text)
{
	return strspn(text, "0123456789");
}

/* Does the text have the form of a decimal integer or real without a leading zero? */
static bool is_number_form(const char *text)
{
	size_t before;

	text += *text == '-' || *text == '+';
	before = count_digits(text);
	if (before > 1 && text[0] == '0')
		return false;
	if (before == 0)
		return false;
	text += before;
	if (*text == '.') {
		text++;
		if (count_digits(text) == 0)
			return false;
		text += count_digits(text);
	}
	if (*text == 'e' || *text == 'E') {
		text += 1 + (text[1] == '-' || text[1] == '+');
		if (count_digits(text) == 0)
			return false;
		text += count_digits(text);
	}
	return *text == '\0';
}

static json_t *number_value(const char *text)
{
	int64_t integer;
	double real;

	if (!is_number_form(text))
		return NULL;
	text += *text == '+';
	if (number_parse_int(text, &integer))
		return json_integer(integer);
	/* An integer beyond 2^53 stays text: as a real it would be another number. */
	if (strpbrk(text, ".eE") != NULL && number_parse_real(text, &real))
		return json_real(real);
	return NULL;
}

static json_t *plain_value(const char *text)
{
	json_t *number;

	if (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
		return json_null();
	if (strcmp(text, "true") == 0)
		return json_true();
	if (strcmp(text, "false") == 0)
		return json_false();
	number = number_value(text);
	return number != NULL ? number : json_string(text);
}

static int evaluate_scalar(const struct node *node, const json_t *scope, json_t **ret_value, struct gr_error *err)
{
	if (node->template != NULL) {
		int result = expression_evaluate(node->template, scope, ret_value, err);

		if (result != 0 && err != NULL && err->line == 0) {
			err->line = node->line;
			err->column = node->column;
		}
		return result;
	}
	*ret_value = node->is_plain ? plain_value(node->text) : json_string(node->text);
	return 0;
}

/* Recursion is bounded by TREE_MOST_DEPTH. */
int node_evaluate(const struct node *node, const json_t *scope, json_t **ret_value, struct gr_error *err)
{
	GR_AUTO_JSON json_t *all = NULL;

	if (node->kind == NODE_SCALAR)
		return evaluate_scalar(node, scope, ret_value, err);
	all = node->kind == NODE_MAP ? json_object() : json_array();
	for (size_t i = 0; i < node->count; i++) {
		json_t *item = NULL;
		int result = node_evaluate(node->items[i], scope, &item, err);

		if (result != 0)
			return result;
		if (node->kind == NODE_MAP)
			(void)json_object_set_new(all, node->keys[i]->text, item);
		else
			(void)json_array_append_new(all, item);
	}
	*ret_value = gr_take(&all);
	return 0;
}
