/* Results and folders for the tests of reporters. */
#ifndef GRIDLANE_TESTS_REPORTERS_SAMPLE_H
#define GRIDLANE_TESTS_REPORTERS_SAMPLE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reporters/reporter.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"

/* What servers and devices may send, and nobody may see in a report as it is. */
#define HOSTILE                                                                                                        \
	"]]> <b> & \"q\" 'a' \x1b[31mred\x1b[0m \r\n::error::pwned\n##[add-mask]x\n\xe2\x80\xae"                       \
	"bidi \x01\x7f\xc2\x9b \xff\xfe\xc0\xaf "                                                                      \
	"\xef\xbf\xbe \xed\xa0\x80 | `code` <script>alert(1)</script> --> \xc3\xa9"

struct folder {
	char path[64];
	int handle;
};

static inline void folder_make(struct folder *folder)
{
	(void)snprintf(folder->path, sizeof(folder->path), "/tmp/gridlane-test-XXXXXX");
	if (!mkdtemp(folder->path))
		abort();
	folder->handle = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline int folder_remove_one(const char *path, const struct stat *state, int kind, struct FTW *walk)
{
	(void)state;
	(void)kind;
	(void)walk;
	return remove(path);
}

static inline void folder_remove(struct folder *folder)
{
	(void)close(folder->handle);
	(void)nftw(folder->path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The whole file, the caller's (gr_free). */
static inline char *folder_read(const struct folder *folder, const char *name, size_t *ret_bytes)
{
	struct buffer data = {0};
	struct gr_error err = {0};

	if (file_read_at(folder->handle, name, 1 << 28, GR_DISK, &data, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		abort();
	}
	if (ret_bytes)
		*ret_bytes = data.bytes;
	return buffer_take(&data);
}

static inline void folder_write(const struct folder *folder, const char *name, const char *text)
{
	struct file_writer *writer = NULL;
	struct gr_error err = {0};

	if (file_create(folder->handle, name, 0644, &writer, &err) < 0)
		abort();
	file_write_text(writer, text);
	if (file_commit(&writer, &err) < 0)
		abort();
}

static inline struct device_run *sample_run(struct results *results, const char *device, const char *lane)
{
	struct device_run *run;

	results->runs = gr_grow(results->runs, results->run_count, sizeof(*results->runs));
	run = &results->runs[results->run_count++];
	*run = (struct device_run){.lane = gr_strdup(lane),
	        .step = gr_strdup("regression"),
	        .is_complete = true,
	        .started_wall_ms = 1772360130000,
	        .elapsed_ms = 61250,
	        .queued_ms = TIME_UNKNOWN};
	run->device.name = gr_strdup(device);
	run->device.os = gr_strdup("14");
	run->device.platform = gr_strdup("Android");
	run->build_number = gr_strdup("48213");
	run->url = gr_strdup("https://grid.example/builds/48213");
	return run;
}

static inline struct test_case *sample_case(
        struct device_run *run, const char *name, enum case_status status, const char *reason)
{
	struct test_case *test = device_run_add_case(run);

	test->name = gr_strdup(name);
	test->class_name = gr_strdup("com.example.LoginTest");
	test->status = status;
	test->failure = status == STATUS_FAILED ? GR_FAILED : status == STATUS_ERROR ? GR_NOT_RUN : GR_NONE;
	test->reason = gr_strdup(reason);
	test->time_ms = 1500;
	return test;
}

static inline void sample_attempts(struct test_case *test, size_t count, const char *reason)
{
	test->attempts = gr_alloc(count, sizeof(*test->attempts));
	test->attempt_count = count;
	for (size_t i = 0; i < count; i++)
		test->attempts[i] =
		        (struct attempt){.status = STATUS_FAILED, .failure = GR_FAILED, .reason = gr_strdup(reason)};
}

/* A file of the first device run. */
static inline void sample_file(struct results *results, const char *path, unsigned rerun)
{
	results->artifacts = gr_grow(results->artifacts, results->artifact_count, sizeof(*results->artifacts));
	results->artifacts[results->artifact_count++] = (struct artifact){.path = gr_strdup(path),
	        .lane = gr_strdup("phones/0"),
	        .step = gr_strdup("regression"),
	        .rerun = rerun};
}

/* One of everything. */
static inline void sample_fill(struct results *results)
{
	struct device_run *run;

	*results = (struct results){.run_id = gr_strdup("20260301T101530Z-1a2b3c"),
	        .pipeline = gr_strdup("shop-nightly"),
	        .started_wall_ms = 1772360130000,
	        .elapsed_ms = 95000,
	        .has_test_steps = true};
	results_add_step(results, "phones/0", "regression")->outcome = OUTCOME_FAILED;
	results->steps[0].kind = gr_strdup("app_build_run");
	results->steps[0].runs_tests = true;
	results->steps[0].failure = GR_FAILED;
	run = sample_run(results, "Pixel 7", "phones/0");
	(void)sample_case(run, "logs in", STATUS_PASSED, NULL);
	(void)sample_case(run, "pays by card", STATUS_FAILED, "expected 10.00 but was 9.99\n\tat Checkout.kt:42");
	sample_attempts(&run->cases[1], 2, "first try");
	(void)sample_case(run, "scrolls", STATUS_PASSED, NULL);
	sample_attempts(&run->cases[2], 1, "view not found");
	(void)sample_case(run, "face unlock", STATUS_SKIPPED, "no face unlock");
	(void)sample_case(run, "never ran", STATUS_ERROR, NULL);
	device_run_add_problem(run, GR_INCONSISTENT, "a test vanished");
	(void)results_add_problem(results, GR_NETWORK, "main", "upload", "connection refused");
	results_add_problem(results, GR_SERVER, NULL, NULL, "the counts differ")->is_warning = true;
	results_judge(results);
}

#endif
