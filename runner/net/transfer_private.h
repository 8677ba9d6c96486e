/* What the files behind transfer.h share. */
#ifndef GRIDLANE_NET_TRANSFER_PRIVATE_H
#define GRIDLANE_NET_TRANSFER_PRIVATE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "runner/net/transfer.h"
#include "runner/net/upload.h"

enum transfer_place { PLACE_NONE, PLACE_QUEUED, PLACE_ACTIVE };
enum transfer_phase { PHASE_SENDING, PHASE_WAITING, PHASE_RECEIVING };

struct transfer {
	struct loop *loop;
	struct transfer *next, *previous; /* in the list of its place */
	enum transfer_place place;
	enum transfer_phase phase;
	bool is_finishing; /* on_done runs: cancel does nothing */
	unsigned flags; /* enum transfer_flags */

	struct transfer_settings settings;
	char *url, *shown; /* shown: without query and user info */
	char *host_port;
	bool checks_address; /* a socket to loopback and the like is refused */
	bool has_refused; /* one was */
	char *validator;
	int64_t answer_ms, body_most_bytes, sink_offset;
	int sink_fd;

	CURL *easy; /* NULL: it waits for a connection, and its form with it */
	struct transfer_field *form;
	size_t form_count;
	struct curl_slist *headers;
	curl_mime *mime;
	struct upload *uploads; /* the last file first */
	char curl_words[CURL_ERROR_SIZE];

	struct timer timer;
	struct rate rate;
	int64_t started_ms;
	curl_off_t sent, send_total, received, receive_total;
	size_t header_count, header_bytes;
	bool body_has_begun, is_to_sink, is_range_bad;
	int64_t body_bytes;

	struct transfer_result result;
	void (*on_done)(void *context, struct transfer_result *result);
	void *context;
};

/* multi.c calls these. */
int transfer_make(struct transfer *transfer, struct gr_error *err); /* what waited so far; else nothing */
void transfer_begin(struct transfer *transfer); /* it goes to libcurl now */
void transfer_complete(struct transfer *transfer, CURLcode code); /* libcurl is done with it */
/* End it early with this error: calls on_done and frees. */
void transfer_give_up(struct transfer *transfer, CURLcode code, const struct gr_error *error);

/* transfer_options.c: all options of the easy handle. */
int transfer_set_options(struct transfer *transfer, struct gr_error *err);
int transfer_set_body(struct transfer *transfer, const struct transfer_request *request, struct gr_error *err);

/* transfer_answer.c: what comes back. */
size_t transfer_take_header(char *data, size_t size, size_t count, void *context);
size_t transfer_take_body(char *data, size_t size, size_t count, void *context);
void transfer_read_answer(struct transfer *transfer, CURLcode code);

#endif
