/* Texts that go together: copied one behind the other into blocks, and let go all at once. 100,000 texts of an answer
 * are no 100,000 pieces of memory between those of its tree. `struct pool p = {0};` is a valid empty one. */
#ifndef GRIDLANE_BASE_POOL_H
#define GRIDLANE_BASE_POOL_H

#include <stddef.h>

struct pool_block;
struct pool {
	struct pool_block *blocks; /* the latest first */
	size_t used; /* of it */
};

/* A copy that lives as long as the pool. NULL for NULL. */
const char *pool_text(struct pool *pool, const char *text);
void pool_release(struct pool *pool);

#endif
