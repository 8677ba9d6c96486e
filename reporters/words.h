/* Inside reporters: texts of others, made fit to be written. Each is redacted as it came (it may hold a secret in
 * pieces that cleaning would change), cleaned, redacted again (cleaning may put pieces together), and cut last,
 * visibly, between two characters. All of them are legal in XML 1.0 and valid UTF-8. NULL is nothing. */
#ifndef GRIDLANE_REPORTERS_WORDS_H
#define GRIDLANE_REPORTERS_WORDS_H

#include <jansson.h>
#include <stddef.h>

#include "runner/base/buffer.h"
#include "runner/base/redact.h"
#include "runner/results/model.h"

#define WORDS_NAME_BYTES 400 /* of a test: Azure takes 512 characters, and a number may follow */
#define WORDS_MESSAGE_BYTES 3800 /* of an annotation: GitHub takes 4,096 */
#define WORDS_TEXT_BYTES 65536 /* of a failure: what Jenkins and GitLab show in full */

/* One harmless line. Appends to out. */
void words_line(struct redactor *redactor, struct buffer *out, const char *text, size_t most_bytes);
/* A block that keeps its line breaks. Appends to out. */
void words_block(struct redactor *redactor, struct buffer *out, const char *text, size_t most_bytes);
/* One harmless line with Markdown's and HTML's signs taken out of service. Appends to out. */
void words_markdown(struct redactor *redactor, struct buffer *out, const char *text, size_t most_bytes);
/* The bytes of text up to `most_bytes` that do not end inside a character. */
size_t words_cut(const char *text, size_t bytes, size_t most_bytes);
/* The bytes of a clean text that take at most `most` columns of a terminal; ret_columns (may be NULL): how many. What
 * may be two columns wide counts as two, so that no line wraps. */
size_t words_fit(const char *clean, size_t most, size_t *ret_columns);
/* The text, and blanks until `columns` columns are used. Appends to out. */
void words_pad(struct buffer *out, const char *clean, size_t columns);

/* Redact all texts of a JSON value, keys included, in place. Words of ours ("passed") under keys of ours stay. */
void words_redact_json(struct redactor *redactor, json_t *json);

/* "build 7: 3 tests again" of a rerun; the caller's. */
char *rerun_words(const struct rerun *rerun);

/* "Galaxy S21", or what else is known of the device; never NULL. */
const char *device_label(const struct device_info *device);
/* The same, with the id where another device of the results is called so: "Pixel 7 (id 40)". The caller's. */
char *device_label_in(const struct results *results, const struct device_info *device);
/* "took Pixel 1; not taken: Pixel 2 is offline": what a step that selected devices says of its choice, or NULL. */
const char *step_choice(const struct step_result *step);
/* The choice that gave a run its device, or NULL. */
const char *device_choice(const struct results *results, const struct device_run *run);

#endif
