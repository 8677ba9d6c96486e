/* Every option of libcurl that we depend on, said out loud: its defaults are for a tool that people watch. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/base/memory.h"
#include "runner/net/address.h"
#include "runner/net/transfer_private.h"

#define CONNECT_MS 15000
#define QUICK_CONNECT_MS 1500
#define QUICK_MS 3000
/* Of a file, at once: fewer turns of the loop, and still little memory. libcurl takes 64 KiB by itself. */
#define UPLOAD_BUFFER_BYTES (128L << 10)

enum when { ALWAYS, ONCE, QUICK, POSTS };

struct number_option {
	enum when when;
	CURLoption option;
	long value;
};

static const struct number_option numbers[] = {
        /* Redirects: never. A 307 would carry the form, token included, to wherever the answer says. */
        {ALWAYS, CURLOPT_FOLLOWLOCATION, 0},
        {ALWAYS, CURLOPT_MAXREDIRS, 0},
        {ALWAYS, CURLOPT_POSTREDIR, 0},
        {ALWAYS, CURLOPT_UNRESTRICTED_AUTH, 0},
        {ALWAYS, CURLOPT_AUTOREFERER, 0},
        {ALWAYS, CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
        {ALWAYS, CURLOPT_HTTPAUTH, CURLAUTH_NONE},
        {ALWAYS, CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {ALWAYS, CURLOPT_HTTP09_ALLOWED, 0},
        /* Basic from the start: no round trip through a 407 with a body to send again. */
        {ALWAYS, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC},
        {ALWAYS, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
        {ALWAYS, CURLOPT_SSL_VERIFYPEER, 1},
        {ALWAYS, CURLOPT_SSL_VERIFYHOST, 2},
        {ALWAYS, CURLOPT_PROXY_SSL_VERIFYPEER, 1},
        {ALWAYS, CURLOPT_PROXY_SSL_VERIFYHOST, 2},
        {ALWAYS, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {ALWAYS, CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {ALWAYS, CURLOPT_NOSIGNAL, 1},
        {ALWAYS, CURLOPT_QUICK_EXIT, 1}, /* a name server that hangs must not hold up a cancel */
        {ALWAYS, CURLOPT_TCP_KEEPALIVE, 1},
        {ALWAYS, CURLOPT_TCP_KEEPIDLE, 60},
        {ALWAYS, CURLOPT_TCP_KEEPINTVL, 30},
        {ALWAYS, CURLOPT_MAXAGE_CONN, 60},
        {ALWAYS, CURLOPT_MAXLIFETIME_CONN, 300},
        {ALWAYS, CURLOPT_EXPECT_100_TIMEOUT_MS, 3000},
        {ALWAYS, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS},
        {ALWAYS, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS},
        {POSTS, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        /* On a connection that it uses again libcurl repeats a request by itself when the connection turns out dead. */
        {ONCE, CURLOPT_FRESH_CONNECT, 1},
        {ONCE, CURLOPT_FORBID_REUSE, 1},
        {ONCE, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {QUICK, CURLOPT_CONNECTTIMEOUT_MS, QUICK_CONNECT_MS},
        {QUICK, CURLOPT_TIMEOUT_MS, QUICK_MS},
};

static int refused(CURLcode code, const char *what, struct gr_error *err)
{
	if (code == CURLE_OK)
		return 0;
	return gr_fail(err, GR_INTERNAL, 0, "libcurl refuses %s: %s", what, curl_easy_strerror(code));
}

static bool applies(enum when when, unsigned flags)
{
	switch (when) {
	case ALWAYS:
		return true;
	case ONCE:
		return flags & TRANSFER_ONCE;
	case QUICK:
		return flags & TRANSFER_QUICK;
	case POSTS:
		return flags & TRANSFER_POST;
	}
	return false;
}

static int set_numbers(struct transfer *transfer, struct gr_error *err)
{
	for (size_t i = 0; i < GR_COUNT(numbers); i++) {
		CURLcode code;

		if (!applies(numbers[i].when, transfer->flags))
			continue;
		code = curl_easy_setopt(transfer->easy, numbers[i].option, numbers[i].value);
		if (code != CURLE_OK)
			return gr_fail(err, GR_INTERNAL, 0, "libcurl refuses option %d: %s", (int)numbers[i].option,
			        curl_easy_strerror(code));
	}
	return refused(
	        curl_easy_setopt(transfer->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->body_most_bytes),
	        "a limit", err);
}

static int set_text(struct transfer *transfer, CURLoption option, const char *value, struct gr_error *err)
{
	return value ? refused(curl_easy_setopt(transfer->easy, option, value), "an option", err) : 0;
}

/* ---- certificates ---- */

static int check_readable(const char *what, const char *path, struct gr_error *err)
{
	struct stat info;

	if (access(path, R_OK) < 0 || stat(path, &info) < 0)
		return gr_fail(err, GR_CONFIG, errno, "cannot read the %s '%s'", what, path);
	if (!S_ISREG(info.st_mode))
		return gr_fail(err, GR_CONFIG, 0, "the %s '%s' is not a regular file", what, path);
	return 0;
}

static int check_key(const char *path, struct gr_error *err)
{
	struct stat info;
	int r = check_readable("client key", path, err);

	if (r == 0 && stat(path, &info) == 0 && info.st_mode & (S_IRWXO | S_IWGRP))
		return gr_fail(err, GR_CONFIG, 0, "the client key '%s' is open to other users; chmod 600 it", path);
	return r;
}

/* libcurl, unlike the curl tool, reads no variable for these by itself. */
static const char *ca_file(const struct transfer_settings *settings)
{
	static const char *const names[] = {"GRIDLANE_CA_BUNDLE", "SSL_CERT_FILE"};

	if (settings->ca_file && *settings->ca_file)
		return settings->ca_file;
	for (size_t i = 0; i < GR_COUNT(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return value;
	}
	return NULL;
}

static int set_certificates(struct transfer *transfer, struct gr_error *err)
{
	const struct transfer_settings *settings = &transfer->settings;
	const char *ca = ca_file(settings);
	int r = 0;

	if (ca)
		r = check_readable("CA file", ca, err);
	if (r == 0)
		r = set_text(transfer, CURLOPT_CAINFO, ca, err);
	if (r == 0)
		r = set_text(transfer, CURLOPT_PROXY_CAINFO, ca, err);
	if (r == 0 && settings->client_cert)
		r = check_readable("client certificate", settings->client_cert, err);
	if (r == 0)
		r = set_text(transfer, CURLOPT_SSLCERT, settings->client_cert, err);
	if (r == 0 && settings->client_key)
		r = check_key(settings->client_key, err);
	if (r == 0) /* else OpenSSL asks whoever sits at the terminal, and all waits for the answer */
		r = set_text(transfer, CURLOPT_KEYPASSWD, settings->client_key ? "" : NULL, err);
	return r < 0 ? r : set_text(transfer, CURLOPT_SSLKEY, settings->client_key, err);
}

/* ---- sockets ---- */

/* Close-on-exec from birth, for children. And for downloads the address that a name really stands for is looked at
 * where it is used, so that no second look-up can answer otherwise. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = context;

	(void)purpose;
	if (transfer->checks_address && address_is_special(&address->addr)) {
		transfer->has_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

/* Behind a proxy the socket is the proxy's, which is often this machine. */
static bool may_use_proxy(const struct transfer_settings *settings)
{
	if (settings->proxy)
		return *settings->proxy;
	return is_set("https_proxy") || is_set("HTTPS_PROXY") || is_set("http_proxy") || is_set("all_proxy") ||
	       is_set("ALL_PROXY");
}

static int set_sockets(struct transfer *transfer, struct gr_error *err)
{
	int r = set_text(transfer, CURLOPT_PROXY, transfer->settings.proxy, err);

	if (r == 0)
		r = set_text(transfer, CURLOPT_NOPROXY, transfer->settings.no_proxy, err);
	if (may_use_proxy(&transfer->settings))
		transfer->checks_address = false;
	if (r == 0)
		r = refused(curl_easy_setopt(transfer->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket), "sockets", err);
	if (r == 0)
		r = refused(curl_easy_setopt(transfer->easy, CURLOPT_OPENSOCKETDATA, transfer), "sockets", err);
	return r;
}

/* ---- what goes in and out ---- */

static int set_target(struct transfer *transfer, struct gr_error *err)
{
	bool may_be_plain = strncmp(transfer->shown, "http://", 7) == 0; /* checked by transfer_start() */
	int r = set_text(transfer, CURLOPT_PROTOCOLS_STR, may_be_plain ? "http,https" : "https", err);

	if (r == 0)
		r = set_text(transfer, CURLOPT_REDIR_PROTOCOLS_STR, may_be_plain ? "http,https" : "https", err);
	if (r == 0)
		r = set_text(transfer, CURLOPT_DEFAULT_PROTOCOL, "https", err);
	if (r == 0)
		r = set_text(transfer, CURLOPT_USERAGENT, "gridlane/" GRIDLANE_VERSION, err);
	return r < 0 ? r : set_text(transfer, CURLOPT_URL, transfer->url, err);
}

static int set_callbacks(struct transfer *transfer, struct gr_error *err)
{
	CURL *easy = transfer->easy;
	CURLcode code = curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);

	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_words);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, transfer_take_body);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, transfer_take_header);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	return refused(code, "call backs", err);
}

static int add_header(struct transfer *transfer, const char *line, struct gr_error *err)
{
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);

	if (!longer)
		return gr_fail(err, GR_INTERNAL, 0, "libcurl refuses a header");
	transfer->headers = longer;
	return 0;
}

/* A validator came from an answer: no byte of it may end the header. */
static bool is_clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7F)
			return false;
	return true;
}

static int set_range(struct transfer *transfer, struct gr_error *err)
{
	GR_AUTO_FREE char *range = gr_printf("%lld-", (long long)transfer->sink_offset);
	GR_AUTO_FREE char *header = gr_printf("If-Range: %s", transfer->validator);
	int r;

	if (!is_clean(transfer->validator))
		return gr_fail(err, GR_PROTOCOL, 0, "%s: the answer's ETag holds control bytes", transfer->host_port);
	r = add_header(transfer, header, err);
	return r < 0 ? r : set_text(transfer, CURLOPT_RANGE, range, err);
}

int transfer_set_options(struct transfer *transfer, struct gr_error *err)
{
	int r = set_numbers(transfer, err);

	if (r == 0)
		r = set_target(transfer, err);
	if (r == 0)
		r = set_certificates(transfer, err);
	if (r == 0)
		r = set_sockets(transfer, err);
	if (r == 0)
		r = set_callbacks(transfer, err);
	if (r == 0 && transfer->sink_offset > 0)
		r = set_range(transfer, err);
	return r;
}

/* ---- the form ---- */

static int seek_upload(void *argument, curl_off_t offset, int origin)
{
	return upload_seek(argument, offset, origin);
}

static CURLcode add_file(struct transfer *transfer, curl_mimepart *part)
{
	struct upload *upload = transfer->uploads;
	CURLcode code = curl_mime_filename(part, upload->name);

	if (code == CURLE_OK) /* what curl says of a file whose ending it does not know; some servers refuse no type */
		code = curl_mime_type(part, "application/octet-stream");
	if (code == CURLE_OK)
		code = curl_mime_data_cb(part, upload->bytes, upload_read, seek_upload, NULL, upload);
	return code;
}

static int add_field(struct transfer *transfer, const struct transfer_field *field, struct gr_error *err)
{
	curl_mimepart *part = curl_mime_addpart(transfer->mime);
	struct upload *upload = NULL;
	CURLcode code;
	int r = field->is_file ? upload_open(field->value, transfer->flags & TRANSFER_HASHED, &upload, err) : 0;

	if (r < 0)
		return gr_context(err, "field '%s'", field->name);
	if (upload) {
		upload->next = transfer->uploads;
		transfer->uploads = upload;
	}
	code = part ? curl_mime_name(part, field->name) : CURLE_OUT_OF_MEMORY;
	if (code == CURLE_OK)
		code = upload ? add_file(transfer, part) : curl_mime_data(part, field->value, CURL_ZERO_TERMINATED);
	return refused(code, "a field", err);
}

static int set_multipart(struct transfer *transfer, const struct transfer_request *request, struct gr_error *err)
{
	int r = 0;

	transfer->mime = curl_mime_init(transfer->easy);
	if (!transfer->mime)
		return gr_fail(err, GR_INTERNAL, 0, "libcurl cannot make a form");
	for (size_t i = 0; r == 0 && i < request->field_count; i++)
		r = add_field(transfer, &request->fields[i], err);
	if (r == 0)
		r = refused(curl_easy_setopt(transfer->easy, CURLOPT_MIMEPOST, transfer->mime), "a form", err);
	return r;
}

static void add_encoded(struct buffer *text, const char *raw)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *raw; raw++) {
		unsigned char c = (unsigned char)*raw;

		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", c)) {
			buffer_add_char(text, *raw);
			continue;
		}
		buffer_add_char(text, '%');
		buffer_add_char(text, digits[c >> 4]);
		buffer_add_char(text, digits[c & 15]);
	}
}

