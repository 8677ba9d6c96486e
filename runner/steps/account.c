#include "runner/steps/account.h"

#include "runner/api/answer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/common.h"

void account_init(struct account *account, const struct step *step)
{
	*account = (struct account){.user_id = gr_strdup(step->context->user_id)};
}

void account_release(struct account *account)
{
	gr_free(account->user_id);
	*account = (struct account){0};
}

int account_ask(struct account *account, const struct step *step, struct action *action)
{
	if (!account->list_was_asked) {
		account->list_was_asked = true;
		return step_call(action, OP_USER_LIST, json_object());
	}
	account->build_was_asked = true;
	return step_call(action, OP_GET_BUILD_INFO, json_pack("{s:s}", "app_build_id", step->context->own_build_id));
}

/* The user with the configured address; two of them would prove nothing. */
static char *find_by_email(const json_t *users, const char *email)
{
	char *found = NULL;
	const json_t *user = NULL;
	size_t i = 0, matches = 0;

	json_array_foreach (users, i, user) {
		GR_AUTO_FREE char *address = answer_text(user, "email");

		if (email == NULL || address == NULL || !text_equal_nocase(address, email))
			continue;
		if (matches++ == 0)
			found = answer_text(user, "user_id|id");
	}
	if (matches == 1)
		return found;
	gr_free(found);
	return NULL;
}

static void take_list(struct account *account, const struct step *step, const struct event *event)
{
	GR_AUTO_JSON json_t *users = NULL;

	if (event->outcome != CALL_DONE) {
		(void)answer_fail(event, GR_SERVER, &account->why,
		        "find out the account's user id, which reservations need (TESTGRID_USER_ID sets it)");
		return;
	}
	if (answer_list(event->body, ANSWER_ROWS, &users, &account->why) != 0) {
		(void)gr_context(&account->why, "list of users");
		return;
	}
	account->users = json_array_size(users);
	if (account->users == 1)
		account->user_id = answer_text(json_array_get(users, 0), "user_id|id");
	else
		account->user_id = find_by_email(users, step->context->user_email);
}

/* A build that this run uploaded with its token belongs to the token's user. */
static void take_build(struct account *account, const struct event *event)
{
	if (event->outcome != CALL_DONE)
		return;
	account->user_id = answer_text(answer_holder(event->body, "user_id"), "user_id");
}

static int give_up(const struct account *account, struct gr_error *err)
{
	if (account->why.failure != GR_NONE) {
		*err = account->why;
		return -(int)err->failure;
	}
	return gr_fail(err, GR_CONFIG, 0,
	        "reservations need the account's user id, and the list of users has %zu entries: set server.user_id or "
	        "TESTGRID_USER_ID, "
	        "or "
	        "TESTGRID_EMAIL to the account's address",
	        account->users);
}

int account_take(struct account *account, const struct step *step, const struct event *event, struct gr_error *err)
{
	if (account->build_was_asked)
		take_build(account, event);
	else
		take_list(account, step, event);
	if (account->user_id != NULL)
		return 0;
	if (account->why.failure != GR_AUTH && !account->build_was_asked && step->context->own_build_id != NULL)
		return 0;
	return give_up(account, err);
}
