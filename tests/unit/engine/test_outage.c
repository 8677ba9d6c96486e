/* Which answers say that nobody is there, or that the server takes nothing for now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/engine/run.h"

static bool is_sign(long status, bool is_json)
{
	const struct transfer_result result = {.status = status, .sent = SENT_ALL, .retry_after_ms = -1};

	return outage_is_sign(attempt_judge(&result, is_json), &result);
}

static void a_gateway_with_nobody_behind_it_is_one(void **state)
{
	(void)state;
	assert_true(is_sign(502, false));
	assert_true(is_sign(503, true));
	assert_true(is_sign(504, false));
}

static void a_page_in_place_of_an_answer_is_one(void **state)
{
	(void)state;
	assert_true(is_sign(200, false));
	assert_false(is_sign(200, true));
}

static void too_many_requests_is_one(void **state)
{
	(void)state;
	assert_true(is_sign(429, false));
}

static void a_server_that_answers_by_itself_is_none(void **state)
{
	(void)state;
	assert_false(is_sign(500, true));
	assert_false(is_sign(404, false));
	assert_false(is_sign(302, false));
}

static void a_connection_that_breaks_is_one_but_not_an_untrusted_certificate(void **state)
{
	const struct transfer_result broken = {.curl_code = 56, .sent = SENT_ALL};
	const struct transfer_result untrusted = {.curl_code = 60, .sent = SENT_NOTHING};

	(void)state;
	assert_true(outage_is_sign(attempt_judge(&broken, false), &broken));
	assert_false(outage_is_sign(attempt_judge(&untrusted, false), &untrusted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_gateway_with_nobody_behind_it_is_one),
	        cmocka_unit_test(a_page_in_place_of_an_answer_is_one),
	        cmocka_unit_test(too_many_requests_is_one),
	        cmocka_unit_test(a_server_that_answers_by_itself_is_none),
	        cmocka_unit_test(a_connection_that_breaks_is_one_but_not_an_untrusted_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
