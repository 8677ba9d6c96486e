/* The end of a session: reports, last words, the exit status. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reporters/reporter.h"
#include "runner/base/memory.h"
#include "runner/commands/session.h"
#include "runner/net/loop.h"
#include "runner/net/transfer.h"

void session_close_journal(struct session *session)
{
	struct gr_error err = {0};

	if (session->journal && session->journal->close && session->journal->close(session->journal->state, &err) < 0)
		(void)complain(&err);
	if (session->journal)
		*session->journal = (struct event_reader){0};
}

static void close_readers(struct session *session)
{
	for (size_t i = 0; i < session->reader_count; i++) {
		struct gr_error err = {0};

		if (session->readers[i].close && session->readers[i].close(session->readers[i].state, &err) < 0)
			(void)complain(&err); /* the verdict stands: results and reports are written by now */
	}
	session->reader_count = 0;
}

/* A signal that came when the engine was over: everything is known, and yet the run was told to stop. */
static bool take_late_signal(struct session *session)
{
	const struct timespec now = {0};
	sigset_t set = loop_signals();
	int number;

	number = session->results.signal_number ? -1 : sigtimedwait(&set, NULL, &now);
	if (number <= 0)
		return false;
	session->results.signal_number = number;
	session->results.signalled_ms = clock_now_ms();
	results_judge(&session->results);
	return true;
}

/* What was said of an end that it was not. */
static void write_reports_anew(struct session *session, const struct output_order *order)
{
	struct output_order anew = *order;
	struct gr_error err = {0};

	anew.is_anew = true;
	output_take_back(&session->output, order);
	buffer_clear(order->printed);
	(void)output_write_reports(&session->output, &anew, &session->results, &err); /* each failure is a note */
}

static void write_reports(struct session *session, const struct output_order *order)
{
	struct gr_error err = {0};

	(void)unlinkat(session->output.directory, "state/reserve", 0); /* this is the end that it was kept for */
	if (output_write_reports(&session->output, order, &session->results, &err) == 0 ||
	        session->results.exit_status != 0)
		return;
	/* a green run whose reports are lost is not green: a gate would read the absence */
	(void)results_add_problem(
	        &session->results, err.failure == GR_CONFIG ? GR_ARTIFACT : GR_DISK, NULL, NULL, "%s", err.text);
	results_judge(&session->results);
	write_reports_anew(session, order);
}

int session_refuse(struct session *session, const struct gr_error *err)
{
	const struct diagnostics none = {0};
	int status = complain(err);

	if (err->failure != GR_DISK || session->journal)
		return status;
	session_mistakes(session, &none, err);
	return session_finish(session);
}

static enum gr_failure first_failure(const struct results *results)
{
	for (size_t i = 0; i < results->problem_count; i++)
		if (!results->problems[i].is_warning)
			return results->problems[i].failure;
	return GR_NONE;
}

static bool holds_something(const struct results *results)
{
	for (size_t i = 0; i < results->held_count; i++)
		if (!results->held[i].is_released)
			return true;
	return false;
}

/* Sent without an answer, and the API has nothing to look it up with: whoever goes on with the run hears the same. */
static bool is_lost_for_good(const struct results *results)
{
	for (size_t i = 0; i < results->problem_count; i++)
		if (!results->problems[i].is_warning && results->problems[i].failure == GR_UNKNOWN_CALL)
			return true;
	for (size_t i = 0; i < results->run_count; i++)
		if (results->runs[i].kind == RUN_NATIVE && results->runs[i].failure == GR_UNKNOWN_START)
			return true;
	return false;
}

/* The command to type next; the caller's, NULL when there is none. Nothing is left of the sandbox to go on with. */
static char *next_command(const struct session *session)
{
	const struct results *results = &session->results;
	const char *folder = session->output.shown;
	enum gr_failure first = first_failure(results);

	if (holds_something(results) && !session->has_sandbox)
		return gr_printf("gridlane cleanup %s", folder);
	if (results->verdict == VERDICT_INFRASTRUCTURE && is_lost_for_good(results))
		return gr_printf(
		        "look in the web console for what came of it, then gridlane run %s --fresh", session->file);
	switch (results->verdict) {
	case VERDICT_PASSED:
	case VERDICT_FAILED:
		return NULL; /* the failures are said above, and in the reports that are named */
	case VERDICT_USAGE: /* of a file that has no mistake it is the surroundings that lack something */
		return gr_printf("gridlane %s %s", session->plan ? "doctor" : "validate", session->file);
	case VERDICT_INFRASTRUCTURE:
		if (first == GR_NETWORK || first == GR_AUTH)
			return gr_printf("gridlane doctor %s", session->file);
		break;
	case VERDICT_TIMEOUT:
	case VERDICT_CANCELLED:
		break;
	}
	return session->has_sandbox ? NULL : gr_printf("gridlane resume %s", folder);
}

static void say_next(const struct session *session, const struct output_order *order)
{
	GR_AUTO_FREE char *command = session->is_cleanup ? NULL : next_command(session);
	GR_AUTO_FREE char *text = command ? gr_printf("%-9s %s", "next", command) : NULL;
	struct run_event event = {.kind = RUN_NOTE, .text = text};

	if (text)
		output_emit(&order->readers, &event);
}

int session_finish(struct session *session)
{
	GR_AUTO_BUFFER struct buffer printed = {0};
	const struct output_order order = session_order(session, &printed);
	struct run_event judged = {.kind = RUN_JUDGED, .results = &session->results};

	(void)take_late_signal(session);
	earlier_release(&session->results.earlier); /* what an earlier process of this run had read */
	session->results.earlier = session->earlier;
	session->earlier = (struct earlier){0};
	/* A run that was told to stop may be killed soon: its reports come before a history that may have to be waited
	 * for, and whose warning is then on the console alone. */
	if (!session->results.signal_number)
		session_record(session);
	write_reports(session, &order);
	session_record(session);
	if (take_late_signal(session))
		write_reports_anew(session, &order); /* they say what the exit status says */
	judged.done = session->results.exit_status;
	output_emit(&order.readers, &judged);
	say_next(session, &order);
	close_readers(session);
	(void)fwrite(buffer_text(&printed), 1, printed.bytes, stdout);
	(void)fflush(stdout);
	session_tell_hooks(session); /* last: the verdict is out, and nothing of it waits for them */
	return session->results.exit_status;
}

void session_release(struct session *session)
{
	for (size_t i = 0; i < WRITES_MOST; i++)
		gr_free(session->writes[i]);
	close_readers(session);
	if (session->has_sandbox)
		sandbox_end(&session->sandbox);
	history_close(session->history);
	earlier_release(&session->earlier);
	json_decref(session->past);
	for (size_t i = 0; i < HISTORY_FILES_MOST; i++)
		gr_free(session->history_files[i]);
	results_release(&session->results);
	replay_free(session->replay);
	plan_free(session->plan);
	json_decref(session->head);
	output_release(&session->output);
	redactor_free(session->redactor);
	key_free(session->signer);
	hook_list_release(&session->hooks);
	transfer_finish();
}
