#include "reporters/words.h"

#include <stdint.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"

/* Containers in containers of a JSON value that is walked: jansson reads at most 2,048. */
#define DEPTH_MOST 2100

size_t words_cut(const char *text, size_t bytes, size_t most_bytes)
{
	if (bytes <= most_bytes)
		return bytes;
	while (most_bytes > 0 && ((unsigned char)text[most_bytes] & 0xC0) == 0x80)
		most_bytes--;
	return most_bytes;
}

/* Below U+1100, and from U+2000 to U+22FF, nothing is wider than one column. */
static bool is_narrow(const char *character)
{
	unsigned char lead = (unsigned char)character[0], next = lead < 0xE1 ? 0 : (unsigned char)character[1];

	return lead < 0xE1 || (lead == 0xE1 && next < 0x84) || (lead == 0xE2 && next < 0x8C);
}

size_t words_fit(const char *clean, size_t most, size_t *ret_columns)
{
	size_t bytes = 0, columns = 0;

	while (clean[bytes]) {
		size_t width = is_narrow(clean + bytes) ? 1 : 2;

		if (columns + width > most)
			break;
		columns += width;
		for (bytes++; ((unsigned char)clean[bytes] & 0xC0) == 0x80;)
			bytes++;
	}
	if (ret_columns)
		*ret_columns = columns;
	return bytes;
}

void words_pad(struct buffer *out, const char *clean, size_t columns)
{
	size_t used;

	buffer_add_text(out, clean);
	for ((void)words_fit(clean, columns, &used); used < columns; used++)
		buffer_add_char(out, ' ');
}

/* Redact what was cleaned, and cut it. */
static void finish(struct redactor *redactor, struct buffer *out, const struct buffer *clean, size_t most_bytes)
{
	GR_AUTO_BUFFER struct buffer safe = {0};
	size_t kept;

	redactor_apply(redactor, buffer_text(clean), clean->bytes, &safe);
	kept = words_cut(buffer_text(&safe), safe.bytes, most_bytes);
	buffer_add(out, buffer_text(&safe), kept);
	if (kept < safe.bytes)
		buffer_printf(out, "\xE2\x80\xA6 [%zu bytes cut]", safe.bytes - kept);
}

void words_line(struct redactor *redactor, struct buffer *out, const char *text, size_t most_bytes)
{
	GR_AUTO_BUFFER struct buffer safe = {0};
	GR_AUTO_BUFFER struct buffer line = {0};
	GR_AUTO_BUFFER struct buffer clean = {0};
	size_t bytes = text ? strlen(text) : 0;

	if (!text)
		return;
	if (bytes <= most_bytes && text_is_plain(text, bytes) && !redactor_finds(redactor, text, bytes)) {
		buffer_add(out, text, bytes); /* as most are: nothing below would change it */
		return;
	}
	redactor_apply(redactor, text, bytes, &safe);
	text_neutralise(&line, buffer_text(&safe), safe.bytes, SIZE_MAX);
	text_clean(&clean, buffer_text(&line), line.bytes, SIZE_MAX);
	finish(redactor, out, &clean, most_bytes);
}

void words_block(struct redactor *redactor, struct buffer *out, const char *text, size_t most_bytes)
{
	GR_AUTO_BUFFER struct buffer safe = {0};
	GR_AUTO_BUFFER struct buffer clean = {0};

	if (!text)
		return;
	redactor_apply(redactor, text, strlen(text), &safe);
	text_clean(&clean, buffer_text(&safe), safe.bytes, SIZE_MAX);
	finish(redactor, out, &clean, most_bytes);
}

void words_markdown(struct redactor *redactor, struct buffer *out, const char *text, size_t most_bytes)
{
	GR_AUTO_BUFFER struct buffer line = {0};

	words_line(redactor, &line, text, most_bytes);
	for (const char *at = buffer_text(&line); *at; at++) {
		if (*at == '<')
			buffer_add_text(out, "&lt;");
		else if (*at == '>')
			buffer_add_text(out, "&gt;");
		else if (*at == '&')
			buffer_add_text(out, "&amp;");
		else if (*at == '@' || (*at == ':' && at[1] == '/')) /* no mention; no link made from a bare address */
			buffer_printf(out, "&#%d;", *at);
		else if (strchr("\\`*_[]#|~$", *at))
			buffer_printf(out, "\\%c", *at);
		else
			buffer_add_char(out, *at);
	}
}

/* ---- JSON ---- */

