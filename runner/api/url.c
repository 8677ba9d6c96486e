#include "runner/api/model.h"

#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"

/* Where the path of a URL begins; a text without scheme and host is all path. */
static const char *path_of(const char *url)
{
	const char *host = strstr(url, "://");

	if (host && host < url + strcspn(url, "/?#"))
		return host + 3 + strcspn(host + 3, "/?#");
	if (strncmp(url, "//", 2) == 0)
		return url + 2 + strcspn(url + 2, "/?#");
	return url;
}

char *url_last_segment(const char *url)
{
	const char *path = url ? path_of(url) : "";
	const char *end = path + strcspn(path, "?#");
	const char *start;

	while (end > path && end[-1] == '/')
		end--;
	for (start = end; start > path && start[-1] != '/';)
		start--;
	if (start == end || (end - start == 1 && *start == '.') || (end - start == 2 && memcmp(start, "..", 2) == 0))
		return NULL;
	return gr_strndup(start, (size_t)(end - start));
}

char *url_plain(const char *url)
{
	struct buffer out = {0};
	const char *mark = NULL;

	if (!url)
		return NULL;
	for (; (mark = strstr(url, "&amp;")) != NULL; url = mark + strlen("&amp;")) {
		buffer_add(&out, url, (size_t)(mark - url));
		buffer_add_char(&out, '&');
	}
	buffer_add_text(&out, url);
	return buffer_take(&out);
}

char *answer_url(const json_t *object, const char *names)
{
	GR_AUTO_FREE char *text = answer_text(object, names);

	return url_plain(text);
}
