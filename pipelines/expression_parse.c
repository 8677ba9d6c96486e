/* From text to terms: one function a level of precedence. */
#include <assert.h>
#include <string.h>

#include "pipelines/functions.h"
#include "pipelines/lexer.h"
#include "pipelines/term.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"

/* Bytes of a name that messages quote. */
#define NAME_SHOWN 60

static int parse_choose(struct parser *parser, struct term **ret_term);

void term_free(struct term *term)
{
	if (term == NULL)
		return;
	for (size_t i = 0; i < term->count; i++)
		term_free(term->items[i]); /* as deep as TERM_MOST_HEIGHT */
	gr_free(term->items);
	gr_free(term->name);
	json_decref(term->value);
	gr_free(term);
}

void term_auto_free(struct term **term)
{
	term_free(*term);
}

int term_new(enum term_kind kind, struct term *const *items, size_t count, struct term **ret_term, struct gr_error *err)
{
	struct term *term = gr_alloc(1, sizeof(*term));

	*term = (struct term){.kind = kind, .count = count};
	if (count > 0)
		term->items = gr_alloc(count, sizeof(struct term *));
	for (size_t i = 0; i < count; i++) {
		assert(items[i] != NULL);
		term->items[i] = items[i];
		if (items[i]->height >= term->height)
			term->height = items[i]->height + 1;
	}
	if (count > 0) {
		term->line = items[0]->line;
		term->column = items[0]->column;
	}
	if (term->height > TERM_MOST_HEIGHT) {
		int result = gr_fail(err, GR_CONFIG, 0,
		        "the expression is too long: more than %d parts hang on one another", TERM_MOST_HEIGHT);

		if (err != NULL) {
			err->line = term->line;
			err->column = term->column;
		}
		term_free(term);
		return result;
	}
	*ret_term = term;
	return 0;
}

/* A leaf at the current token. */
static struct term *leaf_new(struct parser *parser, enum term_kind kind)
{
	struct term *term = NULL;

	(void)term_new(kind, NULL, 0, &term, NULL);
	term->line = parser->place->line;
	term->column = lex_column(parser, parser->token.from);
	return term;
}

static int parse_number(struct parser *parser, struct term **ret_term)
{
	GR_AUTO_FREE char *text = lex_copy(parser);
	GR_AUTO_TERM struct term *term = leaf_new(parser, TERM_VALUE);
	int64_t integer;
	double real;
	int result;

	if (number_parse_int(text, &integer))
		term->value = json_integer(integer);
	else if (number_parse_real(text, &real))
		term->value = json_real(real);
	else
		return lex_fail(parser, parser->token.from, "this is not a number");
	result = lex_next(parser);
	if (result == 0)
		*ret_term = gr_take(&term);
	return result;
}

static int parse_text(struct parser *parser, struct term **ret_term)
{
	GR_AUTO_FREE char *text = lex_copy(parser);
	GR_AUTO_TERM struct term *term = leaf_new(parser, TERM_VALUE);
	size_t used = 0, bytes = strlen(text) - 1; /* without the closing quote */
	char quote = text[0];
	int result;

	for (size_t i = 1; i < bytes; i++) {
		text[used++] = text[i];
		i += text[i] == quote;
	}
	text[used] = '\0';
	term->value = json_string(text);
	if (term->value == NULL)
		return lex_fail(parser, parser->token.from, "this text is not valid UTF-8");
	result = lex_next(parser);
	if (result == 0)
		*ret_term = gr_take(&term);
	return result;
}

static void free_items(struct term **items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		term_free(items[i]);
	gr_free(items);
}

/* Items up to the closing sign, which is read. */
static int parse_items(struct parser *parser, const char *closing, struct term ***ret_items, size_t *ret_count)
{
	struct term **items = NULL;
	size_t count = 0;
	int result = 0;

	while (result == 0 && !lex_is_sign(parser, closing)) {
		items = gr_grow(items, count, sizeof(struct term *));
		items[count] = NULL;
		result = parse_choose(parser, &items[count]);
		count += result == 0;
		if (result == 0 && !lex_is_sign(parser, closing))
			result = lex_expect(parser, ",");
	}
	if (result == 0)
		result = lex_next(parser);
	if (result != 0) {
		free_items(items, count);
		return result;
	}
	*ret_items = items;
	*ret_count = count;
	return 0;
}

/* A list or a call, whose opening sign has been read. `term` is the parent, without items. */
static int parse_parts(struct parser *parser, const char *closing, struct term *term)
{
	int result = parse_items(parser, closing, &term->items, &term->count);

	if (result != 0)
		return result;
	for (size_t i = 0; i < term->count; i++) {
		if (term->items[i]->height >= term->height)
			term->height = term->items[i]->height + 1;
	}
	return 0;
}

static int fail_function(struct parser *parser, size_t offset, const char *name)
{
	const char *near = function_suggest(name);
	char words[200] = "there is no function '";

	(void)strncat(words, name, NAME_SHOWN);
	(void)strncat(words, near != NULL ? "'; did you mean '" : "'", 32);
	if (near != NULL) {
		(void)strncat(words, near, NAME_SHOWN);
		(void)strncat(words, "'?", 4);
	}
	return lex_fail(parser, offset, words);
}

