/* PostgreSQL: one history that many runners share. Everything is in a schema of its own (gridlane), so that the
 * database may hold other things. Writers take turns by an advisory lock, which ends with their transaction however
 * they end. Statements that give no rows are sent ahead without waiting for each answer (libpq's pipeline mode): a run
 * of thousands of outcomes is a few round trips. What goes wrong in them is said by the next statement that waits, at
 * the latest by COMMIT, so nothing is taken for written that is not. */
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/history/store.h"

#define LIBRARY "libpq.so.5"
/* Statements sent ahead before their answers are read: few enough for their answers (about 30 bytes each) to fit into
 * the server's buffers, or both sides would wait for each other. */
#define AHEAD_MOST 100
#define VALUES_MOST 16
/* Of our advisory lock in this database: "gridlane" as a number. */
#define LOCK "7454136213287562853"
/* Seconds a connection may take, and milliseconds of any statement (waiting for other writers included) and of an
 * answer that does not come: a history that is out of reach must not hold up a job. */
#define CONNECT_SECONDS "10"
#define SILENCE_MS "20000"
#define STATEMENT_MS 30000
/* A server that stands still, or a pooler that holds back all of its clients, keeps the connection and no limit of its
 * own: so much longer than a statement may take is its answer waited for. */
#define ANSWER_MORE_MS 2000
#define LOOK_MS 1000 /* libpq may have bytes that the socket tells nothing of any more */
/* Types of values, as in the server's catalogue (pg_type.dat). */
#define OID_INT8 20
#define OID_INT2 21
#define OID_INT4 23
#define OID_TEXT 25

struct libpq {
#define FUNCTION(name) __typeof__(name) *name;
#include "runner/history/libpq.def"
#undef FUNCTION
};

struct postgres {
	struct libpq pq;
	PGconn *connection;
	size_t ahead; /* statements whose answers are not read yet */
	bool is_piping;
	bool is_silent; /* an answer did not come in time: none is waited for any more */
	int64_t limit_ms;
};

/* ---- the library ---- */

static int load_library(struct libpq *pq, struct gr_error *err)
{
	static const char *const names[] = {
#define FUNCTION(name) #name,
#include "runner/history/libpq.def"
#undef FUNCTION
	};
	void *library =
	        dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL); /* stays: its threads and ours may be in it at the end */
	void *functions[GR_COUNT(names)];

	static_assert(sizeof(functions) == sizeof(*pq), "a pointer a function");
	if (!library)
		return gr_fail(err, GR_CONFIG, 0, "a PostgreSQL history needs libpq: install it (Debian: libpq5)");
	for (size_t i = 0; i < GR_COUNT(names); i++) {
		functions[i] = dlsym(library, names[i]);
		if (!functions[i])
			return gr_fail(err, GR_CONFIG, 0, "libpq has no %s: version 14 or later is needed", names[i]);
	}
	memcpy(pq, functions, sizeof(functions));
	return 0;
}

/* ---- errors ---- */

/* The server's words, on one line. */
static int fail(const char *words, struct gr_error *err)
{
	GR_AUTO_FREE char *line = gr_strdup(words && *words ? words : "the connection to the server is lost");
	size_t length = strlen(line);

	while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == ' '))
		line[--length] = '\0';
	for (char *c = line; *c; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
	return gr_fail(err, GR_DISK, 0, "the database: %s", line);
}

static bool is_good(const struct postgres *postgres, const PGresult *result)
{
	ExecStatusType status = postgres->pq.PQresultStatus(result);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_PIPELINE_SYNC;
}

/* Takes the result over. */
static int end_with(const struct postgres *postgres, PGresult *result, struct gr_error *err)
{
	int r = 0;

	if (!result)
		r = fail(postgres->pq.PQerrorMessage(postgres->connection), err);
	else if (!is_good(postgres, result))
		r = fail(postgres->pq.PQresultErrorMessage(result), err);
	postgres->pq.PQclear(result);
	return r;
}

/* ---- answers ---- */

