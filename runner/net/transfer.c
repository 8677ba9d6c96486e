#include "runner/net/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/net/address.h"
#include "runner/net/multi.h"
#include "runner/net/transfer_private.h"

#define ANSWER_USUAL_MS 60000
#define BODY_USUAL_BYTES (8 << 20)
#define UPLOAD_STALL_MS 60000
#define TICK_MS 1000 /* how often the progress of an upload or an answer is looked at */

int transfer_init(struct gr_error *err)
{
	CURLcode code;

	(void)unsetenv("SSLKEYLOGFILE"); /* libcurl itself would write the session keys there */
	code = curl_global_init_mem(
	        CURL_GLOBAL_DEFAULT, gr_library_alloc, gr_free, gr_library_resize, gr_strdup, gr_alloc);
	if (code != CURLE_OK)
		return gr_fail(err, GR_INTERNAL, 0, "libcurl cannot be set up: %s", curl_easy_strerror(code));
	return 0;
}

void transfer_finish(void)
{
	curl_global_cleanup();
}

const char *transfer_library_version(void)
{
	return curl_version();
}

/* ---- life ---- */

static void forget_form(struct transfer *transfer)
{
	for (size_t i = 0; i < transfer->form_count; i++) {
		char *value = (char *)(uintptr_t)transfer->form[i].value;

		explicit_bzero(value, strlen(value)); /* tokens */
		gr_free(value);
		gr_free((char *)(uintptr_t)transfer->form[i].name);
	}
	gr_free(transfer->form);
	transfer->form = NULL;
	transfer->form_count = 0;
}

static void transfer_free(struct transfer *transfer)
{
	loop_timer_clear(transfer->loop, &transfer->timer);
	multi_remove(transfer);
	curl_easy_cleanup(transfer->easy); /* before what it points to */
	curl_mime_free(transfer->mime);
	curl_slist_free_all(transfer->headers);
	while (transfer->uploads) {
		struct upload *next = transfer->uploads->next;

		upload_free(transfer->uploads);
		transfer->uploads = next;
	}
	forget_form(transfer);
	buffer_release(&transfer->result.body);
	gr_free(transfer->url);
	gr_free(transfer->shown);
	gr_free(transfer->host_port);
	gr_free(transfer->validator);
	gr_free(transfer);
}

void transfer_cancel(struct transfer *transfer)
{
	if (transfer && !transfer->is_finishing)
		transfer_free(transfer);
}

bool transfer_is_queued(const struct transfer *transfer)
{
	return transfer->place == PLACE_QUEUED;
}

static void trace(const struct transfer *transfer)
{
	const struct transfer_result *result = &transfer->result;
	const struct transfer_settings *settings = &transfer->settings;
	GR_AUTO_FREE char *line = NULL;
	char span[CLOCK_TEXT_BYTES];

	if (!settings->trace || !settings->on_trace)
		return;
	line = gr_printf("%s %s: HTTP %ld in %s, %lld bytes sent, %lld bytes received%s%s",
	        transfer->flags & TRANSFER_POST ? "POST" : "GET", transfer->shown, result->status,
	        clock_format_span(result->elapsed_ms, span), (long long)result->bytes_sent,
	        (long long)result->bytes_received, result->error.failure ? "; " : "", result->error.text);
	settings->on_trace(settings->trace_context, line);
}

void transfer_complete(struct transfer *transfer, CURLcode code)
{
	transfer->is_finishing = true;
	loop_timer_clear(transfer->loop, &transfer->timer);
	transfer_read_answer(transfer, code);
	multi_remove(transfer);
	trace(transfer);
	transfer->on_done(transfer->context, &transfer->result);
	transfer_free(transfer);
}

void transfer_give_up(struct transfer *transfer, CURLcode code, const struct gr_error *error)
{
	transfer->result.error = *error;
	transfer_complete(transfer, code);
}

/* ---- watching over it ---- */

static bool is_request_out(const struct transfer *transfer)
{
	curl_off_t connected = 0, sent = 0, total = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &total);
	return connected > 0 && (transfer->body_has_begun || sent >= total);
}

static void time_out(struct transfer *transfer, const char *what)
{
	struct gr_error error = {0};
	char span[CLOCK_TEXT_BYTES];
	int64_t limit_ms = transfer->phase == PHASE_SENDING ? UPLOAD_STALL_MS : transfer->answer_ms;

	(void)gr_fail(
	        &error, GR_NETWORK, 0, "%s: %s for %s", transfer->host_port, what, clock_format_span(limit_ms, span));
	transfer_give_up(transfer, CURLE_OPERATION_TIMEDOUT, &error);
}

static void tick_after(struct transfer *transfer, int64_t now_ms, int64_t most_ms)
{
	loop_timer_set(transfer->loop, &transfer->timer, now_ms + (most_ms < TICK_MS ? most_ms : TICK_MS));
}

/* The wait for the answer begins when the whole request is out: on a start that takes the server a while, any limit
 * on speed would give up on a request that it is still working on. */
static void begin_waiting(struct transfer *transfer)
{
	transfer->phase = PHASE_WAITING;
	loop_timer_set(transfer->loop, &transfer->timer, clock_now_ms() + transfer->answer_ms);
}

