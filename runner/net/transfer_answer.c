/* What comes back: bytes kept within limits, and the verdict on the exchange. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/net/transfer_private.h"

#define HEADERS_MOST 100
#define HEADERS_MOST_BYTES (64 << 10)
/* Of an error page that comes instead of a download. */
#define PAGE_MOST_BYTES (1 << 20)
#define RETRY_AFTER_MOST_S INT64_C(86400)

/* ---- bytes ---- */

static size_t fail_take(struct transfer *transfer, enum gr_failure failure, int errnum, const char *words)
{
	(void)gr_fail(&transfer->result.error, failure, errnum, "%s: %s", transfer->host_port, words);
	return CURL_WRITEFUNC_ERROR;
}

size_t transfer_take_header(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t bytes = size * count;

	(void)data;
	transfer->header_bytes += bytes;
	if (++transfer->header_count > HEADERS_MOST || transfer->header_bytes > HEADERS_MOST_BYTES)
		return fail_take(transfer, GR_PROTOCOL, 0, "the answer has more headers than make sense");
	return bytes;
}

static const char *header_of(struct transfer *transfer, const char *name)
{
	struct curl_header *header = NULL;

	if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return "";
	return header->value;
}

struct range {
	int64_t first, last, total; /* total -1: "*" */
};

/* "bytes FIRST-LAST/TOTAL" */
static bool read_content_range(struct transfer *transfer, struct range *ret_range)
{
	GR_AUTO_FREE char *text = gr_strdup(header_of(transfer, "Content-Range"));
	char *dash = strchr(text, '-'), *slash = strchr(text, '/');

	if (!text_has_prefix(text, "bytes ") || !dash || !slash || slash < dash)
		return false;
	*dash = *slash = '\0';
	ret_range->total = -1;
	return number_parse_int(text + strlen("bytes "), &ret_range->first) &&
	       number_parse_int(dash + 1, &ret_range->last) && ret_range->last >= ret_range->first &&
	       (text_equal(slash + 1, "*") || number_parse_int(slash + 1, &ret_range->total));
}

/* ETag, unless it is a weak one: that promises no equal bytes. Else Last-Modified. */
static const char *validator_of(struct transfer *transfer)
{
	const char *tag = header_of(transfer, "ETag");

	return *tag && !text_has_prefix(tag, "W/") ? tag : header_of(transfer, "Last-Modified");
}

static bool is_our_range(struct transfer *transfer)
{
	const char *validator = validator_of(transfer);
	struct range range;

	return transfer->sink_offset > 0 && read_content_range(transfer, &range) &&
	       range.first == transfer->sink_offset && (range.total < 0 || range.last == range.total - 1) &&
	       (!*validator || strcmp(validator, transfer->validator) == 0);
}

/* With the first byte it is known where the body goes. */
static bool begin_body(struct transfer *transfer)
{
	long status = 0;

	transfer->body_has_begun = true;
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	transfer->is_to_sink = transfer->sink_fd >= 0 && status >= 200 && status < 300;
	if (status == 206 && !is_our_range(transfer)) {
		transfer->is_range_bad = true;
		(void)fail_take(transfer, GR_PROTOCOL, 0, "the answer is another part of the file than was asked for");
		return false;
	}
	if (status == 206)
		transfer->result.sink_start = transfer->sink_offset;
	else if (transfer->is_to_sink && ftruncate(transfer->sink_fd, 0) < 0 && errno != EINVAL) {
		(void)fail_take(transfer, GR_DISK, errno, "cannot empty the file for the download");
		return false; /* EINVAL: a pipe or the like, which holds nothing */
	}
	return true;
}

static int write_at(int fd, const char *data, size_t bytes, int64_t offset)
{
	while (bytes) {
		ssize_t written = pwrite(fd, data, bytes, offset);

		if (written < 0 && errno == ESPIPE)
			written = write(fd, data, bytes);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? errno : EIO;
		data += written;
		bytes -= (size_t)written;
		offset += written;
	}
	return 0;
}

static int64_t most_bytes(const struct transfer *transfer)
{
	if (transfer->sink_fd >= 0 && !transfer->is_to_sink && transfer->body_most_bytes > PAGE_MOST_BYTES)
		return PAGE_MOST_BYTES;
	return transfer->body_most_bytes;
}

size_t transfer_take_body(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t bytes = size * count;
	int errnum = 0;

	if (!transfer->body_has_begun && !begin_body(transfer))
		return CURL_WRITEFUNC_ERROR;
	if ((int64_t)bytes > most_bytes(transfer) - transfer->result.sink_start - transfer->body_bytes)
		return fail_take(transfer, GR_PROTOCOL, 0, "the answer is longer than its limit");
	if (transfer->is_to_sink)
		errnum = write_at(transfer->sink_fd, data, bytes, transfer->result.sink_start + transfer->body_bytes);
	else
		buffer_add(&transfer->result.body, data, bytes);
	if (errnum)
		return fail_take(transfer, GR_DISK, errnum, "cannot store the download");
	transfer->body_bytes += (int64_t)bytes;
	return bytes;
}

/* ---- headers that mean something to us ---- */

