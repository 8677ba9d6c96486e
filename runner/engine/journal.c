#include "runner/engine/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/base/clock.h"
#include "runner/base/digest.h"
#include "runner/base/file.h"
#include "runner/base/memory.h"
#include "runner/base/redact_json.h"
#include "runner/engine/crc.h"
#include "runner/results/print.h"

#define RESERVE_BYTES (1024 * 1024)
/* A result of up to so many tests, with reasons of up to so many bytes, stands in its record: a file of its own takes
 * two more waits for the disk. */
#define INLINE_CASES 100
#define INLINE_REASON_BYTES 8192
/* Requests wait for what polls showed when it is so old: 1,000 lanes would wait for the disk hundreds of times a
 * second, and on a busy one their polls would come late. */
#define POLLED_MOST_MS 1000

struct journal {
	int directory, fd;
	struct redactor *redactor;
	unsigned generation;
	int64_t sequence;
	off_t end; /* of what is written */
	bool is_unsafe; /* records that must be on the disk before anything else leaves are not there yet */
	int64_t polled_ms; /* since when there is one of a poll that need not be there at once; 0: none */
	bool is_unseen; /* one of them says what came of a request, and people must not read it before */
	json_t *open; /* {LANE: true}: a request that leaves a trace was on its way, and its answer is not in yet */
	unsigned results;
	char boot[CLOCK_BOOT_BYTES];
	bool has_reserve;
	struct gr_error broken; /* the first failure; nothing is written after it, and fsync is never tried again on
	                           that file */
};

/* ---- records ---- */

static int keep(struct journal *journal, int errnum, struct gr_error *err)
{
	(void)gr_fail(
	        &journal->broken, GR_DISK, errnum, "the journal cannot be written on, and nothing new is started");
	if (err)
		*err = journal->broken;
	return -(int)GR_DISK;
}

/* ---- the reserve: space that is ours when the disk is full, for the journal and the reports ---- */

