/* Inside results: every struct of the model as a table of its fields. From it come releasing, copying, results.json and
 * back, so that a field is named once. */
#ifndef GRIDLANE_RESULTS_RECORD_H
#define GRIDLANE_RESULTS_RECORD_H

#include "runner/results/model.h"

enum record_type {
	RECORD_TEXT, /* char *; left out when NULL */
	RECORD_INT64,
	RECORD_KNOWN, /* int64_t; null and left out are -1, as is every negative number */
	RECORD_UNSIGNED,
	RECORD_INT,
	RECORD_BOOL,
	RECORD_WORD, /* an enum: its word */
	RECORD_JSON, /* json_t *, an object; left out when NULL */
	RECORD_OBJECT, /* a struct inside; its members are not pointers to it */
	RECORD_LIST /* a pointer to structs, and how many */
};

struct record_words { /* the words of an enum, as numbers 0 to count - 1 */
	const char *(*name)(int value);
	int count;
};

struct record_field {
	const char *key;
	enum record_type type;
	size_t offset;
	size_t count_offset; /* RECORD_LIST: size_t */
	const struct record_words *words; /* RECORD_WORD */
	const struct record *record; /* RECORD_OBJECT, RECORD_LIST */
};

struct record {
	size_t bytes;
	const struct record_field *fields; /* ended by a NULL key */
};

extern const struct record test_case_record, problem_record, device_run_record, artifact_record, step_record,
        lane_record, held_record, gate_rule_record, earlier_record, results_record;

void record_release(const struct record *record, void *item); /* zeroed afterwards */
void record_copy(const struct record *record, const void *item, void *ret_copy);
json_t *record_to_json(const struct record *record, const void *item);
/* `where` names the item in messages. On failure ret_item holds nothing. */
int record_from_json(
        const struct record *record, const json_t *json, const char *where, void *ret_item, struct gr_error *err);

/* A member's bytes, and how many elements a list has. */
void record_get(const void *item, const struct record_field *field, void *ret, size_t bytes);
size_t record_count(const void *item, const struct record_field *field);
/* The counts over all device runs. A new reference. */
json_t *totals_to_json(const struct results *results);

/* A text as JSON: kept as it is when it is UTF-8, made legible otherwise. A new reference. */
json_t *json_from_text(const char *text);

#endif
