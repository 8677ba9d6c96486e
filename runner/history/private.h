/* Inside history. */
#ifndef GRIDLANE_HISTORY_PRIVATE_H
#define GRIDLANE_HISTORY_PRIVATE_H

#include "runner/history/history.h"
#include "runner/history/store.h"

struct history {
	struct store store;
};

/* 95 % bounds of a rate of `hits` in `all` (Wilson's score interval): 0 to 1; 0 and 1 when all is 0. */
void statistics_bounds(int64_t hits, int64_t all, double *ret_low, double *ret_high);

/* Can this URL be meant? Else GR_USAGE, without any part of it. */
int place_check(const char *place, struct gr_error *err);

/* What names a test in the history: the class ("" when there is none), the name with its data, the device. */
struct test_name {
	char *class_name, *name, *device;
};
void test_name_init(
        struct test_name *name, const struct device_run *run, const struct test_case *test, struct redactor *redactor);
void test_name_release(struct test_name *name);

/* A column of a row. */
const char *row_text(const json_t *row, size_t column); /* NULL for null */
int64_t row_number(const json_t *row, size_t column); /* -1 for null */

#endif
