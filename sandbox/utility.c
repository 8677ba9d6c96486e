/* The converters of the section Utility. */
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "sandbox/routes.h"

/* One field of CSV into `out`; the rest of the text. A quoted field may hold commas, line breaks and doubled quotes. */
static const char *csv_field(const char *text, struct buffer *out)
{
	bool is_quoted = *text == '"';

	for (text += is_quoted; *text != '\0'; text++) {
		if (is_quoted && text[0] == '"' && text[1] == '"')
			text++;
		else if (is_quoted && *text == '"')
			return text + 1;
		else if (!is_quoted && (*text == ',' || *text == '\n' || *text == '\r'))
			break;
		buffer_add_char(out, *text);
	}
	return text;
}

static const char *csv_row(const char *text, json_t *fields)
{
	for (;;) {
		GR_AUTO_BUFFER struct buffer field = {0};

		text = csv_field(text, &field);
		(void)json_array_append_new(fields, json_string(buffer_text(&field)));
		if (*text != ',')
			break;
		text++;
	}
	text += strcspn(text, "\n");
	return text + (*text == '\n');
}

/* Rows as objects with the first row's fields as their keys. The caller's. */
static char *csv_to_json(const char *text)
{
	GR_AUTO_JSON json_t *rows = json_array();
	GR_AUTO_JSON json_t *head = json_array();
	size_t i;

	text = csv_row(text, head);
	while (*text != '\0') {
		GR_AUTO_JSON json_t *fields = json_array();
		json_t *row = json_object();

		text = csv_row(text, fields);
		for (i = 0; i < json_array_size(head); i++)
			member_set_text(row, json_string_value(json_array_get(head, i)),
			        json_string_value(json_array_get(fields, i)) != NULL
			                ? json_string_value(json_array_get(fields, i))
			                : "");
		(void)json_array_append_new(rows, row);
	}
	return json_dumps(rows, JSON_COMPACT);
}

/* Keep the text under a new name and answer with its URL. */
static json_t *kept(struct call *call, const char *text, const char *words)
{
	GR_AUTO_FREE char *name = state_new_token();
	GR_AUTO_FREE char *url = NULL;
	json_t *answer = call_accept(call, words);

	memcpy(name + 6, ".json", sizeof(".json")); /* as long as the sample's */
	url = gr_printf("%s/s/csv-to-json/20260207/%s", call->state->base_url, name);
	member_set_text(call->state->contents, name, text);
	member_set_text(answer, "data", url);
	member_set_text(answer, "local", url);
	return answer;
}

/* The reference marks all three parameters required; one of content and file is what there is to convert. Files are not
 * kept, so for a file alone the result is an empty list. */
static json_t *content_refusal(struct call *call, const char *content)
{
	if (call_has(call, content) || call_has(call, "upload_file"))
		return NULL;
	call_violation(call, "neither %s nor upload_file is given", content);
	return call_refuse(call, 422, "The %s field is required.", content);
}

json_t *handle_json_upload(struct call *call)
{
	json_t *answer = content_refusal(call, "json_content");
	const char *content = call_has(call, "json_content") ? call_text(call, "json_content") : "[]";
	GR_AUTO_JSON json_t *json = json_loads(content, JSON_DECODE_ANY, NULL);

	if (answer != NULL)
		return answer;
	if (json == NULL)
		return call_refuse(call, 422, "The json_content is not valid JSON.");
	return kept(call, content, "JSON UPLOAD");
}

json_t *handle_csv_to_json(struct call *call)
{
	json_t *answer = content_refusal(call, "csv_content");
	GR_AUTO_FREE char *text = NULL;

	if (answer != NULL)
		return answer;
	text = csv_to_json(call_text(call, "csv_content"));
	return kept(call, text != NULL ? text : "[]", "CSV TO JSON");
}