static int check_arity(struct parser *parser, size_t offset, const struct term *call)
{
	char words[200] = "wrong number of arguments; it is written ";

	if (call->count >= call->function->least && call->count <= call->function->most)
		return 0;
	(void)strncat(words, call->function->usage, 120);
	return lex_fail(parser, offset, words);
}

static int parse_call(struct parser *parser, size_t offset, struct term **ret_term)
{
	GR_AUTO_TERM struct term *call = *ret_term;
	int result;

	*ret_term = NULL;
	call->kind = TERM_CALL;
	call->function = function_find(call->name);
	if (call->function == NULL)
		return fail_function(parser, offset, call->name);
	result = lex_next(parser);
	if (result == 0)
		result = parse_parts(parser, ")", call);
	if (result == 0)
		result = check_arity(parser, offset, call);
	if (result == 0)
		*ret_term = gr_take(&call);
	return result;
}

static int parse_name(struct parser *parser, struct term **ret_term)
{
	struct term *term = leaf_new(parser, TERM_NAME);
	size_t offset = parser->token.from;
	int result;

	term->name = lex_copy(parser);
	if (strcmp(term->name, "true") == 0 || strcmp(term->name, "false") == 0 || strcmp(term->name, "null") == 0) {
		term->kind = TERM_VALUE;
		term->value = term->name[0] == 'n' ? json_null() : json_boolean(term->name[0] == 't');
	}
	result = lex_next(parser);
	if (result == 0 && term->kind == TERM_NAME && lex_is_sign(parser, "("))
		result = parse_call(parser, offset, &term);
	if (result != 0) {
		term_free(term);
		return result;
	}
	*ret_term = term;
	return 0;
}

static int parse_group(struct parser *parser, struct term **ret_term)
{
	struct term *term = NULL;
	int result = lex_next(parser);

	if (result == 0)
		result = parse_choose(parser, &term);
	if (result == 0)
		result = lex_expect(parser, ")");
	if (result != 0) {
		term_free(term);
		return result;
	}
	*ret_term = term;
	return 0;
}

static int parse_list(struct parser *parser, struct term **ret_term)
{
	GR_AUTO_TERM struct term *list = leaf_new(parser, TERM_LIST);
	int result = lex_next(parser);

	if (result == 0)
		result = parse_parts(parser, "]", list);
	if (result == 0)
		*ret_term = gr_take(&list);
	return result;
}

static int parse_primary(struct parser *parser, struct term **ret_term)
{
	if (parser->token.kind == TOKEN_NUMBER)
		return parse_number(parser, ret_term);
	if (parser->token.kind == TOKEN_TEXT)
		return parse_text(parser, ret_term);
	if (parser->token.kind == TOKEN_NAME)
		return parse_name(parser, ret_term);
	if (lex_is_sign(parser, "("))
		return parse_group(parser, ret_term);
	if (lex_is_sign(parser, "["))
		return parse_list(parser, ret_term);
	if (parser->token.kind == TOKEN_END)
		return lex_fail(parser, parser->token.from, "the expression ends here, where a value is expected");
	return lex_fail(parser, parser->token.from, "expected a value here: a name, a number or a quoted text");
}

/* Put a parent over *term (and `right`, which may be NULL); on failure *term is NULL. */
static int wrap(struct parser *parser, enum term_kind kind, struct term **term, struct term *right)
{
	struct term *items[2] = {*term, right};
	int result;

	*term = NULL;
	result = term_new(kind, items, right != NULL ? 2 : 1, term, parser->err);
	assert((result == 0) == (*term != NULL));
	return result;
}

static int parse_dot(struct parser *parser, struct term **term)
{
	unsigned column;
	char *name;
	int result = lex_next(parser);

	if (result != 0)
		return result;
	if (parser->token.kind != TOKEN_NAME)
		return lex_fail(parser, parser->token.from, "expected a name after '.'");
	column = lex_column(parser, parser->token.from);
	name = lex_copy(parser);
	result = wrap(parser, TERM_MEMBER, term, NULL);
	if (result != 0) {
		gr_free(name);
		return result;
	}
	(*term)->name = name;
	(*term)->column = column; /* of the member's own name: that is what messages are about */
	return lex_next(parser);
}

static int parse_bracket(struct parser *parser, struct term **term)
{
	unsigned column = lex_column(parser, parser->token.from);
	struct term *index = NULL;
	int result = lex_next(parser);

	if (result == 0)
		result = parse_choose(parser, &index);
	if (result == 0)
		result = lex_expect(parser, "]");
	if (result != 0) {
		term_free(index);
		return result;
	}
	result = wrap(parser, TERM_INDEX, term, index);
	if (result == 0)
		(*term)->column = column;
	return result;
}

