/* Which CI system this is, and what it says about the build: from its environment variables, by a table (ci.def). */
#ifndef GRIDLANE_BASE_CI_H
#define GRIDLANE_BASE_CI_H

#include <jansson.h>
#include <stdbool.h>

struct ci { /* each text is owned; NULL where the system does not tell */
	const char *provider; /* "GitLab CI", of the table; NULL: no CI that is known */
	char *build_url, *branch, *commit, *pull_request, *job;
	char *key; /* what stays the same when a job is repeated, "NAME=VALUE" a line; "" if nothing is known */
};

/* Like getenv(); so that tests need not change the environment. */
typedef const char *(*ci_lookup)(void *user, const char *name);
void ci_detect(ci_lookup lookup, void *user, struct ci *ret_ci);
/* From the environment of this process. */
void ci_detect_here(struct ci *ret_ci);
void ci_release(struct ci *ci);

/* {provider, build_url, branch, commit, pull_request, job}: only what is known; NULL when no CI is. A new reference. */
json_t *ci_to_json(const struct ci *ci);

/* The variables of the table's row `index`, for docs and `doctor`: name and sign; false past the end. */
bool ci_provider(size_t index, const char **ret_name, const char **ret_sign);

#endif
