/* The tables, as a list of steps from each version to the next. A step that was released is never changed: what comes
 * later is a new step. */
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/history/store.h"

#define STATEMENTS_MOST 12

struct migration {
	const char *statements[STATEMENTS_MOST]; /* ended by NULL; @ID is the type of a column that numbers its rows */
};

static const struct migration migrations[] = {
        {{
                "CREATE TABLE runs (id @ID, run_id TEXT NOT NULL UNIQUE, pipeline TEXT NOT NULL, branch TEXT NOT NULL, "
                "revision TEXT, verdict TEXT NOT NULL, green BIGINT NOT NULL, started_ms BIGINT NOT NULL, "
                "elapsed_ms BIGINT NOT NULL, cause TEXT)",
                "CREATE INDEX runs_by_pipeline ON runs (pipeline, branch, started_ms)",
                "CREATE TABLE device_runs (run BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, "
                "number BIGINT NOT NULL, lane TEXT, step TEXT, device TEXT NOT NULL, os TEXT, "
                "complete BIGINT NOT NULL, elapsed_ms BIGINT, PRIMARY KEY (run, number))",
                "CREATE TABLE tests (id @ID, pipeline TEXT NOT NULL, class TEXT NOT NULL, name TEXT NOT NULL, "
                "device TEXT NOT NULL, UNIQUE (pipeline, class, name, device))",
                "CREATE TABLE outcomes (run BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, "
                "device_run BIGINT NOT NULL, position BIGINT NOT NULL, attempt BIGINT NOT NULL, "
                "test BIGINT NOT NULL REFERENCES tests (id), last BIGINT NOT NULL, status TEXT NOT NULL, "
                "failure TEXT, quarantined BIGINT NOT NULL, ms BIGINT, fingerprint TEXT, "
                "PRIMARY KEY (run, device_run, position, attempt))",
                "CREATE INDEX outcomes_by_test ON outcomes (test, run)",
                NULL,
        }},
        /* 2: how exactly the end of a run is known, for polls that learn */
        {{
                "ALTER TABLE device_runs ADD COLUMN queued_ms BIGINT",
                "ALTER TABLE device_runs ADD COLUMN lag_ms BIGINT",
                NULL,
        }},
        /* 3: how many tests there were, where one outcome stands for all that were only counted */
        {{
                "ALTER TABLE runs ADD COLUMN tests BIGINT",
                "ALTER TABLE runs ADD COLUMN passed BIGINT",
                "ALTER TABLE runs ADD COLUMN failed BIGINT",
                NULL,
        }},
};

/* The statement with the database's own words, the caller's. */
static char *in_dialect(const struct store *store, const char *sql)
{
	GR_AUTO_BUFFER struct buffer out = {0};
	const char *mark;

	while ((mark = strstr(sql, "@ID")) != NULL) {
		buffer_add(&out, sql, (size_t)(mark - sql));
		buffer_add_text(&out, store->ops->id_column);
		sql = mark + strlen("@ID");
	}
	buffer_add_text(&out, sql);
	return buffer_take(&out);
}

static int migrate_from(struct store *store, size_t from, size_t to, struct gr_error *err)
{
	int made = store->ops->make_room ? store_execute(store, STATEMENT(store->ops->make_room, ), NULL, err) : 0;

	if (made < 0)
		return made;
	for (size_t i = from; i < to; i++)
		for (const char *const *sql = migrations[i].statements; *sql; sql++) {
			GR_AUTO_FREE char *text = in_dialect(store, *sql);
			int r = store_execute(store, STATEMENT(text, ), NULL, err);

			if (r < 0)
				return r;
		}
	return store->ops->set_version(store->state, (int64_t)to, err);
}

static int check_version(int64_t version, struct gr_error *err)
{
	if (version >= 0 && (size_t)version <= GR_COUNT(migrations))
		return 0;
	return gr_fail(err, GR_CONFIG, 0,
	        "a newer gridlane has written this history (version %lld, this one knows %zu)", (long long)version,
	        GR_COUNT(migrations));
}

int schema_migrate(struct store *store, struct gr_error *err)
{
	return schema_migrate_to(store, GR_COUNT(migrations), err);
}

int schema_migrate_to(struct store *store, size_t to, struct gr_error *err)
{
	int64_t version = 0;
	int r = store->ops->version(store->state, &version, err);

	if (r == 0)
		r = check_version(version, err);
	if (r < 0 || (size_t)version >= to)
		return r;
	r = store_begin(store, err);
	if (r < 0)
		return r;
	r = store->ops->version(store->state, &version, err); /* another process may have been first */
	if (r == 0)
		r = check_version(version, err);
	if (r == 0 && (size_t)version < to)
		r = migrate_from(store, (size_t)version, to, err);
	return store_end(store, r, err);
}
