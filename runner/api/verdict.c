/* What an answer says about itself: success, the server's words, and whether they are about the token. */
#include "runner/api/answer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"

/* Bytes of the server's words that are kept; what is cut and how much still fits into 256. */
#define MESSAGE_BYTES 180
#define TITLE_BYTES 100

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (text_equal_nocase(word, *words))
			return true;
	return false;
}

/* 1 yes, -1 no, 0 nothing: numbers are flags or HTTP statuses. */
static int number_says(int64_t number)
{
	if (number == 1 || (number >= 200 && number <= 299))
		return 1;
	return number == 0 || number == -1 || (number >= 300 && number <= 599) ? -1 : 0;
}

static int flag_says(const json_t *answer, const char *key)
{
	static const char *const yes[] = {"true", "success", "successful", "succeeded", "ok", "yes", NULL};
	static const char *const no[] = {"false", "fail", "failed", "failure", "error", "no", "unauthorized",
	        "unauthorised", "unauthenticated", "forbidden", "denied", "refused", "rejected", NULL};
	GR_AUTO_FREE char *text = answer_text(answer, key);
	int64_t number;

	if (answer_int(answer, key, &number))
		return number_says(number);
	if (!text)
		return 0;
	return is_one_of(text, yes) - is_one_of(text, no);
}

enum answer_says answer_says(const json_t *answer)
{
	static const char *const keys[] = {"success", "status", "statuscode"};
	bool yes = false, no = false;

	for (size_t i = 0; i < GR_COUNT(keys); i++) {
		int says = flag_says(answer, keys[i]);

		yes = yes || says > 0;
		no = no || says < 0;
	}
	if (yes && no)
		return ANSWER_CONTRADICTORY;
	if (!yes && !no)
		return ANSWER_SILENT;
	return yes ? ANSWER_SUCCESS : ANSWER_REFUSED;
}

/* ---- the server's words ---- */

#define MESSAGE_KEYS "message|msg|error|error_message|errors|reason"

/* The words in one object; a list of words gives its first. The caller's, or NULL. */
static char *words_in(const json_t *object)
{
	const json_t *first = json_array_get(answer_member(object, "errors|error|message"), 0);
	char *words = answer_text(object, MESSAGE_KEYS);

	if (!words && json_is_string(first))
		words = gr_strdup(json_string_value(first));
	return words;
}

/* {"errors": {"email": ["is taken"], "name": ["is missing"]}}: each after its name. The caller's, or NULL. */
static char *words_by_name(const json_t *answer)
{
	const json_t *errors = answer_member(answer, "errors|error"), *value = NULL;
	const char *name = NULL;
	GR_AUTO_BUFFER struct buffer words = {0};

	json_object_foreach ((json_t *)(uintptr_t)errors, name, value) {
		const json_t *said = json_is_array(value) ? json_array_get(value, 0) : value;

		if (json_is_string(said))
			buffer_printf(&words, "%s%s: %s", words.bytes ? "; " : "", name, json_string_value(said));
	}
	return words.bytes ? gr_strdup(buffer_text(&words)) : NULL;
}

/* A message that is only general ("The given data was invalid.") goes with what is wrong, field by field. */
static char *with_fields(char *words, const json_t *answer)
{
	GR_AUTO_FREE char *fields = json_is_object(json_object_get(answer, "errors")) ? words_by_name(answer) : NULL;
	char *both;

	if (!fields)
		return words;
	both = gr_printf("%s (%s)", words, fields);
	gr_free(words);
	return both;
}

static char *words_of(const json_t *answer)
{
	static const char *const wraps[] = {"error", "errors", "message", "data", "response", "result"};
	char *words = words_in(answer);

	if (words)
		return with_fields(words, answer);
	for (size_t i = 0; !words && i < GR_COUNT(wraps); i++) {
		const json_t *inner = json_object_get(answer, wraps[i]);

		words = words_in(json_is_array(inner) ? json_array_get(inner, 0) : inner);
	}
	return words ? words : words_by_name(answer);
}

