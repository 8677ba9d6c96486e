#include "script.h"

static void takes(enum type type, const char *choices, const char *value, const char *wanted)
{
	const struct field field = {"this", type, 0, NULL, choices, ""};
	json_t *given = quoted(value), *want = quoted(wanted), *converted = NULL;
	struct gr_error err = {0};

	if (field_convert(&field, given, &converted, &err) != 0)
		fail_msg("%s: %s", value, err.text);
	if (!json_equal(converted, want))
		fail_msg("%s is not %s", value, wanted);
	assert_int_equal(err.failure, GR_NONE);
	json_decref(given);
	json_decref(want);
	json_decref(converted);
}

static void refuses(enum type type, const char *choices, const char *value, const char *words)
{
	const struct field field = {"this", type, FIELD_REQUIRED, NULL, choices, ""};
	json_t *given = quoted(value), *converted = NULL;
	struct gr_error err = {0};

	assert_int_equal(field_convert(&field, given, &converted, &err), -GR_CONFIG);
	assert_null(converted);
	expect_text(err.text, "'this'");
	expect_text(err.text, words);
	json_decref(given);
}

static void it_keeps_plain_types_strictly_apart(void **state)
{
	(void)state;
	takes(TYPE_BOOL, NULL, "true", "true");
	refuses(TYPE_BOOL, NULL, "'true'", "without quotes");
	refuses(TYPE_BOOL, NULL, "1", "not 1");
	takes(TYPE_INT, NULL, "-5", "-5");
	refuses(TYPE_INT, NULL, "1.5", "a whole number, not 1.5");
	refuses(TYPE_INT, NULL, "'5'", "not '5'");
	takes(TYPE_REAL, NULL, "2", "2.0");
	refuses(TYPE_REAL, NULL, "'2'", "a number");
	takes(TYPE_LIST, NULL, "[1, 'a']", "[1, 'a']");
	refuses(TYPE_LIST, NULL, "{}", "a mapping");
	takes(TYPE_MAP, NULL, "{'a': 1}", "{'a': 1}");
	refuses(TYPE_MAP, NULL, "[]", "a list");
	takes(TYPE_ANY, NULL, "[null]", "[null]");
	takes(TYPE_NULL, NULL, "null", "null");
	takes(TYPE_STEP, NULL, "{'a': 1}", "{'a': 1}");
	takes(TYPE_CONDITION, NULL, "'answer.x == 1'", "'answer.x == 1'");
}

static void a_whole_number_is_a_text_but_a_real_is_not(void **state)
{
	(void)state;
	takes(TYPE_TEXT, NULL, "'abc'", "'abc'");
	takes(TYPE_TEXT, NULL, "12", "'12'");
	refuses(TYPE_TEXT, NULL, "1.1", "quotes");
	refuses(TYPE_TEXT, NULL, "true", "quotes");
	refuses(TYPE_TEXT, NULL, "''", "empty");
	takes(TYPE_TEXT, NULL, "''", "''");
}

static void an_optional_null_is_as_good_as_absent(void **state)
{
	(void)state;
	takes(TYPE_TEXT, NULL, "null", "null");
	refuses(TYPE_TEXT, NULL, "null", "not null");
}

static void it_reads_durations_ranges_and_sizes(void **state)
{
	(void)state;
	takes(TYPE_DURATION, NULL, "'30s'", "30000");
	takes(TYPE_DURATION, NULL, "0", "0");
	refuses(TYPE_DURATION, NULL, "30", "unit");
	refuses(TYPE_DURATION, NULL, "'30 s'", "such as 30s");
	takes(TYPE_RANGE, NULL, "'2s..30s'", "{'low': 2000, 'high': 30000}");
	refuses(TYPE_RANGE, NULL, "'30s..2s'", "2s..30s");
	takes(TYPE_SIZE, NULL, "'64KiB'", "65536");
	takes(TYPE_SIZE, NULL, "100", "100");
	refuses(TYPE_SIZE, NULL, "-1", "64MiB");
	refuses(TYPE_SIZE, NULL, "0", "nothing would fit");
	refuses(TYPE_SIZE, NULL, "'0KiB'", "nothing would fit");
}

static void a_file_must_have_one_of_the_extensions(void **state)
{
	(void)state;
	takes(TYPE_FILE, ".apk|.ipa", "'out/app.apk'", "'out/app.apk'");
	takes(TYPE_FILE, ".apk|.ipa", "'out/App.IPA'", "'out/App.IPA'");
	takes(TYPE_FILE, ".apk|.ipa", "'out/*.apk'", "'out/*.apk'");
	takes(TYPE_FILE, ".apk|.ipa", "'out/*'", "'out/*'");
	takes(TYPE_FILE, ".apk|.ipa", "'out/app.[ai]p[ak]'", "'out/app.[ai]p[ak]'");
	refuses(TYPE_FILE, ".apk|.ipa", "'out/app.zip'", ".apk|.ipa");
	refuses(TYPE_FILE, ".apk|.ipa", "'out.apk/app'", ".apk|.ipa");
	refuses(TYPE_FILE, ".apk|.ipa", "'app.averyverylongextension'", ".apk|.ipa");
	refuses(TYPE_FILE, ".apk|.ipa", "'app.'", ".apk|.ipa");
	refuses(TYPE_FILE, NULL, "''", "a path");
	takes(TYPE_FILE, NULL, "'anything'", "'anything'");
}

