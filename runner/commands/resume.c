/* gridlane resume: go on with a run whose process died, from its journal. */
#include <stdio.h>

#include "runner/commands/report.h"
#include "runner/commands/session.h"
#include "runner/net/loop.h"

/* A complete run is not touched; its verdict is said again. */
static int already_done(struct session *session)
{
	struct gr_error err = {0};

	if (output_read_results(&session->output, &session->results, &err) < 0)
		return complain(&err);
	printf("run %s is complete: %s%s%s\n", session->output.run_id, verdict_name(session->results.verdict),
	        session->results.cause ? ": " : "", session->results.cause ? session->results.cause : "");
	return report_asked(session, &err) < 0 ? complain(&err) : session->results.exit_status;
}

static int go_on(struct session *session, struct gr_error *err)
{
	if (session_reopen(session, err) < 0)
		return complain(err);
	if (session->replay->is_done && !replay_leaves_open(session->replay))
		return already_done(session);
	if (json_is_true(json_object_get(session->replay->head, "sandbox"))) {
		(void)gr_fail(
		        err, GR_USAGE, 0, "this run was made on the sandbox inside gridlane, which ended with it");
		return complain(err);
	}
	if (session_load_again(session, err) < 0)
		return complain(err);
	if (session_open_readers(session, true, err) < 0)
		return complain(err);
	if (session_execute(session, err) < 0 && !session->results.run_id)
		return complain(err);
	return session_finish(session);
}

int command_resume(const struct arguments *arguments)
{
	struct session session;
	struct gr_error err = {0};
	int status;

	loop_signals_block(); /* one that comes from here on waits for the engine, or for the reports */
	status = session_init(&session, arguments, &err) < 0 ? complain(&err) : go_on(&session, &err);
	session_release(&session);
	return status;
}
