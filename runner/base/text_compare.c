#include "runner/base/text.h"

#include <stdint.h>
#include <string.h>

/* Longest word that gets a suggestion: no key, option or name of ours is longer. */
#define SUGGEST_BYTES 64

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- versions ---- */

/* Two runs of digits of any length, by value. */
static int compare_digits(const char *a, size_t a_count, const char *b, size_t b_count)
{
	while (a_count > 0 && *a == '0')
		a++, a_count--;
	while (b_count > 0 && *b == '0')
		b++, b_count--;
	if (a_count != b_count)
		return a_count < b_count ? -1 : 1;
	return a_count ? memcmp(a, b, a_count) : 0;
}

static int compare_parts(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	size_t a_digits = 0, b_digits = 0, shorter;
	int order;

	while (a_digits < a_bytes && is_digit(a[a_digits]))
		a_digits++;
	while (b_digits < b_bytes && is_digit(b[b_digits]))
		b_digits++;
	order = compare_digits(a, a_digits, b, b_digits);
	if (order != 0)
		return order;
	a += a_digits, a_bytes -= a_digits;
	b += b_digits, b_bytes -= b_digits;
	shorter = a_bytes < b_bytes ? a_bytes : b_bytes;
	order = shorter ? memcmp(a, b, shorter) : 0;
	return order != 0 ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

/* At most `most_parts` parts of both; missing ones are 0. */
static int compare_versions(const char *a, const char *b, size_t most_parts)
{
	for (; most_parts > 0 && (*a || *b); most_parts--) {
		size_t a_bytes = strcspn(a, "."), b_bytes = strcspn(b, ".");
		int order = compare_parts(a, a_bytes, b, b_bytes);

		if (order != 0)
			return order;
		a += a_bytes + (a[a_bytes] == '.');
		b += b_bytes + (b[b_bytes] == '.');
	}
	return 0;
}

int text_compare_versions(const char *a, const char *b)
{
	return compare_versions(a, b, SIZE_MAX);
}

enum comparison { IS, IS_NOT, LESS, AT_MOST, MORE, AT_LEAST };

struct version_term {
	enum comparison comparison;
	char version[64];
	size_t parts;
};

static const char *read_comparison(const char *at, enum comparison *ret)
{
	bool or_equal = at[0] && at[1] == '=';

	*ret = IS;
	if (*at == '!' && or_equal)
		*ret = IS_NOT;
	else if (*at == '<')
		*ret = or_equal ? AT_MOST : LESS;
	else if (*at == '>')
		*ret = or_equal ? AT_LEAST : MORE;
	else
		return at;
	return at + 1 + or_equal;
}

/* [0-9]+(.[0-9]+)*, with ".*" after it where `starred`. Returns the place after it, or NULL. */
static const char *read_version(const char *at, bool starred, struct version_term *term)
{
	size_t used = 0;

	for (term->parts = 0;; at++) {
		if (starred && term->parts > 0 && *at == '*') {
			term->version[used - 1] = '\0';
			return at + 1;
		}
		if (!is_digit(*at))
			return NULL;
		for (; is_digit(*at); at++) {
			if (used > sizeof(term->version) - 3)
				return NULL;
			term->version[used++] = *at;
		}
		term->parts++;
		term->version[used] = '\0';
		if (*at != '.')
			return at;
		term->version[used++] = '.';
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A blank between the sign and its version is let pass. Returns the place after the term, or NULL. */
static const char *read_term(const char *at, struct version_term *term)
{
	const char *version = read_comparison(at, &term->comparison);

	if (version != at)
		while (is_blank(*version))
			version++;
	at = read_version(version, term->comparison == IS || term->comparison == IS_NOT, term);
	return at && (!*at || is_blank(*at)) ? at : NULL;
}

static bool term_holds(const struct version_term *term, const char *version)
{
	int order = text_compare_versions(version, term->version);

	switch (term->comparison) {
	case IS:
		return compare_versions(version, term->version, term->parts) == 0;
	case IS_NOT:
		return compare_versions(version, term->version, term->parts) != 0;
	case LESS:
		return order < 0;
	case AT_MOST:
		return order <= 0;
	case MORE:
		return order > 0;
	case AT_LEAST:
		return order >= 0;
	}
	return false;
}

/* A version that nobody knows is in no range, not even in "!=12". */
bool text_match_version(const char *range, const char *version, bool *ret_ok)
{
	bool holds = version && is_digit(*version), ok = false;
	const char *at = range;

	while (at && is_blank(*at))
		at++;
	while (at && *at) {
		struct version_term term;

		at = read_term(at, &term);
		ok = at != NULL;
		if (ok && holds)
			holds = term_holds(&term, version);
		while (at && is_blank(*at))
			at++;
	}
	if (ret_ok)
		*ret_ok = ok;
	return ok && holds;
}

/* ---- suggestions ---- */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: insert, delete, replace, swap two neighbours. Three rows of the table are enough. */
static size_t edit_distance(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	size_t rows[3][SUGGEST_BYTES + 1];

	for (size_t j = 0; j <= b_bytes; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_bytes; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *swapped = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_bytes; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], swapped[j - 2] + 1);
		}
	}
	return rows[a_bytes % 3][b_bytes];
}

const char *text_suggest(const char *word, const char *const *candidates)
{
	size_t bytes = word ? strlen(word) : 0;
	size_t nearest = bytes / 3 > 1 ? bytes / 3 + 1 : 2; /* one more than what is near enough */
	const char *best = NULL;

	if (bytes == 0 || bytes > SUGGEST_BYTES)
		return NULL;
	for (; *candidates; candidates++) {
		size_t own = strlen(*candidates), distance;

		if (own > SUGGEST_BYTES)
			continue;
		distance = edit_distance(word, bytes, *candidates, own);
		if (distance < nearest) {
			nearest = distance;
			best = *candidates;
		}
	}
	return best;
}
