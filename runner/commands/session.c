#include "runner/commands/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reporters/reporter.h"
#include "runner/base/ci.h"
#include "runner/base/clock.h"
#include "runner/base/library.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"
#include "runner/net/loop.h"
#include "runner/net/transfer.h"

#define LOCK_STEP_MS 50 /* how often a lock is tried again */

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

static int read_numbers(struct session *session, struct gr_error *err)
{
	const char *grace = argument_value(session->arguments, OPT_GRACE);
	const char *scale = argument_value(session->arguments, OPT_TIME_SCALE);
	const char *lock_wait = argument_value(session->arguments, OPT_LOCK_WAIT);

	if (grace && (!number_parse_duration(grace, &session->grace_ms) || session->grace_ms < 1000 ||
	                     session->grace_ms > 600000))
		return gr_fail(err, GR_USAGE, 0, "--grace: '%s' is not a duration from 1s to 10m", grace);
	if (lock_wait && !number_parse_duration(lock_wait, &session->lock_wait_ms))
		return gr_fail(err, GR_USAGE, 0, "--lock-wait: '%s' is not a duration", lock_wait);
	if (scale && (!number_parse_real(scale, &session->time_scale) || session->time_scale <= 0))
		return gr_fail(err, GR_USAGE, 0, "--time-scale: '%s' is not a positive number", scale);
	return 0;
}

int session_init(struct session *session, const struct arguments *arguments, struct gr_error *err)
{
	const char *color = argument_value(arguments, OPT_COLOR);
	int r;

	*session = (struct session){.arguments = arguments, .output = {.directory = -1}, .grace_ms = 6000};
	session->redactor = redactor_new();
	(void)signal(SIGPIPE, SIG_IGN); /* a reader of our output that goes away ends nothing */
	r = read_numbers(session, err);
	if (r < 0)
		return r;
	if (color && strcmp(color, "auto") != 0 && strcmp(color, "always") != 0 && strcmp(color, "never") != 0)
		return gr_fail(err, GR_USAGE, 0, "--color: '%s' is none of auto, always, never", color);
	r = output_check_reports(arguments->values[OPT_REPORT], err);
	if (r < 0 || !argument_is_given(arguments, OPT_SIGN_WITH))
		return r;
	return key_read_private(argument_value(arguments, OPT_SIGN_WITH), &session->signer, err);
}

void session_wait(const struct session *session)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000};
	int64_t until_ms = clock_now_ms() + session->lock_wait_ms;
	sigset_t set = loop_signals();
	int number = -1;

	while (number < 0 && clock_now_ms() < until_ms && journal_is_busy(session->output.directory))
		number = sigtimedwait(&set, NULL, &step);
	if (number > 0)
		(void)raise(number); /* pending again: whoever looks for signals next finds it */
}

int session_reopen(struct session *session, struct gr_error *err)
{
	const char *wanted = session->arguments->word_count ? session->arguments->words[0] : "gridlane-out/latest";
	const char *folder;
	int r = output_reopen(wanted, &session->output, err);

	if (r < 0 && session->arguments->word_count == 0)
		return gr_context(err, "no run has left its folder here; name one: `gridlane %s DIR`",
		        session->arguments->command);
	if (r < 0)
		return r;
	session_wait(session);
	r = replay_read(session->output.directory, &session->replay, err);
	if (r < 0 && faccessat(session->output.directory, "journal.jsonl", F_OK, 0) != 0)
		return gr_context(err, "'%s' holds no run that can be gone on with", wanted);
	if (r < 0)
		return gr_context(err, "'%s'", wanted);
	output_adopt(&session->output, session->replay->head);
	folder = json_string_value(json_object_get(session->replay->head, "folder"));
	if (folder && chdir(folder) != 0 && !session->is_cleanup)
		return gr_fail(err, GR_CONFIG, errno, "the run's working directory '%s'", folder);
	if (json_number_value(json_object_get(session->replay->head, "time_scale")) > 0)
		session->time_scale = json_number_value(json_object_get(session->replay->head, "time_scale"));
	return 0;
}

