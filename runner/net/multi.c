#include "runner/net/multi.h"

#include <curl/curl.h>
#include <sys/epoll.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/net/loop_private.h"
#include "runner/net/transfer_private.h"

/* Releases under a signal leave at once, beyond max_connections, up to so many: descriptors are limited. */
#define QUICK_MOST 64
/* Connections that files alone never take: a poll does not wait for the end of an upload. */
#define FREE_OF_FILES 2

/* Who waits for a connection, in the order in which they get one. */
enum urgency { URGENCY_QUICK, URGENCY_TIMELY, URGENCY_USUAL, URGENCY_FILE, URGENCY_COUNT };

struct list {
	struct transfer *first, *last;
};

struct multi {
	struct loop *loop;
	CURLM *curl;
	CURLSH *sessions; /* of TLS: what must go out on a connection of its own need not shake hands in full */
	struct timer timer;
	struct list active, queues[URGENCY_COUNT];
	unsigned active_count, file_count; /* file_count: of the active ones, those that carry a file */
};

static bool carries_file(const struct transfer *transfer)
{
	return transfer->uploads || transfer->sink_fd >= 0;
}

static enum urgency urgency_of(const struct transfer *transfer)
{
	if (transfer->flags & TRANSFER_QUICK)
		return URGENCY_QUICK;
	if (carries_file(transfer))
		return URGENCY_FILE;
	return transfer->flags & TRANSFER_TIMELY ? URGENCY_TIMELY : URGENCY_USUAL;
}

static struct list *list_of(struct multi *multi, const struct transfer *transfer)
{
	return transfer->place == PLACE_ACTIVE ? &multi->active : &multi->queues[urgency_of(transfer)];
}

static void list_add(struct multi *multi, struct transfer *transfer, enum transfer_place place)
{
	struct list *list;

	transfer->place = place;
	list = list_of(multi, transfer);
	transfer->previous = list->last;
	transfer->next = NULL;
	if (list->last)
		list->last->next = transfer;
	else
		list->first = transfer;
	list->last = transfer;
}

static void list_remove(struct multi *multi, struct transfer *transfer)
{
	struct list *list = list_of(multi, transfer);

	if (transfer->previous)
		transfer->previous->next = transfer->next;
	else
		list->first = transfer->next;
	if (transfer->next)
		transfer->next->previous = transfer->previous;
	else
		list->last = transfer->previous;
	transfer->place = PLACE_NONE;
}

/* ---- libcurl's sockets and its timer ---- */

static void on_socket(void *context, int fd, uint32_t events)
{
	struct multi *multi = context;
	int running = 0, mask = 0;

	mask |= events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0;
	mask |= events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
	mask |= events & EPOLLERR ? CURL_CSELECT_ERR : 0;
	(void)curl_multi_socket_action(multi->curl, fd, mask, &running); /* failures come as messages */
}

static int socket_function(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
	struct multi *multi = context;
	struct watch watch = {.on_socket = on_socket, .context = multi};
	uint32_t events = 0;

	(void)easy;
	(void)socket_context;
	if (what == CURL_POLL_REMOVE) {
		loop_unwatch(multi->loop, fd);
		return 0;
	}
	events |= what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0;
	events |= what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0;
	return loop_watch_events(multi->loop, fd, events, &watch, NULL) < 0 ? -1 : 0;
}

/* libcurl counts with a finer clock: a wake-up that comes too early does nothing and is not asked for again. Hence the
 * fresh time, and one millisecond more. */
static void set_timer(struct multi *multi, long wait_ms)
{
	if (wait_ms < 0)
		loop_timer_clear(multi->loop, &multi->timer);
	else
		loop_timer_set(
		        multi->loop, &multi->timer, wait_ms == 0 ? multi->loop->now_ms : clock_now_ms() + wait_ms + 1);
}

static int timer_function(CURLM *curl, long wait_ms, void *context)
{
	(void)curl;
	set_timer(context, wait_ms);
	return 0;
}

static void on_timer(void *context)
{
	struct multi *multi = context;
	int running = 0;
	long wait_ms = -1;

	(void)curl_multi_socket_action(multi->curl, CURL_SOCKET_TIMEOUT, 0, &running);
	/* After a suspend our clock is ahead of libcurl's, which then stays silent: ask. */
	if (!multi->timer.place && curl_multi_timeout(multi->curl, &wait_ms) == CURLM_OK)
		set_timer(multi, wait_ms);
}

/* ---- the handle ---- */

static CURLMcode limit_connections(struct multi *multi, unsigned count)
{
	return curl_multi_setopt(multi->curl, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)count);
}

