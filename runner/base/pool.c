#include "runner/base/pool.h"

#include <string.h>

#include "runner/base/memory.h"

#define BLOCK_BYTES ((size_t)4096 - 2 * sizeof(void *)) /* with what malloc adds: a page */

struct pool_block {
	struct pool_block *next;
	char texts[];
};

static void add_block(struct pool *pool, size_t bytes)
{
	struct pool_block *block = gr_alloc(1, sizeof(*block) + bytes);

	block->next = pool->blocks;
	pool->blocks = block;
	pool->used = 0;
}

const char *pool_text(struct pool *pool, const char *text)
{
	size_t room = BLOCK_BYTES - sizeof(struct pool_block), bytes;
	char *copy;

	if (!text)
		return NULL;
	bytes = strlen(text) + 1;
	if (!pool->blocks || pool->used > room || bytes > room - pool->used)
		add_block(pool, bytes > room ? bytes : room);
	copy = pool->blocks->texts + pool->used;
	memcpy(copy, text, bytes);
	pool->used += bytes;
	return copy;
}

void pool_release(struct pool *pool)
{
	while (pool->blocks) {
		struct pool_block *next = pool->blocks->next;

		gr_free(pool->blocks);
		pool->blocks = next;
	}
	pool->used = 0;
}
