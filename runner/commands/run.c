/* gridlane run: check, execute, report. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipelines/plan.h"
#include "reporters/reporter.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/commands/command.h"
#include "runner/commands/output.h"
#include "runner/engine/engine.h"
#include "runner/net/transfer.h"
#include "sandbox/sandbox.h"

#define READERS_MOST 3

struct session {
	const struct arguments *arguments;
	struct output output;
	struct redactor *redactor;
	struct event_reader readers[READERS_MOST];
	size_t reader_count, console;
	struct plan *plan;
	struct results results;
	struct sandbox_process sandbox;
	bool has_sandbox;
	int64_t grace_ms;
	double time_scale;
};

static bool wants_color(const struct arguments *arguments)
{
	const char *color = argument_value(arguments, OPT_COLOR);
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	if (color && strcmp(color, "always") == 0)
		return true;
	if (color && strcmp(color, "never") == 0)
		return false;
	return isatty(STDOUT_FILENO) && (!none || !*none) && (!term || strcmp(term, "dumb") != 0);
}

static bool wants_live(const struct arguments *arguments)
{
	const char *term = getenv("TERM"), *ci = getenv("CI");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 && (!ci || !*ci) &&
	       !argument_is_given(arguments, OPT_NO_PROGRESS) && !argument_is_given(arguments, OPT_VERBOSE) &&
	       !argument_is_given(arguments, OPT_QUIET);
}

static int check_arguments(struct session *session, struct gr_error *err)
{
	const struct arguments *arguments = session->arguments;
	const char *grace = argument_value(arguments, OPT_GRACE);
	const char *scale = argument_value(arguments, OPT_TIME_SCALE);
	const char *color = argument_value(arguments, OPT_COLOR);

	session->grace_ms = 6000;
	if (grace && (!number_parse_duration(grace, &session->grace_ms) || session->grace_ms < 1000 ||
			     session->grace_ms > 600000))
		return gr_fail(err, GR_USAGE, 0, "--grace: '%s' is not a duration from 1s to 10m", grace);
	if (scale && (!number_parse_real(scale, &session->time_scale) || session->time_scale <= 0))
		return gr_fail(err, GR_USAGE, 0, "--time-scale: '%s' is not a positive number", scale);
	if (color && strcmp(color, "auto") != 0 && strcmp(color, "always") != 0 && strcmp(color, "never") != 0)
		return gr_fail(err, GR_USAGE, 0, "--color: '%s' is none of auto, always, never", color);
	return output_check_reports(arguments->values[OPT_REPORT], err);
}

static int open_events(struct session *session, struct gr_error *err)
{
	const char *file = argument_value(session->arguments, OPT_EVENTS);
	int fd;

	if (!file)
		return 0;
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return gr_fail(err, GR_USAGE, errno, "--events: '%s'", file);
	return event_log_open(fd, session->redactor, &session->readers[session->reader_count++], err);
}

static int open_console(struct session *session, struct gr_error *err)
{
	const struct arguments *arguments = session->arguments;
	unsigned flags = 0;

	flags |= argument_is_given(arguments, OPT_QUIET) ? CONSOLE_QUIET : 0;
	flags |= argument_is_given(arguments, OPT_VERBOSE) ? CONSOLE_VERBOSE : 0;
	flags |= argument_is_given(arguments, OPT_TIMESTAMPS) ? CONSOLE_TIMESTAMPS : 0;
	flags |= wants_color(arguments) ? CONSOLE_COLOR : 0;
	flags |= wants_live(arguments) ? CONSOLE_LIVE : 0;
	session->console = session->reader_count;
	return console_open(STDOUT_FILENO, flags, session->redactor, &session->readers[session->reader_count++], err);
}

static void print_diagnostics(const struct diagnostics *diagnostics)
{
	GR_AUTO_BUFFER struct buffer text = {0};

	if (diagnostics->count == 0)
		return;
	diagnostics_print_text(diagnostics, &text);
	(void)fflush(stdout);
	fputs(buffer_text(&text), stderr);
}

/* The pipeline cannot be run: reports say so too, or a CI would show those of the run before. */
static void results_of_mistakes(struct session *session, const struct diagnostics *diagnostics, const struct gr_error *err)
{
	struct results *results = &session->results;
	const char *file = session->arguments->words[0];

	*results = (struct results){.run_id = gr_strdup(session->output.run_id), .pipeline = gr_strdup(file),
		.file = gr_strdup(file), .tool = gr_strdup("gridlane " GRIDLANE_VERSION), .started_wall_ms = clock_wall_ms()};
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *one = &diagnostics->items[i];

		if (!one->is_warning)
			(void)results_add_problem(results, GR_CONFIG, NULL, NULL, "%s:%u:%u: %s", file, one->line, one->column,
				one->message);
	}
	if (diagnostics->errors == 0)
		(void)results_add_problem(results, err->failure, NULL, NULL, "%s", err->text);
	results_judge(results);
}

