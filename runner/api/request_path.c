#include "runner/api/request_path.h"

#include <stdbool.h>
#include <string.h>

#include "runner/api/handle.h"
#include "runner/api/request.h"
#include "runner/base/memory.h"

void request_wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	gr_free(text);
}

const char *path_text_problem(const char *text)
{
	if (*text == '\0')
		return "is empty";
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return "holds a control character";
	return NULL;
}

const char *path_segment_problem(const char *text)
{
	/* Clients, proxies and servers take these two for steps in the path, in any encoding. */
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return "is no id: '.' and '..' would leave their place in the path";
	return path_text_problem(text);
}

static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c && strchr("-._~", c));
}

void path_add_segment(struct buffer *path, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (is_plain(*text)) {
			buffer_add_char(path, *text);
			continue;
		}
		buffer_add_char(path, '%');
		buffer_add_char(path, hex[c >> 4]);
		buffer_add_char(path, hex[c & 15]);
	}
}

/* ---- handles in a path ---- */

static int hex_value(char c)
{
	return c >= 'A' ? c - 'A' + 10 : c - '0';
}

/* The text of a segment that path_add_segment wrote, the caller's. */
static char *segment_text(const char *segment, size_t bytes)
{
	GR_AUTO_BUFFER struct buffer text = {0};

	for (size_t i = 0; i < bytes; i++) {
		if (segment[i] != '%' || i + 2 >= bytes) {
			buffer_add_char(&text, segment[i]);
			continue;
		}
		buffer_add_char(&text, (char)(hex_value(segment[i + 1]) << 4 | hex_value(segment[i + 2])));
		i += 2;
	}
	return buffer_take(&text);
}

static int add_resolved(
        struct buffer *path, const char *handle, const struct handle_resolver *resolver, struct gr_error *err)
{
	char *secret = resolver->resolve(resolver->context, handle);
	const char *problem = secret ? path_segment_problem(secret) : NULL;
	int rc = 0;

	if (!secret)
		rc = gr_fail(err, GR_AUTH, 0, "the secret '%s' in the path is not known", handle);
	else if (problem)
		rc = gr_fail(err, GR_CONFIG, 0, "the secret '%s' cannot stand in the path: it %s", handle, problem);
	else
		path_add_segment(path, secret);
	request_wipe(secret);
	return rc;
}

int request_resolve_path(struct request *request, const struct handle_resolver *resolver, struct gr_error *err)
{
	struct buffer path = {0};
	int rc = 0;

	for (const char *at = request->path; *at && rc == 0;) {
		size_t bytes = strcspn(at, "/");
		GR_AUTO_FREE char *text = segment_text(at, bytes);

		if (handle_is(text))
			rc = add_resolved(&path, text, resolver, err);
		else
			buffer_add(&path, at, bytes);
		at += bytes;
		if (*at == '/')
			buffer_add_char(&path, *at++);
	}
	if (rc < 0) {
		request_wipe(buffer_take(&path));
		return rc;
	}
	request_wipe(request->path);
	request->path = buffer_take(&path);
	return 0;
}
