/* gridlane validate: everything that can be checked without the network; all errors at once. */
#include <stdio.h>
#include <string.h>

#include "pipelines/plan.h"
#include "runner/base/memory.h"
#include "runner/commands/command.h"

static int check_format(const char *format, struct gr_error *err)
{
	if (!format || strcmp(format, "text") == 0 || strcmp(format, "json") == 0 || strcmp(format, "github") == 0)
		return 0;
	return gr_fail(err, GR_USAGE, 0, "--format: '%s' is none of text, json, github", format);
}

/* As JSON, all files are one list: it is added to. */
static void print(const struct diagnostics *diagnostics, const char *format, const char *file, json_t *list)
{
	GR_AUTO_BUFFER struct buffer text = {0};

	if (format && strcmp(format, "json") == 0)
		diagnostics_add_json(diagnostics, list);
	else if (format && strcmp(format, "github") == 0)
		diagnostics_print_github(diagnostics, &text);
	else if (diagnostics->count)
		diagnostics_print_text(diagnostics, &text);
	if ((!format || strcmp(format, "text") == 0) && diagnostics->errors == 0)
		buffer_printf(&text, "%s: fine\n", file);
	(void)fputs(buffer_text(&text), stdout);
}

static int validate_one(const struct arguments *arguments, const char *file, json_t *list)
{
	const char *format = argument_value(arguments, OPT_FORMAT);
	const struct plan_options options = {
	        .inputs = arguments->values[OPT_INPUT],
	        .inputs_are_optional = true,
	        .allow_outside = argument_is_given(arguments, OPT_ALLOW_OUTSIDE),
	};
	struct diagnostics diagnostics = {0};
	struct plan *plan = NULL;
	struct gr_error err = {0};
	int status = 0;

	if (plan_load(file, &options, &plan, &diagnostics, &err) < 0) {
		status = failure_exit_status(GR_CONFIG);
		if (diagnostics.errors == 0)
			(void)complain(&err);
	}
	if (status == 0 || diagnostics.errors)
		print(&diagnostics, format, file, list);
	diagnostics_release(&diagnostics);
	plan_free(plan);
	return status;
}

int command_validate(const struct arguments *arguments)
{
	const char *format = argument_value(arguments, OPT_FORMAT);
	GR_AUTO_JSON json_t *list = json_array();
	GR_AUTO_FREE char *text = NULL;
	struct gr_error err = {0};
	int status = 0;

	if (check_format(format, &err) < 0)
		return complain(&err);
	for (size_t i = 0; i < arguments->word_count; i++) {
		int one = validate_one(arguments, arguments->words[i], list);

		status = one > status ? one : status;
	}
	if (format && strcmp(format, "json") == 0) {
		text = json_dumps(list, JSON_INDENT(2));
		puts(text ? text : "[]");
	}
	return status;
}
