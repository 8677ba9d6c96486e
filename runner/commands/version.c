/* gridlane version: its own, and those of the libraries that are loaded, not those it was built with. */
#include <jansson.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "runner/base/library.h"
#include "runner/base/memory.h"
#include "runner/commands/command.h"
#include "runner/net/transfer.h"

/* "libarchive 3.6.2" and "libcurl/7.88.1 OpenSSL/3.0.19": the library says its name as well. */
static const char *after(const char *text, const char *name)
{
	return strncmp(text, name, strlen(name)) == 0 ? text + strlen(name) : text;
}

/* libxml2 tells a number, if it is there: 20914, and perhaps more. */
static char *xml_version(void)
{
	static const char *const names[] = {"xmlParserVersion"};
	struct {
		const char *const *version; /* a variable */
	} library;
	unsigned long long number = 0;

	if (library_load(GRIDLANE_LIBXML2, names, GR_COUNT(names), &library, NULL) < 0)
		return gr_strdup("not found");
	for (const char *at = *library.version; *at >= '0' && *at <= '9' && number < 1000000; at++)
		number = number * 10 + (unsigned long long)(*at - '0');
	return gr_printf("%llu.%llu.%llu", number / 10000, number / 100 % 100, number % 100);
}

static const char *archive_version(void)
{
	static const char *const names[] = {"archive_version_string"};
	struct {
		const char *(*version)(void);
	} library;

	if (library_load(GRIDLANE_LIBARCHIVE, names, GR_COUNT(names), &library, NULL) < 0)
		return "not found";
	return after(library.version(), "libarchive ");
}

static json_t *libraries(void)
{
	GR_AUTO_FREE char *curl = gr_strdup(after(transfer_library_version(), "libcurl/"));
	GR_AUTO_FREE char *xml = xml_version();

	curl[strcspn(curl, " ")] = '\0';
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "libcurl", curl, "libyaml",
	        yaml_get_version_string(), "jansson", jansson_version_str(), "libxml2", xml, "libarchive",
	        archive_version(), "sqlite", sqlite3_libversion(), "openssl", OpenSSL_version(OPENSSL_VERSION_STRING),
	        "libmicrohttpd", MHD_get_version());
}

int command_version(const struct arguments *arguments)
{
	GR_AUTO_JSON json_t *json = libraries();
	const char *name;
	json_t *version;

	if (argument_is_given(arguments, OPT_JSON)) {
		GR_AUTO_JSON json_t *whole = json_pack("{s:s, s:O, s:s}", "gridlane", GRIDLANE_VERSION, "libraries",
		        json, "http", transfer_library_version());

		(void)json_dumpf(whole, stdout, JSON_INDENT(2));
		printf("\n");
		return 0;
	}
	printf("gridlane %s\n\n", GRIDLANE_VERSION);
	json_object_foreach (json, name, version)
		printf("%-13s %s\n", name, json_string_value(version));
	printf("\n%s\n", transfer_library_version());
	return 0;
}