static void begin_receiving(struct transfer *transfer)
{
	int64_t now_ms = clock_now_ms();

	transfer->phase = PHASE_RECEIVING;
	rate_init(&transfer->rate, now_ms, transfer->received);
	tick_after(transfer, now_ms, transfer->answer_ms);
}

static void watch_sending(struct transfer *transfer, int64_t now_ms)
{
	curl_off_t sent = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	if (is_request_out(transfer)) {
		begin_waiting(transfer);
		return;
	}
	/* Until it is connected libcurl's own limit holds. */
	if (transfer->send_total > 0 && sent > 0 && rate_is_stalled(&transfer->rate, now_ms, sent, UPLOAD_STALL_MS)) {
		time_out(transfer, "the upload stood still");
		return;
	}
	if (sent == 0)
		rate_init(&transfer->rate, now_ms, 0);
	tick_after(transfer, now_ms, transfer->answer_ms);
}

static void on_due(void *context)
{
	struct transfer *transfer = context;
	int64_t now_ms = clock_now_ms();

	switch (transfer->phase) {
	case PHASE_SENDING:
		watch_sending(transfer, now_ms);
		return;
	case PHASE_WAITING:
		time_out(transfer, "no answer");
		return;
	case PHASE_RECEIVING:
		if (rate_is_stalled(&transfer->rate, now_ms, transfer->received, transfer->answer_ms))
			time_out(transfer, "the answer stood still");
		else
			tick_after(transfer, now_ms, transfer->answer_ms);
		return;
	}
}

/* libcurl's progress: numbers are kept, and our own timer moved. */
static int on_progress(
        void *context, curl_off_t receive_total, curl_off_t received, curl_off_t send_total, curl_off_t sent)
{
	struct transfer *transfer = context;

	transfer->received = received;
	transfer->receive_total = receive_total;
	transfer->sent = sent;
	transfer->send_total = send_total;
	if (transfer->place != PLACE_ACTIVE || transfer->is_finishing)
		return 0;
	if (transfer->phase == PHASE_SENDING && send_total > 0 && sent >= send_total && is_request_out(transfer))
		begin_waiting(transfer);
	if (transfer->phase != PHASE_RECEIVING && transfer->body_has_begun)
		begin_receiving(transfer);
	return 0;
}

void transfer_progress(const struct transfer *transfer, int64_t *ret_sent, int64_t *ret_send_total,
        int64_t *ret_received, int64_t *ret_receive_total)
{
	*ret_sent = transfer->sent;
	*ret_send_total = transfer->send_total > 0 ? transfer->send_total : -1;
	*ret_received = transfer->received;
	*ret_receive_total = transfer->receive_total > 0 ? transfer->receive_total : -1;
}

void transfer_begin(struct transfer *transfer)
{
	transfer->started_ms = clock_now_ms();
	rate_init(&transfer->rate, transfer->started_ms, 0);
	tick_after(transfer, transfer->started_ms, transfer->answer_ms);
}

/* ---- start ---- */

static char *url_part(CURLU *parts, CURLUPart part, unsigned flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(parts, part, &text, flags) != CURLUE_OK)
		return gr_strdup("");
	copy = gr_strdup(text);
	curl_free(text);
	return copy;
}

static bool is_own_host(const struct transfer_settings *settings, const char *url)
{
	GR_AUTO_FREE char *gated = NULL;

	return settings->base_url && url_gate(url, settings->base_url, NULL, GR_CONFIG, &gated, NULL) == 0;
}

static bool base_is_local(const struct transfer_settings *settings)
{
	CURLU *parts = curl_url();
	GR_AUTO_FREE char *host = NULL;

	if (parts && settings->base_url && curl_url_set(parts, CURLUPART_URL, settings->base_url, 0) == CURLUE_OK)
		host = url_part(parts, CURLUPART_HOST, 0);
	curl_url_cleanup(parts);
	return host && host_is_local(host);
}

