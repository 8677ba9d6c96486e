/* --events: one JSON object a line. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "reporters/reporter.h"
#include "reporters/words.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"

struct event_log {
	int fd;
	struct redactor *redactor;
	int errnum; /* the first error; later events are not tried */
};

static int fail(const struct event_log *log, struct gr_error *err)
{
	return gr_fail(err, GR_DISK, log->errnum, "the log of events cannot be written");
}

static int on_event(void *state, const struct run_event *event, struct gr_error *err)
{
	struct event_log *log = state;
	GR_AUTO_JSON json_t *json = NULL;
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_FREE char *line = NULL;

	if (log->errnum)
		return 0; /* said once, and again at the close */
	json = run_event_to_json(event);
	words_redact_json(log->redactor, json);
	text = json_dumps(json, JSON_COMPACT);
	if (!text)
		return gr_fail(
		        err, GR_INTERNAL, 0, "event '%s' cannot be written as JSON", run_event_name(event->kind));
	line = gr_printf("%s\n", text);
	log->errnum = -file_write_all(log->fd, line, strlen(line));
	return log->errnum ? fail(log, err) : 0;
}

static int on_close(void *state, struct gr_error *err)
{
	struct event_log *log = state;
	int r = 0;

	if (!log)
		return 0;
	if (close(log->fd) < 0 && !log->errnum)
		log->errnum = errno;
	if (log->errnum)
		r = fail(log, err);
	gr_free(log);
	return r;
}

int event_log_open(int fd, struct redactor *redactor, struct event_reader *ret_reader, struct gr_error *err)
{
	struct event_log *log;

	if (fd < 0)
		return gr_fail(err, GR_INTERNAL, 0, "the log of events has no descriptor");
	log = gr_alloc(1, sizeof(*log));
	log->fd = fd;
	log->redactor = redactor;
	*ret_reader = (struct event_reader){.event = on_event, .close = on_close, .state = log};
	return 0;
}
