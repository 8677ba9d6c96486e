/* Inside the JUnit reporter: one document, and the parts of suites that stand in it. */
#ifndef GRIDLANE_REPORTERS_JUNIT_DOCUMENT_H
#define GRIDLANE_REPORTERS_JUNIT_DOCUMENT_H

#include <libxml/xmlwriter.h>

#include "reporters/junit.h"

/* GitLab refuses files over 30 MiB, and takes 100 MB a job. Once the texts of all files together have this size, each
 * further one is cut. */
#define JUNIT_TEXT_BUDGET (12 * 1024 * 1024)
#define JUNIT_TEXT_LATER 200
#define JUNIT_ATTACHMENTS 20 /* of a case */

struct libxml2 {
#define SYMBOL(name) __typeof__(name) *name;
#include "reporters/libxml2.def"
#undef SYMBOL
};

/* Once however often it is asked for. GR_CONFIG: it is not there. */
int junit_load(struct libxml2 *ret_library, struct gr_error *err);

struct document {
	struct libxml2 library; /* loaded */
	xmlTextWriterPtr xml;
	struct redactor *redactor;
	const struct results *results;
	const char *workspace_path; /* of the output folder; NULL: no attachments */
	size_t text_bytes; /* written so far, in earlier files as well */
	size_t suites; /* of this file */
	bool is_strict; /* the suite is the root, with the attributes that strict schemas know alone */
	bool is_broken; /* libxml2 refused something */
};

/* Entries of a suite that stand in one file: all of them, unless there are very many. */
struct junit_part {
	const struct junit_suite *suite;
	char *name;
	size_t first, count;
	size_t counts[STATUS_ERROR + 1];
	int64_t time_ms;
	size_t bytes; /* about so many in a file */
};

void junit_start_root(struct document *document, int64_t time_ms);
void junit_write_part(struct document *document, const struct junit_part *part);
void junit_end_root(struct document *document);

#endif
