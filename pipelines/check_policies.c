/* `retry:`, `poll:`, `on_lost_start:` and their defaults. */
#include "pipelines/check.h"
#include "runner/base/clock.h"
#include "runner/base/number.h"

#define SECOND_MS ((int64_t)1000)
#define MINUTE_MS (60 * SECOND_MS)
#define RETRIES_MOST 100

const struct key default_keys[] = {
        {"retry", NULL}, {"poll", NULL}, {"on_lost_start", NULL}, {"rerun", NULL}, {NULL, NULL}};
const struct key retry_keys[] = {{"max", NULL}, {"backoff", NULL}, {"budget", NULL}, {NULL, NULL}};
const struct key poll_keys[] = {{"every", NULL}, {"queue", NULL}, {"stall", NULL}, {"timeout", NULL}, {NULL, NULL}};
static const char *const lost_start_words[] = {"resend", "never_resend", NULL};

void check_retry(struct check *check, const struct node *node, struct retry_policy *policy)
{
	int64_t max = policy->max;

	if (node == NULL || !check_keys(check, node, "`retry`", retry_keys))
		return;
	(void)read_int(check, node_member(node, "max"), "`max`", (struct bounds){0, RETRIES_MOST}, &max);
	policy->max = (unsigned)max;
	(void)read_range(
	        check, node_member(node, "backoff"), "`backoff`", &policy->backoff_low_ms, &policy->backoff_high_ms);
	(void)read_duration(check, node_member(node, "budget"), "`budget`", &policy->budget_ms);
}

static void read_positive(
        struct check *check, const struct node *poll, const char *key, const char *what, int64_t *ret_ms)
{
	const struct node *node = node_member(poll, key);

	if (read_duration(check, node, what, ret_ms) && *ret_ms <= 0)
		check_fail(check, node, NULL, "%s must be longer than 0; leave it out for no limit of your own", what);
}

void check_poll(struct check *check, const struct node *node, struct poll_policy *policy)
{
	const struct node *every = node_member(node, "every");

	if (node == NULL || !check_keys(check, node, "`poll`", poll_keys))
		return;
	if (read_range(check, every, "`every`", &policy->every_low_ms, &policy->every_high_ms) &&
	        policy->every_low_ms <= 0)
		check_fail(check, every, NULL, "`every` must be longer than 0");
	read_positive(check, node, "queue", "`queue`", &policy->queue_ms);
	read_positive(check, node, "stall", "`stall`", &policy->stall_ms);
	read_positive(check, node, "timeout", "`timeout` of `poll`", &policy->timeout_ms);
}

bool read_lost_start(struct check *check, const struct node *node, bool *ret_resend)
{
	int choice = node != NULL ? read_choice(check, node, "`on_lost_start`", lost_start_words) : -1;

	if (choice >= 0)
		*ret_resend = choice == 0;
	return choice >= 0;
}

void check_defaults(struct check *check, const struct node *node, struct step_defaults *ret_defaults)
{
	*ret_defaults = (struct step_defaults){
	        .retry = retry_default,
	        .poll = {2 * SECOND_MS, 30 * SECOND_MS, 20 * MINUTE_MS, 10 * MINUTE_MS, CLOCK_NEVER, 0, NULL, 0},
	        .resend_lost_start = true,
	};
	if (node == NULL || !check_keys(check, node, "`defaults`", default_keys))
		return;
	check_retry(check, node_member(node, "retry"), &ret_defaults->retry);
	check_poll(check, node_member(node, "poll"), &ret_defaults->poll);
	(void)read_lost_start(check, node_member(node, "on_lost_start"), &ret_defaults->resend_lost_start);
	ret_defaults->rerun = node_member(node, "rerun");
	if (ret_defaults->rerun != NULL) { /* each step reads it for itself; it is to be right even if none does */
		struct plan_rerun read;

		check_rerun(check, ret_defaults->rerun, kind_find("app_build_run"), &read);
		expression_free(read.unless);
	}
}
