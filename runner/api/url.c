#include "runner/api/model.h"

#include <string.h>

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