static bool set_options(struct multi *multi)
{
	return curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, socket_function) == CURLM_OK &&
	       curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi) == CURLM_OK &&
	       curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, timer_function) == CURLM_OK &&
	       curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi) == CURLM_OK &&
	       curl_multi_setopt(multi->curl, CURLMOPT_MAXCONNECTS, (long)multi->loop->max_connections) == CURLM_OK &&
	       limit_connections(multi, multi->loop->max_connections) == CURLM_OK &&
	       curl_share_setopt(multi->sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

static int multi_new(struct loop *loop, struct gr_error *err)
{
	struct multi *multi = gr_alloc(1, sizeof(*multi));

	multi->loop = loop;
	multi->timer = (struct timer){.on_due = on_timer, .context = multi};
	multi->curl = curl_multi_init();
	multi->sessions = curl_share_init();
	if (!multi->curl || !multi->sessions || !set_options(multi)) {
		multi_free(multi);
		return gr_fail(err, GR_INTERNAL, 0, "libcurl cannot be set up");
	}
	loop->multi = multi;
	return 0;
}

static unsigned most_active(const struct multi *multi, const struct transfer *transfer)
{
	return multi->loop->max_connections + (transfer->flags & TRANSFER_QUICK ? QUICK_MOST : 0);
}

static unsigned most_files(const struct multi *multi)
{
	return multi->loop->max_connections > FREE_OF_FILES ? multi->loop->max_connections - FREE_OF_FILES : 1;
}

static bool has_room(const struct multi *multi, const struct transfer *transfer)
{
	return multi->active_count < most_active(multi, transfer) &&
	       (urgency_of(transfer) != URGENCY_FILE || multi->file_count < most_files(multi));
}

/* The most urgent one that may begin, or NULL. */
static struct transfer *next_to_begin(const struct multi *multi)
{
	for (int i = 0; i < URGENCY_COUNT; i++) {
		struct transfer *first = multi->queues[i].first;

		if (first && has_room(multi, first))
			return first;
	}
	return NULL;
}

bool multi_has_room(const struct loop *loop, const struct transfer *transfer)
{
	return !loop->multi || has_room(loop->multi, transfer);
}

static int activate(struct multi *multi, struct transfer *transfer, struct gr_error *err)
{
	unsigned most = most_active(multi, transfer);
	CURLMcode code = transfer->flags & TRANSFER_QUICK ? limit_connections(multi, most) : CURLM_OK;
	int r = transfer_make(transfer, err);

	if (r < 0)
		return r;
	transfer_begin(transfer);
	if (curl_easy_setopt(transfer->easy, CURLOPT_SHARE, multi->sessions) != CURLE_OK)
		return gr_fail(err, GR_INTERNAL, 0, "libcurl refuses to share TLS sessions");
	if (code == CURLM_OK)
		code = curl_multi_add_handle(multi->curl, transfer->easy);
	if (code != CURLM_OK)
		return gr_fail(err, GR_INTERNAL, 0, "libcurl refuses a transfer: %s", curl_multi_strerror(code));
	list_add(multi, transfer, PLACE_ACTIVE);
	multi->active_count++;
	multi->file_count += carries_file(transfer);
	return 0;
}

int multi_add(struct loop *loop, struct transfer *transfer, struct gr_error *err)
{
	int r = loop->multi ? 0 : multi_new(loop, err);

	if (r < 0)
		return r;
	list_add(loop->multi, transfer, PLACE_QUEUED);
	if (next_to_begin(loop->multi) != transfer)
		return 0;
	list_remove(loop->multi, transfer);
	return activate(loop->multi, transfer, err);
}

void multi_remove(struct transfer *transfer)
{
	struct multi *multi = transfer->loop->multi;

	if (transfer->place == PLACE_NONE)
		return;
	if (transfer->place == PLACE_ACTIVE) {
		(void)curl_multi_remove_handle(multi->curl, transfer->easy);
		multi->active_count--;
		multi->file_count -= carries_file(transfer);
	}
	list_remove(multi, transfer);
}

static void reap(struct multi *multi)
{
	CURLMsg *message;
	int left;

	while (!multi->loop->is_stopped && (message = curl_multi_info_read(multi->curl, &left)) != NULL) {
		CURLcode code = message->data.result; /* copied: the message dies with its handle */
		struct transfer *transfer = NULL;

		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		transfer_complete(transfer, code);
	}
}

static void start_waiting(struct multi *multi)
{
	struct transfer *transfer;

	while (!multi->loop->is_stopped && (transfer = next_to_begin(multi)) != NULL) {
		struct gr_error err = {0};

		list_remove(multi, transfer);
		if (activate(multi, transfer, &err) < 0)
			transfer_give_up(transfer, CURLE_FAILED_INIT, &err);
	}
}

void multi_turn(struct multi *multi)
{
	reap(multi);
	start_waiting(multi);
}

bool multi_is_busy(const struct multi *multi)
{
	bool is_waiting = false;

	for (int i = 0; multi && i < URGENCY_COUNT; i++)
		is_waiting = is_waiting || multi->queues[i].first;
	return multi && (multi->active.first || is_waiting);
}

unsigned multi_timer_count(const struct multi *multi)
{
	return multi && multi->timer.place ? 1 : 0;
}

void multi_free(struct multi *multi)
{
	if (!multi)
		return;
	while (multi->active.first)
		transfer_cancel(multi->active.first);
	for (int i = 0; i < URGENCY_COUNT; i++)
		while (multi->queues[i].first)
			transfer_cancel(multi->queues[i].first);
	loop_timer_clear(multi->loop, &multi->timer);
	(void)curl_multi_cleanup(multi->curl); /* NULL is fine; sockets leave the loop by the call back */
	(void)curl_share_cleanup(multi->sessions); /* nobody uses it any more: the transfers are gone */
	loop_timer_clear(multi->loop, &multi->timer);
	gr_free(multi);
}
