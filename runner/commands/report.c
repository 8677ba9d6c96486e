/* gridlane report: reports again, from results.json or, after a kill, from the journal. */
#include <stdio.h>
#include <unistd.h>

#include "runner/base/memory.h"
#include "runner/commands/session.h"

static int load_results(struct session *session, struct gr_error *err)
{
	int r = output_read_results(&session->output, &session->results, err);

	if (r == 0 || err->failure != GR_CONFIG)
		return r;
	*err = (struct gr_error){0};
	r = replay_read(session->output.directory, &session->replay, err);
	if (r < 0)
		return gr_context(err, "neither results.json nor a journal that can be read");
	session->results = session->replay->results;
	session->replay->results = (struct results){0};
	results_judge(&session->results);
	return 0;
}

static int report(struct session *session, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer printed = {0};
	const struct output_order order = {
	        .wanted = session->arguments->values[OPT_REPORT], .redactor = session->redactor, .printed = &printed};

	if (output_reopen(session->arguments->words[0], &session->output, err) < 0 || load_results(session, err) < 0)
		return complain(err);
	if (output_write_again(&session->output, &order, &session->results, err) < 0)
		return complain(err);
	printf("run %s: %s; reports written to %s\n", session->results.run_id ? session->results.run_id : "?",
	        verdict_name(session->results.verdict), session->output.shown);
	(void)fwrite(buffer_text(&printed), 1, printed.bytes, stdout);
	return 0;
}

int command_report(const struct arguments *arguments)
{
	struct session session;
	struct gr_error err = {0};
	int status = session_init(&session, arguments, &err) < 0 ? complain(&err) : report(&session, &err);

	session_release(&session);
	return status;
}
