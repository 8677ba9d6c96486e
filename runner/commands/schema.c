/* gridlane schema: the pipeline language and results.json as JSON Schemas, for editors and other checkers. */
#include "pipelines/schema.h"

#include <stdio.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/commands/command.h"
#include "runner/results/model.h"

static json_t *choose(const struct arguments *arguments, struct gr_error *err)
{
	const char *which = arguments->word_count ? arguments->words[0] : "pipeline";

	if (strcmp(which, "pipeline") == 0)
		return schema_make();
	if (strcmp(which, "results") == 0)
		return results_schema();
	(void)gr_fail(err, GR_USAGE, 0, "schema '%s' is neither pipeline nor results", which);
	return NULL;
}

int command_schema(const struct arguments *arguments)
{
	struct gr_error err = {0};
	GR_AUTO_JSON json_t *schema = choose(arguments, &err);

	if (!schema)
		return complain(&err);
	(void)json_dumpf(schema, stdout, JSON_INDENT(2)); /* main() looks whether all of it could be printed */
	printf("\n");
	return 0;
}
