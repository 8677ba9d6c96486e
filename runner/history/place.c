/* Where a history is: a file, or a database of a PostgreSQL server by its URL. */
#include <stdlib.h>
#include <string.h>

#include "runner/base/credentials.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/history/private.h"

static const char *const schemes[] = {"postgresql://", "postgres://"};
/* Members of a URL's query that are secrets. */
static const char *const secret_names[] = {"password", "sslpassword"};

/* What follows the scheme; NULL: it is a file. */
static const char *after_scheme(const char *place)
{
	for (size_t i = 0; i < GR_COUNT(schemes); i++)
		if (text_has_prefix(place, schemes[i]))
			return place + strlen(schemes[i]);
	return NULL;
}

char *history_default_place(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (data && data[0] == '/')
		return gr_printf("%s/gridlane/history.db", data);
	return home && home[0] == '/' ? gr_printf("%s/.local/share/gridlane/history.db", home) : NULL;
}

bool history_is_server(const char *place)
{
	return after_scheme(place) != NULL;
}

/* Whatever it is, no part of a password: without user and query, and without what stands before an '@' further on. */
char *history_shown(const char *place)
{
	const char *rest = strstr(place, "://"), *at;
	size_t scheme;

	if (!rest)
		return gr_strdup(place);
	rest += strlen("://");
	scheme = (size_t)(rest - place);
	at = strrchr(rest, '@');
	rest = at ? at + 1 : rest;
	return gr_printf("%.*s%.*s", (int)scheme, place, (int)strcspn(rest, "?"), rest);
}

/* An '@' or '/' that is not escaped would make libpq take a piece of the password for a host, and say it. */
int place_check(const char *place, struct gr_error *err)
{
	const char *rest = after_scheme(place);
	const char *at = rest ? strchr(rest, '@') : NULL;

	if (!rest)
		return text_contains_nocase(place, "://")
		               ? gr_fail(err, GR_USAGE, 0, "a history is a file, or postgresql://HOST/DATABASE")
		               : 0;
	if (!at || (strcspn(rest, "/?") > (size_t)(at - rest) && !strchr(at + 1, '@')))
		return 0;
	return gr_fail(
	        err, GR_USAGE, 0, "'@', '/' and '?' of a user or a password are written %%40, %%2F and %%3F in a URL");
}

bool history_has_password(const char *place)
{
	const char *rest = after_scheme(place);

	for (size_t i = 0; rest && i < GR_COUNT(secret_names); i++)
		if (strstr(rest, secret_names[i]) && strchr(rest, '?'))
			return true;
	return rest && url_has_password(place);
}

void history_learn_secrets(const char *place, struct redactor *redactor)
{
	const char *rest = place ? after_scheme(place) : NULL, *query = rest ? strchr(rest, '?') : NULL;

	environment_learn(redactor); /* PGPASSWORD, and the URL itself if it is from there */
	if (place && strstr(place, "://"))
		url_learn_password(redactor, place);
	for (const char *member = query; member; member = strchr(member, '&')) {
		const char *name = ++member;

		for (size_t i = 0; i < GR_COUNT(secret_names); i++) {
			size_t bytes = strlen(secret_names[i]);

			if (strncmp(name, secret_names[i], bytes) == 0 && name[bytes] == '=')
				url_learn_part(redactor, name + bytes + 1, strcspn(name + bytes + 1, "&"));
		}
	}
}
