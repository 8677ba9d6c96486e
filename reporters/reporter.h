/* Reporters: results in, file out. One file a format, state private; none of them knows the engine. */
#ifndef GRIDLANE_REPORTERS_REPORTER_H
#define GRIDLANE_REPORTERS_REPORTER_H

#include <stdbool.h>

#include "runner/base/error.h"
#include "runner/base/key.h"
#include "runner/base/redact.h"
#include "runner/results/event.h"
#include "runner/results/model.h"

struct report_context {
	int directory; /* the output folder; targets are below it */
	struct redactor *redactor; /* everything written passes it */
	const char *folder; /* the output folder's absolute path, for CI systems that take files by it; or NULL */
	const char *workspace_path; /* the same below the workspace ("gridlane-out/RUN"), for attachments; or NULL */
	struct buffer
	        *printed; /* where formats that talk to a CI system's log put their lines; NULL: into the target */
	const char *step_summary, *step_outputs; /* files that GitHub reads, appended to; or NULL */
	const struct key *signer; /* of attestations, or NULL */
};

struct reporter {
	const char *name; /* the word after --report and in `reports:` */
	const char *target; /* default file or folder, "junit.xml" */
	const char *help;
	int (*write)(const struct results *results, const char *target, const struct report_context *context,
	        struct gr_error *err);
	bool can_print; /* "-" is a target: its text goes to the log (context->printed) */
	bool is_last; /* it is about the files of the other reports */
};
extern const struct reporter reporters[]; /* ended by a NULL name: json, junit, summary, ... */
const struct reporter *reporter_find(const char *name);

/* The bundle: the files of the output folder (never the journal) with manifest.json, deterministic for the same inputs.
 * The format follows the name: .tar.zst .tar.gz .tar.xz .zip. manifest.json is written to the folder as well. */
int bundle_write(
        const struct results *results, const char *target, const struct report_context *context, struct gr_error *err);

/* The console: a live view on a terminal, plain lines elsewhere. The only printer beside main. */
enum console_flags {
	CONSOLE_QUIET = 1 << 0,
	CONSOLE_VERBOSE = 1 << 1,
	CONSOLE_COLOR = 1 << 2,
	CONSOLE_LIVE = 1 << 3, /* cursor control is fine */
	CONSOLE_TIMESTAMPS = 1 << 4
};
/* fd: where to write (1). The reader is valid until its close. */
int console_open(
        int fd, unsigned flags, struct redactor *redactor, struct event_reader *ret_reader, struct gr_error *err);
/* How long earlier runs of this pipeline took. */
void console_expect(struct event_reader *reader, int64_t expected_ms);
/* Redraw the live view's clocks; call about every 100 ms on a terminal. In CI: a heartbeat line when nothing was
 * printed for 60 s. */
void console_tick(struct event_reader *reader, int64_t now_ms);
/* One JSON object a line, into an open descriptor (closed by close). */
int event_log_open(int fd, struct redactor *redactor, struct event_reader *ret_reader, struct gr_error *err);

/* Load what reports need, so that the end of a run finds it. GR_CONFIG: a library is not there. */
int reporters_make_ready(struct gr_error *err);

#endif
