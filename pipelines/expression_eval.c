/* Evaluating terms over JSON values. Nothing is guessed: types that do not fit are errors. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pipelines/functions.h"
#include "pipelines/term.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"

struct evaluation {
	const json_t *scope;
	struct gr_error *err;
};

static int evaluate(const struct evaluation *run, const struct term *term, json_t **ret_value);

const char *value_kind(const json_t *value)
{
	if (value == NULL || json_is_null(value))
		return "null";
	if (json_is_string(value))
		return "text";
	if (json_is_number(value))
		return "a number";
	if (json_is_boolean(value))
		return "a boolean";
	return json_is_array(value) ? "a list" : "a map";
}

/* The shortest decimal text that reads back as the same number. */
static void format_real(double real, struct buffer *out)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		GR_AUTO_JSON json_t *back = NULL;

		(void)snprintf(text, sizeof(text), "%.*g", digits, real);
		back = json_loads(text, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
		if (back != NULL && json_real_value(back) == real)
			break;
	}
	buffer_add_text(out, text);
}

int value_format(const json_t *value, struct buffer *out, struct gr_error *err)
{
	if (json_is_string(value))
		buffer_add(out, json_string_value(value), json_string_length(value));
	else if (json_is_integer(value))
		buffer_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		format_real(json_real_value(value), out);
	else if (json_is_boolean(value))
		buffer_add_text(out, json_is_true(value) ? "true" : "false");
	else
		return gr_fail(err, GR_CONFIG, 0, "%s cannot stand inside text", value_kind(value));
	return 0;
}

char *value_text(const json_t *value)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	struct gr_error ignored = {0};

	if (value_format(value, &out, &ignored) == 0)
		return gr_strdup(buffer_text(&out));
	return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

/* Say where the term stands unless a deeper one did. Returns the error. */
static int fail_term(const struct evaluation *run, const struct term *term)
{
	if (run->err == NULL)
		return -GR_CONFIG;
	if (run->err->line == 0) {
		run->err->line = term->line;
		run->err->column = term->column;
	}
	return -(int)run->err->failure;
}

static int evaluate_member(const struct evaluation *run, const struct term *term, json_t **ret_value)
{
	GR_AUTO_JSON json_t *object = NULL;
	int result = evaluate(run, term->items[0], &object);
	json_t *member;

	if (result != 0)
		return result;
	if (!json_is_object(object) && !json_is_null(object)) {
		(void)gr_fail(run->err, GR_CONFIG, 0, "%s has no member '%s'", value_kind(object), term->name);
		return fail_term(run, term);
	}
	member = json_object_get(object, term->name);
	*ret_value = member != NULL ? json_incref(member) : json_null();
	return 0;
}

static int take_index(
        const struct evaluation *run, const struct term *term, json_t *list, json_t *index, json_t **ret_value)
{
	json_int_t at = json_integer_value(index);

	if (json_is_null(list) || (json_is_object(list) && json_is_string(index))) {
		json_t *member = json_object_get(list, json_string_value(index));

		*ret_value = member != NULL ? json_incref(member) : json_null();
		return 0;
	}
	if (!json_is_array(list) || !json_is_integer(index)) {
		(void)gr_fail(
		        run->err, GR_CONFIG, 0, "%s cannot be indexed with %s", value_kind(list), value_kind(index));
		return fail_term(run, term);
	}
	if (at < 0 || (size_t)at >= json_array_size(list)) {
		(void)gr_fail(run->err, GR_CONFIG, 0,
		        "index %" JSON_INTEGER_FORMAT " is out of range: the list has %zu items", at,
		        json_array_size(list));
		return fail_term(run, term);
	}
	*ret_value = json_incref(json_array_get(list, (size_t)at));
	return 0;
}

static int evaluate_index(const struct evaluation *run, const struct term *term, json_t **ret_value)
{
	GR_AUTO_JSON json_t *list = NULL;
	GR_AUTO_JSON json_t *index = NULL;
	int result = evaluate(run, term->items[0], &list);

	if (result == 0)
		result = evaluate(run, term->items[1], &index);
	return result != 0 ? result : take_index(run, term, list, index, ret_value);
}

