/* Answers from the tables: commands, options, the choices of their values, operations of the API and their parameters,
 * inputs of the pipeline that the line names. */
#include <stdio.h>
#include <string.h>

#include "pipelines/plan.h"
#include "reporters/reporter.h"
#include "runner/api/operation.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/commands/command.h"
#include "runner/commands/completion.h"

struct line {
	const struct command *command;
	const char *const *words; /* after the command, without the last */
	size_t count;
	const char *before, *current; /* the last one: "--color=" and "al" of "--color=al", else "" and all of it */
};

static void answer(const struct line *line, const char *word, const char *help)
{
	if (text_has_prefix(word, line->current))
		printf("%s%s\t%s\n", line->before, word, help != NULL ? help : "");
}

static void answer_choices(const struct line *line, const char *before, const char *choices)
{
	while (choices != NULL && *choices != '\0') {
		size_t bytes = strcspn(choices, "|");
		GR_AUTO_FREE char *word = gr_printf("%s%.*s", before, (int)bytes, choices);

		answer(line, word, "");
		choices += bytes + (choices[bytes] == '|');
	}
}

static void answer_files(void)
{
	printf(":files\n");
}

static const struct option *option_of(const struct line *line, const char *word)
{
	const char *name = word + strspn(word, "-");

	for (size_t i = 0; word[0] == '-' && i < OPT_COUNT; i++) {
		if (option_is_of(&command_options[i], line->command->name) &&
		        strcmp(command_options[i].name, name) == 0)
			return &command_options[i];
	}
	return NULL;
}

/* Does the word before this one want a value? */
static const struct option *waiting_option(const struct line *line)
{
	const struct option *option = line->count > 0 ? option_of(line, line->words[line->count - 1]) : NULL;

	return option != NULL && option->argument != NULL && (option->flags & OPTION_MAY_BE_BARE) == 0 ? option : NULL;
}

/* The n-th word that is neither an option nor an option's value, or NULL. */
static const char *plain_word(const struct line *line, size_t n)
{
	for (size_t i = 0; i < line->count; i++) {
		const struct option *option = option_of(line, line->words[i]);

		if (option != NULL && option->argument != NULL && (option->flags & OPTION_MAY_BE_BARE) == 0)
			i++;
		else if (line->words[i][0] != '-' && n-- == 0)
			return line->words[i];
	}
	return NULL;
}

/* ---- values of options ---- */

static void answer_parameters(const struct line *line, bool is_file)
{
	const char *name = plain_word(line, 0);
	const struct operation *operation = name != NULL ? operation_find(name) : NULL;

	if (operation == NULL)
		return;
	for (const struct parameter *at = operation->parameters; at->name != NULL; at++) {
		GR_AUTO_FREE char *word = gr_printf("%s=%s", at->name, is_file ? "@" : "");

		if ((at->flags & PARAMETER_TOKEN) != 0 || ((at->flags & PARAMETER_FILE) != 0) != is_file)
			continue;
		if (text_has_prefix(line->current, word) && !is_file)
			answer_choices(line, word, at->choices);
		else
			answer(line, word, at->help);
	}
}

static void answer_reports(const struct line *line)
{
	for (const struct reporter *reporter = reporters; reporter->name != NULL; reporter++)
		answer(line, reporter->name, reporter->help);
}

static void answer_plan_inputs(const struct line *line, const struct plan *plan)
{
	for (size_t i = 0; i < plan->input_count; i++) {
		GR_AUTO_FREE char *word = gr_printf("%s=", plan->inputs[i].name);

		answer(line, word, type_name(plan->inputs[i].type));
	}
}

static void answer_steps(const struct line *line, const struct plan_step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) { /* as deep as the file */
		answer(line, steps[i].id, steps[i].kind != NULL ? steps[i].kind->name : "matrix");
		answer_steps(line, steps[i].steps, steps[i].step_count);
	}
}

static void answer_plan_steps(const struct line *line, const struct plan *plan)
{
	answer_steps(line, plan->steps, plan->step_count);
	answer_steps(line, plan->finally, plan->finally_count);
}

/* What the pipeline that the line names has to offer. */
static void answer_from_plan(const struct line *line, void (*answer_with)(const struct line *, const struct plan *))
{
	const char *file = plain_word(line, 0);
	const struct plan_options options = {.inputs_are_optional = true, .allow_outside = true};
	struct diagnostics diagnostics = {0};
	struct gr_error err = {0};
	struct plan *plan = NULL;

	if (file == NULL)
		return;
	if (plan_load(file, &options, &plan, &diagnostics, &err) == 0)
		answer_with(line, plan);
	diagnostics_release(&diagnostics);
	plan_free(plan);
}