static bool is_own_key(const char *key)
{
	static const char *const keys[] = {"status", "outcome", "verdict", "failure", "event"};

	for (size_t i = 0; key && i < GR_COUNT(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* A password that is "failed" must not make the results unreadable. */
static bool is_own_word(const char *key, const char *text)
{
	if (!is_own_key(key))
		return false;
	for (int i = 0; i <= VERDICT_CANCELLED; i++)
		if (strcmp(text, verdict_name((enum verdict)i)) == 0)
			return true;
	for (int i = 0; i <= STATUS_ERROR; i++)
		if (strcmp(text, case_status_name((enum case_status)i)) == 0)
			return true;
	for (int i = 0; i <= OUTCOME_NOT_RUN; i++)
		if (strcmp(text, outcome_name((enum outcome)i)) == 0)
			return true;
	return strcmp(text, failure_name(GR_NONE)) == 0 || failure_from_name(text) != GR_NONE;
}

static json_t *redacted(struct redactor *redactor, const char *text)
{
	GR_AUTO_FREE char *safe = NULL;
	json_t *value;

	if (!redactor_finds(redactor, text, strlen(text)))
		return NULL;
	safe = redactor_text(redactor, text);
	value = json_string(safe);
	return value ? value : json_string("***"); /* a mask in the middle of a character would leave no UTF-8 */
}

/* A secret that is a key is rare enough for making the object anew. */
static void redact_keys(struct redactor *redactor, json_t *object)
{
	GR_AUTO_JSON json_t *copy = NULL;
	const char *key;
	json_t *value;
	bool is_dirty = false;

	json_object_foreach (object, key, value)
		is_dirty = is_dirty || redactor_finds(redactor, key, strlen(key));
	if (!is_dirty)
		return;
	copy = json_copy(object);
	(void)json_object_clear(object);
	json_object_foreach (copy, key, value) {
		GR_AUTO_FREE char *safe = redactor_text(redactor, key);

		if (json_object_set(object, safe, value) < 0)
			(void)json_object_set(object, "***", value);
	}
}

struct walk {
	json_t *stack[DEPTH_MOST];
	size_t at[DEPTH_MOST]; /* of an array; objects hold their iterator */
	void *iterator[DEPTH_MOST];
	size_t depth;
	struct redactor *redactor;
};

static void enter(struct walk *walk, json_t *container)
{
	if (walk->depth == DEPTH_MOST)
		return;
	walk->stack[walk->depth] = container;
	walk->at[walk->depth] = 0;
	if (json_is_object(container)) {
		redact_keys(walk->redactor, container);
		walk->iterator[walk->depth] = json_object_iter(container);
	}
	walk->depth++;
}

/* The next value in the container on top, or NULL; a text is redacted at once. */
static json_t *step_on(struct walk *walk)
{
	size_t top = walk->depth - 1;
	json_t *container = walk->stack[top], *value, *safe;

	if (json_is_array(container)) {
		size_t place = walk->at[top]++;

		value = json_array_get(container, place);
		safe = json_is_string(value) ? redacted(walk->redactor, json_string_value(value)) : NULL;
		if (safe)
			(void)json_array_set_new(container, place, safe);
		return value && safe ? container : value;
	}
	if (!walk->iterator[top])
		return NULL;
	value = json_object_iter_value(walk->iterator[top]);
	if (json_is_string(value) &&
	        !is_own_word(json_object_iter_key(walk->iterator[top]), json_string_value(value))) {
		safe = redacted(walk->redactor, json_string_value(value));
		if (safe)
			(void)json_object_iter_set_new(container, walk->iterator[top], safe);
	}
	value = json_object_iter_value(walk->iterator[top]);
	walk->iterator[top] = json_object_iter_next(container, walk->iterator[top]);
	return value;
}

void words_redact_json(struct redactor *redactor, json_t *json)
{
	GR_AUTO_FREE struct walk *walk = gr_alloc(1, sizeof(*walk));

	walk->redactor = redactor;
	if (json_is_object(json) || json_is_array(json))
		enter(walk, json);
	while (walk->depth > 0) {
		json_t *container = walk->stack[walk->depth - 1];
		json_t *value = step_on(walk);

		if (!value)
			walk->depth--;
		else if (value != container && (json_is_object(value) || json_is_array(value)))
			enter(walk, value);
	}
}

const char *device_label(const struct device_info *device)
{
	if (device->name && *device->name)
		return device->name;
	if (device->device_id && *device->device_id)
		return device->device_id;
	return device->udid && *device->udid ? device->udid : "device";
}

static bool has_namesake(const struct results *results, const struct device_info *device)
{
	for (size_t i = 0; i < results->run_count; i++) {
		const struct device_info *other = &results->runs[i].device;

		if (other->device_id && !text_equal(other->device_id, device->device_id) &&
		        text_equal(device_label(other), device_label(device)))
			return true;
	}
	return false;
}

char *device_label_in(const struct results *results, const struct device_info *device)
{
	if (device->device_id && device->name && *device->name && has_namesake(results, device))
		return gr_printf("%s (id %s)", device->name, device->device_id);
	return gr_strdup(device_label(device));
}

const char *step_choice(const struct step_result *step)
{
	return json_string_value(json_object_get(step->outputs, "choice"));
}

static bool has_device(const json_t *devices, const char *device_id)
{
	const json_t *item;
	size_t i;

	json_array_foreach (devices, i, item)
		if (device_id && text_equal(json_string_value(json_object_get(item, "device_id")), device_id))
			return true;
	return false;
}

const char *device_choice(const struct results *results, const struct device_run *run)
{
	for (size_t i = 0; i < results->step_count; i++)
		if (step_choice(&results->steps[i]) &&
		        has_device(json_object_get(results->steps[i].outputs, "devices"), run->device.device_id))
			return step_choice(&results->steps[i]);
	return NULL;
}

char *rerun_words(const struct rerun *rerun)
{
	const char *number = rerun->build_number ? rerun->build_number : rerun->native_id;
	const char *named = number ? number : rerun->build_id;

	/* a start whose answer got lost may be on its way: that it was not started is not known */
	return gr_printf("%s%s: %lld test%s again%s%s",
	        number  ? "build "
	        : named ? "build_id "
	                : "no build is known",
	        named ? named : "", (long long)rerun->tests, rerun->tests == 1 ? "" : "s",
	        rerun->is_whole ? "; all that the step selects was started, and the outcomes of these alone were taken"
	                        : "",
	        rerun->is_complete ? "" : "; not complete");
}
