/* What libraries do without memory is their least tested part: those that take an allocator get ours, which ends the
 * process (status 3); libxml2 as soon as it is loaded. Of the others, libyaml says what it lacks, and libarchive ends
 * the process itself: see main.c. */
#include "runner/base/memory.h"
#include "runner/commands/command.h"
#include "runner/history/history.h"

void libraries_init(void)
{
	gr_memory_init();
	history_memory_init();
}
