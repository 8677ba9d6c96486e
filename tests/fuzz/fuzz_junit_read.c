/* What a command of a `run` step left as its JUnit file: test cases, or one error. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/engine/document.h"
#include "tests/fuzz/fuzz.h"

static bool is_text(const json_t *test, const char *key)
{
	const json_t *value = json_object_get(test, key);

	return !value || json_is_string(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	GR_AUTO_CLOSE int fd = memfd_create("junit.xml", MFD_CLOEXEC);
	GR_AUTO_JSON json_t *cases = NULL;
	const json_t *test;
	struct gr_error err = {0};
	char path[64];
	size_t i;

	FUZZ_MUST(fd >= 0 && file_write_all(fd, (const char *)data, bytes) == 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (junit_read(path, 0, &cases, &err) != 0) {
		FUZZ_MUST(err.text[0] != '\0');
		return 0;
	}
	json_array_foreach (cases, i, test)
		FUZZ_MUST(json_is_string(json_object_get(test, "status")) && is_text(test, "name") &&
		          is_text(test, "reason"));
	return 0;
}
