#include <stdio.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/commands/command.h"

const struct command commands[] = {
#define COMMAND(name, ...) {#name, __VA_ARGS__, command_##name},
#include "runner/commands/commands.def"
#undef COMMAND
        {0},
};

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

static void print_statuses(void)
{
	int last = 0;

	printf("\nExit status:\n    0  passed: every expected device run completed, at least one test ran, the gate "
	       "holds\n");
	for (int i = 1; i < GR_FAILURE_COUNT; i++) {
		int status = failure_exit_status((enum gr_failure)i);

		if (status == last)
			printf("       %s\n", failure_words((enum gr_failure)i));
		else
			printf("  %3d  %s\n", status, failure_words((enum gr_failure)i));
		last = status;
	}
	printf("       (129, 130 or 143 for HUP, INT or TERM; releases and reports come first)\n");
}

void help_print_all(void)
{
	printf("gridlane executes test pipelines on the TestGrid device cloud.\n\n"
	       "  gridlane run --sandbox pipelines/examples/smoke.yml     try it, without an account\n"
	       "  TESTGRID_URL=... TESTGRID_TOKEN=... gridlane run ci.yml against the real cloud\n\nCommands:\n");
	for (const struct command *command = commands; command->name; command++)
		printf("  %-10s %-13s %s\n", command->name, command->arguments, command->summary);
	printf("\n`gridlane COMMAND --help` shows its options.\n");
	print_statuses();
}

void help_print_command(const struct command *command)
{
	printf("Example:\n  %s\n\nUsage: gridlane %s [OPTION]... %s\n  %s\n\nOptions:\n", command->example,
	        command->name, command->arguments, command->summary);
	for (int i = 0; i < OPT_COUNT; i++) {
		const struct option *option = &command_options[i];
		GR_AUTO_FREE char *left = NULL;

		if (!option_is_of(option, command->name))
			continue;
		left = gr_printf("%s%s%s%s%s", option->name[1] ? "--" : "-", option->name,
		        !option->argument                      ? ""
		        : (option->flags & OPTION_MAY_BE_BARE) ? "[="
		                                               : " ",
		        option->argument ? option->argument : "",
		        option->argument && (option->flags & OPTION_MAY_BE_BARE) ? "]" : "");
		printf("  %-24s %s\n", left, option->help);
	}
	printf("\nEach option can be set in the environment: GRIDLANE_ and its name in capitals.\n");
}

int complain(const struct gr_error *err)
{
	(void)fflush(stdout);
	fprintf(stderr, "gridlane: %s\n", err->text);
	return failure_exit_status(err->failure);
}