/* ---- the pipeline ---- */

static void print_diagnostics(const struct diagnostics *diagnostics)
{
	GR_AUTO_BUFFER struct buffer text = {0};

	if (diagnostics->count == 0)
		return;
	diagnostics_print_text(diagnostics, &text);
	(void)fflush(stdout);
	(void)fputs(buffer_text(&text), stderr);
}

/* The pipeline cannot be run: reports say so too, or a CI would show those of the run before. */
void session_mistakes(struct session *session, const struct diagnostics *diagnostics, const struct gr_error *err)
{
	struct results *results = &session->results;

	*results = (struct results){.run_id = gr_strdup(session->output.run_id),
	        .pipeline = gr_strdup(session->file),
	        .file = gr_strdup(session->file),
	        .tool = gr_strdup("gridlane " GRIDLANE_VERSION),
	        .started_wall_ms = clock_wall_ms()};
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *one = &diagnostics->items[i];
		const char *file = one->is_in_quarantine ? diagnostics->quarantine_file : session->file;

		if (one->is_warning)
			continue;
		if (one->line > 0)
			(void)results_add_problem(results, GR_CONFIG, NULL, NULL, "%s:%u:%u: %s", file, one->line,
			        one->column, one->message);
		else
			(void)results_add_problem(results, GR_CONFIG, NULL, NULL, "%s", one->message);
	}
	if (diagnostics->errors == 0)
		(void)results_add_problem(results, err->failure, NULL, NULL, "%s", err->text);
	results_judge(results);
}

struct output_order session_order(struct session *session, struct buffer *printed)
{
	return (struct output_order){.plan = session->plan,
	        .wanted = session->arguments->values[OPT_REPORT],
	        .redactor = session->redactor,
	        .signer = session->signer,
	        .readers = {session->readers, session->reader_count},
	        .printed = printed};
}

/* Known before anything is sent: a release must not wait for a run that cannot vouch for it. */
static int check_signer(struct session *session, struct gr_error *err)
{
	const struct output_order order = session_order(session, NULL);

	if (session->is_cleanup || !output_is_wanted(&order, "attestation"))
		return 0;
	if (!session->plan->has_subject)
		return gr_fail(err, GR_USAGE, 0,
		        "the report 'attestation' has nothing to attest: no step uploads a build or native tests");
	if (session->signer)
		return 0;
	return gr_fail(err, GR_USAGE, 0, "the report 'attestation' needs --sign-with FILE (or GRIDLANE_SIGN_WITH)");
}

int session_load(struct session *session, const struct plan_options *options, struct gr_error *err)
{
	struct diagnostics diagnostics = {0};
	int r = plan_load(session->file, options, &session->plan, &diagnostics, err);

	print_diagnostics(&diagnostics);
	if (r == 0)
		r = check_signer(session, err);
	if (r < 0) {
		if (diagnostics.errors == 0)
			(void)complain(err);
		session_mistakes(session, &diagnostics, err);
	}
	diagnostics_release(&diagnostics);
	return r;
}

/* The inputs as they were given. Texts are borrowed from the head. */
static const char **inputs_of(const json_t *head)
{
	const json_t *list = json_object_get(head, "inputs");
	const char **inputs = gr_alloc(json_array_size(list) + 1, sizeof(char *));

	for (size_t i = 0; i < json_array_size(list); i++)
		inputs[i] = json_string_value(json_array_get(list, i));
	return inputs;
}

