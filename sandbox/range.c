#include "sandbox/range.h"

#include <microhttpd.h>
#include <string.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "sandbox/state.h"

static const char *header(const struct exchange *exchange, const char *name)
{
	return exchange->connection != NULL ? MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name)
	                                    : NULL;
}

/* "bytes=100-", the only form that is served; others get the whole, as HTTP allows. */
static bool read_start(const char *range, int64_t *ret_start)
{
	GR_AUTO_FREE char *number = NULL;

	if (range == NULL || !text_has_prefix(range, "bytes=") || range[strlen(range) - 1] != '-')
		return false;
	number = gr_strndup(range + 6, strlen(range) - 7);
	return number_parse_int(number, ret_start) && *ret_start >= 0;
}

void range_apply(const struct exchange *exchange, struct reply *reply)
{
	char sha256[65];
	GR_AUTO_FREE char *tag = NULL;
	GR_AUTO_FREE char *place = NULL;
	const char *condition = header(exchange, "If-Range");
	int64_t start = 0;
	size_t whole = reply->body.bytes;

	file_sha256_memory(buffer_text(&reply->body), whole, sha256);
	tag = gr_printf("\"%.32s\"", sha256);
	if (reply->headers == NULL)
		reply->headers = json_object();
	member_set_text(reply->headers, "ETag", tag);
	if (!read_start(header(exchange, "Range"), &start) || (condition != NULL && strcmp(condition, tag) != 0))
		return;
	if ((size_t)start >= whole) {
		place = gr_printf("bytes */%zu", whole);
		reply->http_status = 416;
		buffer_clear(&reply->body);
	} else {
		place = gr_printf("bytes %zu-%zu/%zu", (size_t)start, whole - 1, whole);
		reply->http_status = 206;
		memmove(reply->body.data, reply->body.data + start, whole - (size_t)start);
		reply->body.bytes = whole - (size_t)start;
		reply->body.data[reply->body.bytes] = '\0';
	}
	member_set_text(reply->headers, "Content-Range", place);
}
