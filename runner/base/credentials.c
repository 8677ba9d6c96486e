#include "runner/base/credentials.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"

/* A user without a password: a name, or a token ("https://TOKEN@host"). Names of people and accounts are shorter. */
#define TOKEN_BYTES_LEAST 20

extern char **environ;

bool variable_is_secret(const char *name, size_t bytes)
{
	static const char *const endings[] = {"_TOKEN", "_SECRET", "PASSWORD", "_KEY"};
	GR_AUTO_FREE char *copy = gr_strndup(name, bytes);

	if (text_equal(copy, "GRIDLANE_CLIENT_KEY")) /* a path: messages name it, and children may need it */
		return false;
	for (size_t i = 0; i < GR_COUNT(endings); i++)
		if (text_has_suffix_nocase(copy, endings[i]))
			return true;
	return false;
}

/* What stands before the host. An '@' or '/' of a password that nobody escaped is taken for one of the password; one of
 * the query is none of the user's. */
static const char *find_user(const char *url, size_t *ret_bytes)
{
	const char *scheme = strstr(url, "://"), *user = scheme ? scheme + 3 : url;
	const char *at = memrchr(user, '@', strcspn(user, "?#"));

	*ret_bytes = at ? (size_t)(at - user) : 0;
	return at ? user : NULL;
}

bool url_has_password(const char *url)
{
	size_t bytes = 0;
	const char *user = find_user(url, &bytes), *colon = user ? memchr(user, ':', bytes) : NULL;

	return colon && colon + 1 < user + bytes;
}

static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) % 16 : -1;
}

void url_learn_part(struct redactor *redactor, const char *text, size_t bytes)
{
	GR_AUTO_FREE char *written = gr_strndup(text, bytes);
	GR_AUTO_FREE char *plain = gr_alloc(bytes + 1, 1);
	size_t length = 0;

	for (const char *c = written; *c; c++) {
		int high = *c == '%' ? digit_of(c[1]) : -1, low = high >= 0 ? digit_of(c[2]) : -1;

		plain[length++] = low >= 0 ? (char)(high * 16 + low) : *c;
		c += low >= 0 ? 2 : 0;
	}
	(void)redactor_add(redactor, written);
	(void)redactor_add(redactor, plain);
	explicit_bzero(written, bytes);
	explicit_bzero(plain, bytes);
}

void url_learn_password(struct redactor *redactor, const char *url)
{
	size_t bytes = 0, before;
	const char *user = find_user(url, &bytes), *colon = user ? memchr(user, ':', bytes) : NULL;

	if (!user)
		return;
	before = colon ? (size_t)(colon + 1 - user) : 0;
	if (colon || bytes >= TOKEN_BYTES_LEAST)
		url_learn_part(redactor, user + before, bytes - before);
}

void environment_learn(struct redactor *redactor)
{
	for (char **entry = environ; entry && *entry; entry++) {
		size_t bytes = strcspn(*entry, "=");
		const char *value = *entry + bytes + ((*entry)[bytes] == '=');
		GR_AUTO_FREE char *name = gr_strndup(*entry, bytes);

		if (variable_is_secret(name, bytes))
			(void)redactor_add(redactor, value);
		else if (text_has_suffix_nocase(name, "_proxy") || (strstr(value, "://") && !strpbrk(value, " \t\r\n")))
			url_learn_password(redactor, value);
	}
}