static void answer_value(const struct line *line, const struct option *option)
{
	enum option_id id = (enum option_id)(option - command_options);

	if (id == OPT_F || id == OPT_FILE)
		answer_parameters(line, id == OPT_FILE);
	else if (id == OPT_REPORT)
		answer_reports(line);
	else if (id == OPT_INPUT)
		answer_from_plan(line, answer_plan_inputs);
	else if (id == OPT_STEP)
		answer_from_plan(line, answer_plan_steps);
	else if (id == OPT_FORMAT)
		answer_choices(
		        line, "", strcmp(line->command->name, "plan") == 0 ? "text|json|mermaid" : "text|json|github");
	else if (strchr(option->argument, '|') != NULL && option->argument[0] >= 'a')
		answer_choices(line, "", option->argument);
	else if (id == OPT_SANDBOX || text_has_prefix(option->argument, "FILE") ||
	         text_has_prefix(option->argument, "DIR"))
		answer_files();
}

/* ---- other words ---- */

static void answer_options(const struct line *line)
{
	for (size_t i = 0; i < OPT_COUNT; i++) {
		const struct option *option = &command_options[i];
		GR_AUTO_FREE char *word = gr_printf("%s%s", option->name[1] != '\0' ? "--" : "-", option->name);

		if (option_is_of(option, line->command->name))
			answer(line, word, option->help);
	}
}

static void answer_operations(const struct line *line)
{
	for (int i = 0; i < OP_COUNT; i++) {
		const struct operation *operation = operation_get((enum operation_id)i);

		answer(line, operation->id, operation->title);
		if (operation->alias != NULL)
			answer(line, operation->alias, operation->title);
	}
}

static void answer_api(const struct line *line)
{
	const char *first = plain_word(line, 0);

	if (first == NULL) {
		answer(line, "list", "list the operations");
		answer(line, "describe", "describe an operation");
	}
	if (first == NULL || (strcmp(first, "describe") == 0 && plain_word(line, 1) == NULL))
		answer_operations(line);
}

static void answer_commands(const struct line *line)
{
	for (const struct command *command = commands; command->name != NULL; command++)
		answer(line, command->name, command->summary);
}

static bool takes_files(const struct command *command)
{
	return strstr(command->arguments, "FILE") || strstr(command->arguments, "DIR") ||
	       strstr(command->arguments, "PIPELINE");
}

/* "list FILE|verify FILE", "DIR|merge DIR...": the words, in small letters, that a command's arguments begin with.
 * false: a file may stand there as well, and nothing says that it is none. */
static bool answer_beginnings(const struct line *line)
{
	const char *at = line->command->arguments;
	bool is_word = true;

	for (at += *at == '['; *at != '\0'; at += at[0] == '|') {
		GR_AUTO_FREE char *word = gr_strndup(at, strspn(at, "abcdefghijklmnopqrstuvwxyz"));

		if (*word == '\0') {
			is_word = false;
		} else if (is_word || (*line->current != '\0' && text_has_prefix(word, line->current))) {
			answer(line, word, "");
			is_word = true;
		}
		at += strcspn(at, "|");
	}
	return is_word;
}

static void answer_plain(const struct line *line)
{
	const char *name = line->command->name;

	if (strcmp(name, "api") == 0)
		answer_api(line);
	else if (strcmp(name, "completion") == 0)
		answer_choices(line, "", "bash|zsh|fish");
	else if (strcmp(name, "manual") == 0)
		answer_commands(line);
	else if ((plain_word(line, 0) != NULL || !answer_beginnings(line)) && takes_files(line->command))
		answer_files();
}

/* "--color=al": what may stand behind the '='. */
static void answer_joined(struct line *line)
{
	size_t bytes = strcspn(line->current, "=");
	GR_AUTO_FREE char *name = gr_strndup(line->current, bytes);
	GR_AUTO_FREE char *before = gr_printf("%s=", name);
	const struct option *option = option_of(line, name);

	line->before = before;
	line->current += bytes + 1;
	if (option != NULL && option->argument != NULL)
		answer_value(line, option);
}

void completion_words(const char *const *words, size_t count)
{
	struct line line = {.before = "", .current = count > 0 ? words[count - 1] : ""};
	const struct option *option;

	if (count < 2) {
		answer_commands(&line);
		return;
	}
	line.command = command_find(words[0]);
	line.words = words + 1;
	line.count = count - 2;
	if (line.command == NULL)
		return;
	option = waiting_option(&line);
	if (option != NULL)
		answer_value(&line, option);
	else if (text_has_prefix(line.current, "--") && strchr(line.current, '=') != NULL)
		answer_joined(&line);
	else if (line.current[0] == '-')
		answer_options(&line);
	else
		answer_plain(&line);
}
