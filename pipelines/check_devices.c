/* `devices:`: which ones, how many, and for how long. */
#include "pipelines/check.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

#define DEFAULT_WAIT_MS ((int64_t)20 * 60 * 1000)
#define DEVICES_MOST 10000 /* lanes of a run (security design 3.3) */

const struct key group_keys[] = {{"any_of", NULL}, {"count", NULL}, {"reserve", NULL}, {"wait", NULL}, {NULL, NULL}};
const struct key selector_keys[] = {{"name", NULL}, {"os", NULL}, {"tag", NULL}, {"platform", NULL},
        {"manufacturer", NULL}, {"id", NULL}, {"udid", NULL}, {NULL, NULL}};
static const char *const platforms[] = {"android", "ios", "web", NULL};

/* The engine compares texts: a number out of an expression would match nothing. */
static void check_is_text(struct check *check, const struct node *node, const char *what)
{
	GR_AUTO_JSON json_t *value = NULL;

	if (node_evaluate(node, check->early, &value, NULL) == 0 && json_is_integer(value))
		check_fail(check, node, "take an input of the type string", "%s must be text, not a number", what);
}

/* One word of a selector, which the engine evaluates; *ret_text is its text as far as it is known. */
static const struct node *check_word(struct check *check, const struct node *selector, const char *key, char **ret_text)
{
	const struct node *node = node_member(selector, key);
	GR_AUTO_FREE char *what = gr_printf("`%s`", key);

	if (node == NULL)
		return NULL;
	node_keep_text(node); /* `os: 14.10` and `id: 26` mean these letters, not numbers */
	(void)read_text(check, node, what, ret_text);
	if (node->template != NULL && node_is_static(node, early_names))
		check_is_text(check, node, what);
	return node;
}

static void check_os(struct check *check, const struct node *selector, struct plan_selector *ret)
{
	GR_AUTO_FREE char *text = NULL;
	bool is_range = true;

	ret->os = check_word(check, selector, "os", &text);
	if (text == NULL)
		return;
	(void)text_match_version(text, "1", &is_range);
	if (!is_range)
		check_fail(
		        check, ret->os, NULL, "`os` must be a version or a range such as \">=13 <15\", not '%s'", text);
}

static void check_selector(struct check *check, const struct node *node, struct plan_selector *ret)
{
	char *text = NULL;

	if (!check_keys(check, node, "a device", selector_keys))
		return;
	if (node->count == 0)
		check_fail(check, node, "give at least one of name, os, tag, platform, manufacturer, id and udid",
		        "this says nothing about the device");
	check_os(check, node, ret);
	ret->name = check_word(check, node, "name", &text);
	ret->tag = check_word(check, node, "tag", &text);
	ret->manufacturer = check_word(check, node, "manufacturer", &text);
	ret->id = check_word(check, node, "id", &text);
	ret->udid = check_word(check, node, "udid", &text);
	gr_free(text);
	ret->platform = node_member(node, "platform");
	if (ret->platform != NULL)
		(void)read_choice(check, ret->platform, "`platform`", platforms);
}

static void check_any_of(
        struct check *check, const struct node *group, const struct node *name, struct plan_devices *ret)
{
	const struct node *node = node_member(group, "any_of");

	if (node == NULL) {
		check_fail(check, name, "write any_of: [{ name: \"Pixel*\" }]", "the devices '%s' need `any_of`",
		        name->text);
		return;
	}
	if (node->kind != NODE_LIST || node->count == 0) {
		check_fail(
		        check, node, NULL, "`any_of` must be a list of at least one map, such as { name: \"Pixel*\" }");
		return;
	}
	ret->any_of = gr_alloc(node->count, sizeof(*ret->any_of));
	ret->any_of_count = node->count;
	for (size_t i = 0; i < node->count; i++)
		check_selector(check, node->items[i], &ret->any_of[i]);
}

static void check_times(struct check *check, const struct node *group, struct plan_devices *ret)
{
	const struct node *wait = node_member(group, "wait");
	char text[32];

	(void)read_duration(check, node_member(group, "reserve"), "`reserve`", &ret->reserve_ms);
	if (read_duration(check, wait, "`wait`", &ret->wait_ms) && ret->wait_ms > check->plan->timeout_ms)
		check_fail(check, wait, NULL, "`wait` is longer than the `timeout` of the run (%s)",
		        number_format_duration(check->plan->timeout_ms, text));
}

static void check_group(struct check *check, const struct node *name, const struct node *node)
{
	struct plan *plan = check->plan;
	struct plan_devices *devices;
	int64_t count = 1;

	plan->devices = gr_grow(plan->devices, plan->devices_count, sizeof(*plan->devices));
	devices = &plan->devices[plan->devices_count++];
	*devices = (struct plan_devices){
	        .name = gr_strdup(name->text), .wait_ms = DEFAULT_WAIT_MS, .line = name->line, .column = name->column};
	(void)check_name(check, name, "the name of devices");
	if (!check_keys(check, node, "devices", group_keys))
		return;
	check_any_of(check, node, name, devices);
	devices->count = node_member(node, "count");
	(void)read_int(check, devices->count, "`count`", (struct bounds){1, DEVICES_MOST}, &count);
	check_times(check, node, devices);
}

void check_devices(struct check *check, const struct node *node)
{
	if (node == NULL)
		return;
	if (node->kind != NODE_MAP) {
		check_fail(check, node, NULL, "`devices` must be a map of names and what to look for");
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		check_group(check, node->keys[i], node->items[i]);
}
