#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/pool.h"

/* Of every length around those of a block. */
static void it_keeps_texts_of_any_length(void **state)
{
	enum { COUNT = 9000 };
	struct pool pool = {0};
	const char **kept = gr_alloc(COUNT, sizeof(*kept));
	char *text = gr_alloc(COUNT + 1, 1);

	(void)state;
	for (size_t i = 0; i < COUNT; i += i < 64 || (i > 4000 && i < 4100) ? 1 : 331) {
		memset(text, 'a' + (int)(i % 26), i);
		text[i] = '\0';
		kept[i] = pool_text(&pool, text);
		assert_ptr_not_equal(kept[i], text);
	}
	for (size_t i = 0; i < COUNT; i++) {
		if (!kept[i])
			continue;
		assert_int_equal(strlen(kept[i]), i);
		assert_true(i == 0 || (kept[i][0] == 'a' + (int)(i % 26) && kept[i][i - 1] == kept[i][0]));
	}
	pool_release(&pool);
	gr_free(kept);
	gr_free(text);
}

static void it_is_empty_before_and_after(void **state)
{
	struct pool pool = {0};

	(void)state;
	pool_release(&pool);
	assert_null(pool_text(&pool, NULL));
	assert_null(pool.blocks);
	assert_string_equal(pool_text(&pool, ""), "");
	pool_release(&pool);
	assert_null(pool.blocks);
	assert_string_equal(pool_text(&pool, "again"), "again");
	pool_release(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_keeps_texts_of_any_length),
	        cmocka_unit_test(it_is_empty_before_and_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
