/* Inside commands: `report`, and `report merge`. */
#ifndef GRIDLANE_COMMANDS_REPORT_H
#define GRIDLANE_COMMANDS_REPORT_H

#include "runner/commands/session.h"

/* The results of an opened folder: results.json, or (1 is returned) what the journal says when that is ahead of it. */
int report_load(struct session *session, struct gr_error *err);
/* The reports that --report names, of a run that had ended when `resume` or `cleanup` came: nothing else is left to do
 * for it. No --report, no reports. */
int report_asked(struct session *session, struct gr_error *err);
/* Of a run that was killed and whose folder is only read: what the journal tells, as results.json and reports. */
int report_unfinished(struct session *session, struct gr_error *err);
/* words: "merge" and the folders; returns the exit status. */
int report_merge(struct session *session, struct gr_error *err);

#endif
