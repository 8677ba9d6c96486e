#include "runner/api/model.h"

#include <string.h>

#include "runner/api/answer.h"
#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"

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

/* The character that an HTML reference at `text` stands for, and its length; 0: it is none, or none of ASCII's. */
static char reference_at(const char *text, size_t *ret_bytes)
{
	static const struct {
		const char *name;
		char character;
	} named[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	size_t bytes = strcspn(text, ";");
	int64_t code = 0, base = 10;

	for (size_t i = 0; i < GR_COUNT(named); i++)
		if (text_has_prefix(text, named[i].name)) {
			*ret_bytes = strlen(named[i].name);
			return named[i].character;
		}
	if (text[bytes] != ';' || bytes > 8 || !text_has_prefix(text, "&#"))
		return 0;
	base = text[2] == 'x' || text[2] == 'X' ? 16 : 10;
	for (const char *at = text + (base == 16 ? 3 : 2); at < text + bytes; at++) {
		const char *digit = strchr(digits, *at);

		if (!digit || (digit - digits) % 16 >= base)
			return 0;
		code = code * base + (digit - digits) % 16;
	}
	*ret_bytes = bytes + 1;
	return code > ' ' && code < 0x7F ? (char)code : 0;
}

/* All references, or none would do: half of them would make a spelling of a secret that nobody knows. Blanks are those
 * of a file's name, which a server put in as it is ("report (1).pdf"). */
char *url_plain(const char *url)
{
	struct buffer out = {0};
	size_t bytes = 0;

	if (!url)
		return NULL;
	while (*url) {
		char meant = *url == '&' ? reference_at(url, &bytes) : 0;

		if (*url == ' ')
			buffer_add_text(&out, "%20");
		else
			buffer_add_char(&out, meant ? meant : *url);
		url += meant ? bytes : 1;
	}
	return out.data ? buffer_take(&out) : gr_strdup("");
}

char *answer_url(const json_t *object, const char *names)
{
	GR_AUTO_FREE char *text = answer_text(object, names);

	return url_plain(text);
}
