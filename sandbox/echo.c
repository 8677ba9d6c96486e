#include "sandbox/echo.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"

static void add_hex(struct buffer *out, unsigned char byte, bool upper)
{
	buffer_printf(out, upper ? "%02X" : "%02x", byte);
}

static bool is_plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void put_raw(const char *token, struct buffer *out)
{
	buffer_add_text(out, token);
}

static void put_percent(const char *token, struct buffer *out)
{
	for (; *token != '\0'; token++) {
		if (is_plain((unsigned char)*token)) {
			buffer_add_char(out, *token);
			continue;
		}
		buffer_add_char(out, '%');
		add_hex(out, (unsigned char)*token, true);
	}
}

static void put_percent_every(const char *token, struct buffer *out)
{
	for (; *token != '\0'; token++) {
		buffer_add_char(out, '%');
		add_hex(out, (unsigned char)*token, false);
	}
}

static void put_percent_twice(const char *token, struct buffer *out)
{
	struct buffer once = {0};

	put_percent(token, &once);
	put_percent(buffer_text(&once), out);
	buffer_release(&once);
}

static void put_form(const char *token, struct buffer *out)
{
	for (; *token != '\0'; token++) {
		if (is_plain((unsigned char)*token) || strchr("-._*", *token) != NULL) {
			buffer_add_char(out, *token);
		} else if (*token == ' ') {
			buffer_add_char(out, '+');
		} else {
			buffer_add_char(out, '%');
			add_hex(out, (unsigned char)*token, true);
		}
	}
}

static void put_json(const char *token, struct buffer *out)
{
	for (; *token != '\0'; token++) {
		if (strchr("/\"\\", *token) != NULL)
			buffer_add_char(out, '\\');
		buffer_add_char(out, *token);
	}
}

static void put_json_every(const char *token, struct buffer *out)
{
	for (; *token != '\0'; token++) {
		buffer_add_text(out, "\\u00");
		add_hex(out, (unsigned char)*token, false);
	}
}

static void put_xml(const char *token, struct buffer *out)
{
	static const char *const entities[] = {"&&amp;", "<&lt;", ">&gt;", "\"&quot;", "'&apos;"};
	size_t i;

	for (; *token != '\0'; token++) {
		for (i = 0; i < GR_COUNT(entities) && entities[i][0] != *token; i++)
			;
		if (i < GR_COUNT(entities))
			buffer_add_text(out, entities[i] + 1);
		else
			buffer_add_char(out, *token);
	}
}

static void put_html(const char *token, struct buffer *out)
{
	for (; *token != '\0'; token++) {
		if (strchr("&<>\"'+", *token) != NULL)
			buffer_printf(out, "&#%d;", *token);
		else
			buffer_add_char(out, *token);
	}
}

static void put_hex(const char *token, struct buffer *out)
{
	for (; *token != '\0'; token++)
		add_hex(out, (unsigned char)*token, false);
}

static void put_hex_upper(const char *token, struct buffer *out)
{
	for (; *token != '\0'; token++)
		add_hex(out, (unsigned char)*token, true);
}

static void put_base64_of(const char *text, bool for_urls, struct buffer *out)
{
	size_t bytes = strlen(text);
	GR_AUTO_FREE char *coded = gr_alloc(bytes * 4 / 3 + 8, 1);
	char *c;

	(void)EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)text, (int)bytes);
	for (c = coded; for_urls && *c != '\0'; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	buffer_add_text(out, coded);
}

static void put_base64(const char *token, struct buffer *out)
{
	put_base64_of(token, false, out);
}

static void put_base64url(const char *token, struct buffer *out)
{
	put_base64_of(token, true, out);
}

/* As a proxy writes user and password: no byte of it is where it would be alone. */
static void put_base64_inside(const char *token, struct buffer *out)
{
	GR_AUTO_FREE char *text = gr_printf("user:%s:end", token);

	put_base64_of(text, false, out);
}

