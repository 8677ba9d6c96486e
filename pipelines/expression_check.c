/* Static types. A wrong type is found before the first request whenever it can be known. */
#include <string.h>

#include "pipelines/functions.h"
#include "pipelines/term.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

struct checking {
	const struct type_scope *scope;
	struct gr_error *err;
};

/* What comparisons distinguish. */
enum family {
	FAMILY_ANY,
	FAMILY_NULL,
	FAMILY_BOOL,
	FAMILY_NUMBER,
	FAMILY_TEXT,
	FAMILY_LIST,
	FAMILY_MAP,
	FAMILY_SECRET
};

static int check_term(const struct checking *run, const struct term *term, struct typed *ret);

static enum family family_of(enum type type)
{
	switch (type) {
	case TYPE_ANY:
	case TYPE_VERSION:
	case TYPE_BUILD:
	case TYPE_MODULE:
		return FAMILY_ANY;
	case TYPE_NULL:
		return FAMILY_NULL;
	case TYPE_BOOL:
		return FAMILY_BOOL;
	case TYPE_INT:
	case TYPE_REAL:
		return FAMILY_NUMBER;
	case TYPE_TEXT:
	case TYPE_DURATION:
	case TYPE_RANGE:
	case TYPE_SIZE:
	case TYPE_FILE:
	case TYPE_CHOICE:
	case TYPE_OPERATION:
	case TYPE_CONDITION:
		return FAMILY_TEXT;
	case TYPE_LIST:
	case TYPE_TEXTS:
	case TYPE_DEVICES:
		return FAMILY_LIST;
	case TYPE_MAP:
	case TYPE_DEVICE:
	case TYPE_STEP:
	case TYPE_TESTCASES:
		return FAMILY_MAP;
	case TYPE_SECRET:
		return FAMILY_SECRET;
	}
	return FAMILY_ANY;
}

static const char *family_name(enum family family)
{
	switch (family) {
	case FAMILY_ANY:
		return "anything";
	case FAMILY_NULL:
		return "null";
	case FAMILY_BOOL:
		return "a boolean";
	case FAMILY_NUMBER:
		return "a number";
	case FAMILY_TEXT:
		return "text";
	case FAMILY_LIST:
		return "a list";
	case FAMILY_MAP:
		return "a map";
	case FAMILY_SECRET:
		return "a secret";
	}
	return "anything";
}

static int fail_term(const struct checking *run, const struct term *term)
{
	if (run->err == NULL)
		return -GR_CONFIG;
	if (run->err->line == 0) {
		run->err->line = term->line;
		run->err->column = term->column;
	}
	return -(int)run->err->failure;
}

static int check_value(const struct term *term, struct typed *ret)
{
	if (json_is_string(term->value))
		ret->type = TYPE_TEXT;
	else if (json_is_integer(term->value))
		ret->type = TYPE_INT;
	else if (json_is_real(term->value))
		ret->type = TYPE_REAL;
	else
		ret->type = json_is_boolean(term->value) ? TYPE_BOOL : TYPE_NULL;
	return 0;
}

static int ask_member(
        const struct checking *run, const struct term *term, struct typed object, const char *name, struct typed *ret)
{
	*ret = (struct typed){.type = TYPE_ANY};
	if (object.context == NULL)
		return 0;
	if (run->scope->member(run->scope->user, object.context, name, ret, run->err) != 0)
		return fail_term(run, term);
	return 0;
}

static int check_name(const struct checking *run, const struct term *term, struct typed *ret)
{
	if (run->scope->member(run->scope->user, NULL, term->name, ret, run->err) != 0)
		return fail_term(run, term);
	return 0;
}

static int check_member(const struct checking *run, const struct term *term, struct typed *ret)
{
	struct typed object = {0};
	int result = check_term(run, term->items[0], &object);
	enum family family = family_of(object.type);

	if (result != 0)
		return result;
	if (family != FAMILY_ANY && family != FAMILY_MAP && family != FAMILY_NULL) {
		(void)gr_fail(run->err, GR_CONFIG, 0, "%s has no member '%s'%s", family_name(family), term->name,
		        family == FAMILY_LIST ? "; take one of its items first, as with [0]" : "");
		return fail_term(run, term);
	}
	return ask_member(run, term, object, term->name, ret);
}

static int check_map_index(const struct checking *run, const struct term *term, struct typed map, struct typed *ret)
{
	const struct term *index = term->items[1];

	if (index->kind == TERM_VALUE && json_is_string(index->value))
		return ask_member(run, index, map, json_string_value(index->value), ret);
	if (map.context == NULL)
		return 0;
	(void)gr_fail(run->err, GR_CONFIG, 0, "the name in [] must be a quoted text here");
	return fail_term(run, index);
}

