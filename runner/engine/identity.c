/* Is this the server, and the token, that the run was begun with? What one server has started cannot be followed, and
 * what it holds cannot be given back, on another. */
#include <string.h>

#include "runner/base/digest.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/engine/journal.h"
#include "runner/engine/run.h"

#define SALT_DIGITS 16
#define PRINT_DIGITS 8 /* enough to tell two apart, far too few to guess from */

/* "SALT:PRINT" of the token, with the salt of `earlier` if it has one; NULL without a token. The caller's. */
static char *print_of(const struct engine *engine, const char *earlier)
{
	const char *token = vault_get(engine->vault, VAULT_USER_TOKEN);
	char salt[SALT_DIGITS + 1], hex[DIGEST_TEXT_BYTES];
	struct digest *digest;
	uint64_t random;

	if (!token)
		return NULL;
	number_random(&random, sizeof(random));
	(void)snprintf(salt, sizeof(salt), "%016llx", (unsigned long long)random);
	if (earlier && strlen(earlier) > SALT_DIGITS)
		memcpy(salt, earlier, SALT_DIGITS);
	digest = digest_new();
	digest_add(digest, salt, SALT_DIGITS);
	digest_add(digest, token, strlen(token));
	digest_end(digest, hex);
	digest_free(digest);
	return gr_printf("%s:%.*s", salt, PRINT_DIGITS, hex);
}

char *identity_token_print(const struct engine *engine)
{
	return print_of(engine, NULL);
}

int identity_check(struct engine *engine, struct gr_error *err)
{
	const struct replay *replay = engine->options->replay;

	if (!replay || !replay->results.server || text_equal(replay->results.server, engine->base_url))
		return 0;
	return gr_fail(err, GR_USAGE, 0,
	        "this run was begun on %s, and the server is now %s (server.url, or TESTGRID_URL): it can be gone on "
	        "with, and given back, only there",
	        replay->results.server, engine->base_url);
}

void identity_compare_token(struct engine *engine)
{
	const struct replay *replay = engine->options->replay;
	GR_AUTO_FREE char *now = replay && replay->token_print ? print_of(engine, replay->token_print) : NULL;

	if (now && !text_equal(now, replay->token_print))
		engine_warn(engine, GR_AUTH, NULL, NULL,
		        "the token is another one than when this run began: what it started and holds may not be "
		        "shown");
}
