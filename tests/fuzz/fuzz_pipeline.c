/* A pipeline file becomes a plan, or diagnostics; both can be printed. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pipelines/plan.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	const struct plan_options options = {.allow_outside = true};
	struct diagnostics diagnostics = {0};
	struct plan *plan = NULL;
	struct gr_error err = {0};
	GR_AUTO_BUFFER struct buffer out = {0};
	GR_AUTO_CLOSE int fd = memfd_create("pipeline.yml", MFD_CLOEXEC);
	char path[64];
	int r;

	FUZZ_MUST(fd >= 0 && file_write_all(fd, (const char *)data, bytes) == 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = plan_load(path, &options, &plan, &diagnostics, &err);
	FUZZ_MUST((r == 0) == (plan != NULL));
	FUZZ_MUST(r == 0 || diagnostics.errors > 0 || err.text[0]);
	diagnostics_print_text(&diagnostics, &out);
	diagnostics_print_json(&diagnostics, &out);
	diagnostics_print_github(&diagnostics, &out);
	if (plan) {
		FUZZ_MUST(plan_print(plan, &(struct plan_view){.format = "text"}, &out, &err) == 0);
		FUZZ_MUST(plan_print(plan, &(struct plan_view){.format = "json"}, &out, &err) == 0);
		FUZZ_MUST(plan_print(plan, &(struct plan_view){.format = "mermaid"}, &out, &err) == 0);
		for (size_t i = 0; i < plan->step_count; i++)
			FUZZ_MUST(plan_print_step(plan, plan->steps[i].id, &out, &err) == 0);
	}
	plan_free(plan);
	diagnostics_release(&diagnostics);
	return 0;
}
