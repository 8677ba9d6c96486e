/* Webhooks. The verdict is known and printed, reports are on the disk: what happens here changes neither. Each hook has
 * its own repeats and its own time; a signal ends them all. Headers are those of the Standard Webhooks specification:
 * one id for all attempts, so that a receiver that got it twice can tell. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reporters/words.h"
#include "runner/base/base64.h"
#include "runner/base/clock.h"
#include "runner/base/key.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/commands/session.h"
#include "runner/net/loop.h"
#include "runner/net/retry.h"

#define SECRET_PREFIX "whsec_"
#define ANSWER_MS 15000
#define ANSWER_MOST_BYTES (1 << 20)
#define LAST_MS 200 /* of the grace budget: for the end of the process */

struct posting {
	const struct hook *hook;
	size_t number;
	char *id;
	const struct buffer *body;
	struct loop *loop;
	struct transfer *transfer;
	struct timer timer, limit;
	struct transfer_settings settings;
	struct retry_policy policy;
	unsigned attempts;
	int64_t started_ms, left_ms; /* left_ms: for all attempts, from started_ms on */
	bool is_quick, is_over, is_told;
	struct gr_error error;
};

/* ---- the message ---- */

/* All of results.json, or what fits a chat: without its long lists. */
static void make_body(const struct session *session, bool is_summary, struct buffer *out)
{
	static const char *const lists[] = {"runs", "steps", "lanes", "artifacts", "held"};
	GR_AUTO_JSON json_t *json = results_to_json(&session->results);
	GR_AUTO_FREE char *text = NULL;

	for (size_t i = 0; is_summary && i < GR_COUNT(lists); i++)
		(void)json_object_del(json, lists[i]);
	words_redact_json(session->redactor, json);
	text = json_dumps(json, JSON_COMPACT);
	buffer_add_text(out, text);
}

/* "whsec_..." holds the key in base64; any other text is the key itself. */
static void read_key(const char *secret, struct buffer *out)
{
	const char *code = secret + strlen(SECRET_PREFIX);

	if (text_has_prefix(secret, SECRET_PREFIX) && base64_read(code, strlen(code), out))
		return;
	buffer_clear(out);
	buffer_add_text(out, secret);
}

static char *make_signature(const struct posting *posting, int64_t seconds)
{
	GR_AUTO_BUFFER struct buffer key = {0};
	GR_AUTO_BUFFER struct buffer data = {0};
	GR_AUTO_BUFFER struct buffer code = {0};
	GR_AUTO_BUFFER struct buffer header = {0};

	read_key(posting->hook->secret, &key);
	buffer_printf(&data, "%s.%" PRId64 ".", posting->id, seconds);
	buffer_add(&data, buffer_text(posting->body), posting->body->bytes);
	key_hmac(&key, &data, &code);
	buffer_add_text(&header, "webhook-signature: v1,");
	base64_add(&header, buffer_text(&code), code.bytes);
	if (key.data)
		explicit_bzero(key.data, key.bytes);
	return buffer_take(&header);
}

/* ---- one hook ---- */

static void on_answer(void *context, struct transfer_result *result);

static void give_up(struct posting *posting)
{
	posting->is_over = true;
	loop_timer_clear(posting->loop, &posting->timer);
	loop_timer_clear(posting->loop, &posting->limit);
}

static void post(void *context)
{
	struct posting *posting = context;
	int64_t seconds = clock_wall_ms() / 1000;
	GR_AUTO_FREE char *id = gr_printf("webhook-id: %s", posting->id);
	GR_AUTO_FREE char *time = gr_printf("webhook-timestamp: %" PRId64, seconds);
	GR_AUTO_FREE char *signature = posting->hook->secret ? make_signature(posting, seconds) : NULL;
	const char *const headers[] = {id, time, signature, NULL};
	const struct transfer_request request = {
	        .url = posting->hook->url,
	        .flags = TRANSFER_POST | TRANSFER_ONCE | (posting->is_quick ? TRANSFER_QUICK : 0U),
	        .json = posting->body,
	        .headers = headers,
	        .answer_ms = ANSWER_MS,
	        .body_most_bytes = ANSWER_MOST_BYTES,
	        .sink_fd = -1,
	        .on_done = on_answer,
	        .context = posting,
	};

	posting->attempts++;
	if (transfer_start(posting->loop, &posting->settings, &request, &posting->transfer, &posting->error) < 0)
		give_up(posting);
}

static struct retry_decision decide(const struct posting *posting, enum attempt_verdict verdict, int64_t after_ms)
{
	struct retry_facts facts = {.class_ = CLASS_WRITE, /* with its id, twice is as good as once */
	        .verdict = verdict,
	        .attempt = posting->attempts,
	        .since_first_ms = clock_now_ms() - posting->started_ms,
	        .retry_after_ms = after_ms};

	number_random(&facts.random, sizeof(facts.random));
	facts.time_left_ms = posting->left_ms - facts.since_first_ms;
	return retry_decide(&posting->policy, &facts);
}