/* All items of a term as a JSON list. */
static int evaluate_list(const struct evaluation *run, const struct term *term, json_t **ret_value)
{
	GR_AUTO_JSON json_t *list = json_array();

	for (size_t i = 0; i < term->count; i++) {
		json_t *item = NULL;
		int result = evaluate(run, term->items[i], &item);

		if (result != 0)
			return result;
		(void)json_array_append_new(list, item);
	}
	*ret_value = gr_take(&list);
	return 0;
}

static int evaluate_call(const struct evaluation *run, const struct term *term, json_t **ret_value)
{
	json_t *arguments[FUNCTION_MOST_ARGUMENTS] = {0};
	GR_AUTO_JSON json_t *list = NULL;
	int result = evaluate_list(run, term, &list);

	if (result != 0)
		return result;
	for (size_t i = 0; i < term->count; i++)
		arguments[i] = json_array_get(list, i);
	if (term->function->call(arguments, term->count, ret_value, run->err) == 0)
		return 0;
	(void)gr_context(run->err, "%s()", term->function->name);
	return fail_term(run, term);
}

static int evaluate_truth(const struct evaluation *run, const struct term *term, bool *ret_true)
{
	GR_AUTO_JSON json_t *value = NULL;
	int result = evaluate(run, term, &value);

	if (result != 0)
		return result;
	if (!json_is_boolean(value)) {
		(void)gr_fail(run->err, GR_CONFIG, 0, "a boolean is needed here, not %s", value_kind(value));
		return fail_term(run, term);
	}
	*ret_true = json_is_true(value);
	return 0;
}

static int evaluate_logic(const struct evaluation *run, const struct term *term, json_t **ret_value)
{
	bool is_true = false;
	int result = evaluate_truth(run, term->items[0], &is_true);

	if (result == 0 && term->kind == TERM_NOT)
		is_true = !is_true;
	else if (result == 0 && is_true == (term->op == OPERATOR_AND))
		result = evaluate_truth(run, term->items[1], &is_true);
	if (result == 0)
		*ret_value = json_boolean(is_true);
	return result;
}

static int evaluate_else(const struct evaluation *run, const struct term *term, json_t **ret_value)
{
	GR_AUTO_JSON json_t *value = NULL;
	int result = evaluate(run, term->items[0], &value);

	if (result != 0)
		return result;
	if (json_is_null(value))
		return evaluate(run, term->items[1], ret_value);
	*ret_value = gr_take(&value);
	return 0;
}

static bool is_equal(const json_t *left, const json_t *right)
{
	if (json_is_number(left) && json_is_number(right) && json_typeof(left) != json_typeof(right))
		return json_number_value(left) == json_number_value(right);
	return json_equal(left, right) != 0;
}

static bool compare_order(enum term_operator op, const json_t *left, const json_t *right)
{
	double a = json_number_value(left), b = json_number_value(right);

	if (op == OPERATOR_LESS)
		return a < b;
	if (op == OPERATOR_LESS_EQUAL)
		return a <= b;
	return op == OPERATOR_MORE ? a > b : a >= b;
}

static int compare(const struct evaluation *run, const struct term *term, const json_t *left, const json_t *right,
        json_t **ret_value)
{
	bool is_equality = term->op == OPERATOR_EQUAL || term->op == OPERATOR_DIFFERENT;
	bool has_null = json_is_null(left) || json_is_null(right);

	if (is_equality && !has_null && strcmp(value_kind(left), value_kind(right)) != 0) {
		(void)gr_fail(
		        run->err, GR_CONFIG, 0, "%s cannot be compared with %s", value_kind(left), value_kind(right));
		return fail_term(run, term);
	}
	if (!is_equality && (!json_is_number(left) || !json_is_number(right))) {
		(void)gr_fail(run->err, GR_CONFIG, 0, "'%s' compares numbers, not %s with %s", operator_text(term->op),
		        value_kind(left), value_kind(right));
		return fail_term(run, term);
	}
	*ret_value = json_boolean(is_equality ? is_equal(left, right) == (term->op == OPERATOR_EQUAL)
	                                      : compare_order(term->op, left, right));
	return 0;
}

