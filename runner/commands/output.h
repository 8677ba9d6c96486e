/* The output folder of a run: gridlane-out/RUN-ID unless --out says otherwise, with gridlane-out/latest pointing to it.
 */
#ifndef GRIDLANE_COMMANDS_OUTPUT_H
#define GRIDLANE_COMMANDS_OUTPUT_H

#include "pipelines/plan.h"
#include "runner/base/error.h"
#include "runner/base/redact.h"
#include "runner/results/event.h"
#include "runner/results/model.h"

struct output {
	char *path; /* absolute */
	char *shown; /* as users see it, relative where they gave it so */
	int directory;
	char run_id[40]; /* "20261124T030000Z-1a2b3c" */
	char run_key[13]; /* 12 hex digits; the same for a repeated CI job */
	bool has_job; /* the key is that of a CI job */
};
/* wanted: --out, or NULL. Makes the folder. */
int output_open(const char *wanted, struct output *ret_output, struct gr_error *err);
/* The folder of an earlier run. GR_CONFIG when it is not there. */
int output_reopen(const char *path, struct output *ret_output, struct gr_error *err);
/* Take run_id and run_key of that run's journal. */
void output_adopt(struct output *output, const json_t *head);
/* results.json of the folder; GR_CONFIG when there is none. */
int output_read_results(const struct output *output, struct results *ret_results, struct gr_error *err);
void output_release(struct output *output);

/* Write results.json, the reports that the plan and --report name (junit, summary and html when none are named) and the
 * bundle; each place is said as a note. plan may be NULL (the pipeline could not be read): the default reports then.
 * The first error is returned after everything was tried. */
struct output_readers {
	struct event_reader *readers;
	size_t count;
};
struct output_order {
	const struct plan *plan; /* or NULL */
	const char *const *wanted; /* values of --report, or NULL */
	struct redactor *redactor;
	struct output_readers readers;
	bool is_ahead; /* output_write_again: with results.json, which says something else or is not there */
	bool is_anew; /* what was written is written over: the places were said */
	bool for_ci; /* output_write_again: with what the CI system of this job reads, too */
	const struct key *signer; /* of attestations, or NULL */
	struct buffer *printed; /* takes what the CI system reads in the log; printed after the console's last line */
};
int output_write_reports(const struct output *output, const struct output_order *order, const struct results *results,
        struct gr_error *err);
/* A new run begins in a folder that may have reports of an earlier one: should it be killed, those must not pass for
 * its own. */
void output_forget(const struct output *output, const struct plan *plan, const char *const *wanted);
/* The named reports alone (junit, summary and html when none are named), and results.json as the order says: no bundle.
 */
int output_write_again(const struct output *output, const struct output_order *order, const struct results *results,
        struct gr_error *err);
/* The bundle of what is in the folder. *ret_name is the caller's. */
int output_write_bundle(const struct output *output, const struct output_order *order, const struct results *results,
        char **ret_name, struct gr_error *err);
/* Take what vouches for the run off the disk: it did not end as it was written. */
void output_take_back(const struct output *output, const struct output_order *order);
/* Is this format among those that the plan and --report name? */
bool output_is_wanted(const struct output_order *order, const char *format);
/* Hand one event to all readers. */
void output_emit(const struct output_readers *readers, struct run_event *event);
/* Does --report name a format of this version? GR_USAGE with the nearest one otherwise. */
int output_check_reports(const char *const *wanted, struct gr_error *err);

#endif
