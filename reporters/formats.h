/* Inside reporters: the functions of the table in reporter.c. */
#ifndef GRIDLANE_REPORTERS_FORMATS_H
#define GRIDLANE_REPORTERS_FORMATS_H

#include "reporters/reporter.h"

int json_report_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int junit_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int summary_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);
int html_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);

#endif
