#include "app_script.h"
#include "runner/api/model.h"
#include "runner/steps/remains.h"

#define NATIVE_ROW(status, text, passed, failed)                                                                       \
	"{'success': true, 'data': [{'device_id': '26', 'device_name': 'Galaxy S23', 'log_path': "                     \
	"'https://cloud.example/l.txt', 'status': " status ", 'status_text': '" text                                   \
	"', 'all_testcase': 9, 'passed_testcase': " passed ", 'failed_testcase': " failed "}]}"

static struct device_run *remains(const struct script *script)
{
	return remains_of(script->step.kind->name, "phones/0", "smoke", script->step.memory);
}

static void drop(struct device_run *run)
{
	device_run_release(run);
	gr_free(run);
}

static void a_killed_run_shows_its_number_and_all_that_was_seen(void **state)
{
	struct device_run *run;
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, DETAILS("770", OURS, "0", "1", PASS("a") ", " CASE("b", "3") ", " CASE("c", "0")));
	run = remains(&s);
	assert_non_null(run);
	assert_string_equal(run->lane, "phones/0");
	assert_string_equal(run->build_number, "770");
	assert_string_equal(run->device.name, "Galaxy S23");
	assert_false(run->is_complete);
	assert_int_equal(run->failure, GR_CANCELLED);
	assert_int_equal(run->case_count, 3);
	assert_int_equal(run->cases[0].status, STATUS_PASSED);
	assert_int_equal(run->cases[1].status, STATUS_FAILED);
	assert_int_equal(run->cases[2].status, STATUS_ERROR);
	assert_non_null(strstr(run->problems[0].message, "build 770"));
	assert_non_null(strstr(run->problems[0].message, "keeps running"));
	drop(run);
	script_close(&s);
}

static void a_killed_start_shows_that_a_run_may_be_there(void **state)
{
	struct device_run *run;
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	answer(&s, LIST_BEFORE);
	expect_call(&s, OP_APP_BUILD_RUN, "{}");
	run = remains(&s);
	assert_non_null(run);
	assert_null(run->build_number);
	assert_non_null(strstr(run->problems[0].message, "outcome is not known"));
	drop(run);
	script_close(&s);
}

static void a_killed_native_run_shows_its_id(void **state)
{
	struct device_run *run;
	struct script s;

	(void)state;
	script_start(&s, "native_test", "{'build': " BUILD ", 'device': " DEVICE ", 'file': 'tests.apk'}");
	expect_call(&s, OP_RUN_NATIVE_TEST_ANDROID, "{}");
	answer(&s, "{'status': true, 'native_test_build_id': 91, 'url': 'https://cloud.example/native/91'}");
	run = remains(&s);
	assert_non_null(run);
	assert_string_equal(run->native_id, "91");
	assert_string_equal(run->device.name, "Galaxy S23");
	assert_non_null(strstr(run->problems[0].message, "native test 91"));
	drop(run);
	script_close(&s);
}

static void run_native(struct script *s, const char *result)
{
	script_start(s, "native_test", "{'build': " BUILD ", 'device': " DEVICE ", 'file': 'out/tests.apk'}");
	answer(s, "{'status': true, 'native_test_build_id': 91, 'url': 'https://cloud.example/native/91'}");
	answer(s, result);
}

static void counts_that_polls_showed_of_a_killed_native_run_are_not_lost(void **state)
{
	struct device_run *run;
	struct script s;

	(void)state;
	run_native(&s, NATIVE_ROW("'3'", "Running", "4", "1"));
	run = remains(&s);
	assert_int_equal(run->case_count, 1);
	assert_string_equal(run->cases[0].name, "tests.apk");
	assert_int_equal(run->cases[0].status, STATUS_ERROR);
	assert_non_null(strstr(run->cases[0].reason, "4 of 9 tests passed, 1 failed"));
	assert_int_equal(run->reported[COUNT_PASSED], 4);
	drop(run);
	script_close(&s);
}

static void a_native_run_that_had_ended_before_the_kill_keeps_its_verdict(void **state)
{
	struct device_run *run;
	struct script s;

	(void)state;
	run_native(&s, NATIVE_ROW("'3'", "Failed", "8", "1"));
	run = remains(&s);
	assert_int_equal(run->case_count, 1);
	assert_int_equal(run->cases[0].status, STATUS_FAILED);
	assert_int_equal(run->problems[0].failure, GR_CANCELLED);
	drop(run);
	script_close(&s);
}

static void what_started_nothing_leaves_nothing(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	expect_call(&s, OP_BUILD_LIST, "{}");
	assert_null(remains(&s));
	assert_null(remains_of("install", "main", "x", s.step.memory));
	assert_null(remains_of(NULL, "main", "x", NULL));
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_killed_run_shows_its_number_and_all_that_was_seen),
	        cmocka_unit_test(a_killed_start_shows_that_a_run_may_be_there),
	        cmocka_unit_test(a_killed_native_run_shows_its_id),
	        cmocka_unit_test(counts_that_polls_showed_of_a_killed_native_run_are_not_lost),
	        cmocka_unit_test(a_native_run_that_had_ended_before_the_kill_keeps_its_verdict),
	        cmocka_unit_test(what_started_nothing_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
