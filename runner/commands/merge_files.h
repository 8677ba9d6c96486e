/* Inside commands: the files of a merge's parts, brought into its own folder, so that its reports and its bundle have
 * them whatever becomes of the parts. */
#ifndef GRIDLANE_COMMANDS_MERGE_FILES_H
#define GRIDLANE_COMMANDS_MERGE_FILES_H

#include "runner/commands/output.h"

/* Files that an earlier merge brought into this folder are taken away again. */
void merge_files_forget(const struct output *output);
/* Give each file of the part's results a second name below `folder` ("merged-parts/1-one") of the merge, or copy it
 * where that cannot be. Paths stay as they are; what cannot be brought is missing, with its reason. */
void merge_files_bring(
        const struct output *output, const struct output *part, struct results *results, const char *folder);
/* That folder's name, the caller's. `number` of the part, from 1. */
char *merge_files_folder(size_t number, const char *name);

#endif
