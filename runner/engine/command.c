/* Local commands of `run` steps: their environment holds no secret that the step does not name, their output is shown
 * line by line, and KEY=VALUE lines written to $GRIDLANE_OUTPUT become outputs. */
#include "runner/engine/run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/api/handle.h"
#include "runner/base/clock.h"
#include "runner/base/credentials.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/engine/document.h"

#define OUTPUT_MOST_BYTES (1 << 20)
#define KILL_AFTER_MS 1000

struct command {
	struct engine *engine;
	struct task *task; /* NULL: told to stop, nobody waits for it any more */
	struct child *child;
	struct timer kill;
	char *output_file, *document_file, *junit;
	int64_t started_wall_ms;
	struct command *next;
};

extern char **environ;

/* No business of a child unless the step gives it. */
static bool is_hidden(const struct engine *engine, const char *entry)
{
	size_t bytes = strcspn(entry, "=");

	if (variable_is_secret(entry, bytes) || text_has_prefix(entry, "TESTGRID_") ||
	        text_has_prefix(entry, "GRIDLANE_OUTPUT=") || text_has_prefix(entry, "GRIDLANE_HISTORY="))
		return true;
	for (size_t i = 0; i < engine->plan->secret_count; i++) {
		const char *name = engine->plan->secrets[i].environment;

		if (name && strlen(name) == bytes && strncmp(name, entry, bytes) == 0)
			return true;
	}
	return false;
}

static void add(char ***list, size_t *count, char *entry)
{
	*list = gr_grow(*list, *count, sizeof(**list));
	(*list)[(*count)++] = entry;
}

static int add_named(
        const struct engine *engine, const json_t *environment, char ***list, size_t *count, struct gr_error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)environment, key, value) {
		GR_AUTO_FREE char *text = json_is_string(value) ? vault_resolve(engine->vault, json_string_value(value))
		                                                : value_text(value);

		if (!text) {
			(void)server_lacks_secret(engine, json_string_value(value), err);
			return gr_context(err, "env '%s'", key);
		}
		add(list, count, gr_printf("%s=%s", key, text));
	}
	return 0;
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++) {
		explicit_bzero(list[i], strlen(list[i])); /* some of them are secrets */
		gr_free(list[i]);
	}
	gr_free(list);
}

static int make_environment(const struct command *command, const json_t *named, char ***ret_list, struct gr_error *err)
{
	const struct engine *engine = command->engine;
	char **list = NULL;
	size_t count = 0;
	int r;

	for (char **entry = environ; entry && *entry; entry++)
		if (!is_hidden(engine, *entry))
			add(&list, &count, gr_strdup(*entry));
	add(&list, &count, gr_printf("GRIDLANE_OUTPUT=%s", command->output_file));
	add(&list, &count, gr_printf("GRIDLANE_RUN_ID=%s", engine->options->run_id));
	if (command->document_file)
		add(&list, &count, gr_printf("GRIDLANE_CAPABILITIES=%s", command->document_file));
	r = add_named(engine, named, &list, &count, err);
	add(&list, &count, NULL);
	if (r < 0) {
		free_list(list);
		return r;
	}
	*ret_list = list;
	return 0;
}

static int make_arguments(const json_t *words, char ***ret_list, struct gr_error *err)
{
	char **list = NULL;
	size_t count = 0, i;
	json_t *word;

	json_array_foreach (words, i, word) {
		if (json_is_string(word) && handle_is(json_string_value(word))) {
			add(&list, &count, NULL);
			free_list(list);
			return gr_fail(err, GR_CONFIG, 0,
			        "a secret may not stand among a command's arguments, where every user of the machine "
			        "can read it; "
			        "give it with `env:`");
		}
		add(&list, &count,
		        json_is_string(word) ? gr_strdup(json_string_value(word))
		                             : json_dumps(word, JSON_ENCODE_ANY | JSON_COMPACT));
	}
	add(&list, &count, NULL);
	if (count < 2) {
		free_list(list);
		return gr_fail(err, GR_CONFIG, 0, "the command is empty");
	}
	*ret_list = list;
	return 0;
}

