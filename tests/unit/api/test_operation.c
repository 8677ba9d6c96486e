#include "tests/unit/api/api_test.h"

#include <stdlib.h>

/* Parameters that the reference marks as required although one of them is enough. */
static bool is_alternative(const struct parameter *parameter)
{
	return parameter->flags & PARAMETER_ONE_OF;
}

static void compare_parameter(const struct operation *operation, const struct parameter *parameter, const char *typed)
{
	size_t bytes = strcspn(typed, "*@");
	bool required = strchr(typed, '*');
	bool file = strchr(typed, '@');

	if (!parameter->name || strlen(parameter->name) != bytes || strncmp(parameter->name, typed, bytes) != 0)
		fail_msg("%s: the table has '%s' where the reference has '%s'", operation->id,
		        parameter->name ? parameter->name : "nothing", typed);
	if (!is_alternative(parameter) && required != !!(parameter->flags & PARAMETER_REQUIRED))
		fail_msg("%s: '%s' is required in one place only", operation->id, typed);
	if (file != !!(parameter->flags & PARAMETER_FILE))
		fail_msg("%s: '%s' is a file in one place only", operation->id, typed);
}

static void compare_line(char *line, const struct operation *operation)
{
	char *rest = line;
	char *id = strsep(&rest, "|");
	char *path = strsep(&rest, "|");
	const struct parameter *parameter = operation->parameters;
	char *typed;

	id[strcspn(id, " ")] = '\0';
	path += strspn(path, " ");
	path[strcspn(path, " ")] = '\0';
	assert_string_equal(id, operation->id);
	assert_string_equal(path, operation->path);
	while ((typed = strsep(&rest, " \n")) != NULL)
		if (*typed)
			compare_parameter(operation, parameter++, typed);
	assert_null(parameter->name);
}

static void it_agrees_with_the_list_typed_from_the_reference(void **state)
{
	FILE *file = fopen(TESTS_DATA "/api-operations.txt", "r");
	char *line = NULL;
	size_t room = 0, count = 0;

	(void)state;
	if (!file)
		skip();
	while (getline(&line, &room, file) > 0) {
		if (*line == '#' || *line == '\n')
			continue;
		assert_true(count < OP_COUNT);
		compare_line(line, operation_get((enum operation_id)count++));
	}
	free(line);
	(void)fclose(file);
	assert_int_equal(count, OP_COUNT);
}

static void it_has_complete_rows(void **state)
{
	(void)state;
	for (int i = 0; i < OP_COUNT; i++) {
		const struct operation *operation = operation_get((enum operation_id)i);

		assert_non_null(operation->id);
		assert_non_null(operation->group);
		assert_non_null(operation->title);
		assert_non_null(operation->source);
		assert_int_equal(operation->path[0], '/');
		for (const struct parameter *p = operation->parameters; p->name; p++)
			if (!p->help || strlen(p->help) < 4)
				fail_msg("%s: '%s' has no help", operation->id, p->name);
	}
}

static void it_names_every_operation_once(void **state)
{
	(void)state;
	for (int i = 0; i < OP_COUNT; i++) {
		const struct operation *operation = operation_get((enum operation_id)i);

		assert_ptr_equal(operation_find(operation->id), operation);
		if (operation->alias)
			assert_ptr_equal(operation_find(operation->alias), operation);
	}
}

static void it_has_a_place_for_every_path_parameter(void **state)
{
	(void)state;
	for (int i = 0; i < OP_COUNT; i++) {
		const struct operation *operation = operation_get((enum operation_id)i);
		size_t places = 0, parameters = 0;

		for (const char *at = operation->path; *at; at++)
			places += *at == '{';
		for (const struct parameter *p = operation->parameters; p->name; p++) {
			char place[64];

			if (!(p->flags & PARAMETER_PATH))
				continue;
			(void)snprintf(place, sizeof(place), "{%s}", p->name);
			assert_non_null(strstr(operation->path, place));
			assert_true(p->flags & PARAMETER_REQUIRED);
			parameters++;
		}
		assert_int_equal(places, parameters);
	}
}

static void it_has_samples_that_are_answers(void **state)
{
	size_t without = 0;

	(void)state;
	for (int i = 0; i < OP_COUNT; i++) {
		const struct operation *operation = operation_get((enum operation_id)i);
		GR_AUTO_JSON json_t *value = NULL;
		struct gr_error err = {0};

		if (!operation->sample) {
			without++;
			continue;
		}
		if (answer_parse(operation->sample, strlen(operation->sample), &value, &err) < 0)
			fail_msg("%s: %s", operation->id, err.text);
		assert_int_equal(answer_says(value), ANSWER_SUCCESS);
		if (operation->outputs && !answer_member(value, operation->outputs))
			fail_msg("%s: the sample has no %s", operation->id, operation->outputs);
	}
	assert_int_equal(without, 6); /* the operations that the reference documents no answer of */
}

static void it_says_of_each_answer_what_its_sample_tells_success_by(void **state)
{
	(void)state;
	for (int i = 0; i < OP_COUNT; i++) {
		const struct operation *operation = operation_get((enum operation_id)i);
		GR_AUTO_JSON json_t *sample = operation->sample ? json_loads(operation->sample, 0, NULL) : NULL;
		const char *key = operation->sign == SAID_BY_STATUS ? "status" : "success";

		if ((operation->sign == SAID_BY_NOTHING) != (sample == NULL))
			fail_msg("%s: a sample or a sign of success is missing", operation->id);
		if (sample && !answer_flag(sample, key))
			fail_msg("%s: its sample does not say '%s'", operation->id, key);
	}
}

