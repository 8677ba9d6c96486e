/* One HTTP exchange: a request as it comes in, and the plan of its answer. No libmicrohttpd types but the form's. */
#ifndef GRIDLANE_SANDBOX_EXCHANGE_H
#define GRIDLANE_SANDBOX_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/base/buffer.h"
#include "sandbox/call.h"
#include "sandbox/faults.h"
#include "sandbox/form.h"

struct reply {
	int http_status;
	const char *content_type;
	struct buffer body;
	json_t *headers; /* name -> text, or NULL; a new reference */
	enum delivery delivery;
	double ready_at; /* emulated; NEVER: not before the sandbox ends */
	size_t drip_bytes; /* of a slow one: so many at a time, */
	double drip_seconds; /* and so many emulated seconds between */
};

struct exchange {
	struct call call;
	char *method, *path;
	struct form *form;
	struct reply reply;
	bool is_answered, is_suspended, is_queued;
	double wakes_at; /* of a suspended one */
	struct exchange *next, *previous;
	struct MHD_Connection *connection;
};

/* What the server answers to a complete request. fd: of the log. 0 or -errno of the log. */
int exchange_answer(struct exchange *exchange, int64_t number, int fd);
void reply_release(struct reply *reply);

#endif
