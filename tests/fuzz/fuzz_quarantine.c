/* A quarantine's file: read with the pipeline that names it, and its patterns tried on tests of any name. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pipelines/plan.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "tests/fuzz/fuzz.h"

static int make_file(const char *name, const char *text, size_t bytes, char path[64])
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	FUZZ_MUST(fd >= 0 && file_write_all(fd, text, bytes) == 0);
	(void)snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

/* Names of tests: the input's own lines, among which may be the patterns themselves. */
static void mark(const struct plan *plan, const char *text, size_t bytes)
{
	GR_AUTO_FREE char *name = gr_strndup(text, bytes < 4096 ? bytes : 4096);
	struct test_case cases[] = {{.name = name, .status = STATUS_FAILED, .failure = GR_FAILED},
	        {.name = name, .class_name = name, .status = STATUS_FAILED, .failure = GR_FAILED},
	        {.name = name, .data = name, .status = STATUS_PASSED}};
	struct device_run run = {.cases = cases, .case_count = GR_COUNT(cases), .device = {.name = name}};
	size_t marked = quarantine_mark(&plan->quarantine, 0, &run);
	struct results results = {.runs = &run, .run_count = 1};

	for (size_t i = 0; i < plan->quarantine.count; i++)
		(void)quarantine_entry_is_used(&plan->quarantine.entries[i], &results);
	FUZZ_MUST(marked <= 2 && !cases[2].quarantine);
	for (size_t i = 0; i < GR_COUNT(cases); i++) {
		gr_free(cases[i].quarantine);
		gr_free(cases[i].quarantine_owner);
		gr_free(cases[i].quarantine_until);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	const struct plan_options options = {.allow_outside = true};
	struct diagnostics diagnostics = {0};
	struct plan *plan = NULL;
	struct gr_error err = {0};
	GR_AUTO_BUFFER struct buffer out = {0};
	char path[64], pipeline_path[64];
	GR_AUTO_CLOSE int fd = make_file("quarantine.yml", (const char *)data, bytes, path);
	GR_AUTO_FREE char *pipeline = gr_printf("version: 1\napp: { name: S }\nquarantine: %s\n"
	                                        "steps: [{ uses: run, with: { command: [ls] } }]\n",
	        path);
	GR_AUTO_CLOSE int pipeline_fd = make_file("pipeline.yml", pipeline, strlen(pipeline), pipeline_path);
	int r = plan_load(pipeline_path, &options, &plan, &diagnostics, &err);

	FUZZ_MUST(fd != pipeline_fd && (r == 0) == (plan != NULL));
	FUZZ_MUST(r == 0 || diagnostics.errors > 0 || err.text[0]);
	diagnostics_print_text(&diagnostics, &out);
	diagnostics_print_json(&diagnostics, &out);
	if (plan)
		mark(plan, (const char *)data, bytes);
	plan_free(plan);
	diagnostics_release(&diagnostics);
	return 0;
}
