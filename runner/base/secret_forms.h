/* Every form in which a secret may turn up: as it is, and as encoders of URLs, JSON, XML, shells, hex and base64 write
 * it (security design: redaction). */
#ifndef GRIDLANE_BASE_SECRET_FORMS_H
#define GRIDLANE_BASE_SECRET_FORMS_H

#include <stdbool.h>
#include <stddef.h>

#define SECRET_BYTES_LEAST 6 /* shorter ones would take words out of every text */
#define FORM_BYTES_LEAST 8 /* the same for what is made from a secret */

/* Gets each form; the same one may come several times. wrapped: line breaks may stand inside it (base64). The bytes are
 * gone after the call. */
struct form_sink {
	void (*add)(void *context, const char *form, size_t bytes, bool wrapped);
	void *context;
};

void secret_forms(const char *secret, const struct form_sink *sink);

#endif
