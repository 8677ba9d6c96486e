/* gridlane api: any operation of the API, from its table. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runner/api/answer.h"
#include "runner/api/handle.h"
#include "runner/api/operation.h"
#include "runner/api/request.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/commands/online.h"

#define PAGES_MOST 10000

/* ---- list, describe ---- */

static void list(const char *filter)
{
	const char *group = "";
	int shown = 0;

	for (int i = 0; i < OP_COUNT; i++) {
		const struct operation *operation = operation_get((enum operation_id)i);

		if (filter && !text_contains_nocase(operation->id, filter) &&
		        !text_contains_nocase(operation->group, filter) &&
		        !text_contains_nocase(operation->title, filter) &&
		        !text_contains_nocase(operation->path, filter) &&
		        !(operation->alias && text_contains_nocase(operation->alias, filter)))
			continue;
		if (strcmp(group, operation->group) != 0)
			printf("%s%s\n", shown ? "\n" : "", operation->group);
		group = operation->group;
		printf("  %-48s %s%s%s%s\n", operation->id, operation->title, operation->alias ? " (" : "",
		        operation->alias ? operation->alias : "", operation->alias ? ")" : "");
		shown++;
	}
	printf("\n%d operations%s\n", shown, filter ? " match" : "");
}

static const char *class_words(enum operation_class repeat)
{
	switch (repeat) {
	case CLASS_READ:
		return "safe to read again: repeated on any trouble";
	case CLASS_WRITE:
		return "idempotent: repeated on trouble";
	case CLASS_MARKED:
		return "looked up before it is sent again";
	case CLASS_START:
		return "starts device time: never sent again by itself";
	case CLASS_NEVER:
		return "sent once; never repeated by itself";
	}
	return "";
}

static const char *sign_words(enum operation_sign sign)
{
	switch (sign) {
	case SAID_BY_SUCCESS:
		return "told by `success`";
	case SAID_BY_STATUS:
		return "told by `status`";
	case SAID_BY_SUCCESS_OR_WORDS:
		return "told by `success`, or by words: taking away is answered with `success: false` and \"removed "
		       "successfully\"";
	case SAID_BY_NOTHING:
		return "HTTP 2xx with JSON that does not say otherwise (the reference documents no answer)";
	}
	return "";
}

/* Where a value comes from that a user need not, or must not, give. */
static const char *source_words(const struct parameter *parameter)
{
	if (parameter->flags & PARAMETER_TOKEN)
		return "token of the account (filled in from TESTGRID_TOKEN)";
	return parameter->help;
}

static const char *instead_words(const struct parameter *parameter)
{
	if (strcmp(parameter->name, "application_token") == 0)
		return " (give app_id=ID instead)";
	return strcmp(parameter->name, "version_token") == 0 ? " (give version_id=ID instead)" : "";
}

static const char *need_words(const struct parameter *parameter)
{
	if (parameter->flags & PARAMETER_ONE_OF)
		return "one of *";
	return parameter->flags & PARAMETER_REQUIRED ? "required" : "optional";
}

static void describe_parameter(const struct parameter *parameter)
{
	printf("  %-20s %-9s%s%s%s%s%s\n", parameter->name, need_words(parameter),
	        parameter->flags & PARAMETER_PATH ? "in the path; " : "",
	        parameter->flags & PARAMETER_FILE ? "a file; " : "",
	        parameter->flags & PARAMETER_SECRET ? "secret; " : "", source_words(parameter),
	        instead_words(parameter));
	if (parameter->choices)
		printf("  %-20s %-9s%s: %s\n", "", "", parameter->flags & PARAMETER_FILE ? "files" : "one of",
		        parameter->choices);
}

static void describe_answer(const struct operation *operation)
{
	GR_AUTO_JSON json_t *sample = operation->sample ? json_loads(operation->sample, 0, NULL) : NULL;
	GR_AUTO_FREE char *text = sample ? json_dumps(sample, JSON_INDENT(2)) : NULL;

	printf("\nSuccess: %s\n", sign_words(operation->sign));
	if (operation->outputs)
		printf("The useful part of the answer: %s\n", operation->outputs);
	if (text)
		printf("\nSample answer:\n%s\n", text);
}

static void describe(const struct operation *operation)
{
	bool has_alternatives = false;

	printf("%s%s%s%s\n  %s, reference: %s\n  POST %s\n  %s\n\nParameters:\n", operation->id,
	        operation->alias ? " (" : "", operation->alias ? operation->alias : "", operation->alias ? ")" : "",
	        operation->title, operation->source, operation->path, class_words(operation->repeat));
	for (const struct parameter *parameter = operation->parameters; parameter->name; parameter++) {
		describe_parameter(parameter);
		has_alternatives = has_alternatives || parameter->flags & PARAMETER_ONE_OF;
	}
	if (has_alternatives)
		printf("  * at least one of them is needed\n");
	describe_answer(operation);
}