/* "K" of the first "K=V" that is in one list and not in the other, or NULL; the caller's. */
static char *input_that_differs(const json_t *then, const json_t *now)
{
	const json_t *const lists[] = {now, then};
	const json_t *item;
	size_t i;

	for (size_t n = 0; n < GR_COUNT(lists); n++)
		json_array_foreach (lists[n], i, item) {
			const char *text = json_string_value(item);
			bool is_there = false;

			for (size_t k = 0; k < json_array_size(lists[1 - n]); k++)
				is_there = is_there ||
				           text_equal(text, json_string_value(json_array_get(lists[1 - n], k)));
			if (text && !is_there)
				return gr_strndup(text, strcspn(text, "="));
		}
	return NULL;
}

char *session_difference(const struct session *session, const json_t *inputs)
{
	const json_t *head = session->replay->head;
	const char *file = json_string_value(json_object_get(head, "pipeline"));
	GR_AUTO_FREE char *input = input_that_differs(json_object_get(head, "inputs"), inputs);

	if (!text_equal(file, session->file))
		return gr_printf("its pipeline is '%s', not '%s'", file ? file : "?", session->file);
	if (!text_equal(json_string_value(json_object_get(head, "source")), session->plan->source_sha256))
		return gr_printf("'%s' has changed since it began", session->file);
	if (input)
		return gr_printf("input '%s' is not what it was", input);
	return gr_strdup("the value of an input, or the quarantine, has changed since it began");
}

/* For a cleanup: the pipeline as it began, whatever has become of the workspace. false: secrets were taken out of its
 * text, which is none any more without them. */
static bool load_recorded(struct session *session, struct plan_options options)
{
	struct diagnostics diagnostics = {0};
	struct gr_error ignored = {0};
	int r;

	options.source = json_string_value(json_object_get(session->head, "text"));
	if (!session->is_cleanup || !options.source)
		return false;
	r = plan_load(session->file, &options, &session->plan, &diagnostics, &ignored);
	diagnostics_release(&diagnostics);
	return r == 0;
}

int session_load_again(struct session *session, struct gr_error *err)
{
	const json_t *head = session->replay->head;
	const char **inputs = inputs_of(head);
	struct plan_options options = {.inputs = inputs,
	        .allow_outside = session->is_cleanup || json_is_true(json_object_get(head, "allow_outside")),
	        .files_may_be_gone = true};
	int r;

	session->file = json_string_value(json_object_get(head, "pipeline"));
	session->head = json_deep_copy(head);
	(void)json_object_set_new(session->head, "pid", json_integer((json_int_t)getpid()));
	r = load_recorded(session, options) ? 0 : session_load(session, &options, err);
	gr_free(inputs);
	if (r < 0)
		return r;
	if (!session->is_cleanup &&
	        !text_equal(json_string_value(json_object_get(head, "fingerprint")), session->plan->fingerprint)) {
		GR_AUTO_FREE char *difference = session_difference(session, json_object_get(head, "inputs"));

		return gr_fail(err, GR_CONFIG, 0,
		        "run %s cannot be gone on with: %s; `gridlane cleanup` gives back what it holds, and a new run "
		        "begins anew",
		        session->output.run_id, difference);
	}
	return 0;
}

/* ---- readers of events ---- */

static int open_journal(struct session *session, struct gr_error *err)
{
	struct event_reader *reader = &session->readers[session->reader_count];
	int r = journal_open(session->output.directory, session->head, session->replay, session->redactor, reader, err);

	if (r < 0)
		return r;
	session->reader_count++;
	session->journal = reader;
	return 0;
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
	struct event_reader *reader = &session->readers[session->reader_count];
	unsigned flags = 0;
	int r;

	flags |= argument_is_given(arguments, OPT_QUIET) ? CONSOLE_QUIET : 0;
	flags |= argument_is_given(arguments, OPT_VERBOSE) ? CONSOLE_VERBOSE : 0;
	flags |= argument_is_given(arguments, OPT_TIMESTAMPS) ? CONSOLE_TIMESTAMPS : 0;
	flags |= wants_color(arguments) ? CONSOLE_COLOR : 0;
	flags |= wants_live(arguments) ? CONSOLE_LIVE : 0;
	r = console_open(STDOUT_FILENO, flags, session->redactor, reader, err);
	if (r < 0)
		return r;
	session->reader_count++;
	session->console = reader;
	return 0;
}

