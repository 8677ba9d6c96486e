#include "runner/results/print.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/results/record.h"

#define PIECE_BYTES 65536
#define MASK "***" /* where a mask in the middle of a character leaves no UTF-8 */

static void drain(struct printer *printer)
{
	printer->let_go(printer->user, buffer_text(&printer->out), printer->out.bytes);
	buffer_clear(&printer->out);
}

static void drain_if_full(struct printer *printer)
{
	if (printer->out.bytes >= PIECE_BYTES)
		drain(printer);
}

/* ---- values ---- */

/* ASCII that needs no escape. */
static bool is_simple(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
			return false;
	return true;
}

static void print_quoted(struct printer *printer, const char *simple, size_t bytes)
{
	buffer_add_char(&printer->out, '"');
	buffer_add(&printer->out, simple, bytes);
	buffer_add_char(&printer->out, '"');
}

static void print_text(struct printer *printer, const char *text)
{
	size_t bytes = strlen(text);
	GR_AUTO_JSON json_t *clean = NULL;
	GR_AUTO_JSON json_t *value = NULL;
	GR_AUTO_FREE char *safe = NULL;
	GR_AUTO_FREE char *quoted = NULL;

	if (is_simple(text, bytes) && !redactor_finds(printer->redactor, text, bytes)) {
		print_quoted(printer, text, bytes);
		return;
	}
	clean = json_from_text(text);
	safe = redactor_text(printer->redactor, json_string_value(clean));
	value = json_string(safe);
	quoted = json_dumps(value, JSON_ENCODE_ANY);
	buffer_add_text(&printer->out, quoted ? quoted : "\"" MASK "\"");
}

static void print_json(struct printer *printer, const json_t *json)
{
	GR_AUTO_FREE char *text = printer->json(printer->redactor, json);

	printer->is_broken = printer->is_broken || !text;
	buffer_add_text(&printer->out, text ? text : "null");
}

static void print_number(struct printer *printer, const struct record_field *field, const void *item)
{
	int64_t large;
	unsigned whole;
	int small;

	if (field->type == RECORD_UNSIGNED) {
		record_get(item, field, &whole, sizeof(whole));
		large = whole;
	} else if (field->type == RECORD_INT) {
		record_get(item, field, &small, sizeof(small));
		large = small;
	} else {
		record_get(item, field, &large, sizeof(large));
	}
	if (field->type == RECORD_KNOWN && large < 0)
		buffer_add_text(&printer->out, "null");
	else
		buffer_printf(&printer->out, "%lld", (long long)large);
}

static void print_record(struct printer *printer, const struct record *record, const void *item, const char *between);

static void print_list(struct printer *printer, const struct record_field *field, const void *item)
{
	size_t count = record_count(item, field);
	const char *items;

	record_get(item, field, &items, sizeof(items));
	buffer_add_char(&printer->out, '[');
	for (size_t i = 0; i < count; i++) {
		buffer_add_text(&printer->out, printer->has_lines ? (i ? ",\n" : "\n") : (i ? "," : ""));
		print_record(printer, field->record, items + i * field->record->bytes, ",");
		drain_if_full(printer);
	}
	buffer_add_char(&printer->out, ']');
}

static void print_word(struct printer *printer, const struct record_field *field, const void *item)
{
	const char *word;
	int value;

	record_get(item, field, &value, sizeof(value));
	word = field->words->name(value);
	print_quoted(printer, word, strlen(word));
}

static void print_pointer(struct printer *printer, const struct record_field *field, const void *item)
{
	const json_t *json;
	const char *text;

	if (field->type == RECORD_JSON) {
		record_get(item, field, &json, sizeof(json));
		print_json(printer, json);
	} else {
		record_get(item, field, &text, sizeof(text));
		print_text(printer, text);
	}
}

static void print_value(struct printer *printer, const struct record_field *field, const void *item)
{
	bool flag;

	switch (field->type) {
	case RECORD_TEXT:
	case RECORD_JSON:
		print_pointer(printer, field, item);
		break;
	case RECORD_INT64:
	case RECORD_KNOWN:
	case RECORD_UNSIGNED:
	case RECORD_INT:
		print_number(printer, field, item);
		break;
	case RECORD_BOOL:
		record_get(item, field, &flag, sizeof(flag));
		buffer_add_text(&printer->out, flag ? "true" : "false");
		break;
	case RECORD_WORD:
		print_word(printer, field, item);
		break;
	case RECORD_OBJECT:
		print_record(printer, field->record, (const char *)item + field->offset, ",");
		break;
	case RECORD_LIST:
		print_list(printer, field, item);
		break;
	}
}

/* ---- structs ---- */

/* Texts and objects that are not there are left out. */
static bool is_left_out(const struct record_field *field, const void *item)
{
	const void *pointer = NULL;

	if (field->type != RECORD_TEXT && field->type != RECORD_JSON)
		return false;
	record_get(item, field, &pointer, sizeof(pointer));
	return !pointer;
}

static void print_members(struct printer *printer, const struct record *record, const void *item, const char *between)
{
	const char *first = "";

	for (const struct record_field *field = record->fields; field->key; field++) {
		if (is_left_out(field, item))
			continue;
		buffer_add_text(&printer->out, first);
		print_quoted(printer, field->key, strlen(field->key));
		buffer_add_char(&printer->out, ':');
		print_value(printer, field, item);
		first = between;
	}
}

/* The tables nest four deep and never in a circle, so this ends. */
static void print_record(struct printer *printer, const struct record *record, const void *item, const char *between)
{
	buffer_add_char(&printer->out, '{');
	print_members(printer, record, item, between);
	buffer_add_char(&printer->out, '}');
}

void results_print(struct printer *printer, const struct results *results)
{
	const char *between = printer->has_lines ? ",\n" : ",";
	GR_AUTO_JSON json_t *totals = totals_to_json(results);
	GR_AUTO_FREE char *counts = json_dumps(totals, JSON_COMPACT);

	buffer_printf(&printer->out, "{\"version\":%d%s", RESULTS_VERSION, between);
	print_members(printer, &results_record, results, between);
	buffer_printf(&printer->out, "%s\"totals\":%s}", between, counts);
}

void device_run_print(struct printer *printer, const struct device_run *run)
{
	print_record(printer, &device_run_record, run, ",");
}

bool printer_end(struct printer *printer)
{
	drain(printer);
	buffer_release(&printer->out);
	return !printer->is_broken;
}
