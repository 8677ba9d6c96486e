/* The Statement in a signed envelope, and its predicate alone, for those who sign by themselves. */
#include <jansson.h>

#include "reporters/dsse.h"
#include "reporters/formats.h"
#include "reporters/printed.h"
#include "reporters/statement.h"
#include "runner/base/memory.h"

int attestation_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_JSON json_t *statement = NULL;
	GR_AUTO_BUFFER struct buffer payload = {0};
	GR_AUTO_BUFFER struct buffer line = {0};
	char *text;
	int r;

	if (!context->signer)
		return gr_fail(err, GR_USAGE, 0, "an attestation needs --sign-with FILE");
	r = statement_make(results, context, &statement, err);
	if (r < 0)
		return r;
	text = json_dumps(statement, JSON_COMPACT | JSON_PRESERVE_ORDER);
	buffer_add_text(&payload, text);
	gr_free(text);
	r = dsse_sign(context->signer, DSSE_IN_TOTO, &payload, &line, err);
	buffer_add_char(&line, '\n');
	return r < 0 ? r : report_put(context, target, &line, err);
}

int predicate_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_JSON json_t *predicate = predicate_make(results, context);
	GR_AUTO_BUFFER struct buffer text = {0};
	GR_AUTO_FREE char *dump = json_dumps(predicate, JSON_INDENT(1) | JSON_PRESERVE_ORDER);

	buffer_add_text(&text, dump);
	buffer_add_char(&text, '\n');
	return report_put(context, target, &text, err);
}
