/* The redactor: wherever a text is cut into chunks, the same comes out, and no secret. The neutraliser: what comes out
 * is one harmless line of UTF-8. The input: one byte for the secret, one for the cut, then the text. */
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/redact.h"
#include "runner/base/redact_json.h"
#include "runner/base/text.h"
#include "tests/fuzz/fuzz.h"

static const char *const secrets[] = {"ababab", "top/secret+token", "aaaaaaab", "se\"cr&et", "0123456789abcdef"};

static void check_line(const char *text, size_t bytes)
{
	GR_AUTO_BUFFER struct buffer line = {0};

	text_neutralise(&line, text, bytes, 4096);
	FUZZ_MUST(text_is_utf8(buffer_text(&line), line.bytes));
	for (size_t i = 0; i < line.bytes; i++) {
		unsigned char c = (unsigned char)line.data[i];

		FUZZ_MUST((c >= 0x20 && c != 0x7F) || c == '\t');
		FUZZ_MUST(c != 0xC2 || (unsigned char)line.data[i + 1] >= 0xA0); /* no C1 */
	}
	FUZZ_MUST(!strstr(buffer_text(&line), "##[") && !strstr(buffer_text(&line), "##vso["));
	buffer_clear(&line);
	text_clean(&line, text, bytes, 65536);
	FUZZ_MUST(text_is_utf8(buffer_text(&line), line.bytes));
	FUZZ_MUST(memchr(buffer_text(&line), '\x1b', line.bytes) == NULL);
}

static void check_redaction(struct redactor *redactor, const char *secret, size_t cut, const char *text, size_t bytes)
{
	struct redact_stream *stream = redact_stream_new(redactor);
	GR_AUTO_BUFFER struct buffer whole = {0};
	GR_AUTO_BUFFER struct buffer pieces = {0};

	redactor_apply(redactor, text, bytes, &whole);
	for (size_t at = 0; at < bytes; at += cut)
		redact_stream_add(stream, text + at, bytes - at < cut ? bytes - at : cut, &pieces);
	redact_stream_end(stream, &pieces);
	FUZZ_MUST(whole.bytes == pieces.bytes);
	FUZZ_MUST(whole.bytes == 0 || memcmp(whole.data, pieces.data, whole.bytes) == 0);
	FUZZ_MUST(!memmem(buffer_text(&whole), whole.bytes, secret, strlen(secret)));
	redact_stream_free(stream);
}

/* As the text of a value and as its key: the JSON is JSON still, and says it nowhere. */
static void check_json(struct redactor *redactor, const char *secret, const char *text)
{
	GR_AUTO_JSON json_t *plain = json_string(text);
	GR_AUTO_JSON json_t *value = plain ? json_pack("{s:[O, i]}", "list", plain, 7) : NULL;
	GR_AUTO_JSON json_t *again = NULL;
	GR_AUTO_FREE char *dump = NULL;
	const char *key;
	json_t *member;

	if (value)
		(void)json_object_set(value, text, plain);
	dump = value ? redactor_dump(redactor, value, JSON_COMPACT) : NULL;
	again = dump ? json_loads(dump, 0, NULL) : NULL;
	FUZZ_MUST(!dump || again);
	json_object_foreach (again, key, member) {
		const char *said = json_string_value(json_is_array(member) ? json_array_get(member, 0) : member);

		FUZZ_MUST(!strstr(key, secret) && (!said || !strstr(said, secret)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	GR_AUTO_FREE char *words = NULL;
	const char *secret, *text;
	struct redactor *redactor;

	if (bytes < 2)
		return 0;
	secret = secrets[data[0] % GR_COUNT(secrets)];
	text = (const char *)data + 2;
	redactor = redactor_new();
	FUZZ_MUST(redactor_add(redactor, secret));
	check_redaction(redactor, secret, (size_t)data[1] % 13 + 1, text, bytes - 2);
	check_line(text, bytes - 2);
	words = gr_strndup(text, bytes - 2);
	check_json(redactor, secret, words);
	redactor_free(redactor);
	return 0;
}
