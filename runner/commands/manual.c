/* gridlane manual: manual pages in troff, from the tables of the command line. */
#include <stdio.h>
#include <string.h>

#include "runner/base/buffer.h"
#include "runner/base/memory.h"
#include "runner/commands/command.h"

/* Text for troff: backslashes, hyphens and leading dots mean something there. */
static void add(struct buffer *page, const char *text)
{
	bool is_start = page->bytes == 0 || page->data[page->bytes - 1] == '\n';

	if (is_start && (*text == '.' || *text == '\''))
		buffer_add_text(page, "\\&");
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			buffer_add_text(page, "\\e");
		else if (*text == '-')
			buffer_add_text(page, "\\-");
		else
			buffer_add_char(page, *text);
	}
}

static void add_title(struct buffer *page, const char *name)
{
	buffer_add_text(page, ".TH ");
	for (; *name != '\0'; name++)
		buffer_add_char(page, *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name);
	buffer_printf(page, " 1 \"\" \"gridlane %s\" \"User Commands\"\n", GRIDLANE_VERSION);
}

static void add_term(struct buffer *page, const char *term, const char *help)
{
	buffer_add_text(page, ".TP\n.B ");
	add(page, term);
	buffer_add_char(page, '\n');
	add(page, help);
	buffer_add_char(page, '\n');
}

static void add_option(struct buffer *page, const struct option *option)
{
	bool may_be_bare = (option->flags & OPTION_MAY_BE_BARE) != 0;
	const char *argument = option->argument != NULL ? option->argument : "";
	GR_AUTO_FREE char *term = gr_printf("%s%s%s%s%s", option->name[1] != '\0' ? "--" : "-", option->name,
	        option->argument == NULL ? ""
	        : may_be_bare            ? "[="
	                                 : " ",
	        argument, may_be_bare ? "]" : "");

	add_term(page, term, option->help);
}

static void add_statuses(struct buffer *page)
{
	buffer_add_text(page, ".SH EXIT STATUS\n");
	add_term(page, "0", "passed: every expected device run completed, at least one test ran, the gate holds");
	for (int i = 1; i < GR_FAILURE_COUNT; i++) {
		int status = failure_exit_status((enum gr_failure)i);
		GR_AUTO_FREE char *term = gr_printf("%d", status);

		if (i > 1 && failure_exit_status((enum gr_failure)(i - 1)) == status) {
			buffer_add_text(page, ".br\n");
			add(page, failure_words((enum gr_failure)i));
			buffer_add_char(page, '\n');
		} else {
			add_term(page, term, failure_words((enum gr_failure)i));
		}
	}
}

static void add_example(struct buffer *page, const char *example)
{
	buffer_add_text(page, ".SH EXAMPLE\n.nf\n");
	add(page, example);
	buffer_add_text(page, "\n.fi\n");
}

static void make_command_page(struct buffer *page, const struct command *command)
{
	GR_AUTO_FREE char *name = gr_printf("gridlane-%s", command->name);

	add_title(page, name);
	buffer_add_text(page, ".SH NAME\n");
	add(page, name);
	buffer_add_text(page, " \\- ");
	add(page, command->summary);
	buffer_printf(page, "\n.SH SYNOPSIS\n.B gridlane %s\n[OPTION]... ", command->name);
	add(page, command->arguments);
	buffer_add_char(page, '\n');
	add_example(page, command->example);
	buffer_add_text(page, ".SH OPTIONS\nEach can be set in the environment: GRIDLANE_ and its name in capitals.\n");
	for (size_t i = 0; i < OPT_COUNT; i++) {
		if (option_is_of(&command_options[i], command->name))
			add_option(page, &command_options[i]);
	}
	add_statuses(page);
	buffer_add_text(page, ".SH SEE ALSO\n.BR gridlane (1)\n");
}

static void make_page(struct buffer *page)
{
	add_title(page, "gridlane");
	buffer_add_text(page, ".SH NAME\ngridlane \\- execute test pipelines on the TestGrid device cloud\n"
	                      ".SH SYNOPSIS\n.B gridlane\nCOMMAND [OPTION]... [ARGUMENT]...\n.SH COMMANDS\n");
	for (const struct command *command = commands; command->name != NULL; command++) {
		GR_AUTO_FREE char *term = gr_printf("%s %s", command->name, command->arguments);

		add_term(page, term, command->summary);
	}
	buffer_add_text(page, ".SH ENVIRONMENT\n");
	add_term(page, "TESTGRID_URL", "address of the server, unless the pipeline names one");
	add_term(page, "TESTGRID_TOKEN", "token of the account, unless the pipeline names one");
	add_term(page, "GRIDLANE_...", "any option, for example GRIDLANE_OUT for --out");
	add_statuses(page);
	buffer_add_text(page, ".SH SEE ALSO\n");
	for (const struct command *command = commands; command->name != NULL; command++)
		buffer_printf(page, ".BR gridlane\\-%s (1)%s\n", command->name, command[1].name != NULL ? "," : "");
}

int command_manual(const struct arguments *arguments)
{
	const struct command *command = arguments->word_count > 0 ? command_find(arguments->words[0]) : NULL;
	GR_AUTO_BUFFER struct buffer page = {0};
	struct gr_error err = {0};

	if (arguments->word_count > 0 && command == NULL) {
		(void)gr_fail(&err, GR_USAGE, 0, "manual: there is no command '%s'; see `gridlane --help`",
		        arguments->words[0]);
		return complain(&err);
	}
	if (command != NULL)
		make_command_page(&page, command);
	else
		make_page(&page);
	(void)fputs(buffer_text(&page), stdout);
	return 0;
}
