/* gridlane schema: the pipeline language as a JSON Schema, for editors and other checkers. */
#include "pipelines/schema.h"

#include <stdio.h>

#include "runner/base/memory.h"
#include "runner/commands/command.h"

int command_schema(const struct arguments *arguments)
{
	GR_AUTO_JSON json_t *schema = schema_make();

	(void)arguments;
	if (json_dumpf(schema, stdout, JSON_INDENT(2)) != 0 || putchar('\n') == EOF || fflush(stdout) != 0) {
		struct gr_error err = {0};

		(void)gr_fail(&err, GR_DISK, 0, "the schema could not be printed");
		return complain(&err);
	}
	return 0;
}