static int check_index(const struct checking *run, const struct term *term, struct typed *ret)
{
	struct typed list = {0}, index = {0};
	int result = check_term(run, term->items[0], &list);
	enum family family = family_of(list.type);

	if (result == 0)
		result = check_term(run, term->items[1], &index);
	if (result != 0)
		return result;
	if (family == FAMILY_MAP)
		return check_map_index(run, term, list, ret);
	if (family == FAMILY_ANY || family == FAMILY_NULL)
		return 0;
	if (family != FAMILY_LIST) {
		(void)gr_fail(run->err, GR_CONFIG, 0, "%s cannot be indexed", family_name(family));
		return fail_term(run, term);
	}
	if (index.type != TYPE_INT && index.type != TYPE_ANY) {
		(void)gr_fail(run->err, GR_CONFIG, 0, "a list is indexed with an integer, not with %s",
		        family_name(family_of(index.type)));
		return fail_term(run, term->items[1]);
	}
	if (list.type == TYPE_TEXTS)
		ret->type = TYPE_TEXT;
	return list.context != NULL ? ask_member(run, term, list, "[]", ret) : 0;
}

static int refuse_secret(const struct checking *run, const struct term *term, struct typed value)
{
	if (value.type != TYPE_SECRET)
		return 0;
	(void)gr_fail(run->err, GR_CONFIG, 0,
	        "a secret can only be a whole value, where secrets may stand; it cannot be part of text or of an "
	        "expression");
	return fail_term(run, term);
}

static int check_list(const struct checking *run, const struct term *term, struct typed *ret)
{
	bool is_texts = term->count > 0;

	for (size_t i = 0; i < term->count; i++) {
		struct typed item = {0};
		int result = check_term(run, term->items[i], &item);

		if (result == 0)
			result = refuse_secret(run, term->items[i], item);
		if (result != 0)
			return result;
		is_texts = is_texts && item.type == TYPE_TEXT;
	}
	ret->type = is_texts ? TYPE_TEXTS : TYPE_LIST;
	return 0;
}

static int check_argument(
        const struct checking *run, const struct term *term, const struct function *function, size_t i)
{
	enum family wanted = family_of(function->parameters[i < 2 ? i : 1]), family;
	struct typed value = {0};
	int result = check_term(run, term, &value);

	if (result == 0)
		result = refuse_secret(run, term, value);
	if (result != 0)
		return result;
	family = family_of(value.type);
	if (wanted == FAMILY_ANY || family == FAMILY_ANY || family == wanted)
		return 0;
	(void)gr_fail(run->err, GR_CONFIG, 0, "%s() needs %s here, not %s; it is written %s", function->name,
	        family_name(wanted), family_name(family), function->usage);
	return fail_term(run, term);
}

static int check_call(const struct checking *run, const struct term *term, struct typed *ret)
{
	for (size_t i = 0; i < term->count; i++) {
		int result = check_argument(run, term->items[i], term->function, i);

		if (result != 0)
			return result;
	}
	ret->type = term->function->result;
	return 0;
}

static int check_boolean(const struct checking *run, const struct term *term)
{
	struct typed value = {0};
	int result = check_term(run, term, &value);

	if (result == 0)
		result = refuse_secret(run, term, value);
	if (result != 0 || family_of(value.type) == FAMILY_ANY || value.type == TYPE_BOOL)
		return result;
	(void)gr_fail(run->err, GR_CONFIG, 0, "a boolean is needed here, not %s", family_name(family_of(value.type)));
	return fail_term(run, term);
}

static int check_logic(const struct checking *run, const struct term *term, struct typed *ret)
{
	ret->type = TYPE_BOOL;
	for (size_t i = 0; i < term->count; i++) {
		int result = check_boolean(run, term->items[i]);

		if (result != 0)
			return result;
	}
	return 0;
}

/* The type of a value that is either one or the other. */
static struct typed either(struct typed a, struct typed b)
{
	if (a.type == b.type)
		return a;
	if (a.type == TYPE_NULL)
		return b;
	if (b.type == TYPE_NULL)
		return a;
	if (a.type == TYPE_SECRET || b.type == TYPE_SECRET)
		return (struct typed){.type = TYPE_SECRET};
	if (family_of(a.type) == FAMILY_NUMBER && family_of(b.type) == FAMILY_NUMBER)
		return (struct typed){.type = TYPE_REAL};
	if (family_of(a.type) == FAMILY_TEXT && family_of(b.type) == FAMILY_TEXT)
		return (struct typed){.type = TYPE_TEXT};
	return (struct typed){.type = TYPE_ANY};
}