static int keep_reserve(struct journal *journal, struct gr_error *err)
{
	GR_AUTO_CLOSE int state = -1;
	GR_AUTO_CLOSE int fd = -1;
	int r = file_make_directory_at(journal->directory, "state", &state, err);

	if (r < 0)
		return r;
	fd = openat(state, "reserve", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? errno : posix_fallocate(fd, 0, RESERVE_BYTES);
	journal->has_reserve = fd >= 0;
	if (r == ENOSPC || r == EDQUOT)
		return gr_fail(err, GR_DISK, r, "the output folder needs %d KiB for the journal and the reports",
		        RESERVE_BYTES / 1024);
	return 0; /* a file system that cannot set space aside has none to lose */
}

static bool give_up_reserve(struct journal *journal)
{
	bool was_there = journal->has_reserve && unlinkat(journal->directory, "state/reserve", 0) == 0;

	journal->has_reserve = false;
	return was_there;
}

/* What was written of a line that did not fit is taken back: the next one begins a line of its own. */
static int write_line(struct journal *journal, const char *line)
{
	size_t bytes = strlen(line);
	int r = file_write_all(journal->fd, line, bytes);

	if (r == 0)
		journal->end += (off_t)bytes;
	else if (ftruncate(journal->fd, journal->end) != 0)
		return -EIO; /* torn, and torn it stays: nothing is written after it */
	return r;
}

/* Said once. The journal goes on, but nothing new may start on a disk that is full. */
static int say_full(struct gr_error *err)
{
	return gr_fail(
	        err, GR_DISK, ENOSPC, "journal: the space kept for the end is in use now, and nothing new is started");
}

static int make_safe(struct journal *journal, struct gr_error *err)
{
	journal->is_unsafe = journal->is_unseen = false;
	journal->polled_ms = 0;
	return fdatasync(journal->fd) == 0 ? 0 : keep(journal, errno, err);
}

/* When a fact has to be on the disk: before anything else happens, before anything else leaves this process (one wait
 * for the disk then does for all that came before), the same a second later, or some time. */
enum safe { SAFE_NOW, SAFE_SOON, SAFE_IN_TIME, SAFE_LATER };

/* One record in one write: a reader after a crash sees it whole, or torn at the very end. */
static int append(struct journal *journal, json_t *record, enum safe safe, struct gr_error *err)
{
	GR_AUTO_FREE char *text = NULL;
	GR_AUTO_FREE char *line = NULL;
	char utc[CLOCK_TEXT_BYTES];
	int64_t wall_ms = clock_wall_ms();
	bool is_full = false;
	int r;

	(void)json_object_set_new(record, "v", json_integer(JOURNAL_FORMAT));
	(void)json_object_set_new(record, "seq", json_integer((json_int_t)++journal->sequence));
	(void)json_object_set_new(record, "gen", json_integer((json_int_t)journal->generation));
	(void)json_object_set_new(record, "t", json_string(clock_format_utc(wall_ms, utc)));
	(void)json_object_set_new(record, "wall", json_integer((json_int_t)wall_ms));
	(void)json_object_set_new(record, "mono", json_integer((json_int_t)clock_now_ms()));
	(void)json_object_set_new(record, "boot", json_string(journal->boot));
	text = redactor_dump(journal->redactor, record, JSON_COMPACT);
	if (!text)
		return keep(journal, EILSEQ, err);
	line = gr_printf("%08x %s\n", crc32c(text, strlen(text)), text);
	r = write_line(journal, line);
	if (r == -ENOSPC || r == -EDQUOT) {
		is_full = give_up_reserve(journal);
		r = is_full ? write_line(journal, line) : r;
	}
	if (r < 0)
		return keep(journal, -r, err);
	if (safe == SAFE_SOON)
		journal->is_unsafe = true;
	if (safe == SAFE_IN_TIME && journal->polled_ms == 0)
		journal->polled_ms = clock_now_ms();
	r = safe == SAFE_NOW ? make_safe(journal, err) : 0;
	return r == 0 && is_full ? say_full(err) : r;
}

static enum safe safe_when(const struct run_event *event)
{
	switch (event->kind) {
	case STEP_ENDED:
		return event->is_repeatable ? SAFE_LATER : SAFE_SOON;
	case STEP_LEARNED:
		return event->is_repeatable ? SAFE_IN_TIME : SAFE_SOON;
	case STEP_INTENT: /* its request leaves after a wait that it shares with others (departure.c) */
	case RUN_DEVICE_RESULT:
		return SAFE_SOON;
	case RUN_STARTED:
	case RUN_RESOURCE_HELD:
	case RUN_RESOURCE_RELEASED:
	case RUN_CANCELLED:
	case RUN_JUDGED:
		return SAFE_NOW;
	case LANE_STARTED:
	case LANE_ENDED:
	case STEP_STARTED:
	case STEP_PROGRESS:
	case STEP_MOVED:
	case STEP_ANSWER:
	case STEP_OUTPUT:
	case STEP_REPEAT:
	case RUN_PROBLEM:
	case RUN_ARTIFACT:
	case RUN_GATE_RULE:
	case RUN_NOTE:
		return SAFE_LATER;
	}
	return SAFE_LATER;
}

/* Said to people alone, or repeated from what is in the journal anyway. */
static bool is_left_out(const struct run_event *event)
{
	return event->kind == STEP_OUTPUT || event->kind == STEP_PROGRESS || event->kind == STEP_MOVED ||
	       event->kind == RUN_NOTE || event->kind == STEP_REPEAT || event->kind == RUN_GATE_RULE;
}

static json_t *record_of(const struct run_event *event)
{
	json_t *record = json_pack("{s:s, s:s?, s:s?, s:s, s:I, s:I}", "type", run_event_name(event->kind), "lane",
	        event->lane, "step", event->step, "outcome", outcome_name(event->outcome), "done",
	        (json_int_t)event->done, "total", (json_int_t)event->total);

	if (!record)
		return NULL;
	if (event->text)
		(void)json_object_set_new(record, "text", json_stringn_nocheck(event->text, strlen(event->text)));
	if (event->failure)
		(void)json_object_set_new(record, "failure", json_string(failure_name(event->failure)));
	if (event->detail)
		(void)json_object_set(record, "detail", event->detail);
	if (event->artifact) {
		GR_AUTO_JSON json_t *whole = run_event_to_json(event);

		(void)json_object_set(record, "detail", json_object_get(whole, "artifact"));
	}
	return record;
}

struct result_file {
	struct file_writer *writer;
	struct digest *digest;
};

static void take_piece(void *user, const char *data, size_t bytes)
{
	struct result_file *file = user;

	file_write(file->writer, data, bytes); /* keeps its first error for the commit */
	digest_add(file->digest, data, bytes);
}

static char *print_json(struct redactor *redactor, const json_t *value)
{
	return redactor_dump(redactor, value, JSON_COMPACT);
}

/* A long result is a file of its own, on the disk before its record: a record is at most some kilobytes. */
static int write_file(struct journal *journal, const struct device_run *run, json_t *record, struct gr_error *err)
{
	GR_AUTO_FREE char *name = gr_printf("state/result-%u-%u.json", journal->generation, ++journal->results);
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	struct result_file file = {0};
	struct printer printer = {
	        .redactor = journal->redactor, .json = print_json, .let_go = take_piece, .user = &file};
	char hex[DIGEST_TEXT_BYTES];
	int r = file_create(journal->directory, name, 0600, &writer, err);

	if (r < 0)
		return r;
	file = (struct result_file){writer, digest_new()};
	device_run_print(&printer, run);
	if (!printer_end(&printer))
		r = gr_fail(err, GR_DISK, EILSEQ, "result");
	digest_end(file.digest, hex);
	digest_free(file.digest);
	(void)json_object_set_new(record, "file", json_string(name));
	(void)json_object_set_new(record, "sha256", json_string(hex));
	return r < 0 ? r : file_commit(&writer, err);
}

static bool is_short(const struct device_run *run)
{
	size_t bytes = 0;

	for (size_t i = 0; i < run->case_count && i <= INLINE_CASES; i++)
		bytes += run->cases[i].reason ? strlen(run->cases[i].reason) : 0;
	return run->case_count <= INLINE_CASES && bytes <= INLINE_REASON_BYTES;
}

static int write_result(struct journal *journal, const struct device_run *run, json_t *record, struct gr_error *err)
{
	if (!is_short(run))
		return write_file(journal, run, record, err);
	(void)json_object_set_new(record, "result", device_run_to_json(run));
	return 0;
}

static int on_settle(void *state, struct gr_error *err)
{
	struct journal *journal = state;

	bool is_due = journal->is_unsafe || journal->is_unseen ||
	              (journal->polled_ms > 0 && clock_now_ms() - journal->polled_ms >= POLLED_MOST_MS);

	return is_due && !journal->broken.failure ? make_safe(journal, err) : 0;
}

/* The first thing that a step learns after its request is what came of it: the number of a run that was started. */
static void note_open(struct journal *journal, const struct run_event *event)
{
	bool was_open = event->lane && json_object_get(journal->open, event->lane);

	if (!event->lane)
		return;
	if (event->kind == STEP_INTENT)
		(void)json_object_set_new(journal->open, event->lane, json_true());
	else if (was_open && (event->kind == STEP_LEARNED || event->kind == STEP_ENDED)) {
		(void)json_object_del(journal->open, event->lane);
		journal->is_unseen = true;
	}
}

/* The reports are on the disk, and tell more than a journal that broke before: no later process puts its own in their
 * place, as it would for a run that was killed. */
static int write_verdict(const struct journal *journal, int exit_status, struct gr_error *err)
{
	GR_AUTO_FREE char *name = gr_printf(JOURNAL_VERDICT, journal->generation);
	GR_AUTO_FREE char *text = gr_printf("%d\n", exit_status);
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	int r = file_create(journal->directory, name, 0600, &writer, err);

	if (r < 0)
		return r;
	file_write(writer, text, strlen(text));
	return file_commit(&writer, err);
}

static int on_event(void *state, const struct run_event *event, struct gr_error *err)
{
	struct journal *journal = state;
	GR_AUTO_JSON json_t *record = NULL;
	struct gr_error local = {0};
	bool is_full = false;
	int r = 0;

	if (journal->broken.failure) /* it was said once; the run goes on from memory */
		return event->kind == RUN_JUDGED ? write_verdict(journal, (int)event->done, err) : 0;
	if (is_left_out(event)) /* other readers show it */
		return journal->is_unseen ? on_settle(journal, err) : 0;
	note_open(journal, event);
	record = record_of(event);
	if (!record)
		return keep(journal, EILSEQ, err);
	if (event->kind == RUN_DEVICE_RESULT && event->device_run)
		r = write_result(journal, event->device_run, record, &local);
	if (r < 0 && give_up_reserve(journal)) {
		(void)say_full(err);
		is_full = true;
		local = (struct gr_error){0};
		r = write_result(journal, event->device_run, record, &local);
	}
	if (r < 0) {
		(void)gr_context(&local, "the journal cannot be written on, and nothing new is started");
		journal->broken = local;
		if (err)
			*err = local;
		return -(int)local.failure;
	}
	r = append(journal, record, safe_when(event), err);
	return is_full ? -(int)GR_DISK : r;
}

static int on_close(void *state, struct gr_error *err)
{
	struct journal *journal = state;
	int r = 0;

	(void)give_up_reserve(journal);
	journal->is_unsafe = journal->is_unsafe || journal->polled_ms > 0;
	if (journal->fd >= 0)
		r = on_settle(journal, err);
	if (journal->fd >= 0 && close(journal->fd) != 0 && r == 0 && !journal->broken.failure)
		r = gr_fail(err, GR_DISK, errno, "journal");
	json_decref(journal->open);
	gr_free(journal);
	return r;
}

/* ---- opening ---- */

/* Who has it: the last `pid` and `host` written. */
static int held_by_other(int directory, struct gr_error *err)
{
	struct gr_error ignored = {0};
	struct replay *replay = NULL;
	int r;

	if (replay_read(directory, &replay, &ignored) < 0)
		return gr_fail(err, GR_BUSY, 0, "another gridlane is writing to this output folder");
	r = gr_fail(err, GR_BUSY, 0,
	        "run %s (process %lld on %s, since %s) is writing to this output folder; wait for its end with "
	        "--lock-wait, or give another --out",
	        json_string_value(json_object_get(replay->head, "run_id")),
	        (long long)json_integer_value(json_object_get(replay->head, "pid")),
	        json_string_value(json_object_get(replay->head, "host")), replay->since);
	replay_free(replay);
	return r;
}

/* Between reading and locking another process may have gone on with the run, or ended it. */
static int check_unchanged(int fd, const struct replay *replay, struct gr_error *err)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return gr_fail(err, GR_DISK, errno, "journal");
	if (status.st_size == replay->bytes)
		return 0;
	return gr_fail(err, GR_BUSY, 0, "another gridlane has just written to this output folder; try again");
}

