/* A loopback HTTP server that is fast enough not to be what is measured: one thread, epoll, keep-alive. It drops what
 * is sent to it, and answers with a file of its folder (named like the path, with _ for /), with BYTES bytes for
 * /blob/BYTES, with its counters for /stats, and with a short JSON success for all else. With TESTS SECONDS EVERY-MS
 * after the folder, starts are runs (lanes.h). It ends with its input. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/lanes.h"

#define HEAD_MOST 8192
#define CHUNK_BYTES (1 << 20)

enum state { READ_HEAD, READ_BODY, READ_CHUNKED, WRITE };

struct peer {
	int fd;
	enum state state;
	char head[HEAD_MOST + 1]; /* of the request, then of the answer */
	size_t head_bytes;
	uint64_t left; /* of the body that comes in, or goes out */
	uint64_t tail; /* the last bytes of a chunked body, to see its end */
	const char *body; /* goes out; NULL: filling */
	char *own; /* `body`, when it was made for this peer */
	char form[HEAD_MOST + 1]; /* the beginning of what came in */
	size_t form_bytes;
	size_t sent; /* of head */
};

struct file {
	char name[256];
	char *data;
	size_t bytes;
};

struct server {
	int epoll, listener, folder;
	struct file files[64];
	size_t file_count;
	uint64_t requests, connections, bytes;
	struct lanes lanes;
	char stats[256];
};

static char scratch[CHUNK_BYTES]; /* where bodies are dropped, and what blobs are made of */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static const struct file *file_load(struct server *server, const char *name)
{
	struct file *file = &server->files[server->file_count];
	struct stat status;
	int fd;

	for (size_t i = 0; i < server->file_count; i++)
		if (strcmp(server->files[i].name, name) == 0)
			return &server->files[i];
	fd = server->folder < 0 ? -1 : openat(server->folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0 || server->file_count + 1 == sizeof(server->files) / sizeof(*file)) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	file->bytes = (size_t)status.st_size;
	file->data = malloc(file->bytes + 1);
	if (!file->data || read(fd, file->data, file->bytes) != (ssize_t)file->bytes)
		die(name);
	close(fd);
	(void)snprintf(file->name, sizeof(file->name), "%s", name);
	server->file_count++;
	return file;
}

/* ---- answers ---- */

static void answer_with(struct peer *peer, const char *body, uint64_t bytes, const char *type)
{
	int n = snprintf(peer->head, sizeof(peer->head),
	        "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %" PRIu64 "\r\n\r\n", type, bytes);

	peer->head_bytes = (size_t)n;
	peer->sent = 0;
	peer->body = body;
	peer->left = bytes;
	peer->state = WRITE;
}

static void answer(struct server *server, struct peer *peer)
{
	static const char success[] = "{\"success\": true, \"message\": \"Done\", \"data\": []}";
	const struct file *file;
	char path[256] = "";
	size_t bytes;

	(void)sscanf(peer->head, "%*7s %255s", path);
	if (strncmp(path, "/blob/", 6) == 0) {
		answer_with(peer, NULL, strtoull(path + 6, NULL, 10), "application/octet-stream");
		return;
	}
	if (strcmp(path, "/stats") == 0) {
		int n = snprintf(server->stats, sizeof(server->stats),
		        "{\"requests\": %" PRIu64 ", \"connections\": %" PRIu64 ", \"bytes\": %" PRIu64
		        ", \"late_ms\": %" PRId64 "}",
		        server->requests, server->connections, server->bytes, server->lanes.late_ms);

		server->requests = server->connections = server->bytes = 0;
		answer_with(peer, server->stats, (uint64_t)n, "application/json");
		return;
	}
	server->requests++;
	free(peer->own);
	peer->own = lanes_answer(&server->lanes, path, peer->form, &bytes);
	peer->form_bytes = 0;
	if (peer->own) {
		answer_with(peer, peer->own, bytes, "application/json");
		return;
	}
	for (char *slash = path; (slash = strchr(slash, '/')) != NULL;)
		*slash = '_';
	file = file_load(server, path);
	answer_with(peer, file ? file->data : success, file ? file->bytes : sizeof(success) - 1, "application/json");
}

/* ---- requests ---- */

static const char *header(const char *head, const char *name)
{
	const char *at = strcasestr(head, name);

	return at ? at + strlen(name) : NULL;
}

/* What runs need of a request. */
static void keep_form(const struct server *server, struct peer *peer, const char *data, size_t bytes)
{
	size_t room = HEAD_MOST - peer->form_bytes;

	if (server->lanes.tests == 0)
		return;
	bytes = bytes < room ? bytes : room;
	memcpy(peer->form + peer->form_bytes, data, bytes);
	peer->form_bytes += bytes;
	peer->form[peer->form_bytes] = '\0';
}

/* The head is whole: what of the body came with it? */
static bool take_head(struct server *server, struct peer *peer, const char *end)
{
	size_t bytes = (size_t)(end + 4 - peer->head), rest = peer->head_bytes - bytes;
	const char *length = header(peer->head, "\r\nContent-Length:");
	const char *expect = header(peer->head, "\r\nExpect: 100-continue");
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (expect && rest == 0 && write(peer->fd, go_on, sizeof(go_on) - 1) < 0)
		return false;
	server->bytes += rest;
	keep_form(server, peer, end + 4, rest);
	peer->left = length ? strtoull(length, NULL, 10) : 0;
	if (header(peer->head, "\r\nTransfer-Encoding: chunked")) {
		peer->tail = 0;
		for (size_t i = 0; i < rest; i++)
			peer->tail = peer->tail << 8 | (unsigned char)end[4 + i];
		peer->state = READ_CHUNKED;
	} else {
		peer->left = peer->left > rest ? peer->left - rest : 0;
		peer->state = READ_BODY;
	}
	return true;
}

