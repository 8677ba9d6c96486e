/* The command line: commands and options as tables, parsed once. */
#ifndef GRIDLANE_COMMANDS_COMMAND_H
#define GRIDLANE_COMMANDS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/base/error.h"

enum option_flags {
	OPTION_REPEATS = 1 << 0, /* may be given more than once */
	OPTION_MAY_BE_BARE = 1 << 1 /* its argument is optional and only taken after '=' */
};

enum option_id {
#define OPTION(id, ...) OPT_##id,
#include "runner/commands/options.def"
#undef OPTION
	OPT_COUNT
};

struct option {
	const char *commands, *name, *argument;
	unsigned flags;
	const char *help;
};

struct arguments {
	const char *command;
	const char **values[OPT_COUNT]; /* NULL-terminated; NULL: not given. A flag's or bare option's value is "" */
	char **owned; /* texts from the environment */
	size_t owned_count;
	const char **words; /* NULL-terminated: what is not an option */
	size_t word_count;
};

struct command {
	const char *name, *arguments;
	size_t fewest, most;
	const char *summary, *example;
	int (*run)(const struct arguments *arguments); /* the exit status */
};

const struct command *command_find(const char *name);
extern const struct command commands[]; /* ended by a NULL name */
extern const struct option command_options[OPT_COUNT];

bool option_is_of(const struct option *option, const char *command);

/* argv after the command's name. GR_USAGE names what is wrong and the nearest option. */
int arguments_parse(
        const struct command *command, int argc, char **argv, struct arguments *ret_arguments, struct gr_error *err);
void arguments_release(struct arguments *arguments);
bool argument_is_given(const struct arguments *arguments, enum option_id id);
/* The (last) value, or NULL. */
const char *argument_value(const struct arguments *arguments, enum option_id id);

void help_print_all(void);
void help_print_command(const struct command *command);
/* "gridlane: ..." on stderr; returns the failure's exit status. */
int complain(const struct gr_error *err);
/* Allocators of libraries. Once, before anything else of them is used. */
void libraries_init(void);

#define COMMAND(name, ...) int command_##name(const struct arguments *arguments);
#include "runner/commands/commands.def"
#undef COMMAND

#endif
