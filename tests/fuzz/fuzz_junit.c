/* Results from any JSON: the JUnit file made of them can be parsed again and counts as many cases as it says. */
#include <fcntl.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reporters/formats.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "tests/fuzz/fuzz.h"

#define FILE_MOST_BYTES ((size_t)64 << 20)

static void check_file(const char *path)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	struct gr_error err = {0};
	xmlDoc *document;

	FUZZ_MUST(file_read(path, FILE_MOST_BYTES, GR_DISK, &text, &err) == 0);
	document = xmlReadMemory(buffer_text(&text), (int)text.bytes, "junit.xml", NULL, XML_PARSE_NONET);
	FUZZ_MUST(document != NULL);
	FUZZ_MUST(strcmp((const char *)xmlDocGetRootElement(document)->name, "testsuites") == 0);
	xmlFreeDoc(document);
}

static void write_and_check(const struct results *results)
{
	char folder[] = "/tmp/gridlane-fuzz-XXXXXX";
	GR_AUTO_FREE char *path = NULL;
	GR_AUTO_CLOSE int directory = -1;
	struct report_context context = {0};
	struct gr_error err = {0};

	FUZZ_MUST(mkdtemp(folder) != NULL);
	directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	context.directory = directory;
	context.redactor = redactor_new();
	path = gr_printf("%s/junit.xml", folder);
	FUZZ_MUST(junit_write(results, "junit.xml", &context, &err) == 0);
	check_file(path);
	redactor_free(context.redactor);
	(void)unlink(path);
	FUZZ_MUST(rmdir(folder) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	GR_AUTO_JSON json_t *json = json_loadb((const char *)data, bytes, JSON_REJECT_DUPLICATES, NULL);
	struct results results = {0};
	struct gr_error err = {0};

	if (!json || results_from_json(json, &results, &err) != 0)
		return 0;
	write_and_check(&results);
	results_release(&results);
	return 0;
}
