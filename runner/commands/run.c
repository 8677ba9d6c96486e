/* gridlane run: check, execute, report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/credentials.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/commands/session.h"
#include "runner/net/loop.h"

static int start_sandbox(struct session *session, struct gr_error *err)
{
	const char *scenario = argument_value(session->arguments, OPT_SANDBOX);
	const struct sandbox_options options = {
	        .scenario_file = scenario && *scenario ? scenario : NULL,
	        .log_file = getenv("GRIDLANE_SANDBOX_LOG"), /* for tests: what was asked */
	        .time_scale = session->time_scale,
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

static json_t *list_of_inputs(const struct arguments *arguments)
{
	json_t *list = json_array();

	for (const char **input = arguments->values[OPT_INPUT]; input && *input; input++)
		(void)json_array_append_new(list, json_string(*input));
	return list;
}

/* Before the pipeline's text is written down: what is a secret by now is none of it. */
static void learn_secrets(const struct session *session)
{
	const struct plan *plan = session->plan;
	const struct node *proxy = plan->server.proxy;

	environment_learn(session->redactor);
	if (proxy && proxy->text && !proxy->template)
		url_learn_password(session->redactor, proxy->text);
	for (size_t i = 0; i < plan->secret_count; i++)
		if (plan->secrets[i].environment)
			(void)redactor_add(session->redactor, getenv(plan->secrets[i].environment));
	engine_learn_secret_files(plan, session->redactor);
}

/* What `resume` needs to know. */
static json_t *make_head(const struct session *session)
{
	GR_AUTO_FREE char *folder = getcwd(NULL, 0);
	char host[256] = "";

	learn_secrets(session);

	(void)gethostname(host, sizeof(host) - 1);
	return json_pack("{s:s, s:s, s:s, s:s?, s:o, s:b, s:s, s:s, s:s?, s:b, s:f, s:i, s:s}", "run_id",
	        session->output.run_id, "run_key", session->output.run_key, "pipeline", session->file, "folder", folder,
	        "inputs", list_of_inputs(session->arguments), "allow_outside",
	        argument_is_given(session->arguments, OPT_ALLOW_OUTSIDE), "fingerprint", session->plan->fingerprint,
	        "source", session->plan->source_sha256, "text", session->plan->source, "sandbox", session->has_sandbox,
	        "time_scale", session->time_scale, "pid", (int)getpid(), "host", host);
}

static void forget_unfinished(struct session *session)
{
	replay_free(session->replay);
	session->replay = NULL;
}

/* What was tested would not be what is there now. The file's path, the caller's, or NULL; one that is not there any
 * more is not missed. */
static char *file_that_differs(const struct replay *replay)
{
	for (size_t i = 0; i < replay->step_count; i++) {
		const json_t *outputs = replay->steps[i].outputs;
		const char *pattern = json_string_value(json_object_get(outputs, "file"));
		const char *sha256 = json_string_value(json_object_get(outputs, "sha256"));
		GR_AUTO_FREE char *path = NULL;
		struct gr_error none = {0};
		char hex[65];

		if (!pattern || !sha256 || file_find_one(pattern, &path, &none) < 0 ||
		        file_sha256(path, GR_CONFIG, hex, NULL, &none) < 0)
			continue;
		if (strcmp(hex, sha256) != 0)
			return gr_take(&path);
	}
	return NULL;
}

static bool is_of_another_job(const struct session *session)
{
	const char *key = json_string_value(json_object_get(session->replay->head, "run_key"));

	return session->output.has_job && !text_equal(key, session->output.run_key);
}

/* Why the unfinished run is not gone on with; the caller's, or NULL. */
static char *difference(const struct session *session)
{
	const char *then = json_string_value(json_object_get(session->replay->head, "fingerprint"));
	GR_AUTO_FREE char *file = NULL;

	if (is_of_another_job(session))
		return gr_strdup("it is of another CI job, and may hold devices");
	if (!text_equal(then, session->plan->fingerprint)) {
		GR_AUTO_JSON json_t *inputs = list_of_inputs(session->arguments);

		return session_difference(session, inputs);
	}
	file = file_that_differs(session->replay);
	return file ? gr_printf("'%s' is not the file that was sent", file) : NULL;
}

/* An unfinished run of the same pipeline and job in the same folder is gone on with. A workspace that is kept from
 * build to build has that of the build before: nothing that it knew is true of this one. */
static int look_for_unfinished(struct session *session, struct gr_error *err)
{
	struct gr_error none = {0};
	GR_AUTO_FREE char *why = NULL;
	const char *run_id;

	if (session->has_sandbox || argument_is_given(session->arguments, OPT_FRESH) ||
	        !argument_is_given(session->arguments, OPT_OUT))
		return 0;
	session_wait(session);
	if (replay_read(session->output.directory, &session->replay, &none) < 0)
		return none.failure == GR_CONFIG ? 0 : (*err = none, -(int)none.failure);
	run_id = json_string_value(json_object_get(session->replay->head, "run_id"));
	if (session->replay->is_done || json_is_true(json_object_get(session->replay->head, "sandbox"))) {
		forget_unfinished(session);
		return 0;
	}
	why = difference(session);
	if (why && journal_is_busy(session->output.directory)) { /* not left behind: who has it is said at the lock */
		forget_unfinished(session);
		return 0;
	}
	if (is_of_another_job(session) && replay_count_open(session->replay) == 0) {
		printf("'%s' holds an unfinished run of another CI job (%s), which holds nothing: this one begins "
		       "anew\n",
		        session->output.shown, run_id);
		forget_unfinished(session);
		return 0;
	}
	if (why)
		return gr_fail(err, GR_USAGE, 0,
		        "'%s' holds an unfinished run (%s), and %s; `gridlane cleanup %s` gives back what it holds, "
		        "--fresh begins anew",
		        session->output.shown, run_id, why, session->output.shown);
	output_adopt(&session->output, session->replay->head);
	return 0;
}

static int prepare(struct session *session, struct gr_error *err)
{
	int r = start_sandbox(session, err);

	if (r == 0)
		r = look_for_unfinished(session, err);
	if (r == 0)
		session->head = make_head(session);
	if (r == 0)
		r = session_open_readers(session, true, err);
	if (r == 0 && !session->replay)
		output_forget(&session->output, session->plan, session->arguments->values[OPT_REPORT]);
	return r;
}

static int run(struct session *session, struct gr_error *err)
{
	const struct plan_options options = {.inputs = session->arguments->values[OPT_INPUT],
	        .allow_outside = argument_is_given(session->arguments, OPT_ALLOW_OUTSIDE)};
	int r = output_open(argument_value(session->arguments, OPT_OUT), &session->output, err);

	if (r < 0)
		return complain(err);
	session->file = session->arguments->words[0];
	if (session_load(session, &options, err) < 0) {
		if (session_open_readers(session, false, err) < 0)
			return complain(err);
		return session_finish(session);
	}
	if (prepare(session, err) < 0)
		return session_refuse(session, err);
	if (session_execute(session, err) < 0 && !session->results.run_id)
		return complain(err);
	return session_finish(session);
}

int command_run(const struct arguments *arguments)
{
	struct session session;
	struct gr_error err = {0};
	int status;

	loop_signals_block(); /* one that comes from here on waits for the engine, or for the reports */
	status = session_init(&session, arguments, &err) < 0 ? complain(&err) : run(&session, &err);
	session_release(&session);
	return status;
}
