/* Inside reporters: the functions of the table in reporter.c. */
#ifndef GRIDLANE_REPORTERS_FORMATS_H
#define GRIDLANE_REPORTERS_FORMATS_H

#include "reporters/reporter.h"

int json_report_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int junit_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int junit_files_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int summary_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int html_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int github_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int gitlab_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int azure_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int teamcity_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int buildkite_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int ctrf_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int allure_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int tap_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int attestation_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int predicate_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);

/* The summary's text, for whatever shows Markdown. Appends to out. */
void summary_text(const struct results *results, struct redactor *redactor, struct buffer *out);

/* Remove what an earlier run left in a report's folder: its readers take every file for one of this run. */
void report_folder_clear(int directory, const char *folder, bool (*is_ours)(const char *name));

#endif
