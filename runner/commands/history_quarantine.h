/* Inside commands: flaky tests as a quarantine. */
#ifndef GRIDLANE_COMMANDS_HISTORY_QUARANTINE_H
#define GRIDLANE_COMMANDS_HISTORY_QUARANTINE_H

#include <jansson.h>

/* rows: of history_flaky(). owner NULL: empty, which `gridlane validate` asks to be filled. */
void quarantine_print(const json_t *rows, const char *owner);

#endif