static void on_answer(void *context, struct transfer_result *result)
{
	struct posting *posting = context;
	bool is_taken = !result->error.failure && result->status >= 200 && result->status < 300;
	struct retry_decision decision = decide(posting, attempt_judge(result, true), result->retry_after_ms);

	posting->transfer = NULL;
	posting->error = result->error;
	if (!is_taken && !posting->error.failure)
		(void)gr_fail(&posting->error, GR_NETWORK, 0, "HTTP %ld", result->status);
	posting->is_told = is_taken;
	if (is_taken || decision.kind != RETRY_WAIT) {
		give_up(posting);
		return;
	}
	posting->timer = (struct timer){.on_due = post, .context = posting};
	loop_timer_set(posting->loop, &posting->timer, clock_now_ms() + decision.wait_ms);
}

static void on_limit(void *context)
{
	struct posting *posting = context;

	transfer_cancel(posting->transfer);
	posting->transfer = NULL;
	(void)gr_fail(&posting->error, GR_NETWORK, 0, "no usable answer in its time%s%s",
	        posting->error.failure ? "; before that: " : "", posting->error.text);
	give_up(posting);
}

/* ---- all of them ---- */

static bool is_wanted(const struct session *session, const struct hook *hook)
{
	bool is_green = session->results.verdict == VERDICT_PASSED;

	return hook->plan->when == WHEN_ALWAYS || (hook->plan->when == WHEN_SUCCESS) == is_green;
}

static int64_t time_left(const struct session *session, const struct hook *hook)
{
	int64_t left_ms;

	if (!session->results.signal_number)
		return hook->plan->timeout_ms;
	left_ms = session->results.signalled_ms + session->grace_ms - LAST_MS - clock_now_ms();
	return left_ms < hook->plan->timeout_ms ? left_ms : hook->plan->timeout_ms;
}

static void begin(struct session *session, struct posting *posting)
{
	bool is_signalled = session->results.signal_number != 0;

	posting->started_ms = clock_now_ms();
	posting->left_ms = time_left(session, posting->hook);
	posting->is_quick = is_signalled;
	posting->policy = retry_default;
	posting->settings = (struct transfer_settings){.trace = argument_is_given(session->arguments, OPT_TRACE),
	        .on_trace = session_trace,
	        .trace_context = session};
	if (!posting->hook->url) {
		(void)gr_fail(&posting->error, GR_CONFIG, 0, "%s", posting->hook->why_not);
		posting->is_over = true;
		return;
	}
	if (posting->left_ms <= 0) {
		(void)gr_fail(&posting->error, GR_CANCELLED, 0, "the signal left no time for it");
		posting->is_over = true;
		return;
	}
	posting->limit = (struct timer){.on_due = on_limit, .context = posting};
	loop_timer_set(posting->loop, &posting->limit, posting->started_ms + posting->left_ms);
	post(posting);
}

static void on_signal(void *context, int number)
{
	(void)number;
	loop_stop(context);
}

static void say(const struct session *session, const struct posting *posting)
{
	GR_AUTO_FREE char *why = NULL;

	if (posting->is_told) {
		if (!argument_is_given(session->arguments, OPT_QUIET))
			printf("webhook   %zu was told%s\n", posting->number,
			        posting->attempts > 1 ? ", after repeats" : "");
		return;
	}
	why = redactor_text(
	        session->redactor, posting->error.failure ? posting->error.text : "a signal came before its answer");
	(void)fflush(stdout);
	fprintf(stderr, "gridlane: warning: webhook %zu was not told: %s\n", posting->number, why);
}

struct bodies {
	struct buffer results, summary;
};

static const struct buffer *body_of(const struct session *session, const struct hook *hook, struct bodies *bodies)
{
	struct buffer *body = hook->plan->is_summary ? &bodies->summary : &bodies->results;

	if (body->bytes == 0)
		make_body(session, hook->plan->is_summary, body);
	return body;
}

static void tell(struct session *session, struct loop *loop, struct posting *postings, size_t count)
{
	struct gr_error err = {0};

	loop_on_signal(loop, on_signal, loop);
	for (size_t i = 0; i < count; i++) {
		postings[i].loop = loop;
		begin(session, &postings[i]);
	}
	if (loop_run(loop, &err) < 0)
		(void)complain(&err); /* what it was about is not told, and said so below */
	for (size_t i = 0; i < count; i++)
		say(session, &postings[i]);
}

void session_tell_hooks(struct session *session)
{
	const struct hook_list *hooks = &session->hooks;
	GR_AUTO_FREE struct posting *postings = gr_alloc(hooks->count + 1, sizeof(*postings));
	struct bodies bodies = {0};
	struct loop *loop = NULL;
	struct gr_error err = {0};
	size_t count = 0;

	for (size_t i = 0; i < hooks->count; i++) {
		if (!is_wanted(session, &hooks->items[i]))
			continue;
		postings[count] = (struct posting){.hook = &hooks->items[i], .number = i + 1};
		postings[count].body = body_of(session, &hooks->items[i], &bodies);
		postings[count++].id = gr_printf("%s-%zu", session->results.run_id, i + 1);
	}
	if (count > 0 && loop_new(8, &loop, &err) < 0)
		(void)complain(&err);
	else if (count > 0)
		tell(session, loop, postings, count);
	loop_free(loop);
	for (size_t i = 0; i < count; i++)
		gr_free(postings[i].id);
	buffer_release(&bodies.results);
	buffer_release(&bodies.summary);
}