static int set_urlencoded(struct transfer *transfer, const struct transfer_request *request, struct gr_error *err)
{
	struct buffer text = {0};
	CURLcode code;

	for (size_t i = 0; i < request->field_count; i++) {
		if (request->fields[i].is_file) {
			buffer_release(&text);
			return gr_fail(err, GR_INTERNAL, 0, "a file cannot be sent in an URL-encoded form");
		}
		if (i)
			buffer_add_char(&text, '&');
		add_encoded(&text, request->fields[i].name);
		buffer_add_char(&text, '=');
		add_encoded(&text, request->fields[i].value);
	}
	code = curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)text.bytes);
	if (code == CURLE_OK)
		code = curl_easy_setopt(transfer->easy, CURLOPT_COPYPOSTFIELDS, buffer_text(&text));
	if (text.data)
		explicit_bzero(text.data, text.bytes);
	buffer_release(&text);
	return refused(code, "a form", err);
}

static int set_json(struct transfer *transfer, const struct transfer_request *request, struct gr_error *err)
{
	CURLcode code = curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->json->bytes);
	int r = 0;

	if (code == CURLE_OK)
		code = curl_easy_setopt(transfer->easy, CURLOPT_COPYPOSTFIELDS, buffer_text(request->json));
	r = refused(code, "a body", err);
	if (r == 0)
		r = add_header(transfer, "Content-Type: application/json", err);
	for (const char *const *header = request->headers; r == 0 && header && *header; header++)
		r = is_clean(*header) ? add_header(transfer, *header, err)
		                      : gr_fail(err, GR_INTERNAL, 0, "a header holds control bytes");
	return r;
}