static int load_plan(struct session *session, struct gr_error *err)
{
	const struct plan_options options = {
		.inputs = session->arguments->values[OPT_INPUT],
		.allow_outside = argument_is_given(session->arguments, OPT_ALLOW_OUTSIDE),
	};
	struct diagnostics diagnostics = {0};
	int r = plan_load(session->arguments->words[0], &options, &session->plan, &diagnostics, err);

	print_diagnostics(&diagnostics);
	if (r < 0) {
		if (diagnostics.errors == 0)
			(void)complain(err);
		results_of_mistakes(session, &diagnostics, err);
	}
	diagnostics_release(&diagnostics);
	return r;
}

static int start_sandbox(struct session *session, struct gr_error *err)
{
	const char *scenario = argument_value(session->arguments, OPT_SANDBOX);
	const struct sandbox_options options = {
		.scenario_file = scenario && *scenario ? scenario : NULL,
		.log_file = getenv("GRIDLANE_SANDBOX_LOG"),
	};

	if (!scenario)
		return 0;
	if (sandbox_fork(&options, &session->sandbox, err) < 0)
		return gr_context(err, "sandbox");
	session->has_sandbox = true;
	(void)redactor_add(session->redactor, session->sandbox.token);
	if (session->time_scale <= 0)
		session->time_scale = session->sandbox.time_scale;
	return 0;
}

static void on_trace(void *user, const char *line)
{
	struct session *session = user;
	GR_AUTO_FREE char *clean = redactor_text(session->redactor, line);

	fprintf(stderr, "%s\n", clean);
}

static void on_tick(void *user, int64_t now_ms)
{
	struct session *session = user;

	console_tick(&session->readers[session->console], now_ms);
}

static int execute(struct session *session, struct gr_error *err)
{
	struct engine_options options = {
		.run_id = session->output.run_id,
		.run_key = session->output.run_key,
		.directory = session->output.directory,
		.output_path = session->output.path,
		.redactor = session->redactor,
		.readers = session->readers,
		.reader_count = session->reader_count,
		.server_url = session->has_sandbox ? session->sandbox.url : NULL,
		.server_token = session->has_sandbox ? session->sandbox.token : NULL,
		.time_scale = session->time_scale > 0 ? session->time_scale : 1,
		.grace_ms = session->grace_ms,
		.trace = argument_is_given(session->arguments, OPT_TRACE),
		.on_trace = on_trace,
		.on_tick = on_tick,
		.user = session,
	};
	const char *folder = session->plan->working_directory;
	int r;

	if (folder && chdir(folder) != 0)
		return gr_fail(err, GR_CONFIG, errno, "working_directory '%s'", folder);
	r = transfer_init(err);
	if (r == 0)
		r = engine_run(session->plan, &options, &session->results, err);
	return r;
}

static void close_readers(struct session *session)
{
	for (size_t i = 0; i < session->reader_count; i++) {
		struct gr_error err = {0};

		if (session->readers[i].close && session->readers[i].close(session->readers[i].state, &err) < 0)
			(void)complain(&err); /* the verdict stands: results and reports are written by now */
	}
}

/* Reports, the last words, the exit status. */
static int finish(struct session *session)
{
	const struct output_readers readers = {session->readers, session->reader_count};
	struct run_event judged = {.kind = RUN_JUDGED, .results = &session->results};
	struct gr_error err = {0};

	if (output_write_reports(&session->output, session->plan, session->arguments->values[OPT_REPORT], &session->results,
		    session->redactor, &readers, &err) < 0 &&
		session->results.exit_status == 0) {
		/* a green run whose reports are lost is not green: a gate would read the absence */
		(void)results_add_problem(&session->results, GR_DISK, NULL, NULL, "%s", err.text);
		results_judge(&session->results);
	}
	output_emit(&readers, &judged);
	return session->results.exit_status;
}

static int session_run(struct session *session)
{
	struct gr_error err = {0};
	int status;

	if (output_open(argument_value(session->arguments, OPT_OUT), &session->output, &err) < 0)
		return complain(&err);
	if (open_events(session, &err) < 0)
		return complain(&err);
	if (load_plan(session, &err) == 0) {
		if (start_sandbox(session, &err) < 0)
			return complain(&err);
		loop_signals_block();
		if (open_console(session, &err) < 0)
			return complain(&err);
		if (execute(session, &err) < 0 && !session->results.run_id)
			return complain(&err);
	} else if (open_console(session, &err) < 0) {
		return complain(&err);
	}
	status = finish(session);
	close_readers(session);
	return status;
}

int command_run(const struct arguments *arguments)
{
	struct session session = {.arguments = arguments, .output = {.directory = -1}};
	struct gr_error err = {0};
	int status;

	if (check_arguments(&session, &err) < 0)
		return complain(&err);
	(void)signal(SIGPIPE, SIG_IGN); /* a reader of our output that goes away ends nothing */
	session.redactor = redactor_new();
	status = session_run(&session);
	if (session.has_sandbox)
		sandbox_end(&session.sandbox);
	results_release(&session.results);
	plan_free(session.plan);
	output_release(&session.output);
	redactor_free(session.redactor);
	transfer_finish();
	return status;
}
