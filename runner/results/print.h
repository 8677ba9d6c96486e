/* The model as JSON text, written as it is read: results.json (json.c says what is in it) without a tree of it in
 * memory. Every text of others is redacted. */
#ifndef GRIDLANE_RESULTS_PRINT_H
#define GRIDLANE_RESULTS_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "runner/base/buffer.h"
#include "runner/base/redact.h"
#include "runner/results/model.h"

struct printer {
	struct redactor *redactor;
	/* A value of others as redacted text, the caller's; NULL when it cannot be text. */
	char *(*json)(struct redactor *redactor, const json_t *value);
	void (*let_go)(void *user, const char *data, size_t bytes); /* takes what is printed, in pieces */
	void *user;
	bool has_lines; /* members of the whole and elements of lists stand on lines of their own */
	bool is_broken; /* something could not be text */
	struct buffer out; /* printed, and not let go yet */
};

void results_print(struct printer *printer, const struct results *results);
void device_run_print(struct printer *printer, const struct device_run *run);
/* Let the rest go. false: something could not be text. */
bool printer_end(struct printer *printer);

#endif
