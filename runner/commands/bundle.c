/* gridlane bundle: look into a bundle, check it, unpack it, make it again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reporters/bundle.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/commands/command.h"
#include "runner/commands/output.h"

static int list(const struct arguments *arguments, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer text = {0};
	int r = bundle_list(arguments->words[1], &text, err);

	if (r == 0)
		(void)fwrite(buffer_text(&text), 1, text.bytes, stdout);
	return r;
}

static int verify(const struct arguments *arguments, struct gr_error *err)
{
	size_t count;
	int r = bundle_verify(arguments->words[1], &count, err);

	if (r == 0)
		printf("%zu members, all as the manifest says\n", count);
	return r;
}

/* "shop-run.tar.gz" goes to "shop-run", here. The caller's. */
static char *folder_of(const char *path)
{
	static const char *const endings[] = {".tar.gz", ".tar.xz", ".tar.zst", ".zip"};
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	for (size_t i = 0; i < GR_COUNT(endings); i++)
		if (text_has_suffix_nocase(name, endings[i]) && strlen(name) > strlen(endings[i]))
			return gr_strndup(name, strlen(name) - strlen(endings[i]));
	return gr_printf("%s.extracted", name);
}

static int extract(const struct arguments *arguments, struct gr_error *err)
{
	GR_AUTO_FREE char *folder =
	        arguments->word_count > 2 ? gr_strdup(arguments->words[2]) : folder_of(arguments->words[1]);
	GR_AUTO_CLOSE int directory = -1;
	size_t count;
	int r = bundle_verify(arguments->words[1], &count, err); /* nothing is written of a bundle that is not whole */

	if (r == 0)
		r = file_make_directory(folder, &directory, err);
	if (r == 0)
		r = bundle_extract(arguments->words[1], directory, &count, err);
	if (r == 0)
		printf("%zu members below %s\n", count, folder);
	return r;
}

/* From what lies in an output folder: the bundle that its run wrote, or would have. */
static int create(const struct arguments *arguments, struct gr_error *err)
{
	struct output output = {.directory = -1};
	struct results results = {0};
	struct report_context context = {0};
	GR_AUTO_FREE char *name = NULL;
	int r = 0;

	if (arguments->word_count > 2 && !file_is_below(arguments->words[2]))
		r = gr_fail(err, GR_USAGE, 0, "bundle create: '%s' is no name of a file in the folder",
		        arguments->words[2]);
	if (r == 0)
		r = output_reopen(arguments->words[1], &output, err);
	if (r == 0)
		r = output_read_results(&output, &results, err);
	context.directory = output.directory; /* the results are redacted already */
	if (r == 0) {
		name = arguments->word_count > 2 ? gr_strdup(arguments->words[2])
		                                 : gr_printf("%s.tar.gz", results.run_id ? results.run_id : "run");
		r = bundle_write(&results, name, &context, err);
	}
	if (r == 0)
		printf("%s/%s\n", output.shown, name);
	results_release(&results);
	output_release(&output);
	return r;
}

int command_bundle(const struct arguments *arguments)
{
	static const struct {
		const char *name;
		size_t most;
		int (*run)(const struct arguments *arguments, struct gr_error *err);
	} actions[] = {{"list", 2, list}, {"verify", 2, verify}, {"extract", 3, extract}, {"create", 3, create}};
	struct gr_error err = {0};

	for (size_t i = 0; i < GR_COUNT(actions); i++) {
		if (strcmp(arguments->words[0], actions[i].name) != 0)
			continue;
		if (arguments->word_count > actions[i].most)
			(void)gr_fail(&err, GR_USAGE, 0, "bundle %s takes one bundle", actions[i].name);
		else
			(void)actions[i].run(arguments, &err);
		return err.failure ? complain(&err) : 0;
	}
	(void)gr_fail(&err, GR_USAGE, 0, "bundle '%s' is none of list, verify, extract, create", arguments->words[0]);
	return complain(&err);
}
