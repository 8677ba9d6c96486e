#include "sandbox/exchange.h"

#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "sandbox/echo.h"
#include "sandbox/files.h"
#include "sandbox/log.h"
#include "sandbox/range.h"
#include "sandbox/routes.h"
#include "sandbox/types.h"

void reply_release(struct reply *reply)
{
	buffer_release(&reply->body);
	json_decref(reply->headers);
	memset(reply, 0, sizeof(*reply));
}

static void reply_json(struct reply *reply, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);

	buffer_add_text(&reply->body, text != NULL ? text : "{}");
	reply->content_type = "application/json";
	gr_free(text);
}

/* Words of the front of the server, before any operation. */
static void reply_plain(struct reply *reply, int http_status, const char *words)
{
	json_t *body = json_object();

	reply->http_status = http_status;
	(void)json_object_set_new(body, "success", json_false());
	member_set_text(body, "message", words);
	reply_json(reply, body);
	json_decref(body);
}

static void count_call(struct call *call)
{
	json_t *calls = call->state->calls;

	call->number = (int64_t)member_number(calls, call->route->id, 0) + 1;
	(void)json_object_set_new(calls, call->route->id, json_integer((json_int_t)call->number));
}

static void find_user(struct call *call)
{
	const char *token = call_text(call, "user_token");

	call->token_given = *token != '\0';
	if (call->token_given)
		call->user = list_find(call->state->users, "user_token", token);
}

/* Two operations share one path; what the command says tells them apart. */
static void tell_apart(struct call *call)
{
	const char *command = call_text(call, "command");

	if (strcmp(call->route->id, "adb_pull_and_push") == 0 && !text_has_prefix(command, "pull ") &&
	        !text_has_prefix(command, "push "))
		call->route = route_of_id("android_execute_shell_adb_native");
}

static void do_work(struct call *call, struct reply *reply)
{
	json_t *body = route_check(call);

	if (body == NULL)
		body = call->route->handle(call);
	types_bend(call->state, body);
	echo_into_answer(call, body);
	reply->http_status = call->http_status;
	reply->ready_at = call->answer_at;
	reply_json(reply, body);
	json_decref(body);
}

static void spoil_headers(struct reply *reply, const json_t *fault)
{
	const char *name;
	json_t *value;

	if (reply->headers == NULL)
		reply->headers = json_object();
	json_object_foreach (json_object_get(fault, "headers"), name, value) {
		GR_AUTO_FREE char *text = member_id(json_object_get(fault, "headers"), name, "");

		member_set_text(reply->headers, name, text);
	}
}

/* What `garbage` sends: a NUL, bytes that are not UTF-8, and JSON that breaks off inside a terminal's escape sequence.
 */
static const char garbage[] = "\0\xff{\"status\": 1, \"msg\": \"\x1b[2J";
static const char sign_in[] = "<!doctype html><html><body><h1>Please sign in</h1></body></html>";

static void spoil_body(struct reply *reply, const char *kind, const json_t *fault)
{
	const char *given = member_text(fault, "body");

	buffer_clear(&reply->body);
	if (*given != '\0')
		buffer_add_text(&reply->body, given);
	else if (strcmp(kind, "garbage") == 0)
		buffer_add(&reply->body, garbage, sizeof(garbage) - 1);
	else if (strcmp(kind, "html") == 0)
		buffer_add_text(&reply->body, sign_in);
	if (strcmp(kind, "html") == 0)
		reply->content_type = "text/html";
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

/* The fault's part in the answer; reset_* and hang need only their delivery. */
static void spoil(const struct state *state, struct reply *reply, const json_t *fault)
{
	static const char *const with_headers[] = {"status", "redirect", NULL};
	static const char *const with_body[] = {"status", "redirect", "garbage", "html", "empty", NULL};
	const char *kind = member_text(fault, "kind");

	reply->delivery = fault_delivery(fault);
	if (strcmp(kind, "outage") == 0 && json_object_get(fault, "status") != NULL) { /* a gateway still answers */
		kind = "status";
		reply->delivery = DELIVER_NORMAL;
	}
	if (is_one_of(kind, with_headers)) {
		spoil_headers(reply, fault);
		reply->http_status = (int)member_number(fault, "status", strcmp(kind, "status") == 0 ? 503 : 307);
	}
	if (strcmp(kind, "redirect") == 0)
		member_set_text(reply->headers, "Location", member_text(fault, "url"));
	if (is_one_of(kind, with_body))
		spoil_body(reply, kind, fault);
	reply->drip_bytes = (size_t)member_number(fault, "bytes", 16);
	reply->drip_seconds = member_number(fault, "seconds", 5);
	if (strcmp(kind, "late") == 0)
		reply->ready_at = state_now(state) + member_number(fault, "seconds", 60);
	if (reply->delivery == DELIVER_HANG)
		reply->ready_at = NEVER;
}

static void do_file(struct exchange *exchange, struct reply *reply)
{
	struct call *call = &exchange->call;

	if (!files_fill(call, &reply->body, &reply->content_type))
		reply_plain(reply, 404, "Not found.");
	else if (strcmp(reply->content_type, "text/plain") == 0)
		echo_into_log(call, &reply->body);
	if (reply->http_status == 200)
		range_apply(exchange, reply);
}

/* An operation, or a file that one of them named. */
static void answer_route(struct exchange *exchange)
{
	struct call *call = &exchange->call;
	const json_t *fault = NULL;

	find_user(call);
	tell_apart(call);
	count_call(call);
	fault = fault_of_exchange(call);
	if (call->route->handle == NULL)
		do_file(exchange, &exchange->reply);
	else if (fault == NULL || fault_does_work(fault))
		do_work(call, &exchange->reply);
	else
		exchange->reply.content_type = "application/json";
	if (fault == NULL)
		return;
	call->fault = member_text(fault, "kind");
	spoil(call->state, &exchange->reply, fault);
}

/* Violations are kept for /sandbox/state as well. */
static void keep_violations(const struct call *call)
{
	size_t i;
	json_t *words;

	json_array_foreach (call->violations, i, words)
		(void)json_array_append(call->state->violations, words);
}

int exchange_answer(struct exchange *exchange, int64_t number, int fd)
{
	struct call *call = &exchange->call;
	struct reply *reply = &exchange->reply;

	reply->http_status = 200;
	call->method = exchange->method;
	call->path = exchange->path;
	if (strcmp(exchange->method, "GET") == 0 && strcmp(exchange->path, "/sandbox/state") == 0) {
		json_t *body = files_state(call->state);

		reply_json(reply, body);
		json_decref(body);
		return 0; /* a question of the tests, not of the cloud's users */
	}
	if (call->route == NULL) {
		call_violation(call, "no operation has this path");
		reply_plain(reply, 404, "Not found.");
	} else if (strcmp(exchange->method, call->route->handle != NULL ? "POST" : "GET") != 0) {
		call_violation(call, "the method is %s", exchange->method);
		reply_plain(reply, 405, "Method not allowed.");
	} else {
		answer_route(exchange);
	}
	keep_violations(call);
	return log_call(fd, number, call,
	        reply->delivery == DELIVER_RESET || reply->delivery == DELIVER_HANG ? 0 : reply->http_status);
}
