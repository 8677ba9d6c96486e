/* gridlane report: reports again, from results.json or, after a kill, from the journal. */
#include "runner/commands/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/memory.h"

static void take_journal(struct session *session)
{
	replay_conclude(session->replay);
	session->results = session->replay->results;
	session->replay->results = (struct results){0};
}

/* results.json, unless the journal is ahead of it: of a run that was killed it may tell how it was once, or of the run
 * before. */
int report_load(struct session *session, struct gr_error *err)
{
	struct gr_error why = {0};
	bool has_journal = replay_read(session->output.directory, &session->replay, &why) == 0;
	int r = 0;

	if (has_journal && !session->replay->has_verdict) {
		take_journal(session);
		return 1;
	}
	r = output_read_results(&session->output, &session->results, err);
	if (r == 0 || err->failure != GR_CONFIG)
		return r;
	*err = why;
	if (!has_journal)
		return gr_context(err, "neither results.json nor a journal that can be read");
	take_journal(session);
	return 1;
}

static int write_again(struct session *session, bool is_ahead, struct gr_error *err)
{
	GR_AUTO_BUFFER struct buffer printed = {0};
	const struct output_order order = {.wanted = session->arguments->values[OPT_REPORT],
	        .redactor = session->redactor,
	        .is_ahead = is_ahead,
	        .signer = session->signer,
	        .printed = &printed};

	if (output_write_again(&session->output, &order, &session->results, err) < 0)
		return -(int)err->failure;
	/* a report that is printed is alone on stdout: a program may read it */
	fprintf(printed.bytes > 0 ? stderr : stdout, "run %s: %s; reports written to %s\n",
	        session->results.run_id ? session->results.run_id : "?", verdict_name(session->results.verdict),
	        session->output.shown);
	(void)fwrite(buffer_text(&printed), 1, printed.bytes, stdout);
	return 0;
}

int report_asked(struct session *session, struct gr_error *err)
{
	int r = 0;

	if (!argument_is_given(session->arguments, OPT_REPORT))
		return 0;
	if (!session->results.run_id)
		r = output_read_results(&session->output, &session->results, err);
	return r < 0 ? r : write_again(session, false, err);
}

int report_unfinished(struct session *session, struct gr_error *err)
{
	take_journal(session);
	return write_again(session, true, err);
}

static int report(struct session *session, struct gr_error *err)
{
	int loaded = output_reopen(session->arguments->words[0], &session->output, err);

	if (loaded == 0)
		loaded = report_load(session, err);
	/* what is ahead of results.json goes there: the reports say that it holds all, and attestations name its digest
	 */
	return loaded < 0 || write_again(session, loaded > 0, err) < 0 ? complain(err) : 0;
}

/* --out may name the folder that the run wrote to (as GRIDLANE_OUT of the whole job does), and no other. */
static bool writes_elsewhere(const struct arguments *arguments)
{
	const char *out = argument_value(arguments, OPT_OUT);
	char *left = out ? realpath(out, NULL) : NULL, *right = realpath(arguments->words[0], NULL);
	bool is_same = left && right && strcmp(left, right) == 0;

	free(left); /* realpath()'s own */
	free(right);
	return out && !is_same;
}

/* A single folder that is called "merge" is a folder. */
static int report_or_merge(struct session *session, struct gr_error *err)
{
	const struct arguments *arguments = session->arguments;
	bool is_merge = arguments->word_count > 1 && strcmp(arguments->words[0], "merge") == 0;

	if (is_merge)
		return report_merge(session, err);
	if (arguments->word_count > 1)
		(void)gr_fail(err, GR_USAGE, 0, "report takes one folder; `report merge` takes more");
	else if (argument_is_given(arguments, OPT_EXPECT) || writes_elsewhere(arguments))
		(void)gr_fail(err, GR_USAGE, 0, "--out and --expect belong to `report merge`");
	return err->failure ? complain(err) : report(session, err);
}

int command_report(const struct arguments *arguments)
{
	struct session session;
	struct gr_error err = {0};
	int status = session_init(&session, arguments, &err) < 0 ? complain(&err) : report_or_merge(&session, &err);

	session_release(&session);
	return status;
}