static int evaluate_binary(const struct evaluation *run, const struct term *term, json_t **ret_value)
{
	GR_AUTO_JSON json_t *left = NULL;
	GR_AUTO_JSON json_t *right = NULL;
	int result;

	if (term->op == OPERATOR_ELSE)
		return evaluate_else(run, term, ret_value);
	if (term->op == OPERATOR_AND || term->op == OPERATOR_OR)
		return evaluate_logic(run, term, ret_value);
	result = evaluate(run, term->items[0], &left);
	if (result == 0)
		result = evaluate(run, term->items[1], &right);
	return result != 0 ? result : compare(run, term, left, right, ret_value);
}

static int evaluate_choose(const struct evaluation *run, const struct term *term, json_t **ret_value)
{
	bool is_true = false;
	int result = evaluate_truth(run, term->items[0], &is_true);

	return result != 0 ? result : evaluate(run, term->items[is_true ? 1 : 2], ret_value);
}

/* What null inside text most often is: a variable that is not set. */
static int fail_join(const struct evaluation *run, const struct term *term, const json_t *value)
{
	if (term->kind == TERM_MEMBER && json_is_null(value))
		(void)gr_fail(run->err, GR_CONFIG, 0,
		        "'%s' is not set; null cannot stand inside text; ?? gives it a fallback", term->name);
	else
		(void)value_format(value, &(struct buffer){0}, run->err);
	return fail_term(run, term);
}

static int evaluate_join(const struct evaluation *run, const struct term *term, json_t **ret_value)
{
	GR_AUTO_BUFFER struct buffer text = {0};

	for (size_t i = 0; i < term->count; i++) {
		GR_AUTO_JSON json_t *value = NULL;
		int result = evaluate(run, term->items[i], &value);

		if (result != 0)
			return result;
		if (value_format(value, &text, NULL) != 0)
			return fail_join(run, term->items[i], value);
	}
	*ret_value = json_stringn(buffer_text(&text), text.bytes);
	return 0;
}

static int evaluate_name(const struct evaluation *run, const struct term *term, json_t **ret_value)
{
	json_t *value = json_object_get(run->scope, term->name);

	*ret_value = value != NULL ? json_incref(value) : json_null();
	return 0;
}

/* Recursion is bounded by TERM_MOST_HEIGHT. */
static int evaluate(const struct evaluation *run, const struct term *term, json_t **ret_value)
{
	switch (term->kind) {
	case TERM_VALUE:
		*ret_value = json_incref(term->value);
		return 0;
	case TERM_NAME:
		return evaluate_name(run, term, ret_value);
	case TERM_MEMBER:
		return evaluate_member(run, term, ret_value);
	case TERM_INDEX:
		return evaluate_index(run, term, ret_value);
	case TERM_LIST:
		return evaluate_list(run, term, ret_value);
	case TERM_CALL:
		return evaluate_call(run, term, ret_value);
	case TERM_NOT:
		return evaluate_logic(run, term, ret_value);
	case TERM_BINARY:
		return evaluate_binary(run, term, ret_value);
	case TERM_CHOOSE:
		return evaluate_choose(run, term, ret_value);
	case TERM_JOIN:
		return evaluate_join(run, term, ret_value);
	}
	return gr_fail(run->err, GR_INTERNAL, 0, "a term of no known kind");
}

int expression_evaluate(
        const struct expression *expression, const json_t *scope, json_t **ret_value, struct gr_error *err)
{
	struct gr_error own = {0};
	struct evaluation run = {.scope = scope, .err = &own};
	int result = evaluate(&run, expression->root, ret_value);

	if (result != 0 && err != NULL)
		*err = own;
	return result;
}

int expression_is_true(const struct expression *expression, const json_t *scope, bool *ret_true, struct gr_error *err)
{
	struct gr_error own = {0};
	struct evaluation run = {.scope = scope, .err = &own};
	int result = evaluate_truth(&run, expression->root, ret_true);

	if (result != 0 && err != NULL)
		*err = own;
	return result;
}
