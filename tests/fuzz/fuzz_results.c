/* results.json of a stranger, as `report` and `report merge` read it: judged, merged, and made into every report, none
 * of which may refuse what the model took. What was made of it can be read again, and says the same. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reporters/reporter.h"
#include "runner/base/json_read.h"
#include "runner/base/memory.h"
#include "runner/results/merge.h"
#include "tests/fuzz/fuzz.h"

#define DEPTH 32

static int remove_it(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	(void)info;
	(void)kind;
	(void)place;
	FUZZ_MUST(remove(path) == 0);
	return 0;
}

static void report(const struct results *results)
{
	char folder[] = "/tmp/gridlane-fuzz-XXXXXX";
	GR_AUTO_BUFFER struct buffer printed = {0};
	GR_AUTO_CLOSE int directory = -1;
	struct report_context context = {.printed = &printed, .workspace_path = "out"};

	FUZZ_MUST(mkdtemp(folder) != NULL);
	directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	context.directory = directory;
	context.folder = folder;
	context.redactor = redactor_new();
	(void)redactor_add(context.redactor, "secret-of-the-fuzzer");
	for (const struct reporter *reporter = reporters; reporter->name; reporter++) {
		struct gr_error err = {0};

		if (strcmp(reporter->name, "attestation") != 0) /* has a target of its own */
			FUZZ_MUST(reporter->write(results, reporter->target, &context, &err) == 0);
	}
	FUZZ_MUST(printed.bytes == 0 || !strstr(buffer_text(&printed), "secret-of-the-fuzzer"));
	redactor_free(context.redactor);
	FUZZ_MUST(nftw(folder, remove_it, DEPTH, FTW_DEPTH | FTW_PHYS) == 0);
}

static void merge(struct results *part)
{
	struct results all;

	merge_init(&all, "fuzz");
	merge_add(&all, part, "part", "../part");
	results_judge(&all);
	FUZZ_MUST(all.part_count == 1 || all.problem_count > 0);
	results_release(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	GR_AUTO_JSON json_t *json = NULL;
	GR_AUTO_JSON json_t *again = NULL;
	struct results results = {0}, copy = {0};
	struct gr_error err = {0};
	const char *why;

	buffer_add(&text, data, bytes);
	json = json_read_own(&text, &why);
	if (!json || results_from_json(json, &results, &err) != 0)
		return 0;
	results_judge(&results);
	again = results_to_json(&results);
	FUZZ_MUST(results_from_json(again, &copy, &err) == 0 && copy.verdict == results.verdict);
	report(&results);
	merge(&copy);
	results_release(&copy);
	results_release(&results);
	return 0;
}
