/* How long runs and tests took. */
#include "runner/base/memory.h"
#include "runner/history/private.h"

static json_t *member(json_t *object, const char *key, json_t *otherwise)
{
	json_t *there = json_object_get(object, key);

	if (there) {
		json_decref(otherwise);
		return there;
	}
	(void)json_object_set_new(object, key, otherwise);
	return json_object_get(object, key);
}

int history_durations(struct history *history, const char *pipeline, int64_t most, json_t **ret, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = json_array();
	int r = store_execute(&history->store,
	        STATEMENT("SELECT d.step, d.device, d.elapsed_ms - COALESCE(d.queued_ms, 0), COALESCE(d.lag_ms, 0) "
	                  "FROM device_runs d JOIN runs r ON r.id = d.run WHERE r.pipeline = $1 AND d.complete = 1 AND "
	                  "d.elapsed_ms > COALESCE(d.queued_ms, 0) ORDER BY r.started_ms DESC, r.id DESC, d.number "
	                  "LIMIT $2",
	                TEXT(pipeline), NUMBER(most)),
	        rows, err);

	if (r < 0)
		return r;
	*ret = json_object();
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *step = row_text(row, 0), *device = row_text(row, 1);
		json_t *devices = step ? member(*ret, step, json_object()) : NULL;

		if (devices && device)
			(void)json_array_append_new(member(devices, device, json_array()),
			        json_pack("[O, O]", json_array_get(row, 2), json_array_get(row, 3)));
	}
	return 0;
}

int history_seconds(struct history *history, const char *pipeline, int64_t most, json_t **ret, struct gr_error *err)
{
	GR_AUTO_JSON json_t *rows = json_array();
	int r = store_execute(&history->store,
	        STATEMENT(
	                "SELECT name, CAST(SUM(ms) / COUNT(*) AS BIGINT) FROM (SELECT t.name, o.ms, ROW_NUMBER() OVER "
	                "(PARTITION BY t.name ORDER BY r.started_ms DESC, r.id DESC, o.device_run, o.attempt) AS n "
	                "FROM outcomes o JOIN tests t ON t.id = o.test JOIN runs r ON r.id = o.run WHERE "
	                "r.pipeline = $1 AND o.ms IS NOT NULL AND o.status IN ('passed', 'failed')) x WHERE n <= $2 "
	                "GROUP BY name",
	                TEXT(pipeline), NUMBER(most)),
	        rows, err);

	if (r < 0)
		return r;
	*ret = json_object();
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		(void)json_object_set(*ret, row_text(row, 0), json_array_get(row, 1));
	}
	return 0;
}
