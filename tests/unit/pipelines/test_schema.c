/* The schema is whole: it says all that the checker's tables say, and refers to nothing that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "pipelines/schema.h"
#include "runner/base/memory.h"
#include "runner/steps/kind.h"

static void every_key_of_the_checker_has_words(void **state)
{
	const char *section, *key;

	(void)state;
	for (size_t i = 0; schema_missing(i, &section, &key); i++)
		print_error("%s.%s has no row in pipelines/schema.def\n", section, key);
	assert_false(schema_missing(0, &section, &key));
}

static const json_t *member(const json_t *object, const char *name)
{
	const json_t *found = json_object_get(object, name);

	if (found == NULL)
		fail_msg("there is no '%s'", name);
	return found;
}

static void every_step_kind_has_its_fields(void **state)
{
	GR_AUTO_JSON json_t *schema = schema_make();

	(void)state;
	for (const struct kind *kind = step_kinds; kind->name != NULL; kind++) {
		GR_AUTO_FREE char *name = gr_printf("with_%s", kind->name);
		const json_t *with;

		if ((kind->flags & KIND_IMPLICIT) != 0 || kind->ops == NULL) {
			assert_null(json_object_get(member(schema, "$defs"), name));
			continue;
		}
		with = member(member(schema, "$defs"), name);
		for (const struct field *field = kind->fields; field->name != NULL; field++) {
			const json_t *value = member(member(with, "properties"), field->name);

			assert_string_equal(json_string_value(member(value, "description")), field->help);
			assert_true((json_object_get(value, "default") != NULL) == (field->fallback != NULL));
		}
	}
}

static void every_example_stands_at_a_key(void **state)
{
	GR_AUTO_JSON json_t *schema = schema_make();
	const char *section, *key, *text;

	(void)state;
	for (size_t i = 0; schema_example(i, &section, &key, &text); i++) {
		bool is_top = strcmp(section, "pipeline") == 0;
		const json_t *object = is_top ? schema : member(member(schema, "$defs"), section), *example;
		GR_AUTO_JSON json_t *wanted = json_loads(text, JSON_DECODE_ANY, NULL);
		size_t at, found = 0;

		assert_non_null(wanted);
		json_array_foreach (member(member(member(object, "properties"), key), "examples"), at, example)
			found += (size_t)json_equal(example, wanted);
		assert_int_equal(found, 1);
	}
	assert_false(schema_example(1000, &section, &key, &text));
}

/* Every reference leads to a definition. Returns how many there are. */
static size_t follow(const json_t *definitions, const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i, count = 0;

	json_object_foreach ((json_t *)(uintptr_t)value, key, item) {
		if (strcmp(key, "$ref") == 0) {
			assert_memory_equal(json_string_value(item), "#/$defs/", 8);
			(void)member(definitions, json_string_value(item) + 8);
			count++;
		}
		count += follow(definitions, item);
	}
	json_array_foreach (value, i, item)
		count += follow(definitions, item);
	return count;
}

static void every_reference_leads_somewhere(void **state)
{
	GR_AUTO_JSON json_t *schema = schema_make();

	(void)state;
	assert_true(follow(member(schema, "$defs"), schema) > 20);
}

static void unknown_keys_are_refused_but_fragments_are_not(void **state)
{
	GR_AUTO_JSON json_t *schema = schema_make();

	(void)state;
	assert_true(json_is_false(member(schema, "additionalProperties")));
	(void)member(member(schema, "patternProperties"), "^x-");
	assert_true(json_is_false(member(member(member(schema, "$defs"), "step"), "additionalProperties")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_key_of_the_checker_has_words),
	        cmocka_unit_test(every_example_stands_at_a_key),
	        cmocka_unit_test(every_step_kind_has_its_fields),
	        cmocka_unit_test(every_reference_leads_somewhere),
	        cmocka_unit_test(unknown_keys_are_refused_but_fragments_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
