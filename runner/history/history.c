#include "runner/history/history.h"

#include <stdlib.h>

#include "runner/base/memory.h"
#include "runner/history/private.h"

char *history_default_place(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (data && data[0] == '/')
		return gr_printf("%s/gridlane/history.db", data);
	return home && home[0] == '/' ? gr_printf("%s/.local/share/gridlane/history.db", home) : NULL;
}

int history_open(const char *place, struct history **ret_history, struct gr_error *err)
{
	struct history *history = gr_alloc(1, sizeof(*history));
	int r;

	history->store.ops = &sqlite_ops;
	r = history->store.ops->open(&history->store.state, place, err);
	if (r == 0)
		r = schema_migrate(&history->store, err);
	if (r < 0) {
		history_close(history);
		return gr_context(err, "history '%s'", place);
	}
	*ret_history = history;
	return 0;
}

void history_close(struct history *history)
{
	if (!history)
		return;
	if (history->store.state)
		history->store.ops->close(history->store.state);
	gr_free(history);
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
