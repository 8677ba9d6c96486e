#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "runner/base/automaton.h"
#include "runner/base/memory.h"

/* Which needle's length each place of the text ends, as digits ('0': none). */
static void assert_finds(const struct automaton *automaton, const struct automaton_classes *classes, const char *text,
        const char *expected)
{
	uint32_t place = 0;

	assert_int_equal(strlen(text), strlen(expected));
	for (size_t i = 0; text[i]; i++) {
		uint32_t entry = automaton_step(automaton, classes, place, (unsigned char)text[i]);
		uint32_t longest = automaton_node(automaton, classes, entry)->longest;

		assert_int_equal((entry & AUTOMATON_HIT) != 0, longest != 0);
		if (longest != (uint32_t)(expected[i] - '0'))
			fail_msg("'%s' at %zu: %u", text, i, longest);
		place = entry & ~(AUTOMATON_HIT | AUTOMATON_BREAK);
	}
}

static void it_finds_the_longest_needle_at_each_end(void **state)
{
	struct automaton_classes classes = {0};
	struct automaton automaton;

	(void)state;
	automaton_init(&automaton);
	automaton_add(&automaton, "he", 2);
	automaton_add(&automaton, "she", 3);
	automaton_add(&automaton, "hers", 4);
	automaton_add(&automaton, "his", 3);
	automaton_add(&automaton, "he", 2);
	automaton_add(&automaton, "", 0);
	automaton_classify(&automaton, &classes);
	automaton_build(&automaton, &classes, false);
	assert_finds(&automaton, &classes, "ushers", "000304");
	assert_finds(&automaton, &classes, "shis he", "0003002");
	assert_finds(&automaton, &classes, "hhehhis", "0020003");
	automaton_release(&automaton);
}

static void it_finds_nothing_without_needles(void **state)
{
	struct automaton_classes classes = {0};
	struct automaton automaton;

	(void)state;
	automaton_init(&automaton);
	automaton_classify(&automaton, &classes);
	automaton_build(&automaton, &classes, false);
	assert_finds(&automaton, &classes, "abc\xFF", "0000");
	automaton_release(&automaton);
}

static void it_learns_more_needles_and_is_built_again(void **state)
{
	struct automaton_classes classes = {0};
	struct automaton automaton;

	(void)state;
	automaton_init(&automaton);
	automaton_add(&automaton, "abab", 4);
	automaton_classify(&automaton, &classes);
	automaton_build(&automaton, &classes, false);
	assert_finds(&automaton, &classes, "ababab", "000404");
	automaton_add(&automaton, "bab", 3);
	automaton_add(&automaton, "xyz", 3);
	automaton_classify(&automaton, &classes);
	automaton_build(&automaton, &classes, false);
	assert_finds(&automaton, &classes, "xbabab", "000304");
	assert_finds(&automaton, &classes, "ababxyz", "0004003");
	automaton_release(&automaton);
}

/* So many states that the deep ones have no row: they must do the same as those that have. */
static void it_works_beyond_its_table(void **state)
{
	enum { NEEDLES = 40, BYTES = 2000 };
	struct automaton_classes classes = {0};
	struct automaton automaton;
	char needle[BYTES + 1] = "";
	uint32_t place = 0, sparse = 0;

	(void)state;
	automaton_init(&automaton);
	for (size_t n = 0; n < NEEDLES; n++) {
		for (size_t i = 0; i < BYTES; i++)
			needle[i] = (char)(1 + (i * 7 + n * 13 + i * i % (n + 3)) % 250);
		automaton_add(&automaton, needle, BYTES);
	}
	automaton_classify(&automaton, &classes);
	automaton_build(&automaton, &classes, false);
	assert_true(automaton.rows < automaton.count);
	for (size_t i = 0; i < 3 * BYTES; i++) { /* the last needle, broken off, and whole */
		char byte = needle[i < BYTES ? i / 2 : i < 2 * BYTES ? i - BYTES : i - 2 * BYTES];
		uint32_t entry = automaton_step(&automaton, &classes, place, (unsigned char)byte);

		sparse += (entry & AUTOMATON_SPARSE) != 0;
		assert_int_equal((entry & AUTOMATON_HIT) != 0, i == 2 * BYTES - 1 || i == 3 * BYTES - 1);
		place = entry & ~AUTOMATON_HIT;
	}
	assert_true(sparse > BYTES);
	automaton_release(&automaton);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_finds_the_longest_needle_at_each_end),
	        cmocka_unit_test(it_finds_nothing_without_needles),
	        cmocka_unit_test(it_learns_more_needles_and_is_built_again),
	        cmocka_unit_test(it_works_beyond_its_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
