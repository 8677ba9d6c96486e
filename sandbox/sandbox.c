/* The server: libmicrohttpd driven by our own wait, so that one thread does all and delays need no other. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/memory.h"
#include "sandbox/exchange.h"
#include "sandbox/files.h"
#include "sandbox/routes.h"
#include "sandbox/scenario.h"
#include "sandbox/server.h"

/* Bytes of a connection's buffers: file bodies come in pieces of about half of it. */
#define CONNECTION_BYTES ((size_t)128 * 1024)
#define CONNECTIONS_MOST 4096

struct sandbox {
	struct state state;
	struct MHD_Daemon *daemon;
	struct exchange *suspended; /* a list */
	int64_t request_count;
	int log_fd;
	unsigned short port;
	bool is_ending;
	int stop[2]; /* a byte in it, or its other end closed, ends the thread */
	pthread_t thread;
};

static void exchange_suspend(struct sandbox *sandbox, struct exchange *exchange, double wakes_at)
{
	exchange->wakes_at = wakes_at;
	exchange->is_suspended = true;
	exchange->previous = NULL;
	exchange->next = sandbox->suspended;
	if (exchange->next != NULL)
		exchange->next->previous = exchange;
	sandbox->suspended = exchange;
	MHD_suspend_connection(exchange->connection);
}

static void exchange_forget(struct sandbox *sandbox, struct exchange *exchange)
{
	if (!exchange->is_suspended)
		return;
	if (exchange->next != NULL)
		exchange->next->previous = exchange->previous;
	if (exchange->previous != NULL)
		exchange->previous->next = exchange->next;
	else
		sandbox->suspended = exchange->next;
	exchange->is_suspended = false;
}

static void exchange_resume(struct sandbox *sandbox, struct exchange *exchange)
{
	exchange_forget(sandbox, exchange);
	MHD_resume_connection(exchange->connection);
}

static void exchange_free(struct exchange *exchange)
{
	form_free(exchange->form);
	reply_release(&exchange->reply);
	call_release(&exchange->call);
	gr_free(exchange->method);
	gr_free(exchange->path);
	gr_free(exchange);
}

static struct exchange *exchange_new(
        struct sandbox *sandbox, struct MHD_Connection *connection, const char *method, const char *path)
{
	struct exchange *exchange = gr_alloc(1, sizeof(*exchange));

	call_init(&exchange->call, &sandbox->state);
	exchange->connection = connection;
	exchange->method = gr_strdup(method);
	exchange->path = gr_strdup(path);
	exchange->call.route = route_find(path, exchange->call.parameters);
	if (exchange->call.route == NULL)
		exchange->call.route = file_route_find(path, exchange->call.parameters);
	if (strcmp(method, "POST") == 0)
		exchange->form = form_new(connection, &exchange->call);
	return exchange;
}

/* Content that comes in pieces: half of it and then the end of the connection, or a drip. */
struct content {
	struct sandbox *sandbox;
	struct exchange *exchange;
	size_t cut_at;
	bool may_send; /* a drip: the wait before this piece is over */
};

static ssize_t content_piece(void *state, uint64_t position, char *out, size_t most)
{
	struct content *content = state;
	const struct reply *reply = &content->exchange->reply;
	size_t left = reply->body.bytes - (size_t)position;

	if (content->sandbox->is_ending || position >= content->cut_at)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (reply->delivery == DELIVER_SLOW && !content->may_send) {
		content->may_send = true;
		exchange_suspend(
		        content->sandbox, content->exchange, state_now(&content->sandbox->state) + reply->drip_seconds);
		return 0;
	}
	content->may_send = false;
	if (reply->delivery == DELIVER_SLOW && left > reply->drip_bytes)
		left = reply->drip_bytes;
	if (left > content->cut_at - (size_t)position)
		left = content->cut_at - (size_t)position;
	left = left < most ? left : most;
	memcpy(out, reply->body.data + position, left);
	return (ssize_t)left;
}

static struct MHD_Response *response_in_pieces(struct sandbox *sandbox, struct exchange *exchange)
{
	struct content *content = gr_alloc(1, sizeof(*content));
	const struct reply *reply = &exchange->reply;

	content->sandbox = sandbox;
	content->exchange = exchange;
	content->cut_at = reply->delivery == DELIVER_CUT ? reply->body.bytes / 2 : reply->body.bytes;
	return MHD_create_response_from_callback(reply->body.bytes, 4096, content_piece, content, gr_free);
}

static struct MHD_Response *response_new(struct sandbox *sandbox, struct exchange *exchange)
{
	struct reply *reply = &exchange->reply;
	struct MHD_Response *response = NULL;
	const char *name;
	json_t *value;

	if (reply->delivery != DELIVER_NORMAL && reply->body.bytes > 1)
		response = response_in_pieces(sandbox, exchange);
	else
		response = MHD_create_response_from_buffer(
		        reply->body.bytes, (void *)(uintptr_t)buffer_text(&reply->body), MHD_RESPMEM_MUST_COPY);
	if (response == NULL)
		return NULL;
	if (reply->content_type != NULL)
		(void)MHD_add_response_header(response, "Content-Type", reply->content_type);
	json_object_foreach (reply->headers, name, value)
		(void)MHD_add_response_header(response, name, json_string_value(value));
	return response;
}

