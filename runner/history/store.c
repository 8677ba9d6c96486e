#include "runner/history/store.h"

int store_execute(struct store *store, struct statement statement, json_t *rows, struct gr_error *err)
{
	return store->ops->execute(store->state, &statement, rows, err);
}

int store_begin(struct store *store, struct gr_error *err)
{
	const struct statement begin = {.sql = store->ops->begin};
	int r = store->ops->execute(store->state, &begin, NULL, err);

	return r < 0 ? store_end(store, r, err) : 0;
}

int store_end(struct store *store, int result, struct gr_error *err)
{
	const struct statement commit = {.sql = "COMMIT"}, rollback = {.sql = "ROLLBACK"};
	struct gr_error ignored = {0}; /* the first failure is said */

	if (result == 0)
		result = store->ops->execute(store->state, &commit, NULL, err);
	if (result == 0)
		return 0;
	/* The first may only hear what became of statements before it; a second one too many changes nothing. */
	for (int i = 0; i < 2; i++)
		(void)store->ops->execute(store->state, &rollback, NULL, &ignored);
	return result;
}
