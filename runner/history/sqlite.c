/* SQLite: one file that a CI cache can carry. WAL, so that readers never wait and a killed writer leaves the file as it
 * was before; writers queue up. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/history/history.h"
#include "runner/history/store.h"

/* How long a writer waits for the others: twenty runners that end at once need a second or two. */
#define BUSY_MS 30000
#define BUSY_STEP_MS 20

/* ---- memory ---- */

static void *take(int bytes)
{
	return gr_library_alloc((size_t)bytes);
}

static void *resize(void *memory, int bytes)
{
	return gr_library_resize(memory, (size_t)bytes);
}

static int size_of(void *memory)
{
	return memory ? (int)malloc_usable_size(memory) : 0;
}

static int round_up(int bytes)
{
	return (bytes + 7) & ~7;
}

static int begin(void *unused)
{
	(void)unused;
	return SQLITE_OK;
}

static void end(void *unused)
{
	(void)unused;
}

void history_memory_init(void)
{
	static const sqlite3_mem_methods methods = {take, gr_free, resize, size_of, round_up, begin, end, NULL};

	(void)sqlite3_config(SQLITE_CONFIG_MALLOC, &methods); /* copied; fails only where a database was opened */
}

/* ---- opening ---- */

static int fail(sqlite3 *db, const char *what, struct gr_error *err)
{
	return gr_fail(err, GR_DISK, 0, "%s: %s", what, sqlite3_errmsg(db));
}

/* Made before SQLite does, so that nobody else can read it: the files beside it take its mode. */
static int make_file(const char *path, struct gr_error *err)
{
	const char *slash = strrchr(path, '/');
	int fd, directory = -1, r = 0;

	if (slash && slash != path) {
		GR_AUTO_FREE char *folder = gr_strndup(path, (size_t)(slash - path));

		r = file_make_directory(folder, &directory, err);
		if (r < 0)
			return r;
		(void)close(directory);
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return gr_fail(err, GR_DISK, errno, "the file '%s'", path);
	(void)close(fd);
	return 0;
}

/* Changing to WAL does not wait for others by itself. */
static int use_wal(sqlite3 *db, struct gr_error *err)
{
	int waited = 0, r;

	while ((r = sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL)) == SQLITE_BUSY && waited < BUSY_MS)
		waited += sqlite3_sleep(BUSY_STEP_MS);
	if (r == SQLITE_OK)
		r = sqlite3_exec(db, "PRAGMA foreign_keys=ON; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY",
		        NULL, NULL, NULL);
	return r == SQLITE_OK ? 0 : fail(db, "opening it", err);
}

static int sqlite_wake(void *state, int64_t limit_ms, struct gr_error *err)
{
	sqlite3 *db = state;

	if (sqlite3_busy_timeout(db, limit_ms < BUSY_MS ? (int)limit_ms : BUSY_MS) != SQLITE_OK)
		return fail(db, "waiting for others", err);
	return 0;
}

static void sqlite_reach(void *state, unsigned *ret_port, char *ret_files[static HISTORY_FILES_MOST + 1])
{
	(void)state;
	*ret_port = 0;
	ret_files[0] = NULL;
}

static void sqlite_close(void *state)
{
	sqlite3_stmt *prepared;

	while (state && (prepared = sqlite3_next_stmt(state, NULL)) != NULL)
		(void)sqlite3_finalize(prepared);
	(void)sqlite3_close_v2(state);
}

static int sqlite_open(void **ret_state, const char *place, struct gr_error *err)
{
	sqlite3 *db = NULL;
	int r = make_file(place, err);

	if (r < 0)
		return r;
	if (sqlite3_open_v2(place, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		r = fail(db, "opening it", err);
	if (r == 0) {
		(void)sqlite3_busy_timeout(db, BUSY_MS);
		r = use_wal(db, err);
	}
	if (r < 0) {
		sqlite_close(db);
		return r;
	}
	*ret_state = db;
	return 0;
}

static int bind(sqlite3_stmt *prepared, const struct statement *statement)
{
	int r = SQLITE_OK;

	for (size_t i = 0; i < statement->count && r == SQLITE_OK; i++) {
		const struct value *value = &statement->values[i];
		int at = (int)i + 1;

		if (value->kind == VALUE_NUMBER)
			r = sqlite3_bind_int64(prepared, at, value->number);
		else if (value->kind == VALUE_TEXT && value->text)
			r = sqlite3_bind_text(prepared, at, value->text, -1, SQLITE_STATIC);
		else
			r = sqlite3_bind_null(prepared, at);
	}
	return r;
}

static json_t *read_column(sqlite3_stmt *prepared, int column)
{
	json_t *text;

	if (sqlite3_column_type(prepared, column) == SQLITE_NULL)
		return json_null();
	if (sqlite3_column_type(prepared, column) == SQLITE_INTEGER)
		return json_integer(sqlite3_column_int64(prepared, column));
	text = json_string((const char *)sqlite3_column_text(prepared, column));
	return text ? text : json_string("?");
}

static int step_through(sqlite3_stmt *prepared, json_t *rows)
{
	int r;

	while ((r = sqlite3_step(prepared)) == SQLITE_ROW) {
		json_t *row = json_array();

		for (int i = 0; i < sqlite3_column_count(prepared); i++)
			(void)json_array_append_new(row, read_column(prepared, i));
		if (rows)
			(void)json_array_append(rows, row);
		json_decref(row);
	}
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

/* Statements are few and asked again and again (a run of 100,000 tests executes some as often): each is prepared once,
 * and kept until the end. */
static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_prepared)
{
	sqlite3_stmt *known = sqlite3_next_stmt(db, NULL);

	while (known && strcmp(sqlite3_sql(known), sql) != 0)
		known = sqlite3_next_stmt(db, known);
	*ret_prepared = known;
	return known ? SQLITE_OK : sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_prepared, NULL);
}

static int sqlite_execute(void *state, const struct statement *statement, json_t *rows, struct gr_error *err)
{
	sqlite3 *db = state;
	sqlite3_stmt *prepared = NULL;
	int r = prepare(db, statement->sql, &prepared);

	if (r == SQLITE_OK)
		r = bind(prepared, statement);
	if (r == SQLITE_OK)
		r = step_through(prepared, rows);
	if (r != SQLITE_OK)
		r = fail(db, "the database", err);
	if (prepared) {
		(void)sqlite3_reset(prepared); /* says once more how it ended */
		(void)sqlite3_clear_bindings(prepared); /* what they point to is the caller's */
	}
	return r;
}

static int sqlite_version(void *state, int64_t *ret_version, struct gr_error *err)
{
	const struct statement ask = {.sql = "PRAGMA user_version"};
	GR_AUTO_JSON json_t *rows = json_array();
	int r = sqlite_execute(state, &ask, rows, err);

	if (r == 0)
		*ret_version = json_integer_value(json_array_get(json_array_get(rows, 0), 0));
	return r;
}

static int sqlite_set_version(void *state, int64_t version, struct gr_error *err)
{
	GR_AUTO_FREE char *sql = gr_printf("PRAGMA user_version = %lld", (long long)version);
	const struct statement set = {.sql = sql};

	return sqlite_execute(state, &set, NULL, err);
}

const struct store_ops sqlite_ops = {
        .name = "sqlite",
        .id_column = "INTEGER PRIMARY KEY",
        .begin = "BEGIN IMMEDIATE",
        .open = sqlite_open,
        .close = sqlite_close,
        .wake = sqlite_wake,
        .reach = sqlite_reach,
        .execute = sqlite_execute,
        .version = sqlite_version,
        .set_version = sqlite_set_version,
};
