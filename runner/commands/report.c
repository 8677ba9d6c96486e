/* gridlane report: reports again, from results.json or, after a kill, from the journal. */
#include <stdio.h>
#include <unistd.h>

#include "runner/base/memory.h"
#include "runner/commands/session.h"

static void take_journal(struct session *session)
{
	replay_conclude(session->replay);
	session->results = session->replay->results;
	session->replay->results = (struct results){0};
}

/* results.json, unless the journal is ahead of it: of a run that was killed it may tell how it was once, or of the run
 * before. */
static int load_results(struct session *session, struct gr_error *err)
{
	struct gr_error why = {0};
	bool has_journal = replay_read(session->output.directory, &session->replay, &why) == 0;
	int r = 0;

	if (has_journal && !session->replay->has_verdict) {
		take_journal(session);
		return 0;
	}
	r = output_read_results(&session->output, &session->results, err);
	if (r == 0 || err->failure != GR_CONFIG)
		return r;
	*err = why;
	if (!has_journal)
		return gr_context(err, "neither results.json nor a journal that can be read");
	take_journal(session);
	return 0;
}

static int report(struct session *session, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer printed = {0};
	const struct output_order order = {.wanted = session->arguments->values[OPT_REPORT],
	        .redactor = session->redactor,
	        .signer = session->signer,
	        .printed = &printed};

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