static int no_such(const char *name)
{
	const char *near = operation_suggest(name);
	bool has_match = false; /* would `api list NAME` show anything? */
	struct gr_error err = {0};

	for (int i = 0; i < OP_COUNT; i++)
		has_match = has_match || text_contains_nocase(operation_get((enum operation_id)i)->id, name);

	(void)gr_fail(&err, GR_USAGE, 0, "the API has no operation '%s'%s%s%s; see `gridlane api list%s%s`", name,
	        near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "", has_match ? " " : "",
	        has_match ? name : "");
	return complain(&err);
}

/* ---- calling ---- */

/* One that is no file would be sent the file's name, as if it were its value. */
static bool is_no_file(const struct operation *operation, const char *key)
{
	const struct parameter *parameter = operation_parameter(operation, key);

	return parameter && !(parameter->flags & PARAMETER_FILE);
}

static int add_values(const struct online *online, const struct operation *operation, enum option_id option,
        json_t *values, struct gr_error *err)
{
	bool is_file = option == OPT_FILE;

	for (const char **given = online->arguments->values[option]; given && *given; given++) {
		const char *equals = strchr(*given, '=');
		GR_AUTO_FREE char *key = equals ? gr_strndup(*given, (size_t)(equals - *given)) : NULL;

		if (!equals || (is_file && equals[1] != '@'))
			return gr_fail(err, GR_USAGE, 0, "'%s' is not of the form %s", *given,
			        is_file ? "KEY=@FILE" : "KEY=VALUE");
		if (json_object_get(values, key))
			return gr_fail(err, GR_USAGE, 0, "'%s' is given twice", key);
		if (is_file && is_no_file(operation, key))
			return gr_fail(err, GR_USAGE, 0, "parameter '%s' of '%s' is no file: give its value with -f",
			        key, operation->id);
		if (json_object_set_new(values, key, json_string(equals + (is_file ? 2 : 1))) < 0)
			return gr_fail(err, GR_USAGE, 0, "the value of '%s' is not UTF-8", key);
	}
	return 0;
}

/* Tokens are secrets and do not belong on a command line: `-f app_id=223` and `-f version_id=481` stand for the tokens
 * of that application and version where an operation wants the token and not the id. */
static void use_handle(const struct operation *operation, json_t *values, const char *id_name, const char *token_name)
{
	const char *id = json_string_value(json_object_get(values, id_name));
	GR_AUTO_FREE char *handle = NULL;

	if (!id || !operation_parameter(operation, token_name) || operation_parameter(operation, id_name))
		return;
	handle = strcmp(id_name, "app_id") == 0 ? handle_application(id) : handle_version("-", id);
	(void)json_object_set_new(values, token_name, json_string(handle));
	(void)json_object_del(values, id_name);
}

/* A part of the answer: "data.0.device_id". */
static const json_t *part_of(const json_t *answer, const char *path)
{
	GR_AUTO_FREE char *copy = gr_strdup(path);
	char *rest = copy, *name;
	const json_t *at = answer;
	int64_t index;

	while (at && (name = strsep(&rest, ".")) != NULL) {
		if (json_is_array(at))
			at = number_parse_int(name, &index) && index >= 0 ? json_array_get(at, (size_t)index) : NULL;
		else
			at = json_object_get(at, name);
	}
	return at;
}

/* The following pages' `data`, appended to the first one's. */
static int add_pages(
        struct online *online, enum operation_id operation, json_t *values, json_t *answer, struct gr_error *err)
{
	int64_t total = 0, page = 1;
	GR_AUTO_JSON json_t *rows = NULL;
	int r = answer_list(answer, "data", &rows, err);

	if (r < 0)
		return gr_context(err, "--paginate");
	if (!answer_int(answer, "total_page|total_pages", &total))
		return gr_fail(err, GR_PROTOCOL, 0, "--paginate: the answer does not say how many pages there are");
	if (total > PAGES_MOST)
		return gr_fail(err, GR_PROTOCOL, 0, "--paginate: %lld pages are too many", (long long)total);
	(void)answer_int(answer, "current_page|page", &page);
	for (page++; page <= total; page++) {
		GR_AUTO_JSON json_t *more = NULL;
		GR_AUTO_JSON json_t *further = NULL;

		(void)json_object_set_new(values, "page", json_integer((json_int_t)page));
		r = online_call(online, operation, values, &more, err);
		if (r == 0)
			r = answer_list(more, "data", &further, err);
		if (r < 0)
			return gr_context(err, "page %lld of %lld", (long long)page, (long long)total);
		(void)json_array_extend(rows, further);
	}
	(void)json_object_set(answer, "data", rows);
	return 0;
}

