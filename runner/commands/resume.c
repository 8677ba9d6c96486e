/* gridlane resume: go on with a run whose process died, from its journal. */
#include <stdio.h>

#include "runner/base/memory.h"
#include "runner/base/text.h"
#include "runner/commands/session.h"
#include "runner/net/loop.h"

/* The inputs as they were given. Texts are borrowed from the head. */
static const char **inputs_of(const json_t *head)
{
	const json_t *list = json_object_get(head, "inputs");
	const char **inputs = gr_alloc(json_array_size(list) + 1, sizeof(char *));

	for (size_t i = 0; i < json_array_size(list); i++)
		inputs[i] = json_string_value(json_array_get(list, i));
	return inputs;
}

static int load_again(struct session *session, struct gr_error *err)
{
	const json_t *head = session->replay->head;
	const char **inputs = inputs_of(head);
	int r;

	session->file = json_string_value(json_object_get(head, "pipeline"));
	session->head = json_deep_copy(head);
	r = session_load(session, inputs, json_is_true(json_object_get(head, "allow_outside")), err);
	gr_free(inputs);
	if (r < 0)
		return r;
	if (!session->is_cleanup &&
		!text_equal(json_string_value(json_object_get(head, "fingerprint")), session->plan->fingerprint))
		return gr_fail(err, GR_CONFIG, 0,
			"'%s' or its inputs have changed since this run began; `gridlane cleanup` gives back what it holds, and a "
			"new run begins anew",
			session->file);
	return 0;
}

/* A complete run is not touched; its verdict is said again. */
static int already_done(struct session *session)
{
	struct gr_error err = {0};

	if (output_read_results(&session->output, &session->results, &err) < 0)
		return complain(&err);
	printf("run %s is complete: %s%s%s\n", session->output.run_id, verdict_name(session->results.verdict),
		session->results.cause ? ": " : "", session->results.cause ? session->results.cause : "");
	return session->results.exit_status;
}

static int go_on(struct session *session, struct gr_error *err)
{
	if (session_reopen(session, err) < 0)
		return complain(err);
	if (session->replay->is_done)
		return already_done(session);
	if (json_is_true(json_object_get(session->replay->head, "sandbox"))) {
		(void)gr_fail(err, GR_USAGE, 0, "this run was made on the sandbox inside gridlane, which ended with it");
		return complain(err);
	}
	if (load_again(session, err) < 0)
		return complain(err);
	loop_signals_block();
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
	int status = session_init(&session, arguments, &err) < 0 ? complain(&err) : go_on(&session, &err);

	session_release(&session);
	return status;
}

/* ---- cleanup ---- */

static size_t count_still_held(const struct results *results)
{
	size_t count = 0;

	for (size_t i = 0; i < results->held_count; i++)
		count += !results->held[i].is_released;
	return count;
}

/* Reports of a run that was killed: what is known, and what keeps running in the cloud. */
static void report_what_is_known(struct session *session)
{
	struct results *results = &session->replay->results;

	for (size_t i = 0; i < session->replay->step_count; i++) {
		const struct replay_step *step = &session->replay->steps[i];

		if (!step->has_ended)
			(void)results_add_problem(results, GR_UNKNOWN, step->lane, step->step,
				"the process ended while this step was under way; `gridlane resume` goes on with it");
	}
	results_judge(results);
	results_release(&session->results);
	session->results = *results;
	*results = (struct results){0};
	(void)session_finish(session);
}

static int give_back(struct session *session, struct gr_error *err)
{
	size_t held;

	if (session_reopen(session, err) < 0)
		return complain(err);
	held = json_array_size(session->replay->held);
	if (held == 0 && session->replay->is_done) {
		printf("run %s holds nothing\n", session->output.run_id);
		return 0;
	}
	if (json_is_true(json_object_get(session->replay->head, "sandbox"))) {
		printf("run %s was made on the sandbox inside gridlane: nothing of it is left\n", session->output.run_id);
		return 0;
	}
	if (load_again(session, err) < 0)
		return complain(err);
	loop_signals_block();
	if (session_open_readers(session, true, err) < 0)
		return complain(err);
	if (held && session_execute(session, err) < 0)
		return complain(err);
	held = count_still_held(&session->results);
	if (!session->replay->is_done)
		report_what_is_known(session);
	printf("run %s: %s\n", session->output.run_id, held ? "not everything could be given back" : "nothing is held any more");
	return held ? failure_exit_status(GR_RELEASE) : 0;
}

int command_cleanup(const struct arguments *arguments)
{
	struct session session;
	struct gr_error err = {0};
	int status;

	if (session_init(&session, arguments, &err) < 0) {
		status = complain(&err);
	} else {
		session.is_cleanup = true;
		status = give_back(&session, &err);
	}
	session_release(&session);
	return status;
}
