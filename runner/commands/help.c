#include <stdio.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/commands/command.h"

#define PAGE_COLUMNS 80
#define COMMAND_COLUMNS 24
#define OPTION_COLUMNS 25

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

/* A term and its help: side by side, or below each other when the term is long; folded at 80 columns. */
static void print_entry(const char *term, int columns, const char *help)
{
	size_t room = (size_t)(PAGE_COLUMNS - columns - 3);

	printf("  %-*s%s", columns, term, strlen(term) > (size_t)columns - 1 ? "\n" : "");
	if (strlen(term) > (size_t)columns - 1)
		printf("  %*s", columns, "");
	while (strlen(help) > room) {
		size_t bytes = room;

		while (bytes > 0 && help[bytes] != ' ')
			bytes--;
		if (bytes == 0) /* one long word */
			bytes = strcspn(help, " ");
		printf("%.*s\n  %*s", (int)bytes, help, columns, "");
		help += bytes + (help[bytes] == ' ');
	}
	printf("%s\n", help);
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
	       "  gridlane init                                        write a pipeline, and a job for your CI\n"
	       "  gridlane run --sandbox pipelines/examples/smoke.yml  try one, without an account\n"
	       "  gridlane doctor                                      is all there for the real "
	       "cloud?\n\nCommands:\n");
	for (const struct command *command = commands; command->name; command++) {
		GR_AUTO_FREE char *term = gr_printf("%s %s", command->name, command->arguments);

		print_entry(term, COMMAND_COLUMNS, command->summary);
	}
	printf("\n`gridlane COMMAND --help` shows an example, and its options.\n");
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
		print_entry(left, OPTION_COLUMNS, option->help);
	}
	printf("\nEach option can be set in the environment: GRIDLANE_ and its name in capitals.\n");
}

int complain(const struct gr_error *err)
{
	(void)fflush(stdout);
	fprintf(stderr, "gridlane: %s\n", err->text);
	return failure_exit_status(err->failure);
}
