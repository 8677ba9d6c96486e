#include "runner/history/history.h"

#include "runner/base/memory.h"
#include "runner/history/private.h"

int history_open(const char *place, struct history **ret_history, struct gr_error *err)
{
	struct history *history = gr_alloc(1, sizeof(*history));
	GR_AUTO_FREE char *shown = history_shown(place);
	int r = place_check(place, err);

	history->store.ops = history_is_server(place) ? &postgres_ops : &sqlite_ops;
	if (r == 0)
		r = history->store.ops->open(&history->store.state, place, err);
	if (r == 0)
		r = schema_migrate(&history->store, err);
	if (r < 0) {
		history_close(history);
		return gr_context(err, "history '%s'", shown);
	}
	*ret_history = history;
	return 0;
}

int history_wake(struct history *history, int64_t limit_ms, struct gr_error *err)
{
	return history->store.ops->wake(history->store.state, limit_ms, err);
}

void history_close(struct history *history)
{
	if (!history)
		return;
	if (history->store.state)
		history->store.ops->close(history->store.state);
	gr_free(history);
}

void history_reach(struct history *history, unsigned *ret_port, char *ret_files[static HISTORY_FILES_MOST + 1])
{
	history->store.ops->reach(history->store.state, ret_port, ret_files);
}

const char *row_text(const json_t *row, size_t column)
{
	return json_string_value(json_array_get(row, column));
}

int64_t row_number(const json_t *row, size_t column)
{
	const json_t *value = json_array_get(row, column);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}
