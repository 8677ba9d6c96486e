/* From bytes to meaning: lenient on types, strict on meaning. The reference gives numbers as 1 and "1", flags as true,
 * 1 and "1", lists as a list, as one object, as JSON inside a text, or as nothing at all. */
#ifndef GRIDLANE_API_ANSWER_H
#define GRIDLANE_API_ANSWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/base/buffer.h"
#include "runner/api/operation.h"
#include "runner/base/error.h"

/* What an answer with a 2xx status says about success. */
enum answer_says {
	ANSWER_SUCCESS, /* every flag present says yes, at least one flag present */
	ANSWER_REFUSED, /* every flag present says no */
	ANSWER_SILENT, /* no flag at all (six operations document no answer) */
	ANSWER_CONTRADICTORY /* success:true beside status:0 */
};

/* Parse a body of at most 64 MiB, 600,000 lists and objects, 4,000,000 values, 64 levels and 1 MiB a text (one
 * pre-scan, then jansson with JSON_REJECT_DUPLICATES; a UTF-8 BOM is skipped). The top must be an object or a list.
 * GR_PROTOCOL otherwise, with the first bytes received, made harmless and cut before the word "token", in the text. */
int answer_parse(const char *body, size_t bytes, json_t **ret_json, struct gr_error *err);
/* The same for a body that is used up by it: it and its tree are not both there at the end. Empty afterwards. */
int answer_take(struct buffer *body, json_t **ret_json, struct gr_error *err);
/* Flags: "success", "status" and "statuscode" at the top: 1, 2xx, true or a word such as "ok" say yes; 0, -1, 3xx to
 * 5xx, false or a word such as "failed" say no. Other values say nothing. */
enum answer_says answer_says(const json_t *answer);
/* The same, as this operation's answers mean it: one of them says "success": false of what it did. */
enum answer_says operation_says(const struct operation *operation, const json_t *answer);
/* Does the answer to a list say, in words and of no mistake, that the list is empty? operation_says() takes such a no
 * for a yes; an HTTP 404 may bring it as well. */
bool operation_says_nothing_there(const struct operation *operation, const json_t *answer);
/* Do the server's words speak of a mistake, or of the token? */
bool answer_speaks_of_error(const json_t *answer);
/* The server's words ("message", "msg", "error", also one level down), made harmless and cut; "" when there are none.
 */
const char *answer_message(const json_t *answer, char text[static 256]);
/* The same of a web page that came in place of an answer: its title. */
const char *answer_page_title(const struct buffer *body, char text[static 256]);
/* Do these words mean an expired or wrong token? */
bool answer_is_about_auth(const json_t *answer);

/* Lenient members: the value of `key`, or of the first of several keys "a|b|c" that is there and not null. The
 * functions below also pass over "" and "null". */
const json_t *answer_member(const json_t *object, const char *keys);
/* The object that says any of `keys`: the answer, or what it holds as an object or a list of one under "data",
 * "response" or "result", two levels down at most; the outermost that does. NULL: none. */
const json_t *answer_holder(const json_t *answer, const char *keys);
/* Integer within +-2^53 from 1, "1", 1.0, true; false if absent or anything else. */
bool answer_int(const json_t *object, const char *keys, int64_t *ret);
/* Text from a text or a number ("" and "null" count as absent; true and false are none). The caller's, or NULL. */
char *answer_text(const json_t *object, const char *keys);
/* true for true, 1, "1", "true", "yes"; false for the opposites and absence. */
bool answer_flag(const json_t *object, const char *keys);
/* Keys under which an answer may have its list (the reference shows `data`). */
#define ANSWER_ROWS "data|response|result"
/* A list from a list, one object, an object of objects ({"0": {}, "1": {}}, {"Pixel 7": {}}), a page of a list
 * ({"data": [], "current_page": 1}), a JSON text of these, and "", null, {} or absence (an empty list); GR_PROTOCOL for
 * others. The result is a new reference. */
int answer_list(const json_t *object, const char *keys, json_t **ret_list, struct gr_error *err);

#endif
