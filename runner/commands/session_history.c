/* The history of a run: opened before it, written after it was judged. */
#include <stdlib.h>

#include "reporters/reporter.h"
#include "runner/base/clock.h"
#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/commands/session.h"

/* How long other writers are waited for, and at the end of a run that was told to stop: its reports are not written
 * yet. */
#define WAIT_MS ((int64_t)30000)
#define WAIT_STOPPED_MS ((int64_t)1500)
#define LOOKED_AT 15 /* runs, for when this one may end */

char *history_place(const struct arguments *arguments, bool has_sandbox, struct gr_error *ret_why)
{
	const char *given = argument_value(arguments, OPT_HISTORY);
	char *place;

	if (text_equal(given, "off") || (!given && has_sandbox)) {
		(void)gr_fail(ret_why, GR_DISK, 0,
		        given ? "the history is off"
		              : "runs against the sandbox have no history without --history FILE");
		return NULL;
	}
	place = given ? gr_strdup(given) : history_default_place();
	if (!place)
		(void)gr_fail(
		        ret_why, GR_DISK, 0, "there is no home folder for the history; --history FILE says where");
	return place;
}

/* Device runs that are asked for: more than is reckoned with. */
#define DURATIONS_MOST 5000

static void warn(struct session *session, const struct gr_error *why)
{
	results_add_problem(&session->results, GR_DISK, NULL, NULL, "this run is not in the history: %s", why->text)
	        ->is_warning = true;
}

/* How long things took: tests, where they are spread by it. A history that cannot say it is given up, which is said at
 * the end. */
static void read_past(struct session *session)
{
	const char *pipeline = session->plan->name ? session->plan->name : "";
	json_t *durations = NULL, *seconds = NULL;
	struct gr_error *err = &session->why_no_history;
	int r = history_durations(session->history, pipeline, DURATIONS_MOST, &durations, err);

	if (r == 0 && plan_has_split(session->plan))
		r = history_seconds(session->history, pipeline, HISTORY_TIMES_MOST, &seconds, err);
	if (r < 0) {
		history_close(session->history);
		session->history = NULL;
	}
	session->past = json_pack("{s:o*, s:o*}", "durations", durations, "seconds", seconds);
	gr_trim(); /* the database was read through, and not all of it is kept */
}

static int compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

/* The median of the last runs that came to an end of their own. What cannot be read is no news: the view just says
 * nothing of the end. */
static void expect_end(struct session *session)
{
	const struct history_filter filter = {.pipeline = session->plan->name, .most = LOOKED_AT};
	GR_AUTO_JSON json_t *rows = NULL;
	double seconds[LOOKED_AT];
	struct gr_error ignored = {0};
	const json_t *row;
	size_t i, count = 0;

	if (!session->console || history_list(session->history, &filter, &rows, &ignored) < 0)
		return;
	json_array_foreach (rows, i, row) {
		const char *verdict = json_string_value(json_object_get(row, "verdict"));

		if (count < LOOKED_AT && (text_equal(verdict, "passed") || text_equal(verdict, "failed")))
			seconds[count++] = json_number_value(json_object_get(row, "seconds"));
	}
	if (count == 0)
		return;
	qsort(seconds, count, sizeof(seconds[0]), compare);
	console_expect(session->console, (int64_t)(seconds[count / 2] * 1000));
}

/* For the reports. What cannot be read is no news: they just say nothing of it. */
static void read_earlier(struct session *session, const json_t *environment)
{
	const struct history_filter filter = {.pipeline = session->plan->name,
	        .branch = json_string_value(json_object_get(environment, "branch")),
	        .most = EARLIER_MOST};
	struct gr_error ignored = {0};

	(void)history_earlier(session->history, &filter, session->output.run_id, &session->earlier, &ignored);
}

void session_open_history(struct session *session, const json_t *environment)
{
	GR_AUTO_FREE char *place = NULL;

	if (session->is_cleanup)
		return;
	place = history_place(session->arguments, session->has_sandbox, &session->why_no_history);
	history_learn_secrets(place, session->redactor);
	if (place && history_open(place, &session->history, &session->why_no_history) == 0)
		read_past(session);
	if (!session->history)
		return;
	expect_end(session);
	read_earlier(session, environment);
}

json_t *session_look_back(void *user, const struct results *results, struct gr_error *err)
{
	struct session *session = user;
	json_t *known = NULL;

	if (!session->history)
		*err = session->why_no_history;
	else if (history_look_back(session->history, results, session->plan->history.branch, &known, err) < 0)
		return NULL;
	return known;
}

static bool wants_history(const struct session *session)
{
	struct gr_error ignored = {0};
	GR_AUTO_FREE char *place = history_place(session->arguments, session->has_sandbox, &ignored);

	return place && !session->is_cleanup && session->plan && session->results.run_id;
}

void session_record(struct session *session)
{
	const struct plan_history *keep = session->plan ? &session->plan->history : NULL;
	struct gr_error err = session->why_no_history;
	int r = 0;

	if (session->is_recorded || !wants_history(session) || session->results.verdict == VERDICT_USAGE)
		return;
	session->is_recorded = true;
	if (!session->history) {
		warn(session, &err);
		return;
	}
	r = history_wake(session->history, session->results.signal_number ? WAIT_STOPPED_MS : WAIT_MS, &err);
	if (r == 0)
		r = history_record(session->history, &session->results, session->redactor, &err);
	if (r == 0)
		r = history_prune(session->history, session->results.pipeline ? session->results.pipeline : "",
		        clock_wall_ms() - keep->keep_ms, keep->keep_runs, &err);
	if (r < 0)
		warn(session, &err);
}
