/* What a native run's status and counts prove. */
#ifndef GRIDLANE_STEPS_NATIVE_JUDGE_H
#define GRIDLANE_STEPS_NATIVE_JUDGE_H

#include "runner/api/model.h"
#include "runner/steps/native_log.h"
#include "runner/steps/step.h"

/* GR_NONE: all tests ran and passed; GR_FAILED: tests failed, or the run did; else why neither is proven. */
enum gr_failure native_verdict(const struct step *step, const struct native_device *native);
/* Is this row, of `count`, our device? The run is ours by its id: without an id of the device, its name will do. */
bool native_is_ours(const struct native_device *native, const struct device *ours, size_t count);
/* It is over, and status and counts go together: this is the verdict, whatever comes before the next answer. */
bool native_is_proven(const struct step *step, const struct native_result *answer, const struct native_device *ours);
/* The server says so often, and for so long, that the run is over: is it to be believed yet? Counts may lag behind the
 * status, so that what does not go together is looked at again for a while. ours: our device in the answer, or NULL. */
bool native_is_settled(const struct step *step, const struct native_result *answer, const struct native_device *ours,
        unsigned over_polls, int64_t over_for_ms);
/* Why the tests are not named, the caller's: the log is not there, or names none. */
char *native_log_warning(const char *id, const struct event *event, bool is_there);
/* Rows of other devices in the answer to our run: a problem unless all of them passed. */
void native_judge_others(const struct step *step, const struct native_result *answer, const struct native_device *ours,
        struct device_run *result);
/* One case, named `name`, and what does not go together, as problems. */
void native_judge(
        const struct step *step, const char *name, const struct native_device *native, struct device_run *result);
/* The same with the cases of the run's log, which go over into the result. Where log and counts do not agree, the worse
 * holds and a problem says so; counted tests that the log does not name are errors. */
void native_judge_log(const struct step *step, const char *name, const struct native_device *native,
        struct native_log *log, struct device_run *result);
/* One case for a run that is not followed any more: what polls had proven by then, or an error for `cut`. */
void native_judge_cut(const struct step *step, const char *name, const struct native_device *native,
        enum gr_failure cut, struct device_run *result);
/* At its end this is a verdict that one answer is enough for. Counts may lag behind the status, so that what they leave
 * open is to be said again. */
bool native_is_plain(const struct step *step, const struct native_device *native);
/* Is it at its end, whatever that is? Are all devices of an answer? Then one that is missing will not come. */
bool native_is_over(const struct native_device *native);
bool native_are_over(const struct native_result *result);
/* Does the server still say the same? */
bool native_is_same(const struct native_device *a, const struct native_device *b);
/* Status and counts for people; the caller's. */
char *native_words(const struct native_device *native);
/* A status that nobody knows. */
void native_fail_unknown(const struct native_device *native, struct gr_error *err);
/* The server's counts, where it gave all of them, as outputs: they are what users reckon with, the one case only
 * carries them. */
void native_put_counts(const struct native_device *native, json_t *outputs);

#endif
