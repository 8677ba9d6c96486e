/* Inside history: a database behind one small vtable, so that the statements are written once. Statements name their
 * values $1, $2, ... in the order of their first appearance. */
#ifndef GRIDLANE_HISTORY_STORE_H
#define GRIDLANE_HISTORY_STORE_H

#include <jansson.h>
#include <stdint.h>

#include "runner/base/error.h"
#include "runner/history/history.h"

enum value_kind { VALUE_NULL, VALUE_NUMBER, VALUE_TEXT };
struct value {
	enum value_kind kind;
	int64_t number;
	const char *text; /* borrowed; NULL is VALUE_NULL */
};
#define NUMBER(n) ((struct value){.kind = VALUE_NUMBER, .number = (n)})
#define TEXT(t) ((struct value){.kind = VALUE_TEXT, .text = (t)})

struct statement {
	const char *sql;
	const struct value *values;
	size_t count;
};
/* STATEMENT(sql, values...): values may be missing. */
#define STATEMENT(text, ...)                                                                                           \
	((struct statement){.sql = (text),                                                                             \
	        .values = (const struct value[]){NUMBER(0), __VA_ARGS__} + 1,                                          \
	        .count = sizeof((const struct value[]){NUMBER(0), __VA_ARGS__}) / sizeof(struct value) - 1})

struct store_ops {
	const char *name;
	const char *id_column; /* the type of a column that numbers its rows */
	/* Begin a transaction that no other writer is in. */
	const char *begin;
	const char *make_room; /* before the first table is made; NULL: nothing */
	int (*open)(void **ret_state, const char *place, struct gr_error *err);
	void (*close)(void *state);
	/* Before the history is used again after a time: other writers are waited for this long at most. */
	int (*wake)(void *state, int64_t limit_ms, struct gr_error *err);
	/* As history_reach(). */
	void (*reach)(void *state, unsigned *ret_port, char *ret_files[static HISTORY_FILES_MOST + 1]);
	/* rows (may be NULL) gets one array a row, of numbers, texts and nulls. GR_DISK when it cannot be done; that of
	 * a statement without rows may come with a later one, at the latest with COMMIT. */
	int (*execute)(void *state, const struct statement *statement, json_t *rows, struct gr_error *err);
	int (*version)(void *state, int64_t *ret_version, struct gr_error *err);
	int (*set_version)(void *state, int64_t version, struct gr_error *err);
};
extern const struct store_ops sqlite_ops, postgres_ops;

struct store {
	const struct store_ops *ops;
	void *state;
};

int store_execute(struct store *store, struct statement statement, json_t *rows, struct gr_error *err);
int store_begin(struct store *store, struct gr_error *err);
/* Commit when result is 0, else roll back; returns result, or why it could not be committed. */
int store_end(struct store *store, int result, struct gr_error *err);

/* Bring the schema up to this version; GR_CONFIG when a newer gridlane has written it. */
int schema_migrate(struct store *store, struct gr_error *err);
/* Up to an older one, for tests of what comes after. */
int schema_migrate_to(struct store *store, size_t to, struct gr_error *err);

#endif
