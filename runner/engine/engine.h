/* The engine: executes a plan. It owns the one wait, the lanes, the vault of secrets, what is held, and the clock;
 * steps only say what they want. It says each fact once, as an event, to its readers (journal, console, ...) and to the
 * results. */
#ifndef GRIDLANE_ENGINE_ENGINE_H
#define GRIDLANE_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "pipelines/plan.h"
#include "runner/base/error.h"
#include "runner/base/redact.h"
#include "runner/results/event.h"
#include "runner/results/model.h"

/* Somebody to tell how the run ended: a webhook of the pipeline, with its secrets in their places. */
struct hook {
	const struct plan_webhook *plan;
	char *url, *secret; /* url: NULL when it cannot be known, and why_not says why; secret: or NULL */
	char *why_not;
};
struct hook_list {
	struct hook *items;
	size_t count;
};
void hook_list_release(struct hook_list *list); /* wipes */

struct replay; /* what an earlier process of the same run knew (journal.h) */

struct engine_options {
	const char *run_id; /* unique; names the output folder */
	const char *run_key; /* 12 hex digits, the same for a repeated CI job */
	int directory; /* the output folder, open */
	const char *output_path; /* the same as text, for children and notes */
	struct redactor *redactor; /* learns every secret that the run learns */
	struct event_reader *readers;
	size_t reader_count;
	const char *server_url, *server_token,
	        *server_user_id; /* of the sandbox; they win over pipeline and environment; or NULL */
	const struct plan
	        *server_of; /* single_call(): whose `server:` and `secrets:` count; NULL: the environment alone */
	double time_scale; /* all durations of the pipeline are divided by it; 1 in real life */
	int64_t grace_ms; /* from a signal to the end of this process */
	bool urlencoded; /* as server.urlencoded of a pipeline, for calls outside a run */
	bool trace;
	void (*on_trace)(void *user, const char *line);
	void (*on_alarm)(void *user, const char *text); /* to be read at once, whatever readers show; or NULL */
	void (*on_tick)(void *user, int64_t now_ms); /* about ten times a second, or NULL */
	void *user;
	bool tries_once; /* single_call(): what goes wrong is not tried again */
	bool may_read_all; /* inputs may be anywhere (--allow-outside) */
	unsigned history_port; /* called again at the end, 0: none; */
	const char *const *history_files; /* with these certificates and keys; ended by NULL, or NULL */
	const char *const *writes; /* files and folders beside output_path that readers and reports write, or NULL */
	const struct replay *replay; /* NULL: a new run */
	/* What is known of earlier runs (history_look_back()), a new reference; NULL and why when nothing is. */
	json_t *(*look_back)(void *user, const struct results *results, struct gr_error *err);
	struct hook_list *hooks; /* filled at the start, while secrets can be read; the caller's; or NULL */
	const json_t *environment; /* the CI that this is (ci_to_json()), or NULL */
	/* How long earlier runs and their tests took: {durations, seconds}, as history.h says; each may be missing; or
	 * NULL. */
	const json_t *past;
};

/* The values of the plan's secrets that are read from files, before anything is written down. What cannot be read is
 * left for the run to say. */
void engine_learn_secret_files(const struct plan *plan, struct redactor *redactor);

/* Execute. Returns 0 when the run came to an end of whatever kind: *ret_results says which (judged, release it). An
 * error means that it could not even begin; ret_results is filled then, too, so that reports exist. */
int engine_run(const struct plan *plan, const struct engine_options *options, struct results *ret_results,
        struct gr_error *err);

/* Give back what an earlier process of this run (options->replay) still holds, without going on. ret_results: what that
 * process knew, with what was given back; judged. */
int engine_cleanup(const struct plan *plan, const struct engine_options *options, struct results *ret_results,
        struct gr_error *err);

#endif
