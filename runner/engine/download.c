/* Documents that answers name: a GET through the URL gate, without the token, into memory or into a file. Tried again
 * after trouble; a file goes on where it was cut, as long as the server proves that it is still the same. Text is
 * redacted before it appears below the output folder; what is not text is left as it came. */
#include "runner/engine/run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "runner/base/clock.h"
#include "runner/base/digest.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/number.h"
#include "runner/base/text.h"

#define HOPS_MOST 5
#define LATE_WAIT_MS 1000 /* between two looks for a file that is not there yet; twice as long each time */
#define PAGE_HEAD_BYTES 64 /* enough to tell a web page */
#define MEMORY_MOST_BYTES (16 << 20)
#define FILE_MOST_BYTES (4LL << 30)
/* One turn of the loop reads so much of a finished file: other lanes are not to wait for its end. */
#define CHUNK_BYTES (4 << 20)

struct download {
	struct task *task;
	struct transfer *transfer;
	struct timer timer; /* the next attempt, the next chunk, or handing over */
	char *url, *path, *shown; /* path: below the output folder, or NULL; shown: its last part */
	int64_t most_bytes;
	bool is_text;
	bool is_raw; /* an encoding that libcurl cannot undo: as it comes, then */
	unsigned rerun; /* of which further start it tells */
	unsigned attempts, hops, looks;
	int64_t first_ms, late_until_ms, got_bytes;
	char validator[256];
	/* a file: `fd` takes what comes; for text it is a scratch file without a name, else the writer's */
	struct file_writer *writer;
	int fd;
	int64_t read_bytes, kept_bytes;
	char *chunk; /* CHUNK_BYTES */
	struct digest *digest;
	struct redact_stream *stream;
	/* the outcome */
	long status;
	struct buffer text;
	char sha256[65];
	struct gr_error error;
};

static void attempt(void *context);

static struct task *task_of(const struct download *download)
{
	return download->task;
}

/* It did not come: its name is free again. */
static void drop_name(struct download *download)
{
	if (download->path)
		(void)json_object_del(task_of(download)->engine->artifact_paths, download->path);
	gr_free(gr_take(&download->path));
}

void download_cancel(struct download *download)
{
	struct loop *loop;

	if (!download)
		return;
	loop = task_of(download)->engine->loop;
	loop_timer_clear(loop, &download->timer);
	if (download->transfer)
		transfer_cancel(download->transfer);
	if (download->is_text && download->fd >= 0)
		(void)close(download->fd);
	file_discard(&download->writer);
	drop_name(download);
	digest_free(download->digest);
	redact_stream_free(download->stream);
	buffer_release(&download->text);
	gr_free(download->chunk);
	gr_free(download->url);
	gr_free(download);
}

/* ---- the end ---- */

static void emit_file(struct download *download)
{
	struct artifact artifact = {.path = download->path,
	        .sha256 = download->sha256,
	        .bytes = download->kept_bytes,
	        .origin = (char *)(uintptr_t) "server",
	        .rerun = download->rerun};

	artifact_emit(task_of(download), &artifact);
	gr_free(gr_take(&download->path));
}

static void hand_over(void *context)
{
	struct download *download = context;
	struct task *task = task_of(download);
	struct event event = {.kind = EVENT_FETCHED,
	        .status = download->status,
	        .text = buffer_text(&download->text),
	        .bytes = download->text.bytes,
	        .error = download->error};

	task->download = NULL;
	if (download->path && !download->error.failure && download->status / 100 == 2)
		emit_file(download);
	drop_name(download);
	task_send(task, &event);
	download_cancel(download);
}

/* From the loop, never from inside a call back. */
static void set_next(struct download *download, void (*on_due)(void *context), int64_t wait_ms)
{
	struct loop *loop = task_of(download)->engine->loop;

	download->timer.on_due = on_due;
	download->timer.context = download;
	loop_timer_set(loop, &download->timer, loop_now(loop) + wait_ms);
}

static void give_up(struct download *download, const struct gr_error *why)
{
	download->error = *why;
	set_next(download, hand_over, 0);
}

/* ---- a file that has come ---- */

