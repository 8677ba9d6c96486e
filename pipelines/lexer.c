#include "pipelines/lexer.h"

#include <string.h>

#include "runner/base/memory.h"

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_byte(char c)
{
	return is_name_start(c) || is_digit(c) || c == '-';
}

unsigned place_column(const struct text_place *place, size_t offset)
{
	unsigned column = place->column;

	if (!place->is_exact)
		return column;
	for (size_t i = 0; i < offset; i++)
		column += ((unsigned char)place->text[i] & 0xC0) != 0x80;
	return column;
}

unsigned lex_column(struct parser *parser, size_t offset)
{
	const char *text = parser->place->text;

	if (!parser->place->is_exact)
		return parser->place->column;
	if (parser->seen_column == 0 || offset < parser->seen)
		return place_column(parser->place, offset);
	for (; parser->seen < offset; parser->seen++)
		parser->seen_column += ((unsigned char)text[parser->seen] & 0xC0) != 0x80;
	return parser->seen_column;
}

int lex_fail(struct parser *parser, size_t offset, const char *words)
{
	int result = gr_fail(parser->err, GR_CONFIG, 0, "%s", words);

	if (parser->err != NULL) {
		parser->err->line = parser->place->line;
		parser->err->column = lex_column(parser, offset);
	}
	return result;
}

static size_t skip_blanks(const struct parser *parser, size_t at)
{
	while (at < parser->end && strchr(" \t\r\n", parser->place->text[at]) != NULL)
		at++;
	return at;
}

/* 12, -3, 0.98, 1e6 */
static size_t number_end(const struct parser *parser, size_t at)
{
	const char *text = parser->place->text;

	at += text[at] == '-';
	while (at < parser->end && (is_digit(text[at]) || text[at] == '.'))
		at++;
	if (at + 1 < parser->end && (text[at] == 'e' || text[at] == 'E')) {
		at += text[at + 1] == '-' || text[at + 1] == '+' ? 2 : 1;
		while (at < parser->end && is_digit(text[at]))
			at++;
	}
	return at;
}

/* Past the closing quote; two quotes in a row stand for one. 0: it is not closed. */
static size_t quoted_end(const struct parser *parser, size_t at)
{
	const char *text = parser->place->text;
	char quote = text[at];

	for (at++; at < parser->end; at++) {
		if (text[at] != quote)
			continue;
		if (at + 1 < parser->end && text[at + 1] == quote)
			at++;
		else
			return at + 1;
	}
	return 0;
}

static int lex_sign(struct parser *parser, size_t at)
{
	static const char *const signs[] = {
	        "==", "!=", "<=", ">=", "&&", "||", "??", "<", ">", "!", "?", ":", ".", "[", "]", "(", ")", ","};
	const char *text = parser->place->text;

	for (size_t i = 0; i < GR_COUNT(signs); i++) {
		size_t bytes = strlen(signs[i]);

		if (at + bytes <= parser->end && strncmp(text + at, signs[i], bytes) == 0) {
			parser->token = (struct token){.kind = TOKEN_SIGN, .from = at, .to = at + bytes};
			memcpy(parser->token.sign, signs[i], bytes);
			return 0;
		}
	}
	if (strchr("+-*/%", text[at]) != NULL)
		return lex_fail(parser, at, "expressions have no arithmetic; compute it in a `run` step");
	if (text[at] == '$')
		return lex_fail(parser, at, "this is an expression already: '${{' has no place inside it");
	if (text[at] == '=')
		return lex_fail(parser, at, "'=' is not an operator here; '==' compares");
	if (text[at] == '&' || text[at] == '|')
		return lex_fail(parser, at, "'&' and '|' are not operators here; write '&&' and '||'");
	return lex_fail(parser, at, "this character has no meaning in an expression");
}

int lex_next(struct parser *parser)
{
	const char *text = parser->place->text;
	size_t at = skip_blanks(parser, parser->token.to), to = at;
	enum token_kind kind = TOKEN_END;

	if (at < parser->end && is_name_start(text[at])) {
		kind = TOKEN_NAME;
		while (to < parser->end && is_name_byte(text[to]))
			to++;
	} else if (at < parser->end &&
	           (is_digit(text[at]) || (text[at] == '-' && at + 1 < parser->end && is_digit(text[at + 1])))) {
		kind = TOKEN_NUMBER;
		to = number_end(parser, at);
	} else if (at < parser->end && (text[at] == '\'' || text[at] == '"')) {
		kind = TOKEN_TEXT;
		to = quoted_end(parser, at);
		if (to == 0)
			return lex_fail(parser, at, "the text that begins here has no closing quote");
	} else if (at < parser->end) {
		return lex_sign(parser, at);
	}
	parser->token = (struct token){.kind = kind, .from = at, .to = to};
	return 0;
}

bool lex_is_sign(const struct parser *parser, const char *sign)
{
	return parser->token.kind == TOKEN_SIGN && strcmp(parser->token.sign, sign) == 0;
}

/* Read the sign or say that it is missing. */
int lex_expect(struct parser *parser, const char *sign)
{
	char words[64] = "expected '";

	if (lex_is_sign(parser, sign))
		return lex_next(parser);
	(void)strncat(words, sign, 2);
	(void)strncat(words, "' here", sizeof(words) - strlen(words) - 1);
	return lex_fail(parser, parser->token.from, words);
}

char *lex_copy(const struct parser *parser)
{
	return gr_strndup(parser->place->text + parser->token.from, parser->token.to - parser->token.from);
}
