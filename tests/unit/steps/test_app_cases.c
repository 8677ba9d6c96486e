#include "app_script.h"

#define DATUM(name, data, status)                                                                                      \
	"{'test_case_name': '" name "', 'test_status': " status                                                        \
	", 'build_module_id': '5', 'parameterised_test_data': '" data "'}"
#define RUNNING(cases) DETAILS("770", OURS, "0", "1", cases)
#define OVER(cases) DETAILS("770", OURS, "1", "3", cases)

static void a_datum_that_is_filled_in_later_makes_no_new_test(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, RUNNING(DATUM("a", "", "0") ", " DATUM("b", "", "0")));
	let_time_come(&s);
	answer(&s, RUNNING(DATUM("a", "x", "2") ", " DATUM("b", "", "1")));
	let_time_come(&s);
	answer(&s, OVER(DATUM("a", "x", "2") ", " DATUM("b", "y", "2")));
	expect_done(&s, OUTCOME_PASSED, "{'tests': 2, 'passed': 2}");
	assert_string_equal(s.action.device_run->cases[0].data, "x");
	assert_string_equal(s.action.device_run->cases[1].data, "y");
	script_close(&s);
}

/* One test with three data, in every order in which they may come. */
static void several_data_of_one_test_keep_their_places(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, RUNNING(DATUM("a", "", "2") ", " DATUM("a", "", "0") ", " DATUM("a", "", "0")));
	let_time_come(&s);
	answer(&s, RUNNING(DATUM("a", "", "2") ", " DATUM("a", "y", "3") ", " DATUM("a", "", "1")));
	let_time_come(&s);
	answer(&s, RUNNING(DATUM("a", "", "2") ", " DATUM("a", "y", "3") ", " DATUM("a", "", "2")));
	let_time_come(&s);
	answer(&s, OVER(DATUM("a", "x", "2") ", " DATUM("a", "y", "3") ", " DATUM("a", "z", "2")));
	expect_done(&s, OUTCOME_FAILED, "{'tests': 3, 'passed': 2, 'failed': 1}");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(s.action.device_run->cases[i].data[0], "xyz"[i]);
		assert_int_not_equal(s.action.device_run->cases[i].status, STATUS_ERROR);
	}
	script_close(&s);
}

static void data_are_filled_in_across_a_kill(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, RUNNING(DATUM("a", "", "2") ", " DATUM("a", "", "0") ", " DATUM("a", "", "0")));
	let_time_come(&s);
	answer(&s, RUNNING(DATUM("a", "x", "2") ", " DATUM("a", "", "1") ", " DATUM("a", "", "0")));
	script_restart(&s);
	answer(&s, RUNNING(DATUM("a", "x", "2") ", " DATUM("a", "", "2") ", " DATUM("a", "", "1")));
	let_time_come(&s);
	answer(&s, OVER(DATUM("a", "x", "2") ", " DATUM("a", "y", "2") ", " DATUM("a", "z", "2")));
	expect_done(&s, OUTCOME_PASSED, "{'tests': 3, 'passed': 3}");
	script_close(&s);
}

/* More data than there were tests: the further ones are tests of their own, and none is lost. */
static void further_data_are_further_tests(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, RUNNING(DATUM("a", "", "0")));
	let_time_come(&s);
	answer(&s, OVER(DATUM("a", "x", "2") ", " DATUM("a", "x", "2") ", " DATUM("a", "y", "2")));
	expect_done(&s, OUTCOME_PASSED, "{'tests': 3, 'passed': 3}");
	script_close(&s);
}

static void a_test_that_changed_its_end_stays_so_with_its_datum(void **state)
{
	struct script s;

	(void)state;
	run_to_first_poll(&s, WITH(""));
	answer(&s, RUNNING(DATUM("a", "", "3") ", " DATUM("b", "", "1")));
	let_time_come(&s);
	answer(&s, OVER(DATUM("a", "x", "2") ", " DATUM("b", "", "2")));
	expect_case(&s, "a", STATUS_ERROR, GR_INCONSISTENT);
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_datum_that_is_filled_in_later_makes_no_new_test),
	        cmocka_unit_test(several_data_of_one_test_keep_their_places),
	        cmocka_unit_test(data_are_filled_in_across_a_kill),
	        cmocka_unit_test(further_data_are_further_tests),
	        cmocka_unit_test(a_test_that_changed_its_end_stays_so_with_its_datum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