/* Until there is more of an answer; what is not sent yet goes out meanwhile. */
static int await(struct postgres *postgres, int64_t until_ms, struct gr_error *err)
{
	const struct libpq *pq = &postgres->pq;
	int unsent = pq->PQflush(postgres->connection);
	struct pollfd socket = {
	        .fd = pq->PQsocket(postgres->connection), .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};
	int64_t left_ms = until_ms - clock_now_ms();

	if (unsent < 0 || socket.fd < 0)
		return fail(pq->PQerrorMessage(postgres->connection), err);
	if (postgres->is_silent || left_ms <= 0) {
		postgres->is_silent = true;
		return gr_fail(err, GR_DISK, 0, "the database: it does not answer");
	}
	if (poll(&socket, 1, (int)(left_ms < LOOK_MS ? left_ms : LOOK_MS)) < 0 && errno != EINTR)
		return gr_fail(err, GR_DISK, errno, "the database");
	return pq->PQconsumeInput(postgres->connection) ? 0 : fail(pq->PQerrorMessage(postgres->connection), err);
}

/* The caller's; NULL: there is no more of this statement's. */
static int next_result(struct postgres *postgres, int64_t until_ms, PGresult **ret_result, struct gr_error *err)
{
	while (postgres->pq.PQisBusy(postgres->connection)) {
		int r = await(postgres, until_ms, err);

		if (r < 0)
			return r;
	}
	*ret_result = postgres->pq.PQgetResult(postgres->connection);
	return 0;
}

static int64_t answer_limit(const struct postgres *postgres)
{
	return clock_now_ms() + postgres->limit_ms + ANSWER_MORE_MS;
}

/* The last one of all that belong to what was sent, or the first that is bad. The caller's. */
static int last_result(struct postgres *postgres, PGresult **ret_last, struct gr_error *err)
{
	int64_t until_ms = answer_limit(postgres);
	PGresult *result = NULL;
	int r;

	*ret_last = NULL;
	while ((r = next_result(postgres, until_ms, &result, err)) == 0 && result) {
		PGresult *other = result;

		if (!*ret_last || is_good(postgres, *ret_last)) {
			other = *ret_last;
			*ret_last = result;
		}
		postgres->pq.PQclear(other); /* NULL is none */
	}
	return r;
}

/* ---- values ---- */

struct parameters {
	Oid types[VALUES_MOST];
	const char *texts[VALUES_MOST];
	char numbers[VALUES_MOST][24];
};

static int fill(const struct statement *statement, struct parameters *parameters, struct gr_error *err)
{
	if (statement->count > VALUES_MOST)
		return gr_fail(err, GR_INTERNAL, 0, "a statement with more than %d values", VALUES_MOST);
	*parameters = (struct parameters){0};
	for (size_t i = 0; i < statement->count; i++) {
		const struct value *value = &statement->values[i];

		if (value->kind == VALUE_NUMBER) {
			parameters->types[i] = OID_INT8;
			(void)snprintf(parameters->numbers[i], sizeof(parameters->numbers[i]), "%lld",
			        (long long)value->number);
			parameters->texts[i] = parameters->numbers[i];
		} else if (value->kind == VALUE_TEXT && value->text) {
			parameters->types[i] = OID_TEXT;
			parameters->texts[i] = value->text;
		}
	}
	return 0;
}

static json_t *read_value(const struct postgres *postgres, const PGresult *result, int row, int column)
{
	const char *text = postgres->pq.PQgetvalue(result, row, column);
	Oid type = postgres->pq.PQftype(result, column);
	json_t *value;
	int64_t number;

	if (postgres->pq.PQgetisnull(result, row, column))
		return json_null();
	if ((type == OID_INT8 || type == OID_INT4 || type == OID_INT2) && number_parse_int(text, &number))
		return json_integer(number);
	value = json_string(text);
	return value ? value : json_string("?");
}

static void read_rows(const struct postgres *postgres, const PGresult *result, json_t *rows)
{
	for (int i = 0; i < postgres->pq.PQntuples(result); i++) {
		json_t *row = json_array();

		for (int j = 0; j < postgres->pq.PQnfields(result); j++)
			(void)json_array_append_new(row, read_value(postgres, result, i, j));
		(void)json_array_append_new(rows, row);
	}
}

/* ---- statements that are sent ahead ---- */

/* Read the answers of all that was sent ahead; the first that is bad is the failure. */
static int catch_up(struct postgres *postgres, struct gr_error *err)
{
	const struct libpq *pq = &postgres->pq;
	int64_t until_ms = answer_limit(postgres);
	bool is_over = false;
	int r = 0;

	if (!postgres->is_piping)
		return 0;
	postgres->ahead = 0;
	if (!pq->PQpipelineSync(postgres->connection))
		return fail(pq->PQerrorMessage(postgres->connection), err);
	while (!is_over && pq->PQstatus(postgres->connection) == CONNECTION_OK) {
		PGresult *result = NULL;
		int waited = next_result(postgres, until_ms, &result, r < 0 ? NULL : err);

		if (waited < 0)
			return r < 0 ? r : waited;
		if (!result)
			continue; /* between the answers of two statements */
		is_over = pq->PQresultStatus(result) == PGRES_PIPELINE_SYNC;
		if (r == 0 && !is_good(postgres, result))
			r = fail(pq->PQresultErrorMessage(result), err);
		pq->PQclear(result);
	}
	if (r == 0 && (!is_over || !pq->PQexitPipelineMode(postgres->connection)))
		r = fail(pq->PQerrorMessage(postgres->connection), err);
	else if (is_over)
		(void)pq->PQexitPipelineMode(postgres->connection);
	postgres->is_piping = false;
	return r;
}