static int make_output_file(struct command *command, struct gr_error *err)
{
	unsigned number;
	GR_AUTO_CLOSE int fd = -1;

	number_random(&number, sizeof(number));
	command->output_file = gr_printf("%s/.output-%08x", command->engine->options->output_path, number);
	if (command->output_file[0] != '/') { /* the command may have a folder of its own */
		GR_AUTO_FREE char *here = getcwd(NULL, 0);
		char *absolute = gr_printf("%s/%s", here ? here : ".", command->output_file);

		gr_free(command->output_file);
		command->output_file = absolute;
	}
	fd = open(command->output_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return gr_fail(err, GR_DISK, errno, "'%s'", command->output_file);
	return 0;
}

/* false: it is no KEY=VALUE. */
static bool read_line(json_t *outputs, char *line)
{
	char *equals = strchr(line, '=');

	if (!equals || equals == line || !text_is_utf8(line, strlen(line)))
		return line[0] == '\0';
	*equals = '\0';
	(void)json_object_set_new(outputs, line, json_string(equals + 1));
	return true;
}

static json_t *read_outputs(struct command *command, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer data = {0};
	json_t *outputs = json_object();
	size_t number = 0, bad = 0;
	char *rest, *line;

	if (file_read(command->output_file, OUTPUT_MOST_BYTES, GR_COMMAND, &data, err) < 0)
		return outputs;
	for (rest = data.data; rest && (line = strsep(&rest, "\n")) != NULL;) {
		number++;
		if (!read_line(outputs, line) && !bad)
			bad = number;
	}
	if (bad)
		engine_warn(command->engine, GR_COMMAND, command->task->lane->name, command->task->plan->id,
		        "line %zu of $GRIDLANE_OUTPUT is not KEY=VALUE, and is left out", bad); /* the first will do */
	return outputs;
}

static void on_line(void *context, bool is_stderr, const char *line, size_t bytes)
{
	struct command *command = context;
	GR_AUTO_FREE char *text = gr_strndup(line, bytes);
	struct run_event event = {.kind = STEP_OUTPUT, .text = text, .done = is_stderr};

	if (!command->task)
		return;
	event.lane = command->task->lane->name;
	event.step = command->task->plan->id;
	engine_emit(command->engine, &event);
}

static void command_free(struct command *command)
{
	struct command **place = &command->engine->commands;

	while (*place && *place != command)
		place = &(*place)->next;
	if (*place)
		*place = command->next;
	if (command->output_file)
		(void)unlink(command->output_file); /* absent or left behind: either way nothing depends on it */
	if (command->document_file)
		(void)unlink(command->document_file); /* it may hold the token */
	gr_free(command->document_file);
	gr_free(command->junit);
	gr_free(command->output_file);
	gr_free(command);
}

static void on_exit_status(void *context, int status)
{
	struct command *command = context;
	struct task *task = command->task;
	struct event event = {.kind = EVENT_EXIT};
	GR_AUTO_JSON json_t *outputs = NULL;
	GR_AUTO_JSON json_t *cases = NULL;

	loop_timer_clear(command->engine->loop, &command->kill);
	if (task) {
		task->command = NULL;
		outputs = read_outputs(command, &event.error);
		event.outputs = outputs;
		if (command->junit && !event.error.failure)
			(void)junit_read(command->junit, command->started_wall_ms, &cases, &event.error);
		event.cases = cases;
		event.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	command_free(command);
	if (task)
		task_send(task, &event);
}

static const struct child_ops ops = {.on_line = on_line, .on_exit = on_exit_status};

int command_start(struct task *task, const struct action *action, struct gr_error *err)
{
	struct command *command = gr_alloc(1, sizeof(*command));
	char **arguments = NULL, **environment = NULL;
	int r;

	command->engine = task->engine;
	command->task = task;
	command->junit = gr_strdup(action->junit);
	command->started_wall_ms = clock_wall_ms();
	command->next = task->engine->commands;
	task->engine->commands = command;
	r = make_output_file(command, err);
	if (r == 0 && action->document) {
		command->document_file = gr_printf("%s.json", command->output_file);
		r = document_write(task->engine->vault, action->document, command->document_file, err);
	}
	if (r == 0)
		r = make_arguments(action->command, &arguments, err);
	if (r == 0)
		r = make_environment(command, action->environment, &environment, err);
	if (r == 0)
		r = child_start(task->engine->loop,
		        &(struct child_order){arguments, environment, action->cwd, &ops, command}, &command->child,
		        err);
	free_list(arguments);
	free_list(environment);
	if (r < 0)
		command_free(command);
	else
		task->command = command;
	return r;
}

static void kill_now(void *context)
{
	child_kill(((struct command *)context)->child, 9);
}

void command_stop(struct command *command)
{
	if (!command)
		return;
	command->task = NULL;
	child_kill(command->child, 15);
	command->kill.on_due = kill_now;
	command->kill.context = command;
	loop_timer_set(command->engine->loop, &command->kill, loop_now(command->engine->loop) + KILL_AFTER_MS);
}

void commands_free(struct engine *engine)
{
	while (engine->commands)
		command_free(engine->commands);
}
