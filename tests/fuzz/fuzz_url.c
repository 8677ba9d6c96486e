/* The URL gate: what it lets through is the server or https on an allowed host, and passes once more unchanged. */
#include <string.h>
#include <strings.h>

#include "runner/base/memory.h"
#include "runner/net/address.h"
#include "runner/net/transfer.h"
#include "tests/fuzz/fuzz.h"

static const char base[] = "https://good.example:8443/base";
static const char *const hosts[] = {"files.example", NULL};

/* One of the servers, and nothing between its name and the path. */
static bool is_ours(const char *url)
{
	static const char *const servers[] = {
	        "https://good.example:8443", "https://files.example:443", "https://files.example"};

	for (size_t i = 0; i < GR_COUNT(servers); i++) {
		size_t bytes = strlen(servers[i]);

		if (strncasecmp(url, servers[i], bytes) == 0 && (url[bytes] == '/' || url[bytes] == '?' || !url[bytes]))
			return true;
	}
	return false;
}

static void check(const char *url)
{
	struct gr_error err = {0};
	char *again = NULL;

	FUZZ_MUST(strpbrk(url, " \t\r\n\\") == NULL);
	FUZZ_MUST(is_ours(url));
	FUZZ_MUST(url_gate(url, base, hosts, GR_PROTOCOL, &again, &err) == 0);
	FUZZ_MUST(strcmp(again, url) == 0);
	gr_free(again);
}

/* A host is local only when it is one of the addresses that are, or has the name. */
static void check_host(const char *host)
{
	struct sockaddr_storage address;
	const struct sockaddr *any = (const struct sockaddr *)&address;

	if (!address_parse(host, &address)) {
		FUZZ_MUST(host_is_loopback(host) == host_is_local(host));
		return;
	}
	FUZZ_MUST(host_is_loopback(host) == address_is_loopback(any));
	FUZZ_MUST(host_is_local(host) == (address_is_loopback(any) || address_is_private(any)));
	FUZZ_MUST(!address_is_loopback(any) || address_is_special(any));
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
	check_host(text);
	err = (struct gr_error){0};
	if (url_base(text, false, &server, &err) == 0)
		FUZZ_MUST(strncmp(server, "https://", 8) == 0 || strncmp(server, "http://", 7) == 0);
	return 0;
}