const char *answer_message(const json_t *answer, char text[static 256])
{
	GR_AUTO_FREE char *words = words_of(answer);
	GR_AUTO_BUFFER struct buffer harmless = {0};

	if (words)
		text_excerpt(&harmless, words, strlen(words), MESSAGE_BYTES);
	(void)snprintf(text, 256, "%s", buffer_text(&harmless));
	return text;
}

const char *answer_page_title(const struct buffer *body, char text[static 256])
{
	const char *title = strcasestr(buffer_text(body), "<title"), *words = title ? strchr(title, '>') : NULL;
	GR_AUTO_BUFFER struct buffer harmless = {0};

	if (words)
		text_excerpt(&harmless, words + 1, strcspn(words + 1, "<"), TITLE_BYTES);
	(void)snprintf(text, 256, "%s", buffer_text(&harmless));
	return text;
}

enum answer_says operation_says(const struct operation *operation, const json_t *answer)
{
	enum answer_says says = answer_says(answer);
	char words[256];

	if (says != ANSWER_REFUSED)
		return says;
	if (operation_says_nothing_there(operation, answer))
		return ANSWER_SUCCESS;
	if (operation->sign != SAID_BY_SUCCESS_OR_WORDS)
		return says;
	return text_contains_nocase(answer_message(answer, words), " removed successfully") ? ANSWER_SUCCESS : says;
}

/* ---- is it about the token? ---- */

#define WORDS_MOST 64

struct words {
	char text[256];
	const char *word[WORDS_MOST];
	size_t count;
};

/* Lower-case words; everything but letters, digits and _ parts them. */
static void words_split(struct words *words)
{
	bool inside = false;

	for (char *at = words->text; *at; at++) {
		if (!isalnum((unsigned char)*at) && *at != '_') {
			*at = '\0';
			inside = false;
			continue;
		}
		*at = (char)tolower((unsigned char)*at);
		if (!inside && words->count < WORDS_MOST)
			words->word[words->count++] = at;
		inside = true;
	}
}

/* How far apart words may stand that belong together; 0: this word names nothing that can be refused. */
static size_t subject_reach(const char *word)
{
	if (strstr(word, "token") || strncmp(word, "session", 7) == 0 || strncmp(word, "credential", 10) == 0 ||
	        strncmp(word, "password", 8) == 0)
		return 4;
	return strcmp(word, "user") == 0 || strcmp(word, "account") == 0 || strcmp(word, "email") == 0 ? 2 : 0;
}

static bool is_refusal(const char *word)
{
	static const char *const refusals[] = {"invalid", "expired", "expire", "wrong", "incorrect", "unauthorized",
	        "unauthorised", "missing", "mismatch", "unknown", "revoked", "disabled", "blocked", "required",
	        "denied", "bad", "valid", "match", NULL};

	return is_one_of(word, refusals);
}

static bool is_plain_auth(const char *word)
{
	static const char *const plain[] = {"unauthenticated", "unauthorized", "unauthorised", "authentication",
	        "login", "relogin", "signin", NULL};

	return is_one_of(word, plain);
}

bool answer_is_about_auth(const json_t *answer)
{
	struct words words = {.count = 0};
	int64_t status = 0;

	if (answer_int(answer, "statuscode", &status) && status == 401)
		return true;
	if (answer_int(answer, "status", &status) && status == 401)
		return true;
	(void)answer_message(answer, words.text);
	words_split(&words);
	for (size_t i = 0; i < words.count; i++) {
		size_t reach = subject_reach(words.word[i]);

		if (is_plain_auth(words.word[i]))
			return true;
		for (size_t j = i > reach ? i - reach : 0; reach && j < words.count && j <= i + reach; j++)
			if (is_refusal(words.word[j]))
				return true;
	}
	return false;
}
