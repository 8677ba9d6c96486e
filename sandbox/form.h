/* Form bodies, streamed: values are kept, files are only counted and hashed. */
#ifndef GRIDLANE_SANDBOX_FORM_H
#define GRIDLANE_SANDBOX_FORM_H

#include <microhttpd.h>
#include <stdbool.h>

#include "sandbox/call.h"

struct form;
/* NULL when the content type is no form. Fields go into call->parameters and call->files. */
struct form *form_new(struct MHD_Connection *connection, struct call *call);
void form_free(struct form *form); /* NULL is fine */
void form_feed(struct form *form, const char *data, size_t bytes);
void form_end(struct form *form); /* the body is complete: the last field is closed; call once, feed no more */

#endif
