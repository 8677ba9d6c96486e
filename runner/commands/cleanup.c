/* gridlane cleanup: give back what a dead run still holds, without going on. Safe to call twice, and after a run that
 * ended well. */
#include <stdio.h>
#include <unistd.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/commands/report.h"
#include "runner/commands/session.h"
#include "runner/net/loop.h"

static size_t count_still_held(const struct results *results)
{
	size_t count = 0;

	for (size_t i = 0; i < results->held_count; i++)
		count += !results->held[i].is_released;
	return count;
}

/* Said as well when it could not even be found out what is held. */
static size_t count_release_problems(const struct results *results)
{
	size_t count = 0;

	for (size_t i = 0; i < results->problem_count; i++)
		count += results->problems[i].failure == GR_RELEASE;
	return count;
}

/* The run had its verdict: the journal ends with it again, or the run would count as unfinished. */
static void judge_again(struct session *session)
{
	const struct output_readers readers = {session->journal, session->journal ? 1 : 0};
	struct run_event judged = {.kind = RUN_JUDGED, .done = session->replay->exit_status};

	output_emit(&readers, &judged);
}

/* What the run said of it at its end holds no more; that it was held for longer does. */
static void correct_problems(struct results *known, const char *what)
{
	for (size_t i = 0; i < known->problem_count; i++) {
		struct problem *problem = &known->problems[i];

		if (problem->failure != GR_RELEASE || problem->is_derived || !what ||
		        !text_has_prefix(problem->message, what))
			continue;
		gr_free(problem->message);
		problem->message = gr_printf("%s was held beyond the run's end; `gridlane cleanup` gave it back", what);
	}
}

/* What this process gave back, into what the one before it knew. */
static void take_releases(struct results *known, const struct results *done)
{
	for (size_t i = 0; i < known->held_count; i++)
		for (size_t k = 0; k < done->held_count; k++)
			if (text_equal(known->held[i].key, done->held[k].key) && done->held[k].is_released) {
				known->held[i].is_released = true;
				correct_problems(known, known->held[i].what);
			}
}

/* Reports of a run that was killed: what is known, and what keeps running in the cloud. */
static void report_what_is_known(struct session *session)
{
	take_releases(&session->replay->results, &session->results);
	replay_conclude(session->replay);
	results_release(&session->results);
	session->results = session->replay->results;
	session->replay->results = (struct results){0};
	session_close_journal(session); /* the run itself is not over: `resume` can still go on with it */
	(void)session_finish(session);
}

/* Asked for, never answered, and not in the server's list either. */
static size_t count_unseen(const struct session *session)
{
	size_t known = json_array_size(session->replay->held), all = session->results.held_count;
	size_t found = all > known ? all - known : 0;

	return session->replay->lost_reservations > found ? session->replay->lost_reservations - found : 0;
}

static void say_end(const struct session *session, size_t held, size_t unseen)
{
	printf("run %s: %s%s\n", session->output.run_id,
	        held ? "not everything could be given back" : "nothing is held any more",
	        unseen ? "; a reservation whose answer never came is not in the server's list" : "");
}

/* true: there is nothing to be given back, and *ret_status says what came of the reports. */
static bool has_nothing_to_give(struct session *session, int *ret_status, struct gr_error *err)
{
	bool has_verdict = session->replay->has_verdict;
	size_t open = replay_count_open(session->replay);
	int r;

	if (open == 0 && has_verdict) {
		printf("run %s ended with exit status %d and holds nothing\n", session->output.run_id,
		        session->replay->exit_status);
		r = report_asked(session, err);
	} else if (json_is_true(json_object_get(session->replay->head, "sandbox"))) {
		printf("run %s was made on the sandbox inside gridlane: nothing of it is left\n",
		        session->output.run_id);
		r = has_verdict ? report_asked(session, err) : report_unfinished(session, err);
	} else {
		return false;
	}
	*ret_status = r < 0 ? complain(err) : 0;
	return true;
}

static int give_back(struct session *session, struct gr_error *err)
{
	size_t held, open, unseen;
	int status;

	if (session_reopen(session, err) < 0) {
		if (err->failure != GR_CONFIG)
			return complain(err);
		printf("%s; nothing is held\n", err->text); /* a job that ended before its run began is no error here */
		return 0;
	}
	if (has_nothing_to_give(session, &status, err))
		return status;
	open = replay_count_open(session->replay);
	if (session_load_again(session, err) < 0)
		return complain(err);
	if (session_open_readers(session, true, err) < 0)
		return complain(err);
	if (open && session_execute(session, err) < 0)
		return complain(err);
	held = count_still_held(&session->results) + (open ? count_release_problems(&session->results) : 0);
	unseen = count_unseen(session);
	if (session->replay->is_done || session->replay->is_behind)
		judge_again(session);
	else
		report_what_is_known(session);
	say_end(session, held, unseen);
	return held ? failure_exit_status(GR_RELEASE) : 0;
}

int command_cleanup(const struct arguments *arguments)
{
	struct session session;
	struct gr_error err = {0};
	int status;

	loop_signals_block(); /* one that comes from here on waits for the engine, or for the reports */
	if (session_init(&session, arguments, &err) < 0) {
		status = complain(&err);
	} else {
		session.is_cleanup = true;
		status = give_back(&session, &err);
	}
	session_release(&session);
	return status;
}