static void copy_text(char *target, size_t room, const char *text)
{
	if (strlen(text) < room) /* half of a validator or of a URL would be a wrong one */
		(void)snprintf(target, room, "%s", text);
}

/* Seconds, or a date: that one against the answer's own clock, not ours. */
static int64_t retry_after(const char *text, int64_t date_ms)
{
	int64_t seconds = -1, until_ms;

	if (number_parse_int(text, &seconds))
		return seconds >= 0 && seconds <= RETRY_AFTER_MOST_S ? seconds * 1000 : -1;
	until_ms = clock_parse_http_date(text);
	if (until_ms < 0 || date_ms < 0 || until_ms < date_ms || until_ms - date_ms > RETRY_AFTER_MOST_S * 1000)
		return -1;
	return until_ms - date_ms;
}

/* Parts of a file that is encoded on its way are parts of what came, not of what was kept. */
static bool is_encoded(struct transfer *transfer)
{
	const char *encoding = header_of(transfer, "Content-Encoding");

	return *encoding && !(transfer->flags & TRANSFER_RAW) && !text_equal_nocase(encoding, "identity");
}

static void read_headers(struct transfer *transfer)
{
	struct transfer_result *result = &transfer->result;
	bool is_in_parts = !transfer->is_range_bad && !is_encoded(transfer);
	long version = 0;

	copy_text(result->content_type, sizeof(result->content_type), header_of(transfer, "Content-Type"));
	copy_text(result->validator, sizeof(result->validator), is_in_parts ? validator_of(transfer) : "");
	copy_text(result->location, sizeof(result->location), header_of(transfer, "Location"));
	result->server_date_ms = clock_parse_http_date(header_of(transfer, "Date"));
	result->retry_after_ms = retry_after(header_of(transfer, "Retry-After"), result->server_date_ms);
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
	result->is_framed = version >= CURL_HTTP_VERSION_2_0 || *header_of(transfer, "Content-Length") ||
	                    *header_of(transfer, "Transfer-Encoding") || result->status == 204 || result->status == 304;
}

/* ---- the verdict ---- */

struct code_row {
	CURLcode code;
	enum gr_failure failure;
	const char *words;
	bool adds_reason; /* libcurl's own words add something, and hold neither URL nor user */
};

static const struct code_row codes[] = {
        {CURLE_UNSUPPORTED_PROTOCOL, GR_PROTOCOL, "the answer is not HTTP/1.0 or later", false},
        {CURLE_URL_MALFORMAT, GR_CONFIG, "the URL cannot be understood", false},
        {CURLE_COULDNT_RESOLVE_PROXY, GR_NETWORK, "the proxy's name cannot be resolved", false},
        {CURLE_COULDNT_RESOLVE_HOST, GR_NETWORK, "the name cannot be resolved", false},
        {CURLE_COULDNT_CONNECT, GR_NETWORK, "no connection", false},
        {CURLE_WEIRD_SERVER_REPLY, GR_PROTOCOL, "the answer is not HTTP", false},
        {CURLE_HTTP2, GR_NETWORK, "the HTTP/2 connection broke", false},
        {CURLE_HTTP2_STREAM, GR_NETWORK, "the HTTP/2 stream broke", false},
        {CURLE_PARTIAL_FILE, GR_NETWORK, "the answer was cut off", false},
        {CURLE_OPERATION_TIMEDOUT, GR_NETWORK, "it took too long", false},
        {CURLE_SSL_CONNECT_ERROR, GR_NETWORK, "no TLS connection", true},
        {CURLE_GOT_NOTHING, GR_NETWORK, "the connection was closed without an answer", false},
        {CURLE_SEND_ERROR, GR_NETWORK, "the connection broke while sending", false},
        {CURLE_RECV_ERROR, GR_NETWORK, "the connection broke before the whole answer was here", false},
        {CURLE_SSL_CERTPROBLEM, GR_CONFIG,
                "the client certificate or its key cannot be used; they must belong together, and the key be without a "
                "passphrase",
                true},
        {CURLE_SSL_CIPHER, GR_NETWORK, "no common TLS cipher", true},
        {CURLE_PEER_FAILED_VERIFICATION, GR_NETWORK,
                "the server's certificate cannot be trusted; a private CA goes into ca_file", true},
        {CURLE_SSL_CACERT_BADFILE, GR_CONFIG, "the CA file cannot be used", true},
        {CURLE_BAD_CONTENT_ENCODING, GR_PROTOCOL, "the answer's encoding is broken", false},
        {CURLE_FILESIZE_EXCEEDED, GR_PROTOCOL, "the answer is longer than its limit", false},
        {CURLE_SEND_FAIL_REWIND, GR_NETWORK, "the form could not be sent again", false},
        {CURLE_PROXY, GR_NETWORK, "the proxy refused", false},
};

