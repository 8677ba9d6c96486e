#include "script.h"

static void exit_with(struct script *script, int status, const char *outputs)
{
	json_t *json = outputs != NULL ? quoted(outputs) : NULL;

	script_send(script, (struct event){.kind = EVENT_EXIT, .exit_status = status, .outputs = json});
	json_decref(json);
}

static void it_spawns_the_command_as_it_is_given(void **state)
{
	struct script s;
	json_t *wanted = quoted("['./notify.sh', 'a b', '$HOME']");

	(void)state;
	script_start(&s, "run", "{'command': ['./notify.sh', 'a b', '$HOME'], 'env': {'A': 'b'}, 'cwd': 'sub'}");
	expect_no_error(&s);
	assert_int_equal(s.action.kind, ACTION_SPAWN);
	assert_true(json_equal(s.action.command, wanted));
	assert_string_equal(json_string_value(json_object_get(s.action.environment, "A")), "b");
	assert_string_equal(s.action.cwd, "sub");
	json_decref(wanted);
	script_close(&s);
}

static void its_lines_become_outputs(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "run", "{'command': 'true'}");
	assert_null(s.action.environment);
	assert_null(s.action.cwd);
	exit_with(&s, 0, "{'VERSION': '1.2'}");
	expect_done(&s, OUTCOME_PASSED, "{'VERSION': '1.2', 'exit_status': 0}");
	script_close(&s);
	script_start(&s, "run", "{'command': 'true'}");
	exit_with(&s, 0, NULL);
	expect_done(&s, OUTCOME_PASSED, "{'exit_status': 0}");
	script_close(&s);
}

static void another_exit_status_is_a_failure(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "run", "{'command': ['make', 'x']}");
	exit_with(&s, 3, NULL);
	expect_failure(&s, GR_COMMAND, "'make' ended with exit status 3");
	assert_int_equal(json_integer_value(json_object_get(s.action.outputs, "exit_status")), 3);
	script_close(&s);
	script_start(&s, "run", "{'command': ['make', 'x']}");
	exit_with(&s, 137, NULL);
	expect_failure(&s, GR_COMMAND, "signal 9");
	assert_int_equal(json_integer_value(json_object_get(s.action.outputs, "exit_status")), 137);
	script_close(&s);
}

static void a_command_that_cannot_be_started_says_why(void **state)
{
	struct script s;
	struct event event = {.kind = EVENT_EXIT, .exit_status = 127};

	(void)state;
	(void)gr_fail(&event.error, GR_COMMAND, 0, "no such file");
	script_start(&s, "run", "{'command': ['nope']}");
	script_send(&s, event);
	expect_failure(&s, GR_COMMAND, "no such file");
	script_close(&s);
}

static void it_stops_when_told(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "run", "{'command': ['sleep', '9']}");
	stop_script(&s, GR_CANCELLED);
	expect_done(&s, OUTCOME_CANCELLED, "{}");
	script_close(&s);
	script_start(&s, "run", "{'command': ['sleep', '9']}");
	stop_script(&s, GR_DEADLINE);
	expect_done(&s, OUTCOME_ERROR, "{}");
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_spawns_the_command_as_it_is_given),
	        cmocka_unit_test(its_lines_become_outputs),
	        cmocka_unit_test(another_exit_status_is_a_failure),
	        cmocka_unit_test(a_command_that_cannot_be_started_says_why),
	        cmocka_unit_test(it_stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
