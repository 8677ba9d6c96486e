#include <archive.h>
#include <jansson.h>
#include <libxml/xmlversion.h>
#include <stdio.h>

#include "runner/commands/command.h"
#include "runner/net/transfer.h"

int command_version(const struct arguments *arguments)
{
	if (argument_is_given(arguments, OPT_JSON)) {
		json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s}", "gridlane", GRIDLANE_VERSION, "libcurl",
		        transfer_library_version(), "jansson", jansson_version_str(), "libxml2", LIBXML_DOTTED_VERSION,
		        "libarchive", archive_version_string());

		(void)json_dumpf(json, stdout, JSON_INDENT(2));
		json_decref(json);
		printf("\n");
		return 0;
	}
	printf("gridlane %s\n%s\njansson %s, libxml2 %s, %s\n", GRIDLANE_VERSION, transfer_library_version(),
	        jansson_version_str(), LIBXML_DOTTED_VERSION, archive_version_string());
	return 0;
}