static int send_ahead(struct postgres *postgres, const struct statement *statement, struct gr_error *err)
{
	const struct libpq *pq = &postgres->pq;
	struct parameters parameters;
	int r = fill(statement, &parameters, err);

	if (r < 0)
		return r;
	if (!postgres->is_piping && !pq->PQenterPipelineMode(postgres->connection))
		return fail(pq->PQerrorMessage(postgres->connection), err);
	postgres->is_piping = true;
	if (!pq->PQsendQueryParams(postgres->connection, statement->sql, (int)statement->count, parameters.types,
	            parameters.texts, NULL, NULL, 0))
		return fail(pq->PQerrorMessage(postgres->connection), err);
	return ++postgres->ahead < AHEAD_MOST ? 0 : catch_up(postgres, err);
}

static int postgres_execute(void *state, const struct statement *statement, json_t *rows, struct gr_error *err)
{
	struct postgres *postgres = state;
	const struct libpq *pq = &postgres->pq;
	struct parameters parameters;
	PGresult *result = NULL;
	int r;

	if (!rows && statement->count > 0)
		return send_ahead(postgres, statement, err);
	r = catch_up(postgres, err);
	if (r == 0)
		r = fill(statement, &parameters, err);
	if (r < 0)
		return r;
	/* Without values, the simple protocol: it takes more than one statement. */
	if (!(statement->count == 0 ? pq->PQsendQuery(postgres->connection, statement->sql)
	                            : pq->PQsendQueryParams(postgres->connection, statement->sql, (int)statement->count,
	                                      parameters.types, parameters.texts, NULL, NULL, 0)))
		return fail(pq->PQerrorMessage(postgres->connection), err);
	r = last_result(postgres, &result, err);
	if (r < 0) {
		pq->PQclear(result);
		return r;
	}
	if (rows && result && is_good(postgres, result))
		read_rows(postgres, result, rows);
	return end_with(postgres, result, err);
}

/* ---- the connection ---- */

/* Warnings of the server are for its log: ours would mix them into other words. */
static void ignore_notice(void *context, const char *words)
{
	(void)context;
	(void)words;
}

static int set_up(struct postgres *postgres, struct gr_error *err)
{
	GR_AUTO_FREE char *sql = gr_printf(
	        "SET search_path TO gridlane; SET client_min_messages TO warning; SET statement_timeout TO %lld; "
	        "SET idle_in_transaction_session_timeout TO %d",
	        (long long)postgres->limit_ms, STATEMENT_MS);
	const struct statement set = {.sql = sql};

	if (postgres->pq.PQsetnonblocking(postgres->connection, 1) != 0)
		return fail(postgres->pq.PQerrorMessage(postgres->connection), err);
	return postgres_execute(postgres, &set, NULL, err);
}

static void postgres_close(void *state)
{
	struct postgres *postgres = state;

	if (postgres->connection)
		postgres->pq.PQfinish(postgres->connection);
	gr_free(postgres);
}

/* What the URL says wins over the limits, and not over the rest. */
static PGconn *connect_to(const struct libpq *pq, const char *place)
{
	static const char *const keys[] = {"connect_timeout", "tcp_user_timeout", "keepalives_idle",
	        "fallback_application_name", "dbname", "client_encoding", NULL};
	const char *const values[] = {CONNECT_SECONDS, SILENCE_MS, "10", "gridlane", place, "UTF8", NULL};

	static_assert(GR_COUNT(keys) == GR_COUNT(values), "a value a key");
	return pq->PQconnectdbParams(keys, values, 1);
}

