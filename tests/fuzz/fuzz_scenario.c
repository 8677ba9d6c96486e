/* A sandbox's scenario: YAML that is read and found right, or refused with words. */
#include "runner/base/memory.h"
#include "sandbox/scenario.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	GR_AUTO_FREE char *text = gr_strndup((const char *)data, bytes);
	GR_AUTO_JSON json_t *scenario = NULL;
	struct gr_error err = {0};

	if (scenario_parse(text, bytes, "s.yml", &scenario, &err) != 0 || scenario_check(scenario, "s.yml", &err) != 0)
		FUZZ_MUST(err.text[0] != '\0');
	return 0;
}
