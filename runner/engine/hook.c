/* The webhooks of the pipeline, read while secrets are there. They are told of the end by the command, not by the
 * engine: nothing of the run waits for them. */
#include "runner/engine/run.h"

#include <string.h>

#include "runner/base/memory.h"

/* The path of an address that is a secret is one by itself: texts about a request repeat neither the whole address nor
 * its query. */
static void learn_path(struct engine *engine, const char *url)
{
	const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
	GR_AUTO_FREE char *alone = path ? gr_strndup(path + 1, strcspn(path + 1, "?#")) : NULL;

	if (alone)
		(void)redactor_add(engine->options->redactor, alone);
	if (path)
		(void)redactor_add(engine->options->redactor, path + 1);
}

static int read_url(struct engine *engine, struct hook *hook, struct gr_error *err)
{
	GR_AUTO_FREE char *url = NULL;
	int r = server_setting(engine, hook->plan->url, NULL, &url, err);

	if (r < 0)
		return r;
	if (hook->plan->url->template)
		learn_path(engine, url ? url : "");
	return url_post(url ? url : "", &hook->url, err);
}

static int read_hook(struct engine *engine, struct hook *hook, struct gr_error *err)
{
	int r = read_url(engine, hook, err);

	if (r < 0)
		return gr_context(err, "url");
	if (!hook->plan->secret)
		return 0;
	r = server_setting(engine, hook->plan->secret, NULL, &hook->secret, err);
	if (r == 0 && (!hook->secret || !*hook->secret))
		r = gr_fail(err, GR_CONFIG, 0, "it is empty");
	return r < 0 ? gr_context(err, "secret") : 0;
}

int hooks_read(struct engine *engine, struct gr_error *err)
{
	struct hook_list *list = engine->options->hooks;
	size_t count = list ? engine->plan->webhook_count : 0;

	if (count > 0)
		list->items = gr_alloc(count, sizeof(*list->items));
	for (; list && count > list->count; list->count++) {
		struct hook *hook = &list->items[list->count];
		struct gr_error why = {0};

		hook->plan = &engine->plan->webhooks[list->count];
		if (read_hook(engine, hook, &why) == 0)
			continue;
		if (!engine->options->server_url) {
			*err = why;
			return gr_context(err, "webhooks[%zu]", list->count);
		}
		gr_free(gr_take(&hook->url)); /* a rehearsal in the sandbox needs no secrets */
		hook->why_not = gr_strdup(why.text);
	}
	return 0;
}

void hook_list_release(struct hook_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		char *texts[] = {list->items[i].url, list->items[i].secret, list->items[i].why_not};

		for (size_t j = 0; j < GR_COUNT(texts); j++) {
			if (texts[j])
				explicit_bzero(texts[j], strlen(texts[j]));
			gr_free(texts[j]);
		}
	}
	gr_free(list->items);
	*list = (struct hook_list){0};
}
