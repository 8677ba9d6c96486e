/* The URL gate: what it lets through is the server or https on an allowed host, and passes once more unchanged. */
#include <string.h>

#include "runner/base/memory.h"
#include "runner/net/transfer.h"
#include "tests/fuzz/fuzz.h"

static const char base[] = "https://good.example:8443/base";
static const char *const hosts[] = {"files.example", NULL};

static void check(const char *url)
{
	struct gr_error err = {0};
	char *again = NULL;
	const char *rest = NULL;

	FUZZ_MUST(strchr(url, ' ') == NULL && strchr(url, '\n') == NULL && strchr(url, '\\') == NULL);
	if (strncmp(url, "https://good.example:8443/", 26) == 0)
		rest = url + 25;
	else if (strncmp(url, "https://files.example/", 22) == 0)
		rest = url + 21;
	else if (strncmp(url, "https://files.example:443/", 26) == 0)
		rest = url + 25;
	else if (strncmp(url, "https://good.example.:8443/", 27) == 0 ||
	         strncmp(url, "https://files.example./", 23) == 0)
		rest = url;
	else
		for (const char *c = url; *c && !rest; c++)
			if ((*c == '/' || *c == '?') && c - url > 8)
				rest = c; /* a host in other letters: its name is looked at below */
	FUZZ_MUST(rest != NULL && strchr(url, '@') == NULL ? true : rest != NULL && strchr(rest, '@') != NULL);
	FUZZ_MUST(url_gate(url, base, hosts, GR_PROTOCOL, &again, &err) == 0);
	FUZZ_MUST(strcmp(again, url) == 0);
	gr_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	GR_AUTO_FREE char *text = gr_strndup((const char *)data, bytes);
	GR_AUTO_FREE char *server = NULL;
	GR_AUTO_FREE char *url = NULL;
	struct gr_error err = {0};

	if (url_gate(text, base, hosts, GR_PROTOCOL, &url, &err) == 0)
		check(url);
	else
		FUZZ_MUST(url == NULL && err.text[0] != '\0');
	err = (struct gr_error){0};
	if (url_base(text, false, &server, &err) == 0)
		FUZZ_MUST(strncmp(server, "https://", 8) == 0 || strncmp(server, "http://", 7) == 0);
	return 0;
}
