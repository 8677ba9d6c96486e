/* An emulated TestGrid on loopback, for trying pipelines and for tests. Typed from the reference, not from
 * operations.def: agreement is earned. State lives in one struct; a scenario file (YAML) says what is there and how it
 * behaves. */
#ifndef GRIDLANE_SANDBOX_SANDBOX_H
#define GRIDLANE_SANDBOX_SANDBOX_H

#include "runner/base/error.h"

struct sandbox;
struct sandbox_options {
	const char *scenario_file; /* NULL: the built-in scenario */
	const char *log_file; /* one JSON object a request, or NULL */
	unsigned short port; /* 0: any */
	double time_scale; /* 0: the scenario's; how many emulated seconds pass in a real one */
};
/* Start serving on 127.0.0.1 in a thread of its own. */
int sandbox_start(const struct sandbox_options *options, struct sandbox **ret_sandbox, struct gr_error *err);
void sandbox_stop(struct sandbox *sandbox); /* NULL is fine */
unsigned short sandbox_port(const struct sandbox *sandbox);
const char *sandbox_token(const struct sandbox *sandbox); /* the user token it accepts */
const char *sandbox_user_id(const struct sandbox *sandbox); /* whose token that is */
double sandbox_time_scale(const struct sandbox *sandbox);

/* The same in a forked process, for `run --sandbox`: it dies with this process. Call before any thread exists. */
struct sandbox_process {
	int pid;
	int lifeline; /* closing it ends the sandbox */
	char url[64], token[64], user_id[32];
	double time_scale;
};
int sandbox_fork(const struct sandbox_options *options, struct sandbox_process *ret_process, struct gr_error *err);
void sandbox_end(struct sandbox_process *process);

#endif