static void it_takes_words_of_success_for_success_of_one_operation_alone(void **state)
{
	GR_AUTO_JSON json_t *removed =
	        json_pack("{s:b, s:s}", "success", 0, "message", "Team user removed successfully.");
	GR_AUTO_JSON json_t *refused = json_pack("{s:b, s:s}", "success", 0, "message", "User not found.");

	(void)state;
	assert_int_equal(operation_says(operation_get(OP_ASSIGN_USER_TO_TEAM), removed), ANSWER_SUCCESS);
	assert_int_equal(operation_says(operation_get(OP_ASSIGN_USER_TO_TEAM), refused), ANSWER_REFUSED);
	assert_int_equal(operation_says(operation_get(OP_DELETE_TEAM), removed), ANSWER_REFUSED);
}

static enum answer_says says_of(enum operation_id operation, const char *words)
{
	GR_AUTO_JSON json_t *answer = json_pack("{s:i, s:s}", "status", 0, "message", words);

	return operation_says(operation_get(operation), answer);
}

static void a_list_that_is_refused_for_being_empty_is_an_empty_list(void **state)
{
	(void)state;
	assert_int_equal(says_of(OP_BUILD_LIST, "No builds found"), ANSWER_SUCCESS);
	assert_int_equal(says_of(OP_BUILD_LIST, "No build found for this application."), ANSWER_SUCCESS);
	assert_int_equal(says_of(OP_GET_APPLICATIONS_LIST, "No data found."), ANSWER_SUCCESS);
	assert_int_equal(says_of(OP_GET_APPLICATIONS_LIST, "No applications available"), ANSWER_SUCCESS);
	assert_int_equal(says_of(OP_GET_APPLICATION_INFO, "No data found."), ANSWER_SUCCESS);
	assert_int_equal(says_of(OP_RESERVE_DEVICE_LIST, "Records not found"), ANSWER_SUCCESS);
	assert_int_equal(says_of(OP_GET_DEVICE_LIST, "You do not have any device"), ANSWER_SUCCESS);
	/* mistakes, others' words, and what is no list */
	assert_int_equal(says_of(OP_BUILD_LIST, "No application found"), ANSWER_REFUSED);
	assert_int_equal(says_of(OP_BUILD_LIST, "No build number given"), ANSWER_REFUSED);
	assert_int_equal(says_of(OP_BUILD_LIST, "Something went wrong: no data found"), ANSWER_REFUSED);
	assert_int_equal(says_of(OP_GET_APPLICATIONS_LIST, "Invalid token: no data found"), ANSWER_REFUSED);
	assert_int_equal(says_of(OP_GET_APPLICATION_INFO, "Application not found"), ANSWER_REFUSED);
	assert_int_equal(says_of(OP_GROUP_DEVICES, "No device group found"), ANSWER_REFUSED);
	assert_int_equal(says_of(OP_EXECUTION_DETAILS, "No data found."), ANSWER_REFUSED);
	assert_int_equal(says_of(OP_RELEASE_RESERVE_DEVICE, "No data found."), ANSWER_REFUSED);
}

static void it_marks_every_token_as_a_secret(void **state)
{
	(void)state;
	for (int i = 0; i < OP_COUNT; i++)
		for (const struct parameter *p = operation_get((enum operation_id)i)->parameters; p->name; p++) {
			if (strstr(p->name, "token") || strstr(p->name, "password") || strcmp(p->name, "pin") == 0)
				assert_true(p->flags & PARAMETER_SECRET);
			assert_int_equal(strcmp(p->name, "user_token") == 0, !!(p->flags & PARAMETER_TOKEN));
		}
}

static void it_suggests_the_nearest_name(void **state)
{
	(void)state;
	assert_string_equal(operation_suggest("get_device_lst"), "get_device_list");
	assert_string_equal(operation_suggest("cap_bilder"), "cap_builder");
	assert_null(operation_suggest("zzzzzzzzzzzz"));
	assert_null(operation_suggest(NULL));
	assert_null(operation_find("get_device_lst"));
	assert_null(operation_find(NULL));
}

static void it_finds_parameters_by_name(void **state)
{
	const struct operation *operation = operation_get(OP_APP_BUILD_UPLOAD);

	(void)state;
	assert_string_equal(operation_parameter(operation, "upload_file")->choices, ".apk|.ipa");
	assert_null(operation_parameter(operation, "upload"));
	assert_non_null(
	        operation_parameter(operation_get(OP_GET_FIRST_AVAILABLE_DEVICE_CAPABILITIES_BUILDER), "order_by"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_agrees_with_the_list_typed_from_the_reference),
	        cmocka_unit_test(it_has_complete_rows),
	        cmocka_unit_test(it_names_every_operation_once),
	        cmocka_unit_test(it_has_a_place_for_every_path_parameter),
	        cmocka_unit_test(it_has_samples_that_are_answers),
	        cmocka_unit_test(it_says_of_each_answer_what_its_sample_tells_success_by),
	        cmocka_unit_test(it_takes_words_of_success_for_success_of_one_operation_alone),
	        cmocka_unit_test(a_list_that_is_refused_for_being_empty_is_an_empty_list),
	        cmocka_unit_test(it_marks_every_token_as_a_secret),
	        cmocka_unit_test(it_suggests_the_nearest_name),
	        cmocka_unit_test(it_finds_parameters_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
