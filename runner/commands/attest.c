/* gridlane attest: does a signed test result vouch for these builds? For whoever releases them. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reporters/dsse.h"
#include "reporters/statement.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/commands/command.h"

#define DIGEST_PREFIX "sha256:"

/* The builds' digests, NULL-terminated. */
struct digests {
	char **items;
	size_t count;
};

static bool is_digest(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64;
}

static int read_digest(const char *build, char **ret_digest, struct gr_error *err)
{
	char hex[65];
	int r;

	if (text_has_prefix(build, DIGEST_PREFIX) && is_digest(build + strlen(DIGEST_PREFIX))) {
		*ret_digest = gr_strdup(build + strlen(DIGEST_PREFIX));
		return 0;
	}
	r = file_sha256(build, GR_USAGE, hex, NULL, err);
	if (r < 0)
		return gr_context(err, "--build");
	*ret_digest = gr_strdup(hex);
	return 0;
}

static void digests_release(struct digests *digests)
{
	for (size_t i = 0; i < digests->count; i++)
		gr_free(digests->items[i]);
	gr_free(digests->items);
}

static int read_digests(const char **builds, struct digests *digests, struct gr_error *err)
{
	size_t count = 0;
	int r = 0;

	while (builds && builds[count])
		count++;
	if (count == 0)
		return gr_fail(err, GR_USAGE, 0, "attest verify: --build FILE says which build is to be vouched for");
	digests->items = gr_alloc(count + 1, sizeof(char *));
	while (r == 0 && digests->count < count) {
		r = read_digest(builds[digests->count], &digests->items[digests->count], err);
		digests->count += r == 0;
	}
	return r;
}

/* One envelope, one line: among several, who could say which one counts? */
static int read_envelope(const char *path, struct buffer *ret_line, struct gr_error *err)
{
	GR_AUTO_FREE char *inside = gr_printf("%s/attestation.intoto.jsonl", path);
	struct stat state;
	const char *file = stat(path, &state) == 0 && S_ISDIR(state.st_mode) ? inside : path, *end;
	int r = file_read(file, DSSE_MOST_BYTES, GR_GATE, ret_line, err);

	if (r < 0)
		return r;
	end = strchr(buffer_text(ret_line), '\n');
	if (end && end[strspn(end, " \t\r\n")] != '\0')
		return gr_fail(err, GR_GATE, 0, "'%s' has more than one line; one attestation is wanted", file);
	return 0;
}

static void print_agreement(const struct key *key, const json_t *statement)
{
	const json_t *predicate = json_object_get(statement, "predicate"), *run = json_object_get(predicate, "run");
	const char *id = json_string_value(json_object_get(run, "id"));
	const json_t *subject;
	size_t i;

	printf("%s: run %s, %lld tests executed, signed by %s\n",
	        json_string_value(json_object_get(predicate, "result")), id ? id : "?",
	        (long long)json_integer_value(json_object_get(run, "executed")), key_id(key));
	json_array_foreach (json_object_get(statement, "subject"), i, subject) {
		const char *name = json_string_value(json_object_get(subject, "name"));
		const char *hex = json_string_value(json_object_get(json_object_get(subject, "digest"), "sha256"));

		printf("%s  %s\n", hex ? hex : "?", name ? name : "?");
	}
}

static int verify(const struct arguments *arguments, const struct key *key, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer line = {0};
	GR_AUTO_BUFFER struct buffer payload = {0};
	GR_AUTO_JSON json_t *statement = NULL;
	struct digests digests = {0};
	struct statement_demand demand = {.refuses_warnings = argument_is_given(arguments, OPT_NO_WARNINGS),
	        .takes_sandbox = argument_is_given(arguments, OPT_ALLOW_SANDBOX)};
	int r = read_digests(arguments->values[OPT_BUILD], &digests, err);

	demand.digests = (const char *const *)digests.items;
	if (r == 0)
		r = read_envelope(arguments->words[1], &line, err);
	if (r == 0)
		r = dsse_open(&line, DSSE_IN_TOTO, key, &payload, err);
	if (r == 0)
		r = statement_check(&payload, &demand, &statement, err);
	if (r == 0)
		print_agreement(key, statement);
	digests_release(&digests);
	if (r < 0 && err->failure == GR_GATE)
		return gr_context(err, "refused: attestation '%s'", arguments->words[1]);
	return r;
}

int command_attest(const struct arguments *arguments)
{
	const char *file = argument_value(arguments, OPT_KEY);
	struct gr_error err = {0};
	struct key *key = NULL;
	int r = 0;

	if (strcmp(arguments->words[0], "verify") != 0)
		r = gr_fail(&err, GR_USAGE, 0, "attest '%s' is not verify", arguments->words[0]);
	else if (!file)
		r = gr_fail(&err, GR_USAGE, 0, "attest verify: --key FILE names the public key that is trusted");
	else
		r = key_read_public(file, &key, &err);
	if (r == 0)
		r = verify(arguments, key, &err);
	key_free(key);
	return r < 0 ? complain(&err) : 0;
}
