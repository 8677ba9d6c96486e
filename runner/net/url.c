#include <assert.h>
#include <curl/curl.h>
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/net/address.h"
#include "runner/net/transfer.h"

#define URL_MOST_BYTES 8192
#define HOST_SHOWN_BYTES 200

struct url {
	CURLU *parts;
	char *scheme, *host, *port; /* libcurl's memory; port is never NULL, host without its trailing dot */
};

static void url_release(struct url *url)
{
	curl_free(url->scheme);
	curl_free(url->host);
	curl_free(url->port);
	curl_url_cleanup(url->parts);
}
#define AUTO_URL __attribute__((cleanup(url_release)))

/* Bytes that parsers disagree about. The text itself is not in the message where it may be hostile. */
static int check_raw(const char *text, enum gr_failure failure, struct gr_error *err)
{
	if (strlen(text) > URL_MOST_BYTES)
		return gr_fail(err, failure, 0, "URL refused: it is longer than %d bytes", URL_MOST_BYTES);
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7F || *c == '\\')
			return gr_fail(err, failure, 0, "URL refused: it holds a blank, a control byte or a backslash");
	if (strstr(text, "%00"))
		return gr_fail(err, failure, 0, "URL refused: it holds an encoded NUL");
	return 0;
}

static bool has_part(const struct url *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(url->parts, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

static bool is_odd_host(const char *host)
{
	if (!*host || strchr(host, '%'))
		return true;
	for (; *host; host++)
		if ((unsigned char)*host >= 0x7F)
			return true;
	return false;
}

static int split(struct url *url, enum gr_failure failure, struct gr_error *err)
{
	size_t bytes;

	if (curl_url_get(url->parts, CURLUPART_SCHEME, &url->scheme, 0) != CURLUE_OK ||
	        curl_url_get(url->parts, CURLUPART_HOST, &url->host, 0) != CURLUE_OK ||
	        curl_url_get(url->parts, CURLUPART_PORT, &url->port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return gr_fail(err, failure, 0, "URL refused: it needs a scheme, a host and a port");
	bytes = strlen(url->host);
	if (bytes > 1 && url->host[bytes - 1] == '.') {
		url->host[bytes - 1] = '\0';
		if (curl_url_set(url->parts, CURLUPART_HOST, url->host, 0) != CURLUE_OK)
			return gr_fail(err, failure, 0, "URL refused: its host cannot be understood");
	}
	if (is_odd_host(url->host) || has_part(url, CURLUPART_ZONEID))
		return gr_fail(err, failure, 0, "URL refused: its host is not a plain name or address");
	if (strcmp(url->port, "0") == 0)
		return gr_fail(err, failure, 0, "URL refused: port 0");
	return 0;
}

/* Without a scheme only "/path" is taken, and only where there is a base. */
static bool is_bare(const char *text, const char *base)
{
	if (text[0] == '/')
		return !base || text[1] == '/';
	return text[0] == '?' || text[0] == '#' || !text[0];
}

static bool has_user(const struct url *url)
{
	return has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD) || has_part(url, CURLUPART_OPTIONS);
}

/* base: what a relative URL is relative to, or NULL. */
static int url_parse(struct url *url, const char *text, const char *base, enum gr_failure failure, struct gr_error *err)
{
	int r = check_raw(text, failure, err);
	CURLUcode code = CURLUE_OK;

	if (r < 0)
		return r;
	if (is_bare(text, base))
		return gr_fail(err, failure, 0, "URL refused: it names no server in a way that can be trusted");
	if (text[0] != '/' && !strstr(text, "://"))
		return gr_fail(err, failure, 0, "URL refused: it does not begin with https://");
	url->parts = curl_url();
	if (!url->parts)
		return gr_fail(err, GR_INTERNAL, 0, "libcurl cannot parse URLs");
	if (text[0] == '/')
		code = curl_url_set(url->parts, CURLUPART_URL, base, 0);
	if (code == CURLUE_OK)
		code = curl_url_set(url->parts, CURLUPART_URL, text, CURLU_DISALLOW_USER);
	if (code == CURLUE_USER_NOT_ALLOWED || (code == CURLUE_OK && has_user(url)))
		return gr_fail(err, failure, 0, "URL refused: it holds a user name");
	if (code != CURLUE_OK)
		return gr_fail(err, failure, 0, "URL refused: %s", curl_url_strerror(code));
	return split(url, failure, err);
}

static bool same_host(const char *a, const char *b)
{
	size_t bytes = b ? strlen(b) : 0;
	GR_AUTO_FREE char *plain = gr_strndup(b, bytes > 1 && b[bytes - 1] == '.' ? bytes - 1 : bytes);

	return bytes && text_equal_nocase(a, plain);
}

/* A server on this machine may call itself 127.0.0.1 or localhost, whichever name it was called by. */
static bool is_base(const struct url *url, const struct url *base)
{
	bool is_here = host_is_loopback(url->host) && host_is_loopback(base->host);

	return (is_here || same_host(url->host, base->host)) && text_equal(url->port, base->port) &&
	       text_equal(url->scheme, base->scheme);
}

/* Further hosts are https on its usual port, whatever the server itself is. */
static bool is_allowed(const struct url *url, const char *const *hosts)
{
	if (!text_equal(url->scheme, "https") || !text_equal(url->port, "443"))
		return false;
	for (; hosts && *hosts; hosts++)
		if (same_host(url->host, *hosts))
			return true;
	return false;
}

static int check_address(const struct url *url, const struct url *base, enum gr_failure failure, struct gr_error *err)
{
	struct sockaddr_storage address;

	if (host_is_local(base->host))
		return 0;
	if (host_is_loopback(url->host) ||
	        (address_parse(url->host, &address) && address_is_special((const struct sockaddr *)&address)))
		return gr_fail(err, failure, 0, "URL refused: '%s' is this machine or its neighbourhood", url->host);
	return 0;
}

static int rebuild(const struct url *url, char **ret_url, struct gr_error *err)
{
	char *text = NULL;

	if (curl_url_set(url->parts, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
	        curl_url_get(url->parts, CURLUPART_URL, &text, 0) != CURLUE_OK)
		return gr_fail(err, GR_INTERNAL, 0, "libcurl cannot put a URL together");
	*ret_url = gr_strdup(text);
	curl_free(text);
	return 0;
}

int url_gate(const char *url, const char *base_url, const char *const *allowed_hosts, enum gr_failure failure,
        char **ret_url, struct gr_error *err)
{
	AUTO_URL struct url base = {0};
	AUTO_URL struct url parsed = {0};
	GR_AUTO_BUFFER struct buffer host = {0};
	int r = url_parse(&base, base_url, NULL, GR_CONFIG, err);

	if (r < 0)
		return r;
	r = url_parse(&parsed, url, base_url, failure, err);
	if (r < 0)
		return r;
	assert(parsed.host != NULL); /* nothing is accepted without one */
	text_excerpt(&host, parsed.host, strlen(parsed.host), HOST_SHOWN_BYTES);
	if (!is_base(&parsed, &base) && !is_allowed(&parsed, allowed_hosts))
		return gr_fail(err, failure, 0,
		        "URL refused: '%s://%s:%s' is neither the server (%s://%s:%s) nor https on port 443 of an "
		        "allowed "
		        "download host",
		        parsed.scheme, buffer_text(&host), parsed.port, base.scheme, base.host, base.port);
	r = check_address(&parsed, &base, failure, err);
	return r < 0 ? r : rebuild(&parsed, ret_url, err);
}

int url_post(const char *url, char **ret_url, struct gr_error *err)
{
	AUTO_URL struct url parsed = {0};
	int r = url_parse(&parsed, url, NULL, GR_CONFIG, err);

	if (r < 0)
		return r;
	if (!text_equal(parsed.scheme, "https") &&
	        !(text_equal(parsed.scheme, "http") && host_is_loopback(parsed.host)))
		return gr_fail(err, GR_CONFIG, 0, "URL refused: it must begin with https://");
	return rebuild(&parsed, ret_url, err);
}

int url_base(const char *url, bool insecure_http, char **ret_url, struct gr_error *err)
{
	AUTO_URL struct url parsed = {0};
	int r = url_parse(&parsed, url, NULL, GR_CONFIG, err);
	size_t bytes;

	if (r < 0)
		return gr_context(err, "server URL");
	if (!text_equal(parsed.scheme, "https") && !text_equal(parsed.scheme, "http"))
		return gr_fail(err, GR_CONFIG, 0, "server URL: the scheme is '%s', it must be https", parsed.scheme);
	if (text_equal(parsed.scheme, "http") && !insecure_http && !host_is_loopback(parsed.host))
		return gr_fail(err, GR_CONFIG, 0,
		        "server URL: plain http would show the token to the network; use https, or say insecure_http: "
		        "true");
	if (has_part(&parsed, CURLUPART_QUERY) || has_part(&parsed, CURLUPART_FRAGMENT))
		return gr_fail(err, GR_CONFIG, 0, "server URL: it must not have a '?' or '#' part");
	r = rebuild(&parsed, ret_url, err);
	if (r < 0)
		return r;
	for (bytes = strlen(*ret_url); bytes && (*ret_url)[bytes - 1] == '/'; bytes--)
		(*ret_url)[bytes - 1] = '\0';
	return 0;
}

unsigned url_port(const char *url)
{
	AUTO_URL struct url parsed = {0};
	int64_t port = 0;

	if (url_parse(&parsed, url, NULL, GR_CONFIG, NULL) < 0 || !number_parse_int(parsed.port, &port))
		return 0;
	return port > 0 && port <= UINT16_MAX ? (unsigned)port : 0;
}