static int postgres_open(void **ret_state, const char *place, struct gr_error *err)
{
	struct postgres *postgres = gr_alloc(1, sizeof(*postgres));
	int r = load_library(&postgres->pq, err);

	postgres->limit_ms = STATEMENT_MS;
	if (r == 0) {
		postgres->connection = connect_to(&postgres->pq, place);
		(void)postgres->pq.PQsetNoticeProcessor(postgres->connection, ignore_notice, NULL);
		if (postgres->pq.PQstatus(postgres->connection) != CONNECTION_OK)
			r = fail(postgres->pq.PQerrorMessage(postgres->connection), err);
	}
	if (r == 0)
		r = set_up(postgres, err);
	if (r < 0) {
		postgres_close(postgres);
		return r;
	}
	*ret_state = postgres;
	return 0;
}

/* A connection that was idle for the length of a run may be gone without a word: asked, and made again. */
static int postgres_wake(void *state, int64_t limit_ms, struct gr_error *err)
{
	struct postgres *postgres = state;
	struct gr_error first = {0};

	postgres->limit_ms = limit_ms < STATEMENT_MS ? limit_ms : STATEMENT_MS;
	if (set_up(postgres, &first) == 0)
		return 0;
	if (postgres->is_silent) { /* it is there, and would let another connection wait as well */
		*err = first;
		return -(int)first.failure;
	}
	postgres->is_piping = false;
	postgres->pq.PQreset(postgres->connection);
	if (postgres->pq.PQstatus(postgres->connection) != CONNECTION_OK)
		return fail(postgres->pq.PQerrorMessage(postgres->connection), err);
	return set_up(postgres, err);
}

static void postgres_reach(void *state, unsigned *ret_port, char *ret_files[static HISTORY_FILES_MOST + 1])
{
	static const char *const names[] = {"sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", NULL};
	struct postgres *postgres = state;
	PQconninfoOption *options = postgres->pq.PQconninfo(postgres->connection);
	const char *home = getenv("HOME");
	int64_t port = 0;
	size_t count = 0;

	static_assert(GR_COUNT(names) <= HISTORY_FILES_MOST, "and libpq's own folder");
	*ret_port = number_parse_int(postgres->pq.PQport(postgres->connection), &port) ? (unsigned)port : 0;
	for (PQconninfoOption *option = options; option && option->keyword; option++)
		for (size_t i = 0; names[i]; i++)
			if (text_equal(option->keyword, names[i]) && option->val && *option->val)
				ret_files[count++] = gr_strdup(option->val);
	postgres->pq.PQconninfoFree(options);
	if (home) /* where libpq looks for those that are not named */
		ret_files[count++] = gr_printf("%s/.postgresql", home);
	ret_files[count] = NULL;
}

/* ---- the schema's version ---- */

static int postgres_version(void *state, int64_t *ret_version, struct gr_error *err)
{
	/* Not to_regclass(): it may answer from what it had looked up before another process made the table. */
	const struct statement is_there = {.sql = "SELECT COUNT(*) FROM pg_catalog.pg_class c JOIN "
	                                          "pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
	                                          "WHERE n.nspname = 'gridlane' AND c.relname = 'schema_version'"};
	const struct statement ask = {.sql = "SELECT version FROM gridlane.schema_version"};
	GR_AUTO_JSON json_t *table = json_array();
	GR_AUTO_JSON json_t *rows = json_array();
	int r = postgres_execute(state, &is_there, table, err);

	if (r < 0)
		return r;
	*ret_version = 0;
	if (json_integer_value(json_array_get(json_array_get(table, 0), 0)) == 0)
		return 0;
	r = postgres_execute(state, &ask, rows, err);
	if (r == 0)
		*ret_version = json_integer_value(json_array_get(json_array_get(rows, 0), 0));
	return r;
}

static int postgres_set_version(void *state, int64_t version, struct gr_error *err)
{
	GR_AUTO_FREE char *sql =
	        gr_printf("CREATE TABLE IF NOT EXISTS gridlane.schema_version (version BIGINT NOT NULL); "
	                  "DELETE FROM gridlane.schema_version; INSERT INTO gridlane.schema_version VALUES (%lld)",
	                (long long)version);
	const struct statement set = {.sql = sql};

	return postgres_execute(state, &set, NULL, err);
}

const struct store_ops postgres_ops = {
        .name = "postgresql",
        .id_column = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        .begin = "BEGIN; SELECT pg_advisory_xact_lock(" LOCK ")",
        .make_room = "CREATE SCHEMA IF NOT EXISTS gridlane",
        .open = postgres_open,
        .close = postgres_close,
        .wake = postgres_wake,
        .reach = postgres_reach,
        .execute = postgres_execute,
        .version = postgres_version,
        .set_version = postgres_set_version,
};
