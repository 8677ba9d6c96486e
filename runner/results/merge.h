/* One set of results of several runs: the parallel jobs of one CI pipeline. Pure. */
#ifndef GRIDLANE_RESULTS_MERGE_H
#define GRIDLANE_RESULTS_MERGE_H

#include "runner/results/model.h"

/* An empty merge; results_judge() at the end. */
void merge_init(struct results *ret_all, const char *tool);
/* Add a judged run, which is emptied. Lanes are named "NAME/LANE" afterwards; paths of files have `path` put before
 * them (the folder in which the merge has them). A run that is there already is left out, and that is said by a
 * warning; one of another commit is a problem. */
void merge_add(struct results *all, struct results *part, const char *name, const char *path);
/* A part that should be there is not. */
void merge_add_missing(struct results *all, const char *name, const char *why);
bool merge_has(const struct results *all, const char *name);
bool merge_has_run(const struct results *all, const char *run_id);

#endif
