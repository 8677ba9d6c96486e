#include "runner/history/store.h"

int store_execute(struct store *store, struct statement statement, json_t *rows, struct gr_error *err)
{
	return store->ops->execute(store->state, &statement, rows, err);
}

int store_begin(struct store *store, struct gr_error *err)
{
	const struct statement begin = {.sql = store->ops->begin};

	return store->ops->execute(store->state, &begin, NULL, err);
}

int store_end(struct store *store, int result, struct gr_error *err)
{
	const struct statement commit = {.sql = "COMMIT"}, rollback = {.sql = "ROLLBACK"};
	struct gr_error ignored = {0};

	if (result == 0)
		result = store->ops->execute(store->state, &commit, NULL, err);
	if (result < 0)
		(void)store->ops->execute(store->state, &rollback, NULL, &ignored); /* the first failure is said */
	return result;
}
