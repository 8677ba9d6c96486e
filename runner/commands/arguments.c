#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/commands/command.h"
#include "runner/history/history.h"

const struct option command_options[OPT_COUNT] = {
#define OPTION(id, ...) [OPT_##id] = {__VA_ARGS__},
#include "runner/commands/options.def"
#undef OPTION
};

bool option_is_of(const struct option *option, const char *command)
{
	size_t bytes = strlen(command);

	for (const char *p = option->commands; (p = strstr(p, command)) != NULL; p += bytes)
		if ((p == option->commands || p[-1] == ' ') && (p[bytes] == ' ' || p[bytes] == '\0'))
			return true;
	return false;
}

static int find_option(const char *command, const char *name, size_t bytes)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (option_is_of(&command_options[i], command) && strlen(command_options[i].name) == bytes &&
		        strncmp(command_options[i].name, name, bytes) == 0)
			return i;
	return -1;
}

static int unknown_option(const char *command, const char *name, struct gr_error *err)
{
	const char *candidates[OPT_COUNT + 1] = {0};
	const char *near;
	size_t count = 0;

	if (strcmp(name, "token") == 0 || strcmp(name, "password") == 0)
		return gr_fail(err, GR_USAGE, 0,
		        "there is no --%s, because every user of a machine can read command lines: set TESTGRID_TOKEN "
		        "in the environment, or name a variable or file under `secrets:`",
		        name);
	for (int i = 0; i < OPT_COUNT; i++)
		if (option_is_of(&command_options[i], command))
			candidates[count++] = command_options[i].name;
	near = text_suggest(name, candidates);
	return gr_fail(err, GR_USAGE, 0, "%s has no option %s%s%s%s%s; see `gridlane %s --help`", command,
	        name[0] && !name[1] ? "-" : "--", name, near ? " (did you mean --" : "", near ? near : "",
	        near ? "?)" : "", command);
}

static void add_value(struct arguments *arguments, int id, const char *value)
{
	size_t count = 0;

	while (arguments->values[id] && arguments->values[id][count])
		count++;
	if (count && !(command_options[id].flags & OPTION_REPEATS)) {
		arguments->values[id][0] = value; /* the last one wins */
		return;
	}
	arguments->values[id] = gr_resize(arguments->values[id], count + 2, sizeof(char *));
	arguments->values[id][count] = value;
	arguments->values[id][count + 1] = NULL;
}

/* The value of --NAME=VALUE (given), or the word after it. */
static int take_value(struct arguments *arguments, int id, const char *given, const char *word, struct gr_error *err)
{
	const struct option *option = &command_options[id];
	const char *value = given ? given : word, *dashes = option->name[1] ? "--" : "-";

	if (!value)
		return gr_fail(err, GR_USAGE, 0, "%s%s needs a value: %s%s %s", dashes, option->name, dashes,
		        option->name, option->argument);
	if (!*value) /* what "$OUT" is when nobody has set it */
		return gr_fail(err, GR_USAGE, 0, "%s%s needs a value, and the one that is given is empty", dashes,
		        option->name);
	add_value(arguments, id, value);
	return 0;
}

/* One option at argv[i]; *ret_used is how many words it took. */
static int parse_option(struct arguments *arguments, int argc, char **argv, int i, int *ret_used, struct gr_error *err)
{
	const char *name = argv[i] + (argv[i][1] == '-' ? 2 : 1);
	const char *equals = argv[i][1] == '-' ? strchr(name, '=') : NULL;
	size_t bytes = equals ? (size_t)(equals - name) : strlen(name);
	int id = find_option(arguments->command, name, bytes);
	const struct option *option = id < 0 ? NULL : &command_options[id];

	*ret_used = 1;
	if (!option) {
		GR_AUTO_FREE char *bare = gr_strndup(name, bytes);

		return unknown_option(arguments->command, bare, err);
	}
	if (!option->argument && equals)
		return gr_fail(err, GR_USAGE, 0, "--%s takes no value", option->name);
	if (!option->argument || (!equals && (option->flags & OPTION_MAY_BE_BARE))) {
		add_value(arguments, id, "");
		return 0;
	}
	*ret_used = equals || i + 1 >= argc ? 1 : 2;
	return take_value(arguments, id, equals ? equals + 1 : NULL, i + 1 < argc ? argv[i + 1] : NULL, err);
}

static bool is_yes(const char *value)
{
	return strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
}

static bool is_no(const char *value)
{
	return strcmp(value, "0") == 0 || strcmp(value, "false") == 0;
}

