/* Buildkite: Markdown within the size of an annotation, for `buildkite-agent annotate --context gridlane`. */
#include "reporters/formats.h"
#include "reporters/printed.h"

int buildkite_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	summary_text(results, context->redactor, &out); /* ten lines: far below 1 MiB */
	return report_put(context, target, &out, err);
}