static const struct encoding {
	const char *name;
	void (*put)(const char *token, struct buffer *out);
} encodings[] = {
        {"raw", put_raw},
        {"percent", put_percent},
        {"percent_every", put_percent_every},
        {"percent_twice", put_percent_twice},
        {"form", put_form},
        {"json", put_json},
        {"json_every", put_json_every},
        {"xml", put_xml},
        {"html", put_html},
        {"hex", put_hex},
        {"hex_upper", put_hex_upper},
        {"base64", put_base64},
        {"base64url", put_base64url},
        {"base64_inside", put_base64_inside},
};

static const struct encoding *encoding_find(const char *name)
{
	size_t i;

	for (i = 0; i < GR_COUNT(encodings); i++)
		if (strcmp(encodings[i].name, name) == 0)
			return &encodings[i];
	return NULL;
}

bool echo_encoding_is_known(const char *name)
{
	return encoding_find(name) != NULL;
}

/* Scenarios with an encoding that is not known are refused when they are read. */
static void put_token(const json_t *name, const char *token, struct buffer *out)
{
	const struct encoding *encoding = encoding_find(json_string_value(name));

	assert(encoding != NULL);
	encoding->put(token, out);
}

/* Every token of the request in every encoding asked for, each followed by `end`. */
static void put_tokens(const struct call *call, const char *end, struct buffer *out)
{
	static const char *const names[] = {"user_token", "application_token", "version_token"};
	const json_t *wanted = json_object_get(call->state->scenario, "echo_token");
	const json_t *encoding;
	size_t i, k;

	for (i = 0; i < GR_COUNT(names); i++) {
		const char *token = call_text(call, names[i]);

		json_array_foreach (wanted, k, encoding) {
			if (*token == '\0')
				break;
			put_token(encoding, token, out);
			buffer_add_text(out, end);
		}
	}
}

/* Only text that people read: what a client looks entries up by would not be found any more. */
static bool is_echoed(const char *key)
{
	static const char *const keys[] = {"message", "msg", "failed_reason", "test_case_name", "testcase_name",
	        "output", "comments", "description", "version_description", "step_name", "logs", "reason", "info",
	        "team_name", "group_name", "project_name", "log_path", "parameterised_test_data", "manufactured_by",
	        "model_name"};
	size_t i;

	for (i = 0; i < GR_COUNT(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return text_has_suffix_nocase(key, "_url");
}

static void echo_into_text(const struct call *call, const char *key, json_t *value)
{
	bool is_url = text_has_suffix_nocase(key, "_url") || strcmp(key, "log_path") == 0;
	struct buffer text = {0};

	if (is_url && *json_string_value(value) == '\0')
		return;
	buffer_printf(&text, is_url ? "%s?echo=" : "%s [", json_string_value(value));
	put_tokens(call, is_url ? "+" : " ", &text);
	if (!is_url)
		buffer_add_text(&text, "]");
	(void)json_string_set(value, buffer_text(&text));
	buffer_release(&text);
}

/* Our own answers are a few levels deep. */
static void echo_into_value(const struct call *call, const char *key, json_t *value)
{
	json_t *member;
	const char *name;
	size_t i;

	if (json_is_string(value) && is_echoed(key))
		echo_into_text(call, key, value);
	json_array_foreach (value, i, member)
		echo_into_value(call, key, member);
	json_object_foreach (value, name, member)
		echo_into_value(call, name, member);
}

void echo_into_answer(const struct call *call, json_t *answer)
{
	if (json_array_size(json_object_get(call->state->scenario, "echo_token")) > 0)
		echo_into_value(call, "", answer);
}

/* A log is fetched without a token: its reader gets the server's own. */
void echo_into_log(const struct call *call, struct buffer *log)
{
	const json_t *encoding;
	size_t i;

	json_array_foreach (json_object_get(call->state->scenario, "echo_token"), i, encoding) {
		buffer_add_text(log, "\ntoken=");
		put_token(encoding, call->state->token, log);
		buffer_add_text(log, "\n");
	}
}