static int print_answer(const struct online *online, const json_t *answer, struct gr_error *err)
{
	const char *path = argument_value(online->arguments, OPT_FIELD);
	const json_t *part = path ? part_of(answer, path) : answer;

	if (!part)
		return gr_fail(err, GR_PROTOCOL, 0, "the answer has no '%s'", path);
	online_print(online, part, path != NULL);
	return 0;
}

/* All that can be said against the call before anything is sent: names, values, and files that cannot be read. */
static int check_call(
        const struct online *online, const struct operation *operation, const json_t *values, struct gr_error *err)
{
	struct request *request = NULL;
	int r = request_new(operation, values, &request, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < request->field_count && r == 0; i++)
		if (request->fields[i].is_file && access(request->fields[i].value, R_OK) != 0)
			r = gr_fail(err, GR_USAGE, errno, "parameter '%s': file '%s'", request->fields[i].name,
			        request->fields[i].value);
	if (r == 0 && argument_is_given(online->arguments, OPT_PAGINATE) && !operation_parameter(operation, "page"))
		r = gr_fail(err, GR_USAGE, 0, "--paginate: '%s' has no pages", operation->id);
	request_free(request);
	return r;
}

static int call(struct online *online, const struct operation *operation, struct gr_error *err)
{
	enum operation_id id = (enum operation_id)(operation - operation_get((enum operation_id)0));
	GR_AUTO_JSON json_t *values = json_object();
	GR_AUTO_JSON json_t *answer = NULL;
	int r = add_values(online, operation, OPT_F, values, err);

	if (r == 0)
		r = add_values(online, operation, OPT_FILE, values, err);
	use_handle(operation, values, "app_id", "application_token");
	use_handle(operation, values, "version_id", "version_token");
	if (r == 0)
		r = check_call(online, operation, values, err);
	if (r < 0)
		return r;
	r = online_call(online, id, values, &answer, err);
	if (r == 0 && argument_is_given(online->arguments, OPT_PAGINATE))
		r = add_pages(online, id, values, answer, err);
	if (r < 0) {
		if (answer)
			online_print(online, answer, false);
		return r;
	}
	return answer ? print_answer(online, answer, err) : 0;
}

/* What is for a call means nothing to those who only look into the table, and the other way round. */
static int check_use(const struct arguments *arguments, bool is_call, struct gr_error *err)
{
	static const enum option_id of_calls[] = {OPT_F, OPT_FILE, OPT_FIELD, OPT_PAGINATE};

	if (is_call && arguments->words[1])
		return gr_fail(err, GR_USAGE, 0,
		        "api: '%s' is one word too many; parameters are given with -f KEY=VALUE, see `gridlane api "
		        "describe %s`",
		        arguments->words[1], arguments->words[0]);
	for (size_t i = 0; !is_call && i < GR_COUNT(of_calls); i++)
		if (argument_is_given(arguments, of_calls[i]))
			return gr_fail(err, GR_USAGE, 0, "api %s calls nothing, so -%s%s means nothing to it",
			        arguments->words[0], command_options[of_calls[i]].name[1] ? "-" : "",
			        command_options[of_calls[i]].name);
	return 0;
}

static int look(const char *verb, const char *name)
{
	struct gr_error err = {0};
	const struct operation *operation;

	if (strcmp(verb, "list") == 0) {
		list(name);
		return 0;
	}
	if (!name) {
		(void)gr_fail(&err, GR_USAGE, 0, "api describe: which operation? see `gridlane api list`");
		return complain(&err);
	}
	operation = operation_find(name);
	if (!operation)
		return no_such(name);
	describe(operation);
	return 0;
}

int command_api(const struct arguments *arguments)
{
	const char *first = arguments->words[0];
	bool is_call = strcmp(first, "list") != 0 && strcmp(first, "describe") != 0;
	const struct operation *operation;
	struct online online;
	struct gr_error err = {0};
	int status = 0;

	if (check_use(arguments, is_call, &err) < 0)
		return complain(&err);
	if (!is_call)
		return look(first, arguments->words[1]);
	operation = operation_find(first);
	if (!operation)
		return no_such(first);
	if (online_init(&online, arguments, &err) < 0 || call(&online, operation, &err) < 0)
		status = complain(&err);
	online_release(&online);
	return status;
}
