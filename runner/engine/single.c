/* One operation outside a pipeline: `gridlane api` and `gridlane devices`. The same vault, retries, redaction and TLS
 * as in a run. */
#include "runner/engine/single.h"

#include <signal.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/engine/run.h"

struct single {
	struct engine engine;
	struct call *call;
	json_t *body;
	struct gr_error error;
	bool is_done;
};

static void on_done(void *context, const struct call_result *result)
{
	struct single *single = context;

	single->call = NULL;
	single->body = json_incref(result->body);
	if (result->outcome != CALL_DONE)
		single->error = result->error;
	if (result->outcome != CALL_DONE && !single->error.failure)
		(void)gr_fail(&single->error, GR_PROTOCOL, 0, "no usable answer");
	if (result->outcome == CALL_LOST)
		(void)gr_context(&single->error, "the request was sent, but it is not known whether it was done");
	single->is_done = true;
	loop_stop(single->engine.loop);
}

static void on_signal(void *context, int number)
{
	struct single *single = context;

	(void)gr_fail(&single->error, GR_CANCELLED, 0, "cancelled by signal %d", number);
	loop_stop(single->engine.loop);
}

static int call(struct single *single, enum operation_id operation, const json_t *arguments, struct gr_error *err)
{
	static const struct retry_policy once = {0};
	struct call_order order = {.operation = operation,
	        .arguments = json_deep_copy(arguments),
	        .policy = single->engine.options->tries_once ? &once : &retry_default,
	        .deadline_ms = CLOCK_NEVER,
	        .on_done = on_done,
	        .context = single};
	int r;

	loop_on_signal(single->engine.loop, on_signal, single);
	single->call = call_start(&single->engine, &order);
	r = loop_run(single->engine.loop, err);
	if (r == 0 && single->error.failure) {
		*err = single->error;
		r = -(int)err->failure;
	}
	return r;
}

static void release(struct single *single)
{
	call_cancel(single->call);
	call_free_lookups(&single->engine);
	lane_free(single->engine.main);
	loop_free(single->engine.loop);
	server_release(&single->engine);
	vault_free(single->engine.vault);
	scope_release(&single->engine);
	results_release(&single->engine.results);
}

int single_call(const struct engine_options *options, enum operation_id operation, const json_t *arguments,
        json_t **ret_answer, struct gr_error *err)
{
	static const struct plan none = {.name = NULL};
	struct single single = {
	        .engine = {.plan = options->server_of ? options->server_of : &none, .options = options}};
	int r = loop_new(4, &single.engine.loop, err);

	single.engine.vault = vault_new(options->redactor);
	retry_bucket_init(&single.engine.bucket);
	if (r == 0) {
		single.engine.started_ms = loop_now(single.engine.loop);
		single.engine.main = lane_new(&single.engine, NULL, "main");
		r = scope_init(&single.engine, err);
	}
	if (r == 0)
		r = server_init(&single.engine, err);
	if (r == 0)
		r = call(&single, operation, arguments, err);
	*ret_answer = gr_take(&single.body); /* a refusal has a body, too */
	release(&single);
	return r;
}
