/* bundle FOLDER TARGET: the files below FOLDER/artifacts as a bundle, as a run makes it. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "reporters/bundle.h"
#include "reporters/reporter.h"
#include "runner/base/memory.h"

/* What a run knows of its files: names, sizes, hashes (any: they are not looked at again). */
static void add_file(struct results *results, const char *folder, const char *name)
{
	struct artifact *artifact;
	struct stat status;
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/artifacts/%s", folder, name);
	if (name[0] == '.' || stat(path, &status) != 0)
		return;
	results->artifacts = gr_grow(results->artifacts, results->artifact_count, sizeof(*results->artifacts));
	artifact = &results->artifacts[results->artifact_count++];
	*artifact = (struct artifact){.path = gr_printf("artifacts/%s", name),
	        .sha256 = gr_strdup("0000000000000000000000000000000000000000000000000000000000000000"),
	        .bytes = status.st_size,
	        .origin = gr_strdup("server")};
}

int main(int argc, char **argv)
{
	struct results results = {0};
	struct report_context context = {.redactor = redactor_new()};
	struct gr_error err = {0};
	struct dirent *entry;
	char path[4096];
	DIR *files;

	if (argc != 3)
		return 2;
	gr_memory_init();
	(void)snprintf(path, sizeof(path), "%s/artifacts", argv[1]);
	files = opendir(path);
	while (files && (entry = readdir(files)) != NULL)
		add_file(&results, argv[1], entry->d_name);
	if (files)
		(void)closedir(files);
	results.run_id = gr_strdup("bench");
	context.folder = argv[1];
	context.directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (bundle_write(&results, argv[2], &context, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	results_release(&results);
	redactor_free(context.redactor);
	return 0;
}