static int check_order(const struct checking *run, const struct term *term, enum family left, enum family right)
{
	bool is_number_left = left == FAMILY_ANY || left == FAMILY_NUMBER;
	bool is_number_right = right == FAMILY_ANY || right == FAMILY_NUMBER;

	if (is_number_left && is_number_right)
		return 0;
	(void)gr_fail(run->err, GR_CONFIG, 0, "'%s' compares numbers, not %s with %s", operator_text(term->op),
	        family_name(left), family_name(right));
	return fail_term(run, term);
}

static int check_comparison(const struct checking *run, const struct term *term, enum family left, enum family right)
{
	bool is_free = left == FAMILY_ANY || right == FAMILY_ANY || left == FAMILY_NULL || right == FAMILY_NULL;

	if (term->op != OPERATOR_EQUAL && term->op != OPERATOR_DIFFERENT)
		return check_order(run, term, left, right);
	if (is_free || left == right)
		return 0;
	(void)gr_fail(run->err, GR_CONFIG, 0, "%s cannot be compared with %s", family_name(left), family_name(right));
	return fail_term(run, term);
}

static int check_binary(const struct checking *run, const struct term *term, struct typed *ret)
{
	struct typed left = {0}, right = {0};
	int result;

	if (term->op == OPERATOR_AND || term->op == OPERATOR_OR)
		return check_logic(run, term, ret);
	result = check_term(run, term->items[0], &left);
	if (result == 0)
		result = check_term(run, term->items[1], &right);
	if (result != 0)
		return result;
	if (term->op == OPERATOR_ELSE) {
		*ret = either(left, right);
		return 0;
	}
	ret->type = TYPE_BOOL;
	result = refuse_secret(run, term->items[0], left);
	if (result == 0)
		result = refuse_secret(run, term->items[1], right);
	return result != 0 ? result : check_comparison(run, term, family_of(left.type), family_of(right.type));
}

static int check_choose(const struct checking *run, const struct term *term, struct typed *ret)
{
	struct typed yes = {0}, no = {0};
	int result = check_boolean(run, term->items[0]);

	if (result == 0)
		result = check_term(run, term->items[1], &yes);
	if (result == 0)
		result = check_term(run, term->items[2], &no);
	if (result == 0)
		*ret = either(yes, no);
	return result;
}

static int check_join(const struct checking *run, const struct term *term, struct typed *ret)
{
	ret->type = TYPE_TEXT;
	for (size_t i = 0; i < term->count; i++) {
		struct typed value = {0};
		int result = check_term(run, term->items[i], &value);
		enum family family = family_of(value.type);

		if (result == 0)
			result = refuse_secret(run, term->items[i], value);
		if (result != 0)
			return result;
		if (family == FAMILY_NULL || family == FAMILY_LIST || family == FAMILY_MAP) {
			(void)gr_fail(run->err, GR_CONFIG, 0, "%s cannot stand inside text%s", family_name(family),
			        family == FAMILY_LIST ? "; use join(list, separator)" : "");
			return fail_term(run, term->items[i]);
		}
	}
	return 0;
}

/* Recursion is bounded by TERM_MOST_HEIGHT. */
static int check_term(const struct checking *run, const struct term *term, struct typed *ret)
{
	*ret = (struct typed){.type = TYPE_ANY};
	switch (term->kind) {
	case TERM_VALUE:
		return check_value(term, ret);
	case TERM_NAME:
		return check_name(run, term, ret);
	case TERM_MEMBER:
		return check_member(run, term, ret);
	case TERM_INDEX:
		return check_index(run, term, ret);
	case TERM_LIST:
		return check_list(run, term, ret);
	case TERM_CALL:
		return check_call(run, term, ret);
	case TERM_NOT:
		return check_logic(run, term, ret);
	case TERM_BINARY:
		return check_binary(run, term, ret);
	case TERM_CHOOSE:
		return check_choose(run, term, ret);
	case TERM_JOIN:
		return check_join(run, term, ret);
	}
	return 0;
}

int expression_check(
        const struct expression *expression, const struct type_scope *scope, struct typed *ret, struct gr_error *err)
{
	struct gr_error own = {0};
	struct checking run = {.scope = scope, .err = &own};
	struct typed typed = {0};
	int result = check_term(&run, expression->root, &typed);

	if (result == 0)
		*ret = typed;
	else if (err != NULL)
		*err = own;
	return result;
}