/* What GRIDLANE_NAME of a flag, or of an option that may stand alone, says: *ret_is_set,
 * and false when it is neither yes nor no. */
static bool read_flag(const char *value, bool *ret_is_set)
{
	*ret_is_set = is_yes(value);
	return *ret_is_set || is_no(value);
}

static void add_copies(struct arguments *arguments, int id, const char *value)
{
	char *copy = gr_strdup(value), *line;

	arguments->owned = gr_grow(arguments->owned, arguments->owned_count, sizeof(char *));
	arguments->owned[arguments->owned_count++] = copy;
	if (!(command_options[id].flags & OPTION_REPEATS)) {
		add_value(arguments, id, copy);
		return;
	}
	while ((line = strsep(&copy, "\n")) != NULL)
		if (*line)
			add_value(arguments, id, line);
}

/* GRIDLANE_OUT=... as --out ...; a flag is set by 1 or true; a repeated option holds one value a line. */
static int add_from_environment(struct arguments *arguments, int id, struct gr_error *err)
{
	const struct option *option = &command_options[id];
	GR_AUTO_FREE char *variable = gr_printf("GRIDLANE_%s", option->name);
	const char *value;
	bool is_set;

	for (char *p = variable; *p; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	value = getenv(variable);
	if (!value || !*value || arguments->values[id] || id == OPT_HELP)
		return 0;
	if (option->argument && !(option->flags & OPTION_MAY_BE_BARE)) {
		add_copies(arguments, id, value);
		return 0;
	}
	if (read_flag(value, &is_set)) {
		if (is_set)
			add_value(arguments, id, "");
		return 0;
	}
	if (!option->argument)
		return gr_fail(err, GR_USAGE, 0, "%s is '%s': a flag is set by 1 or true, and not by 0 or false",
		        variable, value);
	add_copies(arguments, id, value);
	return 0;
}

static int check_words(const struct command *command, const struct arguments *arguments, struct gr_error *err)
{
	if (argument_is_given(arguments, OPT_HELP))
		return 0;
	if (arguments->word_count < command->fewest)
		return gr_fail(err, GR_USAGE, 0, "%s needs %s, as in: %s", command->name, command->arguments,
		        command->example);
	if (arguments->word_count > command->most)
		return gr_fail(err, GR_USAGE, 0, "%s: '%s' is one word too many; see `gridlane %s --help`",
		        command->name, arguments->words[command->most], command->name);
	return 0;
}

int arguments_parse(
        const struct command *command, int argc, char **argv, struct arguments *ret_arguments, struct gr_error *err)
{
	struct arguments *arguments = ret_arguments;
	bool only_words = false;
	int r = 0, used;

	*arguments = (struct arguments){.command = command->name};
	arguments->words = gr_alloc((size_t)argc + 1, sizeof(char *));
	for (int i = 0; r == 0 && i < argc; i += used) {
		used = 1;
		if (only_words || argv[i][0] != '-' || !argv[i][1])
			arguments->words[arguments->word_count++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			only_words = true;
		else if (strcmp(argv[i], "-h") == 0)
			add_value(arguments, OPT_HELP, "");
		else
			r = parse_option(arguments, argc, argv, i, &used, err);
	}
	if (r == 0 && argument_is_given(arguments, OPT_HISTORY) &&
	        history_has_password(argument_value(arguments, OPT_HISTORY)))
		r = gr_fail(err, GR_USAGE, 0,
		        "--history: a password among the arguments can be read by every user of the machine; set "
		        "GRIDLANE_HISTORY to the URL, or PGPASSWORD, or use ~/.pgpass");
	for (int id = 0; r == 0 && id < OPT_COUNT; id++)
		if (option_is_of(&command_options[id], command->name))
			r = add_from_environment(arguments, id, err);
	return r < 0 ? r : check_words(command, arguments, err);
}

void arguments_release(struct arguments *arguments)
{
	for (int i = 0; i < OPT_COUNT; i++)
		gr_free(arguments->values[i]);
	for (size_t i = 0; i < arguments->owned_count; i++)
		gr_free(arguments->owned[i]);
	gr_free(arguments->owned);
	gr_free(arguments->words);
}

bool argument_is_given(const struct arguments *arguments, enum option_id id)
{
	return arguments->values[id] != NULL;
}

const char *argument_value(const struct arguments *arguments, enum option_id id)
{
	return arguments->values[id] ? arguments->values[id][0] : NULL;
}
