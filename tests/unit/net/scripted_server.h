/* A server on a port of its own that does to each connection what its script says, byte for byte. One thread accepts,
 * one more serves each connection. Header-only: included by the tests of the network room alone. */
#ifndef GRIDLANE_TESTS_SCRIPTED_SERVER_H
#define GRIDLANE_TESTS_SCRIPTED_SERVER_H

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

enum act_kind {
	END, /* close */
	REQUEST, /* read one whole request, by its Content-Length */
	HEAD, /* read up to the blank line */
	ANSWER, /* REQUEST, then send */
	SEND,
	HANG, /* until the client goes away */
	RESET, /* close with a reset */
	AGAIN, /* from the first act on, for as long as requests come */
	RUN /* call */
};
struct act {
	enum act_kind kind;
	const char *text;
	void (*call)(void *context);
	void *context;
};

#define CONNECTIONS_MOST 256
#define SCRIPTS_MOST 8
#define ACTS_MOST 16
#define SERVER_REQUESTS_MOST 512
#define ANSWER_TEXT(body_bytes, body) "HTTP/1.1 200 OK\r\nContent-Length: " body_bytes "\r\n\r\n" body

struct scripted_server;
struct scripted_connection {
	struct scripted_server *server;
	const struct act *script;
	int fd;
	bool is_over;
	pthread_t thread;
	struct buffer pending;
};
struct scripted_server {
	int listener;
	unsigned port;
	struct act *scripts[SCRIPTS_MOST + 1]; /* copies */
	pthread_t thread;
	pthread_mutex_t lock;
	struct scripted_connection connections[CONNECTIONS_MOST];
	unsigned connection_count, open_count, most_open, request_count;
	struct buffer requests[SERVER_REQUESTS_MOST]; /* head and body of the whole ones */
};

static inline bool scripted_read(struct scripted_connection *connection)
{
	char data[16384];
	ssize_t bytes = recv(connection->fd, data, sizeof(data), 0);

	if (bytes > 0)
		buffer_add(&connection->pending, data, (size_t)bytes);
	return bytes > 0;
}

static inline size_t scripted_head_bytes(const struct buffer *pending)
{
	const char *end = pending->data ? strstr(pending->data, "\r\n\r\n") : NULL;

	return end ? (size_t)(end - pending->data) + 4 : 0;
}

static inline size_t scripted_body_bytes(const struct buffer *pending)
{
	const char *field = strstr(pending->data, "Content-Length: ");
	size_t bytes = 0;

	return field && sscanf(field, "Content-Length: %zu", &bytes) == 1 ? bytes : 0;
}

/* false: the client went away before it was whole. */
static inline bool scripted_request(struct scripted_connection *connection)
{
	struct scripted_server *server = connection->server;
	struct buffer *pending = &connection->pending;
	size_t head, whole;

	while ((head = scripted_head_bytes(pending)) == 0)
		if (!scripted_read(connection))
			return false;
	whole = head + scripted_body_bytes(pending);
	while (pending->bytes < whole)
		if (!scripted_read(connection))
			return false;
	(void)pthread_mutex_lock(&server->lock);
	assert(server->request_count < SERVER_REQUESTS_MOST);
	buffer_add(&server->requests[server->request_count++], pending->data, whole);
	(void)pthread_mutex_unlock(&server->lock);
	memmove(pending->data, pending->data + whole, pending->bytes - whole + 1);
	pending->bytes -= whole;
	return true;
}

static inline bool scripted_send(struct scripted_connection *connection, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t bytes = send(connection->fd, text, left, MSG_NOSIGNAL);

		if (bytes <= 0)
			return false;
		text += bytes;
		left -= (size_t)bytes;
	}
	return true;
}

