/* What `collect` has to do, as a list that grows: answers name more files. It is JSON, so that a resumed run goes on
 * where it was. */
#ifndef GRIDLANE_STEPS_COLLECT_JOBS_H
#define GRIDLANE_STEPS_COLLECT_JOBS_H

#include "runner/steps/step.h"

/* A job is {name, url, text} for a file to fetch, or {name, call, arguments} for an answer to keep (name null: not
 * kept) and to look into, or {name, missing} for what cannot be had. */

/* From the step's fields: a new list. */
json_t *collect_jobs_new(const struct step *step);
/* What the answer to a job names further: jobs are added to the end. */
void collect_jobs_extend(const struct step *step, json_t *jobs, const json_t *job, const json_t *answer);
/* When all are done: what was asked for and has no file is listed as missing. For a step that the pipeline does not
 * write itself (`implied`) only what its run should have: it is asked for after all kinds of runs. */
void collect_jobs_close(const struct step *step, json_t *jobs);

#endif
