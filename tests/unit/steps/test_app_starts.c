/* Two lanes of one run, each with a start on the same device; the answer to this one's got lost. */
#include "app_script.h"

#define LIST_TWO_NEW "{'status': 1, 'build_list': [{'build_number': 771}, {'build_number': '772'}]}"
#define THEIRS "https://cloud.example/build/apps/3507"
#define OUR_URL "https://cloud.example/build/apps/3508"
#define OTHER(members) "{'other\\ntests': {'numbers': {}, " members "}}"

/* What the other lane has come to. */
static void now(struct script *s, const char *starts)
{
	json_decref((json_t *)(uintptr_t)s->starts);
	s->starts = quoted(starts);
}

static void begin(struct script *s, const char *starts)
{
	script_start(s, "app_build_run", WITH(""));
	answer(s, LIST_BEFORE);
	lose_answer(s);
	now(s, starts);
	let_time_come(s);
	expect_call(s, OP_BUILD_LIST, "{}");
}

static void end(struct script *s)
{
	json_decref((json_t *)(uintptr_t)s->starts);
	script_close(s);
}

static void the_number_of_another_lane_is_not_looked_at(void **state)
{
	struct script s;

	(void)state;
	begin(&s, "{'other\\ntests': {'numbers': {'771': true}, 'open': false}}");
	answer(&s, LIST_TWO_NEW);
	expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '772'}");
	answer(&s, DETAILS("772", OUR_URL, "0", "1", CASE("a", "1")));
	expect_text(s.action.progress, "adopted build 772");
	end(&s);
}

/* Its number is proven between the list and the answer about it. */
static void a_number_that_another_lane_proves_meanwhile_is_its_own(void **state)
{
	struct script s;

	(void)state;
	begin(&s, OTHER("'open': true, 'device': " DEVICE ", 'build_id': '3507', 'build_version': '9'"));
	answer(&s, LIST_ONE_NEW);
	now(&s, "{'other\\ntests': {'numbers': {'771': true}, 'open': false}}");
	answer(&s, DETAILS("771", THEIRS, "0", "1", CASE("a", "1")));
	look_at_device(&s, DEVICE_AT_WORK);
	end(&s);
}

static void a_build_that_fits_another_lanes_start_waits_for_its_proof(void **state)
{
	struct script s;

	(void)state;
	begin(&s, OTHER("'open': true, 'device': " DEVICE));
	answer(&s, LIST_ONE_NEW);
	answer(&s, DETAILS("771", THEIRS, "0", "1", CASE("a", "1")));
	look_at_device(&s, DEVICE_AT_WORK);
	let_time_come(&s);
	answer(&s, LIST_TWO_NEW);
	now(&s, OTHER("'open': true, 'device': " DEVICE ", 'build_id': '3507', 'build_version': '9'"));
	answer(&s, DETAILS("771", THEIRS, "0", "1", CASE("a", "1")));
	answer(&s, DETAILS("772", OUR_URL, "0", "1", CASE("a", "1")));
	look_at_device(&s, DEVICE_AT_WORK);
	now(&s, "{'other\\ntests': {'numbers': {'771': true}, 'open': false}}");
	let_time_come(&s);
	answer(&s, LIST_TWO_NEW);
	answer(&s, DETAILS("772", OUR_URL, "0", "1", CASE("a", "1")));
	expect_text(s.action.progress, "adopted build 772");
	end(&s);
}

static void what_stays_between_two_lanes_is_not_known_and_not_sent_again(void **state)
{
	struct script s;

	(void)state;
	begin(&s, OTHER("'open': true, 'device': " DEVICE));
	for (int i = 0; i < 9; i++) {
		if (i > 0)
			let_time_come(&s);
		answer(&s, LIST_ONE_NEW);
		answer(&s, DETAILS("771", THEIRS, "1", "3", PASS("a")));
		look_at_device(&s, DEVICE_IDLE);
	}
	expect_problem(&s, GR_UNKNOWN_START, "which of the new builds 771");
	end(&s);
}

/* The build names a device without an id, and the other lane's is another one of that name. */
static void devices_of_one_name_are_alike_when_no_id_tells_them_apart(void **state)
{
	struct script s;

	(void)state;
	begin(&s, OTHER("'open': true, 'device': {'device_id': '27', 'name': 'Galaxy S23', 'platform': 'android'}"));
	answer(&s, LIST_ONE_NEW);
	answer(&s, "{'status': 1, 'build_number': 771, 'build_devices': [{'device_name': 'Galaxy S23'}]}");
	look_at_device(&s, DEVICE_AT_WORK);
	end(&s);
}

/* Its own start is in the list, too: it is what is looked for. */
static void starts_that_cannot_be_meant_are_in_nobodys_way(void **state)
{
	static const char *const starts[] = {
	        "{'main\\nthis': {'numbers': {}, 'open': true, 'device': " DEVICE "}}",
	        OTHER("'open': false, 'device': " DEVICE),
	        OTHER("'open': true, 'app_id': '224'"),
	        "{'other\\ntests': {'numbers': {'771': true}, 'open': false, 'app_id': '224'}}",
	        OTHER("'open': true, 'device': {'device_id': '27', 'name': 'Galaxy S23', 'platform': 'android'}"),
	        OTHER("'open': true, 'device': " DEVICE ", 'build_id': '3509', 'build_version': '9'"),
	};

	(void)state;
	for (size_t i = 0; i < GR_COUNT(starts); i++) {
		struct script s;

		begin(&s, starts[i]);
		answer(&s, LIST_ONE_NEW);
		expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '771'}");
		answer(&s, DETAILS("771", OUR_URL, "0", "1", CASE("a", "1")));
		expect_text(s.action.progress, "adopted build 771");
		end(&s);
	}
}

/* The answer came, and what it names as the run's number is another lane's: the list proves nothing then. */
static void no_proof_takes_the_number_of_another_lane(void **state)
{
	struct script s;

	(void)state;
	script_start(&s, "app_build_run", WITH(""));
	now(&s, "{'other\\ntests': {'numbers': {'770': true}, 'open': false}}");
	answer(&s, LIST_BEFORE);
	answer(&s, STARTED);
	for (int i = 0; i < 4; i++) {
		expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '770'}");
		answer(&s, DETAILS("770", THEIRS, "0", "1", CASE("a", "1")));
		expect_call(&s, OP_EXECUTION_DETAILS, "{'build_number': '3506'}");
		answer(&s, QUEUED("3506", ""));
		expect_call(&s, OP_BUILD_LIST, "{}");
		answer(&s, "{'status': 1, 'build_list': [{'build_number': 769}, {'build_number': '770'}]}");
		let_time_come(&s);
	}
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_number_of_another_lane_is_not_looked_at),
	        cmocka_unit_test(a_number_that_another_lane_proves_meanwhile_is_its_own),
	        cmocka_unit_test(a_build_that_fits_another_lanes_start_waits_for_its_proof),
	        cmocka_unit_test(what_stays_between_two_lanes_is_not_known_and_not_sent_again),
	        cmocka_unit_test(devices_of_one_name_are_alike_when_no_id_tells_them_apart),
	        cmocka_unit_test(starts_that_cannot_be_meant_are_in_nobodys_way),
	        cmocka_unit_test(no_proof_takes_the_number_of_another_lane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