int session_open_readers(struct session *session, bool has_journal, struct gr_error *err)
{
	int r = has_journal ? open_journal(session, err) : 0;

	if (r == 0)
		r = open_events(session, err);
	if (r == 0)
		r = open_console(session, err);
	return r;
}

/* ---- the engine ---- */

void session_trace(void *user, const char *line)
{
	struct session *session = user;
	GR_AUTO_FREE char *clean = redactor_text(session->redactor, line);

	fprintf(stderr, "%s\n", clean);
}

static void on_alarm(void *user, const char *text)
{
	struct session *session = user;
	GR_AUTO_FREE char *clean = redactor_text(session->redactor, text);

	fprintf(stderr, "gridlane: %s\n", clean);
}

static void on_tick(void *user, int64_t now_ms)
{
	struct session *session = user;

	console_tick(session->console, now_ms);
}

static json_t *environment_of_job(void)
{
	struct ci ci;
	json_t *json;

	ci_detect_here(&ci);
	json = ci_to_json(&ci);
	ci_release(&ci);
	return json;
}

/* The folder that a file is in, or will be, whatever the working directory becomes. */
static char *folder_of(const char *path)
{
	GR_AUTO_FREE char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
	const char *slash = strrchr(path, '/');

	return gr_printf("%s%s%.*s", here ? here : "", here ? "/" : "", slash ? (int)(slash - path) + 1 : 0, path);
}

/* What is written beside the output folder. */
static const char *const *list_writes(struct session *session)
{
	struct gr_error ignored = {0};
	GR_AUTO_FREE char *history = history_place(session->arguments, session->has_sandbox, &ignored);
	const char *const files[WRITES_MOST] = {history && !history_is_server(history) ? history : NULL,
	        getenv("GITHUB_STEP_SUMMARY"), getenv("GITHUB_OUTPUT")};
	size_t count = 0;

	for (size_t i = 0; i < GR_COUNT(files); i++)
		if (files[i] && *files[i])
			session->writes[count++] = folder_of(files[i]);
	return (const char *const *)session->writes;
}

int session_execute(struct session *session, struct gr_error *err)
{
	GR_AUTO_JSON json_t *environment = environment_of_job();
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
	        .server_user_id = session->has_sandbox ? session->sandbox.user_id : NULL,
	        .time_scale = session->time_scale > 0 ? session->time_scale : 1,
	        .grace_ms = session->grace_ms,
	        .trace = argument_is_given(session->arguments, OPT_TRACE),
	        .on_trace = session_trace,
	        .on_alarm = on_alarm,
	        .on_tick = session->console ? on_tick : NULL,
	        .user = session,
	        .may_read_all = json_is_true(json_object_get(session->head, "allow_outside")),
	        .replay = session->replay,
	        .environment = environment,
	        .hooks = &session->hooks,
	        .look_back = session_look_back,
	};
	const char *folder = session->plan->working_directory;
	int r;

	options.writes = list_writes(session);
	r = reporters_make_ready(err);
	if (r == 0)
		r = transfer_init(err);
	if (r < 0)
		return r;
	session_open_history(session, environment); /* the file of --history is meant from the folder of the command */
	if (folder && chdir(folder) != 0 && !session->is_cleanup)
		return gr_fail(err, GR_CONFIG, errno, "working_directory '%s'", folder);
	options.past = session->past;
	if (session->history)
		history_reach(session->history, &options.history_port, session->history_files);
	options.history_files = (const char *const *)session->history_files;
	library_trim();
	return session->is_cleanup ? engine_cleanup(session->plan, &options, &session->results, err)
	                           : engine_run(session->plan, &options, &session->results, err);
}