static void a_choice_is_one_of_its_words_exactly(void **state)
{
	(void)state;
	takes(TYPE_CHOICE, "sync|async|direct", "'async'", "'async'");
	refuses(TYPE_CHOICE, "sync|async|direct", "'asyn'", "sync|async|direct");
	refuses(TYPE_CHOICE, "sync|async|direct", "'sync|async'", "sync|async|direct");
	refuses(TYPE_CHOICE, "sync|async|direct", "'Sync'", "not 'Sync'");
	refuses(TYPE_CHOICE, "sync|async|direct", "''", "one of");
	refuses(TYPE_CHOICE, "sync|async|direct", "1", "not 1");
}

static void one_text_is_a_list_of_one(void **state)
{
	(void)state;
	takes(TYPE_TEXTS, NULL, "'a'", "['a']");
	takes(TYPE_TEXTS, NULL, "['a', 2]", "['a', '2']");
	refuses(TYPE_TEXTS, NULL, "[]", "empty");
	refuses(TYPE_TEXTS, NULL, "['a', ['b']]", "each entry");
	refuses(TYPE_TEXTS, NULL, "{'a': 1}", "a mapping");
}

static void references_are_whole_outputs_or_ids(void **state)
{
	(void)state;
	takes(TYPE_VERSION, NULL, "'1.2'", "'1.2'");
	takes(TYPE_VERSION, NULL, "481", "'481'");
	takes(TYPE_VERSION, NULL, "{'id': 481}", "{'id': '481'}");
	takes(TYPE_VERSION, NULL, "{'name': 'x'}", "{'name': 'x'}");
	takes(TYPE_VERSION, NULL, "{'version_id': 4, 'app_id': '2'}", "{'version_id': '4', 'app_id': '2'}");
	refuses(TYPE_VERSION, NULL, "{'app_id': '2'}", "neither");
	refuses(TYPE_VERSION, NULL, "1.2", "a version");
	takes(TYPE_BUILD, NULL, "272", "'272'");
	takes(TYPE_BUILD, NULL, "{'id': 272}", "{'id': '272'}");
	refuses(TYPE_BUILD, NULL, "{'name': 'x'}", "neither");
	refuses(TYPE_BUILD, NULL, "''", "a build");
	takes(TYPE_DEVICE, NULL, "{'id': 26}", "{'id': '26'}");
	takes(TYPE_DEVICE, NULL, "{'device_id': 26, 'name': 'S'}", "{'device_id': '26', 'name': 'S'}");
	refuses(TYPE_DEVICE, NULL, "'Galaxy S23'", "a device");
	takes(TYPE_DEVICES, NULL, "[{'id': 26}]", "[{'id': '26'}]");
	refuses(TYPE_DEVICES, NULL, "[{'id': 26}, 'x']", "a list of devices");
	takes(TYPE_MODULE, NULL, "12", "'12'");
	takes(TYPE_MODULE, NULL, "'Checkout'", "'Checkout'");
	refuses(TYPE_MODULE, NULL, "''", "module");
}

static void testcases_are_ids_or_names_with_ids(void **state)
{
	(void)state;
	takes(TYPE_TESTCASES, NULL, "[7, '8']", "['7', '8']");
	takes(TYPE_TESTCASES, NULL, "{'login': 7}", "{'login': '7'}");
	refuses(TYPE_TESTCASES, NULL, "['login']", "whole numbers");
	refuses(TYPE_TESTCASES, NULL, "{'login': 'x'}", "whole numbers");
	refuses(TYPE_TESTCASES, NULL, "{'login': -1}", "whole numbers");
	refuses(TYPE_TESTCASES, NULL, "[]", "empty");
	refuses(TYPE_TESTCASES, NULL, "7", "test case ids");
}

static void an_operation_goes_by_its_id_or_alias(void **state)
{
	(void)state;
	takes(TYPE_OPERATION, NULL, "'build_list'", "'build_list'");
	takes(TYPE_OPERATION, NULL, "'upload'", "'app_build_upload'");
	refuses(TYPE_OPERATION, NULL, "'biuld_list'", "did you mean 'build_list'?");
	refuses(TYPE_OPERATION, NULL, "3", "operation");
}

static void it_never_changes_what_it_is_given(void **state)
{
	const struct field field = {"this", TYPE_VERSION, 0, NULL, NULL, ""};
	json_t *given = quoted("{'id': 5}"), *before = json_deep_copy(given), *converted = NULL;

	(void)state;
	assert_int_equal(field_convert(&field, given, &converted, NULL), 0);
	assert_true(json_equal(given, before));
	json_decref(given);
	json_decref(before);
	json_decref(converted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_keeps_plain_types_strictly_apart),
	        cmocka_unit_test(a_whole_number_is_a_text_but_a_real_is_not),
	        cmocka_unit_test(an_optional_null_is_as_good_as_absent),
	        cmocka_unit_test(it_reads_durations_ranges_and_sizes),
	        cmocka_unit_test(a_file_must_have_one_of_the_extensions),
	        cmocka_unit_test(a_choice_is_one_of_its_words_exactly),
	        cmocka_unit_test(one_text_is_a_list_of_one),
	        cmocka_unit_test(references_are_whole_outputs_or_ids),
	        cmocka_unit_test(testcases_are_ids_or_names_with_ids),
	        cmocka_unit_test(an_operation_goes_by_its_id_or_alias),
	        cmocka_unit_test(it_never_changes_what_it_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