static int keep_chunk(struct download *download, const char *data, size_t bytes)
{
	GR_AUTO_BUFFER struct buffer out = {0};

	if (!download->is_text) {
		digest_add(download->digest, data, bytes);
		download->kept_bytes += (int64_t)bytes;
		return 0;
	}
	if (bytes > 0)
		redact_stream_add(download->stream, data, bytes, &out);
	else
		redact_stream_end(download->stream, &out);
	digest_add(download->digest, buffer_text(&out), out.bytes);
	download->kept_bytes += (int64_t)out.bytes;
	file_write(download->writer, buffer_text(&out), out.bytes);
	return 0;
}

static void commit(struct download *download)
{
	struct gr_error err = {0};

	if (download->is_text)
		(void)keep_chunk(download, NULL, 0);
	digest_end(download->digest, download->sha256);
	if (!download->is_text)
		download->fd = -1; /* the writer's */
	if (file_commit(&download->writer, &err) < 0)
		download->error = err;
	set_next(download, hand_over, 0);
}

static void read_chunk(void *context)
{
	struct download *download = context;
	ssize_t got = pread(download->fd, download->chunk, CHUNK_BYTES, download->read_bytes);
	struct gr_error err = {0};

	if (got > 0) {
		download->read_bytes += got;
		(void)keep_chunk(download, download->chunk, (size_t)got);
		set_next(download, read_chunk, 0);
	} else if (got < 0) {
		(void)gr_fail(&err, GR_DISK, errno, "file '%s'", download->path);
		give_up(download, &err);
	} else {
		commit(download);
	}
}

