/* The in-toto Statement of a run: its predicate says what came of the tests, its subjects are the builds that were
 * tested. */
#ifndef GRIDLANE_REPORTERS_STATEMENT_H
#define GRIDLANE_REPORTERS_STATEMENT_H

#include <jansson.h>

#include "reporters/reporter.h"

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define PREDICATE_TYPE "https://in-toto.io/attestation/test-result/v0.1"

/* The test-result predicate, a new reference. Digests of results.json and junit.xml are of the files as they are now.
 */
json_t *predicate_make(const struct results *results, const struct report_context *context);
/* The whole Statement, a new reference. GR_CONFIG: no build was tested whose digest is known. */
int statement_make(const struct results *results, const struct report_context *context, json_t **ret_statement,
        struct gr_error *err);

/* What whoever releases a build asks of a statement. */
struct statement_demand {
	const char *const *digests; /* SHA-256 of the builds, in hex, NULL-terminated */
	bool refuses_warnings; /* flaky and tolerated tests are not good enough */
	bool takes_sandbox; /* for rehearsals: the run may have been against the emulated TestGrid */
};
/* A signed payload against it. GR_GATE says what does not fit; ret_statement is a new reference. */
int statement_check(const struct buffer *payload, const struct statement_demand *demand, json_t **ret_statement,
        struct gr_error *err);

#endif