static bool read_head(struct server *server, struct peer *peer)
{
	ssize_t n = read(peer->fd, peer->head + peer->head_bytes, HEAD_MOST - peer->head_bytes);
	const char *end;

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	peer->head_bytes += (size_t)n;
	peer->head[peer->head_bytes] = '\0';
	end = strstr(peer->head, "\r\n\r\n");
	return end ? take_head(server, peer, end) : peer->head_bytes < HEAD_MOST;
}

/* A chunked body is over with "0\r\n\r\n"; what is sent here never has these bytes inside. */
static bool read_body(struct server *server, struct peer *peer)
{
	size_t want = peer->state == READ_BODY && peer->left < sizeof(scratch) ? (size_t)peer->left : sizeof(scratch);
	bool is_dropped = peer->state == READ_BODY && server->lanes.tests == 0;
	ssize_t n = recv(peer->fd, scratch, want, is_dropped ? MSG_TRUNC : 0);

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	server->bytes += (uint64_t)n;
	if (!is_dropped)
		keep_form(server, peer, scratch, (size_t)n);
	if (peer->state == READ_BODY)
		peer->left -= (uint64_t)n;
	for (ssize_t i = n > 8 ? n - 8 : 0; peer->state == READ_CHUNKED && i < n; i++)
		peer->tail = peer->tail << 8 | (unsigned char)scratch[i];
	return true;
}

static bool is_whole(const struct peer *peer)
{
	return (peer->state == READ_BODY && peer->left == 0) ||
	       (peer->state == READ_CHUNKED && (peer->tail & 0xFFFFFFFFFF) == 0x300D0A0D0A);
}

static bool write_some(struct peer *peer)
{
	const char *from = peer->head + peer->sent;
	size_t bytes = peer->head_bytes - peer->sent;
	bool is_head = bytes > 0;
	ssize_t n;

	if (!is_head) {
		from = peer->body ? peer->body : scratch;
		bytes = peer->body || peer->left < sizeof(scratch) ? (size_t)peer->left : sizeof(scratch);
	}
	n = send(peer->fd, from, bytes, MSG_NOSIGNAL | (is_head && peer->left ? MSG_MORE : 0));
	if (n < 0)
		return errno == EAGAIN;
	if (is_head) {
		peer->sent += (size_t)n;
		return true;
	}
	peer->left -= (uint64_t)n;
	if (peer->body)
		peer->body += n;
	return true;
}

/* ---- peers ---- */

static void wait_for(struct server *server, struct peer *peer, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = peer};

	if (epoll_ctl(server->epoll, EPOLL_CTL_MOD, peer->fd, &event) < 0)
		die("epoll_ctl");
}

static bool begin_answer(struct server *server, struct peer *peer)
{
	bool is_alive;

	answer(server, peer);
	is_alive = write_some(peer);
	if (is_alive && peer->sent == peer->head_bytes && peer->left > 0)
		is_alive = write_some(peer);
	if (is_alive && peer->left > 0)
		wait_for(server, peer, EPOLLOUT);
	return is_alive;
}

static void serve(struct server *server, struct peer *peer)
{
	bool is_alive = peer->state == WRITE ? write_some(peer) : true;

	if (peer->state == READ_HEAD)
		is_alive = read_head(server, peer);
	else if (peer->state != WRITE)
		is_alive = read_body(server, peer);
	if (is_alive && is_whole(peer))
		is_alive = begin_answer(server, peer);
	if (is_alive && peer->state == WRITE && peer->sent == peer->head_bytes && peer->left == 0) {
		peer->state = READ_HEAD;
		peer->head_bytes = 0;
		wait_for(server, peer, EPOLLIN);
	}
	if (!is_alive) {
		close(peer->fd);
		free(peer->own);
		free(peer);
	}
}

static void welcome(struct server *server)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
	struct peer *peer = fd < 0 ? NULL : calloc(1, sizeof(*peer));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};

	if (!peer)
		return;
	peer->fd = fd;
	server->connections++;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
}

static void open_server(struct server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(address);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &server->listener};
	struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};

	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(server->listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	        listen(server->listener, 1024) < 0 ||
	        getsockname(server->listener, (struct sockaddr *)&address, &bytes) < 0 ||
	        epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event) < 0 ||
	        epoll_ctl(server->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input) < 0)
		die("cannot listen");
	printf("%d\n", ntohs(address.sin_port));
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	struct server server = {.folder = argc > 1 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1};

	memset(scratch, 'x', sizeof(scratch));
	if (argc > 4)
		server.lanes = (struct lanes){.tests = (unsigned)strtoul(argv[2], NULL, 10),
		        .run_ms = strtoll(argv[3], NULL, 10) * 1000,
		        .every_ms = strtoll(argv[4], NULL, 10)};
	open_server(&server);
	for (;;) {
		struct epoll_event events[64];
		int count = epoll_wait(server.epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			if (!events[i].data.ptr)
				return 0;
			if (events[i].data.ptr == &server.listener)
				welcome(&server);
			else
				serve(&server, events[i].data.ptr);
		}
	}
}