static int open_file(struct journal *journal, const struct replay *replay, struct gr_error *err)
{
	journal->fd =
	        openat(journal->directory, JOURNAL_NAME, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (journal->fd < 0)
		return gr_fail(err, GR_DISK, errno, "journal");
	if (flock(journal->fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? held_by_other(journal->directory, err)
		                            : gr_fail(err, GR_DISK, errno, "journal lock");
	if (replay)
		return check_unchanged(journal->fd, replay, err);
	if (ftruncate(journal->fd, 0) != 0)
		return gr_fail(err, GR_DISK, errno, "journal");
	return 0;
}

/* What a crash tore off, kept for people: nothing reads it. */
static int keep_torn_tail(const struct journal *journal, const struct replay *replay, struct gr_error *err)
{
	size_t bytes = (size_t)(replay->bytes - replay->good_bytes);
	GR_AUTO_FREE char *tail = gr_alloc(bytes, 1);
	GR_AUTO_FREE char *name = gr_printf("state/torn-%u", replay->generation);
	GR_AUTO_WRITER struct file_writer *writer = NULL;
	int r;

	if (pread(journal->fd, tail, bytes, replay->good_bytes) != (ssize_t)bytes)
		return gr_fail(err, GR_DISK, errno, "journal");
	r = file_create(journal->directory, name, 0600, &writer, err);
	if (r < 0)
		return r;
	file_write(writer, tail, bytes);
	return file_commit(&writer, err);
}

/* Cut off, so that the next record begins a line of its own. */
static int cut_torn_tail(const struct journal *journal, const struct replay *replay, struct gr_error *err)
{
	int r;

	if (!replay || replay->good_bytes == replay->bytes)
		return 0;
	r = keep_torn_tail(journal, replay, err);
	if (r == 0 && ftruncate(journal->fd, replay->good_bytes) != 0)
		r = gr_fail(err, GR_DISK, errno, "journal");
	return r;
}

/* Of another run that was made in this folder. */
static int forget_verdict(const struct journal *journal, struct gr_error *err)
{
	GR_AUTO_FREE char *name = gr_printf(JOURNAL_VERDICT, journal->generation);

	if (unlinkat(journal->directory, name, 0) == 0 || errno == ENOENT)
		return 0;
	return gr_fail(err, GR_DISK, errno, "'%s'", name);
}

static int write_head(struct journal *journal, const json_t *head, struct gr_error *err)
{
	GR_AUTO_JSON json_t *record = json_pack("{s:s, s:O}", "type", "head", "detail", head);
	int r = append(journal, record, SAFE_NOW, err);

	if (r == 0 && fsync(journal->directory) != 0)
		r = keep(journal, errno, err);
	return r;
}

bool journal_is_busy(int directory)
{
	GR_AUTO_CLOSE int fd = openat(directory, JOURNAL_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; /* given back by the close */
}

int journal_open(int directory, const json_t *head, const struct replay *replay, struct redactor *redactor,
        struct event_reader *ret_reader, struct gr_error *err)
{
	struct journal *journal = gr_alloc(1, sizeof(*journal));
	int r;

	*journal = (struct journal){
	        .directory = directory, .fd = -1, .redactor = redactor, .open = json_object(), .generation = 1};
	if (replay) {
		journal->generation = replay->generation + 1;
		journal->sequence = replay->sequence;
	}
	(void)clock_boot_id(journal->boot);
	r = open_file(journal, replay, err);
	if (r == 0)
		r = cut_torn_tail(journal, replay, err);
	if (r == 0)
		r = forget_verdict(journal, err);
	if (r == 0)
		r = keep_reserve(journal, err);
	if (r == 0)
		journal->end = lseek(journal->fd, 0, SEEK_END);
	if (r == 0)
		r = write_head(journal, head, err);
	if (r < 0) {
		(void)on_close(journal, NULL);
		return r;
	}
	*ret_reader =
	        (struct event_reader){.event = on_event, .settle = on_settle, .close = on_close, .state = journal};
	return 0;
}
