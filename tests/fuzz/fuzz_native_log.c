/* Logs of native tests: whatever is in them, names are UTF-8 and every case has one of the known ends. */
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/steps/native_log.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	GR_AUTO_FREE char *text = gr_alloc(bytes + 1, 1); /* of its own, so that a byte too far is seen */
	struct native_log log = {0};
	bool has_cases;

	if (bytes > 0)
		memcpy(text, data, bytes);
	has_cases = native_log_parse(text, bytes, &log);
	FUZZ_MUST(has_cases == (log.case_count > 0));
	for (size_t i = 0; i < log.case_count; i++)
		FUZZ_MUST(log.cases[i].name != NULL);
	native_log_release(&log);
	return 0;
}
