/* `webhooks:`. */
#include <string.h>

#include "pipelines/check.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

#define WEBHOOKS_MOST 20
#define TIMEOUT_DEFAULT_MS 30000
#define TIMEOUT_MOST_MS (10 * 60 * 1000)

const struct key webhook_keys[] = {
        {"url", NULL}, {"secret", NULL}, {"when", NULL}, {"body", NULL}, {"timeout", NULL}, {NULL, NULL}};

/* A text or a secret; whether it is an address is seen once secrets are known. */
static const struct node *check_url(struct check *check, const struct node *hook, const struct node *node)
{
	if (node == NULL) {
		check_fail(check, hook, NULL, "a webhook needs a `url`");
		return NULL;
	}
	if (node->kind != NODE_SCALAR) {
		check_fail(check, node, NULL, "`url` of a webhook must be text");
		return node;
	}
	if (!check_templates(check, node, ROOTS_EARLY | ROOT_SECRETS, true))
		return node;
	if (node->template == NULL && !text_has_prefix(node->text, "https://") &&
	        !text_has_prefix(node->text, "http://"))
		check_fail(check, node, NULL, "`url` of a webhook must begin with https://");
	return node;
}

static const struct node *check_key(struct check *check, const struct node *node)
{
	if (node == NULL || !check_templates(check, node, ROOTS_EARLY | ROOT_SECRETS, true))
		return node;
	if (node->kind != NODE_SCALAR || node->template == NULL)
		check_fail(check, node, "name it under `secrets:` and write ${{ secrets.NAME }}",
		        "`secret` of a webhook must not be written into the file");
	return node;
}

static void check_hook(struct check *check, const struct node *node)
{
	static const char *const whens[] = {"always", "success", "failure", NULL};
	static const enum plan_when meanings[] = {WHEN_ALWAYS, WHEN_SUCCESS, WHEN_FAILURE};
	static const char *const bodies[] = {"results", "summary", NULL};
	struct plan *plan = check->plan;
	struct plan_webhook hook = {.when = WHEN_ALWAYS, .timeout_ms = TIMEOUT_DEFAULT_MS};
	const struct node *when = node_member(node, "when"), *body = node_member(node, "body"),
	                  *timeout = node_member(node, "timeout");
	int choice;

	if (!check_keys(check, node, "a webhook", webhook_keys))
		return;
	hook.url = check_url(check, node, node_member(node, "url"));
	hook.secret = check_key(check, node_member(node, "secret"));
	choice = when != NULL ? read_choice(check, when, "`when`", whens) : 0;
	if (choice > 0)
		hook.when = meanings[choice];
	hook.is_summary = body != NULL && read_choice(check, body, "`body`", bodies) == 1;
	if (read_duration(check, timeout, "`timeout`", &hook.timeout_ms) &&
	        (hook.timeout_ms <= 0 || hook.timeout_ms > TIMEOUT_MOST_MS))
		check_fail(check, timeout, NULL, "`timeout` of a webhook must be longer than 0 and at most 10m");
	plan->webhooks = gr_grow(plan->webhooks, plan->webhook_count, sizeof(*plan->webhooks));
	plan->webhooks[plan->webhook_count++] = hook;
}

void check_webhooks(struct check *check, const struct node *node)
{
	if (node == NULL)
		return;
	if (node->kind != NODE_LIST || node->count == 0 || node->count > WEBHOOKS_MOST) {
		check_fail(check, node, "- url: https://...", "`webhooks` must be a list of 1 to %d webhooks",
		        WEBHOOKS_MOST);
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		check_hook(check, node->items[i]);
}