/* false: its code alone says what happened. */
static bool explain_connection(struct transfer *transfer, CURLcode code)
{
	struct transfer_result *result = &transfer->result;
	long proxy_status = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (result->sent != SENT_NOTHING)
		return false;
	if (transfer->has_refused && code == CURLE_COULDNT_CONNECT)
		(void)gr_fail(&result->error, GR_PROTOCOL, 0,
		        "%s: the name stands for an address of this machine or its neighbourhood; downloads don't go "
		        "there",
		        transfer->host_port);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		(void)gr_fail(&result->error, GR_NETWORK, 0, "%s: no connection in time", transfer->host_port);
	else if (proxy_status >= 300)
		(void)gr_fail(&result->error, GR_NETWORK, 0, "%s: the proxy answers HTTP %ld%s", transfer->host_port,
		        proxy_status, proxy_status == 407 ? " (it wants a user name and a password)" : "");
	else
		return false;
	return true;
}

/* OpenSSL's numbers (X509_V_...). libcurl leaves the first one when the chain holds, and the name is another. */
#define VERIFY_UNSPECIFIED 1
#define VERIFY_NOT_YET_VALID 9
#define VERIFY_HAS_EXPIRED 10

/* Why a certificate is not trusted is not always that its CA is not known. NULL: it is. */
static const char *words_of_distrust(struct transfer *transfer)
{
	long why = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &why);
	if (why == VERIFY_UNSPECIFIED)
		return "the server's certificate is for another name";
	if (why == VERIFY_NOT_YET_VALID || why == VERIFY_HAS_EXPIRED)
		return "the server's certificate is out of date, or this machine's clock is wrong";
	return NULL;
}

static void explain(struct transfer *transfer, CURLcode code)
{
	static const struct code_row other = {CURLE_OK, GR_NETWORK, NULL, false};
	const struct code_row *row = &other;
	const char *words = code == CURLE_PEER_FAILED_VERIFICATION ? words_of_distrust(transfer) : NULL;
	struct gr_error *error = &transfer->result.error;
	long errnum = 0;

	if (explain_connection(transfer, code))
		return;
	for (size_t i = 0; i < GR_COUNT(codes); i++)
		if (codes[i].code == code)
			row = &codes[i];
	if (code == CURLE_COULDNT_CONNECT)
		(void)curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &errnum);
	if (!words)
		words = row->words ? row->words : curl_easy_strerror(code);
	if (row->adds_reason && transfer->curl_words[0])
		(void)gr_fail(error, row->failure, 0, "%s: %s (%s)", transfer->host_port, words, transfer->curl_words);
	else
		(void)gr_fail(error, row->failure, (int)errnum, "%s: %s", transfer->host_port, words);
}

/* What the server can have seen. Not so much as a connection, or less than its length of the form, are proofs that it
 * cannot have acted. */
enum transfer_sent transfer_sent(struct transfer *transfer)
{
	curl_off_t connected = 0, sent = 0, total = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &total);
	if (connected == 0)
		return SENT_NOTHING;
	return sent < total ? SENT_PART : SENT_ALL;
}

static void read_numbers(struct transfer *transfer)
{
	struct transfer_result *result = &transfer->result;
	curl_off_t sent = 0, received = 0;
	long status = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
	result->status = status >= 200 ? status : 0; /* a 100 is no answer */
	result->bytes_sent = sent;
	result->bytes_received = received;
	result->elapsed_ms = transfer->started_ms ? clock_now_ms() - transfer->started_ms : 0;
	result->sent = transfer_sent(transfer);
}

static void read_uploads(struct transfer *transfer)
{
	struct transfer_result *result = &transfer->result;

	for (const struct upload *upload = transfer->uploads; upload; upload = upload->next)
		if (upload->error.failure)
			result->error = upload->error;
	if (!transfer->uploads)
		return;
	memcpy(result->file_sha256, transfer->uploads->sha256, sizeof(result->file_sha256));
	result->file_bytes = transfer->uploads->bytes;
}

/* An answer without a body never came to the write call back; one to a Range must be whole. */
static void check_range(struct transfer *transfer)
{
	struct transfer_result *result = &transfer->result;
	struct range range;

	if (result->status != 206 || result->error.failure)
		return;
	if (!transfer->body_has_begun || !read_content_range(transfer, &range) ||
	        range.last - range.first + 1 != transfer->body_bytes) {
		(void)fail_take(transfer, GR_PROTOCOL, 0, "the part of the file is not as long as the answer says");
		result->validator[0] = '\0';
	}
}

void transfer_read_answer(struct transfer *transfer, CURLcode code)
{
	struct transfer_result *result = &transfer->result;

	result->curl_code = (int)code;
	result->is_timeout = code == CURLE_OPERATION_TIMEDOUT;
	result->is_undecodable = code == CURLE_BAD_CONTENT_ENCODING;
	read_numbers(transfer);
	read_headers(transfer);
	read_uploads(transfer);
	if (code == CURLE_OK)
		check_range(transfer);
	else if (!result->error.failure)
		explain(transfer, code);
	if (code == CURLE_OK && !transfer->body_has_begun && transfer->sink_fd >= 0 && result->status / 100 == 2 &&
	        result->status != 206 && ftruncate(transfer->sink_fd, 0) < 0 && errno != EINVAL)
		(void)fail_take(transfer, GR_DISK, errno, "cannot empty the file for the download");
}
