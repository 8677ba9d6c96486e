/* Inside reporters: what a JUnit document is made of. Suites hold entries; counters and elements are both made from the
 * entries, so that they cannot disagree. */
#ifndef GRIDLANE_REPORTERS_JUNIT_H
#define GRIDLANE_REPORTERS_JUNIT_H

#include <jansson.h>

#include "runner/base/redact.h"
#include "runner/results/model.h"

struct junit_entry { /* one testcase element */
	enum case_status status;
	enum gr_failure failure;
	char *name, *class_name; /* clean, unique together */
	const char *reason; /* as received, or NULL */
	char *words; /* what reason points to where it is not received, or NULL */
	bool is_quarantined; /* failed, and that does not count: skipped, where there is no other word for it */
	const struct test_case *test; /* NULL: not a test of the server's */
	int64_t time_ms;
};

struct junit_suite {
	char *name; /* "Pixel 7 - Android 14", clean, unique */
	char *slug; /* the same for classnames: no dots */
	const struct device_run *run; /* NULL: the suite of gridlane itself */
	struct junit_entry *entries;
	size_t count;
	size_t counts[STATUS_ERROR + 1];
	int64_t time_ms; /* sum of the entries' */
};

/* Hands out the suites of a document one after another. */
struct junit_plan {
	const struct results *results;
	struct redactor *redactor;
	const struct device_run **runs; /* in the order of their lanes, the same from build to build */
	size_t next;
	json_t *suites; /* names given out, with how often */
	json_t *slugs; /* of all suites, with how often */
	json_t *own_names; /* names of the suite's entries, with how often */
	json_t *shared_names; /* the same of all suites whose slug is another one's as well */
	json_t *names; /* the one of the two that counts now */
	size_t entries; /* so far */
	bool is_over;
};
void junit_plan_init(struct junit_plan *plan, const struct results *results, struct redactor *redactor);
void junit_plan_release(struct junit_plan *plan);
/* false: there is no further suite. A suite has at least one entry. */
bool junit_plan_next(struct junit_plan *plan, struct junit_suite *ret_suite);
void junit_suite_release(struct junit_suite *suite);

/* Is it a file of that device run which reports can name? */
bool artifact_is_of_run(const struct artifact *file, const struct device_run *run);
/* Is it, beside that, of the start that this outcome came from? Files of no further start are of the first one. */
bool artifact_is_of_start(const struct artifact *file, const struct device_run *run, unsigned rerun);
/* Of attempts that came from one start the last one has its files, so that each is named once. `index` of an earlier
 * attempt. */
bool attempt_has_files(const struct test_case *test, size_t index);

#endif