static int read_parts(struct transfer *transfer, CURLU *parts, struct gr_error *err)
{
	struct sockaddr_storage address;
	GR_AUTO_FREE char *scheme = url_part(parts, CURLUPART_SCHEME, 0);
	GR_AUTO_FREE char *host = url_part(parts, CURLUPART_HOST, 0);
	GR_AUTO_FREE char *port = url_part(parts, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	GR_AUTO_FREE char *path = url_part(parts, CURLUPART_PATH, 0);

	transfer->host_port = gr_printf("%s:%s", host, port);
	transfer->shown = gr_printf("%s://%s:%s%s", scheme, host, port, path);
	if (strcmp(scheme, "http") == 0 && !transfer->settings.insecure_http && !host_is_loopback(host))
		return gr_fail(
		        err, GR_CONFIG, 0, "%s: plain http is for this machine alone; use https", transfer->host_port);
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		return gr_fail(err, GR_CONFIG, 0, "%s: the scheme '%s' is not for HTTP", transfer->host_port, scheme);
	/* A literal address has been through the gate; what a name stands for shows at the connection. */
	transfer->checks_address = !(transfer->flags & TRANSFER_POST) && !address_parse(host, &address) &&
	                           !host_is_loopback(host) && !base_is_local(&transfer->settings);
	return 0;
}

static int read_url(struct transfer *transfer, struct gr_error *err)
{
	CURLU *parts = curl_url();
	CURLUcode code;
	int r;

	if (!parts)
		return gr_fail(err, GR_INTERNAL, 0, "libcurl cannot parse URLs");
	code = curl_url_set(parts, CURLUPART_URL, transfer->url, CURLU_DISALLOW_USER);
	if (code == CURLUE_OK)
		r = read_parts(transfer, parts, err);
	else
		r = gr_fail(err, GR_CONFIG, 0, "URL refused: %s", curl_url_strerror(code));
	curl_url_cleanup(parts);
	return r;
}

static struct transfer *transfer_new(
        struct loop *loop, const struct transfer_settings *settings, const struct transfer_request *request)
{
	struct transfer *transfer = gr_alloc(1, sizeof(*transfer));

	transfer->loop = loop;
	transfer->settings = *settings;
	transfer->flags = request->flags;
	transfer->url = gr_strdup(request->url);
	transfer->answer_ms = request->answer_ms > 0 ? request->answer_ms : ANSWER_USUAL_MS;
	transfer->body_most_bytes = request->body_most_bytes > 0 ? request->body_most_bytes : BODY_USUAL_BYTES;
	transfer->sink_fd = request->sink_fd;
	/* Without a validator nothing tells whether the rest still belongs to what is there. */
	if (request->sink_fd >= 0 && request->sink_offset > 0 && request->validator && *request->validator) {
		transfer->sink_offset = request->sink_offset;
		transfer->validator = gr_strdup(request->validator);
	}
	transfer->timer = (struct timer){.on_due = on_due, .context = transfer};
	transfer->result.retry_after_ms = transfer->result.server_date_ms = -1;
	return transfer;
}

static int make(struct transfer *transfer, const struct transfer_request *request, struct gr_error *err)
{
	int r;

	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		return gr_fail(err, GR_INTERNAL, 0, "libcurl cannot make a transfer");
	r = transfer_set_options(transfer, err);
	if (r == 0)
		r = transfer_set_body(transfer, request, err);
	if (r == 0 && (curl_easy_setopt(transfer->easy, CURLOPT_XFERINFOFUNCTION, on_progress) != CURLE_OK ||
	                      curl_easy_setopt(transfer->easy, CURLOPT_XFERINFODATA, transfer) != CURLE_OK ||
	                      curl_easy_setopt(transfer->easy, CURLOPT_NOPROGRESS, 0L) != CURLE_OK))
		r = gr_fail(err, GR_INTERNAL, 0, "libcurl refuses to tell its progress");
	return r;
}

/* Files are opened at once: what is wrong with them is said at once. */
static bool can_wait(const struct transfer_request *request)
{
	for (size_t i = 0; i < request->field_count; i++)
		if (request->fields[i].is_file)
			return false;
	return (request->flags & TRANSFER_POST) && !request->json;
}

/* A form takes ten times as much once libcurl has it, and 1,000 may wait. */
static void keep_form(struct transfer *transfer, const struct transfer_request *request)
{
	transfer->form = gr_alloc(request->field_count + 1, sizeof(*transfer->form));
	for (size_t i = 0; i < request->field_count; i++)
		transfer->form[transfer->form_count++] = (struct transfer_field){
		        .name = gr_strdup(request->fields[i].name), .value = gr_strdup(request->fields[i].value)};
}

int transfer_make(struct transfer *transfer, struct gr_error *err)
{
	struct transfer_request request = {.fields = transfer->form, .field_count = transfer->form_count};
	int r;

	if (transfer->easy)
		return 0;
	r = make(transfer, &request, err);
	forget_form(transfer);
	return r;
}

static int prepare(struct transfer *transfer, const struct transfer_request *request, struct gr_error *err)
{
	int r = read_url(transfer, err);

	if (r == 0 && !(transfer->flags & TRANSFER_POST) && transfer->settings.base_url &&
	        !is_own_host(&transfer->settings, transfer->url))
		transfer->settings.client_cert = transfer->settings.client_key = NULL;
	if (r == 0 && !(transfer->flags & TRANSFER_POST) && !transfer->settings.base_url)
		transfer->settings.client_cert = transfer->settings.client_key = NULL;
	if (r == 0 && can_wait(request) && !multi_has_room(transfer->loop, transfer))
		keep_form(transfer, request);
	else if (r == 0)
		r = make(transfer, request, err);
	return r;
}

int transfer_start(struct loop *loop, const struct transfer_settings *settings, const struct transfer_request *request,
        struct transfer **ret_transfer, struct gr_error *err)
{
	struct transfer *transfer = transfer_new(loop, settings, request);
	int r = prepare(transfer, request, err);

	transfer->on_done = request->on_done;
	transfer->context = request->context;
	if (r == 0)
		r = multi_add(loop, transfer, err);
	if (r < 0) {
		transfer_free(transfer);
		return r;
	}
	*ret_transfer = transfer;
	return 0;
}
