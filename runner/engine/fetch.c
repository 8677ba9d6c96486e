/* Documents that answers name (install logs): a GET through the URL gate, without the token, into memory. */
#include "runner/engine/run.h"

#include "runner/base/memory.h"

static void on_fetched(void *context, struct transfer_result *result)
{
	struct task *task = context;
	struct event event = {.kind = EVENT_FETCHED,
	        .status = result->status,
	        .text = buffer_text(&result->body),
	        .bytes = result->body.bytes,
	        .error = result->error};

	task->fetch = NULL;
	task->requests++;
	task_send(task, &event);
}

int fetch_start(struct task *task, const struct action *action, struct gr_error *err)
{
	struct engine *engine = task->engine;
	GR_AUTO_FREE char *url = NULL;
	struct transfer_request wire = {.answer_ms = 60000, .sink_fd = -1};
	int r = url_gate(action->url, engine->base_url, (const char *const *)engine->plan->server.download_hosts,
	        GR_PROTOCOL, &url, err);

	if (r < 0)
		return r;
	wire.url = url;
	wire.on_done = on_fetched;
	wire.context = task;
	wire.body_most_bytes = action->fetch_most_bytes ? action->fetch_most_bytes : 16 << 20;
	engine->requests++;
	return transfer_start(engine->loop, &engine->settings, &wire, &task->fetch, err);
}