static void finish_file(struct download *download)
{
	download->chunk = gr_alloc(CHUNK_BYTES, 1);
	download->digest = digest_new();
	if (download->is_text)
		download->stream = redact_stream_new(task_of(download)->engine->options->redactor);
	else /* the disk may begin while it is read: the commit waits for it. A hint, which may be refused */
		(void)sync_file_range(download->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	set_next(download, read_chunk, 0);
}

/* ---- one attempt ---- */

static int64_t file_length(const struct download *download)
{
	int64_t end = download->fd >= 0 ? (int64_t)lseek(download->fd, 0, SEEK_END) : 0;

	return end > 0 ? end : 0;
}

static void follow(struct download *download, const struct transfer_result *result)
{
	struct engine *engine = task_of(download)->engine;
	GR_AUTO_FREE char *url = NULL;
	struct gr_error err = {0};

	if (++download->hops > HOPS_MOST)
		(void)gr_fail(&err, GR_PROTOCOL, 0, "more than %d redirections", HOPS_MOST);
	else
		(void)url_gate(result->location, engine->base_url,
		        (const char *const *)engine->plan->server.download_hosts, GR_PROTOCOL, &url, &err);
	if (!url) {
		give_up(download, &err);
		return;
	}
	gr_free(download->url);
	download->url = gr_take(&url);
	set_next(download, attempt, 0);
}

static void say_repeat(struct download *download, int64_t wait_ms, const char *why)
{
	char span[CLOCK_TEXT_BYTES];
	GR_AUTO_FREE char *text = gr_printf(
	        "%s; again in %s (attempt %u)", why, clock_format_span(wait_ms, span), download->attempts + 1);
	struct run_event event = {.kind = STEP_REPEAT,
	        .lane = task_of(download)->lane->name,
	        .step = task_of(download)->plan->id,
	        .text = text};

	engine_emit(task_of(download)->engine, &event);
}

static void why_not(const struct download *download, const struct transfer_result *result, struct gr_error *err)
{
	if (result->error.failure)
		*err = result->error;
	else
		(void)gr_fail(err, result->status / 100 == 4 ? GR_SERVER : GR_NETWORK, 0, "HTTP %ld", result->status);
	if (download->path)
		(void)gr_context(err, "download of '%s'", strrchr(download->path, '/') + 1);
}

/* More came than last time: the trouble is with the connection, not with the file. */
static void note_progress(struct download *download)
{
	int64_t length = file_length(download);

	if (length > download->got_bytes)
		download->attempts = 1;
	download->got_bytes = length;
}

static void try_again(struct download *download, const struct transfer_result *result, enum attempt_verdict verdict)
{
	struct engine *engine = task_of(download)->engine;
	const struct retry_policy policy = form_retries(engine, &task_of(download)->plan->retry);
	struct gr_error why = {0};
	struct retry_decision decision;
	struct retry_facts facts = {.class_ = CLASS_READ, .verdict = verdict};

	if (result->is_undecodable && !download->is_raw) {
		download->is_raw = true;
		set_next(download, attempt, 0);
		return;
	}
	why_not(download, result, &why);
	note_progress(download);
	facts.attempt = download->attempts;
	facts.since_first_ms = loop_now(engine->loop) - download->first_ms;
	facts.retry_after_ms = result->retry_after_ms < 0 ? -1 : engine_scaled(engine, result->retry_after_ms);
	facts.time_left_ms = task_of(download)->deadline_ms == CLOCK_NEVER
	                             ? CLOCK_NEVER
	                             : task_of(download)->deadline_ms - loop_now(engine->loop);
	facts.random = engine_random();
	facts.budget_is_empty = !retry_bucket_take(&engine->bucket, verdict, result->is_timeout);
	decision = retry_decide(&policy, &facts);
	if (decision.kind != RETRY_WAIT || why.failure == GR_DISK ||
	        (why.failure == GR_PROTOCOL && !attempt_met_no_http(result))) {
		give_up(download, &why);
		return;
	}
	say_repeat(download, decision.wait_ms, why.text);
	set_next(download, attempt, decision.wait_ms);
}

/* "Not Found", or "Accepted", and the server may still be writing the file. */
static bool is_awaited(const struct download *download, const struct transfer_result *result)
{
	return !result->curl_code && (result->status == 404 || result->status == 202) &&
	       loop_now(task_of(download)->engine->loop) < download->late_until_ms;
}

static void wait_for_file(struct download *download, const struct transfer_result *result)
{
	const struct engine *engine = task_of(download)->engine;
	int64_t left_ms = download->late_until_ms - loop_now(engine->loop);
	int64_t wait_ms = engine_scaled(engine, LATE_WAIT_MS << download->looks++);
	struct gr_error why = {0};

	why_not(download, result, &why);
	wait_ms = wait_ms < left_ms ? wait_ms : left_ms;
	download->validator[0] = '\0'; /* of what came in its place */
	say_repeat(download, wait_ms, why.text);
	set_next(download, attempt, wait_ms);
}

/* A page to sign in at, say, where a file is asked for. Its Content-Type proves nothing: PHP calls all it sends HTML.
 */
static bool is_page(const struct download *download)
{
	static const char *const beginnings[] = {"<!doctype html", "<html"};
	char head[PAGE_HEAD_BYTES + 1] = "";
	const char *at = head;

	if (text_match_glob("*.htm", download->path) || text_match_glob("*.html", download->path) ||
	        pread(download->fd, head, PAGE_HEAD_BYTES, 0) <= 0)
		return false;
	at += strspn(at, "\xef\xbb\xbf \t\r\n");
	for (size_t i = 0; i < GR_COUNT(beginnings); i++)
		if (strncasecmp(at, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

/* An answer with a good status that is no file all the same. */
static void take_file(struct download *download)
{
	struct gr_error why = {0};

	if (download->status == 202 || download->status == 204) /* there is none yet, or none at all */
		(void)gr_fail(&why, GR_SERVER, 0, "HTTP %ld", download->status);
	else if (is_page(download))
		(void)gr_fail(&why, GR_SERVER, 0, "a web page came in place of the file");
	else if (!download->is_text && file_length(download) == 0)
		(void)gr_fail(&why, GR_SERVER, 0, "it is empty");
	if (why.failure) {
		(void)gr_context(&why, "download of '%s'", strrchr(download->path, '/') + 1);
		give_up(download, &why);
		return;
	}
	finish_file(download);
}

static void on_transferred(void *context, struct transfer_result *result)
{
	struct download *download = context;
	enum attempt_verdict verdict = attempt_judge(result, true);

	download->transfer = NULL;
	download->status = result->status;
	if (result->validator[0] && result->status / 100 == 2)
		(void)snprintf(download->validator, sizeof(download->validator), "%s", result->validator);
	if (is_awaited(download, result)) {
		wait_for_file(download, result);
	} else if (verdict == ATTEMPT_ANSWERED && download->path) {
		take_file(download);
	} else if (verdict == ATTEMPT_ANSWERED) {
		download->text = result->body;
		result->body = (struct buffer){0};
		set_next(download, hand_over, 0);
	} else if (!result->curl_code && result->status / 100 == 3 && result->location[0]) {
		follow(download, result);
	} else if (!result->curl_code && result->status == 416 && download->validator[0]) {
		download->validator[0] = '\0'; /* the file has changed: from its beginning */
		set_next(download, attempt, 0);
	} else if (verdict == ATTEMPT_REFUSED) {
		if (download->path)
			why_not(download, result, &download->error);
		set_next(download, hand_over, 0);
	} else {
		try_again(download, result, verdict);
	}
}

static void attempt(void *context)
{
	struct download *download = context;
	struct task *task = task_of(download);
	struct engine *engine = task->engine;
	struct gr_error err = {0};
	struct transfer_request wire = {.url = download->url,
	        .flags = download->is_raw ? TRANSFER_RAW : 0,
	        .answer_ms = form_file_ms(engine),
	        .body_most_bytes = download->most_bytes,
	        .sink_fd = download->fd,
	        .sink_offset = file_length(download),
	        .validator = download->validator,
	        .on_done = on_transferred,
	        .context = download};
	int64_t wait_ms;

	if (outage_holds(engine, &wait_ms) && wait_ms != CLOCK_NEVER) {
		set_next(download, attempt, wait_ms);
		return;
	}
	download->attempts++;
	engine->requests++;
	task->requests++;
	if (transfer_start(engine->loop, &engine->settings, &wire, &download->transfer, &err) < 0)
		give_up(download, &err);
}

const struct transfer *download_transfer(const struct download *download, const char **ret_file)
{
	*ret_file = download ? download->path : NULL;
	return download ? download->transfer : NULL;
}

/* ---- the beginning ---- */

/* Text comes with the secrets that are in it: into a file that no name leads to. */
static int open_scratch(int directory, struct gr_error *err)
{
	int fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	GR_AUTO_FREE char *name = NULL;

	if (fd >= 0)
		return fd;
	name = gr_printf(".scratch-%016llx", (unsigned long long)engine_random()); /* file systems without O_TMPFILE */
	fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return gr_fail(err, GR_DISK, errno, "a scratch file in the output folder");
	(void)unlinkat(directory, name, 0);
	return fd;
}

static int open_file(struct download *download, const char *name, struct gr_error *err)
{
	int directory = task_of(download)->engine->options->directory;
	int r;

	download->path = artifact_path(task_of(download), name);
	r = file_create(directory, download->path, 0644, &download->writer, err);
	if (r < 0)
		return r;
	download->fd = download->is_text ? open_scratch(directory, err) : file_fd(download->writer);
	return download->fd < 0 ? download->fd : 0;
}

int download_start(struct task *task, const struct action *action, struct gr_error *err)
{
	struct engine *engine = task->engine;
	struct download *download = gr_alloc(1, sizeof(*download));
	int r;

	download->task = task;
	download->fd = -1;
	download->is_text = action->save_is_text;
	download->rerun = action->save_rerun;
	download->most_bytes = action->save_as ? FILE_MOST_BYTES : MEMORY_MOST_BYTES;
	if (action->fetch_most_bytes > 0)
		download->most_bytes = action->fetch_most_bytes;
	download->first_ms = loop_now(engine->loop);
	download->late_until_ms = action->fetch_late_until_ms;
	r = url_gate(action->url, engine->base_url, (const char *const *)engine->plan->server.download_hosts,
	        GR_PROTOCOL, &download->url, err);
	if (r == 0 && action->save_as)
		r = open_file(download, action->save_as, err);
	if (r < 0 && !action->fetch_may_fail) {
		download_cancel(download);
		return r;
	}
	task->download = download;
	if (r < 0)
		give_up(download, err);
	else
		set_next(download, attempt, 0);
	return 0;
}
