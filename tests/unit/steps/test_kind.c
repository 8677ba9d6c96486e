#include "script.h"

#include "runner/api/operation.h"
#include "runner/base/text.h"

static bool is_name(const char *text)
{
	return text[0] >= 'a' && text[0] <= 'z' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

static void check_rows(const struct field *rows)
{
	for (const struct field *row = rows; row->name != NULL; row++) {
		assert_true(is_name(row->name));
		assert_non_null(row->help);
		assert_true(text_has_suffix_nocase(row->help, "."));
		assert_non_null(type_name(row->type));
		if (row->type == TYPE_CHOICE)
			assert_non_null(row->choices);
		assert_false((row->flags & FIELD_REQUIRED) != 0 && row->fallback != NULL);
		for (const struct field *other = rows; other != row; other++)
			assert_string_not_equal(other->name, row->name);
	}
}

static void every_row_is_whole_and_named_once(void **state)
{
	(void)state;
	for (const struct kind *kind = step_kinds; kind->name != NULL; kind++) {
		assert_true(is_name(kind->name));
		assert_non_null(kind->summary);
		check_rows(kind->fields);
		check_rows(kind->outputs);
		assert_ptr_equal(kind_find(kind->name), kind);
	}
}

static void every_fallback_is_of_its_fields_type(void **state)
{
	(void)state;
	for (const struct kind *kind = step_kinds; kind->name != NULL; kind++)
		for (const struct field *field = kind->fields; field->name != NULL; field++) {
			json_t *value = fallback_of(field), *converted = NULL;
			struct gr_error err = {0};

			if (value == NULL)
				continue;
			assert_int_equal(field_convert(field, value, &converted, &err), 0);
			json_decref(converted);
			json_decref(value);
		}
}

static void every_kind_has_a_machine(void **state)
{
	(void)state;
	for (const struct kind *kind = step_kinds; kind->name != NULL; kind++)
		assert_non_null(kind->ops);
}

static void flags_say_what_the_plan_needs_to_know(void **state)
{
	(void)state;
	assert_int_equal(kind_find("app_build_run")->flags, KIND_RUNS_TESTS | KIND_POLLS | KIND_NEEDS_APP);
	assert_int_equal(kind_find("native_test")->flags, KIND_RUNS_TESTS | KIND_POLLS | KIND_NEEDS_APP | KIND_SUBJECT);
	assert_true((kind_find("upload_build")->flags & KIND_SUBJECT) != 0);
	assert_int_equal(kind_find("run")->flags, KIND_LOCAL);
	assert_true((kind_find("call")->flags & KIND_OPEN) != 0);
	assert_true((kind_find("application")->flags & KIND_IMPLICIT) != 0);
	assert_true((kind_find("install")->flags & KIND_POLLS) != 0);
}

static void commands_and_calls_have_outputs_of_any_name(void **state)
{
	(void)state;
	assert_int_equal(kind_output(kind_find("run"), "exit_status")->type, TYPE_INT);
	assert_int_equal(kind_output(kind_find("run"), "version")->type, TYPE_ANY);
	assert_int_equal(kind_output(kind_find("call"), "message")->type, TYPE_ANY);
	assert_null(kind_output(kind_find("install"), "version"));
	assert_non_null(kind_field(kind_find("call"), "save"));
	assert_int_equal(kind_output(kind_find("upload_build"), "version_token")->type, TYPE_SECRET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_row_is_whole_and_named_once),
	        cmocka_unit_test(every_fallback_is_of_its_fields_type),
	        cmocka_unit_test(every_kind_has_a_machine),
	        cmocka_unit_test(flags_say_what_the_plan_needs_to_know),
	        cmocka_unit_test(commands_and_calls_have_outputs_of_any_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