/* false: this connection is over. */
static inline bool scripted_act(struct scripted_connection *connection, const struct act *act)
{
	struct linger reset = {.l_onoff = 1, .l_linger = 0};

	switch (act->kind) {
	case END:
		return false;
	case REQUEST:
		return scripted_request(connection);
	case HEAD:
		while (!scripted_head_bytes(&connection->pending))
			if (!scripted_read(connection))
				return false;
		return true;
	case ANSWER:
		return scripted_request(connection) && scripted_send(connection, act->text);
	case SEND:
		return scripted_send(connection, act->text);
	case HANG:
		while (scripted_read(connection))
			buffer_clear(&connection->pending);
		return false;
	case RESET:
		(void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		return false;
	case AGAIN:
		return true;
	case RUN:
		act->call(act->context);
		return true;
	}
	return false;
}

static inline void *scripted_serve(void *argument)
{
	struct scripted_connection *connection = argument;
	struct scripted_server *server = connection->server;
	const struct act *act = connection->script;

	while (scripted_act(connection, act))
		act = act->kind == AGAIN ? connection->script : act + 1;
	(void)pthread_mutex_lock(&server->lock);
	(void)close(connection->fd);
	connection->is_over = true;
	server->open_count--;
	(void)pthread_mutex_unlock(&server->lock);
	return NULL;
}

static inline void *scripted_accept(void *argument)
{
	struct scripted_server *server = argument;
	unsigned script = 0;
	int fd;

	while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
		struct scripted_connection *connection;

		(void)pthread_mutex_lock(&server->lock);
		assert(server->connection_count < CONNECTIONS_MOST);
		connection = &server->connections[server->connection_count++];
		*connection =
		        (struct scripted_connection){.server = server, .script = server->scripts[script], .fd = fd};
		if (server->scripts[script + 1])
			script++;
		if (++server->open_count > server->most_open)
			server->most_open = server->open_count;
		(void)pthread_mutex_unlock(&server->lock);
		(void)pthread_create(&connection->thread, NULL, scripted_serve, connection);
	}
	return NULL;
}

static inline struct act *scripted_copy(const struct act *script)
{
	struct act *copy = gr_alloc(ACTS_MOST, sizeof(*copy));

	for (size_t i = 0; i < ACTS_MOST; i++) {
		copy[i] = script[i];
		copy[i].text = gr_strdup(script[i].text);
		if (script[i].kind == END || script[i].kind == HANG || script[i].kind == RESET ||
		        script[i].kind == AGAIN)
			return copy;
	}
	abort();
}

static inline void scripted_free(struct act *script)
{
	for (size_t i = 0; i < ACTS_MOST; i++) {
		char *text;

		memcpy(&text, &script[i].text, sizeof(text));
		gr_free(text);
	}
	gr_free(script);
}

/* scripts: one a connection, the last for all further ones; ends with NULL. A script ends with END, HANG, RESET or
 * AGAIN. */
static inline struct scripted_server *server_start(const struct act *const *scripts)
{
	struct scripted_server *server = gr_alloc(1, sizeof(*server));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(address);

	for (size_t i = 0; scripts[i]; i++) {
		assert(i < SCRIPTS_MOST);
		server->scripts[i] = scripted_copy(scripts[i]);
	}
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)pthread_mutex_init(&server->lock, NULL);
	if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	        listen(server->listener, 256) < 0 ||
	        getsockname(server->listener, (struct sockaddr *)&address, &bytes) < 0 ||
	        pthread_create(&server->thread, NULL, scripted_accept, server) != 0)
		abort();
	server->port = ntohs(address.sin_port);
	return server;
}

static inline unsigned server_requests(struct scripted_server *server)
{
	unsigned count;

	(void)pthread_mutex_lock(&server->lock);
	count = server->request_count;
	(void)pthread_mutex_unlock(&server->lock);
	return count;
}

static inline void server_stop(struct scripted_server *server)
{
	(void)shutdown(server->listener, SHUT_RDWR); /* wakes accept() */
	(void)pthread_join(server->thread, NULL);
	(void)close(server->listener);
	(void)pthread_mutex_lock(&server->lock);
	for (unsigned i = 0; i < server->connection_count; i++)
		if (!server->connections[i].is_over)
			(void)shutdown(server->connections[i].fd, SHUT_RDWR);
	(void)pthread_mutex_unlock(&server->lock);
	for (unsigned i = 0; i < server->connection_count; i++) {
		(void)pthread_join(server->connections[i].thread, NULL);
		buffer_release(&server->connections[i].pending);
	}
	for (unsigned i = 0; i < server->request_count; i++)
		buffer_release(&server->requests[i]);
	for (size_t i = 0; server->scripts[i]; i++)
		scripted_free(server->scripts[i]);
	(void)pthread_mutex_destroy(&server->lock);
	gr_free(server);
}

#endif