static int parse_postfix(struct parser *parser, struct term **ret_term)
{
	GR_AUTO_TERM struct term *term = NULL;
	int result = parse_primary(parser, &term);

	while (result == 0 && (lex_is_sign(parser, ".") || lex_is_sign(parser, "[")))
		result = lex_is_sign(parser, ".") ? parse_dot(parser, &term) : parse_bracket(parser, &term);
	if (result == 0)
		*ret_term = gr_take(&term);
	return result;
}

static int parse_not(struct parser *parser, struct term **ret_term)
{
	GR_AUTO_TERM struct term *term = NULL;
	unsigned nots = 0;
	int result = 0;

	while (result == 0 && lex_is_sign(parser, "!")) {
		nots++;
		result = lex_next(parser);
	}
	if (result == 0)
		result = parse_postfix(parser, &term);
	for (; result == 0 && nots > 0; nots--)
		result = wrap(parser, TERM_NOT, &term, NULL);
	if (result == 0)
		*ret_term = gr_take(&term);
	return result;
}

struct level {
	const char *sign;
	unsigned binding; /* a higher one binds tighter */
};
static const struct level levels[] = {
        [OPERATOR_ELSE] = {"??", 1},
        [OPERATOR_OR] = {"||", 2},
        [OPERATOR_AND] = {"&&", 3},
        [OPERATOR_EQUAL] = {"==", 4},
        [OPERATOR_DIFFERENT] = {"!=", 4},
        [OPERATOR_LESS] = {"<", 5},
        [OPERATOR_LESS_EQUAL] = {"<=", 5},
        [OPERATOR_MORE] = {">", 5},
        [OPERATOR_MORE_EQUAL] = {">=", 5},
};
#define BINDING_MOST 5

const char *operator_text(enum term_operator op)
{
	return levels[op].sign;
}

static bool find_operator(const struct parser *parser, unsigned binding, enum term_operator *ret_op)
{
	for (size_t i = 0; i < GR_COUNT(levels); i++) {
		if (levels[i].binding == binding && lex_is_sign(parser, levels[i].sign)) {
			*ret_op = (enum term_operator)i;
			return true;
		}
	}
	return false;
}

/* Left-associative operators of one binding; recursion is over the five bindings. */
static int parse_binary(struct parser *parser, unsigned binding, struct term **ret_term)
{
	GR_AUTO_TERM struct term *term = NULL;
	enum term_operator op = OPERATOR_ELSE;
	int result;

	if (binding > BINDING_MOST)
		return parse_not(parser, ret_term);
	result = parse_binary(parser, binding + 1, &term);
	while (result == 0 && find_operator(parser, binding, &op)) {
		unsigned column = lex_column(parser, parser->token.from);
		struct term *right = NULL;

		result = lex_next(parser);
		if (result == 0)
			result = parse_binary(parser, binding + 1, &right);
		if (result == 0)
			result = wrap(parser, TERM_BINARY, &term, right);
		if (result == 0) {
			term->op = op;
			term->column = column; /* the operator's: messages are about what it joins */
		}
	}
	if (result == 0)
		*ret_term = gr_take(&term);
	return result;
}

/* What follows the condition of `a ? b : c`. */
static int parse_branches(struct parser *parser, struct term **term)
{
	struct term *items[3] = {0};
	int result = lex_next(parser);

	if (result == 0)
		result = parse_choose(parser, &items[1]);
	if (result == 0)
		result = lex_expect(parser, ":");
	if (result == 0)
		result = parse_choose(parser, &items[2]);
	if (result != 0) {
		term_free(items[1]);
		term_free(items[2]);
		return result;
	}
	items[0] = gr_take(term);
	return term_new(TERM_CHOOSE, items, 3, term, parser->err);
}

/* The whole of an expression, and of each part in parentheses: the only way in which parsing nests. */
static int parse_choose(struct parser *parser, struct term **ret_term)
{
	GR_AUTO_TERM struct term *term = NULL;
	int result;

	if (parser->nesting >= TERM_MOST_NESTING)
		return lex_fail(parser, parser->token.from, "the expression is nested too deeply");
	parser->nesting++;
	result = parse_binary(parser, 1, &term);
	if (result == 0 && lex_is_sign(parser, "?"))
		result = parse_branches(parser, &term);
	parser->nesting--;
	if (result == 0)
		*ret_term = gr_take(&term);
	return result;
}

int term_parse(const struct text_place *place, size_t from, size_t to, struct term **ret_term, struct gr_error *err)
{
	struct parser parser = {.place = place, .end = to, .err = err, .token = {.to = from}, .seen = from};
	GR_AUTO_TERM struct term *term = NULL;
	int result;

	parser.seen_column = place_column(place, from);
	result = lex_next(&parser);
	if (result == 0)
		result = parse_choose(&parser, &term);
	if (result == 0 && parser.token.kind != TOKEN_END)
		result = lex_fail(
		        &parser, parser.token.from, "the expression is complete before this; an operator is missing");
	if (result == 0)
		*ret_term = gr_take(&term);
	return result;
}
