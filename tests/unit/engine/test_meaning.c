/* What an answer means: the status, the body and the operation together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/base/buffer.h"
#include "runner/engine/run.h"

static bool is_done(enum operation_id operation, long status, const char *body)
{
	struct transfer_result result = {
	        .status = status, .sent = SENT_ALL, .is_framed = true, .server_date_ms = -1, .retry_after_ms = -1};
	struct reading reading = {0};
	struct gr_error err = {0};

	buffer_printf(&result.body, "%s", body);
	reading_take(operation_get(operation), &result, &reading, &err);
	json_decref(reading.body);
	buffer_release(&result.body);
	return reading.verdict == ATTEMPT_ANSWERED && reading.meaning == CALL_DONE;
}

static void words_about_an_empty_list_make_one_of_a_refusal(void **state)
{
	static const char none[] = "{\"status\":0,\"msg\":\"No builds found\"}";

	(void)state;
	assert_true(is_done(OP_BUILD_LIST, 200, none));
	assert_true(is_done(OP_BUILD_LIST, 400, none));
	assert_true(is_done(OP_BUILD_LIST, 404, none));
	assert_true(is_done(OP_BUILD_LIST, 422, none));
	assert_true(is_done(OP_RESERVE_DEVICE_LIST, 400, "{\"success\":false,\"message\":\"No data\"}"));
}

static void a_mistake_is_no_empty_list(void **state)
{
	(void)state;
	assert_false(is_done(OP_BUILD_LIST, 400, "{\"status\":0,\"msg\":\"Application not found\"}"));
	assert_false(is_done(OP_BUILD_LIST, 422, "{\"status\":0,\"msg\":\"Invalid: no builds found\"}"));
	assert_false(is_done(OP_BUILD_LIST, 401, "{\"status\":0,\"msg\":\"No data found\"}"));
	assert_false(is_done(OP_EXECUTION_DETAILS, 404, "{\"status\":0,\"msg\":\"No data\"}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(words_about_an_empty_list_make_one_of_a_refusal),
	        cmocka_unit_test(a_mistake_is_no_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
