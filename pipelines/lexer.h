/* Tokens of an expression, and where they stand. */
#ifndef GRIDLANE_PIPELINES_LEXER_H
#define GRIDLANE_PIPELINES_LEXER_H

#include "pipelines/term.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_SIGN };

struct token {
	enum token_kind kind;
	size_t from, to; /* in the text */
	char sign[3];
};

struct parser { /* the token that is looked at, and what the parser counts */
	const struct text_place *place;
	size_t end;
	struct token token;
	unsigned nesting;
	size_t seen; /* a byte whose column is known, so that a long text is not counted again for each token */
	unsigned seen_column;
	struct gr_error *err;
};

/* Look at the next token. */
int lex_next(struct parser *parser);
/* The column of a byte of the text. */
unsigned lex_column(struct parser *parser, size_t offset);
/* Fail with these words at a byte of the text. */
int lex_fail(struct parser *parser, size_t offset, const char *words);
bool lex_is_sign(const struct parser *parser, const char *sign);
/* Step over the sign or say that it is missing. */
int lex_expect(struct parser *parser, const char *sign);
/* The token's text; the caller's. */
char *lex_copy(const struct parser *parser);

#endif