static enum MHD_Result reply_send(struct sandbox *sandbox, struct exchange *exchange)
{
	struct MHD_Response *response = NULL;
	enum MHD_Result result;

	if (sandbox->is_ending || exchange->reply.delivery == DELIVER_RESET || exchange->reply.delivery == DELIVER_HANG)
		return MHD_NO; /* closes the connection */
	response = response_new(sandbox, exchange);
	if (response == NULL)
		return MHD_NO;
	result = MHD_queue_response(exchange->connection, (unsigned)exchange->reply.http_status, response);
	MHD_destroy_response(response);
	return result;
}

/* A server may read forms of one kind alone; files can only come as multipart. */
static void check_form_kind(const struct sandbox *sandbox, struct exchange *exchange)
{
	const char *wanted = state_word(&sandbox->state, "forms");
	const char *type = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "Content-Type");
	bool is_multipart = type != NULL && strncasecmp(type, "multipart/", 10) == 0;

	if (json_object_size(exchange->call.files) > 0 || strcmp(wanted, "any") == 0)
		return;
	if (is_multipart != (strcmp(wanted, "multipart") == 0))
		call_violation(&exchange->call, "the form is %s, and this server reads %s ones",
		        is_multipart ? "multipart" : "urlencoded", wanted);
}

static enum MHD_Result request_end(struct sandbox *sandbox, struct exchange *exchange)
{
	if (exchange->is_answered)
		return reply_send(sandbox, exchange);
	if (exchange->form != NULL) {
		form_end(exchange->form);
		check_form_kind(sandbox, exchange);
	} else if (strcmp(exchange->method, "POST") == 0) {
		call_violation(&exchange->call, "the body is neither multipart/form-data nor urlencoded");
	}
	exchange->is_answered = true;
	if (exchange_answer(exchange, ++sandbox->request_count, sandbox->log_fd) != 0)
		exchange->reply.delivery = DELIVER_RESET; /* what is not in the log must not be answered either */
	if (exchange->reply.ready_at <= state_now(&sandbox->state))
		return reply_send(sandbox, exchange);
	exchange_suspend(sandbox, exchange, exchange->reply.ready_at);
	return MHD_YES;
}

static enum MHD_Result add_query(void *state, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct call *call = state;

	(void)kind;
	if (call->route != NULL && value != NULL && route_takes_query(call->route, key))
		member_set_text(call->parameters, key, value);
	else
		call_violation(call, "'%s' is in the query", key);
	return MHD_YES;
}

static enum MHD_Result on_request(void *state, struct MHD_Connection *connection, const char *path, const char *method,
        const char *version, const char *data, size_t *bytes, void **exchange_place)
{
	struct sandbox *sandbox = state;
	struct exchange *exchange = *exchange_place;

	(void)version;
	if (exchange == NULL) {
		exchange = exchange_new(sandbox, connection, method, path);
		*exchange_place = exchange;
		(void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_query, &exchange->call);
		return MHD_YES;
	}
	if (*bytes > 0) {
		if (exchange->form != NULL)
			form_feed(exchange->form, data, *bytes);
		*bytes = 0;
		return MHD_YES;
	}
	return request_end(sandbox, exchange);
}

static void on_completed(
        void *state, struct MHD_Connection *connection, void **exchange_place, enum MHD_RequestTerminationCode code)
{
	struct sandbox *sandbox = state;
	struct exchange *exchange = *exchange_place;

	(void)connection;
	(void)code;
	if (exchange == NULL)
		return;
	exchange_forget(sandbox, exchange);
	exchange_free(exchange);
	*exchange_place = NULL;
}

/* Resume what is due; real milliseconds until the next one, -1 for none. */
static int resume_due(struct sandbox *sandbox)
{
	double now = state_now(&sandbox->state), nearest = NEVER;
	struct exchange *exchange = sandbox->suspended, *next = NULL;

	for (; exchange != NULL; exchange = next) {
		next = exchange->next;
		if (sandbox->is_ending || exchange->wakes_at <= now)
			exchange_resume(sandbox, exchange);
		else if (exchange->wakes_at < nearest)
			nearest = exchange->wakes_at;
	}
	if (nearest >= NEVER)
		return -1;
	nearest = (nearest - now) / sandbox->state.time_scale * 1000.0 + 1;
	return nearest < 60000 ? (int)nearest : 60000;
}

static int wait_ms(const struct sandbox *sandbox, int due_ms)
{
	MHD_UNSIGNED_LONG_LONG library_ms = 0;

	if (MHD_get_timeout(sandbox->daemon, &library_ms) == MHD_YES && (due_ms < 0 || library_ms < (unsigned)due_ms))
		return library_ms < 60000 ? (int)library_ms : 60000;
	return due_ms;
}

