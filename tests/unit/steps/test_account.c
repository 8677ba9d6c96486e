#include "tests/unit/steps/script.h"

#include "runner/steps/account.h"

struct asking {
	struct script script;
	struct account account;
	struct action action;
	struct gr_error err;
};

static void open_asking(struct asking *asking, const char *email, const char *build)
{
	*asking = (struct asking){.account = {0}};
	script_open(&asking->script, "reserve_device", "{'device': {'device_id': '26'}, 'for': '5m'}");
	asking->script.context.user_email = email;
	asking->script.context.own_build_id = build;
	account_init(&asking->account, &asking->script.step);
}

static enum operation_id ask(struct asking *asking)
{
	enum operation_id operation;

	assert_int_equal(account_ask(&asking->account, &asking->script.step, &asking->action), 0);
	operation = asking->action.operation;
	action_release(&asking->action);
	return operation;
}

static int take(struct asking *asking, enum call_outcome outcome, const char *body)
{
	json_t *json = body != NULL ? quoted(body) : NULL;
	struct event event = {.kind = EVENT_ANSWER, .outcome = outcome, .body = json};
	int failure;

	if (outcome != CALL_DONE)
		(void)gr_fail(&event.error, GR_SERVER, 0, "no");
	failure = account_take(&asking->account, &asking->script.step, &event, &asking->err);
	json_decref(json);
	return failure;
}

static void close_asking(struct asking *asking)
{
	account_release(&asking->account);
	script_close(&asking->script);
}

#define TWO_USERS                                                                                                      \
	"{'success': true, 'data': [{'user_id': 1, 'email': 'ann@example.com'}, {'user_id': 2, 'email': "              \
	"'Bob@Example.com'}]}"

static void it_takes_the_only_user(void **unused)
{
	struct asking asking;

	(void)unused;
	open_asking(&asking, NULL, NULL);
	assert_int_equal(ask(&asking), OP_USER_LIST);
	assert_int_equal(take(&asking, CALL_DONE, "{'success': true, 'data': {'user_id': 7, 'email': 'x@y.z'}}"), 0);
	assert_string_equal(asking.account.user_id, "7");
	close_asking(&asking);
}

static void it_takes_the_user_with_the_configured_address(void **unused)
{
	struct asking asking;

	(void)unused;
	open_asking(&asking, "bob@example.com", NULL);
	(void)ask(&asking);
	assert_int_equal(take(&asking, CALL_DONE, TWO_USERS), 0);
	assert_string_equal(asking.account.user_id, "2");
	close_asking(&asking);
}

static void it_guesses_nothing_from_two_users_with_one_address(void **unused)
{
	struct asking asking;

	(void)unused;
	open_asking(&asking, "a@b.c", NULL);
	(void)ask(&asking);
	assert_int_equal(take(&asking, CALL_DONE,
	                         "{'success': true, 'data': [{'user_id': 1, 'email': 'a@b.c'}, {'user_id': 2, 'email': "
	                         "'a@b.c'}]}"),
	        -GR_CONFIG);
	assert_null(asking.account.user_id);
	close_asking(&asking);
}

static void it_asks_who_uploaded_this_runs_build(void **unused)
{
	struct asking asking;

	(void)unused;
	open_asking(&asking, NULL, "272");
	(void)ask(&asking);
	assert_int_equal(take(&asking, CALL_DONE, TWO_USERS), 0);
	assert_null(asking.account.user_id);
	assert_int_equal(ask(&asking), OP_GET_BUILD_INFO);
	assert_int_equal(
	        take(&asking, CALL_DONE, "{'success': true, 'data': {'app_build_id': '272', 'user_id': '2'}}"), 0);
	assert_string_equal(asking.account.user_id, "2");
	close_asking(&asking);
}

static void it_asks_for_the_build_when_the_list_is_not_for_this_user(void **unused)
{
	struct asking asking;

	(void)unused;
	open_asking(&asking, NULL, "272");
	(void)ask(&asking);
	assert_int_equal(take(&asking, CALL_REFUSED, NULL), 0);
	assert_int_equal(ask(&asking), OP_GET_BUILD_INFO);
	assert_int_equal(take(&asking, CALL_REFUSED, NULL), -GR_SERVER); /* the first no is the reason */
	close_asking(&asking);
}

static void it_tells_what_to_set_when_nothing_tells(void **unused)
{
	struct asking asking;

	(void)unused;
	open_asking(&asking, NULL, NULL);
	(void)ask(&asking);
	assert_int_equal(take(&asking, CALL_DONE, TWO_USERS), -GR_CONFIG);
	assert_non_null(strstr(asking.err.text, "TESTGRID_USER_ID"));
	assert_non_null(strstr(asking.err.text, "2 entries"));
	close_asking(&asking);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_takes_the_only_user),
	        cmocka_unit_test(it_takes_the_user_with_the_configured_address),
	        cmocka_unit_test(it_guesses_nothing_from_two_users_with_one_address),
	        cmocka_unit_test(it_asks_who_uploaded_this_runs_build),
	        cmocka_unit_test(it_asks_for_the_build_when_the_list_is_not_for_this_user),
	        cmocka_unit_test(it_tells_what_to_set_when_nothing_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
