/* Before libFuzzer's first input. */
#include "runner/base/memory.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	gr_memory_init();
	return 0;
}