void sandbox_serve(struct sandbox *sandbox, int stop_fd)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(sandbox->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fds[2] = {{.fd = stop_fd, .events = POLLIN}, {.fd = info->epoll_fd, .events = POLLIN}};

	for (;;) {
		int due_ms;

		(void)resume_due(sandbox);
		if (MHD_run(sandbox->daemon) == MHD_NO)
			break;
		due_ms = resume_due(sandbox);
		if (poll(fds, 2, wait_ms(sandbox, due_ms)) < 0 && errno != EINTR)
			break;
		if (fds[0].revents != 0)
			break;
	}
	sandbox->is_ending = true;
	(void)resume_due(sandbox);
}

static int listen_here(struct sandbox *sandbox, unsigned short port, struct gr_error *err)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	const union MHD_DaemonInfo *info = NULL;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sandbox->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, port, NULL, NULL, on_request,
	        sandbox, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
	        sandbox, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_CONNECTION_LIMIT,
	        CONNECTIONS_MOST, MHD_OPTION_END);
	if (sandbox->daemon == NULL)
		return gr_fail(err, GR_NETWORK, errno, "the sandbox cannot listen on 127.0.0.1:%u", port);
	info = MHD_get_daemon_info(sandbox->daemon, MHD_DAEMON_INFO_BIND_PORT);
	sandbox->port = info != NULL ? info->port : port;
	return 0;
}

static int log_open(struct sandbox *sandbox, const char *file, struct gr_error *err)
{
	if (file == NULL)
		return 0;
	sandbox->log_fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return sandbox->log_fd < 0 ? gr_fail(err, GR_DISK, errno, "the sandbox's log '%s'", file) : 0;
}

int sandbox_open(const struct sandbox_options *options, struct sandbox **ret_sandbox, struct gr_error *err)
{
	struct sandbox *sandbox = gr_alloc(1, sizeof(*sandbox));
	GR_AUTO_FREE char *url = NULL;
	json_t *scenario = NULL;
	int rc = 0;

	sandbox->log_fd = sandbox->stop[0] = sandbox->stop[1] = -1;
	rc = scenario_load(options->scenario_file, &scenario, err);
	if (rc == 0)
		rc = listen_here(sandbox, options->port, err);
	if (rc != 0) {
		json_decref(scenario);
		sandbox_close(sandbox);
		return rc;
	}
	url = gr_printf("http://127.0.0.1:%u", sandbox->port);
	memcpy(sandbox->state.base_url, url, strlen(url) + 1);
	rc = state_init(&sandbox->state, scenario, options->time_scale, err);
	if (rc == 0)
		rc = log_open(sandbox, options->log_file, err);
	if (rc != 0) {
		sandbox_close(sandbox);
		return rc;
	}
	*ret_sandbox = sandbox;
	return 0;
}

void sandbox_close(struct sandbox *sandbox)
{
	if (sandbox->daemon != NULL)
		MHD_stop_daemon(sandbox->daemon);
	state_release(&sandbox->state);
	if (sandbox->log_fd >= 0)
		(void)close(sandbox->log_fd);
	if (sandbox->stop[0] >= 0)
		(void)close(sandbox->stop[0]);
	if (sandbox->stop[1] >= 0)
		(void)close(sandbox->stop[1]);
	gr_free(sandbox);
}

static void *thread_main(void *state)
{
	struct sandbox *sandbox = state;

	sandbox_serve(sandbox, sandbox->stop[0]);
	return NULL;
}

/* With all signals blocked: they are for the thread that asked. */
static int thread_start(struct sandbox *sandbox)
{
	sigset_t all, before;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&sandbox->thread, NULL, thread_main, sandbox);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int sandbox_start(const struct sandbox_options *options, struct sandbox **ret_sandbox, struct gr_error *err)
{
	struct sandbox *sandbox = NULL;
	int rc = sandbox_open(options, &sandbox, err);

	if (rc != 0)
		return rc;
	if (pipe2(sandbox->stop, O_CLOEXEC) != 0) {
		rc = gr_fail(err, GR_INTERNAL, errno, "the sandbox's pipe");
		sandbox_close(sandbox);
		return rc;
	}
	rc = thread_start(sandbox);
	if (rc != 0) {
		rc = gr_fail(err, GR_INTERNAL, rc, "the sandbox's thread");
		sandbox_close(sandbox);
		return rc;
	}
	*ret_sandbox = sandbox;
	return 0;
}

void sandbox_stop(struct sandbox *sandbox)
{
	if (sandbox == NULL)
		return;
	(void)close(sandbox->stop[1]);
	sandbox->stop[1] = -1;
	(void)pthread_join(sandbox->thread, NULL);
	sandbox_close(sandbox);
}

unsigned short sandbox_port(const struct sandbox *sandbox)
{
	return sandbox->port;
}

const char *sandbox_token(const struct sandbox *sandbox)
{
	return sandbox->state.token;
}

const char *sandbox_user_id(const struct sandbox *sandbox)
{
	return member_text(list_find(sandbox->state.users, "user_token", sandbox->state.token), "user_id");
}

double sandbox_time_scale(const struct sandbox *sandbox)
{
	return sandbox->state.time_scale;
}