int transfer_set_body(struct transfer *transfer, const struct transfer_request *request, struct gr_error *err)
{
	int r = 0;

	if (!(transfer->flags & TRANSFER_POST))
		r = refused(curl_easy_setopt(transfer->easy, CURLOPT_HTTPGET, 1L), "GET", err);
	else if (request->json)
		r = set_json(transfer, request, err);
	else if (transfer->flags & TRANSFER_URLENCODED)
		r = set_urlencoded(transfer, request, err);
	else
		r = set_multipart(transfer, request, err);
	/* Before a file, asking first lets a server that will refuse do so without taking it; after a 417 libcurl sends
	 * the form once more, without asking, and counts that like a redirect. A form without a file goes at once. */
	if (r == 0 && transfer->uploads)
		r = refused(curl_easy_setopt(transfer->easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES), "a size",
		        err);
	if (r == 0 && transfer->uploads)
		r = refused(curl_easy_setopt(transfer->easy, CURLOPT_MAXREDIRS, 1L), "a limit", err);
	else if (r == 0)
		r = add_header(transfer, "Expect:", err);
	/* Without a word about encodings a server may choose one: ask for none, and undo what comes all the same.
	 * Stores of files keep logs compressed, and send them so whatever is asked for: no secret could be seen in
	 * those. */
	if (r == 0 && !(transfer->flags & TRANSFER_RAW))
		r = refused(curl_easy_setopt(transfer->easy, CURLOPT_ACCEPT_ENCODING, "identity"), "an encoding", err);
	if (r == 0)
		r = refused(curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers), "headers", err);
	return r;
}
