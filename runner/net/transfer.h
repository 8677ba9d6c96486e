/* One HTTP exchange, asynchronously. libcurl lives behind this header. Callbacks of libcurl only copy bytes. */
#ifndef GRIDLANE_NET_TRANSFER_H
#define GRIDLANE_NET_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/base/buffer.h"
#include "runner/base/error.h"
#include "runner/net/loop.h"

/* How to reach the server: shared by all transfers of a run; texts are the caller's and outlive it. */
struct transfer_settings {
	const char *ca_file, *client_cert, *client_key, *proxy,
	        *no_proxy; /* NULL: libcurl's and the environment's ways */
	bool insecure_http; /* plain http beyond loopback is wanted */
	bool trace; /* report each exchange to on_trace: method, URL without query, status, times. No bodies. */
	void (*on_trace)(void *context, const char *line);
	void *trace_context;
	const char
	        *base_url; /* the server's: client_cert goes to its host alone (NULL: with POSTs alone), and downloads
	                    * may connect to loopback and link-local addresses only when it is itself such a host */
};

struct transfer_field {
	const char *name,
	        *value; /* value: text, or a path when is_file. All are copied (files are opened) by transfer_start. */
	bool is_file;
};

enum transfer_flags {
	TRANSFER_POST = 1 << 0, /* multipart/form-data (urlencoded with TRANSFER_URLENCODED); otherwise GET */
	TRANSFER_ONCE = 1 << 1, /* fresh connection, never re-sent by libcurl, HTTP/1.1; Expect only before a file,
	                           where a no costs nothing */
	TRANSFER_URLENCODED = 1 << 2,
	TRANSFER_QUICK = 1 << 3, /* cleanup under a signal: connect within 1.5 s, everything within 3 s */
	TRANSFER_TIMELY = 1 << 4, /* its time has come (a poll): before those that wait for a connection without one */
	TRANSFER_HASHED = 1 << 5, /* file_sha256 is wanted: it takes longer than sending does on a fast line */
	TRANSFER_RAW = 1 << 6 /* no Content-Encoding is undone */
};

struct transfer_result;
struct transfer_request {
	const char *url;
	unsigned flags;
	const struct transfer_field *fields;
	size_t field_count;
	const struct buffer *json; /* TRANSFER_POST: this instead of a form, as application/json; copied */
	const char *const *headers; /* further header lines of a `json`, NULL-terminated, without line ends; or NULL */
	int64_t answer_ms; /* how long to wait for the answer's head once the request is out; upload time does not
	                    * count. Its body may then take as long as it moves: under 1 KiB/s for so long ends it too.
	                    * 0: 60 s */
	int64_t body_most_bytes; /* a longer answer is GR_PROTOCOL; 0: 8 MiB */
	int sink_fd; /* >= 0: a 2xx body goes there and not to memory (the caller's descriptor) */
	int64_t sink_offset; /* > 0: ask for the rest from there (Range), valid only if `validator` still holds */
	const char *validator; /* ETag or Last-Modified for If-Range, or NULL */
	void (*on_done)(void *context, struct transfer_result *result); /* once, from the loop */
	void *context;
};

enum transfer_sent {
	SENT_NOTHING,
	SENT_PART,
	SENT_ALL
}; /* what the server can have seen; NOTHING and PART are proofs */

struct transfer_result {
	int curl_code; /* CURLcode, 0: a complete answer */
	struct gr_error error; /* filled when curl_code != 0 or a limit was hit: GR_NETWORK, GR_PROTOCOL, GR_CONFIG (CA
	                          file) ... */
	bool is_timeout;
	enum transfer_sent sent;
	long status; /* HTTP status; 0 when there is no answer (1xx is none) */
	struct buffer body; /* empty when sink_fd was used */
	char content_type[128];
	char validator[256]; /* ETag, else Last-Modified; "" if none */
	char location[512]; /* of a redirect; never followed */
	int64_t retry_after_ms; /* -1: none; date forms are taken against the answer's own Date */
	int64_t server_date_ms; /* Date header since 1970; -1: none */
	int64_t bytes_sent, bytes_received,
	        sink_start; /* sink_start: where the received bytes belong (0 when Range was not honoured) */
	int64_t elapsed_ms;
	bool is_undecodable; /* its Content-Encoding is not known, or broken: TRANSFER_RAW would take it */
	bool is_framed; /* the end of the body was proven (Content-Length, chunks, HTTP/2), not just a closed connection
	                 */
	char file_sha256[65]; /* of the last file field, "" when none was read to its end, or without TRANSFER_HASHED */
	int64_t file_bytes;
};

/* Owned by the loop until on_done or cancel. result is valid during the call (take body with buffer_take). */
struct transfer;
int transfer_start(struct loop *loop, const struct transfer_settings *settings, const struct transfer_request *request,
        struct transfer **ret_transfer, struct gr_error *err);
void transfer_cancel(struct transfer *transfer); /* no call back follows */
enum transfer_sent transfer_sent(struct transfer *transfer); /* so far */
bool transfer_is_queued(const struct transfer *transfer); /* it waits for a connection, and nothing of it has left */
/* Bytes moved so far, for progress displays; totals are -1 when unknown. */
void transfer_progress(const struct transfer *transfer, int64_t *ret_sent, int64_t *ret_send_total,
        int64_t *ret_received, int64_t *ret_receive_total);

/* Once per process, before any transfer, after the environment is settled. */
int transfer_init(struct gr_error *err);
void transfer_finish(void);
const char *transfer_library_version(void);

/* The gate for every URL that an answer or the pipeline names. `base_url` is the server's URL;
 * `allowed_hosts` (NULL-terminated, may be NULL) are further hosts for downloads. Relative "/x" joins the base. On
 * success the URL, rebuilt from its parsed parts, is the caller's. GR_CONFIG or GR_PROTOCOL is the caller's choice in
 * `failure`. */
int url_gate(const char *url, const char *base_url, const char *const *allowed_hosts, enum gr_failure failure,
        char **ret_url, struct gr_error *err);
/* A URL to post to that is not of the server: https, or http to loopback; no user info. The result is the caller's. */
int url_post(const char *url, char **ret_url, struct gr_error *err);
/* The server's URL itself: https, or http to loopback, or http with insecure_http; no user info, query or fragment; the
 * result has no trailing slash and may have a path prefix. */
int url_base(const char *url, bool insecure_http, char **ret_url, struct gr_error *err);
/* The TCP port of a URL that url_base() or url_gate() gave; 0 if it has none. */
unsigned url_port(const char *url);

#endif
